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
    let (one, other) = (call.column(0)?, call.column(1)?);
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

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Field;
    use datafusion_common::config::ConfigOptions;
    use datafusion_expr::{ColumnarValue, ScalarFunctionArgs};

    use super::*;

    #[test]
    fn a_null_may_equal_anything() {
        let one: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), None, None]));
        let other: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(1), None]));
        let field = Arc::new(Field::new("a", DataType::Int64, true));
        let made = FUNCTION
            .invoke_with_args(ScalarFunctionArgs {
                args: vec![ColumnarValue::Array(one), ColumnarValue::Array(other)],
                arg_fields: vec![Arc::clone(&field), field],
                number_rows: 4,
                return_field: Arc::new(Field::new("b", DataType::Boolean, false)),
                config_options: Arc::new(ConfigOptions::default()),
            })
            .unwrap();
        let ColumnarValue::Array(made) = made else { panic!("no column") };
        assert_eq!(made.as_boolean().iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(true), Some(true)]);
    }
}
