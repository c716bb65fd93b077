//! What the tasks of a job and its coordinator tell each other. Values only.

use crate::connectors::contract::Split;
use crate::core::fault::Fault;
use crate::sql::state::checkpoint::OperatorState;
use crate::sql::state::manifest::{LaneState, SplitState};

/// Reports of tasks to the coordinator.
#[derive(Debug)]
pub enum Report {
    /// Everything before the barrier of `epoch` has gone through a task.
    Snapshot {
        /// The checkpoint.
        epoch: u64,
        /// Where the readers of a source's lane stand.
        lane: Option<LaneState>,
        /// State of the operators in the task.
        states: Vec<OperatorState>,
    },
    /// The sink has everything before the barrier.
    Prepared {
        /// The checkpoint.
        epoch: u64,
        /// What a commit needs.
        prepared: Option<String>,
    },
    /// The sink has made it visible.
    Committed {
        /// The checkpoint.
        epoch: u64,
    },
    /// A lane has nothing more to read.
    LaneEnded {
        /// Which lane, over all sources.
        lane: usize,
    },
    /// An operator wants no more input.
    Done {
        /// Its node.
        node: usize,
    },
    /// Splits that appeared.
    Discovered {
        /// Which source of the job.
        source: usize,
        /// All that there are now.
        splits: Vec<Split>,
    },
    /// Something beside the tasks failed.
    Broken(Fault),
    /// A task has ended.
    TaskEnded {
        /// Its name.
        name: String,
        /// How.
        outcome: Result<(), Fault>,
    },
}

/// Orders of the coordinator to the lanes of sources.
#[derive(Debug, Clone)]
pub enum LaneOrder {
    /// Read these too.
    Assign(Vec<SplitState>),
    /// Let a barrier into the stream.
    Barrier(u64),
    /// Read no further, as if the input ended here: every window closes.
    Finish,
    /// Read no further; the job goes on from here another time, so no window closes.
    Stop,
    /// Let the last barrier into the stream, and end.
    Close(u64),
}

/// Orders of the coordinator to the sink.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The checkpoint, which is durable now.
    pub epoch: u64,
    /// What `prepare` answered.
    pub prepared: Option<String>,
}
