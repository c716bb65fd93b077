//! Changes made from the console: when, who, environment, what, result.

use serde::Serialize;

/// Entries kept in memory; the file holds the rest.
pub const AUDIT_ENTRIES_MAX: usize = 500;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Environments touched.
    pub environment: String,
    /// What was done, in words.
    pub what: String,
    /// What came of it: `started`, `refused: …`, `done: …`, `failed: …`.
    pub result: String,
}
