//! The accounts of a run: every planned event ends in exactly one count, whoever ends it. It sends and renders nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::progress::{CAUSES_MAX, Counts, PairProgress, RunProgress};

use super::retry::Retries;

/// Why events were never tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// The run was stopped from outside.
    Stopped,
    /// `timeout_seconds` or `timeout_per_etl_seconds` passed.
    TimedOut,
    /// An event failed and `fail_fast` is on, or a pair could not run and `continue_on_error` is off.
    GivenUp,
}

impl NotSent {
    const ALL: [Self; 3] = [Self::Stopped, Self::TimedOut, Self::GivenUp];

    fn place(self) -> usize {
        match self {
            Self::Stopped => 0,
            Self::TimedOut => 1,
            Self::GivenUp => 2,
        }
    }
}

/// Why an event failed: whose it is, and in words that are equal for equal causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Whose it is.
    pub blame: Blame,
    /// In words.
    pub text: String,
}

impl From<&Fault> for Cause {
    fn from(fault: &Fault) -> Self {
        Self { blame: fault.blame, text: fault.to_string() }
    }
}

/// How the causes beyond [`CAUSES_MAX`] are counted.
pub const OTHER_CAUSES: &str = "other";

/// The accounts of one run.
pub struct Ledger {
    began: Instant,
    tallies: Vec<Tally>,
    in_flight: Vec<AtomicU64>,
    halted: AtomicU8,
    fail_fast: bool,
    /// Events that wait to be sent again; they count as in flight.
    pub retries: Retries,
}

/// A pair in the books.
#[derive(Debug, Clone)]
pub struct Account {
    /// ETL.
    pub etl: String,
    /// Environment.
    pub environment: String,
    /// Topic.
    pub topic: String,
    /// Events planned.
    pub planned: u64,
    /// Attempts after the first.
    pub max_retries: u32,
    /// First pause between attempts, milliseconds.
    pub retry_backoff_ms: u32,
    /// Partition of every event; by key where absent.
    pub partition: Option<i32>,
}

struct Tally {
    account: Account,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    not_sent: [AtomicU64; 3],
    /// Events taken by a producer and their bytes, less those that failed there.
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    began_us: AtomicU64,
    ended_us: AtomicU64,
    has_begun: AtomicBool,
    causes: Mutex<BTreeMap<String, (u64, Blame)>>,
}

impl Ledger {
    /// Books for these pairs, in plan order, over this many connections.
    pub fn new(accounts: Vec<Account>, lanes: usize, fail_fast: bool, now: Instant) -> Self {
        let tallies = accounts
            .into_iter()
            .map(|account| Tally {
                account,
                acknowledged: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                not_sent: Default::default(),
                sent: AtomicU64::new(0),
                sent_bytes: AtomicU64::new(0),
                began_us: AtomicU64::new(0),
                ended_us: AtomicU64::new(0),
                has_begun: AtomicBool::new(false),
                causes: Mutex::default(),
            })
            .collect();
        let in_flight = (0..lanes).map(|_| AtomicU64::new(0)).collect();
        Self { began: now, tallies, in_flight, halted: AtomicU8::new(0), fail_fast, retries: Retries::default() }
    }

    /// Time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Number of pairs in the books.
    pub fn pairs(&self) -> usize {
        self.tallies.len()
    }

    /// A pair as it was entered.
    pub fn account(&self, pair: usize) -> &Account {
        &self.tallies[pair].account
    }

    /// Events of a connection that producers hold, or that wait to be sent again.
    pub fn in_flight(&self, lane: usize) -> u64 {
        self.in_flight[lane].load(Ordering::Acquire)
    }

    /// Events of all connections that producers hold, or that wait to be sent again.
    pub fn in_flight_everywhere(&self) -> u64 {
        self.in_flight.iter().map(|count| count.load(Ordering::Acquire)).sum()
    }

    /// Events go to a connection's producers. Entered before they go: an answer may come at once.
    pub fn departs(&self, lane: usize, events: u64) {
        self.in_flight[lane].fetch_add(events, Ordering::AcqRel);
    }

    /// Events came back from a connection's producers, or never went.
    pub fn returns(&self, lane: usize, events: u64) {
        self.in_flight[lane].fetch_sub(events, Ordering::AcqRel);
    }

    /// Bytes of a pair's typical event; 0 while none was sent.
    pub fn typical_bytes(&self, pair: usize) -> u64 {
        let tally = &self.tallies[pair];
        tally.sent_bytes.load(Ordering::Relaxed).checked_div(tally.sent.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// A pair went to work.
    pub fn begun(&self, pair: usize, now: Instant) {
        let tally = &self.tallies[pair];
        tally.began_us.store(micros(now.saturating_duration_since(self.began)), Ordering::Relaxed);
        tally.has_begun.store(true, Ordering::Release);
    }

    /// Producers took events of a pair.
    pub fn sent(&self, pair: usize, events: u64, bytes: u64) {
        self.tallies[pair].sent_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.tallies[pair].sent.fetch_add(events, Ordering::Relaxed);
    }

    /// An event entered with [`Ledger::sent`] did not go after all.
    pub fn unsent(&self, pair: usize, bytes: u64) {
        self.tallies[pair].sent_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.tallies[pair].sent.fetch_sub(1, Ordering::Relaxed);
    }

    /// The broker (dry run: the renderer) confirmed an event of a pair.
    pub fn acknowledged(&self, pair: usize) {
        let tally = &self.tallies[pair];
        tally.acknowledged.fetch_add(1, Ordering::Release);
        self.note_ending(tally);
    }

    /// Events of a pair failed before any producer took them.
    pub fn failed(&self, pair: usize, events: u64, cause: &Cause) {
        if events == 0 {
            return;
        }
        let tally = &self.tallies[pair];
        {
            let mut causes = tally.causes.hold();
            let known = causes.contains_key(&cause.text) || causes.len() + 1 < CAUSES_MAX;
            let text = if known { cause.text.as_str() } else { OTHER_CAUSES };
            match causes.get_mut(text) {
                Some((count, _)) => *count += events,
                None => {
                    causes.insert(text.to_owned(), (events, cause.blame));
                }
            }
        }
        tally.failed.fetch_add(events, Ordering::Release);
        self.note_ending(tally);
        if self.fail_fast {
            self.halt(NotSent::GivenUp);
        }
    }

    /// An event that a producer had taken failed for good.
    pub fn failed_after_sending(&self, pair: usize, bytes: u64, cause: &Cause) {
        self.unsent(pair, bytes);
        self.failed(pair, 1, cause);
    }

    /// Events of a pair will never be tried.
    pub fn not_sent(&self, pair: usize, events: u64, why: NotSent) {
        let tally = &self.tallies[pair];
        tally.not_sent[why.place()].fetch_add(events, Ordering::Release);
        self.note_ending(tally);
    }

    /// Nothing more is begun, for the first reason given.
    pub fn halt(&self, why: NotSent) {
        self.halted.compare_exchange(0, why.place() as u8 + 1, Ordering::AcqRel, Ordering::Acquire).ok();
    }

    /// Why nothing more is begun, if so.
    pub fn halted(&self) -> Option<NotSent> {
        NotSent::ALL.get(usize::from(self.halted.load(Ordering::Acquire)).checked_sub(1)?).copied()
    }

    /// Whether every event of a pair has ended.
    pub fn has_ended(&self, pair: usize) -> bool {
        self.counts(pair).open() == 0
    }

    /// Events of all pairs that have not ended.
    pub fn open(&self) -> u64 {
        (0..self.tallies.len()).map(|pair| self.counts(pair).open()).sum()
    }

    /// The counts of a pair.
    pub fn counts(&self, pair: usize) -> Counts {
        let tally = &self.tallies[pair];
        Counts {
            planned: tally.account.planned,
            acknowledged: tally.acknowledged.load(Ordering::Acquire),
            failed: tally.failed.load(Ordering::Acquire),
            not_sent: tally.not_sent.iter().map(|count| count.load(Ordering::Acquire)).sum(),
        }
    }

    /// Events of a pair that were never tried, by reason.
    pub fn not_sent_by_reason(&self, pair: usize) -> BTreeMap<NotSent, u64> {
        let counts = &self.tallies[pair].not_sent;
        let by_reason = NotSent::ALL.into_iter().map(|why| (why, counts[why.place()].load(Ordering::Acquire)));
        by_reason.filter(|(_, count)| *count > 0).collect()
    }

    /// Failures of a pair by cause, and whose each is.
    pub fn causes(&self, pair: usize) -> BTreeMap<String, (u64, Blame)> {
        self.tallies[pair].causes.hold().clone()
    }

    /// Bytes of keys, values and headers of a pair's acknowledged events; while some are in flight, their fair share.
    pub fn bytes(&self, pair: usize) -> u64 {
        let tally = &self.tallies[pair];
        let (sent, bytes) = (tally.sent.load(Ordering::Relaxed), tally.sent_bytes.load(Ordering::Relaxed));
        let acknowledged = tally.acknowledged.load(Ordering::Acquire).min(sent);
        if sent == 0 { 0 } else { (u128::from(bytes) * u128::from(acknowledged) / u128::from(sent)) as u64 }
    }

    /// When a pair went to work and when its last event ended, since the run began; `None` if it never worked.
    pub fn span(&self, pair: usize) -> Option<(Duration, Duration)> {
        let tally = &self.tallies[pair];
        tally.has_begun.load(Ordering::Acquire).then(|| {
            let (began, ended) = (tally.began_us.load(Ordering::Relaxed), tally.ended_us.load(Ordering::Relaxed));
            (Duration::from_micros(began), Duration::from_micros(ended.max(began)))
        })
    }

    /// How far the run has come.
    pub fn progress(&self, events_per_second: f64) -> RunProgress {
        let pairs = (0..self.tallies.len()).map(|pair| {
            let account = &self.tallies[pair].account;
            PairProgress {
                etl: account.etl.clone(),
                environment: account.environment.clone(),
                topic: account.topic.clone(),
                counts: self.counts(pair),
                bytes: self.bytes(pair),
                causes: self.causes(pair).into_iter().map(|(text, (count, _))| (text, count)).collect(),
            }
        });
        RunProgress {
            pairs: pairs.collect(),
            elapsed_ms: u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX),
            events_per_second,
            latency: None,
        }
    }

    /// The time is only read for an ending that may be the last: a clock a record is dear.
    fn note_ending(&self, tally: &Tally) {
        let ended = tally.acknowledged.load(Ordering::Acquire)
            + tally.failed.load(Ordering::Acquire)
            + tally.not_sent.iter().map(|count| count.load(Ordering::Acquire)).sum::<u64>();
        if ended >= tally.account.planned {
            tally.ended_us.fetch_max(micros(self.began.elapsed()), Ordering::AcqRel);
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(planned: u64, fail_fast: bool) -> Ledger {
        let account = Account {
            etl: "e".into(),
            environment: "q".into(),
            topic: "t".into(),
            planned,
            max_retries: 0,
            retry_backoff_ms: 0,
            partition: None,
        };
        Ledger::new(vec![account], 1, fail_fast, Instant::now())
    }

    fn cause(text: &str) -> Cause {
        Cause { blame: Blame::Record, text: text.into() }
    }

    #[test]
    fn equal_causes_are_one_line_and_too_many_become_other() {
        let ledger = ledger(100, false);
        for number in 0..100 {
            ledger.failed(0, 1, &cause(&format!("cause {}", number % 50)));
        }
        let causes = ledger.causes(0);
        assert_eq!(causes.len(), CAUSES_MAX);
        assert_eq!(causes.values().map(|(count, _)| count).sum::<u64>(), 100);
        assert_eq!(causes[OTHER_CAUSES].0, 2 * (50 - (CAUSES_MAX as u64 - 1)));
    }

    #[test]
    fn the_first_reason_to_halt_stays() {
        let ledger = ledger(3, true);
        assert_eq!(ledger.halted(), None);
        ledger.failed(0, 1, &cause("broken"));
        ledger.halt(NotSent::Stopped);
        assert_eq!(ledger.halted(), Some(NotSent::GivenUp));
    }

    #[test]
    fn bytes_are_those_of_acknowledged_events_in_the_end() {
        let ledger = ledger(3, false);
        ledger.sent(0, 3, 300);
        ledger.acknowledged(0);
        assert_eq!(ledger.bytes(0), 100);
        ledger.acknowledged(0);
        ledger.failed_after_sending(0, 120, &cause("too large"));
        assert_eq!((ledger.bytes(0), ledger.open()), (180, 0));
    }
}
