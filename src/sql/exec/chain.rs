//! Operators one behind the other in one task: what one gives goes straight into the next. It awaits nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::chunk::Chunk;
use super::operator::{Operator, Output, StateTable};
use super::statistics::Counters;
use crate::connectors::contract::BadRecord;
use crate::core::fault::{Blame, Fault};
use crate::sql::state::checkpoint::OperatorState;

/// Operators one behind the other.
pub struct Chain {
    steps: Vec<Running>,
    instance: usize,
    budget: Arc<Budget>,
}

/// An operator at work.
pub struct Running {
    /// The operator.
    pub operator: Box<dyn Operator>,
    /// What it counts.
    pub counters: Arc<Counters>,
    /// Its node in the plan.
    pub node: usize,
    /// Its identity over restarts.
    pub identity: String,
    /// The watermark it was told last.
    pub watermark: i64,
    /// Its state, bytes and rows, as of the last look.
    pub state: (usize, usize),
}

/// What a chain gave.
#[derive(Default)]
pub struct Given {
    /// Rows, in order.
    pub chunks: Vec<Chunk>,
    /// Rows that failed, by the label of their operator.
    pub bad: Vec<(Arc<Counters>, Vec<BadRecord>)>,
    /// Nodes that want no more input.
    pub done: Vec<usize>,
}

/// The state that all operators of a job may hold together.
pub struct Budget {
    used: AtomicUsize,
    bytes_max: usize,
}

impl Budget {
    /// A budget of this many bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), bytes_max })
    }

    /// Nothing yet, of this budget.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }

    fn change(&self, before: usize, after: usize) -> usize {
        if before <= after {
            self.used.fetch_add(after - before, Ordering::Relaxed) + (after - before)
        } else {
            self.used.fetch_sub(before - after, Ordering::Relaxed) - (before - after)
        }
    }
}

/// Bytes of a budget, given back when it is dropped.
pub struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds `bytes` from now on, as far as there are so many: what does not fit is not taken, so that nobody else fails
    /// for it.
    ///
    /// # Errors
    /// How many the budget has, and how many of them others hold.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Full> {
        let (used, bytes_max) = (&self.budget.used, self.budget.bytes_max);
        let changed = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let after = used - self.bytes + bytes;
            (after <= bytes_max || bytes <= self.bytes).then_some(after)
        });
        match changed {
            Ok(_) => {
                self.bytes = bytes;
                Ok(())
            }
            Err(used) => Err(Full { bytes_max, others: used - self.bytes }),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A budget that has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// What it had, bytes.
    pub bytes_max: usize,
    /// What others hold of it, bytes.
    pub others: usize,
}

impl Chain {
    /// A chain of the instance `instance` of its fragment.
    pub fn new(steps: Vec<Running>, instance: usize, budget: Arc<Budget>) -> Self {
        Self { steps, instance, budget }
    }

    /// The port that the first operator would rather hear first.
    pub fn preferred_port(&self) -> Option<usize> {
        self.steps.first().and_then(|step| step.operator.preferred_port())
    }

    /// Counts what waits before the chain.
    pub fn waits(&self, messages: usize) {
        if let Some(first) = self.steps.first() {
            first.counters.backlog(self.instance, messages as u64);
        }
    }

    /// Rows of a port, through all operators, as one batch.
    ///
    /// # Errors
    /// What ends the job.
    pub fn push(&mut self, port: usize, chunk: Chunk, given: &mut Given) -> Result<(), Fault> {
        self.feed(0, port, chunk, given)?;
        self.flush(0, given)?;
        self.measure()
    }

    /// A risen watermark. Answers with the one that holds behind the chain, where it rises there.
    ///
    /// # Errors
    /// What ends the job.
    pub fn watermark(&mut self, watermark: i64, given: &mut Given) -> Result<i64, Fault> {
        let mut watermark = watermark;
        for step in 0..self.steps.len() {
            let running = &mut self.steps[step];
            if watermark <= running.watermark {
                // What is behind has heard of it already.
                watermark = running.watermark;
            }
            running.watermark = watermark;
            running.counters.watermark(self.instance, watermark);
            let mut out = Output::default();
            let began = Instant::now();
            watermark = running.operator.watermark(watermark, &mut out)?.min(watermark);
            running.counters.add_busy(began);
            if self.pass(step, out, given)? {
                self.flush(step + 1, given)?;
            }
        }
        self.measure()?;
        Ok(watermark)
    }

    /// What the clock says, milliseconds since 1970.
    ///
    /// # Errors
    /// What ends the job.
    pub fn tick(&mut self, now_ms: i64, given: &mut Given) -> Result<(), Fault> {
        for step in 0..self.steps.len() {
            let mut out = Output::default();
            self.steps[step].operator.tick(now_ms, &mut out)?;
            if self.pass(step, out, given)? {
                self.flush(step + 1, given)?;
            }
        }
        self.measure()
    }

    /// The state of all operators.
    ///
    /// # Errors
    /// What ends the job.
    pub fn snapshot(&mut self) -> Result<Vec<OperatorState>, Fault> {
        let instance = self.instance;
        self.steps
            .iter_mut()
            .map(|running| {
                Ok(OperatorState {
                    identity: running.identity.clone(),
                    label: running.counters.label.clone(),
                    instance,
                    tables: running.operator.snapshot()?,
                })
            })
            .collect()
    }

    /// Gives the operator of an identity the state it had.
    ///
    /// # Errors
    /// State that does not fit.
    pub fn restore(operator: &mut dyn Operator, tables: Vec<StateTable>) -> Result<(), Fault> {
        let tables: Vec<_> = tables.into_iter().filter(|table| table.batch.num_rows() > 0).collect();
        if tables.is_empty() { Ok(()) } else { operator.restore(tables) }
    }

    fn feed(&mut self, step: usize, port: usize, chunk: Chunk, given: &mut Given) -> Result<(), Fault> {
        let Some(running) = self.steps.get_mut(step) else {
            given.chunks.push(chunk);
            return Ok(());
        };
        running.counters.add_in(chunk.rows());
        let mut out = Output::default();
        let began = Instant::now();
        running.operator.push(port, chunk, &mut out)?;
        running.counters.add_busy(began);
        self.pass(step, out, given)?;
        Ok(())
    }

    fn flush(&mut self, from: usize, given: &mut Given) -> Result<(), Fault> {
        for step in from..self.steps.len() {
            let running = &mut self.steps[step];
            let mut out = Output::default();
            let began = Instant::now();
            running.operator.flush(&mut out)?;
            running.counters.add_busy(began);
            self.pass(step, out, given)?;
        }
        Ok(())
    }

    /// What an operator gave goes on to the next. Answers whether rows did.
    fn pass(&mut self, step: usize, out: Output, given: &mut Given) -> Result<bool, Fault> {
        let counters = &self.steps[step].counters;
        if out.late_rows > 0 {
            counters.add_late(out.late_rows);
        }
        if !out.bad.is_empty() {
            counters.add_bad(out.bad.len());
            given.bad.push((Arc::clone(counters), out.bad));
        }
        if out.is_done {
            given.done.push(self.steps[step].node);
        }
        let gave = !out.chunks.is_empty();
        for chunk in out.chunks {
            self.steps[step].counters.add_out(chunk.rows());
            self.feed(step + 1, 0, chunk, given)?;
        }
        Ok(gave)
    }

    /// Holds the state to its limit.
    fn measure(&mut self) -> Result<(), Fault> {
        for running in &mut self.steps {
            let now = (running.operator.state_bytes(), running.operator.state_rows());
            if now == running.state {
                continue;
            }
            running.counters.state(running.state, now);
            let used = self.budget.change(running.state.0, now.0);
            running.state = now;
            if used > self.budget.bytes_max {
                return Err(over_budget(&running.counters.label, now, used, self.budget.bytes_max));
            }
        }
        Ok(())
    }
}

fn over_budget(label: &str, (bytes, rows): (usize, usize), used: usize, bytes_max: usize) -> Fault {
    let mib = |bytes: usize| bytes.div_ceil(1024 * 1024);
    let what = format!(
        "the state of this job has come to {} MiB of its {} MiB; `{label}` holds {bytes} bytes for {rows} keys or rows",
        mib(used),
        mib(bytes_max),
    );
    Fault::new(Blame::Operator, what)
        .next("bound it with a window, a WITHIN or 'state.ttl', or give the job more memory")
}
