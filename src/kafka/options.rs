//! Settings by name, as YAML writes them, checked against librdkafka's own list before any client exists.
//! Knows names and limits; never connects.

use indexmap::IndexMap;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

use crate::core::environment::Scalar;
use crate::core::fault::{Blame, Fault};
use crate::core::words::nearest;

/// librdkafka's settings: `*` for every client, `P` for producers, `C` for consumers (from its CONFIGURATION.md).
const KNOWN: &str = include_str!("options.txt");

/// Other names of the same setting, librdkafka's own and those of other clients: one name each, or the later of two
/// would win by chance.
const ALIASES: [(&str, &str); 14] = [
    ("compression", "compression.type"),
    ("compression.codec", "compression.type"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("max.in.flight.requests.per.connection", "max.in.flight"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("max.request.size", "message.max.bytes"),
    ("message.send.max.retries", "retries"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id"),
    ("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret"),
];

/// Settings that have a field of their own; here they would pass by its checks, and a secret would lose its mask.
const OWNED: [(&str, &str); 26] = [
    ("enable.auto.commit", "consumer.enable_auto_commit"),
    ("enable.idempotence", "producer.enable_idempotence"),
    ("group.id", "consumer.group_id"),
    ("bootstrap.servers", "kafka.bootstrap_servers"),
    ("security.protocol", "kafka.security_protocol"),
    ("client.id", "kafka.client_id"),
    ("sasl.mechanisms", "kafka.sasl.mechanism"),
    ("sasl.username", "kafka.sasl.username"),
    ("sasl.password", "kafka.sasl.password"),
    ("sasl.kerberos.service.name", "kafka.sasl.kerberos_service_name"),
    ("sasl.kerberos.keytab", "kafka.sasl.kerberos_keytab"),
    ("sasl.kerberos.principal", "kafka.sasl.kerberos_principal"),
    ("sasl.oauthbearer.client.id", "kafka.sasl.oauth.client_id"),
    ("sasl.oauthbearer.client.secret", "kafka.sasl.oauth.client_secret"),
    ("sasl.oauthbearer.config", "kafka.sasl.oauth"),
    ("sasl.oauthbearer.method", "kafka.sasl.oauth"),
    ("sasl.oauthbearer.token.endpoint.url", "kafka.sasl.oauth.token_endpoint"),
    ("ssl.ca.location", "kafka.ssl.cafile"),
    ("ssl.certificate.location", "kafka.ssl.certfile"),
    ("ssl.key.location", "kafka.ssl.keyfile"),
    ("ssl.key.password", "kafka.ssl.password"),
    ("ssl.key.pem", "kafka.ssl.keyfile"),
    ("ssl.keystore.location", "kafka.ssl.certfile"),
    ("ssl.keystore.password", "kafka.ssl.password"),
    ("ssl.endpoint.identification.algorithm", "kafka.ssl.check_hostname"),
    ("enable.ssl.certificate.verification", "kafka.ssl.check_hostname"),
];

/// A setting's upper limit and its reason.
struct Limit {
    name: &'static str,
    max: i64,
    why: &'static str,
}

/// Idempotence keeps order up to 5; more than this in flight only grows the time that a lost connection costs.
pub const IN_FLIGHT_MAX: i64 = 1_000;
/// Largest record we offer to send; brokers refuse far smaller ones, and a view must still be able to hold it.
pub const MESSAGE_BYTES_MAX: i64 = 128 << 20;
/// Most records that wait in one producer; each costs about 100 bytes beside its own.
pub const QUEUE_MESSAGES_MAX: i64 = 2_000_000;
/// Most memory that waits in one producer: a pool of five stays under 5 GiB even when every one is full.
pub const QUEUE_KBYTES_MAX: i64 = 1 << 20;
/// Most memory that a consumer reads ahead.
pub const READ_AHEAD_KBYTES_MAX: i64 = 1 << 20;
/// The longest pause between two attempts to reach a broker: a person who restarts one sees us back within it.
pub const RECONNECT_BACKOFF_MAX_MS: i64 = 60_000;

const LIMITS: [Limit; 6] = [
    Limit { name: "max.in.flight", max: IN_FLIGHT_MAX, why: "a lost connection repeats them all" },
    Limit { name: "message.max.bytes", max: MESSAGE_BYTES_MAX, why: "a record must fit memory many times over" },
    Limit { name: "queue.buffering.max.messages", max: QUEUE_MESSAGES_MAX, why: "the queue is memory" },
    Limit {
        name: "queue.buffering.max.kbytes",
        max: QUEUE_KBYTES_MAX,
        why: "the queue is memory, for every producer of a pool",
    },
    Limit { name: "queued.max.messages.kbytes", max: READ_AHEAD_KBYTES_MAX, why: "what is read ahead is memory" },
    Limit {
        name: "reconnect.backoff.max.ms",
        max: RECONNECT_BACKOFF_MAX_MS,
        why: "a broker that is back must be seen",
    },
];

/// Which client a setting is for; the section of the YAML file it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `kafka.options`.
    Connection,
    /// `producer`.
    Producer,
    /// `consumer`.
    Consumer,
}

impl Section {
    fn prefix(self) -> &'static str {
        match self {
            Self::Connection => "kafka.options",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    fn takes(self, scope: &str) -> bool {
        match self {
            Self::Connection => scope == "*",
            Self::Producer => scope == "*" || scope == "P",
            Self::Consumer => scope == "*" || scope == "C",
        }
    }
}

/// Puts a section's options into a configuration.
///
/// # Errors
/// The first option whose name or value librdkafka does not take, by its field (`producer.lingr_ms`), with the
/// nearest name that exists.
pub fn apply(options: &IndexMap<String, Scalar>, section: Section, client: &mut ClientConfig) -> Result<(), Fault> {
    for (written, value) in options {
        let name = librdkafka_name(written);
        check_name(written, &name, section)?;
        check_limit(written, &name, value, section)?;
        check_value(written, &name, value, section)?;
        client.set(name, value.to_string());
    }
    Ok(())
}

/// librdkafka's name for what a file writes with underscores or under another client's name.
pub fn librdkafka_name(written: &str) -> String {
    let dotted = written.replace('_', ".");
    let known = ALIASES.iter().find(|(alias, _)| *alias == dotted);
    // `log_level` is librdkafka's own name.
    if dotted == "log.level" { "log_level".into() } else { known.map_or(dotted, |(_, name)| (*name).to_owned()) }
}

/// Every name that a section takes, as librdkafka writes it.
pub fn names(section: Section) -> impl Iterator<Item = &'static str> {
    KNOWN
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(move |(scope, _)| section.takes(scope))
        .map(|(_, name)| name)
}

fn check_name(written: &str, name: &str, section: Section) -> Result<(), Fault> {
    let field = format!("{}.{written}", section.prefix());
    if let Some((_, owner)) = OWNED.iter().find(|(owned, _)| *owned == name) {
        return Err(wrong(format!("`{field}` is set by `{owner}`")).next(format!("write it as `{owner}`")));
    }
    if names(section).any(|known| known == name) {
        return Ok(());
    }
    if KNOWN.lines().any(|line| line.split_once(' ').is_some_and(|(_, known)| known == name)) {
        let other = match section {
            Section::Consumer => "producer",
            Section::Producer => "consumer",
            Section::Connection => "producer or consumer",
        };
        return Err(wrong(format!("`{field}` is a setting of a {other}")).next(format!("move it to `{other}:`")));
    }
    let fault = wrong(format!("unknown setting `{field}`"));
    Err(match nearest(name, names(section)) {
        Some(nearest) => {
            let nearest = if written.contains('.') { nearest.to_owned() } else { nearest.replace('.', "_") };
            fault.next(format!("did you mean `{nearest}`?"))
        }
        None => fault.next("see librdkafka's CONFIGURATION.md for the names"),
    })
}

fn check_limit(written: &str, name: &str, value: &Scalar, section: Section) -> Result<(), Fault> {
    let Some(limit) = LIMITS.iter().find(|limit| limit.name == name) else { return Ok(()) };
    match value.to_string().parse::<i64>() {
        Ok(number) if number > limit.max => {
            Err(wrong(format!("`{}.{written}` is {number}; at most {} ({})", section.prefix(), limit.max, limit.why)))
        }
        _ => Ok(()),
    }
}

fn check_value(written: &str, name: &str, value: &Scalar, section: Section) -> Result<(), Fault> {
    let mut alone = ClientConfig::new();
    alone.set(name, value.to_string());
    match alone.create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(_, why, ..)) => Err(wrong(format!("`{}.{written}`: {why}", section.prefix()))),
        Err(error) => Err(wrong(format!("`{}.{written}`: {error}", section.prefix()))),
    }
}

fn wrong(what: String) -> Fault {
    Fault::new(Blame::Configuration, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(section: Section, name: &str, value: Scalar, expected: Result<(&str, &str), &str>) {
        let mut client = ClientConfig::new();
        let outcome = apply(&IndexMap::from([(name.to_owned(), value)]), section, &mut client);
        match expected {
            Ok((name, value)) => {
                outcome.unwrap();
                assert_eq!(client.get(name), Some(value));
            }
            Err(message) => assert_eq!(outcome.unwrap_err().to_string(), message),
        }
    }

    #[test]
    fn names_are_taken_with_dots_with_underscores_and_as_other_clients_say_them() {
        check(
            Section::Producer,
            "sticky_partitioning_linger_ms",
            Scalar::Integer(7),
            Ok(("sticky.partitioning.linger.ms", "7")),
        );
        check(Section::Producer, "max.request.size", Scalar::Integer(2_000), Ok(("message.max.bytes", "2000")));
        check(Section::Consumer, "fetch_max_wait_ms", Scalar::Integer(9), Ok(("fetch.wait.max.ms", "9")));
        check(
            Section::Connection,
            "socket_keepalive_enable",
            Scalar::Bool(true),
            Ok(("socket.keepalive.enable", "true")),
        );
    }

    #[test]
    fn a_wrong_name_names_its_field_and_the_nearest_that_exists() {
        check(
            Section::Producer,
            "lingr_ms",
            Scalar::Integer(5),
            Err("unknown setting `producer.lingr_ms`; did you mean `linger_ms`?"),
        );
        check(
            Section::Consumer,
            "linger_ms",
            Scalar::Integer(5),
            Err("`consumer.linger_ms` is a setting of a producer; move it to `producer:`"),
        );
    }

    #[test]
    fn a_wrong_value_says_what_would_be_right() {
        let mut client = ClientConfig::new();
        let options = IndexMap::from([("message.timeout.ms".to_owned(), Scalar::Text("soon".into()))]);
        let fault = apply(&options, Section::Producer, &mut client).unwrap_err();
        assert!(fault.what.starts_with("`producer.message.timeout.ms`: Invalid value"), "{fault}");
    }

    #[test]
    fn a_limit_is_named_with_its_reason() {
        check(
            Section::Producer,
            "queue_buffering_max_kbytes",
            Scalar::Integer(QUEUE_KBYTES_MAX + 1),
            Err(
                "`producer.queue_buffering_max_kbytes` is 1048577; at most 1048576 (the queue is memory, for every producer of a pool)",
            ),
        );
    }

    #[test]
    fn what_has_its_own_field_cannot_be_set_beside_it() {
        check(
            Section::Connection,
            "sasl.password",
            Scalar::Text("canary".into()),
            Err("`kafka.options.sasl.password` is set by `kafka.sasl.password`; write it as `kafka.sasl.password`"),
        );
    }

    #[test]
    fn every_name_on_the_list_is_one_that_librdkafka_knows() {
        let is_unknown = |name: &&str| {
            let mut alone = ClientConfig::new();
            alone.set(*name, "x");
            let error = alone.create_native_config().err().map(|error| error.to_string()).unwrap_or_default();
            error.contains("No such configuration property")
        };
        let names = KNOWN.lines().filter_map(|line| line.split_once(' ').map(|(_, name)| name));
        let unknown: Vec<&str> = names.chain(ALIASES.iter().map(|(_, name)| *name)).filter(is_unknown).collect();
        assert_eq!(unknown, [""; 0]);
    }
}
