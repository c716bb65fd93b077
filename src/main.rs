//! The binary: arguments, runtime, dispatch, exit code. Everything else is in the library.

use std::process::ExitCode;

use velox::cli::{self, arguments};

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    let arguments = match arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(exit) => return Ok(exit.into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = match arguments.command {
        Some(command) => runtime.block_on(cli::run(command, &arguments.global)),
        None => return Ok(ExitCode::SUCCESS),
    };
    // A thread that waits for a line of the standard input would hold the process for ever.
    runtime.shutdown_background();
    Ok(exit.into())
}
