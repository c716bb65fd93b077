//! Joins of two streams that end by themselves: rows wait for partners until the watermark says that none can come.
//! Output is only ever added to; a row without a partner is given when it expires and never before.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute;

use super::clock::{clock, milliseconds, restored_clock};
use super::expression::{self, defect, evaluate, without_time};
use super::index::NONE;
use super::key::Keys;
use super::pairing::{Candidates, Condition, Emission, LOOKS_MAX, PAIRS_MAX, Shape};
use super::side::Side;
use crate::connectors::contract::Op;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output, StateTable};
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{Expression, UNTIL_THE_END_MS};

/// How rows wait.
pub(super) enum Waiting {
    /// `right.time` lies in `[left.time - before, left.time + after]`.
    Interval {
        /// How much older the right may be, milliseconds.
        before_ms: i64,
        /// How much younger.
        after_ms: i64,
        /// The times to compare where they are not the event times.
        times: [Option<Expression>; 2],
    },
    /// Both are of one window: the ends, as columns of the inputs.
    Window {
        /// Positions.
        ends: [usize; 2],
    },
}

/// The operator of interval and window joins.
pub(super) struct BoundedJoin {
    sides: [Side; 2],
    shape: Shape,
    condition: Option<Condition>,
    waiting: Waiting,
    is_null_aware: bool,
    late: LateStrategy,
    emission: Emission,
    candidates: Candidates,
    /// Members that found a partner since the last sweep: they are given and go.
    met: Vec<u32>,
    /// Rows that were pushed and have not looked for partners yet.
    rest: Option<Rest>,
    watermark: i64,
}

/// Rows of a port, all of them stored, that look for partners one after the other.
struct Rest {
    port: usize,
    keys: Keys,
    slots: Vec<u32>,
    chunk: Chunk,
    next: usize,
}

impl BoundedJoin {
    /// An operator without rows.
    pub fn new(
        sides: [Side; 2],
        shape: Shape,
        condition: Option<Condition>,
        waiting: Waiting,
        is_null_aware: bool,
        late: LateStrategy,
        emission: Emission,
    ) -> Self {
        let (candidates, met, rest) = (Candidates::default(), Vec::new(), None);
        let watermark = i64::MIN;
        Self { sides, shape, condition, waiting, is_null_aware, late, emission, candidates, met, rest, watermark }
    }

    /// How long a row of a side waits after its time.
    fn patience_ms(&self, port: usize) -> i64 {
        match (&self.waiting, port) {
            (Waiting::Interval { after_ms, .. }, 0) => *after_ms,
            (Waiting::Interval { before_ms, .. }, _) => *before_ms,
            (Waiting::Window { .. }, _) => 0,
        }
    }

    /// Event times, compared times and dues of rows. The time of a window's row is the window's last millisecond.
    fn times(&self, port: usize, chunk: &Chunk, compared: Option<&ArrayRef>) -> Result<[Vec<i64>; 3], Fault> {
        let patience = self.patience_ms(port);
        // What was made of no row has no time, as COUNT(*) over nothing: it is as old as what comes now.
        let now = if (0..i64::MAX).contains(&self.watermark) { self.watermark } else { 0 };
        let own = || chunk.times.iter().map(|time| if *time == i64::MIN { now } else { *time }).collect::<Vec<_>>();
        let (times, ats) = match (&self.waiting, compared) {
            (Waiting::Window { .. }, Some(ends)) => {
                let lasts: Vec<i64> = milliseconds(ends)?.values().iter().map(|end| end.saturating_sub(1)).collect();
                (lasts.clone(), lasts)
            }
            (_, Some(compared)) => (own(), milliseconds(compared)?.values().to_vec()),
            (_, None) => (own(), own()),
        };
        // One below the end of time, which is for rows that never go. A row that has no time waits for the end as well.
        let waits = Self::wait_for_the_end(&self.waiting);
        let due = |time: &i64| if waits { i64::MAX - 1 } else { time.saturating_add(patience).min(i64::MAX - 1) };
        let dues = times.iter().map(due).collect();
        Ok([times, ats, dues])
    }

    /// Whether all rows of both sides wait for each other, whatever their times.
    fn wait_for_the_end(waiting: &Waiting) -> bool {
        matches!(waiting, Waiting::Interval { before_ms, after_ms, .. }
            if *before_ms >= UNTIL_THE_END_MS && *after_ms >= UNTIL_THE_END_MS)
    }

    fn within(waiting: &Waiting, port: usize, own: i64, other: i64) -> bool {
        match waiting {
            _ if Self::wait_for_the_end(waiting) => true,
            Waiting::Interval { before_ms, after_ms, .. } => {
                let (left, right) = if port == 0 { (own, other) } else { (other, own) };
                let apart = right.saturating_sub(left);
                -before_ms <= apart && apart <= *after_ms
            }
            Waiting::Window { .. } => own == other,
        }
    }

    /// Looks for partners of rows until all have or the output is full: a hot key cannot fill the memory.
    fn probe(&mut self, rest: &mut Rest, out: &mut Output) -> Result<(), Fault> {
        let Rest { port, keys, slots, chunk, next } = rest;
        let port = *port;
        let origin = Some((&*chunk, slots.as_slice()));
        let mut looks = 0;
        while let Some(own) = slots.get(*next).filter(|_| !out.is_full() && looks < LOOKS_MAX) {
            let row = *next;
            *next += 1;
            let at = self.sides[port].store.slot(*own).at;
            if self.is_null_aware && keys.is_null(row) {
                let all: Vec<u32> = self.sides[1 - port].store.slots().collect();
                looks += all.len();
                for other in all {
                    self.consider(port, *own, at, other, origin, out)?;
                }
                continue;
            }
            let other = &self.sides[1 - port];
            let groups = [other.index.find_row(keys, row), self.is_null_aware.then(|| other.null_group()).flatten()];
            for group in groups.into_iter().flatten() {
                let mut slot = self.sides[1 - port].index.head(group);
                while slot != NONE {
                    looks += 1;
                    self.consider(port, *own, at, slot, origin, out)?;
                    // Rows are unlinked when the chunk is through, so the chain holds while it is walked.
                    slot = self.sides[1 - port].index.next(slot);
                }
            }
        }
        self.settle(port, origin, out)
    }

    #[inline]
    fn consider(
        &mut self,
        port: usize,
        own: u32,
        at: i64,
        other: u32,
        origin: Option<(&Chunk, &[u32])>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        if Self::within(&self.waiting, port, at, self.sides[1 - port].store.slot(other).at) {
            self.candidates.push(own, other);
            if self.candidates.own.len() >= PAIRS_MAX {
                self.settle(port, origin, out)?;
            }
        }
        Ok(())
    }

    /// Decides about the candidates, and gives what follows from them.
    fn settle(&mut self, port: usize, origin: Option<(&Chunk, &[u32])>, out: &mut Output) -> Result<(), Fault> {
        let candidates = std::mem::take(&mut self.candidates);
        let partners = candidates.partners(port, self.condition.as_ref(), &mut self.sides, origin, out)?;
        for (pair, (own, other)) in candidates.own.iter().zip(&candidates.other).enumerate() {
            if partners.as_ref().is_some_and(|partners| !partners[pair]) {
                continue;
            }
            match self.shape {
                Shape::Pairs { .. } => {
                    self.sides[port].store.slot_mut(*own).matched = 1;
                    self.sides[1 - port].store.slot_mut(*other).matched = 1;
                    self.emission.pair(port, *own, *other, Op::Insert);
                }
                Shape::Member { kept, gives, .. } => {
                    let slot = if kept == port { *own } else { *other };
                    let entry = self.sides[kept].store.slot_mut(slot);
                    if std::mem::replace(&mut entry.matched, 1) == 0 {
                        self.met.push(slot);
                        if gives[0] {
                            self.emission.single(kept, slot, true, Op::Insert);
                        }
                    }
                }
            }
            self.emission.give_full(&mut self.sides, out)?;
        }
        self.candidates = candidates;
        self.candidates.clear();
        Ok(())
    }

    /// Lets go of rows that nothing can come of: expired on arrival, or members that have been given.
    fn sweep(&mut self, port: usize, slots: &[u32], out: &mut Output) -> Result<(), Fault> {
        let mut gone = Vec::new();
        for slot in slots {
            let entry = self.sides[port].store.slot(*slot);
            if entry.due >= self.watermark {
                continue;
            }
            gone.push(*slot);
            if entry.matched == 0 && self.shape.gives_single(port) {
                self.emission.single(port, *slot, false, Op::Insert);
                self.emission.give_full(&mut self.sides, out)?;
            }
        }
        self.emission.give(&mut self.sides, out)?;
        gone.iter().for_each(|slot| self.sides[port].remove(*slot));
        if let Shape::Member { kept, .. } = self.shape {
            for slot in std::mem::take(&mut self.met) {
                self.sides[kept].remove(slot);
            }
        }
        Ok(())
    }

    /// The watermark of the output: a row that is given when it expires has the time that it came with.
    fn promise(&self) -> i64 {
        if self.emission.undated().is_some() && self.watermark < i64::MAX {
            // A row that has no time of its own may still meet one of any time.
            return i64::MIN;
        }
        let holds = |side: usize| match self.shape {
            Shape::Pairs { pads } => pads[side],
            Shape::Member { kept, .. } => kept == side,
        };
        let held = (0..2).filter(|side| holds(*side)).map(|side| self.patience_ms(side)).fold(0, i64::max);
        if self.watermark == i64::MAX { i64::MAX } else { self.watermark.saturating_sub(held) }
    }
}

/// The rows for which `mask` is true.
fn kept(chunk: &Chunk, values: &[ArrayRef], mask: &BooleanArray) -> Result<(Chunk, Vec<ArrayRef>), Fault> {
    let values = values.iter().map(|array| compute::filter(array, mask)).collect::<Result<_, _>>().map_err(defect)?;
    Ok((chunk.filter(mask).map_err(defect)?, values))
}

impl Operator for BoundedJoin {
    fn push(&mut self, port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let mut expressions = self.sides[port].expressions.clone();
        let keys = expressions.len();
        match &self.waiting {
            Waiting::Interval { times, .. } => expressions.extend(times[port].clone()),
            Waiting::Window { ends } => {
                let name = chunk.batch.schema().field(ends[port]).name().clone();
                expressions.push(Arc::new(datafusion_physical_expr::expressions::Column::new(&name, ends[port])));
            }
        }
        let (mut chunk, mut values) = evaluate(&expressions, chunk, out)?;
        if let Some(nulls) = values.get(keys).and_then(|times| times.nulls().cloned()).filter(|n| n.null_count() > 0) {
            let missing = (0..chunk.rows()).filter(|row| nulls.is_null(*row));
            out.bad.extend(missing.map(|row| without_time(&chunk, row, "the time that the join compares is NULL")));
            (chunk, values) = kept(&chunk, &values, &BooleanArray::new(nulls.into_inner(), None))?;
        }
        let [mut times, mut ats, mut dues] = self.times(port, &chunk, values.get(keys))?;
        let is_late = |row: usize| times[row] < self.watermark && dues[row] < self.watermark;
        let late = (0..chunk.rows()).filter(|row| is_late(*row)).count();
        if late > 0 {
            out.late_rows += late as u64;
            let in_time: Vec<bool> = (0..chunk.rows()).map(|row| !is_late(row)).collect();
            match self.late {
                LateStrategy::Drop | LateStrategy::DeadLetter => {
                    if self.late == LateStrategy::DeadLetter {
                        let rows = (0..chunk.rows()).filter(|row| !in_time[*row]);
                        out.bad.extend(rows.map(|row| expression::late(&chunk, row, self.watermark)));
                    }
                    (chunk, values) = kept(&chunk, &values, &BooleanArray::from(in_time))?;
                    [times, ats, dues] = self.times(port, &chunk, values.get(keys))?;
                }
                // It meets those partners that are still here; what is given of it comes now.
                LateStrategy::IncludeInNextWindow | LateStrategy::UpdatePrevious => {
                    for (time, _) in times.iter_mut().zip(in_time).filter(|(_, in_time)| !in_time) {
                        *time = self.watermark;
                    }
                }
            }
        }
        values.truncate(keys);
        let side = &mut self.sides[port];
        let encoded = side.encode(&values, chunk.rows())?;
        let batch = side.kept(&chunk.batch, &values)?;
        let slots = side.append(batch, &times, &dues)?;
        for (row, slot) in slots.iter().enumerate() {
            side.link(&encoded, row, *slot);
            side.store.slot_mut(*slot).at = ats[row];
        }
        self.rest = Some(Rest { port, keys: encoded, slots, chunk, next: 0 });
        self.go_on(out)
    }

    fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), Fault> {
        let Some(mut rest) = self.rest.take() else { return Ok(()) };
        self.probe(&mut rest, out)?;
        if rest.next < rest.slots.len() {
            self.rest = Some(rest);
            return Ok(());
        }
        self.sweep(rest.port, &rest.slots, out)
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.watermark = self.watermark.max(watermark);
        for port in 0..2 {
            let due = self.sides[port].store.take_due(self.watermark);
            for slot in &due {
                if self.shape.gives_single(port) && self.sides[port].store.slot(*slot).matched == 0 {
                    self.emission.single(port, *slot, false, Op::Insert);
                    self.emission.give_full(&mut self.sides, out)?;
                }
            }
            self.emission.give(&mut self.sides, out)?;
            due.iter().for_each(|slot| self.sides[port].remove(*slot));
            self.sides[port].store.tidy().map_err(defect)?;
        }
        Ok(self.promise())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let mut tables = self.sides[0].snapshot()?;
        tables.extend(self.sides[1].snapshot()?);
        tables.push(clock(self.watermark)?);
        Ok(tables)
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        self.watermark = restored_clock(&tables).unwrap_or(i64::MIN);
        for table in &tables {
            for side in &mut self.sides {
                side.restore(table)?;
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.sides.iter().map(Side::bytes).sum()
    }

    fn state_rows(&self) -> usize {
        self.sides.iter().map(|side| side.store.live()).sum()
    }
}
