//! Where in a query an error is that the planner gives no place: the smallest part without which it can be planned.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Query, SelectItem, Spanned, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut, visit_expressions,
    visit_relations,
};
use sqlparser::tokenizer::Location;

use super::locate::{first_select, start_of};
use crate::sql::plan::names::whole;

/// Parts that are taken out, one plan each, until it is enough: the mistakes of a page of SQL are found in them, and a
/// person who writes it does not wait.
const TRIES_MAX: usize = 100;

/// The place of the smallest part that the query can be planned without.
pub fn of(query: &Query, again: &dyn Fn(Query) -> bool) -> Option<Location> {
    let count = expressions(query).min(TRIES_MAX);
    let mut found: Option<Part> = None;
    for number in 0..count {
        let mut without = query.clone();
        let Some(part) = take_out(&mut without, number) else { continue };
        // An operand may be as guilty as its operator, which says more: it is shown where the operator's begins.
        let is_better = found.as_ref().is_none_or(|found| !part.is_leaf && (found.is_leaf || part.size < found.size));
        if is_better && again(without) {
            found = Some(part);
        }
    }
    found.map(|part| part.start).filter(|start| start.line > 0)
}

/// Where a relation is named first.
pub fn of_relation(query: &Query, name: &str) -> Option<Location> {
    let found = visit_relations(query, |relation| match whole(relation) == name {
        true => ControlFlow::Break(relation.span().start),
        false => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Break(start) if start.line > 0 => Some(start),
        _ => None,
    }
}

/// Where the item of SELECT stands that gives a column of the result; of `*`, where it stands for more than one.
pub fn of_item(query: &Query, column: usize) -> Option<Location> {
    let items = &first_select(&query.body)?.projection;
    let is_star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    let star = items.iter().position(is_star).unwrap_or(usize::MAX);
    let start = match items.get(column.min(star))? {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            start_of(expr).unwrap_or(expr.span().start)
        }
        item => item.span().start,
    };
    (start.line > 0).then_some(start)
}

/// The names by which the query's FROM knows its relations.
pub fn relations(query: &Query) -> Vec<String> {
    struct Names(Vec<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            let name = match factor {
                TableFactor::Table { name, alias, .. } => {
                    Some(alias.as_ref().map_or_else(|| whole(name), |alias| alias.name.value.clone()))
                }
                TableFactor::Derived { alias: Some(alias), .. } | TableFactor::UNNEST { alias: Some(alias), .. } => {
                    Some(alias.name.value.clone())
                }
                _ => None,
            };
            self.0.extend(name.filter(|name| !self.0.contains(name)));
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(Vec::new());
    let _ = query.visit(&mut names);
    names.0
}

/// Whether a name stands somewhere in double quotes.
pub fn is_in_double_quotes(query: &Query, name: &str) -> bool {
    let is_it = |expr: &Expr| match expr {
        Expr::Identifier(ident) if ident.value == name && ident.quote_style == Some('"') => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    visit_expressions(query, is_it).is_break()
}

/// A part of a query.
struct Part {
    start: Location,
    is_leaf: bool,
    /// Expressions in it.
    size: usize,
}

fn expressions<N: Visit>(node: &N) -> usize {
    let mut count = 0;
    let _ = visit_expressions(node, |_: &Expr| {
        count += 1;
        ControlFlow::<()>::Continue(())
    });
    count
}

/// Puts NULL for the expression of this number, counted as they are come to, and says what it was.
fn take_out(query: &mut Query, number: usize) -> Option<Part> {
    struct Taking {
        left: usize,
        taken: Option<Part>,
    }
    impl VisitorMut for Taking {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if self.left > 0 {
                self.left -= 1;
                return ControlFlow::Continue(());
            }
            let is_leaf = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_));
            let start = start_of(expr).unwrap_or(expr.span().start);
            self.taken = Some(Part { start, is_leaf, size: expressions(expr) });
            *expr = Expr::Value(Value::Null.into());
            ControlFlow::Break(())
        }
    }
    let mut taking = Taking { left: number, taken: None };
    let _ = query.visit(&mut taking);
    taking.taken
}
