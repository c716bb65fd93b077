//! A point in time as templates touch Python's `datetime`: printed, `.year`, `.isoformat()`, `.strftime(…)`.
//! Always knows its offset; never reads the clock itself.

use std::fmt;
use std::sync::Arc;

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned, civil};
use minijinja::value::{Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

/// A timestamp and the local reading of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    timestamp: Timestamp,
    local: civil::DateTime,
    offset: Offset,
}

impl Moment {
    pub fn new(timestamp: Timestamp, zone: &TimeZone) -> Self {
        let offset = zone.to_offset(timestamp);
        Self { timestamp, local: offset.to_datetime(timestamp), offset }
    }

    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// A moment out of a template value: itself, seconds since 1970, or ISO 8601 text (UTC where it names no offset).
    pub fn of(value: &Value) -> Result<Self, Error> {
        if let Some(moment) = value.downcast_object_ref::<Self>() {
            return Ok(*moment);
        }
        let refuse = |why: String| Error::new(ErrorKind::InvalidOperation, why);
        if let Some(text) = value.as_str() {
            return Self::parse(text).ok_or_else(|| refuse(format!("`{text}` is not an ISO 8601 date")));
        }
        if value.is_number() {
            let seconds = f64::try_from(value.clone())?;
            let micros = (seconds * 1e6).round();
            if micros.abs() < 1e18 {
                // Within the check the cast is exact enough: a double holds microseconds until the year 2255.
                let timestamp =
                    Timestamp::from_microsecond(micros as i64).map_err(|error| refuse(error.to_string()))?;
                return Ok(Self::new(timestamp, &TimeZone::UTC));
            }
        }
        Err(refuse(format!("a value of type {} is not a date: give now(), seconds, or ISO 8601 text", value.kind())))
    }

    fn parse(text: &str) -> Option<Self> {
        if let Ok(pieces) = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text) {
            let local = pieces.date().to_datetime(pieces.time().unwrap_or(civil::Time::midnight()));
            let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
            let timestamp = offset.to_timestamp(local).ok()?;
            return Some(Self { timestamp, local, offset });
        }
        None
    }

    /// `2026-11-21T09:32:00.123456+00:00`; like Python it leaves out a fraction of zero.
    pub fn write_iso(&self, out: &mut impl fmt::Write, between: char) {
        let mut buffer = [b'0'; 32];
        let mut at = 0;
        let date = self.local;
        digits(&mut buffer, &mut at, i64::from(date.year()).unsigned_abs(), 4);
        put(&mut buffer, &mut at, b'-');
        digits(&mut buffer, &mut at, date.month().unsigned_abs().into(), 2);
        put(&mut buffer, &mut at, b'-');
        digits(&mut buffer, &mut at, date.day().unsigned_abs().into(), 2);
        put(&mut buffer, &mut at, if between == 'T' { b'T' } else { b' ' });
        digits(&mut buffer, &mut at, date.hour().unsigned_abs().into(), 2);
        put(&mut buffer, &mut at, b':');
        digits(&mut buffer, &mut at, date.minute().unsigned_abs().into(), 2);
        put(&mut buffer, &mut at, b':');
        digits(&mut buffer, &mut at, date.second().unsigned_abs().into(), 2);
        let micros = self.micros();
        if micros != 0 {
            put(&mut buffer, &mut at, b'.');
            digits(&mut buffer, &mut at, micros, 6);
        }
        let seconds = self.offset.seconds();
        put(&mut buffer, &mut at, if seconds < 0 { b'-' } else { b'+' });
        let minutes = u64::from(seconds.unsigned_abs()) / 60;
        digits(&mut buffer, &mut at, minutes / 60, 2);
        put(&mut buffer, &mut at, b':');
        digits(&mut buffer, &mut at, minutes % 60, 2);
        let _ = out.write_str(std::str::from_utf8(&buffer[..at]).unwrap_or_default());
    }

    /// The text of [`Self::write_iso`].
    pub fn iso(&self) -> String {
        let mut text = String::with_capacity(32);
        self.write_iso(&mut text, 'T');
        text
    }

    fn micros(&self) -> u64 {
        u64::from(self.local.subsec_nanosecond().unsigned_abs()) / 1_000
    }

    fn strftime(&self, format: &str) -> Result<String, Error> {
        let zoned = Zoned::new(self.timestamp, TimeZone::fixed(self.offset));
        // Python's %f is always six digits.
        jiff::fmt::strtime::format(format.replace("%f", "%6f"), &zoned)
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, format!("strftime: {error}")))
    }
}

fn put(buffer: &mut [u8; 32], at: &mut usize, byte: u8) {
    buffer[*at] = byte;
    *at += 1;
}

fn digits(buffer: &mut [u8; 32], at: &mut usize, mut number: u64, width: usize) {
    for place in (0..width).rev() {
        buffer[*at + place] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    *at += width;
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => self.local.year().into(),
            "month" => self.local.month().into(),
            "day" => self.local.day().into(),
            "hour" => self.local.hour().into(),
            "minute" => self.local.minute().into(),
            "second" => self.local.second().into(),
            "microsecond" => self.micros().into(),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "isoformat" => {
                let (between,): (Option<&str>,) = from_args(args)?;
                let mut text = String::with_capacity(32);
                self.write_iso(&mut text, if between == Some(" ") { ' ' } else { 'T' });
                Ok(text.into())
            }
            "strftime" => {
                let (format,): (&str,) = from_args(args)?;
                self.strftime(format).map(Value::from)
            }
            "timestamp" => {
                let () = from_args(args)?;
                Ok(Value::from(self.timestamp.as_microsecond() as f64 / 1e6))
            }
            "date" => Ok(Value::from(self.local.date().to_string())),
            "weekday" => Ok(Value::from(self.local.weekday().to_monday_zero_offset())),
            "isoweekday" => Ok(Value::from(self.local.weekday().to_monday_one_offset())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &minijinja::value::DynObject) -> Option<std::cmp::Ordering> {
        other.downcast_ref::<Self>().map(|other| self.timestamp.cmp(&other.timestamp))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_iso(f, ' ');
        Ok(())
    }
}
