//! `velox-tui doctor`: what is configured, what is missing, what answers. It changes nothing.

use std::io;

use clap::Args;
use serde::Serialize;

use super::environments::{self, State};
use super::health::{self, Checked};
use super::output::{Output, Page, Role, cell};
use super::session::Session;
use super::{Exit, Failure};
use crate::core::fault::Fault;

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
    etls: Etls<'a>,
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
struct Etls<'a> {
    whole: usize,
    enabled: usize,
    broken: Vec<&'a Fault>,
}

/// Looks at everything and tells.
pub async fn run(arguments: &DoctorArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let config = &session.config;
    let looked_at = session.environments()?;
    let answers = if arguments.offline {
        Vec::new()
    } else {
        let complete = looked_at.iter().filter(|environment| environment.ready().is_ok());
        futures::future::join_all(complete.map(|environment| health::check(environment, None))).await
    };
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
            whole: config.etls.iter().filter(|etl| etl.value.is_ok()).count(),
            enabled: config.etls.iter().filter(|etl| etl.value.as_ref().is_ok_and(|etl| etl.enabled)).count(),
            broken: config.etls.iter().filter_map(|etl| etl.value.as_ref().err()).flatten().collect(),
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
        for fault in configuration.faults.iter().chain(&self.etls.broken) {
            page.line(page.paint(Role::Danger, format!("  broken: {fault}")))?;
        }
        page.line(format!(
            "ETLs           {} whole, {} enabled, {} faults",
            self.etls.whole,
            self.etls.enabled,
            self.etls.broken.len()
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
