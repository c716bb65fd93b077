//! The text of a predicate to its syntax tree: quotes, system columns, functions and fields are looked at here, so that
//! what no record can mend is said before any is read.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Spanned, UnaryOperator, Value, visit_expressions, visit_expressions_mut};
use sqlparser::tokenizer;

use super::columns::WHOLE_VALUE;
use crate::connectors::contract::system_columns;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::words::did_you_mean;
use crate::sql::functions::registry::Functions;
use crate::sql::functions::rewrite::rewrite;
use crate::sql::parse::parse_expression;
use crate::sql::parse::statement::{Diagnostic, Span};

/// What errors call the text.
pub const NAME: &str = "where";

/// A predicate as it was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The condition.
    pub expr: Expr,
    /// Fields of the value that it names, in order.
    pub fields: Vec<String>,
    /// Fields that it compares with numbers or computes with: a text there is read as a number.
    pub numeric: BTreeSet<String>,
    /// System columns that it names.
    pub system: Vec<&'static str>,
    /// Whether it looks into fields (`customer.id`, `tags[1]`), whose parts only records show.
    pub looks_inside: bool,
}

/// Reads a text. Texts stand in either quote, as a shell leaves only one free; names with odd letters in backquotes.
///
/// # Errors
/// What is no expression, a function that there is not, an aggregate, a subquery; each with its place.
pub fn read(text: &str, functions: &Functions) -> Result<Written, Diagnostic> {
    if text.trim().is_empty() {
        let what = "a condition is missing";
        return Err(diagnostic(text, None, what.into(), "write one, such as `amount > 100`".into()));
    }
    let mut expr = parse_expression(text, NAME)?;
    let _ = visit_expressions_mut(&mut expr, |expr| {
        if let Expr::Identifier(ident) = expr
            && ident.quote_style == Some('"')
        {
            *expr = Expr::Value(Value::SingleQuotedString(ident.value.clone()).into());
        }
        ControlFlow::<()>::Continue(())
    });
    if let ControlFlow::Break(refused) = visit_expressions(&expr, |expr| refuse(text, expr, functions)) {
        return Err(*refused);
    }
    rewrite(&mut expr);
    let mut written =
        Written { expr, fields: Vec::new(), numeric: BTreeSet::new(), system: Vec::new(), looks_inside: false };
    written.collect();
    Ok(written)
}

impl Written {
    fn collect(&mut self) {
        let mut expr = self.expr.clone();
        let _ = visit_expressions_mut(&mut expr, |expr| {
            let root = match expr {
                Expr::Identifier(ident) => Some(ident),
                Expr::CompoundIdentifier(idents) => {
                    self.looks_inside = true;
                    idents.first_mut()
                }
                Expr::CompoundFieldAccess { .. } => {
                    self.looks_inside = true;
                    None
                }
                _ => None,
            };
            if let Some(ident) = root {
                let mut system = system_columns::ALL.into_iter().chain([WHOLE_VALUE]);
                let system = system.find(|name| name.eq_ignore_ascii_case(&ident.value));
                match system.filter(|name| *name != system_columns::EVENT_TIME) {
                    Some(name) => {
                        name.clone_into(&mut ident.value);
                        if !self.system.contains(&name) {
                            self.system.push(name);
                        }
                    }
                    None if !self.fields.contains(&ident.value) => self.fields.push(ident.value.clone()),
                    None => {}
                }
            }
            self.numeric.extend(numbers(expr).into_iter().map(str::to_owned));
            ControlFlow::<()>::Continue(())
        });
        self.expr = expr;
    }
}

fn refuse(text: &str, expr: &Expr, functions: &Functions) -> ControlFlow<Box<Diagnostic>> {
    let (span, what, next) = match expr {
        Expr::Function(function) => {
            let name = function.name.to_string();
            let many = functions.aggregate(&name).is_some() || functions.window(&name).is_some();
            if function.over.is_none() && functions.scalar(&name).is_some() || is_planned(&name) {
                return ControlFlow::Continue(());
            }
            let span = function.name.span();
            match many {
                true => (span, format!("`{name}` is of many records, a condition of one"), many_next()),
                false => (span, format!("there is no function `{name}`"), advice(&name, functions)),
            }
        }
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
            (expr.span(), "a condition of one record has no query in it".to_owned(), many_next())
        }
        _ => return ControlFlow::Continue(()),
    };
    ControlFlow::Break(Box::new(diagnostic(text, Some(span), what, next)))
}

/// Calls that become CASE before they are planned.
fn is_planned(name: &str) -> bool {
    ["if", "iif"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn many_next() -> String {
    "say it in a query: `velox-tui sql run -e 'SELECT …'`".to_owned()
}

fn advice(name: &str, functions: &Functions) -> String {
    let known = functions.scalars().keys().map(String::as_str);
    did_you_mean(name, known).unwrap_or_else(|| "`velox-tui sql functions` lists them".to_owned())
}

/// Plain fields that an operation takes as numbers.
fn numbers(expr: &Expr) -> Vec<&str> {
    use BinaryOperator::{Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Modulo, Multiply, NotEq, Plus};
    match expr {
        Expr::BinaryOp { left, op: Multiply | Divide | Modulo, right } => {
            plain(left).into_iter().chain(plain(right)).collect()
        }
        Expr::BinaryOp { left, op: Plus | Minus | Eq | NotEq | Gt | GtEq | Lt | LtEq, right } => {
            match (is_number(left), is_number(right)) {
                (false, true) => plain(left).into_iter().collect(),
                (true, false) => plain(right).into_iter().collect(),
                _ => Vec::new(),
            }
        }
        Expr::Between { expr, low, high, .. } if is_number(low) && is_number(high) => plain(expr).into_iter().collect(),
        Expr::InList { expr, list, .. } if list.iter().all(is_number) => plain(expr).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn plain(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::Nested(inner) => plain(inner),
        _ => None,
    }
}

/// A number, or what is computed of one.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } | Expr::Nested(expr) => is_number(expr),
        Expr::BinaryOp { left, op: BinaryOperator::Multiply | BinaryOperator::Divide, right } => {
            is_number(left) || is_number(right)
        }
        _ => false,
    }
}

/// A fault of the planner where it stands in the text.
pub fn placed(text: &str, fault: Fault) -> Diagnostic {
    let place = fault.place.as_ref().map(|place| (u64::from(place.line), u64::from(place.column)));
    let start = place.map(|(line, column)| byte(text, line, column));
    let span = start.map_or(Span { start: 0, end: text.len() }, |start| word(text, start));
    Diagnostic { span, fault: fault.at(at(text, span.start)) }
}

fn diagnostic(text: &str, span: Option<tokenizer::Span>, what: String, next: String) -> Diagnostic {
    let span = match span.filter(|span| span.start.line > 0) {
        Some(span) => word(text, byte(text, span.start.line, span.start.column)),
        None => Span { start: 0, end: text.len() },
    };
    Diagnostic { span, fault: Fault::new(Blame::Operator, what).at(at(text, span.start)).next(next) }
}

fn word(text: &str, start: usize) -> Span {
    let letters = text[start..].chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_');
    let end = start + letters.map(char::len_utf8).sum::<usize>();
    Span { start, end: end.max((start + 1).min(text.len())) }
}

fn byte(text: &str, line: u64, column: u64) -> usize {
    let lines = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let letters = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    text[start..].char_indices().nth(letters).map_or(text.len(), |(at, _)| start + at)
}

fn at(text: &str, byte: usize) -> Place {
    let before = text.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    Place::at(NAME, u32::try_from(line).unwrap_or(0), u32::try_from(column).unwrap_or(0))
}
