//! How a statement that is to be deployed is called, and where it says that it writes. Pure.

use crate::app::action::QueryRequest;
use crate::sql::assist::relation_name;
use crate::sql::parse::{self, statement::EndName, statement::StatementKind};

/// Longest name of a topic, letters, as Kafka has it.
const TOPIC_LETTERS_MAX: usize = 249;
/// Longest name of a job, letters: it is a folder's name and a line of a list.
pub const NAME_LETTERS_MAX: usize = 60;

/// Whether a job or a topic may have the letter in its name.
pub fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.".contains(letter)
}

/// A name for a job that no other has: after a stream, a topic, or the file of a URI.
pub fn name_after(named: &str, taken: &[String]) -> String {
    let place = named.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = match place.contains("://") {
        true => place.rsplit('/').next().unwrap_or_default(),
        false => place,
    };
    let plain: String = last.chars().map(|letter| if is_name(letter) { letter } else { '_' }).collect();
    let plain = plain.trim_start_matches('.');
    let stem = if plain.is_empty() { "job" } else { &plain[..plain.len().min(NAME_LETTERS_MAX - 4)] };
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let mut names = std::iter::once(stem.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// The statement with `INTO` at its end.
pub fn written_into(query: &QueryRequest, sink: &str) -> Result<QueryRequest, String> {
    if sink.is_empty() {
        return Err("a job needs somewhere to write: name a topic".into());
    }
    let is_topic = sink.chars().all(is_name) && sink.len() <= TOPIC_LETTERS_MAX && !matches!(sink, "." | "..");
    let is_declared = || {
        let script = parse::parse(&query.text, "");
        let declares = |kind: &StatementKind| matches!(kind, StatementKind::Declare(declared) if declared.name == sink);
        script.statements.iter().any(|statement| declares(&statement.kind))
    };
    if !is_topic && !sink.contains("://") && !is_declared() {
        let letters = "letters, digits, `.`, `_` and `-`";
        return Err(format!("`{sink}` cannot name a topic: that takes {letters}, at most {TOPIC_LETTERS_MAX}"));
    }
    let span = parse::statements(&query.text).get(query.statement).copied().ok_or("there is no such statement")?;
    let mut text = query.text.clone();
    text.insert_str(span.end, &format!("\nINTO {}", relation_name(sink)));
    Ok(QueryRequest { text, ..query.clone() })
}

/// The name that a statement gives itself, and where it writes, where it says so.
pub fn ends(query: &QueryRequest) -> Result<(Option<String>, Option<String>), &'static str> {
    let script = parse::parse(&query.text, "");
    let span = parse::statements(&query.text).get(query.statement).copied().ok_or("there is no such statement")?;
    let wanted = script.statements.iter().find(|one| span.start <= one.span.start && one.span.end <= span.end);
    let told = |end: &EndName| match end {
        EndName::Name(name) | EndName::Uri(name) => name.clone(),
    };
    match wanted.map(|statement| &statement.kind) {
        Some(StatementKind::Query(made)) => Ok((None, made.into.as_ref().map(told))),
        Some(StatementKind::Insert { sink, .. }) => Ok((None, Some(told(sink)))),
        Some(StatementKind::CreateStream(made) | StatementKind::CreateTable(made)) => {
            Ok((Some(made.name.clone()), made.query.into.as_ref().map(told)))
        }
        Some(_) => Err("this statement moves no rows: put the cursor on one with INTO, or on an INSERT"),
        None => Err("this statement is not right yet"),
    }
}
