//! SUM: whole numbers and decimals exactly, an overflow refuses the row before anything is changed; floats as floats.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Int64Array, PrimitiveArray};
use arrow::compute;
use arrow::datatypes::{ArrowNativeTypeOp, DecimalType};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, Float64Type,
    Int64Type, UInt64Type, i256,
};

use super::{GroupAccumulator, Rows, Trial, failed};
use crate::core::fault::{Blame, Fault};
use crate::formats::types;

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
    /// The largest distance from zero of a sum of this type; none where nothing is refused.
    fn limit(result: &DataType) -> Option<i256>;
    /// A number's distance from zero; none beyond what can be told.
    fn distance(value: Self::Native) -> Option<i256>;
    /// The sum, or `None` where it does not fit the result's type.
    fn plus(sum: Self::Native, value: Self::Native, result: &DataType) -> Option<Self::Native>;
    /// The difference, likewise.
    fn minus(sum: Self::Native, value: Self::Native, result: &DataType) -> Option<Self::Native>;
}

macro_rules! whole {
    ($type:ty, $limit:expr) => {
        impl Summed for $type {
            fn limit(_: &DataType) -> Option<i256> {
                Some(i256::from_i128($limit as i128))
            }
            fn distance(value: Self::Native) -> Option<i256> {
                Some(i256::from_i128(i128::from(value).abs()))
            }
            fn plus(sum: Self::Native, value: Self::Native, _: &DataType) -> Option<Self::Native> {
                sum.checked_add(value)
            }
            fn minus(sum: Self::Native, value: Self::Native, _: &DataType) -> Option<Self::Native> {
                sum.checked_sub(value)
            }
        }
    };
}
whole!(Int64Type, i64::MAX);
whole!(UInt64Type, u64::MAX);

impl Summed for Float64Type {
    fn limit(_: &DataType) -> Option<i256> {
        None
    }
    fn distance(_: f64) -> Option<i256> {
        None
    }
    fn plus(sum: f64, value: f64, _: &DataType) -> Option<f64> {
        Some(sum + value)
    }
    fn minus(sum: f64, value: f64, _: &DataType) -> Option<f64> {
        Some(sum - value)
    }
}

macro_rules! decimal {
    ($type:ident, $distance:expr) => {
        impl Summed for $type {
            fn limit(result: &DataType) -> Option<i256> {
                digits(result)
            }
            fn distance(value: Self::Native) -> Option<i256> {
                let distance: fn(Self::Native) -> Option<i256> = $distance;
                distance(value)
            }
            fn plus(sum: Self::Native, value: Self::Native, result: &DataType) -> Option<Self::Native> {
                within::<Self>(sum.checked_add(value)?, result)
            }
            fn minus(sum: Self::Native, value: Self::Native, result: &DataType) -> Option<Self::Native> {
                within::<Self>(sum.checked_sub(value)?, result)
            }
        }
    };
}
decimal!(Decimal128Type, |value| i256::from_i128(value).checked_abs());
decimal!(Decimal256Type, i256::checked_abs);

fn within<T: DecimalType>(sum: T::Native, result: &DataType) -> Option<T::Native> {
    match result {
        DataType::Decimal128(precision, _) | DataType::Decimal256(precision, _) => {
            T::is_valid_decimal_precision(sum, *precision).then_some(sum)
        }
        _ => Some(sum),
    }
}

/// The largest number, without its point, that a decimal type holds.
pub fn digits(data_type: &DataType) -> Option<i256> {
    match data_type {
        DataType::Decimal128(precision, _) | DataType::Decimal256(precision, _) => {
            i256::from_i128(10).checked_pow(u32::from(*precision))?.checked_sub(i256::ONE)
        }
        _ => None,
    }
}

type BeforeAndAfter<T> = (Sums<T>, Sums<T>);
type Sums<T> = Vec<(<T as ArrowPrimitiveType>::Native, i64)>;

/// Sums of groups. A group without a value that is not NULL has no sum.
pub struct Sum<T: Summed> {
    result: DataType,
    /// The largest distance from zero of a sum; none where nothing is refused.
    limit: Option<i256>,
    /// No single value may be further from zero, where its reader cannot show more.
    value_limit: Option<i256>,
    sums: Vec<T::Native>,
    values: Vec<i64>,
    /// No sum is further from zero than this.
    reach: i256,
    /// Rows since the reach was read off the sums.
    unlooked: usize,
    /// Groups that a state did not fit into.
    spilled: Vec<u32>,
}

impl<T: Summed> Sum<T> {
    /// No groups yet.
    pub fn new(result: &DataType) -> Self {
        Self {
            result: result.clone(),
            limit: T::limit(result),
            value_limit: None,
            sums: Vec::new(),
            values: Vec::new(),
            reach: i256::ZERO,
            unlooked: 0,
            spilled: Vec::new(),
        }
    }

    /// The same, where a value further from zero is refused.
    #[must_use]
    pub fn of_values_within(self, value_limit: Option<i256>) -> Self {
        Self { value_limit, ..self }
    }

    fn too_large(&self) -> String {
        format!("the sum does not fit {}; CAST the argument to a wider type", types::name(&self.result))
    }

    fn numbers(&self, rows: &Rows<'_>) -> Result<PrimitiveArray<T>, Fault> {
        let values = rows.values.first().ok_or_else(|| failed(&"SUM has no argument"))?;
        numbers::<T>(values, &self.result)
    }

    /// The row's sum is told beforehand to fit: see [`GroupAccumulator::may_refuse`].
    fn add(&mut self, group: usize, value: T::Native) {
        self.sums[group] = self.sums[group].add_wrapping(value);
        self.values[group] += 1;
    }

    /// Adds rows one by one. Answers with sums and counts of values of each row's group before it and after it.
    ///
    /// # Errors
    /// An argument that is no number.
    pub fn follow_sums(&mut self, rows: &Rows<'_>) -> Result<BeforeAndAfter<T>, Fault> {
        let numbers = self.numbers(rows)?;
        let (mut before, mut after) = (Vec::with_capacity(rows.groups.len()), Vec::with_capacity(rows.groups.len()));
        for (row, (group, value)) in rows.groups.iter().zip(numbers.values()).enumerate() {
            let group = *group as usize;
            before.push((self.sums[group], self.values[group]));
            if rows.counts(row) && numbers.is_valid(row) {
                self.add(group, *value);
            }
            after.push((self.sums[group], self.values[group]));
        }
        Ok((before, after))
    }

    /// The sums and the counts of values of these groups.
    pub fn sums(&self, groups: &[u32]) -> impl Iterator<Item = (T::Native, i64)> {
        groups.iter().map(|group| (self.sums[*group as usize], self.values[*group as usize]))
    }

    /// How far sums may be from zero once these numbers were added or taken away; none beyond what can be told.
    fn reach_with(&self, numbers: &PrimitiveArray<T>) -> Option<i256> {
        let Some(largest) = largest::<T>(compute::min(numbers), compute::max(numbers)) else {
            return (numbers.null_count() == numbers.len()).then_some(self.reach);
        };
        largest.checked_mul(i256::from_i128(numbers.len() as i128)).and_then(|more| self.reach.checked_add(more))
    }

    /// Reads the reach off the sums.
    fn look(&mut self) {
        let mut ends: Option<(T::Native, T::Native)> = None;
        for sum in &self.sums {
            let (least, most) = ends.get_or_insert((*sum, *sum));
            *least = if sum.is_lt(*least) { *sum } else { *least };
            *most = if sum.is_gt(*most) { *sum } else { *most };
        }
        let reach = largest::<T>(ends.map(|ends| ends.0), ends.map(|ends| ends.1));
        self.reach = reach.or(self.limit).unwrap_or_default();
        self.unlooked = 0;
    }
}

/// The larger distance from zero of two ends; none where there are none, or it cannot be told.
fn largest<T: Summed>(least: Option<T::Native>, most: Option<T::Native>) -> Option<i256> {
    Some(T::distance(least?)?.max(T::distance(most?)?))
}

/// An argument as the numbers that its sum is made of: the result's type, a decimal's scale unchanged.
pub fn numbers<T: ArrowPrimitiveType>(values: &ArrayRef, result: &DataType) -> Result<PrimitiveArray<T>, Fault> {
    if let Some(same) = values.as_primitive_opt::<T>() {
        return Ok(same.clone());
    }
    let cast = compute::cast(values, result).map_err(|error| failed(&error))?;
    cast.as_primitive_opt::<T>().cloned().ok_or_else(|| failed(&format!("{} is no number", values.data_type())))
}

struct SumTrial<'a, T: Summed> {
    sum: &'a Sum<T>,
    rows: &'a Rows<'a>,
    numbers: PrimitiveArray<T>,
    /// Sums of groups that rows were added to in thought.
    ahead: HashMap<u32, T::Native, ahash::RandomState>,
}

impl<T: Summed> SumTrial<'_, T> {
    /// The row's group, what its sum is and what comes to it; none where the row does not count.
    fn at(&self, row: usize) -> Option<(u32, T::Native, T::Native)> {
        let group = self.rows.groups[row];
        let sum = self.ahead.get(&group).copied().unwrap_or_else(|| self.sum.sums[group as usize]);
        (self.rows.counts(row) && self.numbers.is_valid(row)).then(|| (group, sum, self.numbers.value(row)))
    }
}

impl<T: Summed> Trial for SumTrial<'_, T> {
    fn refusal(&self, row: usize) -> Option<String> {
        let (_, sum, value) = self.at(row)?;
        let result = &self.sum.result;
        if let Some(limit) = self.sum.value_limit
            && T::distance(value).is_none_or(|distance| limit < distance)
        {
            return Some("a value has more digits than its mean can have; CAST it to a narrower type".to_owned());
        }
        let fits = T::plus(sum, value, result).is_some();
        (!fits).then(|| self.sum.too_large())
    }

    fn add(&mut self, row: usize) {
        if let Some((group, sum, value)) = self.at(row) {
            self.ahead.insert(group, sum.add_wrapping(value));
        }
    }
}

impl<T: Summed> GroupAccumulator for Sum<T> {
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, T::Native::default());
        self.values.resize(groups, 0);
    }

    /// Told by the largest value of the batch and the furthest sum: no row is looked at until that does not suffice.
    fn may_refuse(&mut self, rows: &Rows<'_>) -> Result<bool, Fault> {
        let Some(limit) = self.limit else { return Ok(false) };
        let numbers = self.numbers(rows)?;
        if let Some(value_limit) = self.value_limit {
            let largest = largest::<T>(compute::min(&numbers), compute::max(&numbers));
            if largest.is_none_or(|largest| value_limit < largest) && numbers.null_count() < numbers.len() {
                return Ok(true);
            }
        }
        self.unlooked += numbers.len();
        let mut reach = self.reach_with(&numbers).filter(|reach| *reach <= limit);
        // Read anew after as many rows as there are sums: a look costs each row no more than a step.
        if reach.is_none() && self.sums.len() <= self.unlooked {
            self.look();
            reach = self.reach_with(&numbers).filter(|reach| *reach <= limit);
        }
        self.reach = reach.unwrap_or(limit);
        Ok(reach.is_none())
    }

    fn trial<'a>(&'a self, rows: &'a Rows<'a>) -> Result<Box<dyn Trial + 'a>, Fault> {
        Ok(Box::new(SumTrial { sum: self, rows, numbers: self.numbers(rows)?, ahead: HashMap::default() }))
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let numbers = self.numbers(rows)?;
        for (row, (group, value)) in rows.groups.iter().zip(numbers.values()).enumerate() {
            if rows.counts(row) && numbers.is_valid(row) {
                self.add(*group as usize, *value);
            }
        }
        Ok(())
    }

    fn follow(&mut self, rows: &Rows<'_>) -> Result<(ArrayRef, ArrayRef), Fault> {
        let (before, after) = self.follow_sums(rows)?;
        let sums = |parts: Vec<(T::Native, i64)>| -> ArrayRef {
            let sums: PrimitiveArray<T> = parts.into_iter().map(|(sum, values)| (values != 0).then_some(sum)).collect();
            Arc::new(sums.with_data_type(self.result.clone()))
        };
        Ok((sums(before), sums(after)))
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let numbers = self.numbers(rows)?;
        if let Some(limit) = self.limit {
            self.reach = self.reach_with(&numbers).map_or(limit, |reach| reach.min(limit));
        }
        for (row, (group, value)) in rows.groups.iter().zip(numbers.values()).enumerate() {
            if rows.counts(row) && numbers.is_valid(row) {
                let group = *group as usize;
                let less = T::minus(self.sums[group], *value, &self.result);
                self.sums[group] = less.ok_or_else(|| {
                    let what = format!("a sum does not fit {} once a row is taken back", types::name(&self.result));
                    Fault::new(Blame::Record, what).next("CAST its argument to a wider type")
                })?;
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
            let Some(both) = T::plus(self.sums[group], *sum, &self.result) else {
                self.spilled.push(group as u32);
                continue;
            };
            self.sums[group] = both;
            self.values[group] += values;
            self.reach = T::distance(both).map_or(self.reach, |distance| self.reach.max(distance));
        }
        Ok(())
    }

    fn spilled(&mut self) -> Vec<(u32, String)> {
        let message = self.too_large();
        std::mem::take(&mut self.spilled).into_iter().map(|group| (group, message.clone())).collect()
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
        DataType::Decimal256(_, scale) => Some(DataType::Decimal256(DECIMAL256_MAX_PRECISION, *scale)),
        _ => None,
    }
}
