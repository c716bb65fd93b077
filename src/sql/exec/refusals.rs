//! Rows that an operator refuses, as bad records with what is known of their origin.

use super::chunk::Chunk;
use super::operator::Output;
use crate::connectors::contract::{BadRecord, BadRow, RawRecord};

/// Hands rows of `chunk` that an aggregate refused to the bad records.
pub fn refuse(chunk: &Chunk, refused: Vec<BadRow>, out: &mut Output) {
    for bad in refused {
        let origin = chunk.origins.as_ref().and_then(|origins| {
            let row = (bad.row < origins.rows.len()).then(|| origins.rows.value(bad.row))?;
            origins.records.get(row as usize).cloned()
        });
        let record = origin
            .unwrap_or_else(|| RawRecord { timestamp_ms: chunk.times.get(bad.row).copied(), ..RawRecord::default() });
        out.bad.push(BadRecord { record, stage: "aggregate", class: bad.class, message: bad.message });
    }
}
