//! Pane 1: every environment with its connection, health and effective settings. A missing variable is said here by name and
//! stops nothing else.

mod detail;
mod rows;

use crossterm::event::MouseEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::action::{Action, PaneId};
use crate::app::model::environments::{ConnectionState, EnvironmentRow};
use crate::app::model::jobs::Work;
use crate::app::model::{Model, Opened};
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::layout;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::inspector::Inspector;
use crate::ui::widgets::table::{self, Look};

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
    Binding::new(EDIT, &["e"], "edit file"),
    Binding::new(DETAIL, &["i"], "detail"),
    Binding::new(LIFT, &["u"], "lift read-only, or put it back"),
];

/// Widest list beside a detail: more would be blank.
const LIST_CELLS_MAX: u16 = 72;

/// The pane.
#[derive(Debug, Default)]
pub struct Environments {
    inspector: Inspector,
    /// Whether the cursor was put on the active environment.
    placed: bool,
    /// The last job that was to be shown here.
    opened: Option<Opened>,
    /// Whether the file of what is under the cursor is broken: it can be mended, and nothing else.
    is_broken: bool,
}

impl Environments {
    fn selected<'a>(&self, model: &'a Model) -> Option<&'a EnvironmentRow> {
        model.environments.get(self.inspector.list.selected()?)
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
                self.inspector.reader.reveal(detail::HEALTH);
                Action::CheckHealth(name)
            }
            LIFT => Action::LiftReadOnly(name),
            EDIT => self.edit(row),
            keys::COPY if self.inspector.in_detail => Action::Copy(self.inspector.reader.copied().to_owned()),
            keys::COPY => Action::Copy(row.bootstrap.clone()),
            _ => return Reply::Ignored,
        })
    }

    /// The place of the line under the cursor, else of the first fault, else the file.
    fn edit(&self, row: &EnvironmentRow) -> Action {
        let line = self.inspector.reader.place().filter(|_| self.inspector.in_detail);
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
            self.inspector.list.select(row);
        }
        if self.opened == model.opened {
            return;
        }
        self.opened = model.opened;
        if let Some(Work::Check(name) | Work::Generate(name)) =
            self.opened.and_then(|opened| model.jobs.get(&opened.job)).map(|job| &job.work)
            && let Some(row) = at(name)
        {
            self.inspector.list.select(row);
            self.inspector.reader.reveal(detail::HEALTH);
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
        self.inspector.is_typing()
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        if self.takes_text() {
            return if self.inspector.key(press.event) { Reply::Handled } else { Reply::Ignored };
        }
        if let (Some(command), Some(row)) = (press.command, self.selected(model)) {
            match self.command(command, row) {
                Reply::Ignored => {}
                reply => return reply,
            }
        }
        let turned = press.command.is_some_and(|command| self.inspector.moved(command, DETAIL));
        let moved = turned || self.inspector.key(press.event);
        // The column of marks has no title to be sorted by.
        if press.command == Some(keys::SORT) && self.inspector.list.sort().is_some_and(|sort| sort.column == 0) {
            self.inspector.list.key(press.event);
        }
        if moved { Reply::Handled } else { Reply::Ignored }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, model: &Model) -> Reply {
        match self.inspector.mouse(event) {
            Pointed::Elsewhere => Reply::Ignored,
            Pointed::Opened => match self.selected(model) {
                Some(row) if model.focus == PaneId::Environments => {
                    Reply::Emit(Action::SelectEnvironment(row.name.clone()))
                }
                _ => Reply::Handled,
            },
            Pointed::Scrolled | Pointed::Chosen => Reply::Handled,
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Reply {
        if self.inspector.list.search_mut().paste(text) { Reply::Handled } else { Reply::Ignored }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let rows = rows::Shown { view };
        self.inspector.list.refresh(&rows, rows::COLUMNS.len(), view.model.revision);
        self.follow(view.model);
        let [list, detail] = parts(area, view.model.environments.len());
        let look = Look {
            columns: &rows::COLUMNS,
            focused: view.focused && !self.inspector.in_detail,
            empty: "no environment yet: put a file into config/environments/, as the shipped sandbox.yaml, and press F9",
        };
        table::draw(&mut self.inspector.list, &rows, look, list, frame.buffer_mut(), view.theme);
        let beside = detail.x != area.x;
        let inside = self.inspector.draw_edge(frame, detail, beside, view.theme, view.focused);
        let Some(at) = self.inspector.list.selected() else { return };
        let Some(row) = view.model.environments.get(at) else { return };
        self.is_broken = !row.faults.is_empty();
        let lines = detail::document(row, view, inside.width.saturating_sub(2));
        let focused = view.focused && self.inspector.in_detail;
        self.inspector.reader.draw(rows::identity(&row.name), &lines, inside, frame.buffer_mut(), view.theme, focused);
    }

    fn footer(&self) -> Vec<Command> {
        match (self.takes_text(), self.inspector.list.selected(), self.inspector.in_detail) {
            (true, _, _) => vec![keys::BACK],
            (_, None, _) => keys::without_rows(self.inspector.list.search(), &[keys::RELOAD]),
            _ if self.is_broken => vec![EDIT, DETAIL, keys::RELOAD],
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

/// The chord of a command, to be named in a hint.
fn chord(view: &View<'_>, command: Command) -> String {
    view.keymap.chord_of(command).map_or_else(|| "the palette".into(), |chord| chord.to_string())
}
