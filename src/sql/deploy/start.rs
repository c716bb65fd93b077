//! One start of a deployed job: planned anew with the columns that it keeps, from its newest checkpoint. It decides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::definition::Definition;
use super::prepare;
use super::run::cut_short;
use super::shelf::Shelf;
use super::status::Begun;
use crate::core::fault::Fault;
use crate::sql::exec::job::{self, Job};
use crate::sql::exec::settings::JobSettings;
use crate::sql::plan::kept::inferred;
use crate::sql::plan::session::Session;
use crate::sql::plan::stream::StreamPlan;
use crate::sql::state::checkpoint;

/// A job that was started.
pub(super) struct Start {
    pub job: Job,
    pub plan: StreamPlan,
    pub from: Option<Begun>,
    pub messages: Vec<String>,
    /// The columns that it keeps.
    pub columns: BTreeMap<String, String>,
}

/// Plans and starts it, from its newest checkpoint where there is one.
pub(super) async fn start(
    definition: Definition,
    shelf: Shelf,
    session: impl Fn() -> Result<Session, Fault> + Send + 'static,
) -> Result<Start, Fault> {
    let session = tokio::task::spawn_blocking(session).await.unwrap_or_else(|error| Err(cut_short(&error)))?;
    let (planned, named) = prepare::deployed(session, &definition).await?;
    let columns = kept(&definition, &shelf, &planned.plan).await?;
    let (name, plan) = (definition.run_name(), planned.plan);
    let limit = planned.state_limit;
    let mut settings = JobSettings::new(&name, named.sql)
        .standing_on(named.definitions)
        .with_variables(&|name| named.session.variables.get(name).map(|value| value.expose().to_owned()))
        .remembering(shelf.folder(&definition.name))
        .every(Duration::from_millis(definition.checkpoint_interval_ms));
    settings.state_bytes_max = limit.unwrap_or(settings.state_bytes_max);
    let drawn = plan.clone();
    let job = job::start(plan, settings, &named.session.connectors, &named.session.context).await?;
    let mut messages = planned.warnings;
    messages.extend(job.messages().iter().chain(job.warnings()).cloned());
    let store = shelf.store(&definition);
    let epoch = job.begun_from();
    let reading = move || epoch.map(|epoch| Some(Begun { epoch, written_ms: checkpoint::written_ms(&store, epoch)? }));
    let from = tokio::task::spawn_blocking(reading).await.ok().flatten().flatten();
    Ok(Start { job, plan: drawn, from, messages, columns })
}

/// The newest checkpoint in the folder of a job.
pub(super) async fn newest(definition: &Definition, shelf: &Shelf) -> Option<Begun> {
    let (shelf, definition) = (shelf.clone(), definition.clone());
    tokio::task::spawn_blocking(move || shelf.newest(&definition)).await.ok().flatten()
}

/// The columns that a job keeps, written before any of its rows is: those that were read from a sample now are added.
async fn kept(definition: &Definition, shelf: &Shelf, plan: &StreamPlan) -> Result<BTreeMap<String, String>, Fault> {
    let mut columns = inferred(plan);
    if columns.is_empty() {
        return Ok(definition.columns.clone());
    }
    columns.extend(definition.columns.clone());
    let (shelf, keeping) = (shelf.clone(), Definition { columns: columns.clone(), ..definition.clone() });
    let writing = tokio::task::spawn_blocking(move || shelf.write(&keeping));
    writing.await.unwrap_or_else(|error| Err(cut_short(&error)))?;
    Ok(columns)
}
