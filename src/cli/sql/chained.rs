//! Statements of one text that are chained through tables in memory: every one of them is announced before the first
//! begins, so that no row comes too early and every table ends with its writers. It starts none.

use crate::cli::Failure;
use crate::core::fault::Fault;
use crate::sql::plan::session::Session;
use crate::sql::plan::stream::{NodeKind, StreamPlan};

/// Announces who writes and who reads; answers whether any statement is chained to another.
///
/// # Errors
/// A table that nobody writes, or whose columns differ.
pub(super) fn announce<'p>(
    plans: impl Iterator<Item = &'p StreamPlan> + Clone,
    planning: &Session,
) -> Result<bool, Fault> {
    let mut is_chained = false;
    for node in plans.clone().flat_map(|plan| &plan.nodes) {
        if let NodeKind::Sink(sink) = &node.kind {
            is_chained |= planning.connectors.get(&sink.connector)?.announce(&sink.request)?;
        }
    }
    for node in plans.flat_map(|plan| &plan.nodes) {
        if let NodeKind::Source(from) = &node.kind {
            is_chained |= from.source.announce()?;
        }
    }
    Ok(is_chained)
}

/// Rows on their way from one statement to the next are in no checkpoint of either.
pub(super) fn not_remembered() -> Failure {
    Failure::usage(
        "what is chained through memory cannot go on after a restart: rows on their way are in no checkpoint",
        "leave --state-dir out; or write to a topic, or name the query: CREATE STREAM … AS SELECT …",
    )
}
