//! The tables themselves, shared by whoever holds a clone. They know rows, not readers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use arrow::array::RecordBatch;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use tokio::sync::{Notify, mpsc};

use crate::clock::now_ms;
use crate::connectors::contract::SinkRows;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;

/// Batches that wait in a pipe: enough to keep both statements busy, few enough that a slow reader is felt at once.
pub const PIPE_BATCHES_MAX: usize = 8;

/// Named tables of this process. Clones share them.
#[derive(Clone, Default)]
pub struct Tables(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Kept>,
    pipes: HashMap<String, Pipe>,
    collected: HashMap<String, Collected>,
}

/// A table that was put here whole, split by split.
#[derive(Clone)]
pub(super) struct Kept {
    pub schema: SchemaRef,
    pub splits: Vec<Arc<Vec<SinkRows>>>,
}

struct Pipe {
    schema: SchemaRef,
    /// Held until the first writer comes, so that a reader may be there before it.
    first: Option<mpsc::Sender<SinkRows>>,
    writers: mpsc::WeakSender<SinkRows>,
    receiver: Option<mpsc::Receiver<SinkRows>>,
}

/// What a sink has brought.
#[derive(Default)]
pub(super) struct Collected {
    visible: Vec<SinkRows>,
    prepared: BTreeMap<u64, Vec<SinkRows>>,
}

impl Tables {
    /// Puts a bounded table of one split here; its rows have the time of this call.
    pub fn put(&self, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) {
        let now = now_ms();
        let rows = batches.into_iter().map(|batch| SinkRows {
            times: ScalarBuffer::from(vec![now; batch.num_rows()]),
            batch,
            ops: None,
        });
        self.put_splits(name, schema, vec![rows.collect()]);
    }

    /// Puts a bounded table of several splits here, each row with its time and op.
    pub fn put_splits(&self, name: &str, schema: SchemaRef, splits: Vec<Vec<SinkRows>>) {
        let splits = splits.into_iter().map(Arc::new).collect();
        self.state().kept.insert(name.to_owned(), Kept { schema, splits });
    }

    /// The writing end of a pipe, which a source of this name reads until every writing end is dropped. A pipe whose
    /// ends are gone is made anew.
    ///
    /// # Errors
    /// The pipe exists with other columns.
    pub fn pipe(&self, name: &str, schema: &SchemaRef) -> Result<mpsc::Sender<SinkRows>, Fault> {
        let mut state = self.state();
        let pipe = pipe_of(&mut state, name, schema)?;
        if let Some(sender) = pipe.first.take().or_else(|| pipe.writers.upgrade()) {
            return Ok(sender);
        }
        let (sender, receiver) = mpsc::channel(PIPE_BATCHES_MAX);
        (pipe.writers, pipe.receiver) = (sender.downgrade(), Some(receiver));
        Ok(sender)
    }

    /// Every row that a collecting sink has made visible, in order.
    pub fn written(&self, name: &str) -> Vec<SinkRows> {
        self.state().collected.get(name).map(|collected| collected.visible.clone()).unwrap_or_default()
    }

    /// As [`Tables::written`], once at least `rows` are visible; the caller limits the wait.
    pub async fn written_rows(&self, name: &str, rows: usize) -> Vec<SinkRows> {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let written = self.written(name);
            if written.iter().map(|rows| rows.batch.num_rows()).sum::<usize>() >= rows {
                return written;
            }
            changed.await;
        }
    }

    /// Forgets what a sink has written.
    pub fn clear(&self, name: &str) {
        self.state().collected.remove(name);
    }

    pub(super) fn kept(&self, name: &str) -> Option<Kept> {
        self.state().kept.get(name).cloned()
    }

    /// The columns of a pipe; one is made where columns are declared and there is none.
    pub(super) fn pipe_schema(&self, name: &str, declared: Option<&SchemaRef>) -> Option<SchemaRef> {
        let mut state = self.state();
        match (state.pipes.get(name), declared) {
            (Some(pipe), _) => Some(pipe.schema.clone()),
            (None, Some(schema)) => pipe_of(&mut state, name, schema).ok().map(|pipe| pipe.schema.clone()),
            (None, None) => None,
        }
    }

    /// The reading end of a pipe: one reader has it.
    pub(super) fn take_receiver(&self, name: &str) -> Option<mpsc::Receiver<SinkRows>> {
        self.state().pipes.get_mut(name)?.receiver.take()
    }

    /// Names of everything that can be read.
    pub(super) fn names(&self) -> Vec<String> {
        let state = self.state();
        let mut names: Vec<_> = state.kept.keys().chain(state.pipes.keys()).cloned().collect();
        names.sort();
        names
    }

    pub(super) fn show(&self, name: &str, rows: Vec<SinkRows>) {
        self.state().collected.entry(name.to_owned()).or_default().visible.extend(rows);
        self.0.changed.notify_waiters();
    }

    pub(super) fn prepare(&self, name: &str, epoch: u64, rows: Vec<SinkRows>) {
        self.state().collected.entry(name.to_owned()).or_default().prepared.insert(epoch, rows);
    }

    pub(super) fn commit(&self, name: &str, epoch: u64) {
        let mut state = self.state();
        let collected = state.collected.entry(name.to_owned()).or_default();
        if let Some(rows) = collected.prepared.remove(&epoch) {
            collected.visible.extend(rows);
        }
        drop(state);
        self.0.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.hold()
    }
}

fn pipe_of<'s>(state: &'s mut State, name: &str, schema: &SchemaRef) -> Result<&'s mut Pipe, Fault> {
    let pipe = state.pipes.entry(name.to_owned()).or_insert_with(|| {
        let (sender, receiver) = mpsc::channel(PIPE_BATCHES_MAX);
        Pipe { schema: schema.clone(), writers: sender.downgrade(), first: Some(sender), receiver: Some(receiver) }
    });
    if pipe.schema.fields() != schema.fields() {
        return Err(Fault::new(Blame::Operator, format!("the pipe `{name}` carries other columns")));
    }
    Ok(pipe)
}
