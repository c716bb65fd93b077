//! `velox-tui sql run`: statements at work. Rows of a query without INTO come to the screen; everything else goes where it
//! says, with a line of progress.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use futures::future::{join_all, try_join_all};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::called::{Named, Names};
use super::chained;
use super::moving::{Moving, shown_meanwhile};
use super::printing::Printing;
use super::screen::screen;
use super::starting::{Prepared, Started, too_late};
use super::summary::{self, Report};
use super::text::{Input, Source, planning};
use super::which::{moves, shown};
use crate::cli::arguments::{duration, size};
use crate::cli::audit::Audited;
use crate::cli::clusters::{self, Guards};
use crate::cli::guard::{self, GuardArguments, Terminal};
use crate::cli::log::RESUMED;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::connectors::contract::Written;
use crate::core::fault::Fault;
use crate::kafka::admin::off_the_async_threads;
use crate::sql::exec::job::{Ending, Job};
use crate::sql::exec::settings::JobSettings;
use crate::sql::exec::statistics::Statistics;
use crate::sql::plan::session::Session as Planning;
use crate::sql::plan::stream::{Changes, Node, NodeKind};
use crate::sql::state::checkpoint;
use crate::sql::state::folder::Folder;

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
    /// The guard of the environment that is written to.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// Between two checkpoints
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "state_dir")]
    pub checkpoint_interval: Option<Duration>,
    /// State that each job may hold in memory: 512MB, 4GB [default: 2GB, or what the statement says]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub state_limit: Option<usize>,
}

/// How long a query whose rows come to the screen may finish what is in flight once it is to stop: nobody types a command
/// again before.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What `sql run --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui sql run -e 'SELECT * FROM orders WHERE amount > 100' --limit 10
  velox-tui sql run -e 'SELECT customer_id, SUM(amount) FROM orders
      WINDOW TUMBLING(10s) GROUP BY customer_id EMIT CHANGES' --for 30s
  velox-tui sql run --final -e \"SELECT symbol, SUM(price * quantity)
      FROM 'file:///tmp/trades.csv?header=true' GROUP BY symbol\"
  velox-tui sql run app.sql --state-dir state --format json

A bare name in FROM is a topic of the environment. Rows of a query without INTO come here, as a table or with \
--format json as one object a line; a result that changes marks its rows: + new, ~ replaced, - gone (in JSON: _op).

'delivery.guarantee' = 'exactly-once' in WITH (of the sink, or behind the query) writes each row once over restarts, \
with --state-dir; at-least-once is the default.

Exit codes: 0 done, 1 some records failed, 2 SQL or configuration, 3 connection, 4 authentication, 5 stopped by a signal.";

/// Runs every statement, in order; those that move rows run side by side.
pub async fn run(arguments: &RunArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let source = arguments.input.read(&session.config.variables)?;
    if source.script.statements.is_empty() {
        let next = "write one behind -e: 'SELECT * FROM orders', or name a file of SQL";
        return Err(Failure::usage("there is no statement", next));
    }
    for warning in &source.script.warnings {
        tracing::warn!("{}", warning.fault);
    }
    let mut planning = planning(session)?;
    // The sandbox's events keep coming from the first sample of a source to the last row.
    let sandbox = {
        let connection = planning.context.kafka.clone();
        async move {
            match connection {
                Some(connection) => sandbox::events(&connection).await,
                None => std::future::pending().await,
            }
        }
    };
    let stop = CancellationToken::new();
    let quiet = session.global.quiet;
    // Whatever is looked at before a job begins may keep silent, too.
    let until = arguments.duration.map(|duration| Instant::now() + duration);
    let work = async {
        let prepared = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Worked::default()),
            () = over(until) => return Err(too_late("what the statements read was known")),
            prepared = prepare(arguments, &source, &mut planning, session, output) => prepared?,
        };
        if arguments.limit.is_some() && !prepared.is_empty() && prepared.iter().all(|job| job.shown.is_none()) {
            return Err(Failure::usage(
                "--limit counts the rows that come to the screen, and these go where INTO says",
                "write LIMIT n behind the query, or leave INTO out",
            ));
        }
        let is_chained = chained::announce(prepared.iter().map(|job| &job.plan), &planning)?;
        if is_chained && arguments.state_dir.is_some() {
            return Err(chained::not_remembered());
        }
        if arguments.state_dir.is_none() {
            prepared.iter().for_each(warn_of_one_transaction);
        }
        let written: Vec<Written> = prepared.iter().flat_map(|job| job.written.clone()).collect();
        if written.is_empty() {
            return drive((arguments, until, is_chained), output, &planning, prepared, quiet, &stop).await;
        }
        // What is written to a cluster is asked for and remembered, as with every command that writes.
        let mut guards = Guards::default();
        guards.topics(&written, session.environment().ok().map(|own| own.name.as_str()), session);
        let topics: Vec<_> = written.iter().map(clusters::place).collect();
        let what = format!("write the rows of SQL to {}", topics.join(", "));
        let audited = Audited::new(session, guards.names(), &what);
        audited.permitted(guard::permit(&guards.list(), &arguments.guard, &what, &mut Terminal))?;
        let outcome = drive((arguments, until, is_chained), output, &planning, prepared, quiet, &stop).await;
        let exit = if stop.is_cancelled() { Exit::Stopped } else { Exit::Done };
        audited.ended(outcome.as_ref().map(|_| exit), None);
        outcome
    };
    let work = async {
        tokio::select! {
            outcome = work => outcome,
            never = sandbox => match never {},
        }
    };
    let stopping = stop.clone();
    let (endings, stopped) = signals::drive(work, signals::once(move || stopping.cancel())).await?;
    let Worked { endings, reports, dead_letters } = endings?;
    output.finish()?;
    if !quiet {
        reports.iter().try_for_each(|report| report.say(output.format(), stopped))?;
    }
    summary::troubles(&endings, &dead_letters).iter().for_each(|trouble| tracing::warn!("{trouble}"));
    let bad: u64 = endings.iter().map(|ending| ending.bad).sum();
    Ok(match (stopped, bad) {
        (true, _) => Exit::Stopped,
        (false, 0) => Exit::Done,
        (false, _) => Exit::SomeFailed,
    })
}

/// Answers what can be answered at once, and plans the rest.
async fn prepare(
    arguments: &RunArguments,
    source: &Source,
    planning: &mut Planning,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<Vec<Prepared>, Failure> {
    let mut jobs = Vec::new();
    let shown = shown(source);
    let names = Names::of(arguments, source).await?;
    for (index, statement) in source.script.statements.iter().enumerate() {
        let wrong = |fault| source.wrong(statement.span, fault);
        planning.define(&statement.kind).map_err(wrong)?;
        let answered = super::describe::answer(planning, statement, session, output).await;
        if let Some(text) = answered.map_err(|failure| source.drawn(statement.span, failure))? {
            text?;
            continue;
        }
        let Some((name, query, into)) = moves(statement, index, shown) else { continue };
        let named = names.job(name, query).map_err(wrong)?;
        let columns = keep_columns(&named, planning).await?;
        let mut planned = planning.plan(&named.id, query, into, arguments.is_final).await;
        if planned.is_err() && !columns.is_empty() {
            // A statement that was written anew may ask for what was not there before.
            planning.forget_columns();
            planned = planning.plan(&named.id, query, into, arguments.is_final).await;
        }
        let planned = planned.map_err(wrong)?;
        for warning in &planned.warnings {
            tracing::warn!("{warning}");
        }
        let before = &source.script.statements[..index];
        let mut settings = JobSettings::new(named.name, &source.text[statement.span.start..statement.span.end])
            .standing_on(planning.behind(query, into, &source.text, before))
            .with_variables(&|name| planning.variables.get(name).map(|value| value.expose().to_owned()));
        settings.text.script = named.script;
        settings.text.columns = planning.kept_columns(columns);
        settings.state_bytes_max = arguments.state_limit.or(planned.state_limit).unwrap_or(settings.state_bytes_max);
        if let Some(folder) = named.folder {
            settings = settings.remembering(folder);
            if let Some(interval) = arguments.checkpoint_interval.or(planned.checkpoint_interval) {
                settings = settings.every(interval);
            }
        }
        let written = planning.written(query, into).map_err(wrong)?;
        let mut rows = None;
        if into.is_none()
            && query.into.is_none()
            && let Some(last) = planned.plan.nodes.last()
        {
            let (sink, receiver) = screen();
            settings.sink = Some(Box::new(sink));
            rows = Some((receiver, last.schema.clone(), last.changes == Changes::Changelog));
        }
        jobs.push(Prepared { plan: planned.plan, written, settings, shown: rows });
    }
    Ok(jobs)
}

/// The columns that a job which goes on read from a sample when it began: they are its columns from now on.
async fn keep_columns(named: &Named, planning: &mut Planning) -> Result<BTreeMap<String, String>, Failure> {
    let Some(folder) = named.folder.as_ref().map(|folder| folder.join(&named.name)) else {
        return Ok(BTreeMap::new());
    };
    let reading = off_the_async_threads(move || Ok::<_, Fault>(checkpoint::newest_manifest(&Folder::new(folder))));
    let columns = reading.await?.map(|manifest| manifest.columns).unwrap_or_default();
    planning.keep_columns(&columns)?;
    Ok(columns)
}

/// Without checkpoints a transaction ends with its job: what an endless one writes is never seen.
fn warn_of_one_transaction(job: &Prepared) {
    let is_exact = |node: &Node| matches!(&node.kind, NodeKind::Sink(sink) if sink.request.exactly_once);
    let is_endless = |node: &Node| matches!(&node.kind, NodeKind::Source(from) if !from.source.is_bounded());
    if job.shown.is_none() && job.plan.nodes.iter().any(is_exact) && job.plan.nodes.iter().any(is_endless) {
        tracing::warn!(
            "exactly_once without --state-dir: rows of {} become visible only when it ends",
            job.settings.name
        );
    }
}

/// Starts the jobs, prints rows, and ends when they do, when the time is over or when it is asked to stop.
async fn drive(
    (arguments, until, is_chained): (&RunArguments, Option<Instant>, bool),
    output: &mut Output,
    planning: &Planning,
    prepared: Vec<Prepared>,
    quiet: bool,
    stop: &CancellationToken,
) -> Result<Worked, Failure> {
    let until = over(until);
    tokio::pin!(until);
    let mut started = Started { waiting: prepared.into(), ..Started::default() };
    let starting = tokio::select! {
        outcome = started.all(planning) => Some(outcome),
        () = &mut until => Some(Err(started.too_late())),
        () = stop.cancelled() => None,
    };
    let Started { running, shown, mut counted, looked_at, closings, dead_letters, .. } = started;
    for message in running.iter().flat_map(Job::messages) {
        tracing::info!(target: RESUMED, "{message}");
    }
    running.iter().flat_map(Job::warnings).for_each(|warning| tracing::warn!("{warning}"));
    let has_rows = !shown.is_empty();
    let to_screen: Vec<usize> = shown.iter().map(|(job, _)| *job).collect();
    // The first row may wait for the end of a window or of the input: until then it is seen that something moves.
    let moving = |job: usize| (!quiet).then(|| Moving::new(&running[job], closings[job]));
    let shown = shown.into_iter().map(|(job, rows)| (rows, moving(job)));
    let mut printing = has_rows.then(|| Printing::begin(arguments, output, shown.collect(), is_chained));
    let outcome = match starting {
        Some(Ok(())) => {
            let printed = async {
                if let Some(printing) = &mut printing {
                    printing.ended().await?;
                }
                if has_rows && arguments.limit.is_some() {
                    running.iter().for_each(Job::stop);
                }
                Ok::<_, Failure>(())
            };
            // A job that fails ends the others, whatever they still write or print.
            let work = async { tokio::try_join!(all(&running, quiet || has_rows), printed) };
            tokio::select! {
                ended = work => Some(ended.map(|(endings, ())| endings)),
                () = until => None,
                () = stop.cancelled() => None,
            }
        }
        Some(Err(failure)) => Some(Err(failure)),
        None => None,
    };
    let endings = match outcome {
        Some(Ok(endings)) => Ok(endings),
        Some(Err(failure)) => {
            running.iter().for_each(Job::stop);
            join_all(running.iter().map(Job::wait)).await;
            Err(failure)
        }
        None => {
            running.iter().for_each(Job::stop);
            // Rows that are only looked at may take hours to come of what was read: they are not waited for.
            let leaving = async {
                tokio::time::sleep(STOP_GRACE).await;
                for job in to_screen.iter().map(|job| &running[*job]).filter(|job| !job.keeps_checkpoints()) {
                    tracing::warn!("what was in flight is left out: it would have taken longer");
                    job.leave();
                }
                std::future::pending::<Infallible>().await
            };
            tokio::select! {
                endings = all(&running, true) => endings,
                never = leaving => match never {},
            }
        }
    };
    // A job that has ended, or is dropped here, hands no more rows over: what was begun is printed, and the output is back.
    drop(running);
    let report = |(name, job, statistics): &(String, usize, watch::Receiver<Statistics>)| {
        Report::of(name, &statistics.borrow(), dead_letters[*job].clone())
    };
    if stop.is_cancelled() && io::stderr().is_terminal() {
        // Who looked at a query and has seen enough is told what it came to.
        counted.extend(looked_at);
    }
    let reports = counted.iter().map(report).collect();
    if let Some(mut printing) = printing {
        let printed = printing.ended().await;
        if let Some(back) = printing.output() {
            *output = back;
        }
        return endings.and_then(|endings| printed.map(|()| Worked { endings, reports, dead_letters }));
    }
    Ok(Worked { endings: endings?, reports, dead_letters })
}

/// What came of the jobs.
#[derive(Default)]
struct Worked {
    endings: Vec<Ending>,
    /// Of those whose rows do not come to the screen.
    reports: Vec<Report>,
    /// The topic of the dead letters of each job, where it has one.
    dead_letters: Vec<Option<String>>,
}

/// Waits until a moment; without one, for ever.
async fn over(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Waits for every job, or for the first that fails, with a line of progress.
async fn all(jobs: &[Job], quiet: bool) -> Result<Vec<Ending>, Failure> {
    let progress = async {
        for job in jobs.iter().filter(|_| !quiet) {
            // How it ended is told by the other half.
            shown_meanwhile(Some(&Moving::new(job, None)), job.wait()).await.ok();
        }
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        endings = try_join_all(jobs.iter().map(Job::wait)) => {
            endings.map_err(|fault| Failure::Midway(Box::new(fault)))
        }
        never = progress => match never {},
    }
}
