//! `velox-tui sql fmt`: SQL laid out in one way. The meaning stays; a file that does not parse is left alone.

use std::path::PathBuf;

use clap::Args;

use super::text::{Input, Source};
use crate::cli::output::Output;
use crate::cli::{Exit, Failure};
use crate::config::variables::Variables;
use crate::core::fault::{Blame, Fault, Place};
use crate::sql::parse;

/// Flags of `sql fmt`.
#[derive(Debug, Clone, Args)]
pub struct FmtArguments {
    /// The SQL.
    #[command(flatten)]
    pub input: Input,
    /// Write the file instead of the standard output
    #[arg(long, short = 'i', requires = "file")]
    pub in_place: bool,
    /// Write nothing; exit with 1 where the layout would change
    #[arg(long, conflicts_with = "in_place")]
    pub check: bool,
}

/// What `sql fmt --help` ends with.
pub const EXAMPLES: &str =
    "Examples:\n  velox-tui sql fmt app.sql\n  velox-tui sql fmt -i app.sql\n  velox-tui sql fmt --check app.sql";

/// Lays SQL out.
pub fn run(arguments: &FmtArguments, output: &mut Output) -> Result<Exit, Failure> {
    let source: Source = arguments.input.read(&Variables::default())?;
    let laid_out = parse::format(&source.text).map_err(|errors| source.refused(&errors))?;
    let path: Option<&PathBuf> = arguments.input.file.as_ref();
    if arguments.check {
        return Ok(if laid_out == source.text { Exit::Done } else { Exit::SomeFailed });
    }
    match path {
        Some(path) if arguments.in_place => {
            if laid_out != source.text {
                std::fs::write(path, laid_out).map_err(|error| {
                    Fault::new(Blame::Operator, format!("cannot be written: {error}"))
                        .at(Place::file(path.display().to_string()))
                })?;
            }
        }
        _ => output.page().text(&laid_out)?,
    }
    Ok(Exit::Done)
}
