//! Leads a job: lets barriers in, gathers what the tasks remember, makes checkpoints durable and visible, and ends the job
//! in order. It touches no row and waits for no task.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::ending::{Ending, How};
use super::failures::Failures;
use super::graph::Graph;
use super::orders::{LaneHandle, deliver};
use super::report::{Commit, LaneOrder, Report};
use super::settings::Checkpoints;
use super::statistics::{CheckpointStatistics, Counters, Statistics};
use crate::clock::now_ms;
use crate::connectors::contract::{Position, Source, Split};
use crate::core::fault::{Blame, Fault};
use crate::kafka::settings::Connection;
use crate::sql::plan::stream::{NodeId, StreamPlan};
use crate::sql::state::checkpoint::{self, OperatorState};
use crate::sql::state::manifest::{FORM, JobText, LaneState, Manifest, SplitState};

/// Between two publications of the statistics: what a screen can show.
const STATISTICS_INTERVAL: Duration = Duration::from_millis(100);

/// What a job is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOrder {
    /// Read no further, write what is under way, end.
    Stop,
    /// End without what is under way.
    Leave,
}

/// A source as the coordinator sees it.
pub struct SourceHandle {
    /// Its node.
    pub node: NodeId,
    /// The source.
    pub source: Arc<dyn Source>,
    /// Its identity over restarts.
    pub identity: String,
    /// Splits that are assigned.
    pub known: HashSet<Split>,
}

/// The coordinator of a job.
pub struct Coordinator {
    /// The plan.
    pub plan: Arc<StreamPlan>,
    /// Name of the job.
    pub job: String,
    /// What it was made of.
    pub text: JobText,
    /// Where it remembers.
    pub checkpoints: Option<Checkpoints>,
    /// The lock on that place.
    pub hold: Option<Box<dyn Send + Sync>>,
    /// Whether the sink waits for commits.
    pub exactly_once: bool,
    /// Lanes of all sources.
    pub lanes: Vec<LaneHandle>,
    /// Sources.
    pub sources: Vec<SourceHandle>,
    /// The connection that the sink writes through, where it is one to brokers.
    pub writes: Option<Connection>,
    /// Tasks that report a snapshot for each checkpoint: lanes and workers.
    pub snapshots: usize,
    /// All tasks whose endings are awaited.
    pub tasks: usize,
    /// Tasks that hold a stream back until its table has caught up.
    pub holding: Arc<AtomicUsize>,
    /// To the sink.
    pub commits: mpsc::Sender<Commit>,
    /// From the tasks.
    pub reports: mpsc::Receiver<Report>,
    /// From the job's owner.
    pub orders: mpsc::Receiver<JobOrder>,
    /// Tells tasks that the job is to end.
    pub stopping: CancellationToken,
    /// Ends all tasks at once.
    pub token: CancellationToken,
    /// What is counted: node, counters.
    pub counters: Vec<(usize, Arc<Counters>)>,
    /// Bad records.
    pub failures: Arc<Failures>,
    /// Where statistics are published.
    pub statistics: watch::Sender<Statistics>,
    /// The newest epoch so far.
    pub epoch: u64,
}

struct State {
    began: Instant,
    /// The checkpoint under way.
    pending: Option<Pending>,
    ended_lanes: HashSet<usize>,
    ended_tasks: usize,
    /// Set once nothing more is read: how the job will have ended.
    closing: Option<How>,
    checkpoint: Option<CheckpointStatistics>,
    fault: Option<Fault>,
    /// Nodes that want no more input.
    done: HashSet<NodeId>,
}

struct Pending {
    epoch: u64,
    began: Instant,
    is_last: bool,
    missing: usize,
    lanes: Vec<LaneState>,
    states: Vec<OperatorState>,
    prepared: Option<Option<String>>,
    /// Durable; the sink makes it visible now.
    is_written: bool,
    bytes: u64,
}

impl Pending {
    /// Whether every lane had come to its end before its barrier: what is given at the end was given before it, and is not
    /// to be given again by a job that goes on from here.
    fn holds_the_end(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.watermark == i64::MAX)
    }
}

impl Coordinator {
    /// Leads the job to its end.
    ///
    /// # Errors
    /// What ended it: the first fault of any of its tasks.
    pub async fn run(mut self) -> Result<Ending, Fault> {
        let mut state = State {
            began: Instant::now(),
            pending: None,
            ended_lanes: HashSet::new(),
            ended_tasks: 0,
            closing: None,
            checkpoint: None,
            fault: None,
            done: HashSet::new(),
        };
        if let Err(fault) = self.lead(&mut state).await {
            state.fault.get_or_insert(fault);
        }
        let was_cancelled = self.token.is_cancelled();
        self.token.cancel();
        while state.ended_tasks < self.tasks {
            match self.reports.recv().await {
                Some(Report::TaskEnded { outcome, .. }) => {
                    state.ended_tasks += 1;
                    if let Err(fault) = outcome {
                        state.fault.get_or_insert(fault);
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        self.publish(&state);
        self.failures.end();
        drop(self.hold.take());
        if let Some(fault) = state.fault {
            return Err(fault);
        }
        let statistics = self.statistics.borrow();
        Ok(Ending {
            how: state.closing.filter(|_| !was_cancelled).unwrap_or(How::Cancelled),
            checkpoint: state.checkpoint.map(|checkpoint| checkpoint.epoch).filter(|_| self.checkpoints.is_some()),
            bad: statistics.failures.bad(),
            late: statistics.late(),
            dead_letters: statistics.failures.dead_letters,
            by_zero: statistics.by_zero,
        })
    }

    async fn lead(&mut self, state: &mut State) -> Result<(), Fault> {
        let interval = self.checkpoints.as_ref().map(|checkpoints| checkpoints.interval);
        let mut barriers = tokio::time::interval(interval.unwrap_or(Duration::MAX / 4).max(Duration::from_millis(1)));
        barriers.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        barriers.reset();
        let mut looks = tokio::time::interval(STATISTICS_INTERVAL);
        loop {
            tokio::select! {
                () = self.token.cancelled() => return Ok(()),
                report = self.reports.recv() => match report {
                    Some(report) => {
                        if self.hear(state, report).await? {
                            return Ok(());
                        }
                    }
                    None => return Ok(()),
                },
                Some(order) = self.orders.recv() => match order {
                    JobOrder::Stop => {
                        if !self.stop(state) {
                            return Ok(());
                        }
                    }
                    JobOrder::Leave => return Ok(()),
                },
                () = deliver(&mut self.lanes) => {}
                _ = barriers.tick(), if interval.is_some() => self.begin(state, false),
                _ = looks.tick() => self.publish(state),
            }
        }
    }

    /// Hears a task. Answers whether all is over.
    async fn hear(&mut self, state: &mut State, report: Report) -> Result<bool, Fault> {
        match report {
            Report::Snapshot { epoch, lane, states } => {
                if let Some(pending) = state.pending.as_mut().filter(|pending| pending.epoch == epoch) {
                    pending.missing -= 1;
                    pending.lanes.extend(lane);
                    pending.states.extend(states);
                }
                self.complete(state).await?;
            }
            Report::Prepared { epoch, prepared } => {
                if let Some(pending) = state.pending.as_mut().filter(|pending| pending.epoch == epoch) {
                    pending.prepared = Some(prepared);
                }
                self.complete(state).await?;
            }
            Report::Committed { epoch } => self.committed(state, epoch).await?,
            Report::LaneEnded { lane } => {
                state.ended_lanes.insert(lane);
                if state.ended_lanes.len() == self.lanes.len() {
                    state.closing.get_or_insert(How::Finished);
                    self.begin(state, true);
                }
            }
            Report::Done { node } => self.done(state, NodeId(node)),
            Report::Discovered { source, splits } => self.assign(source, splits),
            Report::Broken(fault) => return Err(fault),
            Report::TaskEnded { name, outcome } => {
                tracing::debug!(target: "velox::sql", job = %self.job, task = name, ok = outcome.is_ok(), "ended");
                state.ended_tasks += 1;
                outcome?;
                return Ok(state.ended_tasks == self.tasks);
            }
        }
        Ok(false)
    }

    /// Answers whether what is under way is waited for. It is not where rows wait for a table that is read no further: they
    /// would meet half of it, and no checkpoint was written since they were read.
    fn stop(&mut self, state: &mut State) -> bool {
        if state.closing.is_some() {
            return true;
        }
        state.closing = Some(How::Stopped);
        self.stopping.cancel();
        if self.holding.load(Ordering::Acquire) > 0 {
            if self.checkpoints.is_some() {
                tracing::warn!(
                    target: "velox::sql", job = %self.job,
                    "stopped while a table was still being read: what was read since the start is read again"
                );
            }
            return false;
        }
        self.lanes.iter_mut().for_each(|lane| lane.give(LaneOrder::Stop));
        true
    }

    fn done(&mut self, state: &mut State, node: NodeId) {
        if !state.done.insert(node) {
            return;
        }
        let sources = Graph::only_for(&self.plan, node);
        for lane in &mut self.lanes {
            if sources.contains(&self.sources[lane.source].node) {
                lane.give(LaneOrder::Finish);
            }
        }
    }

    fn assign(&mut self, source: usize, splits: Vec<Split>) {
        let SourceHandle { source: from, known, .. } = &mut self.sources[source];
        let new: Vec<Split> = splits.into_iter().filter(|split| known.insert(split.clone())).collect();
        let mut lanes: Vec<_> = self.lanes.iter_mut().filter(|lane| lane.source == source).collect();
        // Dealt out as if all had been there from the beginning.
        let first = known.len() - new.len();
        let mut dealt: Vec<Vec<SplitState>> = vec![Vec::new(); lanes.len()];
        for (index, split) in new.into_iter().enumerate() {
            tracing::info!(target: "velox::sql", job = %self.job, split = %split.0, "a new split");
            let position = from.beginning(&split);
            dealt[(first + index) % lanes.len()].push(SplitState { position, ..SplitState::new(split) });
        }
        for (lane, splits) in lanes.iter_mut().zip(dealt).filter(|(_, splits)| !splits.is_empty()) {
            lane.give(LaneOrder::Assign(splits));
        }
    }

    /// Lets a barrier into the stream. The last one closes it.
    fn begin(&mut self, state: &mut State, is_last: bool) {
        // The last one begins when the one under way is through.
        if state.pending.is_some() {
            return;
        }
        if !is_last && (state.closing.is_some() || self.holding.load(Ordering::Acquire) > 0) {
            return;
        }
        self.epoch += 1;
        state.pending = Some(Pending {
            epoch: self.epoch,
            began: Instant::now(),
            is_last,
            missing: self.snapshots,
            lanes: Vec::new(),
            states: Vec::new(),
            prepared: None,
            is_written: false,
            bytes: 0,
        });
        for lane in &mut self.lanes {
            lane.give(if is_last { LaneOrder::Close(self.epoch) } else { LaneOrder::Barrier(self.epoch) });
        }
    }

    /// Writes the checkpoint once everybody has reported.
    async fn complete(&mut self, state: &mut State) -> Result<(), Fault> {
        let Some(pending) = &mut state.pending else { return Ok(()) };
        let Some(prepared) = pending.prepared.clone().filter(|_| pending.missing == 0 && !pending.is_written) else {
            return Ok(());
        };
        if let Some(checkpoints) = &self.checkpoints {
            let manifest = Manifest {
                form: FORM,
                epoch: pending.epoch,
                job: self.job.clone(),
                written_ms: now_ms(),
                sql_sha256: self.text.sha256(),
                sql: self.text.statement.clone(),
                definitions: Some(self.text.marks()),
                ends: Some(self.text.ends.clone()),
                variables: Some(self.text.variables.clone()),
                clusters: self.text.clusters.clone(),
                columns: self.text.columns.clone(),
                script: self.text.script.clone(),
                has_finished: pending.is_last && state.closing == Some(How::Finished) || pending.holds_the_end(),
                lanes: pending.lanes.clone(),
                operators: Vec::new(),
                prepared: prepared.clone(),
            };
            let (store, states) = (Arc::clone(&checkpoints.store), std::mem::take(&mut pending.states));
            let written = tokio::task::spawn_blocking(move || checkpoint::write(store.as_ref(), manifest, &states));
            pending.bytes = written.await.unwrap_or_else(|error| Err(lost(&error)))?;
        }
        pending.is_written = true;
        let epoch = pending.epoch;
        if self.exactly_once {
            self.commits.send(Commit { epoch, prepared }).await.ok();
            return Ok(());
        }
        self.committed(state, epoch).await
    }

    async fn committed(&mut self, state: &mut State, epoch: u64) -> Result<(), Fault> {
        let Some(pending) = state.pending.take_if(|pending| pending.epoch == epoch) else { return Ok(()) };
        state.checkpoint = Some(CheckpointStatistics { epoch, bytes: pending.bytes, took: pending.began.elapsed() });
        if let Some(checkpoints) = &self.checkpoints {
            let (store, kept) = (Arc::clone(&checkpoints.store), checkpoints.kept.max(2));
            let forgotten = tokio::task::spawn_blocking(move || checkpoint::forget_old(store.as_ref(), kept));
            forgotten.await.unwrap_or_else(|error| Err(lost(&error)))?;
        }
        self.acknowledge(&pending).await;
        if state.ended_lanes.len() == self.lanes.len() && !pending.is_last {
            self.begin(state, true);
        }
        Ok(())
    }

    /// For monitors to see. A source that cannot say so now says it the next time.
    async fn acknowledge(&self, pending: &Pending) {
        let mut positions: HashMap<&str, Vec<(Split, Position)>> = HashMap::new();
        for lane in &pending.lanes {
            let read = lane.splits.iter().filter_map(|split| Some((split.split.clone(), split.position.clone()?)));
            positions.entry(&lane.source).or_default().extend(read);
        }
        for source in &self.sources {
            if let Some(positions) = positions.get(source.identity.as_str())
                && let Err(fault) = source.source.acknowledge(positions).await
            {
                tracing::warn!(target: "velox::sql", job = %self.job, "positions were not acknowledged: {fault}");
            }
        }
    }

    fn publish(&self, state: &State) {
        let unread = self.sources.iter().find_map(|source| source.source.outage());
        self.statistics.send_replace(Statistics {
            operators: self.counters.iter().map(|(node, counters)| counters.read(*node)).collect(),
            elapsed: state.began.elapsed(),
            failures: self.failures.counts(),
            by_zero: self.plan.divisions.by_zero.load(Ordering::Relaxed),
            checkpoint: state.checkpoint,
            outage: unread.or_else(|| self.writes.as_ref().and_then(Connection::outage)),
        });
    }
}

fn lost(error: &tokio::task::JoinError) -> Fault {
    Fault::new(Blame::Program, format!("writing a checkpoint failed by a defect of this program: {error}"))
}
