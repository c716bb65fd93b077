//! A row whole: every column with its type and its value, JSON laid out. Draws what it is given.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::app::model::queries::{Query, QueryRow};
use crate::ui::pane::View;
use crate::ui::theme::Role;
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::document::{Document, Reader};
use crate::ui::widgets::highlight::{self, Language};
use crate::ui::widgets::time;

/// Cells before a value.
const INDENT: usize = 2;

/// What looks at a row.
#[derive(Debug, Default)]
pub struct Inspect {
    reader: Reader,
}

impl Inspect {
    /// Takes a key that moves.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        self.reader.key(event)
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, event: MouseEvent) -> bool {
        self.reader.mouse(event) != Pointed::Elsewhere
    }

    /// What copying the line under the cursor gives.
    pub fn copied(&self) -> &str {
        self.reader.copied()
    }

    /// Draws the row.
    pub fn draw(
        &mut self,
        query: &Query,
        row: &QueryRow,
        area: Rect,
        buffer: &mut Buffer,
        view: &View<'_>,
        focused: bool,
    ) {
        let theme = view.theme;
        let mut document = Document::new(area.width.saturating_sub(1));
        let came = if row.is_update { "changed" } else { "came" };
        let words = format!("{came} {}", time::precise(row.at_ms, view.zone));
        document.line(Line::styled(words, theme.role(Role::Muted)));
        let columns = query.schema.as_ref().map(|schema| (schema.columns.as_slice(), schema.key_columns.as_slice()));
        let (columns, keys) = columns.unwrap_or_default();
        for (at, (column, cell)) in columns.iter().zip(&row.cells).enumerate() {
            let key = if keys.contains(&at) { "  key" } else { "" };
            document.line(Line::from(vec![
                Span::styled(column.name.clone(), theme.role(Role::Chart1)),
                Span::styled(format!("  {}{key}", column.sql_type), theme.role(Role::Muted)),
            ]));
            let Some(text) = cell else {
                let style = theme.role(Role::Muted).add_modifier(Modifier::ITALIC);
                document.line(Line::styled(format!("{:INDENT$}NULL", ""), style)).copied = Some("NULL".into());
                continue;
            };
            match laid_out(text) {
                Some(json) => json_lines(&mut document, &json, text, view),
                None if text.is_empty() => {
                    document.wrapped("an empty text", INDENT, theme.role(Role::Muted).add_modifier(Modifier::ITALIC));
                }
                None => document.wrapped(text, INDENT, theme.role(Role::Text)),
            }
        }
        self.reader.draw(row.born, &document, area, buffer, theme, focused);
    }
}

/// Text that is an object or an array, over several lines.
fn laid_out(text: &str) -> Option<String> {
    let nested = text.trim_start().starts_with(['{', '[']);
    let value: serde_json::Value = serde_json::from_str(text).ok().filter(|_| nested)?;
    serde_json::to_string_pretty(&value).ok()
}

fn json_lines(document: &mut Document, json: &str, whole: &str, view: &View<'_>) {
    for line in highlight::lines(json, Language::Json, view.theme) {
        let mut spans = vec![Span::raw(" ".repeat(INDENT))];
        spans.extend(line.spans.into_iter().map(|span| Span::styled(span.content.into_owned(), span.style)));
        document.line(Line::from(spans)).copied = Some(whole.to_owned());
    }
}
