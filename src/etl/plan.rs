//! What a run will do, computed before anything is sent: which ETL sends how many events where, what was cut and what
//! is left out, and why. Pure: it opens nothing and asks nothing.

mod limits;
mod skipped;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use minijinja::Value;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::core::environment::Guard;
use crate::core::etl::Etl;
use crate::core::fault::Fault;
use crate::core::runner::{EventConfig, Limits, RunnerConfig};

use super::context::Layers;
use super::registry::{Registry, unknown};
use limits::Left;
pub use limits::{Cut, Limit};
pub use skipped::Skipped;
use skipped::{Why, nothing_to_run};

/// What somebody asks for. As YAML it is a preset.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// `runner.yaml` with the flags laid over it.
    pub runner: RunnerConfig,
    /// Which events.
    pub events: EventConfig,
    /// The run's context, above the runner's.
    pub context: Map<String, serde_json::Value>,
    /// Most events a second in each environment; an environment's own limit holds too.
    pub rate_events_per_second: Option<u32>,
}

/// An environment as a plan sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Name.
    pub name: String,
    /// How much care it needs.
    pub guard: Guard,
    /// Most events a second.
    pub rate_limit_events_per_second: Option<u32>,
    /// Why it cannot be used, if it cannot.
    pub fault: Option<Fault>,
}

/// One ETL in one environment.
#[derive(Debug, Clone)]
pub struct PlannedPair {
    /// ETL.
    pub etl: Arc<Etl>,
    /// The file the ETL is defined in.
    pub file: Arc<str>,
    /// Environment.
    pub environment: Arc<str>,
    /// Topic.
    pub topic: Arc<str>,
    /// Events that will be made, after all cuts.
    pub events: u64,
    /// How much care the environment needs.
    pub guard: Guard,
    /// What a limit took away.
    pub cut: Option<Cut>,
    /// The environment's own limit of events a second.
    pub rate_limit_events_per_second: Option<u32>,
    pub(super) layers: Layers,
    pub(super) items: Option<Arc<[Value]>>,
}

/// What a run will do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Pairs in registry order, then in the order of the environments.
    pub pairs: Vec<PlannedPair>,
    /// What is left out.
    pub skipped: Vec<Skipped>,
    /// Events of all pairs.
    pub total: u64,
    /// How long planning took.
    pub took: Duration,
}

impl Plan {
    /// Plans a request. A name that is not known, and a request of which nothing can run, are the operator's fault.
    pub fn make(registry: &Registry, targets: &[Target], request: &Request) -> Result<Self, Fault> {
        let began = Instant::now();
        refuse_unknown_names(registry, targets, request)?;
        let mut planning = Planning { targets, request, skipped: Vec::new() };
        let mut wanted: Vec<PlannedPair> = Vec::new();
        for entry in registry.entries() {
            match &entry.etl {
                Ok(etl) => wanted.extend(planning.pairs_of(etl, entry.file.as_deref().unwrap_or(REGISTERED))),
                Err(fault) if request.runner.filters.matches_etl(&entry.name) => {
                    planning.skip(&entry.name, None, Why::Broken(fault.clone()));
                }
                Err(_) => {}
            }
        }
        let pairs = planning.cut(wanted);
        let skipped = planning.skipped;
        if pairs.is_empty() {
            return Err(nothing_to_run(&skipped));
        }
        let total = pairs.iter().map(|pair| pair.events).sum();
        Ok(Self { pairs, skipped, total, took: began.elapsed() })
    }

    /// Environments that must be confirmed before anything is sent, each once, in plan order.
    pub fn guarded(&self) -> Vec<(Arc<str>, Guard)> {
        let mut guarded: Vec<(Arc<str>, Guard)> = Vec::new();
        for pair in self.pairs.iter().filter(|pair| pair.guard != Guard::None) {
            if !guarded.iter().any(|(name, _)| *name == pair.environment) {
                guarded.push((Arc::clone(&pair.environment), pair.guard));
            }
        }
        guarded
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for pair in &self.pairs {
            let (etl, environment, topic) = (&pair.etl.name, &pair.environment, &pair.topic);
            write!(f, "{} of {etl} to {environment} ({topic})", Events(pair.events))?;
            if let Some(cut) = pair.cut {
                write!(f, ", {} fewer because of {}", cut.events, cut.limit.name())?;
            }
            writeln!(f)?;
        }
        for skipped in &self.skipped {
            writeln!(f, "not {skipped}")?;
        }
        write!(f, "{} in all", Events(self.total))
    }
}

struct Events(u64);

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} event{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

fn refuse_unknown_names(registry: &Registry, targets: &[Target], request: &Request) -> Result<(), Fault> {
    let filters = &request.runner.filters;
    for name in &filters.etls {
        if registry.entry(name).is_none() {
            return Err(unknown("ETL", name, registry.names().into_iter()));
        }
    }
    for name in &filters.environments {
        if !targets.iter().any(|target| target.name == *name) {
            return Err(unknown("environment", name, targets.iter().map(|target| target.name.as_str())));
        }
    }
    for name in &filters.categories {
        if !registry.categories().contains(name.as_str()) {
            return Err(unknown("category", name, registry.categories().into_iter()));
        }
    }
    Ok(())
}

/// What stands for the file of an ETL that a program registered.
const REGISTERED: &str = "a registered ETL";

struct Planning<'a> {
    targets: &'a [Target],
    request: &'a Request,
    skipped: Vec<Skipped>,
}

impl Planning<'_> {
    fn skip(&mut self, etl: &str, environment: Option<&str>, why: Why) {
        self.skipped.push(Skipped::new(etl, environment, &why));
    }

    /// The pairs of one ETL that filters and definitions let through, before limits.
    fn pairs_of(&mut self, etl: &Arc<Etl>, file: &str) -> Vec<PlannedPair> {
        let filters = &self.request.runner.filters;
        if !filters.matches_etl(&etl.name) || !filters.matches_category(&etl.category) {
            return Vec::new();
        }
        if !etl.enabled {
            self.skip(&etl.name, None, Why::Disabled);
            return Vec::new();
        }
        let Request { runner, events, context, .. } = self.request;
        let layers = Layers::of([&etl.variables, &runner.context, context, &events.event_context]);
        let items = match events.iterate_over.as_ref().map(|name| layers.items(name)).transpose() {
            Ok(items) => items,
            Err(why) => {
                self.skip(&etl.name, None, Why::NoList(why));
                return Vec::new();
            }
        };
        let passes = items.as_ref().map_or(1, |items| items.len() as u64);
        let wanted = events.count.saturating_mul(passes);
        let mut pairs = Vec::new();
        for target in self.targets.iter().filter(|target| filters.matches_environment(&target.name)) {
            if let Some(topic) = self.topic_in(etl, target) {
                pairs.push(PlannedPair {
                    etl: Arc::clone(etl),
                    file: file.into(),
                    environment: target.name.as_str().into(),
                    topic,
                    events: wanted,
                    guard: target.guard,
                    cut: None,
                    rate_limit_events_per_second: target.rate_limit_events_per_second,
                    layers: layers.clone(),
                    items: items.clone(),
                });
            }
        }
        pairs
    }

    /// The topic of an ETL in an environment, or a stated skip.
    fn topic_in(&mut self, etl: &Etl, target: &Target) -> Option<Arc<str>> {
        let named = self.request.runner.filters.environments.contains(&target.name);
        let Some(topic) = etl.topics.get(&target.name) else {
            if named {
                self.skip(&etl.name, Some(&target.name), Why::NoTopic);
            }
            return None;
        };
        if let Some(fault) = &target.fault {
            self.skip(&etl.name, Some(&target.name), Why::Unusable(fault.clone()));
            return None;
        }
        if target.guard == Guard::ReadOnly && !self.request.runner.dry_run {
            self.skip(&etl.name, Some(&target.name), Why::ReadOnly);
            return None;
        }
        Some(topic.as_str().into())
    }

    /// Cuts in registry order: what comes first is served first.
    fn cut(&mut self, wanted: Vec<PlannedPair>) -> Vec<PlannedPair> {
        let limits = self.request.runner.limits;
        let environments = self.environments_within(&wanted, &limits);
        let mut left = Left::of(&limits);
        let mut etls: Vec<String> = Vec::new();
        let mut pairs = Vec::new();
        for mut pair in wanted {
            let (name, environment) = (pair.etl.name.clone(), Arc::clone(&pair.environment));
            if !environments.contains(&environment) {
                self.skip(&name, Some(&environment), Why::Cut(Limit::Environments));
                continue;
            }
            if !etls.contains(&name) {
                if limits.max_etls.is_some_and(|most| etls.len() >= most as usize) {
                    self.skip(&name, Some(&environment), Why::Cut(Limit::Etls));
                    continue;
                }
                etls.push(name.clone());
            }
            let asked = pair.events;
            let (events, limit) = left.take(&name, &environment, asked);
            if let Some(limit) = limit {
                if events == 0 {
                    self.skip(&name, Some(&environment), Why::Cut(limit));
                    continue;
                }
                pair.cut = Some(Cut { limit, events: asked - events });
            }
            pair.events = events;
            pairs.push(pair);
        }
        pairs
    }

    fn environments_within(&self, wanted: &[PlannedPair], limits: &Limits) -> Vec<Arc<str>> {
        let served = self.targets.iter().filter_map(|target| {
            wanted.iter().find(|pair| *pair.environment == *target.name).map(|pair| Arc::clone(&pair.environment))
        });
        served.take(limits.max_environments.map_or(usize::MAX, |most| most as usize)).collect()
    }
}

#[cfg(test)]
mod tests;
