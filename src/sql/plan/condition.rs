//! A condition that stands alone, as `tail --where` has it, to an expression over columns whose types are known. It knows
//! no stream and no statement.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Schema};
use datafusion_common::DFSchema;
use datafusion_expr::ExprSchemable;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::create_physical_expr;
use datafusion_sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast as sql;

use super::compared;
use super::mistakes::{self, Known};
use super::provider::{Provider, parser_options};
use super::session::refused;
use super::stream::Expression;
use super::translate::said;
use crate::core::fault::Fault;
use crate::formats::types;
use crate::sql::functions::checked::checked;
use crate::sql::functions::quoted::NoNumber;
use crate::sql::functions::registry::Functions;
use crate::sql::functions::shown::shown;

/// What is said of an expression that gives anything but true or false.
pub const NO_CONDITION: &str = "not true or false";

/// The condition over these columns, its arithmetic checked.
///
/// # Errors
/// A column that there is not, types that do not fit, and what is no condition.
pub fn condition(written: &sql::Expr, schema: &Schema, functions: &Functions) -> Result<Expression, Fault> {
    let provider = Provider::new(functions.clone(), Vec::new());
    let planner = SqlToRel::new_with_options(&provider, parser_options());
    let schema = DFSchema::try_from(schema.clone()).map_err(|error| refused(&said(&error)))?;
    let columns: BTreeSet<String> = schema.columns().into_iter().map(|column| column.name).collect();
    let expr = planner
        .sql_to_expr(written.clone(), &schema, &mut PlannerContext::new())
        .and_then(|expr| Ok(compared::coerced(expr, &schema, NoNumber::Null)?.data))
        .map_err(|error| mistakes::alone(&error, &Known { query: None, columns: &columns, functions }))?;
    match expr.get_type(&schema).map_err(|error| refused(&said(&error)))? {
        DataType::Boolean | DataType::Null => {}
        other => {
            let what = format!("this gives {}, {NO_CONDITION}", types::name(&other));
            return Err(refused(&what).next("compare it with something: `… > 100`"));
        }
    }
    let compiled = create_physical_expr(&expr, &schema, &ExecutionProps::new());
    let compiled = compiled.map_err(|error| refused(&said(&error)))?;
    Ok(checked(shown(compiled, schema.as_arrow())))
}
