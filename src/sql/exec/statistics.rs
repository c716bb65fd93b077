//! What a running job counts: atomics that operators add to, and the snapshot of them that people see.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::failures::FailureCounts;
use crate::clock::now_ms;

/// Counters of one node, shared by its instances.
#[derive(Debug)]
pub struct Counters {
    /// The node's label.
    pub label: String,
    /// Whether it reads a source of the plan.
    is_source: bool,
    rows_in: AtomicU64,
    rows_out: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    busy_ns: AtomicU64,
    late: AtomicU64,
    bad: AtomicU64,
    retries: AtomicU64,
    state_bytes: AtomicUsize,
    state_rows: AtomicUsize,
    /// What it looks into, where it looks into a table.
    lookup: Option<Arc<LookupCounters>>,
    /// One gauge an instance.
    instances: Vec<Gauges>,
}

#[derive(Debug)]
struct Gauges {
    watermark: AtomicI64,
    backlog: AtomicU64,
    bytes_done: AtomicU64,
    bytes_total: AtomicU64,
    retries: AtomicU64,
}

impl Counters {
    /// Counters of a node with this many instances.
    pub fn new(label: impl Into<String>, instances: usize) -> Arc<Self> {
        Arc::new(Self::made(label.into(), instances))
    }

    /// Counters of a source with this many lanes.
    pub fn of_source(label: impl Into<String>, instances: usize) -> Arc<Self> {
        Arc::new(Self { is_source: true, ..Self::made(label.into(), instances) })
    }

    /// Counters of a node whose instances look into one table.
    pub fn looking_into(label: impl Into<String>, instances: usize, lookup: Option<Arc<LookupCounters>>) -> Arc<Self> {
        Arc::new(Self { lookup, ..Self::made(label.into(), instances) })
    }

    fn made(label: String, instances: usize) -> Self {
        let gauges = || Gauges {
            watermark: AtomicI64::new(i64::MIN),
            backlog: AtomicU64::new(0),
            bytes_done: AtomicU64::new(0),
            bytes_total: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        };
        Self {
            label,
            is_source: false,
            rows_in: AtomicU64::new(0),
            rows_out: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
            late: AtomicU64::new(0),
            bad: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            state_bytes: AtomicUsize::new(0),
            state_rows: AtomicUsize::new(0),
            lookup: None,
            instances: (0..instances).map(|_| gauges()).collect(),
        }
    }

    /// Rows that came.
    pub fn add_in(&self, rows: usize) {
        self.rows_in.fetch_add(rows as u64, Relaxed);
    }

    /// Rows that were given.
    pub fn add_out(&self, rows: usize) {
        self.rows_out.fetch_add(rows as u64, Relaxed);
    }

    /// Records read that are neither rows nor bad.
    pub fn add_skipped(&self, records: u64) {
        self.skipped.fetch_add(records, Relaxed);
    }

    /// Bytes read.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Time at work since `began`.
    pub fn add_busy(&self, began: Instant) {
        self.busy_ns.fetch_add(began.elapsed().as_nanos() as u64, Relaxed);
    }

    /// Rows that were too late.
    pub fn add_late(&self, rows: u64) {
        self.late.fetch_add(rows, Relaxed);
    }

    /// Rows that failed.
    pub fn add_bad(&self, rows: usize) {
        self.bad.fetch_add(rows as u64, Relaxed);
    }

    /// The engine tries something again: a read, a write.
    pub fn add_retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// What the connector of an instance has tried again by itself so far.
    pub fn retries(&self, instance: usize, so_far: u64) {
        if let Some(gauges) = self.instances.get(instance) {
            gauges.retries.store(so_far, Relaxed);
        }
    }

    /// An instance's state went from `before` to `after` (bytes, rows).
    pub fn state(&self, before: (usize, usize), after: (usize, usize)) {
        let change = |gauge: &AtomicUsize, before: usize, after: usize| {
            if before <= after {
                gauge.fetch_add(after - before, Relaxed);
            } else {
                gauge.fetch_sub(before - after, Relaxed);
            }
        };
        change(&self.state_bytes, before.0, after.0);
        change(&self.state_rows, before.1, after.1);
    }

    /// The watermark of an instance.
    pub fn watermark(&self, instance: usize, watermark: i64) {
        if let Some(gauges) = self.instances.get(instance) {
            gauges.watermark.store(watermark, Relaxed);
        }
    }

    /// What waits before an instance: records of a source, messages of any other node.
    pub fn backlog(&self, instance: usize, backlog: u64) {
        if let Some(gauges) = self.instances.get(instance) {
            gauges.backlog.store(backlog, Relaxed);
        }
    }

    /// Bytes that an instance of a source has read, of how many.
    pub fn progress(&self, instance: usize, done: u64, total: u64) {
        if let Some(gauges) = self.instances.get(instance) {
            gauges.bytes_done.store(done, Relaxed);
            gauges.bytes_total.store(total, Relaxed);
        }
    }

    /// Everything as of now.
    pub fn read(&self, node: usize) -> OperatorStatistics {
        let sum = |gauge: fn(&Gauges) -> &AtomicU64| self.instances.iter().map(|it| gauge(it).load(Relaxed)).sum();
        let watermark = self.instances.iter().map(|gauges| gauges.watermark.load(Relaxed)).min();
        let lookup = self.lookup.as_ref().map(|lookup| lookup.read());
        let cached = lookup.clone().unwrap_or_default();
        let (done, total): (u64, u64) = (sum(|gauges| &gauges.bytes_done), sum(|gauges| &gauges.bytes_total));
        OperatorStatistics {
            node,
            label: self.label.clone(),
            is_source: self.is_source,
            instances: self.instances.len(),
            rows_in: self.rows_in.load(Relaxed),
            rows_out: self.rows_out.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            busy: Duration::from_nanos(self.busy_ns.load(Relaxed)),
            late: self.late.load(Relaxed),
            bad: self.bad.load(Relaxed),
            retries: self.retries.load(Relaxed) + sum(|gauges| &gauges.retries) + cached.retries,
            state_bytes: self.state_bytes.load(Relaxed) + cached.bytes,
            state_rows: self.state_rows.load(Relaxed) + cached.rows,
            lookup,
            watermark: watermark.filter(|watermark| *watermark != i64::MIN),
            backlog: sum(|gauges| &gauges.backlog),
            progress: (total > 0).then_some((done, total)),
        }
    }
}

/// What one node has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperatorStatistics {
    /// Its number in the plan.
    pub node: usize,
    /// Its label.
    pub label: String,
    /// Whether it reads a source of the plan.
    pub is_source: bool,
    /// Instances side by side.
    pub instances: usize,
    /// Rows that came.
    pub rows_in: u64,
    /// Rows that it gave.
    pub rows_out: u64,
    /// Bytes read (sources).
    pub bytes: u64,
    /// Records read that are neither rows nor bad (sources): tombstones where nothing has a key.
    pub skipped: u64,
    /// Time at work, summed over the instances.
    pub busy: Duration,
    /// Rows that were too late.
    pub late: u64,
    /// Rows that failed.
    pub bad: u64,
    /// What was tried again: reads and writes that failed, records that a broker had to be sent once more.
    pub retries: u64,
    /// State, bytes.
    pub state_bytes: usize,
    /// State, keys or rows.
    pub state_rows: usize,
    /// What it looks into, where it looks into a table; its rows and bytes are part of the state above.
    pub lookup: Option<LookupStatistics>,
    /// The lowest watermark of its instances, milliseconds since 1970; `None` before the first.
    pub watermark: Option<i64>,
    /// What waits: records still to read (sources that know), messages in front of the others.
    pub backlog: u64,
    /// Bytes read, of how many, where a source knows.
    pub progress: Option<(u64, u64)>,
}

/// Counters of a table that is looked into, shared by all that look.
#[derive(Debug, Default)]
pub struct LookupCounters {
    rows: AtomicUsize,
    bytes: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    readings: AtomicU64,
    failures: AtomicU64,
    retries: AtomicU64,
    read_ms: AtomicI64,
}

impl LookupCounters {
    /// Rows that asked, by whether their key is in the table.
    pub fn asked(&self, hits: usize, misses: usize) {
        self.hits.fetch_add(hits as u64, Relaxed);
        self.misses.fetch_add(misses as u64, Relaxed);
    }

    /// The table was read.
    pub fn has_read(&self, rows: usize, bytes: usize) {
        self.rows.store(rows, Relaxed);
        self.bytes.store(bytes, Relaxed);
        self.read_ms.store(now_ms(), Relaxed);
        self.readings.fetch_add(1, Relaxed);
    }

    /// The table could not be read again.
    pub fn has_failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// How often reading was tried again so far.
    pub fn has_tried_again(&self, so_far: u64) {
        self.retries.store(so_far, Relaxed);
    }

    /// Everything as of now.
    pub fn read(&self) -> LookupStatistics {
        let age_ms = now_ms().saturating_sub(self.read_ms.load(Relaxed));
        LookupStatistics {
            rows: self.rows.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            readings: self.readings.load(Relaxed),
            failures: self.failures.load(Relaxed),
            retries: self.retries.load(Relaxed),
            age: Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)),
        }
    }
}

/// A table that is looked into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookupStatistics {
    /// Rows that it holds.
    pub rows: usize,
    /// Bytes that they take.
    pub bytes: usize,
    /// Rows that asked for a key that is there.
    pub hits: u64,
    /// Rows that asked for one that is not.
    pub misses: u64,
    /// How often it was read, the first time included.
    pub readings: u64,
    /// How often it could not be read again: what was there stayed.
    pub failures: u64,
    /// How often a system that did not answer was asked again.
    pub retries: u64,
    /// Since it was read.
    pub age: Duration,
}

/// What a job has done.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Its nodes, in the plan's order.
    pub operators: Vec<OperatorStatistics>,
    /// Since it began.
    pub elapsed: Duration,
    /// Bad records by kind, with a sample.
    pub failures: FailureCounts,
    /// Divisions by zero that gave NULL.
    pub by_zero: u64,
    /// The newest checkpoint, if there was one.
    pub checkpoint: Option<CheckpointStatistics>,
    /// Why it cannot read or write for now: no broker answers, or a topic is gone. It asks on by itself.
    pub outage: Option<String>,
}

/// What a checkpoint cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckpointStatistics {
    /// Its epoch.
    pub epoch: u64,
    /// Bytes written.
    pub bytes: u64,
    /// From the barrier to the commit.
    pub took: Duration,
}

impl Statistics {
    /// Rows read by all sources, those that failed and those that are none among them.
    pub fn rows_read(&self) -> u64 {
        let sources = self.operators.iter().filter(|operator| operator.is_source);
        sources.map(|operator| operator.rows_out + operator.bad + operator.skipped).sum()
    }

    /// Rows written by the sink.
    pub fn rows_written(&self) -> u64 {
        self.operators.last().map_or(0, |sink| sink.rows_out)
    }

    /// Rows that were too late, all nodes.
    pub fn late(&self) -> u64 {
        self.operators.iter().map(|operator| operator.late).sum()
    }

    /// What was tried again, all nodes and the dead letters.
    pub fn retries(&self) -> u64 {
        self.operators.iter().map(|operator| operator.retries).sum::<u64>() + self.failures.retries
    }

    /// State of all nodes, bytes.
    pub fn state_bytes(&self) -> usize {
        self.operators.iter().map(|operator| operator.state_bytes).sum()
    }
}
