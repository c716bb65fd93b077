//! Reads a table of this process: a kept one from any position, a pipe once.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tokio::sync::mpsc;

use super::piece::{front, piece};
use super::tables::{Kept, Tables};
use crate::connectors::contract::{Columns, Position, Pull, ReaderProgress, SinkRows, Source, Split, SplitReader};
use crate::core::fault::{Blame, Fault};
use crate::core::words::did_you_mean;

/// A kept table, or a pipe.
pub(super) struct MemorySource {
    tables: Tables,
    name: String,
    schema: SchemaRef,
    kept: Option<Kept>,
}

impl MemorySource {
    pub(super) fn open(tables: &Tables, name: &str, declared: Option<&SchemaRef>) -> Result<Self, Fault> {
        let kept = tables.kept(name);
        let schema = kept.as_ref().map(|kept| kept.schema.clone()).or_else(|| tables.pipe_schema(name, declared));
        let Some(schema) = schema else {
            let fault = Fault::new(Blame::Operator, format!("there is no table `{name}` in memory"));
            let names = tables.names();
            return Err(match did_you_mean(name, names.iter().map(String::as_str)) {
                Some(meant) => fault.next(meant),
                None => fault,
            });
        };
        Ok(Self { tables: tables.clone(), name: name.to_owned(), schema, kept })
    }
}

#[async_trait]
impl Source for MemorySource {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn is_bounded(&self) -> bool {
        self.kept.is_some()
    }

    fn grows(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        match &self.kept {
            Some(kept) => {
                let rows: usize =
                    kept.splits.iter().flat_map(|rows| rows.iter()).map(|rows| rows.batch.num_rows()).sum();
                format!("table {}, {rows} rows", self.name)
            }
            None => format!("pipe {}", self.name),
        }
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        let count = self.kept.as_ref().map_or(1, |kept| kept.splits.len());
        Ok((0..count).map(|index| Split(index.to_string())).collect())
    }

    async fn as_of_now(&self) -> Result<Option<Arc<dyn Source>>, Fault> {
        let Some(kept) = self.kept.as_ref().and_then(|_| self.tables.kept(&self.name)) else { return Ok(None) };
        if kept.schema != self.schema {
            let what = format!("the table `{}` in memory has other columns now", self.name);
            return Err(Fault::new(Blame::Operator, what).next("start the job again"));
        }
        let (tables, name, schema) = (self.tables.clone(), self.name.clone(), Arc::clone(&self.schema));
        Ok(Some(Arc::new(Self { tables, name, schema, kept: Some(kept) })))
    }

    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        let fields = columns.fields.clone();
        if let Some(kept) = &self.kept {
            let rows = split.0.parse().ok().and_then(|index: usize| kept.splits.get(index));
            let Some(rows) = rows else {
                return Err(Fault::new(Blame::Program, format!("table `{}` has no split `{}`", self.name, split.0)));
            };
            let (batch, row) = match from {
                Some(position) => parse(position, &self.name)?,
                None => (0, 0),
            };
            return Ok(Box::new(KeptReader { rows: rows.clone(), fields, batch, row }));
        }
        let receiver = self.tables.take_receiver(&self.name).ok_or_else(|| {
            Fault::new(Blame::Operator, format!("the pipe `{}` has a reader already", self.name))
                .next("a pipe has one reader; write to a topic or a file to have several")
        })?;
        Ok(Box::new(PipeReader { receiver, fields, rest: None, handed: 0 }))
    }

    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        let has_more = |(split, position): &(Split, Option<Position>)| {
            let rows = split.0.parse().ok().and_then(|index: usize| self.kept.as_ref()?.splits.get(index));
            let place = position.as_ref().and_then(|position| parse(position, &self.name).ok());
            match (rows, place) {
                (Some(rows), Some((batch, row))) => {
                    rows.iter().skip(batch).map(|rows| rows.batch.num_rows()).sum::<usize>() > row
                }
                _ => true,
            }
        };
        parts.iter().map(has_more).collect()
    }
}

struct KeptReader {
    rows: Arc<Vec<SinkRows>>,
    fields: Vec<usize>,
    batch: usize,
    row: usize,
}

#[async_trait]
impl SplitReader for KeptReader {
    async fn next(&mut self, rows_max: usize, _wait: Duration) -> Result<Pull, Fault> {
        loop {
            let Some(rows) = self.rows.get(self.batch) else { return Ok(Pull::End) };
            let left = rows.batch.num_rows() - self.row;
            if left == 0 {
                (self.batch, self.row) = (self.batch + 1, 0);
                continue;
            }
            let count = left.min(rows_max.max(1));
            let piece = piece(rows, self.row, count, &self.fields)?;
            self.row += count;
            return Ok(Pull::Rows(piece));
        }
    }

    fn position(&self) -> Position {
        Position(format!("{}:{}", self.batch, self.row))
    }

    fn progress(&self) -> ReaderProgress {
        let left = self.rows.iter().skip(self.batch).map(|rows| rows.batch.num_rows()).sum::<usize>()
            - self.row.min(self.rows.get(self.batch).map_or(0, |rows| rows.batch.num_rows()));
        ReaderProgress { lag: Some(left as u64), ..ReaderProgress::default() }
    }
}

struct PipeReader {
    receiver: mpsc::Receiver<SinkRows>,
    fields: Vec<usize>,
    rest: Option<SinkRows>,
    handed: u64,
}

#[async_trait]
impl SplitReader for PipeReader {
    async fn next(&mut self, rows_max: usize, wait: Duration) -> Result<Pull, Fault> {
        let rows = match self.rest.take() {
            Some(rows) => rows,
            None => match tokio::time::timeout(wait, self.receiver.recv()).await {
                Ok(Some(rows)) => rows,
                Ok(None) => return Ok(Pull::End),
                Err(_) => return Ok(Pull::Idle),
            },
        };
        let (piece, rest) = front(rows, rows_max, &self.fields)?;
        self.rest = rest;
        self.handed += piece.batch.num_rows() as u64;
        Ok(Pull::Rows(piece))
    }

    fn position(&self) -> Position {
        Position(format!("0:{}", self.handed))
    }

    fn progress(&self) -> ReaderProgress {
        ReaderProgress::default()
    }
}

fn parse(position: &Position, name: &str) -> Result<(usize, usize), Fault> {
    position
        .0
        .split_once(':')
        .and_then(|(batch, row)| Some((batch.parse().ok()?, row.parse().ok()?)))
        .ok_or_else(|| Fault::new(Blame::Program, format!("`{}` is no position in table `{name}`", position.0)))
}
