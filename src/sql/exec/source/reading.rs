//! A split while it is read: its reader is handed to a future for each pull and comes back with what it brought.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::watermark::SplitTime;
use crate::connectors::contract::{BATCH_ROWS_MAX, Columns, Pull, ReaderProgress, Source, Split, SplitReader};
use crate::connectors::descriptors;
use crate::core::fault::{Blame, Fault};
use crate::kafka::backoff::Backoff;
use crate::sql::exec::statistics::Counters;
use crate::sql::state::manifest::SplitState;

/// How long a pull waits for the first row before it says that nothing is there. Orders are heard meanwhile: it only
/// says how soon a silent split is known to be one.
const PULL_WAIT: Duration = Duration::from_millis(100);
/// Pauses between attempts where the strategy is to try again: a broker that restarts is back within them (about 25 s).
pub const RETRIES: Backoff = Backoff { first: Duration::from_millis(200), cap: Duration::from_secs(5) };
/// Attempts where the strategy is to try again.
pub const ATTEMPTS: u32 = 10;

/// What the reader of a split is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// There is none yet; it stands in line for one.
    Waiting,
    /// It reads.
    Open,
    /// It was closed at the end of what is there: the source is asked whether there is more.
    Resting,
}

/// A split of a lane.
pub struct Reading {
    /// Where it stands: what has gone into the stream.
    pub state: SplitState,
    /// For how long it has been asked and had nothing.
    pub silent: Duration,
    /// Whether it has given what was there when it was opened.
    pub has_caught_up: bool,
    /// What its reader is doing.
    pub stage: Stage,
    /// Batches since its reader was opened.
    pub batches: usize,
    /// How far its reader is.
    pub progress: ReaderProgress,
    /// What readers of it before this one have tried again.
    past_retries: u64,
}

impl Reading {
    /// A split that is to be read from where it stands.
    pub fn new(state: SplitState) -> Self {
        Self {
            state,
            silent: Duration::ZERO,
            has_caught_up: false,
            stage: Stage::Waiting,
            batches: 0,
            progress: ReaderProgress::default(),
            past_retries: 0,
        }
    }

    /// Takes how far its reader is, which may be another one than before.
    pub fn note(&mut self, progress: ReaderProgress) {
        if progress.retries < self.progress.retries {
            self.past_retries += self.progress.retries;
        }
        self.progress = progress;
    }

    /// What its readers have tried again.
    pub fn retries(&self) -> u64 {
        self.past_retries + self.progress.retries
    }

    /// For the watermark.
    pub fn time(&self) -> SplitTime {
        SplitTime { newest: self.state.newest, silent: self.silent, has_ended: self.state.has_ended }
    }
}

/// What it takes to open a reader.
#[derive(Clone)]
pub struct Opening {
    /// The source.
    pub source: Arc<dyn Source>,
    /// The columns to fill.
    pub columns: Columns,
    /// Name of the source, for messages.
    pub name: String,
    /// Whether to try again where it fails.
    pub retries: bool,
    /// Where that is counted.
    pub counters: Arc<Counters>,
}

/// One pull, done.
pub struct Pulled {
    /// Which split of the lane.
    pub index: usize,
    /// The reader, for the next pull, and what it brought; else why there can be none for now.
    pub brought: Result<(Box<dyn SplitReader>, Pull), Fault>,
    /// How long it took, at most what a pull without rows takes: the rest is somebody else's doing.
    pub took: Duration,
}

impl Opening {
    /// Opens the reader of a split where it stands, and pulls.
    pub async fn open(self, index: usize, state: SplitState) -> Result<Pulled, Fault> {
        match self.opened(&state.split, &state).await {
            Ok(reader) => self.pull(index, state, reader).await,
            Err(fault) => later(index, fault),
        }
    }

    /// Pulls once.
    pub async fn pull(
        self,
        index: usize,
        state: SplitState,
        mut reader: Box<dyn SplitReader>,
    ) -> Result<Pulled, Fault> {
        let mut attempt = 0;
        loop {
            let asked = Instant::now();
            match reader.next(BATCH_ROWS_MAX, PULL_WAIT).await {
                Ok(pull) => {
                    let took = asked.elapsed().min(PULL_WAIT);
                    return Ok(Pulled { index, brought: Ok((reader, pull)), took });
                }
                Err(fault) => {
                    attempt += 1;
                    if let Err(fault) = self.pause(attempt, fault).await {
                        return later(index, fault);
                    }
                    // A reader that failed is not asked again: another begins where this one's rows ended.
                    reader = match self.opened(&state.split, &state).await {
                        Ok(reader) => reader,
                        Err(fault) => return later(index, fault),
                    };
                }
            }
        }
    }

    async fn opened(&self, split: &Split, state: &SplitState) -> Result<Box<dyn SplitReader>, Fault> {
        let mut attempt = 0;
        loop {
            match self.source.read(split, state.position.as_ref(), &self.columns).await {
                Ok(reader) => return Ok(reader),
                Err(fault) => {
                    attempt += 1;
                    self.pause(attempt, fault).await?;
                }
            }
        }
    }

    /// Waits before the next attempt, or gives the fault where there is none.
    async fn pause(&self, attempt: u32, fault: Fault) -> Result<(), Fault> {
        if !self.retries || attempt >= ATTEMPTS || fault.blame != Blame::Connection {
            let what = format!("source `{}`: {}", self.name, fault.what);
            return Err(Fault { what, ..fault });
        }
        self.counters.add_retry();
        tracing::warn!(target: "velox::sql", source = %self.name, attempt, "trying again: {fault}");
        tokio::time::sleep(RETRIES.pause(attempt)).await;
        Ok(())
    }
}

/// A fault that passes when another file is closed is no end: the split is opened later, where its rows ended.
fn later(index: usize, fault: Fault) -> Result<Pulled, Fault> {
    if descriptors::are_wanting(&fault) {
        return Ok(Pulled { index, brought: Err(fault), took: Duration::ZERO });
    }
    Err(fault)
}
