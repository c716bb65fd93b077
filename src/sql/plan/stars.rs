//! `*` where the planner would give other columns than SQL says: system columns are not in it, and a column of `USING` is
//! in it once, as the left side has it. Such a `*` becomes one `relation.*` each. It changes no other item.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion_expr::TableSource;
use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, TableFactor, TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::names::whole;
use super::nodes::{WINDOW_END, WINDOW_START};
use super::scope::Scopes;
use super::selects::selects_mut;
use super::session::refused;
use super::unnest::UNNEST;
use crate::core::fault::Fault;
use crate::sql::parse::mark::window_of;

/// Tables by the name that stands in the statement.
pub type Tables = HashMap<String, Arc<dyn TableSource>>;

/// Writes each `*` that needs it relation by relation. `system` are the system columns that the statement names.
///
/// # Errors
/// A `*` that leaves columns out of a join whose columns are not known before it is planned.
pub fn settle(query: &mut Query, system: &[&'static str], tables: &Tables) -> Result<(), Fault> {
    match query.visit(&mut Stars { system, tables, scopes: Scopes::default() }) {
        ControlFlow::Break(fault) => Err(fault),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Stars<'a> {
    system: &'a [&'static str],
    tables: &'a Tables,
    scopes: Scopes,
}

impl VisitorMut for Stars<'_> {
    type Break = Fault;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Fault> {
        self.scopes.enter(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Fault> {
        // What WITH gives is seen from its body alone.
        for select in selects_mut(&mut query.body) {
            if let Err(fault) = self.select(select) {
                return ControlFlow::Break(fault);
            }
        }
        self.scopes.leave(query);
        ControlFlow::Continue(())
    }
}

impl Stars<'_> {
    fn select(&self, select: &mut Select) -> Result<(), Fault> {
        let Some(from) = From::of(&select.from) else { return Ok(()) };
        let needs = !self.system.is_empty() || from.relations.iter().any(|relation| !relation.merged.is_empty());
        if !needs {
            return Ok(());
        }
        let mut projection = Vec::new();
        for item in std::mem::take(&mut select.projection) {
            match item {
                SelectItem::Wildcard(options) => match self.stars(&from, &options)? {
                    Some(stars) => projection.extend(stars),
                    None => projection.push(SelectItem::Wildcard(options)),
                },
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let called = whole(&name);
                    let relation = from.relations.iter().find(|relation| whole(&relation.name) == called);
                    let hidden = relation.map(|relation| self.shown(relation)).unwrap_or_default();
                    projection.push(star(name, hidden, options));
                }
                other => projection.push(other),
            }
        }
        select.projection = projection;
        Ok(())
    }

    /// `*` as one `relation.*` each; nothing where it leaves columns out of relations whose columns are not known, and that
    /// have none in common.
    fn stars(&self, from: &From, options: &WildcardAdditionalOptions) -> Result<Option<Vec<SelectItem>>, Fault> {
        let (left_out, others) = left_out(options.clone());
        let is_known = |relation: &Relation| self.table(relation).is_some();
        if others != WildcardAdditionalOptions::default()
            || !left_out.is_empty() && !from.relations.iter().all(is_known)
        {
            let shared = from.relations.iter().find_map(|relation| relation.merged.first());
            return match shared {
                Some(column) => Err(refused(&format!(
                    "`*` that leaves out or replaces columns stands over USING ({column}) and a subquery; name the columns \
                     that are wanted"
                ))),
                None => Ok(None),
            };
        }
        let stars = from.relations.iter().map(|relation| {
            let has = |name: &&Ident| {
                let table = self.table(relation);
                table.is_some_and(|table| table.schema().field_with_name(&name.value).is_ok())
            };
            let own = left_out.iter().filter(has);
            let hidden = relation.merged.iter().chain(own).cloned().chain(self.shown(relation));
            star(relation.name.clone(), hidden.collect(), WildcardAdditionalOptions::default())
        });
        let bounds =
            [WINDOW_START, WINDOW_END].map(|bound| SelectItem::UnnamedExpr(Expr::Identifier(Ident::new(bound))));
        Ok(Some(stars.chain(bounds.into_iter().filter(|_| from.is_windowed)).collect()))
    }

    /// The system columns that a relation shows.
    fn shown(&self, relation: &Relation) -> Vec<Ident> {
        let Some(table) = self.table(relation) else { return Vec::new() };
        let schema = table.schema();
        self.system.iter().filter(|name| schema.field_with_name(name).is_ok()).map(|name| Ident::new(*name)).collect()
    }

    fn table(&self, relation: &Relation) -> Option<&Arc<dyn TableSource>> {
        relation.table.as_ref().filter(|name| !self.scopes.is_given(name)).and_then(|name| self.tables.get(name))
    }
}

/// `name.*` without some columns.
fn star(name: ObjectName, hidden: Vec<Ident>, options: WildcardAdditionalOptions) -> SelectItem {
    let (mut names, others) = left_out(options);
    for ident in hidden {
        if !names.iter().any(|name| name.value == ident.value) {
            names.push(ident);
        }
    }
    let opt_exclude = (!names.is_empty()).then_some(ExcludeSelectItem::Multiple(names));
    let options = WildcardAdditionalOptions { opt_exclude, ..others };
    SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
}

/// The columns that a `*` leaves out, and what else it says.
fn left_out(mut options: WildcardAdditionalOptions) -> (Vec<Ident>, WildcardAdditionalOptions) {
    let names = match options.opt_exclude.take() {
        Some(ExcludeSelectItem::Single(name)) => vec![name],
        Some(ExcludeSelectItem::Multiple(names)) => names,
        None => Vec::new(),
    };
    (names, options)
}

/// The relations of a FROM, in their order.
#[derive(Default)]
struct From {
    relations: Vec<Relation>,
    /// Whether its rows carry a window that is of no relation alone.
    is_windowed: bool,
}

struct Relation {
    /// The name that its columns are known by.
    name: ObjectName,
    /// The table behind it, if it is one.
    table: Option<String>,
    /// Columns that are those of a relation on its left.
    merged: Vec<Ident>,
}

impl From {
    /// Nothing where a relation has no name.
    fn of(from: &[TableWithJoins]) -> Option<Self> {
        let mut all = Self::default();
        from.iter().try_for_each(|from| all.add(from))?;
        Some(all)
    }

    fn add(&mut self, from: &TableWithJoins) -> Option<()> {
        self.factor(&from.relation)?;
        for join in &from.joins {
            let first = self.relations.len();
            self.factor(&join.relation)?;
            let merged = using(&join.join_operator);
            if merged.is_empty() {
                continue;
            }
            let [right] = &mut self.relations[first..] else { return None };
            right.merged = merged;
        }
        Some(())
    }

    fn factor(&mut self, factor: &TableFactor) -> Option<()> {
        let (name, table) = match factor {
            TableFactor::Table { name, alias: Some(alias), .. } => (alias.name.clone().into(), Some(whole(name))),
            TableFactor::Table { name, alias: None, .. } => (name.clone(), Some(whole(name))),
            TableFactor::Derived { alias: Some(alias), .. } | TableFactor::UNNEST { alias: Some(alias), .. } => {
                (alias.name.clone().into(), None)
            }
            TableFactor::UNNEST { alias: None, .. } => (Ident::new(UNNEST).into(), None),
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let is_window = alias.as_ref().is_some_and(|alias| window_of(&alias.name.value).is_some());
                if alias.is_some() && !is_window {
                    return None;
                }
                let first = self.relations.len();
                self.add(table_with_joins)?;
                // The bounds of a window over one relation are that relation's.
                self.is_windowed |= is_window && self.relations.len() > first + 1;
                return Some(());
            }
            _ => return None,
        };
        self.relations.push(Relation { name, table, merged: Vec::new() });
        Some(())
    }
}

/// The columns of a join's `USING`.
fn using(operator: &JoinOperator) -> Vec<Ident> {
    use JoinOperator::{Inner, Join, Left, LeftOuter};
    match operator {
        Join(JoinConstraint::Using(names))
        | Inner(JoinConstraint::Using(names))
        | Left(JoinConstraint::Using(names))
        | LeftOuter(JoinConstraint::Using(names)) => {
            names.iter().filter_map(|name| name.0.first()?.as_ident().cloned()).collect()
        }
        _ => Vec::new(),
    }
}
