//! Headless commands, a file or a folder each, over the same engine as the console. With `--format json` nothing but JSON is
//! on the standard output; what is said to a person (progress, logs, faults) goes to the standard error.

pub mod arguments;
mod audit;
mod clusters;
pub mod exit;
pub mod output;

mod completions;
pub mod context;
mod doctor;
mod environments;
mod etls;
pub mod guard;
mod health;
mod init;
mod jobs;
mod line;
mod log;
pub mod position;
pub mod progress;
pub mod records;
mod sandbox;
mod schema;
mod session;
pub mod signals;

mod consume;
mod produce;
mod run;
pub mod sql;
mod tail;

pub use arguments::{Arguments, Command, Format, Global};
pub use exit::{Exit, Failure};

use output::Output;
use session::Session;

/// Carries out a headless command and reports its failure, if any, in the asked format.
pub async fn run(command: Command, global: &Global) -> Exit {
    let named = command.state_dir().or(global.state_dir.as_ref()).cloned();
    let global = &Global { state_dir: named, ..global.clone() };
    log::to_standard_error(global);
    let mut output = Output::standard(global.format);
    let ending = perform(command, global, &mut output).await;
    let ending = ending.and_then(|exit| output.finish().map(|()| exit).map_err(Failure::from));
    ending.unwrap_or_else(|failure| failure.report(global.format))
}

async fn perform(command: Command, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Completions(arguments) => completions::run(&arguments, output),
        Command::Init(arguments) => init::run(&arguments, global, output),
        Command::Schema(arguments) => schema::run(&arguments, global, output),
        Command::Env { command } => environments::run(&command, &Session::load(global)?, output).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &Session::load(global)?, output).await,
        Command::Etl { command } => etls::run(&command, &Session::load(global)?, output).await,
        Command::Sql { command } => sql::run(&command, &Session::load(global)?, output).await,
        Command::Jobs { command } => jobs::run(&command, &Session::load(global)?, output).await,
        Command::Run(arguments) => run::run(&arguments, &Session::load(global)?, output).await,
        Command::Consume(arguments) => consume::run(&arguments, &Session::load(global)?, output).await,
        Command::Tail(arguments) => tail::run(arguments, &Session::load(global)?, output).await,
        Command::Produce(arguments) => produce::run(&arguments, &Session::load(global)?, output).await,
    }
}
