//! The marks that a join's `WITHIN` and `AS OF` leave in its condition and `ROWS WINDOW BUFFER` in its OVER. The planners of joins and
//! of OVER take them away; nothing else may.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion_expr::ScalarUDF;

use super::scalar::{Scalar, Want};
use crate::sql::parse::statement::{AS_OF, BUFFER, WITHIN};

/// `__within(left, right, before_ms, after_ms)`: true, and volatile, so that no rule drops it before the planner of joins
/// has read it.
pub fn function() -> Arc<ScalarUDF> {
    Scalar::new("", WITHIN, "__within(left, right, before_ms, after_ms)", "The mark of a join's WITHIN.", "")
        .takes(&[Want::Any, Want::Any, Want::Whole, Want::Whole])
        .volatile()
        .runs(|_| DataType::Boolean, |call| Ok(Arc::new(BooleanArray::from(vec![true; call.rows]))))
}

/// `__as_of(time, left, right)`: volatile for the same reason.
pub fn as_of() -> Arc<ScalarUDF> {
    Scalar::new("", AS_OF, "__as_of(time, left, right)", "The mark of a join's FOR SYSTEM_TIME AS OF.", "")
        .takes(&[Want::Any, Want::Any, Want::Any])
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
