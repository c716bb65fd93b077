//! How a run is carried out: `config/runner.yaml` and the flags of `velox-tui run`, with the document's defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `config/runner.yaml`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunnerConfig {
    /// Workers, batches, retries.
    pub execution: Execution,
    /// What to run.
    pub filters: Filters,
    /// How much to run.
    pub limits: Limits,
    /// Context of every template, above an ETL's variables.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    pub context: Map<String, Value>,
    /// Render, do not send, open no connection.
    pub dry_run: bool,
    /// More log lines of `velox-tui run`, as its `--verbose`; the console's log has them always.
    pub verbose: bool,
    /// Rendered payloads go to the log (dry run: to the output).
    pub log_payloads: bool,
}

/// `execution:`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Execution {
    /// ETL x environment pairs at once.
    pub parallel_workers: u32,
    /// Events a batch.
    pub batch_size: u32,
    /// A batch that is not full goes after this, milliseconds.
    pub batch_timeout_ms: u32,
    /// Attempts after the first.
    pub max_retries: u32,
    /// First pause between attempts, milliseconds; doubles, with jitter.
    pub retry_backoff_ms: u32,
    /// Producers an environment.
    pub connection_pool_size: u32,
    /// Stop everything at the first failed event.
    pub fail_fast: bool,
    /// Go on with the other pairs when one cannot run at all.
    pub continue_on_error: bool,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            parallel_workers: 10,
            batch_size: 100,
            batch_timeout_ms: 5_000,
            max_retries: 3,
            retry_backoff_ms: 100,
            connection_pool_size: 5,
            fail_fast: false,
            continue_on_error: true,
        }
    }
}

/// `filters:`; an empty list means all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Only these environments.
    pub environments: Vec<String>,
    /// Only these categories.
    pub categories: Vec<String>,
    /// Only these ETLs.
    pub etls: Vec<String>,
    /// Not these environments.
    pub exclude_environments: Vec<String>,
    /// Not these categories.
    pub exclude_categories: Vec<String>,
    /// Not these ETLs.
    pub exclude_etls: Vec<String>,
}

impl Filters {
    /// Whether an ETL of a category runs in an environment.
    pub fn matches(&self, etl: &super::etl::Etl, environment: &str) -> bool {
        self.matches_etl(&etl.name) && self.matches_category(&etl.category) && self.matches_environment(environment)
    }

    /// Whether an environment is let through.
    pub fn matches_environment(&self, environment: &str) -> bool {
        lets_through(&self.environments, &self.exclude_environments, environment)
    }

    /// Whether a category is let through.
    pub fn matches_category(&self, category: &str) -> bool {
        lets_through(&self.categories, &self.exclude_categories, category)
    }

    /// Whether an ETL's name is let through.
    pub fn matches_etl(&self, etl: &str) -> bool {
        lets_through(&self.etls, &self.exclude_etls, etl)
    }
}

fn lets_through(only: &[String], never: &[String], name: &str) -> bool {
    (only.is_empty() || only.iter().any(|one| one == name)) && !never.iter().any(|one| one == name)
}

/// `limits:`; absent means no limit. Cuts are made in registry order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Events of one ETL over all its environments.
    pub max_events_per_etl: Option<u64>,
    /// Events into one environment over all ETLs.
    pub max_events_per_environment: Option<u64>,
    /// Events in all.
    pub max_total_events: Option<u64>,
    /// ETLs.
    pub max_etls: Option<u32>,
    /// Environments.
    pub max_environments: Option<u32>,
    /// Seconds for the run.
    pub timeout_seconds: Option<u64>,
    /// Seconds for one ETL in one environment.
    pub timeout_per_etl_seconds: Option<u64>,
}

/// Which events a run makes of each ETL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventConfig {
    /// Events, or passes over `iterate_over`.
    pub count: u64,
    /// Context of each event, above the run's.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    pub event_context: Map<String, Value>,
    /// Key of the context that names a list: one event an item.
    pub iterate_over: Option<String>,
    /// Pause between two events of one ETL in one environment, milliseconds.
    pub delay_ms: u64,
}

impl Default for EventConfig {
    fn default() -> Self {
        Self { count: 1, event_context: Map::new(), iterate_over: None, delay_ms: 0 }
    }
}
