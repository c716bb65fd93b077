//! Aggregates that differ by a CAST alone: `SUM(v)` and `SUM(CAST(v AS DOUBLE))` are two columns, and the planner calls
//! both `sum(v)`. The cast gets a name of its own. It changes no value.

use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_expr::Expr;
use datafusion_expr::expr::{Cast, TryCast};
use datafusion_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawWindowExpr};

/// Names the casts inside what aggregates take.
#[derive(Debug)]
pub struct CastsByName;

impl ExprPlanner for CastsByName {
    fn plan_aggregate(&self, mut call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        call.args = call.args.into_iter().map(named).collect::<Result<_>>()?;
        Ok(PlannerResult::Original(call))
    }

    fn plan_window(&self, mut call: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        call.args = call.args.into_iter().map(named).collect::<Result<_>>()?;
        Ok(PlannerResult::Original(call))
    }
}

/// An expression whose outermost casts have the names that they are written by.
fn named(expr: Expr) -> Result<Expr> {
    let made = expr.transform_down(|part| {
        Ok(match &part {
            Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. })
                if !matches!(expr.as_ref(), Expr::Literal(..)) =>
            {
                let name = part.to_string();
                Transformed::new(part.alias(name), true, TreeNodeRecursion::Jump)
            }
            _ => Transformed::no(part),
        })
    })?;
    Ok(made.data)
}
