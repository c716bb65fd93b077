//! The rows of a live query: in place where they change, scrolling where they only come. Which row and column the cursor is on,
//! what is filtered, sorted and followed is kept here; the rows are the model's.

use std::borrow::Cow;
use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;

use crate::app::model::queries::{Query, QueryRow};
use crate::core::job::JobId;
use crate::ui::pane::View;
use crate::ui::theme::Role;
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::grid::{Grid, GridCell, GridColumn, GridLook};
use crate::ui::widgets::listing::{Listing, Rows, Sort};
use crate::ui::widgets::table;
use crate::ui::widgets::text;

/// How long a changed value stands out, milliseconds: seen from the corner of an eye, gone before it is in the way.
const FRESH_MS: i64 = 900;

/// What looks at the rows of a query.
#[derive(Debug, Default)]
pub struct Results {
    job: Option<JobId>,
    columns: Vec<GridColumn>,
    listing: Listing,
    grid: Grid,
    /// Rows by their first appearance, as they are listed.
    rows: Vec<u64>,
    /// Whether the cursor goes with the newest row.
    follows: bool,
    /// Only rows with this value in this column are shown.
    pinned: Option<(usize, Option<String>)>,
    /// What the rows that were seen said last, so that what changed stands out.
    seen: HashMap<u64, Seen>,
    /// The same of the frame before, whose memory the next one takes over.
    seen_before: HashMap<u64, Seen>,
}

#[derive(Debug)]
struct Seen {
    cells: Vec<Option<String>>,
    /// When each value changed, milliseconds since 1970.
    changed_ms: Vec<i64>,
}

struct QueryView<'a> {
    query: &'a Query,
    rows: &'a [u64],
    columns: &'a [GridColumn],
}

impl QueryView<'_> {
    fn row(&self, at: usize) -> Option<&QueryRow> {
        self.query.in_view().born(*self.rows.get(at)?)
    }
}

impl Rows for QueryView<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let cell = self.row(row).and_then(|row| row.cells.get(column));
        cell.map_or("".into(), |cell| cell.as_deref().unwrap_or("NULL").into())
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        self.row(row)?.cells.get(column)?.as_deref()?.parse().ok()
    }

    fn is_numeric(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| column.is_numeric)
    }

    fn identity(&self, row: usize) -> u64 {
        self.rows[row]
    }
}

impl Results {
    /// Takes the rows as they are now.
    pub fn refresh(&mut self, query: &Query, revision: u64) {
        if self.job != Some(query.job) {
            *self = Self { job: Some(query.job), follows: true, ..Self::default() };
        }
        if let Some(schema) = query.schema.as_ref().filter(|schema| schema.columns.len() != self.columns.len()) {
            let column = |one: &crate::app::model::queries::QueryColumn| GridColumn {
                title: one.name.clone(),
                kind: one.sql_type.clone(),
                is_numeric: one.is_numeric,
            };
            self.columns = schema.columns.iter().map(column).collect();
        }
        let pinned = self.pinned.as_ref();
        let is_shown = |row: &&QueryRow| pinned.is_none_or(|(column, value)| row.cells.get(*column) == Some(value));
        self.rows.clear();
        self.rows.extend(query.in_view().iter().filter(is_shown).map(|row| row.born));
        let view = QueryView { query, rows: &self.rows, columns: &self.columns };
        self.listing.refresh(&view, self.columns.len(), revision);
        if self.follows && self.listing.sort().is_none() && !self.listing.search().is_active() {
            self.listing.cursor_mut().go(usize::MAX);
        }
    }

    /// The row under the cursor.
    pub fn selected<'q>(&self, query: &'q Query) -> Option<&'q QueryRow> {
        query.in_view().born(*self.rows.get(self.listing.selected()?)?)
    }

    /// Rows in the order in which they are shown.
    pub fn shown<'q>(&self, query: &'q Query) -> Vec<&'q QueryRow> {
        let rows = (0..).map_while(|place| self.listing.at(place));
        rows.filter_map(|at| query.in_view().born(*self.rows.get(at)?)).collect()
    }

    /// The value under the cursor, with the name of its column.
    pub fn value<'q>(&self, query: &'q Query) -> Option<(&str, Option<&'q str>)> {
        let column = self.grid.column();
        let cell = self.selected(query)?.cells.get(column)?;
        Some((self.columns.get(column)?.title.as_str(), cell.as_deref()))
    }

    /// Whether letters go into the filter.
    pub fn takes_text(&self) -> bool {
        self.listing.search().is_typing()
    }

    /// Whether a filter, or a value that is followed, hides rows.
    pub fn is_filtered(&self) -> bool {
        self.listing.search().is_active() || self.pinned.is_some()
    }

    /// Adds pasted text to the filter.
    pub fn paste(&mut self, pasted: &str) {
        self.listing.search_mut().paste(pasted);
    }

    /// Goes with the newest row, or stays.
    pub fn turn_following(&mut self) -> bool {
        self.follows = !self.follows;
        if self.follows {
            self.listing.set_sort(None);
        }
        self.follows
    }

    /// Shows only the rows that have the value under the cursor in its column, or all again. Gives what is said about it.
    pub fn turn_pin(&mut self, query: &Query) -> Option<String> {
        if self.pinned.take().is_some() {
            return Some("all rows are shown again".into());
        }
        let column = self.grid.column();
        let value = self.selected(query)?.cells.get(column)?.clone();
        let name = self.columns.get(column).map_or("", |column| column.title.as_str());
        let said = format!("only rows where {name} is {}", value.as_deref().unwrap_or("NULL"));
        self.pinned = Some((column, value));
        Some(said)
    }

    /// Whether something hides rows: the filter, or a value that is followed.
    pub fn is_narrowed(&self) -> bool {
        self.pinned.is_some() || self.listing.search().is_active()
    }

    /// Sorts by the column under the cursor: first one way, then the other, then as rows came.
    pub fn sort(&mut self) {
        let column = self.grid.column();
        let first = self.columns.get(column).is_some_and(|column| column.is_numeric);
        let next = match self.listing.sort().filter(|sort| sort.column == column) {
            None => Some(Sort { column, descending: first }),
            Some(sort) if sort.descending == first => Some(Sort { column, descending: !first }),
            Some(_) => None,
        };
        self.listing.set_sort(next);
        self.follows &= next.is_none();
    }

    /// Takes a key of lists, and those of the filter.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        if self.listing.search().is_typing() {
            return self.listing.key(key);
        }
        match key.code {
            KeyCode::Left => self.grid.step(-1, self.columns.len()),
            KeyCode::Right => self.grid.step(1, self.columns.len()),
            KeyCode::Char('s' | 'S') => return false,
            KeyCode::Esc if self.listing.search().is_active() => self.listing.search_mut().clear(),
            KeyCode::Esc if self.pinned.is_some() => self.pinned = None,
            _ => {
                if !self.listing.key(key) {
                    return false;
                }
                self.follows = self.listing.is_at_end() && self.listing.sort().is_none();
            }
        }
        true
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, event: MouseEvent) -> Pointed {
        let pointed = self.listing.mouse(event);
        if matches!(pointed, Pointed::Chosen | Pointed::Opened) {
            self.grid.under(event.column);
        }
        if pointed != Pointed::Elsewhere {
            self.follows = self.listing.is_at_end() && self.listing.sort().is_none();
        }
        pointed
    }

    /// Draws titles, rows, and a last line with filter and count. `empty` is said where there is no row.
    pub fn draw(
        &mut self,
        query: &Query,
        view: &View<'_>,
        empty: &str,
        focused: bool,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let (theme, now_ms) = (view.theme, view.model.now_ms);
        if area.height < 3 {
            return;
        }
        let last = Rect { y: area.bottom() - 1, height: 1, ..area };
        let area = Rect { height: area.height - 1, ..area };
        let head = Grid::head_lines(area);
        let body = Rect { y: area.y + head, height: area.height - head, ..area };
        let window = self.listing.cursor_mut().window(body);
        let cursor = self.listing.cursor_mut().row();
        let listed: Vec<&QueryRow> = window
            .clone()
            .map_while(|place| self.listing.at(place))
            .filter_map(|at| query.in_view().born(*self.rows.get(at)?))
            .collect();
        self.look_at(&listed, query.schema.as_ref().is_some_and(|schema| schema.is_changelog));
        let seen = &self.seen;
        let cell = |row: usize, column: usize| {
            let one = listed[row];
            let changed_ms =
                seen.get(&one.born).and_then(|seen| seen.changed_ms.get(column)).copied().unwrap_or(i64::MIN);
            let text = one.cells.get(column).and_then(|cell| cell.as_deref());
            GridCell { text, is_fresh: now_ms.saturating_sub(changed_ms) < FRESH_MS }
        };
        let order = self.listing.sort().map(|sort| (sort.column, sort.descending));
        let selected = cursor.and_then(|row| row.checked_sub(window.start));
        let look = GridLook { columns: &self.columns, order, focused, rows: listed.len(), selected };
        self.grid.draw(look, cell, area, buffer, theme);
        self.listing.cursor_mut().draw_bar(body, buffer, theme);
        if listed.is_empty() {
            let words = match self.is_narrowed() {
                true => "no row matches; Esc shows all".to_owned(),
                false => empty.to_owned(),
            };
            for (at, line) in text::wrapped(&words, usize::from(body.width.saturating_sub(2))).iter().enumerate() {
                if at < usize::from(body.height) {
                    buffer.set_string(body.x + 1, body.y + at as u16, line, theme.role(Role::Muted));
                }
            }
        }
        let mut count = self.listing.count();
        if let Some((column, value)) = &self.pinned {
            let name = self.columns.get(*column).map_or("", |column| column.title.as_str());
            count = format!("{name} = {}  {count}", text::fit(value.as_deref().unwrap_or("NULL"), 24));
        }
        if self.follows {
            count = format!("newest  {count}");
        }
        table::draw_filter(self.listing.search(), &count, last, focused, buffer, theme);
    }

    /// Remembers what the rows in sight say, and when a value of them changed.
    fn look_at(&mut self, rows: &[&QueryRow], changes: bool) {
        if !changes {
            return;
        }
        std::mem::swap(&mut self.seen, &mut self.seen_before);
        for row in rows {
            let seen = match self.seen_before.remove(&row.born) {
                Some(mut seen) => {
                    let told = seen.cells.iter_mut().zip(&mut seen.changed_ms);
                    for ((was, changed_ms), cell) in told.zip(&row.cells).filter(|((was, _), cell)| *was != *cell) {
                        was.clone_from(cell);
                        *changed_ms = row.at_ms;
                    }
                    seen
                }
                // Of a row that comes into sight it is not known what changed, only that all of it is new if it is.
                None => {
                    let at_ms = if row.is_update { i64::MIN } else { row.at_ms };
                    Seen { cells: row.cells.clone(), changed_ms: vec![at_ms; row.cells.len()] }
                }
            };
            self.seen.insert(row.born, seen);
        }
        self.seen_before.clear();
    }
}
