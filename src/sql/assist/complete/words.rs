//! The words of the statement around a cursor, and what is typed of the one at it. Total on any text.

use std::ops::Range;

use crate::sql::parse::{self, TokenClass};

/// A token with its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'t> {
    pub start: usize,
    pub end: usize,
    pub class: TokenClass,
    pub text: &'t str,
}

/// Words behind which an operand or a name follows, not the end of one.
const OPENS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "DISTINCT",
    "ELSE",
    "EMIT",
    "EVERY",
    "EXCEPT",
    "EXISTS",
    "FROM",
    "HAVING",
    "ILIKE",
    "IN",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "ON",
    "OR",
    "OVER",
    "QUALIFY",
    "SELECT",
    "THEN",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
    "WITHIN",
];

impl<'t> Word<'t> {
    /// Whether it is this word of the grammar, unquoted, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    pub fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Whether it can be a name: a word, quoted or not, that the grammar does not keep for itself.
    pub fn is_name(&self) -> bool {
        let is_word = self
            .text
            .starts_with(|letter: char| letter.is_alphabetic() || letter == '_' || letter == '"' || letter == '`');
        is_word && self.class != TokenClass::String && !parse::is_reserved(self.text)
    }

    /// A name without its quotes.
    pub fn name(&self) -> &'t str {
        self.text.trim_matches(['"', '`'])
    }

    /// Whether an operand can end with it.
    pub fn ends_operand(&self) -> bool {
        match self.class {
            TokenClass::Punctuation => [")", "]"].contains(&self.text),
            TokenClass::Operator => self.text == "*",
            TokenClass::Keyword => !self.is_one_of(OPENS),
            TokenClass::Comment | TokenClass::Annotation => false,
            _ => true,
        }
    }
}

/// The statement around a cursor.
pub(super) struct Around<'t> {
    /// Its words, comments left out.
    pub words: Vec<Word<'t>>,
    /// How many of them end before what is being typed.
    pub before: usize,
    /// What is being typed: the bytes that an item replaces.
    pub typed: Range<usize>,
    /// What is typed before the cursor.
    pub prefix: &'t str,
    /// The cursor is in a text in quotes: whether that is closed.
    pub in_text: Option<bool>,
}

/// The words around a cursor; `None` in a comment, where nothing is completed.
pub(super) fn around(text: &str, offset: usize) -> Option<Around<'_>> {
    let all = words(text, offset);
    let within = |word: &&Word<'_>| word.start < offset && offset <= word.end;
    let is_remark = |word: &Word<'_>| matches!(word.class, TokenClass::Comment | TokenClass::Annotation);
    if all.iter().filter(within).any(|word| is_remark(word) && (offset < word.end || word.text.starts_with('-'))) {
        return None;
    }
    let first = all.iter().rposition(|word| word.end <= offset && word.text == ";").map_or(0, |at| at + 1);
    let last = all.iter().position(|word| word.start >= offset && word.text == ";").unwrap_or(all.len());
    let words: Vec<Word<'_>> = all.get(first..last)?.iter().filter(|word| !is_remark(word)).copied().collect();
    let at = words.iter().position(|word| word.start < offset && offset <= word.end);
    let mut around = Around { before: 0, typed: offset..offset, prefix: "", in_text: None, words };
    if let Some(word) = at.map(|at| around.words[at]) {
        let is_closed = word.text.len() > 1 && word.text.ends_with('\'');
        if word.class == TokenClass::String && !(is_closed && offset == word.end) {
            let end = word.end - usize::from(is_closed);
            around.typed = word.start + 1..if is_closed { end } else { offset };
            around.prefix = text.get(word.start + 1..offset)?;
            around.in_text = Some(is_closed);
        } else if word.is_name() || matches!(word.class, TokenClass::Keyword | TokenClass::Type | TokenClass::Function)
        {
            around.typed = word.start..word.end;
            around.prefix = text.get(word.start..offset)?;
        }
    }
    let limit = around.typed.start - usize::from(around.in_text.is_some());
    around.before = around.words.iter().take_while(|word| word.end <= limit).count();
    Some(around)
}

/// All words of a text. A quote that was just opened does not swallow what stands in the lines below.
pub(super) fn words(text: &str, offset: usize) -> Vec<Word<'_>> {
    let mut tokens = parse::tokens(text);
    if let Some((open, class)) = tokens.last().copied()
        && matches!(class, TokenClass::String | TokenClass::Unknown)
        && open.start < offset
        && text[open.start..open.end].contains('\n')
    {
        let end = text[open.start..].find('\n').map_or(text.len(), |line| open.start + line);
        tokens.pop();
        tokens.push((parse::statement::Span { start: open.start, end: end.max(open.start + 1) }, class));
        let shifted = parse::tokens(&text[end..])
            .into_iter()
            .map(|(span, class)| (parse::statement::Span { start: span.start + end, end: span.end + end }, class));
        tokens.extend(shifted);
    }
    tokens
        .into_iter()
        .filter_map(|(span, class)| {
            Some(Word { start: span.start, end: span.end, class, text: text.get(span.start..span.end)? })
        })
        .collect()
}

/// Where the bracket that is open at `at` closes, as an index of words; their number where it does not.
pub(super) fn closing(words: &[Word<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, word) in words.iter().enumerate().skip(at) {
        match word.text {
            "(" => depth += 1,
            ")" if depth <= 1 => return index,
            ")" => depth -= 1,
            _ => {}
        }
    }
    words.len()
}

/// The positions outside of all brackets.
pub(super) fn outside<'w>(words: &'w [Word<'w>]) -> impl Iterator<Item = (usize, &'w Word<'w>)> {
    let mut depth = 0_usize;
    words.iter().enumerate().filter(move |(_, word)| match word.text {
        "(" | "[" => {
            depth += 1;
            depth == 1
        }
        ")" | "]" => {
            depth = depth.saturating_sub(1);
            depth == 0
        }
        _ => depth == 0,
    })
}
