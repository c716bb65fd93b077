//! `velox-tui schema`: the JSON Schemas of the YAML files, for editors and for a check in CI.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::arguments::Global;
use super::output::Output;
use super::{Exit, Failure};
use crate::config;
use crate::core::fault::{Blame, Fault, Place};

/// Flags of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArguments {
    /// Print this one instead of writing files: environment, etl, runner or console
    pub name: Option<String>,
    /// Folder to write to [default: schemas/ in the configuration folder]
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub out: Option<PathBuf>,
    /// Write nothing: fail if a file there is not what would be written
    #[arg(long, conflicts_with = "name")]
    pub check: bool,
}

/// What `schema --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui schema                    writes config/schemas/*.schema.json
  velox-tui schema environment        prints one
  velox-tui schema --check            fails where the files on disk are older than the program

A YAML file names its schema in its first line, and editors check it as it is typed:
  # yaml-language-server: $schema=../schemas/environment.schema.json";

const ENDING: &str = ".schema.json";

#[derive(Serialize)]
struct Written {
    file: String,
    changed: bool,
}

/// Writes, checks or prints the schemas.
pub fn run(arguments: &SchemaArguments, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let schemas = config::schemas();
    if let Some(name) = &arguments.name {
        let known = |file: &&str| file.trim_end_matches(ENDING) == name;
        let Some((_, schema)) = schemas.iter().find(|(file, _)| known(file)) else {
            let names: Vec<_> = schemas.iter().map(|(file, _)| file.trim_end_matches(ENDING)).collect();
            return Err(Failure::usage(format!("there is no schema `{name}`"), format!("known: {}", names.join(", "))));
        };
        std::io::Write::write_all(output.writer(), text(schema).as_bytes())?;
        return Ok(Exit::Done);
    }
    let config_dir = global.config_dir.clone().unwrap_or_else(|| "config".into());
    let folder = arguments.out.clone().unwrap_or_else(|| config_dir.join("schemas"));
    let written = schemas
        .iter()
        .map(|(name, schema)| place(&folder.join(name), &text(schema), arguments.check))
        .collect::<Result<Vec<_>, _>>()?;
    output.show(&written, |page| {
        written.iter().try_for_each(|written| {
            let state = match (written.changed, arguments.check) {
                (false, _) => "up to date",
                (true, false) => "written",
                (true, true) => "differs: run velox-tui schema",
            };
            page.line(format!("{}  {state}", written.file))
        })
    })?;
    Ok(if arguments.check && written.iter().any(|written| written.changed) { Exit::Usage } else { Exit::Done })
}

/// The files by name, with their texts.
pub fn files() -> impl Iterator<Item = (String, String)> {
    config::schemas().into_iter().map(|(name, schema)| (name.to_owned(), text(&schema)))
}

fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// Writes a schema where the file does not hold it already.
fn place(file: &Path, text: &str, only_check: bool) -> Result<Written, Failure> {
    let changed = fs::read_to_string(file).map_or(true, |found| found != text);
    if changed && !only_check {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).and_then(|()| fs::write(file, text)).map_err(|error| {
            Fault::new(Blame::Operator, format!("cannot be written: {error}"))
                .at(Place::file(file.display().to_string()))
        })?;
    }
    Ok(Written { file: file.display().to_string(), changed })
}
