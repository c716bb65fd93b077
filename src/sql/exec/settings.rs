//! What a job is told beside its plan: its name, where it remembers, how much it may hold. Values only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::dead_letters::DeadLetters;
use crate::connectors::contract::Sink;
use crate::sql::state::manifest::JobText;
use crate::sql::state::store::Store;
use crate::sql::state::variables::marks;

/// Between two checkpoints where nobody says: a restart repeats at most this much, and a snapshot of a few hundred
/// megabytes is written several times over within it.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
/// Checkpoints kept: the newest, the one before it that a transactional sink may still stand at, and one to spare for
/// a file that the disk lost.
pub const CHECKPOINTS_KEPT: usize = 3;
/// State of a job where nobody says, bytes: a quarter of a small server of 8 GB, so that a join without a bound ends with a
/// sentence and not with the machine.
pub const STATE_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;

/// What a job is told beside its plan.
pub struct JobSettings {
    /// Its name: checkpoints, transactional ids and logs carry it.
    pub name: String,
    /// What it was made of: a checkpoint knows by it whether the job is still the same.
    pub text: JobText,
    /// Where and how often it remembers; without it a restart begins anew.
    pub checkpoints: Option<Checkpoints>,
    /// State it may hold in memory, bytes.
    pub state_bytes_max: usize,
    /// Where rows go in place of the plan's own sink: the screen of an ad hoc query.
    pub sink: Option<Box<dyn Sink>>,
    /// Where bad records go in place of the topic that the plan's failure strategy names.
    pub dead_letters: Option<Arc<dyn DeadLetters>>,
}

/// Where and how often a job remembers.
#[derive(Clone)]
pub struct Checkpoints {
    /// Where.
    pub store: Arc<dyn Store>,
    /// How often.
    pub interval: Duration,
    /// How many are kept; at least two.
    pub kept: usize,
}

impl JobSettings {
    /// A job that remembers nothing.
    pub fn new(name: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: JobText { statement: sql.into(), ..JobText::default() },
            checkpoints: None,
            state_bytes_max: STATE_BYTES_MAX,
            sink: None,
            dead_letters: None,
        }
    }

    /// The same, standing on these definitions.
    #[must_use]
    pub fn standing_on(mut self, definitions: BTreeMap<String, String>) -> Self {
        self.text.definitions = definitions;
        self
    }

    /// The same, whose texts name variables that say this.
    #[must_use]
    pub fn with_variables(mut self, lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let texts = std::iter::once(&self.text.statement).chain(self.text.definitions.values());
        self.text.variables = marks(texts, lookup);
        self
    }

    /// A job that remembers in the folder of its name under `folder`.
    #[must_use]
    pub fn remembering(mut self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into().join(&self.name);
        let store = Arc::new(crate::sql::state::folder::Folder::new(folder));
        self.checkpoints = Some(Checkpoints { store, interval: CHECKPOINT_INTERVAL, kept: CHECKPOINTS_KEPT });
        self
    }

    /// The same with another pause between checkpoints.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.interval = interval;
        }
        self
    }
}
