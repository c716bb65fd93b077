//! Tables that the statements of one text are chained through: what one writes, all that read it get, each at its own
//! pace and none more than a few batches behind. A table holds no row that all its readers have, and ends with its writers;
//! where one of these fails, it does not end: rows that are missing are not taken for all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tokio::sync::mpsc;

use super::piece::{front, project};
use super::tables::PIPE_BATCHES_MAX;
use crate::connectors::contract::{
    BadRow, Columns, Position, Pull, ReaderProgress, Sink, SinkRequest, SinkRows, Source, Split, SplitReader,
};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::formats::contract::no_batch;

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
    /// Whether one of them went before its time: what it would have written is missing.
    is_broken: Arc<AtomicBool>,
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
            is_broken: Arc::default(),
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

    fn leave(&self, name: &str, is_through: bool) {
        if let Some(chain) = self.0.hold().get_mut(name) {
            chain.writing = chain.writing.saturating_sub(1);
            chain.is_broken.fetch_or(!is_through, Ordering::AcqRel);
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
    /// Where the columns of the table stand in what this statement writes: another one may name them in another order.
    places: Vec<usize>,
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

    pub fn new(chains: &Chains, name: &str, schema: &SchemaRef) -> Result<Self, Fault> {
        let all = chains.0.hold();
        let Some(chain) = all.get(name).filter(|chain| chain.to_come > 0) else {
            return Err(Fault::new(Blame::Operator, format!("`{name}` is a table in memory")).next(INSTEAD));
        };
        if chain.queues.is_empty() {
            let what = format!("no statement reads `{name}`, a table in memory");
            return Err(Fault::new(Blame::Operator, what).next(INSTEAD));
        }
        let places = places(schema, &chain.schema, name)?;
        Ok(Self { chains: chains.clone(), name: name.to_owned(), places, is_in: false })
    }

    fn leave(&mut self, is_through: bool) {
        if std::mem::take(&mut self.is_in) {
            self.chains.leave(&self.name, is_through);
        }
    }
}

impl Drop for ChainSink {
    fn drop(&mut self) {
        self.leave(false);
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
        let rows = SinkRows { batch: project(&rows.batch, &self.places)?, ..rows };
        for queue in queues {
            // A reader that has all it wants (LIMIT) takes no more; the others do.
            queue.send(rows.clone()).await.ok();
        }
        Ok(Vec::new())
    }

    async fn close(&mut self, is_clean: bool) -> Result<(), Fault> {
        self.leave(is_clean);
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
        let taken = chain.and_then(|chain| {
            let places = places(&chain.schema, &self.schema, &self.name);
            Some((places, chain.waiting.pop()?, Arc::clone(&chain.is_broken)))
        });
        let Some((places, queue, is_broken)) = taken else {
            let what = format!("no statement writes to `{}`, a table in memory", self.name);
            return Err(Fault::new(Blame::Operator, what).next(INSTEAD));
        };
        let places = places?;
        let fields = columns.fields.iter().filter_map(|field| places.get(*field).copied()).collect();
        let schema = Arc::new(self.schema.project(&columns.fields).map_err(no_batch)?);
        Ok(Box::new(ChainReader { queue, is_broken, schema, fields, rest: None, handed: 0 }))
    }
}

struct ChainReader {
    queue: mpsc::Receiver<SinkRows>,
    is_broken: Arc<AtomicBool>,
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
                Ok(None) if self.is_broken.load(Ordering::Acquire) => {
                    // The run that they belong to ends with the fault of the writer.
                    tokio::time::sleep(wait).await;
                    return Ok(Pull::Idle);
                }
                Ok(None) => return Ok(Pull::End),
                Err(_) => return Ok(Pull::Idle),
            },
        };
        let (mut piece, rest) = front(rows, rows_max, &self.fields)?;
        let options = RecordBatchOptions::new().with_row_count(Some(piece.batch.num_rows()));
        let columns = piece.batch.columns().to_vec();
        // What a writer knows to be never NULL may be NULL where it is read.
        piece.batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(no_batch)?;
        self.rest = rest;
        self.handed += piece.batch.num_rows() as u64;
        Ok(Pull::Rows(piece))
    }

    fn position(&self) -> Position {
        Position(self.handed.to_string())
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress::default()
    }
}
