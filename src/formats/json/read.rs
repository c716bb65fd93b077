//! How a value is taken into a column: from JSON, or from a plain text such as a field of CSV. What does not fit is
//! refused with what was expected and what stands there.

use arrow::datatypes::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::column::{Column, Values, offset};
use super::scan::{Bad, Cursor, shown};
use crate::formats::decimal::{self, Wrong};
use crate::formats::{moment, types};

impl Column {
    /// Takes a plain text that stands for a value of this type, such as a field of CSV. Nested values are JSON.
    ///
    /// # Errors
    /// As [`Column::read`].
    #[inline]
    pub fn read_text(&mut self, text: &[u8]) -> Result<(), Bad> {
        let data_type = &self.data_type;
        let wrong = |why: Wrong| refused(data_type, why, &format!("`{}`", shown(text)));
        let other = || mismatch(data_type, &format!("`{}`", shown(text)));
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

    /// Takes a value that is not null; a part of it may be left in the column after an error.
    pub(super) fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
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
}

fn too_long(bytes: usize) -> Result<(), Bad> {
    match i32::try_from(bytes) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Bad { class: "overflow", message: "a batch holds at most 2 GiB of text".into(), path: Vec::new() })
        }
    }
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
        refused(data_type, wrong, &format!("{quote}{}{quote}", shown(text)))
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
    read(text.bytes()).ok_or_else(|| mismatch(data_type, &format!("\"{}\"", shown(text.bytes()))))
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
