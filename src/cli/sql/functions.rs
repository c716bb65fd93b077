//! `velox-tui sql functions`: every function with its signature and a line of help.

use clap::Args;
use comfy_table::Cell;

use crate::cli::output::Output;
use crate::cli::{Exit, Failure};
use crate::sql::functions::list;
use crate::sql::functions::registry::Functions;

/// Flags of `sql functions`.
#[derive(Debug, Clone, Args)]
pub struct FunctionsArguments {
    /// Only those with this in their name or help
    pub word: Option<String>,
}

/// What `sql functions --help` ends with.
pub const EXAMPLES: &str = "Examples:\n  velox-tui sql functions\n  velox-tui sql functions json";

/// Lists functions.
pub fn run(arguments: &FunctionsArguments, output: &mut Output) -> Result<Exit, Failure> {
    let word = arguments.word.as_deref().unwrap_or_default().to_lowercase();
    let mut found = list::entries(&Functions::builtin());
    found.retain(|one| one.name.to_lowercase().contains(&word) || one.help.to_lowercase().contains(&word));
    output.show(&found, |page| {
        if found.is_empty() {
            return page.line(format!("no function has `{word}` in its name or help"));
        }
        let rows = found.iter().map(|one| vec![Cell::new(one.signatures.join("\n")), Cell::new(&one.help)]);
        page.table(&["function", "help"], rows, 2)
    })?;
    Ok(Exit::Done)
}
