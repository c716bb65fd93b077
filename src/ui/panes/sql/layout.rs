//! Where the parts of pane 3 are drawn, from the size and from what there is to show; and drawing them there.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::paint::Overlay;
use super::plan::Shown;
use super::{Dialog, Part, SqlPane, current, status, wrong};
use crate::app::model::Model;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{dialog, text};

/// From this width on the catalog stands left of the editor, cells.
const COLUMN_MIN: u16 = 100;
/// Cells of the catalog beside the editor: names of topics and fields with their types.
const COLUMN_CELLS: u16 = 32;
/// The same on a wide screen.
const COLUMN_CELLS_WIDE: u16 = 38;
/// From this width on plan and whole rows stand beside the rows, cells.
const WIDE_MIN: u16 = 150;
/// Lines of the editor while there is something below it.
const EDITOR_LINES_MIN: u16 = 6;
/// Lines of the state of a query, at most: a second one for what a narrow pane has no room for on the first.
const STATE_LINES_MAX: usize = 2;
/// Lines that say what is wrong, at most.
const MESSAGE_LINES_MAX: usize = 3;

/// Where parts were drawn, for the mouse.
#[derive(Debug, Default, Clone, Copy)]
pub struct Areas {
    /// The text with its numbers.
    pub editor: Rect,
    /// Rows, or the plan in their place.
    pub rows: Rect,
    /// What can be named.
    pub catalog: Rect,
    /// Whether there is room for it beside the rest.
    pub has_column: bool,
    /// Plan or a whole row, right of the rows.
    pub beside: Rect,
    /// Whether there is room for `beside`.
    pub is_wide: bool,
}

impl SqlPane {
    pub(super) fn draw_all(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let buffer = frame.buffer_mut();
        self.areas =
            Areas { is_wide: WIDE_MIN <= area.width, has_column: COLUMN_MIN <= area.width, ..Areas::default() };
        if let Some(query) = current(view.model) {
            self.results.refresh(query, view.model.revision);
        }
        let whole = area;
        let Some(area) = self.draw_catalog(area, buffer, view) else { return self.draw_over(whole, buffer, view) };
        let has_beside = self.shows_plan || self.inspect.is_some() || current(view.model).is_some();
        let beside = self.areas.is_wide && !self.zoomed && has_beside;
        let main = match beside {
            true => {
                let [main, edge, right] =
                    Layout::horizontal([Constraint::Percentage(60), Constraint::Length(3), Constraint::Fill(1)])
                        .areas(area);
                draw_edge(edge, buffer, view.theme);
                self.areas.beside = right;
                self.draw_beside(right, buffer, view);
                main
            }
            false => area,
        };
        self.draw_main(main, buffer, view);
        self.draw_over(whole, buffer, view);
    }

    /// The catalog at the left, or in the place of all the rest where it is narrow. Gives what is left for the rest.
    fn draw_catalog(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) -> Option<Rect> {
        let focused = view.focused && self.part == Part::Catalog && self.dialog.is_none();
        if !self.areas.has_column {
            if self.part != Part::Catalog {
                return Some(area);
            }
            self.areas.catalog = area;
            self.catalog.draw(area, buffer, view, focused);
            return None;
        }
        if self.zoomed || !self.shows_catalog.unwrap_or(true) {
            return Some(area);
        }
        let cells = if self.areas.is_wide { COLUMN_CELLS_WIDE } else { COLUMN_CELLS };
        let [column, edge, rest] =
            Layout::horizontal([Constraint::Length(cells), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        for y in edge.top()..edge.bottom() {
            buffer.set_string(edge.x, y, "│", view.theme.role(Role::Border));
        }
        self.areas.catalog = column;
        self.catalog.draw(column, buffer, view, focused);
        Some(rest)
    }

    /// Tabs, editor, what is wrong, state, rows.
    fn draw_main(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let model = view.model;
        let cells = usize::from(area.width.saturating_sub(4));
        let messages = wrong::said(&self.tabs.front().editor, model, cells, MESSAGE_LINES_MAX, view.theme);
        let find = u16::from(self.find.is_open());
        let state = self.state_lines(usize::from(area.width.saturating_sub(4)), view);
        let (tabs, says, state_lines) = (1, messages.len() as u16 + find, state.len() as u16);
        let rest = area.height.saturating_sub(tabs + state_lines);
        let has_below = current(model).is_some() || self.shows_plan;
        let editor = match (self.zoomed, self.part) {
            (true, Part::Editor) => rest,
            (true, Part::Rows) => 0,
            // A third to a half, by how much there is written.
            _ if self.plan_is_below() => (rest / 3).max(EDITOR_LINES_MIN.min(rest / 2)),
            _ if has_below => {
                let lines = self.tabs.front().editor.lines().len() as u16 + 1;
                lines.clamp(EDITOR_LINES_MIN.min(rest / 2), (rest / 2).max(1)).max(rest / 3)
            }
            _ => rest.saturating_sub(4).max(rest / 2),
        };
        // What is said takes its lines from the editor: rows do not jump while somebody types.
        let editor = editor.saturating_sub(says).max(editor.min(3));
        let [tabs_line, editor_area, message_area, find_line, state_area, rows_area] = Layout::vertical([
            Constraint::Length(tabs),
            Constraint::Length(editor),
            Constraint::Length(messages.len() as u16),
            Constraint::Length(find),
            Constraint::Length(state_lines),
            Constraint::Fill(1),
        ])
        .areas(area);
        let writes = view.focused && self.part == Part::Editor && self.dialog.is_none();
        self.tabs.draw(&model.desk, tabs_line, writes, buffer, view.theme);
        (self.areas.editor, self.areas.rows) = (editor_area, rows_area);
        self.draw_editor(editor_area, writes && !self.find.is_open(), buffer, view);
        for (at, line) in messages.iter().enumerate() {
            buffer.set_line(message_area.x + 1, message_area.y + at as u16, line, message_area.width.saturating_sub(1));
        }
        if find > 0 {
            self.find.draw(&self.tabs.front().editor, find_line, buffer, view.theme);
        }
        draw_state(&state, state_area, buffer, view.theme);
        self.draw_below(rows_area, buffer, view);
    }

    fn draw_editor(&mut self, area: Rect, focused: bool, buffer: &mut Buffer, view: &View<'_>) {
        let wrong = wrong::ranges(&self.tabs.front().editor, view.model);
        let overlay = Overlay { wrong: &wrong, found: self.find.found(), focused };
        let follows = self.follows_caret;
        let tab = self.tabs.front_mut();
        tab.window.draw(&tab.editor, &overlay, follows, area, buffer, view.theme);
        if tab.editor.text().is_empty() && area.height > 2 {
            let words = [
                "Write SQL here: SELECT * FROM a topic, then F5.",
                "Ctrl+G has examples that run on the sandbox; Ctrl+O opens files.",
                if self.untouched { "Digits, ? and : are the console's until something is written." } else { "" },
            ];
            for (at, words) in words.iter().enumerate() {
                let words = text::fit(words, usize::from(area.width.saturating_sub(8)));
                buffer.set_string(area.x + 7, area.y + at as u16, words, view.theme.role(Role::Muted));
            }
        }
    }

    /// Rows, or the plan in their place.
    fn draw_below(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let focused = view.focused && self.part == Part::Rows && self.dialog.is_none();
        if self.plan_is_below() {
            return self.draw_plan(area, focused, buffer, view);
        }
        let Some(query) = current(view.model) else {
            let words = "F5 runs the statement under the cursor live: its rows come here. F6 says what it would read.";
            for (at, line) in text::wrapped(words, usize::from(area.width.saturating_sub(2))).iter().enumerate() {
                if at < usize::from(area.height) {
                    buffer.set_string(area.x + 1, area.y + at as u16, line, view.theme.role(Role::Muted));
                }
            }
            return;
        };
        // A cell at the left for the mark that there are more columns.
        let mut area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
        if let Some(fault) = status::fault(query, view.model) {
            let lines = text::wrapped(&fault, usize::from(area.width.saturating_sub(2)));
            let shown = lines.len().min(usize::from(area.height / 2).max(1));
            for (at, line) in lines.iter().take(shown).enumerate() {
                buffer.set_string(area.x, area.y + at as u16, line, view.theme.role(Role::Danger));
            }
            let taken = (shown as u16).min(area.height);
            area = Rect { y: area.y + taken, height: area.height - taken, ..area };
        }
        let empty = status::empty(query, view.model);
        self.results.draw(query, view, &empty, focused, area, buffer);
        if !self.areas.is_wide || self.zoomed {
            self.draw_inspect_over(area, buffer, view);
        }
    }

    fn draw_beside(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let focused = view.focused && self.part == Part::Rows;
        if let Some(query) = current(view.model)
            && let Some(inspect) = &mut self.inspect
            && let Some(row) = self.results.selected(query)
        {
            inspect.draw(query, row, area, buffer, view, focused);
        } else {
            self.draw_plan(area, false, buffer, view);
        }
    }

    /// A row whole in the place of the rows, where there is no room beside them.
    fn draw_inspect_over(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let (Some(query), Some(inspect)) = (current(view.model), &mut self.inspect) else { return };
        let Some(row) = self.results.selected(query) else { return };
        Clear.render(area, buffer);
        buffer.set_style(area, view.theme.base());
        let keys = [("Esc", "back to the rows"), ("← →", "the row before and after"), ("y", "copy")];
        dialog::draw_keys(&keys, Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }, buffer, view.theme);
        let inside = Rect { height: area.height.saturating_sub(1), ..area };
        inspect.draw(query, row, inside, buffer, view, view.focused);
    }

    fn draw_plan(&mut self, area: Rect, focused: bool, buffer: &mut Buffer, view: &View<'_>) {
        match self.plan_shown(view.model) {
            Some(shown) => self.plan.draw(shown, area, buffer, view, focused),
            None => {
                buffer.set_string(area.x + 1, area.y, "nothing is planned yet", view.theme.role(Role::Muted));
            }
        }
    }

    /// What runs, where the statement that is looked at is the one that runs; else what was explained last.
    fn plan_shown<'m>(&self, model: &'m Model) -> Option<Shown<'m>> {
        let live = current(model).and_then(|query| Some((query, model.pipelines.get(&query.job)?)));
        let explained = model.desk.explained.as_ref();
        let editor = &self.tabs.front().editor;
        let is_here = |request: &crate::app::action::QueryRequest| {
            request.text == editor.text() && editor.statement().is_some_and(|(at, _)| at == request.statement)
        };
        match (live, explained) {
            (Some((query, drawn)), explaining) => {
                match explaining.filter(|one| is_here(&one.asked) && !is_here(&query.request)) {
                    Some(explaining) => Some(Shown::Before(explaining)),
                    None => Some(Shown::Live(drawn)),
                }
            }
            (None, Some(explaining)) => Some(Shown::Before(explaining)),
            (None, None) => None,
        }
    }

    fn draw_over(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let tab = self.tabs.front();
        if let Some(popup) = &mut self.popup
            && let Some(at) = tab.window.position(&tab.editor, tab.editor.caret())
        {
            popup.draw(at, area, buffer, view.theme);
        }
        let files = &view.model.desk.files;
        match &mut self.dialog {
            Some(Dialog::Open(dialog)) => {
                dialog.refresh(files, view.model.revision);
                dialog.draw(files, area, buffer, view.theme);
            }
            Some(Dialog::Ask(ask)) => {
                let shown = |query| self.results.shown(query).len();
                let about = current(view.model).map(|query| status::exported(query, shown(query), view.model));
                let about = about.unwrap_or_default();
                ask.draw(&about, area, buffer, view.theme);
            }
            Some(Dialog::Deploy(dialog)) => dialog.draw(view.model, area, buffer, view.theme),
            None => {}
        }
    }

    /// The state of the query, and what is wrong with its brokers. Of the same query and width there are never fewer lines
    /// than before: rows do not jump.
    fn state_lines(&mut self, cells: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let lost = status::lost(view, cells);
        let Some(query) = current(view.model) else {
            let none = Line::from(Span::styled("no query runs", view.theme.role(Role::Muted)));
            return std::iter::once(none).chain(lost).collect();
        };
        let mut lines = status::lines(query, view, cells, STATE_LINES_MAX);
        let (job, width, most) = self.state_taken;
        let least = if (job, width) == (Some(query.job), cells) { most } else { 0 };
        lines.resize_with(lines.len().max(least), Line::default);
        self.state_taken = (Some(query.job), cells, lines.len());
        lines.extend(lost);
        lines
    }
}

/// The state of the query in a rule, what does not fit below it.
fn draw_state(lines: &[Line<'static>], area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let border = theme.role(Role::Border);
    for (at, line) in lines.iter().enumerate().take(usize::from(area.height)) {
        let y = area.y + at as u16;
        if at == 0 {
            buffer.set_string(area.x, y, "─".repeat(usize::from(area.width)), border);
            buffer.set_string(
                area.x + 2,
                y,
                " ".repeat((line.width() + 2).min(usize::from(area.width) - 2)),
                theme.base(),
            );
        }
        let x = area.x + if at == 0 { 3 } else { 1 };
        buffer.set_line(x, y, line, area.right().saturating_sub(x));
    }
}

fn draw_edge(edge: Rect, buffer: &mut Buffer, theme: &Theme) {
    for y in edge.top()..edge.bottom() {
        buffer.set_string(edge.x + 1, y, "│", theme.role(Role::Border));
    }
}
