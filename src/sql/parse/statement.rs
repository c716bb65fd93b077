//! Statements as they were written: values that keep their places in the text.

use std::time::Duration;

use sqlparser::ast as sql;

use crate::connectors::options::Options;
use crate::core::fault::{Fault, Place};

/// A text of SQL, parsed: what is right, and what is wrong with the rest.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Statements in order.
    pub statements: Vec<Statement>,
    /// Annotations at the head of the file.
    pub annotations: Vec<Annotation>,
    /// Errors, each with its span; the other statements stand.
    pub errors: Vec<Diagnostic>,
    /// What works and should not stay as it is.
    pub warnings: Vec<Diagnostic>,
}

/// A range of bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// Something to say about a range of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The offending text.
    pub span: Span,
    /// What, where as file:line:column, and what to do.
    pub fault: Fault,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Where it stands, without the annotations above it and the semicolon.
    pub span: Span,
    /// Annotations directly above it.
    pub annotations: Vec<Annotation>,
    /// What it says.
    pub kind: StatementKind,
}

/// `-- @key: value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Key without the `@`.
    pub key: String,
    /// Value, without quotes around it.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// What a statement says.
// There are as many as a file has statements: a box would buy nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// `CREATE STREAM name AS query`.
    CreateStream(Definition),
    /// `CREATE TABLE name AS query`, `CREATE MATERIALIZED VIEW name AS query`: keyed state, the newest row a key.
    CreateTable(Definition),
    /// `CREATE VIEW name AS query`: a name for a query.
    CreateView(Definition),
    /// `CREATE STREAM|TABLE|SOURCE|SINK name (columns) WITH (…)`.
    Declare(Declaration),
    /// A query on its own: rows to the screen, or to its `INTO`.
    Query(StreamQuery),
    /// `INSERT INTO sink query`.
    Insert {
        /// Where to.
        sink: EndName,
        /// What.
        query: StreamQuery,
    },
    /// `DROP STREAM|TABLE|… name`.
    Drop {
        /// The kind word, upper case.
        object: String,
        /// Its name.
        name: String,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `SHOW STREAMS|TABLES|TOPICS|FUNCTIONS|JOBS|SOURCES|SINKS`.
    Show {
        /// What is listed, upper case.
        object: String,
    },
    /// `DESCRIBE name`.
    Describe {
        /// What.
        name: EndName,
    },
    /// `EXPLAIN [ANALYZE] statement`.
    Explain {
        /// Whether it runs and is measured.
        analyze: bool,
        /// What.
        statement: Box<Statement>,
    },
    /// `START|STOP|PAUSE|RESUME|DEPLOY|ROLLBACK JOB name`.
    Job {
        /// The verb, upper case.
        verb: String,
        /// `FORCE`.
        force: bool,
        /// The job.
        name: String,
        /// Options of `DEPLOY`.
        options: Options,
    },
}

impl StatementKind {
    /// The name that the statement gives to something.
    pub fn defines(&self) -> Option<&str> {
        match self {
            Self::CreateStream(made) | Self::CreateTable(made) | Self::CreateView(made) => Some(&made.name),
            Self::Declare(declared) => Some(&declared.name),
            _ => None,
        }
    }
}

/// A name given to a query.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name.
    pub name: String,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// The query.
    pub query: StreamQuery,
}

/// A table of its own, declared.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// STREAM, TABLE, SOURCE or SINK.
    pub object: Object,
    /// The name.
    pub name: String,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// Columns; empty means: from the data.
    pub columns: Vec<Column>,
    /// `WATERMARK FOR column AS expression`.
    pub watermark: Option<(String, sql::Expr)>,
    /// `WITH (…)`.
    pub options: Options,
}

/// What is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// An unbounded sequence of rows.
    Stream,
    /// The newest row a key.
    Table,
    /// Only read from.
    Source,
    /// Only written to.
    Sink,
}

/// A declared column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as SQL says it; `Unspecified` where a computed column names none.
    pub data_type: sql::DataType,
    /// Where its type stands; its name where it has none.
    pub type_place: Place,
    /// `NOT NULL`.
    pub not_null: bool,
    /// `PRIMARY KEY`.
    pub primary_key: bool,
    /// `METADATA [FROM '…']`: the name of what comes beside the record, as `timestamp`.
    pub metadata: Option<String>,
    /// A computed column: `name AS expression`.
    pub computed: Option<sql::Expr>,
}

/// A query with everything that was lifted off it.
#[derive(Debug, Clone)]
pub struct StreamQuery {
    /// The plain query. Windowed relations stand in it as parenthesised joins whose alias is
    /// [`window_alias`](super::mark::window_alias)`(i)`; what else was lifted off it as a [`Mark`](super::mark::Mark).
    pub query: Box<sql::Query>,
    /// Windows by number.
    pub windows: Vec<WindowSpec>,
    /// `EMIT …`.
    pub emit: Option<Emit>,
    /// `INTO …`.
    pub into: Option<EndName>,
    /// Where the name of its sink stands, behind `INTO` or `INSERT INTO`.
    pub sink_place: Option<Place>,
    /// `INSERT INTO sink (names)`: what the sink is to call the columns of the result, in order; empty where they keep
    /// their own names.
    pub names: Vec<InsertName>,
    /// `expr AS alias PRIMARY KEY`: the aliases, in order.
    pub key: Vec<String>,
    /// `WITH (…)`.
    pub options: Options,
}

/// A column in the list of `INSERT INTO sink (…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertName {
    /// The column of the sink.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// A source or a sink as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndName {
    /// A bare name.
    Name(String),
    /// A URI in quotes.
    Uri(String),
}

/// A window over a relation. It adds `window_start` and `window_end` to each row.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSpec {
    /// Its kind and lengths.
    pub kind: WindowKind,
    /// The column or expression that says the time; the row's event time where absent.
    pub time: Option<sql::Expr>,
    /// ksqlDB's `GRACE PERIOD`: how late a row may be.
    pub grace: Option<Duration>,
    /// Keys of a session's own (`PARTITION BY` of a table function); empty for those of the GROUP BY.
    pub partition_by: Vec<sql::Expr>,
    /// Where it stands in the text.
    pub span: Span,
}

/// Kinds of windows. Lengths are whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// Side by side.
    Tumbling {
        /// Length.
        size: Duration,
        /// Shift of the boundaries from 1970-01-01T00:00Z.
        offset: Duration,
    },
    /// Overlapping: one begins every `advance`.
    Hopping {
        /// Length.
        size: Duration,
        /// From one beginning to the next.
        advance: Duration,
    },
    /// As long as rows of a key follow each other within `gap`.
    Session {
        /// The longest silence inside.
        gap: Duration,
    },
    /// Growing by `step` up to `size`, then anew.
    Cumulating {
        /// The longest.
        size: Duration,
        /// From one end to the next.
        step: Duration,
    },
}

/// When results are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emit {
    /// `EMIT CHANGES`: each change of a result.
    Changes,
    /// `EMIT FINAL`, `EMIT ON WINDOW CLOSE`: once, when the watermark passes the end plus lateness.
    Final,
    /// `EMIT EVERY INTERVAL …`: what changed, at most this often.
    Every(Duration),
}
