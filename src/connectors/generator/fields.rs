//! Rows of described fields. Whole numbers and decimals are drawn as whole numbers, so every digit is meant.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::Maker;
use super::draw::{Draw, salt};
use super::kinds::{Description, Kind, pick};
use super::slots::Text;
use crate::clock::now_ms;
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::decimal;
use crate::formats::types;

/// Bounds where a field has none: small enough to read, large enough to be distinct.
const MIN: i128 = 0;
const MAX: i128 = 1_000_000;

/// Makes rows of described fields.
pub(super) struct FieldsMaker {
    schema: SchemaRef,
    fields: Vec<Made>,
    /// Time of row 0 and rows a second; the time of making where absent.
    clock: Option<(i64, u64)>,
}

struct Made {
    salt: u64,
    description: Description,
    range: Range,
}

/// Bounds as whole numbers in the type's own scale (units of a decimal, milliseconds of a time), and as doubles.
#[derive(Clone, Copy)]
struct Range {
    min: i128,
    max: i128,
    scale: f64,
}

impl FieldsMaker {
    pub fn of(
        options: &Options,
        declared: Option<&SchemaRef>,
        seed: u64,
        clock: Option<(i64, u64)>,
    ) -> Result<Self, Fault> {
        let given = options.under("fields.");
        let mut named: Vec<&str> = Vec::new();
        for (key, _) in given.iter() {
            let Some((name, _)) = key.split_once('.') else {
                let what = format!("`fields.{key}` says nothing of a field");
                return Err(given.fault(key, what).next(format!("write `fields.{key}.kind` = 'random'")));
            };
            if !named.contains(&name) {
                named.push(name);
            }
        }
        let columns: Vec<Field> = match declared {
            Some(declared) => declared.fields().iter().map(|field| field.as_ref().clone()).collect(),
            None => named.iter().map(|name| undeclared(name, &given)).collect::<Result<_, _>>()?,
        };
        if columns.is_empty() {
            return Err(Fault::new(Blame::Operator, "a generator needs fields")
                .next("declare columns, or set `fields.NAME.type` and `fields.NAME.kind`, or `'kind' = 'nexmark'`"));
        }
        if let Some(stray) =
            named.iter().find(|name| !columns.iter().any(|field| field.name().eq_ignore_ascii_case(name)))
        {
            return Err(Fault::new(
                Blame::Operator,
                format!("`fields.{stray}` describes a column that is not declared"),
            ));
        }
        let fields = columns
            .iter()
            .map(|field| {
                let name = field.name().to_lowercase();
                let described = given.under(&format!("{name}."));
                let description = Description::of(&name, &described)?;
                let range = range(field, &description)?;
                can_be_made(field, &description)?;
                Ok(Made { salt: salt(seed, &name), description, range })
            })
            .collect::<Result<_, Fault>>()?;
        Ok(Self { schema: Schema::new(columns).into(), fields, clock })
    }

    fn column(&self, at: usize, rows: &[u64], times: &[i64]) -> ArrayRef {
        let (field, made) = (&self.fields[at], self.schema.field(at));
        let nulls = (field.description.null_rate > 0.0 && made.is_nullable()).then(|| {
            let salt = !field.salt;
            rows.iter().map(|row| Draw::at(salt, *row).unit() >= field.description.null_rate).collect::<NullBuffer>()
        });
        let whole = || rows.iter().zip(times).map(|(row, time)| field.whole(*row, *time));
        match made.data_type() {
            DataType::Boolean => {
                let values: Vec<bool> = match &field.description.kind {
                    Kind::Constant(text) => vec![text.eq_ignore_ascii_case("true"); rows.len()],
                    _ => rows.iter().map(|row| Draw::at(field.salt, *row).bits() & 1 == 1).collect(),
                };
                Arc::new(BooleanArray::new(values.into(), nulls))
            }
            DataType::Int8 => Arc::new(Int8Array::new(whole().map(|v| v as i8).collect(), nulls)),
            DataType::Int16 => Arc::new(Int16Array::new(whole().map(|v| v as i16).collect(), nulls)),
            DataType::Int32 => Arc::new(Int32Array::new(whole().map(|v| v as i32).collect(), nulls)),
            DataType::Int64 => Arc::new(Int64Array::new(whole().map(|v| v as i64).collect(), nulls)),
            DataType::Date32 => Arc::new(Date32Array::new(whole().map(|v| v as i32).collect(), nulls)),
            DataType::Float32 => {
                Arc::new(Float32Array::new(rows.iter().map(|row| field.real(*row) as f32).collect(), nulls))
            }
            DataType::Float64 => Arc::new(Float64Array::new(rows.iter().map(|row| field.real(*row)).collect(), nulls)),
            DataType::Decimal128(precision, scale) => Arc::new(
                Decimal128Array::new(whole().collect(), nulls).with_data_type(DataType::Decimal128(*precision, *scale)),
            ),
            DataType::Timestamp(unit, zone) => {
                let ms = whole().map(|v| v as i64);
                let zone = zone.clone();
                match unit {
                    TimeUnit::Second => Arc::new(
                        TimestampSecondArray::new(ms.map(|v| v / 1_000).collect(), nulls).with_timezone_opt(zone),
                    ),
                    TimeUnit::Millisecond => {
                        Arc::new(TimestampMillisecondArray::new(ms.collect(), nulls).with_timezone_opt(zone))
                    }
                    TimeUnit::Microsecond => Arc::new(
                        TimestampMicrosecondArray::new(ms.map(|v| v * 1_000).collect(), nulls).with_timezone_opt(zone),
                    ),
                    TimeUnit::Nanosecond => Arc::new(
                        TimestampNanosecondArray::new(ms.map(|v| v * 1_000_000).collect(), nulls)
                            .with_timezone_opt(zone),
                    ),
                }
            }
            _ => {
                let mut text = Text::with_capacity(rows.len());
                for row in rows {
                    field.write(*row, &mut text.bytes);
                    text.end();
                }
                let (offsets, bytes, _) = text.finish().into_parts();
                Arc::new(arrow::array::StringArray::new(offsets, bytes, nulls))
            }
        }
    }
}

impl Maker for FieldsMaker {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn make(&self, numbers: &mut dyn ExactSizeIterator<Item = u64>, wanted: &[usize]) -> (Vec<ArrayRef>, Vec<i64>) {
        let rows: Vec<u64> = numbers.collect();
        let times: Vec<i64> = match self.clock {
            Some((base, rate)) => rows
                .iter()
                .map(|row| base + i64::try_from(u128::from(*row) * 1_000 / u128::from(rate)).unwrap_or(i64::MAX))
                .collect(),
            None => vec![now_ms(); rows.len()],
        };
        (wanted.iter().map(|at| self.column(*at, &rows, &times)).collect(), times)
    }
}

impl Made {
    /// A value of a whole type, in its own scale.
    fn whole(&self, row: u64, time: i64) -> i128 {
        let Range { min, max, scale } = self.range;
        let draw = &mut Draw::at(self.salt, row);
        let clamped = |value: f64| ((value * scale).round() as i128).clamp(min, max);
        let value = match &self.description.kind {
            Kind::Sequence { step, length, .. } => {
                let place = length.map_or(row, |length| row % length.max(1));
                let step = (step * scale).round() as i128;
                min.saturating_add(i128::from(place).saturating_mul(step)).min(max)
            }
            Kind::Normal { mean, deviation } => clamped(mean + deviation * draw.normal()),
            Kind::Exponential { mean } => clamped(-mean * (1.0 - draw.unit()).ln()),
            Kind::Zipf(shares) => min + i128::from(pick(shares, draw) as u64) * (scale as i128).max(1),
            Kind::Now => i128::from(time),
            Kind::Choice { .. } | Kind::Constant(_) => return self.chosen(draw),
            Kind::Uniform | Kind::Uuid => {
                let width = u64::try_from(max - min).map_or(u64::MAX, |width| width.saturating_add(1));
                min + i128::from(draw.below(width))
            }
        };
        value - if self.description.jitter_ms > 0 { i128::from(draw.below(self.description.jitter_ms + 1)) } else { 0 }
    }

    /// One of the written values in the type's own scale; they were read once before.
    fn chosen(&self, draw: &mut Draw) -> i128 {
        let text = match &self.description.kind {
            Kind::Choice { values, shares } => values[pick(shares, draw)].as_str(),
            Kind::Constant(value) => value.as_str(),
            _ => "",
        };
        let digits = self.range.scale.log10().round() as i8;
        decimal::parse(text.as_bytes(), digits)
            .or_else(|_| types::milliseconds(text).map(i128::from).ok_or(()))
            .unwrap_or(0)
    }

    fn real(&self, row: u64) -> f64 {
        let draw = &mut Draw::at(self.salt, row);
        let bound =
            |text: &Option<String>, default: f64| text.as_ref().and_then(|text| text.parse().ok()).unwrap_or(default);
        let (min, max) = (bound(&self.description.min, 0.0), bound(&self.description.max, 1.0));
        match &self.description.kind {
            Kind::Sequence { start, step, length } => {
                start + step * length.map_or(row, |length| row % length.max(1)) as f64
            }
            Kind::Normal { mean, deviation } => mean + deviation * draw.normal(),
            Kind::Exponential { mean } => -mean * (1.0 - draw.unit()).ln(),
            Kind::Zipf(shares) => min + pick(shares, draw) as f64,
            Kind::Choice { values, shares } => values[pick(shares, draw)].parse().unwrap_or(0.0),
            Kind::Constant(value) => value.parse().unwrap_or(0.0),
            Kind::Uniform | Kind::Uuid | Kind::Now => min + draw.unit() * (max - min),
        }
    }

    fn write(&self, row: u64, bytes: &mut Vec<u8>) {
        let draw = &mut Draw::at(self.salt, row);
        match &self.description.kind {
            Kind::Choice { values, shares } => bytes.extend_from_slice(values[pick(shares, draw)].as_bytes()),
            Kind::Constant(value) => bytes.extend_from_slice(value.as_bytes()),
            Kind::Uuid => {
                let bits = (u128::from(draw.bits()) << 64) | u128::from(draw.bits());
                let uuid = uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
                bytes.extend_from_slice(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).as_bytes());
            }
            Kind::Uniform if self.description.prefix.is_none() && self.description.min.is_none() => {
                let letter = |draw: &mut Draw| b'a' + (draw.below(26) as u8);
                bytes.extend((0..self.description.length).map(|_| letter(draw)));
            }
            _ => {
                bytes.extend_from_slice(self.description.prefix.as_deref().unwrap_or_default().as_bytes());
                let number = self.whole(row, 0) as i64;
                bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
        }
    }
}

/// A column that only its options describe.
fn undeclared(name: &str, given: &Options) -> Result<Field, Fault> {
    let described = given.under(&format!("{name}."));
    let data_type = match described.get("type") {
        Some(_) => described.parsed("type", "a type of SQL such as BIGINT or DECIMAL(10,2)", types::parse)?,
        None => None,
    };
    let by_kind = || match described.get("kind").unwrap_or("random") {
        "sequence" | "zipf" => DataType::Int64,
        "choice" | "uuid" | "constant" => DataType::Utf8,
        "now" => DataType::Timestamp(TimeUnit::Millisecond, None),
        _ if described.get("values").is_some() || described.get("prefix").is_some() => DataType::Utf8,
        _ => DataType::Float64,
    };
    Ok(Field::new(name, data_type.unwrap_or_else(by_kind), true))
}

fn range(field: &Field, description: &Description) -> Result<Range, Fault> {
    let (digits, least, most) = match field.data_type() {
        DataType::Int8 => (0, i128::from(i8::MIN), i128::from(i8::MAX)),
        DataType::Int16 => (0, i128::from(i16::MIN), i128::from(i16::MAX)),
        DataType::Int32 | DataType::Date32 => (0, i128::from(i32::MIN), i128::from(i32::MAX)),
        DataType::Decimal128(precision, scale) => {
            let most = 10_i128.pow(u32::from(*precision)) - 1;
            (*scale, -most, most)
        }
        _ => (0, i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let scale = 10_f64.powi(i32::from(digits));
    let is_a_time = matches!(field.data_type(), DataType::Timestamp(..));
    let read = |what: &str, text: &str| {
        let as_time = || if is_a_time { types::milliseconds(text).map(i128::from).ok_or(()) } else { Err(()) };
        let value = decimal::parse(text.as_bytes(), digits).or_else(|_| as_time());
        value.ok().filter(|value| (least..=most).contains(value)).ok_or_else(|| {
            let what = format!("`fields.{}.{what}` is `{text}`, which is no {}", field.name(), field.data_type());
            Fault::new(Blame::Operator, what)
        })
    };
    let whole = |value: i128| value.saturating_mul(scale as i128).clamp(least, most);
    let is_a_double = matches!(field.data_type(), DataType::Float32 | DataType::Float64);
    if is_a_double {
        return Ok(Range { min: least, max: most, scale: 1.0 });
    }
    if let Kind::Sequence { .. } = description.kind {
        let min = description.start.as_deref().map_or(Ok(0), |text| read("start", text))?;
        return Ok(Range { min, max: most, scale });
    }
    let is_drawn = matches!(description.kind, Kind::Uniform | Kind::Zipf(_));
    let min = match &description.min {
        Some(text) => read("min", text)?,
        None if is_drawn => whole(MIN),
        None => least,
    };
    let max = match &description.max {
        Some(text) => read("max", text)?,
        None if is_drawn => whole(MAX).max(min),
        None => most,
    };
    if max < min {
        return Err(Fault::new(Blame::Operator, format!("`fields.{}` has a `max` below its `min`", field.name())));
    }
    Ok(Range { min, max, scale })
}

fn can_be_made(field: &Field, description: &Description) -> Result<(), Fault> {
    use DataType::{Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8};
    let data_type = field.data_type();
    if !matches!(
        data_type,
        Boolean | Int8 | Int16 | Int32 | Int64 | Date32 | Float32 | Float64 | Decimal128(..) | Timestamp(..) | Utf8
    ) {
        return Err(Fault::new(Blame::Operator, format!("`{}`: a generator makes no {data_type}", field.name())));
    }
    let written: Vec<&str> = match &description.kind {
        Kind::Choice { values, .. } => values.iter().map(String::as_str).collect(),
        Kind::Constant(value) => vec![value],
        _ => Vec::new(),
    };
    let fits = |text: &str| match data_type {
        Utf8 | Boolean => true,
        Float32 | Float64 => text.parse::<f64>().is_ok(),
        Decimal128(_, scale) => decimal::parse(text.as_bytes(), *scale).is_ok(),
        Timestamp(..) => types::milliseconds(text).is_some(),
        _ => decimal::parse(text.as_bytes(), 0).is_ok(),
    };
    match written.into_iter().find(|text| !fits(text)) {
        Some(text) => {
            Err(Fault::new(Blame::Operator, format!("`fields.{}`: `{text}` is no {data_type}", field.name())))
        }
        None => Ok(()),
    }
}
