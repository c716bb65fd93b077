//! What a statement would do: planned as a run plans it, sources opened as far as their schemas, nothing moved.

use std::time::Duration;

use super::query::readings::nodes;
use crate::app::action::QueryRequest;
use crate::app::model::pipeline::Pipeline;
use crate::app::model::sql::{Explained, Reads};
use crate::core::fault::{Blame, Fault};
use crate::formats::types;
use crate::sql::deploy::prepare::{self, Wanted};
use crate::sql::plan::session::Session;
use crate::sql::plan::stream::NodeKind;

/// Longest time for a plan: sources are asked for a sample, and a person waits.
const PLAN_WAIT_MAX: Duration = Duration::from_secs(20);

/// Plans a statement and says what it would do.
///
/// # Errors
/// What a run would fail with before its first row, or no answer in time.
pub async fn explain(
    session: impl FnOnce() -> Result<Session, Fault> + Send + 'static,
    request: &QueryRequest,
) -> Result<Explained, Fault> {
    let planning = async {
        let session = super::off_the_async_threads(session).await?;
        prepare::plan(session, Wanted { text: &request.text, statement: request.statement, job: "query" }).await
    };
    let (planned, named) = tokio::time::timeout(PLAN_WAIT_MAX, planning).await.map_err(|_| {
        Fault::new(Blame::Operator, format!("the sources did not answer within {} s", PLAN_WAIT_MAX.as_secs()))
            .next("check the connection in pane 1")
    })??;
    let mut pipeline = Pipeline { nodes: nodes(&planned.plan), ..Pipeline::default() };
    if let (None, Some(sink)) = (&named.writes_to, pipeline.nodes.last_mut()) {
        "screen".clone_into(&mut sink.operator);
    }
    let reads = planned.plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Source(source) => Some(Reads { source: source.name.clone(), about: source.source.description() }),
        _ => None,
    });
    let columns = planned.plan.nodes.last().map(|sink| {
        sink.schema.fields().iter().map(|field| (field.name().clone(), types::name(field.data_type()))).collect()
    });
    Ok(Explained {
        pipeline,
        reads: reads.collect(),
        writes: match named.writes_to {
            Some(sink) => format!("{sink}, when it is deployed; a live run comes to the screen alone"),
            None => "the screen".to_owned(),
        },
        columns: columns.unwrap_or_default(),
        warnings: planned.warnings,
    })
}
