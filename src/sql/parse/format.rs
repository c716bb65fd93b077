//! `sql fmt`: keywords in upper case, one clause a line, comments kept. What the text says stays what it said, or it is left alone.

use super::layout::{Page, Piece, Remark};
use super::lex::{self, Lexed, Lexeme};
use super::source::Source;
use super::statement::{Diagnostic, Script, Span, Statement, StatementKind, StreamQuery};
use super::{parse, words};
use sqlparser::tokenizer::Token;

/// The text as the house writes it. A text with errors is not touched: its errors are returned.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let script = parse(text, "");
    if !script.errors.is_empty() {
        return Err(script.errors);
    }
    let source = Source::new(text, "");
    let lexed = lex::lex(&source, None);
    let wanted = meaning(&script);
    // A name that looks like a keyword must keep its letters: fewer words are raised until the text says the same.
    for lists in [&[words::RESERVED, words::CONTEXTUAL, words::TYPES][..], &[words::RESERVED], &[]] {
        let formatted = laid_out(&source, &lexed, lists);
        if meaning(&parse(&formatted, "")) == wanted {
            return Ok(formatted);
        }
    }
    Ok(text.to_owned())
}

fn laid_out(source: &Source<'_>, lexed: &Lexed, lists: &[&[&str]]) -> String {
    let mut page = Page::default();
    let mut statement: Vec<Piece> = Vec::new();
    let mut comments = lexed.comments.iter().peekable();
    let mut end = 0;
    let mut angles = 0_usize;
    let mut waiting: Vec<Remark> = Vec::new();
    for (index, lexeme) in lexed.lexemes.iter().enumerate() {
        let typed = index > 0 && lexed.lexemes[index - 1].is_one_of(&["ARRAY", "MAP", "STRUCT", "ROW"]);
        let angle = match lexeme.token {
            Token::Lt if typed => {
                angles += 1;
                true
            }
            Token::Gt | Token::ShiftRight if angles > 0 => {
                angles = angles.saturating_sub(if lexeme.token == Token::Gt { 1 } else { 2 });
                true
            }
            _ => false,
        };
        while let Some(comment) = comments.next_if(|comment| comment.span.start < lexeme.span.start) {
            waiting.push(remark(source, comment.span, comment.line, end));
            end = comment.span.end;
        }
        let between = source.slice(Span { start: end, end: lexeme.span.start });
        let piece = Piece {
            text: cased(source, lexeme, lists),
            lexeme: lexeme.clone(),
            touches: between.is_empty() && waiting.is_empty() && end > 0,
            blank: between.matches('\n').count() > 1,
            angle,
            comments: std::mem::take(&mut waiting),
        };
        end = lexeme.span.end;
        if lexeme.token == Token::SemiColon {
            if statement.is_empty() {
                // Nothing was ended: only its comments stay.
                waiting = piece.comments;
            } else {
                statement.push(piece);
                page.statement(&std::mem::take(&mut statement));
            }
        } else {
            statement.push(piece);
        }
    }
    page.statement(&statement);
    for comment in comments {
        waiting.push(remark(source, comment.span, comment.line, end));
        end = comment.span.end;
    }
    page.remarks(&waiting, 0, true);
    page.finish()
}

fn remark(source: &Source<'_>, span: Span, line: bool, end: usize) -> Remark {
    let between = source.slice(Span { start: end, end: span.start });
    Remark {
        text: source.slice(span).to_owned(),
        line,
        trailing: end > 0 && !between.contains('\n'),
        blank: between.matches('\n').count() > 1,
    }
}

/// A token as it stood, keywords raised.
fn cased(source: &Source<'_>, lexeme: &Lexeme, lists: &[&[&str]]) -> String {
    let text = source.slice(lexeme.span);
    match lexeme.bare() {
        Some(word) if lists.iter().any(|list| words::has(list, word)) => text.to_uppercase(),
        _ => text.to_owned(),
    }
}

/// Everything that a script says, without places.
fn meaning(script: &Script) -> Vec<String> {
    let annotations = |list: &[super::statement::Annotation]| {
        list.iter().map(|annotation| format!("@{}: {}", annotation.key, annotation.value)).collect::<Vec<_>>()
    };
    let mut said = annotations(&script.annotations);
    said.extend(script.errors.iter().map(|error| error.fault.what.clone()));
    for statement in &script.statements {
        said.extend(annotations(&statement.annotations));
        said.push(statement_meaning(statement));
    }
    said
}

fn statement_meaning(statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::CreateStream(it) => {
            format!("stream {} {} {} {}", it.name, it.if_not_exists, it.or_replace, query_meaning(&it.query))
        }
        StatementKind::CreateTable(it) => {
            format!("table {} {} {} {}", it.name, it.if_not_exists, it.or_replace, query_meaning(&it.query))
        }
        StatementKind::CreateView(it) => {
            format!("view {} {} {} {}", it.name, it.if_not_exists, it.or_replace, query_meaning(&it.query))
        }
        StatementKind::Declare(it) => {
            let columns: Vec<String> = it
                .columns
                .iter()
                .map(|column| {
                    let computed = column.computed.as_ref().map(ToString::to_string);
                    format!(
                        "{} {} {} {} {:?} {computed:?}",
                        column.name, column.data_type, column.not_null, column.primary_key, column.metadata
                    )
                })
                .collect();
            let watermark = it.watermark.as_ref().map(|(column, expression)| format!("{column} {expression}"));
            format!(
                "{:?} {} {} {columns:?} {watermark:?} {}",
                it.object,
                it.name,
                it.if_not_exists,
                options(&it.options)
            )
        }
        StatementKind::Query(query) => query_meaning(query),
        StatementKind::Insert { sink, query } => {
            let names: Vec<&str> = query.names.iter().map(|named| named.name.as_str()).collect();
            format!("insert {sink:?} {names:?} {}", query_meaning(query))
        }
        StatementKind::Explain { analyze, statement } => format!("explain {analyze} {}", statement_meaning(statement)),
        StatementKind::Job { verb, force, name, options: given } => format!("{verb} {force} {name} {}", options(given)),
        other @ (StatementKind::Drop { .. } | StatementKind::Show { .. } | StatementKind::Describe { .. }) => {
            format!("{other:?}")
        }
    }
}

fn query_meaning(query: &StreamQuery) -> String {
    let windows: Vec<String> = query
        .windows
        .iter()
        .map(|window| {
            let time = window.time.as_ref().map(ToString::to_string);
            let keys: Vec<String> = window.partition_by.iter().map(ToString::to_string).collect();
            format!("{:?} {time:?} {:?} {keys:?}", window.kind, window.grace)
        })
        .collect();
    format!("{} {windows:?} {:?} {:?} {:?} {}", query.query, query.emit, query.into, query.key, options(&query.options))
}

fn options(options: &crate::connectors::options::Options) -> String {
    options.iter().map(|(key, value)| format!("{key}={};", value.text)).collect()
}
