//! `INTERVAL '1' DAY * n` and `n * INTERVAL '1' DAY`: a length of time so many times, which DataFusion has not. Pure.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, IntervalMonthDayNanoArray};
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
use datafusion_common::{DFSchema, Result, exec_err};
use datafusion_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion_expr::{Expr, ExprSchemable, ScalarUDF};
use sqlparser::ast::BinaryOperator;

use super::scalar::{Call, Scalar, Want};

static TIMES: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Scalar::new("", "interval_times", "interval_times(interval, n)", "A length of time so many times.", "")
        .takes(&[Want::Interval, Want::Whole])
        .runs(|_| DataType::Interval(IntervalUnit::MonthDayNano), times)
});

/// Plans the product of an interval and a whole number.
#[derive(Debug)]
pub struct IntervalPlanner;

impl ExprPlanner for IntervalPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let is = |side: &Expr, of: fn(&DataType) -> bool| side.get_type(schema).is_ok_and(|kind| of(&kind));
        let is_interval = |side: &Expr| is(side, |kind| matches!(kind, DataType::Interval(_)));
        let is_whole = |side: &Expr| is(side, DataType::is_integer);
        let RawBinaryExpr { op, left, right } = &expr;
        let arguments = match op {
            BinaryOperator::Multiply if is_interval(left) && is_whole(right) => vec![left.clone(), right.clone()],
            BinaryOperator::Multiply if is_whole(left) && is_interval(right) => vec![right.clone(), left.clone()],
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(PlannerResult::Planned(TIMES.call(arguments)))
    }
}

fn times(call: &Call) -> Result<ArrayRef> {
    let (lengths, counts) = (call.column(0)?, call.whole(1));
    let lengths = lengths.as_primitive::<IntervalMonthDayNanoType>();
    let made = lengths.iter().enumerate().map(|(row, length)| match (length, counts.at(row)) {
        (Some(length), Some(count)) => match multiplied(length, count) {
            Some(made) => Ok(Some(made)),
            None => exec_err!("an interval {count} times is out of range"),
        },
        _ => Ok(None),
    });
    Ok(Arc::new(made.collect::<Result<IntervalMonthDayNanoArray>>()?))
}

fn multiplied(length: IntervalMonthDayNano, count: i64) -> Option<IntervalMonthDayNano> {
    let short = i32::try_from(count).ok();
    let of = |part: i32| if part == 0 { Some(0) } else { part.checked_mul(short?) };
    Some(IntervalMonthDayNano::new(of(length.months)?, of(length.days)?, length.nanoseconds.checked_mul(count)?))
}
