//! What could stand at the cursor, best first: a completion opens nothing, and never has to be right to be asked for.

mod declared;
mod frames;
mod keywords;
mod offer;
mod options;
mod position;
mod rank;
mod relations;
mod scope;
#[cfg(test)]
mod tests;
mod with;
mod words;

pub use offer::identifier;
pub use relations::relation_name;

use std::ops::Range;

use super::catalog::{Catalog, Field};
use crate::sql::parse::TokenClass;

use offer::Offer;
use position::Position;
use scope::{Named, Scope, Source};
use words::{Around, Word};

/// Items of one completion: more than anybody scrolls through.
pub const ITEMS_MAX: usize = 100;
/// Statements before the cursor whose results are looked at: those that a person remembers, at most.
const STATEMENTS_MAX: usize = 50;

/// What could stand at a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The bytes of the text that a chosen item replaces: what is typed of it already.
    pub replace: Range<usize>,
    /// Whether the cursor is in a text in quotes: what is completed is all of it.
    pub is_in_text: bool,
    /// Items, best first; at most [`ITEMS_MAX`].
    pub items: Vec<Item>,
}

/// One thing that could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is shown.
    pub label: String,
    /// What is inserted: `SUM()`.
    pub text: String,
    /// Where the cursor stands then, in bytes of the text: inside the brackets of a call.
    pub caret: usize,
    /// What it is.
    pub kind: ItemKind,
    /// Beside it: a type, a signature, the partitions of a topic.
    pub detail: String,
    /// One line of help; empty where there is nothing to say.
    pub help: String,
}

/// Kinds of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A word of the grammar.
    Keyword,
    /// A function.
    Function,
    /// A column, or a field inside one.
    Column,
    /// A name that the statement gives: of a relation, of a result.
    Alias,
    /// A topic of the environment.
    Topic,
    /// A stream of the buffer.
    Stream,
    /// A table of the buffer.
    Table,
    /// A view of the buffer, a name of WITH.
    View,
    /// A length of time.
    Duration,
    /// A key of `WITH (…)`.
    Option,
    /// A value that an option allows, or that a column was seen to hold.
    Value,
    /// A type.
    Type,
}

/// What could stand at a cursor, given as a byte of the text.
pub fn complete(text: &str, offset: usize, catalog: &Catalog) -> Completion {
    let offset = floor(text, offset);
    let Some(around) = words::around(text, offset) else { return nothing(offset) };
    let before = &around.words[..around.before];
    let frames = frames::frames(before);
    let position = position::position(before, &frames);
    let mut offer = Offer::new(catalog, around.prefix);
    offer.is_in_text = around.in_text.is_some();
    match (&position, around.in_text) {
        (Position::OptionKey, in_text) => {
            let open = frames.last().map_or(0, |frame| frame.open);
            with::keys(&mut offer, &around, open, in_text);
            return offer.finish(around.typed);
        }
        (Position::OptionValue(key), in_text) => {
            let scopes = scopes(text, &around, &frames, catalog);
            with::values(&mut offer, &around.words, key, scopes.first(), in_text);
            return offer.finish(around.typed);
        }
        _ => {}
    }
    let scopes = scopes(text, &around, &frames, catalog);
    let compared = compared(before, &scopes);
    if let Some(is_closed) = around.in_text {
        if let Some(field) = compared {
            with::texts(&mut offer, &field, is_closed);
        }
        return offer.finish(around.typed);
    }
    let (position, typed) = joined_before(text, &around).unwrap_or((position, around.typed.clone()));
    offer.prefix = text.get(typed.start..offset).unwrap_or_default();
    let (scope, outer) = match scopes.split_first() {
        Some((scope, outer)) => (scope.clone(), outer),
        None => (Scope::default(), [].as_slice()),
    };
    if matches!(position, Position::Relation) {
        with::named(&mut offer, &named(text, &around, &frames, catalog));
    }
    offer.position(&position, &scope, outer, compared.as_ref());
    offer.finish(typed)
}

/// What could stand at a cursor of a condition that stands alone, as the `w` of a tail has it, over these fields.
pub fn complete_predicate(text: &str, offset: usize, fields: &[Field], catalog: &Catalog) -> Completion {
    let offset = floor(text, offset);
    let Some(around) = words::around(text, offset) else { return nothing(offset) };
    let before = &around.words[..around.before];
    let source = Source { fields: fields.to_vec(), ..Source::default() };
    let scope = Scope { sources: vec![source], ..Scope::default() };
    let scopes = [scope];
    let compared = compared(before, &scopes);
    let mut offer = Offer::new(catalog, around.prefix);
    (offer.is_in_text, offer.has_whole_value) = (around.in_text.is_some(), true);
    if let Some(is_closed) = around.in_text {
        if let Some(field) = compared {
            with::texts(&mut offer, &field, is_closed);
        }
        return offer.finish(around.typed);
    }
    let position = position::of_condition(before);
    offer.position(&position, &scopes[0], &[], compared.as_ref());
    offer.finish(around.typed)
}

fn nothing(offset: usize) -> Completion {
    Completion { replace: offset..offset, ..Completion::default() }
}

/// The beginning of the character that a byte belongs to.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// What the SELECT around the cursor sees, then those around that.
fn scopes(text: &str, around: &Around<'_>, frames: &[frames::Frame], catalog: &Catalog) -> Vec<Scope> {
    let named = named(text, around, frames, catalog);
    let queries = frames.iter().rev().filter(|frame| frame.is_query);
    queries
        .map(|frame| {
            let region = region(&around.words, frame.open);
            let (segment, _) = scope::segment(region, around.before.saturating_sub(frame.open));
            scope::scope(segment, &named, catalog, 0)
        })
        .collect()
}

/// The words of a bracket that opens just before `open`; of the whole statement for its own frame.
fn region<'w, 't>(words: &'w [Word<'t>], open: usize) -> &'w [Word<'t>] {
    let end = match open.checked_sub(1).filter(|before| words[*before].text == "(") {
        Some(before) => words::closing(words, before),
        None => words.len(),
    };
    &words[open.min(end)..end]
}

/// Names that queries have at the cursor: of statements before whose columns no diagnosis knows yet, and of WITH.
fn named(text: &str, around: &Around<'_>, frames: &[frames::Frame], catalog: &Catalog) -> Named {
    let mut named = Named::new();
    let own = around.words.first().map_or(around.typed.start, |word| word.start);
    for range in super::statements(text).into_iter().take_while(|range| range.end <= own).take(STATEMENTS_MAX) {
        let Some(statement) = text.get(range.clone()).filter(|part| begins_with(part, "CREATE")) else { continue };
        let words: Vec<Word<'_>> = words::words(statement, 0)
            .into_iter()
            .filter(|word| !matches!(word.class, TokenClass::Comment | TokenClass::Annotation))
            .collect();
        let Some(made) = words.iter().position(|word| word.is("AS")) else { continue };
        let Some(kind) = words[..made].iter().rposition(|word| word.is_one_of(&["STREAM", "TABLE", "VIEW", "EXISTS"]))
        else {
            continue;
        };
        let (name, _) = scope::joined(&words[kind + 1..made]);
        if catalog.relation(&name).is_none_or(|relation| relation.columns.is_none()) {
            let fields = scope::results(&words[made + 1..], &named, catalog, 0);
            named.push((name, fields));
        }
    }
    for frame in frames.iter().filter(|frame| frame.is_query) {
        let body = region(&around.words, frame.open);
        let with = words::outside(body).find(|(_, word)| word.is_one_of(&["SELECT", "WITH"])).map(|(index, _)| index);
        if let Some(with) = with {
            scope::with_names(&body[with..], &mut named, catalog, 0);
        }
    }
    named
}

fn begins_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// The column that the value at the cursor is compared with: `status = `, `status IN (`, `status IN ('a', `.
fn compared(before: &[Word<'_>], scopes: &[Scope]) -> Option<Field> {
    const OPERATORS: &[&str] = &["=", "<>", "!=", "<", ">", "<=", ">=", "LIKE", "ILIKE"];
    let mut at = before.len().checked_sub(1)?;
    if !before[at].is_one_of(OPERATORS) {
        // Within the brackets of IN.
        let open = before.iter().rposition(|word| word.text == "(")?;
        let is_list = before[open + 1..]
            .iter()
            .all(|word| word.text == "," || word.class == TokenClass::String || word.class == TokenClass::Number);
        if !is_list || !before[at].is_one_of(&["(", ","]) || open < 2 || !before[open - 1].is("IN") {
            return None;
        }
        at = open - 1;
    }
    let mut end = at;
    if before[..end].last().is_some_and(|word| word.is("NOT")) {
        end -= 1;
    }
    let mut start = end.checked_sub(1)?;
    while start >= 2 && before[start - 1].text == "." {
        start -= 2;
    }
    let path = scope::path(&before[start..end])?;
    scopes.iter().find_map(|scope| scope::find(&path, &scope.sources))
}

/// A relation whose name is typed up to a point or a hyphen in it: the whole of what is typed.
fn joined_before(text: &str, around: &Around<'_>) -> Option<(Position, Range<usize>)> {
    let mut at = around.before;
    let mut start = around.typed.start;
    while at > 0 && around.words[at - 1].end == start {
        let word = &around.words[at - 1];
        if [",", "(", ")", ";"].contains(&word.text) || word.text.is_empty() {
            break;
        }
        start = word.start;
        at -= 1;
    }
    if start == around.typed.start {
        return None;
    }
    let before = &around.words[..at];
    let position = position::position(before, &frames::frames(before));
    let is_relation = matches!(position, Position::Relation | Position::Sink | Position::Defined);
    text.get(start..around.typed.end)?;
    is_relation.then_some((position, start..around.typed.end))
}
