//! Tables as the planner sees them: a source with its columns, its times and its key. Reads nothing.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion_expr::{Expr, LogicalPlan, TableSource};

use super::nodes::{Mark, Marked};
use super::stream::{FullCache, WatermarkSpec};
use crate::connectors::contract::{Source, system_columns};
use crate::connectors::options::Options;

/// A source under a name of the statement.
#[derive(Clone)]
pub struct SourceTable {
    /// The name.
    pub name: String,
    /// The source, opened as far as its schema.
    pub source: Arc<dyn Source>,
    /// Its options.
    pub options: Options,
    /// What gives the event time, over its columns; the source's own time where absent.
    pub event_time_expr: Option<Expr>,
    /// Whether event time is the time of processing.
    pub is_processing_time: bool,
    /// How watermarks are made.
    pub watermark: WatermarkSpec,
    /// Declared as a table: a later row of a key replaces the earlier one.
    pub is_table: bool,
    /// Key columns by name.
    pub key: Vec<String>,
    /// How long a row of a table lives after its last change.
    pub state_ttl: Option<Duration>,
    /// Whether streams look into it.
    pub lookup: Option<FullCache>,
    /// System columns that the statement names: they are columns of this table, and not in `*`.
    pub system: Vec<&'static str>,
    schema: SchemaRef,
}

impl SourceTable {
    /// A table over a source, without system columns.
    pub fn new(name: &str, source: Arc<dyn Source>, options: Options, watermark: WatermarkSpec) -> Self {
        Self {
            name: name.to_owned(),
            schema: source.schema(),
            source,
            options,
            event_time_expr: None,
            is_processing_time: false,
            watermark,
            is_table: false,
            key: Vec::new(),
            state_ttl: None,
            lookup: None,
            system: Vec::new(),
        }
    }

    /// The same table with the system columns that a statement names.
    #[must_use]
    pub fn with_system_columns(mut self, names: &[&'static str]) -> Self {
        let own = self.source.schema();
        self.system = names.iter().copied().filter(|name| own.field_with_name(name).is_err()).collect();
        let fields: Vec<_> = own
            .fields()
            .iter()
            .cloned()
            .chain(self.system.iter().filter_map(|name| system_columns::field(name)).map(Arc::new))
            .collect();
        self.schema = Arc::new(Schema::new(fields));
        self
    }
}

impl SourceTable {
    /// The source behind a relation that filters and projects it, and nothing else.
    pub fn behind(plan: &LogicalPlan) -> Option<&Self> {
        match plan {
            LogicalPlan::Projection(projection) => Self::behind(&projection.input),
            LogicalPlan::Filter(filter) => Self::behind(&filter.input),
            LogicalPlan::SubqueryAlias(alias) => Self::behind(&alias.input),
            LogicalPlan::TableScan(scan) => scan.source.as_any().downcast_ref(),
            other => match Marked::find(other) {
                Some(Marked { input, mark: Mark::AsOf(_), .. }) => Self::behind(input),
                _ => None,
            },
        }
    }

    /// Whether a stream may look into it: where it says so, or else as of processing, if it ends and no key makes it a table
    /// whose versions are known.
    pub fn may_be_looked_into(&self) -> bool {
        let is_keyed = self.is_table && !self.key.is_empty();
        self.lookup.is_some() || (self.source.is_bounded() && !is_keyed)
    }
}

impl TableSource for SourceTable {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// A query under a name: its plan stands where the name stood.
pub struct QueryTable {
    /// The plan.
    pub plan: LogicalPlan,
}

impl TableSource for QueryTable {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}
