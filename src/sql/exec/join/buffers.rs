//! What a batch costs to keep: its rows' own bytes, or all that the buffers behind them hold. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute;
use arrow::error::ArrowError;

use super::store::too_many;

/// The batch in buffers of its own, where it is a small part of larger ones that it would keep alive.
pub(super) fn owned(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let needed = needed_bytes(&batch);
    if batch.get_array_memory_size() <= 2 * needed + 4_096 {
        return Ok(batch);
    }
    let rows = UInt32Array::from_iter_values(0..u32::try_from(batch.num_rows()).map_err(|_| too_many())?);
    let copied = compute::take_record_batch(&batch, &rows)?;
    let columns = copied.columns().iter().map(compacted).collect();
    RecordBatch::try_new_with_options(
        copied.schema(),
        columns,
        &RecordBatchOptions::new().with_row_count(Some(copied.num_rows())),
    )
}

/// Bytes that the rows of a batch need, whatever the buffers behind them hold.
pub(super) fn needed_bytes(batch: &RecordBatch) -> usize {
    let bytes = |column: &ArrayRef| {
        let shown = column.as_string_view_opt().map(|views| views.total_buffer_bytes_used());
        let shown = shown.or_else(|| column.as_binary_view_opt().map(|views| views.total_buffer_bytes_used()));
        match column.to_data().get_slice_memory_size() {
            Ok(bytes) => bytes + shown.unwrap_or(0),
            Err(_) => column.get_array_memory_size(),
        }
    };
    batch.columns().iter().map(bytes).sum()
}

/// A column of views without the text that none of them shows.
fn compacted(column: &ArrayRef) -> ArrayRef {
    if let Some(views) = column.as_string_view_opt() {
        Arc::new(views.gc())
    } else if let Some(views) = column.as_binary_view_opt() {
        Arc::new(views.gc())
    } else {
        Arc::clone(column)
    }
}
