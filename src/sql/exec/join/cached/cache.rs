//! What the instances of a lookup join share: how they ask, and the table's rows as they were read last, exchanged whole.
//! It reads no source and awaits nothing.

use std::sync::{Arc, RwLock};

use ahash::RandomState;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{Schema, SchemaRef};

use super::super::buffers::{needed_bytes, owned};
use super::super::expression::{defect, evaluate};
use super::super::key::Codec;
use super::super::pairing::{Condition, Shape};
use super::super::side::batch_of;
use super::super::{JoinInput, given, keys, types, unfindable};
use super::rows::{Groups, Rows, nothing};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeRwLock;
use crate::sql::exec::budget::{Budget, Share};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::Output;
use crate::sql::exec::statistics::LookupCounters;
use crate::sql::plan::stream::{Expression, JoinNode};

/// Rows are gathered from few batches: as they are read they are put together up to this, far below the 2 GB that a
/// column of text may hold.
const BATCH_BYTES: usize = 64 * 1024 * 1024;

/// A table that is looked into.
pub struct Cache {
    /// The table's name, for people.
    name: String,
    shape: Shape,
    keys: [Vec<Expression>; 2],
    codec: Codec,
    condition: Option<Condition>,
    /// Columns of the table's input that are kept.
    kept: Vec<usize>,
    /// Places of those that are shown.
    shown: Vec<usize>,
    schema: SchemaRef,
    output: SchemaRef,
    counters: Arc<LookupCounters>,
    rows: RwLock<Arc<Rows>>,
}

impl Cache {
    /// An empty table for a join of `left` with it.
    ///
    /// # Errors
    /// Keys that cannot be compared, a join of another kind than the planner lets look into a table.
    pub fn new(
        name: &str,
        node: &JoinNode,
        left: &JoinInput,
        right: &JoinInput,
        output: &SchemaRef,
        budget: &Arc<Budget>,
    ) -> Result<Self, Fault> {
        let shape = Shape::of(node.join_type);
        if !matches!(shape, Shape::Pairs { pads: [_, false] } | Shape::Member { kept: 0, .. }) || node.null_aware {
            return Err(defect(format!("{:?} cannot look into a table", node.join_type)));
        }
        let keys = keys(node, [&left.schema, &right.schema])?;
        let codec = Codec::new(&types(&keys[1], &right.schema)?, node.nulls_equal, RandomState::new());
        let left_width = left.schema.fields().len();
        let kept: Vec<usize> = match (shape, &node.filter) {
            (Shape::Pairs { .. }, _) => (0..right.schema.fields().len()).collect(),
            (_, Some(filter)) => Condition::reads(filter, left_width)[1].clone(),
            _ => Vec::new(),
        };
        let schema: SchemaRef = Arc::new(Schema::new(
            kept.iter().map(|column| Arc::clone(&right.schema.fields()[*column])).collect::<Vec<_>>(),
        ));
        let place = |side: usize, column: usize| match side {
            0 => Some(column),
            _ => kept.iter().position(|kept| *kept == column),
        };
        let condition = |filter| Condition::over(filter, left_width, [&left.schema, &schema], place);
        let condition = node.filter.as_ref().map(condition).transpose()?;
        let none = Rows {
            share: budget.share(),
            batches: vec![RecordBatch::new_empty(Arc::clone(&schema))],
            firsts: vec![0],
            nothing: nothing(&schema),
            groups: Groups::default(),
            starts: vec![0],
            members: Vec::new(),
        };
        Ok(Self {
            name: name.to_owned(),
            shape,
            keys,
            codec: codec.map_err(unfindable)?,
            condition,
            shown: (0..kept.len()).collect(),
            kept,
            schema,
            output: given(output, shape, [&left.schema, &right.schema])?,
            counters: Arc::default(),
            rows: RwLock::new(Arc::new(none)),
        })
    }

    /// What is counted of it.
    pub fn counters(&self) -> &Arc<LookupCounters> {
        &self.counters
    }

    /// Rows to take the place of those that are here, none of them yet.
    pub fn filling(self: &Arc<Self>, budget: &Arc<Budget>) -> Filling {
        self.filling_batches(budget, BATCH_BYTES)
    }

    /// The same, put together up to `batch_bytes`.
    pub(super) fn filling_batches(self: &Arc<Self>, budget: &Arc<Budget>, batch_bytes: usize) -> Filling {
        Filling {
            cache: Arc::clone(self),
            batch_bytes,
            share: budget.share(),
            batches: Vec::new(),
            batches_bytes: 0,
            open: Vec::new(),
            open_bytes: 0,
            groups: Groups::default(),
            members: Vec::new(),
        }
    }

    pub(super) fn rows(&self) -> Arc<Rows> {
        Arc::clone(&self.rows.look())
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn asks_by(&self) -> &[Expression] {
        &self.keys[0]
    }

    pub(super) fn codec(&self) -> &Codec {
        &self.codec
    }

    pub(super) fn condition(&self) -> Option<&Condition> {
        self.condition.as_ref()
    }

    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    pub(super) fn output(&self) -> &SchemaRef {
        &self.output
    }
}

/// Rows of a table while it is read.
pub struct Filling {
    cache: Arc<Cache>,
    share: Share,
    batches: Vec<RecordBatch>,
    batches_bytes: usize,
    /// Batches as they were read, to be put together.
    open: Vec<RecordBatch>,
    open_bytes: usize,
    batch_bytes: usize,
    groups: Groups,
    /// The group of each row.
    members: Vec<u32>,
}

impl Filling {
    /// Takes rows in. Those whose key cannot be computed go to the bad ones; those whose key equals none are left out.
    ///
    /// # Errors
    /// More than the job may hold.
    pub fn push(&mut self, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, keys) = evaluate(&self.cache.keys[1], chunk, out)?;
        let encoded = self.cache.codec.encode(&keys, chunk.rows()).map_err(defect)?;
        let columns: Vec<ArrayRef> =
            self.cache.kept.iter().map(|column| Arc::clone(chunk.batch.column(*column))).collect();
        let mut batch = batch_of(&self.cache.schema, columns, chunk.rows())?;
        let before = self.members.len();
        for row in (0..chunk.rows()).filter(|row| !encoded.is_null(*row)) {
            self.members.push(self.groups.find_or_add(encoded.hashes[row], encoded.key(row))?);
        }
        if self.members.len() - before < chunk.rows() {
            let mask: BooleanArray = (0..chunk.rows()).map(|row| Some(!encoded.is_null(row))).collect();
            batch = compute::filter_record_batch(&batch, &mask).map_err(defect)?;
        }
        let batch = owned(batch).map_err(defect)?;
        self.open_bytes += needed_bytes(&batch);
        self.open.push(batch);
        if self.open_bytes >= self.batch_bytes {
            self.close()?;
        }
        self.hold(0)
    }

    /// Holds what is here, and `beside` more bytes.
    ///
    /// # Errors
    /// More than the job may hold.
    pub fn hold(&mut self, beside: usize) -> Result<(), Fault> {
        let rows = self.batches_bytes + self.open_bytes;
        // Members are put in line by group at the end, and were by row before.
        let index = self.groups.held_bytes()
            + 2 * self.members.capacity() * size_of::<u32>()
            + self.groups.count() * size_of::<u32>();
        let bytes = rows + index + beside;
        self.share.hold(bytes).map_err(|full| {
            let mib = |bytes: usize| bytes.div_ceil(1024 * 1024);
            let what = format!(
                "the lookup table `{}` does not fit: {} rows of it take {} MiB beside {} MiB of other state, and this job may \
                 hold {} MiB",
                self.cache.name,
                self.members.len(),
                mib(bytes),
                mib(full.others),
                mib(full.bytes_max),
            );
            Fault::new(Blame::Operator, what)
                .next("select fewer of its columns and rows, or give the job more with 'state.limit'")
        })
    }

    /// These rows are the table from now on. Answers how many.
    ///
    /// # Errors
    /// More rows than can be numbered.
    pub fn finish(mut self) -> Result<usize, Fault> {
        if !self.open.is_empty() || self.batches.is_empty() {
            self.close()?;
        }
        let mut firsts = Vec::with_capacity(self.batches.len());
        let mut rows = 0_u32;
        for batch in &self.batches {
            firsts.push(rows);
            let count = u32::try_from(batch.num_rows()).map_err(defect)?;
            rows = rows.checked_add(count).filter(|rows| *rows < u32::MAX).ok_or_else(|| defect("too many rows"))?;
        }
        let (starts, members) = in_line(self.groups.count(), &self.members);
        self.members = Vec::new();
        let cache = Arc::clone(&self.cache);
        let taken = Rows {
            share: self.share,
            batches: self.batches,
            firsts,
            nothing: nothing(&cache.schema),
            groups: self.groups,
            starts,
            members,
        };
        let (count, bytes) = (taken.count(), taken.share.bytes());
        let before = {
            let mut rows = cache.rows.change();
            std::mem::replace(&mut *rows, Arc::new(taken))
        };
        // Outside of the lock: letting go of a large table takes a while.
        drop(before);
        cache.counters.has_read(count, bytes);
        Ok(count)
    }

    fn close(&mut self) -> Result<(), Fault> {
        let batch = compute::concat_batches(&self.cache.schema, &self.open).map_err(defect)?;
        self.open.clear();
        self.open_bytes = 0;
        self.batches_bytes += needed_bytes(&batch);
        self.batches.push(batch);
        Ok(())
    }
}

/// The numbers of rows group by group, and where each group begins: `of` says the group of each row.
fn in_line(groups: usize, of: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; groups + 1];
    of.iter().for_each(|group| starts[*group as usize + 1] += 1);
    for group in 0..groups {
        starts[group + 1] += starts[group];
    }
    let mut next = starts.clone();
    let mut members = vec![0_u32; of.len()];
    for (row, group) in (0u32..).zip(of) {
        let place = &mut next[*group as usize];
        members[*place as usize] = row;
        *place += 1;
    }
    (starts, members)
}
