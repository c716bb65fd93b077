//! All ETLs by name, in the order they were loaded. A broken one stays listed with its fault. It reads no file itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::core::etl::Etl;
use crate::core::fault::{Blame, Fault, Place};
use crate::core::runner::Filters;
use crate::core::words::did_you_mean;

/// An ETL, or what is wrong with its file.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name: the ETL's, or of a broken one the file's without its ending.
    pub name: String,
    /// The file it came from; `None` when it was registered by a program.
    pub file: Option<String>,
    /// The ETL, or why it cannot be used.
    pub etl: Result<Arc<Etl>, Fault>,
}

/// The ETLs this session knows.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    entries: IndexMap<String, Entry>,
}

impl Registry {
    /// A registry without ETLs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an ETL made by a program; one of the same name is replaced in its place.
    pub fn register(&mut self, etl: Etl) {
        let (name, etl) = (etl.name.clone(), Ok(Arc::new(etl)));
        self.entries.insert(name.clone(), Entry { name, file: None, etl });
    }

    /// Adds what a file held. Of two files with one name the second is listed as broken under its file's name.
    pub fn add(&mut self, file: &str, loaded: Result<Etl, Fault>) {
        let stem = stem(file);
        let (name, etl) = match loaded {
            Ok(etl) => match self.entries.get(&etl.name) {
                Some(Entry { file: Some(first), .. }) => (stem, Err(twice(&etl.name, first, file))),
                _ => (etl.name.clone(), Ok(Arc::new(etl))),
            },
            Err(fault) => (stem, Err(fault)),
        };
        let name = if self.entries.contains_key(&name) && etl.is_err() { file.to_owned() } else { name };
        self.entries.insert(name.clone(), Entry { name, file: Some(file.to_owned()), etl });
    }

    /// Takes an ETL out; whether it was there.
    pub fn unregister(&mut self, name: &str) -> bool {
        self.entries.shift_remove(name).is_some()
    }

    /// The ETL of a name, if it is there and whole.
    pub fn get(&self, name: &str) -> Option<&Arc<Etl>> {
        self.entries.get(name)?.etl.as_ref().ok()
    }

    /// The ETL of a name; a broken one gives its fault, an unknown one the nearest name.
    pub fn get_or_raise(&self, name: &str) -> Result<&Arc<Etl>, Fault> {
        match self.entries.get(name) {
            Some(entry) => entry.etl.as_ref().map_err(Clone::clone),
            None => Err(unknown("ETL", name, self.entries.keys().map(String::as_str))),
        }
    }

    /// Every entry, broken ones too, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry of a name, broken or not.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Every whole ETL, in order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Etl>> {
        self.entries.values().filter_map(|entry| entry.etl.as_ref().ok())
    }

    /// Names of all entries, in order.
    pub fn names(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }

    /// Entries, broken ones counted.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is registered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whole ETLs that a query lets through, in order.
    pub fn filter<'a>(&'a self, query: &Query<'a>) -> impl Iterator<Item = &'a Arc<Etl>> {
        let query = *query;
        self.all().filter(move |etl| query.lets_through(etl))
    }

    /// Categories in use, in order of the alphabet.
    pub fn categories(&self) -> BTreeSet<&str> {
        self.all().map(|etl| etl.category.as_str()).collect()
    }

    /// Environments that some ETL has a topic for, in order of the alphabet.
    pub fn environments(&self) -> BTreeSet<&str> {
        self.all().flat_map(|etl| etl.topics.keys().map(String::as_str)).collect()
    }

    /// The ETLs' files as JSON by name, broken ones left out.
    pub fn to_json(&self) -> serde_json::Value {
        let named = self.all().filter_map(|etl| Some((etl.name.clone(), serde_json::to_value(&**etl).ok()?)));
        serde_json::Value::Object(named.collect())
    }
}

/// Which ETLs are asked for; what is absent lets all through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    /// Only this category.
    pub category: Option<&'a str>,
    /// Only enabled ones.
    pub enabled_only: bool,
    /// Only those with a topic in this environment.
    pub has_environment: Option<&'a str>,
    /// Only those a run with these filters would take.
    pub filters: Option<&'a Filters>,
}

impl Query<'_> {
    fn lets_through(&self, etl: &Etl) -> bool {
        self.category.is_none_or(|category| etl.category == category)
            && (etl.enabled || !self.enabled_only)
            && self.has_environment.is_none_or(|environment| etl.topics.contains_key(environment))
            && self.filters.is_none_or(|filters| match self.has_environment {
                Some(environment) => filters.matches(etl, environment),
                None => etl.topics.keys().any(|environment| filters.matches(etl, environment)),
            })
    }
}

/// A name that is not known, with the nearest that is.
pub fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Fault {
    let known: Vec<&str> = known.collect();
    let next = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => meant,
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("known: {}", known.join(", ")),
    };
    Fault::new(Blame::Operator, format!("no {what} is called `{name}`")).next(next)
}

fn stem(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name).to_owned()
}

fn twice(name: &str, first: &str, second: &str) -> Fault {
    Fault::new(Blame::Configuration, format!("the ETL `{name}` is already defined in {first}"))
        .at(Place::file(second))
        .next("give one of the two another `name`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::etl::examples::etl;

    fn registry() -> Registry {
        let mut registry = Registry::new();
        let disabled = Etl { enabled: false, category: "billing".into(), ..etl("invoice", &["qa"]) };
        registry.add("config/etl/a.yaml", Ok(etl("customer_update", &["dev", "qa"])));
        registry.add("config/etl/b.yaml", Ok(disabled));
        registry.add("config/etl/broken.yaml", Err(Fault::new(Blame::Configuration, "unknown key `nmae`")));
        registry
    }

    fn found(query: Query<'_>) -> Vec<String> {
        registry().filter(&query).map(|etl| etl.name.clone()).collect()
    }

    #[test]
    fn a_query_narrows_by_each_of_its_parts() {
        assert_eq!(found(Query::default()), ["customer_update", "invoice"]);
        assert_eq!(found(Query { enabled_only: true, ..Query::default() }), ["customer_update"]);
        assert_eq!(found(Query { category: Some("billing"), ..Query::default() }), ["invoice"]);
        assert_eq!(found(Query { has_environment: Some("dev"), ..Query::default() }), ["customer_update"]);
        let filters = Filters { exclude_environments: vec!["qa".into()], ..Filters::default() };
        assert_eq!(found(Query { filters: Some(&filters), ..Query::default() }), ["customer_update"]);
    }

    #[test]
    fn a_broken_etl_stays_listed_with_its_fault() {
        let registry = registry();
        assert_eq!(registry.names(), ["customer_update", "invoice", "broken"]);
        assert_eq!(registry.get("broken"), None);
        assert_eq!(registry.get_or_raise("broken").unwrap_err().what, "unknown key `nmae`");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let fault = registry().get_or_raise("custmer_update").unwrap_err();
        assert_eq!(fault.to_string(), "no ETL is called `custmer_update`; did you mean `customer_update`?");
        assert!(registry().get_or_raise("zzz").unwrap_err().next.starts_with("known: customer_update"));
    }

    #[test]
    fn a_second_file_with_the_same_name_is_broken_and_the_first_stays() {
        let mut registry = registry();
        registry.add("config/etl/copy.yaml", Ok(etl("customer_update", &["prod"])));
        assert_eq!(registry.get("customer_update").unwrap().topics.len(), 2);
        let fault = registry.get_or_raise("copy").unwrap_err();
        assert!(fault.to_string().contains("config/etl/copy.yaml: the ETL `customer_update` is already defined in"));
    }

    #[test]
    fn what_a_program_registers_can_be_taken_out_again() {
        let mut registry = registry();
        registry.register(etl("custom", &["uat"]));
        assert!(registry.environments().contains("uat"));
        assert!(registry.unregister("custom"));
        assert!(!registry.unregister("custom"));
        assert_eq!(registry.categories().into_iter().collect::<Vec<_>>(), ["billing", "customer"]);
    }
}
