//! `LATERAL (SELECT … WHERE r.k = l.k ORDER BY … LIMIT n)`: a subquery that looks at the row beside it becomes a join by what
//! it compares with that row, of the first rows of each. What cannot become one is refused, never approximated.

use std::collections::HashMap;

use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, JoinType, Result, TableReference, plan_err};
use datafusion_expr::expr::Sort as SortKey;
use datafusion_expr::expr_rewriter::strip_outer_reference;
use datafusion_expr::logical_plan::{FetchType, Join, SkipType};
use datafusion_expr::utils::{conjunction, split_conjunction_owned};
use datafusion_expr::{BinaryExpr, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, Operator, lit};
use datafusion_functions_window::row_number::row_number;

/// The plan in which no subquery of a FROM looks at the row beside it.
///
/// # Errors
/// A subquery that no join can stand for.
pub fn joined(plan: LogicalPlan) -> Result<LogicalPlan> {
    let made = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) => match beside(&join.right) {
            Some((alias, subquery)) => as_join(&join, alias, subquery).map(Transformed::yes),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    Ok(made.data)
}

/// The subquery that a side of a join is, and its name, where it looks at the other side.
fn beside(plan: &LogicalPlan) -> Option<(Option<&TableReference>, &LogicalPlan)> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => beside(&alias.input).map(|(_, plan)| (Some(&alias.alias), plan)),
        LogicalPlan::Subquery(subquery) => Some((None, subquery.subquery.as_ref())),
        _ => None,
    }
}

fn as_join(join: &Join, alias: Option<&TableReference>, subquery: &LogicalPlan) -> Result<LogicalPlan> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return plan_err!("{} JOIN LATERAL cannot be; write CROSS JOIN LATERAL, or LEFT JOIN LATERAL", join.join_type);
    }
    let parts = Parts::of(subquery)?;
    let mut carried: Vec<Expr> = Vec::new();
    let mut carry = |expr: Expr| {
        let place = carried.iter().position(|known| *known == expr).unwrap_or(carried.len());
        if place == carried.len() {
            carried.push(expr);
        }
        Expr::Column(Column::new(alias.cloned(), name(place)))
    };
    let (correlated, own): (Vec<_>, Vec<_>) = parts.conditions.into_iter().partition(Expr::contains_outer);
    let (mut keys, mut conditions) = (Vec::new(), Vec::new());
    for condition in correlated {
        match equality(&condition) {
            Some((of_row, of_subquery)) => {
                conditions.push(of_row.eq(carry(of_subquery.clone())));
                keys.push(of_subquery);
            }
            None if parts.first.is_some() => {
                return plan_err!(
                    "the first rows of LATERAL are told by equality with the row beside it alone; \
                     write JOIN (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY …) AS n FROM …) AS r ON r.k = l.k AND r.n <= 3"
                );
            }
            None => {
                let inner = condition.transform(|expr| {
                    Ok(match expr {
                        Expr::Column(_) => Transformed::yes(carry(expr)),
                        other => Transformed::no(other),
                    })
                })?;
                conditions.push(strip_outer_reference(inner.data));
            }
        }
    }
    let mut right = LogicalPlanBuilder::from(parts.base);
    if let Some(own) = conjunction(own) {
        right = right.filter(own)?;
    }
    if let Some(first) = parts.first {
        let rank = row_number().partition_by(keys).order_by(parts.order).build()?;
        let place = Expr::Column(Column::new_unqualified(rank.schema_name().to_string()));
        right = right.window([rank])?.filter(place.lt_eq(lit(first)))?;
    }
    let named = parts.output.into_iter().zip(subquery.schema().columns());
    let output = named.map(|(expr, column)| expr.alias_qualified(column.relation, column.name));
    let carried = carried.into_iter().enumerate().map(|(place, expr)| expr.alias(name(place)));
    right = right.project(output.chain(carried).collect::<Vec<_>>())?;
    if let Some(alias) = alias {
        right = right.alias(alias.clone())?;
    }
    let on = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    let all = LogicalPlanBuilder::from(join.left.as_ref().clone()).join_on(
        right.build()?,
        join.join_type,
        conditions.into_iter().chain(on).chain(join.filter.clone()),
    )?;
    all.project(join.schema.columns().into_iter().map(Expr::Column))?.build()
}

/// The column of what a condition reads of the subquery.
fn name(place: usize) -> String {
    format!("__lateral_{place}")
}

/// What an equality compares: of the row beside, and of the subquery.
fn equality(condition: &Expr) -> Option<(Expr, Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
    let is_of_row = |expr: &Expr| expr.contains_outer() && expr.column_refs().is_empty();
    let is_own = |expr: &Expr| !expr.contains_outer() && !expr.column_refs().is_empty();
    let (of_row, own) = match (left.as_ref(), right.as_ref()) {
        (row, own) if is_of_row(row) && is_own(own) => (row, own),
        (own, row) if is_of_row(row) && is_own(own) => (row, own),
        _ => return None,
    };
    Some((strip_outer_reference(of_row.clone()), own.clone()))
}

/// A subquery, taken apart down to what knows nothing of the row beside it.
struct Parts {
    /// Its columns, over the base.
    output: Vec<Expr>,
    /// What holds of its rows.
    conditions: Vec<Expr>,
    order: Vec<SortKey>,
    /// How many of its rows are wanted.
    first: Option<u64>,
    base: LogicalPlan,
}

impl Parts {
    fn of(subquery: &LogicalPlan) -> Result<Self> {
        let output = subquery.schema().columns().into_iter().map(Expr::Column).collect();
        let mut parts =
            Self { output, conditions: Vec::new(), order: Vec::new(), first: None, base: LogicalPlan::default() };
        let mut plan = subquery;
        loop {
            plan = match plan {
                LogicalPlan::Limit(limit) if parts.first.is_none() && parts.conditions.is_empty() => {
                    let (SkipType::Literal(0), FetchType::Literal(Some(first))) =
                        (limit.get_skip_type()?, limit.get_fetch_type()?)
                    else {
                        return plan_err!(
                            "LIMIT in LATERAL takes a number, and no OFFSET; number the rows with ROW_NUMBER()"
                        );
                    };
                    parts.first = Some(first as u64);
                    limit.input.as_ref()
                }
                LogicalPlan::Sort(sort) if parts.order.is_empty() && parts.conditions.is_empty() => {
                    parts.order.clone_from(&sort.expr);
                    sort.input.as_ref()
                }
                LogicalPlan::Projection(projection) => {
                    let exprs = projection.expr.iter().map(|expr| expr.clone().unalias());
                    parts.substitute(&projection.schema.columns().into_iter().zip(exprs).collect())?;
                    projection.input.as_ref()
                }
                LogicalPlan::SubqueryAlias(alias) => {
                    let below = alias.input.schema().columns().into_iter().map(Expr::Column);
                    parts.substitute(&alias.schema.columns().into_iter().zip(below).collect())?;
                    alias.input.as_ref()
                }
                LogicalPlan::Filter(filter) => {
                    parts.conditions.extend(split_conjunction_owned(filter.predicate.clone()));
                    filter.input.as_ref()
                }
                base => {
                    parts.base = base.clone();
                    break;
                }
            };
        }
        if looks_outside(&parts.base)? {
            return plan_err!(
                "LATERAL cannot group or join rows by the row beside it; group them first, and join the groups: \
                 LEFT JOIN (SELECT k, COUNT(*) AS n FROM … GROUP BY k) AS r ON r.k = l.k"
            );
        }
        if parts.output.iter().any(Expr::contains_outer) || parts.order.iter().any(|key| key.expr.contains_outer()) {
            return plan_err!(
                "LATERAL gives and orders columns of its own relation here; compute with those of the row beside it outside of it"
            );
        }
        if parts.first.is_some() && parts.order.is_empty() {
            return plan_err!("LIMIT in LATERAL needs ORDER BY, which says which rows are the first");
        }
        Ok(parts)
    }

    fn substitute(&mut self, below: &HashMap<Column, Expr>) -> Result<()> {
        let order = self.order.iter_mut().map(|key| &mut key.expr);
        for expr in self.output.iter_mut().chain(&mut self.conditions).chain(order) {
            let replaced = std::mem::take(expr).transform_up(|part| {
                Ok(match &part {
                    Expr::Column(column) => match below.get(column) {
                        Some(other) => Transformed::yes(other.clone()),
                        None => Transformed::no(part),
                    },
                    _ => Transformed::no(part),
                })
            })?;
            *expr = replaced.data;
        }
        Ok(())
    }
}

/// Whether a plan reads anything of a row outside.
fn looks_outside(plan: &LogicalPlan) -> Result<bool> {
    let mut looks = false;
    plan.apply_with_subqueries(|node| {
        looks |= node.contains_outer_reference();
        Ok(if looks { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(looks)
}
