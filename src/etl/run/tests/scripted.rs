//! A way out that fails as a script says, and what it saw.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use proptest::prelude::*;

use super::super::desk::Desk;
use super::super::lane::{LaneSpec, Open, Opening, Outbound};
use super::super::ledger::Account;
use super::super::ticket::{ATTEMPTS_MAX, Ticket};
use super::*;
use crate::core::record::Delivery;
use crate::kafka::cause::{SendCause, SendFault};
use crate::kafka::producer::{EnqueueFault, Receipts};

/// How often, in 100 records, each thing goes wrong.
#[derive(Debug, Clone, Copy, Default)]
struct Script {
    full: u64,
    refused: u64,
    lost: u64,
    lost_for_good: u64,
    stop_after: Option<u64>,
    closed: bool,
}

/// What a way out saw of one pair, by its topic.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: HashSet<u64>,
    twice: u64,
    first_tries: Vec<u64>,
}

#[derive(Clone)]
struct Scripted {
    script: Script,
    stop: CancellationToken,
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
    number: Arc<AtomicU64>,
}

impl Opener for Scripted {
    fn open(&self, lane: LaneSpec) -> Opening<'_> {
        let closed = self.script.closed && &*lane.environment == "dev";
        let opened = match closed {
            true => Err(Fault::new(Blame::Connection, "nobody answers")),
            false => Ok(Box::new(self.clone()) as Box<dyn Open>),
        };
        Box::pin(async move { opened })
    }
}

impl Open for Scripted {
    fn producer(&self, _: &str, desk: Arc<Desk>) -> Result<Box<dyn Outbound>, Fault> {
        let (queue, inbox) = sync_channel::<Waiting>(64);
        let script = self.clone();
        std::thread::spawn(move || {
            for waiting in inbox {
                script.settle(&desk, waiting);
            }
        });
        Ok(Box::new(ScriptedOutbound { script: self.clone(), queue: Some(queue) }))
    }
}

struct Waiting {
    ticket: Ticket,
    topic: String,
    value: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

struct ScriptedOutbound {
    script: Scripted,
    queue: Option<SyncSender<Waiting>>,
}

impl Scripted {
    fn chance(&self) -> u64 {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        // A multiplicative hash: the same numbers fail in every run with as many calls, in any order of threads.
        (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 100
    }

    fn settle(&self, desk: &Desk, waiting: Waiting) {
        let chance = self.chance();
        let fault = |retriable| SendFault { cause: SendCause::BrokerDown, what: "lost".into(), retriable };
        let headers: Vec<_> =
            waiting.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice()))).collect();
        let record =
            Outgoing { topic: &waiting.topic, value: Some(&waiting.value), headers: &headers, ..Outgoing::default() };
        if chance < self.script.lost {
            desk.lost(waiting.ticket, fault(true), record);
        } else if chance < self.script.lost + self.script.lost_for_good {
            desk.lost(waiting.ticket, fault(false), record);
        } else {
            let mut seen = self.seen.lock().unwrap();
            let seen = seen.entry(waiting.topic.clone()).or_default();
            seen.twice += u64::from(!seen.acknowledged.insert(index_of(&waiting.value)));
            desk.settled(waiting.ticket, Ok(Delivery { partition: 0, offset: 0 }));
        }
    }
}

impl Outbound for ScriptedOutbound {
    fn enqueue(&self, record: Outgoing<'_>, ticket: Ticket) -> Result<(), EnqueueFault> {
        let script = self.script.script;
        let chance = self.script.chance();
        if chance < script.full {
            return Err(EnqueueFault::QueueFull);
        }
        if chance < script.full + script.refused {
            let fault = SendFault { cause: SendCause::TooLarge, what: "too large".into(), retriable: false };
            return Err(EnqueueFault::Refused(fault));
        }
        let waiting = Waiting {
            ticket,
            topic: record.topic.into(),
            value: record.value.unwrap().to_vec(),
            headers: record.headers.iter().map(|(name, value)| ((*name).to_owned(), value.unwrap().to_vec())).collect(),
        };
        assert_eq!(waiting.headers, [("from".to_owned(), b"velox".to_vec())], "headers survive another try");
        let (index, topic) = (index_of(&waiting.value), waiting.topic.clone());
        if self.queue.as_ref().unwrap().try_send(waiting).is_err() {
            return Err(EnqueueFault::QueueFull);
        }
        if ticket.attempt() == 0 {
            let mut seen = self.script.seen.lock().unwrap();
            let tries = &mut seen.entry(topic).or_default().first_tries;
            tries.push(index);
            if script.stop_after.is_some_and(|after| tries.len() as u64 > after) {
                self.script.stop.cancel();
            }
        }
        Ok(())
    }

    fn hurry(&self) {}

    fn abandon(&self) {}
}

fn index_of(value: &[u8]) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(value).unwrap();
    value["index"].as_u64().unwrap()
}

fn played(script: Script, etls: Vec<Etl>, count: u64, execution: Execution) -> (RunReport, BTreeMap<String, Seen>) {
    let text = PAYLOAD.replace("event_index", "event_index if event_index % 37 != 36 else nothing_here");
    let (_folder, engine) = engine(&[("a.json.j2", PAYLOAD), ("b.json.j2", &text)]);
    let plan = plan(etls, &["dev", "qa"], &request(count));
    let stop = CancellationToken::new();
    let opener = Scripted { script, stop: stop.clone(), seen: Arc::default(), number: Arc::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let options = RunOptions { execution, ..RunOptions::default() };
    let report = runtime.block_on(run_through(&plan, options, &engine, &opener, stop, quiet));
    let seen = std::mem::take(&mut *opener.seen.lock().unwrap());
    (report, seen)
}

fn scripted_etl(name: &str, batch: u32, parallel: bool) -> Etl {
    Etl {
        batch_size: Some(batch),
        parallel,
        key_template: Some("always the same".into()),
        headers: [("from".to_owned(), "velox".to_owned())].into_iter().collect(),
        ..etl(name, &["dev", "qa"])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_and_whenever_it_stops_every_event_ends_in_one_count_and_the_count_is_true(
        (full, refused, lost, lost_for_good) in (0_u64..30, 0_u64..20, 0_u64..30, 0_u64..15),
        stop_after in proptest::option::of(0_u64..300),
        (closed, fail_fast, continue_on_error, parallel) in any::<(bool, bool, bool, bool)>(),
        (count, batch, workers, pool) in (0_u64..400, 1_u32..40, 1_u32..5, 1_u32..4),
    ) {
        let script = Script { full, refused, lost, lost_for_good, stop_after, closed };
        let execution = Execution {
            parallel_workers: workers,
            connection_pool_size: pool,
            retry_backoff_ms: 1,
            max_retries: 2,
            fail_fast: fail_fast && lost_for_good > 10,
            continue_on_error,
            ..Execution::default()
        };
        let etls = vec![scripted_etl("a", batch, parallel), scripted_etl("b", batch, true)];
        let (report, seen) = played(script, etls, count, execution);
        adds_up(&report);
        for pair in &report.pairs {
            let counts = pair.tally.counts;
            prop_assert_eq!(counts.planned, counts.acknowledged + counts.failed + counts.not_sent);
            let none = Seen::default();
            let seen = seen.get(&pair.topic).unwrap_or(&none);
            prop_assert_eq!(counts.acknowledged, seen.acknowledged.len() as u64);
            prop_assert_eq!(seen.twice, 0);
            prop_assert!(seen.first_tries.is_sorted(), "one key is handed over in index order");
        }
    }
}

#[test]
fn an_environment_that_cannot_be_reached_fails_by_cause_and_the_other_runs() {
    let script = Script { closed: true, ..Script::default() };
    let (report, _) = played(script, vec![scripted_etl("a", 10, true)], 50, Execution::default());
    adds_up(&report);
    assert_eq!(report.environments["dev"].causes["nobody answers"], 50);
    assert_eq!(report.environments["qa"].counts.acknowledged, 50);
    assert_eq!(report.verdict, Verdict::Connection);
}

#[test]
fn what_fails_again_and_again_is_tried_as_often_as_asked_and_then_fails() {
    let script = Script { lost: 100, ..Script::default() };
    let execution = Execution { max_retries: 2, retry_backoff_ms: 1, ..Execution::default() };
    let etls = vec![Etl { max_retries: None, ..scripted_etl("a", 10, true) }];
    let (report, _) = played(script, etls, 20, execution);
    adds_up(&report);
    assert_eq!((report.total.counts.failed, report.verdict), (40, Verdict::Connection));
    assert_eq!(report.total.bytes, 0);
}

#[test]
fn more_attempts_than_can_be_counted_are_not_made() {
    let account = Account {
        etl: "a".into(),
        environment: "dev".into(),
        topic: "dev.a".into(),
        planned: 1,
        max_retries: 10_000,
        retry_backoff_ms: 0,
        partition: None,
    };
    let ledger = Arc::new(Ledger::new(vec![account], 1, false, Instant::now()));
    ledger.departs(0, 1);
    ledger.sent(0, 1, 0);
    let fault = SendFault { cause: SendCause::BrokerDown, what: "lost".into(), retriable: true };
    let last = Ticket::new(0, ATTEMPTS_MAX, Duration::ZERO);
    Desk::new(Arc::clone(&ledger), 0, 0).lost(last, fault, Outgoing::default());
    assert_eq!((ledger.counts(0).failed, ledger.in_flight(0)), (1, 0));
}
