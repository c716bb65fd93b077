//! Flags of `run`, and how they are laid over `runner.yaml`: a flag that is given wins, one that is not leaves the file.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::ContextArguments;
use crate::cli::guard::GuardArguments;
use crate::core::runner::{EventConfig, RunnerConfig};

/// Flags of `run`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArguments {
    /// Render, do not send, open no connection; needs neither a broker nor credentials
    #[arg(long)]
    pub dry_run: bool,
    /// Payloads go to the log; with --dry-run to the output
    #[arg(long)]
    pub log_payloads: bool,
    /// Timings by step and by ETL and environment, not only the summary
    #[arg(long)]
    pub detailed: bool,
    /// Write the report to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// What is lifted.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// What to run.
    #[command(flatten)]
    pub filters: FilterArguments,
    /// Which events.
    #[command(flatten)]
    pub events: EventArguments,
    /// Context of the templates.
    #[command(flatten)]
    pub context: ContextArguments,
    /// How much at most.
    #[command(flatten)]
    pub limits: LimitArguments,
    /// How.
    #[command(flatten)]
    pub execution: ExecutionArguments,
}

/// What to run. Lists take commas or are given again; a flag replaces the list of `runner.yaml`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What to run (with --environment; all where absent)")]
pub struct FilterArguments {
    /// Only these ETLs
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub etl: Vec<String>,
    /// Only these categories
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub category: Vec<String>,
    /// Not these ETLs
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub exclude_etl: Vec<String>,
    /// Not these categories
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub exclude_category: Vec<String>,
    /// Not these environments
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub exclude_environment: Vec<String>,
}

/// Which events a run makes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Events")]
pub struct EventArguments {
    /// Events of each ETL in each environment, or passes over --iterate-over [default: 1]
    #[arg(short = 'n', long, value_name = "N")]
    pub count: Option<u64>,
    /// One event for each item of this list of the context
    #[arg(long, value_name = "KEY")]
    pub iterate_over: Option<String>,
    /// Pause between two events of one ETL in one environment, milliseconds
    #[arg(long, value_name = "MS")]
    pub delay_ms: Option<u64>,
    /// Events a second into each environment at most; the environment's own limit holds where it is lower
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
}

/// How much at most; cuts are made in the order of the registry, before anything is sent.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArguments {
    /// Events of one ETL over all its environments
    #[arg(long, value_name = "N")]
    pub max_events_per_etl: Option<u64>,
    /// Events into one environment over all ETLs
    #[arg(long, value_name = "N")]
    pub max_events_per_environment: Option<u64>,
    /// Events in all
    #[arg(long, value_name = "N")]
    pub max_total_events: Option<u64>,
    /// ETLs
    #[arg(long, value_name = "N")]
    pub max_etls: Option<u32>,
    /// Environments
    #[arg(long, value_name = "N")]
    pub max_environments: Option<u32>,
    /// Seconds for the run
    #[arg(long = "timeout", value_name = "SECONDS")]
    pub timeout_seconds: Option<u64>,
    /// Seconds for one ETL in one environment
    #[arg(long = "timeout-per-etl", value_name = "SECONDS")]
    pub timeout_per_etl_seconds: Option<u64>,
}

/// How a run is carried out.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Execution")]
pub struct ExecutionArguments {
    /// ETL and environment pairs at once
    #[arg(long, value_name = "N")]
    pub parallel_workers: Option<u32>,
    /// Events a batch
    #[arg(long, value_name = "N")]
    pub batch_size: Option<u32>,
    /// A batch that is not full goes after this, milliseconds
    #[arg(long, value_name = "MS")]
    pub batch_timeout_ms: Option<u32>,
    /// Attempts after the first
    #[arg(long, value_name = "N")]
    pub max_retries: Option<u32>,
    /// First pause between attempts, milliseconds; doubles, with jitter
    #[arg(long, value_name = "MS")]
    pub retry_backoff_ms: Option<u32>,
    /// Producers an environment
    #[arg(long, value_name = "N")]
    pub connection_pool_size: Option<u32>,
    /// Stop everything at the first failed event
    #[arg(long)]
    pub fail_fast: bool,
    /// Whether the other pairs go on when one cannot run at all
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub continue_on_error: Option<bool>,
}

impl RunArguments {
    /// The runner's configuration with every given flag laid over it. The context is not: it is a layer of its own.
    pub fn over(&self, mut runner: RunnerConfig, environments: &[String], verbose: bool) -> RunnerConfig {
        runner.dry_run |= self.dry_run;
        runner.log_payloads |= self.log_payloads;
        runner.verbose |= verbose;

        let filters = &mut runner.filters;
        replace(&mut filters.environments, environments);
        replace(&mut filters.etls, &self.filters.etl);
        replace(&mut filters.categories, &self.filters.category);
        replace(&mut filters.exclude_etls, &self.filters.exclude_etl);
        replace(&mut filters.exclude_categories, &self.filters.exclude_category);
        replace(&mut filters.exclude_environments, &self.filters.exclude_environment);

        let limits = &mut runner.limits;
        limits.max_events_per_etl = self.limits.max_events_per_etl.or(limits.max_events_per_etl);
        limits.max_events_per_environment =
            self.limits.max_events_per_environment.or(limits.max_events_per_environment);
        limits.max_total_events = self.limits.max_total_events.or(limits.max_total_events);
        limits.max_etls = self.limits.max_etls.or(limits.max_etls);
        limits.max_environments = self.limits.max_environments.or(limits.max_environments);
        limits.timeout_seconds = self.limits.timeout_seconds.or(limits.timeout_seconds);
        limits.timeout_per_etl_seconds = self.limits.timeout_per_etl_seconds.or(limits.timeout_per_etl_seconds);

        let (execution, flags) = (&mut runner.execution, &self.execution);
        execution.parallel_workers = flags.parallel_workers.unwrap_or(execution.parallel_workers);
        execution.batch_size = flags.batch_size.unwrap_or(execution.batch_size);
        execution.batch_timeout_ms = flags.batch_timeout_ms.unwrap_or(execution.batch_timeout_ms);
        execution.max_retries = flags.max_retries.unwrap_or(execution.max_retries);
        execution.retry_backoff_ms = flags.retry_backoff_ms.unwrap_or(execution.retry_backoff_ms);
        execution.connection_pool_size = flags.connection_pool_size.unwrap_or(execution.connection_pool_size);
        execution.fail_fast |= flags.fail_fast;
        execution.continue_on_error = flags.continue_on_error.unwrap_or(execution.continue_on_error);
        runner
    }

    /// The events asked for.
    pub fn events(&self) -> EventConfig {
        let plain = EventConfig::default();
        EventConfig {
            count: self.events.count.unwrap_or(plain.count),
            iterate_over: self.events.iterate_over.clone(),
            delay_ms: self.events.delay_ms.unwrap_or(plain.delay_ms),
            event_context: plain.event_context,
        }
    }
}

fn replace(list: &mut Vec<String>, given: &[String]) {
    if !given.is_empty() {
        given.clone_into(list);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArguments,
    }

    fn laid_over(flags: &[&str], runner: RunnerConfig) -> RunnerConfig {
        let line = Line::try_parse_from([&["run"], flags].concat()).expect("known flags");
        line.run.over(runner, &[], true)
    }

    #[test]
    fn a_flag_wins_over_the_file_and_silence_leaves_it() {
        let mut file = RunnerConfig::default();
        file.limits.max_total_events = Some(10);
        file.limits.max_etls = Some(1);
        file.filters.etls = vec!["from_file".into()];
        file.execution.batch_size = 7;
        let runner =
            laid_over(&["--max-total-events", "5", "--etl", "a,b", "--etl", "c", "--continue-on-error=false"], file);
        assert_eq!(runner.limits.max_total_events, Some(5));
        assert_eq!(runner.limits.max_etls, Some(1));
        assert_eq!(runner.filters.etls, ["a", "b", "c"]);
        assert_eq!((runner.execution.batch_size, runner.execution.continue_on_error), (7, false));
    }

    #[test]
    fn every_setting_of_the_runner_has_a_flag() {
        let flags = [
            "--dry-run",
            "--log-payloads",
            "--category",
            "c",
            "--exclude-etl",
            "e",
            "--exclude-category",
            "x",
            "--exclude-environment",
            "prod",
            "--max-events-per-etl",
            "1",
            "--max-events-per-environment",
            "2",
            "--max-environments",
            "3",
            "--timeout",
            "4",
            "--timeout-per-etl",
            "5",
            "--parallel-workers",
            "6",
            "--batch-timeout-ms",
            "7",
            "--max-retries",
            "8",
            "--retry-backoff-ms",
            "9",
            "--connection-pool-size",
            "10",
            "--fail-fast",
        ];
        let runner = laid_over(&flags, RunnerConfig::default());
        assert!(runner.dry_run && runner.log_payloads && runner.verbose && runner.execution.fail_fast);
        assert_eq!(runner.filters.categories, ["c"]);
        assert_eq!(runner.filters.exclude_etls, ["e"]);
        assert_eq!(runner.filters.exclude_categories, ["x"]);
        assert_eq!(runner.filters.exclude_environments, ["prod"]);
        assert_eq!(runner.limits.max_events_per_etl, Some(1));
        assert_eq!(runner.limits.max_events_per_environment, Some(2));
        assert_eq!(runner.limits.max_environments, Some(3));
        assert_eq!((runner.limits.timeout_seconds, runner.limits.timeout_per_etl_seconds), (Some(4), Some(5)));
        assert_eq!((runner.execution.parallel_workers, runner.execution.batch_timeout_ms), (6, 7));
        assert_eq!((runner.execution.max_retries, runner.execution.retry_backoff_ms), (8, 9));
        assert_eq!(runner.execution.connection_pool_size, 10);
    }
}
