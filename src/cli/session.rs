//! What every command starts from: the loaded configuration and the environment it works in. It connects nowhere.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::Global;
use super::exit::Failure;
use crate::app::journal::state_folder;
use crate::config::{Config, Loaded, Sources, private};
use crate::core::environment::{Environment, Guard};
use crate::core::fault::{Blame, Fault, Place};
use crate::etl::registry::Registry;
use crate::kafka::admin::Admin;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::settings::Connection;
use crate::sql::deploy::shelf::Shelf;
use crate::template::Engine;

/// The configuration as the flags point at it.
pub struct Session<'a> {
    /// The global flags.
    pub global: &'a Global,
    /// Where the configuration came from.
    pub sources: Sources,
    /// Everything that was loaded, whole or broken.
    pub config: Config,
}

impl<'a> Session<'a> {
    /// Loads the configuration; what is odd in it goes to the log.
    ///
    /// # Errors
    /// A folder, a file or an environment that a flag names is not there.
    pub fn load(global: &'a Global) -> Result<Self, Failure> {
        for (flag, path) in [
            ("--config-dir", &global.config_dir),
            ("--template-dir", &global.template_dir),
            ("--env-file", &global.env_file),
        ] {
            if let Some(path) = path {
                must_exist(flag, path)?;
            }
        }
        let (config_dir, template_dir) = (global.config_dir.clone(), global.template_dir.clone());
        let sources = Sources::standard(config_dir, template_dir, global.env_file.clone());
        let config = Config::load(&sources);
        if let Some(note) = config.note() {
            tracing::info!("{note}");
        }
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        // A name that is mistyped is told also where nothing of its environment would be looked at.
        for name in &global.environment {
            config.environment(name)?;
        }
        Ok(Self { global, sources, config })
    }

    /// The one environment that a command works in: `--environment`, else where the console would start.
    ///
    /// # Errors
    /// Several were named, none has that name, or there is none at all.
    pub fn environment(&self) -> Result<&Loaded<Environment>, Failure> {
        match self.global.environment.as_slice() {
            [] => self.config.start_environment().ok_or_else(|| {
                let what =
                    format!("there is no environment in {}", self.sources.config_dir.join("environments").display());
                Fault::new(Blame::Configuration, what).next("--config-dir says where else to look").into()
            }),
            [name] => Ok(self.config.environment(name)?),
            _ => Err(Failure::usage("this command works in one environment", "give --environment once")),
        }
    }

    /// The environments that were named, or all.
    ///
    /// # Errors
    /// None has such a name.
    pub fn environments(&self) -> Result<Vec<&Loaded<Environment>>, Failure> {
        if self.global.environment.is_empty() {
            return Ok(self.config.environments.iter().collect());
        }
        self.global.environment.iter().map(|name| Ok(self.config.environment(name)?)).collect()
    }

    /// The environment to work in, with its settings checked. Nothing is opened yet.
    ///
    /// # Errors
    /// Its file is broken, a variable is missing, or the settings contradict each other.
    pub fn connection(&self) -> Result<Connection, Failure> {
        connection(self.environment()?)
    }

    /// The ETLs, broken ones with their first fault.
    pub fn registry(&self) -> Registry {
        Registry::load_all(&self.config)
    }

    /// The folder of jobs and of the audit log: the one that is named, else that of the person's system.
    pub fn state_folder(&self) -> Option<PathBuf> {
        self.global.state_dir.clone().or_else(|| state_folder(|name| std::env::var(name).ok()))
    }

    /// The deployed jobs.
    ///
    /// # Errors
    /// No folder is named, and no variable says where one would be.
    pub fn shelf(&self) -> Result<Shelf, Failure> {
        let folder = self.state_folder().ok_or_else(|| {
            Failure::usage("there is no state folder", "set HOME or XDG_STATE_HOME, or give --state-dir FOLDER")
        })?;
        if let Some(warning) = private::warning(&folder) {
            tracing::warn!("{warning}");
        }
        Ok(Shelf::new(folder))
    }

    /// What renders payloads.
    pub fn engine(&self) -> Engine {
        Engine::builder(self.sources.templates.clone()).build()
    }
}

/// A checked connection to an environment.
///
/// # Errors
/// As [`Session::connection`].
pub fn connection(environment: &Loaded<Environment>) -> Result<Connection, Failure> {
    let connection =
        Connection::open(environment.ready()?, &AuthRegistry::default()).map_err(|fault| placed(fault, environment))?;
    for warning in connection.warnings() {
        tracing::warn!("{}: {warning}", environment.name);
    }
    Ok(connection)
}

/// The guard of an environment, as far as its file can be read: a broken file is guarded by its name.
pub fn guard(environment: &Loaded<Environment>) -> Guard {
    environment.value.as_ref().map_or_else(|_| Guard::default_for(&environment.name), |value| value.guard())
}

fn placed(fault: Fault, environment: &Loaded<Environment>) -> Fault {
    match fault.place {
        Some(_) => fault,
        None => fault.at(Place::file(&environment.file)),
    }
}

fn must_exist(flag: &str, path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    Err(Failure::usage(format!("`{}` does not exist", path.display()), format!("{flag} names it")))
}

/// Longest wait for the first answer of a broker; an environment with a shorter timeout keeps its own.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// How long a command waits for the first answer of an environment's brokers.
pub fn patience(connection: &Connection) -> Duration {
    CONNECT_PATIENCE.min(connection.request_timeout())
}

/// Asks the brokers who they are, so that a wrong address or password is told before anything is read or sent.
///
/// # Errors
/// No broker answered in time, or the login was refused.
pub async fn reach(connection: &Connection) -> Result<(), Fault> {
    if let Some(fault) = crate::kafka::health::refused(connection).await {
        return Err(fault);
    }
    Admin::open(connection)?.cluster(None, patience(connection)).await.map(|_| ())
}
