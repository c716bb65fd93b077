//! Reading a topic without a trace: partitions are assigned, no group is joined, nothing is ever committed.
//! [`Tail`] blocks and wants a thread of its own; [`TailReader`] is that thread behind a bounded queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::core::fault::{Blame, Fault};
use crate::core::record::{Record, StartAt};

use super::admin;
use super::cause::{Severity, call_fault, severity};
use super::context::Context;
use super::copies::Copies;
use super::settings::Connection;

pub use super::reader::TailReader;

/// What a view keeps of a huge value: more than any pane shows, little enough for thousands of records.
pub const VALUE_HEAD_MAX: usize = 64 << 10;
/// What librdkafka reads ahead. Its default of 64 MiB for every tail is memory nobody sees.
pub const READ_AHEAD_KBYTES: u32 = 32 << 10;
/// How soon librdkafka fetches again after its queue was full. Its default of a second idles every reader that is slower
/// than the broker for most of that second.
const FULL_QUEUE_PAUSE_MS: u32 = 10;
/// Bytes of one batch: what a slow reader makes wait between the broker and itself, times the queue's length.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// How often the brokers' ends are noted, for the lag.
const ENDS_INTERVAL_MS: u32 = 1_000;
/// How long one look at the broker's queue may last: the delay of a cancellation.
const LOOK: Duration = Duration::from_millis(50);

/// How much of a topic is read, and from where.
#[derive(Debug, Clone)]
pub struct TailSettings {
    /// Where each partition begins.
    pub start: StartAt,
    /// Only these partitions; all where empty.
    pub partitions: Vec<i32>,
    /// Bytes of a value that are kept; `value_bytes` of the record tells its true size.
    pub value_bytes_max: usize,
    /// Whether headers are read: taking five of them apart costs as much as all the rest of a record of 1 KB.
    pub headers: bool,
}

impl TailSettings {
    /// All partitions with whole values.
    pub fn whole(start: StartAt) -> Self {
        Self { start, partitions: Vec::new(), value_bytes_max: usize::MAX, headers: true }
    }

    /// All partitions with the heads of values, for a view.
    pub fn heads(start: StartAt) -> Self {
        Self { value_bytes_max: VALUE_HEAD_MAX, ..Self::whole(start) }
    }
}

/// Bounds what a reader holds before it is asked for, where its settings are silent.
pub(crate) fn read_ahead(config: &mut rdkafka::ClientConfig) {
    for (name, value) in
        [("queued.max.messages.kbytes", READ_AHEAD_KBYTES), ("fetch.queue.backoff.ms", FULL_QUEUE_PAUSE_MS)]
    {
        if config.get(name).is_none() {
            config.set(name, value.to_string());
        }
    }
}

/// What one look brought.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records in the order of their partitions.
    pub records: Vec<Record>,
    /// An error that the client tries to get over; records go on when it has.
    pub trouble: Option<Fault>,
    /// Whether every partition has been read to its end at least once.
    pub at_end: bool,
    /// Records between here and the end of the topic, where known.
    pub lag: Option<u64>,
    /// Records between here and where the topic ended when the tail was opened.
    pub left: u64,
}

/// One topic, read in its caller's thread.
pub struct Tail {
    consumer: BaseConsumer<Context>,
    connection: Connection,
    topic: Arc<str>,
    copies: Copies,
    /// Next offset of each partition.
    positions: BTreeMap<i32, i64>,
    /// Partitions whose end has not been seen yet.
    unfinished: BTreeSet<i32>,
    /// Partitions whose end came after their last record: nothing is left there, though what ends a transaction takes
    /// an offset and is no record.
    caught_up: BTreeSet<i32>,
    /// Where each partition ended when the tail was opened.
    ends: BTreeMap<i32, i64>,
    /// Records that nobody looks at any more: what they hold on the heap is filled again.
    spare: Vec<Record>,
    /// What ended the tail while records that came before it were in hand: told when they are delivered.
    ending: Option<Fault>,
}

impl Tail {
    /// Finds the partitions and where to begin, and begins. Blocks for at most `timeout`.
    ///
    /// # Errors
    /// The topic or a partition does not exist, no broker answered in time, or the login was refused.
    pub fn open(
        connection: &Connection,
        topic: &str,
        settings: &TailSettings,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let doing = format!("read `{topic}`");
        let failed = |error: KafkaError| connection.scrubber().clean(call_fault(&doing, &error));
        let mut config = connection.consumer_config(&connection.environment().consumer)?;
        config
            // librdkafka assigns only to a named group. It is never joined: no member, no commit, no trace.
            .set("group.id", format!("velox-tail-{}", uuid::Uuid::new_v4().simple()))
            .set("enable.partition.eof", "true")
            .set("statistics.interval.ms", ENDS_INTERVAL_MS.to_string())
            // Where retention overtakes a tail, it goes on with the oldest record kept.
            .set("auto.offset.reset", "earliest");
        read_ahead(&mut config);
        let consumer: BaseConsumer<Context> = config.create_with_context(connection.context()).map_err(failed)?;
        let deadline = Instant::now() + timeout;
        let metadata = admin::metadata(&consumer, connection, Some(topic), timeout)?;
        let all = admin::partitions_of(&metadata, topic, connection)?;
        let partitions = chosen(&all, &settings.partitions, topic)?;
        let (mut positions, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for &partition in &partitions {
            let left = deadline.saturating_duration_since(Instant::now());
            let marks = admin::watermarks(&consumer, connection, topic, partition, left)?;
            positions.insert(partition, first_offset(&settings.start, marks));
            ends.insert(partition, marks.high);
        }
        if let StartAt::Time(time) = settings.start {
            let left = deadline.saturating_duration_since(Instant::now());
            let found = offsets_at(&consumer, topic, &partitions, time, left).map_err(failed)?;
            positions.extend(found);
        }
        let mut assignment = TopicPartitionList::with_capacity(partitions.len());
        for (&partition, &offset) in &positions {
            assignment.add_partition_offset(topic, partition, Offset::Offset(offset)).map_err(failed)?;
        }
        consumer.assign(&assignment).map_err(failed)?;
        let unfinished = positions.iter().filter(|(id, at)| **at < ends[*id]).map(|(id, _)| *id).collect();
        Ok(Self {
            consumer,
            connection: connection.clone(),
            topic: topic.into(),
            copies: Copies::of(settings.value_bytes_max, settings.headers),
            positions,
            unfinished,
            caught_up: BTreeSet::new(),
            ends,
            spare: Vec::new(),
            ending: None,
        })
    }

    /// The next records: waits up to `wait` for the first, then takes what is there, at most `max` records and
    /// [`BATCH_BYTES_MAX`]. Returns early and empty when `is_cancelled` says so.
    ///
    /// # Errors
    /// Only what trying again cannot help: refused credentials, no permission, a topic that is gone. Records that came
    /// before it are delivered first.
    pub fn next_batch(&mut self, max: usize, wait: Duration, is_cancelled: impl Fn() -> bool) -> Result<Batch, Fault> {
        if let Some(fault) = self.ending.take() {
            return Err(fault);
        }
        let deadline = Instant::now() + wait;
        let mut batch = Batch { records: Vec::with_capacity(self.spare.len().min(max)), ..Batch::default() };
        let mut bytes = 0;
        while batch.records.len() < max && bytes < BATCH_BYTES_MAX {
            let look = if batch.records.is_empty() {
                LOOK.min(deadline.saturating_duration_since(Instant::now()))
            } else {
                Duration::ZERO
            };
            match self.consumer.poll(look) {
                Some(Ok(message)) => {
                    let record = self.copies.record(&message, &self.topic, self.spare.pop());
                    drop(message);
                    self.note(record.partition, record.offset + 1);
                    bytes += record.value.as_ref().map_or(0, Vec::len);
                    batch.records.push(record);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.unfinished.remove(&partition);
                    self.caught_up.insert(partition);
                    if self.unfinished.is_empty() && batch.records.is_empty() {
                        break;
                    }
                }
                Some(Err(error)) => match self.trouble_of(&error) {
                    Ok(None) if batch.trouble.is_none() => {}
                    Ok(trouble) => {
                        batch.trouble = trouble.or(batch.trouble);
                        break;
                    }
                    Err(fault) => return self.ended_with(batch, fault),
                },
                None => {
                    if !batch.records.is_empty() || is_cancelled() || Instant::now() >= deadline {
                        break;
                    }
                }
            }
        }
        if let Some(fault) = self.consumer.context().watch.ending() {
            return self.ended_with(batch, fault);
        }
        batch.trouble = batch.trouble.or_else(|| self.consumer.context().watch.take_passing());
        Ok(self.delivered(batch))
    }

    /// Takes back records of this topic whose reader is done with them: the next ones go into their buffers.
    pub fn reuse(&mut self, records: Vec<Record>) {
        self.spare = records;
    }

    /// What came before the end, or the end.
    fn ended_with(&mut self, batch: Batch, fault: Fault) -> Result<Batch, Fault> {
        if batch.records.is_empty() {
            return Err(fault);
        }
        self.ending = Some(fault);
        Ok(self.delivered(batch))
    }

    fn delivered(&self, batch: Batch) -> Batch {
        Batch { at_end: self.unfinished.is_empty(), lag: self.lag(), left: self.left(), ..batch }
    }

    /// Whether every partition has been read to where it ended when the tail was opened, or further.
    pub fn is_at_end(&self) -> bool {
        self.unfinished.is_empty()
    }

    /// Records between here and the end of the topic, as the brokers last said.
    pub fn lag(&self) -> Option<u64> {
        let newer = self.consumer.context().watch.ends_of(&self.topic).unwrap_or_default();
        let behind = |(id, at): (&i32, &i64)| {
            let end = newer.get(id).copied().unwrap_or(0).max(self.ends[id]);
            u64::try_from(end - at).unwrap_or(0)
        };
        Some(self.positions.iter().filter(|(id, _)| !self.caught_up.contains(id)).map(behind).sum())
    }

    /// Records between here and where the topic ended when the tail was opened.
    pub fn left(&self) -> u64 {
        self.unfinished.iter().map(|id| u64::try_from(self.ends[id] - self.positions[id]).unwrap_or(0)).sum()
    }

    /// The topic.
    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    fn note(&mut self, partition: i32, next: i64) {
        self.positions.insert(partition, next);
        if !self.caught_up.is_empty() {
            self.caught_up.remove(&partition);
        }
        if !self.unfinished.is_empty() && self.ends.get(&partition).is_some_and(|end| next >= *end) {
            self.unfinished.remove(&partition);
        }
    }

    fn trouble_of(&self, error: &KafkaError) -> Result<Option<Fault>, Fault> {
        let Some(code) = error.rdkafka_error_code() else {
            return Ok(Some(Fault::new(Blame::Connection, error.to_string())));
        };
        if matches!(code, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) {
            return Err(Fault::new(
                Blame::Operator,
                format!("topic `{}` is gone from {}", self.topic, self.connection.name()),
            ));
        }
        match severity(code, &code.to_string()) {
            Severity::Final(fault) => Err(self.consumer.context().watch.ending().unwrap_or(fault)),
            // A tail has no group, so what its coordinator thinks does not matter.
            Severity::Passing(_) if code == RDKafkaErrorCode::GroupAuthorizationFailed => Ok(None),
            Severity::Passing(fault) => Ok(self.consumer.context().watch.take_passing().or(Some(fault))),
        }
    }
}

fn chosen(all: &[i32], wanted: &[i32], topic: &str) -> Result<Vec<i32>, Fault> {
    if let Some(missing) = wanted.iter().find(|partition| !all.contains(partition)) {
        return Err(Fault::new(Blame::Operator, format!("topic `{topic}` has no partition {missing}"))
            .next(format!("it has {}, counted from 0", all.len())));
    }
    Ok(if wanted.is_empty() { all.to_vec() } else { wanted.to_vec() })
}

pub(super) fn first_offset(start: &StartAt, marks: admin::Watermarks) -> i64 {
    match start {
        StartAt::Beginning => marks.low,
        // Times are looked up for all partitions at once; until then, and where there is nothing so new, the end.
        StartAt::End | StartAt::Time(_) => marks.high,
        StartAt::Last(count) => marks.high.saturating_sub(i64::try_from(*count).unwrap_or(i64::MAX)).max(marks.low),
        StartAt::Offset(offset) => (*offset).clamp(marks.low, marks.high),
    }
}

pub(super) fn offsets_at(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    partitions: &[i32],
    time_ms: i64,
    timeout: Duration,
) -> Result<Vec<(i32, i64)>, KafkaError> {
    let mut times = TopicPartitionList::with_capacity(partitions.len());
    for &partition in partitions {
        times.add_partition_offset(topic, partition, Offset::Offset(time_ms))?;
    }
    let found = consumer.offsets_for_times(times, timeout)?;
    Ok(found
        .elements()
        .iter()
        .filter_map(|element| match element.offset() {
            Offset::Offset(offset) => Some((element.partition(), offset)),
            _ => None,
        })
        .collect())
}
