//! The limits of a run, and what each still allows while a plan is cut in registry order. Values only.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::core::runner::Limits;

/// Events that a limit took away from a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// The limit that left the least.
    pub limit: Limit,
    /// Events that will not be made.
    pub events: u64,
}

/// The limits that cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `max_events_per_etl`.
    EventsPerEtl,
    /// `max_events_per_environment`.
    EventsPerEnvironment,
    /// `max_total_events`.
    TotalEvents,
    /// `max_etls`.
    Etls,
    /// `max_environments`.
    Environments,
}

impl Limit {
    /// Its name in `runner.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EventsPerEtl => "max_events_per_etl",
            Self::EventsPerEnvironment => "max_events_per_environment",
            Self::TotalEvents => "max_total_events",
            Self::Etls => "max_etls",
            Self::Environments => "max_environments",
        }
    }
}

/// What the three limits of events still allow.
pub(super) struct Left {
    limits: Limits,
    by_etl: HashMap<String, u64>,
    by_environment: HashMap<Arc<str>, u64>,
    total: u64,
}

impl Left {
    pub fn of(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            by_etl: HashMap::new(),
            by_environment: HashMap::new(),
            total: limits.max_total_events.unwrap_or(u64::MAX),
        }
    }

    /// As many events as all limits allow, and the limit that allowed fewer than were asked for.
    pub fn take(&mut self, etl: &str, environment: &Arc<str>, asked: u64) -> (u64, Option<Limit>) {
        let per_etl = self.limits.max_events_per_etl.unwrap_or(u64::MAX);
        let per_environment = self.limits.max_events_per_environment.unwrap_or(u64::MAX);
        let of_etl = self.by_etl.entry(etl.to_owned()).or_insert(per_etl);
        let of_environment = self.by_environment.entry(Arc::clone(environment)).or_insert(per_environment);
        let allowed = [
            (*of_etl, Limit::EventsPerEtl),
            (*of_environment, Limit::EventsPerEnvironment),
            (self.total, Limit::TotalEvents),
        ];
        let (least, limit) = allowed.into_iter().min_by_key(|(events, _)| *events).unwrap_or(allowed[2]);
        let events = asked.min(least);
        *of_etl -= events;
        *of_environment -= events;
        self.total -= events;
        (events, (events < asked).then_some(limit))
    }
}
