//! What went wrong, said to the person who can mend it. A fault never carries a secret.

use std::fmt;

use serde::Serialize;

/// Whose turn it is to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// A flag, a key or an answer that cannot be carried out as it stands.
    Operator,
    /// A file under `config/` or `templates/`, `.env`, or a variable.
    Configuration,
    /// The broker or the network on the way to it.
    Connection,
    /// Credentials or certificates that the broker, or TLS, refused.
    Authentication,
    /// One record: its bytes, size, topic or partition.
    Record,
    /// This program. Reported as a defect.
    Program,
}

/// A place in a file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Place {
    /// Path as the person would type it.
    pub file: String,
    /// Line, from 1; 0 when only the file is known.
    pub line: u32,
    /// Column in characters, from 1; 0 when only the line is known.
    pub column: u32,
}

impl Place {
    /// A place of which only the file is known.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }

    /// A place known to the column.
    pub fn at(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// What happened, whose it is, where, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Who can mend it.
    pub blame: Blame,
    /// What happened, one sentence without a full stop.
    pub what: String,
    /// Where, if it is in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do next; empty when there is nothing to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next: String,
}

impl Fault {
    /// A fault without a place or advice.
    pub fn new(blame: Blame, what: impl Into<String>) -> Self {
        Self { blame, what: what.into(), place: None, next: String::new() }
    }

    /// The same fault with the place it is in.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same fault with what to do about it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        // What comes below the first line shows the place, as the line of a template does: it is read last.
        let (what, shown) = match self.what.split_once('\n') {
            Some((what, shown)) => (what, Some(shown)),
            None => (self.what.as_str(), None),
        };
        f.write_str(what)?;
        if !self.next.is_empty() {
            write!(f, "; {}", self.next)?;
        }
        shown.map_or(Ok(()), |shown| write!(f, "\n{shown}"))
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_at_fault_stands_below_cause_and_advice() {
        let fault =
            Fault::new(Blame::Configuration, "`id` is not defined\n   1 | {{ id }}\n          ^").next("give it");
        assert_eq!(fault.to_string(), "`id` is not defined; give it\n   1 | {{ id }}\n          ^");
    }

    #[test]
    fn a_fault_reads_place_then_cause_then_advice() {
        let fault = Fault::new(Blame::Configuration, "unknown key `bootstap_servers`")
            .at(Place::at("config/environments/qa.yaml", 4, 3))
            .next("did you mean `bootstrap_servers`?");
        assert_eq!(
            fault.to_string(),
            "config/environments/qa.yaml:4:3: unknown key `bootstap_servers`; did you mean `bootstrap_servers`?"
        );
    }
}
