//! Subqueries that stand for a value: one that may give several rows is made to give one or to fail, for a join would give
//! a row for each. It changes nothing else.

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::logical_plan::Subquery;
use datafusion_expr::{Aggregate, Expr, LogicalPlan};

use crate::sql::functions::aggregates::only_value::only_value;

/// The plan in which every subquery that stands for a value gives one row at most.
///
/// # Errors
/// DataFusion's, which are defects.
pub fn of_one_row(plan: LogicalPlan) -> Result<LogicalPlan> {
    let settled = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|part| match part {
                Expr::ScalarSubquery(subquery) if may_give_several(&subquery.subquery) => {
                    only(&subquery).map(|subquery| Transformed::yes(Expr::ScalarSubquery(subquery)))
                }
                other => Ok(Transformed::no(other)),
            })
        })
    })?;
    Ok(settled.data)
}

fn may_give_several(plan: &LogicalPlan) -> bool {
    plan.max_rows().is_none_or(|rows| rows > 1)
}

/// The only value of a subquery, under its name.
fn only(subquery: &Subquery) -> Result<Subquery> {
    let column = subquery.subquery.schema().columns().into_iter().next();
    let Some(column) = column.filter(|_| subquery.subquery.schema().fields().len() == 1) else {
        return Ok(subquery.clone());
    };
    let value = only_value().call(vec![Expr::Column(column.clone())]).alias_qualified(column.relation, column.name);
    let one = Aggregate::try_new(Arc::clone(&subquery.subquery), Vec::new(), vec![value])?;
    Ok(subquery.with_plan(Arc::new(LogicalPlan::Aggregate(one))))
}
