//! What a query stands on: the definitions of the names that lead to its rows and away from them, as they were written.
//! It plans nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::relations;
use super::session::{Session, refused};
use crate::connectors::accept::named_as_the_engine_does;
use crate::connectors::options::Options;
use crate::core::fault::Fault;
use crate::sql::parse::statement::{EndName, Statement, StreamQuery};

/// Options of a source that hold for the whole job that reads it.
const OF_A_JOB: [&str; 4] = ["failure_strategy", "dead_letter.topic", "late.data.strategy", "allowed.lateness"];

impl Session {
    /// The texts of the definitions that a query and its end stand on, by name. `before` are the statements of `text` that
    /// this session was given.
    pub fn behind(
        &self,
        query: &StreamQuery,
        into: Option<&EndName>,
        text: &str,
        before: &[Statement],
    ) -> BTreeMap<String, String> {
        let names = self.names_behind(query, into);
        let mut texts = BTreeMap::new();
        for statement in before {
            let Some(name) = statement.kind.defines().filter(|name| names.contains(*name)) else { continue };
            if let Some(written) = text.get(statement.span.start..statement.span.end) {
                // What CREATE OR REPLACE replaces does not count, nor what IF NOT EXISTS leaves alone; both may count
                // here: whoever changes them is told once too often, and loses nothing.
                let kept: &mut String = texts.entry(name.to_owned()).or_default();
                kept.push_str(written);
                kept.push(';');
            }
        }
        texts
    }

    /// The options of a query, and those of the sources that it reads which hold for all of a job: what becomes of records
    /// that fail and of rows that are late.
    ///
    /// # Errors
    /// Sources that disagree where the query says nothing.
    pub(super) fn job_options(&self, query: &StreamQuery) -> Result<Options, Fault> {
        let mut options = named_as_the_engine_does(&query.options);
        let mut said_by: BTreeMap<&str, String> = BTreeMap::new();
        for name in self.names_behind(query, None) {
            let Some(declared) = self.catalog.declared(&name) else { continue };
            let own = named_as_the_engine_does(&declared.options);
            for key in OF_A_JOB {
                let Some(value) = own.value(key) else { continue };
                match said_by.get(key) {
                    None if options.get(key).is_some() => {}
                    None => {
                        options.set(key, value.text.clone(), value.place.clone());
                        said_by.insert(key, name.clone());
                    }
                    Some(_) if options.get(key) == Some(value.text.as_str()) => {}
                    Some(other) => {
                        let what = format!("`{other}` and `{name}` say different things of `{key}`, and a job has one");
                        return Err(refused(&what).next("say it in WITH (…) of the query"));
                    }
                }
            }
        }
        Ok(options)
    }

    /// The names that a query and its end stand on, those that stand behind others too.
    pub fn names_behind(&self, query: &StreamQuery, into: Option<&EndName>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut waiting = Vec::new();
        let note = |query: &StreamQuery, waiting: &mut Vec<String>| {
            let named = relations(&query.query);
            waiting.extend(named.iter().map(|name| self.catalog.spelled(name).to_owned()));
        };
        note(query, &mut waiting);
        if let Some(EndName::Name(sink)) = into.or(query.into.as_ref()) {
            waiting.push(self.catalog.spelled(sink).to_owned());
        }
        while let Some(name) = waiting.pop() {
            if let Some(defined) = self.catalog.defined(&name)
                && !found.contains(&name)
            {
                note(&defined.definition.query, &mut waiting);
            }
            found.insert(name);
        }
        found
    }
}
