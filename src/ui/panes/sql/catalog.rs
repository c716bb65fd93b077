//! What can be named: topics with their fields, types and values that were seen, what the text defines, functions. It inserts at
//! the caret of the editor, and asks for a look into a topic where nobody has looked; it looks itself at nothing.

mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::action::Action;
use crate::app::model::Model;
use crate::app::model::assist::Shelf;
use crate::core::fault::Fault;
use crate::sql::assist::Catalog;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::{Cursor, Pointed};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::{line, table, text};

use rows::Row;

/// Lines below the list that say more about the one under the cursor.
const HELP_LINES: u16 = 3;

/// What looks at the catalog.
#[derive(Debug, Default)]
pub struct CatalogColumn {
    cursor: Cursor,
    /// Branches that are open, by their path.
    open: BTreeSet<String>,
    /// Topics whose fields are known and that were closed by hand: the others show them.
    closed: BTreeSet<String>,
    filter: Input,
    is_typing: bool,
    rows: Vec<Row>,
    /// What they were made of.
    made_of: Option<MadeOf>,
    /// How often a branch was opened or closed.
    turned: u64,
    /// Whether sections were opened once.
    begun: bool,
}

/// What rows were made of: while a query floods the screen they are not made anew with each frame.
#[derive(Debug)]
struct MadeOf {
    catalog: Arc<Catalog>,
    is_listed: bool,
    fault: Option<Fault>,
    sampling: Vec<String>,
    filter: String,
    turned: u64,
}

impl MadeOf {
    fn new(shelf: &Shelf, filter: &str, turned: u64) -> Self {
        Self {
            catalog: Arc::clone(&shelf.catalog),
            is_listed: shelf.listed_ms.is_some(),
            fault: shelf.fault.clone(),
            sampling: shelf.sampling.keys().cloned().collect(),
            filter: filter.to_owned(),
            turned,
        }
    }

    fn is_still(&self, shelf: &Shelf, filter: &str, turned: u64) -> bool {
        Arc::ptr_eq(&self.catalog, &shelf.catalog)
            && self.is_listed == shelf.listed_ms.is_some()
            && self.fault == shelf.fault
            && self.sampling.iter().eq(shelf.sampling.keys())
            && self.filter == filter
            && self.turned == turned
    }
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Picked {
    /// Not a key of the catalog.
    Ignored,
    /// It moved.
    Handled,
    /// This goes into the text.
    Insert(String),
    /// This is to be done.
    Act(Action),
}

impl CatalogColumn {
    /// Takes the facts as they are now.
    pub fn refresh(&mut self, model: &Model) {
        if !std::mem::replace(&mut self.begun, true) {
            self.open.extend(["topics".to_owned(), "this text".to_owned()]);
        }
        let environment = model.active.as_deref().unwrap_or_default();
        let shelf = model.assist.shelf(environment);
        let filter = self.filter.text().trim();
        let is_still = |made: &MadeOf| shelf.is_some_and(|shelf| made.is_still(shelf, filter, self.turned));
        if self.made_of.as_ref().is_some_and(is_still) {
            return;
        }
        self.made_of = shelf.map(|shelf| MadeOf::new(shelf, filter, self.turned));
        let under_cursor = self.selected().map(|row| row.path.clone());
        let catalog = model.assist.catalog(environment);
        self.rows = rows::rows(
            &catalog,
            (model.active.is_some(), shelf),
            (&self.open, &self.closed),
            self.filter.text().trim(),
        );
        self.cursor.set_rows(self.rows.len());
        if let Some(at) = under_cursor.and_then(|path| self.rows.iter().position(|row| row.path == path))
            && Some(at) != self.cursor.row()
        {
            self.cursor.follow(at);
        }
    }

    /// Whether letters go into the filter.
    pub fn takes_text(&self) -> bool {
        self.is_typing
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds pasted text to the filter.
    pub fn paste(&mut self, pasted: &str) {
        self.filter.insert(pasted);
    }

    /// Takes a key: Enter inserts, Right opens, Left closes, `/` narrows.
    pub fn key(&mut self, key: KeyEvent, model: &Model) -> Picked {
        let moves = matches!(key.code, KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown);
        if self.is_typing && !moves {
            match key.code {
                KeyCode::Enter => self.is_typing = false,
                KeyCode::Esc => {
                    self.filter.clear();
                    self.is_typing = false;
                }
                _ => {
                    self.filter.key(key);
                    self.cursor.go(0);
                }
            }
            self.refresh(model);
            return Picked::Handled;
        }
        match key.code {
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Esc if !self.filter.is_empty() => {
                self.filter.clear();
                self.refresh(model);
            }
            KeyCode::Enter => return self.take(model),
            KeyCode::Right | KeyCode::Char('l') => return self.turn(true, model),
            KeyCode::Left | KeyCode::Char('h') => return self.turn(false, model),
            _ if self.cursor.key(key) => {}
            _ => return Picked::Ignored,
        }
        Picked::Handled
    }

    /// Takes the mouse: a second press opens a branch, or inserts.
    pub fn mouse(&mut self, event: MouseEvent, model: &Model) -> Picked {
        match self.cursor.mouse(event) {
            Pointed::Elsewhere => Picked::Ignored,
            Pointed::Opened => match self.selected().and_then(|row| row.branch) {
                Some(is_open) => self.turn(!is_open, model),
                None => self.take(model),
            },
            _ => Picked::Handled,
        }
    }

    /// The name under the cursor.
    pub fn copied(&self) -> Option<&str> {
        self.selected().and_then(|row| row.insert.as_deref())
    }

    /// Draws lines, and below them more about the one under the cursor.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>, focused: bool) {
        if area.height < 6 || area.width < 12 {
            return;
        }
        let theme = view.theme;
        let [head, list, help] = ratatui::layout::Layout::vertical([
            ratatui::layout::Constraint::Length(1),
            ratatui::layout::Constraint::Fill(1),
            ratatui::layout::Constraint::Length(HELP_LINES),
        ])
        .areas(area);
        let style = if focused { theme.focused() } else { theme.role(Role::Muted) };
        buffer.set_string(head.x, head.y, " catalog", style);
        if self.is_typing || !self.filter.is_empty() {
            buffer.set_string(head.x + 10, head.y, "/", theme.role(Role::Accent));
            let input = Rect { x: head.x + 11, width: head.width.saturating_sub(11), ..head };
            self.filter.draw(input, buffer, theme, focused && self.is_typing);
        }
        let window = self.cursor.window(list);
        for (at, row) in self.rows[window].iter().enumerate() {
            let strip = Rect { y: list.y + at as u16, height: 1, width: list.width - 1, ..list };
            draw_row(row, strip, buffer, theme);
        }
        if let Some(row) = self.cursor.row() {
            let window = self.cursor.window(list);
            let strip = Rect { y: list.y + (row - window.start) as u16, height: 1, ..list };
            table::draw_cursor(strip, focused, buffer, theme);
        }
        self.cursor.draw_bar(list, buffer, theme);
        if let Some(row) = self.selected().filter(|_| focused) {
            let words = match &row.help {
                words if words.is_empty() => "↵ inserts it  → opens it  / finds".to_owned(),
                words => words.clone(),
            };
            for (at, words) in
                text::wrapped(&words, usize::from(help.width)).iter().enumerate().take(usize::from(HELP_LINES))
            {
                buffer.set_string(help.x, help.y + at as u16, words, theme.role(Role::Muted));
            }
        }
    }

    fn selected(&self) -> Option<&Row> {
        self.rows.get(self.cursor.row()?)
    }

    fn take(&mut self, model: &Model) -> Picked {
        let Some(row) = self.selected() else { return Picked::Ignored };
        match &row.insert {
            Some(text) => Picked::Insert(text.clone()),
            None => {
                let is_open = row.branch.unwrap_or(false);
                self.turn(!is_open, model)
            }
        }
    }

    /// Opens a branch, or closes it; what is no branch leads to the one it is in.
    fn turn(&mut self, opens: bool, model: &Model) -> Picked {
        let Some(row) = self.selected().cloned() else { return Picked::Ignored };
        match (row.branch, opens) {
            (Some(_), true) => {
                self.turned += 1;
                self.closed.remove(&row.path);
                self.open.insert(row.path);
                self.refresh(model);
                if let (Some(topic), Some(environment)) = (row.looks_into, model.active.clone()) {
                    return Picked::Act(Action::SampleTopic { environment, topic });
                }
            }
            (Some(true), false) => {
                self.turned += 1;
                self.open.remove(&row.path);
                self.closed.insert(row.path);
                self.refresh(model);
            }
            (_, false) => {
                let before = self.rows.iter().take(self.cursor.row().unwrap_or(0));
                let parent = before.enumerate().filter(|(_, one)| one.depth < row.depth).map(|(at, _)| at).next_back();
                if let Some(at) = parent {
                    self.cursor.go(at);
                }
            }
            (None, true) => {}
        }
        Picked::Handled
    }
}

fn draw_row(row: &Row, strip: Rect, buffer: &mut Buffer, theme: &Theme) {
    let mark = match row.branch {
        Some(true) => marks::OPEN,
        Some(false) => marks::CLOSED,
        None => " ",
    };
    let mut words = Line::from(vec![
        Span::raw(" ".repeat(row.depth * 2)),
        Span::styled(format!("{mark} "), theme.role(Role::Muted)),
        Span::styled(row.name.clone(), theme.role(row.role)),
    ]);
    let cells = usize::from(strip.width);
    let left = cells.saturating_sub(words.width() + 1);
    let detail = text::fit(&row.detail, left).into_owned();
    if 2 < left && !detail.is_empty() {
        // Types under each other at the right edge, where there is room for them.
        words.push_span(Span::raw(" ".repeat(left - text::width(&detail) + 1)));
        words.push_span(Span::styled(detail, theme.role(Role::Muted)));
    }
    buffer.set_line(strip.x, strip.y, &line::fit(&words, cells), strip.width);
}
