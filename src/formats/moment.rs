//! Times between text and numbers: RFC 3339 and what SQL writes, without a time zone meaning UTC. Reads no clock.

use arrow::datatypes::TimeUnit;

const NANOS: i64 = 1_000_000_000;

/// A moment: seconds since 1970 and nanoseconds within the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970, UTC.
    pub seconds: i64,
    /// Nanoseconds from 0 to 999,999,999.
    pub nanos: u32,
}

impl Moment {
    /// The moment as a count of a unit; what is finer than the unit is cut off. `None` where it does not fit.
    pub fn count(self, unit: TimeUnit) -> Option<i64> {
        let (per_second, fine) = match unit {
            TimeUnit::Second => (1, 0),
            TimeUnit::Millisecond => (1_000, i64::from(self.nanos) / 1_000_000),
            TimeUnit::Microsecond => (1_000_000, i64::from(self.nanos) / 1_000),
            TimeUnit::Nanosecond => (NANOS, i64::from(self.nanos)),
        };
        self.seconds.checked_mul(per_second)?.checked_add(fine)
    }
}

/// Reads `2024-01-15T10:30:00.123Z`, with `T` or a space, with or without seconds, a fraction and a zone (`Z`, `+02:00`,
/// `+0200`); a date alone is its midnight. Without a zone it is UTC.
pub fn parse(text: &[u8]) -> Option<Moment> {
    let (days, rest) = parse_date_prefix(text)?;
    let midnight = i64::from(days) * 86_400;
    if rest.is_empty() {
        return Some(Moment { seconds: midnight, nanos: 0 });
    }
    if !matches!(rest[0], b'T' | b't' | b' ') {
        return None;
    }
    let (seconds, nanos, rest) = parse_clock(&rest[1..])?;
    let offset = parse_zone(rest)?;
    Some(Moment { seconds: midnight + seconds - offset, nanos })
}

/// Reads a date, `2024-01-15`, as days since 1970.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    parse_date_prefix(text).filter(|(_, rest)| rest.is_empty()).map(|(days, _)| days)
}

/// Reads a time of day, `10:30:00.5`, as nanoseconds since midnight.
pub fn parse_time(text: &[u8]) -> Option<i64> {
    let (seconds, nanos, rest) = parse_clock(text)?;
    (rest.is_empty() && seconds < 86_400).then(|| seconds * NANOS + i64::from(nanos))
}

/// Appends `2024-01-15T10:30:00.123Z`: milliseconds, or as many digits as the unit and the value need beyond them.
pub fn write(count: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let per_second = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => NANOS,
    };
    let seconds = count.div_euclid(per_second);
    let nanos = count.rem_euclid(per_second) * (NANOS / per_second);
    write_date(seconds.div_euclid(86_400), out);
    out.push(b'T');
    write_clock(seconds.rem_euclid(86_400), nanos, out);
    out.push(b'Z');
}

/// Appends a date, `2024-01-15`.
pub fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if !(0..=9_999).contains(&year) {
        out.push(if year < 0 { b'-' } else { b'+' });
        digits(year.unsigned_abs(), 6, out);
    } else {
        digits(year.unsigned_abs(), 4, out);
    }
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
}

/// Appends a time of day with milliseconds, or more digits where they are needed.
pub fn write_clock(seconds: i64, nanos: i64, out: &mut Vec<u8>) {
    let (seconds, nanos) = (seconds.unsigned_abs(), nanos.unsigned_abs());
    digits(seconds / 3_600, 2, out);
    out.push(b':');
    digits(seconds / 60 % 60, 2, out);
    out.push(b':');
    digits(seconds % 60, 2, out);
    out.push(b'.');
    match nanos {
        nanos if nanos % 1_000_000 == 0 => digits(nanos / 1_000_000, 3, out),
        nanos if nanos % 1_000 == 0 => digits(nanos / 1_000, 6, out),
        nanos => digits(nanos, 9, out),
    }
}

fn digits(value: u64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    let mut left = value;
    for slot in out[start..].iter_mut().rev() {
        *slot = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
}

fn parse_date_prefix(text: &[u8]) -> Option<(i32, &[u8])> {
    let (date, rest) = text.split_at_checked(10)?;
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?);
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then(|| (days_of(year, month, day), rest))
}

/// Seconds of a clock, nanoseconds, and what follows.
fn parse_clock(text: &[u8]) -> Option<(i64, u32, &[u8])> {
    let (hours_minutes, mut rest) = text.split_at_checked(5)?;
    if hours_minutes[2] != b':' {
        return None;
    }
    let (hours, minutes) = (number(&hours_minutes[..2])?, number(&hours_minutes[3..])?);
    let (mut seconds, mut nanos) = (0, 0);
    if let Some(after) = rest.strip_prefix(b":") {
        seconds = number(after.get(..2)?)?;
        rest = &after[2..];
        if let Some(fraction) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            let kept = length.min(9);
            let value = u32::try_from(number(&fraction[..kept])?).ok()?;
            nanos = value * 10_u32.pow(u32::try_from(9 - kept).ok()?);
            rest = &fraction[length..];
        }
    }
    // 24:00 is no clock anyone means here; a leap second is the second after it.
    (hours < 24 && minutes < 60 && seconds <= 60)
        .then(|| (i64::from(hours * 3_600 + minutes * 60 + seconds), nanos, rest))
}

/// Seconds east of UTC.
fn parse_zone(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text.split_first() {
        None => return Some(0),
        Some((b'Z' | b'z', rest)) => return rest.is_empty().then_some(0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, minutes) = match rest.len() {
        2 => (number(rest)?, 0),
        4 => (number(&rest[..2])?, number(&rest[2..])?),
        5 if rest[2] == b':' => (number(&rest[..2])?, number(&rest[3..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3_600 + minutes * 60))
}

fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0_i32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i32::from(byte - b'0')))
}

/// Days since 1970 of a date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_of(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of days since 1970 (the same paper).
fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected_ms: Option<i64>) {
        assert_eq!(
            parse(text.as_bytes()).and_then(|moment| moment.count(TimeUnit::Millisecond)),
            expected_ms,
            "{text}"
        );
    }

    #[test]
    fn times_are_read_in_the_forms_that_people_and_machines_write() {
        check("2024-01-15T10:30:00.123Z", Some(1_705_314_600_123));
        check("2024-01-15 10:30:00.123", Some(1_705_314_600_123));
        check("2024-01-15T12:30:00.123456+02:00", Some(1_705_314_600_123));
        check("2024-01-15T05:30:00-0500", Some(1_705_314_600_000));
        check("2024-01-15T10:30Z", Some(1_705_314_600_000));
        check("2024-01-15", Some(1_705_276_800_000));
        check("1969-12-31T23:59:59.999Z", Some(-1));
        for wrong in [
            "",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "2023-02-29",
            "2024-01-15X10:00",
            "2024-01-15T25:00:00",
            "2024-01-15T10:30:00.Z",
            "yesterday",
        ] {
            check(wrong, None);
        }
        assert_eq!(parse_time(b"10:30:00.5"), Some(37_800_500_000_000));
        assert_eq!(parse_date(b"1970-01-02"), Some(1));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_is_what_jiff_writes(ms in -62_135_596_800_000_i64..253_402_300_799_000) {
            let mut text = Vec::new();
            write(ms, TimeUnit::Millisecond, &mut text);
            prop_assert_eq!(parse(&text).unwrap().count(TimeUnit::Millisecond), Some(ms));
            let jiff = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(String::from_utf8(text).unwrap(), format!("{jiff:.3}"));
        }
    }
}
