//! Aggregates from the beginning of a partition to its newest row: a state a partition, no rows. It also knows the numbers
//! of partitions by their keys.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::datatypes::SchemaRef;
use datafusion_expr::{WindowFrameBound, WindowFrameUnits};

use crate::connectors::contract::BadRow;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::aggregate::grouped::{Followed, Grouped};
use crate::sql::exec::aggregate::prepared::Recipe;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::columns::taken;
use crate::sql::exec::operator::{Output, StateTable};
use crate::sql::plan::stream::{AggregateNode, Changes, EmitMode, OverCall, OverNode};

/// Name of its state table.
const TABLE: &str = "running";

/// See the module.
pub struct Running {
    recipe: Recipe,
    groups: Grouped,
    /// Of each call, whether rows with equal order have one result.
    by_peers: Vec<bool>,
}

/// Whether a call is such an aggregate.
pub fn is_running(call: &OverCall) -> bool {
    let from_the_beginning = matches!(&call.frame.start_bound, WindowFrameBound::Preceding(from) if from.is_null());
    call.aggregate.is_some() && from_the_beginning && call.frame.end_bound == WindowFrameBound::CurrentRow
}

impl Running {
    /// Those of a node over rows of `input`.
    ///
    /// # Errors
    /// An aggregate that cannot do this, a key without a type.
    pub fn new(node: &OverNode, input: &SchemaRef) -> Result<Self, Fault> {
        let running = || node.calls.iter().filter(|call| is_running(call));
        let calls = running().filter_map(|call| call.aggregate.clone()).collect();
        let aggregate = AggregateNode { keys: node.partition.clone(), calls, emit: EmitMode::Final };
        let recipe = Recipe::new(aggregate, SchemaRef::clone(input), Changes::Append)?;
        let by_peers = running().map(|call| call.frame.units != WindowFrameUnits::Rows).collect();
        Ok(Self { groups: recipe.groups()?, recipe, by_peers })
    }

    /// Whether there is no such call.
    pub fn is_empty(&self) -> bool {
        self.by_peers.is_empty()
    }

    /// The numbers of partitions; a new key gets one.
    ///
    /// # Errors
    /// Columns of other types.
    pub fn of_keys(&mut self, keys: &[ArrayRef], rows: usize) -> Result<Vec<u32>, Fault> {
        self.groups.of_keys(keys, rows)
    }

    /// The keys of partitions.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn keys(&self, numbers: &[u32]) -> Result<Vec<ArrayRef>, Fault> {
        self.groups.key_columns(numbers)
    }

    /// All partitions there are.
    pub fn all(&self) -> Vec<u32> {
        self.groups.all()
    }

    /// Numbers given so far.
    pub fn capacity(&self) -> usize {
        self.groups.capacity()
    }

    /// Forgets a partition, whose number is free then.
    pub fn remove(&mut self, number: usize) {
        if self.recipe.keys() > 0 {
            self.groups.remove(number as u32);
        }
    }

    /// Empties a partition, which keeps its number.
    pub fn clear(&mut self, number: usize) {
        self.groups.clear(number as u32);
    }

    /// Adds rows in their order, `numbers` being their partitions. Rows that one of the aggregates refuses are named and
    /// count in none. `is_peer` says whether a row has the order of the one before it. Answers with the results, one
    /// column a call, of the rows that count.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub fn follow(
        &mut self,
        chunk: Chunk,
        numbers: &[u32],
        is_peer: &[bool],
        refused: &mut Vec<BadRow>,
    ) -> Result<Vec<ArrayRef>, Fault> {
        let mut out = Output::default();
        let (_, rows) = self.recipe.prepare(chunk, &mut out)?;
        if let Some(bad) = out.bad.first() {
            // Rows whose arguments fail were left out when they came.
            return Err(Fault::new(Blame::Program, format!("an argument of OVER failed late: {}", bad.message)));
        }
        let Followed { after, .. } = self.groups.follow(&rows, numbers, refused)?;
        let mut counts = vec![true; numbers.len()];
        refused.iter().for_each(|bad| counts[bad.row] = false);
        let kept: Vec<usize> = (0..numbers.len()).filter(|row| counts[*row]).collect();
        // Of peers, the last one's result is that of all.
        let mut last = vec![0_u32; kept.len()];
        for at in (0..kept.len()).rev() {
            let next = at + 1;
            let has_peer = next < kept.len() && (kept[at] + 1..=kept[next]).all(|row| is_peer[row]);
            last[at] = if has_peer { last[next] } else { at as u32 };
        }
        let last = UInt32Array::from(last);
        after
            .into_iter()
            .zip(&self.by_peers)
            .map(|(after, by_peers)| {
                if !by_peers {
                    return Ok(after);
                }
                Ok(taken(&[after], &last)?.remove(0))
            })
            .collect()
    }

    /// The state of every partition.
    ///
    /// # Errors
    /// Arrow's or DataFusion's.
    pub fn table(&mut self) -> Result<StateTable, Fault> {
        let batch = self.groups.snapshot(|_, _| Vec::new())?;
        Ok(StateTable { name: TABLE.to_owned(), batch, keys: self.recipe.keys() })
    }

    /// Takes what [`Self::table`] wrote from among tables.
    ///
    /// # Errors
    /// A table of another node.
    pub fn take(&mut self, tables: &[StateTable]) -> Result<(), Fault> {
        for table in tables.iter().filter(|table| table.name == TABLE) {
            self.groups.restore(&table.batch, self.recipe.keys(), 0)?;
        }
        Ok(())
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.groups.size()
    }
}
