//! From an environment's file to librdkafka's settings: checked, with every number mapped and every secret known to
//! the scrubber. Opening a connection checks it and connects to nothing (save that `embedded://` starts its broker).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::clock::now_ms;
use crate::core::environment::{Acks, ConsumerSettings, Environment, OffsetReset, ProducerSettings, Scalar};
use crate::core::etl::AuthOverride;
use crate::core::fault::{Blame, Fault};

use super::auth::{self, AuthRegistry, TokenSource, Warning};
use super::context::{Context, Scrubber};
use super::embedded::EmbeddedBroker;
use super::options::{self, Section};
use super::outage::{self, Outage};

/// First pause before a lost broker is tried again; doubles up to [`RECONNECT_PAUSE_MAX_MS`]. librdkafka also lets half of
/// it pass between the address it was given and the first broker it learns of there, for every client.
pub const RECONNECT_PAUSE_MS: u32 = 25;
/// Longest pause before a lost broker is tried again: one that comes back is seen within this.
pub const RECONNECT_PAUSE_MAX_MS: u32 = 5_000;
/// Longest time a record may wait for its confirmation, whatever the retries: past this a person has gone home.
pub const DELIVERY_TIMEOUT_MAX_MS: u64 = 600_000;
/// How long an unknown topic may turn out to be merely new. librdkafka's 30 s would make a typing error cost that.
pub const TOPIC_PROPAGATION_MS: u32 = 5_000;
/// Records that wait in one producer where the file is silent: half a second of what one producer can send.
pub const QUEUE_MESSAGES: u32 = 200_000;
/// Memory that waits in one producer where the file is silent: a pool of five stays under 700 MB.
pub const QUEUE_KBYTES: u32 = 128 << 10;
/// The embedded broker lets who joins a known group again wait for a session less a second, 44 s by default;
/// and a session shorter than its 3 s of gathering members never begins.
const EMBEDDED_SESSION_MS: u32 = 6_000;
/// The embedded broker answers a fetch of nothing only when its wait is over, whatever comes meanwhile: so long are new
/// records in coming.
const EMBEDDED_FETCH_WAIT_MS: u32 = 50;
/// What idempotence allows in flight (Kafka's own limit).
const IDEMPOTENT_IN_FLIGHT_MAX: i64 = 5;
/// librdkafka's own upper limit of `socket.timeout.ms`.
const SOCKET_TIMEOUT_MAX_MS: u32 = 300_000;

/// An environment whose settings were checked: what every client of it is made from. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    environment: Arc<Environment>,
    name: Arc<str>,
    bootstrap_servers: String,
    base: ClientConfig,
    scrubber: Arc<Scrubber>,
    tokens: Option<Arc<dyn TokenSource>>,
    warnings: Vec<Warning>,
    /// Of all its clients.
    outage: Arc<Outage>,
}

impl Connection {
    /// Checks an environment's settings. Opens no connection.
    ///
    /// # Errors
    /// The broken rule of authentication, or the first setting whose name or value is wrong.
    pub fn open(environment: &Environment, registry: &AuthRegistry) -> Result<Self, Fault> {
        let settings = &environment.kafka;
        let warnings = registry.validate(settings).map_err(|faults| all_in_one(&faults))?;
        let bootstrap_servers = if environment.is_embedded() {
            EmbeddedBroker::shared()?.bootstrap_servers().to_owned()
        } else {
            bootstrap_of(&settings.bootstrap_servers)?
        };
        let client_id = settings.client_id.clone().filter(|id| !id.is_empty());
        let mut base = ClientConfig::new();
        base.set_log_level(RDKafkaLogLevel::Info)
            .set("bootstrap.servers", &bootstrap_servers)
            .set("client.id", client_id.unwrap_or_else(|| format!("velox-{}", environment.environment)))
            .set("socket.timeout.ms", settings.request_timeout_ms.clamp(10, SOCKET_TIMEOUT_MAX_MS).to_string())
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.ms", RECONNECT_PAUSE_MS.to_string())
            .set("reconnect.backoff.max.ms", RECONNECT_PAUSE_MAX_MS.to_string());
        options::apply(&settings.options, Section::Connection, &mut base)?;
        let handler = registry.handler(settings.security_protocol);
        handler.apply(settings, &mut base);
        let connection = Self {
            name: environment.environment.as_str().into(),
            bootstrap_servers,
            base,
            scrubber: Arc::new(Scrubber::new(auth::secrets(settings))),
            tokens: handler.tokens(settings),
            warnings,
            outage: Arc::default(),
            environment: Arc::new(environment.clone()),
        };
        connection.producer_config(&environment.producer)?;
        connection.consumer_config(&environment.consumer)?;
        Ok(connection)
    }

    /// The same environment with an ETL's own login and producer settings (`extra`) in the place of the file's.
    ///
    /// # Errors
    /// As [`Connection::open`]; a wrong name in `extra` is named as `extra.…`.
    pub fn with_override(
        &self,
        auth_override: Option<&AuthOverride>,
        extra: &IndexMap<String, Scalar>,
        registry: &AuthRegistry,
    ) -> Result<Self, Fault> {
        if auth_override.is_none() && extra.is_empty() {
            return Ok(self.clone());
        }
        let mut environment = Environment::clone(&self.environment);
        if let Some(auth_override) = auth_override {
            environment.kafka = auth_override.applied_to(&environment.kafka);
        }
        environment.producer = producer_with(&environment.producer, extra)?;
        Self::open(&environment, registry).map_err(|fault| in_extra(fault, extra))
    }

    /// The environment's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The environment.
    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    /// `host:port,…`; for `embedded://` the address of the broker in this process.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Longest wait for one answer of a broker.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.environment.kafka.request_timeout_ms.into())
    }

    /// That no broker answers any of its clients, and since when; `None` while one does.
    pub fn outage(&self) -> Option<String> {
        let lasted = i64::try_from(self.outage.since()?.elapsed().as_millis()).unwrap_or(i64::MAX);
        let since = outage::time(now_ms().saturating_sub(lasted));
        Some(format!("no broker of {} answers, since {since}", self.name))
    }

    /// What strikes this connection's secrets out of a text.
    pub fn scrubber(&self) -> &Arc<Scrubber> {
        &self.scrubber
    }

    /// Callbacks for one client.
    pub(crate) fn context(&self) -> Context {
        let mut context = Context::new(self.name.clone(), self.scrubber.clone(), self.tokens.clone());
        context.outage = self.outage.clone();
        context
    }

    /// Settings of a client that only asks.
    pub(crate) fn base(&self) -> ClientConfig {
        self.base.clone()
    }

    /// Settings of a producer.
    ///
    /// | file | librdkafka |
    /// |---|---|
    /// | `request_timeout_ms` | `socket.timeout.ms` (any request) and `request.timeout.ms` (the wait for replicas) |
    /// | `retries`, `retry_backoff_ms` | themselves, and `message.timeout.ms` = every attempt, its pause and the linger, at most [`DELIVERY_TIMEOUT_MAX_MS`] |
    /// | `enable_idempotence` | itself; where silent, on if `acks` is `all`, `retries` at least 1 and at most 5 requests are in flight |
    ///
    /// # Errors
    /// A name or value librdkafka does not take, or settings that contradict each other.
    pub fn producer_config(&self, settings: &ProducerSettings) -> Result<ClientConfig, Fault> {
        let mut client = self.base();
        client
            .set("queue.buffering.max.messages", QUEUE_MESSAGES.to_string())
            .set("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string())
            .set("topic.metadata.propagation.max.ms", TOPIC_PROPAGATION_MS.to_string())
            .set("request.timeout.ms", self.environment.kafka.request_timeout_ms.clamp(1, 900_000).to_string())
            .set("message.timeout.ms", self.delivery_timeout(settings).as_millis().to_string())
            .set("batch.size", settings.batch_size.to_string())
            .set("linger.ms", settings.linger_ms.to_string())
            .set("acks", acks_of(settings.acks))
            .set("compression.type", settings.compression_type.name())
            .set("retries", settings.retries.to_string())
            .set("retry.backoff.ms", settings.retry_backoff_ms.to_string());
        options::apply(&settings.options, Section::Producer, &mut client)?;
        client.set("enable.idempotence", is_idempotent(settings, &client)?.to_string());
        native_check(&client, "producer")?;
        Ok(client)
    }

    /// Settings of a consumer, without a group. Commits are never left to librdkafka.
    ///
    /// # Errors
    /// A name or value librdkafka does not take.
    pub fn consumer_config(&self, settings: &ConsumerSettings) -> Result<ClientConfig, Fault> {
        let mut client = self.base();
        client.set(
            "auto.offset.reset",
            match settings.auto_offset_reset {
                OffsetReset::Earliest => "earliest",
                OffsetReset::Latest => "latest",
            },
        );
        if self.environment.is_embedded() {
            client
                .set("fetch.wait.max.ms", EMBEDDED_FETCH_WAIT_MS.to_string())
                .set("session.timeout.ms", EMBEDDED_SESSION_MS.to_string())
                .set("heartbeat.interval.ms", (EMBEDDED_SESSION_MS / 3).to_string());
        }
        options::apply(&settings.options, Section::Consumer, &mut client)?;
        client.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        native_check(&client, "consumer")?;
        Ok(client)
    }

    /// Longest time a record waits for its confirmation: every attempt with its pause, and the linger.
    pub fn delivery_timeout(&self, settings: &ProducerSettings) -> Duration {
        let attempts = u64::from(settings.retries).saturating_add(1);
        let waits = attempts.saturating_mul(u64::from(self.environment.kafka.request_timeout_ms));
        let pauses = u64::from(settings.retries).saturating_mul(u64::from(settings.retry_backoff_ms));
        let total = waits.saturating_add(pauses).saturating_add(u64::from(settings.linger_ms));
        Duration::from_millis(total.min(DELIVERY_TIMEOUT_MAX_MS.max(u64::from(settings.linger_ms) + 1)))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("environment", &self.name)
            .field("bootstrap_servers", &self.bootstrap_servers)
            .finish_non_exhaustive()
    }
}

/// An environment's producer settings with an ETL's `extra` on top; `compression` is short for `compression_type`.
///
/// # Errors
/// A value that its field does not take.
pub fn producer_with(settings: &ProducerSettings, extra: &IndexMap<String, Scalar>) -> Result<ProducerSettings, Fault> {
    let wrong = |what: String| Fault::new(Blame::Configuration, format!("`extra`: {what}"));
    let mut merged = match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => return Err(wrong("the producer settings do not serialise".into())),
    };
    let mut options = settings.options.clone();
    for (name, given) in extra {
        let field = name.replace('.', "_");
        let field = if field == "compression" { "compression_type".to_owned() } else { field };
        let is_field = matches!(
            field.as_str(),
            "batch_size"
                | "linger_ms"
                | "acks"
                | "compression_type"
                | "retries"
                | "retry_backoff_ms"
                | "enable_idempotence"
        );
        let value = match (field.as_str(), given) {
            ("acks", value) => serde_json::Value::String(value.to_string()),
            (_, value) => serde_json::to_value(value).map_err(|error| wrong(error.to_string()))?,
        };
        if !is_field {
            options.insert(name.clone(), given.clone());
            continue;
        }
        merged.insert(field, value);
        serde_json::from_value::<ProducerSettings>(serde_json::Value::Object(merged.clone()))
            .map_err(|error| wrong(format!("`{name}`: {error}")))?;
    }
    let merged = serde_json::from_value(serde_json::Value::Object(merged)).map_err(|error| wrong(error.to_string()))?;
    Ok(ProducerSettings { options, ..merged })
}

/// A fault of an option that came from `extra` names `extra`.
fn in_extra(mut fault: Fault, extra: &IndexMap<String, Scalar>) -> Fault {
    for name in extra.keys() {
        fault.what = fault.what.replace(&format!("`producer.{name}`"), &format!("`extra.{name}`"));
    }
    fault
}

fn acks_of(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}

fn is_idempotent(settings: &ProducerSettings, client: &ClientConfig) -> Result<bool, Fault> {
    let in_flight =
        client.get("max.in.flight").and_then(|value| value.parse().ok()).unwrap_or(IDEMPOTENT_IN_FLIGHT_MAX);
    let contradiction = if settings.acks != Acks::All {
        Some("`producer.acks` must be `all`")
    } else if settings.retries == 0 {
        Some("`producer.retries` must be at least 1")
    } else if in_flight > IDEMPOTENT_IN_FLIGHT_MAX {
        Some("`producer.max_in_flight` must be at most 5")
    } else {
        None
    };
    match (settings.enable_idempotence, contradiction) {
        (Some(true), Some(why)) => {
            Err(Fault::new(Blame::Configuration, format!("`producer.enable_idempotence` is on and {why}"))
                .next("change it, or turn idempotence off"))
        }
        (Some(wanted), _) => Ok(wanted),
        (None, contradiction) => Ok(contradiction.is_none()),
    }
}

/// Fields of our own that librdkafka refuses, such as a batch of zero bytes.
fn native_check(client: &ClientConfig, section: &str) -> Result<(), Fault> {
    match client.create_native_config() {
        Ok(_) => Ok(()),
        Err(rdkafka::error::KafkaError::ClientConfig(_, why, name, _)) => {
            Err(Fault::new(Blame::Configuration, format!("`{section}.{}`: {why}", name.replace('.', "_"))))
        }
        Err(error) => Err(Fault::new(Blame::Configuration, format!("`{section}`: {error}"))),
    }
}

fn bootstrap_of(servers: &str) -> Result<String, Fault> {
    let wrong = |what: String| {
        Err(Fault::new(Blame::Configuration, what).next("write `host:port,host:port`, or `embedded://`"))
    };
    let servers: Vec<&str> = servers.split(',').map(str::trim).filter(|server| !server.is_empty()).collect();
    if servers.is_empty() {
        return wrong("`kafka.bootstrap_servers` is empty".into());
    }
    for server in &servers {
        let port = server.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then_some(port));
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return wrong(format!("`kafka.bootstrap_servers`: `{server}` is not `host:port`"));
        }
    }
    Ok(servers.join(","))
}

fn all_in_one(faults: &[auth::AuthFault]) -> Fault {
    match faults {
        [only] => only.to_fault(None),
        several => {
            let what: Vec<String> = several.iter().map(ToString::to_string).collect();
            Fault::new(Blame::Configuration, what.join("; "))
        }
    }
}
