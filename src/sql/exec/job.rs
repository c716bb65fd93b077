//! A running job: what it has done, how it is stopped, how it ended. Dropping it ends it at once.

use tokio::sync::{mpsc, watch};
use tokio_util::sync::DropGuard;

pub use super::coordinator::Ending;
use super::coordinator::JobOrder;
use super::statistics::Statistics;
use crate::connectors::contract::Context;
use crate::connectors::registry::Connectors;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::settings::JobSettings;
use crate::sql::plan::stream::StreamPlan;

/// A running job.
pub struct Job {
    pub(super) orders: mpsc::Sender<JobOrder>,
    pub(super) statistics: watch::Receiver<Statistics>,
    pub(super) ending: watch::Receiver<Option<Ending>>,
    pub(super) messages: Vec<String>,
    pub(super) has_checkpoints: bool,
    /// Ends the tasks when the job is dropped.
    pub(super) guard: DropGuard,
}

/// Starts a plan.
///
/// # Errors
/// A source or a sink that cannot be opened, a checkpoint that cannot be used, a plan that does not fit together.
pub async fn start(
    plan: StreamPlan,
    settings: JobSettings,
    connectors: &Connectors,
    context: &Context,
) -> Result<Job, Fault> {
    super::start::start(plan, settings, connectors, context).await
}

impl Job {
    /// What it has done so far; published ten times a second and at its end.
    pub fn statistics(&self) -> watch::Receiver<Statistics> {
        self.statistics.clone()
    }

    /// What should be known of its start: the checkpoint it goes on from, state that was dropped.
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// Reads no further, writes what is under way (and a checkpoint, where it keeps some), and ends.
    pub async fn stop(&self) -> Ending {
        self.orders.send(JobOrder::Stop).await.ok();
        self.wait().await
    }

    /// As [`Job::stop`]; answers with the checkpoint that the job goes on from.
    ///
    /// # Errors
    /// A job that keeps no checkpoints, or that failed before it had written this one.
    pub async fn stop_with_savepoint(&self) -> Result<u64, Fault> {
        if !self.has_checkpoints {
            let fault = Fault::new(Blame::Operator, "this job keeps no checkpoints");
            return Err(fault.next("start it with --state-dir FOLDER"));
        }
        match self.stop().await {
            Ending::Stopped(Some(epoch)) => Ok(epoch),
            Ending::Failed(fault) => Err(fault),
            Ending::Finished => {
                Err(Fault::new(Blame::Operator, "the job had come to its end: there is nothing to go on with"))
            }
            _ => Err(Fault::new(Blame::Operator, "the job ended before its savepoint was written")),
        }
    }

    /// Ends it at once, as dropping it does, and waits until its tasks have gone.
    pub async fn cancel(self) -> Ending {
        let mut ending = self.ending.clone();
        drop(self.guard);
        ended(&mut ending).await
    }

    /// Waits for its end.
    pub async fn wait(&self) -> Ending {
        ended(&mut self.ending.clone()).await
    }
}

async fn ended(ending: &mut watch::Receiver<Option<Ending>>) -> Ending {
    let ended = ending.wait_for(Option::is_some).await.map(|ending| ending.clone());
    ended.ok().flatten().unwrap_or(Ending::Cancelled)
}
