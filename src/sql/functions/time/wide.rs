//! DATE_TRUNC and DATE_BIN of times that nanoseconds of 64 bits cannot hold, before 1678 and after 2262, where DataFusion's
//! wrap. Pure.

use arrow::array::TimestampMillisecondArray;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion_expr::ColumnarValue;

use super::civil::{Civil, DAY_MS};
use crate::sql::functions::scalar::MOMENT;

/// The furthest milliseconds from 1970 of which all nanoseconds, and those of the year around them, fit 64 bits.
const NARROW_MS: i64 = i64::MAX / 1_000_000 - 366 * DAY_MS;

/// Whether one of these moments is of those times.
pub fn any(times: &TimestampMillisecondArray) -> bool {
    times.iter().flatten().any(|at| !(-NARROW_MS..=NARROW_MS).contains(&at))
}

/// `DATE_TRUNC(unit, time)`.
///
/// # Errors
/// A part that there is not, and a time out of range.
pub fn truncated(arguments: &[ColumnarValue], times: &TimestampMillisecondArray) -> Result<TimestampMillisecondArray> {
    let Some(ColumnarValue::Scalar(
        ScalarValue::Utf8(Some(unit)) | ScalarValue::Utf8View(Some(unit)) | ScalarValue::LargeUtf8(Some(unit)),
    )) = arguments.first()
    else {
        return exec_err!("the part that DATE_TRUNC takes is a constant");
    };
    times.try_unary(|at| beginning(unit, at)?.ok_or_else(out_of_range))
}

/// `DATE_BIN(length, time[, origin])`.
///
/// # Errors
/// A length of months, and a time out of range.
pub fn binned(arguments: &[ColumnarValue], times: &TimestampMillisecondArray) -> Result<TimestampMillisecondArray> {
    let length = length_ms(arguments.first())?;
    let origin = match arguments.get(2).map(|origin| origin.cast_to(&MOMENT, None)).transpose()? {
        Some(ColumnarValue::Scalar(ScalarValue::TimestampMillisecond(Some(origin), _))) => origin,
        None => 0,
        Some(_) => return exec_err!("the origin of DATE_BIN is a constant"),
    };
    times.try_unary(|at| {
        let behind = at.checked_sub(origin).ok_or_else(out_of_range)?.rem_euclid(length);
        at.checked_sub(behind).ok_or_else(out_of_range)
    })
}

fn out_of_range() -> DataFusionError {
    DataFusionError::Execution("a time is out of range".to_owned())
}

/// The beginning of the period that a moment is in.
fn beginning(unit: &str, at_ms: i64) -> Result<Option<i64>> {
    let at = Civil::of(at_ms);
    let first = |year: i64, month: i64| Civil { year, month, day: 1, of_day_ms: 0 }.moment_ms();
    Ok(match unit.to_lowercase().as_str() {
        "year" => first(at.year, 1),
        "quarter" => first(at.year, (at.month - 1) / 3 * 3 + 1),
        "month" => first(at.year, at.month),
        "week" => at_ms.checked_sub(at.of_day_ms + (at.weekday() + 6) % 7 * DAY_MS),
        "day" => at_ms.checked_sub(at.of_day_ms),
        "hour" => at_ms.checked_sub(at.of_day_ms % 3_600_000),
        "minute" => at_ms.checked_sub(at.of_day_ms % 60_000),
        "second" => at_ms.checked_sub(at.of_day_ms % 1_000),
        "millisecond" | "microsecond" => Some(at_ms),
        other => return exec_err!("a time has no part `{other}` that DATE_TRUNC takes"),
    })
}

fn length_ms(argument: Option<&ColumnarValue>) -> Result<i64> {
    let Some(ColumnarValue::Scalar(ScalarValue::IntervalMonthDayNano(Some(length)))) = argument else {
        return exec_err!("the length that DATE_BIN takes is a constant");
    };
    let days = i64::from(length.days).checked_mul(DAY_MS);
    match days.and_then(|days| days.checked_add(length.nanoseconds / 1_000_000)) {
        Some(made) if made > 0 && length.months == 0 && length.nanoseconds % 1_000_000 == 0 => Ok(made),
        _ => exec_err!("DATE_BIN of times before 1678 or after 2262 takes whole milliseconds, and no months"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_period_begins_where_the_calendar_says() {
        // 2500-02-17 was, or will be, a Wednesday.
        let at = Civil { year: 2500, month: 2, day: 17, of_day_ms: 45_296_789 }.moment_ms().unwrap();
        for (unit, year, month, day, of_day_ms) in [
            ("year", 2500, 1, 1, 0),
            ("QUARTER", 2500, 1, 1, 0),
            ("month", 2500, 2, 1, 0),
            ("week", 2500, 2, 15, 0),
            ("day", 2500, 2, 17, 0),
            ("hour", 2500, 2, 17, 43_200_000),
            ("minute", 2500, 2, 17, 45_240_000),
            ("second", 2500, 2, 17, 45_296_000),
        ] {
            let begun = Civil { year, month, day, of_day_ms }.moment_ms();
            assert_eq!(beginning(unit, at).unwrap(), begun, "{unit}");
        }
        assert!(beginning("fortnight", at).is_err());
    }
}
