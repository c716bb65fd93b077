//! Which lines the log gets on records that are left out: the first of a kind at once, then how many followed, now and then. It
//! counts; it writes nothing.

use std::collections::BTreeMap;

/// Between two lines of one kind, milliseconds: who watches sees that it goes on, and a job of an hour fills no disk.
pub const PAUSE_MS: i64 = 10_000;
/// Columns of one operator and class that are told apart; a table that is wrong in more is not the table that was meant.
const KINDS_MAX: usize = 64;

/// What is wrong with a record: operators, classes and columns apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Label of the operator.
    pub operator: String,
    /// The kind of error.
    pub class: &'static str,
    /// The column, where the message names one.
    pub column: String,
}

impl Kind {
    /// Of a message such as "`amount`: expected DECIMAL(8,2), found `x`".
    pub fn of(operator: &str, class: &'static str, message: &str) -> Self {
        let column = message.strip_prefix('`').and_then(|rest| rest.split_once("`:")).map_or("", |(column, _)| column);
        Self { operator: operator.to_owned(), class, column: column.to_owned() }
    }
}

/// A line that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is wrong.
    pub kind: Kind,
    /// How many records since the line before.
    pub count: u64,
    /// One of them, in words.
    pub text: String,
}

/// What was told of each kind.
#[derive(Debug, Default)]
pub struct Told {
    kinds: BTreeMap<Kind, Kept>,
}

#[derive(Debug)]
struct Kept {
    said_at_ms: i64,
    unsaid: u64,
    text: String,
}

impl Told {
    /// Takes records of a kind, one of which `text` describes; gives the line if one is due.
    pub fn take(&mut self, mut kind: Kind, count: u64, text: String, now_ms: i64) -> Option<Line> {
        if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&kind) {
            kind.column.clear();
        }
        match self.kinds.get_mut(&kind) {
            Some(kept) if now_ms.saturating_sub(kept.said_at_ms) < PAUSE_MS => {
                kept.unsaid += count;
                kept.text = text;
                None
            }
            Some(kept) => {
                let count = count + std::mem::take(&mut kept.unsaid);
                kept.said_at_ms = now_ms;
                Some(Line { kind, count, text })
            }
            None => {
                self.kinds.insert(kind.clone(), Kept { said_at_ms: now_ms, unsaid: 0, text: String::new() });
                Some(Line { kind, count, text })
            }
        }
    }

    /// What was counted and not told yet.
    pub fn rest(&mut self) -> Vec<Line> {
        let unsaid = std::mem::take(&mut self.kinds).into_iter().filter(|(_, kept)| kept.unsaid > 0);
        unsaid.map(|(kind, kept)| Line { kind, count: kept.unsaid, text: kept.text }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_one_line_and_the_count_of_what_followed() {
        let mut told = Told::default();
        let kind = |column: &str| Kind::of("read o", "type_mismatch", &format!("`{column}`: expected INT, found `x`"));
        let line = |column, count, text: &str| Line { kind: kind(column), count, text: text.to_owned() };
        let mut take = |column, count, text: &str, at| told.take(kind(column), count, text.to_owned(), at);
        assert_eq!(take("a", 5, "first", 0), Some(line("a", 5, "first")));
        assert_eq!(take("b", 1, "other", 10), Some(line("b", 1, "other")));
        assert_eq!(take("a", 7, "second", 20), None);
        assert_eq!(take("a", 2, "third", PAUSE_MS), Some(line("a", 9, "third")));
        assert_eq!(take("a", 3, "fourth", PAUSE_MS + 1), None);
        assert_eq!(told.rest(), [line("a", 3, "fourth")]);
        assert!(told.rest().is_empty());
    }

    #[test]
    fn more_columns_than_are_told_apart_are_one_kind() {
        let mut told = Told::default();
        let mut lines = 0;
        for column in 0..KINDS_MAX + 100 {
            let kind = Kind::of("read o", "type_mismatch", &format!("`c{column}`: expected INT, found `x`"));
            lines += usize::from(told.take(kind, 1, String::new(), 0).is_some());
        }
        assert_eq!(lines, KINDS_MAX + 1);
    }
}
