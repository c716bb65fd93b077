//! `velox-tui sql run`: statements at work. Rows of a query without INTO come to the screen; everything else goes where it
//! says, with a line of progress.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::mpsc;

use super::rows::{Folded, Rows};
use super::screen::screen;
use super::text::{Input, Source, planning};
use crate::cli::arguments::Format;
use crate::cli::output::Output;
use crate::cli::progress::{Progress, REFRESH, grouped, rate};
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::connectors::contract::SinkRows;
use crate::sql::exec::job::{self, Ending, Job};
use crate::sql::exec::settings::JobSettings;
use crate::sql::parse::statement::{EndName, Statement, StatementKind, StreamQuery};
use crate::sql::plan::session::{Planned, Session as Planning};
use crate::sql::plan::wishes::parse_duration;

/// Flags of `sql run`.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// The SQL.
    #[command(flatten)]
    pub input: Input,
    /// End after this many rows
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// End after this long: 500ms, 10s, 5m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Print a result that changes once, as its last state, when the input ends
    #[arg(long = "final")]
    pub is_final: bool,
    /// Remember checkpoints in this folder, and go on from the last one
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Between two checkpoints
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "state_dir")]
    pub checkpoint_interval: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "a length of time, as 500ms, 10s, 5m, 1h".to_owned())
}

/// What `sql run --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui sql run -e 'SELECT * FROM orders WHERE total > 100' --limit 10
  velox-tui sql run -e 'SELECT customer_id, SUM(amount) FROM orders
      WINDOW TUMBLING(10s) GROUP BY customer_id EMIT CHANGES' --for 30s
  velox-tui sql run -e \"SELECT symbol, SUM(price * quantity) FROM 'file:///tmp/trades.csv?header=true' GROUP BY symbol\" --final
  velox-tui sql run app.sql --state-dir state --format json

A bare name in FROM is a topic of the environment. Rows of a query without INTO come here, as a table or with
--format json as one object a line; a result that changes marks its rows: + new, ~ replaced, - gone (in JSON: _op).

Exit codes: 0 done, 1 some records failed, 2 SQL or configuration, 3 connection, 4 authentication, 5 stopped by a signal.";

/// Runs every statement, in order; those that move rows run side by side.
pub async fn run(arguments: &RunArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let source = arguments.input.read(&session.config.variables)?;
    for warning in &source.script.warnings {
        tracing::warn!("{}", warning.fault);
    }
    let mut planning = planning(session)?;
    let mut jobs = Vec::new();
    let mut rows = None;
    let shown = shown(&source);
    for (index, statement) in source.script.statements.iter().enumerate() {
        planning.define(&statement.kind).map_err(|fault| source.placed(fault, statement.span.start))?;
        if let Some(text) = super::describe::answer(&planning, statement, output).await? {
            text?;
            continue;
        }
        let Some((name, query, into)) = moves(statement, index, shown) else { continue };
        let planned = planning
            .plan(&name, query, into, arguments.is_final)
            .await
            .map_err(|fault| source.placed(fault, statement.span.start))?;
        for warning in &planned.warnings {
            tracing::warn!("{warning}");
        }
        let mut settings = JobSettings::new(&name, &source.text[statement.span.start..statement.span.end]);
        if let Some(folder) = &arguments.state_dir {
            settings = settings.remembering(folder);
            if let Some(interval) = arguments.checkpoint_interval {
                settings = settings.every(interval);
            }
        }
        if into.is_none() && query.into.is_none() {
            let (sink, receiver) = screen();
            settings.sink = Some(Box::new(sink));
            let changes = planned
                .plan
                .nodes
                .last()
                .is_some_and(|node| node.changes == crate::sql::plan::stream::Changes::Changelog);
            let schema = planned.plan.nodes.last().map(|node| node.schema.clone());
            rows = schema.map(|schema| (receiver, schema, changes));
        }
        jobs.push((planned, settings));
    }
    if jobs.is_empty() {
        return Ok(Exit::Done);
    }
    work(arguments, session, output, &planning, jobs, rows).await
}

/// Which CREATE STREAM comes to the screen: the last one, in a text that asks for no rows in any other way.
fn shown(source: &Source) -> Option<usize> {
    let statements = &source.script.statements;
    let asks = statements.iter().any(|statement| match &statement.kind {
        StatementKind::Query(_) | StatementKind::Insert { .. } => true,
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made) => made.query.into.is_some(),
        StatementKind::Show { .. } | StatementKind::Describe { .. } | StatementKind::Explain { .. } => true,
        _ => false,
    });
    let last = statements.iter().rposition(|statement| {
        matches!(statement.kind, StatementKind::CreateStream(_) | StatementKind::CreateTable(_))
    });
    last.filter(|_| !asks)
}

/// The job of a statement that moves rows: its name, its query, where it goes.
fn moves(
    statement: &Statement,
    index: usize,
    shown: Option<usize>,
) -> Option<(String, &StreamQuery, Option<&EndName>)> {
    match &statement.kind {
        StatementKind::Query(query) => Some((format!("query-{}", index + 1), query, None)),
        StatementKind::Insert { sink, query, .. } => Some((format!("insert-{}", index + 1), query, Some(sink))),
        StatementKind::CreateStream(made) | StatementKind::CreateTable(made)
            if made.query.into.is_some() || shown == Some(index) =>
        {
            Some((made.name.clone(), &made.query, None))
        }
        _ => None,
    }
}

type Shown = (mpsc::Receiver<SinkRows>, arrow::datatypes::SchemaRef, bool);

async fn work(
    arguments: &RunArguments,
    session: &Session<'_>,
    output: &mut Output,
    planning: &Planning,
    jobs: Vec<(Planned, JobSettings)>,
    rows: Option<Shown>,
) -> Result<Exit, Failure> {
    let sandbox = async {
        match &planning.context.kafka {
            Some(connection) => sandbox::events(connection).await,
            None => std::future::pending().await,
        }
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let work = async {
        let mut running = Vec::new();
        for (planned, settings) in jobs {
            running.push(job::start(planned.plan, settings, &planning.connectors, &planning.context).await?);
        }
        let has_rows = rows.is_some();
        let until = async {
            match arguments.duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            printed = print(arguments, output, rows), if has_rows => printed?,
            endings = all(&mut running, session.global.quiet || has_rows), if !has_rows => { return endings; }
            () = until => {}
            () = stop.cancelled() => {}
        }
        for job in &running {
            job.stop();
        }
        all(&mut running, true).await
    };
    let work = async {
        tokio::select! {
            outcome = work => outcome,
            never = sandbox => match never {},
        }
    };
    let stopping = stop.clone();
    let (endings, stopped) = signals::drive(work, signals::once(move || stopping.cancel())).await?;
    let endings = endings?;
    output.finish()?;
    let bad: u64 = endings.iter().map(|ending| ending.bad).sum();
    if bad > 0 {
        tracing::warn!("{} records failed", grouped(bad));
    }
    Ok(if stopped {
        Exit::Stopped
    } else if bad > 0 {
        Exit::SomeFailed
    } else {
        Exit::Done
    })
}

/// Waits for every job, with a line of progress.
async fn all(jobs: &mut Vec<Job>, quiet: bool) -> Result<Vec<Ending>, Failure> {
    let progress = Progress::open_ended(quiet);
    let began = Instant::now();
    let mut endings = Vec::new();
    for job in jobs.drain(..) {
        let statistics = job.statistics();
        let waiting = job.wait();
        tokio::pin!(waiting);
        let ending = loop {
            tokio::select! {
                ending = &mut waiting => break ending?,
                () = tokio::time::sleep(REFRESH) => {
                    let now = statistics.borrow().clone();
                    let (read, written) = (now.rows_read(), now.rows_written());
                    let pace = rate(read as f64 / began.elapsed().as_secs_f64());
                    progress.show(read, format!("{} read, {} written, {pace}", grouped(read), grouped(written)));
                }
            }
        };
        endings.push(ending);
    }
    Ok(endings)
}

/// Prints rows until there are no more, or as many as were asked for.
async fn print(arguments: &RunArguments, output: &mut Output, rows: Option<Shown>) -> Result<(), Failure> {
    let Some((mut receiver, schema, changes)) = rows else { return Ok(()) };
    let is_json = output.format() == Format::Json;
    let is_folded = arguments.is_final && changes;
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut printed = Rows::new(&schema, changes && !is_folded, is_json);
    let mut folded = Folded::default();
    while left > 0 {
        let Some(batch) = receiver.recv().await else { break };
        if is_folded {
            folded.take(&batch)?;
            continue;
        }
        left -= printed.write(&batch, left, output.writer())?;
        if receiver.is_empty() {
            output.finish()?;
        }
    }
    if let Some(table) = folded.table()? {
        let times = vec![0; table.num_rows()].into();
        printed.write(&SinkRows { batch: table, times, ops: None }, left, output.writer())?;
    }
    Ok(output.finish()?)
}
