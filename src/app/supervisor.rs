//! The only place that starts tasks, beside the set of tasks of a SQL job (`sql/exec/tasks.rs`). Every job has a number, a token and an ending that is reported, panics too.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::fact::Fact;
use super::feed::{Feed, Intake, Outlet};
use super::model::Note;
use crate::core::fault::Fault;
use crate::core::job::{JobId, Phase};
use crate::core::lock::WholeMutex;

/// How long jobs may take to finish what is in flight when the console is left: a broker's answer comes in less, and
/// nobody waits longer for a prompt.
pub const SHUTDOWN_GRACE_MS: u64 = 3_000;

/// What a job gets to work with.
pub struct Assignment {
    /// Cancelled when the job is to stop: it finishes what is in flight and returns.
    pub stop: CancellationToken,
    /// Where it reports.
    pub out: Outlet,
}

/// Starts jobs, stops them, and waits for all of them at the end.
#[derive(Clone)]
pub struct Supervisor {
    root: CancellationToken,
    tracker: TaskTracker,
    intake: Intake,
    live: Arc<Mutex<BTreeMap<JobId, CancellationToken>>>,
    /// Questions whose answer is still to come.
    open: Arc<AtomicUsize>,
}

impl Supervisor {
    /// A supervisor that reports into this feed.
    pub fn new(intake: Intake) -> Self {
        Self {
            root: CancellationToken::new(),
            tracker: TaskTracker::new(),
            intake,
            live: Arc::default(),
            open: Arc::default(),
        }
    }

    /// The writing end of the feed.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Starts a job. Its ending is reported whatever happens: done, stopped, failed or panicked.
    pub fn start<Work, Running>(&self, job: JobId, work: Work)
    where
        Work: FnOnce(Assignment) -> Running + Send + 'static,
        Running: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let stop = self.root.child_token();
        self.live.hold().insert(job, stop.clone());
        let out = self.intake.outlet(job);
        let live = self.live.clone();
        // Whatever the layers below say while they work for the job is in the job's log.
        let span = tracing::error_span!(target: "velox::job", "job", job = job.0);
        let running = async move {
            tracing::info!(target: "velox::job", job = job.0, "running");
            out.phase(Phase::Running).await;
            let assignment = Assignment { stop: stop.clone(), out: out.clone() };
            // The closure itself may panic before there is a future: both run inside the catch.
            let outcome = AssertUnwindSafe(async move { work(assignment).await }).catch_unwind().await;
            live.hold().remove(&job);
            let ending = match outcome {
                Ok(Ok(())) if stop.is_cancelled() => Phase::Stopped,
                Ok(Ok(())) => Phase::Done,
                Ok(Err(fault)) => Phase::Failed(fault),
                Err(panic) => Phase::Panicked(said(&*panic)),
            };
            match &ending {
                Phase::Failed(fault) => tracing::error!(target: "velox::job", job = job.0, "failed: {fault}"),
                Phase::Panicked(text) => tracing::error!(target: "velox::job", job = job.0, "panicked: {text}"),
                Phase::Stopped => tracing::info!(target: "velox::job", job = job.0, "stopped"),
                _ => tracing::info!(target: "velox::job", job = job.0, "done"),
            }
            out.phase(ending).await;
        };
        self.tracker.spawn(running.instrument(span));
    }

    /// Starts something short whose answer is a fact: a preview, a plan, a list of topics. A panic is said in the footer.
    pub fn ask<Answering>(&self, what: &'static str, answering: Answering)
    where
        Answering: Future<Output = Fact> + Send + 'static,
    {
        let intake = self.intake.clone();
        let root = self.root.clone();
        let open = self.open.clone();
        open.fetch_add(1, Ordering::AcqRel);
        self.tracker.spawn(async move {
            let answer = AssertUnwindSafe(answering).catch_unwind();
            let fact = tokio::select! {
                // An answer that is there already, as a line of the audit log, is still given.
                biased;
                answer = answer => Some(answer.unwrap_or_else(|panic| {
                    Fact::Said(Note::danger(format!("{what} failed by a defect of this program: {}", said(&*panic))))
                })),
                () = root.cancelled() => None,
            };
            if let Some(fact) = fact {
                intake.tell(fact).await;
            }
            open.fetch_sub(1, Ordering::AcqRel);
        });
    }

    /// Keeps something running beside the jobs until it ends or the console is left: a connection, a heartbeat.
    pub fn keep<Keeping, Running>(&self, what: &'static str, keeping: Keeping)
    where
        Keeping: FnOnce(CancellationToken) -> Running + Send + 'static,
        Running: Future<Output = ()> + Send + 'static,
    {
        let intake = self.intake.clone();
        let stop = self.root.child_token();
        self.tracker.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(async move { keeping(stop).await }).catch_unwind().await {
                let text = format!("{what} ended by a defect of this program: {}", said(&*panic));
                intake.tell(Fact::Said(Note::danger(text))).await;
            }
        });
    }

    /// Asks a job to stop. Nothing happens where it has ended.
    pub fn stop(&self, job: JobId) {
        if let Some(stop) = self.live.hold().get(&job) {
            stop.cancel();
        }
    }

    /// Jobs that have not ended.
    pub fn live(&self) -> usize {
        self.live.hold().len()
    }

    /// Stops everything and waits for it, at most the grace, while it goes on draining the feed: jobs that report their
    /// endings into a queue that nobody reads would never finish. Gives the jobs that did not end in time.
    pub async fn shutdown(&self, feed: &mut Feed, grace: Duration, mut apply: impl FnMut(Vec<Fact>)) -> Vec<JobId> {
        self.root.cancel();
        self.tracker.close();
        let deadline = tokio::time::sleep(grace);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                // The grace first: a job that goes on reporting must not outlast it.
                biased;
                () = &mut deadline => break,
                () = feed.ready() => apply(feed.drain()),
                () = self.tracker.wait() => break,
            }
        }
        apply(feed.drain());
        self.live.hold().keys().copied().collect()
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::app::feed::feed;
    use crate::core::fault::Blame;
    use crate::core::job::Update;

    async fn ending_of<Work, Running>(work: Work, stopped: bool) -> Phase
    where
        Work: FnOnce(Assignment) -> Running + Send + 'static,
        Running: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let (intake, mut feed) = feed();
        let supervisor = Supervisor::new(intake);
        supervisor.start(JobId(1), work);
        if stopped {
            supervisor.stop(JobId(1));
        }
        loop {
            feed.ready().await;
            for fact in feed.drain() {
                if let Fact::Job(Update::Phase(JobId(1), phase)) = fact
                    && phase.is_ending()
                {
                    assert_eq!(supervisor.live(), 0);
                    return phase;
                }
            }
        }
    }

    #[tokio::test]
    async fn every_way_to_end_is_reported_as_what_it_is() {
        assert_eq!(ending_of(|_| async { Ok(()) }, false).await, Phase::Done);
        let fault = Fault::new(Blame::Connection, "gone");
        let failing = fault.clone();
        assert_eq!(ending_of(move |_| async move { Err(failing) }, false).await, Phase::Failed(fault));
        let waiting = |assignment: Assignment| async move {
            assignment.stop.cancelled().await;
            Ok(())
        };
        assert_eq!(ending_of(waiting, true).await, Phase::Stopped);
    }

    #[tokio::test]
    async fn a_panic_in_a_job_is_an_ending_with_its_message() {
        assert_eq!(ending_of(|_| async { panic!("no {}", "way") }, false).await, Phase::Panicked("no way".into()));
    }

    #[tokio::test]
    async fn leaving_waits_for_two_hundred_jobs_and_reads_all_their_endings() {
        let (intake, mut feed) = feed();
        let supervisor = Supervisor::new(intake);
        for job in 0..200 {
            supervisor.start(JobId(job), |assignment| async move {
                assignment.stop.cancelled().await;
                Ok(())
            });
        }
        let mut endings = 0;
        let late = supervisor
            .shutdown(&mut feed, Duration::from_secs(60), |facts| {
                endings += facts
                    .iter()
                    .filter(|fact| matches!(fact, Fact::Job(Update::Phase(_, phase)) if phase.is_ending()))
                    .count();
            })
            .await;
        assert_eq!((endings, late.len()), (200, 0));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_that_goes_on_reporting_does_not_outlast_the_grace() {
        let (intake, mut feed) = feed();
        let supervisor = Supervisor::new(intake);
        supervisor.start(JobId(7), |assignment| async move {
            loop {
                assignment.out.phase(Phase::Running).await;
                tokio::task::yield_now().await;
            }
        });
        let leaving = supervisor.shutdown(&mut feed, Duration::from_millis(50), |_| {});
        let late = tokio::time::timeout(Duration::from_secs(20), leaving).await.unwrap();
        assert_eq!(late, [JobId(7)]);
    }

    #[tokio::test]
    async fn a_job_that_does_not_stop_is_named_when_the_grace_is_over() {
        let (intake, mut feed) = feed();
        let supervisor = Supervisor::new(intake);
        supervisor.start(JobId(7), |_| std::future::pending());
        let late = supervisor.shutdown(&mut feed, Duration::from_millis(20), |_| {}).await;
        assert_eq!(late, [JobId(7)]);
    }
}
