//! `*` without the system columns that a query names elsewhere: it becomes one `relation.*` each, without them. Pure.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion_expr::TableSource;
use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, TableFactor, TableWithJoins, VisitorMut, WildcardAdditionalOptions,
};

use super::names::whole;
use super::nodes::{WINDOW_END, WINDOW_START};
use super::selects::selects_mut;
use super::unnest::UNNEST;
use crate::sql::parse::mark::window_of;

/// The walk that changes `*`.
pub struct Stars<'a> {
    /// The system columns that the query names.
    pub system: &'a [&'static str],
    /// What is behind the names of its relations.
    pub tables: &'a HashMap<String, Arc<dyn TableSource>>,
}

impl VisitorMut for Stars<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        selects_mut(&mut query.body).into_iter().for_each(|select| self.select(select));
        ControlFlow::Continue(())
    }
}

impl Stars<'_> {
    fn select(&self, select: &mut Select) {
        let mut shown = Shown::default();
        select.from.iter().for_each(|from| shown.add(from));
        let mut projection = Vec::new();
        for item in std::mem::take(&mut select.projection) {
            match item {
                SelectItem::Wildcard(options) if options.opt_exclude.is_none() && options.opt_except.is_none() => {
                    projection.extend(shown.relations.iter().map(|relation| self.star(relation, &relation.again)));
                    let bounds = [WINDOW_START, WINDOW_END].into_iter().filter(|_| shown.has_bounds);
                    projection.extend(bounds.map(|bound| SelectItem::UnnamedExpr(Expr::Identifier(Ident::new(bound)))));
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                    if options.opt_exclude.is_none() && options.opt_except.is_none() =>
                {
                    let name = whole(&name);
                    let known = shown.relations.iter().find(|relation| relation.known == name);
                    let unknown = Relation { known: name, ..Relation::default() };
                    projection.push(self.star(known.unwrap_or(&unknown), &[]));
                }
                other => projection.push(other),
            }
        }
        select.projection = projection;
    }

    /// The columns of a relation but its system columns and `again`.
    fn star(&self, relation: &Relation, again: &[Ident]) -> SelectItem {
        let mut hidden: Vec<Ident> = again.to_vec();
        if let Some(source) = relation.table.as_ref().and_then(|table| self.tables.get(table)) {
            let schema = source.schema();
            let is_hidden = |name: &&&str| {
                schema.field_with_name(name).is_ok() && !again.iter().any(|known| known.value == ***name)
            };
            hidden.extend(self.system.iter().filter(is_hidden).map(|name| Ident::new(*name)));
        }
        let options = WildcardAdditionalOptions {
            opt_exclude: (!hidden.is_empty()).then_some(ExcludeSelectItem::Multiple(hidden)),
            ..WildcardAdditionalOptions::default()
        };
        let name = ObjectName::from(vec![Ident::with_quote('"', relation.known.as_str())]);
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
    }
}

/// What `*` shows of a FROM.
#[derive(Default)]
struct Shown {
    relations: Vec<Relation>,
    /// Whether rows carry bounds of a window that are no relation's own.
    has_bounds: bool,
}

/// A relation of a FROM.
#[derive(Default)]
struct Relation {
    /// The name that its columns are known by.
    known: String,
    /// The table behind it, if it is one.
    table: Option<String>,
    /// Columns that `USING` has shown already.
    again: Vec<Ident>,
}

impl Shown {
    fn add(&mut self, from: &TableWithJoins) {
        self.factor(&from.relation, Vec::new());
        from.joins.iter().for_each(|join| self.factor(&join.relation, using(join)));
    }

    fn factor(&mut self, factor: &TableFactor, again: Vec<Ident>) {
        let known = |alias: &Ident| alias.value.clone();
        let relation = match factor {
            TableFactor::Table { name, alias, .. } => {
                let name = whole(name);
                let known = alias.as_ref().map_or_else(|| name.clone(), |alias| known(&alias.name));
                Relation { known, table: Some(name), again }
            }
            TableFactor::Derived { alias: Some(alias), .. } => {
                Relation { known: known(&alias.name), table: None, again }
            }
            TableFactor::UNNEST { alias, .. } => {
                let known = alias.as_ref().map_or_else(|| UNNEST.to_owned(), |alias| known(&alias.name));
                Relation { known, table: None, again }
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let is_window = alias.as_ref().is_some_and(|alias| window_of(&alias.name.value).is_some());
                if table_with_joins.joins.is_empty() {
                    return self.factor(&table_with_joins.relation, again);
                }
                // Of one relation the bounds are its own.
                self.has_bounds |= is_window;
                return self.add(table_with_joins);
            }
            _ => return,
        };
        self.relations.push(relation);
    }
}

/// The columns of `USING`, which the left side of its join shows.
fn using(join: &Join) -> Vec<Ident> {
    use JoinOperator::{Inner, Join, Left, LeftOuter};
    match &join.join_operator {
        Join(JoinConstraint::Using(names))
        | Inner(JoinConstraint::Using(names))
        | Left(JoinConstraint::Using(names))
        | LeftOuter(JoinConstraint::Using(names)) => {
            names.iter().filter_map(|name| name.0.first()?.as_ident().cloned()).collect()
        }
        _ => Vec::new(),
    }
}
