//! Columns of a SELECT list that are neither grouped nor aggregated: the documents write them, and mean the newest row of
//! the group. They become its `LAST_VALUE`, and that is said. It changes nothing that SQL has a meaning for.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, GroupByExpr, Ident, Query, Select, SelectItem, VisitMut, VisitorMut};

use super::mistakes::template::holes;
use super::names::whole;
use super::selects::{change, selects_mut};
use crate::sql::functions::registry::Functions;
use crate::sql::functions::rewrite::call;

/// The column that the planner says is neither grouped nor aggregated in a SELECT list, by its own name.
pub fn named(error: &str) -> Option<String> {
    let found =
        holes(error, "{}Column in SELECT must be in GROUP BY or an aggregate function: {}column \"{}\" must{}")?;
    Some(found[2].rsplit('.').next().unwrap_or(found[2]).trim_matches('"').to_owned())
}

/// Makes `column` the newest value of its group where it stands bare in the list of a SELECT with GROUP BY. Says whether
/// it did.
pub fn settle(query: &mut Query, column: &str, functions: &Functions) -> bool {
    let mut bare = Bare { column, functions, has_changed: false };
    let _ = query.visit(&mut bare);
    bare.has_changed
}

struct Bare<'a> {
    column: &'a str,
    functions: &'a Functions,
    has_changed: bool,
}

impl VisitorMut for Bare<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        selects_mut(&mut query.body).into_iter().for_each(|select| self.select(select));
        ControlFlow::Continue(())
    }
}

impl Bare<'_> {
    fn select(&mut self, select: &mut Select) {
        let GroupByExpr::Expressions(groups, _) = &select.group_by else { return };
        if groups.is_empty() {
            return;
        }
        let keys: Vec<&Expr> = groups.iter().flat_map(keys).collect();
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { expr, .. } => {
                    self.has_changed |= self.newest(expr, &keys);
                }
                SelectItem::UnnamedExpr(expr) => {
                    let name = name(expr).cloned();
                    if self.newest(expr, &keys) {
                        self.has_changed = true;
                        if let Some(alias) = name {
                            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Puts the newest value where the column stands outside of aggregates, of what is grouped by, and of subqueries. Says
    /// whether it did.
    fn newest(&self, expr: &mut Expr, keys: &[&Expr]) -> bool {
        let is_aggregate = |expr: &Expr| match expr {
            Expr::Function(call) => call.over.is_none() && self.functions.aggregate(&whole(&call.name)).is_some(),
            _ => false,
        };
        let stays = |expr: &Expr| is_aggregate(expr) || keys.iter().any(|key| is_same(key, expr));
        let mut has_changed = false;
        change(expr, &stays, &mut |part| {
            if name(part).is_some_and(|name| name.value == self.column) {
                *part = call("last_value", vec![part.clone()]);
                has_changed = true;
            }
        });
        has_changed
    }
}

/// What a group is known by: the keys of all sets, where it is of several.
fn keys(group: &Expr) -> Vec<&Expr> {
    match group {
        Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => sets.iter().flatten().collect(),
        key => vec![key],
    }
}

/// Whether a key is this expression: `k` is `o.k` too, for the planner refuses a name that two relations have.
fn is_same(key: &Expr, expr: &Expr) -> bool {
    let is_bare = |expr: &Expr| matches!(expr, Expr::Identifier(_));
    match (name(key), name(expr)) {
        (Some(one), Some(other)) if is_bare(key) || is_bare(expr) => one.value == other.value,
        _ => key == expr,
    }
}

/// The name of a column without its relation.
fn name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(names) => names.last(),
        _ => None,
    }
}
