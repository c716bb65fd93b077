//! Answers without a job: DESCRIBE, SHOW and EXPLAIN, as statements and as commands.

use std::io;

use arrow::datatypes::Schema;
use clap::Args;
use comfy_table::Cell;
use serde::Serialize;

use super::text::planning;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::core::fault::{Blame, Fault};
use crate::core::words::counted;
use crate::formats::types;
use crate::kafka::admin::Admin;
use crate::sql::functions::list;
use crate::sql::parse::statement::{EndName, Statement, StatementKind};
use crate::sql::plan::picture;
use crate::sql::plan::session::Session as Planning;

/// Flags of `sql describe`.
#[derive(Debug, Clone, Args)]
pub struct DescribeArguments {
    /// Topic, or URI: 'file:///tmp/trades.csv?header=true'
    pub source: String,
}

/// What `sql describe --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui sql describe orders
  velox-tui sql describe 'file:///tmp/trades.csv?header=true'
  velox-tui sql describe orders --format json

Columns that nothing declares are inferred from a sample. The DDL that is printed pins them.";

#[derive(Serialize)]
struct Described {
    name: String,
    about: String,
    columns: Vec<ColumnOf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ddl: Option<String>,
}

#[derive(Serialize)]
struct ColumnOf {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
}

/// Shows the columns of a source.
pub async fn run(arguments: &DescribeArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let planning = planning(session)?;
    let name = match arguments.source.contains("://") {
        true => EndName::Uri(arguments.source.clone()),
        false => EndName::Name(arguments.source.clone()),
    };
    let sandbox = async {
        match &planning.context.kafka {
            Some(connection) => sandbox::events(connection).await,
            None => std::future::pending().await,
        }
    };
    let work = async {
        tokio::select! {
            described = planning.describe(&name) => described,
            never = sandbox => match never {},
        }
    };
    let (described, _) = signals::drive(work, []).await?;
    let (schema, about) = described?;
    let ddl = planning.pinned(&name, &schema)?;
    show(&arguments.source, &schema, (about, ddl), output)?;
    Ok(Exit::Done)
}

fn show(name: &str, schema: &Schema, (about, ddl): (String, Option<String>), output: &mut Output) -> io::Result<()> {
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| ColumnOf { name: field.name().clone(), data_type: types::name(field.data_type()) })
        .collect();
    let described = Described { name: name.to_owned(), about, columns, ddl };
    output.show(&described, |page| {
        page.line(&described.about)?;
        let rows = described.columns.iter().map(|column| vec![Cell::new(&column.name), Cell::new(&column.data_type)]);
        page.table(&["column", "type"], rows, 2)?;
        match &described.ddl {
            Some(ddl) => {
                let shown = format!("\n{}", page.safe(ddl));
                page.text(&shown)
            }
            None => Ok(()),
        }
    })
}

/// Answers a statement that moves no rows; `None` for one that does, or that only gives a name.
pub async fn answer(
    planning: &Planning,
    statement: &Statement,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<Option<io::Result<()>>, Failure> {
    Ok(match &statement.kind {
        StatementKind::Describe { name } => {
            let (schema, about) = planning.describe(name).await?;
            let ddl = planning.pinned(name, &schema)?;
            let name = match name {
                EndName::Name(name) | EndName::Uri(name) => name,
            };
            Some(show(name, &schema, (about, ddl), output))
        }
        StatementKind::Show { object } => Some(shown(planning, object, session, output).await?),
        StatementKind::Explain { analyze: false, statement } => {
            let drawn = explained(planning, statement).await?;
            Some(output.show(&drawn, |page| page.text(&drawn.text)))
        }
        StatementKind::Explain { analyze: true, .. } => {
            return Err(Failure::usage(
                "EXPLAIN ANALYZE runs the statement",
                "use: velox-tui sql explain --analyze -e '…'",
            ));
        }
        StatementKind::Job { verb, .. } => {
            let command = match verb.as_str() {
                "START" | "RESUME" => "jobs resume NAME",
                "STOP" | "PAUSE" => "jobs stop NAME",
                "DEPLOY" => "sql deploy FILE --name NAME",
                _ => "jobs list",
            };
            return Err(Failure::usage(
                format!("{verb} JOB is a command of its own"),
                format!("use: velox-tui {command}"),
            ));
        }
        _ => None,
    })
}

/// A plan, drawn.
#[derive(Serialize)]
pub struct Drawn {
    /// The tree.
    #[serde(skip)]
    pub text: String,
    /// Its nodes.
    pub nodes: Vec<picture::Drawn>,
    /// What works and should be known.
    pub warnings: Vec<String>,
}

/// The plan of a statement.
///
/// # Errors
/// A statement that has none, or that cannot be planned.
pub async fn explained(planning: &Planning, statement: &Statement) -> Result<Drawn, Failure> {
    let (query, into) = match &statement.kind {
        StatementKind::Query(query) => (query, None),
        StatementKind::Insert { sink, query, .. } => (query, Some(sink)),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) | StatementKind::CreateView(made) => {
            (&made.query, None)
        }
        _ => return Err(Failure::usage("this statement has no plan", "EXPLAIN a SELECT, a CREATE … AS or an INSERT")),
    };
    let planned = planning.plan("explain", query, into, false).await?;
    let nodes = picture::nodes(&planned.plan);
    let mut warnings = planned.warnings;
    warnings.extend(planning.creates(&planned.plan).await);
    Ok(Drawn { text: picture::tree(&planned.plan), nodes, warnings })
}

async fn shown(
    planning: &Planning,
    object: &str,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<io::Result<()>, Failure> {
    let rows: Vec<(String, String)> = match object {
        "FUNCTIONS" => {
            list::entries(&planning.functions).into_iter().map(|one| (one.signatures.join("; "), one.help)).collect()
        }
        "TOPICS" => {
            let Some(connection) = &planning.context.kafka else {
                return Err(Fault::new(Blame::Configuration, "no environment answers for topics")
                    .next("give --environment")
                    .into());
            };
            let patience = crate::cli::session::patience(connection);
            let cluster = Admin::open(connection)?.cluster(None, patience).await?;
            cluster
                .topics
                .iter()
                .map(|topic| (topic.name.to_string(), counted(topic.partitions.len() as u64, "partition")))
                .collect()
        }
        "JOBS" => {
            let (kept, _) = session.shelf()?.list();
            kept.into_iter().map(|job| (job.definition.name.clone(), job.definition.shown_statement())).collect()
        }
        "CONNECTORS" => {
            planning.connectors.all().iter().map(|one| (one.name().to_owned(), one.help().to_owned())).collect()
        }
        _ => {
            let kind = object.trim_end_matches('S').to_lowercase();
            planning.names().into_iter().filter(|(_, is)| *is == kind).map(|(name, is)| (name, is.to_owned())).collect()
        }
    };
    #[derive(Serialize)]
    struct Row<'a> {
        name: &'a str,
        about: &'a str,
    }
    let listed: Vec<_> = rows.iter().map(|(name, about)| Row { name, about }).collect();
    Ok(output.show(&listed, |page| {
        if rows.is_empty() {
            return page.line(format!("no {} yet", object.to_lowercase()));
        }
        page.table(&["name", "about"], rows.iter().map(|(name, about)| vec![Cell::new(name), Cell::new(about)]), 2)
    }))
}
