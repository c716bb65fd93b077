//! What stands where it cannot, seen in the query itself: the planner notices it late, and in its own words.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, GroupByExpr, Join, JoinOperator, LimitClause, NullTreatment, Query, SetExpr, SetOperator,
    SetQuantifier, Spanned, TableFactor, Visit, Visitor,
};
use sqlparser::tokenizer::Span;

use super::locate::start_of;
use super::{at, constants};
use crate::core::fault::Fault;
use crate::sql::functions::registry::Functions;
use crate::sql::plan::session::refused;

/// The first thing that stands where it cannot.
///
/// # Errors
/// It, with its place.
pub fn check(query: &Query, functions: &Functions) -> Result<(), Fault> {
    let mut checking = Checking { functions };
    match query.visit(&mut checking) {
        ControlFlow::Break(fault) => Err(fault),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Checking<'a> {
    functions: &'a Functions,
}

/// What a call makes of rows.
#[derive(PartialEq, Eq)]
enum Call {
    /// One value of each.
    Scalar,
    /// One value of many.
    Aggregate,
    /// A value of a row and those around it.
    Window,
    /// Many rows of one.
    Elements,
}

impl Checking<'_> {
    fn kind(&self, function: &Function) -> Call {
        let name = function.name.to_string().to_lowercase();
        match function.over {
            Some(_) => Call::Window,
            None if self.functions.aggregate(&name).is_some() => Call::Aggregate,
            None if name == "unnest" => Call::Elements,
            None => Call::Scalar,
        }
    }

    /// The first call of a kind in these expressions; none that a subquery of them holds for itself.
    fn first<N: Visit>(&self, node: &N, kind: &Call) -> Option<(String, Span)> {
        struct First<'a, 'k>(&'a Checking<'a>, &'k Call, usize);
        impl Visitor for First<'_, '_> {
            type Break = (String, Span);
            fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Self::Break> {
                self.2 += 1;
                ControlFlow::Continue(())
            }
            fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Self::Break> {
                self.2 -= 1;
                ControlFlow::Continue(())
            }
            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
                match expr {
                    Expr::Function(function) if self.2 == 0 && self.0.kind(function) == *self.1 => {
                        ControlFlow::Break((function.name.to_string().to_uppercase(), function.name.span()))
                    }
                    _ => ControlFlow::Continue(()),
                }
            }
        }
        match node.visit(&mut First(self, kind, 0)) {
            ControlFlow::Break(found) => Some(found),
            ControlFlow::Continue(()) => None,
        }
    }

    fn select(&self, body: &SetExpr) -> Result<(), Fault> {
        match body {
            SetExpr::Select(select) => {
                if matches!(select.group_by, GroupByExpr::All(_)) {
                    let start = select.select_token.0.span.start;
                    let what = "GROUP BY ALL does not know the columns of `*`, and takes no modifiers";
                    let next = "name the columns, or their places: GROUP BY 1, 2";
                    return Err(refused(what).next(next).at(at(start)));
                }
                if let GroupByExpr::Expressions(keys, modifiers) = &select.group_by
                    && let Some(modifier) = modifiers.first()
                {
                    let listed = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let start = keys.first().and_then(start_of).unwrap_or(select.select_token.0.span.start);
                    let what = format!("{modifier} behind GROUP BY is not known here");
                    return Err(refused(&what).next(format!("write GROUP BY ROLLUP ({listed})")).at(at(start)));
                }
                if select.top.is_some() {
                    let start = select.select_token.0.span.start;
                    return Err(refused("TOP is not known here").next("write LIMIT n behind the query").at(at(start)));
                }
                if let Some(Distinct::On(keys)) = &select.distinct {
                    let listed = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let next = format!(
                        "number the rows and keep the first: SELECT … FROM … QUALIFY ROW_NUMBER() OVER (PARTITION BY {listed} ORDER BY …) = 1"
                    );
                    let start = keys.first().and_then(start_of).unwrap_or(select.select_token.0.span.start);
                    return Err(refused("DISTINCT ON is not available in this build").next(next).at(at(start)));
                }
                if let Some(fault) = select.projection.iter().find_map(constants::unit_of_alias) {
                    return Err(fault);
                }
                if let Some((name, span)) = self.first(&select.selection, &Call::Aggregate) {
                    let what = format!("`{name}` cannot stand in WHERE, which looks at one row at a time");
                    return Err(refused(&what).next("write the condition in HAVING").at(at(span.start)));
                }
                for (clause, found) in [
                    ("WHERE", self.first(&select.selection, &Call::Window)),
                    ("GROUP BY", self.first(&select.group_by, &Call::Window)),
                    ("HAVING", self.first(&select.having, &Call::Window)),
                ] {
                    if let Some((name, span)) = found {
                        let what = format!("`{name}` with OVER cannot stand in {clause}");
                        let next = "give it a name in a subquery, and read that: SELECT * FROM (SELECT *, … AS place FROM …) WHERE place = 1";
                        return Err(refused(&what).next(next).at(at(span.start)));
                    }
                }
                let elements = [
                    self.first(&select.selection, &Call::Elements),
                    self.first(&select.having, &Call::Elements),
                    self.first(&select.qualify, &Call::Elements),
                    self.first(&select.from, &Call::Elements),
                ];
                if let Some((_, span)) = elements.into_iter().flatten().next() {
                    return Err(misplaced_unnest("in a condition", span));
                }
                if let Some(view) = select.lateral_views.first() {
                    let start = start_of(&view.lateral_view).unwrap_or(select.select_token.0.span.start);
                    let next = "write CROSS JOIN UNNEST(o.tags) AS t (tag), or LEFT JOIN … ON TRUE where it says OUTER";
                    return Err(refused("LATERAL VIEW is not known here").next(next).at(at(start)));
                }
                select.from.iter().flat_map(|from| &from.joins).try_for_each(joined_elements)?;
                if let Some((name, span)) = self.first(&select.group_by, &Call::Aggregate) {
                    let what = format!("`{name}` cannot stand in GROUP BY: it is what groups come to");
                    return Err(refused(&what).next("group by what tells the groups apart").at(at(span.start)));
                }
                Ok(())
            }
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let is_all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
                if is_all && *op != SetOperator::Union {
                    let what =
                        format!("{op} ALL, which counts how often a row is there, is not available in this build");
                    let next = format!(
                        "leave ALL out, or number the rows of both sides with ROW_NUMBER() OVER (PARTITION BY …) and write {op}"
                    );
                    return Err(refused(&what).next(next).at(at(right.span().start)));
                }
                self.select(left).and_then(|()| self.select(right))
            }
            _ => Ok(()),
        }
    }

    fn call(&self, function: &Function) -> Result<(), Fault> {
        let FunctionArguments::List(list) = &function.args else { return Ok(()) };
        let name = function.name.to_string().to_uppercase();
        let ignores = |clause: &FunctionArgumentClause| {
            matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(NullTreatment::IgnoreNulls))
        };
        let ignores_nulls =
            function.null_treatment == Some(NullTreatment::IgnoreNulls) || list.clauses.iter().any(ignores);
        if ignores_nulls && ["LAG", "LEAD"].contains(&name.as_str()) {
            let what = format!("{name} with IGNORE NULLS is not available in this build");
            let next = "the newest value before a row is LAST_VALUE(x) IGNORE NULLS OVER (… ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";
            return Err(refused(&what).next(next).at(at(function.name.span().start)));
        }
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) && name == "COUNT" && list.args.len() > 1 {
            let next = "make them one: COUNT(DISTINCT CONCAT(a, '|', b))";
            let fault = refused("COUNT(DISTINCT …) counts the values of one expression").next(next);
            return Err(fault.at(at(function.name.span().start)));
        }
        if name == "UNNEST" && list.args.len() != 1 {
            let next = "several arrays go side by side in FROM: CROSS JOIN UNNEST(o.tags, o.prices) AS t (tag, price)";
            return Err(refused("UNNEST takes one array here").next(next).at(at(function.name.span().start)));
        }
        if self.kind(function) != Call::Scalar
            && self.kind(function) != Call::Elements
            && let Some((_, span)) = self.first(&list.args, &Call::Elements)
        {
            return Err(misplaced_unnest(&format!("inside `{name}`"), span));
        }
        let is_known = self.functions.aggregate(&name).is_some() || self.functions.scalar(&name).is_some();
        let is_star = |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
        if is_known && list.args.iter().any(is_star) && (list.args.len() > 1 || name != "COUNT") {
            let what = format!("`*` stands alone, and in COUNT(*) only: `{name}` takes columns");
            return Err(refused(&what).next(format!("write {name}(column)")).at(at(function.name.span().start)));
        }
        if let Some((inner, span)) = self.first(&function.filter, &Call::Aggregate) {
            let what = format!("`{inner}` cannot stand in FILTER, which looks at one row at a time");
            return Err(refused(&what).next("write the condition in HAVING").at(at(span.start)));
        }
        if self.kind(function) == Call::Aggregate
            && let Some((inner, span)) = self.first(&list.args, &Call::Aggregate)
        {
            let what = format!("`{inner}` cannot stand inside `{name}`: both make one value of many rows");
            let next = format!(
                "name the inner one in a subquery: SELECT {name}(x) FROM (SELECT {inner}(…) AS x FROM … GROUP BY …)"
            );
            return Err(refused(&what).next(next).at(at(span.start)));
        }
        Ok(())
    }
}

fn misplaced_unnest(place: &str, span: Span) -> Fault {
    let what = format!("UNNEST cannot stand {place}: it makes rows");
    let next = "name its elements in FROM: FROM orders o CROSS JOIN UNNEST(o.tags) AS t (tag)";
    refused(&what).next(next).at(at(span.start))
}

/// Elements stand beside a row: where there is none, there are none.
fn joined_elements(join: &Join) -> Result<(), Fault> {
    let TableFactor::UNNEST { array_exprs, .. } = &join.relation else { return Ok(()) };
    let word = match join.join_operator {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => "RIGHT",
        JoinOperator::FullOuter(_) => "FULL",
        _ => return Ok(()),
    };
    let fault = refused(&format!("{word} JOIN UNNEST cannot be: an array has no elements without its row"))
        .next("write CROSS JOIN UNNEST(…), or LEFT JOIN UNNEST(…) ON TRUE, which keeps rows without elements");
    Err(match array_exprs.first().and_then(start_of) {
        Some(start) => fault.at(at(start)),
        None => fault,
    })
}

impl Visitor for Checking<'_> {
    type Break = Fault;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Fault> {
        match factor {
            TableFactor::UNNEST { array_exprs, with_offset: true, .. } => {
                let fault = refused("WITH OFFSET is not known here").next("write WITH ORDINALITY, which counts from 1");
                let start = array_exprs.first().and_then(start_of);
                ControlFlow::Break(start.map_or(fault.clone(), |start| fault.at(at(start))))
            }
            TableFactor::Pivot { table, aggregate_functions, .. } => {
                let call = aggregate_functions.first().map_or("SUM(x)".to_owned(), |call| call.expr.to_string());
                let fault = refused("PIVOT is not available in this build");
                let fault = fault.next(format!("write a column for each value: {call} FILTER (WHERE k = 'a') AS a"));
                ControlFlow::Break(fault.at(at(table.span().start)))
            }
            TableFactor::Unpivot { table, .. } => {
                let fault = refused("UNPIVOT is not available in this build")
                    .next("write a SELECT for each column: SELECT 'a' AS name, a AS value … UNION ALL SELECT 'b', b …");
                ControlFlow::Break(fault.at(at(table.span().start)))
            }
            TableFactor::Table { name, sample: Some(_), .. } => {
                let fault = refused("TABLESAMPLE is not available in this build").next("write WHERE random() < 0.1");
                ControlFlow::Break(fault.at(at(name.span().start)))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Fault> {
        if query.fetch.is_some() {
            let start = query.body.span().end;
            let what = "FETCH FIRST takes a number of rows, no PERCENT and no TIES, and no LIMIT beside it";
            return ControlFlow::Break(refused(what).next("write FETCH FIRST n ROWS ONLY, or LIMIT n").at(at(start)));
        }
        if let Some((_, span)) = self.first(&query.order_by, &Call::Elements) {
            return ControlFlow::Break(misplaced_unnest("in ORDER BY", span));
        }
        if let Some(LimitClause::LimitOffset {
            limit: Some(limit @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))),
            ..
        }) = &query.limit_clause
        {
            let fault = refused(&format!("LIMIT takes a number, not `{limit}`")).next("write LIMIT 10");
            return ControlFlow::Break(match start_of(limit) {
                Some(start) => fault.at(at(start)),
                None => fault,
            });
        }
        match self.select(&query.body) {
            Err(fault) => ControlFlow::Break(fault),
            Ok(()) => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Fault> {
        if let Some(fault) = constants::wrong(expr) {
            return ControlFlow::Break(fault);
        }
        match expr {
            Expr::Function(function) => match self.call(function) {
                Err(fault) => ControlFlow::Break(fault),
                Ok(()) => ControlFlow::Continue(()),
            },
            _ => ControlFlow::Continue(()),
        }
    }
}
