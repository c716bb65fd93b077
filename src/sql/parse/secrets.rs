//! Secrets that stand in a text of SQL: values behind keys as `sasl.password`, in options, annotations, URIs and comments. What
//! it gives is for eyes; the text that runs stays as it is. Total on any text.

use std::borrow::Cow;

use sqlparser::tokenizer::Token;

use super::lex::{self, Lexeme};
use super::source::Source;
use super::statement::Span;
use crate::core::secret::{MASK, is_secret_key};

/// Comments within comments that are looked into: one that was put aside with its own comments is seen whole.
const COMMENTS_DEEP_MAX: usize = 3;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The key it stands behind.
    pub key: String,
    /// Where it stands, without its quotes.
    pub span: Span,
}

/// The secrets that stand in a text, in order. `${NAME}` is none.
pub fn secrets(text: &str) -> Vec<Written> {
    let mut found = Vec::new();
    look(text, 0, 0, &mut found);
    found.sort_by_key(|one| one.span.start);
    // Where one stands within another, the outer is the secret.
    found.dedup_by(|later, earlier| later.span.start < earlier.span.end);
    found
}

/// The text with `***` in place of each secret.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    replaced(text, |_| MASK.to_owned())
}

/// The text with a `*` for each byte of a secret: every other stays where it was, lines too.
pub(super) fn blotted(text: &str) -> Cow<'_, str> {
    replaced(text, |secret| secret.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect())
}

/// A URI with `***` in place of each secret.
pub fn uri_without_secrets(uri: &str) -> Cow<'_, str> {
    let found = in_uri(uri).into_iter().filter(|(_, span)| !is_reference(&uri[span.start..span.end]));
    put(uri, found.map(|(_, span)| span).collect(), |_| MASK.to_owned())
}

fn replaced(text: &str, mask: impl Fn(&str) -> String) -> Cow<'_, str> {
    put(text, secrets(text).into_iter().map(|secret| secret.span).collect(), mask)
}

/// The text with these places masked, which stand in order.
fn put(text: &str, places: Vec<Span>, mask: impl Fn(&str) -> String) -> Cow<'_, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for span in places {
        shown.push_str(&text[at..span.start]);
        shown.push_str(&mask(&text[span.start..span.end]));
        at = span.end;
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}

fn look(text: &str, offset: usize, depth: usize, found: &mut Vec<Written>) {
    let mut keep = |key: &str, span: Span| {
        let value = &text[span.start..span.end];
        if !value.is_empty() && !is_reference(value) {
            let span = Span { start: offset + span.start, end: offset + span.end };
            found.push(Written { key: key.to_owned(), span });
        }
    };
    let source = Source::new(text, "");
    let lexed = lex::lex(&source, None);
    let lexemes = &lexed.lexemes;
    // Which brackets hold options: only there a bare word is a value and no column.
    let mut brackets: Vec<bool> = Vec::new();
    for (at, lexeme) in lexemes.iter().enumerate() {
        match lexeme.token {
            Token::LParen => brackets.push(at > 0 && lexemes[at - 1].is_one_of(&["WITH", "OPTIONS"])),
            Token::RParen => drop(brackets.pop()),
            Token::Eq | Token::RArrow => {
                let key = key_before(text, &lexemes[..at]);
                if is_secret_key(key) {
                    let has_options = brackets.contains(&true);
                    match lexemes.get(at + 1) {
                        Some(_) => values(text, &lexemes[at + 1..], has_options).for_each(|span| keep(key, span)),
                        // What is not closed may be the secret.
                        None => keep(key, Span { start: lexeme.span.end, end: text.len() }),
                    }
                }
            }
            _ => {
                let inner = within_quotes(text, lexeme);
                in_uri(&text[inner.start..inner.end]).into_iter().for_each(|(key, span)| {
                    keep(key, Span { start: inner.start + span.start, end: inner.start + span.end });
                });
            }
        }
    }
    for comment in &lexed.comments {
        let whole = &text[comment.span.start..comment.span.end];
        let body = whole.trim_start_matches(['-', '/', '*', '+', ' ', '\t']);
        let start = comment.span.start + (whole.len() - body.len());
        let body = body.trim_end_matches("*/").trim_end();
        if let Some((key, value)) = body.strip_prefix('@').and_then(|body| body.split_once(':'))
            && is_secret_key(key)
        {
            keep(key, Span { start: start + body.len() - value.trim_start().len(), end: start + body.len() });
        }
    }
    if depth < COMMENTS_DEEP_MAX {
        for comment in &lexed.comments {
            let whole = &text[comment.span.start..comment.span.end];
            let body = whole.trim_start_matches(['-', '/', '*', '+']);
            let start = comment.span.start + (whole.len() - body.len());
            look(body, offset + start, depth + 1, found);
        }
    }
}

/// What stands before `=`: a text in quotes, or words and the dots between them.
fn key_before<'a>(text: &'a str, before: &[Lexeme]) -> &'a str {
    let Some(last) = before.last() else { return "" };
    let is_joint = |token: &Token| matches!(token, Token::Word(_) | Token::Period | Token::Minus | Token::Number(..));
    let mut start = last.span.start;
    if is_joint(&last.token) {
        let joined = before.iter().rev().take_while(|lexeme| is_joint(&lexeme.token));
        for lexeme in joined.skip(1) {
            if lexeme.span.end != start {
                break;
            }
            start = lexeme.span.start;
        }
    }
    text[start..last.span.end].trim_matches(['\'', '"', '`'])
}

/// The values that `rest` begins with: one in quotes, a list of them, or, where options stand, bare words.
fn values<'a>(text: &'a str, rest: &'a [Lexeme], has_options: bool) -> impl Iterator<Item = Span> + 'a {
    let is_list = rest[0].token == Token::LBracket;
    let is_quoted =
        |lexeme: &Lexeme| text[lexeme.span.start..].starts_with(['\'', '"', '`']) || lexeme.string().is_some();
    let single = is_quoted(&rest[0]);
    let ends = move |lexeme: &Lexeme| match is_list {
        true => lexeme.token == Token::RBracket,
        false => matches!(lexeme.token, Token::Comma | Token::RParen | Token::SemiColon),
    };
    rest.iter()
        .take(if single { 1 } else { usize::MAX })
        .take_while(move |lexeme| (single || is_list || has_options) && !ends(lexeme))
        .filter(move |lexeme| single || !matches!(lexeme.token, Token::LBracket | Token::Comma))
        .map(|lexeme| within_quotes(text, lexeme))
}

/// The place of a token without the quotes around it.
fn within_quotes(text: &str, lexeme: &Lexeme) -> Span {
    let Span { start, end } = lexeme.span;
    let slice = &text[start..end];
    let quote = |letter: char| matches!(letter, '\'' | '"' | '`');
    match (slice.find(quote), slice.rfind(quote)) {
        (Some(first), Some(last)) if first < last => Span { start: start + first + 1, end: start + last },
        _ => Span { start, end },
    }
}

/// Secrets in a URI: the password behind a name, and values of its query.
fn in_uri(uri: &str) -> Vec<(&str, Span)> {
    let mut found = Vec::new();
    let Some(scheme) = uri.find("://") else { return found };
    let authority = scheme + 3;
    let path = uri[authority..].find(['/', '?']).map_or(uri.len(), |length| authority + length);
    if let Some(at) = uri[authority..path].rfind('@')
        && let Some(colon) = uri[authority..authority + at].find(':')
    {
        found.push(("password", Span { start: authority + colon + 1, end: authority + at }));
    }
    let Some(query) = uri.find('?') else { return found };
    let mut start = query + 1;
    for pair in uri[start..].split('&') {
        if let Some((key, value)) = pair.split_once('=')
            && is_secret_key(key)
        {
            found.push((key, Span { start: start + key.len() + 1, end: start + key.len() + 1 + value.len() }));
        }
        start += pair.len() + 1;
    }
    found
}

/// Whether a value is `${NAME}` or `${NAME:?message}`: where a secret comes from, and none itself.
fn is_reference(value: &str) -> bool {
    let inner = value.trim().strip_prefix("${").and_then(|inner| inner.strip_suffix('}'));
    inner.map(|inner| inner.split_once(":?").map_or(inner, |(name, _)| name)).is_some_and(|name| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_secret_is_masked_and_the_rest_stays() {
        for (written, shown) in [
            (
                "INSERT INTO b WITH ('kafka.sasl.password' = 'CANARY', 'topic' = 'x')\nSELECT * FROM a",
                "INSERT INTO b WITH ('kafka.sasl.password' = '***', 'topic' = 'x')\nSELECT * FROM a",
            ),
            ("CREATE SOURCE a WITH (kafka.sasl.password = CANARY)", "CREATE SOURCE a WITH (kafka.sasl.password = ***)"),
            ("SET 'ssl.key.password' => 'CAN''ARY';", "SET 'ssl.key.password' => '***';"),
            ("WITH (\"api.key\" = \"CANARY\")", "WITH (\"api.key\" = \"***\")"),
            ("WITH ('auth.tokens' = ['CANARY', 'CANARY'])", "WITH ('auth.tokens' = ['***', '***'])"),
            ("-- @kafka.sasl.password: CANARY\nSELECT 1", "-- @kafka.sasl.password: ***\nSELECT 1"),
            ("-- 'sasl.password' = 'CANARY'\nSELECT 1", "-- 'sasl.password' = '***'\nSELECT 1"),
            ("/* 'sasl.password' = 'CANARY' */ SELECT 1", "/* 'sasl.password' = '***' */ SELECT 1"),
            ("FROM 'kafka://ada:CANARY@host/orders'", "FROM 'kafka://ada:***@host/orders'"),
            (
                "FROM 'kafka://host/orders?a=b&sasl.password=CANARY&c=d'",
                "FROM 'kafka://host/orders?a=b&sasl.password=***&c=d'",
            ),
            ("SELECT 1 -- a 'x://a:CANARY@b'", "SELECT 1 -- a 'x://a:***@b'"),
            ("WITH ('sasl.password' = '${NAME:-CANARY}')", "WITH ('sasl.password' = '***')"),
            ("WITH ('sasl.password' = 'CANARY", "WITH ('sasl.password' =***"),
            ("WITH ('sasl.password' = 'über\nCANARY'), 'ü' = 'ü'", "WITH ('sasl.password' = '***'), 'ü' = 'ü'"),
        ] {
            assert_eq!(without_secrets(written), shown);
        }
    }

    #[test]
    fn what_is_no_secret_stays_and_so_does_what_names_where_one_comes_from() {
        for text in [
            "SELECT password, token FROM a JOIN b ON a.token = b.token WHERE n = 3",
            "WITH ('kafka.sasl.password' = '${SASL_PASSWORD}')",
            "WITH (kafka.sasl.password = ${SASL_PASSWORD:?give it})",
            "SELECT * FROM 'file:///tmp/trades.csv?header=true'",
            "SELECT '",
            "",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }

    #[test]
    fn a_uri_alone_is_masked_too() {
        assert_eq!(uri_without_secrets("kafka://ada:x@host/a?token=y&b=c"), "kafka://ada:***@host/a?token=***&b=c");
        assert_eq!(uri_without_secrets("kafka://host/a?token=${T}"), "kafka://host/a?token=${T}");
    }

    #[test]
    fn a_blot_leaves_every_place_where_it_was() {
        let text = "WITH ('sasl.password' = 'ü\nb'), 'x' = 'y'";
        assert_eq!(blotted(text), "WITH ('sasl.password' = '**\n*'), 'x' = 'y'");
    }

    #[test]
    fn each_is_known_by_its_key() {
        let found = secrets("WITH ('kafka.sasl.password' = 'a', 'ssl.key.password' = 'b')");
        let keys: Vec<_> = found.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["kafka.sasl.password", "ssl.key.password"]);
    }
}
