//! How a moment is written: one compiled pattern, Java's, C's or MySQL's, writes and reads.

use std::fmt::Write;

use datafusion_common::Result;

use super::civil::{Civil, days_of_month};
use super::letters::{Part, Piece, pieces};
use crate::sql::functions::scalar::Clock;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A letter that stands for nothing.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { pieces: pieces(text)? })
    }

    /// Moments that are equal when divided by this are written alike.
    pub fn unit_ms(&self) -> i64 {
        let unit = |piece: &Piece| match piece {
            Piece::Fraction(_) => 1,
            Piece::Epoch | Piece::Number(Part::Second, _) => 1_000,
            Piece::Number(Part::Minute, _) => 60_000,
            Piece::Number(Part::Hour | Part::Hour12, _) | Piece::AmPm => 3_600_000,
            Piece::Literal(_)
            | Piece::Number(..)
            | Piece::MonthName { .. }
            | Piece::DayName { .. }
            | Piece::Offset { .. }
            | Piece::Zone => 86_400_000,
        };
        self.pieces.iter().map(unit).min().unwrap_or(86_400_000)
    }

    /// Writes what a clock shows.
    pub fn write(&self, clock: Clock, to: &mut String) {
        let Clock { shown_ms, ahead_ms } = clock;
        let civil = Civil::of(shown_ms);
        for piece in &self.pieces {
            // Writing to a String cannot fail.
            let _ = match piece {
                Piece::Literal(text) => to.write_str(text),
                Piece::Number(part, digits) => write!(to, "{:0digits$}", number(*part, &civil)),
                Piece::MonthName { short } => to.write_str(name(&MONTHS, civil.month - 1, *short)),
                Piece::DayName { short } => to.write_str(name(&DAYS, civil.weekday(), *short)),
                Piece::AmPm => to.write_str(if civil.of_day_ms < 43_200_000 { "AM" } else { "PM" }),
                Piece::Fraction(digits) => {
                    let millisecond = civil.of_day_ms % 1_000;
                    match digits {
                        1 => write!(to, "{}", millisecond / 100),
                        2 => write!(to, "{:02}", millisecond / 10),
                        _ => write!(to, "{millisecond:03}{:0<zeros$}", "", zeros = digits - 3),
                    }
                }
                Piece::Offset { colon } => write_offset(ahead_ms, *colon, to),
                Piece::Zone if ahead_ms == 0 => to.write_str("UTC"),
                Piece::Zone => write_offset(ahead_ms, true, to),
                Piece::Epoch => write!(to, "{}", (shown_ms - ahead_ms).div_euclid(1_000)),
            };
        }
    }

    /// Reads a moment, in milliseconds since 1970. What the pattern does not name is the least there is: day 1,
    /// midnight. `None` where the text does not fit the pattern or names no moment.
    pub fn read(&self, text: &str) -> Option<i64> {
        let mut rest = text;
        let mut civil = Civil { year: 1970, month: 1, day: 1, of_day_ms: 0 };
        let (mut hour, mut minute, mut second, mut fraction_ms) = (0, 0, 0, 0);
        let (mut afternoon, mut day_of_year, mut offset_ms, mut epoch) = (None, None, 0, None);
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Literal(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Number(part, digits) => {
                    // Digits that follow without anything between belong to the next number.
                    let tight = matches!(self.pieces.get(index + 1), Some(Piece::Number(..) | Piece::Fraction(_)));
                    let at_most = if tight { (*digits).max(1) } else { 9 };
                    let value = digits_of(&mut rest, at_most)?;
                    match part {
                        Part::Year => civil.year = value,
                        Part::ShortYear => civil.year = if value < 70 { 2000 + value } else { 1900 + value },
                        Part::Month => civil.month = value,
                        Part::Day => civil.day = value,
                        Part::DayOfYear => day_of_year = Some(value),
                        Part::Hour => hour = value,
                        Part::Hour12 => {
                            hour = value % 12;
                            afternoon.get_or_insert(false);
                        }
                        Part::Minute => minute = value,
                        Part::Second => second = value,
                        Part::Quarter | Part::IsoYear | Part::IsoWeek | Part::Weekday | Part::IsoWeekday => {}
                    }
                }
                Piece::MonthName { short } => civil.month = named(&MONTHS, &mut rest, *short)? + 1,
                Piece::DayName { short } => {
                    named(&DAYS, &mut rest, *short)?;
                }
                Piece::AmPm => {
                    let (said, after) = rest.split_at_checked(2)?;
                    afternoon = Some(said.eq_ignore_ascii_case("pm"));
                    if afternoon == Some(false) && !said.eq_ignore_ascii_case("am") {
                        return None;
                    }
                    rest = after;
                }
                Piece::Fraction(digits) => {
                    let length = rest.bytes().take_while(u8::is_ascii_digit).count().min((*digits).max(1));
                    let (said, after) = rest.split_at(length);
                    let three: String = said.chars().chain("000".chars()).take(3).collect();
                    fraction_ms = three.parse().ok()?;
                    rest = after;
                }
                Piece::Offset { .. } => offset_ms = offset(&mut rest)?,
                Piece::Zone => {
                    let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                    let (said, after) = rest.split_at(length);
                    if !["utc", "gmt", "z"].contains(&said.to_ascii_lowercase().as_str()) {
                        return None;
                    }
                    rest = after;
                }
                Piece::Epoch => epoch = Some(digits_of(&mut rest, 12)?),
            }
        }
        if !rest.is_empty() {
            return None;
        }
        if let Some(seconds) = epoch {
            return seconds.checked_mul(1_000)?.checked_add(fraction_ms);
        }
        if afternoon == Some(true) {
            hour += 12;
        }
        if let Some(day) = day_of_year {
            (civil.month, civil.day) = (1, 1);
            civil = Civil::of(civil.moment_ms()?.checked_add((day - 1) * super::civil::DAY_MS)?);
        }
        let fits = (1..=12).contains(&civil.month)
            && (1..=days_of_month(civil.year, civil.month)).contains(&civil.day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        if !fits {
            return None;
        }
        civil.of_day_ms = ((hour * 60 + minute) * 60 + second) * 1_000 + fraction_ms;
        civil.moment_ms()?.checked_sub(offset_ms)
    }
}

/// `-04:00`, or `-0400` without the colon.
fn write_offset(ahead_ms: i64, colon: bool, to: &mut String) -> std::fmt::Result {
    let sign = if ahead_ms < 0 { '-' } else { '+' };
    let minutes = ahead_ms.abs() / 60_000;
    write!(to, "{sign}{:02}{}{:02}", minutes / 60, if colon { ":" } else { "" }, minutes % 60)
}

fn number(part: Part, civil: &Civil) -> i64 {
    let hour = civil.of_day_ms / 3_600_000;
    match part {
        Part::Year => civil.year,
        Part::ShortYear => civil.year.rem_euclid(100),
        Part::Quarter => (civil.month + 2) / 3,
        Part::Month => civil.month,
        Part::Day => civil.day,
        Part::DayOfYear => civil.day_of_year(),
        Part::IsoYear => civil.iso_week().0,
        Part::IsoWeek => civil.iso_week().1,
        Part::Weekday => civil.weekday(),
        Part::IsoWeekday => (civil.weekday() + 6) % 7 + 1,
        Part::Hour => hour,
        Part::Hour12 => (hour + 11) % 12 + 1,
        Part::Minute => civil.of_day_ms / 60_000 % 60,
        Part::Second => civil.of_day_ms / 1_000 % 60,
    }
}

fn name(names: &[&'static str], index: i64, short: bool) -> &'static str {
    let name = usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
    if short { &name[..3.min(name.len())] } else { name }
}

fn named(names: &[&'static str], rest: &mut &str, short: bool) -> Option<i64> {
    let known = |name: &&'static str| if short { &name[..3] } else { *name };
    let at = names.iter().position(|name| {
        let name = known(name);
        rest.get(..name.len()).is_some_and(|said| said.eq_ignore_ascii_case(name))
    })?;
    *rest = &rest[known(&names[at]).len()..];
    i64::try_from(at).ok()
}

fn digits_of(rest: &mut &str, at_most: usize) -> Option<i64> {
    let length = rest.bytes().take_while(u8::is_ascii_digit).count().min(at_most);
    let (said, after) = rest.split_at(length);
    *rest = after;
    said.parse().ok()
}

/// `Z`, `+02`, `+0200` or `+02:00`, in milliseconds.
fn offset(rest: &mut &str) -> Option<i64> {
    if let Some(after) = rest.strip_prefix(['Z', 'z']) {
        *rest = after;
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    *rest = rest.strip_prefix(['+', '-'])?;
    let hours = digits_of(rest, 2)?;
    if let Some(after) = rest.strip_prefix(':') {
        *rest = after;
    }
    let minutes = digits_of(rest, 2).unwrap_or(0);
    Some(sign * (hours * 60 + minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// 2024-02-29 15:04:05.678, a Thursday.
    const MOMENT_MS: i64 = 1_709_219_045_678;

    #[test]
    fn three_ways_of_writing_a_pattern_are_understood_both_ways() {
        for (pattern, text, least_ms) in [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 15:04:05.678", 1),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-02-29T15:04:05.678+00:00", 1),
            ("yyyyMMddHHmmssSSS", "20240229150405678", 1),
            ("yyyy-MM-dd HH:mm:ss.S", "2024-02-29 15:04:05.6", 100),
            ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2024-02-29 15:04:05.678000", 1),
            ("d MMM yyyy, h:mm a", "29 Feb 2024, 3:04 PM", 60_000),
            ("EEEE d MMMM yyyy", "Thursday 29 February 2024", 86_400_000),
            ("%Y-%m-%d %H:%M:%S", "2024-02-29 15:04:05", 1_000),
            ("%Y-%m-%d %H:%M:%S%.3f", "2024-02-29 15:04:05.678", 1),
            ("%d/%b/%Y:%H:%M:%S %z", "29/Feb/2024:15:04:05 +0000", 1_000),
            ("%Y-%m-%d %H:%i:%s", "2024-02-29 15:04:05", 1_000),
            ("%W %M %e %Y %h:%i %p", "Thursday February 29 2024 03:04 PM", 60_000),
            ("%s", "1709219045", 1_000),
            ("%F %T", "2024-02-29 15:04:05", 1_000),
        ] {
            let compiled = Pattern::parse(pattern).unwrap();
            let mut written = String::new();
            compiled.write(Clock { shown_ms: MOMENT_MS, ahead_ms: 0 }, &mut written);
            assert_eq!(written, text, "{pattern}");
            assert_eq!(compiled.read(text), Some(MOMENT_MS / least_ms * least_ms), "{pattern}");
        }
    }

    #[test]
    fn a_zone_is_written_as_it_is_ahead_of_utc() {
        for (pattern, hours, text) in [
            ("HH:mm XXX", -4, "15:04 -04:00"),
            ("HH:mm z", 2, "15:04 +02:00"),
            ("HH:mm z", 0, "15:04 UTC"),
            ("%H:%M %z %s", 1, "15:04 +0100 1709215445"),
        ] {
            let mut written = String::new();
            let clock = Clock { shown_ms: MOMENT_MS, ahead_ms: hours * 3_600_000 };
            Pattern::parse(pattern).unwrap().write(clock, &mut written);
            assert_eq!(written, text, "{pattern}");
        }
    }

    #[test]
    fn what_does_not_fit_is_no_moment() {
        let pattern = Pattern::parse("yyyy-MM-dd HH:mm").unwrap();
        for wrong in ["2023-02-29 00:00", "2024-13-01 00:00", "2024-02-29 24:00", "2024-02-29", "2024-02-29 00:00Z", ""]
        {
            assert_eq!(pattern.read(wrong), None, "{wrong}");
        }
        let zoned = Pattern::parse("yyyy-MM-dd HH:mm XXX").unwrap();
        assert_eq!(zoned.read("1970-01-01 02:00 +02:00"), Some(0));
    }

    #[test]
    fn a_letter_that_stands_for_nothing_is_named() {
        assert!(Pattern::parse("yyyy-bb").unwrap_err().to_string().contains("`b` stands for nothing"));
        assert!(Pattern::parse("%Y %!").unwrap_err().to_string().contains("`!` after `%`"));
    }
}
