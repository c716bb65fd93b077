//! Pane 1: every environment with its connection, health and effective settings. A missing variable is said here by name and
//! stops nothing else.

mod detail;

use std::borrow::Cow;

use crossterm::event::MouseEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, Borders};

use crate::app::action::{Action, PaneId};
use crate::app::model::Model;
use crate::app::model::environments::{ConnectionState, EnvironmentRow};
use crate::core::environment::Guard;
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::layout;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::listing::{Listing, Rows};
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::{number, time};

use detail::Detail;

const ACTIVATE: Command = Command("environments.activate");
const CONNECT: Command = Command("environments.connect");
const CHECK: Command = Command("environments.check");
const EDIT: Command = Command("environments.edit");

const KEYS: &[Binding] = &[
    Binding::new(ACTIVATE, &["Enter"], "make active"),
    Binding::new(CONNECT, &["c"], "connect, or disconnect"),
    Binding::new(CHECK, &["h"], "check health"),
    Binding::new(EDIT, &["e"], "edit its file"),
];

const COLUMNS: [Column; 9] = [
    Column::words("", 1),
    Column::words("name", 9).grows(1),
    Column::words("protocol", 14).gives_way(4),
    Column::words("bootstrap", 16).grows(3).gives_way(6),
    Column::words("state", 13),
    Column::words("brokers", 7).gives_way(7),
    Column::number("answer", 7).gives_way(3),
    Column::words("check", 10).gives_way(5),
    Column::words("guard", 9).gives_way(2),
];

/// The pane.
#[derive(Debug, Default)]
pub struct Environments {
    list: Listing,
    detail: Detail,
    /// Whether keys scroll the detail.
    in_detail: bool,
    placed: bool,
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
            CHECK => Action::CheckHealth(name),
            EDIT => Action::EditFile {
                path: row.file.clone(),
                line: row.faults.iter().find_map(|fault| fault.place.as_ref()).map_or(1, |place| place.line),
            },
            keys::COPY if self.in_detail => return self.detail.copy(),
            keys::COPY => Action::Copy(row.bootstrap.clone()),
            keys::RIGHT => {
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
        let moved = if self.in_detail { self.detail.key(press.event) } else { self.list.key(press.event) };
        if moved { Reply::Handled } else { Reply::Ignored }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, model: &Model) -> Reply {
        match self.list.mouse(event) {
            Pointed::Elsewhere => match self.detail.mouse(event) {
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
        if !self.placed && !view.model.environments.is_empty() {
            self.placed = true;
            let active = view.model.active.as_deref();
            if let Some(at) = view.model.environments.iter().position(|row| Some(row.name.as_str()) == active) {
                self.list.select(at);
            }
        }
        let [list, detail] = parts(area, view.model.environments.len());
        let look = Look {
            columns: &COLUMNS,
            focused: view.focused && !self.in_detail,
            empty: "no environment: put files into config/environments/",
        };
        table::draw(&mut self.list, &rows, look, list, frame.buffer_mut(), view.theme);
        let beside = detail.x != area.x;
        let border = Block::new()
            .borders(if beside { Borders::LEFT } else { Borders::TOP })
            .border_style(view.theme.role(Role::Border));
        let inside = border.inner(detail);
        frame.render_widget(border, detail);
        if let Some(row) = self.selected(view.model) {
            self.detail.draw(row, frame, inside, view, view.focused && self.in_detail);
        }
    }
}

/// The list takes the lines it needs where the detail is below it.
fn parts(area: Rect, rows: usize) -> [Rect; 2] {
    if layout::BESIDE_WIDTH_MIN <= area.width {
        let width = (area.width / 2).max(58);
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
            0 if model.active.as_deref() == Some(row.name.as_str()) => marks::ON.into(),
            0 => marks::OFF.into(),
            1 => row.name.as_str().into(),
            2 => match &row.mechanism {
                Some(mechanism) => format!("{} {mechanism}", row.protocol).into(),
                None => row.protocol.as_str().into(),
            },
            3 => row.bootstrap.as_str().into(),
            4 => state(row),
            5 => match row.connection.brokers {
                Some((up, all)) => format!("{up}/{all}").into(),
                None => Cow::Borrowed(""),
            },
            6 => match row.connection.round_trip_ms {
                Some(ms) => number::latency(ms * 1_000.0).into(),
                None => Cow::Borrowed(""),
            },
            7 => check(row, self.view),
            _ => guard(row.guard).into(),
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
            4 => theme.role(state_role(row)),
            7 => match &row.check {
                Some(check) if check.is_running() => theme.role(Role::Muted),
                Some(check) if check.is_healthy() => theme.role(Role::Success),
                Some(_) => theme.role(Role::Danger),
                None => theme.role(Role::Muted),
            },
            8 => match row.guard {
                Guard::None => theme.role(Role::Muted),
                Guard::Confirm => theme.role(Role::Text),
                Guard::Typed | Guard::ReadOnly => theme.role(Role::Warning),
            },
            2 | 3 | 5 => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        (column == 6).then(|| self.row(row).connection.round_trip_ms).flatten()
    }

    fn is_numeric(&self, column: usize) -> bool {
        column == 6
    }
}

fn state(row: &EnvironmentRow) -> Cow<'_, str> {
    match (row.faults.len(), row.missing.len(), row.connection.state) {
        (1.., _, _) => "broken file".into(),
        (0, 1, ConnectionState::Disconnected) => "1 variable missing".into(),
        (0, missing @ 2.., ConnectionState::Disconnected) => format!("{missing} variables missing").into(),
        (0, _, state) => state.name().into(),
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
    match &row.check {
        None => Cow::Borrowed(""),
        Some(check) if check.is_running() => "checking".into(),
        Some(check) => {
            let sign = if check.is_healthy() { marks::DONE } else { marks::FAILED };
            format!("{sign} {}", time::since(view.model.now_ms, check.at_ms, view.zone)).into()
        }
    }
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
