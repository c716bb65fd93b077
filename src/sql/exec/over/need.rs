//! How far back and how far ahead the frames of window functions reach. Pure.

use datafusion_common::ScalarValue;
use datafusion_expr::{WindowFrameBound, WindowFrameUnits};
use datafusion_physical_expr::window::StandardWindowExpr;

use super::super::columns::defect;
use super::running::is_running;
use crate::core::fault::Fault;
use crate::sql::plan::stream::{OverCall, OverNode};

/// What has to be known around a row before it can be answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// Rows before it.
    pub rows_before: usize,
    /// Milliseconds before it.
    pub ms_before: i64,
    /// Rows behind it.
    pub rows_after: usize,
    /// Milliseconds behind it.
    pub ms_after: i64,
    /// The whole partition.
    pub waits_for_the_end: bool,
    /// Rows are in the order of their event time.
    pub is_by_event_time: bool,
}

impl Need {
    /// Of all calls of a node together.
    ///
    /// # Errors
    /// A function that cannot be made.
    pub fn of(node: &OverNode) -> Result<Self, Fault> {
        let mut need =
            Self { waits_for_the_end: node.is_bounded, is_by_event_time: node.is_by_event_time, ..Self::default() };
        // How long a partition was silent is seen by its last row.
        let expires = node.buffer.is_some_and(|buffer| buffer.expires.is_some());
        need.rows_before = usize::from(expires);
        for call in &node.calls {
            let one = Self::of_call(call, node.buffer.map(|buffer| buffer.rows))?;
            need.rows_before = need.rows_before.max(one.rows_before);
            need.ms_before = need.ms_before.max(one.ms_before);
            need.rows_after = need.rows_after.max(one.rows_after);
            need.ms_after = need.ms_after.max(one.ms_after);
        }
        Ok(need)
    }

    fn of_call(call: &OverCall, buffer_rows: Option<usize>) -> Result<Self, Fault> {
        match call.function.as_str() {
            _ if is_running(call) => Ok(Self::default()),
            "row_number" | "rank" | "dense_rank" => Ok(Self::default()),
            "percent_rank" | "cume_dist" | "ntile" => {
                Ok(Self { rows_before: buffer_rows.unwrap_or_default(), ..Self::default() })
            }
            "lag" | "lead" => Self::of_shift(call),
            _ => Ok(Self::of_frame(call)),
        }
    }

    fn of_shift(call: &OverCall) -> Result<Self, Fault> {
        let Some(standard) = call.expression.as_any().downcast_ref::<StandardWindowExpr>() else {
            return Err(defect(format!("`{}` does not say how far it looks", call.function)));
        };
        // Asked far from both ends of a partition, the function says how far it looks.
        const HERE: usize = 1 << 40;
        let evaluator = standard.get_standard_func_expr().create_evaluator().map_err(defect)?;
        let range = evaluator.get_range(HERE, 2 * HERE).map_err(defect)?;
        let rows_before = HERE.saturating_sub(range.start);
        let rows_after = if call.function == "lead" { range.end.saturating_sub(HERE) } else { 0 };
        Ok(Self { rows_before, rows_after, ..Self::default() })
    }

    /// Frames without a known length stand over partitions that are complete, whose rows are all there.
    fn of_frame(call: &OverCall) -> Self {
        let frame = &call.frame;
        let mut need = Self::default();
        match (&frame.start_bound, frame.units) {
            (WindowFrameBound::Preceding(distance), units) => match (reach(distance), units) {
                (Some(Reach::Rows(rows)), WindowFrameUnits::Rows) => need.rows_before = rows,
                (Some(Reach::Milliseconds(ms)), WindowFrameUnits::Range) => need.ms_before = ms,
                _ => {}
            },
            (WindowFrameBound::CurrentRow | WindowFrameBound::Following(_), _) => {}
        }
        match (&frame.end_bound, frame.units) {
            (WindowFrameBound::Following(distance), units) => match (reach(distance), units) {
                (Some(Reach::Rows(rows)), WindowFrameUnits::Rows) => need.rows_after = rows,
                (Some(Reach::Milliseconds(ms)), WindowFrameUnits::Range) => need.ms_after = ms,
                _ => {}
            },
            (WindowFrameBound::CurrentRow | WindowFrameBound::Preceding(_), _) => {}
        }
        need
    }
}

enum Reach {
    Rows(usize),
    Milliseconds(i64),
}

/// How far a bound reaches; none where it has no end or no length that is known here.
fn reach(distance: &ScalarValue) -> Option<Reach> {
    const DAY_MS: i64 = 86_400_000;
    match distance {
        ScalarValue::UInt64(Some(rows)) => usize::try_from(*rows).ok().map(Reach::Rows),
        ScalarValue::IntervalMonthDayNano(Some(length)) if length.months == 0 => {
            Some(Reach::Milliseconds(i64::from(length.days) * DAY_MS + length.nanoseconds.div_euclid(1_000_000) + 1))
        }
        ScalarValue::IntervalDayTime(Some(length)) => {
            Some(Reach::Milliseconds(i64::from(length.days) * DAY_MS + i64::from(length.milliseconds)))
        }
        // A month has at most 31 days.
        ScalarValue::IntervalMonthDayNano(Some(length)) => {
            let days = i64::from(length.months) * 31 + i64::from(length.days);
            Some(Reach::Milliseconds(days * DAY_MS + length.nanoseconds.div_euclid(1_000_000) + 1))
        }
        ScalarValue::IntervalYearMonth(Some(months)) => Some(Reach::Milliseconds(i64::from(*months) * 31 * DAY_MS)),
        _ => None,
    }
}
