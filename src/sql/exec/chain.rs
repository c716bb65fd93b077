//! Operators one behind the other in one task: what one gives goes straight into the next. It awaits nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::budget::Budget;
use super::chunk::Chunk;
use super::operator::{OUTPUT_CHUNKS, Operator, Output, StateTable};
use super::statistics::Counters;
use crate::connectors::contract::BadRecord;
use crate::core::fault::Fault;
use crate::sql::state::checkpoint::OperatorState;

/// Turns of operators before the task looks up: each takes some milliseconds.
const TURNS_MAX: usize = 16;

/// Operators one behind the other.
pub struct Chain {
    steps: Vec<Running>,
    /// What waits before each operator while those behind it are not through with what came before.
    waiting: Vec<VecDeque<Chunk>>,
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
    /// Whether it has said that it wants no more input.
    pub is_done: bool,
}

/// What a chain gave.
#[derive(Default)]
pub struct Given {
    /// Rows, in order.
    pub chunks: Vec<Chunk>,
    /// Rows that failed, by the label of their operator.
    pub bad: Vec<(Arc<Counters>, Vec<BadRecord>)>,
    /// Nodes that want no more input; each says so once.
    pub done: Vec<usize>,
}

impl Given {
    /// Whether it should be sent on before there is more of it.
    fn is_full(&self) -> bool {
        self.chunks.len() >= OUTPUT_CHUNKS || !self.bad.is_empty()
    }
}

/// Stops where what was given should go on, or where the task has not looked up for some turns: of rows that only add up
/// to a number nothing is given for hours.
fn pause() -> impl FnMut(&Given) -> bool {
    let mut turns = 0;
    move |given| {
        turns += 1;
        TURNS_MAX < turns || given.is_full()
    }
}

impl Chain {
    /// A chain of the instance `instance` of its fragment.
    pub fn new(steps: Vec<Running>, instance: usize, budget: Arc<Budget>) -> Self {
        let waiting = steps.iter().map(|_| VecDeque::new()).collect();
        Self { steps, waiting, instance, budget }
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

    /// Rows of a port, through all operators, as one batch; where [`Self::has_more`] says so, not all of them yet.
    ///
    /// # Errors
    /// What ends the job.
    pub fn push(&mut self, port: usize, chunk: Chunk, given: &mut Given) -> Result<(), Fault> {
        if self.steps.is_empty() {
            given.chunks.push(chunk);
            return Ok(());
        }
        self.feed(0, port, chunk, given)?;
        self.drive(given, pause())?;
        self.pushed(given)
    }

    /// Whether rows that were pushed are not through: what was given is sent on, then [`Self::go_on`] goes on with them.
    pub fn has_more(&self) -> bool {
        self.busy().is_some()
    }

    /// Goes on with rows that were pushed.
    ///
    /// # Errors
    /// What ends the job.
    pub fn go_on(&mut self, given: &mut Given) -> Result<(), Fault> {
        self.drive(given, pause())?;
        self.pushed(given)
    }

    fn pushed(&mut self, given: &mut Given) -> Result<(), Fault> {
        if !self.has_more() {
            self.flush(0, given)?;
        }
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
            if self.pass(step, out, given) {
                self.drive(given, |_| false)?;
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
            if self.pass(step, out, given) {
                self.drive(given, |_| false)?;
                self.flush(step + 1, given)?;
            }
        }
        self.measure()
    }

    /// All that lay in the inputs when the job began is through.
    ///
    /// # Errors
    /// What ends the job.
    pub fn caught_up(&mut self, given: &mut Given) -> Result<(), Fault> {
        for step in 0..self.steps.len() {
            let mut out = Output::default();
            self.steps[step].operator.caught_up(&mut out)?;
            if self.pass(step, out, given) {
                self.drive(given, |_| false)?;
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

    /// Goes on until nothing waits, or what was given should go on first.
    fn drive(&mut self, given: &mut Given, mut stops: impl FnMut(&Given) -> bool) -> Result<(), Fault> {
        while let Some(step) = self.busy().filter(|_| !stops(given)) {
            match self.waiting[step].front() {
                Some(_) if !self.steps[step].operator.has_more() => {
                    if let Some(chunk) = self.waiting[step].pop_front() {
                        self.feed(step, 0, chunk, given)?;
                    }
                }
                _ => {
                    let running = &mut self.steps[step];
                    let mut out = Output::default();
                    let began = Instant::now();
                    running.operator.go_on(&mut out)?;
                    running.counters.add_busy(began);
                    self.pass(step, out, given);
                }
            }
        }
        Ok(())
    }

    /// The last operator that has something to do: what is furthest goes first, so that rows stay in order.
    fn busy(&self) -> Option<usize> {
        (0..self.steps.len())
            .rev()
            .find(|step| !self.waiting[*step].is_empty() || self.steps[*step].operator.has_more())
    }

    fn feed(&mut self, step: usize, port: usize, chunk: Chunk, given: &mut Given) -> Result<(), Fault> {
        let running = &mut self.steps[step];
        running.counters.add_in(chunk.changes());
        let mut out = Output::default();
        let began = Instant::now();
        running.operator.push(port, chunk, &mut out)?;
        running.counters.add_busy(began);
        self.pass(step, out, given);
        Ok(())
    }

    fn flush(&mut self, from: usize, given: &mut Given) -> Result<(), Fault> {
        for step in from..self.steps.len() {
            let running = &mut self.steps[step];
            let mut out = Output::default();
            let began = Instant::now();
            running.operator.flush(&mut out)?;
            running.counters.add_busy(began);
            self.pass(step, out, given);
            self.drive(given, |_| false)?;
        }
        Ok(())
    }

    /// What an operator gave goes on to the next. Answers whether rows did.
    fn pass(&mut self, step: usize, out: Output, given: &mut Given) -> bool {
        let running = &mut self.steps[step];
        let counters = &running.counters;
        if out.late_rows > 0 {
            counters.add_late(out.late_rows);
        }
        if !out.bad.is_empty() {
            counters.add_bad(out.bad.len());
            given.bad.push((Arc::clone(counters), out.bad));
        }
        if out.is_done && !std::mem::replace(&mut running.is_done, true) {
            given.done.push(running.node);
        }
        let gave = !out.chunks.is_empty();
        for chunk in out.chunks {
            self.steps[step].counters.add_out(chunk.changes());
            match self.waiting.get_mut(step + 1) {
                Some(next) => next.push_back(chunk),
                None => given.chunks.push(chunk),
            }
        }
        gave
    }

    /// Holds the state to its limit.
    fn measure(&mut self) -> Result<(), Fault> {
        for running in &mut self.steps {
            let now = (running.operator.state_bytes(), running.operator.state_rows());
            if now == running.state {
                continue;
            }
            running.counters.state(running.state, now);
            let before = std::mem::replace(&mut running.state, now);
            self.budget.change(&running.counters.label, before.0, now)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
