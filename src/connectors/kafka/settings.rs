//! What the options of a topic say, read once and typed. It connects to nothing.

use jiff::Timestamp;
use rdkafka::ClientConfig;

use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::core::environment::Environment;
use crate::core::fault::{Blame, Fault};
use crate::kafka::auth::AuthRegistry;
use crate::kafka::settings::Connection;

/// Settings of librdkafka that this connector decides and nobody may change: a reader's and a checkpoint's meaning
/// depends on them.
const OURS: [&str; 4] = ["enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof", "transactional.id"];

/// Which brokers and which topic.
pub(super) struct Connected {
    pub connection: Connection,
    pub topic: String,
    /// Settings of librdkafka as they were written.
    pub native: Vec<(String, String)>,
}

/// Where a partition is read from when there is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Earliest,
    Latest,
    /// Where the group stands; at the oldest record where it stands nowhere.
    Group,
    Offset(i64),
    /// At the first record of this time or later, milliseconds since 1970.
    Time(i64),
}

impl Connected {
    /// The environment's connection, with other brokers where the options name them.
    pub fn of(options: &Options, name: &str, context: &Context) -> Result<Self, Fault> {
        let topic = options.get("topic").unwrap_or(name).trim().to_owned();
        if topic.is_empty() {
            return Err(Fault::new(Blame::Operator, "no topic is named").next("set `topic`"));
        }
        if topic.contains(',') {
            let what = format!("`{topic}` are several topics; a source reads one");
            return Err(options.fault("topic", what).next("read each and put UNION ALL between them"));
        }
        let connection = match (options.get("brokers"), &context.kafka) {
            (None, Some(connection)) => connection.clone(),
            (Some(brokers), Some(connection)) => {
                if same_brokers(brokers, connection) {
                    connection.clone()
                } else {
                    let mut environment = Environment::clone(connection.environment());
                    brokers.clone_into(&mut environment.kafka.bootstrap_servers);
                    reopened(&environment, options)?
                }
            }
            (Some(brokers), None) => reopened(&bare(brokers)?, options)?,
            (None, None) => {
                return Err(Fault::new(Blame::Operator, format!("no brokers are known for the topic `{topic}`"))
                    .next("choose an environment, or set `brokers`"));
            }
        };
        let mut native = Vec::new();
        for prefix in ["kafka.", "properties."] {
            for (key, value) in options.under(prefix).iter() {
                if OURS.contains(&key) {
                    let what = format!("`{prefix}{key}` is decided by the engine");
                    return Err(options.fault(&format!("{prefix}{key}"), what).next("leave it out"));
                }
                native.push((key.to_owned(), value.text.clone()));
            }
        }
        Ok(Self { connection, topic, native })
    }

    /// Puts the settings of librdkafka that were written over `config`.
    pub fn apply(&self, config: &mut ClientConfig) {
        for (key, value) in &self.native {
            config.set(key, value);
        }
    }
}

fn same_brokers(written: &str, connection: &Connection) -> bool {
    written == connection.bootstrap_servers() || written == connection.environment().kafka.bootstrap_servers
}

fn reopened(environment: &Environment, options: &Options) -> Result<Connection, Fault> {
    let place = options.value("brokers").and_then(|value| value.place.clone());
    Connection::open(environment, &AuthRegistry::default()).map_err(|fault| match place {
        Some(place) => fault.at(place),
        None => fault,
    })
}

/// An environment of which only the brokers are known.
fn bare(brokers: &str) -> Result<Environment, Fault> {
    let fields = serde_json::json!({ "environment": "sql", "kafka": { "bootstrap_servers": brokers } });
    serde_json::from_value(fields).map_err(|error| Fault::new(Blame::Program, format!("a bare environment: {error}")))
}

/// Where reading starts.
pub(super) fn start(options: &Options) -> Result<Start, Fault> {
    if let Some(time) = options.number("start.timestamp")? {
        return Ok(Start::Time(i64::try_from(time).unwrap_or(i64::MAX)));
    }
    let expected = "earliest, latest, group, an offset, or a time in RFC 3339";
    let read = |text: &str| match text.to_ascii_lowercase().as_str() {
        "earliest" | "earliest-offset" | "beginning" | "smallest" => Some(Start::Earliest),
        "latest" | "latest-offset" | "end" | "largest" => Some(Start::Latest),
        "group" | "group-offsets" => Some(Start::Group),
        _ => text
            .trim_start_matches("offset:")
            .parse()
            .ok()
            .filter(|offset| *offset >= 0)
            .map(Start::Offset)
            .or_else(|| Some(Start::Time(text.parse::<Timestamp>().ok()?.as_millisecond()))),
    };
    let start = match options.parsed("start", expected, read)? {
        Some(start) => start,
        None if options.get("group.id").is_some() => Start::Group,
        None => Start::Earliest,
    };
    if start == Start::Group && options.get("group.id").is_none() {
        return Err(options.fault("start", "`start` = 'group' needs `group.id`"));
    }
    Ok(start)
}

/// Whether reading ends where the topic ends now.
pub(super) fn is_bounded(options: &Options) -> bool {
    matches!(
        options.get("scan.bounded").map(str::to_ascii_lowercase).as_deref(),
        Some("latest" | "latest-offset" | "true")
    )
}
