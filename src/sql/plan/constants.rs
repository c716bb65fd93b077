//! Constants that no row can make good: the pattern of a regular expression, a part of a time, a path into JSON. Each is tried
//! once over a sample row, when the statement is planned. It changes no plan.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::expr::{Like, ScalarFunction};
use datafusion_expr::utils::merge_schema;
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, lit};
use datafusion_physical_expr::create_physical_expr;

/// A text that every function takes for a time, and one for JSON.
const TIME: &str = "2026-01-01 00:00:00";
const JSON: &str = "{}";

/// Functions that a constant can make impossible: each with the place of the argument that is of the row, and a text that it
/// takes there.
const TRIED: [(&str, usize, &str); 15] = [
    ("date_part", 1, TIME),
    ("date_trunc", 1, TIME),
    ("date_format", 0, TIME),
    ("date_bin", 1, TIME),
    ("json_value", 0, JSON),
    ("json_query", 0, JSON),
    ("json_exists", 0, JSON),
    ("regexp_like", 0, JSON),
    ("regexp_match", 0, JSON),
    ("regexp_replace", 0, JSON),
    ("regexp_count", 0, JSON),
    ("regexp_instr", 0, JSON),
    ("split_part", 0, JSON),
    ("encode", 0, JSON),
    ("digest", 0, JSON),
];

/// Whether every constant can be computed with.
///
/// # Errors
/// What the first that cannot is refused with.
pub fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                tried(part, &schema)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn tried(expr: &Expr, schema: &DFSchema) -> Result<()> {
    match expr {
        Expr::ScalarFunction(call) => {
            let Some((_, of_row, text)) = TRIED.iter().find(|(name, ..)| *name == call.func.name()) else {
                return Ok(());
            };
            let is_literal = |argument: &Expr| matches!(argument, Expr::Literal(value, _) if !value.is_null());
            let mut args = call.args.clone();
            let Some(row) = args.get_mut(*of_row).filter(|row| !is_literal(row)) else { return Ok(()) };
            let Some(sample) = row.get_type(schema).ok().and_then(|of| sample(&of, text)) else { return Ok(()) };
            *row = sample;
            // An argument of the row in the place of a constant may be anything.
            if !args.iter().all(is_literal) {
                return Ok(());
            }
            compute(&Expr::ScalarFunction(ScalarFunction { func: Arc::clone(&call.func), args }))
        }
        Expr::SimilarTo(like) if matches!(*like.pattern, Expr::Literal(..)) => {
            compute(&Expr::SimilarTo(Like { expr: Box::new(lit(JSON)), ..like.clone() }))
        }
        Expr::Cast(cast) => match &cast.data_type {
            DataType::Timestamp(_, Some(zone)) if zone.parse::<Tz>().is_err() => {
                plan_err!("there is no time zone `{zone}`; write 'UTC', 'Europe/Berlin' or '+01:00'")
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A value that stands for those of rows.
fn sample(of: &DataType, text: &str) -> Option<Expr> {
    let value = match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ScalarValue::from(text).cast_to(of),
        _ => ScalarValue::new_default(of),
    };
    value.ok().map(lit)
}

fn compute(expr: &Expr) -> Result<()> {
    let compiled = create_physical_expr(expr, &DFSchema::empty(), &ExecutionProps::new())?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    compiled.evaluate(&row).map(drop)
}
