//! Joins of two inputs whose rows come and go: the result is a changelog. Rows stay until they are taken back or their
//! time to live is over; what has been given of a row that outlived its time stays given.

use std::time::Duration;

use super::expression::{defect, evaluate};
use super::index::NONE;
use super::pairing::{Candidates, Condition, Emission, LOOKS_MAX, PAIRS_MAX, Shape};
use super::side::{Act, STAYS, Side};
use crate::connectors::contract::Op;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output, StateTable};

/// The operator of table-table joins.
pub(super) struct UpdatingJoin {
    sides: [Side; 2],
    shape: Shape,
    condition: Option<Condition>,
    is_null_aware: bool,
    emission: Emission,
    time_to_live_ms: Option<i64>,
    /// The clock as of the last tick; before the first one no row can say when it goes.
    now_ms: Option<i64>,
    /// Rows that came before the first tick.
    undated: [Vec<u32>; 2],
    /// Changes whose partners have not been looked for yet.
    rest: Option<Rest>,
}

/// Changes of a port, all of them stored, that look for partners one after the other.
struct Rest {
    port: usize,
    acts: Vec<(Act, Where)>,
    next: usize,
}

/// An act with where its candidates are.
struct Pending {
    act: Act,
    from: usize,
    to: usize,
}

/// Where the partners of a row are looked for.
#[derive(Clone, Copy)]
enum Where {
    /// In a group, and among the rows with a NULL key, which may be equal.
    Groups([Option<u32>; 2]),
    /// Everywhere: the key is NULL and may be equal to any.
    All,
}

impl UpdatingJoin {
    /// An operator without rows.
    pub fn new(
        sides: [Side; 2],
        shape: Shape,
        condition: Option<Condition>,
        is_null_aware: bool,
        emission: Emission,
        time_to_live: Option<Duration>,
    ) -> Self {
        let time_to_live_ms = time_to_live.map(|length| i64::try_from(length.as_millis()).unwrap_or(i64::MAX));
        let undated = [Vec::new(), Vec::new()];
        Self { sides, shape, condition, is_null_aware, emission, time_to_live_ms, now_ms: None, undated, rest: None }
    }

    fn due(&self) -> i64 {
        match (self.time_to_live_ms, self.now_ms) {
            (Some(length), Some(now)) => now.saturating_add(length).min(STAYS - 1),
            _ => STAYS,
        }
    }

    /// Looks for partners of the acts a run at a time, until all have or the output is full, so that a hot key can make
    /// neither the candidates nor the output grow without end.
    fn pair(&mut self, rest: &mut Rest, out: &mut Output) -> Result<(), Fault> {
        let port = rest.port;
        let mut candidates = Candidates::default();
        let mut run: Vec<Pending> = Vec::new();
        let mut looks = 0;
        while let Some((act, place)) = rest.acts.get(rest.next) {
            rest.next += 1;
            let from = candidates.own.len();
            let other = &self.sides[1 - port];
            match place {
                Where::Groups(groups) => groups
                    .iter()
                    .flatten()
                    .flat_map(|group| other.index.slots(*group))
                    .for_each(|slot| candidates.push(act.slot, slot)),
                Where::All => other.store.slots().for_each(|slot| candidates.push(act.slot, slot)),
            }
            run.push(Pending { act: *act, from, to: candidates.own.len() });
            if candidates.own.len() >= PAIRS_MAX && !act.is_replaced_by_next {
                self.settle(port, &run, &candidates, out)?;
                looks += candidates.own.len();
                run.clear();
                candidates.clear();
                if out.is_full() || looks >= LOOKS_MAX {
                    return Ok(());
                }
            }
        }
        self.settle(port, &run, &candidates, out)?;
        self.emission.give(&mut self.sides, out)
    }

    fn settle(&mut self, port: usize, run: &[Pending], candidates: &Candidates, out: &mut Output) -> Result<(), Fault> {
        let truths = candidates.partners(port, self.condition.as_ref(), &mut self.sides, None, out)?;
        let is_partner = |pair: usize| truths.as_ref().is_none_or(|truths| truths[pair]);
        let mut pending = run.iter();
        while let Some(one) = pending.next() {
            let others = &candidates.other[one.from..one.to];
            let next = one.act.is_replaced_by_next.then(|| pending.as_slice().first()).flatten();
            match next {
                // Both halves of a replacement with the same key meet the same rows in the same order.
                Some(new) if candidates.other[new.from..new.to] == *others => {
                    pending.next();
                    let pairs = others
                        .iter()
                        .enumerate()
                        .map(|(n, other)| (*other, is_partner(one.from + n), is_partner(new.from + n)));
                    let pairs: Vec<(u32, bool, bool)> = pairs.collect();
                    self.replace(port, one.act.slot, new.act.slot, &pairs, out)?;
                }
                _ => {
                    let partners: Vec<u32> = others
                        .iter()
                        .enumerate()
                        .filter(|(n, _)| is_partner(one.from + n))
                        .map(|(_, other)| *other)
                        .collect();
                    if one.act.comes {
                        self.come(port, one.act.slot, &partners, out)?;
                    } else {
                        self.go(port, one.act.slot, &partners, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn come(&mut self, port: usize, own: u32, partners: &[u32], out: &mut Output) -> Result<(), Fault> {
        for other in partners {
            self.meet(port, own, *other, Op::Insert, out)?;
        }
        self.sides[port].store.slot_mut(own).matched = count(partners.len());
        self.show(port, own, !partners.is_empty(), Op::Insert, out)
    }

    fn go(&mut self, port: usize, own: u32, partners: &[u32], out: &mut Output) -> Result<(), Fault> {
        for other in partners {
            self.part(port, own, *other, out)?;
        }
        let had_partner = self.sides[port].store.slot(own).matched > 0;
        self.show(port, own, had_partner, Op::Delete, out)
    }

    /// A row takes the place of another with the same key: pairs that hold before and after are updates.
    fn replace(
        &mut self,
        port: usize,
        old: u32,
        new: u32,
        pairs: &[(u32, bool, bool)],
        out: &mut Output,
    ) -> Result<(), Fault> {
        let had_partner = self.sides[port].store.slot(old).matched > 0;
        let now = pairs.iter().filter(|(_, _, after)| *after).count();
        let shows = |shape: Shape, has_partner: bool| match shape {
            Shape::Pairs { pads } => pads[port] && !has_partner,
            Shape::Member { kept, gives, .. } => kept == port && gives[usize::from(!has_partner)],
        };
        let (before, after) = (shows(self.shape, had_partner), shows(self.shape, now > 0));
        if before && !after {
            self.show(port, old, had_partner, Op::Delete, out)?;
        }
        for (other, held, holds) in pairs {
            match (held, holds) {
                (true, true) if matches!(self.shape, Shape::Pairs { .. }) => {
                    self.emission.pair(port, old, *other, Op::UpdateBefore);
                    self.emission.pair(port, new, *other, Op::UpdateAfter);
                    self.emission.give_full(&mut self.sides, out)?;
                }
                (true, false) => self.part(port, old, *other, out)?,
                (false, true) => self.meet(port, new, *other, Op::Insert, out)?,
                _ => {}
            }
        }
        self.sides[port].store.slot_mut(new).matched = count(now);
        match (before, after) {
            (true, true) => {
                self.emission.single(port, old, had_partner, Op::UpdateBefore);
                self.emission.single(port, new, now > 0, Op::UpdateAfter);
                self.emission.give_full(&mut self.sides, out)
            }
            (false, true) => self.show(port, new, now > 0, Op::Insert, out),
            _ => Ok(()),
        }
    }

    /// A pair appears. The other row is no longer without a partner.
    fn meet(&mut self, port: usize, own: u32, other: u32, op: Op, out: &mut Output) -> Result<(), Fault> {
        let entry = self.sides[1 - port].store.slot_mut(other);
        let was_alone = entry.matched == 0;
        entry.matched = entry.matched.saturating_add(1);
        if was_alone {
            self.turn(1 - port, other, true, out)?;
        }
        if let Shape::Pairs { .. } = self.shape {
            self.emission.pair(port, own, other, op);
        }
        self.emission.give_full(&mut self.sides, out)
    }

    /// A pair disappears. The other row may be without a partner again.
    fn part(&mut self, port: usize, own: u32, other: u32, out: &mut Output) -> Result<(), Fault> {
        if let Shape::Pairs { .. } = self.shape {
            self.emission.pair(port, own, other, Op::Delete);
        }
        let entry = self.sides[1 - port].store.slot_mut(other);
        entry.matched = entry.matched.saturating_sub(1);
        if entry.matched == 0 {
            self.turn(1 - port, other, false, out)?;
        }
        self.emission.give_full(&mut self.sides, out)
    }

    /// A row got its first partner, or lost its last: what was given of it alone is taken back, or given.
    fn turn(&mut self, side: usize, slot: u32, has_partner: bool, out: &mut Output) -> Result<(), Fault> {
        match self.shape {
            Shape::Member { kept, marks: true, .. } if kept == side => {
                self.emission.single(side, slot, !has_partner, Op::UpdateBefore);
                self.emission.single(side, slot, has_partner, Op::UpdateAfter);
                self.emission.give_full(&mut self.sides, out)
            }
            _ => {
                self.show(side, slot, !has_partner, Op::Delete, out)?;
                self.show(side, slot, has_partner, Op::Insert, out)
            }
        }
    }

    /// Gives (or takes back) a row by itself, if rows of its kind are given by themselves.
    fn show(&mut self, side: usize, slot: u32, has_partner: bool, op: Op, out: &mut Output) -> Result<(), Fault> {
        let is_shown = match self.shape {
            Shape::Pairs { pads } => pads[side] && !has_partner,
            Shape::Member { kept, gives, .. } => kept == side && gives[usize::from(!has_partner)],
        };
        if is_shown {
            self.emission.single(side, slot, has_partner, op);
        }
        self.emission.give_full(&mut self.sides, out)
    }
}

fn count(partners: usize) -> u32 {
    u32::try_from(partners).unwrap_or(u32::MAX)
}

impl Operator for UpdatingJoin {
    fn push(&mut self, port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let expressions = self.sides[port].expressions.clone();
        let (chunk, keys) = evaluate(&expressions, chunk, out)?;
        let due = self.due();
        let (left, right) = self.sides.split_at_mut(1);
        let (own, other) = if port == 0 { (&mut left[0], &right[0]) } else { (&mut right[0], &left[0]) };
        let is_null_aware = self.is_null_aware;
        let mut places = Vec::with_capacity(chunk.rows());
        let visit = |own: &Side, act: &Act| {
            let group = own.index.group_of(act.slot);
            let is_null = group == NONE || (is_null_aware && own.null_group() == Some(group));
            places.push(match (is_null, is_null_aware) {
                (true, true) => Where::All,
                (true, false) => Where::Groups([None, None]),
                (false, _) => {
                    let (hash, key) = own.index.key(group);
                    let nulls = is_null_aware.then(|| other.null_group()).flatten();
                    Where::Groups([other.index.find(hash, key), nulls])
                }
            });
        };
        let acts = own.change(&chunk.batch, &keys, &chunk.times, due, |row| chunk.op(row), visit)?;
        let acts: Vec<(Act, Where)> = acts.into_iter().zip(places).collect();
        if self.time_to_live_ms.is_some() && self.now_ms.is_none() {
            self.undated[port].extend(acts.iter().filter(|(act, _)| act.comes).map(|(act, _)| act.slot));
        }
        self.rest = Some(Rest { port, acts, next: 0 });
        self.go_on(out)
    }

    fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), Fault> {
        let Some(mut rest) = self.rest.take() else { return Ok(()) };
        self.pair(&mut rest, out)?;
        if rest.next < rest.acts.len() {
            self.rest = Some(rest);
            return Ok(());
        }
        // The last run may have filled the output; what it has in hand is given by itself.
        self.emission.give(&mut self.sides, out)?;
        for (act, _) in rest.acts.iter().filter(|(act, _)| !act.comes) {
            self.sides[rest.port].store.remove(act.slot);
        }
        self.sides[rest.port].store.tidy().map_err(defect)
    }

    fn preferred_port(&self) -> Option<usize> {
        // Rows that have no time of their own have to be there before those that give a pair its time.
        self.emission.undated()
    }

    fn tick(&mut self, now_ms: i64, _out: &mut Output) -> Result<(), Fault> {
        self.now_ms = Some(now_ms);
        if self.time_to_live_ms.is_none() {
            return Ok(());
        }
        let due = self.due();
        for port in 0..2 {
            let side = &mut self.sides[port];
            for slot in std::mem::take(&mut self.undated[port]) {
                side.store.put_off(slot, due);
            }
            for slot in side.store.take_due(now_ms) {
                side.remove(slot);
            }
            side.store.tidy().map_err(defect)?;
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let mut tables = self.sides[0].snapshot()?;
        tables.extend(self.sides[1].snapshot()?);
        Ok(tables)
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        for table in &tables {
            for (side, undated) in self.sides.iter_mut().zip(&mut self.undated) {
                let slots = side.restore(table)?.unwrap_or_default();
                if self.time_to_live_ms.is_some() {
                    undated.extend(slots.into_iter().filter(|slot| side.store.slot(*slot).due == STAYS));
                }
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
