//! How far apart in time the two sides of a join may be, read from `WITHIN` and from comparisons of times. Pure.

use datafusion_common::{Column, DFSchema, ScalarValue};
use datafusion_expr::utils::split_conjunction;
use datafusion_expr::{Expr, Operator};

use super::{columns, milliseconds};
use crate::sql::parse::mark::Mark;

/// What a join's condition says of times: bounds of `right.time - left.time`, milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bounds {
    /// At least this.
    pub lower: Option<i64>,
    /// At most this.
    pub upper: Option<i64>,
    /// Column of the left and of the right that are compared; absent for `WITHIN`, which is about event times.
    pub compared: Option<(usize, usize)>,
    /// The column that `FOR SYSTEM_TIME AS OF` names.
    pub as_of: Option<Column>,
}

impl Bounds {
    /// The bounds that a join's condition says, and what remains of the condition.
    pub fn of(
        filter: Option<&Expr>,
        left: &DFSchema,
        right: &DFSchema,
        is_time: impl Fn(usize, usize) -> bool,
    ) -> (Self, Vec<Expr>) {
        let mut bounds = Self::default();
        let mut rest = Vec::new();
        for part in filter.map(split_conjunction).unwrap_or_default() {
            if let Some((before, after)) = within(part) {
                bounds.tighten(-before, after);
                continue;
            }
            if let Some(column) = as_of(part) {
                bounds.as_of = Some(column.clone());
                continue;
            }
            for (one, operator, other) in comparisons(part) {
                let (Some(one), Some(other)) = (Moment::of(one), Moment::of(other)) else { continue };
                let sides = |moment: &Moment| {
                    (left.maybe_index_of_column(&moment.column), right.maybe_index_of_column(&moment.column))
                };
                // `a + x op b + y`, turned so that the left side of the join stands left.
                let (l, r, operator, shift) = match (sides(&one), sides(&other)) {
                    ((Some(l), None), (None, Some(r))) => (l, r, operator, one.shift_ms - other.shift_ms),
                    ((None, Some(r)), (Some(l), None)) => (l, r, turned(operator), other.shift_ms - one.shift_ms),
                    _ => continue,
                };
                if !is_time(l, r) {
                    continue;
                }
                bounds.compared.get_or_insert((l, r));
                match operator {
                    Operator::Lt | Operator::LtEq => bounds.tighten(shift, i64::MAX),
                    Operator::Gt | Operator::GtEq => bounds.tighten(i64::MIN, shift),
                    Operator::Eq => bounds.tighten(shift, shift),
                    _ => {}
                }
            }
            // The comparison stays: the bound only says how long rows are kept.
            rest.push(part.clone());
        }
        (bounds, rest)
    }

    fn tighten(&mut self, lower: i64, upper: i64) {
        if lower != i64::MIN {
            self.lower = Some(self.lower.map_or(lower, |known| known.max(lower)));
        }
        if upper != i64::MAX {
            self.upper = Some(self.upper.map_or(upper, |known| known.min(upper)));
        }
    }
}

/// What [`Mark::Within`] says: milliseconds before and after.
fn within(expr: &Expr) -> Option<(i64, i64)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    if !Mark::Within.is(call.func.name()) {
        return None;
    }
    let whole = |index: usize| match call.args.get(index) {
        Some(Expr::Literal(value, _)) => milliseconds(value),
        _ => None,
    };
    Some((whole(2)?, whole(3)?))
}

/// The column that [`Mark::AsOf`] names.
fn as_of(expr: &Expr) -> Option<&Column> {
    let Expr::ScalarFunction(call) = expr else { return None };
    match call.args.first() {
        Some(Expr::Column(column)) if Mark::AsOf.is(call.func.name()) => Some(column),
        _ => None,
    }
}

fn comparisons(expr: &Expr) -> Vec<(&Expr, Operator, &Expr)> {
    match expr {
        Expr::BinaryExpr(binary) => vec![(&*binary.left, binary.op, &*binary.right)],
        Expr::Between(between) if !between.negated => {
            vec![(&*between.expr, Operator::GtEq, &*between.low), (&*between.expr, Operator::LtEq, &*between.high)]
        }
        _ => Vec::new(),
    }
}

fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Lt => Operator::Gt,
        Operator::LtEq => Operator::GtEq,
        Operator::Gt => Operator::Lt,
        Operator::GtEq => Operator::LtEq,
        other => other,
    }
}

/// A column, some milliseconds later.
struct Moment {
    column: datafusion_common::Column,
    shift_ms: i64,
}

impl Moment {
    fn of(expr: &Expr) -> Option<Self> {
        match columns::unaliased(expr) {
            Expr::Column(column) => Some(Self { column: column.clone(), shift_ms: 0 }),
            Expr::Cast(cast) => Self::of(&cast.expr),
            Expr::TryCast(cast) => Self::of(&cast.expr),
            Expr::BinaryExpr(binary) => {
                let sign = match binary.op {
                    Operator::Plus => 1,
                    Operator::Minus => -1,
                    _ => return None,
                };
                if let Some(interval) = interval_ms(&binary.right) {
                    let moment = Self::of(&binary.left)?;
                    return Some(Self { shift_ms: moment.shift_ms + sign * interval, ..moment });
                }
                let interval = interval_ms(&binary.left).filter(|_| sign == 1)?;
                let moment = Self::of(&binary.right)?;
                Some(Self { shift_ms: moment.shift_ms + interval, ..moment })
            }
            _ => None,
        }
    }
}

/// Milliseconds of an interval without months, which have no fixed length.
pub fn interval_ms(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = columns::unaliased(expr) else { return None };
    const DAY_MS: i64 = 86_400_000;
    match value {
        ScalarValue::IntervalMonthDayNano(Some(value)) if value.months == 0 => {
            Some(i64::from(value.days) * DAY_MS + value.nanoseconds / 1_000_000)
        }
        ScalarValue::IntervalDayTime(Some(value)) => {
            Some(i64::from(value.days) * DAY_MS + i64::from(value.milliseconds))
        }
        ScalarValue::DurationMillisecond(Some(value)) => Some(*value),
        _ => None,
    }
}
