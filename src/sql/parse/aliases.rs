//! Aliases used to the right of where they are given. Only who knows the columns of the FROM can tell an alias from a
//! column of the same name, so the planner calls this; a column wins.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Select, SelectItem, VisitMut, VisitorMut};

/// Puts the expression of an earlier alias where a later item of the SELECT list, the WHERE, GROUP BY or HAVING names it
/// without a qualifier, unless `is_column` says that the FROM has such a column. Names are compared as SQL does:
/// without quotes in any case.
pub fn expand(select: &mut Select, is_column: &dyn Fn(&str) -> bool) {
    let mut substitution = Substitution { known: HashMap::new(), queries: 0 };
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(expression) => drop(expression.visit(&mut substitution)),
            SelectItem::ExprWithAlias { expr, alias } => {
                let _ = expr.visit(&mut substitution);
                let name = folded(&alias.value, alias.quote_style);
                let own =
                    matches!(&expr, Expr::Identifier(column) if folded(&column.value, column.quote_style) == name);
                if !own && !is_column(&name) {
                    substitution.known.entry(name).or_insert_with(|| expr.clone());
                }
            }
            _ => {}
        }
    }
    let _ = select.selection.visit(&mut substitution);
    let _ = select.group_by.visit(&mut substitution);
    let _ = select.having.visit(&mut substitution);
}

fn folded(name: &str, quote: Option<char>) -> String {
    if quote.is_some() { name.to_owned() } else { name.to_lowercase() }
}

struct Substitution {
    known: HashMap<String, Expr>,
    /// Subqueries that the walk is in: their names are their own.
    queries: usize,
}

impl VisitorMut for Substitution {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expression
            && self.queries == 0
            && let Some(known) = self.known.get(&folded(&name.value, name.quote_style))
        {
            *expression = match known {
                plain @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Function(_)) => {
                    plain.clone()
                }
                other => Expr::Nested(Box::new(other.clone())),
            };
        }
        ControlFlow::Continue(())
    }
}
