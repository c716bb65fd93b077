//! Options of a query that name no end: a connector's belong to the end that stands in the statement as a URI, and has no
//! other name to be called by. Pure.

use std::borrow::Cow;

use super::scope::relations;
use super::session::Session;
use super::wishes;
use crate::connectors::accept::engine_option;
use crate::connectors::options::Options;
use crate::core::fault::Fault;
use crate::sql::parse::statement::{EndName, StreamQuery};

impl Session {
    /// The options of a query, those of its unnamed end with its URI before them.
    pub(super) fn in_full<'q>(&self, query: &'q StreamQuery, into: Option<&EndName>) -> Cow<'q, Options> {
        let Some(owner) = owner(query, into) else { return Cow::Borrowed(&query.options) };
        let names = self.names_of_ends(query, into);
        let mut full = Options::default();
        for (key, value) in query.options.iter() {
            let is_its_own = engine_option(key).is_none() && !wishes::is_of(key, &names);
            let key = if is_its_own { Cow::Owned(format!("{owner}.{key}")) } else { Cow::Borrowed(key) };
            full.set(&key, value.text.clone(), value.place.clone());
        }
        Cow::Owned(full)
    }

    /// Options that belong to nothing in the statement are mistakes, and said.
    pub(super) fn refuse_unknown(&self, query: &StreamQuery, into: Option<&EndName>) -> Result<(), Fault> {
        let sink = match into.or(query.into.as_ref()) {
            Some(EndName::Name(sink)) => Some(sink.as_str()),
            _ => None,
        };
        wishes::refuse_unknown(&self.in_full(query, into), &self.names_of_ends(query, into), sink)
    }

    /// What an option of the query may begin with.
    fn names_of_ends(&self, query: &StreamQuery, into: Option<&EndName>) -> Vec<String> {
        let mut ends = relations(&query.query);
        if let Some(EndName::Name(sink) | EndName::Uri(sink)) = into.or(query.into.as_ref()) {
            ends.push(sink.clone());
        }
        // An option may speak of a source that stands behind a name.
        ends.extend(self.catalog.declarations().map(|declared| declared.name.clone()));
        for defined in self.catalog.definitions() {
            ends.extend(relations(&defined.definition.query.query));
        }
        ends
    }
}

/// The URI that rows go to; that they come from, where they go nowhere and it is the only one.
fn owner(query: &StreamQuery, into: Option<&EndName>) -> Option<String> {
    match into.or(query.into.as_ref()) {
        Some(EndName::Uri(uri)) => Some(uri.clone()),
        Some(EndName::Name(_)) => None,
        None => match relations(&query.query).as_slice() {
            [only] if only.contains("://") => Some(only.clone()),
            _ => None,
        },
    }
}
