//! The contract of a connector: parameters, check, source, sink. Values and traits only; it opens nothing itself.

mod op;
mod sink;
mod source;
pub mod system_columns;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use super::options::Options;
use crate::core::fault::Fault;
use crate::kafka::settings::Connection;

pub use op::Op;
pub use sink::{BadRow, CREATED, Sink, SinkRequest, SinkRows, Written};
pub use source::{
    BATCH_ROWS_MAX, BATCH_WAIT, BadRecord, Columns, Position, Pull, RawRecord, ReaderProgress, Source, SourceRequest,
    SourceRows, Split, SplitReader,
};

/// A kind of system that rows come from or go to.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The name in `'connector' = '…'`, which is also the scheme of its URIs: `kafka`, `file`.
    fn name(&self) -> &'static str;
    /// One line for a person who chooses.
    fn help(&self) -> &'static str;
    /// Whether rows can be read from it; one that is a sink alone says so in [`Connector::source`].
    fn is_source(&self) -> bool {
        true
    }
    /// What tells the columns of a source that declares none, for who must not open it.
    fn columns_of(&self) -> ColumnsOf {
        ColumnsOf::Opening
    }
    /// Whether a source with these options ends, where they do not say so by `scan.bounded`.
    fn ends(&self, _options: &Options) -> bool {
        false
    }
    /// Its options: they drive validation, JSON Schema, completion and forms.
    fn parameters(&self) -> &'static [Parameter];
    /// The options that a URI of this connector says; `uri` begins with its scheme.
    fn uri(&self, uri: &str) -> Result<Options, Fault>;
    /// What is wrong with a sink as it is asked for. It opens nothing, and asks no system whether it is there.
    fn check(&self, request: &SinkRequest, context: &Context) -> Result<(), Fault>;
    /// A source of rows; its schema is known when this returns (declared, read from the data, or inferred).
    async fn source(&self, request: SourceRequest, context: &Context) -> Result<Arc<dyn Source>, Fault>;
    /// The topic that a sink of this name writes to, for the guards that stand before its brokers; `None` where it writes
    /// to no cluster. It opens nothing.
    fn written(&self, _name: &str, _options: &Options) -> Result<Option<Written>, Fault> {
        Ok(None)
    }
    /// What a sink as it is asked for would create when it is opened, as a sentence for a person: a topic, a folder. It
    /// looks, and creates nothing; where the system behind it does not answer, it says nothing.
    async fn creates(&self, _request: &SinkRequest, _context: &Context) -> Option<String> {
        None
    }
    /// Whether the system behind a sink answers. It looks, and creates nothing.
    ///
    /// # Errors
    /// It does not, or refuses the login.
    async fn reach(&self, _request: &SinkRequest, _context: &Context) -> Result<(), Fault> {
        Ok(())
    }
    /// A statement that runs beside others is about to write there. Answers whether other statements read it from this very
    /// process, and not from a system behind it.
    ///
    /// # Errors
    /// What is written does not fit what others write.
    fn announce(&self, _request: &SinkRequest) -> Result<bool, Fault> {
        Ok(false)
    }
    /// A sink of rows.
    async fn sink(&self, request: SinkRequest, context: &Context) -> Result<Box<dyn Sink>, Fault>;
}

/// What tells the columns of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnsOf {
    /// Its options alone: making it opens nothing.
    Options,
    /// The topic that it is called after, or that its option `topic` names.
    Topic,
    /// What is in it: somebody has to look.
    Opening,
}

/// One option of a connector.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its key as it is written in `WITH`, in lower case: `group.id`. An underscore stands for a point: `group_id`.
    pub name: &'static str,
    /// Other names of the same option: `bootstrap.servers` for `brokers`.
    pub also: &'static [&'static str],
    /// Whether it must be set: `None` for no, else for whom it must.
    pub required: Option<End>,
    /// Whom it concerns; `None` for both ends.
    pub end: Option<End>,
    /// What it takes.
    pub takes: Takes,
    /// The value where it is absent, as text.
    pub default: Option<&'static str>,
    /// Why it does nothing in this build, for one that the documents print; nobody is offered it, and who gives it is told.
    pub idle: Option<&'static str>,
    /// Words that the documents know for it, and this build does not take.
    pub absent: &'static [&'static str],
    /// One line of help.
    pub help: &'static str,
}

impl Parameter {
    /// An option that takes text, concerns both ends and may be left out; `..Parameter::TEXT` fills a table's lines.
    pub const TEXT: Self = Self {
        name: "",
        also: &[],
        required: None,
        end: None,
        takes: Takes::Text,
        default: None,
        idle: None,
        absent: &[],
        help: "",
    };
}

/// One of the two ends of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum End {
    /// Where rows come from.
    Source,
    /// Where rows go.
    Sink,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number from 0.
    Number,
    /// A length of time: `500ms`, `10s`, `5m`.
    Duration,
    /// A number of bytes: `64KB`, `1GB`.
    Bytes,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Every key under this prefix, passed on as it is: `kafka.` for librdkafka's own settings.
    Prefix,
}

/// What a connector is told of the place that it runs in.
#[derive(Clone)]
pub struct Context {
    /// The connection of the active environment, for connectors that speak Kafka; absent where none is configured.
    pub kafka: Option<Connection>,
    /// Why it is absent, where an environment is configured and something is wrong with it.
    pub absent: Option<Fault>,
    /// The folder that relative paths start from.
    pub folder: std::path::PathBuf,
}
