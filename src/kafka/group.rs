//! What a member of a consumer group holds and has done: partitions it owns, offsets that are ready to be committed.
//! Lives in the client's callbacks, so that a partition that is taken away is committed before it goes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::context::Context;

/// A topic's partition.
pub type Place = (String, i32);

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
    /// Offsets on their way to the broker.
    sending: Option<BTreeMap<Place, i64>>,
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
        self.books().owned.get(place).copied()
    }

    /// A record was dealt with: its successor is where the group goes on. Ignored where the partition has moved on.
    pub fn done(&self, place: &Place, turn: u64, offset: i64) {
        let mut books = self.books();
        if books.owned.get(place) == Some(&turn) {
            books.ready.insert(place.clone(), offset + 1);
        }
    }

    /// Commits what is ready without waiting, unless a commit is on its way: its answer makes place for the next.
    pub fn commit_soon(&self, consumer: &BaseConsumer<Self>) {
        let offsets = {
            let mut books = self.books();
            if books.sending.is_some() || books.ready.is_empty() {
                return;
            }
            let offsets = std::mem::take(&mut books.ready);
            books.sending = Some(offsets.clone());
            offsets
        };
        if let Err(error) = list_of(&offsets).and_then(|list| consumer.commit(&list, CommitMode::Async)) {
            self.commit_ended(&Err(error), &offsets);
        }
    }

    /// Commits what is ready and what is on its way, and waits for the answer.
    ///
    /// # Errors
    /// The broker did not take it: the records will come again.
    pub fn commit_now(&self, consumer: &BaseConsumer<Self>) -> KafkaResult<()> {
        let offsets = {
            let mut books = self.books();
            let mut offsets = books.sending.clone().unwrap_or_default();
            offsets.extend(std::mem::take(&mut books.ready));
            offsets
        };
        if offsets.is_empty() {
            return Ok(());
        }
        let outcome = list_of(&offsets).and_then(|list| consumer.commit(&list, CommitMode::Sync));
        match &outcome {
            Ok(()) => {
                // What was on its way is covered: its answer must not bring older offsets back.
                self.books().sending = None;
                self.commits.fetch_add(1, Ordering::AcqRel)
            }
            Err(_) => {
                self.ready_again(&mut self.books(), offsets);
                self.commit_failures.fetch_add(1, Ordering::AcqRel)
            }
        };
        outcome
    }

    /// Commits the broker took, and commits it did not.
    pub fn commits(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Acquire), self.commit_failures.load(Ordering::Acquire))
    }

    /// A commit of these offsets was answered. What failed is ready again, unless a later offset is. An answer to
    /// another commit than the one on its way is late: one that waited has covered it since.
    fn commit_ended(&self, outcome: &KafkaResult<()>, answered: &BTreeMap<Place, i64>) {
        let mut books = self.books();
        let Some(sent) = books.sending.take_if(|sending| *sending == *answered) else { return };
        match outcome {
            Ok(()) => {
                self.commits.fetch_add(1, Ordering::AcqRel);
            }
            Err(error) => {
                tracing::warn!("a commit failed: {}", self.context.scrub(&error.to_string()));
                self.commit_failures.fetch_add(1, Ordering::AcqRel);
                self.ready_again(&mut books, sent);
            }
        }
    }

    /// Offsets that the broker did not take, unless a later one is ready or the partition is gone.
    fn ready_again(&self, books: &mut Books, offsets: BTreeMap<Place, i64>) {
        for (place, offset) in offsets {
            if books.owned.contains_key(&place) {
                books.ready.entry(place).or_insert(offset);
            }
        }
    }

    fn given(&self, partitions: &TopicPartitionList) {
        let mut books = self.books();
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
        let mut books = self.books();
        for place in places_of(partitions) {
            books.owned.remove(&place);
            books.ready.remove(&place);
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn places_of(partitions: &TopicPartitionList) -> impl Iterator<Item = Place> {
    partitions
        .elements()
        .into_iter()
        .map(|one| (one.topic().to_owned(), one.partition()))
        .collect::<Vec<_>>()
        .into_iter()
}

fn list_of(offsets: &BTreeMap<Place, i64>) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for ((topic, partition), offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

fn offsets_of(list: &TopicPartitionList) -> BTreeMap<Place, i64> {
    let offset = |offset| match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    let elements = list.elements().into_iter();
    elements.filter_map(|one| Some(((one.topic().to_owned(), one.partition()), offset(one.offset())?))).collect()
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

    fn commit_callback(&self, outcome: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.commit_ended(&outcome, &offsets_of(offsets));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rdkafka::error::RDKafkaErrorCode;

    #[test]
    fn a_late_answer_says_nothing_of_the_commit_that_is_on_its_way() {
        let group = Group::new(Context::new("qa".into(), Default::default(), None));
        let place: Place = ("orders".into(), 0);
        let offsets = |offset: i64| BTreeMap::from([(place.clone(), offset)]);
        let mut given = TopicPartitionList::new();
        given.add_partition("orders", 0);
        group.given(&given);
        group.books().sending = Some(offsets(30));
        let refused = || Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::RequestTimedOut));

        // Of offset 10, which a commit that waited has covered.
        group.commit_ended(&Ok(()), &offsets(10));
        group.commit_ended(&refused(), &offsets(10));
        assert_eq!((group.books().sending.clone(), group.commits()), (Some(offsets(30)), (0, 0)));

        group.commit_callback(refused(), &list_of(&offsets(30)).unwrap());
        assert_eq!((group.books().ready.clone(), group.commits()), (offsets(30), (0, 1)));
    }
}
