//! The text under analysis and the places in it. Turns bytes to lines and columns, and findings to diagnostics.

use super::statement::{Diagnostic, Span};
use crate::core::fault::{Blame, Fault, Place};

/// A text with its name and the beginnings of its lines.
pub(super) struct Source<'a> {
    pub text: &'a str,
    pub file: &'a str,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub fn new(text: &'a str, file: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| index + 1);
        Self { text, file, lines: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and column of a byte, in characters from 1.
    pub fn position(&self, byte: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|start| *start <= byte).saturating_sub(1);
        let before = self.text.get(self.lines[line]..byte).unwrap_or_default();
        (count(line + 1), count(before.chars().count() + 1))
    }

    pub fn place(&self, span: Span) -> Place {
        let (line, column) = self.position(span.start);
        Place::at(self.file, line, column)
    }

    /// The byte of a line and column, both from 1; the end of the line where the column is beyond it.
    pub fn byte(&self, line: u64, column: u64) -> usize {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.lines.get(index).copied() else { return self.text.len() };
        let column = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        self.text[start..].char_indices().nth(column).map_or(self.text.len(), |(offset, _)| start + offset)
    }

    /// The text of a range.
    pub fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    pub fn diagnostic(&self, span: Span, what: impl Into<String>, next: impl Into<String>) -> Diagnostic {
        Diagnostic { span, fault: Fault::new(Blame::Operator, what).at(self.place(span)).next(next) }
    }
}

fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
