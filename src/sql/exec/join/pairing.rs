//! What all joins share: the kind of join, the filter over candidates, and the rows to give, gathered many at a time.
//! It decides nothing about time.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int8Array};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::JoinType;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::utils::collect_columns;

use super::expression::{bad, defect, holds};
use super::index::NONE;
use super::side::{Side, batch_of};
use crate::connectors::contract::{BATCH_ROWS_MAX, Op};
use crate::core::fault::Fault;
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::evaluate::FailedRow;
use crate::sql::exec::operator::Output;
use crate::sql::functions::checked::checked;
use crate::sql::plan::stream::Expression;

/// Candidates that are looked at together, and rows that are given together.
pub(super) const PAIRS_MAX: usize = BATCH_ROWS_MAX;

/// Pairs that are looked at before the task looks up, whatever comes of them: some ten milliseconds.
pub(super) const LOOKS_MAX: usize = 1 << 20;

/// What a join gives of pairs and of rows without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Pairs, and with NULLs the rows of a side that have no partner.
    Pairs {
        /// Whether rows of the left, of the right, are given without a partner.
        pads: [bool; 2],
    },
    /// Rows of one side, by whether they have a partner.
    Member {
        /// The side.
        kept: usize,
        /// Whether a row is given that has one, that has none.
        gives: [bool; 2],
        /// Whether a last column says which.
        marks: bool,
    },
}

impl Shape {
    /// The shape of a kind of join.
    pub fn of(join_type: JoinType) -> Self {
        let member = |kept, gives, marks| Self::Member { kept, gives, marks };
        match join_type {
            JoinType::Inner => Self::Pairs { pads: [false, false] },
            JoinType::Left => Self::Pairs { pads: [true, false] },
            JoinType::Right => Self::Pairs { pads: [false, true] },
            JoinType::Full => Self::Pairs { pads: [true, true] },
            JoinType::LeftSemi => member(0, [true, false], false),
            JoinType::LeftAnti => member(0, [false, true], false),
            JoinType::LeftMark => member(0, [true, true], true),
            JoinType::RightSemi => member(1, [true, false], false),
            JoinType::RightAnti => member(1, [false, true], false),
            JoinType::RightMark => member(1, [true, true], true),
        }
    }

    /// Whether columns of this side are in the output.
    pub fn shows(self, side: usize) -> bool {
        match self {
            Self::Pairs { .. } => true,
            Self::Member { kept, .. } => kept == side,
        }
    }

    /// Whether a row of this side is given while it has no partner.
    pub fn gives_single(self, side: usize) -> bool {
        match self {
            Self::Pairs { pads } => pads[side],
            Self::Member { kept, gives, .. } => kept == side && gives[1],
        }
    }
}

/// What must hold beside equal keys, over as few columns as it reads.
pub(super) struct Condition {
    expression: Expression,
    /// Columns that it reads, where each side keeps them.
    columns: [Vec<usize>; 2],
    schema: SchemaRef,
}

impl Condition {
    /// The columns of each input that a filter over both reads.
    pub fn reads(filter: &Expression, left_width: usize) -> [Vec<usize>; 2] {
        let mut columns: Vec<usize> = collect_columns(filter).iter().map(Column::index).collect();
        columns.sort_unstable();
        let (left, right): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| *column < left_width);
        [left, right.into_iter().map(|column| column - left_width).collect()]
    }

    /// A condition over what the sides keep.
    pub fn new(filter: &Expression, left_width: usize, sides: &[Side; 2]) -> Result<Self, Fault> {
        Self::over(filter, left_width, [sides[0].layout().schema(), sides[1].layout().schema()], |side, column| {
            sides[side].layout().position(column)
        })
    }

    /// A condition over rows of these two schemas; `position` says where a side keeps a column of its input.
    pub fn over(
        filter: &Expression,
        left_width: usize,
        schemas: [&SchemaRef; 2],
        position: impl Fn(usize, usize) -> Option<usize>,
    ) -> Result<Self, Fault> {
        let reads = Self::reads(filter, left_width);
        let mut fields = Vec::new();
        let mut columns = [Vec::new(), Vec::new()];
        for side in 0..2 {
            for column in &reads[side] {
                let kept = position(side, *column).ok_or_else(|| defect("a column is not kept"))?;
                columns[side].push(kept);
                // A row of the other side may be missing when it is padded, never when it is compared.
                fields.push(Arc::clone(&schemas[side].fields()[kept]));
            }
        }
        let places: Vec<usize> =
            reads[0].iter().copied().chain(reads[1].iter().map(|column| column + left_width)).collect();
        let expression = Arc::clone(filter)
            .transform(|expression| match expression.as_any().downcast_ref::<Column>() {
                Some(column) => {
                    let place = places.iter().position(|place| *place == column.index()).unwrap_or(0);
                    Ok(Transformed::yes(Arc::new(Column::new(column.name(), place)) as Expression))
                }
                None => Ok(Transformed::no(expression)),
            })
            .map_err(defect)?
            .data;
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { expression: checked(expression), columns, schema })
    }

    fn holds(
        &self,
        sides: &mut [Side; 2],
        pairs: [&[u32]; 2],
        failed: impl FnMut(FailedRow),
    ) -> Result<Vec<bool>, Fault> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for side in 0..2 {
            columns.extend(sides[side].store.gather(pairs[side], &self.columns[side]).map_err(defect)?);
        }
        self.truths(columns, pairs[0].len(), failed)
    }

    /// The columns that it reads of a side, where that side keeps them.
    pub fn columns(&self, side: usize) -> &[usize] {
        &self.columns[side]
    }

    /// Which of `rows` pairs it holds for: `columns` are those that it reads of the left, then of the right.
    pub fn truths(
        &self,
        columns: Vec<ArrayRef>,
        rows: usize,
        failed: impl FnMut(FailedRow),
    ) -> Result<Vec<bool>, Fault> {
        holds(&self.expression, &batch_of(&self.schema, columns, rows)?, failed)
    }
}

/// Rows of two sides that may be partners.
#[derive(Default)]
pub(super) struct Candidates {
    /// Rows of the side that is looked from.
    pub own: Vec<u32>,
    /// Rows of the other side.
    pub other: Vec<u32>,
}

impl Candidates {
    /// One more.
    pub fn push(&mut self, own: u32, other: u32) {
        self.own.push(own);
        self.other.push(other);
    }

    /// None.
    pub fn clear(&mut self) {
        self.own.clear();
        self.other.clear();
    }

    /// Which of them are partners; `None` where all are. A pair for which the condition fails is none and goes to the
    /// bad rows, with the record behind the row of `origin`, a chunk and the slots of its rows.
    pub fn partners(
        &self,
        port: usize,
        condition: Option<&Condition>,
        sides: &mut [Side; 2],
        origin: Option<(&Chunk, &[u32])>,
        out: &mut Output,
    ) -> Result<Option<Vec<bool>>, Fault> {
        let Some(condition) = condition else { return Ok(None) };
        let mut truths = Vec::with_capacity(self.own.len());
        for (own, other) in self.own.chunks(PAIRS_MAX).zip(self.other.chunks(PAIRS_MAX)) {
            let pairs = if port == 0 { [own, other] } else { [other, own] };
            let failed = |failed: FailedRow| {
                let row = |(_, slots): (&Chunk, &[u32])| slots.iter().position(|slot| *slot == own[failed.row]);
                let behind = origin.and_then(|origin| row(origin).map(|row| (origin.0, row)));
                out.bad.push(bad(behind, failed));
            };
            truths.extend(condition.holds(sides, pairs, failed)?);
        }
        Ok(Some(truths))
    }
}

/// Rows to give.
pub(super) struct Emission {
    schema: SchemaRef,
    shape: Shape,
    pairs: [Vec<u32>; 2],
    ops: Option<Vec<i8>>,
    marks: Vec<bool>,
    /// Sides whose rows give a pair no time.
    undated: [bool; 2],
}

impl Emission {
    /// Rows of this schema, with ops if the output is a changelog.
    pub fn new(schema: &SchemaRef, shape: Shape, is_changelog: bool, undated: [bool; 2]) -> Self {
        Self {
            schema: Arc::clone(schema),
            shape,
            undated,
            pairs: [Vec::new(), Vec::new()],
            ops: is_changelog.then(Vec::new),
            marks: Vec::new(),
        }
    }

    /// The side whose rows give a pair no time.
    pub fn undated(&self) -> Option<usize> {
        self.undated.iter().position(|undated| *undated)
    }

    /// A pair, seen from `port`.
    pub fn pair(&mut self, port: usize, own: u32, other: u32, op: Op) {
        self.pairs[port].push(own);
        self.pairs[1 - port].push(other);
        if let Some(ops) = &mut self.ops {
            ops.push(op as i8);
        }
    }

    /// A row of side `port` by itself; `has_partner` is what a mark says.
    pub fn single(&mut self, port: usize, slot: u32, has_partner: bool, op: Op) {
        if let Shape::Member { marks: true, .. } = self.shape {
            self.marks.push(has_partner);
        }
        self.pair(port, slot, NONE, op);
    }

    /// Gives what is there once it is worth a chunk.
    pub fn give_full(&mut self, sides: &mut [Side; 2], out: &mut Output) -> Result<(), Fault> {
        // One more may be the new half of the last: they stay together.
        let is_open = self.ops.as_ref().and_then(|ops| ops.last()).is_some_and(|op| *op == Op::UpdateBefore as i8);
        if self.pairs[0].len() < PAIRS_MAX || is_open { Ok(()) } else { self.give(sides, out) }
    }

    /// Gives what is there.
    pub fn give(&mut self, sides: &mut [Side; 2], out: &mut Output) -> Result<(), Fault> {
        let rows = self.pairs[0].len();
        if rows == 0 {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (side, slots) in
            sides.iter_mut().zip(&self.pairs).enumerate().filter(|(n, _)| self.shape.shows(*n)).map(|(_, both)| both)
        {
            let kept: Vec<usize> = side.layout().inputs().collect();
            columns.extend(side.store.gather(slots, &kept).map_err(defect)?);
        }
        if let Shape::Member { marks: true, .. } = self.shape {
            columns.push(Arc::new(BooleanArray::from(std::mem::take(&mut self.marks))));
        }
        let time = |side: usize, slot: u32| if slot == NONE { i64::MIN } else { sides[side].store.slot(slot).time };
        let later = |(l, r): (&u32, &u32)| match self.undated {
            [true, false] if *r != NONE => time(1, *r),
            [false, true] if *l != NONE => time(0, *l),
            _ => time(0, *l).max(time(1, *r)),
        };
        let times: Vec<i64> = self.pairs[0].iter().zip(&self.pairs[1]).map(later).collect();
        let batch = batch_of(&self.schema, columns, rows)?;
        let ops = self.ops.as_mut().map(|ops| Int8Array::from(std::mem::take(ops)));
        out.give(Chunk { batch, times: times.into(), ops, origins: None });
        self.pairs.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}
