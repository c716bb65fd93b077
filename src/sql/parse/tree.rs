//! The parsed tree of a query: puts windows and `WITHIN` where their marks stand.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr,
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem, SetExpr, Spanned, TableAlias,
    TableFactor, TableVersion, TableWithJoins, Value, VisitMut, VisitorMut,
};
use sqlparser::tokenizer::Location;

use super::aggregates;
use super::balance;
use super::bounds::{END, START, Scope, TIME, beside, bound, names};
use super::lift::{Lift, Standing};
use super::mark::{Mark, window_alias, window_of};
use super::source::Source;
use super::statement::{Diagnostic, Span};

/// Finishes a query that sqlparser read.
pub(super) fn finish(source: &Source<'_>, query: &mut Query, lift: &Lift) -> Result<(), Diagnostic> {
    let mut finisher = Finisher { source, lift };
    match query.visit(&mut finisher) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(fault) => Err(fault),
    }
}

struct Finisher<'a> {
    source: &'a Source<'a>,
    lift: &'a Lift,
}

impl VisitorMut for Finisher<'_> {
    type Break = Diagnostic;

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Diagnostic> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            self.within(table_with_joins)?;
        }
        let Some(index) = alias(factor).and_then(|alias| self.marked(&alias.name)) else {
            return ControlFlow::Continue(());
        };
        if let (Some(slot), Standing::Table { alias }) = (alias_slot(factor), &self.lift.windows[index].place) {
            *slot = alias.clone().map(|name| TableAlias { name, ..slot.take().unwrap_or_else(|| plain_alias("")) });
        }
        let relation = std::mem::replace(factor, nothing());
        *factor = windowed(TableWithJoins { relation, joins: Vec::new() }, index);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Diagnostic> {
        balance::balance(expression);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Diagnostic> {
        bound(expression);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Diagnostic> {
        let ordered = query.order_by.as_mut();
        self.body(&mut query.body)?;
        // ORDER BY sees the windows of the SELECT only where there is one SELECT.
        if let (SetExpr::Select(select), Some(order)) = (query.body.as_mut(), ordered) {
            let scope = self.scope(select);
            let _ = order.visit(&mut scope.clone());
        }
        ControlFlow::Continue(())
    }
}

impl Finisher<'_> {
    fn marked(&self, name: &Ident) -> Option<usize> {
        window_of(&name.value).filter(|index| *index < self.lift.windows.len())
    }

    fn body(&mut self, body: &mut SetExpr) -> ControlFlow<Diagnostic> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn select(&mut self, select: &mut Select) -> ControlFlow<Diagnostic> {
        for relation in &mut select.from {
            self.within(relation)?;
        }
        let marker = select.named_window.iter().position(|named| self.marked(&named.0).is_some());
        if let Some(position) = marker
            && let Some(index) = self.marked(&select.named_window.remove(position).0)
        {
            select.from =
                vec![TableWithJoins { relation: windowed(joined(&mut select.from), index), joins: Vec::new() }];
        }
        let mut scope = self.scope(select);
        if scope.windows.is_empty() {
            return ControlFlow::Continue(());
        }
        name_times(select);
        let _ = select.projection.visit(&mut scope);
        let _ = select.selection.visit(&mut scope);
        let _ = select.group_by.visit(&mut scope);
        let _ = select.having.visit(&mut scope);
        let _ = select.qualify.visit(&mut scope);
        self.group(select, &scope);
        ControlFlow::Continue(())
    }

    /// The windows that a SELECT's FROM shows.
    fn scope(&self, select: &Select) -> Scope {
        let mut windows = Vec::new();
        for relation in &select.from {
            for factor in std::iter::once(&relation.relation).chain(relation.joins.iter().map(|join| &join.relation)) {
                if let TableFactor::NestedJoin { alias: Some(alias), .. } = factor
                    && let Some(index) = self.marked(&alias.name)
                {
                    windows.push(index);
                }
            }
        }
        let column = windows.iter().find_map(|index| match &self.lift.windows[*index].place {
            Standing::Item { name, .. } => Some(name.clone()),
            _ => None,
        });
        Scope { column, windows }
    }

    /// Adds the bounds to the GROUP BY where the query groups and does not list them.
    fn group(&self, select: &mut Select, scope: &Scope) {
        let clause =
            scope.windows.iter().any(|index| !matches!(self.lift.windows[*index].place, Standing::Table { .. }));
        let told = scope.windows.iter().any(|index| matches!(self.lift.windows[*index].place, Standing::Grouping));
        let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return };
        let start = groups.iter().find(|group| names(group, START)).cloned();
        let end = groups.iter().find(|group| names(group, END)).cloned();
        match (start, end) {
            (Some(_), Some(_)) => {}
            (Some(start), None) => groups.push(beside(&start, END)),
            (None, Some(end)) => groups.push(beside(&end, START)),
            (None, None) => {
                if clause && (told || !groups.is_empty() || aggregates::any(&select.projection, select.having.as_ref()))
                {
                    groups.push(Expr::Identifier(Ident::new(START)));
                    groups.push(Expr::Identifier(Ident::new(END)));
                }
            }
        }
    }

    /// Where an expression stands in the text.
    fn span_of(&self, expression: &Expr) -> Span {
        let range = expression.span();
        let byte = |place: Location| self.source.byte(place.line, place.column);
        Span { start: byte(range.start), end: byte(range.end) }
    }

    /// Gives `__within(before, after)` the two columns it compares, and `AS OF column` its mark.
    fn within(&self, relation: &mut TableWithJoins) -> ControlFlow<Diagnostic> {
        if let Some(time) = version(&relation.relation).filter(|time| !is_call(time)) {
            let next =
                format!("write FROM orders o JOIN rates FOR SYSTEM_TIME AS OF {time} AS r ON o.currency = r.currency");
            let what =
                "FOR SYSTEM_TIME AS OF stands behind the table of a JOIN: it is the time of the row that meets it";
            return ControlFlow::Break(self.source.diagnostic(self.span_of(time), what, next));
        }
        for join in &mut relation.joins {
            if let Some(time) = version(&join.relation).filter(|time| !is_column(time) && !is_call(time)) {
                let what = "FOR SYSTEM_TIME AS OF takes a column of the left side, or PROCTIME()";
                let next = "name the event time of the row that meets it: FOR SYSTEM_TIME AS OF o.ts";
                return ControlFlow::Break(self.source.diagnostic(self.span_of(time), what, next));
            }
            if let Some(time) = version(&join.relation).filter(|time| is_column(time)).cloned()
                && !as_of(join, &time)
            {
                let what = format!("FOR SYSTEM_TIME AS OF {time} needs ON with a column of each side");
                let next = "write ON o.currency = r.currency";
                return ControlFlow::Break(self.source.diagnostic(self.span_of(&time), what, next));
            }
            let Some(JoinConstraint::On(condition)) = constraint(join) else { continue };
            let Expr::BinaryOp { left, op: BinaryOperator::And, right } = condition else { continue };
            let Expr::Function(function) = right.as_mut() else { continue };
            let FunctionArguments::List(arguments) = &mut function.args else { continue };
            if !Mark::Within.is(&function.name.to_string()) || arguments.args.len() != 2 {
                continue;
            }
            let Some((first, second)) = columns(left) else {
                let word = function.name.0.first().and_then(|part| part.as_ident()).map(|name| name.span.start);
                let start = word.map_or(0, |place| self.source.byte(place.line, place.column));
                let span = Span { start, end: (start + "WITHIN".len()).min(self.source.text.len()) };
                let next = "write ON a.id = b.id";
                return ControlFlow::Break(self.source.diagnostic(
                    span,
                    "WITHIN needs an equality of two columns in ON",
                    next,
                ));
            };
            let pair = [first, second].map(|column| FunctionArg::Unnamed(FunctionArgExpr::Expr(column)));
            arguments.args.splice(0..0, pair);
        }
        ControlFlow::Continue(())
    }
}

/// `window_time` keeps its name where it is given, and as a key it is the window's end.
fn name_times(select: &mut Select) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item
            && names(expr, TIME)
        {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new(TIME) };
        }
    }
    let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return };
    let Some(at) = groups.iter().position(|group| names(group, TIME)) else { return };
    let time = groups.remove(at);
    if !groups.iter().any(|group| names(group, END)) {
        groups.insert(at, beside(&time, END));
    }
}

/// The time of `FOR SYSTEM_TIME AS OF`.
fn version(relation: &TableFactor) -> Option<&Expr> {
    match relation {
        TableFactor::Table { version: Some(TableVersion::ForSystemTimeAsOf(time)), .. } => Some(time),
        _ => None,
    }
}

fn is_column(time: &Expr) -> bool {
    matches!(time, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// Whether a time is what a function without arguments says: a clock, or the planner refuses it.
fn is_call(time: &Expr) -> bool {
    match time {
        Expr::Function(function) => match &function.args {
            FunctionArguments::None => true,
            FunctionArguments::List(list) => list.args.is_empty(),
            FunctionArguments::Subquery(_) => false,
        },
        _ => false,
    }
}

/// Leaves the column of `FOR SYSTEM_TIME AS OF` in the condition: what nothing else reads would be gone before the join is
/// planned. Says whether there is a condition to leave it in.
fn as_of(join: &mut Join, time: &Expr) -> bool {
    let Some(JoinConstraint::On(condition)) = constraint(join) else { return false };
    let Some((left, right)) = columns(condition) else { return false };
    let arguments = [time.clone(), left, right].map(|column| FunctionArg::Unnamed(FunctionArgExpr::Expr(column)));
    let mark = Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(Mark::AsOf.name())]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    });
    let whole = Expr::Nested(Box::new(std::mem::replace(condition, Expr::value(Value::Null))));
    *condition = Expr::BinaryOp { left: Box::new(whole), op: BinaryOperator::And, right: Box::new(mark) };
    true
}

/// The columns of the first equality among the conjuncts; failing that, the first two columns that are compared.
fn columns(condition: &Expr) -> Option<(Expr, Expr)> {
    fn pair(expression: &Expr, equal: bool) -> Option<(Expr, Expr)> {
        match expression {
            Expr::Nested(inner) => pair(inner, equal),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => pair(left, equal).or_else(|| pair(right, equal)),
            Expr::BinaryOp { left, op, right } if !equal || *op == BinaryOperator::Eq => {
                let column = |side: &Expr| matches!(side, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                (column(left) && column(right)).then(|| (left.as_ref().clone(), right.as_ref().clone()))
            }
            _ => None,
        }
    }
    pair(condition, true).or_else(|| pair(condition, false))
}

fn constraint(join: &mut Join) -> Option<&mut JoinConstraint> {
    match &mut join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

fn windowed(table: TableWithJoins, index: usize) -> TableFactor {
    TableFactor::NestedJoin { table_with_joins: Box::new(table), alias: Some(plain_alias(&window_alias(index))) }
}

/// Relations parted by commas as one relation with joins.
fn joined(from: &mut Vec<TableWithJoins>) -> TableWithJoins {
    let mut relations = std::mem::take(from).into_iter();
    let mut first = relations.next().unwrap_or_else(|| TableWithJoins { relation: nothing(), joins: Vec::new() });
    for next in relations {
        let cross = JoinOperator::CrossJoin(JoinConstraint::None);
        first.joins.push(Join { relation: next.relation, global: false, join_operator: cross });
        first.joins.extend(next.joins);
    }
    first
}

fn plain_alias(name: &str) -> TableAlias {
    TableAlias { explicit: true, name: Ident::new(name), columns: Vec::new() }
}

/// Holds a place while a relation is moved.
fn nothing() -> TableFactor {
    TableFactor::TableFunction { expr: Expr::Value(Value::Null.into()), alias: None }
}

fn alias(factor: &TableFactor) -> Option<&TableAlias> {
    match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => alias.as_ref(),
        _ => None,
    }
}

fn alias_slot(factor: &mut TableFactor) -> Option<&mut Option<TableAlias>> {
    match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => Some(alias),
        _ => None,
    }
}
