//! Constants of calls that no row can make right: parts of a time that there are not, shares beyond the whole, patterns that
//! are none. Seen in the query, before anything is opened. Pure.

use std::ops::ControlFlow;
use std::str::FromStr;

use arrow::compute::kernels::cast_utils::IntervalUnit;
use sqlparser::ast::{
    BinaryOperator, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Interval,
    SelectItem, UnaryOperator, Value, visit_expressions,
};
use sqlparser::tokenizer::Location;

use super::at;
use super::locate::start_of;
use crate::core::fault::Fault;
use crate::core::words::did_you_mean;
use crate::sql::functions::pattern_fault;
use crate::sql::plan::session::refused;

/// Parts of a time beside the units of an interval.
const PARTS: [&str; 7] = ["isoyear", "qtr", "quarter", "doy", "dow", "isodow", "epoch"];
/// Units of an interval.
const UNITS: [&str; 16] = [
    "SECOND",
    "SECONDS",
    "MINUTE",
    "MINUTES",
    "HOUR",
    "HOURS",
    "DAY",
    "DAYS",
    "WEEK",
    "WEEKS",
    "MONTH",
    "MONTHS",
    "YEAR",
    "YEARS",
    "MILLISECOND",
    "MILLISECONDS",
];
/// Functions that take a share of the whole.
const SHARES: [&str; 4] = ["percentile_cont", "percentile_disc", "approx_percentile_cont", "quantile_cont"];
/// Functions whose second argument is a regular expression.
const REGULAR: [&str; 9] = [
    "regexp",
    "rlike",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "regexp_count",
    "regexp_instr",
    "regexp_extract",
    "regexp_substr",
];
/// Functions whose second argument is the pattern of a time.
const WRITTEN: [&str; 10] = [
    "date_format",
    "to_char",
    "format_timestamp",
    "timestamptostring",
    "strftime",
    "format_date",
    "to_timestamp",
    "to_timestamp_ltz",
    "str_to_date",
    "stringtotimestamp",
];

/// What is wrong with a constant of this expression, at its place.
pub(super) fn wrong(expr: &Expr) -> Option<Fault> {
    match expr {
        Expr::Extract { field, expr: of, .. } => {
            let name = field.to_string();
            let own = match field {
                DateTimeField::Custom(word) => Some(word.span.start).filter(|start| start.line > 0),
                _ => None,
            };
            let place = own.or_else(|| start_of(of));
            part(&name).map(|fault| placed(fault, place))
        }
        Expr::BinaryOp {
            op:
                BinaryOperator::PGRegexMatch
                | BinaryOperator::PGRegexIMatch
                | BinaryOperator::PGRegexNotMatch
                | BinaryOperator::PGRegexNotIMatch,
            right,
            ..
        } => of_text(right, regular),
        Expr::RLike { pattern, .. } => of_text(pattern, regular),
        Expr::Interval(interval) => {
            let said = unitless(interval)?;
            let fault =
                refused(&format!("INTERVAL '{said}' says no unit")).next(format!("write INTERVAL '{said}' MINUTE"));
            Some(placed(fault, start_of(expr)))
        }
        Expr::Collate { expr, .. } => {
            let fault = refused("COLLATE is not known here: texts are compared letter by letter");
            Some(placed(fault.next("LOWER(a) = LOWER(b) compares them whatever their case"), start_of(expr)))
        }
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr } => {
            let fault = refused("there is no operator `~` before a number");
            Some(placed(fault.next("every bit of v is turned by -1 - v"), start_of(expr)))
        }
        Expr::Function(function) => call(function),
        _ => None,
    }
}

/// The number of an interval that stands without a unit.
fn unitless(interval: &Interval) -> Option<String> {
    let Expr::Value(value) = interval.value.as_ref() else { return None };
    let said = match &value.value {
        Value::SingleQuotedString(text) | Value::Number(text, _) => text.trim(),
        _ => return None,
    };
    (interval.leading_field.is_none() && said.parse::<f64>().is_ok()).then(|| said.to_owned())
}

/// A unit of an interval that is written wrong, which is taken for a name of the result.
pub(super) fn unit_of_alias(item: &SelectItem) -> Option<Fault> {
    let SelectItem::ExprWithAlias { expr, alias } = item else { return None };
    let lacks_unit = visit_expressions(expr, |part| match part {
        Expr::Interval(interval) if unitless(interval).is_some() => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let next = lacks_unit.is_break().then(|| did_you_mean(&alias.value.to_uppercase(), UNITS))??;
    let fault = refused(&format!("`{}` is no unit of an interval", alias.value)).next(next);
    Some(fault.at(at(alias.span.start)))
}

fn call(function: &Function) -> Option<Fault> {
    let name = function.name.to_string().to_lowercase();
    let is = |known: &[&str]| known.contains(&name.as_str());
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let arguments: Vec<Expr> = list.args.iter().filter_map(plain).collect();
    match arguments.as_slice() {
        [share] if is(&SHARES) && !function.within_group.is_empty() => of_number(share, &name),
        [_, share, ..] if is(&SHARES) => of_number(share, &name),
        // Flags may make another pattern of it.
        [_, pattern] if is(&REGULAR) => of_text(pattern, regular),
        [_, pattern, _] if is(&["regexp_replace", "regexp_extract", "regexp_substr"]) => of_text(pattern, regular),
        [_, pattern] if is(&WRITTEN) => of_text(pattern, |text| pattern_fault(text).map(|what| refused(&what))),
        [unit, _] if is(&["date_part", "datepart"]) => of_text(unit, part),
        _ => None,
    }
}

/// What is wrong with a text that stands there.
fn of_text(expr: &Expr, wrong: impl Fn(&str) -> Option<Fault>) -> Option<Fault> {
    let Expr::Value(value) = expr else { return None };
    let (Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text)) = &value.value else { return None };
    wrong(text).map(|fault| placed(fault, start_of(expr)))
}

fn of_number(expr: &Expr, name: &str) -> Option<Fault> {
    let (inner, is_negative) = match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => (expr.as_ref(), true),
        other => (other, false),
    };
    let Expr::Value(value) = inner else { return None };
    let Value::Number(text, _) = &value.value else { return None };
    let number: f64 = text.parse().ok()?;
    let is_share = number <= 1.0 && (!is_negative || number == 0.0);
    let shown = format!("{}{text}", if is_negative { "-" } else { "" });
    let what = format!("the share of `{}` is from 0 to 1, and here is {shown}", name.to_uppercase());
    (!is_share)
        .then(|| placed(refused(&what).next("write 0.95 for the value that 95 of 100 are below"), start_of(expr)))
}

fn part(name: &str) -> Option<Fault> {
    let lower = name.trim_matches(['\'', '"']).to_lowercase();
    let is_unit = matches!(
        IntervalUnit::from_str(&lower),
        Ok(IntervalUnit::Year
            | IntervalUnit::Month
            | IntervalUnit::Week
            | IntervalUnit::Day
            | IntervalUnit::Hour
            | IntervalUnit::Minute
            | IntervalUnit::Second
            | IntervalUnit::Millisecond
            | IntervalUnit::Microsecond
            | IntervalUnit::Nanosecond)
    );
    (!is_unit && !PARTS.contains(&lower.as_str())).then(|| {
        refused(&format!("`{name}` is no part of a time")).next(
            "parts are: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, DOW, DOY, ISODOW, ISOYEAR, EPOCH",
        )
    })
}

fn regular(text: &str) -> Option<Fault> {
    let error = regex::Regex::new(text).err()?;
    let said = error.to_string();
    let why = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Some(refused(&format!("`{text}` is no regular expression")).next(why))
}

fn placed(fault: Fault, place: Option<Location>) -> Fault {
    match place {
        Some(place) => fault.at(at(place)),
        None => fault,
    }
}
