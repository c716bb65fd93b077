//! A stream that looks into a table: each row of the left is answered once, in order. It keeps no row itself.

use super::expression::defect;
use super::pairing::{Candidates, Condition, Emission, PAIRS_MAX, Shape};
use super::side::Side;
use crate::connectors::contract::Op;
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::Output;

/// Answers for rows of the left.
pub(super) struct Lookup {
    shape: Shape,
    condition: Option<Condition>,
    emission: Emission,
    candidates: Candidates,
    /// Rows whose candidates are complete: the row, and where its candidates end.
    rows: Vec<(u32, usize)>,
}

impl Lookup {
    /// A lookup without open rows.
    pub fn new(shape: Shape, condition: Option<Condition>, emission: Emission) -> Self {
        Self { shape, condition, emission, candidates: Candidates::default(), rows: Vec::new() }
    }

    /// How many rows of the table an answer has to look at: whether there is one is known by the first.
    pub fn enough(&self) -> usize {
        match self.shape {
            Shape::Member { .. } if self.condition.is_none() => 1,
            _ => usize::MAX,
        }
    }

    /// A row of the left with the rows of the table that it may meet.
    pub fn ask(
        &mut self,
        sides: &mut [Side; 2],
        row: u32,
        found: impl Iterator<Item = u32>,
        origin: Option<(&Chunk, &[u32])>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        found.for_each(|other| self.candidates.push(row, other));
        self.rows.push((row, self.candidates.own.len()));
        if self.candidates.own.len() >= PAIRS_MAX { self.settle(sides, origin, out) } else { Ok(()) }
    }

    /// Answers every row that was asked for.
    pub fn answer(
        &mut self,
        sides: &mut [Side; 2],
        origin: Option<(&Chunk, &[u32])>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        self.settle(sides, origin, out)?;
        self.emission.give(sides, out)
    }

    fn settle(
        &mut self,
        sides: &mut [Side; 2],
        origin: Option<(&Chunk, &[u32])>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        let truths = self.candidates.partners(0, self.condition.as_ref(), sides, origin, out)?;
        let mut from = 0;
        for (row, to) in std::mem::take(&mut self.rows) {
            let mut partners = (from..to).filter(|pair| truths.as_ref().is_none_or(|truths| truths[*pair])).peekable();
            let has_partner = partners.peek().is_some();
            match self.shape {
                Shape::Pairs { .. } if has_partner => {
                    for pair in partners {
                        self.emission.pair(0, row, self.candidates.other[pair], Op::Insert);
                        self.emission.give_full(sides, out)?;
                    }
                }
                Shape::Pairs { pads: [true, _] } => self.emission.single(0, row, false, Op::Insert),
                Shape::Member { gives, .. } if gives[usize::from(!has_partner)] => {
                    self.emission.single(0, row, has_partner, Op::Insert);
                }
                _ => {}
            }
            self.emission.give_full(sides, out)?;
            from = to;
        }
        self.candidates.clear();
        Ok(())
    }
}

/// Rows of the left that were answered go.
pub(super) fn release(side: &mut Side, slots: &[u32]) -> Result<(), Fault> {
    slots.iter().for_each(|slot| side.remove(*slot));
    side.store.tidy().map_err(defect)
}
