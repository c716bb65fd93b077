//! A deployed job at work in this process, with a line of progress, until a signal, a request or its own end.

use std::path::PathBuf;

use serde::Serialize;
use tokio::sync::{mpsc, watch};

use crate::cli::arguments::Format;
use crate::cli::log::DEPLOYED;
use crate::cli::output::Output;
use crate::cli::progress::{Progress, REFRESH, grouped, rate};
use crate::cli::session::Session;
use crate::cli::sql::summary::Report;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::connectors::registry::builtin;
use crate::core::fault::Fault;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::settings::Connection;
use crate::sql::deploy::definition::Definition;
use crate::sql::deploy::hold::Hold;
use crate::sql::deploy::run::{Begun, Ended, Order, Runner, TOLD_MAX, Told};
use crate::sql::deploy::shelf::Shelf;
use crate::sql::exec::statistics::Statistics;
use crate::sql::plan::session::Session as Planning;

/// What the holder of a job is called.
pub fn program(command: &str) -> String {
    format!("velox-tui {command}")
}

/// A job that is held and about to run.
pub struct Foreground {
    /// What it is.
    pub definition: Definition,
    /// Where it is kept.
    pub shelf: Shelf,
    /// That this process runs it.
    pub hold: Hold,
    /// Warnings of its plan that were said before.
    pub said: Vec<String>,
}

impl Foreground {
    /// Runs it to its end.
    ///
    /// # Errors
    /// What it failed with, its environment included.
    pub async fn run(self, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
        let Self { definition, shelf, hold, said } = self;
        let opening = opening(session, &definition.environment)?;
        let connection = opening()?.context.kafka;
        let (order, orders) = watch::channel(Order::Run);
        let (told, hears) = mpsc::channel(TOLD_MAX);
        let name = definition.name.clone();
        let of_it = Commands::of(&name, session);
        let runner = Runner { definition, shelf, session: opening, orders, told };
        let quiet = session.global.quiet;
        let work = async {
            let sandbox = async {
                match &connection {
                    Some(connection) => sandbox::events(connection).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = async { tokio::join!(runner.run(), hear(hears, &name, quiet, (&of_it, &said))) } => ended,
                never = sandbox => match never {},
            }
        };
        let saving = signals::once(move || {
            // A signal ends the process and not the wish: what starts it again goes on.
            order.send_replace(Order::Leave);
        });
        let ((ended, done), _) = signals::drive(work, saving).await?;
        drop(hold);
        let ended = ended?;
        let report = Report::of(&of_it.name, &done.statistics, done.dead_letters);
        let outcome = match ended {
            Ended::Finished => "finished",
            Ended::Stopped | Ended::OnRequest => "stopped",
            Ended::Left => "left",
        };
        match output.format() {
            Format::Text if quiet => {}
            Format::Text => report.say(Format::Text, ended != Ended::Finished)?,
            Format::Json => output.show(&Document { report, outcome, has_savepoint: !done.is_unsaved }, |_| Ok(()))?,
        }
        tracing::info!(target: DEPLOYED, "{}", of_it.over(ended, done.is_unsaved));
        Ok(match ended {
            Ended::Left => Exit::Stopped,
            // As `sql run` ends where it was all.
            Ended::Finished if done.bad > 0 => Exit::SomeFailed,
            Ended::Finished | Ended::Stopped | Ended::OnRequest => Exit::Done,
        })
    }
}

/// What a job has done.
#[derive(Default)]
struct Done {
    /// Of its last start.
    statistics: Statistics,
    /// Records that failed, in all its starts.
    bad: u64,
    dead_letters: Option<String>,
    /// Whether it was to write a savepoint and could not.
    is_unsaved: bool,
}

impl Done {
    /// Takes what a start has counted that is over.
    fn begin(&mut self, counters: Option<&watch::Receiver<Statistics>>) {
        if let Some(counters) = counters {
            self.statistics = counters.borrow().clone();
            self.bad += self.statistics.failures.bad();
        }
    }
}

/// The one document of `--format json`.
#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    report: Report,
    outcome: &'static str,
    has_savepoint: bool,
}

/// What opens a session in an environment.
///
/// # Errors
/// An environment that there is not, or that is broken.
pub fn opening(
    session: &Session<'_>,
    environment: &str,
) -> Result<impl Fn() -> Result<Planning, Fault> + Clone + Send + 'static, Failure> {
    let environment = session.config.environment(environment)?.ready()?.clone();
    let variables = session.config.variables.clone();
    Ok(move || {
        let connection = Connection::open(&environment, &AuthRegistry::default())?;
        let context = Context { kafka: Some(connection), absent: None, folder: PathBuf::from(".") };
        Ok(Planning::new(builtin(), context, variables.clone(), ("discard".to_owned(), Options::default())))
    })
}

/// What a person types next, with the folder of jobs where that was named.
struct Commands {
    name: String,
    folder: String,
}

impl Commands {
    fn of(name: &str, session: &Session<'_>) -> Self {
        let folder = session.global.state_dir.as_ref();
        let folder = folder.map(|folder| format!(" --state-dir {}", folder.display())).unwrap_or_default();
        Self { name: name.to_owned(), folder }
    }

    fn command(&self, verb: &str) -> String {
        format!("`velox-tui jobs {verb} {}{}`", self.name, self.folder)
    }

    fn begun(&self, from: Option<Begun>) -> String {
        let from = from.map_or("the beginning".to_owned(), |from| format!("checkpoint {}", from.epoch));
        format!(
            "{} runs here, from {from}; {} tells how it does, {} ends it with a savepoint",
            self.name,
            self.command("show"),
            self.command("stop")
        )
    }

    fn over(&self, ended: Ended, is_unsaved: bool) -> String {
        let (name, resume) = (&self.name, self.command("resume"));
        match ended {
            Ended::Finished => {
                format!("{name} has read all there was; {} has the figures", self.command("show"))
            }
            _ if is_unsaved => format!("{name} ends without a savepoint; {resume} goes on from its last checkpoint"),
            Ended::Stopped | Ended::OnRequest => format!("{name} is stopped; {resume} goes on from there"),
            Ended::Left => format!("{name} has left a savepoint; {resume} goes on from there"),
        }
    }
}

/// Says what the job tells, and shows how far it is. Gives what it has counted.
async fn hear(mut hears: mpsc::Receiver<Told>, name: &str, quiet: bool, (of_it, said): (&Commands, &[String])) -> Done {
    let mut counters: Option<watch::Receiver<Statistics>> = None;
    let mut done = Done::default();
    let progress = Progress::open_ended(quiet);
    let mut looks = tokio::time::interval(REFRESH);
    loop {
        tokio::select! {
            told = hears.recv() => match told {
                Some(Told::Began { plan, statistics, from, messages }) => {
                    done.begin(counters.as_ref());
                    done.dead_letters = plan.dead_letters.clone();
                    for message in messages.iter().filter(|message| !said.contains(*message)) {
                        tracing::info!(target: DEPLOYED, "{name}: {message}");
                    }
                    tracing::info!(target: DEPLOYED, "{}", of_it.begun(from));
                    counters = Some(statistics);
                }
                // What it waits for is said once; that it goes on is said when it does.
                Some(Told::Lost { fault, attempt: 1 }) => tracing::warn!("{name}: {fault}; it starts again by itself"),
                Some(Told::Lost { fault, attempt }) => tracing::debug!("{name}: {fault}; attempt {attempt} follows"),
                Some(Told::Unsaved(fault)) => {
                    tracing::warn!("{name}: {fault}");
                    done.is_unsaved = true;
                }
                // The connection, or the source, has said it.
                Some(Told::CutOff(_) | Told::Back) => {}
                Some(Told::Paused) => tracing::info!("{name}: paused"),
                None => break,
            },
            _ = looks.tick() => {
                if let Some(now) = counters.as_ref().map(|counters| counters.borrow().clone()) {
                    let (read, written) = (now.rows_read(), now.rows_written());
                    let pace = rate(read as f64 / now.elapsed.as_secs_f64().max(0.001));
                    progress.show(read, format!("{name}: {} read, {} written, {pace}", grouped(read), grouped(written)));
                }
            }
        }
    }
    progress.clear();
    done.begin(counters.as_ref());
    done
}
