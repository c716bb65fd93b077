//! `velox-tui sql deploy`: a statement becomes a job that survives its process. It is kept in the state folder, and runs here
//! until it is stopped, or, registered only, where it is resumed.

use std::time::Duration;

use clap::Args;

use super::text::{Input, Source};
use crate::app::deploy::into;
use crate::cli::arguments::duration;
use crate::cli::audit::Audited;
use crate::cli::clusters::Guards;
use crate::cli::guard::{self, GuardArguments, Terminal};
use crate::cli::jobs::{Foreground, StateFolder, opening, program};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::clock::now_ms;
use crate::core::fault::{Fault, Place};
use crate::kafka::admin::off_the_async_threads;
use crate::sql::deploy::definition::{CHECKPOINT_INTERVAL_MS, Definition, Delivery};
use crate::sql::deploy::hold::Hold;
use crate::sql::deploy::prepare::{self, Checked, NAME, nowhere};
use crate::sql::deploy::shelf::Shelf;
use crate::sql::parse::statement::StatementKind;

/// Flags of `sql deploy`.
#[derive(Debug, Clone, Args)]
pub struct DeployArguments {
    /// The SQL.
    #[command(flatten)]
    pub input: Input,
    /// Name of the job [default: the name that the statement gives, else the file's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How often each result is written over restarts [default: what 'delivery.guarantee' in the text says, else at-least-once]
    #[arg(long, value_enum)]
    pub delivery: Option<Delivery>,
    /// Between two checkpoints [default: what 'checkpoint.interval' in the text says, else 10s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub checkpoint_interval: Option<Duration>,
    /// Keep it and do not run it here: `jobs resume`, or a console, does
    #[arg(long)]
    pub register: bool,
    /// Give a job that is there, and stopped, this text: it goes on from its last checkpoint, with the state that still fits
    #[arg(long)]
    pub replace: bool,
    /// The guard of the environment that is written to.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// Where jobs are kept.
    #[command(flatten)]
    pub state: StateFolder,
}

/// What `sql deploy --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui sql deploy spend.sql --name spend_by_customer --delivery exactly-once
  velox-tui sql deploy spend.sql --register && velox-tui jobs resume spend
  velox-tui jobs stop spend && velox-tui sql deploy spend.sql --replace

The text holds one statement that writes somewhere (INSERT INTO … SELECT …, or a query with INTO) behind any that give \
names to it. It runs in this process, as a service runs it: SIGINT or SIGTERM writes a savepoint and ends with 5, and \
`jobs resume NAME` goes on from there; a console lists it and offers the same.

With --replace a stopped job of that name gets this text, and so its options: 'parallelism' = '4' behind WITH of the query, \
'lost.offset' of a source. It goes on from its last checkpoint. What of its state no longer fits (another GROUP BY, another \
window) is dropped, and said when it starts; another sink topic is refused where it writes exactly once.

Exit codes: 0 done or registered, 1 some records failed, 2 SQL or configuration, 3 connection, 4 authentication, 5 stopped by a signal.";

/// Keeps the job and runs it.
pub async fn run(arguments: &DeployArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let source = arguments.input.read(&session.config.variables)?;
    for warning in &source.script.warnings {
        tracing::warn!("{}", warning.fault);
    }
    let environment = session.environment()?;
    let (statement, target) = the_one(&source)?;
    let name = arguments
        .name
        .clone()
        .or_else(|| named(arguments, &source, statement))
        .ok_or_else(|| Failure::usage("the job has no name", "give --name NAME"))?;
    let said = prepare::said(&session.config.variables, &source.text, statement);
    let said = said.map_err(|fault| drawn(&source, statement, fault.into()))?;
    let delivery = Delivery::agreed(arguments.delivery, said.delivery, "--delivery")?;
    let interval = arguments.checkpoint_interval.or(said.checkpoint_interval);
    let definition = Definition {
        statement,
        delivery,
        checkpoint_interval_ms: interval
            .map_or(CHECKPOINT_INTERVAL_MS, |interval| u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)),
        created_ms: now_ms(),
        ..Definition::new(name, &environment.name, &source.text)
    };
    let shelf = session.shelf()?;
    let before = if arguments.replace { Some(shelf.read(&definition.name)?.definition) } else { None };
    let definition = match &before {
        Some(before) => definition.in_place_of(before)?,
        None => definition,
    };
    definition.check()?;
    if let Some(warning) = definition.warning() {
        tracing::warn!("{warning}");
    }
    let does = if arguments.replace { "replace" } else { "deploy" };
    let what = format!("{does} job {}: its rows go to {target}", definition.name);
    let guards = Guards::of_job(&definition, session).map_err(|fault| drawn(&source, statement, fault.into()))?;
    let audited = Audited::new(session, guards.names(), &what);
    audited.permitted(guard::permit(&guards.list(), &arguments.guard, &what, &mut Terminal))?;
    let outcome = async {
        let Checked { warnings: said, columns } = planned(&definition, session).await?;
        let definition = Definition { columns, ..definition };
        let hold = kept(&shelf, &definition, arguments.replace)?;
        if arguments.register {
            drop(hold);
            let line = format!(
                "{0} is kept in {1}; velox-tui jobs resume {0} runs it",
                definition.name,
                shelf.state().display()
            );
            output.show(&definition.shown(), |page| page.line(line))?;
            return Ok(Exit::Done);
        }
        Foreground { definition, shelf, hold, said }.run(session, output).await
    };
    let outcome = outcome.await.map_err(|failure| drawn(&source, statement, failure));
    audited.ended(outcome.as_ref().copied(), None);
    outcome
}

/// Holds the job and keeps it: a new one, or another text of one that is there and nobody runs.
fn kept(shelf: &Shelf, definition: &Definition, replaces: bool) -> Result<Hold, Fault> {
    let program = program("sql deploy");
    if replaces {
        let (hold, _) = shelf.hold_seen(definition, &program)?;
        shelf.write(definition)?;
        return Ok(hold);
    }
    let hold = shelf.hold_job(&definition.name, &program)?;
    shelf.add(definition)?;
    Ok(hold)
}

/// Plans the job as whoever resumes it will: what is wrong with it is told before anything is kept. Gives what it has
/// shown.
async fn planned(definition: &Definition, session: &Session<'_>) -> Result<Checked, Failure> {
    let opening = opening(session, &definition.environment)?;
    let planning = off_the_async_threads(opening).await?;
    let connection = planning.context.kafka.clone();
    let work = async {
        let events = async {
            match &connection {
                Some(connection) => sandbox::events(connection).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            checked = prepare::check(planning, definition) => checked,
            never = events => match never {},
        }
    };
    let (checked, _) = signals::drive(work, []).await?;
    let checked = checked?;
    checked.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(checked)
}

/// What is wrong with the statement, underlined in the text as it was given.
fn drawn(source: &Source, statement: usize, failure: Failure) -> Failure {
    let (Failure::Fault { fault, code: None }, Some(statement)) = (&failure, source.script.statements.get(statement))
    else {
        return failure;
    };
    match &fault.place {
        Some(place) if place.file == NAME => {
            let place = Place { file: source.name.clone(), ..place.clone() };
            source.wrong(statement.span, Fault { place: Some(place), ..*fault.clone() })
        }
        _ => failure,
    }
}

/// The one statement that writes somewhere, and where.
fn the_one(source: &Source) -> Result<(usize, String), Failure> {
    let mut found = source.script.statements.iter().enumerate().filter_map(|(at, one)| Some((at, into(one)?)));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(nowhere().into()),
        (Some(_), Some(_)) => Err(Failure::usage(
            "the text holds several statements that write somewhere",
            "deploy one at a time: each is a job of its own",
        )),
    }
}

/// The name that the statement gives, else that of its file.
fn named(arguments: &DeployArguments, source: &Source, statement: usize) -> Option<String> {
    let kind = source.script.statements.get(statement).map(|statement| &statement.kind);
    if let Some(StatementKind::CreateStream(made) | StatementKind::CreateTable(made)) = kind {
        return Some(made.name.clone());
    }
    let file = arguments.input.file.as_ref().filter(|file| file.as_os_str() != "-")?;
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned())
}
