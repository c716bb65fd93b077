//! YEAR, MONTH, HOUR and the like: parts of a moment as functions of their own, as EXTRACT gives them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, TimestampMillisecondBuilder};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;

use super::CATEGORY;
use super::civil::{Civil, DAY_MS, days_of_month};
use crate::sql::functions::scalar::{Call, MOMENT, Scalar, Want};

/// The functions on parts.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        part("year", "year(time)", "The year.", "SELECT year(now())", |call| parts(call, |at| at.year)),
        part("quarter", "quarter(time)", "The quarter, 1 to 4.", "SELECT quarter(now())", |call| {
            parts(call, |at| (at.month + 2) / 3)
        }),
        part("month", "month(time)", "The month, 1 to 12.", "SELECT month(now())", |call| parts(call, |at| at.month)),
        part("week", "week(time)", "The week as ISO 8601 counts it, 1 to 53.", "SELECT week(now())", |call| {
            parts(call, |at| at.iso_week().1)
        }),
        part("dayofmonth", "dayofmonth(time)", "The day of the month, 1 to 31.", "SELECT dayofmonth(now())", |call| {
            parts(call, |at| at.day)
        }),
        part("day", "day(time)", "The day of the month, 1 to 31.", "SELECT day(now())", |call| {
            parts(call, |at| at.day)
        }),
        part("dayofweek", "dayofweek(time)", "The day of the week; 1 is Sunday.", "SELECT dayofweek(now())", |call| {
            parts(call, |at| at.weekday() + 1)
        }),
        part("dayofyear", "dayofyear(time)", "The day of the year, 1 to 366.", "SELECT dayofyear(now())", |call| {
            parts(call, Civil::day_of_year)
        }),
        part("hour", "hour(time)", "The hour, 0 to 23.", "SELECT hour(now())", |call| {
            parts(call, |at| at.of_day_ms / 3_600_000)
        }),
        part("minute", "minute(time)", "The minute, 0 to 59.", "SELECT minute(now())", |call| {
            parts(call, |at| at.of_day_ms / 60_000 % 60)
        }),
        part("second", "second(time)", "The second, 0 to 59.", "SELECT second(now())", |call| {
            parts(call, |at| at.of_day_ms / 1_000 % 60)
        }),
        part("millisecond", "millisecond(time)", "The millisecond, 0 to 999.", "SELECT millisecond(now())", |call| {
            parts(call, |at| at.of_day_ms % 1_000)
        }),
        Scalar::new(
            CATEGORY,
            "last_day",
            "last_day(time)",
            "Midnight of the last day of the month.",
            "SELECT last_day(TIMESTAMP '2024-02-03 00:00:00')",
        )
        .takes(&[Want::Shown])
        .runs(|_| MOMENT, last_day),
    ]
}

fn part(
    name: &'static str,
    syntax: &'static str,
    help: &'static str,
    example: &'static str,
    kernel: fn(&Call) -> Result<ArrayRef>,
) -> Arc<ScalarUDF> {
    Scalar::new(CATEGORY, name, syntax, help, example).takes(&[Want::Shown]).runs(|_| DataType::Int64, kernel)
}

fn parts(call: &Call, of: impl Fn(&Civil) -> i64) -> Result<ArrayRef> {
    let moments = call.shown(0)?;
    let mut made = Int64Builder::with_capacity(call.rows);
    for row in 0..call.rows {
        made.append_option(moments.at(row).map(|clock| of(&Civil::of(clock.shown_ms))));
    }
    Ok(Arc::new(made.finish()))
}

fn last_day(call: &Call) -> Result<ArrayRef> {
    let moments = call.shown(0)?;
    let mut made = TimestampMillisecondBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        made.append_option(moments.at(row).and_then(|clock| {
            let moment = clock.shown_ms;
            let civil = Civil::of(moment);
            let rest = days_of_month(civil.year, civil.month) - civil.day;
            (moment - civil.of_day_ms).checked_add(rest * DAY_MS)
        }));
    }
    Ok(Arc::new(made.finish()))
}
