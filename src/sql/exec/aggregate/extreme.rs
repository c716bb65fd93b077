//! MIN and MAX of numbers and times where rows only come: one value a group.

use std::sync::Arc;

use arrow::array::types;
use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, TimeUnit};

use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;

/// Least or largest values of a type, `None` for one that is not of fixed width.
pub fn extreme(data_type: &DataType, largest: bool) -> Option<Box<dyn GroupAccumulator>> {
    fn made<T: ArrowPrimitiveType>(data_type: &DataType, largest: bool) -> Option<Box<dyn GroupAccumulator>> {
        Some(Box::new(Extreme::<T> { data_type: data_type.clone(), largest, held: Vec::new() }))
    }
    let make = match data_type {
        DataType::Int8 => made::<types::Int8Type>,
        DataType::Int16 => made::<types::Int16Type>,
        DataType::Int32 => made::<types::Int32Type>,
        DataType::Int64 => made::<types::Int64Type>,
        DataType::UInt8 => made::<types::UInt8Type>,
        DataType::UInt16 => made::<types::UInt16Type>,
        DataType::UInt32 => made::<types::UInt32Type>,
        DataType::UInt64 => made::<types::UInt64Type>,
        DataType::Float32 => made::<types::Float32Type>,
        DataType::Float64 => made::<types::Float64Type>,
        DataType::Decimal128(..) => made::<types::Decimal128Type>,
        DataType::Decimal256(..) => made::<types::Decimal256Type>,
        DataType::Date32 => made::<types::Date32Type>,
        DataType::Date64 => made::<types::Date64Type>,
        DataType::Timestamp(TimeUnit::Second, _) => made::<types::TimestampSecondType>,
        DataType::Timestamp(TimeUnit::Millisecond, _) => made::<types::TimestampMillisecondType>,
        DataType::Timestamp(TimeUnit::Microsecond, _) => made::<types::TimestampMicrosecondType>,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => made::<types::TimestampNanosecondType>,
        _ => return None,
    };
    make(data_type, largest)
}

struct Extreme<T: ArrowPrimitiveType> {
    data_type: DataType,
    largest: bool,
    held: Vec<Option<T::Native>>,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    /// Takes the rows from `first` on.
    fn take(
        &mut self,
        values: &ArrayRef,
        groups: &[u32],
        first: usize,
        counts: impl Fn(usize) -> bool,
    ) -> Result<(), Fault> {
        let values = values.as_primitive_opt::<T>().ok_or_else(|| failed(&"its argument has another type"))?;
        for (row, (group, value)) in groups.iter().zip(values.values()).enumerate().skip(first) {
            if values.is_null(row) || !counts(row) {
                continue;
            }
            let held = &mut self.held[*group as usize];
            let wins = held.is_none_or(|held| if self.largest { value.is_gt(held) } else { value.is_lt(held) });
            if wins {
                *held = Some(*value);
            }
        }
        Ok(())
    }
}

impl<T: ArrowPrimitiveType> GroupAccumulator for Extreme<T> {
    fn grow(&mut self, groups: usize) {
        self.held.resize(groups, None);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"it has no argument"))?;
        self.take(values, rows.groups, 0, |row| rows.counts(row))
    }

    fn follow(&mut self, rows: &Rows<'_>) -> Result<(ArrayRef, ArrayRef), Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"it has no argument"))?;
        let (mut before, mut after) = (Vec::with_capacity(rows.groups.len()), Vec::with_capacity(rows.groups.len()));
        for (row, group) in rows.groups.iter().enumerate() {
            before.push(self.held[*group as usize]);
            self.take(values, &rows.groups[..=row], row, |row| rows.counts(row))?;
            after.push(self.held[*group as usize]);
        }
        let array = |held: Vec<Option<T::Native>>| -> ArrayRef {
            Arc::new(held.into_iter().collect::<PrimitiveArray<T>>().with_data_type(self.data_type.clone()))
        };
        Ok((array(before), array(after)))
    }

    fn retract(&mut self, _: &Rows<'_>) -> Result<(), Fault> {
        Err(failed(&"rows cannot be taken back from a MIN or MAX that was told they only come"))
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let held: PrimitiveArray<T> = groups.iter().map(|group| self.held[*group as usize]).collect();
        Ok(Arc::new(held.with_data_type(self.data_type.clone())))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        Ok(vec![self.evaluate(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let held = states.first().ok_or_else(|| failed(&"its state is empty"))?;
        self.take(held, groups, 0, |_| true)
    }

    fn clear(&mut self, group: u32) {
        self.held[group as usize] = None;
    }

    fn size(&self) -> usize {
        self.held.capacity() * size_of::<Option<T::Native>>()
    }
}
