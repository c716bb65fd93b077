//! `RIGHT` and `FULL JOIN … USING (k)`: the one column `k` of the result is the value of whichever side has the row, as SQL
//! says; the planner below would take the left one's. It writes such a join with `ON`, and `NATURAL` with `USING`.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    BinaryOperator, ExcludeSelectItem, Expr, GroupByExpr, Ident, JoinConstraint, JoinOperator, ObjectName, OrderByKind,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins,
    VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::mistakes;
use super::natural::Natural;
use super::nodes::{WINDOW_END, WINDOW_START};
use super::scope::Scopes;
use super::selects::{change, selects_mut};
use super::session::refused;
use super::stars::Tables;
use super::unnest::UNNEST;
use crate::core::fault::Fault;
use crate::sql::functions::rewrite::call;
use crate::sql::parse::mark::window_of;

/// The relation of a subquery that has no name.
const UNNAMED: &str = "__beside_";

/// Writes the joins of a query that need it with `ON`, and natural ones with `USING`.
///
/// # Errors
/// `NATURAL` of an outer join of what is no table, whose columns are known only when the sides are planned, and what has no
/// name to be told by.
pub fn settle(query: &mut Query, tables: &Tables) -> Result<(), Fault> {
    match query.visit(&mut Queries { tables, scopes: Scopes::default() }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break((fault, Some(relation))) => Err(mistakes::at_relation(fault, query, &relation)),
        ControlFlow::Break((fault, None)) => Err(fault),
    }
}

/// What is wrong, and the relation that it is about.
pub(super) type Wrong = (Fault, Option<String>);

struct Queries<'a> {
    tables: &'a Tables,
    scopes: Scopes,
}

impl VisitorMut for Queries<'_> {
    type Break = Wrong;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Wrong> {
        self.scopes.enter(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Wrong> {
        let natural = Natural { tables: self.tables, scopes: &self.scopes };
        let all = selects_mut(&mut query.body).into_iter();
        let settled = all.map(|chosen| natural.settle(&mut chosen.from).and_then(|()| select(chosen)));
        match settled.collect::<Result<Vec<_>, _>>() {
            Err(wrong) => ControlFlow::Break(wrong),
            Ok(merged) => {
                // What a set operation is ordered by are columns of its result.
                if let [Some(merged)] = merged.as_slice() {
                    ordered(query, merged);
                }
                self.scopes.leave(query);
                ControlFlow::Continue(())
            }
        }
    }
}

/// `ORDER BY k`, where the one SELECT gives no `k` that it could be.
fn ordered(query: &mut Query, merged: &Merged) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let mut given = BTreeSet::new();
    for item in &select.projection {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => given.insert(alias.value.to_lowercase()),
            _ => false,
        };
    }
    if let Some(OrderByKind::Expressions(keys)) = query.order_by.as_mut().map(|order| &mut order.kind) {
        change(keys, &|_| false, &mut |expr| match expr {
            Expr::Identifier(name) if given.contains(&name.value.to_lowercase()) => {}
            other => merged.put(other),
        });
    }
}

fn select(select: &mut Select) -> Result<Option<Merged>, Wrong> {
    if !needs(&select.from)? {
        return Ok(None);
    }
    let mut merged = Merged { relations: Vec::new(), columns: Vec::new(), has_bounds: false };
    merged.columns = merged.beside(&mut select.from)?.columns;
    let mut projection = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match item {
            SelectItem::Wildcard(options) if options == WildcardAdditionalOptions::default() => {
                projection.extend(merged.star())
            }
            SelectItem::Wildcard(_) => {
                let what = "`*` over a RIGHT or FULL JOIN with USING takes no EXCLUDE, REPLACE or RENAME";
                return Err((refused(what).next("name the columns that are wanted"), None));
            }
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => projection.push(match merged.value(&name) {
                Some(value) => SelectItem::ExprWithAlias { expr: value.clone(), alias: name },
                None => SelectItem::UnnamedExpr(Expr::Identifier(name)),
            }),
            mut other => {
                merged.put_in(&mut other);
                projection.push(other);
            }
        }
    }
    select.projection = projection;
    merged.put_in(&mut select.selection);
    merged.put_in(&mut select.having);
    merged.put_in(&mut select.qualify);
    merged.put_in(&mut select.named_window);
    if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
        merged.put_in(groups);
    }
    Ok(Some(merged))
}

/// Whether a join in a FROM takes a column of `USING` from whichever side has it.
fn needs(from: &[TableWithJoins]) -> Result<bool, Wrong> {
    let mut found = false;
    for relation in from {
        found |= needs_inside(&relation.relation)?;
        for join in &relation.joins {
            found |= needs_inside(&join.relation)?;
            use JoinOperator::{FullOuter, Right, RightOuter};
            match &join.join_operator {
                Right(on) | RightOuter(on) | FullOuter(on) => found |= matches!(on, JoinConstraint::Using(_)),
                _ => {}
            }
        }
    }
    Ok(found)
}

fn needs_inside(factor: &TableFactor) -> Result<bool, Wrong> {
    let TableFactor::NestedJoin { table_with_joins, alias } = factor else { return Ok(false) };
    let needs = needs(std::slice::from_ref(table_with_joins))?;
    match alias {
        Some(TableAlias { name, .. }) if needs && window_of(&name.value).is_none() => {
            let what = format!("`{}` cannot name a RIGHT or FULL JOIN with USING", name.value);
            Err((refused(&what).next(format!("name a subquery: (SELECT … FROM …) AS {}", name.value)), None))
        }
        _ => Ok(needs),
    }
}

/// The columns of `USING` in a FROM, and what each is in the end.
struct Merged {
    relations: Vec<Ident>,
    columns: Vec<Column>,
    /// Whether rows carry bounds of a window that are no relation's own.
    has_bounds: bool,
}

/// A column of `USING`, its value, and the relations (by place) that have it.
#[derive(Clone)]
struct Column {
    name: Ident,
    value: Expr,
    of: Vec<usize>,
}

/// Relations (by place) of one side of a join, and their columns of `USING`.
struct Side {
    relations: Range<usize>,
    columns: Vec<Column>,
}

impl Merged {
    /// Relations parted by commas.
    fn beside(&mut self, from: &mut [TableWithJoins]) -> Result<Side, Wrong> {
        let mut all = Side { relations: self.relations.len()..self.relations.len(), columns: Vec::new() };
        for relation in from {
            let joined = self.joined(relation)?;
            all.columns.extend(joined.columns);
        }
        all.relations.end = self.relations.len();
        Ok(all)
    }

    fn joined(&mut self, from: &mut TableWithJoins) -> Result<Side, Wrong> {
        let mut left = self.side(&mut from.relation)?;
        for join in &mut from.joins {
            let right = self.side(&mut join.relation)?;
            let is_full = matches!(join.join_operator, JoinOperator::FullOuter(_));
            let is_right = matches!(join.join_operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_));
            let mut columns = [left.columns.clone(), right.columns.clone()].concat();
            match constraint(&mut join.join_operator) {
                Some(constraint @ JoinConstraint::Using(_)) => {
                    let JoinConstraint::Using(names) = &*constraint else { continue };
                    let names = names.iter().filter_map(|name| name.0.first()?.as_ident().cloned());
                    let mut on: Option<Expr> = None;
                    for name in names.collect::<Vec<_>>() {
                        let [of_left, of_right] = [&left, &right].map(|side| self.column(side, &name));
                        let (one, other) = (of_left.value, of_right.value);
                        let equal = binary(one.clone(), BinaryOperator::Eq, other.clone());
                        on = Some(match on {
                            Some(on) => binary(on, BinaryOperator::And, equal),
                            None => equal,
                        });
                        let value = match (is_full, is_right) {
                            (true, _) => call("coalesce", vec![one, other]),
                            (_, true) => other,
                            _ => one,
                        };
                        columns.retain(|column| !is_same(&column.name, &name));
                        columns.push(Column { name, value, of: [of_left.of, of_right.of].concat() });
                    }
                    if let Some(on) = on {
                        *constraint = JoinConstraint::On(on);
                    }
                }
                Some(JoinConstraint::On(on)) => put_in(on, &columns),
                _ => {}
            }
            left = Side { relations: left.relations.start..right.relations.end, columns };
        }
        Ok(left)
    }

    fn side(&mut self, factor: &mut TableFactor) -> Result<Side, Wrong> {
        if let TableFactor::NestedJoin { table_with_joins, alias } = factor
            && alias.as_ref().is_none_or(|alias| window_of(&alias.name.value).is_some())
        {
            // Of one relation the bounds are its own.
            self.has_bounds |= alias.is_some() && !table_with_joins.joins.is_empty();
            return self.joined(table_with_joins);
        }
        let place = self.relations.len();
        if let TableFactor::Derived { alias: alias @ None, .. } = factor {
            let name = Ident::new(format!("{UNNAMED}{place}"));
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new() });
        }
        let Some(name) = known_as(factor) else {
            let what = "a relation beside a RIGHT or FULL JOIN with USING has no name";
            return Err((refused(what).next("give it one with AS"), None));
        };
        self.relations.push(name);
        Ok(Side { relations: place..place + 1, columns: Vec::new() })
    }

    /// What a column of this name is on one side of a join.
    fn column(&self, side: &Side, name: &Ident) -> Column {
        if let Some(known) = side.columns.iter().find(|column| is_same(&column.name, name)) {
            return known.clone();
        }
        let of = side.relations.clone().collect::<Vec<_>>();
        match of.as_slice() {
            [only] => {
                let value = Expr::CompoundIdentifier(vec![self.relations[*only].clone(), name.clone()]);
                Column { name: name.clone(), value, of }
            }
            // Which of the relations has it, the planner knows.
            _ => Column { name: name.clone(), value: Expr::Identifier(name.clone()), of: Vec::new() },
        }
    }

    fn value(&self, name: &Ident) -> Option<&Expr> {
        value(&self.columns, name)
    }

    fn put(&self, expr: &mut Expr) {
        put(expr, &self.columns);
    }

    fn put_in<N: VisitMut>(&self, node: &mut N) {
        put_in(node, &self.columns);
    }

    /// `*`: the columns of `USING` once, then what else each relation has.
    fn star(&self) -> Vec<SelectItem> {
        let own =
            |column: &Column| SelectItem::ExprWithAlias { expr: column.value.clone(), alias: column.name.clone() };
        let rest = self.relations.iter().enumerate().map(|(place, relation)| {
            let merged = self.columns.iter().filter(|column| column.of.contains(&place));
            let merged: Vec<Ident> = merged.map(|column| column.name.clone()).collect();
            let options = WildcardAdditionalOptions {
                opt_exclude: (!merged.is_empty()).then_some(ExcludeSelectItem::Multiple(merged)),
                ..WildcardAdditionalOptions::default()
            };
            let name = ObjectName::from(vec![relation.clone()]);
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
        });
        let bounds = [WINDOW_START, WINDOW_END].into_iter().filter(|_| self.has_bounds);
        let bounds = bounds.map(|bound| SelectItem::UnnamedExpr(Expr::Identifier(Ident::new(bound))));
        self.columns.iter().map(own).chain(rest).chain(bounds).collect()
    }
}

fn value<'a>(columns: &'a [Column], name: &Ident) -> Option<&'a Expr> {
    columns.iter().find(|column| is_same(&column.name, name)).map(|column| &column.value)
}

/// A column of `USING` that is named without a relation is its value.
fn put(expr: &mut Expr, columns: &[Column]) {
    if let Expr::Identifier(name) = &*expr
        && let Some(value) = value(columns, name)
    {
        *expr = value.clone();
    }
}

fn put_in<N: VisitMut>(node: &mut N, columns: &[Column]) {
    change(node, &|_| false, &mut |expr| put(expr, columns));
}

pub(super) fn known_as(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::TableFunction { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. }
        | TableFactor::NestedJoin { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. } => Some(alias.name.clone()),
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        TableFactor::UNNEST { .. } => Some(Ident::new(UNNEST)),
        _ => None,
    }
}

pub(super) fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    use JoinOperator::{FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter};
    match operator {
        Join(on) | Inner(on) | Left(on) | LeftOuter(on) | Right(on) | RightOuter(on) | FullOuter(on) => Some(on),
        _ => None,
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn is_same(one: &Ident, other: &Ident) -> bool {
    one.value.eq_ignore_ascii_case(&other.value)
}
