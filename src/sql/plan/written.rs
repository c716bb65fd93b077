//! Which topics a statement writes to, and whose brokers they are on, as far as its text says it: guards are asked before
//! anything is planned. And what a planned job creates. It opens nothing.

use super::session::Session;
use super::stream::{NodeKind, StreamPlan};
use super::wishes::Settings;
use crate::connectors::contract::Written;
use crate::core::fault::Fault;
use crate::sql::parse::statement::{EndName, StreamQuery};

impl Session {
    /// The topics that the job of a query writes to, dead letters included; `into` as for [`Session::plan`].
    ///
    /// # Errors
    /// Options of the sink that are wrong.
    pub fn written(&self, query: &StreamQuery, into: Option<&EndName>) -> Result<Vec<Written>, Fault> {
        let mut written = Vec::new();
        if let Some(sink) = self.sink_end(query, into)? {
            written.extend(self.connectors.get(&sink.connector)?.written(&sink.name, &sink.options)?);
        }
        let settings = Settings::read(&self.job_options(query)?)?;
        if let Some(topic) = &settings.dead_letters {
            written.push(Written { topic: topic.clone(), brokers: None });
        }
        Ok(written)
    }

    /// What the job of a plan creates when it starts, as a sentence: a topic or a folder that is not there.
    pub async fn creates(&self, plan: &StreamPlan) -> Option<String> {
        let Some(NodeKind::Sink(sink)) = plan.nodes.last().map(|node| &node.kind) else { return None };
        self.connectors.get(&sink.connector).ok()?.creates(&sink.request, &self.context).await
    }
}
