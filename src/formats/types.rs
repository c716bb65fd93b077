//! Names of types as SQL writes them, for options and for people. It plans nothing; the SQL parser has its own.

use std::borrow::Cow;

use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::util::display::FormatOptions;

use super::moment;

/// The type of a name such as `BIGINT`, `DECIMAL(10,2)` or `TIMESTAMP(3)`; none that nests.
pub fn parse(name: &str) -> Option<DataType> {
    let name = name.trim().to_ascii_uppercase();
    let (word, arguments) = match name.split_once('(') {
        Some((word, rest)) => (word.trim(), Some(rest.strip_suffix(')')?)),
        None => (name.as_str(), None),
    };
    let mut numbers =
        arguments.into_iter().flat_map(|arguments| arguments.split(',')).map(|text| text.trim().parse::<u8>());
    let (first, second) = (numbers.next().transpose().ok()?, numbers.next().transpose().ok()?);
    Some(match word {
        "BOOLEAN" | "BOOL" => DataType::Boolean,
        "TINYINT" => DataType::Int8,
        "SMALLINT" => DataType::Int16,
        "INT" | "INTEGER" => DataType::Int32,
        "BIGINT" => DataType::Int64,
        "FLOAT" | "REAL" => DataType::Float32,
        "DOUBLE" | "DOUBLE PRECISION" => DataType::Float64,
        "DECIMAL" | "NUMERIC" => {
            let (precision, scale) = (first.unwrap_or(38), second.unwrap_or(if first.is_some() { 0 } else { 10 }));
            let scale = i8::try_from(scale).ok()?;
            if precision == 0 || precision > 76 || u8::try_from(scale).ok()? > precision {
                return None;
            }
            if precision <= 38 {
                DataType::Decimal128(precision, scale)
            } else {
                DataType::Decimal256(precision, scale)
            }
        }
        "VARCHAR" | "STRING" | "TEXT" | "CHAR" => DataType::Utf8,
        "BYTES" | "BINARY" | "VARBINARY" | "BYTEA" => DataType::Binary,
        "DATE" => DataType::Date32,
        "TIME" => DataType::Time64(TimeUnit::Nanosecond),
        "TIMESTAMP" | "DATETIME" => DataType::Timestamp(unit(first.unwrap_or(3))?, None),
        _ => return None,
    })
}

fn unit(digits: u8) -> Option<TimeUnit> {
    Some(match digits {
        0 => TimeUnit::Second,
        3 => TimeUnit::Millisecond,
        6 => TimeUnit::Microsecond,
        9 => TimeUnit::Nanosecond,
        _ => return None,
    })
}

/// Words that a declaration would read as something else than a name.
const NO_NAMES: [&str; 24] = [
    "all",
    "and",
    "as",
    "by",
    "case",
    "constraint",
    "create",
    "end",
    "exists",
    "for",
    "from",
    "group",
    "in",
    "interval",
    "not",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "select",
    "unique",
    "watermark",
    "where",
];

/// A name as SQL writes it: in quotes where it is no plain word.
pub fn identifier(name: &str) -> Cow<'_, str> {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_plain = starts && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_plain && !NO_NAMES.contains(&name.to_ascii_lowercase().as_str()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A type as SQL writes it, so that it can be declared as it is printed.
pub fn name(data_type: &DataType) -> String {
    let one = |field: &Field| format!("{} {}", identifier(field.name()), name(field.data_type()));
    match data_type {
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INT".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::Float32 => "FLOAT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("DECIMAL({precision},{scale})")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BYTES".into(),
        DataType::Date32 | DataType::Date64 => "DATE".into(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".into(),
        DataType::Timestamp(unit, zone) => {
            let digits = match unit {
                TimeUnit::Second => 0,
                TimeUnit::Millisecond => 3,
                TimeUnit::Microsecond => 6,
                TimeUnit::Nanosecond => 9,
            };
            format!("TIMESTAMP({digits}){}", if zone.is_some() { " WITH TIME ZONE" } else { "" })
        }
        DataType::Interval(_) => "INTERVAL".into(),
        DataType::List(item) | DataType::LargeList(item) => format!("ARRAY<{}>", name(item.data_type())),
        DataType::Struct(fields) => {
            format!("STRUCT<{}>", fields.iter().map(|field| one(field)).collect::<Vec<_>>().join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("MAP<{}, {}>", name(fields[0].data_type()), name(fields[1].data_type()))
            }
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

/// How a column of this type is shown: a time with as many digits of a second as its type has, milliseconds at least.
pub fn shown(data_type: &DataType) -> FormatOptions<'static> {
    let options = FormatOptions::new().with_null("NULL");
    let (time, zoned) = match finest(data_type) {
        Some(TimeUnit::Nanosecond) => ("%Y-%m-%d %H:%M:%S%.9f", "%Y-%m-%d %H:%M:%S%.9f%:z"),
        Some(TimeUnit::Microsecond) => ("%Y-%m-%d %H:%M:%S%.6f", "%Y-%m-%d %H:%M:%S%.6f%:z"),
        _ => ("%Y-%m-%d %H:%M:%S%.3f", "%Y-%m-%d %H:%M:%S%.3f%:z"),
    };
    options.with_timestamp_format(Some(time)).with_timestamp_tz_format(Some(zoned))
}

/// The finest unit of the timestamps in a type.
fn finest(data_type: &DataType) -> Option<TimeUnit> {
    match data_type {
        DataType::Timestamp(unit, _) => Some(*unit),
        DataType::List(field) | DataType::LargeList(field) | DataType::Map(field, _) => finest(field.data_type()),
        DataType::Struct(fields) => fields.iter().filter_map(|field| finest(field.data_type())).max(),
        _ => None,
    }
}

/// Milliseconds since 1970 of a text that is a time.
pub fn milliseconds(text: &str) -> Option<i64> {
    moment::parse(text.as_bytes())?.count(TimeUnit::Millisecond)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_type_is_printed_as_it_can_be_declared() {
        for written in ["BIGINT", "DECIMAL(10,2)", "TIMESTAMP(3)", "VARCHAR", "BOOLEAN", "DATE", "DOUBLE", "BYTES"] {
            assert_eq!(name(&parse(written).unwrap()), written);
        }
        assert_eq!(parse("DECIMAL(2,5)"), None);
        assert_eq!(parse("GEOMETRY"), None);
    }
}
