//! `velox-tui run`: ETLs to environments. It plans, asks, reaches the brokers, runs, and reports counts that add up.

mod arguments;
mod events;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use arguments::RunArguments;
use events::{Rendered, write};

use super::audit::Audited;
use super::guard::{self, GuardArguments, Terminal};
use super::output::Output;
use super::progress::{Progress, counted, grouped, rate};
use super::session::{self, Session};
use super::{Exit, Failure, Format, signals};
use crate::core::environment::Environment;
use crate::core::fault::{Blame, Fault};
use crate::core::progress::RunProgress;
use crate::etl::plan::{Plan, PlannedPair, Request, Target};
use crate::etl::registry::Registry;
use crate::etl::report::tables::Look;
use crate::etl::report::{RunReport, Verdict};
use crate::etl::run::{Deps, OnEvent, RunOptions};

/// Rendered events that wait to be written: enough that no renderer waits for a single write.
const EVENTS_WAITING: usize = 256;

/// What `run --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  A thousand events into the sandbox, the report as JSON:
    velox-tui run --environment sandbox --etl customer_update --count 1000 --format json
  What would be sent to production, without a broker or credentials:
    velox-tui run --environment prod --dry-run --log-payloads --count 3
  One customer into two environments, fifty events each, ten a second:
    velox-tui run -E qa,uat --etl customer_update --set customer_id=CUST-12345 --count 50 --rate 10
  One event for each item of a list:
    velox-tui run -E qa --etl order_event --context order.yaml --iterate-over line_items
  A whole category, but never production, and at most 200 events:
    velox-tui run --category customer --exclude-environment prod,preprod --max-total-events 200
  Production, when that is what you mean:
    velox-tui run -E prod --etl customer_update --yes-i-mean prod

Limits on events, ETLs and environments cut the plan, which is shown before anything is sent: that is no failure. \
A timeout stops a run that has begun: exit code 5.";

/// Plans and carries out a run.
pub async fn run(arguments: &RunArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let request = request(arguments, session)?;
    // A place that takes no report is said before anything is sent.
    let file = arguments.report.as_deref().map(opened).transpose()?;
    let report = plan_and_run(&session.registry(), &request, &arguments.guard, session, output).await?;
    let exit = conclude(&report, arguments.detailed, output);
    if let (Some(file), Some(path)) = (file, &arguments.report)
        && let Err(error) = save(&report, &file)
    {
        // The events are sent and counted above: that is what the exit code tells.
        tracing::warn!("{}", unwritten(path, &error));
    }
    exit
}

/// A run of ETLs that a command made itself.
///
/// # Errors
/// As [`run`].
pub async fn carry_out_registered(
    registry: &Registry,
    request: &Request,
    guard: &GuardArguments,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let report = plan_and_run(registry, request, guard, session, output).await?;
    conclude(&report, false, output)
}

async fn plan_and_run(
    registry: &Registry,
    request: &Request,
    guard: &GuardArguments,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<RunReport, Failure> {
    let plan = Plan::make(registry, &targets(session), request)?;
    let is_dry = request.runner.dry_run;
    if let Some(fault) = crate::etl::rehearse::rehearse(&plan, &session.engine()).into_iter().next() {
        return Err(Failure::producing(fault));
    }
    if output.format() == Format::Text && !session.global.quiet {
        // A closed standard error has no reader.
        let _ = writeln!(io::stderr(), "{plan}{}", if is_dry { ", rendered and not sent" } else { "" });
    }
    if is_dry {
        return carry_out(&plan, request, Ready::default(), None, session, output).await;
    }
    let guarded = plan.guarded();
    let guards: Vec<_> = guarded.iter().map(|(name, guard)| (&**name, *guard)).collect();
    let audited = Audited::new(session, names(&plan, |pair| &pair.environment), in_words(&plan));
    audited.permitted(guard::permit(&guards, guard, &counted(plan.total, "event"), &mut Terminal))?;
    let outcome = async {
        let ready = ready(&plan, session, request.runner.execution.continue_on_error).await?;
        carry_out(&plan, request, ready, None, session, output).await
    };
    let outcome = outcome.await;
    match &outcome {
        Ok(report) => {
            let counts = report.total.counts;
            let told =
                format!("{} acknowledged, {} failed, {} not sent", counts.acknowledged, counts.failed, counts.not_sent);
            audited.ended(Ok(exit_of(report.verdict)), Some(told));
        }
        Err(failure) => audited.ended(Err(failure), None),
    }
    outcome
}

/// The run for the audit log.
fn in_words(plan: &Plan) -> String {
    format!("run {}, {} in all", names(plan, |pair| &pair.etl.name), counted(plan.total, "event"))
}

/// Names of the pairs, each once, in the order of the plan.
fn names<'p>(plan: &'p Plan, of: impl Fn(&'p PlannedPair) -> &'p str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for pair in &plan.pairs {
        if !names.contains(&of(pair)) {
            names.push(of(pair));
        }
    }
    names.join(", ")
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Done => Exit::Done,
        Verdict::SomeFailed => Exit::SomeFailed,
        Verdict::Stopped | Verdict::TimedOut => Exit::Stopped,
        Verdict::Connection => Exit::Connection,
        Verdict::Authentication => Exit::Authentication,
        Verdict::Configuration => Exit::Usage,
    }
}

fn request(arguments: &RunArguments, session: &Session<'_>) -> Result<Request, Failure> {
    let runner = (**session.config.runner.ready()?).clone();
    let runner = arguments.over(runner, &session.global.environment, session.global.verbose);
    if runner.verbose {
        super::log::raise();
    }
    let with = &runner.execution;
    let (workers, batch) = (with.parallel_workers, with.batch_size);
    tracing::info!("{workers} pairs at once, batches of {batch}, up to {} tries again", with.max_retries);
    Ok(Request {
        runner,
        events: arguments.events(),
        context: arguments.context.load()?,
        rate_events_per_second: arguments.events.rate,
    })
}

/// Every environment as a plan sees it.
pub fn targets(session: &Session<'_>) -> Vec<Target> {
    let target = |loaded: &crate::config::Loaded<Environment>| Target {
        name: loaded.name.clone(),
        guard: session::guard(loaded),
        rate_limit_events_per_second: loaded.value.as_ref().ok().and_then(|value| value.rate_limit_events_per_second),
        fault: loaded.preview().err(),
    };
    session.config.environments.iter().map(target).collect()
}

/// Environments of a plan with nothing missing, and those whose brokers have answered.
#[derive(Default)]
struct Ready {
    environments: HashMap<String, Arc<Environment>>,
    reached: HashSet<String>,
}

/// The environments of a plan, with nothing missing, and reached: a wrong password is told before anything is sent.
async fn ready(plan: &Plan, session: &Session<'_>, continue_on_error: bool) -> Result<Ready, Failure> {
    let mut ready = Ready::default();
    let mut connections = Vec::new();
    for pair in &plan.pairs {
        if let Ok(loaded) = session.config.etl(&pair.etl.name) {
            loaded.ready()?;
        }
        if !ready.environments.contains_key(&*pair.environment) {
            let loaded = session.config.environment(&pair.environment)?;
            ready.environments.insert(pair.environment.to_string(), Arc::clone(loaded.ready()?));
            connections.push(session::connection(loaded)?);
        }
    }
    let reaching = futures::future::join_all(connections.iter().map(session::reach));
    let (reached, _) = signals::drive(reaching, []).await?;
    let answered = connections.iter().zip(&reached).filter(|(_, outcome)| outcome.is_ok());
    ready.reached = answered.map(|(connection, _)| connection.environment().environment.clone()).collect();
    match reached.into_iter().find_map(Result::err) {
        // The others go on; the events of this one fail by its cause.
        Some(fault) if continue_on_error && !ready.reached.is_empty() => tracing::warn!("{fault}"),
        Some(fault) => return Err(Failure::producing(fault)),
        None => {}
    }
    Ok(ready)
}

async fn carry_out(
    plan: &Plan,
    request: &Request,
    ready: Ready,
    only: Option<u64>,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<RunReport, Failure> {
    let (outbox, inbox) = mpsc::channel(EVENTS_WAITING);
    let on_event = match (request.runner.log_payloads, request.runner.dry_run) {
        (true, true) => Some(to_output(outbox, only)),
        (true, false) => {
            drop(outbox);
            Some(to_log())
        }
        (false, _) => {
            drop(outbox);
            None
        }
    };
    let options = RunOptions { on_event, ..RunOptions::of(request) };
    let stop = CancellationToken::new();
    let Ready { environments, reached } = ready;
    let deps = Deps { engine: session.engine(), environments, reached, auth: Arc::default() };
    let bar = Progress::towards(plan.total, session.global.quiet);
    let running = crate::etl::run::run(plan, options, deps, stop.clone(), |progress| show(&bar, &progress));
    let work = async {
        let written = write(inbox, output);
        tokio::pin!(running, written);
        tokio::select! {
            report = &mut running => (report, written.await),
            // The reader of the output has left: the run need not go on.
            ended = &mut written => {
                if ended.is_err() {
                    stop.cancel();
                }
                (running.await, ended)
            }
        }
    };
    let ((report, written), _) = signals::drive(work, signals::once(|| stop.cancel())).await?;
    bar.clear();
    written?;
    Ok(report)
}

fn to_output(outbox: mpsc::Sender<Rendered>, only: Option<u64>) -> OnEvent {
    Arc::new(move |event| {
        if only.is_none_or(|index| index == event.index) {
            // A renderer waits while the output is busy; when the output is gone, nobody wants the event.
            drop(outbox.blocking_send(Rendered::of(event)));
        }
    })
}

fn to_log() -> OnEvent {
    Arc::new(|event| {
        let payload = String::from_utf8_lossy(event.record.value.unwrap_or_default());
        tracing::info!(target: super::log::PAYLOADS, etl = event.etl, environment = event.environment, index = event.index, "{payload}");
    })
}

fn show(bar: &Progress, progress: &RunProgress) {
    let total = progress.total();
    let failed = if total.failed > 0 { format!("  {} failed", grouped(total.failed)) } else { String::new() };
    bar.show(total.planned - total.open(), format!("{}{failed}", rate(progress.events_per_second)));
}

/// A report that is there stays whole until there is another.
fn opened(path: &Path) -> Result<File, Fault> {
    let file = File::options().create(true).write(true).truncate(false).open(path);
    file.map_err(|error| unwritten(path, &error))
}

fn save(report: &RunReport, mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec_pretty(report)?)
}

fn unwritten(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Blame::Operator, format!("the report cannot be written to `{}`: {error}", path.display()))
}

/// Shows the report; what kept whole pairs from running is the failure of the command.
fn conclude(report: &RunReport, detailed: bool, output: &mut Output) -> Result<Exit, Failure> {
    output.show(report, |page| {
        let look = if page.is_terminal() { Look::Ruled } else { Look::Plain };
        page.text(&report.summary(look))?;
        if detailed { page.text(&format!("\n{}", report.detailed(look))) } else { Ok(()) }
    })?;
    let blamed = match report.verdict {
        Verdict::Done => return Ok(Exit::Done),
        Verdict::SomeFailed => return Ok(Exit::SomeFailed),
        Verdict::Stopped | Verdict::TimedOut => return Ok(Exit::Stopped),
        Verdict::Connection => Blame::Connection,
        Verdict::Authentication => Blame::Authentication,
        Verdict::Configuration => Blame::Configuration,
    };
    output.finish()?;
    let worst = report.faults.iter().find(|fault| fault.blame == blamed).cloned();
    let fault = worst.unwrap_or_else(|| {
        let cause = report.total.causes.keys().next().cloned();
        Fault::new(blamed, cause.unwrap_or_else(|| "some pairs could not run".into()))
    });
    Err(Failure::producing(fault))
}

/// Renders what a request asks for and shows it; nothing is opened.
///
/// # Errors
/// The request names nothing that can be rendered, or the output's reader has left.
pub async fn preview(
    registry: &Registry,
    targets: &[Target],
    request: &Request,
    only: Option<u64>,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<RunReport, Failure> {
    let plan = Plan::make(registry, targets, request)?;
    carry_out(&plan, request, Ready::default(), only, session, output).await
}
