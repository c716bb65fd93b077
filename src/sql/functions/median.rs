//! MEDIAN that neither wraps nor cuts: a DOUBLE of whole numbers; of decimals one more digit than they have, which is exact,
//! or, where there is no digit left, rounded half away from zero.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, PrimitiveArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    ArrowNativeTypeOp, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type,
    Field, FieldRef, Float64Type, Int64Type, UInt64Type, i256,
};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};

use super::scalar::document;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Median {
    signature: Signature,
    documentation: Documentation,
}

impl Median {
    /// The aggregate.
    pub fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: document(
                "Aggregates",
                "median(value)",
                "The value in the middle, or the mean of the two there: DOUBLE of whole numbers, exact of decimals.",
                "SELECT median(price) FROM trades GROUP BY symbol",
            ),
        }
    }
}

impl AggregateUDFImpl for Median {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "median"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![match given {
            [DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale)] => {
                DataType::Decimal128(*precision, *scale)
            }
            [decimal @ (DataType::Decimal128(..) | DataType::Decimal256(..))] => decimal.clone(),
            [DataType::UInt64] => DataType::UInt64,
            [whole] if whole.is_integer() => DataType::Int64,
            [number] if number.is_floating() || number.is_null() => DataType::Float64,
            _ => return plan_err!("it is written `median(value)` and takes a number"),
        }])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match given {
            [DataType::Decimal128(precision, scale)] if *precision < DECIMAL128_MAX_PRECISION => {
                DataType::Decimal128(precision + 1, scale + 1)
            }
            [DataType::Decimal256(precision, scale)] if *precision < DECIMAL256_MAX_PRECISION => {
                DataType::Decimal256(precision + 1, scale + 1)
            }
            [widest @ (DataType::Decimal128(..) | DataType::Decimal256(..))] => widest.clone(),
            _ => DataType::Float64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let values = Arc::new(Field::new_list_field(args.input_fields[0].data_type().clone(), true));
        Ok(vec![Arc::new(Field::new(format!("{}[values]", args.name), DataType::List(values), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let (kind, result) = (args.expr_fields[0].data_type().clone(), args.return_field.data_type().clone());
        let is_distinct = args.is_distinct;
        fn made<T: Middle>(kind: DataType, result: DataType, is_distinct: bool) -> Box<dyn Accumulator> {
            Box::new(Values::<T> { kind, result, is_distinct, values: Vec::new(), gone: Vec::new() })
        }
        Ok(match kind {
            DataType::Int64 => made::<Int64Type>(kind, result, is_distinct),
            DataType::UInt64 => made::<UInt64Type>(kind, result, is_distinct),
            DataType::Float64 => made::<Float64Type>(kind, result, is_distinct),
            DataType::Decimal128(..) => made::<Decimal128Type>(kind, result, is_distinct),
            DataType::Decimal256(..) => made::<Decimal256Type>(kind, result, is_distinct),
            other => return exec_err!("median takes a number, not {other}"),
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Numbers that have a middle.
trait Middle: ArrowPrimitiveType + Debug {
    /// The mean of two numbers, which may be the same; `has_digit` says whether the result has one more than they have.
    fn middle(low: Self::Native, high: Self::Native, result: &DataType, has_digit: bool) -> Result<ScalarValue>;
}

macro_rules! whole {
    ($type:ty) => {
        impl Middle for $type {
            fn middle(low: Self::Native, high: Self::Native, _: &DataType, _: bool) -> Result<ScalarValue> {
                // Their sum has at most 65 bits; it is rounded to a DOUBLE once.
                Ok(ScalarValue::Float64(Some((i128::from(low) + i128::from(high)) as f64 / 2.0)))
            }
        }
    };
}
whole!(Int64Type);
whole!(UInt64Type);

impl Middle for Float64Type {
    fn middle(low: f64, high: f64, _: &DataType, _: bool) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(Some(f64::midpoint(low, high))))
    }
}

/// Half of a sum at the scale of the result: with a digit more it is exact, without it is rounded half away from zero.
fn half(sum: i256, has_digit: bool) -> Option<i256> {
    if has_digit {
        return sum.checked_mul(i256::from_i128(5));
    }
    let two = i256::from_i128(2);
    sum.checked_add(sum.checked_rem(two)?)?.checked_div(two)
}

impl Middle for Decimal128Type {
    fn middle(low: i128, high: i128, result: &DataType, has_digit: bool) -> Result<ScalarValue> {
        let DataType::Decimal128(precision, scale) = result else { return exec_err!("{result} is no result of it") };
        let sum = i256::from_i128(low).checked_add(i256::from_i128(high));
        let half = sum.and_then(|sum| half(sum, has_digit)).and_then(i256::to_i128);
        Ok(ScalarValue::Decimal128(half, *precision, *scale))
    }
}

impl Middle for Decimal256Type {
    fn middle(low: i256, high: i256, result: &DataType, has_digit: bool) -> Result<ScalarValue> {
        let DataType::Decimal256(precision, scale) = result else { return exec_err!("{result} is no result of it") };
        let half = low.checked_add(high).and_then(|sum| half(sum, has_digit));
        Ok(ScalarValue::Decimal256(half, *precision, *scale))
    }
}

/// The values that came and those of them that went again; a median is looked up when it is asked for.
#[derive(Debug)]
struct Values<T: Middle> {
    kind: DataType,
    result: DataType,
    is_distinct: bool,
    values: Vec<T::Native>,
    gone: Vec<T::Native>,
}

impl<T: Middle> Values<T> {
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

impl<T: Middle> Accumulator for Values<T> {
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
        let (below, high, _) = values.select_nth_unstable_by(count / 2, |a, b| a.compare(*b));
        let high = *high;
        let low = match count % 2 {
            0 => below.iter().copied().reduce(|a, b| if a.compare(b) == Ordering::Less { b } else { a }),
            _ => None,
        };
        // The widest types have no digit to spare: their median is of their own type.
        T::middle(low.unwrap_or(high), high, &self.result, self.result != self.kind)
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

    fn median<T: Middle>(came: ArrayRef, went: Option<ArrayRef>, result: DataType) -> ScalarValue {
        let kind = came.data_type().clone();
        let mut held = Values::<T> { kind, result, is_distinct: false, values: Vec::new(), gone: Vec::new() };
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
    fn decimals_have_a_digit_for_the_half_and_values_that_went_do_not_count() {
        let result = DataType::Decimal128(11, 3);
        let came = decimals(&[1_001, 1_002, 9_000, 9_000], 10, 2);
        let found = median::<Decimal128Type>(came, Some(decimals(&[9_000, 9_000], 10, 2)), result);
        assert_eq!(found, ScalarValue::Decimal128(Some(10_015), 11, 3));
    }
}
