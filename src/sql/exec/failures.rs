//! What happens to records that fail, by the job's strategy, and what is remembered of them: counts and a sample.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::dead_letters::{DeadLetters, Letter};
use super::told::{Kind, Line, Told};
use crate::connectors::contract::BadRecord;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::sql::plan::strategies::FailureStrategy;

/// Bad records kept to be looked at: a screen of them. The rest is counted.
pub const SAMPLE_RECORDS: usize = 20;
/// Bytes kept of a sampled value: what fits on a few lines.
const SAMPLE_VALUE_BYTES: usize = 512;

/// Bad records of a job.
#[derive(Debug, Clone, Default)]
pub struct FailureCounts {
    /// How many, by kind.
    pub by_class: BTreeMap<&'static str, u64>,
    /// How many went to the dead letters.
    pub dead_letters: u64,
    /// How often one of those had to be sent again.
    pub retries: u64,
    /// The newest ones, the value cut to its head.
    pub sample: VecDeque<BadRecord>,
}

impl FailureCounts {
    /// All that failed; late rows are none of them.
    pub fn bad(&self) -> u64 {
        self.by_class.iter().filter(|(class, _)| **class != "late").map(|(_, count)| count).sum()
    }
}

/// Decides what happens to bad records. Shared by the tasks of a job.
pub struct Failures {
    job: String,
    strategy: FailureStrategy,
    dead_letters: Option<Arc<dyn DeadLetters>>,
    counts: Mutex<FailureCounts>,
    told: Mutex<Told>,
}

impl Failures {
    /// The strategy of a job, with the dead letters where it has some.
    pub fn new(job: &str, strategy: FailureStrategy, dead_letters: Option<Arc<dyn DeadLetters>>) -> Self {
        Self { job: job.to_owned(), strategy, dead_letters, counts: Mutex::default(), told: Mutex::default() }
    }

    /// The strategy.
    pub fn strategy(&self) -> &FailureStrategy {
        &self.strategy
    }

    /// What was counted so far.
    pub fn counts(&self) -> FailureCounts {
        let mut counts = self.counts.hold().clone();
        counts.retries = self.dead_letters.as_ref().map_or(0, |dead_letters| dead_letters.retries());
        counts
    }

    /// Takes what failed at an operator.
    ///
    /// # Errors
    /// The first of them, where the strategy is to end the job; dead letters that cannot be written.
    pub async fn take(&self, operator: &str, bad: Vec<BadRecord>) -> Result<(), Fault> {
        if bad.is_empty() {
            return Ok(());
        }
        self.remember(&bad);
        let (late, bad): (Vec<_>, Vec<_>) = bad.into_iter().partition(|bad| bad.class == "late");
        if !late.is_empty() {
            // A late row is not wrong: it goes where letters go, or is left out, and never ends the job.
            match &self.dead_letters {
                Some(_) => self.send(operator, &late).await?,
                None => self.log(operator, &late),
            }
        }
        if bad.is_empty() {
            return Ok(());
        }
        match &self.strategy {
            FailureStrategy::FailBatch => ending(operator, &bad),
            // No retry changes the content that a record fails by.
            strategy if strategy.dead_letters().is_some() => self.send(operator, &bad).await,
            _ => {
                self.log(operator, &bad);
                Ok(())
            }
        }
    }

    /// All dead letters taken so far are durable when this returns.
    ///
    /// # Errors
    /// Dead letters that cannot be written.
    pub async fn flush(&self) -> Result<(), Fault> {
        match &self.dead_letters {
            Some(dead_letters) => dead_letters.flush().await,
            None => Ok(()),
        }
    }

    async fn send(&self, operator: &str, bad: &[BadRecord]) -> Result<(), Fault> {
        let Some(dead_letters) = &self.dead_letters else { return Ok(()) };
        let first_seen_ms = crate::clock::now_ms();
        let letters: Vec<_> =
            bad.iter().map(|bad| Letter { bad, job: &self.job, operator, attempts: 1, first_seen_ms }).collect();
        dead_letters.send(&letters).await?;
        self.counts.hold().dead_letters += letters.len() as u64;
        Ok(())
    }

    /// What was left out and is not in the log yet: the job has ended.
    pub fn end(&self) {
        self.told.hold().rest().iter().for_each(|line| self.write(line));
    }

    /// The first of a kind at once, the rest in sums: a job with one bad record in ten does not drown its log.
    fn log(&self, operator: &str, bad: &[BadRecord]) {
        let mut kinds: BTreeMap<Kind, (u64, &BadRecord)> = BTreeMap::new();
        for bad in bad {
            kinds.entry(Kind::of(operator, bad.class, &bad.message)).or_insert((0, bad)).0 += 1;
        }
        let now_ms = crate::clock::now_ms();
        for (kind, (count, first)) in kinds {
            let text = format!("{}: {}", described(first), first.message);
            let line = self.told.hold().take(kind, count, text, now_ms);
            line.iter().for_each(|line| self.write(line));
        }
    }

    fn write(&self, Line { kind, count, text }: &Line) {
        let Kind { operator, class, .. } = kind;
        tracing::warn!(target: "velox::sql", job = %self.job, %operator, class, count, "left out {text}");
    }

    fn remember(&self, bad: &[BadRecord]) {
        let mut counts = self.counts.hold();
        for bad in bad {
            *counts.by_class.entry(bad.class).or_default() += 1;
        }
        for bad in bad.iter().rev().take(SAMPLE_RECORDS).rev() {
            if counts.sample.len() == SAMPLE_RECORDS {
                counts.sample.pop_front();
            }
            let mut bad = bad.clone();
            if let Some(value) = &mut bad.record.value {
                value.truncate(SAMPLE_VALUE_BYTES);
            }
            counts.sample.push_back(bad);
        }
    }
}

/// The job's end by its first bad record.
fn ending(operator: &str, bad: &[BadRecord]) -> Result<(), Fault> {
    let Some(first) = bad.first() else { return Ok(()) };
    let what = format!("{} failed at `{operator}` ({}): {}", described(first), first.class, first.message);
    Err(Fault::new(Blame::Record, what)
        .next("mend the record or the query, or set failure_strategy to LogAndContinue or SendToDLQ"))
}

fn described(bad: &BadRecord) -> String {
    let record = &bad.record;
    if record.topic.is_empty() {
        return "a record".into();
    }
    format!("the record {} partition {} offset {}", record.topic, record.partition, record.offset)
}
