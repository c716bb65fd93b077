//! What the clock says, asked once a batch: a plan runs for weeks, so none of these may be computed at planning.

use std::sync::Arc;

use arrow::array::{Date32Array, Time32MillisecondArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion_expr::ScalarUDF;

use super::CATEGORY;
use super::civil::DAY_MS;
use crate::clock::now_ms;
use crate::sql::functions::scalar::{MOMENT, Scalar};

/// The functions of the clock.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Scalar::new(
            CATEGORY,
            "now",
            "now()",
            "The time of the clock in UTC, as TIMESTAMP(3); asked once a batch of rows.",
            "SELECT now()",
        )
        .also(&[
            "current_timestamp",
            "proctime",
            "localtimestamp",
            "current_row_timestamp",
            "sysdate",
            "getdate",
            "utc_timestamp",
        ])
        .takes(&[])
        .volatile()
        .runs(|_| MOMENT, |call| Ok(Arc::new(TimestampMillisecondArray::from(vec![now_ms(); call.rows])))),
        Scalar::new(
            CATEGORY,
            "current_date",
            "current_date()",
            "The date of the clock in UTC; asked once a batch of rows.",
            "SELECT current_date()",
        )
        .also(&["today", "curdate"])
        .takes(&[])
        .volatile()
        .runs(
            |_| DataType::Date32,
            |call| {
                let days = i32::try_from(now_ms().div_euclid(DAY_MS)).unwrap_or(i32::MAX);
                Ok(Arc::new(Date32Array::from(vec![days; call.rows])))
            },
        ),
        Scalar::new(
            CATEGORY,
            "current_time",
            "current_time()",
            "The time of day of the clock in UTC; asked once a batch of rows.",
            "SELECT current_time()",
        )
        .also(&["localtime", "curtime"])
        .takes(&[])
        .volatile()
        .runs(
            |_| DataType::Time32(TimeUnit::Millisecond),
            |call| {
                let of_day = i32::try_from(now_ms().rem_euclid(DAY_MS)).unwrap_or_default();
                Ok(Arc::new(Time32MillisecondArray::from(vec![of_day; call.rows])))
            },
        ),
    ]
}
