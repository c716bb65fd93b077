//! What a subquery gives that stands for a value: the value of its only row, NULL where there is none, and an error where
//! there are several. The planner puts it there; nobody calls it.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

/// What is said of a subquery that gives several rows.
pub const SEVERAL: &str = "a subquery that stands for a value gives more than one row";

/// Rows that are held: while results change there may be several for a moment, and never many.
const HELD_MAX: usize = 1_024;

/// The aggregate.
pub fn only_value() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(OnlyValue { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OnlyValue {
    signature: Signature,
}

impl AggregateUDFImpl for OnlyValue {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "__only_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let values = DataType::new_list(args.return_field.data_type().clone(), true);
        Ok(vec![Arc::new(Field::new("values", values, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Held { of: args.return_field.data_type().clone(), values: Vec::new() }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }
}

/// The values of the rows that there are.
#[derive(Debug)]
struct Held {
    of: DataType,
    values: Vec<ScalarValue>,
}

impl Held {
    fn take(&mut self, values: &dyn Array) -> Result<()> {
        if self.values.len() + values.len() > HELD_MAX {
            return exec_err!("{SEVERAL}");
        }
        for row in 0..values.len() {
            self.values.push(ScalarValue::try_from_array(values, row)?);
        }
        Ok(())
    }
}

impl Accumulator for Held {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |values| self.take(values))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        for row in 0..values.len() {
            let gone = ScalarValue::try_from_array(values, row)?;
            if let Some(place) = self.values.iter().position(|held| *held == gone) {
                self.values.swap_remove(place);
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        lists.iter().flatten().try_for_each(|values| self.take(&values))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::List(ScalarValue::new_list(&self.values, &self.of, true))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.values.as_slice() {
            [] => ScalarValue::try_from(&self.of),
            [one] => Ok(one.clone()),
            _ => exec_err!("{SEVERAL}"),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.iter().map(ScalarValue::size).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::Int64Array;

    use super::*;

    #[test]
    fn one_row_is_its_value_none_is_null_and_two_are_an_error_until_one_goes() {
        let rows = |values: &[i64]| vec![Arc::new(Int64Array::from(values.to_vec())) as ArrayRef];
        let mut held = Held { of: DataType::Int64, values: Vec::new() };
        assert_eq!(held.evaluate().unwrap(), ScalarValue::Int64(None));
        held.update_batch(&rows(&[7])).unwrap();
        assert_eq!(held.evaluate().unwrap(), ScalarValue::Int64(Some(7)));
        held.update_batch(&rows(&[8])).unwrap();
        assert!(held.evaluate().unwrap_err().to_string().contains(SEVERAL));
        held.retract_batch(&rows(&[7])).unwrap();
        assert_eq!(held.evaluate().unwrap(), ScalarValue::Int64(Some(8)));
        assert!(held.update_batch(&rows(&[1; HELD_MAX])).is_err());
    }
}
