//! Zero and NaN of a DOUBLE as SQL compares them: -0.0 equals 0.0, and NaN equals NaN, where Arrow tells them apart by their
//! bits. What is no float passes as it is.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type, Schema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::expressions::{BinaryExpr, CaseExpr, InListExpr, Literal};
use datafusion_physical_expr::{PhysicalExpr, ScalarFunctionExpr};

/// A key of these columns as it is told from others: a float has one zero.
///
/// # Errors
/// A key whose type is not known, which is a defect.
pub fn key(expr: Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    Ok(if expr.data_type(schema)?.is_floating() { one(expr) } else { expr })
}

/// The comparison in which floats have one zero; none where a node compares nothing.
pub fn compared(node: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
    let any = node.as_any();
    if let Some(binary) = any.downcast_ref::<BinaryExpr>() {
        if !compares(*binary.op()) || other(binary.left()) || other(binary.right()) {
            return None;
        }
        let sides = [binary.left(), binary.right()].map(|side| one(Arc::clone(side)));
        return Arc::clone(node).with_new_children(sides.into()).ok();
    }
    if let Some(list) = any.downcast_ref::<InListExpr>() {
        if list.list().iter().any(other) {
            return None;
        }
        let children = std::iter::once(list.expr()).chain(list.list()).map(|item| one(Arc::clone(item)));
        return Arc::clone(node).with_new_children(children.collect()).ok();
    }
    if let Some(case) = any.downcast_ref::<CaseExpr>() {
        let operand = one(Arc::clone(case.expr()?));
        if case.when_then_expr().iter().any(|(when, _)| other(when)) {
            return None;
        }
        let whens = case.when_then_expr().iter().map(|(when, then)| (one(Arc::clone(when)), Arc::clone(then)));
        let case = CaseExpr::try_new(Some(operand), whens.collect(), case.else_expr().cloned()).ok()?;
        return Some(Arc::new(case));
    }
    let call = any.downcast_ref::<ScalarFunctionExpr>().filter(|call| call.name() == "nullif")?;
    let arguments = call.args().iter().map(|argument| one(Arc::clone(argument)));
    Arc::clone(node).with_new_children(arguments.collect()).ok()
}

fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// Whether a constant shows that no floats are compared.
fn other(side: &Arc<dyn PhysicalExpr>) -> bool {
    literal(side).is_some_and(|value| !value.is_null() && !value.data_type().is_floating())
}

fn literal(expr: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    expr.as_any().downcast_ref::<Literal>().map(Literal::value)
}

fn one(inner: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    match literal(&inner) {
        Some(value) => Arc::new(Literal::new(scalar(value.clone()))),
        None if inner.as_any().is::<OneZero>() => inner,
        None => Arc::new(OneZero { inner }),
    }
}

/// A value with one zero and one NaN.
pub fn scalar(value: ScalarValue) -> ScalarValue {
    match value {
        ScalarValue::Float64(Some(value)) => ScalarValue::Float64(Some(one_64(value))),
        ScalarValue::Float32(Some(value)) => ScalarValue::Float32(Some(one_32(value))),
        other => other,
    }
}

fn one_64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

fn one_32(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}

/// A column with one zero and one NaN.
pub fn column(values: ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(one_64)),
        DataType::Float32 => Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(one_32)),
        _ => values,
    }
}

/// An expression whose floats have one zero and one NaN.
#[derive(Debug, Eq)]
struct OneZero {
    inner: Arc<dyn PhysicalExpr>,
}

impl PartialEq for OneZero {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Hash for OneZero {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for OneZero {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for OneZero {
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
        Ok(match self.inner.evaluate(batch)? {
            ColumnarValue::Array(values) => ColumnarValue::Array(column(values)),
            ColumnarValue::Scalar(value) => ColumnarValue::Scalar(scalar(value)),
        })
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(match children.into_iter().next() {
            Some(inner) => Arc::new(Self { inner }),
            None => self,
        })
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::Float64Array;
    use datafusion_physical_expr::expressions::{col, in_list, lit};

    use super::*;

    #[test]
    fn a_double_has_one_zero_and_one_nan_wherever_it_is_compared() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, 0.0, f64::NAN, -f64::NAN, 1.0]));
        let batch = RecordBatch::try_from_iter([("a", values)]).unwrap();
        let schema = batch.schema();
        let a = col("a", &schema).unwrap();
        let binary = |value: f64| Arc::new(BinaryExpr::new(Arc::clone(&a), Operator::Eq, lit(value))) as _;
        let list = in_list(Arc::clone(&a), vec![lit(0.0), lit(f64::NAN)], &false, &schema).unwrap();
        for (node, expected) in [
            (binary(0.0), [true, true, false, false, false]),
            (binary(-0.0), [true, true, false, false, false]),
            (binary(f64::NAN), [false, false, true, true, false]),
            (list, [true, true, true, true, false]),
        ] {
            let made = compared(&node).unwrap().evaluate(&batch).unwrap().into_array(5).unwrap();
            assert_eq!(made.as_boolean().values().iter().collect::<Vec<_>>(), expected, "{node}");
        }
    }
}
