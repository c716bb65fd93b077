//! From the loaded configuration to a registry and to the environments a plan may use. It reads no file itself.

use crate::config::{Config, Loaded};
use crate::core::environment::{Environment, Guard};

use super::plan::Target;
use super::registry::Registry;

impl Registry {
    /// Every ETL of the configuration, broken ones with their first fault.
    pub fn load_all(config: &Config) -> Self {
        let mut registry = Self::new();
        for loaded in &config.etls {
            registry.add(&loaded.file, loaded.preview().map(|etl| (**etl).clone()));
        }
        registry
    }
}

impl Target {
    /// Every environment of the configuration, in its order. One that lacks a variable is broken, save for a dry run.
    pub fn all(config: &Config, dry_run: bool) -> Vec<Self> {
        config.environments.iter().map(|loaded| Self::of(loaded, dry_run)).collect()
    }

    /// One environment.
    pub fn of(loaded: &Loaded<Environment>, dry_run: bool) -> Self {
        let usable = if dry_run { loaded.preview() } else { loaded.ready() };
        let readable = loaded.preview().ok();
        Self {
            name: loaded.name.clone(),
            guard: readable.map_or_else(|| Guard::default_for(&loaded.name), |environment| environment.guard()),
            rate_limit_events_per_second: readable.and_then(|environment| environment.rate_limit_events_per_second),
            fault: usable.err(),
        }
    }
}
