//! Columns from a sample of records. What was seen decides: numbers with a fraction are decimals, never doubles, and
//! where records disagree the type is the one that holds both.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use indexmap::IndexMap;

use super::json::scan::{Bad, Cursor, shown};
use super::{moment, types};

/// Records of a sample where nobody says how many: enough to see what is rare, read in a blink.
pub const SAMPLE_RECORDS: usize = 1_000;
/// How long a sample is waited for where nobody says: a quiet topic must not hold a query up.
pub const SAMPLE_WAIT_MS: u64 = 3_000;
/// Digits before the point that a decimal gets beyond what the sample shows, where more may come.
const HEADROOM_WHOLE: u8 = 6;
/// Digits behind the point beyond what the sample shows, where more may come and few fractions were seen.
const HEADROOM_SCALE: u8 = 2;
/// So many fractions that agree on two digits are money, and money stays so.
const MONEY_SEEN: u32 = 20;
/// Digits of the smallest decimal that is inferred: a sum of such is never short of room.
const PRECISION_MIN: u8 = 18;
/// What a decimal of 128 bits holds.
const PRECISION_MAX: u8 = 38;
/// What every BIGINT holds.
const WHOLE_DIGITS_MAX: u8 = 18;
/// Fields of one object: past this it is a map that calls itself an object, and is read as its text.
const FIELDS_MAX: usize = 1_000;

/// What one place of the records has held so far.
#[derive(Debug, Clone, PartialEq, Default)]
enum Seen {
    /// Only null, or nothing yet.
    #[default]
    Nothing,
    Boolean,
    Number(Digits),
    /// Numbers that no decimal holds.
    Real,
    /// Texts that are all dates.
    Date,
    /// Texts that are all times.
    Moment(Times),
    Text,
    List(Box<Seen>),
    Struct(IndexMap<String, Seen>),
}

/// Digits of numbers: the most before and behind the point, and how many numbers had a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Digits {
    whole: u8,
    scale: u8,
    fractions: u32,
}

/// Times: the finest unit of them, and whether one is further from 1970 than 64 bits of nanoseconds reach, as the year 9999
/// that stands for no end.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    unit: TimeUnit,
    is_far: bool,
}

/// Collects a sample of records.
#[derive(Debug, Clone, Default)]
pub struct Inference {
    fields: IndexMap<String, Seen>,
    records: usize,
    odd: Option<String>,
}

impl Inference {
    /// Looks at one JSON record. What is no object says nothing of columns; decoding will name it.
    pub fn json(&mut self, value: &[u8]) {
        let Ok(text) = std::str::from_utf8(value) else {
            self.odd.get_or_insert_with(|| shown(value));
            return;
        };
        match read_object(&mut Cursor::new(text.as_bytes()), true) {
            Ok(Seen::Struct(fields)) => {
                self.records += 1;
                merge_fields(&mut self.fields, fields);
            }
            Ok(_) | Err(_) => {
                self.odd.get_or_insert_with(|| shown(value));
            }
        }
    }

    /// Looks at one record of texts, such as a line of CSV; `None` is NULL.
    pub fn texts<'t>(&mut self, texts: impl Iterator<Item = (&'t str, Option<&'t str>)>) {
        self.records += 1;
        for (name, text) in texts {
            let seen = text.map_or(Seen::Nothing, of_text);
            let slot = self.fields.entry(name.to_owned()).or_default();
            *slot = merged(std::mem::take(slot), seen);
        }
    }

    /// Records that said something.
    pub fn records(&self) -> usize {
        self.records
    }

    /// The beginning of the first record that is no JSON object.
    pub fn odd(&self) -> Option<&str> {
        self.odd.as_deref()
    }

    /// Names of the fields, in the order they were first seen.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Whether a field has held anything but null.
    pub fn knows(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|seen| *seen != Seen::Nothing)
    }

    /// Forgets every field but the wanted ones.
    pub fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.fields.retain(|name, _| is_wanted(name));
    }

    /// The columns, in the order they were first seen; all may be NULL. `is_whole` says that there is nothing beyond
    /// the sample, so decimals need no room for more.
    pub fn finish(self, is_whole: bool) -> SchemaRef {
        Arc::new(Schema::new(fields_of(self.fields, is_whole)))
    }
}

/// Columns as they can be declared: `id BIGINT, amount DECIMAL(18,2)`.
pub fn declaration(schema: &Schema) -> String {
    let column = |field: &Arc<Field>| format!("{} {}", field.name(), types::name(field.data_type()));
    schema.fields().iter().map(column).collect::<Vec<_>>().join(", ")
}

fn fields_of(seen: IndexMap<String, Seen>, is_whole: bool) -> Fields {
    seen.into_iter().map(|(name, seen)| Field::new(name, seen.data_type(is_whole), true)).collect()
}

impl Seen {
    fn data_type(self, is_whole: bool) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Number(digits) if digits.scale == 0 && digits.whole <= WHOLE_DIGITS_MAX => DataType::Int64,
            Self::Number(digits) => digits.data_type(is_whole),
            Self::Real => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Moment(Times { unit, is_far: false }) => DataType::Timestamp(unit, None),
            Self::Moment(Times { unit, .. }) => DataType::Timestamp(unit.min(TimeUnit::Microsecond), None),
            Self::Nothing | Self::Text => DataType::Utf8,
            Self::List(item) => DataType::new_list(item.data_type(is_whole), true),
            Self::Struct(fields) if fields.is_empty() || fields.len() > FIELDS_MAX => DataType::Utf8,
            Self::Struct(fields) => DataType::Struct(fields_of(fields, is_whole)),
        }
    }
}

impl Digits {
    fn data_type(self, is_whole: bool) -> DataType {
        let is_money = self.scale == 2 && self.fractions >= MONEY_SEEN;
        let scale = if is_whole || is_money || self.scale == 0 { self.scale } else { self.scale + HEADROOM_SCALE };
        let scale = scale.min(PRECISION_MAX - self.whole.min(PRECISION_MAX)).max(self.scale);
        let precision = (self.whole + HEADROOM_WHOLE + scale).clamp(PRECISION_MIN, PRECISION_MAX);
        DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(0))
    }

    fn with(self, other: Self) -> Option<Self> {
        let both = Self {
            whole: self.whole.max(other.whole),
            scale: self.scale.max(other.scale),
            fractions: self.fractions.saturating_add(other.fractions),
        };
        (both.whole + both.scale <= PRECISION_MAX).then_some(both)
    }
}

fn merge_fields(into: &mut IndexMap<String, Seen>, fields: IndexMap<String, Seen>) {
    for (name, seen) in fields {
        let slot = into.entry(name).or_default();
        *slot = merged(std::mem::take(slot), seen);
    }
}

fn merged(left: Seen, right: Seen) -> Seen {
    use Seen::{Date, List, Moment, Nothing, Number, Real, Struct, Text};
    match (left, right) {
        (Nothing, seen) | (seen, Nothing) => seen,
        (Number(left), Number(right)) => left.with(right).map_or(Real, Number),
        (Number(_) | Real, Real) | (Real, Number(_)) => Real,
        (Date, Moment(times)) | (Moment(times), Date) => Moment(times),
        (Moment(left), Moment(right)) => {
            Moment(Times { unit: left.unit.max(right.unit), is_far: left.is_far || right.is_far })
        }
        (List(left), List(right)) => List(Box::new(merged(*left, *right))),
        (Struct(mut left), Struct(right)) => {
            merge_fields(&mut left, right);
            Struct(left)
        }
        (left, right) if left == right => left,
        _ => Text,
    }
}

fn read_object(cursor: &mut Cursor<'_>, is_record: bool) -> Result<Seen, Bad> {
    cursor.take(b'{')?;
    let mut fields = IndexMap::new();
    if !cursor.take_if(b'}') {
        loop {
            let key = String::from_utf8_lossy(cursor.string()?.bytes()).into_owned();
            cursor.take(b':')?;
            let seen = read_value(cursor)?;
            fields.insert(key, seen);
            if !cursor.take_if(b',') {
                break;
            }
        }
        cursor.take(b'}')?;
    }
    if is_record {
        cursor.end()?;
    }
    Ok(Seen::Struct(fields))
}

fn read_value(cursor: &mut Cursor<'_>) -> Result<Seen, Bad> {
    Ok(match cursor.peek() {
        b'{' => {
            cursor.enter()?;
            let seen = read_object(cursor, false)?;
            cursor.leave();
            seen
        }
        b'[' => {
            cursor.enter()?;
            cursor.take(b'[')?;
            let mut item = Seen::Nothing;
            if !cursor.take_if(b']') {
                loop {
                    item = merged(item, read_value(cursor)?);
                    if !cursor.take_if(b',') {
                        break;
                    }
                }
                cursor.take(b']')?;
            }
            cursor.leave();
            Seen::List(Box::new(item))
        }
        b'"' => of_moment(cursor.string()?.bytes()).unwrap_or(Seen::Text),
        b't' | b'f' => {
            cursor.skip()?;
            Seen::Boolean
        }
        b'n' => {
            cursor.skip()?;
            Seen::Nothing
        }
        _ => of_number(cursor.number()?).unwrap_or(Seen::Text),
    })
}

/// What a text is that has no type of its own: a number unless it begins with a needless zero, as codes do.
fn of_text(text: &str) -> Seen {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let is_a_code = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    let begins_a_number = digits.first().is_some_and(u8::is_ascii_digit);
    if begins_a_number
        && !is_a_code
        && let Some(seen) = of_number(text.as_bytes())
    {
        return seen;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Seen::Boolean;
    }
    of_moment(text.as_bytes()).unwrap_or(Seen::Text)
}

fn of_moment(text: &[u8]) -> Option<Seen> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    if moment::parse_date(text).is_some() {
        return Some(Seen::Date);
    }
    let is_far = moment::parse(text)?.count(TimeUnit::Nanosecond).is_none();
    Some(Seen::Moment(Times { unit: unit_of(text), is_far }))
}

/// The unit that has every digit of a time.
fn unit_of(text: &[u8]) -> TimeUnit {
    let point = text.iter().position(|byte| matches!(byte, b'.' | b','));
    match point.map_or(0, |at| text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count()) {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// How many digits a number needs before and behind the point.
fn of_number(text: &[u8]) -> Option<Seen> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse::<f64>().ok().filter(|value| value.is_finite())?;
    let text = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole_length = i64::try_from(whole.trim_start_matches('0').len()).ok()?;
    let whole = (whole_length + exponent).max(0);
    let scale = (i64::try_from(fraction.len()).ok()? - exponent).max(0);
    if whole + scale > i64::from(PRECISION_MAX) {
        return Some(Seen::Real);
    }
    let scale = u8::try_from(scale).ok()?;
    Some(Seen::Number(Digits { whole: u8::try_from(whole).ok()?, scale, fractions: u32::from(scale > 0) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(records: &[&str], is_whole: bool, expected: &str) {
        let mut inference = Inference::default();
        for record in records {
            inference.json(record.as_bytes());
        }
        assert_eq!(declaration(&inference.finish(is_whole)), expected);
    }

    #[test]
    fn each_kind_of_value_has_its_type() {
        check(
            &[
                r#"{"id": 1, "amount": 12.50, "ok": true, "at": "2024-01-15T10:30:00Z", "day": "2024-01-15", "name": "x", "gone": null}"#,
            ],
            true,
            "id BIGINT, amount DECIMAL(18,2), ok BOOLEAN, at TIMESTAMP(3), day DATE, name VARCHAR, gone VARCHAR",
        );
        check(
            &[r#"{"a": {"b": 1, "c": [1.5, 2]}}"#, r#"{"a": {"d": "x"}}"#],
            true,
            "a STRUCT<b BIGINT, c ARRAY<DECIMAL(18,1)>, d VARCHAR>",
        );
    }

    #[test]
    fn what_disagrees_widens() {
        check(&[r#"{"a": 1}"#, r#"{"a": 2.25}"#, r#"{"a": null}"#], true, "a DECIMAL(18,2)");
        check(&[r#"{"a": 1}"#, r#"{"a": "x"}"#], true, "a VARCHAR");
        check(&[r#"{"a": true}"#, r#"{"a": 1}"#], true, "a VARCHAR");
        check(&[r#"{"a": {"b": 1}}"#, r#"{"a": 1}"#], true, "a VARCHAR");
        check(&[r#"{"a": "2024-01-15"}"#, r#"{"a": "2024-01-15T00:00:00Z"}"#], true, "a TIMESTAMP(3)");
        check(
            &[r#"{"a": "2024-01-15T00:00:00.1Z"}"#, r#"{"a": "2024-01-15T00:00:00.123456Z"}"#],
            true,
            "a TIMESTAMP(6)",
        );
        check(&[r#"{"a": "2024-01-15T00:00:00.123456789Z"}"#, r#"{"a": "2024-01-15"}"#], true, "a TIMESTAMP(9)");
        let far = [r#"{"a": "2024-01-15T00:00:00.123456789Z"}"#, r#"{"a": "9999-12-31T00:00:00Z"}"#];
        check(&far, true, "a TIMESTAMP(6)");
        check(&[r#"{"a": 12345678901234567890}"#], true, "a DECIMAL(26,0)");
        check(&[r#"{"a": 1e300}"#, r#"{"a": 0.5}"#], true, "a DOUBLE");
    }

    #[test]
    fn a_sample_leaves_room_for_what_it_did_not_show() {
        check(&[r#"{"a": 1234567890.5}"#], false, "a DECIMAL(19,3)");
        let money = [r#"{"a": 1234567890123.25}"#; 20];
        check(&money, false, "a DECIMAL(21,2)");
    }

    #[test]
    fn texts_are_read_as_what_they_are_and_codes_stay_texts() {
        let mut inference = Inference::default();
        inference.texts(
            [("n", Some("12")), ("d", Some("-0.50")), ("code", Some("007")), ("t", Some("2024-01-15 10:00:00"))]
                .into_iter(),
        );
        inference.texts([("n", None), ("d", Some("3")), ("code", Some("12")), ("t", None)].into_iter());
        let schema = inference.finish(true);
        assert_eq!(declaration(&schema), "n BIGINT, d DECIMAL(18,2), code VARCHAR, t TIMESTAMP(3)");
    }

    #[test]
    fn records_that_are_no_objects_are_told() {
        let mut inference = Inference::default();
        inference.json(b"[1]");
        inference.json(b"\xff");
        assert_eq!((inference.records(), inference.odd()), (0, Some("[1]")));
    }
}
