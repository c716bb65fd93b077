//! Whether environments answer, step by step and timed, as `env check` and `doctor` show it.

use std::io;

use serde::Serialize;

use super::output::{Page, Role, cell};
use super::session;
use super::{Exit, Failure};
use crate::config::Loaded;
use crate::core::environment::Environment;
use crate::core::fault::Fault;
use crate::kafka::cause::ErrorCode;
use crate::kafka::health::{self, Outcome, StepReport};

/// What a check found.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Environment.
    pub environment: String,
    /// Whether every step that was taken went well.
    pub answers: bool,
    /// The steps in order; none where the configuration already stands against it.
    pub steps: Vec<StepReport>,
    /// What went wrong first.
    pub fault: Option<Fault>,
    /// The code of that fault.
    pub error_code: Option<u8>,
}

/// Checks an environment. With `round_trip` a record is written to that topic and read again.
pub async fn check(environment: &Loaded<Environment>, round_trip: Option<&str>) -> Checked {
    let name = environment.name.clone();
    let connection = match session::connection(environment) {
        Ok(connection) => connection,
        Err(failure) => {
            let fault = match failure {
                Failure::Fault { fault, .. } | Failure::Midway(fault) => Some(*fault),
                Failure::Text { faults, .. } => faults.into_iter().next(),
                Failure::OutputClosed => None,
            };
            return Checked {
                environment: name,
                answers: false,
                steps: Vec::new(),
                error_code: code(fault.as_ref()),
                fault,
            };
        }
    };
    let patience = session::patience(&connection);
    let steps = health::check(&connection, round_trip, patience, |_| {}).await;
    let fault = steps.iter().find_map(|step| match &step.outcome {
        Outcome::Fault(fault) => Some(fault.clone()),
        Outcome::Ok(_) | Outcome::Skipped(_) => None,
    });
    Checked { environment: name, answers: fault.is_none(), error_code: code(fault.as_ref()), steps, fault }
}

fn code(fault: Option<&Fault>) -> Option<u8> {
    fault.map(|fault| ErrorCode::of(fault, ErrorCode::Consumer).number())
}

/// The exit code of some checks: that of the first that failed.
pub fn exit(checks: &[Checked]) -> Exit {
    checks.iter().find_map(|check| check.fault.as_ref()).map_or(Exit::Done, |fault| fault.blame.into())
}

/// The steps of a check as text.
pub fn write(check: &Checked, page: &mut Page<'_>) -> io::Result<()> {
    let (role, state) = if check.answers { (Role::Success, "answers") } else { (Role::Danger, "does not answer") };
    page.line(format!("{}  {}", page.paint(Role::Strong, &check.environment), page.paint(role, state)))?;
    if check.steps.is_empty() {
        return check.fault.iter().try_for_each(|fault| page.line(format!("  {fault}")));
    }
    let rows = check.steps.iter().map(|step| {
        let (role, found) = match &step.outcome {
            Outcome::Ok(found) => (Role::Success, page.safe(found).into_owned()),
            Outcome::Fault(fault) => (Role::Danger, page.safe(&fault.to_string()).into_owned()),
            Outcome::Skipped(why) => (Role::Muted, format!("skipped: {why}")),
        };
        let time = match step.outcome {
            Outcome::Skipped(_) => "-".to_owned(),
            Outcome::Ok(_) | Outcome::Fault(_) => format!("{} ms", step.elapsed_ms),
        };
        vec![format!("  {}", step.step.name()).into(), time.into(), cell(role, found)]
    });
    let rows: Vec<_> = rows.collect();
    page.table(&["  step", "time", "result"], rows, usize::MAX)
}
