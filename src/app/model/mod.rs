//! All that the console knows, as values. Changed only by `update` (actions) and `apply` (facts); drawn by the panes.

pub mod environments;
pub mod etls;
pub mod queries;
pub mod runs;
pub mod sql;
pub mod tails;
pub mod themes;

pub mod deployments;

pub mod assist;
pub mod audit;
pub mod confirmation;
pub mod jobs;
pub mod log;
pub mod metrics;
pub mod pipeline;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::{PaneId, RunRequest};
use crate::core::fault::Fault;
use crate::core::job::JobId;
use crate::core::ring::Ring;

use assist::Assist;
use audit::{AUDIT_ENTRIES_MAX, AuditEntry};
use confirmation::Confirmation;
use deployments::Deployments;
use environments::EnvironmentRow;
use etls::{EtlRow, Plan, Preview};
use jobs::Job;
use log::Log;
use metrics::Metrics;
use pipeline::Drawn;
use queries::Query;
use runs::{Preset, Run};
use tails::{ConditionCheck, Survey, TAIL_RECORDS_MAX, Tail};
use themes::ThemeFile;

/// How long what is said for information stays: it is one line, and what it says is old news soon.
const NOTE_MS: i64 = 8_000;
/// How long a warning or a failure stays; the log has it then.
const WARNING_MS: i64 = 30_000;

/// How a note is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// For information.
    Plain,
    /// Something was done.
    Success,
    /// Something needs a look.
    Warning,
    /// Something failed.
    Danger,
}

/// The last thing said in the footer, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// How it is meant.
    pub tone: Tone,
    /// What is said.
    pub text: String,
}

impl Note {
    /// A note for information.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { tone: Tone::Plain, text: text.into() }
    }

    /// A note that something was done.
    pub fn success(text: impl Into<String>) -> Self {
        Self { tone: Tone::Success, text: text.into() }
    }

    /// A note that something needs a look.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { tone: Tone::Warning, text: text.into() }
    }

    /// A note that something failed.
    pub fn danger(text: impl Into<String>) -> Self {
        Self { tone: Tone::Danger, text: text.into() }
    }
}

/// A job that was to be shown in the pane it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Which.
    pub job: JobId,
    /// Grows with each: the same job opened again is another wish.
    pub request: u64,
}

/// The whole state of the console.
#[derive(Debug, Clone)]
pub struct Model {
    /// Grows with every change that a screen could show; two equal revisions draw the same.
    pub revision: u64,
    /// Milliseconds since 1970 at the last tick.
    pub now_ms: i64,
    /// The pane that has the keys.
    pub focus: PaneId,
    /// Name of the theme in use.
    pub theme: String,
    /// Theme files of the working folder.
    pub themes: Arc<Vec<ThemeFile>>,

    /// Records that a tail keeps for the view.
    pub tail_records: usize,
    /// The folder that exports go to: the one that the console was started in.
    pub folder: String,

    /// Environments in order of their files.
    pub environments: Vec<EnvironmentRow>,
    /// Name of the active environment.
    pub active: Option<String>,
    /// ETLs in registry order.
    pub etls: Vec<EtlRow>,
    /// Faults of other files of the configuration.
    pub faults: Vec<Fault>,
    /// Saved runs.
    pub presets: Vec<Preset>,

    /// The newest preview asked for.
    pub preview: Option<Preview>,
    /// The newest plan asked for.
    pub plan: Option<Plan>,
    /// What is run as soon as it is planned.
    pub(super) runs_when_planned: Option<RunRequest>,

    /// The newest condition that was looked at.
    pub condition: Option<ConditionCheck>,
    /// The newest count of what a tail would read.
    pub survey: Option<Survey>,

    /// Everything that runs or ran, by number.
    pub jobs: BTreeMap<JobId, Job>,
    /// ETL runs, by the number of their job.
    pub runs: BTreeMap<JobId, Run>,
    /// Tails, by the number of their job.
    pub tails: BTreeMap<JobId, Tail>,
    /// The tail opened last, which the tail pane shows.
    pub tail: Option<JobId>,
    /// Live queries by the number of their job: the newest, and the one that it replaced until that has ended.
    pub queries: BTreeMap<JobId, Query>,
    /// The query started last, which the SQL pane shows.
    pub query: Option<JobId>,
    /// Jobs that survive the console, and who holds them.
    pub deployments: Deployments,
    /// The texts of pane 3.
    pub desk: sql::Desk,
    /// The operators of jobs that have some, with what they did, by the number of their job.
    pub pipelines: BTreeMap<JobId, Drawn>,
    /// The job that was to be shown in its pane last; panes look at it when it changes.
    pub opened: Option<Opened>,

    /// What is known for writing SQL.
    pub assist: Assist,

    /// Measures over time and totals.
    pub metrics: Metrics,
    /// Log lines.
    pub log: Log,
    /// Changes made from here, oldest first.
    pub audit: Ring<AuditEntry>,

    /// What waits for a yes.
    pub confirmation: Option<Confirmation>,
    /// Environments whose `read_only` is lifted, and until when, milliseconds since 1970.
    pub lifted: BTreeMap<String, i64>,
    /// The last thing said, until its time is over.
    pub note: Option<Note>,
    /// Whether the log has it already: what a job failed of is logged where it failed.
    pub note_is_logged: bool,
    pub(super) note_since_ms: i64,
    /// The pane that the note points to: once it is in front, nothing is left to be said.
    pub(super) note_points_to: Option<PaneId>,

    pub(super) samples: BTreeMap<JobId, super::sample::Sample>,
    pub(super) sampled_ms: i64,
    pub(super) next_job: u64,
    pub(super) next_request: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            revision: 0,
            now_ms: 0,
            focus: PaneId::Environments,
            theme: "dark".into(),
            themes: Arc::default(),
            tail_records: TAIL_RECORDS_MAX,
            folder: ".".into(),
            environments: Vec::new(),
            active: None,
            etls: Vec::new(),
            faults: Vec::new(),
            presets: Vec::new(),
            preview: None,
            plan: None,
            runs_when_planned: None,
            condition: None,
            survey: None,
            jobs: BTreeMap::new(),
            runs: BTreeMap::new(),
            tails: BTreeMap::new(),
            tail: None,
            queries: BTreeMap::new(),
            query: None,
            deployments: Deployments::default(),
            desk: sql::Desk::default(),
            pipelines: BTreeMap::new(),
            opened: None,
            assist: Assist::default(),
            metrics: Metrics::default(),
            log: Log::default(),
            audit: Ring::new(AUDIT_ENTRIES_MAX),
            confirmation: None,
            lifted: BTreeMap::new(),
            note: None,
            note_is_logged: false,
            note_since_ms: 0,
            note_points_to: None,
            samples: BTreeMap::new(),
            sampled_ms: 0,
            next_job: 1,
            next_request: 1,
        }
    }
}

impl Model {
    /// An environment by name.
    pub fn environment(&self, name: &str) -> Option<&EnvironmentRow> {
        self.environments.iter().find(|row| row.name == name)
    }

    /// The active environment.
    pub fn active_environment(&self) -> Option<&EnvironmentRow> {
        self.environment(self.active.as_deref()?)
    }

    /// Whether the `read_only` of an environment is lifted now.
    pub fn is_lifted(&self, name: &str) -> bool {
        self.lifted.get(name).is_some_and(|until_ms| self.now_ms < *until_ms)
    }

    /// Minutes for which the `read_only` of an environment is still lifted, the one that runs counted.
    pub fn lifted_minutes(&self, name: &str) -> Option<i64> {
        let left_ms = self.lifted.get(name)? - self.now_ms;
        (0 < left_ms).then(|| (left_ms + 59_999) / 60_000)
    }

    /// When the topics of an environment were listed, milliseconds since 1970, where its brokers cannot be asked again now.
    pub fn topics_are_of_ms(&self, name: &str) -> Option<i64> {
        self.environment(name)?.lost()?;
        self.assist.shelf(name)?.listed_ms
    }

    /// An ETL by name.
    pub fn etl(&self, name: &str) -> Option<&EtlRow> {
        self.etls.iter().find(|row| row.name == name)
    }

    /// Jobs that have not ended.
    pub fn live_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| !job.phase.is_ending())
    }

    /// The newest run of an ETL.
    pub fn last_run(&self, etl: &str) -> Option<&Run> {
        self.runs.values().rev().find(|run| run.request.etls.iter().any(|name| name == etl))
    }

    pub(super) fn environment_mut(&mut self, name: &str) -> Option<&mut EnvironmentRow> {
        self.environments.iter_mut().find(|row| row.name == name)
    }

    pub(super) fn say(&mut self, note: Note) {
        (self.note, self.note_is_logged) = (Some(note), false);
        (self.note_since_ms, self.note_points_to) = (self.now_ms, None);
    }

    /// Says what the log has already, with all that is known of it.
    pub(super) fn say_logged(&mut self, note: Note) {
        self.say(note);
        self.note_is_logged = true;
    }

    /// Says where something is to be seen: over once that pane is in front.
    pub(super) fn point_to(&mut self, pane: PaneId, note: Note) {
        self.say(note);
        self.note_points_to = Some(pane);
    }

    /// Takes the last thing said away when a pane comes to the front, unless it is new and does not point there.
    pub(super) fn turn_the_page(&mut self, pane: PaneId) {
        if NOTE_MS <= self.now_ms - self.note_since_ms || self.note_points_to == Some(pane) {
            self.note = None;
        }
    }

    /// Takes the last thing said away when it has been there long enough to be read.
    pub(super) fn fade(&mut self) {
        let stays_ms = match self.note.as_ref().map(|note| note.tone) {
            Some(Tone::Plain | Tone::Success) => NOTE_MS,
            Some(Tone::Warning | Tone::Danger) => WARNING_MS,
            None => return,
        };
        if stays_ms <= self.now_ms - self.note_since_ms {
            self.note = None;
            self.revision += 1;
        }
    }
}
