//! Calls as people write them to calls as the functions take them: a bare unit becomes text, `HEADER` gets its column,
//! `IF` becomes CASE. It changes the syntax tree before planning and knows no types.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, ObjectName, OrderByExpr, OrderByOptions,
    Query, Subscript, Value, VisitMut, VisitorMut, visit_expressions_mut,
};

use super::headers::{HEADERS_COLUMN, needs_headers};
use super::spelling;
use super::time::{Unit, takes_unit};

/// Rewrites every call in a query or an expression.
pub fn rewrite<Node: VisitMut>(node: &mut Node) {
    let _ = node.visit(&mut Bodies);
    let _: ControlFlow<()> = visit_expressions_mut(node, |expr| {
        if let Some(known) = spelling::known(expr) {
            *expr = known;
        }
        if let Expr::CompoundFieldAccess { root, access_chain } = expr {
            *expr = fields_of(root, std::mem::take(access_chain));
        } else if let Expr::Function(function) = expr {
            let name = function.name.to_string();
            match case_of(function, &name) {
                Some(case) => *expr = case,
                None => rewrite_call(function, &name),
            }
        }
        if takes_isodow(expr) {
            *expr = from_monday(expr.clone());
        }
        ControlFlow::Continue(())
    });
}

/// The bodies of queries.
struct Bodies;

impl VisitorMut for Bodies {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        spelling::columns(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn rewrite_call(function: &mut Function, name: &str) {
    let is = |known: &[&str]| known.iter().any(|known| known.eq_ignore_ascii_case(name));
    let within_group = is(&["listagg", "string_agg", "group_concat", "array_agg", "collect", "collect_list"]);
    let FunctionArguments::List(list) = &mut function.args else { return };
    if needs_headers(name) {
        let written = if is(&["header_keys"]) { 0 } else { 1 };
        if list.args.len() == written {
            list.args.insert(0, unnamed(Expr::Identifier(Ident::new(HEADERS_COLUMN))));
        }
    }
    if takes_unit(name)
        && list.args.len() == 3
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first_mut()
        && let Expr::Identifier(unit) = first
        && Unit::parse(&unit.value).is_some()
    {
        *first = text(&unit.value.clone());
    }
    if is(&["unix_timestamp"]) && list.args.is_empty() {
        function.name = ObjectName::from(vec![Ident::new("unix_now")]);
        return;
    }
    // ksqlDB and Spark call it EXPLODE.
    if is(&["unnest", "explode"]) {
        function.name = ObjectName::from(vec![Ident { value: "unnest".to_owned(), ..ident_of(function) }]);
        return;
    }
    // What separates, where it is not said: a comma, as Flink and MySQL have it.
    if is(&["listagg", "string_agg", "group_concat"]) && list.args.len() == 1 {
        list.args.push(unnamed(text(",")));
    }
    if function.over.is_none() && list.clauses.is_empty() {
        let is_least = is(&["min_by", "arg_min"]);
        if (is_least || is(&["max_by", "arg_max"]))
            && let [value, FunctionArg::Unnamed(FunctionArgExpr::Expr(by))] = list.args.as_slice()
        {
            let (value, by) = (value.clone(), by.clone());
            return extreme(function, value, by, is_least);
        }
    }
    // An ordering within the group is, for these, one of the arguments.
    if within_group && !function.within_group.is_empty() {
        list.clauses.push(FunctionArgumentClause::OrderBy(std::mem::take(&mut function.within_group)));
    }
}

/// `MAX_BY(x, y)`: the `x` of the row that has the greatest `y`, of those that have one.
fn extreme(function: &mut Function, value: FunctionArg, by: Expr, is_least: bool) {
    let name = if is_least { "first_value" } else { "last_value" };
    function.name = ObjectName::from(vec![Ident { value: name.to_owned(), ..ident_of(function) }]);
    let order = OrderByExpr { expr: by.clone(), options: OrderByOptions::default(), with_fill: None };
    function.args = FunctionArguments::List(FunctionArgumentList {
        duplicate_treatment: None,
        args: vec![value],
        clauses: vec![FunctionArgumentClause::OrderBy(vec![order])],
    });
    let known = Expr::IsNotNull(Box::new(by));
    function.filter = Some(Box::new(match function.filter.take() {
        Some(filter) => {
            Expr::BinaryOp { left: Box::new(Expr::Nested(filter)), op: BinaryOperator::And, right: Box::new(known) }
        }
        None => known,
    }));
}

/// The name of a call, with its place.
fn ident_of(function: &Function) -> Ident {
    function.name.0.last().and_then(|part| part.as_ident()).cloned().unwrap_or_else(|| Ident::new(""))
}

/// Makes the day of the ISO week, which the function of that name counts from 0, the day of the week, from Sunday as 0. Says
/// whether it was asked for.
fn takes_isodow(expr: &mut Expr) -> bool {
    let is_it = |part: &str| part.eq_ignore_ascii_case("isodow");
    match expr {
        Expr::Extract { field, .. } if is_it(&field.to_string()) => {
            *field = DateTimeField::Dow;
            true
        }
        Expr::Function(function) => {
            let name = function.name.to_string();
            let FunctionArguments::List(list) = &mut function.args else { return false };
            match list.args.first_mut() {
                Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(part)))
                    if ["date_part", "datepart"].iter().any(|known| known.eq_ignore_ascii_case(&name))
                        && matches!(&*part, Expr::Value(value) if value.value.clone().into_string().is_some_and(|part| is_it(&part))) =>
                {
                    *part = text("dow");
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// A day of the week from Sunday as 0 as one from Monday as 1.
fn from_monday(day: Expr) -> Expr {
    let number = |number: &str| Box::new(Expr::Value(Value::Number(number.to_owned(), false).into()));
    let binary = |left: Expr, op: BinaryOperator, right: &str| {
        Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: number(right) }))
    };
    let shifted = binary(day, BinaryOperator::Plus, "6");
    binary(binary(shifted, BinaryOperator::Modulo, "7"), BinaryOperator::Plus, "1")
}

/// `a.b[1].c`: points that lead from a column are one name, those behind a subscript are subscripts. A field may have a
/// name that is also a function without parentheses, as `user`.
fn fields_of(root: &Expr, chain: Vec<AccessExpr>) -> Expr {
    let mut names: Vec<Ident> = match root {
        Expr::CompoundIdentifier(names) => names.clone(),
        other => field_name(other).into_iter().collect(),
    };
    let mut left = Vec::new();
    for access in chain {
        match access {
            AccessExpr::Dot(field) => match field_name(&field) {
                Some(name) if left.is_empty() && !names.is_empty() => names.push(name),
                Some(name) => left.push(AccessExpr::Subscript(Subscript::Index { index: text(&name.value) })),
                None => left.push(AccessExpr::Dot(field)),
            },
            subscript => left.push(subscript),
        }
    }
    let root = match names.len() {
        0 => root.clone(),
        1 => Expr::Identifier(names.remove(0)),
        _ => Expr::CompoundIdentifier(names),
    };
    if left.is_empty() { root } else { Expr::CompoundFieldAccess { root: Box::new(root), access_chain: left } }
}

fn field_name(expr: &Expr) -> Option<Ident> {
    match expr {
        Expr::Identifier(name) => Some(name.clone()),
        Expr::Function(function) if matches!(function.args, FunctionArguments::None) => {
            let name = function.name.0.first().filter(|_| function.name.0.len() == 1)?;
            name.as_ident().cloned()
        }
        _ => None,
    }
}

/// `IF(condition, then, otherwise)` as CASE, which evaluates only the side it takes.
fn case_of(function: &Function, name: &str) -> Option<Expr> {
    if !(name.eq_ignore_ascii_case("if") || name.eq_ignore_ascii_case("iif")) {
        return None;
    }
    let FunctionArguments::List(FunctionArgumentList { args, .. }) = &function.args else { return None };
    let plain: Option<Vec<&Expr>> = args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect();
    let (condition, result, otherwise) = match plain?[..] {
        [condition, result] => (condition, result, None),
        [condition, result, otherwise] => (condition, result, Some(Box::new(otherwise.clone()))),
        _ => return None,
    };
    Some(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: condition.clone(), result: result.clone() }],
        else_result: otherwise,
    })
}

/// The call of a function.
pub fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(unnamed).collect();
    let args = FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn calls_are_rewritten_to_what_the_functions_take() {
        for (written, taken) in [
            ("HEADER('a')", "HEADER(_headers, 'a')"),
            ("header(o._headers, 'a')", "header(o._headers, 'a')"),
            ("HEADER_KEYS()", "HEADER_KEYS(_headers)"),
            ("TIMESTAMPDIFF(SECOND, a, b)", "TIMESTAMPDIFF('SECOND', a, b)"),
            ("DATEDIFF(day, a, b)", "DATEDIFF('day', a, b)"),
            ("DATEDIFF(a, b)", "DATEDIFF(a, b)"),
            ("unix_timestamp()", "unix_now()"),
            ("LISTAGG(x)", "LISTAGG(x, ',')"),
            ("LISTAGG(x, '|') WITHIN GROUP (ORDER BY y)", "LISTAGG(x, '|' ORDER BY y)"),
            ("MAX_BY(x, y)", "last_value(x ORDER BY y) FILTER (WHERE y IS NOT NULL)"),
            (
                "ARG_MIN(x, y) FILTER (WHERE a OR b)",
                "first_value(x ORDER BY y) FILTER (WHERE (a OR b) AND y IS NOT NULL)",
            ),
            ("EXTRACT(ISODOW FROM t)", "(((EXTRACT(DOW FROM t) + 6) % 7) + 1)"),
            ("EXTRACT(DOW FROM t)", "EXTRACT(DOW FROM t)"),
            ("date_part('isodow', t)", "(((date_part('dow', t) + 6) % 7) + 1)"),
            ("IF(a > 1, HEADER('k'), 2)", "CASE WHEN a > 1 THEN HEADER(_headers, 'k') ELSE 2 END"),
        ] {
            let mut query = Parser::parse_sql(&GenericDialect {}, &format!("SELECT {written}")).unwrap();
            rewrite(&mut query);
            assert_eq!(query[0].to_string(), format!("SELECT {taken}"));
        }
    }
}
