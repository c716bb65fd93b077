//! Rules that types cannot say: ranges, names, secrets in the wrong field, variables that name nothing. Whether a login is complete is the client's to judge.

use std::path::Path;

use indexmap::IndexMap;

use crate::core::environment::{Environment, Scalar};
use crate::core::etl::Etl;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::runner::RunnerConfig;

use super::console::ConsoleConfig;
use super::load::{ACTIVE_ENVIRONMENT, Config};
use super::sources::Sources;
use super::typed::advice;

/// Something wrong with a field.
pub struct Wrong {
    pub path: String,
    /// Follows the field's name: "must not be empty".
    pub what: String,
    pub next: String,
}

fn wrong(path: impl Into<String>, what: impl Into<String>, next: impl Into<String>) -> Wrong {
    Wrong { path: path.into(), what: what.into(), next: next.into() }
}

/// A value that can say what is wrong with it.
pub trait Check {
    fn check(&self) -> Vec<Wrong>;
}

impl Check for Environment {
    fn check(&self) -> Vec<Wrong> {
        let mut found = Vec::new();
        found.extend(bad_name("environment", &self.environment));
        if self.kafka.bootstrap_servers.trim().is_empty() {
            found.push(wrong("kafka.bootstrap_servers", "must not be empty", "write host:port, or embedded://"));
        }
        if self.rate_limit_events_per_second == Some(0) {
            found.push(wrong(
                "rate_limit_events_per_second",
                "must not be 0",
                "leave it out for no limit, or use `guard: read_only`",
            ));
        }
        found.extend(exposed("kafka.options", &self.kafka.options));
        found.extend(exposed("producer", &self.producer.options));
        found.extend(exposed("consumer", &self.consumer.options));
        found
    }
}

impl Check for Etl {
    fn check(&self) -> Vec<Wrong> {
        let mut found = Vec::new();
        found.extend(bad_name("name", &self.name));
        if self.payload_template.trim().is_empty() {
            found.push(wrong("payload_template", "must not be empty", "name a file of templates/payloads/"));
        }
        if self.batch_size == Some(0) {
            found.push(wrong("batch_size", "must not be 0", ""));
        }
        if self.partition.is_some_and(|partition| partition < 0) {
            found.push(wrong("partition", "must not be negative", "leave it out, or null, to choose by key"));
        }
        for (environment, topic) in &self.topics {
            let path = format!("topics.{environment}");
            let letters =
                topic.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'));
            if topic.is_empty() || TOPIC_LETTERS_MAX < topic.len() || !letters || topic == "." || topic == ".." {
                found.push(wrong(path, "is no name that Kafka takes", "1 to 249 of a-z A-Z 0-9 . _ -"));
            }
        }
        found.extend(exposed("extra", &self.extra));
        found
    }
}

/// Kafka's own limit.
const TOPIC_LETTERS_MAX: usize = 249;

impl Check for RunnerConfig {
    fn check(&self) -> Vec<Wrong> {
        let at_least_one = [
            ("execution.parallel_workers", self.execution.parallel_workers),
            ("execution.batch_size", self.execution.batch_size),
            ("execution.connection_pool_size", self.execution.connection_pool_size),
        ];
        at_least_one
            .into_iter()
            .filter(|(_, value)| *value == 0)
            .map(|(path, _)| wrong(path, "must not be 0", "the smallest is 1"))
            .collect()
    }
}

impl Check for ConsoleConfig {
    fn check(&self) -> Vec<Wrong> {
        let mut found = Vec::new();
        if !(1..=60).contains(&self.frame_rate) {
            found.push(wrong("frame_rate", "must be from 1 to 60", ""));
        }
        if !(100..=100_000).contains(&self.tail_capacity) {
            found.push(wrong("tail_capacity", "must be from 100 to 100000", ""));
        }
        found
    }
}

fn bad_name(path: &str, name: &str) -> Option<Wrong> {
    let good = !name.is_empty()
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-'))
        && !name.starts_with(['.', '-']);
    (!good).then(|| {
        wrong(path, "is no name", "use letters, digits, `_`, `-` and `.`, so that flags and file names can say it")
    })
}

/// Options that carry a secret: each has a field of its own, where it is kept secret.
fn exposed<'a>(path: &'a str, options: &'a IndexMap<String, Scalar>) -> impl Iterator<Item = Wrong> + 'a {
    const FIELDS: [(&str, &str); 7] = [
        ("sasl.password", "kafka.sasl.password"),
        ("sasl.oauthbearer.client.secret", "kafka.sasl.oauth.client_secret"),
        ("sasl.oauthbearer.config", "kafka.sasl.oauth"),
        ("sasl.jaas.config", "kafka.sasl"),
        ("ssl.key.password", "kafka.ssl.password"),
        ("ssl.keystore.password", "kafka.ssl.password"),
        ("ssl.key.pem", "kafka.ssl.keyfile"),
    ];
    options.keys().filter_map(move |option| {
        let named = FIELDS.iter().find(|(name, _)| name == option).map(|(_, field)| *field);
        let sounds = ["password", "secret", "jaas"].iter().any(|word| option.contains(word));
        let field = named.or(sounds.then_some("kafka.sasl"))?;
        Some(wrong(
            format!("{path}.{option}"),
            "carries a secret in a field that is shown",
            format!("write it as `{field}`"),
        ))
    })
}

/// What is odd about the folders.
pub fn folder(sources: &Sources) -> Vec<Fault> {
    let shown = sources.config_dir.display();
    if sources.uses_shipped() {
        return Vec::new();
    }
    if !sources.config_dir.is_dir() {
        let what = format!("there is no folder `{shown}`");
        return vec![Fault::new(Blame::Operator, what).next("name another with --config-dir, or leave the flag out")];
    }
    ["environments", "etl"]
        .into_iter()
        .filter(|folder| !sources.config_dir.join(folder).is_dir())
        .map(|folder| Fault::new(Blame::Configuration, format!("there is no folder `{shown}/{folder}`")))
        .collect()
}

/// Whether others on the machine can read `.env`.
#[cfg(unix)]
pub fn mode(path: &Path) -> Option<Fault> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        Fault::new(Blame::Configuration, format!("others may read or write this file (mode {mode:04o})"))
            .at(Place::file(path.display().to_string()))
            .next(format!("chmod 600 {}", path.display()))
    })
}

/// Other systems have no such mode.
#[cfg(not(unix))]
pub fn mode(_: &Path) -> Option<Fault> {
    None
}

/// Names in one file that should be in another and are not.
pub fn across(config: &Config) -> Vec<Fault> {
    let environments: Vec<_> = config.environments.iter().map(|environment| environment.name.as_str()).collect();
    let mut found = Vec::new();
    if let Some(name) = config.variables.get(ACTIVE_ENVIRONMENT).map(|name| name.expose().trim())
        && !environments.contains(&name)
    {
        let what = format!("`{ACTIVE_ENVIRONMENT}` names no environment");
        found.push(Fault::new(Blame::Configuration, what).next(format!("one of: {}", environments.join(", "))));
    }
    for etl in &config.etls {
        let Ok(value) = &etl.value else { continue };
        let unknown: Vec<&str> =
            value.topics.keys().map(String::as_str).filter(|name| !environments.contains(name)).collect();
        let Some(first) = unknown.first() else { continue };
        let (what, next) = match unknown.len() {
            1 => (
                format!("`topics.{first}` is a topic of an environment that does not exist"),
                advice(first, &environments),
            ),
            _ => (
                format!("`topics` names environments that do not exist: {}", unknown.join(", ")),
                format!("there is {}", environments.join(", ")),
            ),
        };
        found.push(Fault::new(Blame::Configuration, what).at(etl.place_of(&format!("topics.{first}"))).next(next));
    }
    found
}
