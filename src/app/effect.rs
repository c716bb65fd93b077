//! What the model wants done. The runtime performs it (the loop of the screen what touches the terminal); facts come back.

use std::sync::Arc;

use super::action::{Export, PreviewRequest, QueryRequest, ResendRequest, RowsExport, RunRequest, TailRequest};
use super::model::audit::AuditEntry;
use super::model::sql::KeptDesk;
use crate::core::job::JobId;
use crate::sql::deploy::definition::Definition;
use crate::sql::deploy::run::Order;

/// Where a deployed job begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// It is new: nobody has its name yet.
    New,
    /// Where its last checkpoint left it.
    Checkpoint,
    /// As if it had never run.
    Scratch,
}
use crate::sql::assist::Catalog;

/// A piece of work. Jobs carry the number under which they report.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the configuration from the files.
    LoadConfiguration,
    /// Open a connection.
    Connect(String),
    /// Close a connection.
    Disconnect(String),
    /// Ask for the topics.
    ListTopics(String),
    /// Check every step on the way to the brokers.
    CheckHealth {
        /// Reports under this number.
        job: JobId,
        /// Environment.
        environment: String,
    },
    /// Render one event.
    Preview {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// What to render.
        preview: PreviewRequest,
    },
    /// Compute a run.
    PlanRun {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// What to compute.
        run: RunRequest,
        /// Environments whose `read_only` is lifted.
        lifted: Vec<String>,
    },
    /// Run ETLs.
    StartRun {
        /// Reports under this number.
        job: JobId,
        /// What to run.
        run: RunRequest,
        /// Environments whose `read_only` is lifted.
        lifted: Vec<String>,
    },
    /// Take the file of a preset away.
    ForgetPreset(String),
    /// Keep a run under a name.
    SavePreset {
        /// Name.
        name: String,
        /// What it runs.
        run: RunRequest,
    },
    /// Read topics live.
    StartTail {
        /// Reports under this number.
        job: JobId,
        /// What to read.
        tail: TailRequest,
    },
    /// Look whether a condition can be computed.
    CheckCondition {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// The condition.
        condition: String,
    },
    /// Count what a tail would read.
    SurveyTail {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// The tail.
        tail: TailRequest,
    },
    /// Make plausible events in the sandbox.
    StartGenerator {
        /// Reports under this number.
        job: JobId,
        /// Environment, an embedded one.
        environment: String,
    },
    /// Send records.
    StartResend {
        /// Reports under this number.
        job: JobId,
        /// What to send.
        resend: ResendRequest,
    },
    /// Run a statement, its rows to the screen.
    StartQuery {
        /// Reports under this number.
        job: JobId,
        /// What to run.
        query: QueryRequest,
    },
    /// Look at the folder of deployed jobs, now and from time to time.
    WatchDeployments,
    /// Find out whose brokers jobs write to that do not write to those of their own environment.
    FindBrokers {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// The jobs.
        jobs: Vec<Definition>,
    },
    /// Run a deployed job.
    StartDeployed {
        /// Reports under this number.
        job: JobId,
        /// What to run.
        definition: Definition,
        /// Where it begins.
        from: Beginning,
    },
    /// Tell a deployed job what is wanted.
    Order {
        /// The job.
        job: JobId,
        /// What is wanted.
        order: Order,
    },
    /// Forget a deployed job that does not run, its checkpoints with it.
    DropDeployed(Definition),
    /// Look at a text of SQL.
    Diagnose {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// Environment it would run in.
        environment: String,
        /// The whole text.
        text: String,
        /// What is known of the environment.
        catalog: Arc<Catalog>,
    },
    /// Look into a topic.
    SampleTopic {
        /// Environment.
        environment: String,
        /// Topic.
        topic: String,
    },
    /// Read the files of SQL, and what an earlier console kept of pane 3.
    ReadSql,
    /// Read the files of SQL again.
    ListSql,
    /// Keep the texts of pane 3 for the next console.
    KeepSql(KeptDesk),
    /// Save a text under `config/sql/`.
    SaveSql {
        /// What its tab says.
        buffer: String,
        /// Name of the file.
        name: String,
        /// The text.
        text: String,
        /// Whether a file of that name is replaced.
        over: bool,
    },
    /// Plan a statement without running it.
    ExplainSql {
        /// Comes back with the answer; older answers are ignored.
        request: u64,
        /// The statement.
        query: QueryRequest,
    },
    /// Read the theme files again.
    ReadThemes,
    /// Write rows to a file.
    ExportRows(RowsExport),
    /// Write in `$EDITOR` (terminal); the text comes back as [`super::model::Model::sql_edited`].
    EditSql {
        /// Which of the desk's texts.
        buffer: usize,
        /// All of it.
        text: String,
        /// Line to start at, from 1.
        line: u32,
    },
    /// Ask a job to stop.
    StopJob(JobId),
    /// Write a line of the audit log.
    Audit(AuditEntry),
    /// Write a file.
    Export(Export),

    /// Put text on the clipboard (terminal).
    Copy(String),
    /// Open a file in `$EDITOR` (terminal).
    EditFile {
        /// Path as the person would type it.
        path: String,
        /// Line to start at, from 1.
        line: u32,
    },
    /// Edit records in `$EDITOR`; they come back as [`super::action::Action::Resend`] (terminal).
    EditResend(ResendRequest),
    /// Leave the loop (terminal).
    Exit,
}
