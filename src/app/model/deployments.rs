//! Jobs that survive the console, as their folder tells them: who holds them, and which were running when it was left.

use std::collections::BTreeMap;

use crate::app::elsewhere::Asking;
use crate::core::job::JobId;
use crate::sql::deploy::definition::{Definition, Wish};
use crate::sql::deploy::hold::Holder;
use crate::sql::deploy::shelf::Kept;
use crate::sql::deploy::status::State;

/// What is known of them.
#[derive(Debug, Clone, Default)]
pub struct Deployments {
    /// Whether their folder was looked at.
    pub is_known: bool,
    /// Another console that holds them: this one only reads.
    pub keeper: Option<Holder>,
    /// The jobs by name.
    pub kept: BTreeMap<String, Kept>,
    /// The row of each by name.
    pub rows: BTreeMap<String, JobId>,
    /// Those that were running and are offered to be resumed; empty once that is answered.
    pub offered: Vec<Definition>,
    /// What is asked as soon as it is known where jobs write.
    pub asking: Option<(u64, Asking)>,
    /// Options in effect of those that run here, secrets masked.
    pub configurations: BTreeMap<JobId, Vec<(String, String)>>,
}

impl Deployments {
    /// Who runs a job, where it is another process.
    pub fn holder(&self, name: &str) -> Option<&Holder> {
        self.kept.get(name)?.holder.as_ref().filter(|holder| !holder.is_this())
    }

    /// Whether a job was running when its program was left, and nobody runs it now.
    pub(in crate::app) fn was_running(kept: &Kept) -> bool {
        let has_ended = kept.status.as_ref().is_some_and(|status| status.state == State::Done);
        kept.definition.wish == Wish::Running && kept.holder.is_none() && !has_ended
    }
}
