//! A stream meets a table as it is when the row arrives: the newest row of each key. What the table says later changes
//! nothing that was given.
//!
//! Which of a stream's row and a table's row comes first is a matter of arrival. Where both wait, the table is heard
//! first ([`Operator::preferred_port`]), so that a table that lies ready is complete before the first row asks.

use super::expression::{defect, evaluate};
use super::key::Keys;
use super::lookup::{Lookup, release};
use super::pairing::LOOKS_MAX;
use super::side::{STAYS, Side};
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output, StateTable};

/// The operator of stream-table joins.
pub(super) struct TableJoin {
    sides: [Side; 2],
    lookup: Lookup,
    is_null_aware: bool,
    /// Rows of the stream that have not been answered yet.
    rest: Option<Rest>,
}

/// Rows of the stream that look into the table one after the other.
struct Rest {
    chunk: Chunk,
    keys: Keys,
    slots: Vec<u32>,
    next: usize,
}

impl TableJoin {
    /// An operator with an empty table.
    pub fn new(sides: [Side; 2], lookup: Lookup, is_null_aware: bool) -> Self {
        Self { sides, lookup, is_null_aware, rest: None }
    }

    fn learn(&mut self, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let table = &mut self.sides[1];
        let (chunk, keys) = evaluate(&table.expressions.clone(), chunk, out)?;
        // What is given has the time of the stream's row alone: when the table's row became so is a matter of arrival.
        let timeless = vec![i64::MIN; chunk.rows()];
        let acts = table.change(&chunk.batch, &keys, &timeless, STAYS, |row| chunk.op(row), |_, _| {})?;
        for act in acts {
            if !act.comes || table.is_lost(act.slot) {
                table.store.remove(act.slot);
            }
        }
        table.store.tidy().map_err(defect)
    }

    fn ask(&mut self, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let stream = &mut self.sides[0];
        let (chunk, keys) = evaluate(&stream.expressions.clone(), chunk, out)?;
        let kept = stream.kept(&chunk.batch, &keys)?;
        let keys = stream.encode(&keys, chunk.rows())?;
        let slots = stream.append(kept, &chunk.times, &vec![STAYS; chunk.rows()])?;
        self.rest = Some(Rest { chunk, keys, slots, next: 0 });
        self.go_on(out)
    }

    /// Answers rows until all are or the output is full: a key that many rows of the table share cannot fill the memory.
    fn answer(&mut self, rest: &mut Rest, out: &mut Output) -> Result<(), Fault> {
        let Rest { chunk, keys, slots, next } = rest;
        let origin = Some((&*chunk, slots.as_slice()));
        let enough = self.lookup.enough();
        let mut found: Vec<u32> = Vec::new();
        let mut looks = 0;
        while let Some(slot) = slots.get(*next).filter(|_| !out.is_full() && looks < LOOKS_MAX) {
            let row = *next;
            *next += 1;
            let table = &self.sides[1];
            if self.is_null_aware && keys.is_null(row) {
                found.extend(table.store.slots().take(enough));
            } else {
                let nulls = self.is_null_aware.then(|| table.null_group()).flatten();
                for group in [table.index.find_row(keys, row), nulls].into_iter().flatten() {
                    found.extend(table.index.slots(group).take(enough));
                }
            }
            looks += found.len();
            self.lookup.ask(&mut self.sides, *slot, found.drain(..), origin, out)?;
        }
        self.lookup.answer(&mut self.sides, origin, out)
    }
}

impl Operator for TableJoin {
    fn push(&mut self, port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        if port == 1 { self.learn(chunk, out) } else { self.ask(chunk, out) }
    }

    fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), Fault> {
        let Some(mut rest) = self.rest.take() else { return Ok(()) };
        self.answer(&mut rest, out)?;
        if rest.next < rest.slots.len() {
            self.rest = Some(rest);
            return Ok(());
        }
        release(&mut self.sides[0], &rest.slots)
    }

    fn preferred_port(&self) -> Option<usize> {
        Some(1)
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        self.sides[1].snapshot()
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        tables.iter().try_for_each(|table| self.sides[1].restore(table).map(|_| ()))
    }

    fn state_bytes(&self) -> usize {
        self.sides[1].bytes()
    }

    fn state_rows(&self) -> usize {
        self.sides[1].store.live()
    }
}
