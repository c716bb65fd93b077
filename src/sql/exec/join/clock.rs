//! Times as the engine counts them, and the watermark of an operator in a snapshot. It reads no clock.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};

use super::expression::defect;
use super::side::batch_of;
use crate::core::fault::Fault;
use crate::sql::exec::operator::StateTable;

/// Name of the table.
const CLOCK: &str = "clock";

/// A column of times as milliseconds since 1970, with its NULLs.
pub(super) fn milliseconds(times: &ArrayRef) -> Result<Int64Array, Fault> {
    let counted = match times.data_type() {
        DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, _) => Arc::clone(times),
        // The zone stays: without it the cast would give the time on the wall.
        DataType::Timestamp(_, zone) => {
            cast(times, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone())).map_err(defect)?
        }
        _ => cast(times, &DataType::Timestamp(TimeUnit::Millisecond, None)).map_err(defect)?,
    };
    Ok(cast(&counted, &DataType::Int64).map_err(defect)?.as_primitive::<Int64Type>().clone())
}

/// The watermark as a table that belongs to all instances.
pub(super) fn clock(watermark: i64) -> Result<StateTable, Fault> {
    let schema = Arc::new(Schema::new(vec![Field::new("watermark", DataType::Int64, false)]));
    let batch = batch_of(&schema, vec![Arc::new(Int64Array::from(vec![watermark]))], 1)?;
    Ok(StateTable { name: CLOCK.to_owned(), batch, keys: 0 })
}

/// The watermark of a snapshot; of several instances the earliest, so that no row is late that was not. The
/// end of all input is none: where more has come since, the watermark is that of the sources again.
pub(super) fn restored_clock(tables: &[StateTable]) -> Option<i64> {
    let clocks = tables.iter().filter(|table| table.name == CLOCK && table.batch.num_columns() == 1);
    clocks
        .filter_map(|table| table.batch.column(0).as_primitive_opt::<Int64Type>())
        .filter_map(|watermarks| watermarks.values().iter().copied().min())
        .filter(|watermark| *watermark < i64::MAX)
        .min()
}
