//! What the feed promises: exact counts under any flood, endings after the last records, nothing lost that matters.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;

fn record(offset: i64) -> Record {
    Record {
        topic: Arc::from("orders"),
        partition: 0,
        offset,
        timestamp_ms: None,
        key: None,
        value: Some(vec![0; 100]),
        headers: Vec::new(),
        value_bytes: 100,
    }
}

#[tokio::test]
async fn an_ending_follows_the_last_records_and_counts_of_its_job() {
    let (intake, mut feed) = feed();
    let outlet = intake.outlet(JobId(1));
    outlet.show([record(1)]);
    outlet.counts(TailCounts { read: 1, ..TailCounts::default() });
    outlet.phase(Phase::Done).await;
    // The job is gone when its end is looked at, as a short one always is.
    drop(outlet);
    let facts: Vec<_> = feed.drain().iter().map(|fact| format!("{fact:?}")).collect();
    assert!(facts[0].contains("Records"), "{facts:?}");
    assert!(facts[1].contains("TailCounts"), "{facts:?}");
    assert!(facts[2].contains("Done"), "{facts:?}");
    assert_eq!(facts.len(), 3);
}

#[tokio::test]
async fn a_job_that_has_ended_leaves_nothing_behind() {
    let (intake, mut feed) = feed();
    for job in 1..=100 {
        intake.outlet(JobId(job)).phase(Phase::Done).await;
        feed.drain();
    }
    assert!(feed.shared.taps.hold().is_empty());
}

#[tokio::test]
async fn two_hundred_jobs_end_through_a_queue_of_sixty_four_while_somebody_reads() {
    let (intake, mut feed) = feed();
    let outlets: Vec<_> = (1..=200).map(|job| intake.outlet(JobId(job))).collect();
    let writing = futures::future::join_all(outlets.iter().map(|outlet| outlet.phase(Phase::Stopped)));
    let reading = async {
        let mut endings = 0;
        while endings < 200 {
            feed.ready().await;
            endings += feed.drain().len();
        }
        endings
    };
    assert_eq!(tokio::join!(writing, reading).1, 200);
}

#[tokio::test]
async fn large_records_are_bounded_by_bytes_and_counted() {
    let (intake, mut feed) = feed();
    let outlet = intake.outlet(JobId(1));
    let large = |offset| Record { value: Some(vec![0; 1024 * 1024]), ..record(offset) };
    outlet.show((0..40).map(large));
    let [Fact::Job(Update::Records { records, skipped, .. })] = &feed.drain()[..] else { panic!("records") };
    assert_eq!((records.len(), *skipped), (32, 8));
    assert_eq!(records[0].offset, 8);
}

#[tokio::test]
async fn a_burst_that_the_view_has_room_for_reaches_it_whole() {
    for room in [100, 5_000] {
        let (intake, mut feed) = feed_of(room);
        let outlet = intake.outlet(JobId(1));
        outlet.show((0..room as i64 + 7).map(record));
        let [Fact::Job(Update::Records { records, skipped, .. })] = &feed.drain()[..] else { panic!("records") };
        assert_eq!((records.len(), *skipped, records[0].offset), (room, 7, 7));
    }
}

#[tokio::test]
async fn one_waking_serves_a_whole_flood() {
    let (intake, mut feed) = feed();
    let outlet = intake.outlet(JobId(1));
    (0..10_000).for_each(|offset| outlet.show([record(offset)]));
    feed.ready().await;
    assert!(feed.is_pending());
    feed.drain();
    assert!(!feed.is_pending());
}
