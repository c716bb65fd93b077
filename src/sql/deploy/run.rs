//! Runs a deployed job until it is stopped, fails or comes to its end: goes on from its checkpoint, starts again when a
//! broker was lost, listens to its owner and to requests of other processes. It decides nothing about guards.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::definition::{Definition, Wish};
use super::reading::Reading;
use super::shelf::{Request, Shelf};
use super::start::{Start, newest, start};
pub use super::status::Begun;
use super::status::{State, Status};
use crate::clock::now_ms;
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::job::{Ending, How, Job};
use crate::sql::exec::statistics::Statistics;
use crate::sql::plan::session::Session;
use crate::sql::plan::stream::StreamPlan;

/// Between two looks at requests and two writes of the status: a person who asked waits no longer, and a disk does not mind.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// First pause before a job whose broker was lost is started again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest such pause: a broker that comes back is noticed within it.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A job that ran as long has recovered: the next pause is short again.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// What is told and not heard yet; there are a few for each start.
pub const TOLD_MAX: usize = 8;

/// What the owner wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// To be at work.
    Run,
    /// To write a savepoint and wait.
    Pause,
    /// To write a savepoint and end; it is to stay stopped.
    Savepoint,
    /// To end at once and to stay stopped; it goes on from its last checkpoint another time.
    Stop,
    /// To write a savepoint and end because its process does: it is to go on another time.
    Leave,
}

/// What the owner is told.
pub enum Told {
    /// It is at work: its plan, its counters, and what should be known of its start.
    Began {
        /// The plan.
        plan: Box<StreamPlan>,
        /// Its counters.
        statistics: watch::Receiver<Statistics>,
        /// The checkpoint it goes on from, if it did not begin anew.
        from: Option<Begun>,
        /// The checkpoint it goes on from, state that was dropped, warnings of the planner.
        messages: Vec<String>,
    },
    /// It lost a broker and tries again after a pause.
    Lost {
        /// What happened.
        fault: Fault,
        /// Attempt, from 1.
        attempt: u32,
    },
    /// It is at work and cut off from what it reads or writes, which it asks for again and again.
    CutOff(Fault),
    /// It is so no more.
    Back,
    /// It wrote a savepoint and waits.
    Paused,
    /// It is to end, and could write no savepoint.
    Unsaved(Fault),
}

/// How it ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its input has ended.
    Finished,
    /// Its owner stopped it, and it is to stay so.
    Stopped,
    /// Its process leaves; it is to go on another time.
    Left,
    /// Another process stopped it, and it is to stay so.
    OnRequest,
}

/// A job and all that running it needs.
pub struct Runner<Open> {
    /// What it is.
    pub definition: Definition,
    /// Where it is kept.
    pub shelf: Shelf,
    /// What opens a session in its environment; called anew for each start, and blocks.
    pub session: Open,
    /// What the owner wants.
    pub orders: watch::Receiver<Order>,
    /// What the owner is told. Once nobody listens, nothing is told.
    pub told: mpsc::Sender<Told>,
}

/// What ends one start.
enum Outcome {
    Ended(Ended),
    Paused,
    Lost(Fault),
}

impl<Open> Runner<Open>
where
    Open: Fn() -> Result<Session, Fault> + Clone + Send + 'static,
{
    /// Runs it. The caller holds the job. Once it is told to stop, that it is to stay so is written.
    ///
    /// # Errors
    /// What it failed with, save a lost connection.
    pub async fn run(mut self) -> Result<Ended, Fault> {
        let mut status = Status::beginning(now_ms());
        // What it stands on is known before it has been able to start.
        if let Some(newest) = newest(&self.definition, &self.shelf).await {
            (status.checkpoint, status.checkpoint_ms) = (Some(newest.epoch), Some(newest.written_ms));
        }
        let mut outcome = self.starts(&mut status).await;
        if let Ok(Ended::Stopped | Ended::OnRequest) = outcome
            && let Err(fault) = self.stay_stopped().await
        {
            outcome = Err(fault);
        }
        status.state = match &outcome {
            Ok(Ended::Finished) => State::Done,
            Ok(_) => State::Stopped,
            Err(_) => State::Failed,
        };
        match &outcome {
            Ok(Ended::Finished) => status.fault = None,
            // What it waited for, or why no savepoint was written, stays.
            Ok(_) => {}
            Err(fault) => status.fault = Some(fault.to_string()),
        }
        self.tell(&mut status).await;
        outcome
    }

    /// Starts it again for as long as that helps.
    async fn starts(&mut self, status: &mut Status) -> Result<Ended, Fault> {
        let mut pause = PAUSE_MIN;
        let mut attempt = 0;
        loop {
            let began = Instant::now();
            match self.one_start(status).await? {
                Outcome::Ended(ended) => return Ok(ended),
                Outcome::Paused => {
                    status.state = State::Paused;
                    self.tell(status).await;
                    self.told.send(Told::Paused).await.ok();
                    if let Some(ended) = self.until_wanted().await {
                        return Ok(ended);
                    }
                }
                Outcome::Lost(fault) => {
                    // A place in its text says nothing of a broker.
                    let fault = Fault { place: None, ..fault };
                    if RECOVERED_AFTER <= began.elapsed() {
                        (pause, attempt) = (PAUSE_MIN, 0);
                    }
                    attempt += 1;
                    status.restarts += 1;
                    status.state = State::Reconnecting;
                    status.fault = Some(fault.to_string());
                    self.tell(status).await;
                    self.told.send(Told::Lost { fault, attempt }).await.ok();
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        (ended, saves) = self.until_ended() => return Ok(self.left_waiting(ended, saves, status).await),
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn one_start(&mut self, status: &mut Status) -> Result<Outcome, Fault> {
        status.state = State::Starting;
        self.tell(status).await;
        let starting = start(self.definition.clone(), self.shelf.clone(), self.session.clone());
        let started = tokio::select! {
            started = starting => started,
            (ended, saves) = self.until_ended() => {
                return Ok(Outcome::Ended(self.left_waiting(ended, saves, status).await));
            }
        };
        let Start { job, plan, from, messages, columns } = match started {
            Ok(started) => started,
            Err(fault) if fault.blame == Blame::Connection => return Ok(Outcome::Lost(fault)),
            Err(fault) => return Err(fault),
        };
        self.definition.columns = columns;
        let statistics = job.statistics();
        self.told.send(Told::Began { plan: Box::new(plan), statistics, from, messages }).await.ok();
        // Before it has written one of its own, what it stands on is the one it goes on from.
        if let Some(from) = from {
            (status.checkpoint, status.checkpoint_ms) = (Some(from.epoch), Some(from.written_ms));
        }
        status.state = State::Running;
        status.fault = None;
        self.watch(job, status).await
    }

    /// Waits for the end of a job that runs.
    async fn watch(&mut self, job: Job, status: &mut Status) -> Result<Outcome, Fault> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut statistics = job.statistics();
        let mut reading = Reading::default();
        loop {
            let wish = tokio::select! {
                ended = job.wait() => {
                    // A short job is over before the next look at its figures.
                    reading.take(&statistics.borrow_and_update(), status);
                    return match ended {
                        Ok(Ending { how: How::Finished, .. }) => Ok(Outcome::Ended(Ended::Finished)),
                        Ok(_) => Ok(Outcome::Ended(Ended::Stopped)),
                        Err(fault) if fault.blame == Blame::Connection => Ok(Outcome::Lost(fault)),
                        Err(fault) => Err(fault),
                    };
                }
                order = ordered(&mut self.orders) => (order, if order == Order::Leave { Ended::Left } else { Ended::Stopped }),
                _ = looks.tick() => {
                    let now = statistics.borrow_and_update().clone();
                    reading.take(&now, status);
                    if Reading::notice(&now, status) {
                        let told = match now.outage {
                            Some(why) => Told::CutOff(Fault::new(Blame::Connection, why)),
                            None => Told::Back,
                        };
                        self.told.send(told).await.ok();
                    }
                    self.tell(status).await;
                    match self.requested().await {
                        None => continue,
                        Some(Request::Savepoint) => (Order::Savepoint, Ended::OnRequest),
                        Some(Request::Stop) => (Order::Stop, Ended::OnRequest),
                    }
                }
            };
            // What is wished is written before the savepoint is: whoever leaves or is killed meanwhile has stopped it.
            if let Order::Stop | Order::Savepoint = wish.0
                && let Err(fault) = self.stay_stopped().await
            {
                tracing::warn!(target: "velox::sql", job = self.definition.name, "{fault}");
            }
            return match wish {
                (Order::Run, _) => continue,
                (Order::Stop, ended) => job.cancel().await.map(|_| Outcome::Ended(ended)),
                (Order::Savepoint | Order::Pause | Order::Leave, ended) => {
                    // Told to stop at once meanwhile, by its owner or from elsewhere, it does not finish its savepoint.
                    let mut orders = self.orders.clone();
                    let mut asked = None;
                    let saved = tokio::select! {
                        saved = job.stop_with_savepoint() => saved,
                        () = stopped_at_once(&mut orders) => {
                            return job.cancel().await.map(|_| Outcome::Ended(Ended::Stopped));
                        }
                        () = self.asked_to_stop_at_once(&mut asked) => {
                            return job.cancel().await.map(|_| Outcome::Ended(Ended::OnRequest));
                        }
                    };
                    reading.take(&statistics.borrow_and_update(), status);
                    let saved = match saved {
                        // The job ends as it was told to, and goes on from its last checkpoint another time.
                        Err(fault) if fault.blame == Blame::Connection && wish.0 != Order::Pause => {
                            self.say_unsaved(fault, status).await;
                            return Ok(Outcome::Ended(asked.unwrap_or(ended)));
                        }
                        saved => saved?,
                    };
                    match (saved, asked, wish.0) {
                        (None, ..) => Ok(Outcome::Ended(Ended::Finished)),
                        // Who asked for a savepoint and the end has both, whatever this one was begun for.
                        (Some(_), Some(ended), _) => Ok(Outcome::Ended(ended)),
                        (Some(_), None, Order::Pause) => Ok(Outcome::Paused),
                        (Some(_), None, _) => Ok(Outcome::Ended(ended)),
                    }
                }
            };
        }
    }

    /// Waits, while a savepoint is written, until another process wants the end without it. That one asked for a savepoint
    /// and the end is put into `asked`.
    async fn asked_to_stop_at_once(&self, asked: &mut Option<Ended>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            match self.requested().await {
                Some(Request::Stop) => return,
                Some(Request::Savepoint) => *asked = Some(Ended::OnRequest),
                None => {}
            }
        }
    }

    /// Waits, paused, until it is to run again or to end.
    async fn until_wanted(&mut self) -> Option<Ended> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        // What was ordered while its savepoint was written counts as seen; it is not as carried out.
        let mut order = *self.orders.borrow_and_update();
        loop {
            match order {
                Order::Run => return None,
                Order::Pause => {}
                Order::Savepoint | Order::Stop => return Some(Ended::Stopped),
                Order::Leave => return Some(Ended::Left),
            }
            tokio::select! {
                next = ordered(&mut self.orders) => order = next,
                _ = looks.tick() => if self.requested().await.is_some() {
                    return Some(Ended::OnRequest);
                },
            }
        }
    }

    /// Waits until it is to end, and whether with a savepoint; while nothing runs, a pause is one of no rows.
    async fn until_ended(&self) -> (Ended, bool) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            match *self.orders.borrow() {
                order @ (Order::Savepoint | Order::Stop) => return (Ended::Stopped, order == Order::Savepoint),
                Order::Leave => return (Ended::Left, true),
                Order::Run | Order::Pause => {}
            }
            if let Some(request) = self.requested().await {
                return (Ended::OnRequest, request == Request::Savepoint);
            }
        }
    }

    /// It ends while it waits for a broker: what it had done since its last checkpoint is in no savepoint.
    async fn left_waiting(&self, ended: Ended, saves: bool, status: &mut Status) -> Ended {
        let has_run = !status.operators.is_empty();
        match status.fault.take() {
            Some(lost) if saves && has_run => self.say_unsaved(Fault::new(Blame::Connection, lost), status).await,
            lost if ended == Ended::Left => status.fault = lost,
            _ => {}
        }
        ended
    }

    async fn say_unsaved(&self, fault: Fault, status: &mut Status) {
        let from = status.checkpoint.map_or("its beginning".to_owned(), |epoch| format!("checkpoint {epoch}"));
        let told = Fault { what: format!("no savepoint could be written: {}", fault.what), place: None, ..fault };
        let told = told.next(format!("it goes on from {from}"));
        status.fault = Some(told.to_string());
        self.told.send(Told::Unsaved(told)).await.ok();
    }

    /// Writes the status.
    async fn tell(&self, status: &mut Status) {
        status.at_ms = now_ms();
        let (shelf, name, status) = (self.shelf.clone(), self.definition.name.clone(), status.clone());
        tokio::task::spawn_blocking(move || shelf.tell(&name, &status)).await.ok();
    }

    /// Writes, once, that it is to stay stopped.
    async fn stay_stopped(&mut self) -> Result<(), Fault> {
        if self.definition.wish == Wish::Stopped {
            return Ok(());
        }
        let (shelf, stopped) = (self.shelf.clone(), Definition { wish: Wish::Stopped, ..self.definition.clone() });
        let writing = tokio::task::spawn_blocking(move || shelf.write(&stopped));
        writing.await.unwrap_or_else(|error| Err(cut_short(&error)))?;
        self.definition.wish = Wish::Stopped;
        Ok(())
    }

    /// Takes what another process asks; whoever calls it has to obey.
    async fn requested(&self) -> Option<Request> {
        let (shelf, name) = (self.shelf.clone(), self.definition.name.clone());
        tokio::task::spawn_blocking(move || shelf.asked(&name)).await.unwrap_or_default()
    }
}

/// What became of a blocking step that did not end.
pub(super) fn cut_short(error: &tokio::task::JoinError) -> Fault {
    Fault::new(Blame::Program, format!("a blocking step failed: {error}"))
}

/// The next order.
async fn ordered(orders: &mut watch::Receiver<Order>) -> Order {
    match orders.changed().await {
        Ok(()) => *orders.borrow_and_update(),
        // The owner has gone without a word: as when it leaves.
        Err(_) => Order::Leave,
    }
}

async fn stopped_at_once(orders: &mut watch::Receiver<Order>) {
    if orders.wait_for(|order| *order == Order::Stop).await.is_err() {
        std::future::pending().await
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
