//! The marker that a join's `WITHIN` leaves in its condition. The planner of joins takes it away; nothing else may.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion_expr::ScalarUDF;

use super::scalar::{Scalar, Want};
use crate::sql::parse::statement::WITHIN;

/// `__within(left, right, before_ms, after_ms)`: true, and volatile, so that no rule drops it before the planner of joins
/// has read it.
pub fn function() -> Arc<ScalarUDF> {
    Scalar::new("", WITHIN, "__within(left, right, before_ms, after_ms)", "The mark of a join's WITHIN.", "")
        .takes(&[Want::Any, Want::Any, Want::Whole, Want::Whole])
        .volatile()
        .runs(|_| DataType::Boolean, |call| Ok(Arc::new(BooleanArray::from(vec![true; call.rows]))))
}
