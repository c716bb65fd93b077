//! Lengths of time as people write them: `500ms`, `1h 30m`, `5 minutes`, and as they are told: `2 s`, `1 h 30 min`. Whole
//! milliseconds, exactly. Pure.

use std::time::Duration;

/// A thousand years: what is longer is a slip, and its milliseconds still fit an `i64` many times over.
const MILLISECONDS_MAX: u64 = 1_000 * 366 * 86_400_000;

/// The length that a text says, as `500ms`, `1h 30m`, `5 minutes`; otherwise what is wrong with it.
pub fn measure(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a length of time is missing".to_owned());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(rest.len());
        let (amount, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|character: char| !character.is_alphabetic()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(letters);
        if amount.is_empty() {
            return Err(format!("`{text}` is not a length of time"));
        }
        let Some(milliseconds) = unit(word) else {
            let what =
                if word.is_empty() { "has no unit".to_owned() } else { format!("has the unknown unit `{word}`") };
            return Err(format!("the length of time `{text}` {what}"));
        };
        let part = scaled(amount, milliseconds).ok_or_else(|| format!("`{text}` is not whole milliseconds"))?;
        total = total
            .checked_add(part)
            .filter(|total| *total <= MILLISECONDS_MAX)
            .ok_or("that is over a thousand years")?;
        rest = behind.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// Milliseconds of a unit: `ms`, `s`, `m`, `h`, `d`, `w` and their words.
pub fn unit(word: &str) -> Option<u64> {
    Some(match word.to_ascii_lowercase().as_str() {
        "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 604_800_000,
        _ => return None,
    })
}

/// A length as messages tell it: `500 ms`, `2 s`, `5 min`, `1 h 30 min`. What is less than a millisecond is left out.
pub fn told(length: Duration) -> String {
    let mut left = length.as_millis();
    let mut parts = Vec::new();
    for (unit, milliseconds) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)] {
        if left >= milliseconds {
            parts.push(format!("{} {unit}", left / milliseconds));
            left %= milliseconds;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// `1.5` times a unit, exactly.
fn scaled(amount: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    // Nine digits of a fraction are a millionth of a millisecond: more is noise.
    if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let base = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let parts: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let product = parts.checked_mul(unit)?;
    (product % base == 0).then(|| whole.checked_mul(unit)?.checked_add(product / base)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_many_spellings() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("5 minutes", 300_000),
            ("1 HOUR", 3_600_000),
            ("1.5h", 5_400_000),
            ("1 hour 30 minutes", 5_400_000),
            ("7d", 604_800_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(measure(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn a_length_is_told_in_units_that_fit_it() {
        for (milliseconds, expected) in [
            (0, "0 s"),
            (500, "500 ms"),
            (2_000, "2 s"),
            (90_000, "1 min 30 s"),
            (300_000, "5 min"),
            (5_400_000, "1 h 30 min"),
            (86_400_000, "1 d"),
            (1_500, "1 s 500 ms"),
        ] {
            assert_eq!(told(Duration::from_millis(milliseconds)), expected);
            assert_eq!(measure(expected), Ok(Duration::from_millis(milliseconds)), "what is told can be written");
        }
    }

    #[test]
    fn what_is_not_a_length_of_time_says_so() {
        for (text, what) in [
            ("5", "the length of time `5` has no unit"),
            ("5 parsecs", "the length of time `5 parsecs` has the unknown unit `parsecs`"),
            ("soon", "`soon` is not a length of time"),
            ("0.0001ms", "`0.0001ms` is not whole milliseconds"),
            ("99999999999999999999s", "`99999999999999999999s` is not whole milliseconds"),
            ("999999999999s", "that is over a thousand years"),
            ("", "a length of time is missing"),
        ] {
            assert_eq!(measure(text), Err(what.to_owned()), "{text}");
        }
    }
}
