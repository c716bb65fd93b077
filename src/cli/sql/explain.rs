//! `velox-tui sql explain`: the graph of a statement, before or after it ran.

use std::time::Duration;

use clap::Args;

use super::describe::explained;
use super::moving::{Closing, Moving, shown_meanwhile};
use super::text::{Input, planning};
use crate::cli::arguments::duration;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, sandbox, signals};
use crate::connectors::options::Options;
use crate::sql::exec::job;
use crate::sql::exec::settings::JobSettings;
use crate::sql::parse::statement::StatementKind;
use crate::sql::plan::{looked_at, picture};

/// Flags of `sql explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// The SQL.
    #[command(flatten)]
    pub input: Input,
    /// Run it, throw its rows away, and show what each operator did
    #[arg(long)]
    pub analyze: bool,
    /// How long an endless statement runs with --analyze
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub duration: Duration,
}

/// What `sql explain --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  velox-tui sql explain -e 'SELECT customer_id, COUNT(*) FROM orders WINDOW TUMBLING(1m) GROUP BY customer_id'
  velox-tui sql explain --analyze --for 30s app.sql";

/// Draws the plan of every statement that has one.
pub async fn run(arguments: &ExplainArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let source = arguments.input.read(&session.config.variables)?;
    let mut planning = planning(session)?;
    planning.screen = ("discard".to_owned(), Options::default());
    let sandbox = {
        let connection = planning.context.kafka.clone();
        async move {
            match connection {
                Some(connection) => sandbox::events(&connection).await,
                None => std::future::pending().await,
            }
        }
    };
    let work = async {
        let mut drawn = Vec::new();
        for (index, statement) in source.script.statements.iter().enumerate() {
            let wrong = |fault| source.wrong(statement.span, fault);
            planning.define(&statement.kind).map_err(wrong)?;
            let inner = match &statement.kind {
                StatementKind::Explain { statement, .. } => statement.as_ref(),
                _ => statement,
            };
            let (query, into) = match &inner.kind {
                StatementKind::Query(query) => (query, None),
                StatementKind::Insert { sink, query, .. } => (query, Some(sink)),
                StatementKind::CreateStream(made) | StatementKind::CreateTable(made) => (&made.query, None),
                _ => continue,
            };
            if !arguments.analyze {
                let plan = explained(&planning, inner).await;
                drawn.push(plan.map_err(|failure| source.drawn(statement.span, failure))?);
                continue;
            }
            let name = format!("explain-{}", index + 1);
            let planned = planning.plan(&name, query, into, false).await.map_err(wrong)?;
            let mut plan = planned.plan;
            looked_at::throwing_rows_away(&mut plan);
            let ran = plan.clone();
            let settings = JobSettings::new(&name, &source.text[statement.span.start..statement.span.end]);
            let job = job::start(plan, settings, &planning.connectors, &planning.context).await?;
            let statistics = job.statistics();
            let moving = (!session.global.quiet).then(|| Moving::new(&job, Closing::of(&ran)));
            let work = tokio::time::timeout(arguments.duration, job.wait());
            let over = shown_meanwhile(moving.as_ref(), work).await;
            drop(moving);
            if over.is_err() {
                job.stop();
                job.wait().await?;
            }
            let now = statistics.borrow().clone();
            drawn.push(super::describe::Drawn {
                text: picture::measured(&ran, &now),
                nodes: picture::nodes(&ran),
                warnings: planned.warnings,
            });
        }
        Ok::<_, Failure>(drawn)
    };
    let work = async {
        tokio::select! {
            drawn = work => drawn,
            never = sandbox => match never {},
        }
    };
    let (drawn, stopped) = signals::drive(work, []).await?;
    let drawn = drawn?;
    output.show(&drawn, |page| {
        for one in &drawn {
            page.text(&one.text)?;
            for warning in &one.warnings {
                page.line(format!("note: {warning}"))?;
            }
        }
        Ok(())
    })?;
    Ok(if stopped { Exit::Stopped } else { Exit::Done })
}
