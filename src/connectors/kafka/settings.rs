//! What the options of a topic say, read once and typed. It connects to nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::connectors::contract::{Context, End};
use crate::connectors::options::Options;
use crate::core::environment::{Environment, SaslMechanism, SaslSettings, Scalar, SslSettings};
use crate::core::fault::{Blame, Fault};
use crate::core::secret::Secret;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::options::{Section, librdkafka_name, names};
use crate::kafka::settings::Connection;

/// Settings of librdkafka that this connector decides and nobody may change: a reader's and a checkpoint's meaning
/// depends on them.
const OURS: [&str; 5] =
    ["enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof", "transactional.id", "isolation.level"];
/// What stands before settings of librdkafka.
const PREFIXES: [&str; 2] = ["kafka.", "properties."];

/// Which brokers and which topic.
pub(super) struct Connected {
    pub connection: Connection,
    pub topic: String,
}

/// Where a partition is read from when there is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    Earliest,
    Latest,
    /// Where the group stands; where it stands nowhere, at the newest record or else at the oldest.
    Group {
        else_latest: bool,
    },
    Offset(i64),
    /// An offset for each partition; those that are not named begin at the oldest record.
    Offsets(BTreeMap<i32, i64>),
    /// At the first record of this time or later, milliseconds since 1970.
    Time(i64),
}

/// What becomes of a partition whose checkpointed offset is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It ends the job.
    Stops,
    /// It is read from the oldest record kept.
    Earliest,
    /// It is read from its end.
    Latest,
}

impl Connected {
    /// The environment's connection; where the options name brokers that are none of the environment's, a connection
    /// of their own, to which the environment's login is not sent.
    pub fn of(options: &Options, end: End, name: &str, context: &Context) -> Result<Self, Fault> {
        let topic = options.get("topic").unwrap_or(name).trim().to_owned();
        if topic.is_empty() {
            return Err(Fault::new(Blame::Operator, "no topic is named").next("set `topic`"));
        }
        if topic.contains(',') {
            let what = format!("`{topic}` are several topics; a source reads one");
            return Err(options.fault("topic", what).next("read each and put UNION ALL between them"));
        }
        let brokers = options.get("brokers").map(str::trim);
        let own = context.kafka.as_ref().filter(|own| brokers.is_none_or(|brokers| is_among(brokers, own)));
        let has_settings = PREFIXES.iter().any(|prefix| !options.under(prefix).is_empty());
        let mut environment = match (own, brokers) {
            (Some(own), _) if !has_settings => return Ok(Self { connection: own.clone(), topic }),
            (Some(own), _) => Environment::clone(own.environment()),
            (None, Some(brokers)) => bare(brokers)?,
            (None, None) => {
                if let Some(fault) = &context.absent {
                    return Err(fault.clone());
                }
                return Err(Fault::new(Blame::Operator, format!("no brokers are known for the topic `{topic}`"))
                    .next("choose an environment, or set `bootstrap.servers`"));
            }
        };
        let mut written = Vec::new();
        for prefix in PREFIXES {
            for (key, value) in options.under(prefix).iter() {
                set(&mut environment, end, key, &value.text)
                    .map_err(|what| options.fault(&format!("{prefix}{key}"), format!("`{prefix}{key}` {what}")))?;
                written.push((prefix, key.to_owned()));
            }
        }
        let connection = Connection::open(&environment, &AuthRegistry::default());
        Ok(Self { connection: connection.map_err(|fault| placed(fault, options, &written))?, topic })
    }
}

/// Whether the brokers that were written are some of the environment's.
fn is_among(written: &str, connection: &Connection) -> bool {
    let environment = &connection.environment().kafka.bootstrap_servers;
    let is_known = |server: &str| {
        let known = |servers: &str| servers.split(',').any(|known| known.trim() == server);
        known(environment) || known(connection.bootstrap_servers())
    };
    written.split(',').map(str::trim).all(is_known)
}

/// One setting of librdkafka, where the environment keeps it: secrets become secrets, names are checked.
fn set(environment: &mut Environment, end: End, key: &str, text: &str) -> Result<(), &'static str> {
    let name = librdkafka_name(key);
    let kafka = &mut environment.kafka;
    let some = || Some(text.to_owned());
    let secret = || Some(Secret::new(text));
    let parsed = || serde_json::Value::String(text.to_ascii_uppercase());
    match name.as_str() {
        ours if OURS.contains(&ours) => return Err("is decided by the engine; leave it out"),
        "security.protocol" => {
            kafka.security_protocol =
                serde_json::from_value(parsed()).map_err(|_| "is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")?;
        }
        "sasl.mechanisms" => {
            sasl(kafka).mechanism = serde_json::from_value(parsed())
                .map_err(|_| "is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI")?;
        }
        "sasl.username" => sasl(kafka).username = some(),
        "sasl.password" => sasl(kafka).password = secret(),
        "ssl.ca.location" => ssl(kafka).cafile = some(),
        "ssl.certificate.location" => ssl(kafka).certfile = some(),
        "ssl.key.location" => ssl(kafka).keyfile = some(),
        "ssl.key.password" => ssl(kafka).password = secret(),
        "client.id" => kafka.client_id = some(),
        shared if names(Section::Connection).any(|known| known == shared) => {
            kafka.options.insert(key.to_owned(), Scalar::Text(text.to_owned()));
        }
        _ if end == End::Source => {
            environment.consumer.options.insert(key.to_owned(), Scalar::Text(text.to_owned()));
        }
        _ => {
            environment.producer.options.insert(key.to_owned(), Scalar::Text(text.to_owned()));
        }
    }
    Ok(())
}

fn sasl(kafka: &mut crate::core::environment::KafkaSettings) -> &mut SaslSettings {
    kafka.sasl.get_or_insert(SaslSettings {
        mechanism: SaslMechanism::Plain,
        username: None,
        password: None,
        oauth: None,
        kerberos_service_name: None,
        kerberos_keytab: None,
        kerberos_principal: None,
    })
}

fn ssl(kafka: &mut crate::core::environment::KafkaSettings) -> &mut SslSettings {
    kafka.ssl.get_or_insert(SslSettings {
        cafile: None,
        certfile: None,
        keyfile: None,
        password: None,
        check_hostname: true,
    })
}

/// A fault of a setting names the option it came from, and its place.
fn placed(mut fault: Fault, options: &Options, written: &[(&str, String)]) -> Fault {
    for (prefix, key) in written {
        let names = ["consumer", "producer", "kafka.options"].map(|section| format!("`{section}.{key}`"));
        if let Some(name) = names.iter().find(|name| fault.what.contains(*name)) {
            fault.what = fault.what.replace(name, &format!("`{prefix}{key}`"));
            let place = options.value(&format!("{prefix}{key}")).and_then(|value| value.place.clone());
            return Fault { place: place.or(fault.place), ..fault };
        }
    }
    let place = options.value("brokers").and_then(|value| value.place.clone());
    Fault { place: fault.place.or(place), ..fault }
}

/// An environment of which only the brokers are known.
fn bare(brokers: &str) -> Result<Environment, Fault> {
    let fields = serde_json::json!({ "environment": "sql", "kafka": { "bootstrap_servers": brokers } });
    serde_json::from_value(fields).map_err(|error| Fault::new(Blame::Program, format!("a bare environment: {error}")))
}

/// Where reading starts. A group begins where it stands unless `start` says otherwise; `auto.offset.reset` counts, as
/// for every Kafka client, where it stands nowhere.
pub(super) fn start(options: &Options) -> Result<Start, Fault> {
    let has_group = options.get("group.id").is_some();
    let else_latest = options.get("auto.offset.reset").is_some_and(|text| text.eq_ignore_ascii_case("latest"));
    let time = || options.parsed("start.timestamp", "milliseconds since 1970 or a time in RFC 3339", time_of);
    let offset = || options.number("start.offset").map(|offset| offset.map(|at| i64::try_from(at).unwrap_or(i64::MAX)));
    let offsets = || options.parsed("start.offsets", "`partition:0,offset:42;partition:1,offset:7`", offsets_of);
    let mode = options.get("start").map(|text| text.trim().to_ascii_lowercase());
    let needs = |option: &str| options.fault("start", format!("`start` needs `{option}` to go with it"));
    match mode.as_deref() {
        None => {}
        Some("earliest" | "earliest-offset" | "beginning" | "smallest") => return Ok(Start::Earliest),
        Some("latest" | "latest-offset" | "end" | "largest") => return Ok(Start::Latest),
        Some("group" | "group-offsets") if has_group => return Ok(Start::Group { else_latest }),
        Some("group" | "group-offsets") => return Err(options.fault("start", "`start` = 'group' needs `group.id`")),
        Some("timestamp") => return time()?.map(Start::Time).ok_or_else(|| needs("start.timestamp")),
        Some("offset") => return offset()?.map(Start::Offset).ok_or_else(|| needs("start.offset")),
        Some("specific-offsets") => return offsets()?.map(Start::Offsets).ok_or_else(|| needs("start.offsets")),
        Some(_) => {
            let expected = "earliest, latest, group, an offset, or a time in RFC 3339";
            let read = |text: &str| {
                let offset = text.trim_start_matches("offset:").parse().ok().filter(|offset| *offset >= 0);
                offset
                    .map(Start::Offset)
                    .or_else(|| Some(Start::Time(text.parse::<Timestamp>().ok()?.as_millisecond())))
            };
            return Ok(options.parsed("start", expected, read)?.unwrap_or(Start::Earliest));
        }
    }
    if let Some(time) = time()? {
        return Ok(Start::Time(time));
    }
    if let Some(offset) = offset()? {
        return Ok(Start::Offset(offset));
    }
    if let Some(offsets) = offsets()? {
        return Ok(Start::Offsets(offsets));
    }
    Ok(match (has_group, else_latest) {
        (true, else_latest) => Start::Group { else_latest },
        (false, true) => Start::Latest,
        (false, false) => Start::Earliest,
    })
}

/// What `lost.offset` says.
pub(super) fn lost(options: &Options) -> Lost {
    match options.get("lost.offset").map(str::to_ascii_lowercase).as_deref() {
        Some("earliest") => Lost::Earliest,
        Some("latest") => Lost::Latest,
        _ => Lost::Stops,
    }
}

fn time_of(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| Some(text.parse::<Timestamp>().ok()?.as_millisecond()))
}

/// `partition:0,offset:42;partition:1,offset:7` as Flink writes it, or shortly `0:42;1:7`.
fn offsets_of(text: &str) -> Option<BTreeMap<i32, i64>> {
    let one = |part: &str| {
        let part = part.replace("partition:", "").replace("offset:", "");
        let (partition, offset) = part.split_once([',', ':'])?;
        Some((partition.trim().parse().ok()?, offset.trim().parse().ok().filter(|offset| *offset >= 0)?))
    };
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

/// Whether reading ends where the topic ends now.
pub(super) fn is_bounded(options: &Options) -> bool {
    matches!(
        options.get("scan.bounded").map(str::to_ascii_lowercase).as_deref(),
        Some("latest" | "latest-offset" | "true")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::environment::SecurityProtocol;

    fn check(given: &[(&str, &str)], expected: Start) {
        assert_eq!(start(&given.iter().copied().collect()).unwrap(), expected, "{given:?}");
    }

    #[test]
    fn where_reading_starts_is_said_as_other_engines_say_it() {
        check(&[], Start::Earliest);
        check(&[("auto.offset.reset", "latest")], Start::Latest);
        check(&[("group.id", "g"), ("auto.offset.reset", "latest")], Start::Group { else_latest: true });
        check(&[("group.id", "g"), ("start", "earliest-offset")], Start::Earliest);
        check(&[("start", "42")], Start::Offset(42));
        check(&[("start", "offset"), ("start.offset", "42")], Start::Offset(42));
        check(&[("start.timestamp", "2026-01-02T03:04:05Z")], Start::Time(1_767_323_045_000));
        check(&[("start", "timestamp"), ("start.timestamp", "17")], Start::Time(17));
        let offsets = BTreeMap::from([(0, 42), (1, 7)]);
        check(
            &[("start", "specific-offsets"), ("start.offsets", "partition:0,offset:42;partition:1,offset:7")],
            Start::Offsets(offsets.clone()),
        );
        check(&[("start.offsets", "0:42; 1:7")], Start::Offsets(offsets));
    }

    fn environment() -> Environment {
        serde_json::from_value(serde_json::json!({
            "environment": "own",
            "kafka": {
                "bootstrap_servers": "a:9092, b:9092",
                "security_protocol": "SASL_PLAINTEXT",
                "sasl": { "mechanism": "PLAIN", "username": "u", "password": "s3cret-of-own" },
            },
        }))
        .unwrap()
    }

    fn connected(options: &[(&str, &str)]) -> Result<Connected, Fault> {
        let kafka = Connection::open(&environment(), &AuthRegistry::default()).unwrap();
        let context = Context { kafka: Some(kafka), absent: None, folder: ".".into() };
        Connected::of(&options.iter().copied().collect(), End::Source, "t", &context)
    }

    #[test]
    fn the_login_of_the_environment_goes_to_its_own_brokers_only() {
        let protocol =
            |options: &[(&str, &str)]| connected(options).unwrap().connection.environment().kafka.security_protocol;
        assert_eq!(protocol(&[]), SecurityProtocol::SaslPlaintext);
        assert_eq!(protocol(&[("brokers", "b:9092")]), SecurityProtocol::SaslPlaintext);
        assert_eq!(protocol(&[("brokers", "elsewhere:9092")]), SecurityProtocol::Plaintext);
    }

    #[test]
    fn settings_of_the_client_are_checked_and_its_secrets_are_secrets() {
        let given = [
            ("brokers", "c:9092"),
            ("kafka.security.protocol", "sasl_plaintext"),
            ("properties.sasl.mechanism", "PLAIN"),
            ("kafka.sasl.username", "other"),
            ("kafka.sasl.password", "very-secret-indeed"),
            ("kafka.fetch.min.bytes", "7"),
        ];
        let connection = connected(&given).unwrap().connection;
        assert_eq!(connection.scrubber().scrub("very-secret-indeed"), "***");
        let config = connection.consumer_config(&connection.environment().consumer).unwrap();
        assert_eq!((config.get("fetch.min.bytes"), config.get("sasl.username")), (Some("7"), Some("other")));
        let refused = |key| connected(&[(key, "1")]).map(drop).unwrap_err().to_string();
        assert_eq!(
            refused("kafka.fetch.min.bites"),
            "unknown setting `kafka.fetch.min.bites`; did you mean `fetch.min.bytes`?"
        );
        assert_eq!(
            refused("kafka.enable.auto.commit"),
            "`kafka.enable.auto.commit` is decided by the engine; leave it out"
        );
    }
}
