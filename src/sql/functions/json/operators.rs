//! `->` and `->>` on JSON in a text, and on structs and maps, where they take a field. It plans them and evaluates
//! nothing.

use arrow::datatypes::DataType;
use datafusion_common::{DFSchema, Result};
use datafusion_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion_expr::{ExprSchemable, cast};
use sqlparser::ast::BinaryOperator;

use super::functions::{get, get_text};

/// Plans `->` and `->>`.
#[derive(Debug)]
pub struct JsonPlanner;

impl ExprPlanner for JsonPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let as_text = match expr.op {
            BinaryOperator::Arrow => false,
            BinaryOperator::LongArrow => true,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let arguments = vec![expr.left.clone(), expr.right.clone()];
        let planned = match expr.left.get_type(schema) {
            Ok(DataType::Struct(_) | DataType::Map(_, _)) => {
                let field = datafusion_functions::core::get_field().call(arguments);
                if as_text { cast(field, DataType::Utf8) } else { field }
            }
            _ if as_text => get_text().call(arguments),
            _ => get().call(arguments),
        };
        Ok(PlannerResult::Planned(planned))
    }
}
