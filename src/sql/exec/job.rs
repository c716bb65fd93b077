//! A running job: what it has done, how it is stopped, how it ended. Dropping it ends it at once.

use tokio::sync::{mpsc, watch};
use tokio_util::sync::DropGuard;

use super::coordinator::JobOrder;
pub use super::ending::{Ending, How};
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
    pub(super) ending: watch::Receiver<Option<Result<Ending, Fault>>>,
    pub(super) messages: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// The checkpoint it goes on from; 0 for a beginning.
    pub(super) begun_from: u64,
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

    /// What makes its results others than those of an undisturbed run: another text, other ends, state that was dropped.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What should be known of its start: the checkpoint it goes on from, what was added since.
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// The checkpoint that it goes on from, if it did not begin anew.
    pub fn begun_from(&self) -> Option<u64> {
        (self.begun_from != 0).then_some(self.begun_from)
    }

    /// Asks it to read no further, to write what is under way (and a checkpoint, where it keeps some), and to end.
    pub fn stop(&self) {
        // A second wish finds the first one waiting.
        self.orders.try_send(JobOrder::Stop).ok();
    }

    /// Asks it to end at once, without what is under way; its state stays as of the last checkpoint.
    pub fn leave(&self) {
        // Another wish that waits is heard first.
        self.orders.try_send(JobOrder::Leave).ok();
    }

    /// Whether it keeps checkpoints, of which a stop writes the last.
    pub fn keeps_checkpoints(&self) -> bool {
        self.has_checkpoints
    }

    /// As [`Job::stop`], and waits; answers with the checkpoint that the job goes on from, 0 where that is its beginning, or
    /// with none where it had come to its end and there is nothing to go on with.
    ///
    /// # Errors
    /// A job that keeps no checkpoints, or that failed before it had written this one.
    pub async fn stop_with_savepoint(&self) -> Result<Option<u64>, Fault> {
        if !self.has_checkpoints {
            let fault = Fault::new(Blame::Operator, "this job keeps no checkpoints");
            return Err(fault.next("start it with --state-dir FOLDER"));
        }
        self.stop();
        match self.wait().await? {
            // Without one of its own it goes on from where it began.
            Ending { how: How::Stopped, checkpoint, .. } => Ok(Some(checkpoint.unwrap_or(self.begun_from))),
            Ending { how: How::Finished, .. } => Ok(None),
            _ => Err(Fault::new(Blame::Operator, "the job ended before its savepoint was written")),
        }
    }

    /// Ends it at once, as dropping it does, and waits until its tasks have gone.
    ///
    /// # Errors
    /// What it had failed with.
    pub async fn cancel(self) -> Result<Ending, Fault> {
        let mut ending = self.ending.clone();
        drop(self.guard);
        ended(&mut ending).await
    }

    /// Waits for its end. May be asked again.
    ///
    /// # Errors
    /// What it failed with.
    pub async fn wait(&self) -> Result<Ending, Fault> {
        ended(&mut self.ending.clone()).await
    }
}

async fn ended(ending: &mut watch::Receiver<Option<Result<Ending, Fault>>>) -> Result<Ending, Fault> {
    match ending.wait_for(Option::is_some).await.map(|ending| ending.clone()) {
        Ok(Some(ending)) => ending,
        // The runtime itself has gone, and the job's tasks with it.
        _ => Ok(Ending::of_nothing(How::Cancelled)),
    }
}
