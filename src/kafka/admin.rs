//! Questions to a cluster: brokers, topics, watermarks. Every question has a deadline and runs off the async threads;
//! refused credentials answer at once. It changes nothing but what it says: it creates a topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;
use serde::Serialize;

use crate::core::fault::{Blame, Fault};

use super::cause::call_fault;
use super::context::Context;
use super::embedded::EmbeddedBroker;
use super::settings::Connection;

/// One attempt to ask; between two the client's errors are read, so that a refused login does not wait for the deadline.
const ATTEMPT: Duration = Duration::from_millis(500);

/// Kafka's way to say: as many copies as the cluster makes by default.
const REPLICATION_OF_THE_CLUSTER: i32 = -1;
/// Between two looks for a topic that was created: brokers tell each other within a few of these.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How long the client's own news are waited for: a zero would take one log line and leave the error behind it.
const SERVE: Duration = Duration::from_millis(10);
/// Errors taken in one go; a client that makes more is none the wiser for them.
const ERRORS_SERVED_MAX: usize = 32;

/// A cluster as its metadata describe it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cluster {
    /// Brokers by id.
    pub brokers: Vec<Broker>,
    /// Topics by name, Kafka's own (`__…`) included.
    pub topics: Vec<Topic>,
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broker {
    /// Its id.
    pub id: i32,
    /// `host:port` as it announces itself.
    pub address: String,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its partitions by id.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Its number, from 0.
    pub id: i32,
    /// The broker that leads it; -1 while nobody does.
    pub leader: i32,
    /// Brokers that hold a copy.
    pub replicas: Vec<i32>,
    /// Brokers whose copy is complete.
    pub in_sync: Vec<i32>,
}

/// First and next offset of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Watermarks {
    /// The oldest record kept.
    pub low: i64,
    /// Where the next record will go.
    pub high: i64,
}

/// Asks one cluster. Opens its connection with the first question.
pub struct Admin {
    client: Arc<BaseConsumer<Context>>,
    connection: Connection,
}

impl Admin {
    /// A client that only asks.
    ///
    /// # Errors
    /// Certificates that do not load.
    pub fn open(connection: &Connection) -> Result<Self, Fault> {
        let client = connection
            .base()
            .create_with_context(connection.context())
            .map_err(|error| connection.scrubber().clean(call_fault("open a client", &error)))?;
        Ok(Self { client: Arc::new(client), connection: connection.clone() })
    }

    /// Brokers and topics; only this topic where one is named.
    ///
    /// # Errors
    /// No broker answered in time, or the login was refused. A topic that is named and does not exist is a fault.
    pub async fn cluster(&self, topic: Option<&str>, timeout: Duration) -> Result<Cluster, Fault> {
        let (client, connection, topic) = (self.client.clone(), self.connection.clone(), topic.map(str::to_owned));
        off_the_async_threads(move || {
            let metadata = metadata(&client, &connection, topic.as_deref(), timeout)?;
            if let Some(topic) = &topic {
                partitions_of(&metadata, topic, &connection)?;
            }
            Ok(Cluster::from(&metadata))
        })
        .await
    }

    /// First and next offset of every partition of a topic.
    ///
    /// # Errors
    /// As [`Admin::cluster`].
    pub async fn watermarks(&self, topic: &str, timeout: Duration) -> Result<BTreeMap<i32, Watermarks>, Fault> {
        let (client, connection, topic) = (self.client.clone(), self.connection.clone(), topic.to_owned());
        off_the_async_threads(move || {
            let deadline = Instant::now() + timeout;
            let metadata = metadata(&client, &connection, Some(&topic), timeout)?;
            let mut found = BTreeMap::new();
            for partition in partitions_of(&metadata, &topic, &connection)? {
                let left = deadline.saturating_duration_since(Instant::now());
                found.insert(partition, watermarks(&client, &connection, &topic, partition, left)?);
            }
            Ok(found)
        })
        .await
    }

    /// Creates a topic with the cluster's own replication, and returns when the cluster shows it. One that exists stays
    /// as it is.
    ///
    /// # Errors
    /// No permission, a name or a number of partitions that the cluster does not take, no answer in time.
    pub async fn create_topic(&self, topic: &str, partitions: i32, timeout: Duration) -> Result<(), Fault> {
        if self.connection.environment().is_embedded() {
            let topic = topic.to_owned();
            return off_the_async_threads(move || EmbeddedBroker::shared()?.create_topic(&topic, partitions)).await;
        }
        let doing = format!("create the topic `{topic}`");
        let failed = |error| self.connection.scrubber().clean(call_fault(&doing, &error));
        let context = self.connection.context();
        let client: AdminClient<Context> = self.connection.base().create_with_context(context).map_err(failed)?;
        let options = AdminOptions::new().request_timeout(Some(timeout)).operation_timeout(Some(timeout));
        let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(REPLICATION_OF_THE_CLUSTER));
        let outcome = client.create_topics([&wanted], &options).await;
        // Its end waits for its thread.
        off_the_async_threads(move || {
            drop(client);
            Ok(())
        })
        .await?;
        match outcome.map_err(failed)?.into_iter().next() {
            None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {}
            Some(Err((_, code))) => return Err(not_created(topic, code)),
        }
        let deadline = Instant::now() + timeout;
        loop {
            match self.cluster(Some(topic), timeout).await {
                Err(fault) if fault.blame == Blame::Operator && Instant::now() < deadline => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                outcome => return outcome.map(drop),
            }
        }
    }

    /// Names of the consumer groups.
    ///
    /// # Errors
    /// As [`Admin::cluster`]; the embedded broker keeps no list of groups.
    pub async fn groups(&self, timeout: Duration) -> Result<Vec<String>, Fault> {
        let (client, connection) = (self.client.clone(), self.connection.clone());
        off_the_async_threads(move || {
            let deadline = Instant::now() + timeout;
            metadata(&client, &connection, None, timeout)?;
            let left = deadline.saturating_duration_since(Instant::now());
            let list = client
                .fetch_group_list(None, left)
                .map_err(|error| connection.scrubber().clean(call_fault("list the groups", &error)))?;
            Ok(list.groups().iter().map(|group| group.name().to_owned()).collect())
        })
        .await
    }
}

fn not_created(topic: &str, code: RDKafkaErrorCode) -> Fault {
    use RDKafkaErrorCode as Code;
    let (blame, next) = match code {
        Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => {
            (Blame::Authentication, "ask for CREATE on it, or have it created")
        }
        Code::InvalidTopic => (Blame::Operator, "letters, digits, `.`, `_` and `-` make a name, at most 249 of them"),
        _ => (Blame::Operator, "create it by hand"),
    };
    Fault::new(blame, format!("the topic `{topic}` could not be created: {code}")).next(next)
}

/// Metadata with a deadline; a refused login ends it at once.
pub(crate) fn metadata(
    client: &BaseConsumer<Context>,
    connection: &Connection,
    topic: Option<&str>,
    timeout: Duration,
) -> Result<Metadata, Fault> {
    let context = client.context().clone();
    let deadline = Instant::now() + timeout;
    loop {
        if context.needs_token() {
            serve(client);
        }
        if let Some(fault) = context.watch.ending() {
            return Err(fault);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match client.fetch_metadata(topic, left.min(ATTEMPT)) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        serve(client);
        if let Some(fault) = context.watch.ending() {
            return Err(fault);
        }
        if left <= ATTEMPT {
            let doing = format!("ask {} at {}", connection.name(), connection.bootstrap_servers());
            let last = context.watch.take_passing();
            let fault = last.map_or_else(
                || call_fault(&doing, &error),
                |last| Fault { what: format!("could not {doing}: {}", last.what), ..last },
            );
            return Err(connection.scrubber().clean(fault));
        }
    }
}

/// Takes the errors and token requests that wait; without a group no record can come out of this queue.
fn serve(client: &BaseConsumer<Context>) {
    for _ in 0..ERRORS_SERVED_MAX {
        if client.poll(SERVE).is_none() {
            return;
        }
    }
}

/// The partitions of a topic, or a fault where it has none.
pub(crate) fn partitions_of(metadata: &Metadata, topic: &str, connection: &Connection) -> Result<Vec<i32>, Fault> {
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    match found {
        Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
            let mut partitions: Vec<i32> = found.partitions().iter().map(|partition| partition.id()).collect();
            partitions.sort_unstable();
            Ok(partitions)
        }
        Some(found) if found.error().is_some_and(is_not_allowed) => {
            Err(Fault::new(Blame::Authentication, format!("no permission to describe the topic `{topic}`"))
                .next("ask for DESCRIBE and READ on it, or use another user"))
        }
        _ => Err(Fault::new(Blame::Operator, format!("topic `{topic}` does not exist in {}", connection.name()))
            .next("check its name")),
    }
}

fn is_not_allowed(error: rdkafka::types::RDKafkaRespErr) -> bool {
    error == rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
}

/// Watermarks of one partition with a deadline.
pub(crate) fn watermarks(
    client: &BaseConsumer<Context>,
    connection: &Connection,
    topic: &str,
    partition: i32,
    timeout: Duration,
) -> Result<Watermarks, Fault> {
    let doing = format!("read the watermarks of {topic}[{partition}]");
    client
        .fetch_watermarks(topic, partition, timeout)
        .map(|(low, high)| Watermarks { low, high })
        .map_err(|error| connection.scrubber().clean(call_fault(&doing, &error)))
}

/// Runs a blocking question where it may block.
pub(crate) async fn off_the_async_threads<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(question).await.unwrap_or_else(|error| {
        Err(Fault::new(Blame::Program, format!("a question to the cluster broke off: {error}")))
    })
}

impl From<&Metadata> for Cluster {
    fn from(metadata: &Metadata) -> Self {
        let mut brokers: Vec<Broker> = metadata
            .brokers()
            .iter()
            .map(|broker| Broker { id: broker.id(), address: format!("{}:{}", broker.host(), broker.port()) })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        let mut topics: Vec<Topic> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none())
            .map(|topic| Topic {
                name: topic.name().to_owned(),
                partitions: {
                    let mut partitions: Vec<Partition> = topic
                        .partitions()
                        .iter()
                        .map(|partition| Partition {
                            id: partition.id(),
                            leader: partition.leader(),
                            replicas: partition.replicas().to_vec(),
                            in_sync: partition.isr().to_vec(),
                        })
                        .collect();
                    partitions.sort_by_key(|partition| partition.id);
                    partitions
                },
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Self { brokers, topics }
    }
}
