//! What serde found wrong, on its way to a fault: it gathers the path and place as it goes up. It never holds a value that was not written in the file.

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::core::fault::{Fault, Place};

use super::{advice, fault};

/// A problem, and where, once that is known.
#[derive(Debug)]
pub struct Error {
    problem: Problem,
    at: Option<(String, Place)>,
    /// What the file has there, where it may be shown.
    given: Option<String>,
}

#[derive(Debug)]
enum Problem {
    MissingField(&'static str),
    UnknownName(String, &'static [&'static str]),
    Needs(String),
    Other(String),
}

impl Error {
    /// A field needs something else than it has.
    pub fn needs(what: impl Into<String>) -> Self {
        Self { problem: Problem::Needs(what.into()), at: None, given: None }
    }

    /// The same error at a path and place, unless it has come from deeper.
    pub fn located(mut self, path: &str, place: &Place, given: Option<String>) -> Self {
        if self.at.is_none() {
            let path = match &self.problem {
                Problem::MissingField(field) => join(path, field),
                _ => path.to_owned(),
            };
            self.at = Some((path, place.clone()));
            self.given = given;
        }
        self
    }

    /// The path it is about.
    pub fn path(&self) -> String {
        self.at.as_ref().map(|(path, _)| path.clone()).unwrap_or_default()
    }

    /// What the operator reads.
    pub fn into_fault(self, root: &Place) -> Fault {
        let (path, place) = self.at.unwrap_or_else(|| (String::new(), root.clone()));
        let subject = if path.is_empty() { "this file".to_owned() } else { format!("`{path}`") };
        let but = self.given.map(|given| format!(", not {given}")).unwrap_or_default();
        match self.problem {
            Problem::MissingField(field) => fault(format!("{subject} is missing"), place, format!("add `{field}:`")),
            Problem::Needs(what) => fault(format!("{subject} needs {what}{but}"), place, String::new()),
            Problem::UnknownName(name, known) => {
                let next = if name.is_empty() { format!("one of: {}", known.join(", ")) } else { advice(&name, known) };
                fault(format!("{subject} needs one of its names{but}"), place, next)
            }
            Problem::Other(what) => fault(format!("{subject}: {what}"), place, String::new()),
        }
    }
}

/// A path and a key under it.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.problem)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self { problem: Problem::Other(what.to_string()), at: None, given: None }
    }

    fn invalid_type(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::needs(expected.to_string())
    }

    fn invalid_value(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::needs(expected.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self { problem: Problem::MissingField(field), at: None, given: None }
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self { problem: Problem::UnknownName(String::new(), known), at: None, given: None }
    }
}

impl Error {
    /// A name that may be shown, because it stands in the file.
    pub fn named(mut self, written: Option<&str>) -> Self {
        if let (Problem::UnknownName(name, _), Some(written)) = (&mut self.problem, written) {
            written.clone_into(name);
        }
        self
    }
}
