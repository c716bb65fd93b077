//! Makes expressions exact: whole numbers and decimals that leave their type are errors of that row, never a wrong
//! number and never a wrap. DataFusion's own default wraps whole numbers, and Arrow lets a decimal of 39 digits stand in
//! a type of 38.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, DecimalType, FieldRef, Schema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, NegativeExpr, lit};

use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::Expression;

/// The same expression, over rows of `schema`, with every overflow an error. Doing it twice changes nothing.
///
/// # Errors
/// An expression that does not fit the schema, which is a defect of the plan.
pub fn exact(expression: &Expression, schema: &Schema) -> Result<Expression, Fault> {
    rewritten(Arc::clone(expression), schema)
        .map_err(|error| Fault::new(Blame::Program, format!("`{expression}` does not fit its input: {error}")))
}

fn rewritten(expression: Expression, schema: &Schema) -> Result<Expression> {
    if expression.as_any().is::<Checked>() {
        return Ok(expression);
    }
    let children = expression.children();
    let expression = if children.is_empty() {
        expression
    } else {
        let new = children.iter().map(|child| rewritten(Arc::clone(child), schema)).collect::<Result<Vec<_>>>()?;
        let is_same = children.iter().zip(&new).all(|(old, new)| Arc::ptr_eq(old, new));
        if is_same { expression } else { Arc::clone(&expression).with_new_children(new)? }
    };
    if let Some(binary) = expression.as_any().downcast_ref::<BinaryExpr>() {
        return arithmetic(&expression, binary, schema);
    }
    if let Some(negative) = expression.as_any().downcast_ref::<NegativeExpr>() {
        let data_type = negative.arg().data_type(schema)?;
        if data_type.is_signed_integer() {
            let zero = lit(ScalarValue::new_zero(&data_type)?);
            let minus = BinaryExpr::new(zero, Operator::Minus, Arc::clone(negative.arg()));
            return Ok(Arc::new(minus.with_fail_on_overflow(true)));
        }
    }
    Ok(expression)
}

fn arithmetic(expression: &Expression, binary: &BinaryExpr, schema: &Schema) -> Result<Expression> {
    let can_overflow = matches!(binary.op(), Operator::Plus | Operator::Minus | Operator::Multiply);
    match expression.data_type(schema)? {
        data_type if data_type.is_integer() && can_overflow => {
            let same = BinaryExpr::new(Arc::clone(binary.left()), *binary.op(), Arc::clone(binary.right()));
            Ok(Arc::new(same.with_fail_on_overflow(true)))
        }
        // Below the cap the result's type is as wide as its operands can make it: only at the cap digits get lost.
        DataType::Decimal128(Decimal128Type::MAX_PRECISION, _)
        | DataType::Decimal256(Decimal256Type::MAX_PRECISION, _) => {
            Ok(Arc::new(Checked { inner: Arc::clone(expression) }))
        }
        _ => Ok(Arc::clone(expression)),
    }
}

/// An expression whose decimals are held to the digits of their type.
#[derive(Debug, Clone, Eq)]
struct Checked {
    inner: Expression,
}

impl PartialEq for Checked {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Hash for Checked {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl PhysicalExpr for Checked {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let value = self.inner.evaluate(batch)?;
        let array = match &value {
            ColumnarValue::Array(array) => Arc::clone(array),
            ColumnarValue::Scalar(scalar) => scalar.to_array()?,
        };
        match array.data_type() {
            DataType::Decimal128(precision, _) => {
                array.as_primitive::<Decimal128Type>().validate_decimal_precision(*precision)?;
            }
            DataType::Decimal256(precision, _) => {
                array.as_primitive::<Decimal256Type>().validate_decimal_precision(*precision)?;
            }
            _ => {}
        }
        Ok(value)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match children.pop() {
            Some(inner) => Ok(Arc::new(Self { inner })),
            None => Ok(self),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{Decimal128Array, Int64Array};
    use arrow::datatypes::Field;
    use datafusion_physical_expr::expressions::{binary, col};

    use super::*;
    use crate::sql::exec::evaluate::evaluate;

    fn failed(batch: &RecordBatch, operator: Operator) -> Vec<(usize, &'static str)> {
        let schema = batch.schema();
        let expression = binary(col("a", &schema).unwrap(), operator, col("b", &schema).unwrap(), &schema).unwrap();
        let mut failed = Vec::new();
        evaluate(&exact(&expression, &schema).unwrap(), batch, &mut failed).unwrap();
        failed.into_iter().map(|row| (row.row, row.class)).collect()
    }

    #[test]
    fn whole_numbers_do_not_wrap() {
        let column = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as _;
        let batch = RecordBatch::try_from_iter([("a", column(&[1, i64::MAX])), ("b", column(&[2, 1]))]).unwrap();
        assert_eq!(failed(&batch, Operator::Plus), [(1, "overflow")]);
        let batch = RecordBatch::try_from_iter([("a", column(&[5, i64::MAX])), ("b", column(&[0, 3]))]).unwrap();
        assert_eq!(failed(&batch, Operator::Multiply), [(1, "overflow")]);
        assert_eq!(failed(&batch, Operator::Divide), [(0, "division")]);
    }

    #[test]
    fn a_decimal_of_39_digits_is_an_overflow_though_its_128_bits_would_hold_it() {
        let column = |values: &[i128]| {
            Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, 2).unwrap()) as _
        };
        let large = 9 * 10_i128.pow(37);
        let batch = RecordBatch::try_from_iter([
            ("a", column(&[large, 100])),
            ("b", column(&[large - 5 * 10_i128.pow(37), 1])),
        ])
        .unwrap();
        assert_eq!(failed(&batch, Operator::Plus), [(0, "overflow")]);
    }

    #[test]
    fn the_least_number_has_no_negative() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let negative: Expression = Arc::new(NegativeExpr::new(col("a", &schema).unwrap()));
        let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![Arc::new(Int64Array::from(vec![3, i64::MIN]))])
            .unwrap();
        let mut failed = Vec::new();
        let values = evaluate(&exact(&negative, &schema).unwrap(), &batch, &mut failed).unwrap();
        assert_eq!((values.as_primitive::<arrow::datatypes::Int64Type>().value(0), failed.len()), (-3, 1));
    }
}
