//! The way out to Kafka: an environment's connection, checked before the first event, and producers on it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::core::environment::Environment;
use crate::core::fault::{Blame, Fault};
use crate::kafka::auth::AuthRegistry;
use crate::kafka::health::{self, Outcome};
use crate::kafka::producer::{EnqueueFault, Outgoing, Producer};
use crate::kafka::settings::Connection;

use super::desk::Desk;
use super::lane::{LaneSpec, Open, Opener, Opening, Outbound};
use super::ticket::Ticket;

/// Longest a broker may take for one step of the check before a run.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Opens connections to the environments' brokers.
pub struct ThroughKafka {
    environments: HashMap<String, Arc<Environment>>,
    reached: HashSet<String>,
    auth: Arc<AuthRegistry>,
}

impl ThroughKafka {
    /// For these environments, by name. Those that were reached just now are not asked again.
    pub fn new(
        environments: HashMap<String, Arc<Environment>>,
        reached: HashSet<String>,
        auth: Arc<AuthRegistry>,
    ) -> Self {
        Self { environments, reached, auth }
    }
}

impl Opener for ThroughKafka {
    fn open(&self, lane: LaneSpec) -> Opening<'_> {
        Box::pin(async move {
            let environment = self.environments.get(&*lane.environment).cloned().ok_or_else(|| {
                Fault::new(Blame::Program, format!("nobody gave the run the environment `{}`", lane.environment))
            })?;
            // A login of the ETL's own has not been tried.
            let logs_in_anew = lane.own.as_ref().is_some_and(|etl| etl.auth_override.is_some());
            let is_reached = self.reached.contains(&*lane.environment) && !logs_in_anew;
            let auth = Arc::clone(&self.auth);
            let opened = tokio::task::spawn_blocking(move || {
                let connection = Connection::open(&environment, &auth)?;
                match &lane.own {
                    Some(etl) => connection.with_override(etl.auth_override.as_ref(), &etl.extra, &auth),
                    None => connection.with_override(None, &IndexMap::new(), &auth),
                }
            });
            let connection = opened.await.map_err(|error| Fault::new(Blame::Program, error.to_string()))??;
            if !is_reached {
                answers(&connection).await?;
            }
            Ok(Box::new(Opened(connection)) as Box<dyn Open>)
        })
    }
}

/// The first step of the health check that fails: a broker that is away is told at once and by name, not as thousands
/// of records that were not confirmed.
async fn answers(connection: &Connection) -> Result<(), Fault> {
    let timeout = connection.request_timeout().min(ANSWER_MAX);
    let steps = health::check(connection, None, timeout, |_| {}).await;
    steps.into_iter().try_for_each(|step| match step.outcome {
        Outcome::Fault(fault) => Err(fault),
        Outcome::Ok(_) | Outcome::Skipped(_) => Ok(()),
    })
}

struct Opened(Connection);

impl Open for Opened {
    fn producer(&self, topic: &str, desk: Arc<Desk>) -> Result<Box<dyn Outbound>, Fault> {
        Ok(Box::new(Producer::open_to(topic, &self.0, &self.0.environment().producer, desk)?))
    }
}

impl Outbound for Producer<Desk> {
    fn enqueue(&self, record: Outgoing<'_>, ticket: Ticket) -> Result<(), EnqueueFault> {
        Producer::enqueue(self, record, ticket).map_err(|(fault, _)| fault)
    }

    fn hurry(&self) {
        Producer::hurry(self);
    }

    fn abandon(&self) {
        Producer::abandon(self);
    }
}
