//! The encoder: one object a row. Decimals become strings so that no reader rounds them, times RFC 3339, NULLs `null`.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Decimal256Array, Float32Array, Float64Array, Int64Array,
    OffsetSizeTrait, RecordBatch, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int64Type, Time64NanosecondType,
    TimeUnit, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::core::fault::{Blame, Fault};
use crate::formats::contract::{Encoded, Encoder};
use crate::formats::{decimal, moment};

/// Writes rows as JSON objects.
#[derive(Debug, Default)]
pub struct JsonEncoder {
    /// What a row took last time, to begin with enough room.
    row_bytes: usize,
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, batch: &RecordBatch) -> Result<Encoded, Fault> {
        let writer = RowWriter::of(batch)?;
        let rows = batch.num_rows();
        let mut bytes = Vec::with_capacity(rows * (self.row_bytes + 8));
        let mut ends = Vec::with_capacity(rows);
        for row in 0..rows {
            writer.write(row, &mut bytes);
            ends.push(bytes.len());
        }
        self.row_bytes = bytes.len().checked_div(rows).unwrap_or(0);
        Ok(Encoded { bytes, ends, bad: Vec::new() })
    }
}

/// The rows of one batch, ready to be written one by one.
pub struct RowWriter<'b> {
    fields: Vec<Member<'b>>,
}

/// A field of an object: its name as it is written, with what stands before it, and its values.
struct Member<'b> {
    lead: Vec<u8>,
    values: Values<'b>,
}

enum Values<'b> {
    Nothing,
    Boolean(BooleanArray),
    Whole(Int64Array),
    Unsigned(UInt64Array),
    Single(Float32Array),
    Real(Float64Array),
    Decimal(Decimal128Array, i8),
    Wide(Decimal256Array, i8),
    Text(ArrayRef),
    LongText(ArrayRef),
    Bytes(ArrayRef),
    Moment(Int64Array, TimeUnit),
    Date(ArrayRef),
    Time(ArrayRef),
    Struct(Vec<Member<'b>>, Option<NullBuffer>),
    List(Box<Values<'b>>, Vec<usize>, Option<NullBuffer>),
    Map(Box<Values<'b>>, Box<Values<'b>>, Vec<usize>, Option<NullBuffer>),
    Shown(Box<ArrayFormatter<'b>>, Option<NullBuffer>),
}

impl<'b> RowWriter<'b> {
    /// Looks at every column once.
    ///
    /// # Errors
    /// A column of a type that has no text.
    pub fn of(batch: &'b RecordBatch) -> Result<Self, Fault> {
        let names = batch.schema_ref().fields().iter().map(|field| field.name().as_str());
        Ok(Self { fields: members(names, batch.columns())? })
    }

    /// Appends one row as an object.
    #[inline]
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        object(&self.fields, row, out);
    }
}

/// The values of one column as plain text, without quotes: for keys, CSV and raw records.
pub struct PlainWriter<'b>(Values<'b>);

impl<'b> PlainWriter<'b> {
    /// Looks at the column once.
    ///
    /// # Errors
    /// A type that has no text.
    pub fn of(column: &'b ArrayRef) -> Result<Self, Fault> {
        Values::of(column).map(Self)
    }

    /// Whether the value of a row is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.0.is_null(row)
    }

    /// Appends the text of a value that is not NULL; bytes as they are, nested values as JSON.
    #[inline]
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.0 {
            Values::Text(values) => out.extend_from_slice(values.as_string::<i32>().value(row).as_bytes()),
            Values::LongText(values) => out.extend_from_slice(values.as_string::<i64>().value(row).as_bytes()),
            Values::Bytes(values) => out.extend_from_slice(values.as_binary::<i64>().value(row)),
            Values::Shown(values, _) => out.extend_from_slice(values.value(row).to_string().as_bytes()),
            other => {
                let start = out.len();
                other.write(row, out);
                // Quoted are only numbers and times, which hold nothing that was escaped.
                if out.get(start) == Some(&b'"') {
                    out.remove(start);
                    out.pop();
                }
            }
        }
    }
}

fn members<'b, 'n>(names: impl Iterator<Item = &'n str>, columns: &'b [ArrayRef]) -> Result<Vec<Member<'b>>, Fault> {
    names
        .zip(columns)
        .enumerate()
        .map(|(index, (name, column))| {
            let mut lead = vec![if index == 0 { b'{' } else { b',' }];
            string(name.as_bytes(), &mut lead);
            lead.push(b':');
            let values = Values::of(column).map_err(|error| {
                Fault::new(Blame::Program, format!("column `{name}` cannot be written as JSON: {error}"))
            })?;
            Ok(Member { lead, values })
        })
        .collect()
}

#[inline]
fn object(members: &[Member<'_>], row: usize, out: &mut Vec<u8>) {
    if members.is_empty() {
        out.push(b'{');
    }
    for member in members {
        out.extend_from_slice(&member.lead);
        member.values.write(row, out);
    }
    out.push(b'}');
}

impl<'b> Values<'b> {
    fn of(column: &'b ArrayRef) -> Result<Self, Fault> {
        let defect = |error: arrow::error::ArrowError| Fault::new(Blame::Program, error.to_string());
        let as_type = |data_type: &DataType| cast(column, data_type).map_err(defect);
        Ok(match column.data_type() {
            DataType::Null => Self::Nothing,
            DataType::Boolean => Self::Boolean(column.as_boolean().clone()),
            DataType::Int64 => Self::Whole(column.as_primitive::<Int64Type>().clone()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Whole(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            DataType::UInt64 => Self::Unsigned(column.as_primitive::<UInt64Type>().clone()),
            DataType::Float32 => Self::Single(column.as_primitive::<Float32Type>().clone()),
            DataType::Float16 => Self::Single(as_type(&DataType::Float32)?.as_primitive::<Float32Type>().clone()),
            DataType::Float64 => Self::Real(column.as_primitive::<Float64Type>().clone()),
            DataType::Decimal128(_, scale) => Self::Decimal(column.as_primitive::<Decimal128Type>().clone(), *scale),
            DataType::Decimal256(_, scale) => Self::Wide(column.as_primitive::<Decimal256Type>().clone(), *scale),
            DataType::Utf8 => Self::Text(column.clone()),
            DataType::LargeUtf8 => Self::LongText(column.clone()),
            DataType::Utf8View => Self::LongText(as_type(&DataType::LargeUtf8)?),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Bytes(as_type(&DataType::LargeBinary)?)
            }
            DataType::Timestamp(unit, _) => {
                Self::Moment(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().clone(), *unit)
            }
            DataType::Date32 => Self::Date(column.clone()),
            DataType::Date64 => Self::Date(as_type(&DataType::Date32)?),
            DataType::Time32(_) | DataType::Time64(_) => Self::Time(as_type(&DataType::Time64(TimeUnit::Nanosecond))?),
            DataType::Struct(fields) => {
                let array = column.as_struct();
                let names = fields.iter().map(|field| field.name().as_str());
                Self::Struct(members(names, array.columns())?, array.nulls().cloned())
            }
            DataType::List(_) => list::<i32>(column)?,
            DataType::LargeList(_) => list::<i64>(column)?,
            DataType::Map(..) => {
                let array = column.as_map();
                let offsets = array.offsets().iter().map(|offset| usize::try_from(*offset).unwrap_or(0)).collect();
                let (keys, values) = (Self::of(array.keys())?, Self::of(array.values())?);
                Self::Map(Box::new(keys), Box::new(values), offsets, array.nulls().cloned())
            }
            _ => {
                const OPTIONS: FormatOptions<'static> = FormatOptions::new();
                let shown = ArrayFormatter::try_new(column.as_ref(), &OPTIONS).map_err(defect)?;
                Self::Shown(Box::new(shown), column.logical_nulls())
            }
        })
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match self {
            Self::Nothing => out.extend_from_slice(b"null"),
            Self::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Self::Whole(values) => out.extend_from_slice(itoa::Buffer::new().format(values.value(row)).as_bytes()),
            Self::Unsigned(values) => out.extend_from_slice(itoa::Buffer::new().format(values.value(row)).as_bytes()),
            Self::Single(values) => real(values.value(row).into(), ryu::Buffer::new().format(values.value(row)), out),
            Self::Real(values) => real(values.value(row), ryu::Buffer::new().format(values.value(row)), out),
            Self::Decimal(values, scale) => {
                out.push(b'"');
                decimal::write(values.value(row), *scale, out);
                out.push(b'"');
            }
            Self::Wide(values, scale) => {
                out.push(b'"');
                decimal::write_wide(values.value(row), *scale, out);
                out.push(b'"');
            }
            Self::Text(values) => string(values.as_string::<i32>().value(row).as_bytes(), out),
            Self::LongText(values) => string(values.as_string::<i64>().value(row).as_bytes(), out),
            Self::Bytes(values) => {
                out.push(b'"');
                out.extend_from_slice(STANDARD.encode(values.as_binary::<i64>().value(row)).as_bytes());
                out.push(b'"');
            }
            Self::Moment(values, unit) => {
                out.push(b'"');
                moment::write(values.value(row), *unit, out);
                out.push(b'"');
            }
            Self::Date(values) => {
                out.push(b'"');
                moment::write_date(values.as_primitive::<Date32Type>().value(row).into(), out);
                out.push(b'"');
            }
            Self::Time(values) => {
                let nanos = values.as_primitive::<Time64NanosecondType>().value(row);
                out.push(b'"');
                moment::write_clock(nanos / 1_000_000_000, nanos % 1_000_000_000, out);
                out.push(b'"');
            }
            Self::Struct(members, _) => object(members, row, out),
            Self::List(items, offsets, _) => {
                out.push(b'[');
                for (place, item) in (offsets[row]..offsets[row + 1]).enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    items.write(item, out);
                }
                out.push(b']');
            }
            Self::Map(keys, values, offsets, _) => {
                out.push(b'{');
                for (place, item) in (offsets[row]..offsets[row + 1]).enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    keys.write_key(item, out);
                    out.push(b':');
                    values.write(item, out);
                }
                out.push(b'}');
            }
            Self::Shown(values, _) => string(values.value(row).to_string().as_bytes(), out),
        }
    }

    /// A key of a map is a string, whatever its type.
    fn write_key(&self, row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(row, out);
        if out.get(start) != Some(&b'"') {
            out.insert(start, b'"');
            out.push(b'"');
        }
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Nothing => true,
            Self::Boolean(values) => values.is_null(row),
            Self::Whole(values) | Self::Moment(values, _) => values.is_null(row),
            Self::Unsigned(values) => values.is_null(row),
            Self::Single(values) => values.is_null(row),
            Self::Real(values) => values.is_null(row),
            Self::Decimal(values, _) => values.is_null(row),
            Self::Wide(values, _) => values.is_null(row),
            Self::Text(values)
            | Self::LongText(values)
            | Self::Bytes(values)
            | Self::Date(values)
            | Self::Time(values) => values.is_null(row),
            Self::Struct(_, nulls) | Self::List(_, _, nulls) | Self::Map(_, _, _, nulls) | Self::Shown(_, nulls) => {
                nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
            }
        }
    }
}

fn list<O: OffsetSizeTrait>(column: &ArrayRef) -> Result<Values<'_>, Fault> {
    let array = column.as_list::<O>();
    let offsets = array.offsets().iter().map(|offset| offset.as_usize()).collect();
    Ok(Values::List(Box::new(Values::of(array.values())?), offsets, array.nulls().cloned()))
}

/// JSON has no word for what is no number.
fn real(value: f64, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(if value.is_finite() { text.as_bytes() } else { b"null" });
}

/// Appends a string in quotes. Most need no escape and are copied whole.
pub fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let needs_escape = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let mut rest = text;
    while let Some(at) = rest.iter().position(needs_escape) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
