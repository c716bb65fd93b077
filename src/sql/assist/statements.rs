//! Where statements stand in a text, as the parser separates them, and which one a cursor means.

use std::ops::Range;

use crate::sql::parse;

/// Every statement in order, right or wrong, as a range of bytes without its semicolon and the comments above it.
pub fn statements(text: &str) -> Vec<Range<usize>> {
    parse::statements(text).into_iter().map(|span| span.start..span.end).collect()
}

/// The number of the statement that a cursor means (see [`statement_of`]); `None` where the text has none.
pub fn statement_at(text: &str, offset: usize) -> Option<usize> {
    statement_of(text, &statements(text), offset)
}

/// The number of the statement that a cursor means, of statements that are known already: the one it stands in, or ends
/// behind on the same line; else the one that follows without a blank line (its comments are its own); else the one
/// before.
pub fn statement_of(text: &str, statements: &[Range<usize>], offset: usize) -> Option<usize> {
    let before = statements.iter().rposition(|range| range.start <= offset);
    let Some(at) = before else { return (!statements.is_empty()).then_some(0) };
    let behind = text.get(statements[at].end..offset).unwrap_or_default();
    if offset <= statements[at].end || !behind.contains('\n') {
        return Some(at);
    }
    let Some(next) = statements.get(at + 1) else { return Some(at) };
    let line = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    let between = text.get(line..next.start).unwrap_or_default();
    // The last piece is the line that the next statement begins on.
    let mut lines = between.split('\n').collect::<Vec<_>>();
    lines.pop();
    let is_apart = lines.iter().any(|line| line.trim().is_empty());
    Some(if is_apart { at } else { at + 1 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `|` is the cursor; the statement it means.
    fn check(text: &str, expected: &str) {
        let offset = text.find('|').unwrap();
        let plain = text.replacen('|', "", 1);
        let found = statement_at(&plain, offset).map(|at| plain[statements(&plain)[at].clone()].to_owned());
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{text}");
    }

    #[test]
    fn a_cursor_means_the_statement_that_a_person_would_point_at() {
        for (text, expected) in [
            ("|SELECT 1; SELECT 2", "SELECT 1"),
            ("SELECT 1|; SELECT 2", "SELECT 1"),
            ("SELECT 1;| SELECT 2", "SELECT 1"),
            ("SELECT 1; SE|LECT 2", "SELECT 2"),
            ("SELECT 1;\n|\nSELECT 2;", "SELECT 1"),
            ("SELECT 1;\n-- th|e next\nSELECT 2;", "SELECT 2"),
            ("SELECT 1;\n\n-- the next\n|\nSELECT 2;", "SELECT 1"),
            ("SELECT 1;\n|SELECT 2;", "SELECT 2"),
            ("SELECT 1;\n\n\n|", "SELECT 1"),
            ("-- only a remark|\n", "none"),
            ("-- ab|ove\n\nSELECT 1", "SELECT 1"),
            ("SELECT ';' |x; SELECT 2", "SELECT ';' x"),
            ("SELECT 'open;| SELECT 2", "SELECT"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn statements_are_those_of_the_parser_wrong_ones_too() {
        let text = "SELEC 1;\n\n-- remark ; with a semicolon\nSELECT 'a;b' FROM t;;\nSELECT 3";
        let found: Vec<&str> = statements(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["SELEC 1", "SELECT 'a;b' FROM t", "SELECT 3"]);
    }
}
