//! From what a reader gives to a chunk: event times, the column `_event_time`, origins. It keeps nothing.

use std::sync::Arc;

use arrow::array::{BooleanArray, TimestampMillisecondArray, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;

use crate::clock::now_ms;
use crate::connectors::contract::system_columns::EVENT_TIME;
use crate::connectors::contract::{BadRecord, SourceRows};
use crate::core::fault::Fault;
use crate::sql::exec::chunk::{Chunk, Origins};
use crate::sql::exec::evaluate::bad_records;
use crate::sql::exec::map::{batch_of, keep, times};
use crate::sql::plan::stream::{EventTime, SourceNode};

/// How the rows of a source are made chunks.
#[derive(Clone)]
pub struct Shape {
    schema: SchemaRef,
    event_time: EventTime,
    /// Where the column `_event_time` stands, if it is asked for.
    event_time_column: Option<usize>,
}

impl Shape {
    /// The shape of a source's node.
    pub fn new(node: &SourceNode, schema: SchemaRef) -> Self {
        let event_time = node.event_time.clone();
        let event_time_column = node.has_event_time.then(|| schema.index_of(EVENT_TIME).ok()).flatten();
        Self { schema, event_time, event_time_column }
    }

    /// The columns of its chunks.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The chunk of these rows; records that fail here join the bad ones.
    ///
    /// # Errors
    /// Columns that are not what the source promised.
    pub fn chunk(&self, rows: SourceRows) -> Result<(Chunk, Vec<BadRecord>), Fault> {
        let SourceRows { batch, times: given, ops, origins, mut bad, .. } = rows;
        let count = batch.num_rows();
        let origins = origins.map(|records| Origins { records, rows: UInt32Array::from_iter_values(0..count as u32) });
        let mut failed = Vec::new();
        let times: ScalarBuffer<i64> = match &self.event_time {
            EventTime::Record => given,
            EventTime::Processing => vec![now_ms(); count].into(),
            EventTime::Expression(expression) => times(expression, &batch, &mut failed)?,
        };
        let mut columns = batch.columns().to_vec();
        if let Some(index) = self.event_time_column {
            columns.insert(index.min(columns.len()), Arc::new(TimestampMillisecondArray::new(times.clone(), None)));
        }
        let batch = batch_of(&self.schema, columns, count)?;
        let mut chunk = Chunk { batch, times, ops, origins };
        if !failed.is_empty() {
            let mut good = vec![true; count];
            failed.iter().for_each(|failed| good[failed.row] = false);
            bad.extend(bad_records(&chunk, "event_time", failed));
            chunk = keep(chunk, &BooleanArray::from(good))?;
        }
        Ok((chunk, bad))
    }

    /// Whether the time of processing is the event time.
    pub fn is_processing_time(&self) -> bool {
        matches!(self.event_time, EventTime::Processing)
    }
}
