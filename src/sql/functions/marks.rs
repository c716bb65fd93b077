//! The marks of the parser as functions that a plan may hold until the planner of joins or of OVER takes them away; nothing
//! else may, so they are true of every row, and volatile.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion_expr::ScalarUDF;

use super::scalar::{Scalar, Want};
use crate::sql::parse::mark::Mark;

/// One function a mark.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    Mark::ALL.map(function).into()
}

fn function(mark: Mark) -> Arc<ScalarUDF> {
    let (help, takes): (&str, &[Want]) = match mark {
        Mark::Within => ("The mark of a join's WITHIN.", &[Want::Any, Want::Any, Want::Whole, Want::Whole]),
        Mark::AsOf => ("The mark of a join's FOR SYSTEM_TIME AS OF.", &[Want::Any, Want::Any, Want::Any]),
        Mark::Buffer => ("The mark of ROWS WINDOW BUFFER.", &[Want::Whole, Want::Whole, Want::Whole]),
    };
    Scalar::new("", mark.name(), mark.syntax(), help, "")
        .takes(takes)
        .volatile()
        .runs(|_| DataType::Boolean, |call| Ok(Arc::new(BooleanArray::from(vec![true; call.rows]))))
}
