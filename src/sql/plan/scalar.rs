//! Subqueries that stand for a value: one that may give several rows is made to give one or to fail, for a join would give
//! a row for each; and where several look at the row outside, each has a projection of its own, for the planner's joins
//! know one by its name. It changes nothing else.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, Result};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::logical_plan::Subquery;
use datafusion_expr::{Aggregate, Expr, LogicalPlan, Projection};

use super::subqueries::under_names_of;
use crate::sql::functions::aggregates::only_value::only_value;

/// What the value of a subquery is called beside the row that it is for.
const VALUE: &str = "__value_";

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
    Ok(settled.data.transform_up_with_subqueries(apart)?.data)
}

/// A node over a projection for each of its subqueries, where the planner makes joins of one in such a place, or of none.
fn apart(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let looks_outside = |subquery: &Subquery| !subquery.outer_ref_columns.is_empty();
    let expressions = node.expressions();
    let (found, times) = subqueries(&expressions);
    let is_needed = match &node {
        // One that is asked for twice is joined twice.
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) => times > 1 && found.iter().any(looks_outside),
        LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => !found.is_empty(),
        _ => false,
    };
    let inputs = node.inputs();
    let ([input], true) = (inputs.as_slice(), is_needed) else { return Ok(Transformed::no(node)) };
    let mut input = (*input).clone();
    let mut values: Vec<(Subquery, Expr)> = Vec::new();
    for subquery in found {
        let value = Column::new_unqualified(format!("{VALUE}{}", values.len()));
        let all = input.schema().columns().into_iter().map(Expr::Column);
        let beside = all.chain([Expr::ScalarSubquery(subquery.clone()).alias(value.name())]).collect();
        input = LogicalPlan::Projection(Projection::try_new(beside, Arc::new(input))?);
        values.push((subquery, Expr::Column(value)));
    }
    let names = NamePreserver::new(&node);
    let expressions = expressions.into_iter().map(|expr| {
        let name = names.save(&expr);
        let made = expr.transform_down(|part| match &part {
            Expr::ScalarSubquery(subquery) => match values.iter().find(|(known, _)| known == subquery) {
                Some((_, value)) => Ok(Transformed::yes(value.clone())),
                None => Ok(Transformed::no(part)),
            },
            _ => Ok(Transformed::no(part)),
        })?;
        let is_column = matches!(node, LogicalPlan::Projection(_));
        Ok(if is_column { name.restore(made.data) } else { made.data })
    });
    let made = node.with_new_exprs(expressions.collect::<Result<_>>()?, vec![input])?;
    Ok(Transformed::yes(under_names_of(&node, made)?))
}

/// The subqueries that stand for a value in these expressions, each once, and how often any stands there.
fn subqueries(expressions: &[Expr]) -> (Vec<Subquery>, usize) {
    let (mut found, mut times): (Vec<Subquery>, usize) = (Vec::new(), 0);
    for expression in expressions {
        let _ = expression.apply(|part| {
            if let Expr::ScalarSubquery(subquery) = part {
                times += 1;
                if !found.contains(subquery) {
                    found.push(subquery.clone());
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
    }
    (found, times)
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
