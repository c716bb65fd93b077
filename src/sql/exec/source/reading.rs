//! A split while it is read: its reader is handed to a future for each pull and comes back with what it brought.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::watermark::SplitTime;
use crate::connectors::contract::{BATCH_ROWS_MAX, Columns, Pull, ReaderProgress, Source, Split, SplitReader};
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

/// A split of a lane.
pub struct Reading {
    /// Where it stands: what has gone into the stream.
    pub state: SplitState,
    /// For how long it has been asked and had nothing.
    pub silent: Duration,
    /// Whether it has given what was there when it was opened.
    pub has_caught_up: bool,
    /// Whether its reader is open.
    pub is_open: bool,
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
            is_open: false,
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
    /// The reader, for the next pull.
    pub reader: Box<dyn SplitReader>,
    /// What it brought.
    pub pull: Pull,
    /// How long it took, at most what a pull without rows takes: the rest is somebody else's doing.
    pub took: Duration,
}

impl Opening {
    /// Opens the reader of a split where it stands, and pulls.
    pub async fn open(self, index: usize, state: SplitState) -> Result<Pulled, Fault> {
        let reader = self.opened(&state.split, &state).await?;
        self.pull(index, state, reader).await
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
                Ok(pull) => return Ok(Pulled { index, reader, pull, took: asked.elapsed().min(PULL_WAIT) }),
                Err(fault) => {
                    attempt += 1;
                    self.pause(attempt, fault).await?;
                    // A reader that failed is not asked again: another begins where this one's rows ended.
                    reader = self.opened(&state.split, &state).await?;
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
