//! The task of a source's lane: reads its splits side by side, gives their rows event times and the stream its
//! watermarks and barriers. Positions move only with rows that have gone into the stream.

mod opening;
mod reading;
mod rows;
mod values;
mod watermark;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use super::chunk::Message;
use super::report::{LaneOrder, Report};
use super::statistics::Counters;
use super::worker::{Work, ticks};
use crate::clock::now_ms;
use crate::connectors::contract::{BATCH_ROWS_MAX, Pull, SourceRows};
use crate::core::fault::Fault;
use crate::sql::plan::stream::WatermarkSpec;
use crate::sql::state::manifest::LaneState;

use opening::Line;
pub use opening::{SHORT_PAUSE, room};
pub use reading::{ATTEMPTS, Opening, RETRIES};
use reading::{Pulled, Reading};
pub use rows::Shape;
pub use values::Values;
use watermark::{LaneTime, lane_time};

/// A lane of a source.
pub struct Lane {
    /// Its number over all sources of the job.
    pub number: usize,
    /// Which lane of its source.
    pub instance: usize,
    /// The source's identity over restarts.
    pub identity: String,
    /// How readers are opened.
    pub opening: Opening,
    /// How rows become chunks.
    pub shape: Shape,
    /// How watermarks are made.
    pub watermark: WatermarkSpec,
    /// Whether the source ends.
    pub is_bounded: bool,
    /// Whether splits may appear.
    pub grows: bool,
    /// How often splits whose readers were closed at their end are looked at; `None` where readers stay open.
    pub rests: Option<Duration>,
    /// Readers that may be open at once; `None` where all must be.
    pub room: Option<usize>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Orders.
    pub orders: mpsc::Receiver<LaneOrder>,
    /// Operators and ways out.
    pub work: Work,
    /// The watermark that was given before a restart.
    pub restored_watermark: i64,
}

/// What a lane does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Reading,
    /// Nothing is read any more; barriers still pass.
    Over,
}

struct State {
    splits: Vec<Reading>,
    pulls: FuturesUnordered<BoxFuture<'static, Result<Pulled, Fault>>>,
    line: Line,
    mode: Mode,
    /// The watermark that has gone into the chain.
    watermark: i64,
    is_idle: bool,
    has_caught_up: bool,
    has_splits: bool,
}

impl Lane {
    /// Reads until it is told to close.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn run(mut self) -> Result<(), Fault> {
        let mut state = State {
            splits: Vec::new(),
            pulls: FuturesUnordered::new(),
            line: Line::default(),
            mode: Mode::Reading,
            watermark: i64::MIN,
            is_idle: false,
            has_caught_up: false,
            has_splits: false,
        };
        if self.restored_watermark > i64::MIN {
            state.watermark = self.restored_watermark;
            self.work.rise(self.restored_watermark).await?;
        }
        let mut ticks = ticks();
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(LaneOrder::Close(epoch)) => {
                        self.work.barrier(epoch, Some(self.lane_state(&state))).await?;
                        return self.work.outlets.send(Message::End).await;
                    }
                    Some(order) => self.obey(&mut state, order).await?,
                    // The job has gone: its token is cancelled too.
                    None => std::future::pending().await,
                },
                _ = ticks.tick() => {
                    self.work.tick().await?;
                    self.open(&mut state);
                    self.rise(&mut state).await?;
                    self.count(&state);
                }
                Some(pulled) = state.pulls.next(), if !state.pulls.is_empty() => {
                    self.take(&mut state, pulled?).await?;
                    tokio::task::yield_now().await;
                }
                more = state.line.looked(), if state.mode == Mode::Reading => self.wake(&mut state, more),
            }
        }
    }

    async fn obey(&mut self, state: &mut State, order: LaneOrder) -> Result<(), Fault> {
        match order {
            LaneOrder::Assign(splits) => {
                state.has_splits = true;
                if state.mode == Mode::Reading {
                    let first = state.splits.len();
                    state.splits.extend(splits.into_iter().map(Reading::new));
                    let waiting = (first..state.splits.len()).filter(|index| !state.splits[*index].state.has_ended);
                    state.line.stand(waiting);
                    self.open(state);
                    self.end_if_over(state).await?;
                }
            }
            LaneOrder::Barrier(epoch) => self.work.barrier(epoch, Some(self.lane_state(state))).await?,
            LaneOrder::Finish => self.end(state, true).await?,
            LaneOrder::Stop => self.end(state, false).await?,
            LaneOrder::Close(_) => {}
        }
        Ok(())
    }

    async fn take(&mut self, state: &mut State, pulled: Pulled) -> Result<(), Fault> {
        let Pulled { index, brought, took } = pulled;
        let (reader, pull) = match brought {
            Ok(brought) => brought,
            Err(fault) => {
                self.none_for_now(state, index, &fault);
                return Ok(());
            }
        };
        let split = &mut state.splits[index];
        split.note(reader.progress());
        let position = reader.position();
        let is_at_rest = matches!(pull, Pull::Rest);
        match pull {
            Pull::Rows(rows) => {
                split.silent = Duration::ZERO;
                split.batches += 1;
                state.is_idle = false;
                // A reader that had to give less than a batch had no more; where it ends, its end says so.
                let is_drained = match split.progress.lag {
                    Some(lag) => lag == 0,
                    None => rows.batch.num_rows() < BATCH_ROWS_MAX,
                };
                split.has_caught_up |= is_drained && !self.is_bounded && self.rests.is_none();
                self.give(state, index, rows).await?;
                state.splits[index].state.position = Some(position);
            }
            Pull::Idle | Pull::Rest => {
                split.silent += took;
                // Where readers rest, one that does not has more to give.
                split.has_caught_up |= !self.is_bounded && (is_at_rest || self.rests.is_none());
                split.state.position = Some(position);
            }
            Pull::End => {
                split.state.position = Some(position);
                split.state.has_ended = true;
                split.has_caught_up = true;
                self.rise(state).await?;
                self.ended(state);
                // Where all is over, what is given at the end belongs to what lay there.
                self.end_if_over(state).await?;
                return self.caught_up(state).await;
            }
        }
        if self.makes_room(state, index, is_at_rest) {
            drop(reader);
            self.open(state);
        } else {
            let again = self.opening.clone().pull(index, state.splits[index].state.clone(), reader);
            state.pulls.push(again.boxed());
        }
        self.caught_up(state).await
    }

    async fn give(&mut self, state: &mut State, index: usize, rows: SourceRows) -> Result<(), Fault> {
        let began = Instant::now();
        self.counters.add_bytes(rows.bytes);
        self.counters.add_skipped(rows.skipped);
        let (chunk, bad) = self.shape.chunk(rows)?;
        self.counters.add_busy(began);
        self.counters.add_out(chunk.rows());
        if !bad.is_empty() {
            self.counters.add_bad(bad.len());
            self.work.failures.take(&self.counters.label, bad).await?;
        }
        if chunk.rows() == 0 {
            return Ok(());
        }
        let newest = chunk.times.iter().copied().max();
        let split = &mut state.splits[index].state;
        split.newest = split.newest.max(newest);
        self.work.push(0, chunk).await?;
        self.rise(state).await
    }

    /// Lets the watermark rise where it can, and says when all splits have fallen silent.
    async fn rise(&mut self, state: &mut State) -> Result<(), Fault> {
        if state.mode == Mode::Over || !state.has_splits {
            return Ok(());
        }
        let time = if self.shape.is_processing_time() {
            LaneTime::Watermark(now_ms().saturating_sub(self.watermark.out_of_orderness.as_millis() as i64))
        } else {
            // A split that waits to be opened has rows that nobody has seen: it holds back, and is not idle.
            if state.line.is_waited_in() {
                LaneTime::Unknown
            } else {
                let splits = state.splits.iter().map(Reading::time);
                lane_time(splits, self.watermark.out_of_orderness, self.watermark.idle_timeout)
            }
        };
        match time {
            LaneTime::Watermark(watermark) | LaneTime::Idle(Some(watermark)) if watermark > state.watermark => {
                state.watermark = watermark;
                state.is_idle = false;
                self.counters.watermark(self.instance, watermark);
                self.work.rise(watermark).await?;
            }
            _ => {}
        }
        // A lane that is over does not fall silent: its last watermark follows, and with it what windows still hold.
        let is_over = !self.grows && state.splits.iter().all(|split| split.state.has_ended);
        if matches!(time, LaneTime::Idle(_)) && !state.is_idle && !is_over {
            state.is_idle = true;
            self.work.outlets.send(Message::Idle).await?;
        }
        Ok(())
    }

    async fn caught_up(&mut self, state: &mut State) -> Result<(), Fault> {
        let is_behind = state.line.is_waited_in();
        if state.has_caught_up
            || is_behind
            || !state.splits.iter().all(|split| split.has_caught_up || split.state.has_ended)
        {
            return Ok(());
        }
        state.has_caught_up = true;
        self.work.caught_up().await
    }

    async fn end_if_over(&mut self, state: &mut State) -> Result<(), Fault> {
        if state.line.is_waited_in() || state.splits.iter().any(|split| !split.state.has_ended) {
            return Ok(());
        }
        if self.grows {
            return self.caught_up(state).await;
        }
        self.end(state, true).await
    }

    /// Reads no further. With `closes` every window closes; otherwise the job goes on from here another time.
    async fn end(&mut self, state: &mut State, closes: bool) -> Result<(), Fault> {
        if state.mode == Mode::Over {
            return Ok(());
        }
        state.mode = Mode::Over;
        state.pulls.clear();
        state.line = Line::default();
        self.count(state);
        if closes {
            state.watermark = i64::MAX;
            self.work.rise(i64::MAX).await?;
            self.caught_up_at_last(state).await?;
        }
        self.work.reports.send(Report::LaneEnded { lane: self.number }).await.ok();
        Ok(())
    }

    async fn caught_up_at_last(&mut self, state: &mut State) -> Result<(), Fault> {
        if state.has_caught_up {
            return Ok(());
        }
        state.has_caught_up = true;
        self.work.caught_up().await
    }

    fn lane_state(&self, state: &State) -> LaneState {
        LaneState {
            source: self.identity.clone(),
            watermark: state.watermark,
            splits: state.splits.iter().map(|split| split.state.clone()).collect(),
        }
    }

    fn count(&self, state: &State) {
        self.work.chain.waits(self.work.outlets.waiting());
        let lag = state.splits.iter().filter_map(|split| split.progress.lag).sum();
        self.counters.backlog(self.instance, lag);
        // Of splits that wait to be opened nobody knows the length, and a share of the others would run backwards.
        let is_known = state.splits.iter().all(|split| split.progress.bytes.is_some() || split.state.has_ended);
        let bytes = state.splits.iter().filter(|_| is_known).filter_map(|split| split.progress.bytes);
        let (done, total) = bytes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        self.counters.progress(self.instance, done, total);
        self.counters.retries(self.instance, state.splits.iter().map(Reading::retries).sum());
    }
}
