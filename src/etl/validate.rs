//! Whether every ETL could run, as far as that can be said without a broker: templates, keys, headers, topics.

use crate::core::etl::Etl;
use crate::core::fault::{Blame, Fault, Place};
use crate::template::Engine;

use super::registry::{Entry, Registry};
use super::run::render::Templates;

/// Kafka's longest topic name, characters.
const TOPIC_CHARACTERS_MAX: usize = 249;

impl Registry {
    /// Everything that is wrong with any ETL, in registry order; nothing if all could run.
    pub fn validate_all(&self, engine: &Engine) -> Vec<Fault> {
        self.entries().flat_map(|entry| validate(entry, engine)).collect()
    }
}

/// Everything that is wrong with one ETL.
pub fn validate(entry: &Entry, engine: &Engine) -> Vec<Fault> {
    let etl = match &entry.etl {
        Ok(etl) => etl,
        Err(fault) => return vec![fault.clone()],
    };
    let file = entry.file.as_deref().unwrap_or("a registered ETL");
    let mut faults = topics(etl, file);
    for fault in Templates::compile_all(engine, etl, file).err().unwrap_or_default() {
        faults.push(fault.into());
    }
    if let Some(partition) = etl.partition.filter(|partition| *partition < 0) {
        faults.push(wrong(file, format!("`partition` is {partition}; partitions count from 0")));
    }
    for name in etl.headers.keys().filter(|name| name.trim().is_empty()) {
        faults.push(wrong(file, format!("`headers` has the name `{name}`, which is blank")));
    }
    faults
}

fn topics(etl: &Etl, file: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if etl.topics.is_empty() {
        faults.push(wrong(file, "`topics` names no environment".to_owned()));
    }
    for (environment, topic) in &etl.topics {
        if let Some(why) = refused(topic) {
            faults.push(wrong(file, format!("`topics.{environment}`: `{topic}` {why}")));
        }
    }
    faults
}

/// Why Kafka refuses a topic's name, if it does.
pub fn refused(topic: &str) -> Option<&'static str> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    match topic {
        "" => Some("is empty"),
        "." | ".." => Some("is reserved"),
        _ if topic.len() > TOPIC_CHARACTERS_MAX => Some("is longer than 249 characters"),
        _ if !topic.chars().all(legal) => Some("has a character other than letters, digits, `.`, `_` and `-`"),
        _ => None,
    }
}

fn wrong(file: &str, what: String) -> Fault {
    Fault::new(Blame::Configuration, what).at(Place::file(file))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::etl::examples::etl;

    fn said(etl: Etl) -> Vec<String> {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("payloads")).unwrap();
        std::fs::write(folder.path().join("payloads/good.json.j2"), "{}").unwrap();
        let mut registry = Registry::new();
        registry.add("config/etl/x.yaml", Ok(etl));
        let faults = registry.validate_all(&Engine::builder(folder.path()).build());
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_etl_has_nothing_to_say() {
        assert_eq!(said(etl("good", &["qa"])), Vec::<String>::new());
    }

    #[test]
    fn every_fault_of_an_etl_is_said_at_once_and_in_its_place() {
        let broken = Etl {
            topics: [("qa".to_owned(), "no spaces".to_owned())].into_iter().collect(),
            key_template: Some("{{ broken".into()),
            headers: [("X".to_owned(), "{% if %}".to_owned())].into_iter().collect(),
            partition: Some(-1),
            ..etl("absent", &[])
        };
        let said = said(broken);
        assert_eq!(said.len(), 5, "{said:#?}");
        for (line, part) in said.iter().zip(["topics.qa", "absent.json.j2", "key_template", "headers.X", "partition"]) {
            assert!(line.contains(part), "{line} says nothing of {part}");
        }
    }

    #[test]
    fn topics_are_held_to_kafkas_rule() {
        assert_eq!(refused("prod.customer_updates-v1"), None);
        assert!([".", "..", "", "a/b", "é"].into_iter().all(|topic| refused(topic).is_some()));
        assert!(refused(&"x".repeat(250)).is_some() && refused(&"x".repeat(249)).is_none());
    }
}
