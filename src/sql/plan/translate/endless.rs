//! What OVER can answer over input that does not end, and the sentence for what it cannot. Pure.

use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::expr::{NullTreatment, WindowFunctionParams};
use datafusion_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};

use super::columns;
use crate::sql::plan::strategies::LateStrategy;

/// Functions that cannot answer before their partition is complete.
const NEEDS_THE_WHOLE: [&str; 3] = ["percent_rank", "cume_dist", "ntile"];
/// Functions that number rows, whatever the frame.
const NUMBERS: [&str; 3] = ["row_number", "rank", "dense_rank"];

/// What is known of the order of rows.
pub struct Order {
    /// The type of the first key, if there is one.
    pub first: Option<DataType>,
    /// Whether that key is the event time.
    pub is_event_time: bool,
}

/// What makes partitions complete, for the sentences below.
const COMPLETE: &str = "partition by the window_end of a WINDOW, or read a bounded source";

/// Whether rows can be put in line as they come: by a time, the oldest first.
///
/// # Errors
/// Another order, with what can be said instead.
pub fn check_order(params: &WindowFunctionParams, order: &Order) -> Result<()> {
    let Some(key) = params.order_by.first() else { return Ok(()) };
    let is_time = order.is_event_time
        || matches!(order.first, Some(DataType::Timestamp(..) | DataType::Date32 | DataType::Date64));
    if is_time && key.asc {
        return Ok(());
    }
    let written = columns::plain(&key.expr);
    let why = if is_time { format!("{written} DESC") } else { written };
    plan_err!(
        "OVER (ORDER BY {why}) over endless input would have to know rows that have not come: only an ascending time can \
         be waited for; order by the event time, take the first n rows with ROW_NUMBER() … WHERE rn <= n, {COMPLETE}"
    )
}

/// The frame that a call has over input that does not end, and what should be known of it.
///
/// # Errors
/// A frame that is never complete, with what can be said instead.
pub fn frame_of(
    function: &str,
    params: &WindowFunctionParams,
    order: &Order,
    buffer: Option<usize>,
    late: LateStrategy,
) -> Result<(WindowFrame, Option<String>)> {
    let (frame, name) = (&params.window_frame, function.to_uppercase());
    if NUMBERS.contains(&function) {
        return Ok((frame.clone(), None));
    }
    if NEEDS_THE_WHOLE.contains(&function) {
        return match buffer {
            Some(rows) => Ok((frame.clone(), Some(format!("{name} answers for each row by the {rows} rows up to it")))),
            None => plan_err!(
                "{name} needs its whole partition, and this input does not end; \
                 say OVER (ROWS WINDOW BUFFER 100 ROWS …) for the last 100 rows, {COMPLETE}"
            ),
        };
    }
    if function == "lag" || function == "lead" {
        if params.null_treatment == Some(NullTreatment::IgnoreNulls) {
            return plan_err!(
                "{name} IGNORE NULLS may look back to any row, and this input does not end; \
                 leave the NULLs out in a subquery below, {COMPLETE}"
            );
        }
        return Ok((frame.clone(), None));
    }
    let is_null = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => distance.is_null(),
        WindowFrameBound::CurrentRow => false,
    };
    let from_the_beginning = is_null(&frame.start_bound);
    if is_null(&frame.end_bound) {
        if params.order_by.is_empty() && from_the_beginning {
            let running = WindowFrame::new_bounds(
                WindowFrameUnits::Rows,
                WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
                WindowFrameBound::CurrentRow,
            );
            let warning =
                format!("{name} OVER without ORDER BY answers by the rows that have come, for the input does not end");
            return Ok((running, Some(warning)));
        }
        return plan_err!(
            "a frame up to UNBOUNDED FOLLOWING is never complete over endless input; end it at CURRENT ROW, {COMPLETE}"
        );
    }
    if from_the_beginning {
        if frame.end_bound == WindowFrameBound::CurrentRow {
            return Ok((frame.clone(), None));
        }
        return plan_err!(
            "a frame from UNBOUNDED PRECEDING can only end at CURRENT ROW over endless input; \
             begin it at a distance, as 100 PRECEDING, {COMPLETE}"
        );
    }
    if frame.units == WindowFrameUnits::Rows {
        return Ok((frame.clone(), None));
    }
    let is_distance = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            let interval = matches!(distance.data_type(), DataType::Interval(_) | DataType::Duration(_));
            frame.units == WindowFrameUnits::Range && interval
        }
        WindowFrameBound::CurrentRow => true,
    };
    if !is_distance(&frame.start_bound) || !is_distance(&frame.end_bound) {
        return plan_err!(
            "a frame of {} over endless input has no length that is known before; \
             write ROWS, or RANGE with an INTERVAL in the order of a time",
            if frame.units == WindowFrameUnits::Range { "numbers" } else { "GROUPS" }
        );
    }
    if matches!(frame.end_bound, WindowFrameBound::Following(_)) && !order.is_event_time {
        return plan_err!(
            "an INTERVAL FOLLOWING over endless input needs the order of the event time, for another time has no \
             watermark; order by the event time, or end the frame at CURRENT ROW"
        );
    }
    if late == LateStrategy::IncludeInNextWindow {
        return plan_err!(
            "late.data.strategy include_in_next_window gives a late row another time, which a RANGE of time cannot see; \
             write ROWS, or choose drop or dead_letter"
        );
    }
    Ok((frame.clone(), None))
}

/// What late rows can become of what OVER gives once.
///
/// # Errors
/// A strategy that would take answers back.
pub fn check_late(late: LateStrategy) -> Result<()> {
    if late != LateStrategy::UpdatePrevious {
        return Ok(());
    }
    plan_err!(
        "late.data.strategy update_previous would replace answers that OVER gives once; \
         choose drop, dead_letter or include_in_next_window"
    )
}
