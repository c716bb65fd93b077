//! `velox-tui env`: environments as they are configured, and whether they answer.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::guard::{GuardArguments, Terminal};
use super::output::{Output, Role, cell};
use super::session::{self, Session};
use super::{Exit, Failure, guard, health, signals};
use crate::config::{Loaded, Missing};
use crate::core::environment::{EMBEDDED, Environment, Guard};
use crate::core::fault::Fault;

/// What `env` does.
#[derive(Debug, Clone, Subcommand)]
pub enum EnvironmentCommand {
    /// List every environment: guard, protocol, brokers, and what it lacks
    #[command(
        after_help = "Examples:\n  velox-tui env list\n  velox-tui env list --format json | jq -r '.[] | select(.state == \"ready\").name'"
    )]
    List,
    /// Show the effective values of one, secrets masked, and where each came from
    #[command(
        after_help = "Examples:\n  velox-tui env show qa\n  velox-tui env show prod --format json | jq '.missing'"
    )]
    Show(ShowArguments),
    /// Ask an environment step by step, each timed: resolve, TCP, TLS, log in, metadata, and a record there and back
    #[command(
        after_help = "Examples:\n  velox-tui env check\n  velox-tui env check qa uat\n  velox-tui env check qa --round-trip velox.check    writes one record and reads it again\n\nExit codes: 0 all answer, 2 not configured, 3 no connection, 4 login refused."
    )]
    Check(CheckArguments),
}

/// Flags of `env show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// Environment [default: --environment, else ACTIVE_ENVIRONMENT, else sandbox]
    pub name: Option<String>,
    /// Leave out what nobody wrote
    #[arg(long)]
    pub no_defaults: bool,
}

/// Flags of `env check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// Environments [default: --environment, else ACTIVE_ENVIRONMENT, else sandbox]
    pub names: Vec<String>,
    /// Also write a record to this topic and read it again [default: health.round_trip_topic of the environment]
    #[arg(long, value_name = "TOPIC")]
    pub round_trip: Option<String>,
    /// What is lifted.
    #[command(flatten)]
    pub guard: GuardArguments,
}

/// Carries out an `env` command.
pub async fn run(command: &EnvironmentCommand, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        EnvironmentCommand::List => list(session, output),
        EnvironmentCommand::Show(arguments) => show(arguments, session, output),
        EnvironmentCommand::Check(arguments) => check(arguments, session, output).await,
    }
}

/// An environment's row.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    name: &'a str,
    description: &'a str,
    file: &'a str,
    state: State,
    guard: Guard,
    bootstrap_servers: Option<&'a str>,
    security_protocol: Option<&'static str>,
    sasl_mechanism: Option<&'static str>,
    missing: &'a [Missing],
    faults: &'a [Fault],
}

/// Whether an environment can be connected to as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is wrong, nothing is missing.
    Ready,
    /// A variable is not set.
    Incomplete,
    /// The file has faults.
    Broken,
}

/// The row of an environment.
pub fn summary(loaded: &Loaded<Environment>) -> Summary<'_> {
    let value = loaded.value.as_deref().ok();
    let lacks = |field: &str| loaded.missing.iter().any(|missing| missing.field == field);
    let kafka = value.map(|environment| &environment.kafka);
    Summary {
        name: &loaded.name,
        description: value.map_or("", |environment| &environment.description),
        file: &loaded.file,
        state: match (&loaded.value, loaded.missing.as_slice()) {
            (Err(_), _) => State::Broken,
            (Ok(_), []) => State::Ready,
            (Ok(_), _) => State::Incomplete,
        },
        guard: session::guard(loaded),
        bootstrap_servers: kafka.map(|kafka| &*kafka.bootstrap_servers).filter(|_| !lacks("kafka.bootstrap_servers")),
        security_protocol: kafka.map(|kafka| kafka.security_protocol.name()),
        sasl_mechanism: kafka
            .filter(|kafka| kafka.security_protocol.has_sasl())
            .and_then(|kafka| kafka.sasl.as_ref())
            .map(|sasl| sasl.mechanism.name()),
        missing: &loaded.missing,
        faults: loaded.value.as_ref().err().map_or(&[], Vec::as_slice),
    }
}

impl Summary<'_> {
    /// Name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Whether it can be connected to.
    pub fn state(&self) -> State {
        self.state
    }

    /// The state in words, with the names of what is missing.
    pub fn state_in_words(&self) -> (Role, String) {
        match self.state {
            State::Ready => (Role::Success, "ready".into()),
            State::Broken => {
                (Role::Danger, format!("broken: {}", self.faults.first().map(ToString::to_string).unwrap_or_default()))
            }
            State::Incomplete => {
                let mut names: Vec<&str> = self.missing.iter().map(|missing| missing.variable.as_str()).collect();
                names.dedup();
                (Role::Warning, format!("not set: {}", names.join(", ")))
            }
        }
    }
}

fn list(session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let rows: Vec<Summary<'_>> = session.config.environments.iter().map(summary).collect();
    let active = session.environment().map(|environment| environment.name.clone()).unwrap_or_default();
    output.show(&rows, |page| {
        let cells = rows.iter().map(|row| {
            let (role, state) = row.state_in_words();
            let protocol = match row.bootstrap_servers {
                Some(servers) if servers.starts_with(EMBEDDED) => "in this process".to_owned(),
                _ => [row.security_protocol, row.sasl_mechanism].into_iter().flatten().collect::<Vec<_>>().join(" "),
            };
            let guard = match row.guard {
                Guard::None => (Role::Muted, "none"),
                Guard::Confirm => (Role::Warning, "confirm"),
                Guard::Typed => (Role::Danger, "typed"),
                Guard::ReadOnly => (Role::Danger, "read_only"),
            };
            vec![
                cell(Role::Strong, format!("{} {}", if row.name == active { "*" } else { " " }, row.name)),
                cell(guard.0, guard.1),
                protocol.into(),
                row.bootstrap_servers.unwrap_or("-").into(),
                cell(role, state),
            ]
        });
        page.table(&["  name", "guard", "protocol", "brokers", "state"], cells, usize::MAX)
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    values: Vec<Value<'a>>,
}

#[derive(Serialize)]
struct Value<'a> {
    field: &'a str,
    value: &'a str,
    from: String,
}

fn show(arguments: &ShowArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let loaded = match &arguments.name {
        Some(name) => session.config.environment(name)?,
        None => session.environment()?,
    };
    let values = loaded
        .origins
        .iter()
        .filter(|effective| !(arguments.no_defaults && effective.origin == crate::config::Origin::Default))
        .map(|effective| Value { field: &effective.path, value: &effective.shown, from: effective.origin.to_string() })
        .collect();
    let shown = Shown { summary: summary(loaded), values };
    let is_broken = shown.summary.state == State::Broken;
    output.show(&shown, |page| {
        let (role, state) = shown.summary.state_in_words();
        page.line(format!("{}  {}", page.paint(Role::Strong, &loaded.name), page.paint(role, state)))?;
        page.line(page.paint(Role::Muted, &loaded.file))?;
        for fault in shown.summary.faults {
            page.line(page.paint(Role::Danger, fault))?;
        }
        for missing in shown.summary.missing {
            page.line(page.paint(Role::Warning, missing.fault()))?;
        }
        page.line("")?;
        let rows = shown
            .values
            .iter()
            .map(|value| vec![value.field.into(), value.value.into(), cell(Role::Muted, &value.from)]);
        page.table(&["field", "value", "from"], rows, usize::MAX)
    })?;
    Ok(if is_broken { Exit::Usage } else { Exit::Done })
}

async fn check(arguments: &CheckArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let named = arguments.names.iter().map(|name| session.config.environment(name)).collect::<Result<Vec<_>, _>>()?;
    let environments = match (named.is_empty(), session.global.environment.is_empty()) {
        (false, _) => named,
        (true, false) => session.environments()?,
        (true, true) => vec![session.environment()?],
    };
    if let Some(topic) = &arguments.round_trip {
        let guards: Vec<_> =
            environments.iter().map(|environment| (environment.name.as_str(), session::guard(environment))).collect();
        guard::permit(&guards, &arguments.guard, &format!("a record written to `{topic}`"), &mut Terminal)?;
    }
    let round_trip = |environment: &Loaded<Environment>| {
        let configured = || environment.value.as_ref().ok()?.round_trip_topic().map(str::to_owned);
        arguments.round_trip.clone().or_else(configured)
    };
    let checks = environments.iter().map(|environment| async move {
        let topic = round_trip(environment);
        health::check(environment, topic.as_deref()).await
    });
    let (checks, stopped) = signals::drive(futures::future::join_all(checks), []).await?;
    output.show(&checks, |page| checks.iter().try_for_each(|check| health::write(check, page)))?;
    Ok(if stopped { Exit::Stopped } else { health::exit(&checks) })
}
