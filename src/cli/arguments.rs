//! The command line: global flags and the list of commands. Each command's own flags stand in its file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::completions::{self, CompletionsArguments};
use super::consume::{self, ConsumeArguments};
use super::doctor::{self, DoctorArguments};
use super::environments::EnvironmentCommand;
use super::etls::EtlCommand;
use super::exit::{EXIT_CODES, Exit, Failure};
use super::init::{self, InitArguments};
use super::jobs::JobsCommand;
use super::produce::{self, ProduceArguments};
use super::run::{self, RunArguments};
use super::schema::{self, SchemaArguments};
use super::sql::SqlCommand;
use super::tail::{self, TailArguments};

/// The console from which people run Kafka ETL.
///
/// Without a command it opens the console. Every command does the same without a screen, from the same configuration,
/// so that what was tried by hand becomes a line in a script.
#[derive(Debug, Clone, Parser)]
#[command(name = "velox-tui", version, max_term_width = 100, after_help = OVERVIEW, disable_help_subcommand = true)]
pub struct Arguments {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do; the console where absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that stand before any command, and all but one after it too.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Environment to work in; `run` takes several, separated by commas [default: ACTIVE_ENVIRONMENT, else sandbox]
    #[arg(short = 'E', long, global = true, value_name = "NAME", value_delimiter = ',')]
    pub environment: Vec<String>,
    /// Folder of environments/, etl/, runner.yaml and console.yaml [default: config, else what the program ships with]
    #[arg(long, global = true, value_name = "DIR", env = "VELOX_CONFIG_DIR", hide_env_values = true)]
    pub config_dir: Option<PathBuf>,
    /// Folder of payloads/ [default: templates, else what the program ships with]
    #[arg(long, global = true, value_name = "DIR", env = "VELOX_TEMPLATE_DIR", hide_env_values = true)]
    pub template_dir: Option<PathBuf>,
    /// File of variables [default: .env, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "VELOX_ENV_FILE", hide_env_values = true)]
    pub env_file: Option<PathBuf>,
    /// Folder of jobs and their checkpoints, texts, log and audit log; before the command, with `jobs` and `sql deploy` behind
    /// it too [default: ${XDG_STATE_HOME:-~/.local/state}/velox-tui]
    // Not global: behind `sql run` it names the folder of that run's checkpoints.
    #[arg(long, value_name = "DIR", env = "VELOX_STATE_DIR", hide_env_values = true)]
    pub state_dir: Option<PathBuf>,
    /// Theme of the console [default: the one of console.yaml]
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Form of the output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// More log lines on the standard error; RUST_LOG says which in detail
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Only errors on the standard error: no progress, no totals, no warnings
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: nothing but JSON on the standard output
    Json,
}

/// The headless commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Environments: how they are configured, what they lack, whether they answer
    Env {
        /// What to do.
        #[command(subcommand)]
        command: EnvironmentCommand,
    },
    /// ETLs: what is defined, whether it is whole, what it would send
    Etl {
        /// What to do.
        #[command(subcommand)]
        command: EtlCommand,
    },
    /// Run ETLs: render their events and send them, or only render with --dry-run
    #[command(after_help = with_exit_codes(run::EXAMPLES))]
    Run(Box<RunArguments>),
    /// Read topics as records arrive, or up to their end; joins no group, commits nothing
    #[command(after_help = with_exit_codes(tail::EXAMPLES))]
    Tail(TailArguments),
    /// Send messages to a topic, from the standard input, a file, JSON Lines or a template
    #[command(after_help = with_exit_codes(produce::EXAMPLES))]
    Produce(ProduceArguments),
    /// Process the records of a consumer group, one by one, with a command of yours; commit each when it is done
    #[command(after_help = with_exit_codes(consume::EXAMPLES))]
    Consume(ConsumeArguments),
    /// Streaming SQL over topics, files and generators: run it, explain it, check it
    Sql {
        /// What to do.
        #[command(subcommand)]
        command: SqlCommand,
    },
    /// Deployed jobs: what there is, how each does, going on, stopping, dropping
    Jobs {
        /// What to do.
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// What is configured, what is missing, what answers
    #[command(after_help = with_exit_codes(doctor::EXAMPLES))]
    Doctor(DoctorArguments),
    /// Write the files that the program brings with it here, to be changed
    #[command(after_help = init::EXAMPLES)]
    Init(InitArguments),
    /// Write the JSON Schemas of the YAML files
    #[command(after_help = schema::EXAMPLES)]
    Schema(SchemaArguments),
    /// Write the completion script of a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(CompletionsArguments),
}

impl Command {
    /// The folder of jobs that is named behind the command.
    pub fn state_dir(&self) -> Option<&PathBuf> {
        match self {
            Self::Jobs { command } => command.state().state_dir.as_ref(),
            Self::Sql { command: SqlCommand::Deploy(arguments) } => arguments.state.state_dir.as_ref(),
            _ => None,
        }
    }
}

/// What the help of a command that sends or reads ends with.
fn with_exit_codes(examples: &str) -> String {
    format!("{examples}\n\n{EXIT_CODES}")
}

const OVERVIEW: &str = EXIT_CODES;

/// The parsed command line, or how the process ends at once: `--help` and `--version` with 0, a mistake with 2.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Arguments, Exit> {
    let line: Vec<OsString> = line.into_iter().collect();
    Arguments::try_parse_from(&line).map_err(|error| {
        if error.use_stderr() && asks_for_json(&line) {
            let text = error.to_string();
            let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            return Failure::usage(what, "velox-tui --help lists commands and flags").report(Format::Json);
        }
        // A closed output is nobody's fault: there is no reader left to tell.
        let _ = error.print();
        if error.use_stderr() { Exit::Usage } else { Exit::Done }
    })
}

/// Whether a line that could not be parsed asked for JSON.
fn asks_for_json(line: &[OsString]) -> bool {
    line.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json")
        || line.iter().any(|word| word == "--format=json")
}

/// A length of time as a flag takes it.
///
/// # Errors
/// Any other text.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    if !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{0}` has no unit: write {0}s for seconds, {0}ms for milliseconds", text.trim()));
    }
    crate::connectors::options::duration(text).ok_or_else(|| "a length of time, as 500ms, 10s, 5m, 1h".to_owned())
}

/// A number of bytes as a flag takes it.
///
/// # Errors
/// Any other text, and none at all.
pub fn size(text: &str) -> Result<usize, String> {
    let bytes = crate::connectors::options::bytes(text.trim()).filter(|bytes| *bytes > 0);
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| "a size above zero, as 512MB, 4GB".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_length_of_time_has_a_unit() {
        assert_eq!(duration("10s"), Ok(std::time::Duration::from_secs(10)));
        assert_eq!(duration("10"), Err("`10` has no unit: write 10s for seconds, 10ms for milliseconds".to_owned()));
        assert!(duration("ten").is_err() && duration("").is_err());
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            ["velox-tui", "--format", "json", "completions", "bash"],
            ["velox-tui", "completions", "bash", "--format", "json"],
        ] {
            let arguments = Arguments::try_parse_from(line).expect("both are fine");
            assert_eq!(arguments.global.format, Format::Json);
        }
    }
}
