//! Windows over rows that carry a window already: the bounds of the outer one are `window_start` and `window_end`, those of
//! the inner one are found by the name of their relation, and in `*` as `inner_window_start` and `inner_window_end`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, Result};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{self as sql, GroupByExpr, Ident, Query, Select, SetExpr, TableFactor, VisitMut, VisitorMut};

use super::names::whole;
use super::nodes::{WINDOW_END, WINDOW_START};
use super::selects::selects_mut;
use crate::sql::parse::mark::window_of;

/// What stands before the name of an inner bound, as often as it takes to be another name.
const INNER: &str = "inner_";

/// The bounds that were given other names, by their relation and their own name.
pub type Renamed = BTreeMap<(Option<String>, String), String>;

/// A relation whose own bounds have made room for those of a window over it, and the time of that window over it.
///
/// # Errors
/// DataFusion's, which are defects.
pub fn make_room(input: LogicalPlan, time: Option<Expr>) -> Result<(LogicalPlan, Option<Expr>, Renamed)> {
    let schema = input.schema();
    let is_bound = |name: &str| name == WINDOW_START || name == WINDOW_END;
    if !schema.fields().iter().any(|field| is_bound(field.name())) {
        return Ok((input, time, Renamed::new()));
    }
    let mut renamed = Renamed::new();
    let mut projection = Vec::new();
    for (qualifier, field) in schema.iter() {
        let column = Expr::Column(Column::from((qualifier, field)));
        if !is_bound(field.name()) {
            projection.push(column);
            continue;
        }
        let mut name = format!("{INNER}{}", field.name());
        while schema.has_column_with_unqualified_name(&name) {
            name.insert_str(0, INNER);
        }
        renamed.insert((qualifier.map(ToString::to_string), field.name().clone()), name.clone());
        projection.push(column.alias_qualified(qualifier.cloned(), name));
    }
    let moved = |expr: Expr| {
        Ok(match &expr {
            Expr::Column(column) => {
                let key = (column.relation.as_ref().map(ToString::to_string), column.name.clone());
                match renamed.get(&key) {
                    Some(name) => Transformed::yes(Expr::Column(Column::new(column.relation.clone(), name))),
                    None => Transformed::no(expr),
                }
            }
            _ => Transformed::no(expr),
        })
    };
    let time = time.map(|time| Ok::<_, datafusion_common::DataFusionError>(time.transform(moved)?.data)).transpose()?;
    Ok((LogicalPlanBuilder::from(input).project(projection)?.build()?, time, renamed))
}

/// Gives bounds that are named with a relation the names that the plan has for them. `renamed` is what is known of each
/// window of the statement, by its number. Says whether anything was to be changed.
pub fn name(query: &mut Query, renamed: &BTreeMap<usize, Renamed>) -> bool {
    let mut naming = Naming { renamed, has_changed: false };
    let _ = query.visit(&mut naming);
    naming.has_changed
}

struct Naming<'a> {
    renamed: &'a BTreeMap<usize, Renamed>,
    has_changed: bool,
}

impl VisitorMut for Naming<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_ref()
            && let Some(mut scope) = self.scope(select)
        {
            let _ = query.order_by.visit(&mut scope);
            self.has_changed |= scope.has_changed;
        }
        selects_mut(&mut query.body).into_iter().for_each(|select| self.select(select));
        ControlFlow::Continue(())
    }
}

impl Naming<'_> {
    fn select(&mut self, select: &mut Select) {
        let Some(mut scope) = self.scope(select) else { return };
        let _ = select.projection.visit(&mut scope);
        let _ = select.selection.visit(&mut scope);
        let _ = select.having.visit(&mut scope);
        let _ = select.qualify.visit(&mut scope);
        let is_outer =
            |expr: &sql::Expr, name: &str| matches!(expr, sql::Expr::Identifier(ident) if ident.value == name);
        scope.has_inner = false;
        let _ = select.group_by.visit(&mut scope);
        if let GroupByExpr::Expressions(groups, _) = &mut select.group_by
            && scope.has_inner
        {
            // Rows of a group are of one window: an inner bound among the keys does not stand for the outer one.
            for bound in [WINDOW_START, WINDOW_END] {
                if !groups.iter().any(|group| is_outer(group, bound)) {
                    groups.push(sql::Expr::Identifier(Ident::new(bound)));
                }
            }
        }
        self.has_changed |= scope.has_changed;
    }

    /// What a SELECT sees of the window that its FROM is. Of windows that are joined, each tells its own bounds.
    fn scope(&self, select: &Select) -> Option<Scope<'_>> {
        select.from.iter().filter(|from| from.joins.is_empty()).find_map(|from| {
            let TableFactor::NestedJoin { table_with_joins, alias: Some(alias) } = &from.relation else { return None };
            let renamed = self.renamed.get(&window_of(&alias.name.value)?)?;
            let inside = std::iter::once(&table_with_joins.relation)
                .chain(table_with_joins.joins.iter().map(|join| &join.relation))
                .filter_map(|factor| match factor {
                    TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
                        Some(alias.name.value.clone())
                    }
                    TableFactor::Table { name, .. } => Some(whole(name)),
                    _ => None,
                })
                .collect();
            Some(Scope { renamed, inside, has_changed: false, has_inner: false })
        })
    }
}

struct Scope<'a> {
    renamed: &'a Renamed,
    /// Relations that the window is over.
    inside: Vec<String>,
    has_changed: bool,
    has_inner: bool,
}

impl VisitorMut for Scope<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut sql::Expr) -> ControlFlow<()> {
        let sql::Expr::CompoundIdentifier(parts) = expression else { return ControlFlow::Continue(()) };
        let [relation, bound] = parts.as_mut_slice() else { return ControlFlow::Continue(()) };
        if bound.value != WINDOW_START && bound.value != WINDOW_END {
            return ControlFlow::Continue(());
        }
        if let Some(name) = self.renamed.get(&(Some(relation.value.clone()), bound.value.clone())) {
            bound.value.clone_from(name);
            (self.has_changed, self.has_inner) = (true, true);
        } else if self.inside.len() > 1 && self.inside.contains(&relation.value) {
            // Of relations without windows of their own, a qualifier of the bounds says nothing.
            *expression = sql::Expr::Identifier(bound.clone());
            self.has_changed = true;
        }
        ControlFlow::Continue(())
    }
}
