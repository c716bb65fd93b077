//! The manifest of a checkpoint: which epoch, of which job, where the sources stood, which files hold the state, and what
//! the sink still has to make visible. Values only.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::connectors::contract::{Position, Split};

/// The form of manifests that this program writes.
pub const FORM: u32 = 1;

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORM`] of the program that wrote it.
    pub form: u32,
    /// Number of the checkpoint, from 1.
    pub epoch: u64,
    /// Name of the job.
    pub job: String,
    /// When it was written, milliseconds since 1970.
    pub written_ms: i64,
    /// SHA-256 of the SQL text, hexadecimal.
    pub sql_sha256: String,
    /// The SQL text.
    pub sql: String,
    /// Whether the job had come to its end: there is nothing to go on with.
    pub has_finished: bool,
    /// Where the sources stood.
    pub lanes: Vec<LaneState>,
    /// Operators, those without state too.
    pub operators: Vec<OperatorEntry>,
    /// What the sink needs to make the rows before this checkpoint visible.
    pub prepared: Option<String>,
}

/// An operator in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEntry {
    /// Its identity over restarts.
    pub identity: String,
    /// Its label, for people.
    pub label: String,
    /// Its state.
    pub tables: Vec<TableFile>,
}

/// A table of an operator's state in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Name of the table within the operator.
    pub table: String,
    /// Which instance wrote it.
    pub instance: usize,
    /// How many of the first columns are the key that rows are spread by.
    pub keys: usize,
    /// Rows.
    pub rows: usize,
    /// The file, beside the manifest.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

/// Where the readers of a lane stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    /// The source's identity over restarts.
    pub source: String,
    /// The watermark that the lane has given, milliseconds since 1970.
    pub watermark: i64,
    /// Its splits.
    pub splits: Vec<SplitState>,
}

/// Where the reader of a split stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitState {
    /// The split.
    pub split: Split,
    /// Where its reader stands; `None` where it has given nothing yet.
    pub position: Option<Position>,
    /// The newest event time it gave, milliseconds since 1970.
    pub newest: Option<i64>,
    /// Whether it is read to its end.
    pub has_ended: bool,
}

impl SplitState {
    /// A split of which nothing has been read.
    pub fn new(split: Split) -> Self {
        Self { split, position: None, newest: None, has_ended: false }
    }
}

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
