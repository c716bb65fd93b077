//! Resuming, stopping and dropping a job: each asks the guard of its environment and is audited.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::foreground::{Foreground, program};
use super::{DropArguments, ResumeArguments, StopArguments};
use crate::cli::audit::Audited;
use crate::cli::clusters::Guards;
use crate::cli::guard::{self, GuardArguments, Terminal};
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::cli::{Exit, Failure};
use crate::core::duration::told;
use crate::core::environment::Guard;
use crate::core::fault::{Blame, Fault};
use crate::sql::deploy::definition::{Definition, Wish};
use crate::sql::deploy::hold::{Holder, holder};
use crate::sql::deploy::shelf::{Request, Shelf};
use crate::sql::deploy::status::State;

/// Between two looks at whether a job has stopped.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a job.
#[derive(Serialize)]
struct Outcome<'a> {
    name: &'a str,
    outcome: &'a str,
}

/// Runs a job here.
pub async fn resume(arguments: &ResumeArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let shelf = session.shelf()?;
    let seen = shelf.read(&arguments.name)?.definition;
    let what = match arguments.from_scratch {
        true => format!("run job {} from scratch", seen.name),
        false => format!("run job {}", seen.name),
    };
    let guards = Guards::of_job(&seen, session)?;
    let audited = Audited::new(session, guards.names(), &what);
    audited.permitted(guard::permit(&guards.list(), &arguments.guard, &what, &mut Terminal))?;
    let outcome = async {
        let (hold, now) = shelf.hold_seen(&seen, &program("jobs resume"))?;
        let definition = shelf.begin_again(now, arguments.from_scratch)?;
        Foreground { definition, shelf, hold, said: Vec::new() }.run(session, output).await
    };
    let outcome = outcome.await;
    audited.ended(outcome.as_ref().copied(), None);
    outcome
}

/// Stops a job wherever it runs.
pub async fn stop(arguments: &StopArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let shelf = session.shelf()?;
    let seen = shelf.read(&arguments.name)?.definition;
    let name = seen.name.as_str();
    let what = format!("stop job {name}");
    let audited = Audited::new(session, &seen.environment, &what);
    audited.permitted(permitted(session, &seen, &arguments.guard, &what, true))?;
    let outcome = stopped(&shelf, &seen, arguments).await;
    audited.ended(outcome.as_ref().map(|_| Exit::Done), None);
    let outcome = outcome?;
    output.show(&Outcome { name, outcome }, |page| page.line(format!("{name}: {outcome}")))?;
    Ok(Exit::Done)
}

/// Asks whoever holds a job to stop it, until nobody does; then it is written that it is to stay stopped.
async fn stopped(shelf: &Shelf, seen: &Definition, arguments: &StopArguments) -> Result<&'static str, Failure> {
    let name = seen.name.as_str();
    let folder = shelf.folder(name);
    let deadline = Instant::now() + arguments.wait;
    let mut asked: Option<Holder> = None;
    loop {
        let Some(holder) = holder(&folder) else {
            let (_hold, now) = match shelf.hold_seen(seen, &program("jobs stop")) {
                // Another process was quicker: that one is asked then.
                Err(_) if holder(&folder).is_some() => continue,
                held => held?,
            };
            return settled(shelf, now, asked.is_some());
        };
        if asked.as_ref() != Some(&holder) {
            shelf.ask(name, if arguments.at_once { Request::Stop } else { Request::Savepoint })?;
            asked = Some(holder.clone());
        }
        if deadline <= Instant::now() {
            let what = format!("`{name}` still runs after {}: {holder} has not let go of it", told(arguments.wait));
            return Err(Fault::new(Blame::Operator, what)
                .next("it stops when its savepoint is written; --wait waits longer, --at-once writes none")
                .into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Writes of a job that nobody runs any more that it is to stay stopped, and says how it ended. The caller holds it.
fn settled(shelf: &Shelf, definition: Definition, was_asked: bool) -> Result<&'static str, Failure> {
    let name = definition.name.clone();
    let status = shelf.read(&name)?.status;
    shelf.write(&Definition { wish: Wish::Stopped, ..definition })?;
    if !was_asked {
        return Ok("no process ran it; it is to stay stopped");
    }
    match status.as_ref().map(|status| status.state) {
        Some(State::Stopped) => match status.and_then(|status| status.fault) {
            None => Ok("stopped"),
            Some(fault) => Err(Fault::new(Blame::Operator, format!("`{name}` is stopped, but {fault}"))
                .next("it is to stay stopped; what came after is done again when it is resumed")
                .into()),
        },
        Some(State::Done) => Ok("it had come to its end"),
        Some(State::Failed) => {
            let fault = status.and_then(|status| status.fault).unwrap_or_default();
            Err(Fault::new(Blame::Operator, format!("`{name}` failed while it stopped: {fault}"))
                .next("it is to stay stopped; resumed, it goes on from its last checkpoint")
                .into())
        }
        _ => Ok("its process ended without a savepoint; it is to stay stopped, and goes on from its last checkpoint"),
    }
}

/// Forgets a job that nobody runs.
pub fn remove(arguments: &DropArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let shelf = session.shelf()?;
    let seen = shelf.read(&arguments.name)?.definition;
    let name = seen.name.as_str();
    let what = format!("drop job {name} and its checkpoints");
    let audited = Audited::new(session, &seen.environment, &what);
    audited.permitted(permitted(session, &seen, &arguments.guard, &what, false))?;
    let outcome =
        shelf.hold_seen(&seen, &program("jobs drop")).and_then(|_held| shelf.remove(name)).map_err(Failure::from);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;
    use crate::cli::arguments::{Arguments, Command};
    use crate::cli::jobs::JobsCommand;
    use crate::sql::deploy::status::Status;

    #[test]
    fn a_stop_without_the_savepoint_that_was_asked_for_fails() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path());
        let definition = Definition::new("lost", "qa", "INSERT INTO b SELECT * FROM a");
        shelf.add(&definition).unwrap();
        let stopped = |fault: Option<&str>| {
            let fault = fault.map(str::to_owned);
            shelf.tell("lost", &Status { state: State::Stopped, fault, ..Status::beginning(0) });
            settled(&shelf, definition.clone(), true).map_err(|failure| (failure.exit(), failure.to_string()))
        };
        assert_eq!(stopped(None), Ok("stopped"));
        let (exit, told) = stopped(Some("no savepoint could be written: no broker answers")).unwrap_err();
        assert!(exit == Exit::Usage && told.contains("`lost` is stopped, but no savepoint could be written"), "{told}");
    }

    #[tokio::test]
    async fn a_stop_that_waited_for_its_answer_writes_nothing_back_but_the_wish() {
        let line = Arguments::try_parse_from(["velox-tui", "jobs", "stop", "racy"]).unwrap();
        let Some(Command::Jobs { command: JobsCommand::Stop(arguments) }) = line.command else { panic!("no stop") };
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path());
        let seen = Definition::new("racy", "qa", "INSERT INTO b SELECT * FROM a");
        shelf.add(&seen).unwrap();
        let begun = shelf.begin_again(seen.clone(), true).unwrap();
        stopped(&shelf, &seen, &arguments).await.unwrap();
        assert_eq!(shelf.read("racy").unwrap().definition, Definition { wish: Wish::Stopped, ..begun });
    }
}
