//! An aggregate over frames that move: rows are added as the frame reaches them and taken back as it leaves them behind, so
//! that each result is exactly that of its frame; an aggregate that cannot take rows back reads each frame anew, in its
//! order. What it holds can be made again from the rows that are kept.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{SortOptions, concat};
use arrow::datatypes::SchemaRef;
use datafusion_expr::WindowFrame;
use datafusion_expr::window_state::WindowFrameContext;

use crate::core::fault::Fault;
use crate::sql::exec::aggregate::prepared::{Prepared, Recipe};
use crate::sql::exec::aggregate::{GroupAccumulator, Rows, accumulator, failed};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::Output;
use crate::sql::plan::stream::{AggregateCall, AggregateNode, Changes, EmitMode, Expression, SortKey};

/// See the module.
pub struct Moving {
    recipe: Recipe,
    held: Box<dyn GroupAccumulator>,
    /// Whether rows cannot be taken back: a frame that leaves some behind is read anew.
    reads_anew: bool,
    frame: Arc<WindowFrame>,
    order: Vec<Expression>,
    options: Vec<SortOptions>,
    /// Of each partition, which of its rows are in the frame, by their numbers from its beginning.
    spans: Vec<Range<u64>>,
}

/// The rows of a partition that are at hand.
pub struct Window<'a> {
    /// The partition.
    pub number: usize,
    /// Number of the first row from the partition's beginning.
    pub base: u64,
    /// The rows, in order.
    pub chunk: &'a Chunk,
    /// Those that are asked for.
    pub asked: Range<usize>,
}

impl Moving {
    /// An aggregate over a frame of rows in this order.
    ///
    /// # Errors
    /// An aggregate that cannot do this.
    pub fn new(call: &AggregateCall, frame: &WindowFrame, order: &[SortKey], input: &SchemaRef) -> Result<Self, Fault> {
        let node = AggregateNode { keys: Vec::new(), calls: vec![call.clone()], emit: EmitMode::Final };
        let mut held = accumulator(call, Changes::Changelog, input)?;
        let reads_anew = held.reads_anew();
        if reads_anew {
            held = accumulator(call, Changes::Append, input)?;
        }
        Ok(Self {
            recipe: Recipe::new(node, Arc::clone(input), Changes::Changelog)?,
            held,
            reads_anew,
            frame: Arc::new(frame.clone()),
            order: order.iter().map(|key| Arc::clone(&key.expression)).collect(),
            options: order
                .iter()
                .map(|key| SortOptions { descending: key.descending, nulls_first: key.nulls_first })
                .collect(),
            spans: Vec::new(),
        })
    }

    /// The results of the rows that are asked for; NULL, and named with the reason, for one whose frame has none.
    ///
    /// # Errors
    /// What no row can be blamed for.
    pub fn results(&mut self, window: &Window<'_>, bad: &mut BTreeMap<usize, String>) -> Result<ArrayRef, Fault> {
        let rows = window.chunk.rows();
        let (_, prepared) = self.recipe.prepare(window.chunk.clone(), &mut Output::default())?;
        let order = self
            .order
            .iter()
            .map(|key| key.evaluate(&window.chunk.batch).and_then(|value| value.into_array(rows)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(&error))?;
        let mut context = WindowFrameContext::new(Arc::clone(&self.frame), self.options.clone());
        if self.spans.len() <= window.number {
            self.spans.resize(window.number + 1, 0..0);
            self.held.grow(self.spans.len());
        }
        // Frames only move on: the search goes on where it was.
        let span = &self.spans[window.number];
        let here = |number: u64| number.saturating_sub(window.base) as usize;
        let mut last = here(span.start)..here(span.end);
        let mut results = Vec::with_capacity(window.asked.len());
        for row in window.asked.clone() {
            let range = context.calculate_range(&order, &last, rows, row).map_err(|error| failed(&error))?;
            if let Some(message) = self.move_to(window, &prepared, range.clone())? {
                self.empty(window.number);
                bad.insert(row, message);
            }
            results.push(self.held.evaluate(&[window.number as u32])?);
            last = range;
        }
        let results: Vec<_> = results.iter().map(AsRef::as_ref).collect();
        concat(&results).map_err(|error| failed(&error))
    }

    /// Moves the frame of a partition. Answers with why it cannot, and is to be emptied then.
    fn move_to(&mut self, window: &Window<'_>, rows: &Prepared, range: Range<usize>) -> Result<Option<String>, Fault> {
        let to = window.base + range.start as u64..window.base + (range.end.max(range.start)) as u64;
        let mut span = self.spans[window.number].clone();
        let is_ahead = to.start < span.start || to.end < span.end || span.end <= to.start || span.start < window.base;
        let leaves = span.start < to.start;
        if is_ahead || leaves && (self.reads_anew || !self.take_back(window, rows, span.start..to.start)) {
            self.empty(window.number);
            span = to.start..to.start;
        }
        let message = self.add(window, rows, span.end.max(to.start)..to.end)?;
        self.spans[window.number] = to;
        Ok(message)
    }

    /// Whether rows could be taken back: what is left without them may not fit, as their order was another.
    fn take_back(&mut self, window: &Window<'_>, rows: &Prepared, which: Range<u64>) -> bool {
        let groups = vec![window.number as u32; (which.end - which.start) as usize];
        let (values, filter) = rows.part(0, (which.start - window.base) as usize, groups.len());
        self.held.retract(&Rows { values: &values, groups: &groups, filter: filter.as_ref() }).is_ok()
    }

    fn add(&mut self, window: &Window<'_>, rows: &Prepared, which: Range<u64>) -> Result<Option<String>, Fault> {
        if which.is_empty() {
            return Ok(None);
        }
        let groups = vec![window.number as u32; (which.end - which.start) as usize];
        let (values, filter) = rows.part(0, (which.start - window.base) as usize, groups.len());
        let rows = Rows { values: &values, groups: &groups, filter: filter.as_ref() };
        if self.held.may_refuse(&rows)? {
            let mut trial = self.held.trial(&rows)?;
            for row in 0..groups.len() {
                if let Some(message) = trial.refusal(row) {
                    return Ok(Some(message));
                }
                trial.add(row);
            }
        }
        self.held.update(&rows)?;
        Ok(None)
    }

    fn empty(&mut self, number: usize) {
        self.held.clear(number as u32);
        self.spans[number] = 0..0;
    }

    /// The number of the first row that is in the frame of a partition: it is taken back before it may go.
    pub fn first(&self, number: usize) -> Option<u64> {
        let span = self.spans.get(number).filter(|span| !self.reads_anew && !span.is_empty());
        span.map(|span| span.start)
    }

    /// Forgets a partition.
    pub fn remove(&mut self, number: usize) {
        if number < self.spans.len() {
            self.empty(number);
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.held.size() + self.spans.capacity() * size_of::<Range<u64>>()
    }
}
