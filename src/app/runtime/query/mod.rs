//! A statement of SQL as a job of the console: planned, run, its rows shown. A live run writes nothing anywhere.

mod cells;
pub mod readings;
mod screen;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::app::action::QueryRequest;
use crate::app::fact::Fact;
use crate::app::feed::Outlet;
use crate::app::model::queries::QuerySchema;
use crate::app::supervisor::Assignment;
use crate::core::fault::Fault;
use crate::core::lock::WholeMutex;
use crate::sql::deploy::prepare;
use crate::sql::exec::job::{self, Job};
use crate::sql::exec::settings::JobSettings;
use crate::sql::plan::looked_at;
use crate::sql::plan::session::{Planned, Session};
use crate::sql::plan::stream::{Changes, StreamPlan};

use readings::Readings;
use screen::{Screen, View};

/// Between two looks at the rows that came: a frame.
const ROWS_EVERY: Duration = Duration::from_millis(33);
/// Between two readings of the operators: what a person reads; see [`crate::app::model::pipeline::RATES_MAX`].
const READ_EVERY: Duration = Duration::from_millis(250);

/// Runs a statement until its input ends, its LIMIT is reached or it is stopped, which ends it at once.
pub async fn run(
    session: impl FnOnce() -> Result<Session, Fault> + Send + 'static,
    request: QueryRequest,
    assignment: Assignment,
) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    let session = super::off_the_async_threads(session).await?;
    let starting = async {
        let (planned, named) = {
            let wanted = prepare::Wanted { text: &request.text, statement: request.statement, job: "query" };
            prepare::plan(session, wanted).await?
        };
        start(planned, named, &out).await
    };
    let (job, view, readings) = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        started = starting => started?,
    };
    let ending = tokio::select! {
        () = stop.cancelled() => None,
        ending = job.wait() => Some(ending),
        never = show(&out, &view, &readings) => match never {},
    };
    let ended = match ending {
        Some(ended) => ended.map(|_| ()),
        None => job.cancel().await.map(|_| ()),
    };
    show_rows(&out, &view)?;
    show_readings(&out, &view, &readings);
    ended
}

type Started = (Job, Arc<Mutex<View>>, Mutex<Readings>);

async fn start(planned: Planned, named: prepare::Named, out: &Outlet) -> Result<Started, Fault> {
    let prepare::Named { session, writes_to, sql, .. } = named;
    for warning in &planned.warnings {
        tracing::warn!(target: "velox::query", job = out.job().0, "{warning}");
    }
    let mut plan = planned.plan;
    // A live run is only looked at: no transaction, no dead letter, no topic of INTO.
    looked_at::without_traces(&mut plan);
    let (schema, key) = result(&plan);
    let is_changelog = plan.nodes.last().is_some_and(|last| last.changes == Changes::Changelog);
    let columns = cells::columns(&schema);
    out.tell(Fact::QuerySchema {
        job: out.job(),
        schema: QuerySchema {
            columns,
            is_changelog,
            key_columns: key.clone(),
            writes_to,
            warnings: planned.warnings.clone(),
        },
    })
    .await;
    let view = Arc::new(Mutex::new(View::new(&schema, is_changelog, key)));
    let mut settings = JobSettings::new("query", sql);
    settings.state_bytes_max = planned.state_limit.unwrap_or(settings.state_bytes_max);
    settings.sink = Some(Box::new(Screen::new(Arc::clone(&view))));
    // The job takes its plan: what is drawn of it is noted before.
    let mut nodes = readings::nodes(&plan);
    if let Some(sink) = nodes.last_mut() {
        "screen".clone_into(&mut sink.operator);
    }
    let job = job::start(plan, settings, &session.connectors, &session.context).await?;
    for message in job.messages().iter().chain(job.warnings()) {
        tracing::info!(target: "velox::query", job = out.job().0, "{message}");
    }
    let readings = Mutex::new(Readings::new(nodes, job.statistics()));
    Ok((job, view, readings))
}

/// Columns of the result, and which of them tell rows apart.
fn result(plan: &StreamPlan) -> (arrow::datatypes::SchemaRef, Vec<usize>) {
    plan.nodes.last().map_or_else(
        || (Arc::new(arrow::datatypes::Schema::empty()), Vec::new()),
        |last| (last.schema.clone(), last.key.clone()),
    )
}

async fn show(out: &Outlet, view: &Mutex<View>, readings: &Mutex<Readings>) -> std::convert::Infallible {
    let mut rows = tokio::time::interval(ROWS_EVERY);
    let mut reads = tokio::time::interval(READ_EVERY);
    rows.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    reads.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = rows.tick() => {
                if let Err(fault) = show_rows(out, view) {
                    tracing::error!(target: "velox::query", job = out.job().0, "{fault}");
                }
            }
            _ = reads.tick() => show_readings(out, view, readings),
        }
    }
}

fn show_readings(out: &Outlet, view: &Mutex<View>, readings: &Mutex<Readings>) {
    let made = view.hold().made();
    out.pipeline(Arc::new(readings.hold().of_a_view(made)));
}

fn show_rows(out: &Outlet, view: &Mutex<View>) -> Result<(), Fault> {
    let came = view.hold().take();
    let (rows, skipped) = came.written()?;
    if !rows.is_empty() || 0 < skipped {
        out.show_rows(rows, skipped);
    }
    Ok(())
}
