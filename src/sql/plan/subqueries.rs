//! `EXISTS` and `IN` with a subquery wherever a value may stand: each becomes the mark of a join. What stands in WHERE
//! joined by AND is left to DataFusion, which makes a semi or an anti join of it.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Result, plan_err};
use datafusion_expr::expr::{Exists, InSubquery};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::utils::{conjunction, split_conjunction_owned};
use datafusion_expr::{Expr, Filter, JoinType, LogicalPlan, Projection, lit};
use datafusion_optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion_optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::membership::{Asked, settled};

/// The rule. It stands before [`DecorrelatePredicateSubquery`], whose joins it uses.
#[derive(Debug, Default)]
pub struct SubqueriesAsValues {
    predicates: DecorrelatePredicateSubquery,
}

impl OptimizerRule for SubqueriesAsValues {
    fn name(&self) -> &str {
        "subqueries_as_values"
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let inner = |subquery: LogicalPlan| subquery.transform_down(|part| self.rewrite(part, config));
        let plan = plan.map_subqueries(inner)?.data;
        if !plan.expressions().iter().any(asks) {
            return Ok(Transformed::no(plan));
        }
        let plan = plan.map_expressions(|expr| expr.transform_up(of_one_row))?.data;
        match plan {
            LogicalPlan::Filter(filter) => {
                let predicate = settled(filter.predicate, Asked::IsTrue, filter.input.schema())?;
                Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?)))
            }
            LogicalPlan::Join(mut join) if join.join_type == JoinType::Inner => {
                let (asking, rest): (Vec<_>, Vec<_>) =
                    join.filter.take().into_iter().flat_map(split_conjunction_owned).partition(asks);
                join.filter = conjunction(rest);
                let joined = LogicalPlan::Join(join);
                let Some(predicate) = conjunction(asking) else { return Ok(Transformed::no(joined)) };
                let predicate = settled(predicate, Asked::IsTrue, joined.schema())?;
                Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(joined))?)))
            }
            plan @ (LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)) => {
                self.marked(plan, config)
            }
            LogicalPlan::Join(join) if join.filter.as_ref().is_some_and(asks) => plan_err!(
                "EXISTS and IN cannot ask a subquery in ON of an outer join; ask in a subquery in FROM, and name the answer in ON"
            ),
            other => Ok(Transformed::no(other)),
        }
    }
}

impl SubqueriesAsValues {
    /// The node over an input that is joined with what its expressions ask.
    fn marked(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let inputs = plan.inputs();
        let [input] = inputs.as_slice() else { return Ok(Transformed::no(plan)) };
        let mut input = (*input).clone();
        let from = Arc::clone(input.schema());
        let names = NamePreserver::new(&plan);
        let mut known: Vec<(Expr, Expr)> = Vec::new();
        let mut expressions = Vec::new();
        for expression in plan.expressions() {
            let name = names.save(&expression);
            let made = settled(expression, Asked::Value, &from)?.transform_down(|part| {
                if !matches!(part, Expr::Exists(_) | Expr::InSubquery(_)) {
                    return Ok(Transformed::no(part));
                }
                if let Some((_, mark)) = known.iter().find(|(asked, _)| *asked == part) {
                    return Ok(Transformed::yes(mark.clone()));
                }
                match self.mark(&input, &part, config)? {
                    Some((joined, mark)) => {
                        input = joined;
                        known.push((part, mark.clone()));
                        Ok(Transformed::yes(mark))
                    }
                    None => Ok(Transformed::no(part)),
                }
            })?;
            let is_column = matches!(plan, LogicalPlan::Projection(_));
            expressions.push(if is_column { name.restore(made.data) } else { made.data });
        }
        if known.is_empty() {
            return Ok(Transformed::no(plan));
        }
        let made = plan.with_new_exprs(expressions, vec![input])?;
        Ok(Transformed::yes(under_names_of(&plan, made)?))
    }

    /// An input with the mark of what is asked: the rule for predicates makes the join, of a predicate that only carries
    /// the question.
    fn mark(
        &self,
        input: &LogicalPlan,
        asked: &Expr,
        config: &dyn OptimizerConfig,
    ) -> Result<Option<(LogicalPlan, Expr)>> {
        let carrier = Filter::try_new(Expr::IsTrue(Box::new(asked.clone())), Arc::new(input.clone()))?;
        let made = self.predicates.rewrite(LogicalPlan::Filter(carrier), config)?;
        let LogicalPlan::Filter(Filter { predicate: Expr::IsTrue(mark), input, .. }) = made.data else {
            return Ok(None);
        };
        Ok((!asks(&mark)).then(|| (Arc::unwrap_or_clone(input), *mark)))
    }
}

/// A node over an input of more columns, which stand behind its own, as one whose columns are those of the old node, under
/// its names.
pub(super) fn under_names_of(old: &LogicalPlan, made: LogicalPlan) -> Result<LogicalPlan> {
    if made.schema().has_equivalent_names_and_types(old.schema()).is_ok() {
        return Ok(made);
    }
    // A filter and a window carry their input, behind which the marks stand.
    let own = match old {
        LogicalPlan::Filter(filter) => filter.input.schema().fields().len(),
        LogicalPlan::Window(window) => window.input.schema().fields().len(),
        _ => 0,
    };
    let more = made.schema().fields().len() - old.schema().fields().len();
    let columns = made.schema().columns();
    let place = |index: usize| if index < own { index } else { index + more };
    let projection = old.schema().iter().enumerate().map(|(index, (relation, field))| {
        let column = columns[place(index)].clone();
        if column.relation.as_ref() == relation && column.name == *field.name() {
            return Expr::Column(column);
        }
        Expr::Column(column).alias_qualified(relation.cloned(), field.name())
    });
    Ok(LogicalPlan::Projection(Projection::try_new(projection.collect(), Arc::new(made))?))
}

/// What is asked of an aggregate over all rows, which answers with one row where there are none too: a join with the groups
/// of the rows outside would find no answer there.
fn of_one_row(expr: Expr) -> Result<Transformed<Expr>> {
    let (subquery, negated) = match &expr {
        Expr::Exists(Exists { subquery, negated }) => (subquery, *negated),
        Expr::InSubquery(InSubquery { subquery, negated, .. }) => (subquery, *negated),
        _ => return Ok(Transformed::no(expr)),
    };
    let is_correlated = !subquery.outer_ref_columns.is_empty();
    match (rows_of(&subquery.subquery), expr) {
        (Rows::One, Expr::Exists(_)) => Ok(Transformed::yes(lit(!negated))),
        (Rows::One, Expr::InSubquery(asks)) if is_correlated => {
            let (value, answer) = (*asks.expr, Expr::ScalarSubquery(asks.subquery));
            Ok(Transformed::yes(if negated { value.not_eq(answer) } else { value.eq(answer) }))
        }
        (Rows::OneAtMost, _) if is_correlated => plan_err!(
            "a subquery with HAVING and without GROUP BY cannot be asked by the row outside; \
             compare its aggregate: (SELECT COUNT(*) FROM … WHERE …) = 0"
        ),
        (_, expr) => Ok(Transformed::no(expr)),
    }
}

/// How many rows an aggregate without groups gives.
enum Rows {
    One,
    OneAtMost,
    Any,
}

fn rows_of(plan: &LogicalPlan) -> Rows {
    match plan {
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => Rows::One,
        LogicalPlan::Projection(projection) => rows_of(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => rows_of(&alias.input),
        LogicalPlan::Filter(filter) => match rows_of(&filter.input) {
            Rows::Any => Rows::Any,
            _ => Rows::OneAtMost,
        },
        _ => Rows::Any,
    }
}

fn asks(expr: &Expr) -> bool {
    expr.exists(|part| Ok(matches!(part, Expr::Exists(_) | Expr::InSubquery(_)))).unwrap_or(false)
}
