//! What came of a run: counts that add up, times by step, and a verdict. As values, JSON and text; it prints nothing.

pub mod tables;

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use crate::core::fault::{Blame, Fault};
use crate::core::progress::Counts;

use super::plan::{Plan, Skipped};
use super::run::RunOptions;
use super::run::ledger::{Ledger, NotSent};
use super::run::steps::{Steps, Times};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every planned event was acknowledged (dry run: rendered).
    Done,
    /// Some events failed.
    SomeFailed,
    /// An environment could not be reached, or the broker was lost and nothing was delivered.
    Connection,
    /// An environment refused the login.
    Authentication,
    /// Templates or settings of an ETL or an environment are wrong.
    Configuration,
    /// Stopped from outside; what was tried was delivered.
    Stopped,
    /// Out of time; what was tried was delivered.
    TimedOut,
}

impl Verdict {
    /// The exit code of `velox-tui run`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::SomeFailed => 1,
            Self::Configuration => 2,
            Self::Connection => 3,
            Self::Authentication => 4,
            Self::Stopped | Self::TimedOut => 5,
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// How it ended.
    pub verdict: Verdict,
    /// Whether nothing was to be sent.
    pub dry_run: bool,
    /// From the first step to the last, milliseconds.
    pub elapsed_ms: f64,
    /// How long planning took, milliseconds.
    pub plan_ms: f64,
    /// Everything.
    pub total: Tally,
    /// By environment, in plan order.
    pub environments: IndexMap<String, Tally>,
    /// By ETL, in plan order.
    pub etls: IndexMap<String, Tally>,
    /// By ETL and environment, in plan order.
    pub pairs: Vec<PairReport>,
    /// What the plan left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// What kept whole pairs from running.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// One ETL in one environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairReport {
    /// ETL.
    pub etl: String,
    /// Environment.
    pub environment: String,
    /// Topic.
    pub topic: String,
    /// What came of it.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Counts, times and causes of some events.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tally {
    /// Every planned event, in exactly one count.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why events were not sent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_sent_because: BTreeMap<NotSent, u64>,
    /// Acknowledged events of those that were tried, percent; 100 where none was tried.
    pub success_rate: f64,
    /// From the beginning of the first to the ending of the last, milliseconds.
    pub duration_ms: f64,
    /// Acknowledged events a second of that time.
    pub events_per_second: f64,
    /// Bytes of keys, payloads and headers that were acknowledged.
    pub bytes: u64,
    /// Times by step.
    pub steps: StepReport,
    /// Failures by cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub causes: BTreeMap<String, u64>,
}

/// Times by step, where anything was timed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct StepReport {
    /// From context to bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub render: Option<Percentiles>,
    /// From bytes to taken by a producer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Percentiles>,
    /// From taken to confirmed by the broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Percentiles>,
}

/// How long something took, milliseconds, to 1 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// How often it was timed.
    pub count: u64,
    /// Half were faster.
    pub p50_ms: f64,
    /// 95 of 100 were faster.
    pub p95_ms: f64,
    /// 99 of 100 were faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The mean.
    pub mean_ms: f64,
}

impl RunReport {
    pub(super) fn new(plan: &Plan, options: &RunOptions, ledger: &Ledger, steps: &[Steps], faults: Vec<Fault>) -> Self {
        let all: Vec<usize> = (0..plan.pairs.len()).collect();
        let tally = |pairs: &[usize]| tally(ledger, steps, pairs);
        let grouped = |name: &dyn Fn(usize) -> String| -> IndexMap<String, Tally> {
            let mut groups: IndexMap<String, Vec<usize>> = IndexMap::new();
            all.iter().for_each(|pair| groups.entry(name(*pair)).or_default().push(*pair));
            groups.into_iter().map(|(name, pairs)| (name, tally(&pairs))).collect()
        };
        Self {
            verdict: verdict(ledger, &faults),
            dry_run: options.dry_run,
            elapsed_ms: ms(ledger.elapsed()),
            plan_ms: ms(plan.took),
            total: tally(&all),
            environments: grouped(&|pair| plan.pairs[pair].environment.to_string()),
            etls: grouped(&|pair| plan.pairs[pair].etl.name.clone()),
            pairs: (plan.pairs.iter().enumerate())
                .map(|(index, pair)| PairReport {
                    etl: pair.etl.name.clone(),
                    environment: pair.environment.to_string(),
                    topic: pair.topic.to_string(),
                    tally: tally(&[index]),
                })
                .collect(),
            skipped: plan.skipped.clone(),
            faults,
        }
    }
}

fn tally(ledger: &Ledger, steps: &[Steps], pairs: &[usize]) -> Tally {
    let (mut counts, mut bytes, mut merged) = (Counts::default(), 0, Steps::default());
    let (mut not_sent_because, mut causes) = (BTreeMap::new(), BTreeMap::new());
    let (mut began, mut ended) = (Duration::MAX, Duration::ZERO);
    for &pair in pairs {
        let of_pair = ledger.counts(pair);
        counts.planned += of_pair.planned;
        counts.acknowledged += of_pair.acknowledged;
        counts.failed += of_pair.failed;
        counts.not_sent += of_pair.not_sent;
        bytes += ledger.bytes(pair);
        merged.merge(&steps[pair]);
        for (why, events) in ledger.not_sent_by_reason(pair) {
            *not_sent_because.entry(why).or_default() += events;
        }
        for (cause, (events, _)) in ledger.causes(pair) {
            *causes.entry(cause).or_default() += events;
        }
        if let Some((first, last)) = ledger.span(pair) {
            (began, ended) = (began.min(first), ended.max(last));
        }
    }
    let duration = ended.saturating_sub(began);
    let tried = counts.acknowledged + counts.failed;
    Tally {
        counts,
        not_sent_because,
        success_rate: if tried == 0 { 100.0 } else { 100.0 * counts.acknowledged as f64 / tried as f64 },
        duration_ms: ms(duration),
        events_per_second: if duration.is_zero() { 0.0 } else { counts.acknowledged as f64 / duration.as_secs_f64() },
        bytes,
        steps: StepReport {
            render: percentiles(&merged.render),
            queue: percentiles(&merged.queue),
            acknowledge: percentiles(&merged.acknowledge),
        },
        causes,
    }
}

fn percentiles(times: &Times) -> Option<Percentiles> {
    let histogram = times.histogram()?;
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    Some(Percentiles {
        count: histogram.len(),
        p50_ms: at(0.50),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        max_ms: histogram.max() as f64 / 1_000.0,
        mean_ms: histogram.mean() / 1_000.0,
    })
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// What kept pairs from running weighs most, then what failed, then what was not tried.
fn verdict(ledger: &Ledger, faults: &[Fault]) -> Verdict {
    let pairs = 0..ledger.pairs();
    let (mut acknowledged, mut failed, mut not_sent) = (0, 0, 0);
    let mut by_blame: [(Blame, u64); 2] = [(Blame::Connection, 0), (Blame::Authentication, 0)];
    for pair in pairs {
        let counts = ledger.counts(pair);
        acknowledged += counts.acknowledged;
        failed += counts.failed;
        not_sent += counts.not_sent;
        for (_, (events, blame)) in ledger.causes(pair) {
            by_blame.iter_mut().filter(|(known, _)| *known == blame).for_each(|(_, sum)| *sum += events);
        }
    }
    let blamed = |blame| faults.iter().any(|fault| fault.blame == blame);
    let [(_, of_connection), (_, of_authentication)] = by_blame;
    if blamed(Blame::Authentication) || of_authentication > 0 {
        return Verdict::Authentication;
    }
    let was_stopped = ledger.halted() == Some(NotSent::Stopped) && not_sent > 0;
    let only_lost = failed == of_connection;
    if blamed(Blame::Connection) || (acknowledged == 0 && of_connection > 0 && only_lost && !was_stopped) {
        return Verdict::Connection;
    }
    if !faults.is_empty() && acknowledged == 0 {
        return Verdict::Configuration;
    }
    // A person who stops a run that a stalled broker holds up has stopped it, whatever timed out meanwhile.
    if failed > 0 && !(was_stopped && only_lost) {
        return Verdict::SomeFailed;
    }
    match not_sent {
        0 => Verdict::Done,
        _ if was_stopped => Verdict::Stopped,
        _ => Verdict::TimedOut,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::etl::run::ledger::{Account, Cause};

    /// The verdict of a run of 10 that was stopped, with so many acknowledged and so many failed.
    fn stopped(acknowledged: u64, failed: u64, blame: Blame) -> Verdict {
        let account = Account {
            etl: "e".into(),
            environment: "q".into(),
            topic: "t".into(),
            planned: 10,
            max_retries: 0,
            retry_backoff_ms: 0,
            partition: None,
        };
        let ledger = Ledger::new(vec![account], 1, false, Instant::now());
        (0..acknowledged).for_each(|_| ledger.acknowledged(0));
        ledger.failed(0, failed, &Cause { blame, text: "so".into() });
        ledger.halt(NotSent::Stopped);
        ledger.not_sent(0, 10 - acknowledged - failed, NotSent::Stopped);
        verdict(&ledger, &[])
    }

    #[test]
    fn a_run_that_a_stalled_broker_held_up_until_it_was_stopped_is_stopped() {
        assert_eq!(stopped(0, 0, Blame::Connection).exit_code(), 5);
        assert_eq!(stopped(0, 4, Blame::Connection).exit_code(), 5);
        assert_eq!(stopped(3, 4, Blame::Connection).exit_code(), 5);
    }

    #[test]
    fn a_stop_hides_neither_a_refused_event_nor_a_broker_that_was_lost_before_it() {
        assert_eq!(stopped(3, 4, Blame::Record).exit_code(), 1);
        assert_eq!(stopped(0, 10, Blame::Connection).exit_code(), 3);
    }
}
