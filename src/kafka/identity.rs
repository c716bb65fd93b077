//! Which topic a name stands for: Kafka gives every topic an id when it is made, so one that was deleted and made again is
//! told from the first. It asks nobody and keeps what librdkafka's log says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::core::lock::WholeMutex;

/// The part of librdkafka's log that tells of topics.
const TOLD_OF: &str = "metadata";
/// What stands between a topic and its ids. librdkafka hands them out in C alone, and writes each that it learns into its
/// log before it fetches anything by it. The words are those of the version that is built in; a test on real Kafka fails
/// where they are others.
const CHANGED: &str = " changed id from ";

/// The ids of the topics that one client reads, as far as its brokers give any (Kafka does since 2.8).
#[derive(Default)]
pub struct TopicIds {
    known: Mutex<HashMap<String, Arc<str>>>,
    news: AtomicU64,
}

impl TopicIds {
    /// Has a client's log tell ids. Its lines of this kind go nowhere else.
    pub(crate) fn ask_for(config: &mut ClientConfig) {
        let debug = match config.get("debug") {
            Some(own) => format!("{own},{TOLD_OF}"),
            None => TOLD_OF.to_owned(),
        };
        config.set("debug", debug).set_log_level(RDKafkaLogLevel::Debug);
    }

    /// Takes a line of the log. What it says stands in the client's queue before any record that was fetched by it.
    pub(super) fn hear(&self, line: &str) {
        if let Some((topic, id)) = told(line) {
            self.known.hold().insert(topic.to_owned(), id.into());
            self.news.fetch_add(1, Ordering::Release);
        }
    }

    /// How often an id was learnt: whether to look again. Read on hot paths, and no lock.
    pub fn news(&self) -> u64 {
        self.news.load(Ordering::Acquire)
    }

    /// The id of a topic, where it is known.
    pub fn of(&self, topic: &str) -> Option<Arc<str>> {
        self.known.hold().get(topic).cloned()
    }
}

/// A topic and its id, where a line tells one.
fn told(line: &str) -> Option<(&str, &str)> {
    let (before, ids) = line.split_once(CHANGED)?;
    let (_, topic) = before.rsplit_once("Topic ")?;
    let (_, id) = ids.trim_end().rsplit_once(" to ")?;
    let id = id.trim_end_matches('=');
    // A broker without ids gives one of zeros.
    id.chars().any(|letter| letter != 'A').then_some((topic, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_from_the_line_that_tells_it_and_the_newest_counts() {
        let ids = TopicIds::default();
        ids.hear("[thrd:main]: Topic orders [0] Leader 1 Epoch 0");
        ids.hear("[thrd:main]: Topic old changed id from AAAAAAAAAAAAAAAAAAAAAA to AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!((ids.news(), ids.of("orders"), ids.of("old")), (0, None, None));
        ids.hear("[thrd:main]: Topic orders changed id from AAAAAAAAAAAAAAAAAAAAAA to nQ3-xJ2bSb6Y1oWbK3bJmA");
        assert_eq!((ids.news(), ids.of("orders").as_deref()), (1, Some("nQ3-xJ2bSb6Y1oWbK3bJmA")));
        ids.hear("[thrd:main]: Topic orders changed id from nQ3-xJ2bSb6Y1oWbK3bJmA to 0gVbq2mUQ5uXWmFh2k9y6w==");
        assert_eq!((ids.news(), ids.of("orders").as_deref()), (2, Some("0gVbq2mUQ5uXWmFh2k9y6w")));
    }
}
