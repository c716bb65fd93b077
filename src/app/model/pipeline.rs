//! A job of operators as the console shows it: what each does and did, how fast, and which one the others wait for.

use crate::core::ring::Ring;

/// Readings of a rate kept for a node's sparkline: as many as its widest box has cells for, four a second.
pub const RATES_MAX: usize = 60;

/// Share of the time at work above which a node holds up the others rather than waiting for them: below it, nobody is slow.
const BUSY_SHARE_SLOW: f64 = 0.5;

/// The operators of a job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pipeline {
    /// Nodes, inputs first; the last one is the sink.
    pub nodes: Vec<PipelineNode>,
    /// Since it began, milliseconds.
    pub elapsed_ms: u64,
    /// Rows read by all sources.
    pub rows_read: u64,
    /// Rows given to the sink; of a result that changes each change is one.
    pub rows_written: u64,
    /// Rows that a result which is looked at has now, whether the view holds them or not.
    pub result_rows: Option<u64>,
    /// When it went on from a checkpoint, milliseconds since 1970: what is counted here is counted since then.
    pub went_on_ms: Option<i64>,
    /// Bytes read.
    pub bytes_read: u64,
    /// Rows that were too late.
    pub late: u64,
    /// Records that failed.
    pub bad: u64,
    /// Failed records that went to the dead letters.
    pub dead_letters: u64,
    /// How often one of those had to be sent again.
    pub dead_letter_retries: u64,
    /// State of all nodes, bytes.
    pub state_bytes: u64,
    /// Records still to read, where the sources know.
    pub lag: Option<u64>,
    /// The lowest watermark of the nodes, milliseconds since 1970: how far results are complete.
    pub watermark_ms: Option<i64>,
    /// The newest checkpoint, where the job keeps some.
    pub checkpoint: Option<Checkpoint>,
}

/// What a node is to its pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodeRole {
    /// Rows come from it.
    Source,
    /// Rows pass it.
    #[default]
    Operator,
    /// Rows end in it.
    Sink,
}

/// One node with what it did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PipelineNode {
    /// Its number.
    pub id: usize,
    /// What it is to the pipeline.
    pub role: NodeRole,
    /// The operator, as `WindowAggregate`; of a source or a sink the connector, as `kafka`.
    pub operator: String,
    /// What it does, for people.
    pub label: String,
    /// The nodes that it reads.
    pub inputs: Vec<usize>,
    /// What it keeps, in words; empty for a node without state.
    pub keeps: String,
    /// Whether its rows are taken back later.
    pub is_changing: bool,
    /// Instances side by side.
    pub instances: usize,
    /// Rows that came.
    pub rows_in: u64,
    /// Rows that it gave.
    pub rows_out: u64,
    /// Rows that came, a second over the last second.
    pub in_per_second: f64,
    /// Rows that it gave, a second over the last second.
    pub out_per_second: f64,
    /// Bytes read, a second over the last second.
    pub bytes_per_second: f64,
    /// Share of the last second at work, 0 to 1, the mean of its instances.
    pub busy_share: f64,
    /// What waits: records still to read before a source, messages before any other node.
    pub backlog: u64,
    /// Its lowest watermark, milliseconds since 1970.
    pub watermark_ms: Option<i64>,
    /// Rows that were too late.
    pub late: u64,
    /// Rows that failed.
    pub bad: u64,
    /// What was tried again: reads and writes that failed, records that a broker had to be sent once more.
    pub retries: u64,
    /// State, bytes.
    pub state_bytes: u64,
    /// State, keys or rows.
    pub state_rows: u64,
    /// Bytes read, of how many, where a source knows.
    pub progress: Option<(u64, u64)>,
}

impl PipelineNode {
    /// The rate that tells how lively it is: what a source gives, what a sink has written, what comes to any other node.
    pub fn rate(&self) -> f64 {
        if self.role == NodeRole::Operator { self.in_per_second } else { self.out_per_second }
    }
}

/// A checkpoint that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its number.
    pub epoch: u64,
    /// Bytes written.
    pub bytes: u64,
    /// From the barrier to the commit, milliseconds.
    pub took_ms: u64,
    /// When it was complete, milliseconds since 1970.
    pub at_ms: i64,
}

impl Pipeline {
    /// The node that the others wait for: the busiest, where one is busy more than half of the time.
    pub fn slowest(&self) -> Option<usize> {
        let busiest = self.nodes.iter().max_by(|one, other| one.busy_share.total_cmp(&other.busy_share))?;
        (BUSY_SHARE_SLOW < busiest.busy_share).then_some(busiest.id)
    }
}

/// A pipeline with the rates of its nodes over the last readings.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The newest reading.
    pub pipeline: std::sync::Arc<Pipeline>,
    /// Rates by node, oldest first.
    pub rates: Vec<Ring<f64>>,
    /// Whether its job has ended: what was counted stays, and nothing has a rate.
    pub is_at_rest: bool,
}

impl Drawn {
    pub(in crate::app) fn take(before: Option<Self>, pipeline: std::sync::Arc<Pipeline>) -> Self {
        let mut rates = before.map(|before| before.rates).unwrap_or_default();
        rates.resize_with(pipeline.nodes.len(), || Ring::new(RATES_MAX));
        for (rates, node) in rates.iter_mut().zip(&pipeline.nodes) {
            rates.push(node.rate());
        }
        Self { pipeline, rates, is_at_rest: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline(busy: &[f64]) -> Pipeline {
        let node = |(id, busy_share): (usize, &f64)| PipelineNode { id, busy_share: *busy_share, ..Default::default() };
        Pipeline { nodes: busy.iter().enumerate().map(node).collect(), ..Pipeline::default() }
    }

    #[test]
    fn the_busiest_node_is_the_slowest_only_where_it_is_busy() {
        for (busy, expected) in [(&[0.1, 0.9, 0.7][..], Some(1)), (&[0.1, 0.4], None), (&[], None)] {
            assert_eq!(pipeline(busy).slowest(), expected, "{busy:?}");
        }
    }
}
