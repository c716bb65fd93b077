//! The columns of a declaration: types, keys, watermark.

use sqlparser::ast as sql;
use sqlparser::tokenizer::Token;

use super::cursor::{Cursor, by_commas, covered};
use super::lex::Lexeme;
use super::reader::Reader;
use super::statement::{Column, Diagnostic, Span};
use crate::core::words::did_you_mean;

/// What stood between the brackets.
#[derive(Default)]
pub(super) struct Columns {
    pub columns: Vec<Column>,
    pub watermark: Option<(String, sql::Expr)>,
    pub span: Span,
}

/// Words that end a column's type.
const AFTER_TYPE: &[&str] = &[
    "NOT",
    "NULL",
    "PRIMARY",
    "KEY",
    "METADATA",
    "AS",
    "GENERATED",
    "COMMENT",
    "DEFAULT",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
];

/// Columns, `PRIMARY KEY (a, b) [NOT ENFORCED]` and `WATERMARK FOR ts AS …`.
pub(super) fn columns(reader: &Reader<'_>, group: &[Lexeme], end: Span) -> Result<Columns, Diagnostic> {
    let mut found = Columns { span: covered(group).unwrap_or(end), ..Columns::default() };
    let mut keys: Vec<(String, Span)> = Vec::new();
    for part in typed_parts(group) {
        let mut cursor = Cursor::new(reader.source, part, end);
        if part.is_empty() {
            return Err(reader.source.diagnostic(end, "a column is missing here", "write name TYPE"));
        }
        if cursor.take(&["PRIMARY", "KEY"]) {
            let Some(names) = cursor.group() else { return Err(cursor.missing("`(`", "write PRIMARY KEY (name)")) };
            let mut names = Cursor::new(reader.source, names, end);
            loop {
                keys.push(names.name("a column")?);
                if !names.take_token(&Token::Comma) {
                    break;
                }
            }
            names.done("columns are parted by commas")?;
            cursor.take(&["NOT", "ENFORCED"]);
            cursor.done("")?;
        } else if part[0].is("WATERMARK") && part.get(1).is_none_or(|next| next.is("FOR")) {
            cursor.next();
            let next = "write WATERMARK FOR ts AS ts - INTERVAL '5' SECOND";
            cursor.expect_word("FOR", next)?;
            let (name, span) = cursor.name("a column")?;
            // `WATERMARK FOR ts` alone: the time as it comes.
            let expression = if cursor.peek().is_none() {
                sql::Expr::Identifier(sql::Ident::new(&name))
            } else {
                cursor.expect_word("AS", next)?;
                reader.expression(cursor.rest(), end)?
            };
            if found.watermark.replace((name, expression)).is_some() {
                return Err(reader.source.diagnostic(
                    span,
                    "a second WATERMARK",
                    "keep one: a table has one event time",
                ));
            }
        } else {
            let named = cursor.span();
            let column = column(reader, &mut cursor, end)?;
            if found.columns.iter().any(|known: &Column| known.name == column.name) {
                let what = format!("two columns are called `{}`", column.name);
                return Err(reader.source.diagnostic(named, what, "give one of them another name"));
            }
            found.columns.push(column);
        }
    }
    for (name, span) in keys {
        match found.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&name)) {
            Some(column) => column.primary_key = true,
            None => {
                let columns = found.columns.iter().map(|column| column.name.as_str());
                let next = did_you_mean(&name, columns).unwrap_or_default();
                return Err(reader.source.diagnostic(span, format!("PRIMARY KEY names no column: `{name}`"), next));
            }
        }
    }
    Ok(found)
}

/// Cuts at commas that stand outside of brackets and of `MAP<a, b>`.
fn typed_parts(group: &[Lexeme]) -> Vec<&[Lexeme]> {
    let mut parts: Vec<&[Lexeme]> = Vec::new();
    let mut start = 0;
    let mut angles = 0_i32;
    let mut at = 0;
    for part in by_commas(group) {
        let end = at + part.len();
        for (index, lexeme) in part.iter().enumerate() {
            let opens = index > 0 && part[index - 1].is_one_of(&["MAP", "ARRAY", "STRUCT", "ROW"]);
            match lexeme.token {
                Token::Lt if opens || angles > 0 => angles += 1,
                Token::Gt if angles > 0 => angles -= 1,
                Token::ShiftRight if angles > 0 => angles = (angles - 2).max(0),
                _ => {}
            }
        }
        if angles == 0 {
            parts.push(&group[start..end]);
            start = end + 1;
        }
        at = end + 1;
    }
    if start < group.len() {
        parts.push(&group[start..]);
    }
    parts
}

fn column(reader: &Reader<'_>, cursor: &mut Cursor<'_>, end: Span) -> Result<Column, Diagnostic> {
    let (name, span) = cursor.name("the name of a column")?;
    let mut column = Column {
        name,
        data_type: sql::DataType::Unspecified,
        type_place: reader.source.place(span),
        not_null: false,
        primary_key: false,
        metadata: None,
        computed: None,
    };
    let rest = cursor.rest();
    let mut depth = 0;
    let length = rest.iter().position(|lexeme| {
        let ends = depth == 0 && lexeme.is_one_of(AFTER_TYPE);
        depth += lexeme.depth();
        ends
    });
    let typed = &rest[..length.unwrap_or(rest.len())];
    if !typed.is_empty() {
        column.data_type = reader.data_type(&spelt(typed), end)?;
        column.type_place = reader.source.place(typed[0].span);
    }
    cursor.at += typed.len();
    while let Some(lexeme) = cursor.peek() {
        if cursor.take(&["NOT", "NULL"]) {
            column.not_null = true;
        } else if cursor.take(&["PRIMARY", "KEY"]) || cursor.take(&["KEY"]) {
            column.primary_key = true;
        } else if cursor.take(&["METADATA"]) {
            let from = if cursor.take(&["FROM"]) {
                let text = cursor.next().and_then(Lexeme::string);
                text.ok_or_else(|| cursor.missing("a name in quotes", "write METADATA FROM 'timestamp'"))?.to_owned()
            } else {
                column.name.clone()
            };
            cursor.take(&["VIRTUAL"]);
            column.metadata = Some(from);
        } else if cursor.take(&["GENERATED", "ALWAYS"]) || lexeme.is("AS") {
            cursor.expect_word("AS", "write name AS expression")?;
            column.computed = Some(reader.expression(cursor.rest(), end)?);
            cursor.at = cursor.lexemes.len();
        } else if cursor.take(&["COMMENT"]) {
            cursor.next();
        } else if !cursor.take(&["NULL"]) {
            return Err(cursor.expected_one_of(&["NOT NULL", "PRIMARY KEY", "METADATA", "AS"]));
        }
    }
    if column.computed.is_none() && column.data_type == sql::DataType::Unspecified {
        return Err(cursor.missing(
            &format!("the type of `{}`", column.name),
            "write BIGINT, DECIMAL(18, 2), VARCHAR, TIMESTAMP(3) …",
        ));
    }
    Ok(column)
}

/// Types that other engines write otherwise, in sqlparser's spelling: `ROW<…>`, `MAP<k, v>`, `TIMESTAMP_LTZ(3)`.
fn spelt(typed: &[Lexeme]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(typed.len());
    // Whether each open `<` is that of a MAP, whose brackets are round here.
    let mut maps: Vec<bool> = Vec::new();
    let round = |lexeme: &Lexeme, map: bool| lexeme.becomes(if map { Token::RParen } else { Token::Gt });
    for lexeme in typed {
        match &lexeme.token {
            Token::Lt => {
                let map = out.last().is_some_and(|before| before.is("MAP"));
                maps.push(map);
                out.push(lexeme.becomes(if map { Token::LParen } else { Token::Lt }));
            }
            Token::Gt => out.push(round(lexeme, maps.pop().unwrap_or_default())),
            Token::ShiftRight => match (maps.pop(), maps.pop()) {
                (Some(false), Some(false)) => out.push(lexeme.clone()),
                (inner, outer) => {
                    out.extend([inner, outer].into_iter().flatten().map(|map| round(lexeme, map)));
                }
            },
            _ if lexeme.is("ROW") => out.push(lexeme.becomes(Token::make_keyword("STRUCT"))),
            _ if lexeme.is("TIMESTAMP_LTZ") => out.push(lexeme.becomes(Token::make_keyword("TIMESTAMP"))),
            _ => out.push(lexeme.clone()),
        }
    }
    out
}
