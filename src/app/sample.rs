//! Once a second the counts of jobs become rates, series and totals. It sees only the model and the time it is given.

use super::effect::Effect;
use super::model::Model;
use super::model::jobs::Work;
use super::model::metrics::{Measure, Scope, Totals};
use super::model::runs::RunReport;
use crate::core::job::JobId;

/// Time between two samples: a rate over less jumps too much to be read.
pub const SAMPLE_EVERY_MS: i64 = 1_000;

/// Counts of one job at the last sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sample {
    records: u64,
    bytes: u64,
    failed: u64,
}

impl Model {
    pub(super) fn tick(&mut self, now_ms: i64) -> Vec<Effect> {
        let second = now_ms.div_euclid(SAMPLE_EVERY_MS);
        if second != self.now_ms.div_euclid(SAMPLE_EVERY_MS) {
            self.revision += 1;
            let passed_ms = if self.sampled_ms == 0 { SAMPLE_EVERY_MS } else { (now_ms - self.sampled_ms).max(1) };
            self.sample(second, passed_ms as f64 / 1_000.0);
            self.sampled_ms = now_ms;
        }
        self.now_ms = now_ms;
        self.fade();
        let mut effects = self.end_lifts();
        effects.extend(self.keep_sql());
        effects
    }

    /// The rate of a deployed job that another process runs, as that tells it.
    fn told_rate(&self, id: JobId) -> Option<f64> {
        let Work::Deployed(definition) = &self.jobs.get(&id)?.work else { return None };
        self.deployments.holder(&definition.name)?;
        let status = self.deployments.kept.get(&definition.name)?.status.as_ref();
        Some(status.map_or(0.0, |status| status.rows_per_second))
    }

    fn sample(&mut self, at_s: i64, passed_s: f64) {
        let ids: Vec<JobId> = self.jobs.keys().copied().collect();
        self.samples.retain(|id, _| self.jobs.contains_key(id));
        let mut rates = std::collections::BTreeMap::<Scope, [f64; 5]>::new();
        rates.insert(Scope::Total, [0.0; 5]);
        for id in ids {
            let now = self.counts_of(id);
            let told = self.told_rate(id);
            let live = self.jobs.get(&id).is_some_and(|job| !job.phase.is_ending());
            // What another process did, and what was done before this console began, is no work of it.
            let before = match self.samples.insert(id, now) {
                _ if told.is_some() => now,
                None if !live && self.is_deployed(id) => now,
                before => before.unwrap_or_default(),
            };
            let grown = [now.records, now.bytes, now.failed]
                .iter()
                .zip([before.records, before.bytes, before.failed])
                .map(|(now, before)| now.saturating_sub(before))
                .collect::<Vec<_>>();
            let reads = self
                .jobs
                .get(&id)
                .is_some_and(|job| matches!(job.work, Work::Tail(_) | Work::Query(_) | Work::Deployed(_)));
            if !live && grown.iter().all(|count| *count == 0) {
                continue;
            }
            let rate = grown.iter().map(|count| *count as f64 / passed_s).collect::<Vec<_>>();
            if let Some(job) = self.jobs.get_mut(&id) {
                job.rate = if live { told.unwrap_or(rate[0]) } else { 0.0 };
            }
            for scope in self.scopes_of(id) {
                let sum = rates.entry(scope.clone()).or_default();
                let (sent, read) = if reads { (0.0, rate[0]) } else { (rate[0], 0.0) };
                let rates = [rate[0], rate[1], rate[2], sent, read];
                sum.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += rate);
                let totals: &mut Totals = self.metrics.totals.entry(scope).or_default();
                match reads {
                    true => totals.read += grown[0],
                    false => totals.events += grown[0],
                }
                totals.failed += grown[2];
                totals.ok += if reads { 0 } else { grown[0].saturating_sub(grown[2]) };
                totals.bytes += grown[1];
            }
            if let Some(lag) = self.jobs.get(&id).and_then(|job| job.lag).filter(|_| live) {
                self.metrics.record(Scope::Job(id), Measure::LagRecords, at_s, lag as f64);
                if 0.0 < rate[0] {
                    self.metrics.record(Scope::Job(id), Measure::LagSeconds, at_s, lag as f64 / rate[0]);
                }
            }
        }
        self.sample_latency(at_s);
        for (scope, [events, bytes, errors, sent, read]) in rates {
            // What never sent, or never read, has no such rate.
            for (measure, rate) in [(Measure::SentPerSecond, sent), (Measure::ReadPerSecond, read)] {
                if 0.0 < rate || self.metrics.series(&scope, measure).is_some() {
                    self.metrics.record(scope.clone(), measure, at_s, rate);
                }
            }
            self.metrics.record(scope.clone(), Measure::EventsPerSecond, at_s, events);
            self.metrics.record(scope.clone(), Measure::BytesPerSecond, at_s, bytes);
            self.metrics.record(scope, Measure::ErrorsPerSecond, at_s, errors);
        }
    }

    /// Latencies of live runs. Where several runs share a scope, the slowest is told: percentiles cannot be added.
    fn sample_latency(&mut self, at_s: i64) {
        let mut slowest = std::collections::BTreeMap::<Scope, [f64; 2]>::new();
        for run in self.runs.values().filter(|run| self.jobs.get(&run.job).is_some_and(|job| !job.phase.is_ending())) {
            let Some(latency) = run.progress.latency else { continue };
            let ms = [latency.p50_us as f64 / 1_000.0, latency.p99_us as f64 / 1_000.0];
            for scope in self.scopes_of(run.job) {
                let known = slowest.entry(scope).or_default();
                known.iter_mut().zip(ms).for_each(|(known, ms)| *known = known.max(ms));
            }
        }
        for (scope, [p50, p99]) in slowest {
            self.metrics.record(scope.clone(), Measure::LatencyP50Ms, at_s, p50);
            self.metrics.record(scope, Measure::LatencyP99Ms, at_s, p99);
        }
    }

    /// The latency of a whole run that was over before it was sampled once: there is nothing else to show of it.
    pub(super) fn sample_last_latency(&mut self, id: JobId, report: &RunReport) {
        let Some(times) = report.timings.iter().find(|times| times.step == "acknowledge" && times.count > 0) else {
            return;
        };
        if self.metrics.series(&Scope::Job(id), Measure::LatencyP50Ms).is_some() {
            return;
        }
        let at_s = self.now_ms.div_euclid(SAMPLE_EVERY_MS);
        for scope in self.scopes_of(id) {
            self.metrics.record(scope.clone(), Measure::LatencyP50Ms, at_s, times.p50_us as f64 / 1_000.0);
            self.metrics.record(scope, Measure::LatencyP99Ms, at_s, times.p99_us as f64 / 1_000.0);
        }
    }

    fn counts_of(&self, id: JobId) -> Sample {
        let Some(job) = self.jobs.get(&id) else { return Sample::default() };
        Sample { records: job.records, bytes: job.bytes, failed: job.errors }
    }

    /// A job with one environment counts for it; with one ETL for that ETL.
    fn scopes_of(&self, id: JobId) -> Vec<Scope> {
        let mut scopes = vec![Scope::Total, Scope::Job(id)];
        if let Some(job) = self.jobs.get(&id) {
            if !job.environment.contains(", ") {
                scopes.push(Scope::Environment(job.environment.clone()));
            }
            if let Work::Run(run) = &job.work
                && let [etl] = run.etls.as_slice()
            {
                scopes.push(Scope::Etl(etl.clone()));
            }
        }
        scopes
    }
}
