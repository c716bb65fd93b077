//! A flood against the feed: every record is shown or counted as skipped, and a frame costs what fits, not what came.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use velox::app::action::{Action, TailRequest};
use velox::app::fact::Fact;
use velox::app::feed::feed;
use velox::app::model::tails::TAIL_RECORDS_MAX;
use velox::core::job::{JobId, Update};
use velox::core::record::{Record, StartAt};

use crate::stage::Stage;

const PRODUCERS: u64 = 3;
const RECORDS_EACH: u64 = 200_000;

fn record(offset: u64) -> Record {
    Record {
        topic: "orders".into(),
        partition: 0,
        offset: offset as i64,
        timestamp_ms: None,
        key: None,
        value: Some(vec![b'x'; 64]),
        headers: Vec::new(),
        value_bytes: 64,
    }
}

/// Records and skipped of each fact that a drain gave.
fn counts(facts: &[Fact]) -> (u64, u64) {
    facts.iter().fold((0, 0), |sum, fact| match fact {
        Fact::Job(Update::Records { records, skipped, .. }) => (sum.0 + records.len() as u64, sum.1 + skipped),
        _ => sum,
    })
}

#[test]
fn all_that_was_made_is_shown_or_counted_as_skipped_and_no_frame_gets_more_than_fits() {
    let (intake, mut feed) = feed();
    let outlets: Vec<_> = (0..PRODUCERS).map(|job| intake.outlet(JobId(job))).collect();
    let done = AtomicBool::new(false);
    let (mut shown, mut skipped, mut largest) = (0, 0, 0);
    thread::scope(|scope| {
        let producers: Vec<_> = outlets
            .iter()
            .map(|outlet| {
                scope.spawn(move || {
                    for offset in 0..RECORDS_EACH {
                        outlet.show([record(offset)]);
                    }
                })
            })
            .collect();
        let watched = scope.spawn(|| {
            for producer in producers {
                producer.join().expect("a producer");
            }
            done.store(true, Ordering::Release);
        });
        loop {
            let last = done.load(Ordering::Acquire);
            let facts = feed.drain();
            for fact in &facts {
                if let Fact::Job(Update::Records { records, .. }) = fact {
                    largest = largest.max(records.len());
                }
            }
            let (more, dropped) = counts(&facts);
            shown += more;
            skipped += dropped;
            if last {
                break;
            }
            thread::yield_now();
        }
        watched.join().expect("the watcher");
    });
    assert_eq!(shown + skipped, PRODUCERS * RECORDS_EACH);
    assert!(largest <= TAIL_RECORDS_MAX, "{largest}");
    assert!(0 < shown);
}

#[test]
fn the_count_line_of_a_flooded_tail_is_exact() {
    let mut stage = Stage::new();
    let topics = vec!["orders".to_owned()];
    stage.act(Action::OpenTail(TailRequest {
        environment: "sandbox".into(),
        topics,
        start: StartAt::End,
        search: None,
        partitions: Vec::new(),
    }));
    let job = stage.model.tail.expect("a tail");
    let (intake, mut feed) = feed();
    let outlet = intake.outlet(job);
    let made = 100_000;
    for offset in 0..made {
        outlet.show([record(offset)]);
        if offset % 7_000 == 0 {
            feed.drain().into_iter().for_each(|fact| stage.apply(fact));
        }
    }
    outlet.counts(velox::core::job::TailCounts { read: made, matched: made, ..Default::default() });
    feed.drain().into_iter().for_each(|fact| stage.apply(fact));
    let tail = &stage.model.tails[&job];
    assert_eq!(tail.records.len() as u64 + tail.records.dropped() + tail.skipped, made);
    assert_eq!(tail.records.len() as u64 + tail.not_shown(), made);
    assert_eq!(tail.records.last().map(|record| record.offset), Some(made as i64 - 1), "the newest is shown");
}
