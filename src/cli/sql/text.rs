//! SQL as the command line names it: text, files, folders, the standard input. It parses and reports; it runs nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::Failure;
use crate::cli::session::Session;
use crate::config::variables::Variables;
use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::connectors::registry::builtin;
use crate::core::fault::{Blame, Fault, Place};
use crate::sql::parse;
use crate::sql::parse::statement::{Diagnostic, Script, Span};
use crate::sql::plan::session::Session as Planning;

/// Largest text that is read as SQL: a thousand times what people write; a data file given by mistake is refused.
pub const SQL_BYTES_MAX: u64 = 8 << 20;

/// The SQL of a command.
#[derive(Debug, Clone, Args)]
pub struct Input {
    /// SQL
    #[arg(short = 'e', long = "execute", value_name = "SQL", allow_hyphen_values = true)]
    pub execute: Option<String>,
    /// File of SQL, - for the standard input
    #[arg(value_name = "FILE", required_unless_present = "execute", conflicts_with = "execute")]
    pub file: Option<PathBuf>,
}

/// A text of SQL with its name.
pub struct Source {
    /// As messages call it.
    pub name: String,
    /// The text.
    pub text: String,
    /// Its statements.
    pub script: Script,
}

impl Input {
    /// Reads and parses.
    ///
    /// # Errors
    /// A file that cannot be read; every syntax error, underlined.
    pub fn read(&self, variables: &Variables) -> Result<Source, Failure> {
        let source = match (&self.execute, &self.file) {
            (Some(text), _) => Source::of("-e", text.clone(), variables),
            (None, Some(path)) if path.as_os_str() == "-" => {
                let mut text = String::new();
                std::io::stdin().lock().take(SQL_BYTES_MAX).read_to_string(&mut text)?;
                Source::of("standard input", text, variables)
            }
            (None, Some(path)) => Source::open(path, variables)?,
            (None, None) => return Err(Failure::usage("there is no SQL", "give a file, or -e 'SELECT …'")),
        };
        match source.script.errors.first() {
            None => Ok(source),
            Some(_) => Err(source.refused(&source.script.errors)),
        }
    }
}

impl Source {
    /// A text under a name.
    pub fn of(name: &str, text: String, variables: &Variables) -> Self {
        let script =
            parse::parse_with(&text, name, &|variable| variables.get(variable).map(|value| value.expose().to_owned()));
        Self { name: name.to_owned(), text, script }
    }

    /// A file.
    ///
    /// # Errors
    /// It is not there, too large, or no text.
    pub fn open(path: &Path, variables: &Variables) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let wrong = |what: String| Fault::new(Blame::Operator, what).at(Place::file(&shown));
        let bytes = std::fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?.len();
        if bytes > SQL_BYTES_MAX {
            return Err(wrong(format!("{bytes} bytes are too many for SQL")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        Ok(Self::of(&shown, text, variables))
    }

    /// The failure of these errors, each drawn with its place underlined.
    pub fn refused(&self, errors: &[Diagnostic]) -> Failure {
        let drawn: Vec<_> = errors.iter().map(|error| self.shown(error)).collect();
        let drawn =
            if errors.len() == 1 { drawn[0].clone() } else { format!("{} errors\n{}", errors.len(), drawn.join("\n")) };
        Failure::Text { faults: errors.iter().map(|error| error.fault.clone()).collect(), drawn }
    }

    /// A diagnostic with its line of this text underlined; as a sentence where its place is in another file, whose lines
    /// may hold what is nobody's to see.
    pub fn shown(&self, found: &Diagnostic) -> String {
        match &found.fault.place {
            Some(place) if place.file != self.name => format!("{}\n", found.fault),
            _ => parse::render(found, &self.text),
        }
    }

    /// The failure of a fault of a statement, drawn with its place underlined; what is wrong in another file is said as it
    /// is.
    pub fn wrong(&self, statement: Span, fault: Fault) -> Failure {
        let fault = self.placed(fault, statement.start);
        if fault.place.as_ref().is_some_and(|place| place.file != self.name) {
            return fault.into();
        }
        let mut span = self.span_of(&fault).unwrap_or(statement);
        // A whole statement is underlined at its first line.
        span.end = span.start + self.text[span.start..span.end].find('\n').unwrap_or(span.end - span.start);
        self.refused(&[Diagnostic { span, fault }])
    }

    /// The same of a failure that is a fault without a code of its own.
    pub fn drawn(&self, statement: Span, failure: Failure) -> Failure {
        match failure {
            Failure::Fault { fault, code: None } => self.wrong(statement, *fault),
            other => other,
        }
    }

    /// The bytes from a fault's place to the end of the word that stands there.
    pub fn span_of(&self, fault: &Fault) -> Option<Span> {
        let place =
            fault.place.as_ref().filter(|place| place.line > 0 && place.column > 0 && place.file == self.name)?;
        let line_start: usize = self.text.split_inclusive('\n').take(place.line as usize - 1).map(str::len).sum();
        let line = self.text.get(line_start..)?.split('\n').next()?;
        let start = line_start + line.char_indices().nth(place.column as usize - 1)?.0;
        let rest = &self.text[start..];
        // What stands in quotes is one word, up to the quote that closes it.
        let quoted = rest.chars().next().filter(|first| "'\"`".contains(*first));
        let closed = quoted.and_then(|quote| rest[1..].split('\n').next()?.find(quote)).map(|length| length + 2);
        let plain = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').map(char::len_utf8);
        let word: usize = closed.unwrap_or_else(|| plain.sum());
        let least = rest.chars().next().map_or(0, char::len_utf8);
        Some(Span { start, end: start + word.max(least) })
    }

    /// A planner's fault with the file's name where it has a place.
    pub fn placed(&self, mut fault: Fault, offset: usize) -> Fault {
        match &mut fault.place {
            Some(place) if place.file.is_empty() => place.file.clone_from(&self.name),
            Some(_) => {}
            None => {
                let before = &self.text[..offset.min(self.text.len())];
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
                let number = |at: usize| u32::try_from(at).unwrap_or(0);
                fault.place = Some(Place::at(&self.name, number(line), number(column)));
            }
        }
        fault
    }
}

/// The planner's session in the active environment.
///
/// # Errors
/// An environment that is broken.
pub fn planning(session: &Session<'_>) -> Result<Planning, Failure> {
    // SQL over files needs no broker: a broken environment is told when a topic is named.
    let (kafka, absent) = match session.connection() {
        Ok(connection) => (Some(connection), None),
        Err(Failure::Fault { fault, .. }) => (None, Some(*fault)),
        Err(_) => (None, None),
    };
    let context = Context { kafka, absent, folder: PathBuf::from(".") };
    let screen = ("discard".to_owned(), Options::default());
    Ok(Planning::new(builtin(), context, session.config.variables.clone(), screen))
}
