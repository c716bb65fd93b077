//! What came of effects, and what jobs report: the only way in which the world changes the model.

use std::sync::Arc;

use super::model::Note;
use super::model::audit::AuditEntry;
use super::model::environments::{CheckStep, Connection, EnvironmentRow, TopicRow};
use super::model::etls::{EtlRow, PlanSummary, Rendered};
use super::model::log::LogLine;
use super::model::pipeline::{Checkpoint, Pipeline};
use super::model::queries::{QueryRow, QuerySchema};
use super::model::runs::{Preset, RunReport};
use super::model::sql::{Explained, KeptDesk, SqlFile};
use super::model::themes::ThemeFile;
use crate::core::brokers::Whose;
use crate::core::fault::Fault;
use crate::core::job::{JobId, Update};
use crate::core::record::Scan;
use crate::sql::assist::{Diagnosis, Sample};
use crate::sql::deploy::hold::Holder;
use crate::sql::deploy::shelf::Kept;
use crate::sql::parse::statement::Diagnostic;

/// Everything that was read from the files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loaded {
    /// Environments in order of their files.
    pub environments: Vec<EnvironmentRow>,
    /// ETLs in registry order.
    pub etls: Vec<EtlRow>,
    /// Saved runs.
    pub presets: Vec<Preset>,
    /// Theme files of the working folder.
    pub themes: Vec<ThemeFile>,
    /// Faults of files that are neither an environment nor an ETL.
    pub faults: Vec<Fault>,
    /// What is odd but stops nothing.
    pub warnings: Vec<Fault>,
    /// What is good to know and nothing wrong.
    pub note: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Time has passed; milliseconds since 1970.
    Tick {
        /// Now.
        now_ms: i64,
    },
    /// A job reports.
    Job(Update),
    /// The files were read.
    Loaded(Box<Loaded>),
    /// A connection changed.
    Connection {
        /// Environment.
        environment: String,
        /// Its state from now on.
        connection: Connection,
    },
    /// A step of a health check ended; steps come in order.
    CheckStep {
        /// The check.
        job: JobId,
        /// The step.
        step: CheckStep,
    },
    /// The topics of an environment, or why they are not known.
    Topics {
        /// Environment.
        environment: String,
        /// Topics in order of name.
        topics: Result<Vec<TopicRow>, Fault>,
    },
    /// A text of SQL was looked at.
    Diagnosed {
        /// Number of the request.
        request: u64,
        /// What was found.
        outcome: Result<Arc<Diagnosis>, Fault>,
    },
    /// A topic was looked into.
    Sampled {
        /// Environment.
        environment: String,
        /// Topic.
        topic: String,
        /// Its columns, or why they are not known.
        outcome: Result<Arc<Sample>, Fault>,
    },
    /// A preview was rendered, or could not be.
    Previewed {
        /// Number of the request.
        request: u64,
        /// The event.
        outcome: Result<Rendered, Fault>,
    },
    /// A run was computed, or could not be.
    Planned {
        /// Number of the request.
        request: u64,
        /// What it would send.
        outcome: Result<PlanSummary, Fault>,
    },
    /// A condition was looked at.
    ConditionChecked {
        /// Number of the request.
        request: u64,
        /// What is wrong with it, and where.
        outcome: Result<(), Diagnostic>,
    },
    /// What a tail would read was counted, or could not be.
    TailSurveyed {
        /// Number of the request.
        request: u64,
        /// A topic each.
        outcome: Result<Vec<Scan>, Fault>,
    },
    /// The report of a run that has ended; comes before its ending.
    RunReport {
        /// The run.
        job: JobId,
        /// Counts and timings.
        report: Arc<RunReport>,
    },
    /// A query is planned: its columns; comes before its rows.
    QuerySchema {
        /// The query.
        job: JobId,
        /// Columns, and how its rows come.
        schema: QuerySchema,
    },
    /// Rows of a query for its view, oldest first, and how many were made that the view never got.
    QueryRows {
        /// The query.
        job: JobId,
        /// Rows that came, changed or went.
        rows: Vec<QueryRow>,
        /// Rows that came or changed since the last fact and are not among these.
        skipped: u64,
    },
    /// What the operators of a job have done; replaces what was known.
    Pipeline {
        /// The job.
        job: JobId,
        /// Its operators.
        pipeline: Arc<Pipeline>,
    },
    /// The deployed jobs as their folder tells them.
    Deployments {
        /// Another console that holds them, if one does.
        keeper: Option<Holder>,
        /// The jobs by name.
        kept: Vec<Kept>,
        /// What is wrong with those that cannot be read.
        faults: Vec<Fault>,
    },
    /// A deployed job is at work: what it goes on from and what it was made of, for people.
    Deployed {
        /// The job.
        job: JobId,
        /// The checkpoint that it goes on from; none where it began anew.
        from: Option<Checkpoint>,
        /// Options in effect, secrets masked.
        configuration: Vec<(String, String)>,
    },
    /// Files of SQL were read, and what an earlier console kept of pane 3.
    SqlRead {
        /// The files.
        files: Vec<SqlFile>,
        /// What was kept, or why that is not known.
        kept: Result<KeptDesk, Fault>,
    },
    /// Files of SQL were read again.
    SqlFiles(Vec<SqlFile>),
    /// The texts of pane 3 are kept.
    SqlKept,
    /// A text was saved.
    SqlSaved {
        /// What its tab said.
        buffer: String,
        /// Name of the file.
        name: String,
        /// Where it is.
        path: String,
        /// What was written.
        text: String,
    },
    /// A statement was planned, or could not be.
    SqlExplained {
        /// Number of the request.
        request: u64,
        /// What it would do.
        outcome: Result<Explained, Fault>,
    },
    /// It is known whose brokers jobs write to, beside those of their own environments.
    BrokersFound {
        /// Number of the request.
        request: u64,
        /// Whose.
        outcome: Result<Whose, Fault>,
    },
    /// The theme files were read again.
    Themes(Vec<ThemeFile>),
    /// A run was saved under a name.
    PresetSaved(Preset),
    /// A preset and its file are gone.
    PresetForgotten(String),
    /// Log lines, oldest first, and how many did not fit since the last.
    Log {
        /// The lines.
        lines: Vec<LogLine>,
        /// Lines that never got here.
        skipped: u64,
    },
    /// A line was added to the audit log.
    Audited(AuditEntry),
    /// Something to say in the footer.
    Said(Note),
}
