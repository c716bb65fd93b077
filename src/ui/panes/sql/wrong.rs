//! What is wrong with the text in front, from what was found in it last: where it is underlined, and what is said of it.

use std::ops::Range;

use ratatui::text::{Line, Span};

use super::editor::SqlEditor;
use crate::app::model::Model;
use crate::sql::assist::Diagnostic;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::text;

/// Errors that are drawn: beyond, the first ones are mended first.
const WRONG_MAX: usize = 100;

/// Bytes to underline, in order and apart.
pub fn ranges(editor: &SqlEditor, model: &Model) -> Vec<Range<usize>> {
    let mut ranges: Vec<_> = errors(editor, model).map(|error| range_of(error, editor.text())).collect();
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|later, earlier| later.start < earlier.end);
    ranges
}

/// What is said: of the error at the caret, else of the first in its statement, else of the first; with what to do.
pub fn said(editor: &SqlEditor, model: &Model, cells: usize, lines_max: usize, theme: &Theme) -> Vec<Line<'static>> {
    let found: Vec<&Diagnostic> = errors(editor, model).collect();
    let caret = editor.caret();
    let statement = editor.statement().map(|(_, range)| range);
    let at_caret = |error: &&&Diagnostic| error.span.start <= caret && caret <= error.span.end;
    let in_statement = |error: &&&Diagnostic| {
        statement.as_ref().is_some_and(|range| range.start <= error.span.start && error.span.start <= range.end)
    };
    let chosen = found.iter().find(at_caret).or_else(|| found.iter().find(in_statement)).or(found.first());
    let Some(error) = chosen else { return unlooked(editor, model, cells, lines_max, theme) };
    let (line, letter) = editor.place_of(error.span.start);
    let more = match found.len() {
        1 => String::new(),
        count => format!("  ({count} errors)"),
    };
    let what = format!("{} {}:{} {}{more}", marks::FAILED, line + 1, letter + 1, error.fault.what);
    let mut lines: Vec<Line<'static>> = text::wrapped(&what, cells)
        .into_iter()
        .map(|words| Line::from(Span::styled(words, theme.role(Role::Danger))))
        .collect();
    if !error.fault.next.is_empty() {
        for (at, words) in text::wrapped(&error.fault.next, cells.saturating_sub(2)).into_iter().enumerate() {
            let mark = if at == 0 { marks::ARROW } else { " " };
            lines.push(Line::from(Span::styled(format!("{mark} {words}"), theme.role(Role::Text))));
        }
    }
    if lines_max < lines.len() {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            last.push_span(Span::styled(marks::ELLIPSIS, theme.role(Role::Muted)));
        }
    }
    lines
}

/// What kept the text from being looked at, if something did.
fn unlooked(editor: &SqlEditor, model: &Model, cells: usize, lines_max: usize, theme: &Theme) -> Vec<Line<'static>> {
    let diagnosed = model.assist.diagnosed.as_ref().filter(|one| one.draft.text == editor.text());
    let Some(Err(fault)) = diagnosed.map(|one| &one.outcome) else { return Vec::new() };
    let words = format!("{} the text cannot be checked: {fault}", marks::FAILED);
    let lines = text::wrapped(&words, cells).into_iter().take(lines_max);
    lines.map(|words| Line::from(Span::styled(words, theme.role(Role::Danger)))).collect()
}

/// Errors that hold for the text as it is. While the newest text is being looked at, those before the change stand.
fn errors<'m>(editor: &SqlEditor, model: &'m Model) -> impl Iterator<Item = &'m Diagnostic> {
    let diagnosed = model.assist.diagnosed.as_ref();
    let diagnosed = diagnosed.filter(|one| Some(&one.draft.environment) == model.active.as_ref());
    let same = diagnosed.map_or(0, |one| match one.draft.text == editor.text() {
        true => usize::MAX,
        false => one.draft.text.bytes().zip(editor.text().bytes()).take_while(|(one, other)| one == other).count(),
    });
    let found = diagnosed.and_then(|one| one.outcome.as_ref().ok());
    found.into_iter().flat_map(|found| &found.errors).filter(move |error| error.span.end < same).take(WRONG_MAX)
}

/// At least one letter, so that there is something to be underlined; the end of the text stands for itself.
fn range_of(error: &Diagnostic, text: &str) -> Range<usize> {
    let start = error.span.start.min(text.len());
    let letter = text[start..].chars().next().filter(|letter| *letter != '\n').map_or(0, char::len_utf8);
    start..error.span.end.min(text.len()).max(start + letter)
}
