//! From a text and the number of a statement to a plan: what stands before it gives its names. It opens sources as far as
//! their schemas and runs nothing.

use std::collections::BTreeMap;

use super::definition::{Definition, Delivery};
use crate::config::variables::Variables;
use crate::connectors::contract::{Context, Written};
use crate::connectors::options::Options;
use crate::connectors::registry::builtin;
use crate::core::fault::{Blame, Fault, Place};
use crate::sql::parse;
use crate::sql::parse::statement::{EndName, Span, Statement, StatementKind, StreamQuery};
use crate::sql::plan::kept::inferred;
use crate::sql::plan::session::{Planned, Session};
use crate::sql::plan::stream::NodeKind;

/// What messages call the text.
pub const NAME: &str = "query";

/// A statement that is to be planned.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The statement, from 0, as [`parse::statements`] counts.
    pub statement: usize,
    /// The name that its job will have.
    pub job: &'a str,
}

/// What a plan was made of.
pub struct Named {
    /// The session in which it was planned.
    pub session: Session,
    /// Where the statement says that rows go.
    pub writes_to: Option<String>,
    /// The statement's text.
    pub sql: String,
    /// The texts of the definitions that it stands on, by name.
    pub definitions: BTreeMap<String, String>,
}

/// Plans a statement.
///
/// # Errors
/// A text that is no SQL where it counts, a statement that moves no rows, what the planner refuses; each with its place.
pub async fn plan(mut session: Session, wanted: Wanted<'_>) -> Result<(Planned, Named), Fault> {
    let Wanted { text, statement: index, job } = wanted;
    let (before, statement) = read(&mut session, text, index)?;
    let (query, into) = moves(&statement).map_err(|fault| placed(fault, text, statement.span))?;
    let definitions = session.behind(query, into, text, &before);
    let planned = session.plan(job, query, into, false).await.map_err(|fault| placed(fault, text, statement.span))?;
    let writes_to = into.or(query.into.as_ref()).map(|end| match end {
        EndName::Name(name) | EndName::Uri(name) => name.clone(),
    });
    let sql = text[statement.span.start..statement.span.end].to_owned();
    Ok((planned, Named { session, writes_to, sql, definitions }))
}

/// The topics that a statement would write to, as far as its text says it: nothing is opened.
///
/// # Errors
/// As [`plan`], save what only a look at the sources shows.
pub fn written(variables: &Variables, text: &str, index: usize) -> Result<Vec<Written>, Fault> {
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    let mut session = Session::new(builtin(), context, variables.clone(), ("discard".to_owned(), Options::default()));
    let (_, statement) = read(&mut session, text, index)?;
    let found = moves(&statement).and_then(|(query, into)| session.written(query, into));
    found.map_err(|fault| placed(fault, text, statement.span))
}

/// The statements that a job was made of, as they may be shown: those that name its ends and what it reads, and its own.
pub fn shown(definition: &Definition) -> String {
    let text = &definition.sql;
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    let screen = ("discard".to_owned(), Options::default());
    let mut session = Session::new(builtin(), context, Variables::default(), screen);
    // A text that this version does not read is shown as far as it can be cut.
    let Ok((before, statement)) = read_with(&mut session, text, definition.statement, &|_| None) else {
        return definition.shown_statement();
    };
    let Ok((query, into)) = moves(&statement) else { return definition.shown_statement() };
    let names = session.names_behind(query, into);
    let named = before.iter().filter(|one| one.kind.defines().is_some_and(|name| names.contains(name)));
    let written = named.chain([&statement]).filter_map(|one| text.get(one.span.start..one.span.end));
    let shown: Vec<_> = written.map(|one| format!("{};", parse::without_secrets(one))).collect();
    shown.join("\n")
}

/// The statement of this number behind those before it, whose names the session knows then.
fn read(session: &mut Session, text: &str, index: usize) -> Result<(Vec<Statement>, Statement), Fault> {
    let variables = session.variables.clone();
    read_with(session, text, index, &|variable| variables.get(variable).map(|value| value.expose().to_owned()))
}

fn read_with(
    session: &mut Session,
    text: &str,
    index: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(Vec<Statement>, Statement), Fault> {
    let script = parse::parse_with(text, NAME, lookup);
    let Some(span) = parse::statements(text).get(index).copied() else {
        return Err(Fault::new(Blame::Operator, "there is no such statement"));
    };
    // A broken statement before it may be the one that gives it a name; what comes after it is not asked.
    if let Some(error) = script.errors.iter().find(|error| error.span.start < span.end) {
        return Err(error.fault.clone());
    }
    let (before, rest): (Vec<_>, Vec<_>) =
        script.statements.into_iter().partition(|statement| statement.span.end <= span.start);
    for statement in &before {
        session.define(&statement.kind).map_err(|fault| placed(fault, text, statement.span))?;
    }
    let found = rest.into_iter().next().filter(|statement| statement.span.start < span.end);
    let found = found.ok_or_else(|| Fault::new(Blame::Operator, "there is no such statement"))?;
    Ok((before, found))
}

/// Plans a job as it will run: for the sink that its definition wants.
///
/// # Errors
/// As [`plan`]; a statement that writes nowhere.
pub async fn deployed(mut session: Session, definition: &Definition) -> Result<(Planned, Named), Fault> {
    session.keep_columns(&definition.columns)?;
    let name = definition.run_name();
    let wanted = Wanted { text: &definition.sql, statement: definition.statement, job: &name };
    let (mut planned, named) = plan(session, wanted).await?;
    if named.writes_to.is_none() {
        return Err(nowhere());
    }
    if let Some(NodeKind::Sink(sink)) = planned.plan.nodes.last_mut().map(|node| &mut node.kind) {
        sink.request.exactly_once = definition.delivery == Delivery::ExactlyOnce;
    }
    Ok((planned, named))
}

/// What a look at a job that is to be deployed has shown.
#[derive(Debug, Default)]
pub struct Checked {
    /// What works and should be known.
    pub warnings: Vec<String>,
    /// Columns that were read from a sample, by the name of their source: the job is to keep them.
    pub columns: BTreeMap<String, String>,
}

/// Whether a job can be planned and has a sink that takes its rows: whoever resumes it meets no mistake in its text.
///
/// # Errors
/// What [`deployed`] or the sink refuses.
pub async fn check(session: Session, definition: &Definition) -> Result<Checked, Fault> {
    let (planned, Named { session, .. }) = deployed(session, definition).await?;
    if let Some(NodeKind::Sink(sink)) = planned.plan.nodes.last().map(|node| &node.kind) {
        let connector = session.connectors.get(&sink.connector)?;
        connector.sink(sink.request.clone(), &session.context).await?;
    }
    Ok(Checked { columns: inferred(&planned.plan), warnings: planned.warnings })
}

/// The fault of a statement that is to be deployed and writes nowhere.
pub fn nowhere() -> Fault {
    Fault::new(Blame::Operator, "the statement does not say where its rows go").next(
        "write INSERT INTO name SELECT …, or INTO name behind the query: a topic of the environment, a declared sink or a URI",
    )
}

/// The query of a statement that moves rows, and where INSERT says that they go.
fn moves(statement: &Statement) -> Result<(&StreamQuery, Option<&EndName>), Fault> {
    let refused = |what: &str, next: &str| Err(Fault::new(Blame::Operator, what).next(next));
    match &statement.kind {
        StatementKind::Query(query) => Ok((query, None)),
        StatementKind::Insert { sink, query, .. } => Ok((query, Some(sink))),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) | StatementKind::CreateView(made) => {
            Ok((&made.query, None))
        }
        StatementKind::Explain { statement, .. } => moves(statement),
        StatementKind::Declare(declared) => refused(
            "this statement only says where rows are",
            &format!("run a query that reads it: SELECT * FROM {}", declared.name),
        ),
        _ => refused("this statement moves no rows", "put the cursor on a SELECT, an INSERT or a CREATE … AS"),
    }
}

/// A planner's fault at its place in the text; at the statement's beginning where it has none.
fn placed(mut fault: Fault, text: &str, statement: Span) -> Fault {
    match &mut fault.place {
        Some(place) if place.file.is_empty() => NAME.clone_into(&mut place.file),
        Some(_) => {}
        None => {
            let before = &text[..statement.start.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
            let number = |at: usize| u32::try_from(at).unwrap_or(0);
            fault.place = Some(Place::at(NAME, number(line), number(column)));
        }
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_writes_to_is_known_from_its_text() {
        let topic = |topic: &str, brokers: Option<&str>| Written {
            topic: topic.to_owned(),
            brokers: brokers.map(str::to_owned),
        };
        let declared = "CREATE SINK paid WITH ('connector' = 'kafka', 'topic' = 'p', 'bootstrap.servers' = 'b:1');
            INSERT INTO paid SELECT id FROM 'file://in.csv' WITH ('failure_strategy' = 'SendToDLQ', 'dead_letter.topic' = 'bad')";
        for (text, statement, expected) in [
            (declared, 1, vec![topic("p", Some("b:1")), topic("bad", None)]),
            ("INSERT INTO 'kafka://b:1,c:2/p' SELECT 1 AS id", 0, vec![topic("p", Some("b:1,c:2"))]),
            ("INSERT INTO p SELECT 1 AS id", 0, vec![topic("p", None)]),
            ("INSERT INTO 'file://out/p.csv' SELECT 1 AS id", 0, Vec::new()),
            ("SELECT 1 AS id", 0, Vec::new()),
        ] {
            assert_eq!(written(&Variables::default(), text, statement), Ok(expected), "{text}");
        }
    }
}
