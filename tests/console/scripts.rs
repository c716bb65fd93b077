//! Key scripts (`keys/*.keys`): keys through the real loop, with the real runtime and the embedded broker, until it is idle.
//!
//! A line is one of: `press KEY KEY…`, `type TEXT`, `see TEXT` (waits for it), `gone TEXT` (waits until it is not there),
//! `size 120x40`, `# comment`. When a line is not met, the test fails with the screen.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent};
use tokio::time::{Instant, Interval, interval};
use velox::app::fact::Fact;
use velox::app::feed::feed;
use velox::app::model::Model;
use velox::app::runtime::Runtime;
use velox::app::supervisor::Supervisor;
use velox::config::{Config, ConsoleConfig, Sources};
use velox::ui::chord::Chord;
use velox::ui::farewell::Ended;
use velox::ui::run::{Console, Parts};
use velox::ui::screen::{Look, Screen};
use velox::ui::signals::Signals;
use velox::ui::terminal::Seat;

use crate::stage::lines_of;

/// Longest wait for what a line wants to see: a loaded machine is slow, a missing text is missing for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keys from a script in the place of a terminal.
#[derive(Default)]
struct ScriptSeat {
    events: VecDeque<Event>,
    copied: Vec<String>,
}

impl Seat for ScriptSeat {
    async fn next(&mut self) -> Option<Event> {
        match self.events.pop_front() {
            Some(event) => Some(event),
            None => std::future::pending().await,
        }
    }

    fn copy(&mut self, text: &str) -> std::io::Result<()> {
        self.copied.push(text.to_owned());
        Ok(())
    }

    fn leave(&mut self) {}

    fn enter(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Played {
    console: Console<TestBackend, ScriptSeat>,
    signals: Signals,
    tick: Interval,
    ended: Option<Ended>,
}

impl Played {
    /// A console over the configuration that the repository ships.
    fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Sources::folder(root.join("config"));
        sources.templates = root.join("templates").into();
        let config = Config::load(&sources);
        let (intake, feed) = feed();
        let runtime = Runtime::new(Supervisor::new(intake), sources, config, None);
        let mut model = Model::default();
        model.active = Some("sandbox".into());
        let effects = model.apply(Fact::Loaded(Box::new(runtime.loaded())));
        model.note = None;
        let terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal in memory");
        let clock = || jiff::Timestamp::now().as_millisecond();
        let screen = Screen::new(Look::default());
        let seat = ScriptSeat::default();
        let frame_rate = ConsoleConfig::default().frame_rate;
        let mut console = Console::new(Parts { model, screen, terminal, seat, runtime, feed }, clock, frame_rate);
        console.begin(effects);
        let signals = Signals::listen().expect("signals");
        Self { console, signals, tick: interval(Duration::from_millis(200)), ended: None }
    }

    async fn turn(&mut self) {
        let turn = self.console.turn(&mut self.signals, &mut self.tick);
        if let ControlFlow::Break(ended) = turn.await.expect("nothing can fail in memory") {
            self.ended = Some(ended);
        }
    }

    /// Lets the loop run until it has taken every key and has nothing left to apply or to draw.
    async fn until_idle(&mut self) {
        while self.ended.is_none() && (!self.console.seat().events.is_empty() || self.console.is_due()) {
            self.turn().await;
        }
    }

    async fn until(&mut self, met: impl Fn(&str) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.until_idle().await;
            let screen = self.screen();
            if met(&screen) {
                return Ok(());
            }
            if deadline < Instant::now() || self.ended.is_some() {
                return Err(screen);
            }
            self.turn().await;
        }
    }

    fn screen(&mut self) -> String {
        lines_of(self.console.terminal().backend().buffer()).join("\n")
    }

    async fn line(&mut self, line: &str) -> Result<(), String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "press" => {
                let chords = rest.split_whitespace().map(|key| Chord::parse(key).unwrap_or_else(|| panic!("`{key}`")));
                self.console.seat().events.extend(chords.map(|chord| Event::Key(chord.event())));
            }
            "type" => {
                let letters = rest.chars().map(|letter| Event::Key(KeyEvent::from(KeyCode::Char(letter))));
                self.console.seat().events.extend(letters);
            }
            "see" => return self.until(|screen| screen.contains(rest)).await,
            "gone" => return self.until(|screen| !screen.contains(rest)).await,
            "left" => assert_eq!(self.ended, Some(Ended::Quit), "the console was not left"),
            "size" => {
                let (width, height) = rest.split_once('x').expect("a size");
                let size = |text: &str| text.parse::<u16>().expect("a number");
                self.console.terminal().backend_mut().resize(size(width), size(height));
                self.console.seat().events.push_back(Event::Resize(size(width), size(height)));
            }
            other => panic!("`{other}` is no verb of a script"),
        }
        self.until_idle().await;
        Ok(())
    }
}

fn play(script: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/keys").join(script);
    let text = std::fs::read_to_string(&path).expect("a script");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let mut played = Played::open();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            if let Err(screen) = played.line(line).await {
                panic!("{script}:{}: `{line}` was not met within {PATIENCE:?}; the screen was\n{screen}", at + 1);
            }
        }
    });
    runtime.shutdown_background();
}

#[test]
fn environments_connect_are_checked_and_found() {
    play("environments.keys");
}

#[test]
fn an_etl_is_previewed_run_and_seen_in_the_tail() {
    play("run_and_tail.keys");
}

#[test]
fn every_layer_opens_and_closes_by_keys_alone() {
    play("layers.keys");
}

#[test]
fn a_statement_runs_live_and_its_plan_is_seen() {
    play("sql.keys");
}

#[test]
fn a_tail_is_searched_by_a_condition() {
    play("search.keys");
}
