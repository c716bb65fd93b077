//! Arithmetic of compiled expressions that fails where DataFusion's would wrap: `+ - *` and negation on whole numbers, and
//! decimals of more digits than their type has; and floats have one zero where they are compared. It changes no type and no
//! other expression.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, DecimalType, FieldRef, Schema};
use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, NegativeExpr};

use super::zero;

/// The expression with every `+ - *` and negation in it checked: an overflow is an error of the batch, which the caller
/// narrows to its row. Divisions are checked by their own function (see `division`).
pub fn checked(expr: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    let rewritten = Arc::clone(&expr).transform_up(|node| {
        Ok(match check(&node) {
            Some(checked) => Transformed::yes(checked),
            None => Transformed::no(node),
        })
    });
    // The closure above gives no error, and a node keeps as many children as it had.
    rewritten.map_or(expr, |rewritten| rewritten.data)
}

fn check(node: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
    if let Some(negative) = node.as_any().downcast_ref::<NegativeExpr>() {
        return Some(Arc::new(Checked { inner: Arc::clone(node), negated: Some(Arc::clone(negative.arg())) }));
    }
    if let Some(compared) = zero::compared(node) {
        return Some(compared);
    }
    let binary = node.as_any().downcast_ref::<BinaryExpr>()?;
    if !matches!(binary.op(), Operator::Plus | Operator::Minus | Operator::Multiply) {
        return None;
    }
    let failing = BinaryExpr::new(Arc::clone(binary.left()), *binary.op(), Arc::clone(binary.right()))
        .with_fail_on_overflow(true);
    Some(Arc::new(Checked { inner: Arc::new(failing), negated: None }))
}

/// A sum, difference, product or negation whose result is looked at.
#[derive(Debug, Eq)]
struct Checked {
    /// The expression; a [`BinaryExpr`] fails on overflow already.
    inner: Arc<dyn PhysicalExpr>,
    /// What a [`NegativeExpr`] negates.
    negated: Option<Arc<dyn PhysicalExpr>>,
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
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Checked {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let Some(negated) = &self.negated else {
            let made = self.inner.evaluate(batch)?;
            fits(&made)?;
            return Ok(made);
        };
        match negated.evaluate(batch)? {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(numeric::neg(&array)?)),
            ColumnarValue::Scalar(scalar) => Ok(ColumnarValue::Scalar(scalar.arithmetic_negate()?)),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.inner.children()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let negated = self.negated.is_some().then(|| children.first().cloned()).flatten();
        Ok(Arc::new(Self { inner: Arc::clone(&self.inner).with_new_children(children)?, negated }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

/// Whether every decimal has at most the digits of its type. Only the widest types can have more: arrow's rules leave room
/// for a carry in all others.
fn fits(made: &ColumnarValue) -> Result<()> {
    let widest = match made.data_type() {
        DataType::Decimal128(precision, _) => precision == Decimal128Type::MAX_PRECISION,
        DataType::Decimal256(precision, _) => precision == Decimal256Type::MAX_PRECISION,
        _ => false,
    };
    if !widest {
        return Ok(());
    }
    let array = made.to_array(1)?;
    match array.data_type() {
        DataType::Decimal128(precision, _) => {
            array.as_primitive::<Decimal128Type>().validate_decimal_precision(*precision)?;
        }
        DataType::Decimal256(precision, _) => {
            array.as_primitive::<Decimal256Type>().validate_decimal_precision(*precision)?;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{ArrayRef, Decimal128Array, Int64Array};
    use datafusion_physical_expr::expressions::{binary, col};

    use super::*;

    fn run(column: ArrayRef, of: impl Fn(Arc<dyn PhysicalExpr>, &Schema) -> Arc<dyn PhysicalExpr>) -> Result<String> {
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let schema = batch.schema();
        let expression = checked(of(col("a", &schema).unwrap(), &schema));
        let made = expression.evaluate(&batch)?.into_array(batch.num_rows())?;
        Ok(arrow::util::display::array_value_to_string(&made, 0)?)
    }

    fn twice(a: Arc<dyn PhysicalExpr>, operator: Operator, schema: &Schema) -> Arc<dyn PhysicalExpr> {
        binary(Arc::clone(&a), operator, a, schema).unwrap()
    }

    #[test]
    fn what_would_wrap_or_outgrow_its_type_is_an_error() {
        let whole = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        let decimal = |value: i128| {
            Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(38, 2).unwrap()) as ArrayRef
        };
        for operator in [Operator::Plus, Operator::Multiply] {
            let said = run(whole(i64::MAX), |a, schema| twice(a, operator, schema)).unwrap_err().to_string();
            assert!(said.contains("verflow"), "{said}");
        }
        assert!(run(whole(i64::MIN), |a, _| Arc::new(NegativeExpr::new(a))).is_err());
        // 1.2e38 fits 128 bits but not 38 digits.
        assert!(run(decimal(6 * 10_i128.pow(37)), |a, schema| twice(a, Operator::Plus, schema)).is_err());

        assert_eq!(run(whole(21), |a, schema| twice(a, Operator::Plus, schema)).unwrap(), "42");
        assert_eq!(run(whole(21), |a, _| Arc::new(NegativeExpr::new(a))).unwrap(), "-21");
        assert_eq!(run(decimal(150), |a, schema| twice(a, Operator::Multiply, schema)).unwrap(), "2.2500");
    }
}
