//! Spellings of the standard and of other engines that the planner does not read, as those that it does: `FLOOR(t TO HOUR)`,
//! `RLIKE`, `U&'…'`, `LIKE … ESCAPE`, `INTERVAL '1-2' YEAR TO MONTH`, numbers too fine for a decimal. It knows no types.

use sqlparser::ast::{
    CastKind, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, Interval, ObjectName, UnaryOperator, Value, ValueWithSpan,
};

/// Digits of the widest decimal that is computed with.
const DIGITS_MAX: i64 = 38;

/// An expression as the planner reads it; none where it does already.
pub fn known(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(field) } if *field != DateTimeField::NoDateTime => {
            Some(call("date_trunc", vec![text(&field.to_string().to_lowercase()), expr.as_ref().clone()]))
        }
        Expr::RLike { negated, expr, pattern, .. } => {
            let found = call("regexp_like", vec![expr.as_ref().clone(), pattern.as_ref().clone()]);
            Some(match negated {
                true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(found) },
                false => found,
            })
        }
        Expr::Value(ValueWithSpan { value, span }) => {
            let value = match value {
                Value::UnicodeStringLiteral(said) => Value::SingleQuotedString(said.clone()),
                Value::Number(said, _) if is_too_fine(said) => return Some(double(said)),
                _ => return None,
            };
            Some(Expr::Value(ValueWithSpan { value, span: *span }))
        }
        Expr::Like { escape_char: Some(escape), pattern, negated, any: false, expr } => {
            let pattern = Box::new(escaped(pattern, escape)?);
            let (negated, expr) = (*negated, expr.clone());
            Some(Expr::Like { escape_char: None, pattern, negated, any: false, expr })
        }
        Expr::ILike { escape_char: Some(escape), pattern, negated, any: false, expr } => {
            let pattern = Box::new(escaped(pattern, escape)?);
            let (negated, expr) = (*negated, expr.clone());
            Some(Expr::ILike { escape_char: None, pattern, negated, any: false, expr })
        }
        Expr::Interval(interval) => months(interval).map(Expr::Interval),
        _ => None,
    }
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let unnamed = |argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(unnamed).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn text(said: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(said.to_owned()).into())
}

/// Whether a number with an exponent has more digits than a decimal.
fn is_too_fine(said: &str) -> bool {
    let Some((number, exponent)) = said.split_once(['e', 'E']) else { return false };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let Ok(exponent) = exponent.parse::<i32>().map(i64::from) else { return true };
    let (before, behind) = (length(whole).saturating_add(exponent), length(fraction).saturating_sub(exponent));
    before.max(0).saturating_add(behind.max(0)) > DIGITS_MAX
}

fn double(said: &str) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(text(said)),
        data_type: DataType::Double(ExactNumberInfo::None),
        array: false,
        format: None,
    }
}

/// A pattern whose signs are taken as they are behind a backslash, as the planner has it; none where it is no constant.
fn escaped(pattern: &Expr, escape: &Value) -> Option<Expr> {
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(pattern), span }) = pattern else { return None };
    let Value::SingleQuotedString(escape) = escape else { return None };
    let mut escape = escape.chars();
    let (Some(escape), None) = (escape.next(), escape.next()) else { return None };
    let mut made = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let taken = if letter == escape { letters.next()? } else { letter };
        if letter == escape && matches!(taken, '%' | '_') || taken == '\\' {
            made.push('\\');
        }
        made.push(taken);
    }
    Some(Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(made), span: *span }))
}

/// Years and months in one text as two lengths.
fn months(interval: &Interval) -> Option<Interval> {
    let (Some(DateTimeField::Year), Some(DateTimeField::Month)) = (&interval.leading_field, &interval.last_field)
    else {
        return None;
    };
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(said), span }) = interval.value.as_ref() else {
        return None;
    };
    let (sign, unsigned) = match said.trim().strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", said.trim()),
    };
    let (years, months) = unsigned.split_once('-')?;
    let (years, months): (u32, u32) = (years.trim().parse().ok()?, months.trim().parse().ok()?);
    let value = Value::SingleQuotedString(format!("{sign}{years} years {sign}{months} months"));
    let value = Box::new(Expr::Value(ValueWithSpan { value, span: *span }));
    Some(Interval { value, leading_field: None, last_field: None, ..interval.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn spellings_become_those_that_the_planner_reads() {
        for (written, expected) in [
            ("FLOOR(t TO HOUR)", Some("date_trunc('hour', t)")),
            ("a RLIKE 'b'", Some("regexp_like(a, 'b')")),
            ("a NOT RLIKE 'b'", Some("NOT regexp_like(a, 'b')")),
            ("U&'\\00e9'", Some("'é'")),
            ("1e-300", Some("CAST('1e-300' AS DOUBLE)")),
            ("1e10", None),
            ("1.5e-3", None),
            ("a LIKE 'x!%!!%' ESCAPE '!'", Some("a LIKE 'x\\%!%'")),
            ("a LIKE 'x\\!_' ESCAPE '!'", Some("a LIKE 'x\\\\\\_'")),
            ("a LIKE b ESCAPE '!'", None),
            ("INTERVAL '1-2' YEAR TO MONTH", Some("INTERVAL '1 years 2 months'")),
            ("INTERVAL '5' MINUTE", None),
        ] {
            let dialect = GenericDialect {};
            let expr = Parser::new(&dialect).try_with_sql(written).unwrap().parse_expr().unwrap();
            assert_eq!(known(&expr).map(|made| made.to_string()).as_deref(), expected, "{written}");
        }
    }
}
