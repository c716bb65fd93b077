//! Resuming, stopping and dropping a job: each asks the guard of its environment and is audited.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::foreground::{Foreground, program};
use super::{DropArguments, ResumeArguments, StopArguments};
use crate::cli::audit::Audited;
use crate::cli::guard::{self, GuardArguments, Terminal};
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::cli::{Exit, Failure};
use crate::core::duration::told;
use crate::core::environment::Guard;
use crate::core::fault::{Blame, Fault};
use crate::sql::deploy::definition::{Definition, Wish};
use crate::sql::deploy::hold::holder;
use crate::sql::deploy::shelf::{Request, Shelf};

/// Between two looks at whether a job has stopped.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a job.
#[derive(Serialize)]
struct Outcome<'a> {
    name: &'a str,
    outcome: &'a str,
}

/// Runs a job here.
pub async fn resume(arguments: &ResumeArguments, session: &Session<'_>) -> Result<Exit, Failure> {
    let shelf = arguments.state.shelf()?;
    let mut definition = shelf.read(&arguments.name)?.definition;
    let what = match arguments.from_scratch {
        true => format!("run job {} from scratch", definition.name),
        false => format!("run job {}", definition.name),
    };
    let audited = Audited::new(session, &definition.environment, &what);
    audited.permitted(permitted(session, &definition, &arguments.guard, &what, false))?;
    let outcome = async {
        let hold = shelf.hold_job(&definition.name, &program("jobs resume"))?;
        definition.wish = Wish::Running;
        let before = definition.clone();
        definition.generation += u32::from(arguments.from_scratch);
        shelf.write(&definition)?;
        if arguments.from_scratch {
            shelf.forget_state(&before)?;
        }
        Foreground { definition, shelf, hold }.run(session).await
    };
    let outcome = outcome.await;
    audited.ended(outcome.as_ref().copied(), None);
    outcome
}

/// Stops a job wherever it runs.
pub async fn stop(arguments: &StopArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let shelf = arguments.state.shelf()?;
    let kept = shelf.read(&arguments.name)?;
    let name = kept.definition.name.as_str();
    let what = format!("stop job {name}");
    let audited = Audited::new(session, &kept.definition.environment, &what);
    audited.permitted(permitted(session, &kept.definition, &arguments.guard, &what, true))?;
    let outcome = match kept.holder.is_some() {
        false => shelf
            .write(&Definition { wish: Wish::Stopped, ..kept.definition.clone() })
            .map(|()| "no process ran it; it is to stay stopped")
            .map_err(Failure::from),
        true => asked(&shelf, name, arguments).await.map(|()| "stopped"),
    };
    audited.ended(outcome.as_ref().map(|_| Exit::Done), None);
    let outcome = outcome?;
    output.show(&Outcome { name, outcome }, |page| page.line(format!("{name}: {outcome}")))?;
    Ok(Exit::Done)
}

/// Asks the holder of a job to stop it, and waits until it has let go.
async fn asked(shelf: &Shelf, name: &str, arguments: &StopArguments) -> Result<(), Failure> {
    shelf.ask(name, if arguments.at_once { Request::Stop } else { Request::Savepoint })?;
    let deadline = Instant::now() + arguments.wait;
    loop {
        let Some(holder) = holder(&shelf.folder(name)) else { return Ok(()) };
        if deadline <= Instant::now() {
            let what = format!("`{name}` still runs after {}: {holder} has not let go of it", told(arguments.wait));
            return Err(Fault::new(Blame::Operator, what)
                .next("it stops when its savepoint is written; --wait waits longer, --at-once writes none")
                .into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Forgets a job that nobody runs.
pub fn remove(arguments: &DropArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let shelf = arguments.state.shelf()?;
    let definition = shelf.read(&arguments.name)?.definition;
    let name = definition.name.as_str();
    let what = format!("drop job {name} and its checkpoints");
    let audited = Audited::new(session, &definition.environment, &what);
    audited.permitted(permitted(session, &definition, &arguments.guard, &what, false))?;
    let outcome =
        shelf.hold_job(name, &program("jobs drop")).and_then(|_hold| shelf.remove(name)).map_err(Failure::from);
    audited.ended(outcome.as_ref().map(|()| Exit::Done), None);
    outcome?;
    let outcome = "dropped";
    output.show(&Outcome { name, outcome }, |page| page.line(format!("{name}: {outcome}")))?;
    Ok(Exit::Done)
}

/// What the guard of a job's environment says. What writes on where nothing may be written now may always be stopped.
fn permitted(
    session: &Session<'_>,
    definition: &Definition,
    arguments: &GuardArguments,
    what: &str,
    is_stop: bool,
) -> Result<(), Failure> {
    let guard = match session.config.environment(&definition.environment) {
        Ok(environment) => session::guard(environment),
        // An environment that is no more guards nothing that could be written to.
        Err(_) => Guard::None,
    };
    let guard = if is_stop && guard == Guard::ReadOnly { Guard::Confirm } else { guard };
    guard::permit(&[(definition.environment.as_str(), guard)], arguments, what, &mut Terminal)
}
