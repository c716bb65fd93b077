//! Rows gain the bounds of their windows; a row of several windows comes several times. It keeps nothing.

use std::sync::Arc;

use arrow::array::{Int8Array, TimestampMillisecondArray, UInt32Array};
use arrow::datatypes::SchemaRef;

use super::chunk::Chunk;
use super::evaluate::arrow_fault;
use super::map::batch_of;
use super::operator::{Operator, Output};
use super::window::assign::Windows;
use super::window::times::timed;
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::{Expression, WindowNode};

/// The operator that adds `window_start` and `window_end` to rows.
///
/// # Errors
/// A session, whose bounds nobody knows before its end.
pub fn build(window: &WindowNode, schema: &SchemaRef) -> Result<Box<dyn Operator>, Fault> {
    let Some(windows) = Windows::of(&window.kind) else {
        return Err(Fault::new(Blame::Operator, "a session has no bounds before it ends")
            .next("group by window_start, window_end directly over SESSION"));
    };
    Ok(Box::new(WindowAssign { windows, time: window.time.clone(), schema: Arc::clone(schema) }))
}

struct WindowAssign {
    windows: Windows,
    time: Option<Expression>,
    schema: SchemaRef,
}

impl Operator for WindowAssign {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, times) = timed(chunk, self.time.as_ref(), out)?;
        let (mut rows, mut bounds, mut ops) = (Vec::new(), Vec::new(), Vec::new());
        for (row, time) in times.iter().enumerate() {
            for window in self.windows.of_time(*time) {
                rows.push(row as u32);
                bounds.push(window);
                // The halves of an update stand in several windows: in each, one goes and the other comes.
                ops.push(if chunk.op(row).is_addition() { Op::Insert } else { Op::Delete } as i8);
            }
        }
        let is_changelog = chunk.ops.is_some();
        let mut chunk = chunk.take(&UInt32Array::from(rows)).map_err(arrow_fault)?;
        if is_changelog {
            chunk.ops = Some(Int8Array::from(ops));
        }
        let mut columns = chunk.batch.columns().to_vec();
        let starts = bounds.iter().map(|window| window.start);
        columns.push(Arc::new(TimestampMillisecondArray::from_iter_values(starts)));
        columns.push(Arc::new(TimestampMillisecondArray::from_iter_values(bounds.iter().map(|window| window.end))));
        let batch = batch_of(&self.schema, columns, chunk.rows())?;
        out.give(chunk.with_batch(batch));
        Ok(())
    }
}
