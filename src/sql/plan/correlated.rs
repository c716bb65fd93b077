//! Subqueries that look at the row outside, where a join with that row would not say the same: the planner lifts what they
//! ask of it over whatever stands above. Such are refused before that; nothing is changed.

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, DFSchema, JoinType, Result, plan_err};
use datafusion_expr::logical_plan::{SkipType, Subquery};
use datafusion_expr::utils::{merge_schema, split_conjunction};
use datafusion_expr::{BinaryExpr, Expr, LogicalPlan, Operator, Window};

use super::translate::plain;

/// Whether each subquery of a plan may become a join.
///
/// # Errors
/// The first that may not, with what says the same.
pub fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let around = merge_schema(&node.inputs());
        let is_order = matches!(node, LogicalPlan::Sort(_));
        for expr in node.expressions() {
            expr.apply(|part| {
                let (subquery, place) = match part {
                    Expr::Exists(asks) => (&asks.subquery, Place { is_exists: true, ..Place::default() }),
                    Expr::InSubquery(asks) => (&asks.subquery, Place::default()),
                    Expr::SetComparison(asks) => (&asks.subquery, Place::default()),
                    Expr::ScalarSubquery(subquery) => (subquery, Place::default()),
                    _ => return Ok(TreeNodeRecursion::Continue),
                };
                if is_order {
                    return plan_err!(
                        "a subquery cannot stand in ORDER BY; give its answer a name in a subquery in FROM, and order by that"
                    );
                }
                seen(subquery, &around)?;
                lifted(&subquery.subquery, &place)?;
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether what a subquery reads of outside is of the row next to it.
fn seen(subquery: &Subquery, around: &DFSchema) -> Result<()> {
    for outer in &subquery.outer_ref_columns {
        if let Expr::OuterReferenceColumn(_, column) = outer
            && around.maybe_index_of_column(column).is_none()
        {
            return plan_err!(
                "this subquery looks for `{}`, which the rows of the query around it do not have; \
                 carry it there: select it, or join with what it is of",
                plain(&Expr::Column(column.clone()))
            );
        }
    }
    Ok(())
}

/// What tells rows of the row outside from others by more than a condition.
#[derive(Clone, Copy)]
enum Above {
    OuterJoin,
    Union,
    Offset,
    Limit,
    Window,
}

/// What stands above an expression in its subquery.
#[derive(Clone, Default)]
struct Place {
    is_exists: bool,
    /// What nothing may be lifted over.
    above: Option<Above>,
    /// The keys of the windows above: rows that differ in one of them are not in the same.
    windows: Option<Vec<Expr>>,
}

impl Place {
    fn below(&self, above: Above) -> Self {
        Self { above: self.above.or(Some(above)), ..self.clone() }
    }

    /// The place below what gives columns other names: keys are not found there.
    fn below_names(&self) -> Self {
        Self { windows: self.windows.as_ref().map(|_| Vec::new()), ..self.clone() }
    }
}

/// Whether what a plan asks of the row outside may be lifted over it: the columns that it compares with that row.
fn lifted(plan: &LogicalPlan, place: &Place) -> Result<Vec<Column>> {
    let mut conditions = plan.expressions();
    if let LogicalPlan::Filter(filter) = plan {
        conditions = split_conjunction(&filter.predicate).into_iter().cloned().collect();
    }
    conditions.retain(Expr::contains_outer);
    conditions.iter().try_for_each(|condition| may_be_lifted(condition, place))?;
    let own = conditions.iter().flat_map(|condition| condition.column_refs().into_iter().cloned().collect::<Vec<_>>());
    let mut compared: Vec<Column> = own.collect();
    match plan {
        LogicalPlan::Join(join) => {
            let outer = place.below(Above::OuterJoin);
            let (left, right) = match join.join_type {
                JoinType::Left => (place, &outer),
                JoinType::Right => (&outer, place),
                JoinType::Full => (&outer, &outer),
                _ => (place, place),
            };
            let is_outer = matches!(join.join_type, JoinType::Left | JoinType::Right | JoinType::Full);
            if is_outer && !conditions.is_empty() {
                return refused(Above::OuterJoin).map(|()| compared);
            }
            compared.extend(lifted(&join.left, left)?);
            compared.extend(lifted(&join.right, right)?);
        }
        LogicalPlan::Window(window) => {
            let place = Place { windows: Some(keys(window, place)), ..place.clone() };
            compared.extend(lifted(&window.input, &place)?);
        }
        LogicalPlan::Limit(limit) => {
            let skips = !matches!(limit.get_skip_type()?, SkipType::Literal(0));
            let place = match place.is_exists {
                // Whether there is a row, more than one of them says no better.
                true if !skips => place.clone(),
                true => place.below(Above::Offset),
                false => place.below(Above::Limit),
            };
            compared.extend(lifted(&limit.input, &place)?);
        }
        LogicalPlan::Union(union) => {
            for input in &union.inputs {
                compared.extend(lifted(input, &place.below(Above::Union))?);
            }
        }
        LogicalPlan::Filter(filter) => compared.extend(lifted(&filter.input, place)?),
        LogicalPlan::SubqueryAlias(alias) => {
            for column in lifted(&alias.input, &place.below_names())? {
                let Some(shown) = alias.input.schema().maybe_index_of_column(&column) else {
                    let (column, name) = (column.name, &alias.alias);
                    return plan_err!(
                        "a subquery compares `{column}` with the row outside, and `{name}` inside of it does not show it; \
                         select `{column}` there too, and group by it where it groups"
                    );
                };
                compared.push(alias.schema.columns().remove(shown));
            }
        }
        other => {
            for input in other.inputs() {
                compared.extend(lifted(input, &place.below_names())?);
            }
        }
    }
    Ok(compared)
}

/// The columns by which all windows of a node are parted, and those of the windows above it.
fn keys(window: &Window, place: &Place) -> Vec<Expr> {
    let mut keys: Option<Vec<Expr>> = place.windows.clone();
    for expr in &window.window_expr {
        let parted = match expr.clone().unalias() {
            Expr::WindowFunction(call) => call.params.partition_by,
            _ => Vec::new(),
        };
        keys = Some(match keys {
            Some(keys) => keys.into_iter().filter(|key| parted.contains(key)).collect(),
            None => parted,
        });
    }
    keys.unwrap_or_default()
}

fn may_be_lifted(condition: &Expr, place: &Place) -> Result<()> {
    let is_key = |keys: &Vec<Expr>| match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let is_outer = |expr: &Expr| matches!(expr, Expr::OuterReferenceColumn(..));
            is_outer(left) && keys.contains(right) || is_outer(right) && keys.contains(left)
        }
        _ => false,
    };
    let window = place.windows.as_ref().filter(|keys| !is_key(keys)).map(|_| Above::Window);
    place.above.or(window).map_or(Ok(()), refused)
}

fn refused(above: Above) -> Result<()> {
    match above {
        Above::OuterJoin => plan_err!(
            "an outer join in a subquery cannot ask the row outside which rows it joins; \
             ask in WHERE of the subquery, or join in FROM outside"
        ),
        Above::Union => plan_err!(
            "UNION in a subquery cannot ask the row outside; ask each of its queries by itself, \
             as in EXISTS (SELECT …) OR EXISTS (SELECT …)"
        ),
        Above::Offset => plan_err!(
            "OFFSET in EXISTS cannot count rows of the row outside; count them: (SELECT COUNT(*) FROM … WHERE …) > 1"
        ),
        Above::Limit => plan_err!(
            "LIMIT in a subquery cannot take the first rows of the row outside; take the MAX or MIN, or write \
             CROSS JOIN LATERAL (SELECT … ORDER BY … LIMIT 1) AS r"
        ),
        Above::Window => plan_err!(
            "OVER in a subquery cannot number rows of the row outside; \
             PARTITION BY what is compared with it, or number the rows in FROM outside"
        ),
    }
}
