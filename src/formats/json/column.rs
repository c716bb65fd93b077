//! One column of a JSON decoder: plain vectors that take values from a cursor, give back what a bad record left in them,
//! and become arrays without a copy.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array,
    Int64Array, ListArray, MapArray, NullArray, StringArray, StructArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit, i256};
use arrow::error::ArrowError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::object::Object;
use super::scan::{Bad, Cursor};
use crate::formats::decimal::{self, Wrong};
use crate::formats::{moment, types};

/// A column under construction.
pub struct Column {
    data_type: DataType,
    validity: Vec<bool>,
    nulls: usize,
    values: Values,
}

enum Values {
    Nothing,
    Boolean(Vec<bool>),
    Whole { values: Vec<i64>, min: i64, max: i64 },
    Real(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: i8 },
    Wide { values: Vec<i256>, precision: u8, scale: i8 },
    Text { bytes: Vec<u8>, ends: Vec<i32> },
    Bytes { bytes: Vec<u8>, ends: Vec<i32> },
    Moment { values: Vec<i64>, unit: TimeUnit },
    Date(Vec<i32>),
    Time(Vec<i64>),
    Struct(Box<Object>),
    List { item: Box<Column>, field: FieldRef, ends: Vec<i32> },
    Map { keys: Box<Column>, values: Box<Column>, entries: FieldRef, ends: Vec<i32>, is_sorted: bool },
}

impl Column {
    /// A column of a type; `None` for one that JSON cannot be read into.
    pub fn of(data_type: &DataType) -> Option<Self> {
        let whole = |min: i64, max: i64| Values::Whole { values: Vec::new(), min, max };
        let values = match data_type {
            DataType::Null => Values::Nothing,
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
            DataType::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
            DataType::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
            DataType::Int64 => whole(i64::MIN, i64::MAX),
            DataType::UInt8 => whole(0, u8::MAX.into()),
            DataType::UInt16 => whole(0, u16::MAX.into()),
            DataType::UInt32 => whole(0, u32::MAX.into()),
            DataType::Float32 | DataType::Float64 => Values::Real(Vec::new()),
            DataType::Decimal128(precision, scale) => {
                Values::Decimal { values: Vec::new(), precision: *precision, scale: *scale }
            }
            DataType::Decimal256(precision, scale) => {
                Values::Wide { values: Vec::new(), precision: *precision, scale: *scale }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Values::Text { bytes: Vec::new(), ends: vec![0] }
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Values::Bytes { bytes: Vec::new(), ends: vec![0] }
            }
            DataType::Timestamp(unit, _) => Values::Moment { values: Vec::new(), unit: *unit },
            DataType::Date32 => Values::Date(Vec::new()),
            DataType::Time32(_) | DataType::Time64(_) => Values::Time(Vec::new()),
            DataType::Struct(fields) => Values::Struct(Box::new(Object::of(fields)?)),
            DataType::List(field) => {
                Values::List { item: Box::new(Self::of(field.data_type())?), field: Arc::clone(field), ends: vec![0] }
            }
            DataType::Map(entries, is_sorted) => {
                let DataType::Struct(fields) = entries.data_type() else { return None };
                let [key, value] = fields.as_ref() else { return None };
                if key.data_type() != &DataType::Utf8 {
                    return None;
                }
                Values::Map {
                    keys: Box::new(Self::of(key.data_type())?),
                    values: Box::new(Self::of(value.data_type())?),
                    entries: Arc::clone(entries),
                    ends: vec![0],
                    is_sorted: *is_sorted,
                }
            }
            _ => return None,
        };
        Some(Self { data_type: data_type.clone(), validity: Vec::new(), nulls: 0, values })
    }

    /// Values so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether the newest value is NULL.
    pub fn is_last_null(&self) -> bool {
        self.nulls > 0 && self.validity.last() == Some(&false)
    }

    /// Takes the value that the cursor stands before.
    ///
    /// # Errors
    /// The value is none of this type; the column may then hold a part of it, which `truncate` takes back.
    #[inline]
    pub fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        if cursor.null() {
            self.null();
            return Ok(());
        }
        self.value(cursor)?;
        self.validity.push(true);
        Ok(())
    }

    /// Takes a plain text that stands for a value of this type, such as a field of CSV. Nested values are JSON.
    ///
    /// # Errors
    /// As [`Column::read`].
    #[inline]
    pub fn read_text(&mut self, text: &[u8]) -> Result<(), Bad> {
        let data_type = &self.data_type;
        let wrong = |why: Wrong| refused(data_type, why, &format!("`{}`", super::scan::shown(text)));
        let other = || mismatch(data_type, &format!("`{}`", super::scan::shown(text)));
        match &mut self.values {
            Values::Text { bytes, ends } => {
                if std::str::from_utf8(text).is_err() {
                    return Err(Bad { class: "malformed", message: "the value is no UTF-8".into(), path: vec![] });
                }
                bytes.extend_from_slice(text);
                too_long(bytes.len())?;
                ends.push(offset(bytes.len()));
            }
            Values::Whole { values, min, max } => {
                let value = whole(text).map_err(wrong)?;
                values.push((*min..=*max).contains(&value).then_some(value).ok_or_else(|| wrong(Wrong::TooLarge))?);
            }
            Values::Decimal { values, precision, scale } => {
                let value = decimal::parse(text, *scale).map_err(wrong)?;
                if !decimal::fits(value, *precision) {
                    return Err(wrong(Wrong::TooLarge));
                }
                values.push(value);
            }
            Values::Wide { values, precision, scale } => {
                let value = decimal::parse_wide(text, *scale).map_err(wrong)?;
                if value.wrapping_abs().to_string().len() > usize::from(*precision) {
                    return Err(wrong(Wrong::TooLarge));
                }
                values.push(value);
            }
            Values::Real(values) => {
                let value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(other)?;
                values.push(value);
            }
            Values::Boolean(values) => values.push(match text.to_ascii_lowercase().as_slice() {
                b"true" | b"t" | b"1" | b"yes" => true,
                b"false" | b"f" | b"0" | b"no" => false,
                _ => return Err(other()),
            }),
            Values::Moment { values, unit } => {
                let read = moment::parse(text).and_then(|moment| moment.count(*unit)).or_else(|| whole(text).ok());
                values.push(read.ok_or_else(other)?);
            }
            Values::Date(values) => values.push(moment::parse_date(text).ok_or_else(other)?),
            Values::Time(values) => values.push(moment::parse_time(text).ok_or_else(other)?),
            Values::Bytes { bytes, ends } => {
                bytes.extend_from_slice(text);
                too_long(bytes.len())?;
                ends.push(offset(bytes.len()));
            }
            Values::Nothing => {}
            Values::Struct(_) | Values::List { .. } | Values::Map { .. } => {
                let text = std::str::from_utf8(text).map_err(|_| other())?;
                let mut cursor = Cursor::new(text.as_bytes());
                self.read(&mut cursor)?;
                return cursor.end();
            }
        }
        self.validity.push(true);
        Ok(())
    }

    /// Adds a NULL.
    pub fn null(&mut self) {
        self.nulls += 1;
        self.validity.push(false);
        match &mut self.values {
            Values::Nothing => {}
            Values::Boolean(values) => values.push(false),
            Values::Whole { values, .. } | Values::Moment { values, .. } | Values::Time(values) => values.push(0),
            Values::Real(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Wide { values, .. } => values.push(i256::ZERO),
            Values::Text { bytes, ends } | Values::Bytes { bytes, ends } => ends.push(offset(bytes.len())),
            Values::Date(values) => values.push(0),
            Values::Struct(object) => object.null(),
            Values::List { item, ends, .. } => ends.push(offset(item.len())),
            Values::Map { keys, ends, .. } => ends.push(offset(keys.len())),
        }
    }

    /// Forgets everything after the first `length` values.
    pub fn truncate(&mut self, length: usize) {
        let length = length.min(self.validity.len().max(self.values.len()));
        if length < self.validity.len() {
            self.nulls -= self.validity[length..].iter().filter(|is_valid| !**is_valid).count();
            self.validity.truncate(length);
        }
        match &mut self.values {
            Values::Nothing => {}
            Values::Boolean(values) => values.truncate(length),
            Values::Whole { values, .. } | Values::Moment { values, .. } | Values::Time(values) => {
                values.truncate(length)
            }
            Values::Real(values) => values.truncate(length),
            Values::Decimal { values, .. } => values.truncate(length),
            Values::Wide { values, .. } => values.truncate(length),
            Values::Date(values) => values.truncate(length),
            Values::Text { bytes, ends } | Values::Bytes { bytes, ends } => {
                ends.truncate(length + 1);
                bytes.truncate(usize::try_from(ends[length]).unwrap_or(0));
            }
            Values::Struct(object) => object.truncate(length),
            Values::List { item, ends, .. } => {
                ends.truncate(length + 1);
                item.truncate(usize::try_from(ends[length]).unwrap_or(0));
            }
            Values::Map { keys, values, ends, .. } => {
                ends.truncate(length + 1);
                let inner = usize::try_from(ends[length]).unwrap_or(0);
                keys.truncate(inner);
                values.truncate(inner);
            }
        }
    }

    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        let data_type = &self.data_type;
        match &mut self.values {
            Values::Text { bytes, ends } => {
                if cursor.peek() == b'"' {
                    bytes.extend_from_slice(cursor.string()?.bytes());
                } else {
                    // A number, a switch or a nested value in a column of text is its own text.
                    let start = cursor.at();
                    cursor.skip()?;
                    bytes.extend_from_slice(cursor.since(start));
                }
                too_long(bytes.len())?;
                ends.push(offset(bytes.len()));
            }
            Values::Whole { values, min, max } => {
                let found = scalar(cursor, data_type, |text| {
                    let value = whole(text)?;
                    (*min..=*max).contains(&value).then_some(value).ok_or(Wrong::TooLarge)
                })?;
                values.push(found);
            }
            Values::Decimal { values, precision, scale } => {
                let found = scalar(cursor, data_type, |text| {
                    let value = decimal::parse(text, *scale)?;
                    decimal::fits(value, *precision).then_some(value).ok_or(Wrong::TooLarge)
                })?;
                values.push(found);
            }
            Values::Wide { values, precision, scale } => {
                let found = scalar(cursor, data_type, |text| {
                    let value = decimal::parse_wide(text, *scale)?;
                    let digits = value.wrapping_abs().to_string().len();
                    (digits <= usize::from(*precision)).then_some(value).ok_or(Wrong::TooLarge)
                })?;
                values.push(found);
            }
            Values::Real(values) => {
                let found = scalar(cursor, data_type, |text| {
                    let text = std::str::from_utf8(text).map_err(|_| Wrong::NotANumber)?;
                    text.parse::<f64>().map_err(|_| Wrong::NotANumber)
                })?;
                values.push(found);
            }
            Values::Boolean(values) => {
                let found = match cursor.peek() {
                    b'"' => {
                        let shown = cursor.shown();
                        match cursor.string()?.bytes().to_ascii_lowercase().as_slice() {
                            b"true" => true,
                            b"false" => false,
                            _ => return Err(mismatch(data_type, &shown)),
                        }
                    }
                    _ => match cursor.boolean() {
                        Some(found) => found,
                        None => return Err(mismatch_here(cursor, data_type)),
                    },
                };
                values.push(found);
            }
            Values::Moment { values, unit } => {
                let unit = *unit;
                let found = match cursor.peek() {
                    b'"' => text_value(cursor, data_type, |text| moment::parse(text)?.count(unit))?,
                    _ => scalar(cursor, data_type, whole)?,
                };
                values.push(found);
            }
            Values::Date(values) => {
                let found = match cursor.peek() {
                    b'"' => text_value(cursor, data_type, |text| {
                        moment::parse_date(text)
                            .or_else(|| i32::try_from(moment::parse(text)?.seconds.div_euclid(86_400)).ok())
                    })?,
                    _ => scalar(cursor, data_type, |text| i32::try_from(whole(text)?).map_err(|_| Wrong::TooLarge))?,
                };
                values.push(found);
            }
            Values::Time(values) => values.push(text_value(cursor, data_type, moment::parse_time)?),
            Values::Bytes { bytes, ends } => {
                let found = text_value(cursor, data_type, |text| STANDARD.decode(text).ok())?;
                bytes.extend_from_slice(&found);
                ends.push(offset(bytes.len()));
            }
            Values::Struct(object) => {
                if cursor.peek() != b'{' {
                    return Err(mismatch_here(cursor, data_type));
                }
                cursor.enter()?;
                object.read(cursor)?;
                cursor.leave();
            }
            Values::List { item, ends, .. } => {
                if cursor.peek() != b'[' {
                    return Err(mismatch_here(cursor, data_type));
                }
                cursor.enter()?;
                cursor.take(b'[')?;
                if !cursor.take_if(b']') {
                    let mut at = 0_usize;
                    loop {
                        item.read(cursor).map_err(|bad| bad.within(&format!("[{at}]")))?;
                        at += 1;
                        if !cursor.take_if(b',') {
                            break;
                        }
                    }
                    cursor.take(b']')?;
                }
                cursor.leave();
                ends.push(offset(item.len()));
            }
            Values::Map { keys, values, ends, .. } => {
                if cursor.peek() != b'{' {
                    return Err(mismatch_here(cursor, data_type));
                }
                cursor.enter()?;
                cursor.take(b'{')?;
                if !cursor.take_if(b'}') {
                    loop {
                        if cursor.peek() != b'"' {
                            cursor.take(b'"')?;
                        }
                        let start = cursor.at();
                        keys.read(cursor)?;
                        let key = cursor.since(start);
                        cursor.take(b':')?;
                        values.read(cursor).map_err(|bad| bad.within(&String::from_utf8_lossy(key)))?;
                        if !cursor.take_if(b',') {
                            break;
                        }
                    }
                    cursor.take(b'}')?;
                }
                cursor.leave();
                ends.push(offset(keys.len()));
            }
            Values::Nothing => cursor.skip()?,
        }
        Ok(())
    }

    /// The array of all values, and none are left here.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let length = self.len();
        let validity = std::mem::take(&mut self.validity);
        let nulls = (std::mem::take(&mut self.nulls) > 0).then(|| NullBuffer::from(validity));
        let array: ArrayRef = match &mut self.values {
            Values::Nothing => Arc::new(NullArray::new(length)),
            Values::Boolean(values) => Arc::new(BooleanArray::new(taken(values).into(), nulls)),
            Values::Whole { values, .. } => {
                let array = Int64Array::try_new(taken(values).into(), nulls)?;
                return cast(&array, &self.data_type);
            }
            Values::Real(values) => {
                let array = Float64Array::try_new(taken(values).into(), nulls)?;
                return cast(&array, &self.data_type);
            }
            Values::Decimal { values, .. } => {
                Arc::new(Decimal128Array::try_new(taken(values).into(), nulls)?.with_data_type(self.data_type.clone()))
            }
            Values::Wide { values, .. } => {
                Arc::new(Decimal256Array::try_new(taken(values).into(), nulls)?.with_data_type(self.data_type.clone()))
            }
            Values::Text { bytes, ends } => {
                let array = StringArray::try_new(offsets(ends), Buffer::from_vec(taken(bytes)), nulls)?;
                return as_declared(Arc::new(array), &self.data_type);
            }
            Values::Bytes { bytes, ends } => {
                let array = BinaryArray::try_new(offsets(ends), Buffer::from_vec(taken(bytes)), nulls)?;
                return as_declared(Arc::new(array), &self.data_type);
            }
            Values::Moment { values, unit } => {
                let values = ScalarBuffer::from(taken(values));
                let DataType::Timestamp(_, zone) = &self.data_type else {
                    return Err(ArrowError::InvalidArgumentError("a moment".into()));
                };
                let zone = zone.clone();
                match unit {
                    TimeUnit::Second => Arc::new(TimestampSecondArray::try_new(values, nulls)?.with_timezone_opt(zone)),
                    TimeUnit::Millisecond => {
                        Arc::new(TimestampMillisecondArray::try_new(values, nulls)?.with_timezone_opt(zone))
                    }
                    TimeUnit::Microsecond => {
                        Arc::new(TimestampMicrosecondArray::try_new(values, nulls)?.with_timezone_opt(zone))
                    }
                    TimeUnit::Nanosecond => {
                        Arc::new(TimestampNanosecondArray::try_new(values, nulls)?.with_timezone_opt(zone))
                    }
                }
            }
            Values::Date(values) => Arc::new(Date32Array::try_new(taken(values).into(), nulls)?),
            Values::Time(values) => {
                let array = Time64NanosecondArray::try_new(taken(values).into(), nulls)?;
                return as_declared(Arc::new(array), &self.data_type);
            }
            Values::Struct(object) => {
                let arrays = object.finish()?;
                let DataType::Struct(fields) = &self.data_type else {
                    return Err(ArrowError::InvalidArgumentError("a struct".into()));
                };
                Arc::new(struct_of(fields, arrays, nulls, length)?)
            }
            Values::List { item, field, ends } => {
                Arc::new(ListArray::try_new(Arc::clone(field), offsets(ends), item.finish()?, nulls)?)
            }
            Values::Map { keys, values, entries, ends, is_sorted } => {
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(ArrowError::InvalidArgumentError("a map".into()));
                };
                let inner = keys.len();
                let pairs = struct_of(fields, vec![keys.finish()?, values.finish()?], None, inner)?;
                Arc::new(MapArray::try_new(Arc::clone(entries), offsets(ends), pairs, nulls, *is_sorted)?)
            }
        };
        Ok(array)
    }
}

impl Values {
    /// Values that were pushed, also those of a record that turned out bad.
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Boolean(values) => values.len(),
            Self::Whole { values, .. } | Self::Moment { values, .. } | Self::Time(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Decimal { values, .. } => values.len(),
            Self::Wide { values, .. } => values.len(),
            Self::Date(values) => values.len(),
            Self::Text { ends, .. } | Self::Bytes { ends, .. } | Self::List { ends, .. } | Self::Map { ends, .. } => {
                ends.len() - 1
            }
            Self::Struct(object) => object.rows(),
        }
    }
}

fn struct_of(
    fields: &Fields,
    arrays: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
    length: usize,
) -> Result<StructArray, ArrowError> {
    if fields.is_empty() {
        return Ok(StructArray::new_empty_fields(length, nulls));
    }
    StructArray::try_new(fields.clone(), arrays, nulls)
}

fn as_declared(array: ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type { Ok(array) } else { cast(&array, data_type) }
}

fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
    let capacity = values.len();
    std::mem::replace(values, Vec::with_capacity(capacity))
}

fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let all = std::mem::replace(ends, vec![0]);
    OffsetBuffer::new(ScalarBuffer::from(all))
}

fn too_long(bytes: usize) -> Result<(), Bad> {
    match i32::try_from(bytes) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Bad { class: "overflow", message: "a batch holds at most 2 GiB of text".into(), path: Vec::new() })
        }
    }
}

fn offset(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// A whole number, also when it is written `12.0` or `1e3`.
fn whole(text: &[u8]) -> Result<i64, Wrong> {
    let value =
        decimal::parse(text, 0).map_err(|wrong| if wrong == Wrong::TooFine { Wrong::NotANumber } else { wrong })?;
    i64::try_from(value).map_err(|_| Wrong::TooLarge)
}

/// A number, bare or in quotes.
#[inline]
fn scalar<T>(
    cursor: &mut Cursor<'_>,
    data_type: &DataType,
    read: impl FnOnce(&[u8]) -> Result<T, Wrong>,
) -> Result<T, Bad> {
    let first = cursor.peek();
    let wrong = |wrong: Wrong, text: &[u8]| {
        let quote = if first == b'"' { "\"" } else { "" };
        refused(data_type, wrong, &format!("{quote}{}{quote}", super::scan::shown(text)))
    };
    match first {
        b'-' | b'0'..=b'9' => {
            let text = cursor.number()?;
            read(text).map_err(|why| wrong(why, text))
        }
        b'"' => {
            let text = cursor.string()?;
            read(text.bytes()).map_err(|why| wrong(why, text.bytes()))
        }
        _ => Err(mismatch_here(cursor, data_type)),
    }
}

fn text_value<T>(
    cursor: &mut Cursor<'_>,
    data_type: &DataType,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, Bad> {
    if cursor.peek() != b'"' {
        return Err(mismatch_here(cursor, data_type));
    }
    let text = cursor.string()?;
    read(text.bytes()).ok_or_else(|| mismatch(data_type, &format!("\"{}\"", super::scan::shown(text.bytes()))))
}

#[cold]
fn refused(data_type: &DataType, wrong: Wrong, shown: &str) -> Bad {
    let (class, message) = match wrong {
        Wrong::NotANumber => return mismatch(data_type, shown),
        Wrong::TooFine => {
            ("overflow", format!("{shown} has more digits behind the point than {}", types::name(data_type)))
        }
        Wrong::TooLarge => ("overflow", format!("{shown} is too large for {}", types::name(data_type))),
    };
    Bad { class, message, path: Vec::new() }
}

#[cold]
fn mismatch(data_type: &DataType, shown: &str) -> Bad {
    let message = format!("expected {}, found {shown}", types::name(data_type));
    Bad { class: "type_mismatch", message, path: Vec::new() }
}

/// A value of another kind; where what stands there is no value at all, the record is malformed.
#[cold]
fn mismatch_here(cursor: &mut Cursor<'_>, data_type: &DataType) -> Bad {
    let shown = cursor.shown();
    match cursor.skip() {
        Ok(()) => mismatch(data_type, &shown),
        Err(bad) => bad,
    }
}
