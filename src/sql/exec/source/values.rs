//! A literal table as a source: one split that ends. It opens nothing.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use crate::clock::now_ms;
use crate::connectors::contract::{Columns, Position, Pull, ReaderProgress, Source, SourceRows, Split, SplitReader};
use crate::core::fault::Fault;

/// Rows that stand in the query.
pub struct Values {
    schema: SchemaRef,
    batches: Arc<Vec<RecordBatch>>,
}

impl Values {
    /// These rows.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches: Arc::new(batches) }
    }
}

#[async_trait]
impl Source for Values {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn is_bounded(&self) -> bool {
        true
    }

    fn dates_rows(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        format!("{} rows of the query", self.batches.iter().map(RecordBatch::num_rows).sum::<usize>())
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        Ok(vec![Split("values".into())])
    }

    async fn read(&self, _: &Split, from: Option<&Position>, _: &Columns) -> Result<Box<dyn SplitReader>, Fault> {
        Ok(Box::new(Reader { batches: Arc::clone(&self.batches), next: next(from) }))
    }

    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        parts.iter().map(|(_, from)| next(from.as_ref()) < self.batches.len()).collect()
    }
}

/// The batch that comes next.
fn next(from: Option<&Position>) -> usize {
    from.and_then(|position| position.0.parse().ok()).unwrap_or(0)
}

struct Reader {
    batches: Arc<Vec<RecordBatch>>,
    next: usize,
}

#[async_trait]
impl SplitReader for Reader {
    async fn next(&mut self, _rows_max: usize, _wait: Duration) -> Result<Pull, Fault> {
        let Some(batch) = self.batches.get(self.next) else { return Ok(Pull::End) };
        self.next += 1;
        Ok(Pull::Rows(SourceRows {
            batch: batch.clone(),
            times: vec![now_ms(); batch.num_rows()].into(),
            ops: None,
            origins: None,
            bad: Vec::new(),
            skipped: 0,
            bytes: 0,
        }))
    }

    fn position(&self) -> Position {
        Position(self.next.to_string())
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress::default()
    }
}
