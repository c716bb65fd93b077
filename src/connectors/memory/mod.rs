//! Tables within this process: bounded ones that are put there whole, pipes that one statement fills and another one
//! reads, and results that are collected. Nothing of it outlives the process.

mod sink;
mod source;
mod tables;

use std::sync::Arc;

use async_trait::async_trait;

pub use tables::{PIPE_BATCHES_MAX, Tables};

use super::accept::{accept, split_query};
use super::contract::{Connector, Context, End, Parameter, Sink, SinkRequest, Source, SourceRequest, Takes};
use super::options::Options;
use crate::core::fault::{Blame, Fault};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "table",
        also: &["name", "path"],
        help: "name of the table; the name in the statement where absent",
        ..Parameter::TEXT
    },
    Parameter {
        name: "mode",
        end: Some(End::Sink),
        takes: Takes::OneOf(&["collect", "pipe"]),
        default: Some("collect"),
        help: "`collect` keeps every row, `pipe` hands them to the statement that reads the table",
        ..Parameter::TEXT
    },
];

/// The connector `memory` over one set of tables.
#[derive(Default)]
pub struct MemoryConnector {
    tables: Tables,
}

impl MemoryConnector {
    /// The connector over tables that the caller also holds.
    pub fn new(tables: Tables) -> Self {
        Self { tables }
    }
}

#[async_trait]
impl Connector for MemoryConnector {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn help(&self) -> &'static str {
        "tables and pipes within this process"
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        let (path, mut options) = split_query(uri);
        let name = path.trim_start_matches("memory:").trim_matches('/');
        if name.is_empty() {
            return Err(Fault::new(Blame::Operator, format!("`{uri}` names no table")).next("write `memory://table`"));
        }
        options.set("table", name, None);
        Ok(options)
    }

    fn check(&self, request: &SinkRequest, _context: &Context) -> Result<(), Fault> {
        accept(self, End::Sink, &request.options).map(drop)
    }

    async fn source(&self, request: SourceRequest, _context: &Context) -> Result<Arc<dyn Source>, Fault> {
        let options = accept(self, End::Source, &request.options)?;
        let name = options.get("table").unwrap_or(&request.name);
        Ok(Arc::new(source::MemorySource::open(&self.tables, name, request.schema.as_ref())?))
    }

    async fn sink(&self, request: SinkRequest, _context: &Context) -> Result<Box<dyn Sink>, Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        let name = options.get("table").unwrap_or(&request.name);
        Ok(if options.get("mode") == Some("pipe") {
            Box::new(sink::PipeSink::open(&self.tables, name, &request.schema)?)
        } else {
            Box::new(sink::CollectSink::new(&self.tables, name, request.exactly_once))
        })
    }
}

#[cfg(test)]
mod tests;
