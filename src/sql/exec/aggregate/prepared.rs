//! Rows made ready for aggregates: their keys, arguments and filters, computed once a chunk however many windows the rows
//! are in. It keeps no group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int8Array, Int64Array, UInt32Array};
use arrow::compute;
use arrow::datatypes::{DataType, Int64Type, SchemaRef, UInt32Type};

use super::{Rows, STAGE, failed};
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::evaluate::{FailedRow, evaluate};
use crate::sql::exec::operator::Output;
use crate::sql::exec::refusals::without;
use crate::sql::plan::stream::{AggregateNode, Changes, Expression};

/// What groups are made with: compiled once for an operator.
#[derive(Clone)]
pub struct Recipe {
    pub(super) node: AggregateNode,
    pub(super) input: SchemaRef,
    pub(super) changes: Changes,
    pub(super) key_types: Vec<DataType>,
}

/// Keys and arguments of the rows of one chunk, computed once however many windows the rows are in.
pub struct Prepared {
    pub(super) keys: Vec<ArrayRef>,
    calls: Vec<(Vec<ArrayRef>, Option<BooleanArray>)>,
    pub(super) times: Int64Array,
    pub(super) ops: Option<Int8Array>,
    pub(super) rows: usize,
    /// Where each row stands in the chunk, where these are not all of them.
    places: Option<UInt32Array>,
}

impl Recipe {
    /// For a node over an input of this schema.
    ///
    /// # Errors
    /// Keys without a type.
    pub fn new(node: AggregateNode, input: SchemaRef, changes: Changes) -> Result<Self, Fault> {
        let key_types = node.keys.iter().map(|key| key.data_type(&input)).collect::<Result<_, _>>();
        Ok(Self { key_types: key_types.map_err(|error| failed(&error))?, node, input, changes })
    }

    /// How many key columns.
    pub fn keys(&self) -> usize {
        self.key_types.len()
    }

    /// Keys and arguments of a chunk, and the chunk without the rows that have none, which become bad records.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub fn prepare(&self, mut chunk: Chunk, out: &mut Output) -> Result<(Chunk, Prepared), Fault> {
        loop {
            let mut bad = Vec::new();
            let prepared = self.computed(&chunk, &mut bad)?;
            if bad.is_empty() {
                return Ok((chunk, prepared));
            }
            chunk = without(chunk, bad, STAGE, out)?;
        }
    }

    fn computed(&self, chunk: &Chunk, bad: &mut Vec<FailedRow>) -> Result<Prepared, Fault> {
        let mut column = |expression: &Expression| evaluate(expression, &chunk.batch, bad);
        let mut calls = Vec::with_capacity(self.node.calls.len());
        for call in &self.node.calls {
            let ordering = call.function.order_bys().iter().map(|key| &key.expr);
            let arguments = call.function.expressions();
            let values = arguments.iter().chain(ordering).map(&mut column).collect::<Result<Vec<_>, _>>()?;
            let filter = match &call.filter {
                Some(filter) => Some(column(filter)?.as_boolean().clone()),
                None => None,
            };
            calls.push((values, filter));
        }
        Ok(Prepared {
            keys: self.node.keys.iter().map(&mut column).collect::<Result<_, _>>()?,
            calls,
            times: chunk.times_array(),
            ops: chunk.ops.clone(),
            rows: chunk.rows(),
            places: None,
        })
    }
}

impl Prepared {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows at these places.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self, Fault> {
        let pick = |array: &dyn Array| compute::take(array, rows, None).map_err(|error| failed(&error));
        let calls = self.calls.iter().map(|(values, filter)| {
            let values = values.iter().map(|values| pick(values)).collect::<Result<Vec<_>, Fault>>()?;
            let filter =
                filter.as_ref().map(|filter| pick(filter).map(|array| array.as_boolean().clone())).transpose()?;
            Ok((values, filter))
        });
        Ok(Self {
            keys: self.keys.iter().map(|keys| pick(keys)).collect::<Result<_, _>>()?,
            calls: calls.collect::<Result<_, Fault>>()?,
            times: pick(&self.times)?.as_primitive::<Int64Type>().clone(),
            ops: self.ops.as_ref().map(|ops| pick(ops).map(|array| array.as_primitive().clone())).transpose()?,
            rows: rows.len(),
            places: Some(match &self.places {
                Some(places) => pick(places)?.as_primitive::<UInt32Type>().clone(),
                None => rows.clone(),
            }),
        })
    }

    /// Where a row stands in the chunk that it came in.
    pub(super) fn place(&self, row: usize) -> usize {
        self.places.as_ref().map_or(row, |places| places.value(row) as usize)
    }

    /// The rows as one of the aggregates sees them.
    pub(super) fn of_call<'a>(&'a self, call: usize, groups: &'a [u32]) -> Rows<'a> {
        let (values, filter) = &self.calls[call];
        Rows { values, groups, filter: filter.as_ref() }
    }

    /// Arguments and filter of one of the aggregates, of some rows.
    pub fn part(&self, call: usize, from: usize, rows: usize) -> (Vec<ArrayRef>, Option<BooleanArray>) {
        let (values, filter) = &self.calls[call];
        let values = values.iter().map(|values| values.slice(from, rows)).collect();
        (values, filter.as_ref().map(|filter| filter.slice(from, rows)))
    }

    /// Arguments and filters of all aggregates, which tell one row of a group from another.
    pub(super) fn arguments(&self) -> Vec<ArrayRef> {
        let of_call = |(values, filter): &(Vec<ArrayRef>, Option<BooleanArray>)| {
            let filter = filter.iter().map(|filter| Arc::new(filter.clone()) as ArrayRef);
            values.iter().cloned().chain(filter).collect::<Vec<_>>()
        };
        self.calls.iter().flat_map(of_call).collect()
    }

    /// The same rows by other keys.
    #[must_use]
    pub fn keyed_by(self, keys: Vec<ArrayRef>) -> Self {
        Self { keys, ..self }
    }

    /// Whether no row takes another back.
    pub fn only_come(&self) -> bool {
        self.ops.is_none()
    }

    /// The key columns.
    pub fn keys(&self) -> &[ArrayRef] {
        &self.keys
    }

    /// Event times, milliseconds since 1970.
    pub fn times(&self) -> &Int64Array {
        &self.times
    }
}
