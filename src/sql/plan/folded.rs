//! Constants that are computed when a statement is planned: with arithmetic that fails where the optimizer's own would wrap,
//! and with floats that have one zero. It runs before that one, and leaves what cannot be computed to it.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::expr::{Between, Case, InList};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::utils::merge_schema;
use datafusion_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Volatility};
use datafusion_optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion_physical_expr::create_physical_expr;

use super::translate::plain;
use crate::formats::types;
use crate::sql::functions::checked::checked;
use crate::sql::functions::shown::shown;
use crate::sql::functions::zero;

/// Divisions count what they divide by zero: those are computed row by row.
const DIVISIONS: [&str; 3] = ["divide", "mod", "div"];

/// The rule.
#[derive(Debug)]
pub struct Folded;

impl OptimizerRule for Folded {
    fn name(&self) -> &str {
        "folded"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&plan);
        let schema = merge_schema(&plan.inputs());
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let folded = expr.transform_up(|part| folded(part, &schema))?;
            Ok(folded.update_data(|expr| name.restore(expr)))
        })
    }
}

fn folded(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let expr = with_one_zero(expr);
    let (is_arithmetic, is_constant) = match &expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            (matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply), is_literal(left) && is_literal(right))
        }
        Expr::Negative(inner) => (true, is_literal(inner)),
        Expr::Cast(cast) => (false, is_literal(&cast.expr)),
        Expr::ScalarFunction(call) => {
            let is_pure = call.func.signature().volatility == Volatility::Immutable;
            (false, is_pure && !DIVISIONS.contains(&call.func.name()) && call.args.iter().all(is_literal))
        }
        _ => (false, false),
    };
    if !is_constant {
        return Ok(Transformed::no(expr));
    }
    match computed(&expr) {
        Ok(value) => Ok(Transformed::yes(Expr::Literal(value, None))),
        Err(_) if is_arithmetic && expr.get_type(schema).is_ok_and(|made| made.is_numeric()) => {
            plan_err!("{} does not fit {}", plain(&expr), types::name(&expr.get_type(schema)?))
        }
        Err(_) => Ok(Transformed::no(expr)),
    }
}

/// What is compared, with one zero in its constants: the optimizer takes such comparisons apart and computes them itself.
fn with_one_zero(expr: Expr) -> Expr {
    let one = |expr: Expr| match expr {
        Expr::Literal(value, about) => Expr::Literal(zero::scalar(value), about),
        other => other,
    };
    let boxed = |expr: Box<Expr>| Box::new(one(*expr));
    match expr {
        Expr::InList(InList { expr, list, negated }) => {
            Expr::InList(InList { expr: boxed(expr), list: list.into_iter().map(one).collect(), negated })
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            Expr::Between(Between { expr: boxed(expr), negated, low: boxed(low), high: boxed(high) })
        }
        Expr::Case(Case { expr: Some(operand), when_then_expr, else_expr }) => {
            let when_then_expr = when_then_expr.into_iter().map(|(when, then)| (boxed(when), then)).collect();
            Expr::Case(Case { expr: Some(boxed(operand)), when_then_expr, else_expr })
        }
        other => other,
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}

fn computed(expr: &Expr) -> Result<ScalarValue> {
    let compiled = create_physical_expr(expr, &DFSchema::empty(), &ExecutionProps::new())?;
    let compiled = checked(shown(compiled, &Schema::empty()));
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    ScalarValue::try_from_array(&compiled.evaluate(&row)?.into_array(1)?, 0)
}
