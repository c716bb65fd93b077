//! Columns of a SELECT list that are neither grouped nor aggregated: the documents write them, and mean the newest row of
//! the group. They become its `LAST_VALUE`, and that is said. It changes nothing that SQL has a meaning for.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, VisitMut, VisitorMut};

use super::mistakes::template::holes;
use super::names::whole;
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
        self.body(&mut query.body);
        ControlFlow::Continue(())
    }
}

impl Bare<'_> {
    fn body(&mut self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left);
                self.body(right);
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &mut Select) {
        let GroupByExpr::Expressions(groups, _) = &select.group_by else { return };
        if groups.is_empty() {
            return;
        }
        let mut newest =
            Newest { column: self.column, functions: self.functions, groups, inside: 0, has_changed: false };
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { expr, .. } => {
                    let _ = expr.visit(&mut newest);
                }
                SelectItem::UnnamedExpr(expr) => {
                    let name = match &*expr {
                        Expr::Identifier(ident) => Some(ident.clone()),
                        Expr::CompoundIdentifier(idents) => idents.last().cloned(),
                        _ => None,
                    };
                    let before = newest.has_changed;
                    newest.has_changed = false;
                    let _ = expr.visit(&mut newest);
                    if let Some(alias) = name.filter(|_| newest.has_changed) {
                        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                    }
                    newest.has_changed |= before;
                }
                _ => {}
            }
        }
        self.has_changed |= newest.has_changed;
    }
}

/// Puts the newest value where a column stands outside of aggregates, of what is grouped by, and of subqueries.
struct Newest<'a> {
    column: &'a str,
    functions: &'a Functions,
    groups: &'a [Expr],
    inside: usize,
    has_changed: bool,
}

impl Newest<'_> {
    fn is_settled(&self, expr: &Expr) -> bool {
        let is_aggregate = match expr {
            Expr::Function(call) => call.over.is_none() && self.functions.aggregate(&whole(&call.name)).is_some(),
            _ => false,
        };
        is_aggregate || self.groups.contains(expr)
    }

    fn is_bare(&self, expr: &Expr) -> bool {
        let last = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(idents) => idents.last(),
            _ => None,
        };
        self.inside == 0 && last.is_some_and(|ident| ident.value == self.column)
    }
}

impl VisitorMut for Newest<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.inside += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.inside -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.inside += usize::from(self.is_settled(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.is_settled(expr) {
            self.inside -= 1;
        } else if self.is_bare(expr) {
            *expr = call("last_value", vec![expr.clone()]);
            self.has_changed = true;
        }
        ControlFlow::Continue(())
    }
}
