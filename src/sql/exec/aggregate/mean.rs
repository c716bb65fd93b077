//! AVG: a decimal's mean, rounded half away from zero at the scale of the result as `/` rounds; a float's as a float.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Decimal256Array, Float64Array};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, i256};

use super::sum::{Sum, digits, widest};
use super::{GroupAccumulator, Rows, Trial};
use crate::core::fault::Fault;

/// Means of an argument's type, `None` for one that has no native mean.
pub fn mean(argument: &DataType, result: &DataType) -> Option<Box<dyn GroupAccumulator>> {
    let up = |scale: &i8, from: &i8| u32::try_from(scale - from).ok();
    Some(match (argument, result) {
        (_, DataType::Float64) => Box::new(MeanOfFloats { sums: Sum::new(&DataType::Float64) }),
        (DataType::Decimal128(_, from), DataType::Decimal128(_, scale)) => {
            let up = 10_i128.checked_pow(up(scale, from)?)?;
            // The mean of values that the result can show is one, too.
            let most = digits(result)?.checked_div(i256::from_i128(up));
            let sums = Sum::new(&widest(argument)?).of_values_within(most);
            Box::new(MeanOfDecimals { sums, up, result: result.clone() })
        }
        (DataType::Decimal256(_, from), DataType::Decimal256(_, scale)) => {
            let up = i256::from_i128(10).checked_pow(up(scale, from)?)?;
            let sums = Sum::new(&widest(argument)?).of_values_within(digits(result)?.checked_div(up));
            Box::new(MeanOfWide { sums, up, result: result.clone() })
        }
        _ => return None,
    })
}

/// `sum / values` with `up` more digits, rounded half away from zero. Only the rest is raised: the sum may have no digit
/// to spare.
macro_rules! rounded_mean {
    ($sum:expr, $values:expr, $up:expr, $two:expr, $zero:expr, $one:expr) => {{
        let (sum, values, up) = ($sum, $values, $up);
        let raised = (sum % values) * up;
        let (part, rest) = (raised / values, (raised % values) * $two);
        let away = match (rest >= values, -rest >= values) {
            (true, _) => $one,
            (_, true) => -$one,
            _ => $zero,
        };
        (sum / values) * up + part + away
    }};
}

macro_rules! over_sums {
    ($mean:ty, $means:item) => {
        impl $mean {
            $means
        }

        impl GroupAccumulator for $mean {
            fn grow(&mut self, groups: usize) {
                self.sums.grow(groups);
            }
            fn may_refuse(&mut self, rows: &Rows<'_>) -> Result<bool, Fault> {
                self.sums.may_refuse(rows)
            }
            fn trial<'a>(&'a self, rows: &'a Rows<'a>) -> Result<Box<dyn Trial + 'a>, Fault> {
                self.sums.trial(rows)
            }
            fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
                self.sums.update(rows)
            }
            fn follow(&mut self, rows: &Rows<'_>) -> Result<(ArrayRef, ArrayRef), Fault> {
                let (before, after) = self.sums.follow_sums(rows)?;
                Ok((self.means(before.into_iter())?, self.means(after.into_iter())?))
            }
            fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
                self.sums.retract(rows)
            }
            fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
                self.means(self.sums.sums(groups))
            }
            fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
                self.sums.state(groups)
            }
            fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
                self.sums.merge(states, groups)
            }
            fn spilled(&mut self) -> Vec<(u32, String)> {
                self.sums.spilled()
            }
            fn clear(&mut self, group: u32) {
                self.sums.clear(group);
            }
            fn size(&self) -> usize {
                self.sums.size()
            }
        }
    };
}

struct MeanOfFloats {
    sums: Sum<Float64Type>,
}

over_sums!(
    MeanOfFloats,
    fn means(&self, sums: impl Iterator<Item = (f64, i64)>) -> Result<ArrayRef, Fault> {
        let means = sums.map(|(sum, values)| (values != 0).then(|| sum / values as f64));
        Ok(Arc::new(means.collect::<Float64Array>()))
    }
);

struct MeanOfDecimals {
    sums: Sum<Decimal128Type>,
    /// Ten to the power of the digits that the result has more than the argument.
    up: i128,
    result: DataType,
}

over_sums!(
    MeanOfDecimals,
    fn means(&self, sums: impl Iterator<Item = (i128, i64)>) -> Result<ArrayRef, Fault> {
        let mean = |(sum, values): (i128, i64)| {
            (values != 0).then(|| rounded_mean!(sum, i128::from(values), self.up, 2, 0, 1))
        };
        let means = sums.map(mean).collect::<Decimal128Array>();
        Ok(Arc::new(means.with_data_type(self.result.clone())))
    }
);

struct MeanOfWide {
    sums: Sum<Decimal256Type>,
    up: i256,
    result: DataType,
}

over_sums!(
    MeanOfWide,
    fn means(&self, sums: impl Iterator<Item = (i256, i64)>) -> Result<ArrayRef, Fault> {
        let two = i256::from_i128(2);
        let mean = |(sum, values): (i256, i64)| {
            (values != 0).then(|| rounded_mean!(sum, i256::from(values), self.up, two, i256::ZERO, i256::ONE))
        };
        let means = sums.map(mean).collect::<Decimal256Array>();
        Ok(Arc::new(means.with_data_type(self.result.clone())))
    }
);

#[cfg(test)]
mod tests {
    #[test]
    fn a_mean_is_rounded_half_away_from_zero_however_large_its_sum() {
        let mean = |sum: i128, values: i128, up: i128| rounded_mean!(sum, values, up, 2, 0, 1);
        assert_eq!([mean(2, 3, 10), mean(-2, 3, 10), mean(1, 3, 10)], [7, -7, 3]);
        assert_eq!([mean(1, 2, 1), mean(-1, 2, 1), mean(5, 10, 1), mean(4, 10, 1)], [1, -1, 1, 0]);
        assert_eq!(mean(10_i128.pow(38) - 1, 10_000, 10_000), 10_i128.pow(38) - 1);
    }
}
