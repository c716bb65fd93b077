//! The task set of a job: the only place of the engine that starts tasks. Every task has a name, a token and an ending
//! that is reported, a panic too.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::report::Report;
use crate::core::fault::{Blame, Fault};

/// Starts the tasks of one job and hears how each ended.
#[derive(Clone)]
pub struct TaskSet {
    tracker: TaskTracker,
    token: CancellationToken,
    stopping: CancellationToken,
    reports: mpsc::Sender<Report>,
}

impl TaskSet {
    /// A set that ends with `token` and reports to `reports`.
    pub fn new(token: CancellationToken, reports: mpsc::Sender<Report>) -> Self {
        Self { tracker: TaskTracker::new(), stopping: token.child_token(), token, reports }
    }

    /// Cancelled when the job is to end at once.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Cancelled when the job is to read no further and to end.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Where tasks report.
    pub fn reports(&self) -> &mpsc::Sender<Report> {
        &self.reports
    }

    /// Starts a task. It sees to the token itself; its ending is reported whatever happens.
    pub fn start<Running>(&self, name: String, running: Running)
    where
        Running: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let reports = self.reports.clone();
        // What a task says is in the log of the job that started it.
        let span = tracing::Span::current();
        let task = async move {
            let outcome = AssertUnwindSafe(running).catch_unwind().await.unwrap_or_else(|panic| {
                Err(Fault::new(
                    Blame::Program,
                    format!("`{name}` failed by a defect of this program: {}", said(&*panic)),
                ))
            });
            // Nobody listens once the job itself has gone.
            reports.send(Report::TaskEnded { name, outcome }).await.ok();
        };
        self.tracker.spawn(task.instrument(span));
    }

    /// Starts something that goes on until the job ends; only a panic is reported.
    pub fn watch<Running>(&self, name: &'static str, running: Running)
    where
        Running: Future<Output = ()> + Send + 'static,
    {
        let (reports, token) = (self.reports.clone(), self.token.clone());
        // What a task says is in the log of the job that started it.
        let span = tracing::Span::current();
        let task = async move {
            let caught = AssertUnwindSafe(running).catch_unwind();
            let outcome = tokio::select! {
                outcome = caught => outcome,
                () = token.cancelled() => return,
            };
            if let Err(panic) = outcome {
                let what = format!("`{name}` failed by a defect of this program: {}", said(&*panic));
                reports.send(Report::Broken(Fault::new(Blame::Program, what))).await.ok();
            }
        };
        self.tracker.spawn(task.instrument(span));
    }

    /// Starts the task that leads the job; what `panicked` makes of a panic is its ending.
    pub fn lead<Running, Ending>(
        &self,
        running: Running,
        panicked: impl FnOnce(Fault) -> Ending + Send + 'static,
        end: impl FnOnce(Ending) + Send + 'static,
    ) where
        Running: Future<Output = Ending> + Send + 'static,
        Ending: Send + 'static,
    {
        let token = self.token.clone();
        // What a task says is in the log of the job that started it.
        let span = tracing::Span::current();
        let task = async move {
            let ending = match AssertUnwindSafe(running).catch_unwind().await {
                Ok(ending) => ending,
                Err(panic) => panicked(Fault::new(
                    Blame::Program,
                    format!("the job failed by a defect of this program: {}", said(&*panic)),
                )),
            };
            token.cancel();
            end(ending);
        };
        self.tracker.spawn(task.instrument(span));
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
