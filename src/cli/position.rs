//! `--from` of a tail: beginning, end, the last n, an offset, or a time.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::core::record::StartAt;

/// What `--from` understands, for its help and its errors.
pub const FORMS: &str = "beginning, end, end-N, offset:N or time:WHEN (2026-11-21T09:30:00Z, 2026-11-21 in local time, milliseconds since 1970, or an age like 15m)";

/// Reads `--from`; ages count back from `now`, local times are those of `zone`.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<StartAt, String> {
    let unknown = || format!("`{text}` is no place to start; give {FORMS}");
    if let Some(time) = text.strip_prefix("time:") {
        return time_ms(time, now, zone).map(StartAt::Time).ok_or_else(unknown);
    }
    if let Some(offset) = text.strip_prefix("offset:") {
        let offset: i64 = offset.parse().map_err(|_| unknown())?;
        return if offset < 0 { Err(unknown()) } else { Ok(StartAt::Offset(offset)) };
    }
    match text {
        "beginning" => Ok(StartAt::Beginning),
        "end" => Ok(StartAt::End),
        _ => {
            let last = text.strip_prefix("end-").and_then(|count| count.parse().ok()).ok_or_else(unknown)?;
            Ok(StartAt::Last(last))
        }
    }
}

/// [`parse`] as of now, in the zone of this machine: the form that the command line takes.
pub fn parse_now(text: &str) -> Result<StartAt, String> {
    parse(text, clock::now(), &TimeZone::system())
}

fn time_ms(text: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    let at = if let Ok(timestamp_ms) = text.parse::<i64>() {
        return Some(timestamp_ms);
    } else if let Ok(timestamp) = text.parse::<Timestamp>() {
        timestamp
    } else if let Ok(local) = text.parse::<DateTime>() {
        local.to_zoned(zone.clone()).ok()?.timestamp()
    } else if let Ok(date) = text.parse::<Date>() {
        date.to_zoned(zone.clone()).ok()?.timestamp()
    } else {
        let age: SignedDuration = text.parse().ok()?;
        now.checked_sub(age.abs()).ok()?
    };
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_says_where_to_start() {
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        let cases = [
            ("beginning", StartAt::Beginning),
            ("end", StartAt::End),
            ("end-100", StartAt::Last(100)),
            ("offset:42", StartAt::Offset(42)),
            ("time:1795253178123", StartAt::Time(1_795_253_178_123)),
            ("time:2026-11-21T09:26:18.123Z", StartAt::Time(1_795_253_178_123)),
            ("time:2026-11-21T09:26:18+00:00", StartAt::Time(1_795_253_178_000)),
            ("time:2026-11-21T09:26:18", StartAt::Time(1_795_253_178_000)),
            ("time:2026-11-21", StartAt::Time(1_795_219_200_000)),
            ("time:15m", StartAt::Time(1_799_999_100_000)),
            ("time:-1h30m", StartAt::Time(1_799_994_600_000)),
        ];
        for (text, start) in cases {
            assert_eq!(parse(text, now, &TimeZone::UTC), Ok(start), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_the_forms() {
        for text in ["", "start", "end-", "end-x", "offset:-1", "offset:", "time:", "time:soon"] {
            let refusal = parse(text, Timestamp::UNIX_EPOCH, &TimeZone::UTC).expect_err(text);
            assert!(refusal.contains("is no place to start"), "{refusal}");
        }
    }
}
