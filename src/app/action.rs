//! What a person can ask for. A closed set of values: comparable, loggable, replayable.

use serde::{Deserialize, Serialize};

use crate::core::job::JobId;
use crate::core::record::{Message, StartAt};
use crate::sql::deploy::definition::Delivery;

/// The panes, in the order of their tabs. The log is opened over the others and has no tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    /// 1 Environments.
    Environments,
    /// 2 ETLs.
    Etls,
    /// 3 SQL.
    Sql,
    /// 4 Tail.
    Tail,
    /// 5 Metrics.
    Metrics,
    /// 6 Jobs.
    Jobs,
    /// The log, on `Ctrl+L`.
    Log,
}

/// One act of the console.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Show a pane and give it the keys.
    Focus(PaneId),
    /// Leave; asks first while jobs run.
    Quit,
    /// Read the configuration again from the files.
    Reload,

    /// Make an environment the active one.
    SelectEnvironment(String),
    /// Open a connection.
    Connect(String),
    /// Close a connection.
    Disconnect(String),
    /// Check every step on the way to the brokers.
    CheckHealth(String),
    /// Lift the `read_only` of an environment for a while, or put it back; lifting asks first.
    LiftReadOnly(String),
    /// Ask for the topics of an environment.
    ListTopics(String),
    /// Render one event without a broker.
    Preview(PreviewRequest),
    /// Compute what a run would send.
    PlanRun(RunRequest),
    /// Run; asks first where a guard wants it.
    Run(RunRequest),
    /// The same as soon as what it would send is computed.
    RunWhenPlanned(RunRequest),
    /// Keep a run under a name.
    SavePreset {
        /// Name, as the list of presets shows it.
        name: String,
        /// What it runs.
        run: RunRequest,
    },
    /// Forget a run that was kept, its file with it; asks first.
    ForgetPreset(String),

    /// Yes to what is asked; `typed` is what was typed where a name is wanted.
    Confirm {
        /// Text of the input; empty where none was asked.
        typed: String,
    },
    /// No to what is asked.
    Cancel,

    /// Stop a job: what is in flight is finished and counted.
    StopJob(JobId),
    /// Start again what a job did that has ended.
    RestartJob(JobId),
    /// Forget a job that has ended.
    ForgetJob(JobId),
    /// Forget all jobs that have ended.
    ForgetEndedJobs,
    /// Show the pane that a job belongs to, with the job in it.
    OpenJob(JobId),

    /// Read topics live.
    OpenTail(TailRequest),
    /// Stop a tail and forget its records.
    CloseTail(JobId),
    /// Freeze or release a tail's view; reading goes on.
    PauseTail {
        /// The tail.
        job: JobId,
        /// Whether it is frozen now.
        paused: bool,
    },
    /// Set what is shown of the records in memory; empty shows all.
    FilterTail {
        /// The tail.
        job: JobId,
        /// Text that key, value or header must hold.
        filter: String,
    },
    /// Read a tail again, only records for which a condition holds.
    SearchTail {
        /// The tail; another takes its place.
        job: JobId,
        /// What is looked for; nothing shows all records again.
        search: Option<Search>,
    },
    /// Look whether a condition can be computed, before anything is read.
    CheckCondition(String),
    /// Count what a tail would read, before it does.
    SurveyTail(TailRequest),
    /// Forget the records of a tail; its counts stay.
    ClearTail(JobId),
    /// Send records to a topic; asks first where a guard wants it.
    Resend(ResendRequest),

    /// Run a statement live, its rows to the screen and nowhere else; the one that runs is stopped.
    RunQuery(QueryRequest),
    /// Freeze or release the view of a query; it goes on.
    PauseQuery {
        /// The query.
        job: JobId,
        /// Whether the view is frozen now.
        paused: bool,
    },

    /// Deploy a statement as a job that survives the console; asks first where a guard wants it.
    Deploy(DeployRequest),
    /// Stop a deployed job without a savepoint: it goes on from its last checkpoint another time.
    StopAtOnce(JobId),
    /// Have a deployed job write a savepoint and wait, or go on.
    PauseJob {
        /// The job.
        job: JobId,
        /// Whether it is to wait.
        paused: bool,
    },
    /// Start a deployed job again as if it had never run.
    RestartFromScratch(JobId),
    /// Forget a deployed job, its checkpoints with it.
    DropJob(JobId),
    /// Resume these of the jobs that were running when the console was left; the others stay as they are.
    ResumeJobs(Vec<String>),
    /// Look at a text of SQL: what is wrong with it, what it defines. Sent at every change of the text; texts are looked at
    /// one at a time, and of those that wait only the newest is kept.
    CheckSql {
        /// Environment it would run in.
        environment: String,
        /// The whole text.
        text: String,
    },
    /// Have the topics of an environment listed for writing SQL.
    ReadCatalog(String),
    /// Look into a topic: its columns, and values they held.
    SampleTopic {
        /// Environment.
        environment: String,
        /// Topic.
        topic: String,
    },
    /// A text of pane 3 was written in.
    EditSql {
        /// Which of the desk's texts.
        buffer: usize,
        /// All of it.
        text: String,
        /// Byte at which the caret stands.
        caret: usize,
    },
    /// Put another text in front.
    ShowSql(usize),
    /// An empty text.
    NewSql,
    /// Take the text in front away.
    CloseSql,
    /// Read the list of SQL files again.
    ListSql,
    /// Open a file of SQL, or a starter.
    OpenSql {
        /// Its name.
        name: String,
        /// Whether it is a starter.
        is_starter: bool,
    },
    /// Save the text in front under `config/sql/`; under its own name where none is given.
    SaveSql(Option<String>),
    /// Write in `$EDITOR`.
    EditSqlOutside,
    /// Say what a statement would do, or only whether it could.
    ExplainSql {
        /// The statement.
        query: QueryRequest,
        /// Whether the answer is said in the footer.
        is_said: bool,
    },
    /// Write rows to a new file in the working folder.
    ExportRows(RowsExport),

    /// Put text on the terminal's clipboard.
    Copy(String),
    /// Open a file in `$EDITOR`.
    EditFile {
        /// Path as the person would type it.
        path: String,
        /// Line to start at, from 1.
        line: u32,
    },
    /// Edit records in `$EDITOR` before they are sent again.
    EditResend(ResendRequest),
    /// Write text to a new file in the working folder.
    Export(Export),

    /// Use another theme from now on.
    SetTheme(String),
    /// Show only log lines of this level and above.
    SetLogLevel(super::model::log::Level),
    /// Take the last message out of the footer.
    Hush,
    /// Say something in the footer.
    Say(super::model::Note),
}

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
