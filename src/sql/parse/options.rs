//! `WITH (key = value, …)`: keys with or without quotes, values as text. Variables are replaced; nothing is opened.

use sqlparser::tokenizer::Token;

use super::cursor::{Cursor, by_commas, covered};
use super::lex::Lexeme;
use super::reader::Reader;
use super::statement::{Diagnostic, Span};
use super::variables;
use crate::connectors::options::Options;

/// Reads what stands between the brackets into `options`. A key given twice is an error.
pub(super) fn read(reader: &Reader<'_>, group: &[Lexeme], end: Span, options: &mut Options) -> Result<(), Diagnostic> {
    let parts = by_commas(group);
    let count = parts.len();
    for (index, part) in parts.into_iter().enumerate() {
        if part.is_empty() {
            // A comma behind the last pair does no harm.
            if index + 1 == count && index > 0 {
                continue;
            }
            return Err(reader.source.diagnostic(end, "an option is missing here", "write 'key' = 'value'"));
        }
        let mut cursor = Cursor::new(reader.source, part, end);
        let (key, span) = key(&mut cursor)?;
        if !cursor.take_token(&Token::RArrow) {
            cursor.expect(&Token::Eq, &format!("write '{key}' = 'value'"))?;
        }
        let value = value(reader, &mut cursor, &key)?;
        if cursor.peek().is_some() {
            return Err(
                cursor.missing("`,` or `)`", "options are parted by commas; a value of several words needs quotes")
            );
        }
        if let Some(before) = options.value(&key.to_lowercase()) {
            let first = before.place.as_ref().map(|place| format!("it is set at line {} already", place.line));
            return Err(reader.source.diagnostic(
                span,
                format!("option `{key}` is there twice"),
                first.unwrap_or_default(),
            ));
        }
        options.set(&key, value, Some(reader.source.place(span)));
    }
    Ok(())
}

/// `'orders.topic'`, `"orders.topic"`, `orders.topic`, `late.data.strategy`.
fn key(cursor: &mut Cursor<'_>) -> Result<(String, Span), Diagnostic> {
    if let Some(text) = cursor.peek().and_then(Lexeme::string) {
        let span = cursor.span();
        cursor.next();
        return Ok((text.to_owned(), span));
    }
    cursor.name("the name of an option")
}

fn value(reader: &Reader<'_>, cursor: &mut Cursor<'_>, key: &str) -> Result<String, Diagnostic> {
    let span = cursor.span();
    let hint = format!("write '{key}' = 'value'");
    let Some(lexeme) = cursor.next() else { return Err(cursor.missing("a value", &hint)) };
    match &lexeme.token {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => resolved(reader, text, span),
        Token::Word(word) if word.quote_style.is_some() => resolved(reader, &word.value, span),
        Token::Word(_) => {
            cursor.at -= 1;
            Ok(cursor.name("a value")?.0)
        }
        Token::Number(text, _) => match cursor.peek() {
            // `5m`
            Some(unit) if unit.bare().is_some() => {
                cursor.next();
                Ok(format!("{text}{}", unit.bare().unwrap_or_default()))
            }
            _ => Ok(text.clone()),
        },
        Token::Minus => match cursor.next().map(|lexeme| &lexeme.token) {
            Some(Token::Number(text, _)) => Ok(format!("-{text}")),
            _ => Err(reader.source.diagnostic(span, "`-` is not a value", hint)),
        },
        Token::LBracket => {
            let end = cursor.rest().iter().position(|lexeme| lexeme.token == Token::RBracket);
            let Some(end) = end else {
                return Err(reader.source.diagnostic(span, "`[` is not closed", "close it with `]`"));
            };
            let inner = &cursor.rest()[..end];
            cursor.at += end + 1;
            let mut items = Vec::new();
            for part in by_commas(inner) {
                let mut item = Cursor::new(reader.source, part, covered(inner).unwrap_or(span));
                items.push(value(reader, &mut item, key)?);
                if item.peek().is_some() {
                    return Err(item.missing("`,` or `]`", ""));
                }
            }
            Ok(items.join(","))
        }
        _ => {
            cursor.at -= 1;
            Err(cursor.missing("a value", &hint))
        }
    }
}

fn resolved(reader: &Reader<'_>, text: &str, span: Span) -> Result<String, Diagnostic> {
    let Some(lookup) = reader.lookup else { return Ok(text.to_owned()) };
    let expanded = variables::expand(reader.source, text, span, lookup)?;
    match expanded.unset.first() {
        Some(name) => Err(variables::unset(reader.source, span, name)),
        None => Ok(expanded.text),
    }
}
