//! Walks over a query that the steps before planning share: its SELECTs, and expressions outside of subqueries.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, SetExpr, VisitMut, VisitorMut};

/// The SELECTs that a body is made of by UNION and its like; none of its subqueries.
pub fn selects(body: &SetExpr) -> Vec<&Select> {
    match body {
        SetExpr::Select(select) => vec![select],
        SetExpr::SetOperation { left, right, .. } => {
            let mut all = selects(left);
            all.extend(selects(right));
            all
        }
        _ => Vec::new(),
    }
}

/// The same, to be changed.
pub fn selects_mut(body: &mut SetExpr) -> Vec<&mut Select> {
    match body {
        SetExpr::Select(select) => vec![select],
        SetExpr::SetOperation { left, right, .. } => {
            let mut all = selects_mut(left);
            all.extend(selects_mut(right));
            all
        }
        _ => Vec::new(),
    }
}

/// Changes the expressions in a node from the inside out. Subqueries, and what `stays` with all that is in it, are left as
/// they are.
pub fn change<N: VisitMut>(node: &mut N, stays: &dyn Fn(&Expr) -> bool, with: &mut dyn FnMut(&mut Expr)) {
    let _ = node.visit(&mut Outside { stays, with, inside: 0 });
}

struct Outside<'a> {
    stays: &'a dyn Fn(&Expr) -> bool,
    with: &'a mut dyn FnMut(&mut Expr),
    /// Subqueries, and expressions that stay, around what is looked at.
    inside: usize,
}

impl VisitorMut for Outside<'_> {
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
        self.inside += usize::from((self.stays)(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if (self.stays)(expr) {
            self.inside -= 1;
        } else if self.inside == 0 {
            (self.with)(expr);
        }
        ControlFlow::Continue(())
    }
}
