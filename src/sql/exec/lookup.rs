//! The tables that a plan's streams look into: reads each of them whole before the first row passes, and again from time
//! to time beside the stream. A reading that fails leaves what was there; nothing of a table is in a checkpoint.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::budget::Budget;
use super::build::build;
use super::chunk::Chunk;
use super::failures::Failures;
use super::graph::{Graph, Step};
use super::join::JoinInput;
use super::join::cached::{Cache, Filling, Newest};
use super::operator::{Operator, Output};
use super::source::{Opening, SHORT_PAUSE, Shape};
use super::statistics::Counters;
use crate::connectors::contract::{Pull, Source};
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::{JoinBound, JoinNode, NodeId, NodeKind, SourceNode, StreamPlan};
use crate::sql::state::manifest::SplitState;

/// The tables of a plan, by the node of the join that looks into them.
pub type Caches = HashMap<NodeId, Arc<Cache>>;

/// The tables of a plan, each with what reads it.
pub struct Lookups {
    readings: Vec<(NodeId, Reading)>,
}

/// What reads a table.
pub struct Reading {
    cache: Arc<Cache>,
    plan: Arc<StreamPlan>,
    node: SourceNode,
    shape: Shape,
    /// The maps between the source and the join, in order.
    maps: Vec<NodeId>,
    label: String,
    every: Option<Duration>,
    budget: Arc<Budget>,
    failures: Arc<Failures>,
    /// What the source's readers count.
    counters: Arc<Counters>,
}

impl Lookups {
    /// The tables of a plan, empty.
    ///
    /// # Errors
    /// Keys that cannot be compared.
    pub fn of(plan: &Arc<StreamPlan>, budget: &Arc<Budget>, failures: &Arc<Failures>) -> Result<Self, Fault> {
        let mut readings = Vec::new();
        for id in Graph::flowing(plan) {
            if let NodeKind::Join(join @ JoinNode { bound: JoinBound::Lookup(cache), .. }) = &plan.nodes[id.0].kind {
                let reading = Reading::of(plan, id, join, cache.reload, budget, failures)?;
                readings.push((id, reading));
            }
        }
        Ok(Self { readings })
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// A table that cannot be read, or that does not fit.
    pub async fn read(&self) -> Result<(), Fault> {
        for (_, reading) in &self.readings {
            reading.read(&reading.node.source).await?;
            reading.count_retries();
        }
        Ok(())
    }

    /// The tables themselves.
    pub fn caches(&self) -> Caches {
        self.readings.iter().map(|(id, reading)| (*id, Arc::clone(&reading.cache))).collect()
    }

    /// What reads them again, for those that are.
    pub fn again(self) -> impl Iterator<Item = Reading> {
        self.readings.into_iter().map(|(_, reading)| reading).filter(|reading| reading.every.is_some())
    }
}

impl Reading {
    fn of(
        plan: &Arc<StreamPlan>,
        id: NodeId,
        join: &JoinNode,
        every: Option<Duration>,
        budget: &Arc<Budget>,
        failures: &Arc<Failures>,
    ) -> Result<Self, Fault> {
        let defect = || Fault::new(Blame::Program, "a lookup table is a source that is filtered and projected");
        let [left, right] = plan.nodes[id.0].inputs[..] else { return Err(defect()) };
        let (mut below, mut maps) = (right, Vec::new());
        let (node, label) = loop {
            let node = &plan.nodes[below.0];
            match (&node.kind, &node.inputs[..]) {
                (NodeKind::Source(source), []) => break (source.clone(), node.label.clone()),
                (NodeKind::Map { .. }, [input]) => {
                    maps.push(below);
                    below = *input;
                }
                _ => return Err(defect()),
            }
        };
        maps.reverse();
        let input = |id: NodeId| {
            let node = &plan.nodes[id.0];
            JoinInput { schema: Arc::clone(&node.schema), changes: node.changes, key: node.key.clone() }
        };
        let output = &plan.nodes[id.0].schema;
        let cache = Cache::new(&node.name, join, &input(left), &input(right), output, budget)?;
        Ok(Self {
            cache: Arc::new(cache),
            shape: Shape::new(&node, Arc::clone(&plan.nodes[below.0].schema)),
            plan: Arc::clone(plan),
            node,
            maps,
            counters: Counters::new(label.as_str(), 1),
            label,
            every,
            budget: Arc::clone(budget),
            failures: Arc::clone(failures),
        })
    }

    /// Reads the table again from time to time, for as long as the job runs.
    pub async fn run(self) {
        let Some(every) = self.every else { return };
        let mut turns = tokio::time::interval(every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first reading was before the job began.
        turns.tick().await;
        loop {
            turns.tick().await;
            let outcome = self.read_again().await;
            self.count_retries();
            match outcome {
                Ok(rows) => {
                    tracing::debug!(target: "velox::sql", table = %self.node.name, rows, "read again");
                }
                Err(fault) => {
                    self.cache.counters().has_failed();
                    tracing::warn!(
                        target: "velox::sql", table = %self.node.name,
                        "a lookup table could not be read again, what was read before stays: {fault}"
                    );
                }
            }
            // Counted from the end of a reading, so that a slow one is not followed by the next at once.
            turns.reset();
        }
    }

    fn count_retries(&self) {
        self.cache.counters().has_tried_again(self.counters.read(0).retries);
    }

    async fn read_again(&self) -> Result<usize, Fault> {
        match self.node.source.as_of_now().await? {
            Some(source) => self.read(&source).await,
            None => self.read(&self.node.source).await,
        }
    }

    /// Reads a source whole, and exchanges the table's rows for what it has. Answers how many.
    async fn read(&self, source: &Arc<dyn Source>) -> Result<usize, Fault> {
        let splits = source.splits().await?;
        if splits.is_empty() {
            // A folder is empty for a moment where somebody exchanges its files.
            let what = format!("there is nothing to read of the lookup table `{}`", self.node.name);
            return Err(Fault::new(Blame::Operator, what).next(source.description()));
        }
        let mut table = Table::new(self)?;
        let opening = Opening {
            source: Arc::clone(source),
            columns: self.node.columns.clone(),
            name: self.node.name.clone(),
            retries: self.failures.strategy().retries(),
            counters: Arc::clone(&self.counters),
        };
        for split in splits {
            let mut state = SplitState::new(split);
            let mut pulled = opening.clone().open(0, state.clone()).await?;
            loop {
                let Ok((reader, pull)) = pulled.brought else {
                    // Another file is closed before long.
                    tokio::time::sleep(SHORT_PAUSE).await;
                    pulled = opening.clone().open(0, state.clone()).await?;
                    continue;
                };
                state.position = Some(reader.position());
                match pull {
                    Pull::Rows(rows) => {
                        let (chunk, bad) = self.shape.chunk(rows)?;
                        self.failures.take(&self.label, bad).await?;
                        table.push(chunk).await?;
                        // The stream of this thread goes on meanwhile.
                        tokio::task::yield_now().await;
                    }
                    Pull::Idle | Pull::Rest => {}
                    Pull::End => break,
                }
                pulled = opening.clone().pull(0, state.clone(), reader).await?;
            }
        }
        table.finish().await
    }
}

/// A table while it is read.
struct Table<'r> {
    reading: &'r Reading,
    maps: Vec<Box<dyn Operator>>,
    newest: Option<Newest>,
    filling: Filling,
}

impl<'r> Table<'r> {
    fn new(reading: &'r Reading) -> Result<Self, Fault> {
        let map = |id: &NodeId| build(&reading.plan, Step::Node(*id), &Caches::new());
        let maps = reading.maps.iter().map(map).collect::<Result<_, _>>()?;
        let newest = reading.node.upsert_key.clone().map(|key| Newest::new(reading.shape.schema(), key)).transpose()?;
        Ok(Self { reading, maps, newest, filling: reading.cache.filling(&reading.budget) })
    }

    async fn push(&mut self, chunk: Chunk) -> Result<(), Fault> {
        match &mut self.newest {
            Some(newest) => {
                newest.push(chunk)?;
                self.filling.hold(newest.bytes())
            }
            None if chunk.ops.is_some() => {
                let what = format!("rows of the lookup table `{}` are taken back again", self.reading.node.name);
                Err(Fault::new(Blame::Operator, what).next("declare it as a TABLE with a PRIMARY KEY"))
            }
            None => self.fill(chunk).await,
        }
    }

    async fn fill(&mut self, chunk: Chunk) -> Result<(), Fault> {
        let mut chunks = vec![chunk];
        for (map, id) in self.maps.iter_mut().zip(&self.reading.maps) {
            let mut out = Output::default();
            for chunk in chunks.drain(..) {
                map.push(0, chunk, &mut out)?;
            }
            self.reading.failures.take(&self.reading.plan.nodes[id.0].label, out.bad).await?;
            chunks = out.chunks;
        }
        for chunk in chunks {
            let mut out = Output::default();
            self.filling.push(chunk, &mut out)?;
            self.reading.failures.take(&self.reading.label, out.bad).await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<usize, Fault> {
        if let Some(newest) = self.newest.take() {
            for chunk in newest.finish() {
                self.fill(chunk?).await?;
                tokio::task::yield_now().await;
            }
        }
        self.filling.finish()
    }
}
