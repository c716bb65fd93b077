//! Jobs as the console shows them, with how each can be started again.

use crate::app::action::{QueryRequest, ResendRequest, RunRequest, TailRequest};
use crate::core::job::{JobId, JobKind, Phase};
use crate::core::ring::Ring;
use crate::core::words::counted;
use crate::sql::deploy::definition::Definition;

use super::log::LogLine;
use super::pipeline::Checkpoint;

/// Log lines kept of each job: a few screens of the newest.
pub const JOB_LOG_LINES_MAX: usize = 200;

/// Ended jobs kept in the list; the oldest are forgotten first, so that a long session stays small.
pub const ENDED_JOBS_MAX: usize = 200;

/// One job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Number.
    pub id: JobId,
    /// Kind of work.
    pub kind: JobKind,
    /// What it works on: ETLs, topics.
    pub name: String,
    /// Environments it touches, joined by `, `.
    pub environment: String,
    /// Where it is in its life.
    pub phase: Phase,
    /// When it was started, milliseconds since 1970.
    pub since_ms: i64,
    /// When it reached its phase, milliseconds since 1970.
    pub phase_since_ms: i64,
    /// Records read, or events that ended.
    pub records: u64,
    /// Bytes read, or sent and confirmed.
    pub bytes: u64,
    /// Records or events a second over the last second.
    pub rate: f64,
    /// Records between it and the end of the topic, where known.
    pub lag: Option<u64>,
    /// Failed events.
    pub errors: u64,
    /// Rows that were too late for their window.
    pub late: u64,
    /// How far results are complete, milliseconds since 1970, where the job knows.
    pub watermark_ms: Option<i64>,
    /// Its newest checkpoint, where it keeps some.
    pub checkpoint: Option<Checkpoint>,
    /// How often it was started again after a lost connection.
    pub restarts: u32,
    /// Its newest log lines.
    pub log: Ring<LogLine>,
    /// What it does, so that it can be started again.
    pub work: Work,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// An ETL run.
    Run(RunRequest),
    /// A tail.
    Tail(TailRequest),
    /// A health check of an environment.
    Check(String),
    /// Plausible events in an environment.
    Generate(String),
    /// Records sent.
    Resend(ResendRequest),
    /// A statement of SQL, its rows to the screen.
    Query(QueryRequest),
    /// A deployed job.
    Deployed(Definition),
}

impl Work {
    /// Kind of work.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Run(_) => JobKind::Run,
            Self::Tail(_) => JobKind::Tail,
            Self::Check(_) => JobKind::Check,
            Self::Generate(_) => JobKind::Generator,
            Self::Resend(_) => JobKind::Resend,
            Self::Query(_) => JobKind::Query,
            Self::Deployed(_) => JobKind::Sql,
        }
    }

    /// What it works on, for a list.
    pub fn name(&self) -> String {
        match self {
            Self::Run(run) => run.etls.join(", "),
            Self::Tail(tail) => tail.topics.join(", "),
            Self::Check(_) => "health check".into(),
            Self::Generate(_) => "sample events".into(),
            Self::Resend(resend) => counted(resend.messages.len() as u64, "record"),
            Self::Query(query) => query.in_one_line(),
            Self::Deployed(definition) => definition.name.clone(),
        }
    }

    /// Environments it touches, joined by `, `.
    pub fn environment(&self) -> String {
        match self {
            Self::Run(run) => run.environments.join(", "),
            Self::Tail(tail) => tail.environment.clone(),
            Self::Check(environment) | Self::Generate(environment) => environment.clone(),
            Self::Resend(resend) => resend.environment.clone(),
            Self::Query(query) => query.environment.clone(),
            Self::Deployed(definition) => definition.environment.clone(),
        }
    }
}

impl Job {
    /// A job that was just accepted.
    pub fn new(id: JobId, work: Work, now_ms: i64) -> Self {
        Self {
            id,
            kind: work.kind(),
            name: work.name(),
            environment: work.environment(),
            phase: Phase::Starting,
            since_ms: now_ms,
            phase_since_ms: now_ms,
            records: 0,
            bytes: 0,
            rate: 0.0,
            lag: None,
            errors: 0,
            late: 0,
            watermark_ms: None,
            checkpoint: None,
            restarts: 0,
            log: Ring::new(JOB_LOG_LINES_MAX),
            work,
        }
    }
}
