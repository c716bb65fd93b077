//! `velox-tui completions SHELL`: the completion script of a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::Output;
use super::{Arguments, Exit, Failure};

/// Flags of `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArguments {
    /// Shell to write the script for.
    pub shell: Shell,
}

/// What `completions --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui completions bash > ~/.local/share/bash-completion/completions/velox-tui
  velox-tui completions zsh  > ~/.zfunc/_velox-tui
  velox-tui completions fish > ~/.config/fish/completions/velox-tui.fish";

/// Writes the script.
pub fn run(arguments: &CompletionsArguments, output: &mut Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "velox-tui", &mut script);
    std::io::Write::write_all(output.writer(), &script)?;
    Ok(Exit::Done)
}
