//! AVG: a decimal's mean exactly, cut at the scale of the result as DataFusion cuts it; a float's as a float.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Decimal256Array, Float64Array};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, i256};

use super::sum::{Sum, widest};
use super::{GroupAccumulator, Rows, failed};
use crate::connectors::contract::BadRow;
use crate::core::fault::Fault;

/// Means of an argument's type, `None` for one that has no native mean.
pub fn mean(argument: &DataType, result: &DataType) -> Option<Box<dyn GroupAccumulator>> {
    Some(match result {
        DataType::Float64 => Box::new(MeanOfFloats { sums: Sum::new(&DataType::Float64) }),
        DataType::Decimal128(_, scale) => {
            let DataType::Decimal128(_, from) = argument else { return None };
            let up = u32::try_from(scale - from).ok()?;
            Box::new(MeanOfDecimals { sums: Sum::new(&widest(argument)?), up, result: result.clone() })
        }
        DataType::Decimal256(_, scale) => {
            let DataType::Decimal256(_, from) = argument else { return None };
            let up = u32::try_from(scale - from).ok()?;
            Box::new(MeanOfWide { sums: Sum::new(&widest(argument)?), up, result: result.clone() })
        }
        _ => return None,
    })
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
            fn update(&mut self, rows: &Rows<'_>, refused: &mut Vec<BadRow>) -> Result<(), Fault> {
                self.sums.update(rows, refused)
            }
            fn follow(&mut self, rows: &Rows<'_>, refused: &mut Vec<BadRow>) -> Result<(ArrayRef, ArrayRef), Fault> {
                let (before, after) = self.sums.follow_sums(rows, refused)?;
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
    /// Digits that the result has more than the argument.
    up: u32,
    result: DataType,
}

over_sums!(
    MeanOfDecimals,
    fn means(&self, sums: impl Iterator<Item = (i128, i64)>) -> Result<ArrayRef, Fault> {
        // The sum times a power of ten may need more than 38 digits though the mean does not.
        let up = i256::from_i128(10_i128.pow(self.up));
        let mean = |(sum, values): (i128, i64)| {
            if values == 0 {
                return Ok(None);
            }
            let mean = i256::from_i128(sum).checked_mul(up).and_then(|sum| sum.checked_div(i256::from(values)));
            let mean =
                mean.and_then(i256::to_i128).ok_or_else(|| failed(&format!("a mean does not fit {}", self.result)));
            mean.map(Some)
        };
        let means = sums.map(mean).collect::<Result<Decimal128Array, Fault>>()?;
        Ok(Arc::new(means.with_data_type(self.result.clone())))
    }
);

struct MeanOfWide {
    sums: Sum<Decimal256Type>,
    up: u32,
    result: DataType,
}

over_sums!(
    MeanOfWide,
    fn means(&self, sums: impl Iterator<Item = (i256, i64)>) -> Result<ArrayRef, Fault> {
        let up = i256::from_i128(10_i128.pow(self.up));
        let mean = |(sum, values): (i256, i64)| {
            if values == 0 {
                return Ok(None);
            }
            let mean = sum.checked_mul(up).and_then(|sum| sum.checked_div(i256::from(values)));
            mean.map(Some).ok_or_else(|| failed(&format!("a mean does not fit {}", self.result)))
        };
        let means = sums.map(mean).collect::<Result<Decimal256Array, Fault>>()?;
        Ok(Arc::new(means.with_data_type(self.result.clone())))
    }
);
