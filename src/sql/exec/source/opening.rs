//! Which splits of a lane have an open reader, which stand in line for one, and which rest at the end of what is there. It
//! reads no row.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::reading::{Reading, Stage};
use super::{Lane, State};
use crate::core::fault::Fault;

/// Readers that a source has open at once where it can close some: each is a thread and up to three descriptors, and the
/// meanest system gives a program 256 of those.
const SOURCE_OPEN_MAX: usize = 64;
/// Readers that a lane has open at once: enough to hide the latency of a disk; each holds a buffer and two batches.
const LANE_OPEN_MAX: usize = 16;
/// Batches that a reader gives before it makes room for one that waits: half a million rows, so that a file that is
/// written faster than it is read does not keep all others waiting.
const TURN_BATCHES: usize = 64;
/// How many times as long as a look took there is none: of a hundred thousand files one takes a second.
const LOOK_SHARE: u32 = 9;
/// How long nothing is opened after the system had no descriptor left, where nothing of its own can be closed.
pub const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// How long no more are open at once than were when the system had no descriptor left: others may give theirs back.
const SHORT_FOR: Duration = Duration::from_secs(30);

/// Readers that each of `lanes` lanes may have open at once.
pub fn room(lanes: usize) -> usize {
    (SOURCE_OPEN_MAX / lanes.max(1)).clamp(1, LANE_OPEN_MAX)
}

/// What a look at resting splits has brought.
pub struct Looked {
    /// Which they are, and whether there is more of each.
    splits: Vec<(usize, bool)>,
    /// How long they had not been looked at.
    pause: Duration,
    took: Duration,
}

/// Splits without a reader.
#[derive(Default)]
pub struct Line {
    /// Those that stand in line for one.
    waiting: VecDeque<usize>,
    /// Readers that are open.
    open: usize,
    /// The look at those that rest.
    look: Option<BoxFuture<'static, Looked>>,
    /// How long the last look took.
    took: Duration,
    /// Until when nothing is opened, for want of descriptors.
    paused_until: Option<Instant>,
    /// How many were open when the last descriptor was gone, and until when that is what there is room for.
    short: Option<(usize, Instant)>,
    /// Whether the want of descriptors was told.
    is_told: bool,
}

impl Line {
    /// More splits stand in line.
    pub fn stand(&mut self, splits: impl Iterator<Item = usize>) {
        self.waiting.extend(splits);
    }

    /// Whether any does.
    pub fn is_waited_in(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What the look at resting splits brought; never, where none is under way. Dropping the future loses nothing.
    pub async fn looked(&mut self) -> Looked {
        match &mut self.look {
            Some(look) => look.await,
            None => std::future::pending().await,
        }
    }

    fn is_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// The room there is, of that which there should be.
    fn room(&self, room: usize) -> usize {
        self.short.filter(|(_, until)| Instant::now() < *until).map_or(room, |(few, _)| few.min(room))
    }
}

impl Lane {
    /// Opens splits that wait, as many as may be open.
    pub(super) fn open(&self, state: &mut State) {
        if state.line.waiting.is_empty() || state.line.is_paused() {
            return;
        }
        let room = self.room.map(|room| state.line.room(room));
        while room.is_none_or(|room| state.line.open < room)
            && let Some(index) = state.line.waiting.pop_front()
        {
            let split = &mut state.splits[index];
            (split.stage, split.batches) = (Stage::Open, 0);
            state.line.open += 1;
            state.pulls.push(self.opening.clone().open(index, split.state.clone()).boxed());
        }
    }

    /// Whether the reader of a split is to be closed, for another one that waits: at the end of what is there, those that
    /// have been silent longest first, or when its turn is over.
    pub(super) fn makes_room(&self, state: &mut State, index: usize, is_at_rest: bool) -> bool {
        let waiting = state.line.waiting.len();
        if self.rests.is_none() || waiting == 0 {
            return false;
        }
        let split = &state.splits[index];
        if is_at_rest {
            let silent = |other: &&Reading| is_open(other) && other.silent > split.silent;
            // Where as many wait as are open, all that rest have to go.
            if waiting < state.line.open && state.splits.iter().filter(silent).count() >= waiting {
                return false;
            }
            state.splits[index].stage = Stage::Resting;
            self.look(state);
        } else if split.batches >= TURN_BATCHES {
            state.splits[index].stage = Stage::Waiting;
            state.line.waiting.push_back(index);
        } else {
            return false;
        }
        state.line.open -= 1;
        true
    }

    /// A split cannot be opened now: it stands in line again, at its head.
    pub(super) fn none_for_now(&self, state: &mut State, index: usize, fault: &Fault) {
        state.splits[index].stage = Stage::Waiting;
        state.line.waiting.push_front(index);
        state.line.open -= 1;
        let (open, now) = (state.line.open, Instant::now());
        state.line.short = Some((open.max(1), now + SHORT_FOR));
        state.line.paused_until = (open == 0).then(|| now + SHORT_PAUSE);
        if !std::mem::replace(&mut state.line.is_told, true) {
            let waiting = state.line.waiting.len();
            tracing::warn!(target: "velox::sql", source = %self.opening.name, waiting, "opened later: {fault}");
        }
    }

    /// The reader of a split has come to its end.
    pub(super) fn ended(&self, state: &mut State) {
        state.line.open -= 1;
        self.open(state);
    }

    /// What a look at resting splits has brought: those of which there is more stand in line.
    pub(super) fn wake(&self, state: &mut State, looked: Looked) {
        (state.line.look, state.line.took) = (None, looked.took);
        for (index, has_more) in looked.splits {
            let split = &mut state.splits[index];
            if has_more {
                (split.stage, split.silent) = (Stage::Waiting, Duration::ZERO);
                state.line.waiting.push_back(index);
            } else {
                split.silent += looked.pause;
            }
        }
        self.look(state);
        self.open(state);
    }

    /// Looks after a while whether there is more of the splits that rest.
    fn look(&self, state: &mut State) {
        let Some(interval) = self.rests.filter(|_| state.line.look.is_none()) else { return };
        let resting = state.splits.iter().enumerate().filter(|(_, split)| split.stage == Stage::Resting);
        let (indices, parts): (Vec<_>, Vec<_>) =
            resting.map(|(index, split)| (index, (split.state.split.clone(), split.state.position.clone()))).unzip();
        if indices.is_empty() {
            return;
        }
        let source = std::sync::Arc::clone(&self.opening.source);
        let pause = interval.max(state.line.took * LOOK_SHARE);
        let look = async move {
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            let more = source.has_more(&parts).await;
            Looked { splits: indices.into_iter().zip(more).collect(), pause, took: began.elapsed() }
        };
        state.line.look = Some(look.boxed());
    }
}

fn is_open(split: &Reading) -> bool {
    split.stage == Stage::Open && !split.state.has_ended
}
