//! The share of a percentile, exact: 0.07 of a hundred values is the seventh, which it is not in floating point.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::ColumnarValue;
use datafusion_expr::function::AccumulatorArgs;

/// Digits of a share behind its point: more than any percentile has a name for, and products with a count stay in range.
const DIGITS_MAX: usize = 18;

/// A share from 0 to 1 of values in ascending order: so many parts of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Parts.
    parts: i128,
    /// Parts of the whole.
    unit: i128,
    /// Values are counted from the largest.
    is_descending: bool,
}

impl Share {
    /// The middle.
    pub const HALF: Self = Self { parts: 1, unit: 2, is_descending: false };

    /// The share that a call names behind its value.
    ///
    /// # Errors
    /// One that is no constant from 0 to 1.
    pub fn of(args: &AccumulatorArgs<'_>) -> Result<Self> {
        let empty = RecordBatch::new_empty(args.schema.clone().into());
        let ColumnarValue::Scalar(share) = args.exprs[1].evaluate(&empty)? else {
            return plan_err!("the share of a percentile is a constant, as 0.95");
        };
        let text = match share.cast_to(&DataType::Utf8)? {
            ScalarValue::Utf8(Some(text)) => text,
            _ => return plan_err!("the share of a percentile is a number"),
        };
        let Some(share) = Self::read(&text) else {
            return plan_err!(
                "the share of a percentile is from 0 to 1 with {DIGITS_MAX} digits at most, not {text}; write 0.95"
            );
        };
        let is_descending = args.order_bys.first().is_some_and(|sort| sort.options.descending);
        Ok(Self { is_descending, ..share })
    }

    fn read(text: &str) -> Option<Self> {
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        let digits = digits.trim_end_matches('0');
        if digits.len() > DIGITS_MAX {
            return None;
        }
        let unit = 10_i128.pow(u32::try_from(digits.len()).ok()?);
        let parts: i128 = format!("{whole}{digits}").parse().ok()?;
        (0..=unit).contains(&parts).then_some(Self { parts, unit, is_descending: false })
    }

    /// The place, from 1 in ascending order, of the first of `count` values that this share of them is not beyond.
    pub fn place(self, count: i64) -> i64 {
        let covered = self.parts * i128::from(count);
        let place = i64::try_from((covered + self.unit - 1) / self.unit).unwrap_or(count).clamp(1, count.max(1));
        if self.is_descending { count + 1 - place } else { place }
    }

    /// Between which of `count` values in ascending order the share is: the place of the lower one, from 0, and how far
    /// from it to the next, as parts of a unit.
    pub fn between(self, count: usize) -> (usize, Way) {
        let parts = if self.is_descending { self.unit - self.parts } else { self.parts };
        let steps = parts * (count.max(1) as i128 - 1);
        let (place, parts) = (steps / self.unit, steps % self.unit);
        (usize::try_from(place).unwrap_or(count), Way { parts, unit: self.unit })
    }
}

/// How far it is from one value to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Parts, fewer than the unit has.
    pub parts: i128,
    /// Parts of the whole way.
    pub unit: i128,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_what_is_written_and_no_neighbour_in_floating_point() {
        let share = |text: &str| Share::read(text).unwrap_or_else(|| panic!("{text} is a share"));
        assert_eq!(share("0.07").place(100), 7);
        assert_eq!(share("0.070000").place(100), 7);
        assert_eq!(share("0.1").place(30), 3);
        assert_eq!((share("0").place(9), share("1").place(9), share("1.0").place(9)), (1, 9, 9));
        assert_eq!(share("0.9").between(11), (9, Way { parts: 0, unit: 10 }));
        assert_eq!(share("0.25").between(4), (0, Way { parts: 75, unit: 100 }));
        let from_above = Share { is_descending: true, ..share("0.25") };
        assert_eq!((from_above.place(4), from_above.between(4)), (4, (2, Way { parts: 25, unit: 100 })));
        for wrong in ["1.1", "-0.1", "2", "a", "", "0.1234567890123456789"] {
            assert_eq!(Share::read(wrong), None, "{wrong}");
        }
    }
}
