//! `velox-tui sql`: streaming SQL without a screen: run, explain, validate, describe, format. The engine is the
//! console's; nothing here plans or computes.

mod called;
mod chained;
mod deploy;
mod describe;
mod explain;
mod formatting;
mod functions;
mod moving;
mod printing;
pub mod rows;
mod run;
mod screen;
mod starting;
pub(in crate::cli) mod summary;
mod table;
pub mod text;
mod validate;
mod which;

use clap::Subcommand;

use super::output::Output;
use super::session::Session;
use super::{Exit, Failure};

/// What `sql` does.
#[derive(Debug, Clone, Subcommand)]
pub enum SqlCommand {
    /// Run statements: rows go where INTO says, else to the screen
    #[command(after_help = run::EXAMPLES)]
    Run(Box<run::RunArguments>),
    /// Deploy a statement as a job that survives its process
    #[command(after_help = deploy::EXAMPLES)]
    Deploy(Box<deploy::DeployArguments>),
    /// Show how a statement would run, or with --analyze how it did
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::ExplainArguments),
    /// Check files or folders of SQL: syntax, names, types, options; nothing is run
    #[command(after_help = validate::EXAMPLES)]
    Validate(validate::ValidateArguments),
    /// List the functions, or those with a word in their name or help
    #[command(after_help = functions::EXAMPLES)]
    Functions(functions::FunctionsArguments),
    /// Show the columns of a topic, a file or a URI, inferred from a sample where nothing declares them
    #[command(after_help = describe::EXAMPLES)]
    Describe(describe::DescribeArguments),
    /// Lay SQL out: keywords in upper case, one clause a line, comments kept
    #[command(after_help = formatting::EXAMPLES)]
    Fmt(formatting::FmtArguments),
}

/// Carries out a `sql` command.
pub async fn run(command: &SqlCommand, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        SqlCommand::Run(arguments) => run::run(arguments, session, output).await,
        SqlCommand::Deploy(arguments) => deploy::run(arguments, session, output).await,
        SqlCommand::Explain(arguments) => explain::run(arguments, session, output).await,
        SqlCommand::Validate(arguments) => validate::run(arguments, session, output).await,
        SqlCommand::Functions(arguments) => functions::run(arguments, output),
        SqlCommand::Describe(arguments) => describe::run(arguments, session, output).await,
        SqlCommand::Fmt(arguments) => formatting::run(arguments, output),
    }
}
