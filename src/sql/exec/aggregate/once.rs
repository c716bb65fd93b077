//! Aggregates of DISTINCT values that are exact: a value goes to the aggregate when it is the first of its kind in a group,
//! and leaves it with the last.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};

use super::distinct::{Coding, Distinct, Encoded, Integers, Table, empty};
use super::{GroupAccumulator, Rows, Trial, failed};
use crate::core::fault::Fault;

/// `inner` over the distinct values of an argument.
///
/// # Errors
/// A type whose values cannot be told apart.
pub fn once(argument: &DataType, inner: Box<dyn GroupAccumulator>) -> Result<Box<dyn GroupAccumulator>, Fault> {
    if *argument == DataType::Int64 {
        return Ok(Box::new(Once { seen: Distinct::new(Integers), inner, spilled: Vec::new() }));
    }
    Ok(Box::new(Once { seen: Distinct::new(Encoded::new(argument)?), inner, spilled: Vec::new() }))
}

struct Once<C: Coding> {
    seen: Distinct<C>,
    inner: Box<dyn GroupAccumulator>,
    /// Groups that a state did not fit into.
    spilled: Vec<(u32, String)>,
}

impl<C: Coding> Once<C> {
    /// The rows that bring a value into a group, or take it out.
    fn crossing(&mut self, rows: &Rows<'_>, by: impl Fn(usize) -> i64) -> Result<BooleanArray, Fault> {
        let mut crosses = vec![false; rows.groups.len()];
        self.seen.change(rows, by, |row| crosses[row] = true)?;
        Ok(crosses.into())
    }
}

/// Rows of which one brings its value, in thought.
struct OnceTrial<'a> {
    inner: Box<dyn Trial + 'a>,
    /// The value of each row, by number.
    values: Vec<usize>,
    is_there: Vec<bool>,
}

impl Trial for OnceTrial<'_> {
    fn refusal(&self, row: usize) -> Option<String> {
        if self.is_there[self.values[row]] { None } else { self.inner.refusal(row) }
    }

    fn add(&mut self, row: usize) {
        if !std::mem::replace(&mut self.is_there[self.values[row]], true) {
            self.inner.add(row);
        }
    }
}

impl<C: Coding> GroupAccumulator for Once<C> {
    fn grow(&mut self, groups: usize) {
        self.seen.grow(groups);
        self.inner.grow(groups);
    }

    fn may_refuse(&mut self, rows: &Rows<'_>) -> Result<bool, Fault> {
        self.inner.may_refuse(rows)
    }

    fn trial<'a>(&'a self, rows: &'a Rows<'a>) -> Result<Box<dyn Trial + 'a>, Fault> {
        let column = self.seen.column(rows)?;
        let (mut values, mut is_there) = (Vec::with_capacity(rows.groups.len()), Vec::new());
        // The number of each value, from 1, stands where its count would.
        let mut numbers: HashMap<u32, Table<C::Key>> = HashMap::new();
        for (row, group) in rows.groups.iter().enumerate() {
            let known = numbers.entry(*group).or_insert_with(empty);
            let number = match C::count(&column, row, known) {
                Some(number) => number as usize - 1,
                None => {
                    is_there.push(C::count(&column, row, self.seen.table(*group)).is_some());
                    C::change(&column, row, known, is_there.len() as i64);
                    is_there.len() - 1
                }
            };
            values.push(number);
        }
        Ok(Box::new(OnceTrial { inner: self.inner.trial(rows)?, values, is_there }))
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let first = self.crossing(rows, |_| 1)?;
        self.inner.update(&Rows { filter: Some(&first), ..*rows })
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        let last = self.crossing(rows, |_| -1)?;
        self.inner.retract(&Rows { filter: Some(&last), ..*rows })
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        self.inner.evaluate(groups)
    }

    /// The values with their counts: the aggregate can be made of them again.
    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        self.seen.state(groups)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let list = |index: usize| {
            let state = states.get(index).and_then(|state| state.as_list_opt::<i32>());
            state.ok_or_else(|| failed(&"its state is no set of values"))
        };
        let (values, counts) = (list(0)?, list(1)?);
        for (row, group) in groups.iter().enumerate() {
            let (values, counts): (ArrayRef, ArrayRef) = (values.value(row), counts.value(row));
            let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(|| failed(&"its state has no counts"))?;
            let groups = vec![*group; values.len()];
            let values = [Arc::clone(&values)];
            let first =
                self.crossing(&Rows { values: &values, groups: &groups, filter: None }, |row| counts.value(row))?;
            let rows = Rows { values: &values, groups: &groups, filter: Some(&first) };
            let mut refusal = None;
            if self.inner.may_refuse(&rows)? {
                let mut trial = self.inner.trial(&rows)?;
                refusal = (0..groups.len()).find_map(|row| {
                    let refusal = trial.refusal(row);
                    trial.add(row);
                    refusal
                });
            }
            match refusal {
                Some(message) => self.spilled.push((*group, message)),
                None => self.inner.update(&rows)?,
            }
        }
        Ok(())
    }

    fn spilled(&mut self) -> Vec<(u32, String)> {
        std::mem::take(&mut self.spilled)
    }

    fn clear(&mut self, group: u32) {
        self.seen.clear(group);
        self.inner.clear(group);
    }

    fn size(&self) -> usize {
        self.seen.size() + self.inner.size()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::Int64Array;

    use super::*;
    use crate::sql::exec::aggregate::sum;

    #[test]
    fn a_value_counts_once_until_its_last_row_goes_and_what_overflows_is_refused() {
        let made = || {
            let mut made = once(&DataType::Int64, sum::sum(&DataType::Int64).unwrap()).unwrap();
            made.grow(1);
            made
        };
        let sum_of =
            |of: &mut Box<dyn GroupAccumulator>| of.evaluate(&[0]).unwrap().as_primitive::<Int64Type>().value(0);
        let values: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![7, 7, 5]))];
        let rows = Rows { values: &values, groups: &[0, 0, 0], filter: None };
        let mut one = made();
        assert!(!one.may_refuse(&rows).unwrap());
        one.update(&rows).unwrap();
        assert_eq!(sum_of(&mut one), 12);
        let seven: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![7]))];
        let seven = Rows { values: &seven, groups: &[0], filter: None };
        one.retract(&seven).unwrap();
        let mut other = made();
        other.update(&rows).unwrap();
        other.merge(&one.state(&[0]).unwrap(), &[0]).unwrap();
        assert_eq!((sum_of(&mut one), sum_of(&mut other)), (12, 12));
        one.retract(&seven).unwrap();
        assert_eq!(sum_of(&mut one), 5);

        let large: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![5, i64::MAX, i64::MAX - 5, i64::MAX - 5]))];
        let rows = Rows { values: &large, groups: &[0; 4], filter: None };
        assert!(one.may_refuse(&rows).unwrap());
        let mut trial = one.trial(&rows).unwrap();
        let refused: Vec<bool> = (0..4)
            .map(|row| {
                let is_refused = trial.refusal(row).is_some();
                if !is_refused {
                    trial.add(row);
                }
                is_refused
            })
            .collect();
        assert_eq!(refused, [false, true, false, false]);
    }
}
