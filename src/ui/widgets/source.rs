//! A text to be read: line numbers, the colours of its language, and remarks below the lines they are about. It edits nothing.

use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::cursor::{Cursor, Pointed};
use super::highlight::{self, Language};
use super::{table, text};
use crate::ui::theme::{Role, Theme, marks};

/// Something said about a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Remark {
    /// The line, from 1.
    pub line: u32,
    /// The column in letters, from 1; 0 where only the line is known.
    pub column: u32,
    /// What is said.
    pub words: String,
}

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What makes it the same text after it was changed, its file's name; another one is seen from its first remark, or its top.
    pub identity: &'a str,
    /// The text.
    pub text: &'a str,
    /// What it is written in.
    pub language: Language,
    /// What is said about it.
    pub remarks: &'a [Remark],
}

/// A row of the screen: part of a line, or of a remark.
#[derive(Debug, Clone)]
struct Row {
    /// The line it belongs to, from 1.
    line: u32,
    /// Whether it is the first of that line, which has the number.
    first: bool,
    /// Whether something is said about the line.
    remarked: bool,
    spans: Vec<Span<'static>>,
}

/// Cursor and rows of a text.
#[derive(Debug, Clone, Default)]
pub struct SourceView {
    cursor: Cursor,
    rows: Vec<Row>,
    identity: String,
    /// What the rows were made of.
    stamp: Option<u64>,
}

impl SourceView {
    /// The line under the cursor, from 1.
    pub fn line(&self) -> u32 {
        self.cursor.row().and_then(|row| self.rows.get(row)).map_or(1, |row| row.line)
    }

    /// Takes a key that moves; `false` for others.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.cursor.key(key)
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        self.cursor.mouse(mouse)
    }

    /// Draws the text; lines that are too long go on below.
    pub fn draw(&mut self, shown: Shown<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        if area.is_empty() {
            return;
        }
        let gutter = (shown.text.lines().count().max(1).ilog10() as u16 + 3).min(area.width.saturating_sub(1));
        // The last cell is the bar's.
        self.lay_out(shown, usize::from(area.width.saturating_sub(gutter + 1)).max(1), theme);
        let window = self.cursor.window(area);
        for (at, row) in self.rows[window.clone()].iter().enumerate() {
            let y = area.y + at as u16;
            if row.remarked {
                buffer.set_string(area.x, y, marks::BAR, theme.role(Role::Danger));
            }
            if row.first {
                let number = format!("{:>width$}", row.line, width = usize::from(gutter.saturating_sub(2)));
                let role = if row.remarked { Role::Danger } else { Role::Muted };
                buffer.set_stringn(area.x + 1, y, number, usize::from(gutter), theme.role(role));
            }
            let line = Line::from(row.spans.clone());
            buffer.set_line(area.x + gutter, y, &line, area.width.saturating_sub(gutter));
        }
        if focused && let Some(row) = self.cursor.row().filter(|row| window.contains(row)) {
            let y = area.y + (row - window.start) as u16;
            table::draw_cursor(Rect { y, height: 1, ..area }, true, buffer, theme);
        }
        self.cursor.draw_bar(area, buffer, theme);
    }

    fn lay_out(&mut self, shown: Shown<'_>, cells: usize, theme: &Theme) {
        let mut hasher = DefaultHasher::new();
        (shown.text, shown.remarks, cells, theme.name()).hash(&mut hasher);
        let stamp = Some(hasher.finish());
        let another = self.identity != shown.identity;
        if self.stamp == stamp && !another {
            return;
        }
        let line = self.line();
        self.stamp = stamp;
        shown.identity.clone_into(&mut self.identity);
        self.rows = rows(shown, cells, theme);
        self.cursor.set_rows(self.rows.len());
        let wanted = match another {
            true => shown.remarks.iter().map(|remark| remark.line).min().unwrap_or(1),
            false => line,
        };
        self.cursor.go(self.rows.iter().position(|row| row.line == wanted).unwrap_or(0));
    }
}

fn rows(shown: Shown<'_>, cells: usize, theme: &Theme) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut lines = highlight::lines(shown.text, shown.language, theme);
    if shown.text.ends_with('\n') {
        lines.pop();
    }
    let last = lines.len().max(1) as u32;
    for (at, line) in lines.into_iter().enumerate() {
        let number = at as u32 + 1;
        // A remark about a line behind the end is told at the end.
        let about = |remark: &&Remark| remark.line.clamp(1, last) == number;
        let remarked = shown.remarks.iter().any(|remark| about(&remark));
        for (part, spans) in broken(line, cells).into_iter().enumerate() {
            rows.push(Row { line: number, first: part == 0, remarked, spans });
        }
        for remark in shown.remarks.iter().filter(about) {
            rows.extend(said(remark, number, cells, theme));
        }
    }
    rows
}

/// A remark below its line, with a sign that points at the column.
fn said(remark: &Remark, line: u32, cells: usize, theme: &Theme) -> Vec<Row> {
    let style = theme.role(Role::Danger);
    // Far to the right there is no room for words: they begin in the middle at the latest.
    let column = remark.column.saturating_sub(1) as usize;
    let indent = if column < cells / 2 { column } else { 0 };
    let words = text::wrapped(&remark.words, cells.saturating_sub(indent + 2).max(8));
    let rows = words.into_iter().enumerate().map(|(at, words)| {
        let sign = if at == 0 { marks::ABOVE } else { " " };
        let spans = vec![Span::raw(" ".repeat(indent)), Span::styled(format!("{sign} {words}"), style)];
        Row { line, first: false, remarked: true, spans }
    });
    rows.collect()
}

/// A line in parts of at most `cells`, made harmless.
fn broken(line: Line<'_>, cells: usize) -> Vec<Vec<Span<'static>>> {
    let mut parts = vec![Vec::new()];
    let mut room = cells;
    for span in line.spans {
        let words: String = span.content.chars().map(text::harmless).collect();
        let mut rest = words.as_str();
        while !rest.is_empty() {
            let head = match text::head(rest, room) {
                "" if room < cells => {
                    parts.push(Vec::new());
                    room = cells;
                    continue;
                }
                // A letter wider than a whole part still has to go somewhere.
                "" => rest.graphemes(true).next().unwrap_or(rest),
                head => head,
            };
            if let Some(part) = parts.last_mut() {
                part.push(Span::styled(head.to_owned(), span.style));
            }
            room = room.saturating_sub(text::width(head));
            rest = &rest[head.len()..];
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyCode;

    use super::*;

    fn drawn(view: &mut SourceView, shown: Shown<'_>, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        view.draw(shown, area, &mut buffer, &Theme::default(), true);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    const TEXT: &str = "name: orders\ntopic:\n  qa: a.very.long.name.of.a.topic.v1\n";

    fn shown(remarks: &[Remark]) -> Shown<'_> {
        Shown { identity: "a.yaml", text: TEXT, language: Language::Yaml, remarks }
    }

    #[test]
    fn lines_are_numbered_and_long_ones_go_on_below() {
        let lines = drawn(&mut SourceView::default(), shown(&[]), 24, 6);
        // The last cell is kept for the bar.
        let wanted = [" 1 name: orders", " 2 topic:", " 3   qa: a.very.long.na", "   me.of.a.topic.v1", ""];
        assert_eq!(lines[..5], wanted);
    }

    #[test]
    fn a_remark_stands_below_its_line_and_the_cursor_begins_there() {
        let remarks = [Remark { line: 2, column: 1, words: "unknown key `topic`".into() }];
        let mut view = SourceView::default();
        let lines = drawn(&mut view, shown(&remarks), 60, 6);
        assert_eq!(lines[1], "▎2 topic:");
        assert_eq!(lines[2], "▎  ▲ unknown key `topic`");
        assert_eq!(view.line(), 2);
        assert!(view.key(KeyEvent::from(KeyCode::End)));
        assert_eq!(view.line(), 3);
    }

    #[test]
    fn a_remark_behind_the_end_and_any_size_of_screen_are_borne() {
        let remarks = [Remark { line: 99, column: 80, words: "a value is missing here".into() }];
        let mut view = SourceView::default();
        for (width, height) in [(1, 1), (3, 2), (8, 3), (200, 60)] {
            drawn(&mut view, shown(&remarks), width, height);
        }
        assert!(drawn(&mut view, shown(&remarks), 60, 6)[3].contains("a value is missing here"));
        drawn(&mut view, Shown { text: "", ..shown(&remarks) }, 60, 6);
    }
}
