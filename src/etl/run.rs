//! Carries a plan out: renders on blocking threads, hands over to producers in order, and ends with every planned event
//! in exactly one count. It starts no task of its own and decides nothing that the plan has decided.
//!
//! Order: events of one pair are handed over in the order of their indices, and events with one key always through the
//! same producer; so on the topic events with one key stand in index order, save those that had to be sent again.

mod ready;
mod telling;

pub mod desk;
pub mod dry;
pub mod lane;
pub mod ledger;
pub mod pace;
pub mod render;
pub mod retry;
pub mod schedule;
pub mod steps;
pub mod through_kafka;
pub mod ticket;
pub mod worker;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::core::environment::Environment;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::progress::RunProgress;
use crate::core::runner::Execution;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::producer::Outgoing;
use crate::template::Engine;

use super::plan::{Plan, Request};
use super::report::RunReport;

use lane::{Lane, Opener};
use ledger::{Cause, Ledger, NotSent};
use steps::Steps;
use telling::{Rate, Recent};
use worker::Floor;

/// How often progress is told: as often as a person can follow.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// How long a halted run waits for what is in flight before it gives up on it.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long a client may take to say that it gave up.
const ABANDON_MAX: Duration = Duration::from_secs(2);
/// One look at what is in flight.
const DRAIN_SLICE: Duration = Duration::from_millis(10);

/// Sees rendered events in the order they are handed over, on a renderer's thread: it should be quick.
pub type OnEvent = Arc<dyn Fn(&RunEvent<'_>) + Send + Sync>;

/// A rendered event on its way.
#[derive(Debug, Clone, Copy)]
pub struct RunEvent<'a> {
    /// ETL.
    pub etl: &'a str,
    /// Environment.
    pub environment: &'a str,
    /// Index in its pair, from 0.
    pub index: u64,
    /// Topic, key, headers and payload.
    pub record: Outgoing<'a>,
}

/// How a plan is carried out.
#[derive(Clone, Default)]
pub struct RunOptions {
    /// Workers, batches, retries.
    pub execution: Execution,
    /// Render and count, open no connection.
    pub dry_run: bool,
    /// Most events a second in each environment; the environment's own limit holds too.
    pub rate_events_per_second: Option<u32>,
    /// Pause between two events of a pair.
    pub delay: Duration,
    /// Longest time for the run.
    pub timeout: Option<Duration>,
    /// Longest time for a pair.
    pub timeout_per_etl: Option<Duration>,
    /// Who sees every rendered event.
    pub on_event: Option<OnEvent>,
}

impl RunOptions {
    /// What a request says, without anybody who sees events.
    pub fn of(request: &Request) -> Self {
        let limits = request.runner.limits;
        Self {
            execution: request.runner.execution.clone(),
            dry_run: request.runner.dry_run,
            rate_events_per_second: request.rate_events_per_second,
            delay: Duration::from_millis(request.events.delay_ms),
            timeout: limits.timeout_seconds.map(Duration::from_secs),
            timeout_per_etl: limits.timeout_per_etl_seconds.map(Duration::from_secs),
            on_event: None,
        }
    }
}

/// What a run needs beside its plan.
#[derive(Clone)]
pub struct Deps {
    /// Templates.
    pub engine: Engine,
    /// The environments of the plan by name; a dry run needs none.
    pub environments: HashMap<String, Arc<Environment>>,
    /// Environments that have answered just now: their brokers are not asked again before the first event.
    pub reached: HashSet<String>,
    /// How to log in.
    pub auth: Arc<AuthRegistry>,
}

/// Runs a plan to its end. `stop` finishes what is in flight; `progress` is told at most ten times a second, and once
/// at the end.
pub async fn run(
    plan: &Plan,
    options: RunOptions,
    deps: Deps,
    stop: CancellationToken,
    progress: impl Fn(Arc<RunProgress>),
) -> RunReport {
    let Deps { engine, environments, reached, auth } = deps;
    if options.dry_run {
        return run_through(plan, options, &engine, &dry::DryRun, stop, progress).await;
    }
    let kafka = through_kafka::ThroughKafka::new(environments, reached, auth);
    run_through(plan, options, &engine, &kafka, stop, progress).await
}

/// Runs a plan through any way out.
pub async fn run_through(
    plan: &Plan,
    options: RunOptions,
    engine: &Engine,
    opener: &dyn Opener,
    stop: CancellationToken,
    progress: impl Fn(Arc<RunProgress>),
) -> RunReport {
    let mut run = Run::new(plan, &options, engine, opener);
    let halt_when_dropped = HaltWhenDropped(Arc::clone(&run.floor.ledger));
    let steps = run.work(&options, &stop, &progress).await;
    run.drain(&progress).await;
    drop(halt_when_dropped);
    run.finish(plan, &options, steps, &progress).await
}

/// A run whose future is dropped leaves no renderer behind.
struct HaltWhenDropped(Arc<Ledger>);

impl Drop for HaltWhenDropped {
    fn drop(&mut self) {
        if self.0.open() > 0 {
            self.0.halt(NotSent::Stopped);
        }
    }
}

struct Run<'a> {
    floor: Arc<Floor>,
    opener: &'a dyn Opener,
    faults: Vec<Fault>,
    continue_on_error: bool,
    rate: Rate,
    latency: Recent,
}

impl<'a> Run<'a> {
    fn new(plan: &Plan, options: &RunOptions, engine: &Engine, opener: &'a dyn Opener) -> Self {
        let now = Instant::now();
        let (floor, faults) = ready::floor(plan, options, engine, now);
        let this = Self {
            floor: Arc::new(floor),
            opener,
            faults,
            continue_on_error: options.execution.continue_on_error,
            rate: Rate::default(),
            latency: Recent::new(now),
        };
        if !this.faults.is_empty() && !this.continue_on_error {
            this.floor.ledger.halt(NotSent::GivenUp);
        }
        this
    }

    /// Renders and hands over until every event has ended or the run is halted.
    async fn work(
        &mut self,
        options: &RunOptions,
        stop: &CancellationToken,
        progress: &impl Fn(Arc<RunProgress>),
    ) -> Vec<Steps> {
        let floor = Arc::clone(&self.floor);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let renderers = cores.min(options.execution.parallel_workers.max(1) as usize);
        let mut working: FuturesUnordered<_> = (0..renderers)
            .map(|_| {
                let floor = Arc::clone(&floor);
                tokio::task::spawn_blocking(move || floor.work())
            })
            .collect();
        let mut steps = vec![Steps::default(); floor.pairs.len()];
        let mut openings = FuturesUnordered::new();
        let mut opening = vec![false; floor.lanes.len()];
        let mut tick = tokio::time::interval(PROGRESS_EVERY);
        let deadline = tokio::time::sleep(options.timeout.unwrap_or(Duration::MAX));
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if floor.ledger.halted().is_none() => floor.ledger.halt(NotSent::Stopped),
                () = &mut deadline, if options.timeout.is_some() && floor.ledger.halted().is_none() => {
                    floor.ledger.halt(NotSent::TimedOut);
                }
                done = working.next() => match done {
                    Some(Ok(more)) => steps.iter_mut().zip(&more).for_each(|(steps, more)| steps.merge(more)),
                    Some(Err(panic)) => {
                        // The other renderers end first, and then it is told as what it is: a defect.
                        floor.ledger.halt(NotSent::GivenUp);
                        while working.next().await.is_some() {}
                        std::panic::resume_unwind(panic.into_panic());
                    }
                    None => return steps,
                },
                Some((lane, outcome)) = openings.next() => self.opened(lane, outcome),
                () = floor.wanted.notified() => {
                    for (index, lane) in floor.lanes.iter().enumerate() {
                        if lane.is_wanted() && !opening[index] {
                            opening[index] = true;
                            let spec = lane.spec.clone();
                            let opener = self.opener;
                            openings.push(async move { (index, opener.open(spec).await) });
                        }
                    }
                }
                _ = tick.tick() => self.tell(progress),
            }
        }
    }

    fn opened(&mut self, lane: usize, outcome: Result<Box<dyn lane::Open>, Fault>) {
        let fault = match outcome {
            Ok(open) => return self.floor.lanes[lane].opened(open),
            Err(fault) => fault,
        };
        let cause = Cause::from(&fault);
        self.faults.push(fault);
        let mut schedule = self.floor.schedule.hold();
        for pair in schedule.pairs_on(lane) {
            let events = schedule.give_up(pair);
            self.floor.ledger.failed(pair, events, &cause);
        }
        if !self.continue_on_error {
            self.floor.ledger.halt(NotSent::GivenUp);
        }
    }

    /// Counts what was never begun, and waits for what is in flight.
    async fn drain(&mut self, progress: &impl Fn(Arc<RunProgress>)) {
        let floor = Arc::clone(&self.floor);
        if let Some(why) = floor.ledger.halted() {
            let mut schedule = floor.schedule.hold();
            for pair in 0..floor.pairs.len() {
                floor.ledger.not_sent(pair, schedule.give_up(pair), why);
            }
        }
        let (began, mut told, mut abandoned) = (Instant::now(), Instant::now(), false);
        while floor.ledger.in_flight_everywhere() > 0 {
            for retry in floor.ledger.retries.take_all() {
                let bytes = retry.message.bytes() as u64;
                floor.ledger.failed_after_sending(retry.pair, bytes, &retry.cause);
                floor.ledger.returns(retry.lane, 1);
            }
            let waited = began.elapsed();
            if waited > DRAIN_MAX && !abandoned {
                abandoned = true;
                floor.lanes.iter().flat_map(Lane::slots).for_each(|slot| slot.outbound.abandon());
            }
            if waited > DRAIN_MAX + ABANDON_MAX {
                break;
            }
            let hurried = Arc::clone(&floor);
            tokio::task::spawn_blocking(move || {
                hurried.lanes.iter().flat_map(Lane::slots).for_each(|slot| slot.outbound.hurry());
            })
            .await
            .ok();
            tokio::time::sleep(DRAIN_SLICE).await;
            if told.elapsed() >= PROGRESS_EVERY {
                told = Instant::now();
                self.tell(progress);
            }
        }
    }

    async fn finish(
        mut self,
        plan: &Plan,
        options: &RunOptions,
        mut steps: Vec<Steps>,
        progress: &impl Fn(Arc<RunProgress>),
    ) -> RunReport {
        for slot in self.floor.lanes.iter().flat_map(Lane::slots) {
            let times = slot.desk.times();
            steps.iter_mut().zip(&times).for_each(|(steps, times)| steps.acknowledge.merge(times));
        }
        // Producers are closed before the last count: an answer may still come until then.
        let Self { floor, faults, .. } = &mut self;
        let ledger = Arc::clone(&floor.ledger);
        let faults = std::mem::take(faults);
        self.rate = Rate::default();
        let floor = self.floor;
        tokio::task::spawn_blocking(move || drop(floor)).await.ok();
        let silent = Cause { blame: Blame::Program, text: "the client gave no answer".into() };
        for pair in 0..ledger.pairs() {
            ledger.failed(pair, ledger.counts(pair).open(), &silent);
        }
        progress(Arc::new(ledger.progress(0.0)));
        RunReport::new(plan, options, &ledger, &steps, faults)
    }

    fn tell(&mut self, progress: &impl Fn(Arc<RunProgress>)) {
        let ledger = &self.floor.ledger;
        let acknowledged = (0..ledger.pairs()).map(|pair| ledger.counts(pair).acknowledged).sum();
        let now = Instant::now();
        let rate = self.rate.per_second(now, acknowledged);
        let latency = self.latency.of(now, &self.floor.lanes);
        progress(Arc::new(RunProgress { latency, ..ledger.progress(rate) }));
    }
}

#[cfg(test)]
mod tests;
