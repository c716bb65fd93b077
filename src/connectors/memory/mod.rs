//! Tables within this process: those that the statements of a text are chained through; and, for a caller that holds them,
//! bounded ones that are put there whole, pipes, and results that are collected. Nothing of it outlives the process.

mod chain;
mod piece;
mod sink;
mod source;
mod tables;

use std::sync::Arc;

use async_trait::async_trait;

use chain::{ChainSink, ChainSource, Chains};
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
        help: "`pipe`: rows go to the statements that read the table. `collect` keeps them for a program that holds the tables",
        ..Parameter::TEXT
    },
];

/// The connector `memory`: by default for statements that are chained through it.
#[derive(Default)]
pub struct MemoryConnector {
    /// Where a caller holds them.
    tables: Option<Tables>,
    chains: Chains,
}

impl MemoryConnector {
    /// The connector over tables that the caller also holds.
    pub fn new(tables: Tables) -> Self {
        Self { tables: Some(tables), chains: Chains::default() }
    }
}

#[async_trait]
impl Connector for MemoryConnector {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn help(&self) -> &'static str {
        "tables that the statements of one `sql run` are chained through"
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
        let options = accept(self, End::Sink, &request.options)?;
        if self.tables.is_some() {
            return Ok(());
        }
        let name = options.get("table").unwrap_or(&request.name);
        if options.get("mode") == Some("collect") {
            let what = format!("nobody could read what `{name}` collects");
            return Err(options.fault("mode", what).next("leave `mode` out"));
        }
        ChainSink::check(name, request)
    }

    fn announce(&self, request: &SinkRequest) -> Result<bool, Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        let name = options.get("table").unwrap_or(&request.name);
        if self.tables.is_none() {
            self.chains.announce_writer(name, &request.schema)?;
        }
        Ok(self.tables.is_none())
    }

    async fn source(&self, request: SourceRequest, _context: &Context) -> Result<Arc<dyn Source>, Fault> {
        let options = accept(self, End::Source, &request.options)?;
        let name = options.get("table").unwrap_or(&request.name);
        let Some(tables) = &self.tables else {
            let Some(schema) = request.schema else {
                let fault = Fault::new(Blame::Operator, format!("`{name}` in memory is read without its columns"));
                return Err(
                    fault.next(format!("write CREATE SOURCE {name} (column TYPE, …) WITH ('connector' = 'memory')"))
                );
            };
            return Ok(Arc::new(ChainSource { chains: self.chains.clone(), name: name.to_owned(), schema }));
        };
        Ok(Arc::new(source::MemorySource::open(tables, name, request.schema.as_ref())?))
    }

    async fn sink(&self, request: SinkRequest, _context: &Context) -> Result<Box<dyn Sink>, Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        let name = options.get("table").unwrap_or(&request.name);
        let Some(tables) = &self.tables else {
            return Ok(Box::new(ChainSink::new(&self.chains, name, &request.schema)?));
        };
        Ok(if options.get("mode") == Some("pipe") {
            Box::new(sink::PipeSink::open(tables, name, &request.schema)?)
        } else {
            Box::new(sink::CollectSink::new(tables, name, request.exactly_once))
        })
    }
}

#[cfg(test)]
mod tests;
