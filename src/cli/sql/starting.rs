//! The jobs of `sql run` on their way from a plan to work, one after the other.

use std::collections::VecDeque;

use tokio::sync::watch;

use super::moving::Closing;
use super::printing::Shown;
use crate::cli::Failure;
use crate::connectors::contract::Written;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::job::{self, Job};
use crate::sql::exec::settings::JobSettings;
use crate::sql::exec::statistics::Statistics;
use crate::sql::plan::session::Session as Planning;
use crate::sql::plan::stream::StreamPlan;

/// A job before its start, and the rows of the one that comes to the screen.
pub(super) struct Prepared {
    pub plan: StreamPlan,
    /// The topics that it writes to.
    pub written: Vec<Written>,
    pub settings: JobSettings,
    pub shown: Option<Shown>,
}

/// Jobs on their way from the first to the last.
#[derive(Default)]
pub(super) struct Started {
    pub waiting: VecDeque<Prepared>,
    pub running: Vec<Job>,
    /// Rows that come to the screen, with the number of their job.
    pub shown: Vec<(usize, Shown)>,
    /// Names, numbers and counters of those whose rows do not.
    pub counted: Vec<(String, usize, watch::Receiver<Statistics>)>,
    /// The same of those whose rows do.
    pub looked_at: Vec<(String, usize, watch::Receiver<Statistics>)>,
    /// The windows that the results of each wait for.
    pub closings: Vec<Option<Closing>>,
    /// The topic of the dead letters of each, where it has one.
    pub dead_letters: Vec<Option<String>>,
    /// The one that is being started.
    pub beginning: Option<String>,
}

impl Started {
    /// Starts those that wait, one after the other. Dropped on its way, it leaves those that run.
    pub async fn all(&mut self, planning: &Planning) -> Result<(), Failure> {
        while let Some(job) = self.waiting.pop_front() {
            let name = job.settings.name.clone();
            self.beginning = Some(name.clone());
            self.dead_letters.push(job.plan.dead_letters.clone());
            self.closings.push(Closing::of(&job.plan));
            let started = job::start(job.plan, job.settings, &planning.connectors, &planning.context).await?;
            match job.shown {
                Some(shown) => {
                    self.shown.push((self.running.len(), shown));
                    self.looked_at.push((name, self.running.len(), started.statistics()));
                }
                None => self.counted.push((name, self.running.len(), started.statistics())),
            }
            self.running.push(started);
        }
        Ok(())
    }

    /// What is said where the time of `--for` is over before all have begun.
    pub fn too_late(&self) -> Failure {
        too_late(&format!("{} had begun", self.beginning.as_deref().unwrap_or("a job")))
    }
}

/// What is said where the time of `--for` is over before something.
pub(super) fn too_late(what: &str) -> Failure {
    Fault::new(Blame::Connection, format!("the time of --for was over before {what}"))
        .next("does what it reads and writes answer? --for gives it longer")
        .into()
}
