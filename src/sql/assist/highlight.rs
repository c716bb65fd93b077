//! Colours: every token of a text with its class. Total on any text.

use std::ops::Range;

use crate::sql::parse::{self, TokenClass};

/// The tokens of a text in order, as ranges of bytes that do not overlap; what stands between them is white space.
pub fn highlight(text: &str) -> Vec<(Range<usize>, TokenClass)> {
    parse::tokens(text).into_iter().map(|(span, class)| (span.start..span.end, class)).collect()
}
