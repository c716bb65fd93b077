//! Spellings of the standard and of other engines that the planner does not read, as those that it does: `FLOOR(t TO HOUR)`,
//! `RLIKE`, `U&'…'`, `LIKE … ESCAPE`, `INTERVAL '1-2' YEAR TO MONTH`, `1e3`, `TIMESTAMP '…'` of as many digits as it has. It
//! knows no types.

use sqlparser::ast::{
    CastKind, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, Interval, ObjectName, SetExpr, TimezoneInfo, TypedString,
    UnaryOperator, Value, ValueWithSpan,
};

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
                // As the standard has it: a number with an exponent is DOUBLE, one with a point alone is exact.
                Value::Number(said, _) if said.contains(['e', 'E']) => return Some(double(said)),
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
        Expr::TypedString(said) => moment(said).map(Expr::TypedString),
        _ => None,
    }
}

/// Makes the constants of each column of VALUES alike where the planner takes the type that loses digits: times of the finest
/// type among them, and numbers DOUBLE where one is.
pub fn columns(body: &mut SetExpr) {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            columns(left);
            columns(right);
        }
        SetExpr::Values(values) => {
            for column in 0..values.rows.first().map_or(0, Vec::len) {
                let of_column = || values.rows.iter().filter_map(|row| row.get(column));
                let (finest, has_double) = (of_column().filter_map(digits).max(), of_column().any(is_double));
                for cell in values.rows.iter_mut().filter_map(|row| row.get_mut(column)) {
                    if has_double {
                        exact_to_double(cell);
                    }
                    if digits(cell) < finest
                        && let Expr::TypedString(TypedString { data_type: DataType::Timestamp(digits, _), .. }) = cell
                    {
                        *digits = finest;
                    }
                }
            }
        }
        _ => {}
    }
}

fn is_double(expr: &Expr) -> bool {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::Number(said, _), .. }) => said.contains(['e', 'E']),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_double(expr),
        Expr::Cast { data_type, .. } => {
            matches!(data_type, DataType::Double(_) | DataType::DoublePrecision | DataType::Float(_) | DataType::Real)
        }
        _ => false,
    }
}

fn exact_to_double(expr: &mut Expr) {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::Number(said, _), .. }) if said.contains('.') => *expr = double(said),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => exact_to_double(expr),
        _ => {}
    }
}

/// Digits of a second that a timestamp's type says or that it is written with.
fn digits(expr: &Expr) -> Option<u64> {
    let Expr::TypedString(said) = expr else { return None };
    match moment(said).as_ref().unwrap_or(said).data_type {
        DataType::Timestamp(digits, _) => Some(digits.unwrap_or(3)),
        _ => None,
    }
}

/// A timestamp that is written with more digits of a second than three, of the type that has them all.
fn moment(said: &TypedString) -> Option<TypedString> {
    let zone = match said.data_type {
        DataType::Timestamp(None, zone) => zone,
        DataType::Datetime(None) => TimezoneInfo::None,
        _ => return None,
    };
    let Value::SingleQuotedString(text) = &said.value.value else { return None };
    let (_, fraction) = text.split_once('.')?;
    let digits = match fraction.bytes().take_while(u8::is_ascii_digit).count() {
        0..=3 => return None,
        4..=6 => 6,
        _ => 9,
    };
    Some(TypedString { data_type: DataType::Timestamp(Some(digits), zone), ..said.clone() })
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
            ("1e10", Some("CAST('1e10' AS DOUBLE)")),
            ("1.5E-3", Some("CAST('1.5E-3' AS DOUBLE)")),
            ("1.5", None),
            ("TIMESTAMP '2024-01-01 00:00:00.123'", None),
            ("TIMESTAMP '2024-01-01 00:00:00.123456'", Some("TIMESTAMP(6) '2024-01-01 00:00:00.123456'")),
            ("TIMESTAMP '2024-01-01 00:00:00.1234567'", Some("TIMESTAMP(9) '2024-01-01 00:00:00.1234567'")),
            ("TIMESTAMP(3) '2024-01-01 00:00:00.123456'", None),
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
