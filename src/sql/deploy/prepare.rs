//! From a text and the number of a statement to a plan: what stands before it gives its names. It opens sources as far as
//! their schemas and runs nothing.

use std::collections::BTreeMap;
use std::time::Duration;

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
    let mut session = looking(variables);
    let (_, statement) = read(&mut session, text, index)?;
    let found = moves(&statement).and_then(|(query, into)| session.written(query, into));
    found.map_err(|fault| placed(fault, text, statement.span))
}

/// The statements that a job was made of, as they may be shown: those that name its ends and what it reads, and its own.
pub fn shown(definition: &Definition) -> String {
    let text = &definition.sql;
    let mut session = looking(&Variables::default());
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

/// What a statement, or its sink, says of how it is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// `delivery.guarantee`.
    pub delivery: Option<Delivery>,
    /// `checkpoint.interval`.
    pub checkpoint_interval: Option<Duration>,
}

/// What a statement says of how it is to run: nothing is opened.
///
/// # Errors
/// As [`written`].
pub fn said(variables: &Variables, text: &str, index: usize) -> Result<Said, Fault> {
    let mut session = looking(variables);
    let (_, statement) = read(&mut session, text, index)?;
    let found = moves(&statement).and_then(|(query, into)| session.said(query, into));
    let (exactly_once, checkpoint_interval) = found.map_err(|fault| placed(fault, text, statement.span))?;
    let delivery = exactly_once.map(|exactly| if exactly { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce });
    Ok(Said { delivery, checkpoint_interval })
}

/// A session for what a text says by itself.
fn looking(variables: &Variables) -> Session {
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    Session::new(builtin(), context, variables.clone(), ("discard".to_owned(), Options::default()))
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
    session.exactly_once = Some(definition.delivery == Delivery::ExactlyOnce);
    let (planned, named) = plan(session, wanted).await?;
    if named.writes_to.is_none() {
        return Err(nowhere());
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

/// Whether a job can be planned, has a sink that takes its rows, and finds the systems it reads and writes: whoever resumes it meets no mistake in its text.
///
/// # Errors
/// What [`deployed`] or the sink refuses.
pub async fn check(session: Session, definition: &Definition) -> Result<Checked, Fault> {
    let (planned, Named { session, .. }) = deployed(session, definition).await?;
    if let Some(NodeKind::Sink(sink)) = planned.plan.nodes.last().map(|node| &node.kind) {
        let connector = session.connectors.get(&sink.connector)?;
        connector.sink(sink.request.clone(), &session.context).await?;
        connector.reach(&sink.request, &session.context).await?;
    }
    for node in &planned.plan.nodes {
        if let NodeKind::Source(from) = &node.kind {
            from.source.splits().await?;
        }
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
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::connectors::contract::SinkRequest;

    /// What the sink of a job is asked to do, planned as a deployed job is.
    async fn asked(sink: &str, query: &str, delivery: Delivery) -> Result<SinkRequest, Fault> {
        let sql = format!(
            "CREATE SOURCE g (id BIGINT, k VARCHAR, n BIGINT) WITH ('connector' = 'generator');
            CREATE SINK t {sink}; INSERT INTO t {query}"
        );
        let definition = Definition { statement: 2, delivery, ..Definition::new("j", "qa", sql) };
        let (planned, _) = deployed(looking(&Variables::default()), &definition).await?;
        match planned.plan.nodes.into_iter().next_back().map(|node| node.kind) {
            Some(NodeKind::Sink(sink)) => Ok(sink.request),
            _ => Err(Fault::new(Blame::Program, "no sink")),
        }
    }

    #[tokio::test]
    async fn the_primary_key_of_a_sink_is_the_key_of_its_records_where_it_tells_rows_apart() {
        let counted = "SELECT k, COUNT(*) AS n FROM g GROUP BY k";
        let last =
            "SELECT k, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY n DESC) AS r FROM g) WHERE r = 1";
        let newest = "SELECT k, id FROM g ORDER BY id DESC LIMIT 3";
        let most = "SELECT k, n FROM (SELECT k, COUNT(*) AS n FROM g GROUP BY k) ORDER BY n DESC LIMIT 3";
        for (columns, query, expected) in [
            ("(id BIGINT, k VARCHAR PRIMARY KEY)", "SELECT id, k FROM g", Ok("k")),
            ("(id BIGINT, k VARCHAR, PRIMARY KEY (k, id) NOT ENFORCED)", "SELECT id, k FROM g", Ok("id k")),
            ("(k VARCHAR PRIMARY KEY, n BIGINT)", counted, Ok("k")),
            ("(k VARCHAR, n BIGINT, PRIMARY KEY (k, n) NOT ENFORCED)", counted, Ok("k n")),
            ("(k VARCHAR, n BIGINT PRIMARY KEY)", counted, Err("known by k: make it PRIMARY KEY (n, k)")),
            ("(k VARCHAR PRIMARY KEY, id BIGINT)", last, Ok("k")),
            ("(k VARCHAR PRIMARY KEY, n BIGINT)", most, Ok("k")),
            ("(k VARCHAR PRIMARY KEY, id BIGINT)", newest, Err("two rows of the result may have the same")),
            (
                "(n BIGINT PRIMARY KEY)",
                "SELECT COUNT(*) AS n FROM g GROUP BY k",
                Err("SELECT k too, and make it PRIMARY KEY (n, k)"),
            ),
        ] {
            let sink = format!("{columns} WITH ('connector' = 'kafka', 'topic' = 't')");
            let asked = asked(&sink, query, Delivery::AtLeastOnce).await;
            let keys = asked.map(|request| {
                let names = request.key.iter().map(|column| request.schema.field(*column).name().clone());
                names.collect::<Vec<_>>().join(" ")
            });
            match (keys, expected) {
                (Ok(keys), Ok(expected)) => assert_eq!(keys, expected, "{columns} {query}"),
                (Err(fault), Err(said)) => assert!(fault.to_string().contains(said), "{columns} {query}: {fault}"),
                (keys, _) => panic!("{columns} {query}: {keys:?}"),
            }
        }
    }

    #[tokio::test]
    async fn transactions_are_asked_for_where_rows_are_written_once() {
        let sink = "(id BIGINT) WITH ('connector' = 'kafka', 'transactional.id' = 'mine')";
        let asked = |delivery| asked(sink, "SELECT id FROM g", delivery);
        assert_eq!(asked(Delivery::ExactlyOnce).await.map(|request| request.exactly_once), Ok(true));
        let refused = asked(Delivery::AtLeastOnce).await.map(drop).unwrap_err().to_string();
        assert!(
            refused.contains("`transactional.id`") && refused.contains("'delivery.guarantee' = 'exactly-once'"),
            "{refused}"
        );
    }

    #[test]
    fn a_text_says_how_it_is_delivered_in_its_sink_or_in_its_query() {
        let exact = "'delivery.guarantee' = 'exactly-once'";
        let declared = format!("CREATE SINK t WITH ('connector' = 'kafka', {exact}); INSERT INTO t SELECT 1 AS id");
        let written = format!(
            "CREATE SINK t WITH ('connector' = 'kafka'); INSERT INTO t SELECT id FROM s
            WITH ({exact}, 'checkpoint.interval' = '2s')"
        );
        let said = |text: &str| said(&Variables::default(), text, 1);
        let (delivery, interval) = (Some(Delivery::ExactlyOnce), Some(Duration::from_secs(2)));
        assert_eq!(said(&declared), Ok(Said { delivery, checkpoint_interval: None }));
        assert_eq!(said(&written), Ok(Said { delivery, checkpoint_interval: interval }));
        assert_eq!(said("SELECT 1; INSERT INTO t SELECT 1 AS id"), Ok(Said::default()));
    }

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
