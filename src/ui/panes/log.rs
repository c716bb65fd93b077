//! The log: structured lines with a level filter and correlation, and the audit log of every change made from here.

use std::borrow::Cow;

use crossterm::event::MouseEvent;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::action::{Action, PaneId};
use crate::app::model::Model;
use crate::app::model::log::{Level, LogLine};
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::listing::{Listing, Rows};
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::{number, text, time};

const LEVEL: Command = Command("log.level");
const AUDIT: Command = Command("log.audit");
const FOLLOW: Command = Command("log.follow");
const CORRELATION: Command = Command("log.correlation");

const KEYS: &[Binding] = &[
    Binding::new(LEVEL, &["v"], "next level"),
    Binding::new(AUDIT, &["a"], "audit, or log"),
    Binding::new(FOLLOW, &["f"], "follow the newest"),
    Binding::new(CORRELATION, &["c"], "related lines"),
];

const COLUMNS: [Column; 5] = [
    Column::words("time", 12),
    Column::words("level", 5),
    Column::words("from", 14).gives_way(2),
    Column::words("message", 40).grows(1),
    Column::words("belongs to", 12).gives_way(1),
];

const AUDIT_COLUMNS: [Column; 4] = [
    Column::words("time", 12),
    Column::words("environment", 12),
    Column::words("what", 20).grows(1),
    Column::words("result", 20).grows(1),
];

/// Lines for the line under the cursor in full, its rule included.
const WHOLE_LINES: u16 = 4;
/// Letters looked at for it: more than the lines of any screen hold.
const WHOLE_LETTERS_MAX: usize = 2_000;

/// The pane.
#[derive(Debug)]
pub struct LogPane {
    list: Listing,
    audit: Listing,
    shows_audit: bool,
    follows: bool,
    /// Grows when a filter of this pane changes.
    revision: u64,
    belongs: Option<String>,
    /// Whether there is a line under the cursor, and whether it belongs to others or only such are shown.
    under: (bool, bool),
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            list: Listing::default(),
            audit: Listing::default(),
            shows_audit: false,
            follows: true,
            revision: 0,
            belongs: None,
            under: (false, false),
        }
    }
}

impl LogPane {
    fn listing(&mut self) -> &mut Listing {
        if self.shows_audit { &mut self.audit } else { &mut self.list }
    }

    fn under_cursor<'a>(&self, model: &'a Model) -> Option<&'a LogLine> {
        let at = self.list.selected()?;
        shown_lines(model, self.belongs.as_deref()).nth(at)
    }

    fn command(&mut self, command: Command, model: &Model) -> Reply {
        match command {
            // Of the log alone.
            LEVEL | FOLLOW | CORRELATION if self.shows_audit => Reply::Ignored,
            LEVEL => {
                let at = Level::ALL.iter().position(|level| *level == model.log.level).unwrap_or(0);
                Reply::Emit(Action::SetLogLevel(Level::ALL[(at + 1) % Level::ALL.len()]))
            }
            AUDIT => {
                self.shows_audit = !self.shows_audit;
                Reply::Handled
            }
            FOLLOW => {
                self.follows = true;
                Reply::Handled
            }
            keys::BACK if self.shows_audit => {
                self.shows_audit = false;
                Reply::Handled
            }
            CORRELATION | keys::BACK if self.belongs.is_some() => {
                self.belongs = None;
                self.revision += 1;
                Reply::Handled
            }
            CORRELATION => match self.under_cursor(model).and_then(belongs_to) {
                Some(belongs) => {
                    self.belongs = Some(belongs);
                    self.revision += 1;
                    Reply::Handled
                }
                None => Reply::Emit(Action::Say(crate::app::model::Note::plain("this line belongs to nothing else"))),
            },
            keys::COPY if self.shows_audit => {
                let at = self.audit.selected().and_then(|at| model.audit.iter().rev().nth(at));
                at.and_then(|entry| serde_json::to_string(entry).ok())
                    .map_or(Reply::Handled, |text| Reply::Emit(Action::Copy(text)))
            }
            keys::COPY => self
                .under_cursor(model)
                .map_or(Reply::Handled, |line| Reply::Emit(Action::Copy(format!("{} {}", line.target, line.message)))),
            _ => Reply::Ignored,
        }
    }
}

impl Pane for LogPane {
    fn id(&self) -> PaneId {
        PaneId::Log
    }

    fn title(&self) -> &'static str {
        "Log"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn footer(&self) -> Vec<Command> {
        let (is_line, belongs) = self.under;
        let list = if self.shows_audit { &self.audit } else { &self.list };
        match self.shows_audit {
            _ if self.takes_text() => vec![keys::BACK],
            true if !is_line && list.search().is_active() => vec![keys::FILTER, keys::BACK, AUDIT],
            true if !is_line => vec![AUDIT, keys::BACK],
            true => vec![AUDIT, keys::FILTER, keys::COPY, keys::BACK],
            false if !is_line => [keys::without_rows(list.search(), &[]), vec![LEVEL, AUDIT]].concat(),
            false => {
                let follow = if self.follows { keys::COPY } else { FOLLOW };
                let correlation = if belongs { CORRELATION } else { keys::BACK };
                vec![LEVEL, AUDIT, keys::FILTER, follow, correlation]
            }
        }
    }

    fn not_here(&self) -> &'static [Command] {
        &[keys::OPEN, keys::LEFT, keys::RIGHT]
    }

    fn takes_text(&self) -> bool {
        let list = if self.shows_audit { &self.audit } else { &self.list };
        list.search().is_typing()
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        if !self.takes_text()
            && let Some(command) = press.command
        {
            match self.command(command, model) {
                Reply::Ignored => {}
                reply => return reply,
            }
        }
        if !self.listing().key(press.event) {
            return Reply::Ignored;
        }
        self.follows = self.list.cursor_mut().is_at_end();
        Reply::Handled
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, _model: &Model) -> Reply {
        match self.listing().mouse(event) {
            Pointed::Elsewhere => Reply::Ignored,
            Pointed::Scrolled | Pointed::Chosen | Pointed::Opened => {
                self.follows = self.list.cursor_mut().is_at_end();
                Reply::Handled
            }
        }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Reply {
        if self.listing().search_mut().paste(text) { Reply::Handled } else { Reply::Ignored }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let head = Rect { height: area.height.min(1), ..area };
        let body = Rect { y: area.y + head.height, height: area.height - head.height, ..area };
        frame.render_widget(self.heading(view), head);
        if self.shows_audit {
            let rows = Audit { view };
            self.audit.refresh(&rows, AUDIT_COLUMNS.len(), view.model.revision);
            let look = Look {
                columns: &AUDIT_COLUMNS,
                focused: view.focused,
                empty: "nothing was changed from here in this session",
            };
            let (body, below) = with_whole_line(body);
            table::draw(&mut self.audit, &rows, look, body, frame.buffer_mut(), view.theme);
            let entry = self.audit.selected().and_then(|at| view.model.audit.iter().rev().nth(at));
            self.under = (entry.is_some(), false);
            let whole = entry.map(|entry| format!("{}: {}", entry.what, entry.result)).unwrap_or_default();
            return draw_whole(&whole, Role::Text, below, frame.buffer_mut(), view.theme);
        }
        let rows = Lines { lines: shown_lines(view.model, self.belongs.as_deref()).collect(), view };
        self.list.refresh(&rows, COLUMNS.len(), view.model.revision.wrapping_mul(31).wrapping_add(self.revision));
        if self.follows && !self.list.search().is_active() {
            self.list.cursor_mut().go(usize::MAX);
        }
        let look = Look { columns: &COLUMNS, focused: view.focused, empty: "no line of this level; v shows others" };
        let (body, below) = with_whole_line(body);
        table::draw(&mut self.list, &rows, look, body, frame.buffer_mut(), view.theme);
        let line = self.under_cursor(view.model);
        let belongs = self.belongs.is_some() || line.is_some_and(|line| belongs_to(line).is_some());
        self.under = (line.is_some(), belongs);
        if let Some(line) = self.under_cursor(view.model) {
            draw_whole(&line.message, level_role(line.level), below, frame.buffer_mut(), view.theme);
        }
    }
}

/// The list, and where the line under its cursor is said in full; nowhere on a screen that has no room.
fn with_whole_line(area: Rect) -> (Rect, Rect) {
    let lines = if WHOLE_LINES * 3 < area.height { WHOLE_LINES } else { 0 };
    let list = Rect { height: area.height - lines, ..area };
    (list, Rect { y: list.bottom(), height: lines, ..area })
}

/// A rule, and below it what a column cuts off.
fn draw_whole(text: &str, role: Role, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let width = usize::from(area.width);
    if area.is_empty() {
        return;
    }
    buffer.set_string(area.x, area.y, "─".repeat(width), theme.role(Role::Border));
    let mut lines = text::wrapped(&text::one_line(text, WHOLE_LETTERS_MAX), width.saturating_sub(2));
    let room = usize::from(area.height - 1);
    if room < lines.len() {
        lines.truncate(room);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}{}", text::head(last, width.saturating_sub(3)), marks::ELLIPSIS);
        }
    }
    for (line, words) in lines.iter().enumerate() {
        buffer.set_string(area.x + 1, area.y + 1 + line as u16, words, theme.role(role));
    }
}

impl LogPane {
    fn heading(&self, view: &View<'_>) -> Line<'static> {
        let theme = view.theme;
        let muted = theme.role(Role::Muted);
        if self.shows_audit {
            return Line::styled(" audit: every change made from here, newest first", muted);
        }
        let log = &view.model.log;
        let mut spans = vec![
            Span::styled(" level ", muted),
            Span::styled(log.level.name(), theme.focused()),
            Span::styled(" and above", muted),
        ];
        if let Some(belongs) = &self.belongs {
            spans.push(Span::styled(format!("   only {belongs}"), theme.role(Role::Accent)));
        }
        if self.follows {
            spans.push(Span::styled("   following", muted));
        }
        let gone = log.lines.dropped() + log.skipped;
        if 0 < gone {
            spans.push(Span::styled(format!("   {} older lines are in the file", number::grouped(gone)), muted));
        }
        Line::from(spans)
    }
}

fn shown_lines<'a>(model: &'a Model, belongs: Option<&str>) -> impl Iterator<Item = &'a LogLine> {
    let level = model.log.level;
    model
        .log
        .lines
        .iter()
        .filter(move |line| level <= line.level)
        .filter(move |line| belongs.is_none_or(|belongs| belongs_to(line).as_deref() == Some(belongs)))
}

/// What a line belongs to: its correlation, else its job.
fn belongs_to(line: &LogLine) -> Option<String> {
    line.correlation.clone().or_else(|| line.job.map(|job| format!("job {}", job.0)))
}

struct Lines<'a> {
    lines: Vec<&'a LogLine>,
    view: &'a View<'a>,
}

impl Rows for Lines<'_> {
    fn count(&self) -> usize {
        self.lines.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let line = self.lines[row];
        match column {
            0 => time::precise(line.at_ms, self.view.zone).into(),
            1 => line.level.name().into(),
            2 => line.target.strip_prefix("velox::").unwrap_or(&line.target).into(),
            3 => text::one_line(&line.message, 2_000).into(),
            _ => belongs_to(line).map_or(Cow::Borrowed(""), Cow::Owned),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        match column {
            1 => theme.role(level_role(self.lines[row].level)),
            3 => theme.role(Role::Text),
            _ => theme.role(Role::Muted),
        }
    }

    fn identity(&self, row: usize) -> u64 {
        // The ring's own place: a line keeps it while older ones leave.
        std::ptr::from_ref(self.lines[row]) as usize as u64
    }
}

struct Audit<'a> {
    view: &'a View<'a>,
}

impl Rows for Audit<'_> {
    fn count(&self) -> usize {
        self.view.model.audit.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let Some(entry) = self.view.model.audit.iter().rev().nth(row) else { return Cow::Borrowed("") };
        match column {
            0 => time::precise(entry.at_ms, self.view.zone).into(),
            1 => entry.environment.as_str().into(),
            2 => entry.what.as_str().into(),
            _ => entry.result.as_str().into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        let Some(entry) = self.view.model.audit.iter().rev().nth(row) else { return Style::new() };
        match column {
            1 => theme.environment(&entry.environment),
            3 if entry.result.starts_with("refused") || entry.result.contains("failed:") => theme.role(Role::Danger),
            0 => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }
}

fn level_role(level: Level) -> Role {
    match level {
        Level::Trace | Level::Debug => Role::Muted,
        Level::Info => Role::Text,
        Level::Warn => Role::Warning,
        Level::Error => Role::Danger,
    }
}

/// A line of a log on one row, for other panes.
pub fn line(line: &LogLine, view: &View<'_>, cells: usize) -> Line<'static> {
    let theme = view.theme;
    let before = format!(" {} {:<5} ", time::precise(line.at_ms, view.zone), line.level.name());
    let room = cells.saturating_sub(text::width(&before));
    let message = text::one_line(&line.message, room.saturating_add(1));
    Line::from(vec![
        Span::styled(before, theme.role(level_role(line.level))),
        Span::styled(text::fit(&message, room).into_owned(), theme.role(Role::Text)),
    ])
}
