//! The binary: arguments, runtime, dispatch, exit code. Everything else is in the library.

use std::io::Write;
use std::process::ExitCode;

use velox::cli::{self, Exit, Global, arguments};
use velox::config::Sources;
use velox::ui::open::{Opening, open};

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    let arguments = match arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(exit) => return Ok(exit.into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = match arguments.command {
        Some(command) => runtime.block_on(cli::run(command, &arguments.global)),
        None => runtime.block_on(console(&arguments.global)),
    };
    // A thread that waits for a line of the standard input would hold the process for ever.
    runtime.shutdown_background();
    Ok(exit.into())
}

async fn console(global: &Global) -> Exit {
    let folders = (global.config_dir.clone(), global.template_dir.clone());
    let opening = Opening {
        sources: Sources::standard(folders.0, folders.1, global.env_file.clone()),
        environment: global.environment.first().cloned(),
        theme: global.theme.clone(),
        state: global.state_dir.clone(),
    };
    let (exit, last_word) = match open(opening).await {
        Ok(farewell) if farewell.is_voluntary() => (Exit::Done, farewell.to_string()),
        Ok(farewell) => (Exit::Stopped, farewell.to_string()),
        Err(fault) => (Exit::Usage, fault.to_string()),
    };
    if !last_word.is_empty() {
        // The terminal may be gone; then there is nobody left to tell.
        writeln!(std::io::stderr(), "{last_word}").ok();
    }
    exit
}
