//! What a person can ask for. A closed set of values: comparable, loggable, replayable.

pub use super::request::{
    DeployRequest, Export, PreviewRequest, QueryRequest, ResendRequest, RowsExport, RowsFormat, RunRequest, Search,
    TailRequest,
};
use crate::core::job::JobId;

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

    /// Read the theme files again.
    ReadThemes,
    /// Use another theme from now on.
    SetTheme(String),
    /// Show only log lines of this level and above.
    SetLogLevel(super::model::log::Level),
    /// Take the last message out of the footer.
    Hush,
    /// Say something in the footer.
    Say(super::model::Note),
}
