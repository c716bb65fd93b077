//! Pane 1: every environment with its connection, health and effective settings. A missing variable is said here by name and
//! stops nothing else.

mod detail;

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use crossterm::event::MouseEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, Borders, Padding};

use crate::app::action::{Action, PaneId};
use crate::app::model::environments::{ConnectionState, EnvironmentRow, HealthCheck};
use crate::app::model::jobs::Work;
use crate::app::model::{Model, Opened};
use crate::core::environment::Guard;
use crate::core::job::Phase;
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::layout;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::document::Reader;
use crate::ui::widgets::listing::{Listing, Rows};
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::{number, time};

const ACTIVATE: Command = Command("environments.activate");
const CONNECT: Command = Command("environments.connect");
const CHECK: Command = Command("environments.check");
const EDIT: Command = Command("environments.edit");
const DETAIL: Command = Command("environments.detail");
const LIFT: Command = Command("environments.lift_read_only");

const KEYS: &[Binding] = &[
    Binding::new(ACTIVATE, &["Enter"], "make active"),
    Binding::new(CONNECT, &["c"], "(dis)connect"),
    Binding::new(CHECK, &["h"], "health check"),
    Binding::new(EDIT, &["e"], "edit the file"),
    Binding::new(DETAIL, &["i"], "detail"),
    Binding::new(LIFT, &["u"], "lift read-only, or put it back"),
];

/// Protocol and bootstrap leave first: the detail has them in full, and the others change or warn.
const COLUMNS: [Column; 9] = [
    Column::words("", 1),
    Column::words("name", 9).grows(2),
    Column::words("state", 15),
    Column::number("answer", 7).gives_way(2),
    Column::number("brokers", 7).gives_way(4),
    Column::words("last check", 10).gives_way(3),
    Column::words("guard", 9).gives_way(1),
    Column::words("protocol", 22).gives_way(5),
    Column::words("bootstrap", 24).grows(3).gives_way(6),
];

/// Widest list beside a detail: more would be blank.
const LIST_CELLS_MAX: u16 = 72;

/// The pane.
#[derive(Debug, Default)]
pub struct Environments {
    list: Listing,
    reader: Reader,
    /// Whether keys scroll the detail.
    in_detail: bool,
    /// Whether the cursor was put on the active environment.
    placed: bool,
    /// The last job that was to be shown here.
    opened: Option<Opened>,
}

impl Environments {
    fn selected<'a>(&self, model: &'a Model) -> Option<&'a EnvironmentRow> {
        model.environments.get(self.list.selected()?)
    }

    fn command(&mut self, command: Command, row: &EnvironmentRow) -> Reply {
        let name = row.name.clone();
        Reply::Emit(match command {
            ACTIVATE => Action::SelectEnvironment(name),
            CONNECT => match row.connection.state {
                ConnectionState::Connected | ConnectionState::Connecting => Action::Disconnect(name),
                // A connection that is tried again and again is ended by the same key that began it.
                ConnectionState::Error if 0 < row.connection.attempt => Action::Disconnect(name),
                _ => Action::Connect(name),
            },
            CHECK => {
                self.reader.reveal(detail::HEALTH);
                Action::CheckHealth(name)
            }
            LIFT => Action::LiftReadOnly(name),
            EDIT => self.edit(row),
            keys::COPY if self.in_detail => Action::Copy(self.reader.copied().to_owned()),
            keys::COPY => Action::Copy(row.bootstrap.clone()),
            DETAIL => {
                self.in_detail = !self.in_detail;
                return Reply::Handled;
            }
            keys::RIGHT if !self.in_detail => {
                self.in_detail = true;
                return Reply::Handled;
            }
            keys::LEFT | keys::BACK if self.in_detail => {
                self.in_detail = false;
                return Reply::Handled;
            }
            _ => return Reply::Ignored,
        })
    }

    /// The place of the line under the cursor, else of the first fault, else the file.
    fn edit(&self, row: &EnvironmentRow) -> Action {
        let line = self.reader.place().filter(|_| self.in_detail);
        match line.or_else(|| row.faults.iter().find_map(|fault| fault.place.as_ref())) {
            Some(place) => Action::EditFile { path: place.file.clone(), line: place.line.max(1) },
            None => Action::EditFile { path: row.file.clone(), line: 1 },
        }
    }

    /// Puts the cursor on the active environment at first, and on that of a check which was opened elsewhere.
    fn follow(&mut self, model: &Model) {
        let at = |name: &str| model.environments.iter().position(|row| row.name == name);
        if !self.placed
            && let Some(row) = model.active.as_deref().and_then(at)
        {
            self.placed = true;
            self.list.select(row);
        }
        if self.opened == model.opened {
            return;
        }
        self.opened = model.opened;
        if let Some(Work::Check(name) | Work::Generate(name)) =
            self.opened.and_then(|opened| model.jobs.get(&opened.job)).map(|job| &job.work)
            && let Some(row) = at(name)
        {
            self.list.select(row);
            self.reader.reveal(detail::HEALTH);
        }
    }
}

impl Pane for Environments {
    fn id(&self) -> PaneId {
        PaneId::Environments
    }

    fn title(&self) -> &'static str {
        "Environments"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn takes_text(&self) -> bool {
        self.list.search().is_typing()
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        if self.takes_text() {
            return if self.list.key(press.event) { Reply::Handled } else { Reply::Ignored };
        }
        if let (Some(command), Some(row)) = (press.command, self.selected(model)) {
            match self.command(command, row) {
                Reply::Ignored => {}
                reply => return reply,
            }
        }
        let moved = if self.in_detail { self.reader.key(press.event) } else { self.list.key(press.event) };
        // The column of marks has no title to be sorted by.
        if press.command == Some(keys::SORT) && self.list.sort().is_some_and(|sort| sort.column == 0) {
            self.list.key(press.event);
        }
        if moved { Reply::Handled } else { Reply::Ignored }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, model: &Model) -> Reply {
        match self.list.mouse(event) {
            Pointed::Elsewhere => match self.reader.mouse(event) {
                Pointed::Elsewhere => Reply::Ignored,
                Pointed::Scrolled => Reply::Handled,
                Pointed::Chosen | Pointed::Opened => {
                    self.in_detail = true;
                    Reply::Handled
                }
            },
            Pointed::Opened => match self.selected(model) {
                Some(row) if model.focus == PaneId::Environments => {
                    Reply::Emit(Action::SelectEnvironment(row.name.clone()))
                }
                _ => Reply::Handled,
            },
            Pointed::Scrolled | Pointed::Chosen => {
                self.in_detail = false;
                Reply::Handled
            }
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Reply {
        if self.list.search_mut().paste(text) { Reply::Handled } else { Reply::Ignored }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let rows = Shown { view };
        self.list.refresh(&rows, COLUMNS.len(), view.model.revision);
        self.follow(view.model);
        let [list, detail] = parts(area, view.model.environments.len());
        let look = Look {
            columns: &COLUMNS,
            focused: view.focused && !self.in_detail,
            empty: "no environment yet: put a file into config/environments/, as the shipped sandbox.yaml, and press F9",
        };
        table::draw(&mut self.list, &rows, look, list, frame.buffer_mut(), view.theme);
        let beside = detail.x != area.x;
        let edge = if view.focused && self.in_detail { Role::Accent } else { Role::Border };
        let border = Block::new()
            .borders(if beside { Borders::LEFT } else { Borders::TOP })
            .padding(Padding::left(u16::from(beside)))
            .border_style(view.theme.role(edge));
        let inside = border.inner(detail);
        frame.render_widget(border, detail);
        let Some(at) = self.list.selected() else { return };
        let Some(row) = view.model.environments.get(at) else { return };
        let lines = detail::document(row, view, inside.width.saturating_sub(2));
        let focused = view.focused && self.in_detail;
        self.reader.draw(identity(&row.name), &lines, inside, frame.buffer_mut(), view.theme, focused);
    }

    fn footer(&self) -> Vec<Command> {
        match (self.takes_text(), self.list.selected(), self.in_detail) {
            (true, _, _) | (_, None, _) => Vec::new(),
            (_, _, false) => vec![ACTIVATE, CONNECT, CHECK, EDIT, DETAIL],
            (_, _, true) => vec![DETAIL, EDIT, keys::COPY, CHECK, CONNECT],
        }
    }
}

/// The list takes the lines it needs where the detail is below it.
fn parts(area: Rect, rows: usize) -> [Rect; 2] {
    // The border of the pane takes two of the screen's columns.
    if layout::BESIDE_WIDTH_MIN <= area.width + 2 {
        let width = (area.width * 9 / 20).min(LIST_CELLS_MAX);
        let list = Rect { width, ..area };
        return [list, Rect { x: area.x + width, width: area.width - width, ..area }];
    }
    let height = (rows as u16 + 2).clamp(4, area.height / 2);
    [Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area }]
}

struct Shown<'a> {
    view: &'a View<'a>,
}

impl Shown<'_> {
    fn row(&self, row: usize) -> &EnvironmentRow {
        &self.view.model.environments[row]
    }
}

impl Rows for Shown<'_> {
    fn count(&self) -> usize {
        self.view.model.environments.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let model = self.view.model;
        let row = self.row(row);
        match column {
            0 if model.active.as_deref() == Some(row.name.as_str()) => marks::BAR.into(),
            0 => "".into(),
            1 => row.name.as_str().into(),
            2 => state(row),
            3 => match row.connection.round_trip_ms {
                Some(ms) => number::latency(ms * 1_000.0).into(),
                None => "".into(),
            },
            4 => match row.connection.brokers {
                Some((up, all)) => format!("{up}/{all}").into(),
                None => "".into(),
            },
            5 => check(row, self.view),
            6 => guard(row.guard).into(),
            7 => protocol(row).into(),
            _ => row.bootstrap.as_str().into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        let model = self.view.model;
        let row = self.row(row);
        match column {
            0 | 1 if model.active.as_deref() == Some(row.name.as_str()) => {
                theme.environment(&row.name).add_modifier(Modifier::BOLD)
            }
            0 | 1 => theme.environment(&row.name),
            2 => theme.role(state_role(row)),
            4 => match row.connection.brokers {
                Some((up, all)) if up < all => theme.role(Role::Warning),
                _ => theme.role(Role::Text),
            },
            5 => match &row.check {
                Some(check) if check.is_running() => theme.role(Role::Warning),
                Some(check) if check.is_healthy() => theme.role(Role::Success),
                Some(HealthCheck { phase: Phase::Stopped, .. }) | None => theme.role(Role::Muted),
                Some(_) => theme.role(Role::Danger),
            },
            6 => match row.guard {
                Guard::None => theme.role(Role::Muted),
                Guard::Confirm => theme.role(Role::Text),
                Guard::Typed | Guard::ReadOnly => theme.role(Role::Warning),
            },
            7 | 8 => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let row = self.row(row);
        match column {
            3 => row.connection.round_trip_ms,
            4 => row.connection.brokers.map(|(up, _)| f64::from(up)),
            _ => None,
        }
    }

    fn is_numeric(&self, column: usize) -> bool {
        matches!(column, 3 | 4)
    }

    fn identity(&self, row: usize) -> u64 {
        identity(&self.row(row).name)
    }
}

/// A name as a number that stays the same while rows come and go.
fn identity(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The chord of a command, to be named in a hint.
fn chord(view: &View<'_>, command: Command) -> String {
    view.keymap.chord_of(command).map_or_else(|| "the palette".into(), |chord| chord.to_string())
}

fn protocol(row: &EnvironmentRow) -> String {
    match &row.mechanism {
        Some(mechanism) => format!("{} {mechanism}", row.protocol),
        None => row.protocol.clone(),
    }
}

/// The mark of a connection's state.
fn sign(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connected => marks::ON,
        ConnectionState::Connecting | ConnectionState::Disconnecting => marks::HALF,
        ConnectionState::Disconnected => marks::OFF,
        ConnectionState::Error => marks::FAILED,
    }
}

fn state(row: &EnvironmentRow) -> Cow<'_, str> {
    match (row.faults.len(), row.missing.len(), row.connection.state) {
        (1.., _, _) => format!("{} broken file", marks::FAILED).into(),
        (0, missing @ 1.., ConnectionState::Disconnected) => format!("{} {missing} not set", marks::OFF).into(),
        (0, _, ConnectionState::Error) if row.connection.attempt > 0 => {
            format!("{} error, try {}", marks::FAILED, row.connection.attempt).into()
        }
        (0, _, state) => format!("{} {}", sign(state), state.name()).into(),
    }
}

fn state_role(row: &EnvironmentRow) -> Role {
    match (row.faults.is_empty(), row.missing.is_empty(), row.connection.state) {
        (false, _, _) | (_, _, ConnectionState::Error) => Role::Danger,
        (_, _, ConnectionState::Connected) => Role::Success,
        (_, _, ConnectionState::Connecting | ConnectionState::Disconnecting) => Role::Warning,
        (_, false, ConnectionState::Disconnected) => Role::Warning,
        (_, true, ConnectionState::Disconnected) => Role::Muted,
    }
}

fn check<'a>(row: &EnvironmentRow, view: &View<'_>) -> Cow<'a, str> {
    let Some(check) = &row.check else { return "".into() };
    if let Some(step) = check.current_step() {
        return format!("{} {step}", marks::HALF).into();
    }
    let sign = match check.phase {
        Phase::Stopped => marks::OFF,
        _ if check.is_healthy() => marks::DONE,
        _ => marks::FAILED,
    };
    format!("{sign} {}", time::since(view.model.now_ms, check.at_ms, view.zone)).into()
}

/// A guard as the file spells it.
pub fn guard(guard: Guard) -> &'static str {
    match guard {
        Guard::None => "none",
        Guard::Confirm => "confirm",
        Guard::Typed => "typed",
        Guard::ReadOnly => "read_only",
    }
}
