//! A logical plan to the graph of streaming nodes: which operator, which emit, how long state is kept. It decides what an
//! unbounded input allows and refuses the rest with a sentence that would make it possible; it opens nothing.

mod aggregate;
mod as_of;
mod bound;
mod buffer;
mod columns;
mod endless;
mod identity;
mod join;
mod lookup;
mod order;
mod over;
mod pairs;
mod rows;
mod sets;
mod source;
mod times;
mod unnest;
mod windowed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion_common::{DFSchema, DataFusionError, Result, ScalarValue, plan_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::{Expr, LogicalPlan};
use datafusion_physical_expr::create_physical_expr;

use self::as_of::Past;
pub(super) use self::columns::plain;
use self::windowed::WindowColumns;

use super::nodes::{Mark, Marked, Named, Window};
use super::strategies::LateStrategy;
use super::stream::{Changes, EmitMode, Expression, Node, NodeId, NodeKind};
use crate::connectors::contract::system_columns::EVENT_TIME;
use crate::formats::types;
use crate::sql::functions::checked::checked;
use crate::sql::functions::shown::shown;
use crate::sql::functions::zero;
use crate::sql::parse::statement::{Emit, WindowKind};

/// What a statement asks of its plan beyond the query.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// `EMIT …` of the outermost query.
    pub emit: Option<Emit>,
    /// One output per input row where results change.
    pub by_record: bool,
    /// An updating result over bounded input is given once, as its last state.
    pub final_table: bool,
    /// How long after its end a window takes rows, unless the window says.
    pub lateness: Duration,
    /// Keyed state goes this long after its last change.
    pub state_ttl: Option<Duration>,
    /// Whether raw records stay with their rows until the first operator with state.
    pub origins: bool,
    /// What happens to late rows. Where they replace what was given for their window, every window's result changes.
    pub late: LateStrategy,
}

/// Nodes as they are made.
pub struct Translation {
    /// Inputs first.
    pub nodes: Vec<Node>,
    /// What works and should be known.
    pub warnings: Vec<String>,
    /// The relation that an error is about, where it is about one.
    pub relation: Option<String>,
    wishes: Wishes,
    props: ExecutionProps,
    named: HashMap<String, Stream>,
    /// Whether what is translated is looked into.
    is_lookup: bool,
    /// Joins around what is translated.
    joins: usize,
}

/// The output of a node, as far as the planner follows it.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The node.
    pub node: NodeId,
    /// Where its columns say which window a row is in.
    pub window: Option<WindowColumns>,
    /// Columns that hold the event time.
    pub times: Vec<usize>,
    /// Columns that held the event time of what its rows were joined from.
    pub past: Vec<Past>,
    /// Whether it ends.
    pub is_bounded: bool,
    /// Whether its rows have a time of their own, and not just that at which they were read.
    pub is_dated: bool,
    /// Whether it is a table: at most one row a key.
    pub is_table: bool,
    /// Whether it is a table as of the time of the row that meets it.
    pub as_of: Option<String>,
    /// What was a row's identity and is not carried on: without these columns it has none.
    pub key_lacks: Vec<String>,
}

impl Translation {
    /// Nothing yet.
    pub fn new(wishes: Wishes) -> Self {
        Self {
            nodes: Vec::new(),
            warnings: Vec::new(),
            relation: None,
            wishes,
            props: ExecutionProps::new(),
            named: HashMap::new(),
            is_lookup: false,
            joins: 0,
        }
    }

    /// The nodes of `plan`, which gives results as the statement's `EMIT` says.
    ///
    /// # Errors
    /// What a stream cannot do, with what would make it possible.
    pub fn root(&mut self, plan: &LogicalPlan) -> Result<Stream> {
        self.translate(plan, self.wishes.emit)
    }

    /// The result without the column that only set its event time.
    pub fn without_hidden(&mut self, stream: Stream) -> Stream {
        let node = self.node(&stream);
        let sets = matches!(&node.kind, NodeKind::Map { event_time: Some(_), .. });
        match node.schema.index_of(EVENT_TIME) {
            Ok(hidden) if sets => {
                let kept: Vec<usize> = (0..node.schema.fields().len()).filter(|index| *index != hidden).collect();
                self.keep(stream, &kept)
            }
            _ => stream,
        }
    }

    /// The node of a stream.
    pub fn node(&self, stream: &Stream) -> &Node {
        &self.nodes[stream.node.0]
    }

    fn translate(&mut self, plan: &LogicalPlan, emit: Option<Emit>) -> Result<Stream> {
        match plan {
            LogicalPlan::TableScan(scan) => self.source(scan),
            LogicalPlan::SubqueryAlias(alias) => self.translate(&alias.input, emit),
            LogicalPlan::Filter(filter) => match self.ranked(filter, true)? {
                Some(stream) => Ok(stream),
                None => {
                    let input = self.translate(&filter.input, emit)?;
                    self.filter(input, &filter.predicate, filter.input.schema())
                }
            },
            LogicalPlan::Projection(projection) => {
                let input = match projection.input.as_ref() {
                    LogicalPlan::Filter(filter) => {
                        let has_rank = over::uses_rank(&projection.expr, &filter.input);
                        match self.ranked(filter, has_rank)? {
                            Some(stream) => stream,
                            None => self.translate(&projection.input, emit)?,
                        }
                    }
                    other => self.translate(other, emit)?,
                };
                self.project(input, &projection.expr, projection.input.schema(), Arc::clone(projection.schema.inner()))
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, emit),
            LogicalPlan::Window(window) => self.over(window),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => {
                let inputs =
                    union.inputs.iter().map(|input| self.translate(input, emit)).collect::<Result<Vec<_>>>()?;
                self.union(inputs, Arc::clone(union.schema.inner()))
            }
            LogicalPlan::Sort(sort) => self.sort(sort, 0, sort.fetch, emit),
            LogicalPlan::Limit(limit) => self.limit(limit, emit),
            LogicalPlan::Values(values) => {
                let rows =
                    values.values.iter().map(|row| self.literals(row, &values.schema)).collect::<Result<Vec<_>>>()?;
                Ok(self.values(rows, Arc::clone(values.schema.inner())))
            }
            LogicalPlan::EmptyRelation(empty) => {
                let schema = Arc::clone(empty.schema.inner());
                let rows = if empty.produce_one_row {
                    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
                    vec![RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options)?]
                } else {
                    Vec::new()
                };
                Ok(self.values(rows, schema))
            }
            LogicalPlan::Extension(_) => self.extension(plan, emit),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest, emit),
            LogicalPlan::RecursiveQuery(_) => plan_err!("WITH RECURSIVE is not available over streams"),
            LogicalPlan::Subquery(_) => {
                plan_err!("this subquery cannot be made a join; write it as JOIN … ON …")
            }
            other => plan_err!("a stream cannot do this: {}", other.display()),
        }
    }

    fn extension(&mut self, plan: &LogicalPlan, emit: Option<Emit>) -> Result<Stream> {
        let Some(marked) = Marked::find(plan) else {
            return plan_err!("a stream cannot do this: {}", plan.display());
        };
        match &marked.mark {
            Mark::Windowed(window) => self.window_assign(marked, window),
            Mark::AsOf(time) => {
                let input = self.translate(&marked.input, emit)?;
                Ok(Stream { as_of: Some(time.clone()), ..input })
            }
            Mark::Named(named) => self.named(&marked.input, named),
            Mark::Elements(elements) => self.elements(marked, elements, emit),
        }
    }

    fn named(&mut self, plan: &LogicalPlan, named: &Named) -> Result<Stream> {
        if let Some(made) = self.named.get(&named.name) {
            return Ok(made.clone());
        }
        // Only an emit of its own holds inside: what the outer statement says is about the outer result.
        let mut made = self.translate(plan, named.emit)?;
        if named.is_table {
            made.is_table = true;
            let schema = plan.schema();
            let key: Vec<usize> =
                named.key.iter().filter_map(|name| schema.index_of_column_by_name(None, name)).collect();
            if !key.is_empty() {
                self.nodes[made.node.0].key = key;
            }
        }
        self.named.insert(named.name.clone(), made.clone());
        Ok(made)
    }

    fn window_assign(&mut self, marked: &Marked, window: &Window) -> Result<Stream> {
        if matches!(window.kind, WindowKind::Session { .. }) {
            return plan_err!(
                "a SESSION window is known only by its key: group by that key, \
                 or read the rows of the session from a subquery that does"
            );
        }
        let label = format!("window {}", columns::window_label(&window.kind));
        let input = self.translate(&marked.input, None)?;
        let window = self.window_node(window, marked.input.schema())?;
        let width = self.node(&input).schema.fields().len();
        let schema = Arc::clone(marked.columns().inner());
        let changes = self.node(&input).changes;
        let bounds = WindowColumns { start: Some(width), end: Some(width + 1), kind: window.kind };
        let node = self.add(NodeKind::WindowAssign(window), vec![input.node], schema, changes, Vec::new(), label);
        Ok(Stream { node, window: Some(bounds), is_table: false, ..input })
    }

    fn add(
        &mut self,
        kind: NodeKind,
        inputs: Vec<NodeId>,
        schema: SchemaRef,
        changes: Changes,
        key: Vec<usize>,
        label: String,
    ) -> NodeId {
        self.nodes.push(Node { kind, inputs, schema, changes, key, label });
        NodeId(self.nodes.len() - 1)
    }

    fn expression(&self, expr: &Expr, schema: &DFSchema) -> Result<Expression> {
        let compiled = create_physical_expr(columns::unaliased(expr), schema, &self.props)?;
        Ok(checked(shown(compiled, schema.as_arrow())))
    }

    /// An expression that rows are told from others by.
    fn key(&self, expr: &Expr, schema: &DFSchema) -> Result<Expression> {
        zero::key(self.expression(expr, schema)?, schema.as_arrow())
    }

    fn expressions(&self, exprs: &[Expr], schema: &DFSchema) -> Result<Vec<Expression>> {
        exprs.iter().map(|expr| self.expression(expr, schema)).collect()
    }

    /// An expression as a timestamp in milliseconds.
    fn time(&self, expr: &Expr, schema: &DFSchema) -> Result<Expression> {
        let made = self.expression(expr, schema)?;
        let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, None);
        match made.data_type(schema.as_arrow())? {
            same if same == milliseconds => Ok(made),
            DataType::Timestamp(..) | DataType::Int64 | DataType::Date32 | DataType::Date64 => {
                datafusion_physical_expr::expressions::cast(made, schema.as_arrow(), milliseconds)
            }
            other => {
                let is = types::name(&other);
                plan_err!("`{}` is {is}, not a time; CAST it to TIMESTAMP(3)", columns::plain(expr))
            }
        }
    }

    /// How a grouping gives its results.
    fn emit_mode(&self, emit: Option<Emit>, is_windowed: bool, is_bounded: bool) -> Result<EmitMode> {
        let changes = EmitMode::Changes { by_record: self.wishes.by_record };
        Ok(match emit {
            Some(Emit::Changes) if self.wishes.final_table && is_bounded => EmitMode::Final,
            Some(Emit::Changes) => changes,
            Some(Emit::Every(period)) => EmitMode::Every(period),
            Some(Emit::Final) if !is_windowed && !is_bounded => {
                return plan_err!("EMIT FINAL needs an end: add a WINDOW, read a bounded source, or say EMIT CHANGES");
            }
            Some(Emit::Final) => EmitMode::Final,
            None if is_windowed || self.wishes.final_table && is_bounded => EmitMode::Final,
            None => changes,
        })
    }
}

/// A literal of whole milliseconds.
fn milliseconds(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(Some(value)) => Some(*value),
        _ => None,
    }
}

/// DataFusion's error without its own prefix.
pub fn said(error: &DataFusionError) -> String {
    error.strip_backtrace().trim_start_matches("Error during planning: ").to_owned()
}
