//! Moments as text and as numbers: DATE_FORMAT, TO_TIMESTAMP, UNIX_TIMESTAMP, FROM_UNIXTIME and their variants, all on
//! TIMESTAMP(3).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Builder, StringBuilder, TimestampMillisecondBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::ScalarUDF;

use super::CATEGORY;
use super::pattern::Pattern;
use crate::clock::now_ms;
use crate::sql::functions::scalar::{Call, Clock, Kept, MOMENT, Scalar, Want};

/// The functions on written moments.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Scalar::new(
            CATEGORY,
            "date_format",
            "date_format(time, pattern)",
            "A moment as text; patterns of Java (yyyy-MM-dd HH:mm:ss), strftime (%Y-%m-%d %H:%M:%S) and MySQL (with %i).",
            "SELECT date_format(TIMESTAMP '2024-02-29 15:04:05', 'yyyy-MM-dd HH:mm')",
        )
        .also(&["to_char", "format_timestamp", "timestamptostring", "strftime", "format_date"])
        .takes(&[Want::Shown, Want::Text])
        .runs(
            |_| DataType::Utf8,
            |call| {
                let clocks = call.shown(0)?;
                written(call, |row| clocks.at(row))
            },
        ),
        to_timestamp("to_timestamp", &["to_timestamp_seconds", "to_timestamp_ltz", "str_to_date", "stringtotimestamp"]),
        Scalar::new(
            CATEGORY,
            "to_timestamp_millis",
            "to_timestamp_millis(milliseconds) or to_timestamp_millis(text)",
            "The moment so many milliseconds after 1970, as TIMESTAMP(3); a text is read in ISO 8601.",
            "SELECT to_timestamp_millis(1709219045678)",
        )
        .also(&["timestamp_millis", "epoch_ms", "from_unixtime_millis"])
        .takes(&[Want::Moment])
        .runs(|_| MOMENT, |call| call.column(0)),
        Scalar::new(
            CATEGORY,
            "to_timestamp_micros",
            "to_timestamp_micros(microseconds)",
            "The moment so many microseconds after 1970, as TIMESTAMP(3): what is below a millisecond is cut.",
            "SELECT to_timestamp_micros(1709219045678000)",
        )
        .takes(&[Want::Whole])
        .runs(|_| MOMENT, |call| divided(call, 1_000)),
        Scalar::new(
            CATEGORY,
            "to_timestamp_nanos",
            "to_timestamp_nanos(nanoseconds)",
            "The moment so many nanoseconds after 1970, as TIMESTAMP(3): what is below a millisecond is cut.",
            "SELECT to_timestamp_nanos(1709219045678000000)",
        )
        .takes(&[Want::Whole])
        .runs(|_| MOMENT, |call| divided(call, 1_000_000)),
        Scalar::new(
            CATEGORY,
            "from_unixtime",
            "from_unixtime(seconds[, pattern])",
            "The moment so many seconds after 1970, as TIMESTAMP(3); with a pattern as text.",
            "SELECT from_unixtime(1709219045)",
        )
        .takes(&[Want::Whole])
        .takes(&[Want::Whole, Want::Text])
        .runs(
            |given| if given.len() == 2 { DataType::Utf8 } else { MOMENT },
            |call| {
                if call.count() == 2 {
                    let seconds = call.whole(0);
                    let utc = |shown_ms| Clock { shown_ms, ahead_ms: 0 };
                    return written(call, |row| seconds.at(row)?.checked_mul(1_000).map(utc));
                }
                timestamps(call)
            },
        ),
        Scalar::new(
            CATEGORY,
            "unix_timestamp",
            "unix_timestamp(time) or unix_timestamp(text, pattern)",
            "Whole seconds since 1970.",
            "SELECT unix_timestamp(TIMESTAMP '2024-02-29 15:04:05')",
        )
        .also(&["to_unixtime", "to_epoch"])
        .takes(&[Want::Moment])
        .takes(&[Want::Text, Want::Text])
        .runs(|_| DataType::Int64, |call| seconds(call, 1_000)),
        Scalar::new(
            CATEGORY,
            "unix_millis",
            "unix_millis(time)",
            "Milliseconds since 1970.",
            "SELECT unix_millis(TIMESTAMP '2024-02-29 15:04:05.678')",
        )
        .also(&["to_epoch_millis"])
        .takes(&[Want::Moment])
        .runs(|_| DataType::Int64, |call| seconds(call, 1)),
        Scalar::new(
            CATEGORY,
            "unix_now",
            "unix_now()",
            "Whole seconds since 1970 by the clock; what unix_timestamp() without arguments gives elsewhere.",
            "SELECT unix_now()",
        )
        .takes(&[])
        .volatile()
        .runs(
            |_| DataType::Int64,
            |call| Ok(Arc::new(arrow::array::Int64Array::from(vec![now_ms().div_euclid(1_000); call.rows]))),
        ),
    ]
}

fn to_timestamp(name: &'static str, aliases: &[&str]) -> Arc<ScalarUDF> {
    Scalar::new(
        CATEGORY,
        name,
        "to_timestamp(text[, pattern]), to_timestamp(seconds) or to_timestamp_ltz(count, 0 or 3)",
        "A moment as TIMESTAMP(3), of a text (ISO 8601 or a pattern), of seconds or of milliseconds since 1970.",
        "SELECT to_timestamp('29.02.2024 15:04', 'dd.MM.yyyy HH:mm')",
    )
    .also(aliases)
    .takes(&[Want::Any])
    .takes(&[Want::Any, Want::Any])
    .runs(|_| MOMENT, timestamps)
}

fn written(call: &Call, clock: impl Fn(usize) -> Option<Clock>) -> Result<ArrayRef> {
    let patterns = call.text(1);
    let mut made = StringBuilder::with_capacity(call.rows, call.rows * 20);
    let mut text = String::new();
    let mut kept = Kept::new();
    // Rows that are near in time are written alike: what was written last often stands for this one as well.
    let mut last: Option<(&str, i64, Clock)> = None;
    for row in 0..call.rows {
        match (clock(row), patterns.at(row)) {
            (Some(clock), Some(pattern)) => {
                let whole = |unit| Clock { shown_ms: clock.shown_ms.div_euclid(unit), ..clock };
                let is_known = last.is_some_and(|(of, unit, known)| whole(unit) == known && of == pattern);
                if !is_known {
                    text.clear();
                    let compiled = kept.of(pattern, Pattern::parse)?;
                    compiled.write(clock, &mut text);
                    let unit = compiled.unit_ms();
                    last = Some((pattern, unit, whole(unit)));
                }
                made.append_value(&text);
            }
            _ => made.append_null(),
        }
    }
    Ok(Arc::new(made.finish()))
}

fn timestamps(call: &Call) -> Result<ArrayRef> {
    let column = call.column(0)?;
    let kind = column.data_type();
    if call.count() == 2 && kind.is_string() {
        let texts = cast(&column, &DataType::Utf8)?;
        let patterns = cast(&call.column(1)?, &DataType::Utf8)?;
        let (texts, patterns) = (texts.as_string::<i32>(), patterns.as_string::<i32>());
        let mut made = TimestampMillisecondBuilder::with_capacity(call.rows);
        let mut kept = Kept::new();
        for row in 0..call.rows {
            if texts.is_null(row) || patterns.is_null(row) {
                made.append_null();
                continue;
            }
            let (text, pattern) = (texts.value(row), patterns.value(row));
            match kept.of(pattern, Pattern::parse)?.read(text) {
                Some(moment) => made.append_value(moment),
                None => return exec_err!("`{text}` is no time of the pattern `{pattern}`"),
            }
        }
        return Ok(Arc::new(made.finish()));
    }
    // A number: seconds, or with a second argument of 3 milliseconds (Flink's TO_TIMESTAMP_LTZ).
    let scale = match (call.count(), kind.is_numeric()) {
        (2, true) => {
            let precisions = cast(&call.column(1)?, &DataType::Int64)?;
            match ScalarValue::try_from_array(&precisions, 0)? {
                ScalarValue::Int64(Some(3)) => 1,
                ScalarValue::Int64(Some(0)) => 1_000,
                other => return exec_err!("a number is in seconds (0) or in milliseconds (3), not {other}"),
            }
        }
        _ => 1_000,
    };
    if kind.is_integer() {
        let numbers = cast(&column, &DataType::Int64)?;
        let moments = numbers
            .as_primitive::<Int64Type>()
            .try_unary::<_, arrow::datatypes::TimestampMillisecondType, datafusion_common::DataFusionError>(
                |number| number.checked_mul(scale).map_or_else(|| exec_err!("{number} is out of range of a time"), Ok),
            )?;
        return Ok(Arc::new(moments));
    }
    if matches!(kind, DataType::Decimal128(_, _)) {
        // Exact: seconds with a fraction become whole milliseconds, what is below is cut.
        let numbers = column.as_primitive::<Decimal128Type>();
        let unit = 10_i128.checked_pow(u32::try_from(numbers.scale()).unwrap_or_default()).unwrap_or(i128::MAX);
        let moments = numbers
            .try_unary::<_, arrow::datatypes::TimestampMillisecondType, datafusion_common::DataFusionError>(
                |number| {
                    let whole = number.checked_mul(i128::from(scale)).map(|scaled| scaled.div_euclid(unit));
                    whole
                        .and_then(|whole| i64::try_from(whole).ok())
                        .map_or_else(|| exec_err!("{number} is out of range of a time"), Ok)
                },
            )?;
        return Ok(Arc::new(moments));
    }
    if kind.is_floating() {
        let numbers = cast(&column, &DataType::Float64)?;
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        let moments = numbers
            .as_primitive::<Float64Type>()
            .try_unary::<_, arrow::datatypes::TimestampMillisecondType, datafusion_common::DataFusionError>(
                |number| {
                    let scaled = (number * scale as f64).floor();
                    if scaled.abs() < 9.0e15 {
                        Ok(scaled as i64)
                    } else {
                        exec_err!("{number} is out of range of a time")
                    }
                },
            )?;
        return Ok(Arc::new(moments));
    }
    // Checked, so that a text that is no time is an error of its row and not NULL.
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    Ok(arrow::compute::cast_with_options(&column, &MOMENT, &options)?)
}

fn divided(call: &Call, by: i64) -> Result<ArrayRef> {
    let numbers = call.whole(0);
    let mut made = TimestampMillisecondBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        made.append_option(numbers.at(row).map(|number| number.div_euclid(by)));
    }
    Ok(Arc::new(made.finish()))
}

fn seconds(call: &Call, unit: i64) -> Result<ArrayRef> {
    let mut made = Int64Builder::with_capacity(call.rows);
    let moments = if call.count() == 2 { timestamps(call)? } else { call.column(0)? };
    let moments = moments.as_primitive::<arrow::datatypes::TimestampMillisecondType>();
    for row in 0..call.rows {
        made.append_option((!moments.is_null(row)).then(|| moments.value(row).div_euclid(unit)));
    }
    Ok(Arc::new(made.finish()))
}
