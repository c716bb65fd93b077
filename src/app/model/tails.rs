//! Live tails as the console shows them: the newest records, what is frozen, and counts that say what was not shown.

use std::collections::BTreeMap;

use crate::app::action::TailRequest;
use crate::core::fault::Fault;
use crate::core::job::{JobId, TailCounts};
use crate::core::record::{Record, Scan, StartAt};
use crate::core::ring::Ring;
use crate::sql::parse::statement::Diagnostic;

/// Records kept of a tail where `console.yaml` is silent: more than a person scrolls back through.
pub const TAIL_RECORDS_MAX: usize = 2_000;

/// Bytes kept of a tail's view, and as many of what waits behind a frozen one: 2,000 records of 16 KiB, far above what topics
/// hold as a rule, while ten tails of large records stay within what a laptop spares.
pub const TAIL_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Records of a partition that may come between a key and the reading that it begins: those, too, are counted from the end.
const COME_MEANWHILE: u64 = 100;

/// The newest records of a tail, bounded by number and by bytes. The oldest are forgotten first and counted; the newest stays,
/// whatever its size.
#[derive(Debug, Clone)]
pub struct Records {
    ring: Ring<Record>,
    bytes: usize,
}

impl Records {
    /// No records yet, and room for `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self { ring: Ring::new(capacity), bytes: 0 }
    }

    /// Adds the newest; the oldest leave where there is no room.
    pub fn push(&mut self, record: Record) {
        let bytes = record.held_bytes();
        while self.ring.is_full() || (!self.ring.is_empty() && TAIL_BYTES_MAX < self.bytes + bytes) {
            self.bytes -= self.ring.forget_oldest().map_or(0, |oldest| oldest.held_bytes());
        }
        self.bytes += bytes;
        self.ring.push(record);
    }

    /// Records, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> + ExactSizeIterator {
        self.ring.iter()
    }

    /// The record at `index`, the oldest being 0.
    pub fn get(&self, index: usize) -> Option<&Record> {
        self.ring.get(index)
    }

    /// The newest record.
    pub fn last(&self) -> Option<&Record> {
        self.ring.last()
    }

    /// Most records that are held.
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Records held.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Bytes held: of keys, heads of values and headers.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Records forgotten to make room.
    pub fn dropped(&self) -> u64 {
        self.ring.dropped()
    }

    /// Takes all records out, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Record> + '_ {
        self.bytes = 0;
        self.ring.drain()
    }

    /// Forgets every record, uncounted.
    pub fn clear(&mut self) {
        self.bytes = 0;
        self.ring.clear();
    }
}

/// A condition that was looked at while it was typed.
#[derive(Debug, Clone)]
pub struct ConditionCheck {
    /// Number of the question.
    pub request: u64,
    /// The condition.
    pub condition: String,
    /// What is wrong with it, once that is known.
    pub outcome: Option<Result<(), Diagnostic>>,
}

/// What a tail would read.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Number of the question.
    pub request: u64,
    /// What was asked about.
    pub asked: TailRequest,
    /// A topic each, once that is known.
    pub outcome: Option<Result<Vec<Scan>, Fault>>,
}

/// A tail that runs or ran.
#[derive(Debug, Clone)]
pub struct Tail {
    /// Its job.
    pub job: JobId,
    /// What was asked for.
    pub request: TailRequest,
    /// All that was read, whatever was shown.
    pub counts: TailCounts,
    /// What is shown, oldest first. `records.dropped()` is the number of the oldest, counted from the first ever shown.
    pub records: Records,
    /// Whether the view is frozen.
    pub paused: bool,
    /// What came since it was frozen.
    pub waiting: Records,
    /// Records that the view never got, because it was not quick enough for all.
    pub skipped: u64,
    /// Text that key, value or header must hold; empty shows all.
    pub filter: String,
}

impl Tail {
    /// A tail that has read nothing and keeps `capacity` records.
    pub fn new(job: JobId, request: TailRequest, capacity: usize) -> Self {
        Self {
            job,
            request,
            counts: TailCounts::default(),
            records: Records::new(capacity),
            paused: false,
            waiting: Records::new(capacity),
            skipped: 0,
            filter: String::new(),
        }
    }

    /// Where it is read from under another condition: what was collected is read again, with the condition and once that is
    /// taken away.
    pub fn begins_again_at(&self) -> StartAt {
        let asked = match (&self.request.search, &self.request.start) {
            (None, StartAt::End) => 0,
            (None, StartAt::Last(records)) => *records,
            // These read all of it again as they are.
            (_, start) => return start.clone(),
        };
        let mut spans = BTreeMap::<(&str, i32), (i64, i64)>::new();
        for record in self.records.iter() {
            let span = spans.entry((&record.topic, record.partition)).or_insert((record.offset, record.offset));
            *span = (span.0.min(record.offset), span.1.max(record.offset));
        }
        let widest = spans.values().map(|(first, last)| last.abs_diff(*first) + 1).max();
        widest.map_or_else(|| self.request.start.clone(), |widest| StartAt::Last(asked.max(widest + COME_MEANWHILE)))
    }

    /// Records that came since the view was frozen.
    pub fn came_since_pause(&self) -> u64 {
        self.waiting.len() as u64 + self.waiting.dropped()
    }

    /// Matched records that are not in the view: skipped, scrolled away, or waiting.
    pub fn not_shown(&self) -> u64 {
        self.counts.matched.saturating_sub(self.records.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64, bytes: usize) -> Record {
        Record {
            topic: "orders".into(),
            partition: 0,
            offset,
            timestamp_ms: None,
            key: None,
            value: Some(vec![b'x'; bytes]),
            headers: Vec::new(),
            value_bytes: bytes,
        }
    }

    #[test]
    fn large_records_push_out_the_oldest_which_count_as_not_shown() {
        let request = TailRequest {
            environment: "qa".into(),
            topics: vec!["orders".into()],
            start: StartAt::End,
            search: None,
            partitions: Vec::new(),
        };
        let mut tail = Tail::new(JobId(1), request, TAIL_RECORDS_MAX);
        let quarter = TAIL_BYTES_MAX / 4;
        (0..10).for_each(|offset| tail.records.push(record(offset, quarter)));
        tail.counts.matched = 10;
        assert_eq!(tail.records.iter().map(|record| record.offset).collect::<Vec<_>>(), [6, 7, 8, 9]);
        assert_eq!((tail.records.bytes(), tail.records.dropped(), tail.not_shown()), (TAIL_BYTES_MAX, 6, 6));
        tail.records.push(record(10, TAIL_BYTES_MAX + 1));
        assert_eq!((tail.records.len(), tail.records.dropped()), (1, 10), "the newest is shown, whatever its size");
    }

    #[test]
    fn bytes_are_given_back_when_records_leave() {
        let mut records = Records::new(2);
        (0..5).for_each(|offset| records.push(record(offset, 10)));
        assert_eq!((records.len(), records.bytes()), (2, 20));
        assert_eq!(records.drain().count(), 2);
        assert_eq!(records.bytes(), 0);
        records.push(record(5, 7));
        records.clear();
        assert_eq!((records.bytes(), records.is_empty()), (0, true));
    }
}
