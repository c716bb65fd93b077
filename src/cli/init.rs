//! `velox-tui init`: the files that the program brings with it, written where they can be changed. It replaces none that is there.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::arguments::Global;
use super::output::Output;
use super::{Exit, Failure, schema};
use crate::core::fault::{Blame, Fault, Place};
use crate::core::words::counted;
use crate::{config, template};

/// Flags of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArguments {
    /// Write nothing: say what would be written
    #[arg(long)]
    pub dry_run: bool,
}

/// What `init --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui init                      config/, templates/ and .env.example, here
  velox-tui init --dry-run            only says what it would write
  velox-tui --config-dir team/config --template-dir team/templates init

Until they are written the program works with the same files from within itself; from then on with \
what is in the folders alone, so that an environment or an ETL is removed by removing its file.";

/// The example of a file of variables.
const VARIABLES: &str = include_str!("../../.env.example");

#[derive(Serialize)]
struct Written {
    file: String,
    /// Whether it was not there.
    written: bool,
}

/// Writes what is not there.
///
/// # Errors
/// A file cannot be written.
pub fn run(arguments: &InitArguments, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let config_dir = global.config_dir.clone().unwrap_or_else(|| "config".into());
    let template_dir = global.template_dir.clone().unwrap_or_else(|| "templates".into());
    let mut files: Vec<(PathBuf, String)> = vec![(".env.example".into(), VARIABLES.into())];
    files.extend(config::shipped_files().map(|(name, text)| (config_dir.join(name), text.to_owned())));
    files.extend(schema::files().map(|(name, text)| (config_dir.join("schemas").join(name), text)));
    files.extend(template::shipped_files().map(|(name, text)| (template_dir.join(name), text.to_owned())));
    let place = |(path, text): &(PathBuf, String)| place(path, text, arguments.dry_run);
    let written = files.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    output.show(&written, |page| {
        let (new, kept): (Vec<_>, Vec<_>) = written.iter().partition(|file| file.written);
        let did = if arguments.dry_run { "would be written" } else { "written" };
        new.iter().try_for_each(|file| page.line(format!("{}  {did}", file.file)))?;
        if !kept.is_empty() {
            page.line(format!("{} there already, left as found", counted(kept.len() as u64, "file")))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn place(path: &Path, text: &str, is_dry: bool) -> Result<Written, Failure> {
    let written = match is_dry {
        true => Ok(!path.exists()),
        false => write_new(path, text),
    };
    let file = path.display().to_string();
    match written {
        Ok(written) => Ok(Written { file, written }),
        Err(error) => {
            Err(Fault::new(Blame::Operator, format!("cannot be written: {error}")).at(Place::file(file)).into())
        }
    }
}

/// Writes a file that is not there; whether it was not. Nobody's work is written over, also where two do this at once.
fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
