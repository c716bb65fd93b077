//! From a job's counters to its pipeline as people see it: rates are the difference of two readings about a second apart.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::screen::Made;
use crate::app::model::pipeline::{Checkpoint, NodeRole, Pipeline, PipelineNode};
use crate::clock::now_ms;
use crate::sql::exec::statistics::{OperatorStatistics, Statistics};
use crate::sql::plan::picture;
use crate::sql::plan::stream::{NodeKind, StreamPlan};

/// What a rate is measured over: over less it jumps too much to be read.
const MEASURED_OVER: Duration = Duration::from_secs(1);

/// The nodes of a plan before anything runs.
pub fn nodes(plan: &StreamPlan) -> Vec<PipelineNode> {
    let mut nodes: Vec<PipelineNode> = picture::nodes(plan)
        .into_iter()
        .map(|drawn| PipelineNode {
            id: drawn.node,
            role: NodeRole::Operator,
            operator: drawn.operator.to_owned(),
            label: drawn.label,
            inputs: drawn.inputs,
            keeps: drawn.state,
            is_changing: drawn.changes,
            ..PipelineNode::default()
        })
        .collect();
    nodes.sort_by_key(|node| node.id);
    for (node, planned) in nodes.iter_mut().zip(&plan.nodes) {
        match &planned.kind {
            NodeKind::Source(source) => {
                node.role = NodeRole::Source;
                node.operator = source.options.get("connector").unwrap_or("kafka").to_owned();
            }
            NodeKind::Values(_) => node.role = NodeRole::Source,
            NodeKind::Sink(sink) => {
                node.role = NodeRole::Sink;
                node.operator.clone_from(&sink.connector);
            }
            _ => {}
        }
    }
    nodes
}

/// Readings of a job.
pub struct Readings {
    nodes: Vec<PipelineNode>,
    statistics: watch::Receiver<Statistics>,
    /// Readings of the last second, oldest first.
    past: VecDeque<(Instant, Vec<OperatorStatistics>)>,
    checkpoint: Option<Checkpoint>,
    went_on_ms: Option<i64>,
}

impl Readings {
    /// Readings of the job that these nodes became.
    pub fn new(nodes: Vec<PipelineNode>, statistics: watch::Receiver<Statistics>) -> Self {
        // It began with nothing.
        let past = VecDeque::from([(Instant::now(), Vec::new())]);
        Self { nodes, statistics, past, checkpoint: None, went_on_ms: None }
    }

    /// The same of a job that went on from a checkpoint just now.
    pub fn going_on(mut self, now_ms: i64) -> Self {
        self.went_on_ms = Some(now_ms);
        self
    }

    /// Reads the counters.
    pub fn read(&mut self) -> Pipeline {
        let statistics = self.statistics.borrow_and_update().clone();
        self.pipeline(statistics)
    }

    /// Reads the counters of a job whose sink is a view: what it was given is what the view has counted.
    pub fn of_a_view(&mut self, made: Made) -> Pipeline {
        let mut statistics = self.statistics.borrow_and_update().clone();
        if let Some(sink) = statistics.operators.last_mut() {
            (sink.rows_in, sink.rows_out) = (made.changes, made.changes);
        }
        Pipeline { result_rows: Some(made.rows), ..self.pipeline(statistics) }
    }

    fn pipeline(&mut self, statistics: Statistics) -> Pipeline {
        let now = Instant::now();
        while self.past.get(1).is_some_and(|(at, _)| MEASURED_OVER <= now.duration_since(*at)) {
            self.past.pop_front();
        }
        let mut pipeline = Pipeline {
            nodes: self.nodes.clone(),
            elapsed_ms: millis(statistics.elapsed),
            went_on_ms: self.went_on_ms,
            rows_read: statistics.rows_read(),
            rows_written: statistics.rows_written(),
            bytes_read: statistics.operators.iter().map(|operator| operator.bytes).sum(),
            late: statistics.late(),
            bad: statistics.failures.bad(),
            dead_letters: statistics.failures.dead_letters,
            dead_letter_retries: statistics.failures.retries,
            state_bytes: statistics.state_bytes() as u64,
            ..Pipeline::default()
        };
        let nothing = OperatorStatistics::default();
        let before = self.past.front().map(|(at, operators)| (now.duration_since(*at), operators.as_slice()));
        for operator in &statistics.operators {
            let was = before.map(|(over, operators)| {
                (over, operators.iter().find(|other| other.node == operator.node).unwrap_or(&nothing))
            });
            if let Some(node) = pipeline.nodes.iter_mut().find(|node| node.id == operator.node) {
                measure(node, operator, was);
            }
        }
        let sources = pipeline.nodes.iter().filter(|node| node.role == NodeRole::Source);
        pipeline.lag = Some(sources.map(|source| source.backlog).sum());
        pipeline.watermark_ms = pipeline.nodes.iter().filter_map(|node| node.watermark_ms).min();
        self.take_checkpoint(&statistics);
        pipeline.checkpoint = self.checkpoint;
        self.past.push_back((now, statistics.operators));
        pipeline
    }

    fn take_checkpoint(&mut self, statistics: &Statistics) {
        let Some(newest) = statistics.checkpoint else { return };
        if self.checkpoint.is_none_or(|known| known.epoch != newest.epoch) {
            self.checkpoint = Some(Checkpoint {
                epoch: newest.epoch,
                bytes: newest.bytes,
                took_ms: millis(newest.took),
                at_ms: now_ms(),
            });
        }
    }
}

fn measure(node: &mut PipelineNode, now: &OperatorStatistics, was: Option<(Duration, &OperatorStatistics)>) {
    node.instances = now.instances;
    node.rows_in = now.rows_in;
    node.rows_out = now.rows_out;
    node.backlog = now.backlog;
    // The end of all input is no time.
    node.watermark_ms = now.watermark.filter(|watermark| *watermark != i64::MAX);
    node.late = now.late;
    node.bad = now.bad;
    node.retries = now.retries;
    node.state_bytes = now.state_bytes as u64;
    node.state_rows = now.state_rows as u64;
    node.progress = now.progress;
    let Some((over, was)) = was else { return };
    // What came before there was a second to measure over came in that second.
    let seconds = over.max(MEASURED_OVER).as_secs_f64();
    let rate = |now: u64, was: u64| now.saturating_sub(was) as f64 / seconds;
    node.in_per_second = rate(now.rows_in, was.rows_in);
    node.out_per_second = rate(now.rows_out, was.rows_out);
    node.bytes_per_second = rate(now.bytes, was.bytes);
    let busy = now.busy.saturating_sub(was.busy).as_secs_f64();
    node.busy_share = (busy / seconds / now.instances.max(1) as f64).min(1.0);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::runtime::query::screen::Made;

    fn counted(node: usize, rows_in: u64, rows_out: u64) -> OperatorStatistics {
        OperatorStatistics { node, instances: 1, rows_in, rows_out, ..OperatorStatistics::default() }
    }

    #[test]
    fn what_came_at_once_has_a_rate_at_once_and_a_view_is_given_what_it_has_counted() {
        let operators = vec![counted(0, 0, 400), counted(1, 400, 800), counted(2, 800, 800)];
        let (_tell, statistics) = watch::channel(Statistics { operators, ..Statistics::default() });
        let node = |(id, role)| PipelineNode { id, role, ..PipelineNode::default() };
        let nodes = [NodeRole::Source, NodeRole::Operator, NodeRole::Sink].into_iter().enumerate().map(node);
        let pipeline = Readings::new(nodes.collect(), statistics).of_a_view(Made { changes: 402, rows: 4 });
        let rates: Vec<f64> = pipeline.nodes.iter().map(PipelineNode::rate).collect();
        assert_eq!(rates, [400.0, 400.0, 402.0]);
        assert_eq!((pipeline.nodes[2].rows_out, pipeline.rows_written, pipeline.result_rows), (402, 402, Some(4)));
    }
}
