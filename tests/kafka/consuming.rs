//! Groups: what is processed is committed, what fails is skipped, tried again or ends the work, a stop drains.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::TopicPartitionList;
use velox::core::environment::OffsetReset;
use velox::core::fault::Blame;
use velox::core::record::Record;
use velox::kafka::admin::Admin;
use velox::kafka::backoff::Backoff;
use velox::kafka::consumer::{ConsumeEvent, ConsumeReport, ConsumeSettings, Exhausted, OnError, consume};
use velox::kafka::producer::{Outgoing, Producer};
use velox::kafka::settings::Connection;
use velox::kafka::stop::Stop;

use velox::kafka::embedded::EmbeddedBroker;

use crate::support::{PATIENCE, Services, book, environment, fresh_topic, next, open, own_broker, plain, until};
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

/// Sends values `0..keys * each` in turns over the keys, and waits for the receipts. A key's partition is the client's choice.
async fn send_keyed(connection: &Connection, topic: &str, keys: usize, each: usize) {
    let (receipts, mut inbox) = book(keys * each);
    let producer = Producer::open(connection, &connection.environment().producer, receipts).unwrap();
    for value in 0..keys * each {
        let (key, text) = (format!("key-{}", value % keys), value.to_string());
        let record = Outgoing {
            topic,
            partition: None,
            key: Some(key.as_bytes()),
            value: Some(text.as_bytes()),
            timestamp_ms: None,
            headers: &[],
        };
        producer.enqueue(record, value).unwrap();
    }
    for _ in 0..keys * each {
        next(&mut inbox).await.1.unwrap();
    }
}

fn several(settings: ConsumeSettings, hands: usize) -> ConsumeSettings {
    ConsumeSettings { max_concurrency: NonZeroUsize::new(hands).unwrap(), ..settings }
}

/// What several hands did: the values of each key in order, and the most that were at work at once.
#[derive(Default)]
struct Seen {
    by_key: Mutex<BTreeMap<String, Vec<usize>>>,
    at_work: AtomicUsize,
    most: AtomicUsize,
}

impl Seen {
    async fn process(&self, record: &Record) -> Result<(), String> {
        let now = self.at_work.fetch_add(1, Ordering::AcqRel) + 1;
        self.most.fetch_max(now, Ordering::AcqRel);
        // Work whose length differs from record to record: order would suffer if anything else than the lanes kept it.
        tokio::time::sleep(Duration::from_millis((value(record) * 7 % 5) as u64)).await;
        let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
        self.by_key.lock().unwrap().entry(key).or_default().push(value(record));
        self.at_work.fetch_sub(1, Ordering::AcqRel);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_records_are_at_work_at_once_and_those_of_a_key_in_order() {
    let Some(services) = Services::find() else { return };
    let connection = open(&plain("real", &services.plaintext));
    let topic = fresh_topic("several");
    Admin::open(&connection).unwrap().create_topic(&topic, 3, PATIENCE).await.unwrap();
    let (keys, each) = (20, 30);
    send_keyed(&connection, &topic, keys, each).await;

    let seen = Seen::default();
    let wanted = ConsumeSettings { max_records: Some((keys * each) as u64), ..settings(&topic, OnError::Stop) };
    let stop = Stop::new();
    let seen = &seen;
    let process = |record: Arc<Record>| async move { seen.process(&record).await };
    let report = consume(&connection, &several(wanted, 8), &stop, process, |_| {}).await.unwrap();
    assert_eq!((report.counts.processed, report.fault), ((keys * each) as u64, None));
    let most = seen.most.load(Ordering::Acquire);
    assert!((2..=8).contains(&most), "{most} were at work at once");
    for (key, values) in seen.by_key.lock().unwrap().iter() {
        assert_eq!(values.len(), each, "{key}");
        assert!(values.is_sorted(), "{key}: {values:?}");
    }
    // Everything is committed: one more record is all that the group gets.
    send_keyed(&connection, &topic, 1, 1).await;
    let (report, values) = run(&connection, settings(&topic, OnError::Stop), 1, &[]).await;
    assert_eq!((report.counts.processed, values), (1, vec![0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_behind_a_record_that_is_not_comes_again_with_it() {
    let Some(services) = Services::find() else { return };
    let connection = open(&plain("real", &services.plaintext));
    let topic = fresh_topic("gap");
    Admin::open(&connection).unwrap().create_topic(&topic, 1, PATIENCE).await.unwrap();
    send_keyed(&connection, &topic, 6, 1).await;

    // The third record never ends; the five others do, and then the program is gone as if it was killed.
    let done = AtomicUsize::new(0);
    let (done, stop) = (&done, Stop::new());
    let settings = ConsumeSettings { drain_timeout: Duration::ZERO, ..settings(&topic, OnError::Stop) };
    let hanging = several(settings.clone(), 4);
    let processing = consume(
        &connection,
        &hanging,
        &stop,
        |record| async move {
            if value(&record) == 2 {
                std::future::pending::<()>().await;
            }
            done.fetch_add(1, Ordering::AcqRel);
            Ok(())
        },
        |_| {},
    );
    let stopping = async {
        until("all but one are done", || done.load(Ordering::Acquire) == 5).await;
        stop.request_stop();
    };
    let (report, ()) = tokio::join!(processing, stopping);
    let counts = report.unwrap().counts;
    assert_eq!((counts.received, counts.processed, counts.returned), (6, 5, 1));
    let (_, values) = run(&connection, settings, 4, &[]).await;
    assert_eq!(values, [2, 3, 4, 5], "0 and 1 are committed, nothing behind the gap is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_tried_again_holds_up_its_key_and_no_other() {
    let (_broker, connection, topic) = group_broker();
    send_keyed(&connection, &topic, 2, 3).await;
    let order = Mutex::new(Vec::new());
    let order = &order;
    let backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_millis(500) };
    let on_error = OnError::Retry { max_retries: 1, backoff, then: Exhausted::Stop };
    let wanted = ConsumeSettings { max_records: Some(6), ..settings(&topic, on_error) };
    let process = |record: Arc<Record>| async move {
        let mut order = order.lock().unwrap();
        order.push(value(&record));
        // Key 0 has the values 0, 2 and 4; the first of them fails once.
        if *order == [0] { Err("not yet".to_owned()) } else { Ok(()) }
    };
    let report = consume(&connection, &several(wanted, 2), &Stop::new(), process, |_| {}).await.unwrap();
    assert_eq!((report.counts.processed, report.counts.retries), (6, 1));
    assert_eq!(*order.lock().unwrap(), [0, 1, 3, 5, 0, 2, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_is_committed_while_the_work_goes_on() {
    let Some(services) = Services::find() else { return };
    let connection = open(&plain("real", &services.plaintext));
    let topic = fresh_topic("steadily");
    Admin::open(&connection).unwrap().create_topic(&topic, 1, PATIENCE).await.unwrap();
    send_keyed(&connection, &topic, 1, 40).await;

    // Work that is cut off: nothing is committed at its end.
    let stop = Stop::new();
    let settings = settings(&topic, OnError::Stop);
    let (seen, begun) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let (seen, begun) = (&seen, &begun);
    let processing = consume(
        &connection,
        &settings,
        &stop,
        |record| async move {
            begun.store(value(&record), Ordering::Release);
            if value(&record) == 30 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            seen.lock().unwrap().push(value(&record));
            Ok(())
        },
        |_| {},
    );
    let group = settings.group_id.clone();
    let watching = until("the thirtieth is in hand and what was before it is committed", || {
        begun.load(Ordering::Acquire) == 30 && committed(&services.plaintext, &group, &topic) == Some(30)
    });
    tokio::select! {
        report = processing => panic!("{report:?}"),
        () = watching => {}
    }
    assert_eq!(*seen.lock().unwrap(), (0..30).collect::<Vec<_>>());
}

/// The offset of a group's only partition, asked of the broker.
fn committed(bootstrap: &str, group: &str, topic: &str) -> Option<i64> {
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("group.id", group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    let found = tokio::task::block_in_place(|| client.committed_offsets(list, PATIENCE)).ok()?;
    found.elements().first().and_then(|one| one.offset().to_raw())
}
