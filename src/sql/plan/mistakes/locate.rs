//! Where a mistake stands that is in no expression, or in one whose place the planner lost: by what the planner's sentence
//! is about, a name, a clause, a relation. Pure.

use std::ops::ControlFlow;

use datafusion_common::SchemaError;
use sqlparser::ast::{
    DataType, Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, LimitClause, OrderByKind, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned, TableAlias, TableFactor, TableVersion, Value, Visit,
    Visitor, visit_expressions,
};
use sqlparser::tokenizer::Location;

use super::template::holes;
use crate::sql::plan::names::whole;

/// The place of a name that means nothing, or of the second of two that are one.
pub fn of_name(error: &SchemaError, query: &Query) -> Option<Location> {
    match error {
        SchemaError::FieldNotFound { field, .. } => named(query, &field.name),
        SchemaError::DuplicateQualifiedField { qualifier, .. } => second_relation(query, &qualifier.to_string()),
        SchemaError::AmbiguousReference { field } => named(query, &field.name),
        SchemaError::DuplicateUnqualifiedField { name } => second_result(query, name),
    }
}

/// The place that a sentence of the planner is about.
pub fn of_sentence(text: &str, query: &Query) -> Option<Location> {
    let unique = "Projections require unique expression names but the expression \"{}\" at position{}";
    if let Some(found) = holes(text, unique) {
        let name = found[0].rsplit(" AS ").next().unwrap_or(found[0]);
        return second_result(query, name.rsplit('.').next().unwrap_or(name).trim_matches('"'));
    }
    if let Some(found) = holes(text, "Invalid qualifier {}") {
        return in_selects(query, |select| select.projection.iter().find_map(|item| star_of(item, found[0])));
    }
    if let Some(found) = holes(text, "Unsupported SQL type {}") {
        return type_of(query, found[0]);
    }
    if let Some(found) = holes(text, "Cannot find column with position {} in SELECT clause{}") {
        return in_selects(query, |select| numbered(select, found[0]));
    }
    if let Some(found) = holes(text, "WITH query name \"{}\" specified more than once") {
        return second_with(query, found[0]);
    }
    if let Some(found) = holes(text, "Source table contains {} columns but only {} names given as column alias") {
        let names = found[1].parse().ok()?;
        return aliased_with(query, names);
    }
    if let Some(found) = holes(text, "Inconsistent data length across values list: got {} values in row {} but{}") {
        let row: usize = found[1].parse().ok()?;
        return in_bodies(query, |body| match body {
            SetExpr::Values(values) => values.rows.get(row)?.first().and_then(start_of),
            _ => None,
        });
    }
    if is_of_halves(text) {
        return in_bodies(query, |body| match body {
            SetExpr::SetOperation { right, .. } => first_select(right).map(|select| select.select_token.0.span.start),
            _ => None,
        });
    }
    if text.starts_with("HAVING clause references") {
        return in_selects(query, |select| select.having.as_ref().and_then(start_of));
    }
    if text.starts_with("QUALIFY clause requires") {
        return in_selects(query, |select| select.qualify.as_ref().and_then(start_of));
    }
    if text.contains("must be in GROUP BY") {
        return in_selects(query, |select| select.projection.iter().find_map(star));
    }
    if text.starts_with("Recursive CTE") {
        return query.with.as_ref()?.cte_tables.first().map(|table| table.alias.name.span.start);
    }
    if text.starts_with("ORDER BY needs rows that end") {
        return ordered(query);
    }
    if text.starts_with("LIMIT") || text.starts_with("OFFSET") {
        return limited(query, text.starts_with("OFFSET"));
    }
    if let Some(found) = holes(text, "UNNEST takes an array or a map, and `{}` is {}") {
        return elements(query, |array, _| start_of(array).filter(|_| array.to_string() == found[0]));
    }
    if text.starts_with("LEFT JOIN UNNEST takes ON TRUE") {
        return in_selects(query, |select| select.from.iter().flat_map(|from| &from.joins).find_map(outer_elements));
    }
    if let Some(rest) = text.strip_prefix("FOR SYSTEM_TIME AS OF ") {
        return as_of(query, rest);
    }
    if text.starts_with("this join would keep") {
        return only_join(query);
    }
    None
}

/// The first CAST to a type of that name.
fn type_of(query: &Query, name: &str) -> Option<Location> {
    let found = visit_expressions(query, |expr| match expr {
        Expr::Cast { data_type: DataType::Custom(of, _), .. } if of.to_string() == name => {
            ControlFlow::Break(of.span().start)
        }
        _ => ControlFlow::Continue(()),
    });
    found.break_value()
}

/// The time that a sentence begins with, where FOR SYSTEM_TIME AS OF names it.
fn as_of(query: &Query, said: &str) -> Option<Location> {
    struct Versions<'s>(&'s str);
    impl Visitor for Versions<'_> {
        type Break = Location;
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Location> {
            match factor {
                TableFactor::Table { version: Some(TableVersion::ForSystemTimeAsOf(time)), .. }
                    if self.0.starts_with(&time.to_string()) =>
                {
                    start_of(time).map_or(ControlFlow::Continue(()), ControlFlow::Break)
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    query.visit(&mut Versions(said)).break_value()
}

/// Whether a sentence is about the halves of a UNION and its like.
pub fn is_of_halves(text: &str) -> bool {
    text.contains("queries have different number of columns")
}

/// Where an expression begins, as far as it or a part of it knows.
pub fn start_of(expr: &Expr) -> Option<Location> {
    struct First;
    impl Visitor for First {
        type Break = Location;
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Location> {
            match expr.span().start {
                start if start.line > 0 => ControlFlow::Break(start),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match expr.visit(&mut First) {
        ControlFlow::Break(start) => Some(start),
        ControlFlow::Continue(()) => None,
    }
}

/// What `find` finds in the first of a query's bodies in which it finds something.
fn in_bodies(query: &Query, find: impl FnMut(&SetExpr) -> Option<Location>) -> Option<Location> {
    struct Bodies<F>(F);
    impl<F: FnMut(&SetExpr) -> Option<Location>> Bodies<F> {
        fn body(&mut self, body: &SetExpr) -> ControlFlow<Location> {
            if let Some(found) = (self.0)(body).filter(|found| found.line > 0) {
                return ControlFlow::Break(found);
            }
            match body {
                SetExpr::SetOperation { left, right, .. } => {
                    self.body(left)?;
                    self.body(right)
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    impl<F: FnMut(&SetExpr) -> Option<Location>> Visitor for Bodies<F> {
        type Break = Location;
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Location> {
            self.body(&query.body)
        }
    }
    match query.visit(&mut Bodies(find)) {
        ControlFlow::Break(found) => Some(found),
        ControlFlow::Continue(()) => None,
    }
}

fn in_selects(query: &Query, mut find: impl FnMut(&Select) -> Option<Location>) -> Option<Location> {
    in_bodies(query, |body| match body {
        SetExpr::Select(select) => find(select),
        _ => None,
    })
}

/// The SELECT that names the columns of the result.
pub fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => first_select(left),
        SetExpr::Query(query) => first_select(&query.body),
        _ => None,
    }
}

/// A column's name, where it is read or joined by.
fn named(query: &Query, name: &str) -> Option<Location> {
    struct Named<'a>(&'a str);
    impl Named<'_> {
        fn check(&self, ident: &Ident) -> ControlFlow<Location> {
            match ident.value == self.0 && ident.span.start.line > 0 {
                true => ControlFlow::Break(ident.span.start),
                false => ControlFlow::Continue(()),
            }
        }
    }
    impl Visitor for Named<'_> {
        type Break = Location;
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Location> {
            match expr {
                Expr::Identifier(ident) => self.check(ident),
                Expr::CompoundIdentifier(idents) => idents.iter().try_for_each(|ident| self.check(ident)),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    if let ControlFlow::Break(found) = query.visit(&mut Named(name)) {
        return Some(found);
    }
    let used = |select: &Select| {
        let joins = select.from.iter().flat_map(|from| &from.joins);
        let using = joins.filter_map(|join| match &join.join_operator {
            JoinOperator::Join(JoinConstraint::Using(columns))
            | JoinOperator::Inner(JoinConstraint::Using(columns))
            | JoinOperator::Left(JoinConstraint::Using(columns))
            | JoinOperator::LeftOuter(JoinConstraint::Using(columns))
            | JoinOperator::Right(JoinConstraint::Using(columns))
            | JoinOperator::RightOuter(JoinConstraint::Using(columns))
            | JoinOperator::FullOuter(JoinConstraint::Using(columns)) => Some(columns),
            _ => None,
        });
        using.flatten().find(|column| whole(column) == name).map(|column| column.span().start)
    };
    in_selects(query, used)
}

/// The second result of a name in one SELECT.
fn second_result(query: &Query, name: &str) -> Option<Location> {
    let of = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some((alias.value.clone(), alias.span.start)),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some((ident.value.clone(), ident.span.start)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(idents)) => {
            idents.last().map(|last| (last.value.clone(), idents[0].span.start))
        }
        _ => None,
    };
    in_selects(query, |select| {
        let mut found = select.projection.iter().filter_map(of).filter(|(of, _)| of == name);
        found.next().and(found.next()).map(|(_, start)| start)
    })
}

/// The second relation of a name in one FROM.
fn second_relation(query: &Query, name: &str) -> Option<Location> {
    in_selects(query, |select| {
        let factors = select
            .from
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
        let mut found = factors.filter_map(|factor| match factor {
            TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
                (alias.name.value == name).then_some(alias.name.span.start)
            }
            TableFactor::Table { name: own, .. } => (whole(own) == name).then(|| own.span().start),
            _ => None,
        });
        found.next().and(found.next())
    })
}

fn star_of(item: &SelectItem, relation: &str) -> Option<Location> {
    match item {
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            (whole(name) == relation.trim_matches('"')).then(|| name.span().start)
        }
        _ => None,
    }
}

fn star(item: &SelectItem) -> Option<Location> {
    match item {
        SelectItem::Wildcard(options) => Some(options.wildcard_token.0.span.start),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => Some(name.span().start),
        _ => None,
    }
}

/// A number of GROUP BY that is a position.
fn numbered(select: &Select, number: &str) -> Option<Location> {
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return None };
    groups.iter().find_map(|group| match group {
        Expr::Value(value) if matches!(&value.value, Value::Number(text, _) if text == number) => {
            Some(value.span.start)
        }
        _ => None,
    })
}

fn second_with(query: &Query, name: &str) -> Option<Location> {
    let tables = query.with.iter().flat_map(|with| &with.cte_tables).map(|table| &table.alias.name);
    let mut found = tables.filter(|own| own.value == name);
    found.next().and(found.next()).map(|own| own.span.start)
}

/// A relation whose alias names so many columns.
fn aliased_with(query: &Query, names: usize) -> Option<Location> {
    let with = query.with.iter().flat_map(|with| &with.cte_tables).map(|table| &table.alias);
    if let Some(alias) = with.into_iter().find(|alias| alias.columns.len() == names) {
        return Some(alias.name.span.start);
    }
    in_selects(query, |select| {
        select.from.iter().find_map(|from| match &from.relation {
            TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
                (alias.columns.len() == names).then_some(alias.name.span.start)
            }
            _ => None,
        })
    })
    .or_else(|| {
        elements(query, |_, alias| {
            alias.filter(|alias| alias.columns.len() == names).map(|alias| alias.name.span.start)
        })
    })
}

/// What `find` finds in the first UNNEST of a FROM in which it finds something: of each array with the alias.
fn elements(query: &Query, find: impl Fn(&Expr, Option<&TableAlias>) -> Option<Location>) -> Option<Location> {
    struct Factors<F>(F);
    impl<F: Fn(&Expr, Option<&TableAlias>) -> Option<Location>> Visitor for Factors<F> {
        type Break = Location;
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Location> {
            let TableFactor::UNNEST { array_exprs, alias, .. } = factor else { return ControlFlow::Continue(()) };
            let found = array_exprs.iter().find_map(|array| (self.0)(array, alias.as_ref()));
            found.map_or(ControlFlow::Continue(()), ControlFlow::Break)
        }
    }
    query.visit(&mut Factors(find)).break_value()
}

/// The condition of an outer join with elements.
fn outer_elements(join: &Join) -> Option<Location> {
    match (&join.relation, &join.join_operator) {
        (
            TableFactor::UNNEST { .. },
            JoinOperator::Left(JoinConstraint::On(condition)) | JoinOperator::LeftOuter(JoinConstraint::On(condition)),
        ) => start_of(condition),
        _ => None,
    }
}

fn ordered(query: &Query) -> Option<Location> {
    match &query.order_by.as_ref()?.kind {
        OrderByKind::Expressions(keys) => start_of(&keys.first()?.expr),
        OrderByKind::All(_) => None,
    }
}

fn limited(query: &Query, is_offset: bool) -> Option<Location> {
    match query.limit_clause.as_ref()? {
        LimitClause::LimitOffset { offset: Some(offset), .. } if is_offset => start_of(&offset.value),
        LimitClause::LimitOffset { limit: Some(limit), .. } if !is_offset => start_of(limit),
        _ => None,
    }
}

/// The relation that is joined, where one is: of several, the planner does not say which.
fn only_join(query: &Query) -> Option<Location> {
    let (mut joined, mut first) = (0, None);
    in_selects(query, |select| {
        for (at, from) in select.from.iter().enumerate() {
            let relations = std::iter::once(&from.relation).filter(|_| at > 0);
            for factor in relations.chain(from.joins.iter().map(|join| &join.relation)) {
                joined += 1;
                first = first.or_else(|| begins(factor));
            }
        }
        None
    });
    first.filter(|_| joined == 1)
}

/// Where a relation begins.
fn begins(factor: &TableFactor) -> Option<Location> {
    match factor {
        TableFactor::NestedJoin { table_with_joins, .. } => begins(&table_with_joins.relation),
        TableFactor::Derived { subquery, .. } => {
            first_select(&subquery.body).map(|select| select.select_token.0.span.start)
        }
        TableFactor::Table { name, .. } => Some(name.span().start),
        _ => None,
    }
}
