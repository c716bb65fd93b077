//! What a query stands on: the definitions of the names that lead to its rows and away from them, as they were written.
//! It plans nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::session::{Session, relations};
use crate::sql::parse::statement::{EndName, Statement, StatementKind, StreamQuery};

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
            let name = match &statement.kind {
                StatementKind::CreateStream(made)
                | StatementKind::CreateTable(made)
                | StatementKind::CreateView(made) => &made.name,
                StatementKind::Declare(declared) => &declared.name,
                _ => continue,
            };
            if let Some(written) = text.get(statement.span.start..statement.span.end).filter(|_| names.contains(name)) {
                // What CREATE OR REPLACE replaces does not count, nor what IF NOT EXISTS leaves alone; both may count
                // here: whoever changes them is told once too often, and loses nothing.
                let kept: &mut String = texts.entry(name.clone()).or_default();
                kept.push_str(written);
                kept.push(';');
            }
        }
        texts
    }

    fn names_behind(&self, query: &StreamQuery, into: Option<&EndName>) -> BTreeSet<String> {
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
