//! The plan of one job: a graph of streaming nodes. Values only; `exec` makes operators of them.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion_expr::WindowFrame;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::aggregate::AggregateFunctionExpr;

pub use super::elements::{UnnestArray, UnnestColumn, UnnestNode};
pub use super::joined::{AsOf, FullCache, JoinBound, JoinNode, UNTIL_THE_END_MS};
use super::strategies::{FailureStrategy, LateStrategy};
use crate::connectors::contract::{Columns, SinkRequest, Source};
use crate::connectors::options::Options;
use crate::sql::functions::division::Divisions;
use crate::sql::parse::statement::WindowKind;

/// An expression over the columns of a node's input.
pub type Expression = Arc<dyn PhysicalExpr>;

/// A node's number in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// The plan of one job: one sink, and everything that feeds it. Inputs stand before the nodes that read them.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// Nodes, inputs first; the last one is the sink.
    pub nodes: Vec<Node>,
    /// How many instances of each keyed operator run side by side.
    pub parallelism: usize,
    /// What happens to a record that fails.
    pub failure: FailureStrategy,
    /// What happens to a late row.
    pub late: LateStrategy,
    /// The topic of the dead letters, where records that fail or rows that are late go there.
    pub dead_letters: Option<String>,
    /// How divisions by zero are taken in its expressions, and how many there were.
    pub divisions: Divisions,
    /// How long keyed state without a window is kept after its last change; `None` for as long as the job runs.
    pub state_ttl: Option<Duration>,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// The nodes it reads, in the order of its ports.
    pub inputs: Vec<NodeId>,
    /// Columns of its output.
    pub schema: SchemaRef,
    /// What its output is.
    pub changes: Changes,
    /// Which columns of the output are a row's identity, where it has one (a keyed result, a table).
    pub key: Vec<usize>,
    /// For people: `filter amount > 100`.
    pub label: String,
}

/// Whether rows are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// Rows only come.
    Append,
    /// Rows come, are replaced and go: chunks carry ops.
    Changelog,
}

/// What a node does.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// Reads a source.
    Source(SourceNode),
    /// Filters, then projects, then (if asked) sets the event time. Stateless.
    Map {
        /// Rows for which it is true pass; NULL is not true.
        predicate: Option<Expression>,
        /// The output columns; `None` passes the input's.
        projection: Option<Vec<Expression>>,
        /// `expr AS _event_time`: the event time of what follows, a timestamp in milliseconds over the *input*.
        event_time: Option<Expression>,
    },
    /// Adds `window_start` and `window_end` (timestamps in milliseconds) to each row; a row of several windows comes
    /// several times. Never a session.
    WindowAssign(WindowNode),
    /// Puts each row beside the elements of its arrays, once for each of them. Stateless.
    Unnest(UnnestNode),
    /// Groups by keys within windows. Output: keys, window_start, window_end, aggregates.
    WindowAggregate {
        /// The window.
        window: WindowNode,
        /// Keys and aggregates.
        aggregate: AggregateNode,
    },
    /// Groups rows that already carry their window (a second grouping over a window's results): the keys contain the
    /// window's end, and a group is final when the watermark passes it. Output: keys, aggregates.
    CarriedWindowAggregate {
        /// Position of `window_end` in the input, a timestamp in milliseconds.
        window_end: usize,
        /// Keys and aggregates.
        aggregate: AggregateNode,
    },
    /// Groups by keys for as long as the job runs; the output is a changelog keyed by the keys, or, with
    /// [`EmitMode::Final`] over bounded input, one final table.
    GroupAggregate(AggregateNode),
    /// Joins port 0 (left) and port 1 (right). Output: columns of both (semi, anti: of the left).
    Join(JoinNode),
    /// Window functions: the input's columns followed by one for each call.
    Over(OverNode),
    /// The first rows of each partition by an order (recognised from ROW_NUMBER): a changelog unless `is_final`.
    TopN(TopNNode),
    /// The first or the last row of each key by event time (recognised from ROW_NUMBER … = 1).
    Deduplicate {
        /// The key.
        keys: Vec<Expression>,
        /// Whether the newest row counts (a changelog) and not the first (append).
        keep_last: bool,
    },
    /// All rows of all inputs.
    Union,
    /// Orders bounded input (or the rows of each closed window) and passes the first `limit`.
    Sort {
        /// Order.
        order: Vec<SortKey>,
        /// Rows to pass, `None` for all.
        limit: Option<usize>,
        /// Rows to leave out first.
        offset: usize,
    },
    /// Passes the first rows, then ends the job.
    Limit {
        /// Rows to pass.
        limit: usize,
        /// Rows to leave out first.
        offset: usize,
    },
    /// A literal table: `VALUES (…)`, `SELECT 1`.
    Values(Vec<arrow::array::RecordBatch>),
    /// Writes to a sink.
    Sink(SinkNode),
}

/// A source in a plan.
#[derive(Clone)]
pub struct SourceNode {
    /// Name in the statement.
    pub name: String,
    /// The source, opened as far as its schema.
    pub source: Arc<dyn Source>,
    /// Columns to fill. The node's schema holds these in order, and `_event_time` behind them if `has_event_time`.
    pub columns: Columns,
    /// Whether the column `_event_time` is asked for.
    pub has_event_time: bool,
    /// Where event time comes from.
    pub event_time: EventTime,
    /// How watermarks are made.
    pub watermark: WatermarkSpec,
    /// A table is read as upserts by its key: a later row of a key replaces the earlier one, a tombstone deletes it.
    pub upsert_key: Option<Vec<usize>>,
    /// How long a row of a table lives after its last change; `None` for as long as the job runs.
    pub state_ttl: Option<Duration>,
    /// The source's options, for the plan's picture (secrets masked by their keys).
    pub options: Options,
}

impl std::fmt::Debug for SourceNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceNode").field("name", &self.name).field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// Where a row's event time comes from.
#[derive(Debug, Clone)]
pub enum EventTime {
    /// The time that the source gives (a record's timestamp).
    Record,
    /// An expression over the node's columns that gives a timestamp in milliseconds; a row for which it is NULL or
    /// fails is a bad record of class `event_time`.
    Expression(Expression),
    /// The time of processing.
    Processing,
}

/// How watermarks are made, per split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatermarkSpec {
    /// How far behind the newest event time the watermark stays.
    pub out_of_orderness: Duration,
    /// After how long without a row a split is left out of the minimum.
    pub idle_timeout: Duration,
}

/// Source of the default: design/sql.md §2.2; Flink's examples use seconds too.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// A window over a node's input.
#[derive(Debug, Clone)]
pub struct WindowNode {
    /// Kind and lengths.
    pub kind: WindowKind,
    /// The time, a timestamp in milliseconds over the input; the row's event time where absent.
    pub time: Option<Expression>,
    /// How long after the watermark passed its end a window still takes rows.
    pub lateness: Duration,
}

/// Keys and aggregates of a grouping.
#[derive(Debug, Clone)]
pub struct AggregateNode {
    /// Keys over the input; they are the first columns of the output.
    pub keys: Vec<Expression>,
    /// Aggregates over the input.
    pub calls: Vec<AggregateCall>,
    /// When results are given.
    pub emit: EmitMode,
}

/// One aggregate.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    /// Function, arguments, DISTINCT, ORDER BY, null treatment.
    pub function: Arc<AggregateFunctionExpr>,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Expression>,
}

/// When results are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmitMode {
    /// Each change.
    Changes {
        /// One output per input row, and not once per batch for each key that changed.
        by_record: bool,
    },
    /// Once: when the window closes; at the end of bounded input where there is no window.
    Final,
    /// What changed, at most this often by the clock.
    Every(Duration),
}

/// Window functions over one partitioning and order.
#[derive(Debug, Clone)]
pub struct OverNode {
    /// Partition.
    pub partition: Vec<Expression>,
    /// Order inside it; by event time where the first key is a time.
    pub order: Vec<SortKey>,
    /// Calls, in order of their output columns.
    pub calls: Vec<OverCall>,
    /// `ROWS WINDOW BUFFER n ROWS`: what is kept of a partition; all of it where absent.
    pub buffer: Option<Buffer>,
    /// The input ends: partitions are complete then, and any order and frame can be answered.
    pub is_bounded: bool,
    /// Partitions are within a window: position of `window_end` in the input. They are complete when it closes.
    pub window_end: Option<usize>,
    /// Rows are in the order of their event time, and of no other time.
    pub is_by_event_time: bool,
}

/// A buffer of the newest rows of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// Rows, at least one. Functions of a whole partition answer by them.
    pub rows: usize,
    /// A row gives a result only where the buffer is full with it.
    pub emits_when_full: bool,
    /// A silence of more than this, in event time, empties it: the next row is the first again.
    pub expires: Option<Duration>,
}

/// One window function.
#[derive(Debug, Clone)]
pub struct OverCall {
    /// The call, as DataFusion plans it (it knows function, arguments, frame).
    pub expression: Arc<dyn datafusion_physical_expr::window::WindowExpr>,
    /// Its frame.
    pub frame: WindowFrame,
    /// Name of the function, lower case.
    pub function: String,
    /// The same as an aggregate, where it is one.
    pub aggregate: Option<AggregateCall>,
}

/// The first rows of partitions.
#[derive(Debug, Clone)]
pub struct TopNNode {
    /// Partition.
    pub partition: Vec<Expression>,
    /// Order.
    pub order: Vec<SortKey>,
    /// Rows kept.
    pub limit: usize,
    /// Whether the rank is the last column of the output.
    pub has_rank: bool,
    /// Where the partition is a window: position of `window_end` in the input; results are given once, when it closes.
    pub window_end: Option<usize>,
}

/// One key of an order.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// What.
    pub expression: Expression,
    /// Largest first.
    pub descending: bool,
    /// NULL before everything.
    pub nulls_first: bool,
}

/// A sink in a plan.
#[derive(Clone)]
pub struct SinkNode {
    /// Connector's name.
    pub connector: String,
    /// What it is asked for.
    pub request: SinkRequest,
}

impl std::fmt::Debug for SinkNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SinkNode").field("connector", &self.connector).finish_non_exhaustive()
    }
}
