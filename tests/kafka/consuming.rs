//! Groups: what is processed is committed, what fails is skipped, tried again or ends the work, a stop drains.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use velox::core::environment::OffsetReset;
use velox::core::fault::Blame;
use velox::core::record::Record;
use velox::kafka::backoff::Backoff;
use velox::kafka::consumer::{ConsumeEvent, ConsumeReport, ConsumeSettings, Exhausted, OnError, consume};
use velox::kafka::settings::Connection;
use velox::kafka::stop::Stop;

use velox::kafka::embedded::EmbeddedBroker;

use crate::support::{environment, fresh_topic, open, own_broker};
use crate::tailing::{send, send_over};

/// A broker of the test's own. It lets who joins a known group again wait for a session less a second.
fn group_broker() -> (EmbeddedBroker, Connection, String) {
    let broker = EmbeddedBroker::start().unwrap();
    let connection = open(&environment(&format!(
        "environment: own\nkafka:\n  bootstrap_servers: {}\nconsumer:\n  options: {{session_timeout_ms: 4000, heartbeat_interval_ms: 500}}\n",
        broker.bootstrap_servers()
    )));
    let topic = fresh_topic("consuming");
    broker.create_topic(&topic, 1).unwrap();
    (broker, connection, topic)
}

/// A group of the topic's own.
fn settings(topic: &str, on_error: OnError) -> ConsumeSettings {
    ConsumeSettings {
        offset_reset: Some(OffsetReset::Earliest),
        on_error,
        ..ConsumeSettings::new(format!("readers-of-{topic}"), vec![topic.to_owned()])
    }
}

fn retry(max_retries: u32, then: Exhausted) -> OnError {
    let backoff = Backoff { first: Duration::from_millis(1), cap: Duration::from_millis(4) };
    OnError::Retry { max_retries, backoff, then }
}

pub fn value(record: &Record) -> usize {
    String::from_utf8(record.value.clone().unwrap()).unwrap().parse().unwrap()
}

/// Consumes until `until` records were finished; a value's callback fails as often as `failures` says.
async fn run(
    connection: &Connection,
    settings: ConsumeSettings,
    until: usize,
    failures: &[(usize, u32)],
) -> (ConsumeReport, Vec<usize>) {
    let stop = Stop::new();
    let seen = Arc::new(Mutex::new((Vec::new(), failures.iter().copied().collect::<HashMap<_, _>>())));
    let report = consume(
        connection,
        &settings,
        &stop,
        |record| {
            let (seen, stop) = (seen.clone(), stop.clone());
            async move {
                let mut seen = seen.lock().unwrap();
                seen.0.push(value(&record));
                let left = seen.1.entry(value(&record)).or_default();
                if *left > 0 {
                    *left -= 1;
                    return Err("not today".to_owned());
                }
                if seen.0.len() >= until {
                    stop.request_stop();
                }
                Ok(())
            }
        },
        |_| {},
    )
    .await
    .unwrap();
    let mut values = seen.lock().unwrap().0.clone();
    values.sort_unstable();
    (report, values)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_processed_is_committed_and_does_not_come_again() {
    let (_broker, connection, topic) = group_broker();
    send_over(&connection, &topic, 1, 0..12).await;
    let (report, values) = run(&connection, settings(&topic, OnError::Continue), 12, &[]).await;
    assert_eq!((report.fault, values), (None, (0..12).collect()));
    assert_eq!((report.counts.processed, report.counts.failed), (12, 0));
    assert!(report.counts.commits > 0);
    send_over(&connection, &topic, 1, 12..16).await;
    let (_, values) = run(&connection, settings(&topic, OnError::Continue), 4, &[]).await;
    assert_eq!(values, (12..16).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn continue_passes_over_what_fails() {
    let (_broker, connection) = own_broker();
    send(&connection, "orders", 0..8).await;
    let settings = ConsumeSettings { max_records: Some(8), ..settings("orders", OnError::Continue) };
    let (report, _) = run(&connection, settings, usize::MAX, &[(3, 1), (5, 1)]).await;
    assert_eq!((report.counts.received, report.counts.processed, report.counts.failed), (8, 6, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_tries_again_and_what_never_succeeds_is_skipped_or_ends_the_work() {
    let (_broker, connection, topic) = group_broker();
    send_over(&connection, &topic, 1, 0..1).await;
    send_over(&connection, &topic, 1, 4..5).await;
    let max = |on_error, records| ConsumeSettings { max_records: Some(records), ..settings(&topic, on_error) };
    let (report, values) = run(&connection, max(retry(3, Exhausted::Skip), 1), usize::MAX, &[(0, 2)]).await;
    assert_eq!((report.counts.processed, report.counts.retries, values), (1, 2, vec![0, 0, 0]));
    let (report, values) = run(&connection, max(retry(2, Exhausted::Stop), 1), usize::MAX, &[(4, 9)]).await;
    assert_eq!((report.counts.returned, values), (1, vec![4, 4, 4]));
    let fault = report.fault.unwrap();
    assert_eq!((fault.blame, fault.what), (Blame::Record, format!("{topic}[0]@1: not today")));
    let (report, values) = run(&connection, max(retry(0, Exhausted::Skip), 1), usize::MAX, &[]).await;
    assert_eq!((report.counts.processed, values), (1, vec![4]), "the record that ended the work comes again");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_leaves_the_failed_record_for_the_next_time() {
    let (_broker, connection, topic) = group_broker();
    send_over(&connection, &topic, 1, 0..1).await;
    let (report, _) = run(&connection, settings(&topic, OnError::Stop), usize::MAX, &[(0, 1)]).await;
    assert_eq!((report.counts.returned, report.fault.unwrap().blame), (1, Blame::Record));
    let (_, values) = run(&connection, settings(&topic, OnError::Stop), 1, &[]).await;
    assert_eq!(values, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_the_record_in_hand_finish_and_an_immediate_one_does_not() {
    let (_broker, connection, topic) = group_broker();
    send_over(&connection, &topic, 1, 0..4).await;
    let check = async |requests: usize, expected: (u64, u64)| {
        let stop = Stop::new();
        let settings =
            ConsumeSettings { drain_timeout: Duration::from_secs(20), ..settings(&topic, OnError::Continue) };
        let report = consume(
            &connection,
            &settings,
            &stop,
            |_| {
                let stop = stop.clone();
                async move {
                    (0..requests).for_each(|_| stop.request_stop());
                    // Work that goes on after the stop was asked for.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok(())
                }
            },
            |_| {},
        )
        .await
        .unwrap();
        assert_eq!((report.counts.processed, report.counts.returned, report.fault), (expected.0, expected.1, None));
    };
    check(1, (1, 0)).await;
    check(2, (0, 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_outlasts_the_drain_gives_its_record_back() {
    let (_broker, connection, topic) = group_broker();
    send_over(&connection, &topic, 1, 0..1).await;
    let stop = Stop::new();
    let settings = ConsumeSettings { drain_timeout: Duration::from_millis(10), ..settings(&topic, OnError::Continue) };
    let report = consume(
        &connection,
        &settings,
        &stop,
        |_| {
            stop.request_stop();
            std::future::pending()
        },
        |_| {},
    )
    .await
    .unwrap();
    assert_eq!((report.counts.processed, report.counts.returned), (0, 1));
    let (_, values) = run(&connection, self::settings(&topic, OnError::Continue), 1, &[]).await;
    assert_eq!(values, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_comes_every_so_many_records_and_at_the_end() {
    let (_broker, connection) = own_broker();
    send(&connection, "orders", 0..10).await;
    let settings = ConsumeSettings { summary_every: 4, max_records: Some(10), ..settings("orders", OnError::Continue) };
    let mut summaries = Vec::new();
    consume(
        &connection,
        &settings,
        &Stop::new(),
        |_| async { Ok(()) },
        |event| {
            if let ConsumeEvent::Summary(counts) = event {
                summaries.push(counts.received);
            }
        },
    )
    .await
    .unwrap();
    assert_eq!(summaries, [4, 8, 10]);
}
