//! Tables that the statements of one text are chained through: what one writes, all that read it get, each at its own
//! pace and none more than a few batches behind. A table holds no row that all its readers have, and ends with its writers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tokio::sync::mpsc;

use super::tables::PIPE_BATCHES_MAX;
use crate::connectors::contract::{
    BadRow, Columns, Position, Pull, ReaderProgress, Sink, SinkRequest, SinkRows, Source, SourceRows, Split,
    SplitReader,
};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;

/// What to write where a table in memory does not do.
const INSTEAD: &str = "only the statements of one `sql run` are chained through memory; write to a topic, or name the \
                       query: CREATE STREAM … AS SELECT …";

/// The tables. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Chains(Arc<Mutex<HashMap<String, Chain>>>);

struct Chain {
    schema: SchemaRef,
    /// Writers that were announced and have not come.
    to_come: usize,
    /// Writers at work.
    writing: usize,
    /// Queues of the readers; they close when these are dropped.
    queues: Vec<mpsc::Sender<SinkRows>>,
    /// Ends of queues that no reader has taken yet.
    waiting: Vec<mpsc::Receiver<SinkRows>>,
}

impl Chains {
    /// A statement is about to write: the table is not over before it has.
    pub fn announce_writer(&self, name: &str, schema: &SchemaRef) -> Result<(), Fault> {
        let mut chains = self.0.hold();
        let chain = chains.entry(name.to_owned()).or_insert_with(|| Chain {
            schema: Arc::clone(schema),
            to_come: 0,
            writing: 0,
            queues: Vec::new(),
            waiting: Vec::new(),
        });
        places(&chain.schema, schema, name)?;
        chain.to_come += 1;
        Ok(())
    }

    /// A statement is about to read: no row is handed on without it. Writers are announced before.
    fn announce_reader(&self, name: &str, schema: &SchemaRef) -> Result<(), Fault> {
        let mut chains = self.0.hold();
        let Some(chain) = chains.get_mut(name) else {
            let what = format!("no statement writes to `{name}`, a table in memory");
            return Err(Fault::new(Blame::Operator, what).next(INSTEAD));
        };
        places(&chain.schema, schema, name)?;
        let (queue, waiting) = mpsc::channel(PIPE_BATCHES_MAX);
        chain.queues.push(queue);
        chain.waiting.push(waiting);
        Ok(())
    }

    fn leave(&self, name: &str) {
        if let Some(chain) = self.0.hold().get_mut(name) {
            chain.writing = chain.writing.saturating_sub(1);
            if chain.to_come + chain.writing == 0 {
                chain.queues.clear();
            }
        }
    }
}

/// Where each column of `wanted` stands in `there`.
fn places(there: &SchemaRef, wanted: &SchemaRef, name: &str) -> Result<Vec<usize>, Fault> {
    let place = |field: &Arc<arrow::datatypes::Field>| {
        let found = there.index_of(field.name()).ok();
        found.filter(|at| there.field(*at).data_type() == field.data_type()).ok_or_else(|| {
            let what = format!("`{name}` in memory is written without the column `{}` of its type", field.name());
            Fault::new(Blame::Operator, what).next("declare the same columns wherever the table is declared")
        })
    };
    wanted.fields().iter().map(place).collect()
}

/// A table as a sink.
pub(super) struct ChainSink {
    chains: Chains,
    name: String,
    is_in: bool,
}

impl ChainSink {
    /// What is wrong with a table as a sink.
    pub fn check(name: &str, request: &SinkRequest) -> Result<(), Fault> {
        match request.changes {
            true => Err(Fault::new(
                Blame::Operator,
                format!("the result takes rows back, and `{name}` in memory hands rows on as they come"),
            )
            .next("name the query: CREATE TABLE … AS SELECT …; or EMIT FINAL with a window")),
            false => Ok(()),
        }
    }

    pub fn new(chains: &Chains, name: &str) -> Result<Self, Fault> {
        let all = chains.0.hold();
        let chain = all.get(name);
        if chain.is_none_or(|chain| chain.to_come == 0) {
            return Err(Fault::new(Blame::Operator, format!("`{name}` is a table in memory")).next(INSTEAD));
        }
        if chain.is_none_or(|chain| chain.queues.is_empty()) {
            let what = format!("no statement reads `{name}`, a table in memory");
            return Err(Fault::new(Blame::Operator, what).next(INSTEAD));
        }
        Ok(Self { chains: chains.clone(), name: name.to_owned(), is_in: false })
    }

    fn leave(&mut self) {
        if std::mem::take(&mut self.is_in) {
            self.chains.leave(&self.name);
        }
    }
}

impl Drop for ChainSink {
    fn drop(&mut self) {
        self.leave();
    }
}

#[async_trait]
impl Sink for ChainSink {
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        if let Some(chain) = self.chains.0.hold().get_mut(&self.name) {
            chain.to_come = chain.to_come.saturating_sub(1);
            chain.writing += 1;
            self.is_in = true;
        }
        Ok(None)
    }

    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        if rows.batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let queues = self.chains.0.hold().get(&self.name).map(|chain| chain.queues.clone()).unwrap_or_default();
        for queue in queues {
            // A reader that has all it wants (LIMIT) takes no more; the others do.
            queue.send(rows.clone()).await.ok();
        }
        Ok(Vec::new())
    }

    async fn close(&mut self, _is_clean: bool) -> Result<(), Fault> {
        self.leave();
        Ok(())
    }
}

/// A table as a source.
pub(super) struct ChainSource {
    pub chains: Chains,
    pub name: String,
    pub schema: SchemaRef,
}

#[async_trait]
impl Source for ChainSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn is_bounded(&self) -> bool {
        false
    }

    fn grows(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        format!("{} in memory, as other statements write it", self.name)
    }

    fn announce(&self) -> Result<bool, Fault> {
        self.chains.announce_reader(&self.name, &self.schema).map(|()| true)
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        Ok(vec![Split("0".to_owned())])
    }

    async fn read(
        &self,
        _split: &Split,
        _from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        let mut chains = self.chains.0.hold();
        let chain = chains.get_mut(&self.name);
        let taken =
            chain.and_then(|chain| Some((places(&chain.schema, &self.schema, &self.name), chain.waiting.pop()?)));
        let Some((places, queue)) = taken else {
            let what = format!("no statement writes to `{}`, a table in memory", self.name);
            return Err(Fault::new(Blame::Operator, what).next(INSTEAD));
        };
        let places = places?;
        let defect = |error| Fault::new(Blame::Program, format!("columns that are not there: {error}"));
        let schema = Arc::new(self.schema.project(&columns.fields).map_err(defect)?);
        let fields = columns.fields.iter().filter_map(|field| places.get(*field).copied()).collect();
        Ok(Box::new(ChainReader { queue, schema, fields, rest: None, handed: 0 }))
    }
}

struct ChainReader {
    queue: mpsc::Receiver<SinkRows>,
    schema: SchemaRef,
    /// Where its columns stand in what is written.
    fields: Vec<usize>,
    rest: Option<SinkRows>,
    handed: u64,
}

#[async_trait]
impl SplitReader for ChainReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        let rows = match self.rest.take() {
            Some(rows) => rows,
            None => match tokio::time::timeout(wait, self.queue.recv()).await {
                Ok(Some(rows)) => rows,
                Ok(None) => return Ok(Pull::End),
                Err(_) => return Ok(Pull::Idle),
            },
        };
        let count = rows.batch.num_rows().min(rows_max.max(1));
        let left = rows.batch.num_rows() - count;
        let piece = rows.batch.slice(0, count);
        if left > 0 {
            let (batch, times) = (rows.batch.slice(count, left), rows.times.slice(count, left));
            self.rest = Some(SinkRows { batch, times, ops: None });
        }
        self.handed += count as u64;
        let columns: Vec<_> = self.fields.iter().map(|field| Arc::clone(piece.column(*field))).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(|error| {
                Fault::new(Blame::Operator, format!("what is written to a table in memory does not fit it: {error}"))
            })?;
        Ok(Pull::Rows(SourceRows {
            bytes: batch.columns().iter().map(|column| column.get_array_memory_size() as u64).sum(),
            batch,
            times: rows.times.slice(0, count),
            ops: None,
            origins: None,
            bad: Vec::new(),
            skipped: 0,
        }))
    }

    fn position(&self) -> Position {
        Position(self.handed.to_string())
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress::default()
    }
}
