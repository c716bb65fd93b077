//! Text to statements. What standard SQL does not know is lifted off the token stream; what remains is a plain query
//! that any planner understands. It resolves no name and opens nothing.

mod aggregates;
mod aliases;
mod annotation;
mod balance;
mod bounds;
mod classes;
mod clause;
mod cursor;
mod declare;
mod dialect;
mod duration;
mod emit;
mod format;
mod from;
mod grouping;
mod layout;
mod lex;
mod lift;
pub mod mark;
mod nested;
mod options;
mod over;
mod read;
mod reader;
mod render;
mod secrets;
mod select;
mod size;
mod source;
pub mod statement;
#[cfg(test)]
mod tests;
mod tree;
mod variables;
mod window;
mod words;

use std::cell::RefCell;

use sqlparser::ast as sql;
use sqlparser::tokenizer::Token;

use crate::core::fault::Fault;
use lex::{Lexed, Lexeme};
use reader::Reader;
use source::Source;
use statement::{Diagnostic, Script, Span};

pub use aliases::expand as expand_aliases;
pub use classes::{TokenClass, tokens};
pub use duration::measure;
pub use format::format;
pub use read::SHOWN;
pub use render::render;
pub use secrets::{secrets, uri_without_secrets, without_secrets};

/// Bytes of one text: a statement file of a large project is a thousandth of it, and a mistyped path to a data file is not.
const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Parses a text; `${…}` stays as it is written.
pub fn parse(text: &str, file: &str) -> Script {
    script(text, file, None)
}

/// Parses a text; `${NAME}`, `${NAME:-default}` and `${NAME:?message}` are replaced through `lookup`.
pub fn parse_with(text: &str, file: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Script {
    script(text, file, Some(lookup))
}

/// The places of the statements of a text, as it is parsed: what stands between semicolons, broken or not.
pub fn statements(text: &str) -> Vec<Span> {
    let source = Source::new(text, "");
    if bounded(&source).is_some() {
        return Vec::new();
    }
    let lexed = lex::lex(&source, None);
    pieces(&lexed.lexemes, text.len()).into_iter().filter_map(|(piece, _)| cursor::covered(piece)).collect()
}

/// A text with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` replaced as within a statement.
///
/// # Errors
/// A variable that is not set; the fault has no place.
pub fn with_variables(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let source = Source::new(text, "");
    let span = Span { start: 0, end: text.len() };
    let expanded = variables::expand(&source, text, span, lookup).and_then(|expanded| match expanded.unset.first() {
        Some(name) => Err(variables::unset(&source, span, name)),
        None => Ok(expanded.text),
    });
    expanded.map_err(|found| Fault { place: None, ..found.fault })
}

/// Whether a word is kept for the grammar: as a name it needs quotes.
pub fn is_reserved(word: &str) -> bool {
    words::has(words::RESERVED, word)
}

/// Parses an expression that stands alone, as `tail --where` has it.
pub fn parse_expression(text: &str, file: &str) -> Result<sql::Expr, Diagnostic> {
    let source = Source::new(text, file);
    let end = Span { start: text.len(), end: text.len() };
    let lexed = bounded(&source)
        .map_or_else(|| lex::lex(&source, None), |error| Lexed { errors: vec![error], ..Lexed::default() });
    if let Some(error) = lexed.errors.into_iter().next() {
        return Err(error);
    }
    let reader = Reader { source: &source, lookup: None, warnings: RefCell::default(), unset: RefCell::default() };
    size::check(&source, &lexed.lexemes)?;
    read::balanced(&reader, &lexed.lexemes)?;
    let scope = clause::Scope { outermost: false, depth: 0, select: 0, end };
    let plain = nested::rewrite(&reader, &lexed.lexemes, scope, &mut lift::Lift::default())?;
    reader.expression(&plain, end)
}

fn script(text: &str, file: &str, lookup: Option<variables::Lookup<'_>>) -> Script {
    let source = Source::new(text, file);
    if let Some(error) = bounded(&source) {
        return Script { errors: vec![error], ..Script::default() };
    }
    let lexed = lex::lex(&source, lookup);
    let mut script = Script { errors: lexed.errors, warnings: lexed.warnings, ..Script::default() };
    let reader = Reader { source: &source, lookup, warnings: RefCell::default(), unset: RefCell::default() };
    for (piece, end) in pieces(&lexed.lexemes, text.len()) {
        // What the tokenizer could not finish is said once, not again as a statement without an end.
        let cut = lexed.is_cut && end.start == text.len();
        match size::check(&source, piece).and_then(|()| read::statement(&reader, piece, end)) {
            Ok(statement) => script.statements.push(statement),
            Err(_) if cut => {}
            Err(error) => script.errors.push(error),
        }
        reader.unset.borrow_mut().clear();
    }
    let written: Vec<Span> =
        pieces(&lexed.lexemes, text.len()).into_iter().filter_map(|(piece, _)| cursor::covered(piece)).collect();
    annotation::attach(&reader, &lexed.comments, &written, &mut script);
    script.warnings.extend(reader.warnings.into_inner());
    script.errors.sort_by_key(|error| error.span.start);
    script.warnings.sort_by_key(|warning| warning.span.start);
    script
}

/// Statements: what stands between semicolons, and where each ends.
fn pieces(lexemes: &[Lexeme], end: usize) -> Vec<(&[Lexeme], Span)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (index, lexeme) in lexemes.iter().enumerate() {
        if lexeme.token == Token::SemiColon {
            pieces.push((&lexemes[start..index], lexeme.span));
            start = index + 1;
        }
    }
    pieces.push((&lexemes[start..], Span { start: end, end }));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

fn bounded(source: &Source<'_>) -> Option<Diagnostic> {
    (source.text.len() > TEXT_BYTES_MAX).then(|| {
        let what = format!("this text is larger than {} MiB", TEXT_BYTES_MAX / 1024 / 1024);
        source.diagnostic(Span::default(), what, "is it a file of SQL?")
    })
}
