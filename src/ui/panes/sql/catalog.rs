//! What can be named: topics with their fields, types and values that were seen, what the text defines, functions. It inserts at
//! the caret of the editor, and asks for a look into a topic where nobody has looked; it looks itself at nothing.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::action::Action;
use crate::app::model::Model;
use crate::app::model::assist::Shelf;
use crate::sql::assist::{Catalog, Columns, Field, Topic};
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::{Cursor, Pointed};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::{line, number, table, text};

/// Values shown of a field: enough to see what it is like.
const SAMPLES_MAX: usize = 5;
/// Lines below the list that say more about the one under the cursor.
const HELP_LINES: u16 = 3;

/// What looks at the catalog.
#[derive(Debug, Default)]
pub struct CatalogColumn {
    cursor: Cursor,
    /// Branches that are open, by their path.
    open: BTreeSet<String>,
    filter: Input,
    is_typing: bool,
    rows: Vec<Row>,
    /// Whether sections were opened once.
    begun: bool,
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

/// A line.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    depth: usize,
    /// Names from the outside in.
    path: String,
    name: String,
    detail: String,
    role: Role,
    /// What is inserted.
    insert: Option<String>,
    /// Whether it is a branch, and open.
    branch: Option<bool>,
    /// The topic to look into when it is opened.
    looks_into: Option<String>,
    /// More about it.
    help: String,
}

impl CatalogColumn {
    /// Takes the facts as they are now.
    pub fn refresh(&mut self, model: &Model) {
        if !std::mem::replace(&mut self.begun, true) {
            self.open.extend(["topics".to_owned(), "this text".to_owned()]);
        }
        let under_cursor = self.selected().map(|row| row.path.clone());
        let environment = model.active.as_deref().unwrap_or_default();
        let shelf = model.assist.shelf(environment);
        let catalog = model.assist.catalog(environment);
        let mut rows = Vec::new();
        let everything = !self.filter.text().trim().is_empty();
        Builder { open: &self.open, everything, rows: &mut rows }.sections(&catalog, shelf);
        self.rows = if everything { narrowed(rows, self.filter.text().trim()) } else { rows };
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
                self.open.insert(row.path);
                self.refresh(model);
                if let (Some(topic), Some(environment)) = (row.looks_into, model.active.clone()) {
                    return Picked::Act(Action::SampleTopic { environment, topic });
                }
            }
            (Some(true), false) => {
                self.open.remove(&row.path);
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

/// Lines that have the word, with the branches that they are in.
fn narrowed(rows: Vec<Row>, word: &str) -> Vec<Row> {
    let word = word.to_lowercase();
    let mut kept: Vec<Row> = Vec::new();
    let mut above: Vec<Row> = Vec::new();
    for row in rows {
        above.retain(|one| one.depth < row.depth);
        if row.depth > 0 && row.name.to_lowercase().contains(&word) {
            for one in above.drain(..) {
                kept.push(one);
            }
            kept.push(row.clone());
        }
        if !kept.iter().any(|one| one.path == row.path) {
            above.push(row);
        }
    }
    kept
}

/// Makes lines of the facts.
struct Builder<'a> {
    open: &'a BTreeSet<String>,
    /// Whether every branch counts as open, as it does while lines are looked for.
    everything: bool,
    rows: &'a mut Vec<Row>,
}

impl Builder<'_> {
    fn sections(&mut self, catalog: &Catalog, shelf: Option<&Shelf>) {
        if self.section("topics", &count(catalog.topics.len(), shelf)) {
            if let Some(fault) = shelf.and_then(|shelf| shelf.fault.as_ref()) {
                self.said(1, "topics", &fault.to_string(), Role::Danger);
            }
            for topic in &catalog.topics {
                self.topic(topic, shelf.is_some_and(|shelf| shelf.sampling.contains_key(&topic.name)));
            }
        }
        if !catalog.relations.is_empty() && self.section("this text", &catalog.relations.len().to_string()) {
            for relation in &catalog.relations {
                let path = format!("this text/{}", relation.name);
                let is_open = self.branch(1, path.clone(), &relation.name, relation.kind.word(), Role::Text, None);
                if is_open {
                    match &relation.columns {
                        Some(columns) => columns.iter().for_each(|field| self.field(2, &path, field)),
                        None => self.said(2, &path, "its columns are not known yet", Role::Muted),
                    }
                }
            }
        }
        if self.section("functions", &catalog.functions.len().to_string()) {
            for function in catalog.functions.iter() {
                let signature = function.signatures.first().map_or("", String::as_str);
                self.rows.push(Row {
                    depth: 1,
                    path: format!("functions/{}", function.name),
                    name: function.name.clone(),
                    detail: String::new(),
                    role: Role::Chart1,
                    insert: Some(format!("{}(", function.name)),
                    branch: None,
                    looks_into: None,
                    help: format!("{signature}  {}", function.help),
                });
            }
        }
    }

    fn section(&mut self, name: &str, detail: &str) -> bool {
        let is_open = self.is_open(name);
        self.rows.push(Row {
            depth: 0,
            path: name.into(),
            name: name.into(),
            detail: detail.into(),
            role: Role::Text,
            insert: None,
            branch: Some(is_open),
            looks_into: None,
            help: String::new(),
        });
        is_open
    }

    fn topic(&mut self, topic: &Topic, is_sampling: bool) {
        let path = format!("topics/{}", topic.name);
        let looks_into = (!matches!(topic.columns, Columns::Known(_)) && !is_sampling).then(|| topic.name.clone());
        let detail = match topic.partitions {
            1 => "1 partition".to_owned(),
            count => format!("{count} part."),
        };
        if !self.branch(1, path.clone(), &topic.name, &detail, Role::Chart2, looks_into) {
            return;
        }
        match &topic.columns {
            Columns::Known(sample) => sample.fields.iter().for_each(|field| self.field(2, &path, field)),
            _ if is_sampling => self.said(2, &path, "looking into it", Role::Muted),
            Columns::Failed(fault) => self.said(2, &path, &fault.what, Role::Warning),
            Columns::Unknown => self.said(2, &path, "not looked into yet", Role::Muted),
        }
    }

    fn field(&mut self, depth: usize, above: &str, field: &Field) {
        let path = format!("{above}/{}", field.name);
        let is_open = self.branch(depth, path.clone(), &field.name, &field.sql_type, Role::Text, None);
        if let Some(row) = self.rows.last_mut() {
            row.help = format!("{}  {}", field.sql_type, field.samples.join("  "));
        }
        if !is_open {
            return;
        }
        field.fields.iter().for_each(|inside| self.field(depth + 1, &path, inside));
        // Values are shown where somebody opened the field, not where all is open for a search.
        if !self.everything {
            for (at, value) in field.samples.iter().take(SAMPLES_MAX).enumerate() {
                self.rows.push(Row {
                    depth: depth + 1,
                    path: format!("{path}/={at}"),
                    name: text::one_line(value, 200),
                    detail: String::new(),
                    role: Role::Chart3,
                    insert: Some(literal(value, &field.sql_type)),
                    branch: None,
                    looks_into: None,
                    help: "a value that was seen; ↵ inserts it".into(),
                });
            }
        }
    }

    fn branch(
        &mut self,
        depth: usize,
        path: String,
        name: &str,
        detail: &str,
        role: Role,
        looks_into: Option<String>,
    ) -> bool {
        let is_open = self.is_open(&path);
        self.rows.push(Row {
            depth,
            path,
            name: name.into(),
            detail: detail.into(),
            role,
            insert: Some(identifier(name)),
            branch: Some(is_open),
            looks_into,
            help: String::new(),
        });
        is_open
    }

    fn said(&mut self, depth: usize, above: &str, words: &str, role: Role) {
        self.rows.push(Row {
            depth,
            path: format!("{above}/:"),
            name: words.into(),
            detail: String::new(),
            role,
            insert: None,
            branch: None,
            looks_into: None,
            help: words.into(),
        });
    }

    fn is_open(&self, path: &str) -> bool {
        self.everything || self.open.contains(path)
    }
}

fn count(topics: usize, shelf: Option<&Shelf>) -> String {
    match shelf.and_then(|shelf| shelf.listed_ms) {
        Some(_) => number::grouped(topics as u64),
        None => "asking".into(),
    }
}

/// A name as SQL takes it: in double quotes where it is no plain word.
fn identifier(name: &str) -> String {
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A value as SQL writes it.
fn literal(value: &str, sql_type: &str) -> String {
    let is_bare =
        ["BIGINT", "INT", "DOUBLE", "FLOAT", "BOOLEAN"].contains(&sql_type) || sql_type.starts_with("DECIMAL");
    if is_bare { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(depth: usize, path: &str) -> Row {
        Row {
            depth,
            path: path.into(),
            name: path.rsplit('/').next().unwrap_or_default().into(),
            detail: String::new(),
            role: Role::Text,
            insert: None,
            branch: None,
            looks_into: None,
            help: String::new(),
        }
    }

    #[test]
    fn a_search_keeps_what_matches_with_what_it_is_in() {
        let rows = ["t", "t/orders", "t/orders/amount", "t/orders/id", "t/payments", "t/payments/amount", "f", "f/sum"];
        let rows: Vec<_> = rows.iter().map(|path| row(path.matches('/').count(), path)).collect();
        let kept = |word: &str| narrowed(rows.clone(), word).into_iter().map(|row| row.path).collect::<Vec<_>>();
        assert_eq!(kept("AMO"), ["t", "t/orders", "t/orders/amount", "t/payments", "t/payments/amount"]);
        assert_eq!(kept("sum"), ["f", "f/sum"]);
        assert_eq!(kept("orders"), ["t", "t/orders"]);
    }

    #[test]
    fn names_and_values_are_inserted_as_sql_takes_them() {
        assert_eq!([identifier("orders"), identifier("a.b-c")], ["orders", "\"a.b-c\""]);
        assert_eq!([literal("1.5", "DECIMAL(3,1)"), literal("it's", "VARCHAR")], ["1.5", "'it''s'"]);
    }
}
