//! What a member of a consumer group holds and has done: partitions it owns, offsets that are ready to be committed.
//! Lives in the client's callbacks, so that a partition that is taken away is committed before it goes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::context::Context;
use crate::core::lock::WholeMutex;

/// Times a commit's own duration that pass before the next.
const COMMIT_SHARE: u32 = 10;
/// Shortest time between two commits: what comes again after a crash was processed within this, and a commit's duration.
const COMMIT_PAUSE_MIN: Duration = Duration::from_millis(10);

/// A topic's partition. The topic is shared: a place is made for every record.
pub type Place = (Arc<str>, i32);

/// The callbacks and the books of one member.
pub struct Group {
    context: Context,
    books: Mutex<Books>,
    commits: AtomicU64,
    commit_failures: AtomicU64,
}

#[derive(Default)]
struct Books {
    /// Partitions held, each with the turn in which it was given: a later turn makes older records stale.
    owned: HashMap<Place, u64>,
    turn: u64,
    /// Next offsets of processed records that are not committed.
    ready: BTreeMap<Place, i64>,
    /// When the next commit may be made.
    commit_at: Option<Instant>,
}

impl Group {
    /// A member that holds nothing.
    pub fn new(context: Context) -> Self {
        Self { context, books: Mutex::default(), commits: AtomicU64::new(0), commit_failures: AtomicU64::new(0) }
    }

    /// The client's context: log, errors, tokens.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The turn in which a partition was given to us; `None` where it is not ours.
    pub fn turn(&self, place: &Place) -> Option<u64> {
        self.books.hold().owned.get(place).copied()
    }

    /// A record was dealt with: its successor is where the group goes on. Ignored where the partition has moved on.
    pub fn done(&self, place: &Place, turn: u64, offset: i64) {
        let mut books = self.books.hold();
        if books.owned.get(place) == Some(&turn) {
            books.ready.insert(place.clone(), offset + 1);
        }
    }

    /// Commits what is ready and waits for the answer, unless the last one was just now: commits take at most a tenth of the
    /// time, however far the broker is. What is refused is ready again.
    ///
    /// The client has a way that does not wait, but tells nobody how it went (rust-rdkafka 0.39 sets no callback for it).
    pub fn commit_soon(&self, consumer: &BaseConsumer<Self>) {
        let mut books = self.books.hold();
        let began = Instant::now();
        if books.ready.is_empty() || books.commit_at.is_some_and(|at| began < at) {
            return;
        }
        drop(books);
        if let Err(error) = self.commit_now(consumer) {
            tracing::warn!("a commit failed: {}", self.context.scrub(&error.to_string()));
        }
        books = self.books.hold();
        books.commit_at = Some(Instant::now() + (began.elapsed() * COMMIT_SHARE).max(COMMIT_PAUSE_MIN));
    }

    /// Commits what is ready, and waits for the answer.
    ///
    /// # Errors
    /// The broker did not take it: the records will come again.
    pub fn commit_now(&self, consumer: &BaseConsumer<Self>) -> KafkaResult<()> {
        let offsets = std::mem::take(&mut self.books.hold().ready);
        if offsets.is_empty() {
            return Ok(());
        }
        let outcome = list_of(&offsets).and_then(|list| consumer.commit(&list, CommitMode::Sync));
        self.answered(&outcome, offsets);
        outcome
    }

    /// Commits the broker took, and commits it did not.
    pub fn commits(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Acquire), self.commit_failures.load(Ordering::Acquire))
    }

    /// A commit of these offsets was answered. What was refused is ready again, unless a later offset is or the partition is
    /// gone.
    fn answered(&self, outcome: &KafkaResult<()>, offsets: BTreeMap<Place, i64>) {
        if outcome.is_ok() {
            self.commits.fetch_add(1, Ordering::AcqRel);
            return;
        }
        self.commit_failures.fetch_add(1, Ordering::AcqRel);
        let mut books = self.books.hold();
        for (place, offset) in offsets {
            if books.owned.contains_key(&place) {
                books.ready.entry(place).or_insert(offset);
            }
        }
    }

    fn given(&self, partitions: &TopicPartitionList) {
        let mut books = self.books.hold();
        books.turn += 1;
        let turn = books.turn;
        books.owned.extend(places_of(partitions).map(|place| (place, turn)));
    }

    fn taken(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        // A lost assignment belongs to others already: committing would overwrite them.
        if !consumer.assignment_lost()
            && let Err(error) = self.commit_now(consumer)
        {
            tracing::warn!("a commit before a rebalance failed: {}", self.context.scrub(&error.to_string()));
        }
        let mut books = self.books.hold();
        for place in places_of(partitions) {
            books.owned.remove(&place);
            books.ready.remove(&place);
        }
    }
}

fn places_of(partitions: &TopicPartitionList) -> impl Iterator<Item = Place> {
    partitions.elements().into_iter().map(|one| (one.topic().into(), one.partition())).collect::<Vec<_>>().into_iter()
}

fn list_of(offsets: &BTreeMap<Place, i64>) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for ((topic, partition), offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

impl ClientContext for Group {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.context.log(level, facility, line);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.context.stats_raw(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.context.generate_oauth_token(config)
    }
}

impl ConsumerContext for Group {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.taken(consumer, partitions);
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.given(partitions);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rdkafka::error::RDKafkaErrorCode;

    #[test]
    fn what_was_refused_is_ready_again_unless_a_later_offset_is_or_the_partition_is_gone() {
        let group = Group::new(Context::new("qa".into(), Default::default(), None));
        let [kept, later, gone]: [Place; 3] = [0, 1, 2].map(|partition| ("orders".into(), partition));
        let mut given = TopicPartitionList::new();
        for partition in [0, 1] {
            given.add_partition("orders", partition);
        }
        group.given(&given);
        let turn = group.turn(&later).unwrap();
        group.done(&later, turn, 40);

        let sent = BTreeMap::from([(kept.clone(), 30), (later.clone(), 30), (gone, 30)]);
        group.answered(&Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::RequestTimedOut)), sent.clone());
        assert_eq!(group.books.hold().ready, BTreeMap::from([(kept, 30), (later, 41)]));
        group.answered(&Ok(()), sent);
        assert_eq!(group.commits(), (1, 1));
    }
}
