//! What is wrong with a template, said with file, line, column and the line itself. Never shows values of the context.

use std::fmt;

use crate::core::fault::{Blame, Fault, Place};

/// Causes a caller can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFaultKind {
    /// No such file under the template folder, or one that stands outside it.
    NotFound,
    /// The template cannot be read as Jinja.
    Syntax,
    /// A variable that nothing gives; `name` as the template writes it, `customer` or `customer.id`.
    Undefined {
        /// The name up to where it stops being known.
        name: String,
    },
    /// A filter, test, function or method that does not exist.
    Unknown,
    /// Rendered well, but claims to be JSON and is not.
    Json,
    /// Ran longer than the engine allows.
    Fuel,
    /// A filter, function or operation that refuses its values.
    Other,
}

/// A template that cannot be loaded, compiled or rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The cause.
    pub kind: TemplateFaultKind,
    /// One sentence without a full stop.
    pub what: String,
    /// File, and line and column where they are known.
    pub place: Place,
    /// The line at fault and a caret under its column; empty where there is no line to show.
    pub excerpt: Box<str>,
    /// What to do next; may be empty.
    pub next: Box<str>,
}

impl TemplateFault {
    pub(super) fn new(kind: TemplateFaultKind, what: impl Into<String>, place: Place) -> Self {
        Self { kind, what: what.into(), place, excerpt: Box::default(), next: Box::default() }
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into().into();
        self
    }

    pub(super) fn excerpt(mut self, excerpt: String) -> Self {
        self.excerpt = excerpt.into();
        self
    }

    /// The undefined variable, where that is the cause.
    pub fn undefined(&self) -> Option<&str> {
        match &self.kind {
            TemplateFaultKind::Undefined { name } => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if !self.excerpt.is_empty() {
            write!(f, "\n{}", self.excerpt)?;
        }
        if !self.next.is_empty() {
            write!(f, "\n{}", self.next)?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateFault {}

impl From<TemplateFault> for Fault {
    fn from(fault: TemplateFault) -> Self {
        let blame = if fault.kind == TemplateFaultKind::Json { Blame::Record } else { Blame::Configuration };
        let what = if fault.excerpt.is_empty() { fault.what } else { format!("{}\n{}", fault.what, fault.excerpt) };
        Fault::new(blame, what).at(fault.place).next(String::from(fault.next))
    }
}

/// Characters of an excerpt on each side of the column; a one-line payload of a megabyte must not fill the screen.
const EXCERPT_SIDE_CHARS: usize = 60;

/// The line with its number, and a caret under `column` (in characters, from 1; 0 for no caret).
pub(super) fn excerpt(text: &str, line: u32, column: u32) -> String {
    let Some(shown) = text.lines().nth((line as usize).saturating_sub(1)) else { return String::new() };
    let at = (column as usize).saturating_sub(1);
    let from = at.saturating_sub(EXCERPT_SIDE_CHARS);
    let part: String = shown.chars().skip(from).take(2 * EXCERPT_SIDE_CHARS).collect();
    let lead = format!("{line:>4} | ");
    if column == 0 {
        return format!("{lead}{part}");
    }
    format!("{lead}{part}\n{:>width$}^", "", width = lead.len() + at - from)
}

/// Line and column (from 1, in characters) of a byte offset.
pub(super) fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(before[line_start..].chars().count() + 1).unwrap_or(u32::MAX),
    )
}
