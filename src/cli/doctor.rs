//! `velox-tui doctor`: what is configured, what is missing, what answers. It changes nothing.

use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;

use clap::Args;
use serde::Serialize;

use super::environments::{self, State};
use super::etls;
use super::health::{self, Checked};
use super::output::{Output, Page, Role, cell};
use super::progress::Progress;
use super::session::Session;
use super::{Exit, Failure};
use crate::core::fault::Fault;
use crate::core::lock::WholeMutex;
use crate::core::words::counted;

/// Flags of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArguments {
    /// Ask no broker
    #[arg(long)]
    pub offline: bool,
}

/// What `doctor --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui doctor            everything: files, variables, ETLs, every environment that is complete
  velox-tui -E qa doctor      only qa is asked, and what it lacks is an error
  velox-tui doctor --offline --format json | jq '.environments[] | select(.state != \"ready\")'

An environment that lacks a variable is told and is no error, unless it was named with --environment.";

#[derive(Serialize)]
struct Findings<'a> {
    version: &'static str,
    configuration: Configuration<'a>,
    environments: Vec<environments::Summary<'a>>,
    etls: Etls,
    answers: Vec<Checked>,
}

#[derive(Serialize)]
struct Configuration<'a> {
    config_dir: String,
    shipped: bool,
    env_file: Option<String>,
    warnings: &'a [Fault],
    faults: Vec<&'a Fault>,
}

#[derive(Serialize)]
struct Etls {
    whole: usize,
    enabled: usize,
    broken: Vec<Fault>,
}

/// Looks at everything and tells.
pub async fn run(arguments: &DoctorArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let config = &session.config;
    let looked_at = session.environments()?;
    let answers = if arguments.offline {
        Vec::new()
    } else {
        let complete: Vec<_> = looked_at.iter().filter(|environment| environment.ready().is_ok()).collect();
        let progress = Progress::towards(complete.len() as u64, session.global.quiet);
        let names: Mutex<BTreeSet<&str>> = Mutex::new(complete.iter().map(|one| one.name.as_str()).collect());
        let show = |names: &BTreeSet<&str>| {
            let waited_for: Vec<&str> = names.iter().copied().collect();
            progress.show((complete.len() - names.len()) as u64, format!("asking {}", waited_for.join(", ")));
        };
        show(&names.hold());
        let asked = complete.iter().map(async |environment| {
            let checked = health::check(environment, None).await;
            let mut names = names.hold();
            names.remove(environment.name.as_str());
            show(&names);
            checked
        });
        futures::future::join_all(asked).await
    };
    let engine = session.engine();
    let faults: Vec<Vec<Fault>> = config.etls.iter().map(|etl| etls::faults(etl, &engine)).collect();
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        configuration: Configuration {
            config_dir: session.sources.config_dir.display().to_string(),
            shipped: config.is_shipped,
            env_file: session.sources.env_file.as_ref().map(|file| file.display().to_string()),
            warnings: &config.warnings,
            faults: [config.runner.value.as_ref().err(), config.console.value.as_ref().err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect(),
        },
        environments: looked_at.iter().map(|environment| environments::summary(environment)).collect(),
        etls: Etls {
            whole: faults.iter().filter(|faults| faults.is_empty()).count(),
            enabled: config.etls.iter().filter(|etl| etl.value.as_ref().is_ok_and(|etl| etl.enabled)).count(),
            broken: faults.into_iter().flatten().collect(),
        },
        answers,
    };
    output.show(&findings, |page| findings.write(page))?;
    Ok(findings.exit(!session.global.environment.is_empty()))
}

impl Findings<'_> {
    /// What is broken weighs most, then what was named and is incomplete, then what does not answer.
    fn exit(&self, named: bool) -> Exit {
        let broken = |state| self.environments.iter().any(|environment| environment.state() == state);
        let files = !self.configuration.faults.is_empty() || !self.etls.broken.is_empty() || broken(State::Broken);
        if files || (named && broken(State::Incomplete)) {
            return Exit::Usage;
        }
        health::exit(&self.answers)
    }

    fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let configuration = &self.configuration;
        page.line(page.paint(Role::Strong, format!("velox-tui {}", self.version)))?;
        let shipped = if configuration.shipped {
            "  (nothing is defined there: the files that the program ships with)"
        } else {
            ""
        };
        page.line(format!("configuration  {}{shipped}", configuration.config_dir))?;
        page.line(format!(
            "variables      {}",
            configuration.env_file.as_deref().unwrap_or("no .env; the process environment")
        ))?;
        for fault in configuration.faults.iter().copied().chain(&self.etls.broken) {
            page.line(page.paint(Role::Danger, format!("  broken: {fault}")))?;
        }
        page.line(format!(
            "ETLs           {} whole, {} enabled, {}; `etl validate` renders each",
            self.etls.whole,
            self.etls.enabled,
            counted(self.etls.broken.len() as u64, "fault")
        ))?;
        page.line("")?;
        let rows: Vec<_> = self
            .environments
            .iter()
            .map(|environment| {
                let (role, state) = environment.state_in_words();
                vec![cell(Role::Strong, environment.name()), cell(role, state)]
            })
            .collect();
        page.table(&["environment", "state"], rows, usize::MAX)?;
        for check in &self.answers {
            page.line("")?;
            health::write(check, page)?;
        }
        Ok(())
    }
}
