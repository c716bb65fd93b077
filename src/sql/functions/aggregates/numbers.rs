//! Numbers that come and go, and what lies at a share of them in their order. Decimals stay exact: they are rounded once, to
//! the digits of the result, half away from zero.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, PrimitiveArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    ArrowNativeTypeOp, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type,
    Field, FieldRef, Float64Type, Int64Type, UInt64Type, i256,
};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::Accumulator;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};

use super::share::{Share, Way};

/// The type that numbers of a type are computed in; `None` for what is no number.
pub fn number(given: &DataType) -> Option<DataType> {
    Some(match given {
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        decimal @ (DataType::Decimal128(..) | DataType::Decimal256(..)) => decimal.clone(),
        DataType::UInt64 => DataType::UInt64,
        whole if whole.is_integer() => DataType::Int64,
        number if number.is_floating() || number.is_null() => DataType::Float64,
        _ => return None,
    })
}

/// The type of what lies between two numbers: of decimals with so many more digits, as far as there are; DOUBLE of others.
pub fn with_digits(number: &DataType, digits: u8) -> DataType {
    let more = |precision: u8, most: u8| digits.min(most.saturating_sub(precision));
    match number {
        DataType::Decimal128(precision, scale) => {
            let more = more(*precision, DECIMAL128_MAX_PRECISION);
            DataType::Decimal128(precision + more, scale + more.cast_signed())
        }
        DataType::Decimal256(precision, scale) => {
            let more = more(*precision, DECIMAL256_MAX_PRECISION);
            DataType::Decimal256(precision + more, scale + more.cast_signed())
        }
        _ => DataType::Float64,
    }
}

/// The state of such an aggregate: its values.
pub fn state_fields(args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    let values = Arc::new(Field::new_list_field(args.input_fields[0].data_type().clone(), true));
    vec![Arc::new(Field::new(format!("{}[values]", args.name), DataType::List(values), true))]
}

/// Numbers of the first argument, of which one at a share is asked for.
///
/// # Errors
/// What is no number.
pub fn accumulator(args: &AccumulatorArgs<'_>, share: Share) -> Result<Box<dyn Accumulator>> {
    fn made<T: Number>(kind: DataType, args: &AccumulatorArgs<'_>, share: Share) -> Box<dyn Accumulator> {
        let (result, is_distinct) = (args.return_field.data_type().clone(), args.is_distinct);
        Box::new(Values::<T> { kind, result, share, is_distinct, values: Vec::new(), gone: Vec::new() })
    }
    let kind = args.expr_fields[0].data_type().clone();
    Ok(match kind {
        DataType::Int64 => made::<Int64Type>(kind, args, share),
        DataType::UInt64 => made::<UInt64Type>(kind, args, share),
        DataType::Float64 => made::<Float64Type>(kind, args, share),
        DataType::Decimal128(..) => made::<Decimal128Type>(kind, args, share),
        DataType::Decimal256(..) => made::<Decimal256Type>(kind, args, share),
        other => return exec_err!("a number is wanted, not {other}"),
    })
}

/// Numbers between which there is something.
trait Number: ArrowPrimitiveType + Debug {
    /// What lies on the way from the lower of two numbers, which may be the same, to the higher.
    fn between(low: Self::Native, high: Self::Native, way: Way, kind: &DataType, to: &DataType) -> Result<ScalarValue>;
}

macro_rules! whole {
    ($type:ty) => {
        impl Number for $type {
            fn between(
                low: Self::Native,
                high: Self::Native,
                way: Way,
                _: &DataType,
                _: &DataType,
            ) -> Result<ScalarValue> {
                // 64 bits and those of 18 digits are in range; a DOUBLE is rounded to at the end.
                let (low, high) = (i128::from(low), i128::from(high));
                let numerator = low * way.unit + (high - low) * way.parts;
                Ok(ScalarValue::Float64(Some(numerator as f64 / way.unit as f64)))
            }
        }
    };
}
whole!(Int64Type);
whole!(UInt64Type);

impl Number for Float64Type {
    fn between(low: f64, high: f64, way: Way, _: &DataType, _: &DataType) -> Result<ScalarValue> {
        let share = way.parts as f64 / way.unit as f64;
        let between = match way.parts * 2 == way.unit {
            true => f64::midpoint(low, high),
            false if way.parts == 0 => low,
            false => low * (1.0 - share) + high * share,
        };
        Ok(ScalarValue::Float64(Some(between)))
    }
}

/// `low + (high - low) * parts / unit` with so many more digits, rounded half away from zero. The way is cut in two, so that
/// only what is left of a whole unit is multiplied: the widest decimals have no digit to spare.
fn between(low: i256, high: i256, way: Way, digits: u32) -> Option<i256> {
    let (parts, unit) = (i256::from_i128(way.parts), i256::from_i128(way.unit));
    let up = i256::from_i128(10).checked_pow(digits)?;
    let distance = high.checked_sub(low)?;
    let (whole, rest) = (distance.checked_div(unit)?, distance.checked_rem(unit)?);
    let fraction = rest.checked_mul(parts)?.checked_mul(up)?;
    let floor =
        low.checked_add(whole.checked_mul(parts)?)?.checked_mul(up)?.checked_add(fraction.checked_div(unit)?)?;
    let twice = fraction.checked_rem(unit)?.checked_mul(i256::from_i128(2))?;
    let is_up = if floor >= i256::ZERO { twice >= unit } else { twice > unit };
    floor.checked_add(if is_up { i256::ONE } else { i256::ZERO })
}

/// By how many digits the result has more.
fn more(kind: &DataType, to: &DataType) -> Option<u32> {
    let scale = |of: &DataType| match of {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    };
    u32::try_from(scale(to)?.checked_sub(scale(kind)?)?).ok()
}

impl Number for Decimal128Type {
    fn between(low: i128, high: i128, way: Way, kind: &DataType, to: &DataType) -> Result<ScalarValue> {
        let DataType::Decimal128(precision, scale) = to else { return exec_err!("{to} is no result of it") };
        let (low, high) = (i256::from_i128(low), i256::from_i128(high));
        match more(kind, to).and_then(|digits| between(low, high, way, digits)).and_then(i256::to_i128) {
            Some(found) => Ok(ScalarValue::Decimal128(Some(found), *precision, *scale)),
            None => exec_err!("what lies between two values has more digits than {to}"),
        }
    }
}

impl Number for Decimal256Type {
    fn between(low: i256, high: i256, way: Way, kind: &DataType, to: &DataType) -> Result<ScalarValue> {
        let DataType::Decimal256(precision, scale) = to else { return exec_err!("{to} is no result of it") };
        match more(kind, to).and_then(|digits| between(low, high, way, digits)) {
            Some(found) => Ok(ScalarValue::Decimal256(Some(found), *precision, *scale)),
            None => exec_err!("what lies between two values has more digits than {to}"),
        }
    }
}

/// The values that came and those of them that went again; what is at a share of them is looked up when it is asked for.
#[derive(Debug)]
struct Values<T: Number> {
    kind: DataType,
    result: DataType,
    share: Share,
    is_distinct: bool,
    values: Vec<T::Native>,
    gone: Vec<T::Native>,
}

impl<T: Number> Values<T> {
    fn of(values: &ArrayRef, into: &mut Vec<T::Native>) {
        let values = values.as_primitive::<T>();
        match values.null_count() {
            0 => into.extend_from_slice(values.values()),
            _ => into.extend(values.iter().flatten()),
        }
    }

    /// Takes those that went out of those that came.
    fn settle(&mut self) {
        if self.gone.is_empty() {
            return;
        }
        self.values.sort_unstable_by(|a, b| a.compare(*b));
        self.gone.sort_unstable_by(|a, b| a.compare(*b));
        let mut gone = std::mem::take(&mut self.gone).into_iter().peekable();
        self.values.retain(|value| {
            while gone.next_if(|gone| gone.compare(*value) == Ordering::Less).is_some() {}
            gone.next_if(|gone| gone.compare(*value) == Ordering::Equal).is_none()
        });
    }
}

impl<T: Number> Accumulator for Values<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Self::of(&values[0], &mut self.values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Self::of(&values[0], &mut self.gone);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for list in states[0].as_list::<i32>().iter().flatten() {
            Self::of(&list, &mut self.values);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.settle();
        let values = PrimitiveArray::<T>::from_iter_values(self.values.iter().copied());
        let values: ArrayRef = Arc::new(values.with_data_type(self.kind.clone()));
        let inner = Arc::new(Field::new_list_field(self.kind.clone(), true));
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        Ok(vec![ScalarValue::List(Arc::new(ListArray::new(inner, offsets, values, None)))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.settle();
        let mut distinct = Vec::new();
        let values = if self.is_distinct {
            distinct.clone_from(&self.values);
            distinct.sort_unstable_by(|a, b| a.compare(*b));
            distinct.dedup_by(|a, b| a.compare(*b) == Ordering::Equal);
            &mut distinct
        } else {
            &mut self.values
        };
        let count = values.len();
        if count == 0 {
            return ScalarValue::try_from(&self.result);
        }
        let (place, way) = self.share.between(count);
        let (_, low, above) = values.select_nth_unstable_by(place, |a, b| a.compare(*b));
        let low = *low;
        let high = match way.parts {
            0 => None,
            _ => above.iter().copied().reduce(|a, b| if b.compare(a) == Ordering::Less { b } else { a }),
        };
        T::between(low, high.unwrap_or(low), way, &self.kind, &self.result)
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.values.capacity() + self.gone.capacity()) * size_of::<T::Native>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{Decimal128Array, Int64Array};

    use super::*;

    fn median<T: Number>(came: ArrayRef, went: Option<ArrayRef>, result: DataType) -> ScalarValue {
        let kind = came.data_type().clone();
        let mut held =
            Values::<T> { kind, result, share: Share::HALF, is_distinct: false, values: Vec::new(), gone: Vec::new() };
        held.update_batch(&[came]).unwrap();
        went.into_iter().for_each(|went| held.retract_batch(&[went]).unwrap());
        let state: Vec<ArrayRef> = held.state().unwrap().iter().map(|state| state.to_array().unwrap()).collect();
        let result = held.evaluate().unwrap();
        let mut other = Values::<T> { values: Vec::new(), gone: Vec::new(), ..held };
        other.merge_batch(&state).unwrap();
        assert_eq!(other.evaluate().unwrap(), result, "a state is what it was");
        result
    }

    fn decimals(values: &[i128], precision: u8, scale: i8) -> ArrayRef {
        Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap())
    }

    #[test]
    fn the_middle_of_the_largest_numbers_does_not_wrap() {
        let largest: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX - 2]));
        let found = median::<Int64Type>(largest, None, DataType::Float64);
        assert_eq!(found, ScalarValue::Float64(Some(i64::MAX as f64)));
        let most = 10_i128.pow(38) - 1;
        let result = DataType::Decimal128(38, 0);
        let found = median::<Decimal128Type>(decimals(&[most, most - 1], 38, 0), None, result.clone());
        assert_eq!(found, ScalarValue::Decimal128(Some(most), 38, 0));
        let found = median::<Decimal128Type>(decimals(&[-1, -2], 38, 0), None, result);
        assert_eq!(found, ScalarValue::Decimal128(Some(-2), 38, 0), "half away from zero");
    }

    #[test]
    fn what_lies_between_two_decimals_is_rounded_once_and_away_from_zero() {
        let way = |parts: i128, unit: i128| Way { parts, unit };
        let at = |low: i128, high: i128, way: Way, digits: u32| {
            between(i256::from_i128(low), i256::from_i128(high), way, digits).and_then(i256::to_i128)
        };
        // 1.00 to 2.00, a third of a thousandth further: 1.000333
        assert_eq!(at(100, 200, way(333_333, 1_000_000_000), 4), Some(1_000_333));
        assert_eq!(at(0, 1, way(5, 10), 0), Some(1), "half away from zero");
        assert_eq!(at(-1, 0, way(5, 10), 0), Some(-1), "half away from zero");
        assert_eq!(at(-3, 0, way(5, 10), 0), Some(-2), "-1.5");
        assert_eq!(at(-10, 10, way(51, 100), 0), Some(0), "0.2");
        assert_eq!(at(7, 7, way(99, 100), 4), Some(70_000));
        let most = i256::from_i128(10).wrapping_pow(76).wrapping_sub(i256::ONE);
        let least = i256::ZERO.wrapping_sub(most);
        assert_eq!(
            between(least, most, way(75, 100), 0),
            Some(most.wrapping_div(i256::from_i128(2)).wrapping_add(i256::ONE))
        );
    }

    #[test]
    fn decimals_have_a_digit_for_the_half_and_values_that_went_do_not_count() {
        let result = DataType::Decimal128(11, 3);
        let came = decimals(&[1_001, 1_002, 9_000, 9_000], 10, 2);
        let found = median::<Decimal128Type>(came, Some(decimals(&[9_000, 9_000], 10, 2)), result);
        assert_eq!(found, ScalarValue::Decimal128(Some(10_015), 11, 3));
    }
}
