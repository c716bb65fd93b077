//! One statement: what its first words make it.

use sqlparser::tokenizer::Token;

use super::clause::{self, Scope, end_name};
use super::cursor::{Cursor, covered};
use super::declare;
use super::lex::Lexeme;
use super::lift::Lift;
use super::options;
use super::reader::Reader;
use super::statement::{
    Declaration, Definition, Diagnostic, EndName, InsertName, Object, Span, Statement, StatementKind, StreamQuery,
};
use crate::connectors::options::Options;

/// Words that a statement begins with.
const FIRST: &[&str] = &[
    "SELECT",
    "WITH",
    "VALUES",
    "CREATE",
    "INSERT INTO",
    "DROP",
    "SHOW",
    "DESCRIBE",
    "EXPLAIN",
    "START JOB",
    "STOP JOB",
    "PAUSE JOB",
    "RESUME JOB",
    "DEPLOY JOB",
    "ROLLBACK JOB",
];
/// What SHOW lists.
pub const SHOWN: &[&str] =
    &["STREAMS", "TABLES", "TOPICS", "FUNCTIONS", "JOBS", "CONNECTORS", "SOURCES", "SINKS", "VIEWS"];

/// Reads one statement; its tokens hold no semicolon.
pub(super) fn statement(reader: &Reader<'_>, lexemes: &[Lexeme], end: Span) -> Result<Statement, Diagnostic> {
    balanced(reader, lexemes)?;
    let span = covered(lexemes).unwrap_or(end);
    let kind = kind(reader, lexemes, end, 0)?;
    Ok(Statement { span, annotations: Vec::new(), kind })
}

/// Every bracket has its other half.
pub(super) fn balanced(reader: &Reader<'_>, lexemes: &[Lexeme]) -> Result<(), Diagnostic> {
    let mut open: Vec<&Lexeme> = Vec::new();
    for lexeme in lexemes {
        match lexeme.depth() {
            1 => open.push(lexeme),
            -1 => {
                let Some(opening) = open.pop() else {
                    let what = format!("`{}` closes nothing", lexeme.token);
                    return Err(reader.source.diagnostic(lexeme.span, what, "remove it, or open it before"));
                };
                let wanted = match opening.token {
                    Token::LParen => Token::RParen,
                    Token::LBracket => Token::RBracket,
                    _ => Token::RBrace,
                };
                if wanted != lexeme.token {
                    let (line, column) = reader.source.position(opening.span.start);
                    let what = format!("`{}` closes `{}` of line {line}, column {column}", lexeme.token, opening.token);
                    return Err(reader.source.diagnostic(lexeme.span, what, format!("write `{wanted}`")));
                }
            }
            _ => {}
        }
    }
    match open.pop() {
        Some(opening) => {
            let what = format!("`{}` is not closed", opening.token);
            Err(reader.source.diagnostic(opening.span, what, "close it before the statement ends"))
        }
        None => Ok(()),
    }
}

fn kind(reader: &Reader<'_>, lexemes: &[Lexeme], end: Span, explained: usize) -> Result<StatementKind, Diagnostic> {
    let mut cursor = Cursor::new(reader.source, lexemes, end);
    let Some(first) = cursor.peek() else { return Err(cursor.missing("a statement", "")) };
    match first.bare().map(str::to_ascii_uppercase).as_deref() {
        Some("SELECT" | "WITH" | "VALUES") => Ok(StatementKind::Query(query(reader, &mut cursor)?)),
        None if first.token == Token::LParen => Ok(StatementKind::Query(query(reader, &mut cursor)?)),
        Some("CREATE") => create(reader, &mut cursor),
        Some("INSERT") => insert(reader, &mut cursor),
        Some("DROP") => drop_object(&mut cursor),
        Some("SHOW") => show(&mut cursor),
        Some("DESCRIBE" | "DESC") => {
            cursor.next();
            cursor.take(&["EXTENDED"]);
            let name = end_name(reader, &mut cursor, "a name")?;
            cursor.done("DESCRIBE takes one name")?;
            Ok(StatementKind::Describe { name })
        }
        Some("EXPLAIN") => {
            cursor.next();
            if explained > 0 {
                return Err(reader.source.diagnostic(first.span, "EXPLAIN of EXPLAIN", "write EXPLAIN once"));
            }
            let analyze = cursor.take(&["ANALYZE"]) || cursor.take(&["ANALYSE"]);
            let rest = cursor.rest();
            let kind = kind(reader, rest, end, 1)?;
            let statement = Statement { span: covered(rest).unwrap_or(end), annotations: Vec::new(), kind };
            Ok(StatementKind::Explain { analyze, statement: Box::new(statement) })
        }
        Some("START" | "STOP" | "PAUSE" | "RESUME" | "DEPLOY" | "ROLLBACK") => job(reader, &mut cursor),
        _ => Err(cursor.expected_one_of(FIRST)),
    }
}

/// The rest of the statement as a query with everything that is lifted off it.
fn query(reader: &Reader<'_>, cursor: &mut Cursor<'_>) -> Result<StreamQuery, Diagnostic> {
    let lexemes = cursor.rest();
    cursor.at = cursor.lexemes.len();
    let mut lift = Lift::default();
    if lexemes.is_empty() {
        return Err(cursor.missing("a query", "write SELECT … FROM …"));
    }
    if !clause::is_query(lexemes) {
        let mut there = Cursor::new(reader.source, lexemes, cursor.end);
        there.at = 0;
        return Err(there.expected_one_of(&["SELECT", "WITH", "VALUES"]));
    }
    let scope = Scope { outermost: true, depth: 0, select: 0, end: cursor.end };
    let plain = clause::query(reader, lexemes, scope, &mut lift)?;
    let query = reader.query(&plain, cursor.end, &lift)?;
    unset(reader, &lift.options);
    Ok(StreamQuery {
        query,
        windows: lift.windows.into_iter().map(|window| window.spec).collect(),
        emit: lift.emit.map(|(emit, _)| emit),
        sink_place: lift.into.as_ref().map(|(_, named)| reader.source.place(*named)),
        into: lift.into.map(|(into, _)| into),
        names: Vec::new(),
        key: lift.key,
        options: lift.options,
    })
}

/// Warns of variables that nobody set, unless the sink fills them from columns.
fn unset(reader: &Reader<'_>, options: &Options) {
    let columns: Vec<&str> = options
        .iter()
        .filter(|(key, _)| key.ends_with("partition_by"))
        .flat_map(|(_, value)| value.text.split(','))
        .map(str::trim)
        .collect();
    for (name, span) in reader.unset.borrow_mut().drain(..) {
        if !columns.contains(&name.as_str()) {
            let next = format!("it stays as written; set {name}, or write ${{{name}:-default}}");
            reader.warn(span, format!("variable `{name}` is not set"), next);
        }
    }
}

fn create(reader: &Reader<'_>, cursor: &mut Cursor<'_>) -> Result<StatementKind, Diagnostic> {
    cursor.next();
    let or_replace = cursor.take(&["OR", "REPLACE"]);
    let object = if cursor.take(&["MATERIALIZED", "VIEW"]) {
        "MATERIALIZED VIEW"
    } else {
        let known = ["STREAM", "TABLE", "VIEW", "SOURCE", "SINK"];
        let found = known.into_iter().find(|word| cursor.peek().is_some_and(|next| next.is(word)));
        let Some(found) = found else {
            let words = ["STREAM", "TABLE", "VIEW", "MATERIALIZED VIEW", "SOURCE", "SINK"];
            return Err(cursor.expected_one_of(&words));
        };
        cursor.next();
        found
    };
    let if_not_exists = cursor.take(&["IF", "NOT", "EXISTS"]);
    // `CREATE STREAM AS SELECT … INTO 'file:///out/data.json'`: the sink gives the name.
    let unnamed = cursor.peek().is_some_and(|next| next.is("AS"))
        && cursor.ahead(1).is_some_and(|next| next.is_one_of(&["SELECT", "WITH"]));
    let name = match unnamed {
        true => String::new(),
        false => cursor.name(&format!("the name of the {}", object.to_lowercase()))?.0,
    };
    let begin = cursor.span();
    let mut options = Options::default();
    let mut columns = None;
    if let Some(group) = cursor.group() {
        let close = cursor.lexemes[cursor.at - 1].span;
        columns = Some(declare::columns(reader, group, close)?);
    }
    // ksqlDB says its options before AS.
    let optioned = cursor.peek().is_some_and(|next| next.is("WITH"))
        && cursor.ahead(1).is_some_and(|next| next.token == Token::LParen);
    if optioned {
        cursor.next();
        if let Some(group) = cursor.group() {
            options::read(reader, group, cursor.lexemes[cursor.at - 1].span, &mut options)?;
        }
    }
    if cursor.take(&["AS"]) {
        if let Some(columns) = columns.filter(|columns| !columns.columns.is_empty()) {
            let next = "name and cast them in the SELECT list: SELECT CAST(a AS BIGINT) AS a";
            return Err(reader.source.diagnostic(
                columns.span,
                "columns are not declared where a query says them",
                next,
            ));
        }
        let mut query = query(reader, cursor)?;
        query.options = query.options.over(&options);
        let name = match query.into.as_ref().filter(|_| unnamed) {
            Some(EndName::Name(sink)) => sink.clone(),
            Some(EndName::Uri(sink)) => stem(sink),
            None => name,
        };
        if name.is_empty() {
            let next = format!("write CREATE {object} name AS SELECT …");
            return Err(reader.source.diagnostic(
                begin,
                format!("the name of the {} is missing", object.to_lowercase()),
                next,
            ));
        }
        let definition = Definition { name, if_not_exists, or_replace, query };
        return match object {
            "STREAM" => Ok(StatementKind::CreateStream(definition)),
            "TABLE" | "MATERIALIZED VIEW" => Ok(StatementKind::CreateTable(definition)),
            "VIEW" => Ok(StatementKind::CreateView(definition)),
            _ => {
                let what = format!("CREATE {object} takes columns and options, not a query");
                let next = "write INSERT INTO sink SELECT …, or CREATE STREAM name AS SELECT … INTO sink";
                Err(reader.source.diagnostic(covered(cursor.lexemes).unwrap_or(cursor.end), what, next))
            }
        };
    }
    let object = match object {
        "STREAM" => Object::Stream,
        "TABLE" => Object::Table,
        "SOURCE" => Object::Source,
        "SINK" => Object::Sink,
        _ => return Err(cursor.missing("AS", &format!("write CREATE {object} {name} AS SELECT …"))),
    };
    if !optioned && cursor.peek().is_some() {
        return Err(cursor.expected_one_of(&["AS", "WITH (…)"]));
    }
    cursor.done("WITH (…) ends the declaration")?;
    if !optioned {
        let next = "write AS SELECT …, or WITH ('connector' = 'kafka', 'topic' = '…')";
        return Err(cursor.missing("AS or WITH (…)", next));
    }
    let columns = columns.unwrap_or_default();
    let declaration = Declaration {
        object,
        name,
        if_not_exists,
        or_replace,
        columns: columns.columns,
        watermark: columns.watermark,
        options,
    };
    Ok(StatementKind::Declare(declaration))
}

/// `data` of `file:///output/data.json?format=json`.
fn stem(uri: &str) -> String {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    last.split('.').next().unwrap_or_default().to_owned()
}

fn insert(reader: &Reader<'_>, cursor: &mut Cursor<'_>) -> Result<StatementKind, Diagnostic> {
    cursor.next();
    cursor.expect_word("INTO", "write INSERT INTO sink SELECT …")?;
    let sink_place = Some(reader.source.place(cursor.span()));
    let sink = end_name(reader, cursor, "a sink")?;
    let mut named = Vec::new();
    let list = cursor
        .ahead(1)
        .is_some_and(|next| !next.is_one_of(&["SELECT", "WITH", "VALUES"]) && next.token != Token::LParen);
    if list && let Some(group) = cursor.group() {
        let mut names = Cursor::new(reader.source, group, cursor.lexemes[cursor.at - 1].span);
        loop {
            let (name, span) = names.name("a column")?;
            named.push(InsertName { name, place: reader.source.place(span) });
            if !names.take_token(&Token::Comma) {
                break;
            }
        }
        names.done("columns are parted by commas")?;
    }
    let query = StreamQuery { names: named, sink_place, ..query(reader, cursor)? };
    Ok(StatementKind::Insert { sink, query })
}

fn drop_object(cursor: &mut Cursor<'_>) -> Result<StatementKind, Diagnostic> {
    cursor.next();
    let object = if cursor.take(&["MATERIALIZED", "VIEW"]) {
        "TABLE".to_owned()
    } else {
        let known = ["STREAM", "TABLE", "VIEW", "SOURCE", "SINK", "JOB"];
        match known.into_iter().find(|word| cursor.peek().is_some_and(|next| next.is(word))) {
            Some(word) => {
                cursor.next();
                word.to_owned()
            }
            None => return Err(cursor.expected_one_of(&known)),
        }
    };
    let if_exists = cursor.take(&["IF", "EXISTS"]);
    let (name, _) = cursor.name(&format!("the name of the {}", object.to_lowercase()))?;
    cursor.done("DROP takes one name")?;
    Ok(StatementKind::Drop { object, name, if_exists })
}

fn show(cursor: &mut Cursor<'_>) -> Result<StatementKind, Diagnostic> {
    cursor.next();
    let Some(object) = SHOWN.iter().find(|word| cursor.peek().is_some_and(|next| next.is(word))) else {
        return Err(cursor.expected_one_of(SHOWN));
    };
    cursor.next();
    cursor.done(&format!("SHOW {object} takes nothing more"))?;
    Ok(StatementKind::Show { object: (*object).to_owned() })
}

fn job(reader: &Reader<'_>, cursor: &mut Cursor<'_>) -> Result<StatementKind, Diagnostic> {
    let verb = cursor.next().and_then(Lexeme::bare).unwrap_or_default().to_ascii_uppercase();
    let mut force = cursor.take(&["FORCE"]);
    cursor.expect_word("JOB", &format!("write {verb} JOB name"))?;
    let (name, _) = cursor.name("the name of the job")?;
    force |= cursor.take(&["FORCE"]);
    if force && verb != "STOP" {
        let span = covered(cursor.lexemes).unwrap_or(cursor.end);
        return Err(reader.source.diagnostic(span, format!("{verb} JOB knows no FORCE"), "only STOP does"));
    }
    let mut options = Options::default();
    if verb == "DEPLOY" && cursor.take(&["WITH"]) {
        let Some(group) = cursor.group() else { return Err(cursor.missing("`(`", "write WITH ('key' = 'value')")) };
        options::read(reader, group, cursor.lexemes[cursor.at - 1].span, &mut options)?;
    }
    cursor.done(&format!("{verb} JOB takes one name"))?;
    Ok(StatementKind::Job { verb, force, name, options })
}
