//! Headless commands, one file each, over the same engine as the console. With `--format json` nothing but JSON is
//! on the standard output; what is said to a person (progress, logs, faults) goes to the standard error.

pub mod arguments;
pub mod exit;
pub mod output;

mod completions;
pub mod context;
pub mod guard;
pub mod position;
pub mod records;

pub use arguments::{Arguments, Command, Format, Global};
pub use exit::{Exit, Failure};

use output::Output;

/// Carries out a headless command and reports its failure, if any, in the asked format.
pub async fn run(command: Command, global: &Global) -> Exit {
    let mut output = Output::standard(global.format);
    let ending = perform(command, &mut output).await;
    let ending = ending.and_then(|exit| output.finish().map(|()| exit).map_err(Failure::from));
    ending.unwrap_or_else(|failure| failure.report(global.format))
}

async fn perform(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Completions(arguments) => completions::run(&arguments, output),
    }
}
