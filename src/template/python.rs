//! Prints values as Python's `str` does, because that is what Jinja2 templates expect: `True`, `None`, `['a', 1.5]`.

use std::fmt::{self, Write};

use minijinja::value::{Value, ValueKind};

/// Appends what Python's `str(value)` gives.
pub(super) fn write_str(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value.as_str() {
        Some(text) => out.write_str(text),
        None => write_value(out, value),
    }
}

fn write_value(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value.kind() {
        ValueKind::None => out.write_str("None"),
        ValueKind::Bool => out.write_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(number) => {
                write_float(out, number);
                Ok(())
            }
            Err(_) => write!(out, "{value}"),
        },
        ValueKind::Seq => write_list(out, value),
        ValueKind::Iterable if value.len().is_some() => write_list(out, value),
        ValueKind::Map => write_map(out, value),
        _ => write!(out, "{value}"),
    }
}

/// What Python's `repr(value)` gives.
fn write_repr(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value.as_str() {
        Some(text) => write_quoted(out, text),
        None => write_value(out, value),
    }
}

fn write_list(out: &mut impl Write, value: &Value) -> fmt::Result {
    let (open, close) = if value.is_tuple() { ('(', ')') } else { ('[', ']') };
    out.write_char(open)?;
    let mut count = 0;
    for item in value.try_iter().into_iter().flatten() {
        if 0 < count {
            out.write_str(", ")?;
        }
        write_repr(out, &item)?;
        count += 1;
    }
    if value.is_tuple() && count == 1 {
        out.write_char(',')?;
    }
    out.write_char(close)
}

fn write_map(out: &mut impl Write, value: &Value) -> fmt::Result {
    out.write_char('{')?;
    let pairs = value.as_object().and_then(|object| object.try_iter_pairs());
    for (index, (key, value)) in pairs.into_iter().flatten().enumerate() {
        if 0 < index {
            out.write_str(", ")?;
        }
        write_repr(out, &key)?;
        out.write_str(": ")?;
        write_repr(out, &value)?;
    }
    out.write_char('}')
}

/// Python takes single quotes unless the text holds one and no double quote.
fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.write_char(quote)?;
    for letter in text.chars() {
        match letter {
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            letter if letter == quote => write!(out, "\\{letter}")?,
            letter if letter < ' ' || letter == '\u{7f}' => write!(out, "\\x{:02x}", u32::from(letter))?,
            letter => out.write_char(letter)?,
        }
    }
    out.write_char(quote)
}

/// Appends a whole number, as every language of ours spells it.
pub(super) fn write_integer(out: &mut String, number: i64) {
    // Twenty digits hold 2^64.
    let (mut digits, mut at, mut left) = ([b'0'; 20], 20, number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// What Python's `repr` of a float gives: shortest digits that read back, an exponent below 1e-4 and from 1e16.
pub(super) fn write_float(out: &mut impl Write, number: f64) {
    let size = number.abs();
    let _ = if number.is_nan() {
        out.write_str("nan")
    } else if number.is_infinite() {
        out.write_str(if number < 0.0 { "-inf" } else { "inf" })
    } else if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
                write!(out, "{digits}e{sign}{exponent:0>2}")
            }
            None => out.write_str(&text),
        }
    } else if number.fract() == 0.0 {
        write!(out, "{number:.1}")
    } else {
        write!(out, "{number}")
    };
}
