//! Flags of `consume`.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::callback::{Callback, Protocol};
use crate::cli::guard::GuardArguments;
use crate::cli::records::json::Values;
use crate::cli::records::print::Pattern;
use crate::core::environment::OffsetReset;
use crate::kafka::backoff::Backoff;
use crate::kafka::consumer::{CONCURRENCY_MAX, ConsumeSettings, Exhausted, OnError};

/// Flags of `consume`.
#[derive(Debug, Clone, Args)]
pub struct ConsumeArguments {
    /// Topics to subscribe to; ^… is a pattern
    #[arg(required = true, value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Consumer group [default: consumer.group_id of the environment]
    #[arg(long, short = 'g', value_name = "NAME")]
    pub group: Option<String>,
    /// Where a group without a commit starts [default: the environment's]
    #[arg(long, value_enum, value_name = "WHERE")]
    pub from: Option<Start>,
    /// What happens to a record that cannot be processed
    #[arg(long, value_enum, default_value_t)]
    pub on_error: Mode,
    /// With --on-error retry: attempts after the first
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub max_retries: u32,
    /// With --on-error retry: the first pause, milliseconds; doubles up to 30 seconds, with jitter
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub retry_backoff_ms: u64,
    /// With --on-error retry: what happens after the last attempt
    #[arg(long, value_enum, default_value_t)]
    pub then: Then,
    /// End after this many records
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Records processed at the same time; those of a partition with the same key stay in order
    #[arg(long, short = 'j', value_name = "N", default_value_t = NonZeroUsize::MIN, value_parser = concurrency)]
    pub max_concurrency: NonZeroUsize,
    /// How the command gets its records
    #[arg(long, value_enum, default_value_t)]
    pub protocol: Protocol,
    /// How long the command may take for one record
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub record_timeout: u64,
    /// How long the record in hand may take after a signal
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub drain_timeout: u64,
    /// Records between two summaries in the log; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub summary_every: u64,
    /// Without a command: how a record is written as text, as in `tail --print`
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "line")]
    pub print: Pattern,
    /// Without a command: how values stand in JSON
    #[arg(long, value_enum, default_value_t)]
    pub values: Values,
    /// What is lifted.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// Command and its arguments, after --; records go to the output where absent
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Where a group without a commit starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Start {
    /// The oldest record kept
    Earliest,
    /// Only what comes after now
    Latest,
}

/// What happens to a record that cannot be processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Mode {
    /// It is counted as failed and committed, and the next one comes
    #[default]
    Continue,
    /// It is tried again
    Retry,
    /// The command ends; the record is not committed and comes again
    Stop,
}

/// What happens after the last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Then {
    /// As with --on-error stop
    #[default]
    Stop,
    /// As with --on-error continue
    Continue,
}

/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What `consume --help` ends with.
pub const EXAMPLES: &str = "\
The command, for each record:
  --protocol process  is started once a record. The value is its standard input; VELOX_TOPIC,
                      VELOX_PARTITION, VELOX_OFFSET, VELOX_TIMESTAMP_MS, VELOX_KEY and
                      VELOX_HEADERS (JSON) describe it; a null value sets VELOX_TOMBSTONE=1.
                      Exit status 0 is success, anything else an error.
  --protocol lines    is started once, with --max-concurrency N up to N times. A record is one
                      line of JSON on its standard input, as tail --format json writes it; it
                      answers each with one line: ok or {\"status\":\"success\"}, or error REASON
                      or {\"status\":\"error\",\"error\":\"REASON\"}. If it ends, it is started again.
With --max-concurrency N up to N commands work at once, and any of them may get a record. Records
of a partition with the same key, and those without a key, come one after another. A record is
committed after success, never before, and never before those that stand before it in its
partition. SIGINT and SIGTERM let what is in hand finish and commit it.

Examples:
  velox-tui -E qa consume orders --group orders-loader --on-error retry -- ./load-order.sh
  velox-tui -E qa consume orders payments -g audit --protocol lines -- python3 audit.py
  velox-tui -E qa consume orders -g loader --max-concurrency 16 -- ./load-order.sh
  velox-tui consume orders --limit 10 --format json             to the output, on the sandbox";

impl ConsumeArguments {
    /// What is consumed, and how.
    pub fn settings(&self, group: &str) -> ConsumeSettings {
        ConsumeSettings {
            offset_reset: self.from.map(|start| match start {
                Start::Earliest => OffsetReset::Earliest,
                Start::Latest => OffsetReset::Latest,
            }),
            on_error: match self.on_error {
                Mode::Continue => OnError::Continue,
                Mode::Stop => OnError::Stop,
                Mode::Retry => OnError::Retry {
                    max_retries: self.max_retries,
                    backoff: Backoff { first: Duration::from_millis(self.retry_backoff_ms), cap: PAUSE_MAX },
                    then: match self.then {
                        Then::Stop => Exhausted::Stop,
                        Then::Continue => Exhausted::Skip,
                    },
                },
            },
            drain_timeout: Duration::from_secs(self.drain_timeout),
            summary_every: self.summary_every,
            max_records: self.limit,
            max_concurrency: self.max_concurrency,
            ..ConsumeSettings::new(group, self.topics.clone())
        }
    }

    /// A command ready to process one record at a time, if one was given. `output_is_ours`: what it prints must not reach the standard output.
    pub fn callback(&self, output_is_ours: bool) -> Option<Callback> {
        let patience = Duration::from_secs(self.record_timeout.max(1));
        (!self.command.is_empty()).then(|| Callback::new(self.command.clone(), self.protocol, patience, output_is_ours))
    }
}

fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    let number: Option<NonZeroUsize> = text.parse().ok();
    number
        .filter(|number| number.get() <= CONCURRENCY_MAX)
        .ok_or_else(|| format!("a number from 1 to {CONCURRENCY_MAX}"))
}
