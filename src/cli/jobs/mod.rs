//! `velox-tui jobs`: deployed jobs without a screen: what there is, how each does, going on, stopping, dropping. The folder
//! is the console's; whoever runs a job holds it.

mod change;
mod foreground;
mod list;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::arguments::duration;
use super::guard::GuardArguments;
use super::output::Output;
use super::session::Session;
use super::{Exit, Failure};

pub use foreground::{Foreground, opening, program};

/// Where deployed jobs are kept.
#[derive(Debug, Clone, Args)]
pub struct StateFolder {
    /// Folder of jobs, their checkpoints and the audit log [default: the one named before the command, or by VELOX_STATE_DIR,
    /// else ${XDG_STATE_HOME:-~/.local/state}/velox-tui, the console's]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// What `jobs` does.
#[derive(Debug, Clone, Subcommand)]
pub enum JobsCommand {
    /// List deployed jobs: state, rate, lag, late, errors, checkpoint, and who runs each
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArguments),
    /// Show one job: its SQL, how it does, who runs it, where it goes on from
    #[command(after_help = SHOW_EXAMPLES)]
    Show(NamedArguments),
    /// Run a job here, from its last checkpoint, until it is stopped
    #[command(after_help = RESUME_EXAMPLES)]
    Resume(ResumeArguments),
    /// Stop a job, whichever process runs it; it writes a savepoint first
    #[command(after_help = STOP_EXAMPLES)]
    Stop(StopArguments),
    /// Forget a job and its checkpoints; what it wrote stays
    #[command(after_help = DROP_EXAMPLES)]
    Drop(DropArguments),
}

/// Flags of `jobs list`.
#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    /// Where jobs are kept.
    #[command(flatten)]
    pub state: StateFolder,
}

/// Flags of `jobs show`.
#[derive(Debug, Clone, Args)]
pub struct NamedArguments {
    /// Name of the job
    pub name: String,
    /// Where jobs are kept.
    #[command(flatten)]
    pub state: StateFolder,
}

/// Flags of `jobs resume`.
#[derive(Debug, Clone, Args)]
pub struct ResumeArguments {
    /// Name of the job
    pub name: String,
    /// Forget its checkpoints and begin anew; what it wrote stays, and is written again
    #[arg(long)]
    pub from_scratch: bool,
    /// The guard of the environment that is written to.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// Where jobs are kept.
    #[command(flatten)]
    pub state: StateFolder,
}

/// Flags of `jobs stop`.
#[derive(Debug, Clone, Args)]
pub struct StopArguments {
    /// Name of the job
    pub name: String,
    /// Do not write a savepoint: it goes on from its last checkpoint another time
    #[arg(long)]
    pub at_once: bool,
    /// Longest wait for the process that runs it: 500ms, 10s, 5m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub wait: std::time::Duration,
    /// The guard of the environment that is written to.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// Where jobs are kept.
    #[command(flatten)]
    pub state: StateFolder,
}

/// Flags of `jobs drop`.
#[derive(Debug, Clone, Args)]
pub struct DropArguments {
    /// Name of the job
    pub name: String,
    /// The guard of the environment that is written to.
    #[command(flatten)]
    pub guard: GuardArguments,
    /// Where jobs are kept.
    #[command(flatten)]
    pub state: StateFolder,
}

const LIST_EXAMPLES: &str = "\
Examples:
  velox-tui jobs list
  velox-tui jobs list --format json | jq '.[] | select(.state == \"failed\")'

States: running, starting, reconnecting, paused (a process runs it); registered (nobody has run it yet) and interrupted \
(its process has gone): both are to run, `jobs resume` does; stopped (it is to stay so), done, failed.";
const SHOW_EXAMPLES: &str = "\
Examples:
  velox-tui jobs show spend_by_customer";
const RESUME_EXAMPLES: &str = "\
Examples:
  velox-tui jobs resume spend_by_customer
  velox-tui jobs resume spend_by_customer --yes-i-mean prod --quiet

It runs in this process. SIGINT or SIGTERM writes a savepoint and ends it with 5: the job is to go on, and the next \
resume does. `jobs stop` from another process ends it with 0: it is to stay stopped.";
const STOP_EXAMPLES: &str = "\
Examples:
  velox-tui jobs stop spend_by_customer
  velox-tui jobs stop spend_by_customer --at-once --wait 5s

The process that runs it is asked, a console too, and waited for. Where it could not write its savepoint, the fault is
said and the exit code is 2; the job is to stay stopped either way.";
const DROP_EXAMPLES: &str = "\
Examples:
  velox-tui jobs drop spend_by_customer

A job that runs is stopped first: velox-tui jobs stop NAME.";

impl JobsCommand {
    /// Where the jobs are that it is about.
    pub fn state(&self) -> &StateFolder {
        match self {
            Self::List(arguments) => &arguments.state,
            Self::Show(arguments) => &arguments.state,
            Self::Resume(arguments) => &arguments.state,
            Self::Stop(arguments) => &arguments.state,
            Self::Drop(arguments) => &arguments.state,
        }
    }
}

/// Carries out a `jobs` command.
pub async fn run(command: &JobsCommand, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        JobsCommand::List(_) => list::list(&session.shelf()?, output),
        JobsCommand::Show(arguments) => list::show(&session.shelf()?, &arguments.name, output),
        JobsCommand::Resume(arguments) => change::resume(arguments, session, output).await,
        JobsCommand::Stop(arguments) => change::stop(arguments, session, output).await,
        JobsCommand::Drop(arguments) => change::remove(arguments, session, output),
    }
}
