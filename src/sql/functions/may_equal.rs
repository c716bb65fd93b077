//! Whether two values are equal or NULL hides whether they are: what `IN` with a subquery is not FALSE of. The planner puts
//! it there; nobody calls it.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, make_comparator};
use arrow::compute::SortOptions;
use arrow::compute::kernels::cmp;
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{Expr, ScalarUDF};

use super::scalar::{Call, Scalar, Want};
use super::zero;

const NAME: &str = "__may_equal";

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Scalar::new("", NAME, "__may_equal(a, b)", "Whether two values are equal, or one is NULL.", "")
        .takes(&[Want::Any, Want::Any])
        .runs(|_| DataType::Boolean, run)
});

/// The call for two expressions of one type.
pub fn may_equal(one: Expr, other: Expr) -> Expr {
    FUNCTION.call(vec![one, other])
}

/// The two expressions of such a call.
pub fn sides(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    match call.args.as_slice() {
        [one, other] if call.func.name() == NAME => Some((one, other)),
        _ => None,
    }
}

fn run(call: &Call) -> Result<ArrayRef> {
    let (one, other) = (zero::column(call.column(0)?), zero::column(call.column(1)?));
    let (one_nulls, other_nulls) = (one.logical_nulls(), other.logical_nulls());
    let is_null = |row: usize| [&one_nulls, &other_nulls].iter().any(|n| n.as_ref().is_some_and(|n| n.is_null(row)));
    let mut truths = BooleanBufferBuilder::new(call.rows);
    if one.data_type().is_nested() {
        let compare = make_comparator(&one, &other, SortOptions::default())?;
        (0..call.rows).for_each(|row| truths.append(is_null(row) || compare(row, row).is_eq()));
    } else {
        let equal = cmp::eq(&one, &other)?;
        (0..call.rows).for_each(|row| truths.append(is_null(row) || equal.value(row)));
    }
    Ok(Arc::new(BooleanArray::new(truths.finish(), None)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array, Int64Array};
    use arrow::datatypes::Field;
    use datafusion_common::config::ConfigOptions;
    use datafusion_expr::{ColumnarValue, ScalarFunctionArgs};

    use super::*;

    fn run_of(one: ArrayRef, other: ArrayRef) -> Vec<Option<bool>> {
        let field = Arc::new(Field::new("a", one.data_type().clone(), true));
        let number_rows = one.len();
        let made = FUNCTION
            .invoke_with_args(ScalarFunctionArgs {
                args: vec![ColumnarValue::Array(one), ColumnarValue::Array(other)],
                arg_fields: vec![Arc::clone(&field), field],
                number_rows,
                return_field: Arc::new(Field::new("b", DataType::Boolean, false)),
                config_options: Arc::new(ConfigOptions::default()),
            })
            .unwrap();
        let ColumnarValue::Array(made) = made else { panic!("no column") };
        made.as_boolean().iter().collect()
    }

    #[test]
    fn a_null_may_equal_anything() {
        let one = Int64Array::from(vec![Some(1), Some(1), None, None]);
        let other = Int64Array::from(vec![Some(1), Some(2), Some(1), None]);
        assert_eq!(run_of(Arc::new(one), Arc::new(other)), [Some(true), Some(false), Some(true), Some(true)]);
    }

    #[test]
    fn a_double_has_one_zero_here_too() {
        let one = Float64Array::from(vec![-0.0, f64::NAN, 0.0]);
        let other = Float64Array::from(vec![0.0, -f64::NAN, 1.0]);
        assert_eq!(run_of(Arc::new(one), Arc::new(other)), [Some(true), Some(true), Some(false)]);
    }
}
