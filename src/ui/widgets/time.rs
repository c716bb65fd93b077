//! Times as people read them, in the zone of the console: relative under a minute, else of the clock. Reads no clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds of a minute: below it a time is told as so many seconds ago.
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Time of day: `14:02:11`.
pub fn clock(ms: i64, zone: &TimeZone) -> String {
    format(ms, zone, "%H:%M:%S")
}

/// Time of day to the millisecond: `14:02:11.040`.
pub fn precise(ms: i64, zone: &TimeZone) -> String {
    format(ms, zone, "%H:%M:%S%.3f")
}

/// Day and time to the millisecond with the zone: `2026-11-21 14:02:11.040 +01:00`.
pub fn full(ms: i64, zone: &TimeZone) -> String {
    format(ms, zone, "%Y-%m-%d %H:%M:%S%.3f %:z")
}

/// In the words of `form` (strftime).
pub fn format(ms: i64, zone: &TimeZone, form: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(form).to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

/// When something was, seen from now: `now`, `12 s ago`, `14:02:11`, `20 Nov 14:02`.
pub fn since(now_ms: i64, then_ms: i64, zone: &TimeZone) -> String {
    match now_ms - then_ms {
        age if age < -MINUTE_MS => format(then_ms, zone, "%d %b %H:%M"),
        age if age < 1_000 => "now".into(),
        age if age < MINUTE_MS => format!("{} s ago", age / 1_000),
        age if age < DAY_MS => clock(then_ms, zone),
        _ => format(then_ms, zone, "%d %b %H:%M"),
    }
}

/// How long something takes: `850 ms`, `12 s`, `02:05`, `1:02:05`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

/// Reads what a person writes for a time: milliseconds since 1970, `14:02[:11]` (today), `2026-11-21 14:02[:11]`,
/// RFC 3339, or so long ago: `90s`, `15m`, `2h`, `3d`. `None` where it is none of these.
pub fn parse(text: &str, now_ms: i64, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    if let Some(ago) = ago(text) {
        return now_ms.checked_sub(ago);
    }
    if text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let today = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone.clone()).date();
    let local = match text.parse::<jiff::civil::DateTime>() {
        Ok(local) => local,
        Err(_) => today.to_datetime(text.parse().ok()?),
    };
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

fn ago(text: &str) -> Option<i64> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        "d" => DAY_MS,
        _ => return None,
    };
    count.parse::<u32>().ok().and_then(|count| i64::from(count).checked_mul(unit_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_262_400_000; // 2026-11-21T12:00:00Z

    #[test]
    fn a_time_is_relative_under_a_minute_and_of_the_clock_after() {
        let zone = TimeZone::UTC;
        assert_eq!(since(NOON, NOON - 300, &zone), "now");
        assert_eq!(since(NOON, NOON - 12_400, &zone), "12 s ago");
        assert_eq!(since(NOON, NOON - 60_000, &zone), "11:59:00");
        assert_eq!(since(NOON, NOON - DAY_MS, &zone), "20 Nov 12:00");
        assert_eq!(precise(NOON + 40, &zone), "12:00:00.040");
        assert_eq!(clock(NOON, &TimeZone::fixed(jiff::tz::offset(1))), "13:00:00");
        assert_eq!(clock(i64::MAX, &zone), format!("{} ms", i64::MAX));
    }

    #[test]
    fn a_span_says_no_more_than_its_size_needs() {
        for (ms, text) in [(850, "850 ms"), (12_300, "12 s"), (125_000, "02:05"), (3_725_000, "1:02:05")] {
            assert_eq!(span(ms), text);
        }
    }

    #[test]
    fn a_start_time_is_read_as_people_write_it() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let read = |text| parse(text, NOON, &zone);
        assert_eq!(read("15m"), Some(NOON - 900_000));
        assert_eq!(read("2h"), Some(NOON - 7_200_000));
        assert_eq!(read("13:00"), Some(NOON), "the zone is an hour ahead");
        assert_eq!(read("2026-11-21 13:00:00"), Some(NOON));
        assert_eq!(read("2026-11-21T12:00:00Z"), Some(NOON));
        assert_eq!(read("1795262400000"), Some(NOON));
        for wrong in ["", "x", "25:00", "yesterday", "-5m", "m", "é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
