//! A session: what has been named so far, and how a statement becomes the plan of a job. It asks connectors for schemas
//! and moves no row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::Schema;
use datafusion_common::{DFSchema, DataFusionError};
use datafusion_expr::{Expr, LogicalPlan, TableSource};
use datafusion_sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast as sql;

use super::catalog::{Catalog, Defined, Kind};
use super::logical::Logical;
use super::mistakes::{self, Known};
use super::names;
use super::nodes::{Marked, Named};
use super::provider::{Provider, parser_options};
use super::scope::relations;
use super::sinks::at_sink;
use super::strategies::FailureStrategy;
use super::stream::{Node, NodeKind, StreamPlan, WatermarkSpec};
use super::surviving::surviving;
use super::tables::{QueryTable, SourceTable};
use super::translate::{Translation, Wishes, said};
use super::wishes::{EVENT_TIME_FIELD, Settings};
use super::{clauses, computed, ends, kept, picture, using};
use crate::config::Scrubber;
use crate::config::variables::Variables;
use crate::connectors::contract::{Context, End, SourceRequest, system_columns};
use crate::connectors::options::Options;
use crate::connectors::registry::Connectors;
use crate::core::fault::{Blame, Fault};
use crate::core::secret::is_secret_key;
use crate::sql::functions::division::ZeroDivisor;
use crate::sql::functions::registry::Functions;
use crate::sql::parse::statement::{Declaration, Definition, EndName, Object, StatementKind, StreamQuery};
use crate::sql::parse::uri_without_secrets;

/// How deep names may lead to names: a stream of a stream of a stream. More is a circle or a mistake.
const DEPTH_MAX: usize = 32;

/// What has been named so far.
pub struct Session {
    /// Systems that rows come from and go to.
    pub connectors: Connectors,
    /// The place that the session runs in.
    pub context: Context,
    /// Variables of configuration files.
    pub variables: Variables,
    /// Functions.
    pub functions: Functions,
    /// The connector of a query that names no sink, and its options.
    pub screen: (String, Options),
    /// Whether rows are written exactly once, whatever the statements say of it; what they say where it is absent.
    pub exactly_once: Option<bool>,
    pub(super) catalog: Catalog,
    /// Columns of sources that were read from a sample once.
    pub(super) kept: BTreeMap<String, Arc<Schema>>,
}

/// A statement, planned.
#[derive(Debug)]
pub struct Planned {
    /// The job.
    pub plan: StreamPlan,
    /// What works and should be known.
    pub warnings: Vec<String>,
    /// Between two checkpoints, where the statement says.
    pub checkpoint_interval: Option<Duration>,
    /// State that it may hold, bytes, where the statement says.
    pub state_limit: Option<usize>,
}

impl Session {
    /// Nothing named yet.
    pub fn new(connectors: Connectors, context: Context, variables: Variables, screen: (String, Options)) -> Self {
        let functions = Functions::builtin();
        let (catalog, kept) = (Catalog::default(), BTreeMap::new());
        Self { connectors, context, variables, functions, screen, exactly_once: None, catalog, kept }
    }

    /// Takes the name that a statement gives, if it gives one.
    ///
    /// # Errors
    /// A name that is taken already, or one to drop that is not.
    pub fn define(&mut self, statement: &StatementKind) -> Result<(), Fault> {
        self.catalog.define(statement)
    }

    /// The names given so far, in order: name and what it is.
    pub fn names(&self) -> Vec<(String, &'static str)> {
        self.catalog.names()
    }

    /// The job of a query: `job` names it, `into` says where it goes where the query itself does not.
    ///
    /// # Errors
    /// A name that is not known, types that do not fit, what a stream cannot do; each with what to do.
    pub async fn plan(
        &self,
        job: &str,
        query: &StreamQuery,
        into: Option<&EndName>,
        is_final: bool,
    ) -> Result<Planned, Fault> {
        surviving(self.planned(job, query, into, is_final)).await
    }

    async fn planned(
        &self,
        job: &str,
        query: &StreamQuery,
        into: Option<&EndName>,
        is_final: bool,
    ) -> Result<Planned, Fault> {
        let settings = Settings::read(&self.job_options(query)?)?;
        self.refuse_unknown(query, into)?;
        // Left out and counted, or by the strategy of records that fail.
        let on_zero = match settings.failure {
            FailureStrategy::LogAndContinue => ZeroDivisor::Null,
            _ => ZeroDivisor::Fail,
        };
        let functions = self.functions.dividing(on_zero);
        let logical = self.logical(query, into, &functions, DEPTH_MAX).await?;
        let optimized = logical.optimized()?;
        let wishes = Wishes {
            emit: query.emit,
            by_record: settings.by_record,
            final_table: is_final,
            lateness: settings.lateness,
            state_ttl: settings.state_ttl,
            origins: settings.dead_letters.is_some(),
            late: settings.late,
        };
        let mut translation = Translation::new(wishes.clone());
        let takes = |plan: &LogicalPlan| Translation::new(wishes.clone()).root(plan).is_ok();
        let root = translation.root(&optimized);
        let mut stream = root.map_err(|error| match translation.relation.take() {
            Some(name) => mistakes::at_relation(self.unplaced(&error, &BTreeSet::new()), &query.query, &name),
            None => logical.refused(&error, &takes),
        })?;
        stream = translation.without_hidden(stream);
        let end = translation.node(&stream).clone();
        let mut sink = self.sink(job, query, into, (&end, &stream.key_lacks), &settings)?;
        if let Some(arranged) = self.arranged(query, into, &end.schema)? {
            stream = translation.arranged(stream, &arranged);
            sink.request.key = arranged.moved(&sink.request.key);
            sink.request.schema = arranged.schema;
        }
        self.keyed_as_declared(&mut sink.request, into.or(query.into.as_ref()), &stream.key_lacks)?;
        if into.or(query.into.as_ref()).is_some() {
            self.named_once(&sink, query)?;
            self.check(&sink).map_err(|fault| at_sink(fault, query))?;
        }
        let (schema, changes, key) = (sink.request.schema.clone(), end.changes, translation.node(&stream).key.clone());
        let label = format!("write {}", uri_without_secrets(&sink.request.name));
        let mut nodes = translation.nodes;
        hide_secrets(&mut nodes, &self.variables);
        nodes.push(Node { kind: NodeKind::Sink(sink), inputs: vec![stream.node], schema, changes, key, label });
        let plan = StreamPlan {
            nodes,
            parallelism: settings.parallelism,
            failure: settings.failure,
            dead_letters: settings.dead_letters,
            late: settings.late,
            divisions: functions.divisions().clone(),
            state_ttl: settings.state_ttl,
        };
        let Settings { checkpoint_interval, state_limit, .. } = settings;
        let mut warnings = [logical.warnings, translation.warnings].concat();
        warnings.extend(self.idle(&plan.nodes));
        Ok(Planned { plan, warnings, checkpoint_interval, state_limit })
    }

    /// The columns of a name, as `DESCRIBE` gives them, and a sentence on what is behind it.
    ///
    /// # Errors
    /// A name that is not known, or a source that does not answer.
    pub async fn describe(&self, name: &EndName) -> Result<(Schema, String), Fault> {
        surviving(self.described(name)).await
    }

    async fn described(&self, name: &EndName) -> Result<(Schema, String), Fault> {
        if let EndName::Name(name) = name
            && let Some(defined) = self.catalog.defined(name)
        {
            let plan = self.logical(&defined.definition.query, None, &self.functions, DEPTH_MAX).await?.optimized()?;
            return Ok((plan.schema().as_arrow().clone(), format!("a query named {name}")));
        }
        let table = self.source(name, &Options::default()).await.map_err(|fault| ends::undescribed(fault, name))?;
        let about = table.source.description();
        let about = match table.lookup {
            Some(cache) => format!("{about}; {}", picture::lookup(cache)),
            None => about,
        };
        Ok((table.source.schema().as_ref().clone(), about))
    }

    /// The logical plan of a query, with the names in it resolved.
    async fn logical(
        &self,
        query: &StreamQuery,
        into: Option<&EndName>,
        functions: &Functions,
        depth: usize,
    ) -> Result<Logical, Fault> {
        if depth == 0 {
            return Err(refused("names lead to names in a circle here"));
        }
        let options = self.in_full(query, into);
        let mut provider = Provider::new(functions.clone(), query.windows.clone());
        let mut query_ast = query.query.clone();
        crate::sql::functions::rewrite::rewrite(&mut query_ast);
        let system = names::system_columns(&query_ast, &query.windows);
        let (mut columns, mut warnings) = (BTreeSet::new(), Vec::new());
        for name in relations(&query_ast) {
            let known = self.catalog.spelled(&name);
            let source: Arc<dyn TableSource> = match self.catalog.defined(known) {
                Some(Defined { definition: Definition { query: made, .. }, kind }) => {
                    let Logical { plan, warnings: more, .. } =
                        Box::pin(self.logical(made, None, functions, depth - 1)).await?;
                    warnings.extend(more);
                    let plan = if *kind == Kind::View {
                        plan
                    } else {
                        let is_table = *kind == Kind::Table;
                        let named = Named { name: known.to_owned(), emit: made.emit, is_table, key: made.key.clone() };
                        Marked::named(plan, named).map_err(|error| refused(&said(&error)))?
                    };
                    Arc::new(QueryTable { plan })
                }
                None => {
                    if ends::is_file_in_quotes(&query_ast, &name) && self.catalog.declared(known).is_none() {
                        let fault = ends::no_topic(&self.context.folder, known, End::Source);
                        return Err(mistakes::at_relation(fault, &query_ast, &name));
                    }
                    let end = ends::named(known);
                    let table = self.source(&end, &options).await;
                    let table = table.map_err(|fault| {
                        mistakes::at_relation(ends::unless_a_file(fault, "FROM ", known), &query_ast, &name)
                    })?;
                    match self.catalog.declared(known).map(computed::columns).transpose()?.flatten() {
                        Some(computed) => with_computed(table, functions, &computed, &system)?,
                        None => Arc::new(table.with_system_columns(&system)),
                    }
                }
            };
            columns.extend(source.schema().fields().iter().map(|field| field.name().clone()));
            provider.tables.insert(name, source);
        }
        using::settle(&mut query_ast, &provider.tables)?;
        clauses::settle(&mut query_ast, functions);
        names::settle(&mut query_ast, &columns, &system, &provider.tables)?;
        let mut logical = Logical::of(query_ast, columns, provider, functions.clone())?;
        logical.warnings.splice(0..0, warnings);
        Ok(logical)
    }

    /// A source by its name, with the options that the query gives it.
    async fn source(&self, name: &EndName, options: &Options) -> Result<SourceTable, Fault> {
        let declared = self.catalog.end(name);
        if let Some(declared) = declared.filter(|declared| declared.object == Object::Sink) {
            return Err(refused(&format!(
                "`{}` is a SINK; rows are read from a SOURCE, STREAM or TABLE",
                declared.name
            )));
        }
        let end = ends::resolve(self, name, declared, options, End::Source)?;
        let settings = Settings::read(&end.options)?;
        let schema = match declared {
            Some(declared) if !declared.columns.is_empty() => Some(self.columns(declared)?),
            _ => self.kept.get(&kept::key(&end.name)).cloned(),
        };
        let connector = end.connector(self)?;
        let key = declared.map_or_else(Vec::new, |declared| {
            declared.columns.iter().filter(|column| column.primary_key).map(|column| column.name.clone()).collect()
        });
        let request = SourceRequest { name: end.name.clone(), options: end.options.clone(), schema, key };
        let source = connector.source(request, &self.context).await?;
        if settings.lookup.is_some() && !source.is_bounded() {
            return Err(ends::endless_lookup(&end));
        }
        let mut out_of_orderness = settings.out_of_orderness;
        let mut expr = None;
        if let Some((column, watermark)) = declared.and_then(|declared| declared.watermark.as_ref()) {
            let schema = source.schema();
            let column_of = declared.and_then(|declared| declared.columns.iter().find(|one| one.name == *column));
            // The time beside a record is its event time as it is; a computed column's time is what computes it.
            if column_of.is_none_or(|column| column.metadata.is_none() || column.computed.is_some()) {
                let computed = declared.map(computed::columns).transpose()?.flatten();
                let written = computed.as_ref().and_then(|computed| computed.column(column)).cloned();
                let written = written.unwrap_or_else(|| sql::Expr::Identifier(sql::Ident::with_quote('"', column)));
                expr = Some(self.time(written, &schema, &settings)?);
            }
            out_of_orderness = ends::delay(watermark).unwrap_or(out_of_orderness);
        } else if let Some(written) = ends::expression(&end.options, EVENT_TIME_FIELD)? {
            let place = end.options.value(EVENT_TIME_FIELD).and_then(|value| value.place.clone());
            let time = self.time(written, &source.schema(), &settings);
            // A place in the text of an option is none in the statement.
            expr = Some(time.map_err(|fault| Fault { place, ..fault })?);
        }
        let watermark = WatermarkSpec { out_of_orderness, idle_timeout: settings.idle_timeout };
        let mut table = SourceTable::new(&end.name, source, end.options.clone(), watermark);
        table.event_time_expr = expr;
        table.is_processing_time = settings.is_processing_time;
        table.lookup = settings.lookup;
        if let Some(declared) = declared {
            table.is_table = declared.object == Object::Table;
            table.state_ttl = settings.state_ttl;
            table.key =
                declared.columns.iter().filter(|column| column.primary_key).map(|column| column.name.clone()).collect();
        }
        Ok(table)
    }

    /// What gives the event time: a time as it is, a number or a text by its format.
    fn time(&self, mut written: sql::Expr, schema: &Arc<Schema>, settings: &Settings) -> Result<Expr, Fault> {
        let schema = DFSchema::try_from(Arc::clone(schema)).map_err(|error| refused(&said(&error)))?;
        let columns: BTreeSet<String> = schema.columns().into_iter().map(|column| column.name).collect();
        names::settle_expression(&mut written, &columns);
        let written = ends::time(written, &schema, settings.event_time_format.as_deref());
        let provider = Provider::new(self.functions.clone(), Vec::new());
        let planner = SqlToRel::new_with_options(&provider, parser_options());
        let expr = planner
            .sql_to_expr(written, &schema, &mut PlannerContext::new())
            .map_err(|error| self.unplaced(&error, &columns))?;
        ends::coerced(expr, &schema).map_err(|error| self.unplaced(&error, &columns))
    }

    /// What is wrong where the statement has no place for it: in a declaration, in an option, in the plan as a whole.
    fn unplaced(&self, error: &DataFusionError, columns: &BTreeSet<String>) -> Fault {
        mistakes::alone(error, &Known { query: None, columns, functions: &self.functions })
    }

    pub(super) fn columns(&self, declared: &Declaration) -> Result<Arc<Schema>, Fault> {
        let provider = Provider::new(self.functions.clone(), Vec::new());
        ends::columns(declared, &provider)
            .map(Arc::new)
            .map_err(|(column, error)| self.unplaced(&error, &BTreeSet::new()).at(column.type_place.clone()))
    }
}

/// A declared table with columns that are computed from the others, or read from beside the record.
fn with_computed(
    table: SourceTable,
    functions: &Functions,
    computed: &computed::Computed,
    system: &[&'static str],
) -> Result<Arc<dyn TableSource>, Fault> {
    let name = table.name.clone();
    let shown: Vec<&'static str> = system_columns::ALL
        .into_iter()
        .filter(|column| system.contains(column) || computed.system.contains(column))
        .collect();
    let mut provider = Provider::new(functions.clone(), Vec::new());
    provider.tables.insert(name.clone(), Arc::new(table.with_system_columns(&shown)));
    let planner = SqlToRel::new_with_options(&provider, parser_options());
    let mut query = computed.query(&name, system)?;
    names::settle(&mut query, &BTreeSet::new(), &[], &provider.tables)?;
    let plan = planner
        .sql_statement_to_plan(sql::Statement::Query(query))
        .map_err(|error| mistakes::alone(&error, &Known { query: None, columns: &BTreeSet::new(), functions }))?;
    Ok(Arc::new(QueryTable { plan }))
}

/// A variable that is a secret by its name may stand in a condition: it is compared with, and not shown.
fn hide_secrets(nodes: &mut [Node], variables: &Variables) {
    let secrets = variables.names().filter(|name| is_secret_key(name)).filter_map(|name| variables.get(name).cloned());
    let scrubber = Scrubber::new(secrets);
    for node in nodes {
        if let Cow::Owned(label) = scrubber.scrub(&node.label) {
            node.label = label;
        }
    }
}

/// A fault of the statement.
pub(super) fn refused(what: &str) -> Fault {
    match what.split_once("; ") {
        Some((what, next)) => Fault::new(Blame::Operator, what).next(next),
        None => Fault::new(Blame::Operator, what),
    }
}
