//! Writes template values as JSON: compact as orjson does, or as Jinja2's `tojson` does. Never reads JSON.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::decimal::Exact;
use super::moment::Moment;
use super::python;

/// How deep a value may nest, so that a value that holds itself ends as an error: orjson's own limit.
const DEPTH_MAX: usize = 254;

/// The two spellings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// No spaces, text as it is: `to_json`.
    Compact,
    /// `, ` and `: `, keys sorted, only ASCII, and `<>&'` escaped: Jinja2's `tojson`.
    Jinja,
}

/// Appends `value`.
pub(super) fn write(out: &mut String, value: &Value, style: Style) -> Result<(), Error> {
    write_at(out, value, style, 0)
}

fn write_at(out: &mut String, value: &Value, style: Style, depth: usize) -> Result<(), Error> {
    if DEPTH_MAX < depth {
        return Err(refuse("the value nests too deep for JSON"));
    }
    match value.kind() {
        ValueKind::Undefined => return Err(Error::new(ErrorKind::UndefinedError, "an undefined value has no JSON")),
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => write_number(out, value)?,
        ValueKind::String => write_text(out, value.as_str().unwrap_or_default(), style),
        ValueKind::Seq | ValueKind::Iterable => write_list(out, value, style, depth)?,
        ValueKind::Map => write_map(out, value, style, depth)?,
        kind => match (value.downcast_object_ref::<Exact>(), value.downcast_object_ref::<Moment>()) {
            (Some(exact), _) => exact.write(out),
            (_, Some(moment)) => {
                out.push('"');
                moment.write_iso(out, 'T');
                out.push('"');
            }
            _ => return Err(refuse(format!("a value of type {kind} has no JSON"))),
        },
    }
    Ok(())
}

fn write_number(out: &mut String, value: &Value) -> Result<(), Error> {
    if value.is_integer() {
        match value.as_i64() {
            Some(number) => python::write_integer(out, number),
            None => drop(write!(out, "{value}")),
        }
        return Ok(());
    }
    let number = f64::try_from(value.clone())?;
    if !number.is_finite() {
        return Err(refuse(format!("{number} has no JSON")));
    }
    python::write_float(out, number);
    Ok(())
}

fn write_list(out: &mut String, value: &Value, style: Style, depth: usize) -> Result<(), Error> {
    out.push('[');
    for (index, item) in value.try_iter()?.enumerate() {
        if 0 < index {
            out.push_str(if style == Style::Jinja { ", " } else { "," });
        }
        write_at(out, &item, style, depth + 1)?;
    }
    out.push(']');
    Ok(())
}

fn write_map(out: &mut String, value: &Value, style: Style, depth: usize) -> Result<(), Error> {
    let Some(pairs) = value.as_object().and_then(|object| object.try_iter_pairs()) else {
        return Err(refuse("a mapping that cannot be listed has no JSON"));
    };
    let (comma, colon) = if style == Style::Jinja { (", ", ": ") } else { (",", ":") };
    let mut first = true;
    let mut pair = |out: &mut String, key: &Value, value: &Value| {
        if !std::mem::take(&mut first) {
            out.push_str(comma);
        }
        match key.as_str() {
            Some(text) => write_text(out, text, style),
            None => {
                let mut text = String::new();
                write_at(&mut text, key, style, depth + 1)?;
                write_text(out, text.trim_matches('"'), style);
            }
        }
        out.push_str(colon);
        write_at(out, value, style, depth + 1)
    };
    out.push('{');
    if style == Style::Jinja {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (key, value) in &pairs {
            pair(out, key, value)?;
        }
    } else {
        for (key, value) in pairs {
            pair(out, &key, &value)?;
        }
    }
    out.push('}');
    Ok(())
}

/// Appends `text` in quotes.
pub(super) fn write_text(out: &mut String, text: &str, style: Style) {
    out.push('"');
    if style == Style::Compact && is_clean(text) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut clean_from = 0;
    for (at, letter) in text.char_indices() {
        let escaped: &str = match letter {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            letter if letter < ' ' => "",
            '<' | '>' | '&' | '\'' if style == Style::Jinja => "",
            letter if style == Style::Jinja && (!letter.is_ascii() || letter == '\u{7f}') => "",
            _ => continue,
        };
        out.push_str(&text[clean_from..at]);
        clean_from = at + letter.len_utf8();
        if escaped.is_empty() && letter != '\u{7f}' {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else if letter == '\u{7f}' {
            out.push(letter);
        } else {
            out.push_str(escaped);
        }
    }
    out.push_str(&text[clean_from..]);
    out.push('"');
}

/// Whether `text` stands in a JSON string as it is. Looks at every byte and at nothing else, which a processor does by the
/// dozen.
pub(super) fn is_clean(text: &str) -> bool {
    let escaped = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
    !text.bytes().fold(false, |any, byte| any | escaped(byte))
}

fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::BadSerialization, why)
}
