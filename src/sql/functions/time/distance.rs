//! How far two moments are apart, and the moment that far from another: DATEDIFF, TIMESTAMPDIFF, DATEADD and their
//! spellings in other engines.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Builder, TimestampMillisecondBuilder};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType};
use datafusion_common::{DataFusionError, Result, exec_err};
use datafusion_expr::ScalarUDF;

use super::CATEGORY;
use super::civil::{Civil, DAY_MS};
use crate::sql::functions::scalar::{Call, Kept, MOMENT, Scalar, Want};

/// Whether the first argument of a function may be a bare unit: the planner's rewrite makes a text of it, so that
/// `TIMESTAMPDIFF(SECOND, a, b)` is planned as `timestampdiff('SECOND', a, b)`.
pub fn takes_unit(name: &str) -> bool {
    const KNOWN: [&str; 9] = [
        "datediff",
        "date_diff",
        "timestampdiff",
        "timestamp_diff",
        "dateadd",
        "date_add",
        "date_sub",
        "timestampadd",
        "timestamp_add",
    ];
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A unit of time: so many milliseconds, or so many months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Of fixed length.
    Milliseconds(i64),
    /// Of a length that the calendar says.
    Months(i64),
}

impl Unit {
    /// The unit of a name, in singular, plural or short, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        let name = lower.strip_prefix("sql_tsi_").unwrap_or(&lower);
        Some(match name {
            "millisecond" | "milliseconds" | "ms" | "millis" => Self::Milliseconds(1),
            "second" | "seconds" | "sec" | "secs" | "s" | "ss" => Self::Milliseconds(1_000),
            "minute" | "minutes" | "min" | "mins" | "mi" | "n" => Self::Milliseconds(60_000),
            "hour" | "hours" | "hr" | "hrs" | "h" | "hh" => Self::Milliseconds(3_600_000),
            "day" | "days" | "d" | "dd" => Self::Milliseconds(DAY_MS),
            "week" | "weeks" | "w" | "wk" | "ww" => Self::Milliseconds(7 * DAY_MS),
            "month" | "months" | "mon" | "mm" => Self::Months(1),
            "quarter" | "quarters" | "qtr" | "q" | "qq" => Self::Months(3),
            "year" | "years" | "y" | "yy" | "yyyy" => Self::Months(12),
            _ => return None,
        })
    }

    fn of(name: &str) -> Result<Self> {
        let expected = "millisecond, second, minute, hour, day, week, month, quarter or year";
        Self::parse(name).map_or_else(|| exec_err!("`{name}` is no unit of time: {expected}"), Ok)
    }

    /// Whole units that have passed from `start` to `end`; negative where `end` is before.
    fn between(self, start: i64, end: i64) -> Option<i64> {
        match self {
            Self::Milliseconds(length) => end.checked_sub(start).map(|passed| passed / length),
            Self::Months(months) => {
                let (from, to) = (Civil::of(start), Civil::of(end));
                let mut passed = (to.year - from.year) * 12 + to.month - from.month;
                let rest_from = (from.day, from.of_day_ms);
                let rest_to = (to.day, to.of_day_ms);
                if passed > 0 && rest_to < rest_from {
                    passed -= 1;
                } else if passed < 0 && rest_to > rest_from {
                    passed += 1;
                }
                Some(passed / months)
            }
        }
    }

    /// The moment `count` units after `start`.
    fn after(self, start: i64, count: i64) -> Option<i64> {
        match self {
            Self::Milliseconds(length) => start.checked_add(count.checked_mul(length)?),
            Self::Months(months) => Civil::of(start).plus_months(count.checked_mul(months)?)?.moment_ms(),
        }
    }
}

/// The functions on distances.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Scalar::new(
            CATEGORY,
            "datediff",
            "datediff(unit, start, end) or datediff(end, start)",
            "Whole units that have passed from start to end; with two arguments calendar days, the later date first.",
            "SELECT datediff('hours', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-02 01:30:00')",
        )
        .also(&["date_diff"])
        .takes(&[Want::Moment, Want::Moment])
        .takes(&[Want::Text, Want::Moment, Want::Moment])
        .runs(|_| DataType::Int64, difference),
        Scalar::new(
            CATEGORY,
            "timestampdiff",
            "timestampdiff(unit, start, end)",
            "Whole units that have passed from start to end.",
            "SELECT timestampdiff('MINUTE', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 01:30:00')",
        )
        .also(&["timestamp_diff"])
        .takes(&[Want::Text, Want::Moment, Want::Moment])
        .runs(|_| DataType::Int64, difference),
        Scalar::new(
            CATEGORY,
            "date_add",
            "date_add(time, days), date_add(time, interval) or date_add(unit, count, time)",
            "The moment so much later; the last day of the month where that month is shorter.",
            "SELECT date_add(TIMESTAMP '2024-01-31 00:00:00', INTERVAL '1' MONTH)",
        )
        .also(&["dateadd", "timestampadd", "timestamp_add", "adddate"])
        .takes(&[Want::Moment, Want::Interval])
        .takes(&[Want::Moment, Want::Whole])
        .takes(&[Want::Text, Want::Whole, Want::Moment])
        .takes(&[Want::Text, Want::Moment, Want::Whole])
        .runs(|_| MOMENT, |call| moved(call, 1)),
        Scalar::new(
            CATEGORY,
            "date_sub",
            "date_sub(time, days), date_sub(time, interval) or date_sub(unit, count, time)",
            "The moment so much earlier; the last day of the month where that month is shorter.",
            "SELECT date_sub(TIMESTAMP '2024-03-31 00:00:00', INTERVAL '1' MONTH)",
        )
        .also(&["datesub", "subdate"])
        .takes(&[Want::Moment, Want::Interval])
        .takes(&[Want::Moment, Want::Whole])
        .takes(&[Want::Text, Want::Whole, Want::Moment])
        .runs(|_| MOMENT, |call| moved(call, -1)),
    ]
}

fn difference(call: &Call) -> Result<ArrayRef> {
    let mut made = Int64Builder::with_capacity(call.rows);
    let mut kept = Kept::new();
    for row in 0..call.rows {
        let passed = if call.count() == 2 {
            let day = |index: usize| call.moment(index).at(row).map(|moment| moment.div_euclid(DAY_MS));
            day(0).zip(day(1)).map(|(end, start)| Some(end - start))
        } else {
            let (start, end) = (call.moment(1).at(row), call.moment(2).at(row));
            match (call.text(0).at(row), start, end) {
                (Some(unit), Some(start), Some(end)) => Some(kept.of(unit, Unit::of)?.between(start, end)),
                _ => None,
            }
        };
        match passed {
            Some(None) => return Err(out_of_range()),
            Some(passed) => made.append_option(passed),
            None => made.append_null(),
        }
    }
    Ok(Arc::new(made.finish()))
}

fn moved(call: &Call, sign: i64) -> Result<ArrayRef> {
    if call.count() == 2 && *call.data_type(1) != DataType::Int64 {
        let (moments, intervals) = (call.column(0)?, call.column(1)?);
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let made = if sign > 0 { numeric::add(&moments, intervals)? } else { numeric::sub(&moments, intervals)? };
        return Ok(made);
    }
    let mut made = TimestampMillisecondBuilder::with_capacity(call.rows);
    let mut kept = Kept::new();
    let days = Unit::Milliseconds(DAY_MS);
    // `date_add(unit, time, count)` is written by some: the types say which it is.
    let (count, moment) = match call.count() {
        2 => (1, 0),
        _ if *call.data_type(1) == DataType::Int64 => (1, 2),
        _ => (2, 1),
    };
    for row in 0..call.rows {
        let unit = match call.count() {
            2 => Some(days),
            _ => call.text(0).at(row).map(|unit| kept.of(unit, Unit::of).copied()).transpose()?,
        };
        match (unit, call.whole(count).at(row), call.moment(moment).at(row)) {
            (Some(unit), Some(count), Some(moment)) => {
                let count = count.checked_mul(sign).ok_or_else(out_of_range)?;
                made.append_value(unit.after(moment, count).ok_or_else(out_of_range)?);
            }
            _ => made.append_null(),
        }
    }
    Ok(Arc::new(made.finish()))
}

fn out_of_range() -> DataFusionError {
    DataFusionError::Execution("the time is out of range: milliseconds since 1970 in 64 bits".to_owned())
}
