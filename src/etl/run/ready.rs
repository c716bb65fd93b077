//! What a plan becomes before its first event: accounts, connections, templates and the schedule. Opens nothing and
//! starts nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::core::fault::Fault;
use crate::core::runner::Execution;
use crate::etl::plan::{Plan, PlannedPair};
use crate::template::Engine;

use super::RunOptions;
use super::lane::{Lane, LaneSpec};
use super::ledger::{Account, Cause, Ledger};
use super::render::{self, Material, Templates};
use super::schedule::{Schedule, Work};
use super::worker::{Floor, FloorPair, Turns};

/// The floor that renderers work on, and what does not compile: the pairs of it have failed already.
pub(super) fn floor(plan: &Plan, options: &RunOptions, engine: &Engine, now: Instant) -> (Floor, Vec<Fault>) {
    let execution = &options.execution;
    let (lanes, lane_of) = lanes(plan, execution.connection_pool_size);
    let accounts = plan.pairs.iter().map(|pair| account(pair, execution)).collect();
    let ledger = Arc::new(Ledger::new(accounts, lanes.len(), execution.fail_fast, now));
    let mut prepared = Prepared { faults: Vec::new(), templates: HashMap::new(), engine };
    let pairs: Vec<FloorPair> =
        plan.pairs.iter().zip(&lane_of).map(|(pair, lane)| prepared.pair(pair, *lane)).collect();
    let mut schedule = scheduled(plan, options, &lane_of, now);
    for (index, (pair, made)) in plan.pairs.iter().zip(&pairs).enumerate() {
        if let Err(cause) = &made.material {
            schedule.give_up(index);
            ledger.failed(index, pair.events, cause);
        }
    }
    let floor = Floor {
        ledger,
        schedule: Mutex::new(schedule),
        lanes,
        pairs,
        wanted: tokio::sync::Notify::new(),
        on_event: options.on_event.clone(),
        batch_timeout: Duration::from_millis(u64::from(execution.batch_timeout_ms.max(1))),
    };
    (floor, prepared.faults)
}

struct Prepared<'a> {
    faults: Vec<Fault>,
    templates: HashMap<String, Result<Templates, Cause>>,
    engine: &'a Engine,
}

impl Prepared<'_> {
    fn pair(&mut self, pair: &PlannedPair, lane: usize) -> FloorPair {
        let templates = self.templates.entry(pair.etl.name.clone()).or_insert_with(|| {
            Templates::compile(self.engine, &pair.etl, &pair.file).map_err(|fault| {
                let cause = render::cause_of(&fault);
                self.faults.push(fault.into());
                cause
            })
        });
        FloorPair {
            lane,
            etl: pair.etl.name.clone(),
            environment: Arc::clone(&pair.environment),
            material: templates.clone().map(|templates| Material::of(pair, templates)),
            turns: Turns::default(),
        }
    }
}

fn account(pair: &PlannedPair, execution: &Execution) -> Account {
    Account {
        etl: pair.etl.name.clone(),
        environment: pair.environment.to_string(),
        topic: pair.topic.to_string(),
        planned: pair.events,
        max_retries: pair.etl.max_retries.unwrap_or(execution.max_retries),
        retry_backoff_ms: pair.etl.retry_backoff_ms.unwrap_or(execution.retry_backoff_ms),
        partition: pair.etl.partition,
    }
}

/// One lane an environment, and one for each pair whose ETL has settings of its own; and each pair's lane.
fn lanes(plan: &Plan, pool: u32) -> (Vec<Lane>, Vec<usize>) {
    let mut known: HashMap<(Arc<str>, Option<String>), usize> = HashMap::new();
    let mut lanes = Vec::new();
    let lane_of = plan.pairs.iter().map(|pair| {
        let own = (pair.etl.auth_override.is_some() || !pair.etl.extra.is_empty()).then(|| Arc::clone(&pair.etl));
        let name = own.as_ref().map(|etl| etl.name.clone());
        *known.entry((Arc::clone(&pair.environment), name)).or_insert_with(|| {
            lanes.push(Lane::new(LaneSpec { environment: Arc::clone(&pair.environment), own }, pool));
            lanes.len() - 1
        })
    });
    let lane_of = lane_of.collect();
    (lanes, lane_of)
}

fn scheduled(plan: &Plan, options: &RunOptions, lane_of: &[usize], now: Instant) -> Schedule {
    let mut environments: Vec<Arc<str>> = Vec::new();
    let mut rates = Vec::new();
    let mut etls: HashMap<&str, usize> = HashMap::new();
    let works = plan.pairs.iter().zip(lane_of).map(|(pair, lane)| {
        let environment = environments.iter().position(|name| *name == pair.environment).unwrap_or_else(|| {
            environments.push(Arc::clone(&pair.environment));
            let limits = [options.rate_events_per_second, pair.rate_limit_events_per_second];
            rates.push(limits.into_iter().flatten().min());
            environments.len() - 1
        });
        let number = etls.len();
        let etl = *etls.entry(&pair.etl.name).or_insert(number);
        Work {
            events: pair.events,
            batch: pair.etl.batch_size.unwrap_or(options.execution.batch_size),
            environment,
            lane: *lane,
            alone: (!pair.etl.parallel).then_some(etl),
            delay: options.delay,
            timeout: options.timeout_per_etl,
        }
    });
    let works: Vec<Work> = works.collect();
    Schedule::new(works, &rates, options.execution.parallel_workers, now)
}
