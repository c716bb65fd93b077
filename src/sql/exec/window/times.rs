//! The times by which rows find their windows, which need not be their event times. It keeps nothing.

use arrow::buffer::ScalarBuffer;

use crate::core::fault::Fault;
use crate::sql::exec::aggregate::prepared::{Prepared, Recipe};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::map::times;
use crate::sql::exec::operator::Output;
use crate::sql::exec::refusals::without;
use crate::sql::plan::stream::Expression;

/// The stage of rows that have no time.
const STAGE: &str = "event_time";

/// The time of each row, and the chunk without the rows that have none, which become bad records.
///
/// # Errors
/// An expression that is no time.
pub fn timed(chunk: Chunk, time: Option<&Expression>, out: &mut Output) -> Result<(Chunk, ScalarBuffer<i64>), Fault> {
    let mut chunk = chunk;
    loop {
        let Some(time) = time else {
            let times = chunk.times.clone();
            return Ok((chunk, times));
        };
        let mut failed = Vec::new();
        let times = times(time, &chunk.batch, &mut failed)?;
        if failed.is_empty() {
            return Ok((chunk, times));
        }
        chunk = without(chunk, failed, STAGE, out)?;
    }
}

/// The same with the keys and arguments of the rows: a row that lacks one of them is a bad record, too.
///
/// # Errors
/// What no row can be blamed for.
pub fn prepared(
    recipe: &Recipe,
    chunk: Chunk,
    time: Option<&Expression>,
    out: &mut Output,
) -> Result<(Chunk, Prepared, ScalarBuffer<i64>), Fault> {
    let (chunk, times) = timed(chunk, time, out)?;
    let rows = chunk.rows();
    let (chunk, prepared) = recipe.prepare(chunk, out)?;
    if chunk.rows() == rows {
        return Ok((chunk, prepared, times));
    }
    // The rows that are left have a time, as they had before.
    let (chunk, times) = timed(chunk, time, out)?;
    Ok((chunk, prepared, times))
}
