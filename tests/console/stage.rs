//! A console without a terminal: facts and keys go in, the screen comes out as text and as runs of style.

use std::fmt::Write;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use velox::app::action::Action;
use velox::app::effect::Effect;
use velox::app::fact::{Fact, Loaded};
use velox::app::model::Model;
use velox::app::model::environments::{Connection, ConnectionState, EnvironmentRow};
use velox::core::brokers::Whose;
use velox::core::environment::Guard;
use velox::ui::screen::{Look, Screen, Wish};

/// Noon of a day in UTC, the zone of the stage: 2026-11-21T12:00:00Z.
pub const NOON_MS: i64 = 1_795_262_400_000;

/// A console: model and screen without a runtime.
pub struct Stage {
    pub model: Model,
    screen: Screen,
    /// What the model wanted done, in order.
    pub effects: Vec<Effect>,
    /// Whose brokers jobs write to beside those of their own environment.
    pub elsewhere: Whose,
}

impl Stage {
    /// A console at noon with the environments sandbox (active, embedded, connected), qa, and prod (guarded).
    pub fn new() -> Self {
        Self::with_look(Look::default())
    }

    /// The same console on another terminal.
    pub fn with_look(look: Look) -> Self {
        let mut stage = Self {
            model: Model::default(),
            screen: Screen::new(look),
            effects: Vec::new(),
            elsewhere: Whose::default(),
        };
        stage.apply(Fact::Tick { now_ms: NOON_MS });
        stage.model.active = Some("sandbox".into());
        let mut sandbox = EnvironmentRow::new("sandbox", "config/environments/sandbox.yaml");
        (sandbox.embedded, sandbox.protocol) = (true, "embedded".into());
        let mut qa = EnvironmentRow::new("qa", "config/environments/qa.yaml");
        (qa.protocol, qa.mechanism) = ("SASL_SSL".into(), Some("SCRAM-SHA-512".into()));
        let mut prod = EnvironmentRow::new("prod", "config/environments/prod.yaml");
        (prod.protocol, prod.guard) = ("SSL".into(), Guard::Typed);
        let environments = vec![sandbox, qa, prod];
        stage.apply(Fact::Loaded(Box::new(Loaded { environments, ..Loaded::default() })));
        let connection = Connection {
            state: ConnectionState::Connected,
            since_ms: NOON_MS,
            round_trip_ms: Some(1.0),
            brokers: Some((1, 1)),
            ..Connection::default()
        };
        stage.apply(Fact::Connection { environment: "sandbox".into(), connection });
        stage.effects.clear();
        stage.model.note = None;
        stage
    }

    /// Lets a fact change the model.
    pub fn apply(&mut self, fact: Fact) {
        let effects = self.model.apply(fact);
        self.perform(effects);
    }

    /// Notes effects; whose brokers a job writes to is found at once, as the runtime finds it.
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::FindBrokers { request, .. } => {
                    let outcome = Ok(self.elsewhere.clone());
                    self.apply(Fact::BrokersFound { request, outcome });
                }
                other => self.effects.push(other),
            }
        }
    }

    /// Lets an action change the model.
    pub fn act(&mut self, action: Action) {
        let effects = self.model.update(action);
        self.perform(effects);
    }

    /// Presses keys apart by spaces: `j`, `Enter`, `Esc`, `Tab`, `Space`, `Up`, `Ctrl+P`.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.event(Event::Key(event_of(key)));
        }
        self
    }

    /// Types letters one by one.
    pub fn types(&mut self, letters: &str) -> &mut Self {
        for letter in letters.chars() {
            self.event(Event::Key(KeyEvent::from(KeyCode::Char(letter))));
        }
        self
    }

    /// Presses the left button, from 0.
    pub fn click(&mut self, column: u16, row: u16) -> &mut Self {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        self
    }

    /// Takes an event of a terminal.
    pub fn event(&mut self, event: Event) {
        if let Some(Wish::Act(action)) = self.screen.event(event, &self.model) {
            self.act(action);
        }
    }

    /// What is wrong with the theme, once.
    pub fn faults(&mut self) -> Vec<String> {
        self.screen.take_faults().iter().map(ToString::to_string).collect()
    }

    /// The screen at a size.
    pub fn drawn(&mut self, width: u16, height: u16) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
        terminal.draw(|frame| self.screen.draw(frame, &self.model)).expect("nothing can fail in memory");
        terminal.backend().buffer().clone()
    }

    /// The screen as text.
    pub fn text(&mut self, width: u16, height: u16) -> String {
        lines_of(&self.drawn(width, height)).join("\n")
    }

    /// The screen as runs of style, a line each: `row:columns style text`. What has the style of most cells is left out.
    pub fn styles(&mut self, width: u16, height: u16) -> String {
        styles_of(&self.drawn(width, height))
    }
}

/// The rows of a buffer without blanks at their ends.
pub fn lines_of(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| (area.left()..area.right()).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
        .collect()
}

fn styles_of(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut told = String::new();
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let style = said(buffer, x, y);
            let end = (x..area.right()).find(|next| said(buffer, *next, y) != style).unwrap_or(area.right());
            let words: String = (x..end).map(|at| buffer[(at, y)].symbol()).collect();
            if !words.trim().is_empty() || style.contains("on") {
                let _ = writeln!(told, "{y:>3}:{x}-{} {style} {}", end - 1, words.trim());
            }
            x = end;
        }
    }
    told
}

fn said(buffer: &Buffer, x: u16, y: u16) -> String {
    let cell = &buffer[(x, y)];
    let mut style = format!("{}", cell.fg);
    if cell.bg != ratatui::style::Color::Reset {
        let _ = write!(style, " on {}", cell.bg);
    }
    if !cell.modifier.is_empty() {
        let _ = write!(style, " {:?}", cell.modifier);
    }
    style
}

fn event_of(key: &str) -> KeyEvent {
    let (modifiers, name) = match key.strip_prefix("Ctrl+") {
        Some(name) => (KeyModifiers::CONTROL, name),
        None => (KeyModifiers::NONE, key),
    };
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Space" => KeyCode::Char(' '),
        "Backspace" => KeyCode::Backspace,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        function if function.len() > 1 && function.starts_with('F') => {
            KeyCode::F(function[1..].parse().expect("the number of a function key"))
        }
        letter => {
            let mut letters = letter.chars();
            let first = letters.next().expect("a key");
            assert!(letters.next().is_none(), "`{letter}` is no key");
            KeyCode::Char(if modifiers.is_empty() { first } else { first.to_ascii_lowercase() })
        }
    };
    KeyEvent::new(code, modifiers)
}
