//! Every other aggregate: one of DataFusion's accumulators for each group, told apart by whether reading empties it.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute;
use arrow::datatypes::SchemaRef;
use datafusion_common::ScalarValue;
use datafusion_expr::Accumulator;
use datafusion_physical_expr::aggregate::AggregateFunctionExpr;

use super::replay::Replay;
use super::{GroupAccumulator, Rows, failed};
use crate::core::fault::Fault;
use crate::sql::plan::stream::AggregateCall;

/// Aggregates whose `evaluate` leaves their state as it is (read in DataFusion 53); others are read from a copy.
const READ_IN_PLACE: [&str; 21] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "var",
    "var_pop",
    "stddev",
    "stddev_pop",
    "corr",
    "covar_samp",
    "covar_pop",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "approx_distinct",
    "median",
    "percentile_cont",
    "percentile_disc",
];

/// Aggregates whose accumulators take rows back and yet are read anew: with the last row they divide by zero and are NaN
/// from then on, and what large values leave behind by rounding does not go with them (read in DataFusion 53).
const WEAR_OUT: [&str; 7] = ["var", "var_pop", "stddev", "stddev_pop", "corr", "covar_samp", "covar_pop"];

/// One accumulator a group.
pub struct PerGroup {
    function: Arc<AggregateFunctionExpr>,
    retracts: bool,
    in_place: bool,
    held: Vec<Option<Box<dyn Accumulator>>>,
    bytes: usize,
}

impl PerGroup {
    /// The accumulators of a call; where rows go again, ones that can take them back.
    ///
    /// # Errors
    /// An aggregate that has no accumulator.
    pub fn of(
        call: &AggregateCall,
        is_changelog: bool,
        schema: &SchemaRef,
    ) -> Result<Box<dyn GroupAccumulator>, Fault> {
        let function = Arc::clone(&call.function);
        let in_place = READ_IN_PLACE.contains(&function.fun().name()) && !function.is_distinct();
        let retracts = is_changelog;
        if is_changelog {
            let slides = function.create_sliding_accumulator().is_ok_and(|made| made.supports_retract_batch());
            if !slides || !in_place || WEAR_OUT.contains(&function.fun().name()) {
                let ordering = function.order_bys().iter().map(|key| &key.expr);
                let arguments = function.expressions();
                let types = arguments.iter().chain(ordering).map(|expression| expression.data_type(schema));
                let types = types.collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
                return Ok(Box::new(Replay::new(function, types)?));
            }
        }
        Ok(Box::new(Self { function, retracts, in_place, held: Vec::new(), bytes: 0 }))
    }

    fn make(&self) -> Result<Box<dyn Accumulator>, Fault> {
        let made =
            if self.retracts { self.function.create_sliding_accumulator() } else { self.function.create_accumulator() };
        made.map_err(|error| failed(&error))
    }

    fn each(
        &mut self,
        rows: &Rows<'_>,
        act: fn(&mut dyn Accumulator, &[ArrayRef]) -> datafusion_common::Result<()>,
    ) -> Result<(), Fault> {
        for (group, values) in parts(rows)? {
            if self.held[group as usize].is_none() {
                let made = self.make()?;
                self.bytes += made.size();
                self.held[group as usize] = Some(made);
            }
            let Some(held) = &mut self.held[group as usize] else { continue };
            let before = held.size();
            act(held.as_mut(), &values).map_err(|error| failed(&error))?;
            self.bytes = (self.bytes + held.size()).saturating_sub(before);
        }
        Ok(())
    }

    /// The state of a group. Some accumulators give theirs away: it is put back.
    fn state_of(&mut self, group: u32) -> Result<Vec<ScalarValue>, Fault> {
        let mut fresh = self.make()?;
        match &mut self.held[group as usize] {
            None => fresh.state().map_err(|error| failed(&error)),
            Some(held) => {
                let state = held.state().map_err(|error| failed(&error))?;
                if !self.in_place {
                    fresh.merge_batch(&arrays(&state)?).map_err(|error| failed(&error))?;
                    *held = fresh;
                }
                Ok(state)
            }
        }
    }

    fn result_of(&mut self, group: u32) -> Result<ScalarValue, Fault> {
        if self.in_place
            && let Some(held) = &mut self.held[group as usize]
        {
            return held.evaluate().map_err(|error| failed(&error));
        }
        let state = self.state_of(group)?;
        let mut copy = self.make()?;
        copy.merge_batch(&arrays(&state)?).map_err(|error| failed(&error))?;
        copy.evaluate().map_err(|error| failed(&error))
    }
}

fn arrays(state: &[ScalarValue]) -> Result<Vec<ArrayRef>, Fault> {
    state.iter().map(|value| value.to_array().map_err(|error| failed(&error))).collect()
}

/// The rows that count, group by group, each group's in order of arrival.
pub fn parts(rows: &Rows<'_>) -> Result<Vec<(u32, Vec<ArrayRef>)>, Fault> {
    let mut order: Vec<u32> = (0..rows.groups.len()).filter(|row| rows.counts(*row)).map(|row| row as u32).collect();
    order.sort_by_key(|row| rows.groups[*row as usize]);
    let sorted = UInt32Array::from(order.clone());
    let values = rows
        .values
        .iter()
        .map(|values| compute::take(values, &sorted, None).map_err(|error| failed(&error)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut parts = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let group = rows.groups[order[start] as usize];
        let length = order[start..].iter().take_while(|row| rows.groups[**row as usize] == group).count();
        parts.push((group, values.iter().map(|values| values.slice(start, length)).collect()));
        start += length;
    }
    Ok(parts)
}

impl GroupAccumulator for PerGroup {
    fn grow(&mut self, groups: usize) {
        self.held.resize_with(groups, || None);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.each(rows, |held, values| held.update_batch(values))
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.each(rows, |held, values| held.retract_batch(values))
    }

    fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Fault> {
        let results = groups.iter().map(|group| self.result_of(*group)).collect::<Result<Vec<_>, _>>()?;
        if results.is_empty() {
            return Ok(arrow::array::new_empty_array(self.function.field().data_type()));
        }
        let array = ScalarValue::iter_to_array(results).map_err(|error| failed(&error))?;
        compute::cast(&array, self.function.field().data_type()).map_err(|error| failed(&error))
    }

    fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        let fields = self.function.state_fields().map_err(|error| failed(&error))?;
        let mut columns: Vec<Vec<ScalarValue>> = vec![Vec::with_capacity(groups.len()); fields.len()];
        for group in groups {
            for (column, value) in columns.iter_mut().zip(self.state_of(*group)?) {
                column.push(value);
            }
        }
        columns
            .into_iter()
            .zip(&fields)
            .map(|(values, field)| {
                if values.is_empty() {
                    return Ok(arrow::array::new_empty_array(field.data_type()));
                }
                let array = ScalarValue::iter_to_array(values).map_err(|error| failed(&error))?;
                compute::cast(&array, field.data_type()).map_err(|error| failed(&error))
            })
            .collect()
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32]) -> Result<(), Fault> {
        let rows = Rows { values: states, groups, filter: None };
        self.each(&rows, |held, values| held.merge_batch(values))
    }

    fn clear(&mut self, group: u32) {
        if let Some(held) = self.held[group as usize].take() {
            self.bytes = self.bytes.saturating_sub(held.size());
        }
    }

    fn size(&self) -> usize {
        self.held.capacity() * size_of::<Option<Box<dyn Accumulator>>>() + self.bytes
    }
}
