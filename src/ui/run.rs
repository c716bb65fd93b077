//! The loop: input first, then the frame, then what jobs report. It draws at most as often as asked and only what changed, and
//! never waits for a broker, a disk or a job.

mod editing;

use std::ops::ControlFlow;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use super::farewell::{Ended, Farewell};
use super::frames::FrameTimes;
use super::screen::{Screen, Wish};
use super::signals::{Signals, Told, stop_here};
use super::terminal::Seat;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::fact::Fact;
use crate::app::feed::Feed;
use crate::app::model::{Model, Note, Tone};
use crate::app::provoke::provoke;
use crate::app::runtime::Runtime;
use crate::app::supervisor::SHUTDOWN_GRACE_MS;
use crate::core::words::counted;

/// Time between two ticks of the clock.
const TICK: Duration = Duration::from_secs(1);

/// What a console is put together from.
pub struct Parts<B: Backend, S: Seat> {
    /// What is known at the start.
    pub model: Model,
    /// What is shown.
    pub screen: Screen,
    /// What is drawn on.
    pub terminal: Terminal<B>,
    /// What else is needed of the terminal.
    pub seat: S,
    /// What performs effects.
    pub runtime: Runtime,
    /// What jobs report through.
    pub feed: Feed,
}

/// The console at work.
pub struct Console<B: Backend, S: Seat> {
    /// What is known.
    pub model: Model,
    /// What is shown.
    pub screen: Screen,
    terminal: Terminal<B>,
    seat: S,
    runtime: Runtime,
    feed: Feed,
    /// Milliseconds since 1970; another one in tests.
    clock: fn() -> i64,
    frame_time: Duration,
    drawn_at: Option<Instant>,
    told: Option<Note>,
    frames: FrameTimes,
}

impl<B: Backend, S: Seat> Console<B, S> {
    /// A console that has drawn nothing yet. `clock` gives milliseconds since 1970; `frames_per_second` is at least one.
    pub fn new(parts: Parts<B, S>, clock: fn() -> i64, frames_per_second: u32) -> Self {
        let Parts { model, screen, terminal, seat, runtime, feed } = parts;
        let frame_time = Duration::from_secs(1) / frames_per_second.max(1);
        Self {
            model,
            screen,
            terminal,
            seat,
            runtime,
            feed,
            clock,
            frame_time,
            drawn_at: None,
            told: None,
            frames: FrameTimes::new(),
        }
    }

    /// Runs until the person leaves, a signal comes, or the terminal is gone; then stops the jobs and waits for them.
    ///
    /// # Errors
    /// The first frame cannot be drawn.
    pub async fn run(&mut self, mut signals: Signals) -> Result<Farewell, B::Error> {
        self.frame()?;
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let ended = match self.turn(&mut signals, &mut tick).await {
                Ok(ControlFlow::Continue(())) => continue,
                Ok(ControlFlow::Break(ended)) => ended,
                // What could be drawn on before and cannot any more is gone.
                Err(error) => {
                    tracing::error!(target: "velox::ui", "the terminal cannot be drawn on: {error}");
                    Ended::TerminalGone
                }
            };
            return Ok(self.leave(ended).await);
        }
    }

    /// Waits for one thing and deals with it. Safe to drop halfway.
    ///
    /// # Errors
    /// The terminal cannot be drawn to.
    pub async fn turn(&mut self, signals: &mut Signals, tick: &mut Interval) -> Result<ControlFlow<Ended>, B::Error> {
        let due = self.next_frame();
        let waits = self.is_due();
        tokio::select! {
            biased;
            told = signals.next() => return self.told(told),
            event = self.seat.next() => {
                let Some(event) = event else { return Ok(ControlFlow::Break(Ended::TerminalGone)) };
                let flow = self.event(event).await?;
                // Keys that come without a pause must not keep the frame away.
                if flow.is_continue() && due <= Instant::now() {
                    self.frame()?;
                }
                return Ok(flow);
            }
            () = sleep_until(due), if waits => self.frame()?,
            _ = tick.tick() => self.apply(vec![Fact::Tick { now_ms: (self.clock)() }]),
            () = self.feed.ready(), if !waits => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Performs effects that came before the loop: those of the first load.
    pub fn begin(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.runtime.perform(effect);
        }
    }

    /// Takes everything that came and draws, where there is something new to see.
    ///
    /// # Errors
    /// The terminal cannot be drawn to.
    pub fn frame(&mut self) -> Result<(), B::Error> {
        let began = Instant::now();
        let facts = self.feed.drain();
        self.apply(facts);
        if self.screen.is_stale(&self.model) {
            let (screen, model) = (&mut self.screen, &self.model);
            self.terminal.draw(|frame| screen.draw(frame, model))?;
            self.frames.add(began.elapsed());
            provoke("ui");
            for fault in self.screen.take_faults() {
                self.say(Note::danger(fault.to_string()));
            }
        }
        self.drawn_at = Some(Instant::now());
        Ok(())
    }

    /// Takes an event of the terminal.
    ///
    /// # Errors
    /// The terminal cannot be taken back from an editor.
    pub async fn event(&mut self, event: crossterm::event::Event) -> Result<ControlFlow<Ended>, B::Error> {
        match self.screen.event(event, &self.model) {
            Some(Wish::Act(action)) => self.act(action).await,
            Some(Wish::Suspend) => {
                self.suspend()?;
                Ok(ControlFlow::Continue(()))
            }
            Some(Wish::Redraw) => {
                self.redraw()?;
                Ok(ControlFlow::Continue(()))
            }
            None => Ok(ControlFlow::Continue(())),
        }
    }

    /// Carries out an action.
    ///
    /// # Errors
    /// The terminal cannot be taken back from an editor.
    pub async fn act(&mut self, action: Action) -> Result<ControlFlow<Ended>, B::Error> {
        tracing::debug!(target: "velox::ui", action = %name_of(&action));
        let mut effects = self.model.update(action);
        self.tell_log();
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Exit => return Ok(ControlFlow::Break(Ended::Quit)),
                    Effect::Copy(text) => {
                        if let Err(error) = self.seat.copy(&text) {
                            self.say(Note::danger(format!("copying failed: {error}")));
                        }
                    }
                    Effect::EditFile { path, line } => more.extend(self.edit_file(&path, line).await?),
                    Effect::EditResend(resend) => more.extend(self.edit_resend(resend).await?),
                    Effect::EditSql { buffer, text, line } => more.extend(self.edit_sql(buffer, &text, line).await?),
                    effect => self.runtime.perform(effect),
                }
            }
            effects = more;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The performer of effects.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Whether jobs have reported something that is not applied yet, or the screen is not up to date.
    pub fn is_due(&self) -> bool {
        self.feed.is_pending() || self.screen.is_stale(&self.model)
    }

    /// What the loop needs of the terminal beside drawing.
    pub fn seat(&mut self) -> &mut S {
        &mut self.seat
    }

    /// Frames drawn so far.
    pub fn frames(&self) -> u64 {
        self.frames.count()
    }

    /// What is drawn on.
    pub fn terminal(&mut self) -> &mut Terminal<B> {
        &mut self.terminal
    }

    /// Says what time it is.
    pub fn tick(&mut self, now_ms: i64) {
        self.apply(vec![Fact::Tick { now_ms }]);
    }

    fn next_frame(&self) -> Instant {
        self.drawn_at.map_or_else(Instant::now, |drawn_at| drawn_at + self.frame_time)
    }

    fn apply(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            for effect in self.model.apply(fact) {
                self.runtime.perform(effect);
            }
        }
        self.tell_log();
    }

    fn say(&mut self, note: Note) {
        self.apply(vec![Fact::Said(note)]);
    }

    /// What the footer says is also in the log, where it can be read again.
    fn tell_log(&mut self) {
        if self.told == self.model.note {
            return;
        }
        self.told.clone_from(&self.model.note);
        if self.model.note_is_logged {
            return;
        }
        match &self.told {
            Some(Note { tone: Tone::Danger, text }) => tracing::error!(target: "velox::console", "{text}"),
            Some(Note { tone: Tone::Warning, text }) => tracing::warn!(target: "velox::console", "{text}"),
            Some(Note { text, .. }) => tracing::info!(target: "velox::console", "{text}"),
            None => {}
        }
    }

    fn told(&mut self, told: Told) -> Result<ControlFlow<Ended>, B::Error> {
        match told {
            Told::End(signal) => return Ok(ControlFlow::Break(Ended::Signal(signal))),
            Told::Suspend => self.suspend()?,
            Told::Continue => {
                // Left first: whoever had the terminal in between may have changed every mode of it.
                self.seat.leave();
                if let Err(error) = self.seat.enter() {
                    tracing::error!(target: "velox::ui", "the terminal could not be taken back: {error}");
                    return Ok(ControlFlow::Break(Ended::TerminalGone));
                }
                self.redraw()?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Stops as the shell expects it, with the terminal as it was, and comes back when told to go on.
    fn suspend(&mut self) -> Result<(), B::Error> {
        self.seat.leave();
        let stopped = stop_here();
        self.take_back()?;
        if let Err(error) = stopped {
            self.say(Note::danger(format!("suspending failed: {error}")));
        }
        Ok(())
    }

    fn take_back(&mut self) -> Result<(), B::Error> {
        if let Err(error) = self.seat.enter() {
            self.say(Note::danger(format!("the terminal could not be set up: {error}")));
        }
        self.apply(vec![Fact::Tick { now_ms: (self.clock)() }]);
        self.redraw()
    }

    /// Not by `Terminal::clear`, which asks the terminal where its cursor is and waits for the answer.
    fn redraw(&mut self) -> Result<(), B::Error> {
        self.terminal.backend_mut().clear()?;
        self.terminal.swap_buffers();
        self.screen.spoil();
        Ok(())
    }

    async fn leave(&mut self, ended: Ended) -> Farewell {
        let stopped = self.runtime.supervisor().live();
        let grace = Duration::from_millis(SHUTDOWN_GRACE_MS);
        let supervisor = self.runtime.supervisor().clone();
        if 0 < stopped && !ended.is_without_terminal() {
            self.say(Note::plain(format!(
                "stopping {}; what is in flight is finished",
                counted(stopped as u64, "job")
            )));
            let (screen, model) = (&mut self.screen, &self.model);
            self.terminal.draw(|frame| screen.draw(frame, model)).ok();
        }
        let (model, runtime) = (&mut self.model, &mut self.runtime);
        let late = supervisor
            .shutdown(&mut self.feed, grace, |facts| {
                for effect in facts.into_iter().flat_map(|fact| model.apply(fact)) {
                    runtime.perform(effect);
                }
            })
            .await;
        tracing::info!(target: "velox::ui", "{}", self.frames);
        self.runtime.close();
        self.seat.leave();
        Farewell { ended, stopped, late }
    }
}

/// The action's name for the log, without what it carries: payloads and contexts stay out of it.
fn name_of(action: &Action) -> String {
    let text = format!("{action:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
