//! SUM: whole numbers and decimals exactly, an overflow refuses the row; floats as floats.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Int64Array, PrimitiveArray};
use arrow::compute;
use arrow::datatypes::DecimalType;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, Float64Type, Int64Type, UInt64Type, i256,
};

use super::{GroupAccumulator, Rows, failed};
use crate::connectors::contract::BadRow;
use crate::core::fault::Fault;

/// Sums of a result type, `None` for one that has no native sum.
pub fn sum(result: &DataType) -> Option<Box<dyn GroupAccumulator>> {
    Some(match result {
        DataType::Int64 => Box::new(Sum::<Int64Type>::new(result)),
        DataType::UInt64 => Box::new(Sum::<UInt64Type>::new(result)),
        DataType::Float64 => Box::new(Sum::<Float64Type>::new(result)),
        DataType::Decimal128(..) => Box::new(Sum::<Decimal128Type>::new(result)),
        DataType::Decimal256(..) => Box::new(Sum::<Decimal256Type>::new(result)),
        _ => return None,
    })
}

/// A number that can be added up without going wrong in silence.
pub trait Summed: ArrowPrimitiveType {
    /// The sum, or `None` where it does not fit the result's type.
    fn plus(sum: Self::Native, value: Self::Native, result: &DataType) -> Option<Self::Native>;
    /// The difference.
    fn minus(sum: Self::Native, value: Self::Native) -> Self::Native;
}

macro_rules! whole {
    ($type:ty) => {
        impl Summed for $type {
            fn plus(sum: Self::Native, value: Self::Native, _: &DataType) -> Option<Self::Native> {
                sum.checked_add(value)
            }
            fn minus(sum: Self::Native, value: Self::Native) -> Self::Native {
                sum.wrapping_sub(value)
            }
        }
    };
}
whole!(Int64Type);
whole!(UInt64Type);

impl Summed for Float64Type {
    fn plus(sum: f64, value: f64, _: &DataType) -> Option<f64> {
        Some(sum + value)
    }
    fn minus(sum: f64, value: f64) -> f64 {
        sum - value
    }
}

impl Summed for Decimal128Type {
    fn plus(sum: i128, value: i128, result: &DataType) -> Option<i128> {
        let sum = sum.checked_add(value)?;
        let DataType::Decimal128(precision, _) = result else { return Some(sum) };
        Self::is_valid_decimal_precision(sum, *precision).then_some(sum)
    }
    fn minus(sum: i128, value: i128) -> i128 {
        sum.wrapping_sub(value)
    }
}

impl Summed for Decimal256Type {
    fn plus(sum: i256, value: i256, result: &DataType) -> Option<i256> {
        let sum = sum.checked_add(value)?;
        let DataType::Decimal256(precision, _) = result else { return Some(sum) };
        Self::is_valid_decimal_precision(sum, *precision).then_some(sum)
    }
    fn minus(sum: i256, value: i256) -> i256 {
        sum.wrapping_sub(value)
    }
}

type BeforeAndAfter<T> = (Sums<T>, Sums<T>);
type Sums<T> = Vec<(<T as ArrowPrimitiveType>::Native, i64)>;

/// Sums of groups. A group without a value that is not NULL has no sum.
pub struct Sum<T: Summed> {
    result: DataType,
    sums: Vec<T::Native>,
    values: Vec<i64>,
}

impl<T: Summed> Sum<T> {
    /// No groups yet.
    pub fn new(result: &DataType) -> Self {
        Self { result: result.clone(), sums: Vec::new(), values: Vec::new() }
    }

    fn numbers(&self, rows: &Rows<'_>) -> Result<PrimitiveArray<T>, Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"SUM has no argument"))?;
        numbers::<T>(values, &self.result)
    }

    fn add(&mut self, group: usize, row: usize, value: T::Native, refused: &mut Vec<BadRow>) {
        match T::plus(self.sums[group], value, &self.result) {
            Some(sum) => {
                self.sums[group] = sum;
                self.values[group] += 1;
            }
            None => refused.push(BadRow {
                row,
                class: "overflow",
                message: format!("the sum does not fit {}; CAST the argument to a wider type", self.result),
            }),
        }
    }

    /// Adds rows one by one. Answers with sums and counts of values of each row's group before it and after it.
    ///
    /// # Errors
    /// An argument that is no number.
    pub fn follow_sums(&mut self, rows: &Rows<'_>, refused: &mut Vec<BadRow>) -> Result<BeforeAndAfter<T>, Fault> {
        let numbers = self.numbers(rows)?;
        let (mut before, mut after) = (Vec::with_capacity(rows.groups.len()), Vec::with_capacity(rows.groups.len()));
        for (row, (group, value)) in rows.groups.iter().zip(numbers.values()).enumerate() {
            let group = *group as usize;
            before.push((self.sums[group], self.values[group]));
            if rows.counts(row) && numbers.is_valid(row) {
                self.add(group, row, *value, refused);
            }
            after.push((self.sums[group], self.values[group]));
        }
        Ok((before, after))
    }

    /// The sums and the counts of values of these groups.
    pub fn sums(&self, groups: &[u32]) -> impl Iterator<Item = (T::Native, i64)> {
        groups.iter().map(|group| (self.sums[*group as usize], self.values[*group as usize]))
    }
}

/// An argument as the numbers that its sum is made of: the result's type, a decimal's scale unchanged.
pub fn numbers<T: ArrowPrimitiveType>(values: &ArrayRef, result: &DataType) -> Result<PrimitiveArray<T>, Fault> {
    if let Some(same) = values.as_primitive_opt::<T>() {
        return Ok(same.clone());
    }
    let cast = compute::cast(values, result).map_err(|error| failed(&error))?;
    cast.as_primitive_opt::<T>().cloned().ok_or_else(|| failed(&format!("{} is no number", values.data_type())))
}

impl<T: Summed> GroupAccumulator for Sum<T> {
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, T::Native::default());
        self.values.resize(groups, 0);
    }

    fn update(&mut self, rows: &Rows<'_>, refused: &mut Vec<BadRow>) -> Result<(), Fault> {
        let numbers = self.numbers(rows)?;
        for (row, (group, value)) in rows.groups.iter().zip(numbers.values()).enumerate() {
            if rows.counts(row) && numbers.is_valid(row) {
                self.add(*group as usize, row, *value, refused);
            }
        }
        Ok(())
    }

    fn follow(&mut self, rows: &Rows<'_>, refused: &mut Vec<BadRow>) -> Result<(ArrayRef, ArrayRef), Fault> {
        let (before, after) = self.follow_sums(rows, refused)?;
        let sums = |parts: Vec<(T::Native, i64)>| -> ArrayRef {
            let sums: PrimitiveArray<T> = parts.into_iter().map(|(sum, values)| (values != 0).then_some(sum)).collect();
            Arc::new(sums.with_data_type(self.result.clone()))
        };
        Ok((sums(before), sums(after)))
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let numbers = self.numbers(rows)?;
        for (row, (group, value)) in rows.groups.iter().zip(numbers.values()).enumerate() {
            if rows.counts(row) && numbers.is_valid(row) {
                let group = *group as usize;
                self.sums[group] = T::minus(self.sums[group], *value);
                self.values[group] -= 1;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let sums: PrimitiveArray<T> = self.sums(groups).map(|(sum, values)| (values != 0).then_some(sum)).collect();
        Ok(Arc::new(sums.with_data_type(self.result.clone())))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        let sums = PrimitiveArray::<T>::from_iter_values(self.sums(groups).map(|(sum, _)| sum));
        let values: Int64Array = self.sums(groups).map(|(_, values)| values).collect();
        Ok(vec![Arc::new(sums.with_data_type(self.result.clone())), Arc::new(values)])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let (Some(sums), Some(values)) = (
            states.first().and_then(|state| state.as_primitive_opt::<T>()),
            states.get(1).and_then(|state| state.as_primitive_opt::<Int64Type>()),
        ) else {
            return Err(failed(&"its state is no sum"));
        };
        for ((group, sum), values) in groups.iter().zip(sums.values()).zip(values.values()) {
            let group = *group as usize;
            let both = T::plus(self.sums[group], *sum, &self.result);
            self.sums[group] = both.ok_or_else(|| failed(&format!("a sum does not fit {}", self.result)))?;
            self.values[group] += values;
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.sums[group as usize] = T::Native::default();
        self.values[group as usize] = 0;
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<T::Native>() + self.values.capacity() * size_of::<i64>()
    }
}

/// The type that sums of a mean are held in: as many digits as there are.
pub fn widest(argument: &DataType) -> Option<DataType> {
    match argument {
        DataType::Decimal128(_, scale) => Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale)),
        DataType::Decimal256(_, scale) => Some(DataType::Decimal256(76, *scale)),
        _ => None,
    }
}
