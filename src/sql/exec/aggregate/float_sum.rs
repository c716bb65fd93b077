//! SUM and AVG of floats over rows that go again: the sum is held exactly, so that a value that is taken back leaves
//! nothing behind, however large it was, an infinity or no number.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, PrimitiveArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};

use super::sum::numbers;
use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;

/// From here on values are held smaller than they are: no sum of as many as there can be leaves the range of a float.
const LARGE: f64 = 8.452_712_498_170_644e270;
/// By how much: a power of two, so that no digit is lost.
const SCALE: f64 = 1.606_938_044_258_990_3e60;

/// Exact sums of groups.
pub struct FloatSums {
    sums: Vec<Exact>,
    is_mean: bool,
}

/// The exact sum of floats: the parts of an expansion, of which none says what another says.
#[derive(Debug, Clone, Default, PartialEq)]
struct Exact {
    /// Of values that are not large, the smallest first.
    parts: Vec<f64>,
    /// Of large ones, divided by [`SCALE`].
    large: Vec<f64>,
    /// Values that are not NULL.
    values: i64,
    /// Of these, how many are no number, infinite, and infinite below zero.
    odd: [i64; 3],
}

impl Exact {
    /// Adds a value (`by` 1) or takes it back (`by` -1).
    fn add(&mut self, value: f64, by: i64) {
        self.values += by;
        if value.is_nan() {
            self.odd[0] += by;
        } else if value.is_infinite() {
            self.odd[if value > 0.0 { 1 } else { 2 }] += by;
        } else {
            let value = if by < 0 { -value } else { value };
            if value.abs() < LARGE { put(&mut self.parts, value) } else { put(&mut self.large, value / SCALE) }
        }
    }

    fn merge(&mut self, other: &Self) {
        other.parts.iter().for_each(|part| put(&mut self.parts, *part));
        other.large.iter().for_each(|part| put(&mut self.large, *part));
        self.values += other.values;
        self.odd.iter_mut().zip(other.odd).for_each(|(own, other)| *own += other);
    }

    /// The sum as a float; none where there is no value.
    fn sum(&self) -> Option<f64> {
        let [nan, plus, minus] = self.odd.map(|count| count > 0);
        Some(match (nan || plus && minus, plus, minus) {
            _ if self.values == 0 => return None,
            (true, ..) => f64::NAN,
            (_, true, _) => f64::INFINITY,
            (_, _, true) => f64::NEG_INFINITY,
            _ if self.large.is_empty() => rounded(&self.parts),
            _ => rounded(&self.large) * SCALE + rounded(&self.parts),
        })
    }
}

/// Adds a value to an expansion without a digit lost (Shewchuk, 1997).
fn put(parts: &mut Vec<f64>, mut value: f64) {
    let mut kept = 0;
    for index in 0..parts.len() {
        let mut part = parts[index];
        if value.abs() < part.abs() {
            std::mem::swap(&mut value, &mut part);
        }
        let high = value + part;
        let low = part - (high - value);
        if low != 0.0 {
            parts[kept] = low;
            kept += 1;
        }
        value = high;
    }
    parts.truncate(kept);
    if value != 0.0 {
        parts.push(value);
    }
}

/// The float nearest to an expansion.
fn rounded(parts: &[f64]) -> f64 {
    let mut rest = parts.iter().rev();
    let Some(mut high) = rest.next().copied() else { return 0.0 };
    let mut low = 0.0;
    for part in rest.by_ref() {
        let before = high;
        high = before + part;
        low = part - (high - before);
        if low != 0.0 {
            break;
        }
    }
    // Half way between two floats, what lies below says which.
    if let Some(next) = rest.next()
        && (low < 0.0 && *next < 0.0 || low > 0.0 && *next > 0.0)
    {
        let twice = low * 2.0;
        let other = high + twice;
        if twice == other - high {
            high = other;
        }
    }
    high
}

impl FloatSums {
    /// Sums, or with `is_mean` means; no groups yet.
    pub fn new(is_mean: bool) -> Self {
        Self { sums: Vec::new(), is_mean }
    }

    fn put(&mut self, rows: &Rows<'_>, by: i64) -> Result<(), Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"SUM has no argument"))?;
        let values = numbers::<Float64Type>(values, &DataType::Float64)?;
        for (row, group) in rows.groups.iter().enumerate() {
            if rows.counts(row) && values.is_valid(row) {
                self.sums[*group as usize].add(values.value(row), by);
            }
        }
        Ok(())
    }

    fn of(&self, groups: &[u32]) -> impl Iterator<Item = &Exact> {
        groups.iter().map(|group| &self.sums[*group as usize])
    }
}

impl GroupAccumulator for FloatSums {
    fn grow(&mut self, groups: usize) {
        self.sums.resize_with(groups, Exact::default);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.put(rows, 1)
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.put(rows, -1)
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let result = |exact: &Exact| {
            let sum = exact.sum()?;
            Some(if self.is_mean { sum / exact.values as f64 } else { sum })
        };
        Ok(Arc::new(self.of(groups).map(result).collect::<Float64Array>()))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        let list = |of: fn(&Exact) -> &[f64]| -> ArrayRef {
            let lengths = OffsetBuffer::from_lengths(self.of(groups).map(|exact| of(exact).len()));
            let values: Float64Array = self.of(groups).flat_map(of).copied().collect::<Vec<_>>().into();
            let field = Arc::new(Field::new_list_field(DataType::Float64, false));
            Arc::new(ListArray::new(field, lengths, Arc::new(values), None))
        };
        let count =
            |of: fn(&Exact) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(self.of(groups).map(of))) };
        Ok(vec![
            list(|exact| &exact.parts),
            list(|exact| &exact.large),
            count(|exact| exact.values),
            count(|exact| exact.odd[0]),
            count(|exact| exact.odd[1]),
            count(|exact| exact.odd[2]),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let list = |index: usize| states.get(index).and_then(|state| state.as_list_opt::<i32>());
        let count = |index: usize| states.get(index).and_then(|state| state.as_primitive_opt::<Int64Type>());
        let (Some(parts), Some(large)) = (list(0), list(1)) else { return Err(failed(&"its state is no exact sum")) };
        let (Some(values), Some(nan), Some(plus), Some(minus)) = (count(2), count(3), count(4), count(5)) else {
            return Err(failed(&"its state is no exact sum"));
        };
        let floats = |list: &ListArray, row: usize| {
            list.value(row).as_primitive_opt::<Float64Type>().map(PrimitiveArray::values).map(|values| values.to_vec())
        };
        for (row, group) in groups.iter().enumerate() {
            let exact = Exact {
                parts: floats(parts, row).unwrap_or_default(),
                large: floats(large, row).unwrap_or_default(),
                values: values.value(row),
                odd: [nan.value(row), plus.value(row), minus.value(row)],
            };
            self.sums[*group as usize].merge(&exact);
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.sums[group as usize] = Exact::default();
    }

    fn size(&self) -> usize {
        // An expansion of values of like size has one or two parts.
        self.sums.capacity() * (size_of::<Exact>() + 2 * size_of::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(put: &[f64], taken: &[f64]) -> Option<f64> {
        let mut exact = Exact::default();
        put.iter().for_each(|value| exact.add(*value, 1));
        taken.iter().for_each(|value| exact.add(*value, -1));
        exact.sum()
    }

    #[test]
    fn a_value_that_is_taken_back_leaves_nothing_behind() {
        assert_eq!(after(&[1e17, 1.0, 3.0], &[1e17]), Some(4.0));
        assert_eq!(after(&[f64::MAX, f64::MAX, 0.25], &[f64::MAX, f64::MAX]), Some(0.25));
        assert_eq!(after(&[f64::INFINITY, f64::NAN, 2.0], &[f64::NAN, f64::INFINITY]), Some(2.0));
        assert_eq!(after(&[f64::NEG_INFINITY, 2.0], &[]), Some(f64::NEG_INFINITY));
        assert_eq!(after(&[7.0], &[7.0]), None);
    }

    #[test]
    fn a_sum_is_the_float_nearest_to_what_the_values_come_to() {
        assert_eq!(after(&[0.1; 10], &[]), Some(1.0));
        assert_eq!(after(&[1.0, 1e100, 1.0, -1e100], &[]), Some(2.0));
        assert_eq!(after(&[f64::MAX, f64::MAX], &[]), Some(f64::INFINITY));
        assert_eq!(after(&[f64::MIN_POSITIVE, 1e300, -1e300], &[]), Some(f64::MIN_POSITIVE));
    }

    #[test]
    fn sums_go_on_from_their_state() {
        let rows = |sums: &mut FloatSums, values: &[f64], by: i64| {
            let values: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
            let groups = vec![0; values.len()];
            sums.put(&Rows { values: &[values], groups: &groups, filter: None }, by).is_ok()
        };
        let (mut one, mut other) = (FloatSums::new(false), FloatSums::new(false));
        one.grow(1);
        other.grow(1);
        assert!(rows(&mut one, &[1e300, 1e17, f64::NAN, 0.5], 1));
        let state = one.state(&[0]).unwrap_or_default();
        assert!(other.merge(&state, &[0]).is_ok());
        assert_eq!(one.sums, other.sums);
        assert!(rows(&mut other, &[1e300, 1e17, f64::NAN], -1));
        assert_eq!(other.sums[0].sum(), Some(0.5));
    }
}
