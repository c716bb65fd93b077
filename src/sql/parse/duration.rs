//! Lengths of time in every spelling: `5m`, `5 MINUTES`, `INTERVAL '5' MINUTE`, `INTERVAL '5 minutes'`. Whole milliseconds.

use std::time::Duration;

use datafusion_sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::statement::Diagnostic;

/// A thousand years: what is longer is a slip, and its milliseconds still fit an `i64` many times over.
const MILLISECONDS_MAX: u64 = 1_000 * 366 * 86_400_000;

/// A length of time if one stands next; `Ok(None)` leaves the cursor where it was.
pub(super) fn duration(cursor: &mut Cursor<'_>) -> Result<Option<Duration>, Diagnostic> {
    let begin = cursor.at;
    let interval = cursor.take(&["INTERVAL"]);
    let span = cursor.span();
    let amount = match cursor.peek().map(|lexeme| &lexeme.token) {
        Some(Token::Number(text, false)) => text.clone(),
        Some(Token::SingleQuotedString(text)) => text.clone(),
        _ if interval => return Err(cursor.missing("a length of time", "write INTERVAL '5' MINUTE")),
        _ => {
            cursor.at = begin;
            return Ok(None);
        }
    };
    let text = cursor.peek().is_some_and(|lexeme| lexeme.string().is_some());
    cursor.next();
    let unit = cursor.peek().and_then(|lexeme| lexeme.bare()).filter(|word| unit(word).is_some());
    let whole = match unit {
        Some(unit) => {
            cursor.next();
            format!("{amount} {unit}")
        }
        None => amount.clone(),
    };
    match measure(&whole) {
        Ok(duration) => Ok(Some(duration)),
        // A plain string is not a length of time; a number or an INTERVAL was meant to be one.
        Err(_) if text && !interval && unit.is_none() => {
            cursor.at = begin;
            Ok(None)
        }
        Err(what) => {
            let next = match cursor.peek().and_then(|lexeme| lexeme.bare()) {
                Some(word) if is_calendar(word) => "a month has no fixed length: use days",
                _ => "write 500ms, 10s, 5m, 1h, 7d, 1w, INTERVAL '5' MINUTE or 5 MINUTES",
            };
            Err(cursor.source.diagnostic(span, what, next))
        }
    }
}

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

/// Milliseconds of a unit.
fn unit(word: &str) -> Option<u64> {
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

fn is_calendar(word: &str) -> bool {
    ["month", "months", "quarter", "quarters", "year", "years"].iter().any(|unit| word.eq_ignore_ascii_case(unit))
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
