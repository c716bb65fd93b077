//! A deployed job at work in this process, with a line of progress, until a signal, a request or its own end.

use std::path::PathBuf;

use tokio::sync::{mpsc, watch};

use crate::cli::progress::{Progress, REFRESH, grouped, rate};
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::connectors::registry::builtin;
use crate::core::fault::Fault;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::settings::Connection;
use crate::sql::deploy::definition::Definition;
use crate::sql::deploy::hold::Hold;
use crate::sql::deploy::run::{Ended, Order, Runner, TOLD_MAX, Told};
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
}

impl Foreground {
    /// Runs it to its end.
    ///
    /// # Errors
    /// What it failed with, its environment included.
    pub async fn run(self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Self { definition, shelf, hold } = self;
        let opening = opening(session, &definition.environment)?;
        let connection = opening()?.context.kafka;
        let (order, orders) = watch::channel(Order::Run);
        let (told, hears) = mpsc::channel(TOLD_MAX);
        let name = definition.name.clone();
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
                ended = async { tokio::join!(runner.run(), hear(hears, &name, quiet)).0 } => ended,
                never = sandbox => match never {},
            }
        };
        let saving = signals::once(move || {
            // A signal ends the process and not the wish: what starts it again goes on.
            order.send_replace(Order::Leave);
        });
        let (ended, _) = signals::drive(work, saving).await?;
        drop(hold);
        Ok(match ended? {
            Ended::Left => Exit::Stopped,
            Ended::Finished | Ended::Stopped | Ended::OnRequest => Exit::Done,
        })
    }
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

/// Says what the job tells, and shows how far it is.
async fn hear(mut hears: mpsc::Receiver<Told>, name: &str, quiet: bool) {
    let mut counters: Option<watch::Receiver<Statistics>> = None;
    let progress = Progress::open_ended(quiet);
    let mut looks = tokio::time::interval(REFRESH);
    loop {
        tokio::select! {
            told = hears.recv() => match told {
                Some(Told::Began { statistics, messages, .. }) => {
                    for message in messages {
                        tracing::info!("{name}: {message}");
                    }
                    tracing::info!("{name}: runs");
                    counters = Some(statistics);
                }
                Some(Told::Lost { fault, attempt }) => tracing::warn!("{name}: {fault}; attempt {attempt} follows"),
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
}
