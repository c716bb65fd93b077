//! `velox-tui etl`: ETLs as they are defined, whether they are whole, and what they would send.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::context::ContextArguments;
use super::output::{Output, Role, cell};
use super::run as running;
use super::session::Session;
use super::{Exit, Failure};
use crate::config::Loaded;
use crate::core::etl::Etl;
use crate::core::fault::{Blame, Fault};
use crate::core::runner::{EventConfig, Filters, Limits, RunnerConfig};
use crate::etl::plan::Request;
use crate::etl::registry::Registry;
use crate::etl::report::Verdict;
use crate::template::Engine;

/// What `etl` does.
#[derive(Debug, Clone, Subcommand)]
pub enum EtlCommand {
    /// List every ETL, broken ones with their error
    #[command(
        after_help = "Examples:\n  velox-tui etl list\n  velox-tui etl list --category customer --format json | jq -r '.[].name'\n  velox-tui -E qa etl list        those with a topic in qa"
    )]
    List(ListArguments),
    /// Show the definition of one: topics, templates, variables
    #[command(after_help = "Examples:\n  velox-tui etl show customer_update")]
    Show(ShowArguments),
    /// Check definitions and templates, and render one event of each for every environment it serves
    #[command(
        after_help = "Examples:\n  velox-tui etl validate\n  velox-tui etl validate customer_update --set customer_id=CUST-1\n\nExit code 0 when all are whole, else 2. Nothing is connected to."
    )]
    Validate(ValidateArguments),
    /// Render events of one ETL without a broker: payload, key, headers, topic, size
    #[command(
        after_help = "Examples:\n  velox-tui etl preview customer_update\n  velox-tui -E prod etl preview customer_update --event 3 --count 10 --set customer_id=CUST-1\n  velox-tui etl preview customer_update --format json | jq -r .event.payload\n\nNeeds neither a broker nor credentials, also for prod."
    )]
    Preview(PreviewArguments),
}

/// Flags of `etl list`.
#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    /// Only this category
    #[arg(long, value_name = "NAME")]
    pub category: Option<String>,
    /// Leave out what is disabled
    #[arg(long)]
    pub enabled: bool,
}

/// Flags of `etl show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// ETL
    pub name: String,
}

/// Flags of `etl validate`.
#[derive(Debug, Clone, Args)]
pub struct ValidateArguments {
    /// ETLs [default: all]
    pub names: Vec<String>,
    /// Context of the templates.
    #[command(flatten)]
    pub context: ContextArguments,
}

/// Flags of `etl preview`.
#[derive(Debug, Clone, Args)]
pub struct PreviewArguments {
    /// ETL
    pub name: String,
    /// Events, or passes over --iterate-over
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// One event for each item of this list of the context
    #[arg(long, value_name = "KEY")]
    pub iterate_over: Option<String>,
    /// Only this event, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub event: Option<u64>,
    /// Context of the templates.
    #[command(flatten)]
    pub context: ContextArguments,
}

/// Carries out an `etl` command.
pub async fn run(command: &EtlCommand, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        EtlCommand::List(arguments) => list(arguments, session, output),
        EtlCommand::Show(arguments) => show(arguments, session, output),
        EtlCommand::Validate(arguments) => validate(arguments, session, output).await,
        EtlCommand::Preview(arguments) => preview(arguments, session, output).await,
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    category: Option<&'a str>,
    enabled: bool,
    description: &'a str,
    environments: Vec<&'a str>,
    file: &'a str,
    faults: Vec<Fault>,
}

/// What keeps an ETL from running whatever it is given: its file, its topics, templates that are missing or do not parse.
/// Nothing is rendered; `etl validate` does that, too.
pub fn faults(loaded: &Loaded<Etl>, engine: &Engine) -> Vec<Fault> {
    match &loaded.value {
        Err(faults) => faults.clone(),
        Ok(etl) => alone(etl, &loaded.file).validate_all(engine),
    }
}

fn summary<'a>(loaded: &'a Loaded<Etl>, engine: &Engine) -> Summary<'a> {
    let etl = loaded.value.as_deref().ok();
    Summary {
        name: &loaded.name,
        category: etl.map(|etl| &*etl.category),
        enabled: etl.is_some_and(|etl| etl.enabled),
        description: etl.map_or("", |etl| &etl.description),
        environments: etl.map(|etl| etl.topics.keys().map(String::as_str).collect()).unwrap_or_default(),
        file: &loaded.file,
        faults: faults(loaded, engine),
    }
}

fn list(arguments: &ListArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let served = |row: &Summary<'_>| {
        let named = &session.global.environment;
        named.is_empty() || row.environments.iter().any(|environment| named.iter().any(|name| name == environment))
    };
    let engine = session.engine();
    let rows: Vec<Summary<'_>> = session
        .config
        .etls
        .iter()
        .map(|loaded| summary(loaded, &engine))
        // A broken one belongs to no category that is known: it is never hidden.
        .filter(|row| {
            !row.faults.is_empty() || (arguments.category.is_none() || arguments.category.as_deref() == row.category)
        })
        .filter(|row| !row.faults.is_empty() || ((row.enabled || !arguments.enabled) && served(row)))
        .collect();
    output.show(&rows, |page| {
        let cells = rows.iter().map(|row| {
            let state = match (row.faults.first(), row.enabled) {
                (Some(fault), _) => cell(Role::Danger, format!("broken: {fault}")),
                (None, true) => cell(Role::Success, "enabled"),
                (None, false) => cell(Role::Muted, "disabled"),
            };
            vec![
                cell(Role::Strong, row.name),
                row.category.unwrap_or("-").into(),
                row.environments.join(" ").into(),
                state,
            ]
        });
        page.table(&["name", "category", "environments", "state"], cells, usize::MAX)
    })?;
    Ok(Exit::Done)
}

fn show(arguments: &ShowArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let loaded = session.config.etl(&arguments.name)?;
    let etl = loaded.preview()?;
    let values: Vec<_> = loaded
        .origins
        .iter()
        .map(|value| json!({ "field": value.path, "value": value.shown, "from": value.origin.to_string() }))
        .collect();
    let shown = json!({ "summary": summary(loaded, &session.engine()), "missing": loaded.missing, "values": values });
    output.show(&shown, |page| {
        page.line(format!("{}  {}", page.paint(Role::Strong, &etl.name), etl.description))?;
        page.line(page.paint(Role::Muted, format!("{}  {}", etl.category, loaded.file)))?;
        for missing in &loaded.missing {
            page.line(page.paint(Role::Warning, missing.fault()))?;
        }
        page.line("")?;
        let rows = loaded.origins.iter().map(|value| {
            vec![value.path.as_str().into(), value.shown.as_str().into(), cell(Role::Muted, &value.origin)]
        });
        page.table(&["field", "value", "from"], rows, usize::MAX)
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Validated {
    name: String,
    file: String,
    valid: bool,
    problems: Vec<String>,
}

async fn validate(arguments: &ValidateArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let named = arguments.names.iter().map(|name| session.config.etl(name)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<&Loaded<Etl>> = if named.is_empty() { session.config.etls.iter().collect() } else { named };
    let mut checked = Vec::with_capacity(all.len());
    for loaded in all {
        let faults = faults(loaded, &session.engine());
        let problems = match &loaded.value {
            Ok(etl) if faults.is_empty() => rendering_problems(etl, &loaded.file, arguments, session, output).await?,
            _ => faults.iter().map(ToString::to_string).collect(),
        };
        let (name, file) = (loaded.name.clone(), loaded.file.clone());
        checked.push(Validated { name, file, valid: problems.is_empty(), problems });
    }
    let broken = checked.iter().filter(|one| !one.valid).count();
    output.show(&checked, |page| {
        for one in &checked {
            let (role, mark) = if one.valid { (Role::Success, "ok") } else { (Role::Danger, "broken") };
            page.line(format!("{}  {}  {}", page.paint(role, mark), one.name, page.paint(Role::Muted, &one.file)))?;
            one.problems.iter().try_for_each(|problem| page.line(format!("    {problem}")))?;
        }
        page.line(format!("{} of {} are whole", checked.len() - broken, checked.len()))
    })?;
    Ok(if broken == 0 { Exit::Done } else { Exit::Usage })
}

/// What goes wrong when one event is rendered for each environment that the ETL serves.
async fn rendering_problems(
    etl: &Etl,
    file: &str,
    arguments: &ValidateArguments,
    session: &Session<'_>,
    output: &mut Output,
) -> Result<Vec<String>, Failure> {
    let request = Request {
        runner: RunnerConfig {
            dry_run: true,
            log_payloads: false,
            limits: Limits::default(),
            filters: Filters::default(),
            ..runner(session)
        },
        context: arguments.context.load()?,
        ..Request::default()
    };
    let report =
        match running::preview(&alone(etl, file), &running::targets(session), &request, None, session, output).await {
            Ok(report) => report,
            Err(failure) => return Ok(vec![failure.to_string()]),
        };
    let mut problems: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    if problems.is_empty() {
        for pair in &report.pairs {
            problems.extend(pair.tally.causes.keys().map(|cause| format!("{}: {cause}", pair.environment)));
        }
    }
    Ok(problems)
}

async fn preview(arguments: &PreviewArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let loaded = session.config.etl(&arguments.name)?;
    let etl = loaded.preview()?;
    let environment = session.environment()?;
    if arguments.event.is_some_and(|event| arguments.iterate_over.is_none() && event > arguments.count) {
        return Err(Failure::usage("--event is beyond --count", "give --count at least as large"));
    }
    let filters = Filters { environments: vec![environment.name.clone()], ..Filters::default() };
    let request = Request {
        runner: RunnerConfig {
            dry_run: true,
            log_payloads: true,
            limits: Limits::default(),
            filters,
            ..runner(session)
        },
        events: EventConfig {
            count: arguments.count,
            iterate_over: arguments.iterate_over.clone(),
            ..EventConfig::default()
        },
        context: arguments.context.load()?,
        ..Request::default()
    };
    let only = arguments.event.map(|event| event - 1);
    let report =
        running::preview(&alone(etl, &loaded.file), &running::targets(session), &request, only, session, output)
            .await?;
    output.finish()?;
    if report.verdict == Verdict::Done {
        return Ok(Exit::Done);
    }
    let fault = report.faults.first().cloned().unwrap_or_else(|| {
        let cause = report.total.causes.keys().next().cloned().unwrap_or_else(|| "it was stopped".into());
        Fault::new(Blame::Configuration, cause)
    });
    Err(fault.into())
}

/// A registry with this ETL alone, enabled: a disabled one is previewed, never run.
fn alone(etl: &Etl, file: &str) -> Registry {
    let mut registry = Registry::new();
    registry.add(file, Ok(Etl { enabled: true, ..etl.clone() }));
    registry
}

fn runner(session: &Session<'_>) -> RunnerConfig {
    session.config.runner.value.as_deref().cloned().unwrap_or_default()
}
