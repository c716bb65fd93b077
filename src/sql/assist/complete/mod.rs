//! What could stand at the cursor, best first: a completion never blocks, and never has to be right to be asked for.

use std::ops::Range;

use super::catalog::Catalog;

/// What could stand at a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The bytes of the text that a chosen item replaces: what is typed of it already.
    pub replace: Range<usize>,
    /// Items, best first; at most [`ITEMS_MAX`].
    pub items: Vec<Item>,
}

/// Items of one completion: more than anybody scrolls through.
pub const ITEMS_MAX: usize = 100;

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
pub fn complete(_text: &str, offset: usize, _catalog: &Catalog) -> Completion {
    Completion { replace: offset..offset, items: Vec::new() }
}
