//! `velox-tui sql validate`: every error of every file, for people and for CI. It opens sources only as far as their
//! schema, no sink, and runs nothing.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::text::{Source, planning};
use crate::cli::output::{Output, Role};
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox};
use crate::core::fault::{Blame, Fault, Place};
use crate::core::words::counted;
use crate::sql::parse;
use crate::sql::parse::statement::{Diagnostic, StatementKind};
use crate::sql::plan::session::Session as Planning;

/// Flags of `sql validate`.
#[derive(Debug, Clone, Args)]
pub struct ValidateArguments {
    /// Files, or folders of *.sql
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Warnings count as errors
    #[arg(long)]
    pub strict: bool,
    /// Only the syntax: no source is asked for its columns
    #[arg(long)]
    pub syntax: bool,
}

/// What `sql validate --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui sql validate app.sql
  velox-tui -E prod sql validate config/sql --strict --format json
  velox-tui sql validate app.sql --syntax            without a broker

Exit code 0 when all is well, 1 when there is an error (with --strict also for a warning).";

#[derive(Serialize)]
struct Checked {
    file: String,
    is_valid: bool,
    statements: usize,
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    #[serde(skip)]
    drawn: Vec<String>,
}

/// Checks every file.
pub async fn run(arguments: &ValidateArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        let paths: Vec<_> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
        let what = format!("no file of SQL is in {}", paths.join(", "));
        return Err(Failure::usage(what, "name the files, or the folder of files that end in .sql"));
    }
    // The sandbox's topics are empty until somebody makes events: a sample needs some.
    let connection = if arguments.syntax { None } else { planning(session)?.context.kafka };
    let sandbox = async {
        match &connection {
            Some(connection) => sandbox::events(connection).await,
            None => std::future::pending().await,
        }
    };
    let work = async {
        let mut checked = Vec::new();
        for file in &files {
            checked.push(check(arguments, session, file).await?);
        }
        Ok::<_, Failure>(checked)
    };
    let checked = tokio::select! {
        checked = work => checked?,
        never = sandbox => match never {},
    };
    let is_valid = checked.iter().all(|file| file.is_valid);
    output.show(&checked, |page| {
        for file in &checked {
            let verdict =
                if file.is_valid { page.paint(Role::Success, "valid") } else { page.paint(Role::Danger, "invalid") };
            page.line(format!("{verdict}  {}  {}", file.file, counted(file.statements as u64, "statement")))?;
            for drawn in &file.drawn {
                page.text(drawn)?;
            }
        }
        Ok(())
    })?;
    Ok(if is_valid { Exit::Done } else { Exit::SomeFailed })
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| {
        Failure::from(
            Fault::new(Blame::Operator, format!("cannot be read: {error}")).at(Place::file(path.display().to_string())),
        )
    };
    if !std::fs::metadata(path).map_err(wrong)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut inner: Vec<_> =
        std::fs::read_dir(path).map_err(wrong)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    inner.sort();
    for path in inner {
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "sql") {
            collect(&path, files)?;
        }
    }
    Ok(())
}

async fn check(arguments: &ValidateArguments, session: &Session<'_>, file: &Path) -> Result<Checked, Failure> {
    let source = Source::open(file, &session.config.variables)?;
    let mut errors: Vec<Diagnostic> = source.script.errors.clone();
    let mut warnings: Vec<Diagnostic> = source.script.warnings.clone();
    if !arguments.syntax {
        plan(&mut planning(session)?, &source, &mut errors, &mut warnings).await;
    }
    errors.sort_by_key(|error| error.span.start);
    warnings.sort_by_key(|warning| warning.span.start);
    let is_valid = errors.is_empty() && (!arguments.strict || warnings.is_empty());
    let drawn = errors.iter().chain(&warnings).map(|found| source.shown(found)).collect();
    let faults = |found: Vec<Diagnostic>| found.into_iter().map(|one| one.fault).collect();
    Ok(Checked {
        file: source.name.clone(),
        is_valid,
        // Broken ones are statements too.
        statements: parse::statements(&source.text).len(),
        errors: faults(errors),
        warnings: faults(warnings),
        drawn,
    })
}

async fn plan(planning: &mut Planning, source: &Source, errors: &mut Vec<Diagnostic>, warnings: &mut Vec<Diagnostic>) {
    for statement in &source.script.statements {
        let mut say = |fault: Fault| {
            let fault = source.placed(fault, statement.span.start);
            // What is wrong with a declaration is met again by each statement that names it.
            if errors.iter().any(|known| known.fault == fault) {
                return;
            }
            errors.push(Diagnostic { span: source.span_of(&fault).unwrap_or(statement.span), fault });
        };
        if let Err(fault) = planning.define(&statement.kind) {
            say(fault);
            continue;
        }
        if let StatementKind::Declare(declared) = &statement.kind {
            planning.wrong_in(declared).into_iter().for_each(say);
            continue;
        }
        let (query, into) = match &statement.kind {
            StatementKind::Query(query) => (query, None),
            StatementKind::Insert { sink, query, .. } => (query, Some(sink)),
            StatementKind::CreateStream(made) | StatementKind::CreateTable(made) | StatementKind::CreateView(made) => {
                (&made.query, None)
            }
            _ => continue,
        };
        match planning.plan("validate", query, into, false).await {
            Ok(planned) => warnings.extend(planned.warnings.into_iter().map(|what| Diagnostic {
                span: statement.span,
                fault: source.placed(Fault::new(Blame::Operator, what), statement.span.start),
            })),
            Err(fault) => {
                say(fault);
                planning.mistakes(query, into).into_iter().for_each(say);
            }
        }
    }
}
