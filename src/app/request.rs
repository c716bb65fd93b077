//! What actions and effects carry: a run, a tail, a query, a deployment, records and rows on their way out. Values only.

use serde::{Deserialize, Serialize};

use crate::core::record::{Message, StartAt};
use crate::sql::deploy::definition::Delivery;

/// One event of one ETL, to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewRequest {
    /// ETL.
    pub etl: String,
    /// Environment it is rendered for.
    pub environment: String,
    /// Event context as YAML text, a mapping; empty for none.
    pub context: String,
    /// Event, from 0.
    pub index: u64,
    /// Events of the run it stands in, at least one: `event_count`.
    pub count: u64,
}

/// An ETL run as a person sets it up. As YAML it is a preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// ETLs by name, at least one.
    pub etls: Vec<String>,
    /// Environments by name, at least one.
    pub environments: Vec<String>,
    /// Events of each ETL in each environment.
    pub count: u64,
    /// Most events a second in each environment; no limit where absent.
    #[serde(default)]
    pub rate: Option<u32>,
    /// Render, do not send.
    #[serde(default)]
    pub dry_run: bool,
    /// Event context as YAML text, a mapping; empty for none.
    #[serde(default)]
    pub context: String,
}

/// What to read live.
#[derive(Debug, Clone, PartialEq)]
pub struct TailRequest {
    /// Environment.
    pub environment: String,
    /// Topics, at least one.
    pub topics: Vec<String>,
    /// Only these partitions of each; all where empty.
    pub partitions: Vec<i32>,
    /// Where reading starts.
    pub start: StartAt,
    /// Which of the records are shown; all where absent.
    pub search: Option<Search>,
}

/// What is looked for in topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// SQL condition on single records, as [`crate::sql::predicate::Predicate::compile`] takes it.
    pub condition: String,
    /// Whether everything is read, from the oldest record to where the topics end now, instead of what comes.
    pub whole: bool,
}

impl TailRequest {
    /// Where reading really starts: a search of everything starts with the oldest record.
    pub fn reads_from(&self) -> StartAt {
        if self.is_whole() { StartAt::Beginning } else { self.start.clone() }
    }

    /// Whether it is over where the topics ended when it began.
    pub fn is_whole(&self) -> bool {
        self.search.as_ref().is_some_and(|search| search.whole)
    }
}

/// A statement of a text of SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRequest {
    /// Environment whose topics it names.
    pub environment: String,
    /// The whole text: what stands before the statement may give names to it.
    pub text: String,
    /// The statement, from 0, as [`crate::sql::parse::statements`] counts.
    pub statement: usize,
}

/// A statement that is to become a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRequest {
    /// Its name.
    pub name: String,
    /// The statement; it says where its rows go.
    pub query: QueryRequest,
    /// How often each result is written.
    pub delivery: Delivery,
    /// Between two checkpoints, milliseconds.
    pub checkpoint_interval_ms: u64,
}

impl QueryRequest {
    /// The text of the statement alone; empty where there is no such statement.
    pub fn statement_text(&self) -> &str {
        let spans = crate::sql::parse::statements(&self.text);
        spans.get(self.statement).and_then(|span| self.text.get(span.start..span.end)).unwrap_or_default()
    }

    /// The statement as one line, for lists; secrets that stand in it are masked.
    pub fn in_one_line(&self) -> String {
        let shown = crate::sql::parse::without_secrets(self.statement_text());
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Records to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct ResendRequest {
    /// Environment they go to.
    pub environment: String,
    /// The records, topic in each.
    pub messages: Vec<Message>,
}

/// Text to be written to a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Stem of the file's name; time and ending are added, and nothing is overwritten.
    pub name: String,
    /// Ending without the dot: `json`, `jsonl`, `txt`.
    pub ending: String,
    /// What is written.
    pub text: String,
}

/// The form in which rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsFormat {
    /// Comma-separated, a line of names first; NULL is nothing, an empty text is `""`.
    Csv,
    /// An object a line.
    JsonLines,
    /// Parquet with the types of the result.
    Parquet,
}

impl RowsFormat {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Csv, Self::JsonLines, Self::Parquet];

    /// What a person calls it.
    pub fn said(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON lines",
            Self::Parquet => "Parquet",
        }
    }

    /// Ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
        }
    }
}

/// Rows to be written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsExport {
    /// The new file: its path, from the folder that exports go to.
    pub file: String,
    /// Form.
    pub format: RowsFormat,
    /// Columns with their types.
    pub columns: Vec<super::model::queries::QueryColumn>,
    /// Rows, a value for each column.
    pub rows: Vec<Vec<Option<String>>>,
}
