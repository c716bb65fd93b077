//! Hands out made rows: as fast as they are taken, or at a rate by the clock.

use std::time::Duration;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tokio::time::Instant;

use super::Plan;
use crate::connectors::contract::{
    BATCH_WAIT, Columns, Position, Pull, ReaderProgress, SourceRows, Split, SplitReader,
};
use crate::core::fault::{Blame, Fault};

pub(super) struct GeneratorReader {
    plan: Plan,
    schema: SchemaRef,
    fields: Vec<usize>,
    split: u64,
    /// Rows of this split that were handed out.
    next: u64,
    /// Rows of this split; `None` without end.
    limit: Option<u64>,
    /// When the clock was started, and the row it started with.
    clock: Option<(Instant, u64)>,
}

impl GeneratorReader {
    pub(super) fn new(plan: Plan, split: &Split, from: Option<&Position>, columns: &Columns) -> Result<Self, Fault> {
        let defect = |what: &str| Fault::new(Blame::Program, format!("generator: `{what}` is no split or position"));
        let index: u64 = split.0.parse().ok().filter(|index| *index < plan.splits).ok_or_else(|| defect(&split.0))?;
        let next = from.map_or(Ok(0), |from| from.0.parse().map_err(|_| defect(&from.0)))?;
        let limit = plan.rows.map(|rows| (rows + plan.splits - 1 - index) / plan.splits);
        let schema = plan
            .maker
            .schema()
            .project(&columns.fields)
            .map_err(|error| Fault::new(Blame::Program, format!("generator: {error}")))?;
        Ok(Self { plan, schema: schema.into(), fields: columns.fields.clone(), split: index, next, limit, clock: None })
    }

    /// How many rows are due, and when the next one is.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a clock")]
    fn due(&mut self, rate: u64) -> (u64, Instant, f64) {
        let per_second = rate as f64 / self.plan.splits as f64;
        let (begun, first) = *self.clock.get_or_insert((Instant::now(), self.next));
        let by_now = (begun.elapsed().as_secs_f64() * per_second) as u64 + 1;
        let handed = self.next - first;
        let at = begun + Duration::from_secs_f64(handed as f64 / per_second);
        (by_now.saturating_sub(handed), at, per_second)
    }

    fn make(&mut self, count: u64) -> Result<SourceRows, Fault> {
        let (split, splits, group, rows) = (self.split, self.plan.splits, self.plan.group, self.plan.rows);
        let first = self.next;
        let mut numbers = (0..usize::try_from(count).unwrap_or(usize::MAX))
            .map(move |at| shuffled((first + at as u64) * splits + split, group, rows));
        let (columns, times) = self.plan.maker.make(&mut numbers, &self.fields);
        let bytes = columns.iter().map(|column| column.get_buffer_memory_size() as u64).sum();
        let options = RecordBatchOptions::new().with_row_count(Some(times.len()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Fault::new(Blame::Program, format!("generator: {error}")))?;
        self.next += count;
        Ok(SourceRows {
            batch,
            times: ScalarBuffer::from(times),
            ops: None,
            origins: None,
            bad: Vec::new(),
            skipped: 0,
            bytes,
        })
    }
}

/// The row at a place: rows change places within groups of `group`; a last group that is not whole stays in order.
fn shuffled(place: u64, group: u64, rows: Option<u64>) -> u64 {
    /// Nexmark's own step; prime, so every row of a group comes once unless the group is a multiple of it.
    const STEP: u64 = 953;
    let start = place / group * group;
    if group == 1 || group.is_multiple_of(STEP) || rows.is_some_and(|rows| start + group > rows) {
        return place;
    }
    start + (place % group * STEP) % group
}

#[async_trait]
impl SplitReader for GeneratorReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        let left = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.next));
        if left == 0 {
            return Ok(Pull::End);
        }
        let most = left.min(rows_max.max(1) as u64);
        let Some(rate) = self.plan.rate else { return self.make(most).map(Pull::Rows) };
        let (mut due, at, per_second) = self.due(rate);
        if due == 0 {
            let patience = Instant::now() + wait;
            tokio::time::sleep_until(at.min(patience)).await;
            due = self.due(rate).0;
            if due == 0 {
                return Ok(Pull::Idle);
            }
        }
        // A batch is worth a short wait where more rows are about to come.
        if due < most && per_second * BATCH_WAIT.as_secs_f64() > 1.0 {
            tokio::time::sleep(BATCH_WAIT).await;
            due = self.due(rate).0;
        }
        self.make(due.min(most)).map(Pull::Rows)
    }

    fn position(&self) -> Position {
        Position(self.next.to_string())
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress { lag: self.limit.map(|limit| limit.saturating_sub(self.next)), ..ReaderProgress::default() }
    }
}
