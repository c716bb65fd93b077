//! Connectors that know columns and open nothing: what a plan needs of a source, from the catalog.

use std::sync::{Arc, Mutex};

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;

use super::catalog::{Catalog, Columns};
use crate::connectors::accept::accept;
use crate::connectors::contract::{
    Columns as Wanted, ColumnsOf, Connector, Context, End, Parameter, Position, Sink, SinkRequest, Source,
    SourceRequest, Split, SplitReader, system_columns,
};
use crate::connectors::options::Options;
use crate::connectors::registry::{Connectors, builtin};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;

/// A source whose columns are not known, and why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gap {
    /// The name in the statement.
    pub name: String,
    pub why: Why,
}

/// Why columns are not known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Why {
    /// Nobody has looked into this topic.
    Unsampled(String),
    /// There is no such topic.
    Absent(String),
    /// This topic was looked into in vain.
    Failed(String, Fault),
    /// Only opening would show: a file, another cluster.
    Closed,
}

/// Gaps that plans ran into, since they were taken last.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps(Arc<Mutex<Vec<Gap>>>);

impl Gaps {
    pub fn take(&self) -> Vec<Gap> {
        std::mem::take(&mut self.0.hold())
    }

    fn note(&self, name: &str, why: Why) {
        self.0.hold().push(Gap { name: name.to_owned(), why });
    }
}

/// The connectors of this build, closed. Columns come from the catalog, else from the declaration, else they are a gap.
pub(super) fn connectors(catalog: &Arc<Catalog>, gaps: &Gaps) -> Connectors {
    builtin().all().iter().fold(Connectors::default(), |known, open| {
        known.with(Arc::new(Closed { open: Arc::clone(open), catalog: Arc::clone(catalog), gaps: gaps.clone() }))
    })
}

/// A connector that is asked for its words and never for its rows.
struct Closed {
    open: Arc<dyn Connector>,
    catalog: Arc<Catalog>,
    gaps: Gaps,
}

impl Closed {
    fn schema(&self, request: &SourceRequest, options: &Options) -> Result<SchemaRef, Why> {
        if let Some(schema) = &request.schema {
            return Ok(Arc::clone(schema));
        }
        let elsewhere =
            options.get("brokers").is_some() || options.get("format").is_some_and(|format| format != "json");
        if self.columns_of() != ColumnsOf::Topic || elsewhere {
            return Err(Why::Closed);
        }
        let topic = options.get("topic").unwrap_or(&request.name);
        match self.catalog.topic(topic).map(|topic| &topic.columns) {
            Some(Columns::Known(sample)) => Ok(Arc::clone(&sample.schema)),
            Some(Columns::Failed(fault)) => Err(Why::Failed(topic.to_owned(), fault.clone())),
            Some(Columns::Unknown) => Err(Why::Unsampled(topic.to_owned())),
            None if self.catalog.is_complete => Err(Why::Absent(topic.to_owned())),
            None => Err(Why::Closed),
        }
    }
}

#[async_trait]
impl Connector for Closed {
    fn name(&self) -> &'static str {
        self.open.name()
    }

    fn help(&self) -> &'static str {
        self.open.help()
    }

    fn is_source(&self) -> bool {
        self.open.is_source()
    }

    fn columns_of(&self) -> ColumnsOf {
        self.open.columns_of()
    }

    fn ends(&self, options: &Options) -> bool {
        self.open.ends(options)
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.open.parameters()
    }

    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        self.open.uri(uri)
    }

    fn check(&self, request: &SinkRequest, context: &Context) -> Result<(), Fault> {
        self.open.check(request, context)
    }

    async fn source(&self, request: SourceRequest, context: &Context) -> Result<Arc<dyn Source>, Fault> {
        // What its options say, and a sink that cannot be read and says so: neither opens a thing.
        if self.columns_of() == ColumnsOf::Options || !self.is_source() {
            return self.open.source(request, context).await;
        }
        let options = accept(self, End::Source, &request.options)?;
        let schema = self.schema(&request, &options).unwrap_or_else(|why| {
            self.gaps.note(&request.name, why);
            Arc::new(Schema::empty())
        });
        let ends = options.get("scan.bounded").map_or_else(
            || self.ends(&options),
            |bounded| !["false", "unbounded"].contains(&bounded.to_ascii_lowercase().as_str()),
        );
        Ok(Arc::new(Known { schema, is_bounded: ends }))
    }

    async fn sink(&self, _: SinkRequest, _: &Context) -> Result<Box<dyn Sink>, Fault> {
        Err(closed())
    }
}

/// Columns without rows.
struct Known {
    schema: SchemaRef,
    is_bounded: bool,
}

#[async_trait]
impl Source for Known {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &system_columns::ALL
    }

    fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    fn description(&self) -> String {
        String::new()
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        Err(closed())
    }

    async fn read(&self, _: &Split, _: Option<&Position>, _: &Wanted) -> Result<Box<dyn SplitReader>, Fault> {
        Err(closed())
    }
}

fn closed() -> Fault {
    Fault::new(Blame::Program, "a source was opened while a text was only looked at")
}
