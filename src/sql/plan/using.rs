//! `RIGHT` and `FULL JOIN … USING (k)`: the one column `k` of the result is the value of whichever side has the row, as SQL
//! says; the planner below would take the left one's. It writes such a join with `ON`, and changes no other.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, ExcludeSelectItem, Expr, GroupByExpr, Ident, JoinConstraint, JoinOperator, ObjectName, Query,
    Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor, TableWithJoins, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

use super::mistakes;
use crate::core::fault::{Blame, Fault};
use crate::sql::functions::rewrite::call;

/// Writes the joins of a query that need it with `ON`.
///
/// # Errors
/// `NATURAL`, whose columns are known only when the sides are planned.
pub fn settle(query: &mut Query) -> Result<(), Fault> {
    let ControlFlow::Break(relation) = query.visit(&mut Queries) else { return Ok(()) };
    let fault = Fault::new(Blame::Operator, "NATURAL cannot stand before RIGHT and FULL JOIN");
    Err(mistakes::at_relation(fault.next("name the columns: … JOIN b USING (id)"), query, &relation))
}

struct Queries;

impl VisitorMut for Queries {
    /// The right side of a natural join.
    type Break = String;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        body(&mut query.body)
    }
}

fn body(set: &mut SetExpr) -> ControlFlow<String> {
    match set {
        SetExpr::Select(chosen) => {
            let of_either_side = |operator: &JoinOperator| {
                use JoinOperator::{FullOuter, Right, RightOuter};
                matches!(operator, Right(on) | RightOuter(on) | FullOuter(on) if matches!(on, JoinConstraint::Natural))
            };
            let joins = chosen.from.iter().flat_map(|from| &from.joins);
            if let Some(join) = joins.into_iter().find(|join| of_either_side(&join.join_operator)) {
                return ControlFlow::Break(known_as(&join.relation).map(|name| name.value).unwrap_or_default());
            }
            select(chosen);
            ControlFlow::Continue(())
        }
        SetExpr::SetOperation { left, right, .. } => {
            body(left)?;
            body(right)
        }
        _ => ControlFlow::Continue(()),
    }
}

fn select(select: &mut Select) {
    let [from] = select.from.as_mut_slice() else { return };
    let Some(mut merged) = Merged::of(from) else { return };
    merged.write(from);
    let mut projection = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match item {
            SelectItem::Wildcard(options) if options == WildcardAdditionalOptions::default() => {
                projection.extend(merged.star());
            }
            SelectItem::UnnamedExpr(Expr::Identifier(ident)) if merged.value(&ident).is_some() => {
                let expr = merged.value(&ident).cloned().unwrap_or_else(|| Expr::Identifier(ident.clone()));
                projection.push(SelectItem::ExprWithAlias { expr, alias: ident });
            }
            mut other => {
                let _ = other.visit(&mut merged);
                projection.push(other);
            }
        }
    }
    select.projection = projection;
    let _ = select.selection.visit(&mut merged);
    let _ = select.having.visit(&mut merged);
    let _ = select.qualify.visit(&mut merged);
    if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
        let _ = groups.visit(&mut merged);
    }
}

/// The columns of `USING` in a FROM, and what each is in the end.
struct Merged {
    relations: Vec<Ident>,
    /// The column, its value, and the relations (by place) that have it.
    columns: Vec<(Ident, Expr, Vec<usize>)>,
    inside: usize,
}

impl Merged {
    /// Nothing where no join needs it, or where not all relations have names.
    fn of(from: &TableWithJoins) -> Option<Self> {
        let needs = |operator: &JoinOperator| {
            use JoinOperator::{FullOuter, Right, RightOuter};
            matches!(operator, Right(on) | RightOuter(on) | FullOuter(on) if matches!(on, JoinConstraint::Using(_)))
        };
        if !from.joins.iter().any(|join| needs(&join.join_operator)) {
            return None;
        }
        let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
        let relations = factors.map(known_as).collect::<Option<Vec<_>>>()?;
        Some(Self { relations, columns: Vec::new(), inside: 0 })
    }

    fn write(&mut self, from: &mut TableWithJoins) {
        for (place, join) in from.joins.iter_mut().enumerate() {
            let is_full = matches!(join.join_operator, JoinOperator::FullOuter(_));
            let is_right = matches!(join.join_operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_));
            let Some(constraint) = constraint(&mut join.join_operator) else { continue };
            let JoinConstraint::Using(names) = &*constraint else { continue };
            let names: Vec<Ident> = names.iter().filter_map(|name| name.0.first()?.as_ident().cloned()).collect();
            let mut on: Option<Expr> = None;
            for name in names {
                let right = Expr::CompoundIdentifier(vec![self.relations[place + 1].clone(), name.clone()]);
                let known = self.columns.iter().position(|(column, _, _)| is_same(column, &name));
                let left = match known {
                    Some(known) => self.columns[known].1.clone(),
                    None if place == 0 => Expr::CompoundIdentifier(vec![self.relations[0].clone(), name.clone()]),
                    None => Expr::Identifier(name.clone()),
                };
                let equal = binary(left.clone(), BinaryOperator::Eq, right.clone());
                on = Some(match on {
                    Some(on) => binary(on, BinaryOperator::And, equal),
                    None => equal,
                });
                let value = match (is_full, is_right) {
                    (true, _) => call("coalesce", vec![left, right]),
                    (_, true) => right,
                    _ => left,
                };
                match known {
                    Some(known) => {
                        self.columns[known].1 = value;
                        self.columns[known].2.push(place + 1);
                    }
                    None if place == 0 => self.columns.push((name, value, vec![0, 1])),
                    // Which of the relations on its left has it, the planner knows.
                    None => self.columns.push((name, value, vec![place + 1])),
                }
            }
            if let Some(on) = on {
                *constraint = JoinConstraint::On(on);
            }
        }
    }

    fn value(&self, name: &Ident) -> Option<&Expr> {
        self.columns.iter().find(|(column, _, _)| is_same(column, name)).map(|(_, value, _)| value)
    }

    /// `*`: the columns of `USING` once, then what else each relation has.
    fn star(&self) -> Vec<SelectItem> {
        let own = |(name, value, _): &(Ident, Expr, Vec<usize>)| SelectItem::ExprWithAlias {
            expr: value.clone(),
            alias: name.clone(),
        };
        let rest = self.relations.iter().enumerate().map(|(place, relation)| {
            let merged = self.columns.iter().filter(|(_, _, places)| places.contains(&place));
            let merged: Vec<Ident> = merged.map(|(name, _, _)| name.clone()).collect();
            let options = WildcardAdditionalOptions {
                opt_exclude: (!merged.is_empty()).then_some(ExcludeSelectItem::Multiple(merged)),
                ..WildcardAdditionalOptions::default()
            };
            let name = ObjectName::from(vec![relation.clone()]);
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
        });
        self.columns.iter().map(own).chain(rest).collect()
    }
}

/// A column of `USING` that is named without a relation is its value, outside of subqueries.
impl VisitorMut for Merged {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.inside += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.inside -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = &*expr
            && self.inside == 0
            && let Some(value) = self.value(name)
        {
            *expr = value.clone();
        }
        ControlFlow::Continue(())
    }
}

fn known_as(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.clone())
        }
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
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
