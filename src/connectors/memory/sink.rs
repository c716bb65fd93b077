//! Writes into this process: a collection that grows, or a pipe that waits for its reader.

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tokio::sync::mpsc;

use super::tables::Tables;
use crate::connectors::contract::{BadRow, Sink, SinkRows};
use crate::core::fault::{Blame, Fault};

/// Keeps every row; with exactly-once, those of an epoch appear with its commit.
pub(super) struct CollectSink {
    tables: Tables,
    name: String,
    exactly_once: bool,
    pending: Vec<SinkRows>,
}

impl CollectSink {
    pub(super) fn new(tables: &Tables, name: &str, exactly_once: bool) -> Self {
        Self { tables: tables.clone(), name: name.to_owned(), exactly_once, pending: Vec::new() }
    }
}

#[async_trait]
impl Sink for CollectSink {
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        if self.exactly_once {
            self.pending.push(rows);
        } else {
            self.tables.show(&self.name, vec![rows]);
        }
        Ok(Vec::new())
    }

    async fn prepare(&mut self, epoch: u64) -> Result<Option<String>, Fault> {
        if !self.exactly_once {
            return Ok(None);
        }
        if self.pending.is_empty() {
            return Ok(None);
        }
        self.tables.prepare(&self.name, epoch, std::mem::take(&mut self.pending));
        Ok(Some(epoch.to_string()))
    }

    async fn commit(&mut self, epoch: u64, _prepared: &str) -> Result<(), Fault> {
        self.tables.commit(&self.name, epoch);
        Ok(())
    }

    async fn close(&mut self, is_clean: bool) -> Result<(), Fault> {
        let pending = std::mem::take(&mut self.pending);
        if is_clean && !pending.is_empty() {
            self.tables.show(&self.name, pending);
        }
        Ok(())
    }
}

/// Hands rows to the reader of the pipe, and waits where it is slower.
pub(super) struct PipeSink {
    name: String,
    sender: Option<mpsc::Sender<SinkRows>>,
}

impl PipeSink {
    pub(super) fn open(tables: &Tables, name: &str, schema: &SchemaRef) -> Result<Self, Fault> {
        Ok(Self { name: name.to_owned(), sender: Some(tables.pipe(name, schema)?) })
    }
}

#[async_trait]
impl Sink for PipeSink {
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        if rows.batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let sender = self.sender.as_ref().filter(|sender| !sender.is_closed());
        let sent = match sender {
            Some(sender) => sender.send(rows).await.is_ok(),
            None => false,
        };
        if !sent {
            return Err(Fault::new(Blame::Operator, format!("the reader of the pipe `{}` has ended", self.name)));
        }
        Ok(Vec::new())
    }

    async fn close(&mut self, _is_clean: bool) -> Result<(), Fault> {
        self.sender = None;
        Ok(())
    }
}
