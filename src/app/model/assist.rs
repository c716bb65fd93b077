//! What the console knows for writing SQL: the catalog of each environment as far as topics were looked into, and what was
//! found in the text that is being written. One text is looked at at a time; the newest waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::environments::TopicRow;
use crate::core::fault::Fault;
use crate::sql::assist::{Catalog, Columns, Diagnosis, Sample, Topic};

/// Topics that are looked into at the same time: each opens a consumer for a moment.
pub const SAMPLES_AT_ONCE_MAX: usize = 4;
/// Topics that are looked into at the same time without having been asked for: those that are leave room for others.
pub const LOOKS_AHEAD_AT_ONCE_MAX: usize = 2;
/// Topics of an environment that are looked into without having been asked for: most have fewer, and a cluster of thousands
/// is not read through because somebody writes a query.
pub const LOOKS_AHEAD_MAX: usize = 32;

/// How long after it failed a topic is looked into again by itself: an empty one may have records by then.
pub const SAMPLE_RETRY_MS: i64 = 15_000;
/// How long an answer on a text is waited for before the next text is not held up by it: it never came.
pub const CHECK_WAIT_MS: i64 = 10_000;

/// What is known for writing SQL.
#[derive(Debug, Clone, Default)]
pub struct Assist {
    shelves: BTreeMap<String, Shelf>,
    /// What was found in the newest text that was looked at.
    pub diagnosed: Option<Diagnosed>,
    /// The text that is looked at.
    pub(in crate::app) checking: Option<Checking>,
    /// The newest text, which is looked at next.
    pub(in crate::app) waiting: Option<Draft>,
}

/// The catalog of one environment.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// Topics with the columns that are known, and what the newest text defines.
    pub catalog: Arc<Catalog>,
    /// When its topics were listed, milliseconds since 1970.
    pub listed_ms: Option<i64>,
    /// Why its topics cannot be listed.
    pub fault: Option<Fault>,
    /// Topics that are being looked into, and since when.
    pub sampling: BTreeMap<String, i64>,
    /// When a look into a topic failed.
    failed_ms: BTreeMap<String, i64>,
}

/// A text and where it would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Environment.
    pub environment: String,
    /// The whole text.
    pub text: String,
}

/// A text that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checking {
    /// Number of the request.
    pub request: u64,
    /// The text.
    pub draft: Draft,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
}

/// What was found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosed {
    /// The text, and where it would run: what was found is of this text and no other.
    pub draft: Draft,
    /// What was found, or why nothing could be.
    pub outcome: Result<Arc<Diagnosis>, Fault>,
}

impl Assist {
    /// The catalog of an environment, if anything of it is known.
    pub fn shelf(&self, environment: &str) -> Option<&Shelf> {
        self.shelves.get(environment)
    }

    /// The catalog of an environment; one with functions alone where nothing of it is known.
    pub fn catalog(&self, environment: &str) -> Arc<Catalog> {
        self.shelves.get(environment).map_or_else(Arc::default, |shelf| Arc::clone(&shelf.catalog))
    }

    /// What was found in this text, if it was looked at.
    pub fn diagnosis(&self, environment: &str, text: &str) -> Option<&Diagnosis> {
        let own = |one: &&Diagnosed| one.draft.environment == environment && one.draft.text == text;
        self.diagnosed.as_ref().filter(own).and_then(|one| one.outcome.as_deref().ok())
    }

    /// Forgets what is known of an environment: it is another now, or gone.
    pub(in crate::app) fn forget(&mut self, environment: &str) {
        self.shelves.remove(environment);
    }

    /// Takes the topics of an environment in; says whether anything is new.
    pub(in crate::app) fn listed(
        &mut self,
        environment: &str,
        topics: &Result<Vec<TopicRow>, Fault>,
        now_ms: i64,
    ) -> bool {
        let shelf = self.shelves.entry(environment.to_owned()).or_default();
        let rows = match topics {
            Ok(rows) => rows,
            Err(fault) => {
                shelf.fault = Some(fault.clone());
                return false;
            }
        };
        shelf.fault = None;
        shelf.listed_ms = Some(now_ms);
        let is_known =
            |row: &TopicRow| shelf.catalog.topic(&row.name).is_some_and(|topic| topic.partitions == row.partitions);
        if shelf.catalog.is_complete && shelf.catalog.topics.len() == rows.len() && rows.iter().all(is_known) {
            return false;
        }
        let columns =
            |row: &TopicRow| shelf.catalog.topic(&row.name).map(|topic| topic.columns.clone()).unwrap_or_default();
        let topics =
            rows.iter().map(|row| Topic { name: row.name.clone(), partitions: row.partitions, columns: columns(row) });
        let topics = topics.collect();
        let catalog = Arc::make_mut(&mut shelf.catalog);
        (catalog.topics, catalog.is_complete) = (topics, true);
        true
    }

    /// Notes why the brokers of an environment cannot be asked now. That they can again, their topics say.
    pub(in crate::app) fn lost(&mut self, environment: &str, fault: Option<&Fault>) {
        if let Some(fault) = fault {
            self.shelves.entry(environment.to_owned()).or_default().fault = Some(fault.clone());
        }
    }

    /// Notes that a topic is being looked into; `false` where it is already, or where as many are as may be.
    pub(in crate::app) fn begin_sample(&mut self, environment: &str, topic: &str, now_ms: i64) -> bool {
        let open: usize = self.shelves.values().map(|shelf| shelf.sampling.len()).sum();
        let shelf = self.shelves.entry(environment.to_owned()).or_default();
        if open >= SAMPLES_AT_ONCE_MAX || shelf.sampling.contains_key(topic) {
            return false;
        }
        shelf.sampling.insert(topic.to_owned(), now_ms);
        true
    }

    /// The topics to look into next without having been asked: their columns are known then when somebody types.
    pub(in crate::app) fn ahead(&self, environment: &str) -> Vec<String> {
        let open: usize = self.shelves.values().map(|shelf| shelf.sampling.len()).sum();
        let Some(shelf) = self.shelves.get(environment) else { return Vec::new() };
        // What begins with `_` is the cluster's own.
        let own = shelf.catalog.topics.iter().filter(|topic| !topic.name.starts_with('_')).take(LOOKS_AHEAD_MAX);
        let unknown =
            own.filter(|topic| topic.columns == Columns::Unknown && !shelf.sampling.contains_key(&topic.name));
        unknown.take(LOOKS_AHEAD_AT_ONCE_MAX.saturating_sub(open)).map(|topic| topic.name.clone()).collect()
    }

    /// Takes in what a look into a topic showed.
    pub(in crate::app) fn sampled(
        &mut self,
        environment: &str,
        topic: &str,
        outcome: Result<Arc<Sample>, Fault>,
        now_ms: i64,
    ) {
        let Some(shelf) = self.shelves.get_mut(environment) else { return };
        shelf.sampling.remove(topic);
        shelf.failed_ms.remove(topic);
        let columns = match outcome {
            Ok(sample) => Columns::Known(sample),
            Err(fault) => {
                shelf.failed_ms.insert(topic.to_owned(), now_ms);
                // What was seen once is not forgotten because a broker is away.
                let was = shelf.catalog.topic(topic).map(|topic| &topic.columns);
                if matches!(was, Some(Columns::Known(_))) {
                    return;
                }
                Columns::Failed(fault)
            }
        };
        let catalog = Arc::make_mut(&mut shelf.catalog);
        match catalog.topics.iter_mut().find(|known| known.name == topic) {
            Some(known) => known.columns = columns,
            None => catalog.topics.push(Topic { name: topic.to_owned(), partitions: 0, columns }),
        }
    }

    /// Of the topics that a text reads, those to look into now.
    pub(in crate::app) fn due(&self, environment: &str, wanted: &[String], now_ms: i64) -> Vec<String> {
        let Some(shelf) = self.shelves.get(environment) else { return wanted.to_vec() };
        let is_due = |topic: &&String| match shelf.failed_ms.get(*topic) {
            Some(failed_ms) => now_ms - failed_ms >= SAMPLE_RETRY_MS,
            None => true,
        };
        wanted.iter().filter(is_due).cloned().collect()
    }

    /// Puts what the newest text defines into the catalog of its environment.
    pub(in crate::app) fn define(&mut self, environment: &str, diagnosis: &Diagnosis) {
        let shelf = self.shelves.entry(environment.to_owned()).or_default();
        if shelf.catalog.relations != diagnosis.relations {
            Arc::make_mut(&mut shelf.catalog).relations.clone_from(&diagnosis.relations);
        }
    }
}
