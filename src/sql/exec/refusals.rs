//! Rows that an operator refuses, as bad records with what is known of their origin.

use super::chunk::Chunk;
use super::evaluate::{FailedRow, bad_records, record_of};
use super::map::keep;
use super::operator::Output;
use crate::connectors::contract::{BadRecord, BadRow};
use crate::core::fault::Fault;

/// The chunk without rows for which an expression failed, which become bad records of `stage`, each with its first reason.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub fn without(chunk: Chunk, failed: Vec<FailedRow>, stage: &'static str, out: &mut Output) -> Result<Chunk, Fault> {
    let mut failed = failed;
    let mut is_good = vec![true; chunk.rows()];
    failed.retain(|failed| std::mem::replace(&mut is_good[failed.row], false));
    out.bad.extend(bad_records(&chunk, stage, failed));
    keep(chunk, &is_good.into())
}

/// Hands rows of `chunk` that `stage` refused to the bad records.
pub fn refuse(chunk: &Chunk, refused: Vec<BadRow>, stage: &'static str, out: &mut Output) {
    for bad in refused {
        let record = record_of(chunk, bad.row);
        out.bad.push(BadRecord { record, stage, class: bad.class, message: bad.message });
    }
}
