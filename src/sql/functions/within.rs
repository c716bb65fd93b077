//! The marks that a join's `WITHIN` leaves in its condition and `ROWS WINDOW BUFFER` in its OVER. The planners of joins and
//! of OVER take them away; nothing else may.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion_expr::ScalarUDF;

use super::scalar::{Scalar, Want};
use crate::sql::parse::statement::{BUFFER, WITHIN};

/// `__within(left, right, before_ms, after_ms)`: true, and volatile, so that no rule drops it before the planner of joins
/// has read it.
pub fn function() -> Arc<ScalarUDF> {
    Scalar::new("", WITHIN, "__within(left, right, before_ms, after_ms)", "The mark of a join's WITHIN.", "")
        .takes(&[Want::Any, Want::Any, Want::Whole, Want::Whole])
        .volatile()
        .runs(|_| DataType::Boolean, |call| Ok(Arc::new(BooleanArray::from(vec![true; call.rows]))))
}

/// `__buffer(rows, when_full, silence_ms)`: volatile for the same reason.
pub fn buffer() -> Arc<ScalarUDF> {
    Scalar::new("", BUFFER, "__buffer(rows, when_full, silence_ms)", "The mark of ROWS WINDOW BUFFER.", "")
        .takes(&[Want::Whole, Want::Whole, Want::Whole])
        .volatile()
        .runs(|_| DataType::Boolean, |call| Ok(Arc::new(BooleanArray::from(vec![true; call.rows]))))
}
