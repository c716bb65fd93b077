//! Performs effects through the layers below: the only place in `app` that names a service. Everything that could take time is
//! given to the supervisor; nothing here waits.

mod assist;
mod connect;
mod deployed;
mod etl;
mod explain;
mod export_rows;
mod files;
mod load;
mod merge;
mod places;
mod query;
mod sql_files;
mod tail;
mod themes;
mod work;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use tokio_util::sync::CancellationToken;

use super::effect::Effect;
use super::fact::{Fact, Loaded};
use super::feed::Intake;
use super::journal::{Journal, audit_line, who};
use super::model::Note;
use super::model::audit::AuditEntry;
use super::supervisor::Supervisor;
use crate::clock::now_ms;
use crate::config::{Config, Scrubber, Sources};
use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::connectors::registry::builtin;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::{WholeMutex, WholeRwLock};
use crate::core::words::counted;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::settings::Connection;
use crate::kafka::survey::survey;
use crate::sql::deploy::shelf::Shelf;
use crate::sql::plan::session::Session;
use crate::sql::predicate::Predicate;
use crate::template::Engine;

/// What performs effects.
pub struct Runtime {
    supervisor: Supervisor,
    sources: Arc<Sources>,
    engine: Engine,
    config: Arc<Mutex<Arc<Config>>>,
    scrubber: Arc<RwLock<Scrubber>>,
    journal: Option<Journal>,
    /// Folder of presets.
    state: Option<PathBuf>,
    auth: Arc<AuthRegistry>,
    /// What ends a connection that is kept, by environment; cancelled where it has ended.
    connections: HashMap<String, CancellationToken>,
    who: String,
    /// The folder of deployed jobs.
    shelf: Option<Shelf>,
    /// What tells deployed jobs what is wanted of them.
    orders: deployed::Orders,
}

impl Runtime {
    /// A runtime over a configuration that was loaded, reporting through the supervisor.
    pub fn new(supervisor: Supervisor, sources: Sources, config: Config, journal: Option<Journal>) -> Self {
        Self {
            shelf: journal.as_ref().map(|journal| Shelf::new(journal.folder())),
            orders: deployed::Orders::default(),
            state: journal.as_ref().map(|journal| journal.folder().to_owned()),
            supervisor,
            engine: Engine::builder(sources.templates.clone()).build(),
            sources: Arc::new(sources),
            scrubber: Arc::new(RwLock::new(config.scrubber())),
            config: Arc::new(Mutex::new(Arc::new(config))),
            journal,
            auth: Arc::default(),
            connections: HashMap::new(),
            who: who(),
        }
    }

    /// What is known of the configuration, for the model.
    pub fn loaded(&self) -> Loaded {
        load::facts(&self.config(), &self.engine, self.state.as_deref())
    }

    /// The supervisor.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// What takes secrets out of log lines; follows every load.
    pub fn scrubber(&self) -> Arc<RwLock<Scrubber>> {
        self.scrubber.clone()
    }

    /// Writes what is still on its way to the disk.
    pub fn close(&self) {
        if let Some(journal) = &self.journal {
            journal.flush();
        }
    }

    /// Performs an effect. Those that touch the terminal are not for the runtime and are ignored.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::LoadConfiguration => self.load(),
            Effect::Connect(environment) => self.connect(environment),
            Effect::Disconnect(environment) => {
                if let Some(stop) = self.connections.remove(&environment) {
                    stop.cancel();
                }
            }
            Effect::ListTopics(environment) => self.list_topics(environment),
            Effect::StartTail { job, tail } => {
                let opening = self.opening(&tail.environment);
                self.supervisor.start(job, move |assignment| async move {
                    let connection = off_the_async_threads(opening).await?;
                    tail::tail(connection, tail, assignment).await
                });
            }
            Effect::CheckHealth { job, environment } => {
                let opening = self.opening(&environment);
                self.supervisor.start(job, move |assignment| async move {
                    work::check(off_the_async_threads(opening).await?, assignment).await
                });
            }
            Effect::StartGenerator { job, .. } => self.supervisor.start(job, work::sample_events),
            Effect::StartResend { job, resend } => {
                let opening = self.opening(&resend.environment);
                self.supervisor.start(job, move |assignment| async move {
                    work::resend(off_the_async_threads(opening).await?, resend, assignment).await
                });
            }
            Effect::StartQuery { job, query } => {
                let session = self.session(&query.environment);
                self.supervisor.start(job, move |assignment| query::run(session, query, assignment));
            }
            Effect::WatchDeployments => {
                if let Some(shelf) = self.shelf.clone() {
                    let intake = self.intake().clone();
                    self.supervisor.keep("the folder of jobs", |stop| deployed::watch_folder(shelf, intake, stop));
                }
            }
            Effect::FindBrokers { request, jobs } => {
                let config = self.config();
                self.supervisor.ask("looking where jobs write", async move {
                    let finding = move || deployed::elsewhere(&config, &jobs);
                    Fact::BrokersFound { request, outcome: off_the_async_threads(finding).await }
                });
            }
            Effect::StartDeployed { job, definition, from } => {
                let (shelf, orders) = (self.shelf.clone(), self.orders.clone());
                let session = self.session(&definition.environment);
                self.supervisor.start(job, move |assignment| async move {
                    let shelf = shelf.ok_or_else(deployed::no_folder)?;
                    deployed::run(shelf, definition, from, session, orders, assignment).await
                });
            }
            Effect::Order { job, order } => deployed::order(&self.orders, job, order),
            Effect::DropDeployed(seen) => {
                let shelf = self.shelf.clone();
                self.supervisor.ask("dropping a job", async move {
                    let said = format!("`{}` is dropped", seen.name);
                    let dropping = off_the_async_threads(move || {
                        let shelf = shelf.ok_or_else(deployed::no_folder)?;
                        let _held = shelf.hold_seen(&seen, "console")?;
                        shelf.remove(&seen.name)
                    });
                    Fact::Said(match dropping.await {
                        Ok(()) => Note::success(said),
                        Err(fault) => Note::danger(fault.to_string()),
                    })
                });
            }
            Effect::Diagnose { request, text, catalog, .. } => {
                let variables = self.config().variables.clone();
                self.supervisor.ask("looking at SQL", async move {
                    let looking = move || Ok(Arc::new(assist::diagnose(&text, &catalog, variables)));
                    Fact::Diagnosed { request, outcome: off_the_async_threads(looking).await }
                });
            }
            Effect::SampleTopic { environment, topic } => {
                let opening = self.opening(&environment);
                self.supervisor.ask("looking into a topic", async move {
                    let name = topic.clone();
                    let looking = move || assist::sample_topic(&opening()?, &name).map(Arc::new);
                    Fact::Sampled { environment, topic, outcome: off_the_async_threads(looking).await }
                });
            }
            Effect::ReadSql | Effect::ListSql | Effect::KeepSql(_) | Effect::SaveSql { .. } => self.desk(effect),
            Effect::ExplainSql { request, query } => {
                let session = self.session(&query.environment);
                self.supervisor.ask("planning a statement", async move {
                    Fact::SqlExplained { request, outcome: explain::explain(session, &query).await }
                });
            }
            Effect::ExportRows(export) => self.supervisor.ask("exporting rows", async move {
                let folder = PathBuf::from(".");
                let count = export.rows.len();
                Fact::Said(match off_the_async_threads(move || export_rows::export(&folder, &export)).await {
                    Ok(path) => {
                        Note::success(format!("{} written to {}", counted(count as u64, "row"), path.display()))
                    }
                    Err(fault) => Note::danger(fault.to_string()),
                })
            }),
            Effect::ReadThemes => self.supervisor.ask("reading the themes", async move {
                let reading = || Ok(themes::read(Path::new(themes::THEMES)));
                match off_the_async_threads(reading).await {
                    Ok(themes) => Fact::Themes(themes),
                    Err(fault) => Fact::Said(Note::danger(fault.to_string())),
                }
            }),
            Effect::StopJob(job) => self.supervisor.stop(job),
            Effect::Export(export) => self.supervisor.ask("exporting", async move {
                let folder = PathBuf::from(".");
                Fact::Said(match off_the_async_threads(move || files::export(&folder, &export)).await {
                    Ok(path) => Note::success(format!("written to {}", path.display())),
                    Err(fault) => Note::danger(fault.to_string()),
                })
            }),
            Effect::SavePreset { name, run } => {
                let state = self.state.clone();
                self.supervisor.ask("saving a preset", async move {
                    let saving = off_the_async_threads(move || match state {
                        Some(folder) => files::save_preset(&folder, &name, &run),
                        None => Err(Fault::new(Blame::Operator, "there is no folder for presets").next("set HOME")),
                    });
                    match saving.await {
                        Ok(preset) => Fact::PresetSaved(preset),
                        Err(fault) => Fact::Said(Note::danger(fault.to_string())),
                    }
                });
            }
            Effect::ForgetPreset(name) => {
                let state = self.state.clone();
                self.supervisor.ask("forgetting a preset", async move {
                    let forgotten = name.clone();
                    let forgetting = move || match state {
                        Some(folder) => files::forget_preset(&folder, &forgotten),
                        None => Ok(()),
                    };
                    match off_the_async_threads(forgetting).await {
                        Ok(()) => Fact::PresetForgotten(name),
                        Err(fault) => Fact::Said(Note::danger(fault.to_string())),
                    }
                });
            }
            Effect::Preview { request, preview } => {
                let (config, engine) = (self.config(), self.engine.clone());
                self.supervisor.ask("a preview", async move {
                    let rendering = move || etl::preview(&config, &engine, &preview);
                    Fact::Previewed { request, outcome: off_the_async_threads(rendering).await }
                });
            }
            Effect::PlanRun { request, run, lifted } => {
                let (config, engine) = (self.config(), self.engine.clone());
                self.supervisor.ask("a plan", async move {
                    let planning = move || etl::plan(&config, &engine, &run, &lifted);
                    Fact::Planned { request, outcome: off_the_async_threads(planning).await }
                });
            }
            Effect::CheckCondition { request, condition } => {
                self.supervisor.ask("looking at a condition", async move {
                    let compiling = move || Ok(Predicate::compile(&condition).map(drop));
                    match off_the_async_threads(compiling).await {
                        Ok(outcome) => Fact::ConditionChecked { request, outcome },
                        Err(fault) => Fact::Said(Note::danger(fault.to_string())),
                    }
                });
            }
            Effect::SurveyTail { request, tail } => {
                let opening = self.opening(&tail.environment);
                self.supervisor.ask("counting what is to be read", async move {
                    let counting = async {
                        let connection = off_the_async_threads(opening).await?;
                        survey(
                            &connection,
                            &tail.topics,
                            &tail.partitions,
                            &tail.reads_from(),
                            connection.request_timeout(),
                        )
                        .await
                    };
                    Fact::TailSurveyed { request, outcome: counting.await }
                });
            }
            Effect::StartRun { job, run, lifted } => {
                let (config, engine, auth) = (self.config(), self.engine.clone(), self.auth.clone());
                let asked = etl::Asked { run, lifted };
                self.supervisor.start(job, move |assignment| etl::run(config, engine, auth, asked, assignment));
            }
            Effect::Audit(entry) => self.audit(entry),
            // These are the terminal's, and the loop has carried them out.
            Effect::Copy(_)
            | Effect::EditFile { .. }
            | Effect::EditResend(_)
            | Effect::EditSql { .. }
            | Effect::Exit => {}
        }
    }

    /// What opens a connection to an environment, from the configuration as it is when it is called.
    fn opening(&self, environment: &str) -> impl Fn() -> Result<Connection, Fault> + Clone + Send + 'static {
        let (shared, auth, environment) = (self.config.clone(), self.auth.clone(), environment.to_owned());
        move || {
            let config = shared.hold().clone();
            Connection::open(config.environment(&environment)?.ready()?, &auth)
        }
    }

    /// What opens a session of SQL in an environment, from the configuration as it is when it is called.
    fn session(&self, environment: &str) -> impl Fn() -> Result<Session, Fault> + Clone + Send + 'static {
        let (opening, shared) = (self.opening(environment), self.config.clone());
        move || {
            let variables = shared.hold().variables.clone();
            let context = Context { kafka: Some(opening()?), absent: None, folder: PathBuf::from(".") };
            let screen = ("discard".to_owned(), Options::default());
            Ok(Session::new(builtin(), context, variables, screen))
        }
    }

    fn load(&self) {
        let (sources, shared, scrubber) = (self.sources.clone(), self.config.clone(), self.scrubber.clone());
        let (engine, state) = (self.engine.clone(), self.state.clone());
        self.supervisor.ask("reading the configuration", async move {
            let reading = tokio::task::spawn_blocking(move || {
                let config = Config::load(&sources);
                engine.reload();
                let loaded = load::facts(&config, &engine, state.as_deref());
                *scrubber.change() = config.scrubber();
                *shared.hold() = Arc::new(config);
                loaded
            });
            match reading.await {
                Ok(loaded) => Fact::Loaded(Box::new(loaded)),
                Err(error) => Fact::Said(Note::danger(format!("reading the configuration failed: {error}"))),
            }
        });
    }

    fn audit(&self, entry: AuditEntry) {
        // The model knows the time of its last tick only, which may be that of the beginning.
        let entry = AuditEntry { at_ms: now_ms(), ..entry };
        let line = audit_line(&self.who, &entry);
        let written = self.journal.as_ref().map(|journal| journal.audit(line));
        let intake = self.intake().clone();
        self.supervisor.ask("the audit log", async move {
            let is_written = match written {
                Some(written) => written.await,
                None => false,
            };
            if !is_written {
                intake
                    .tell(Fact::Said(Note::danger("the audit log could not be written: this is in memory only")))
                    .await;
            }
            Fact::Audited(entry)
        });
    }

    fn intake(&self) -> &Intake {
        self.supervisor.intake()
    }

    fn config(&self) -> Arc<Config> {
        self.config.hold().clone()
    }
}

/// Runs what reads files or starts a broker where waiting harms nobody.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Fault::new(Blame::Program, format!("a blocking step failed: {error}"))),
    }
}
