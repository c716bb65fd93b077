//! Tails: every way to begin, the end is known, nothing is committed, a lost broker is got over.

use std::sync::Arc;
use std::time::Duration;

use velox::core::fault::Blame;
use velox::core::record::{Record, StartAt};
use velox::kafka::producer::{Outgoing, Producer};
use velox::kafka::settings::Connection;
use velox::kafka::tail::{Tail, TailReader, TailSettings, VALUE_HEAD_MAX};

use crate::support::{PATIENCE, book, next, own_broker};

/// Sends values `from..to`, each to partition value % 4, and waits for the receipts.
pub async fn send(connection: &Connection, topic: &str, values: std::ops::Range<usize>) {
    send_over(connection, topic, 4, values).await;
}

/// As [`send`], over this many partitions.
pub async fn send_over(connection: &Connection, topic: &str, partitions: usize, values: std::ops::Range<usize>) {
    let (receipts, mut inbox) = book(values.len());
    let producer = Producer::open(connection, &connection.environment().producer, receipts).unwrap();
    for value in values.clone() {
        let text = value.to_string();
        let record = Outgoing {
            topic,
            partition: Some(i32::try_from(value % partitions).unwrap()),
            key: Some(b"k"),
            value: Some(text.as_bytes()),
            timestamp_ms: Some(1_000 + i64::try_from(value).unwrap()),
            headers: &[("n", Some(text.as_bytes())), ("null", None)],
        };
        producer.enqueue(record, value).unwrap();
    }
    for _ in values {
        next(&mut inbox).await.1.unwrap();
    }
}

fn value(record: &Record) -> usize {
    String::from_utf8(record.value.clone().unwrap()).unwrap().parse().unwrap()
}

/// Everything from the beginning to the end that was there, sorted.
pub fn read_to_end(tail: &mut Tail) -> Vec<usize> {
    let mut values = Vec::new();
    loop {
        let batch = tail.next_batch(1_000, PATIENCE, || false).unwrap();
        values.extend(batch.records.iter().map(value));
        if batch.at_end {
            values.sort_unstable();
            return values;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_begin_finds_its_records_and_the_end() {
    let (_broker, connection) = own_broker();
    send(&connection, "orders", 0..40).await;
    let check = |start: StartAt, expected: Vec<usize>| {
        let mut tail = Tail::open(&connection, "orders", &TailSettings::whole(start), PATIENCE).unwrap();
        assert_eq!(read_to_end(&mut tail), expected);
        assert!(tail.is_at_end());
        assert_eq!(tail.lag(), Some(0));
    };
    tokio::task::block_in_place(|| {
        check(StartAt::Beginning, (0..40).collect());
        check(StartAt::End, Vec::new());
        check(StartAt::Last(2), (32..40).collect());
        check(StartAt::Last(1_000), (0..40).collect());
        check(StartAt::Offset(9), (36..40).collect());
        check(StartAt::Offset(1_000), Vec::new());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_arrives_as_it_was_sent() {
    let (_broker, connection) = own_broker();
    send(&connection, "orders", 5..6).await;
    let record = tokio::task::block_in_place(|| {
        let mut tail = Tail::open(&connection, "orders", &TailSettings::whole(StartAt::Beginning), PATIENCE).unwrap();
        tail.next_batch(1, PATIENCE, || false).unwrap().records.remove(0)
    });
    let expected = Record {
        topic: "orders".into(),
        partition: 1,
        offset: 0,
        timestamp_ms: Some(1_005),
        key: Some(b"k".to_vec()),
        value: Some(b"5".to_vec()),
        headers: vec![(Arc::from("n"), Some(b"5".to_vec())), (Arc::from("null"), None)],
        value_bytes: 1,
    };
    assert_eq!(record, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_buffers_of_others_are_the_same_records() {
    let (_broker, connection) = own_broker();
    let (receipts, mut inbox) = book(64);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    let long = vec![b'x'; 500];
    for number in 0..64_usize {
        let short = number.to_string();
        // Long after short, null after text, two headers after one.
        let text = if number % 3 == 0 { &long[..] } else { short.as_bytes() };
        let headers = [("n", Some(text)), ("null", None), ("n", Some(&b"again"[..]))];
        let record = Outgoing {
            topic: "orders",
            partition: Some(0),
            key: (number % 5 != 0).then_some(text),
            value: (number % 7 != 0).then_some(text),
            timestamp_ms: Some(1_000),
            headers: &headers[..number % 4],
        };
        producer.enqueue(record, number).unwrap();
        next(&mut inbox).await.1.unwrap();
    }
    tokio::task::block_in_place(|| {
        let read = |reuses: bool, headers: bool| {
            let settings = TailSettings { headers, ..TailSettings::whole(StartAt::Beginning) };
            let mut tail = Tail::open(&connection, "orders", &settings, PATIENCE).unwrap();
            let mut records = Vec::new();
            while !tail.is_at_end() {
                let batch = tail.next_batch(7, PATIENCE, || false).unwrap();
                records.extend(batch.records.clone());
                if reuses {
                    tail.reuse(batch.records);
                }
            }
            records
        };
        let mut records = read(false, true);
        assert_eq!(records.len(), 64);
        assert_eq!(read(true, true), records);
        records.iter_mut().for_each(|record| record.headers.clear());
        assert_eq!(read(true, false), records);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_keeps_the_head_of_a_huge_value_and_its_true_size() {
    let (_broker, connection) = own_broker();
    let (receipts, mut inbox) = book(1);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    let huge = vec![b'x'; 500_000];
    producer.enqueue(Outgoing { topic: "orders", value: Some(&huge), ..Default::default() }, 0).unwrap();
    next(&mut inbox).await.1.unwrap();
    let record = tokio::task::block_in_place(|| {
        let mut tail = Tail::open(&connection, "orders", &TailSettings::heads(StartAt::Beginning), PATIENCE).unwrap();
        tail.next_batch(1, PATIENCE, || false).unwrap().records.remove(0)
    });
    assert_eq!((record.value.unwrap().len(), record.value_bytes), (VALUE_HEAD_MAX, 500_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_follows_several_topics_and_reports_a_broker_that_comes_back() {
    let (broker, connection) = own_broker();
    let topics = ["orders".to_owned(), "payments".to_owned()];
    let mut reader =
        TailReader::open(&connection, &topics, &TailSettings::heads(StartAt::End), PATIENCE).await.unwrap();
    send(&connection, "orders", 0..4).await;
    send(&connection, "payments", 4..8).await;
    let mut values = Vec::new();
    while values.len() < 8 {
        values.extend(next_batch(&mut reader).await.records.iter().map(value));
    }
    broker.take_down().unwrap();
    while next_batch(&mut reader).await.trouble.is_none() {}
    broker.bring_up().unwrap();
    send(&connection, "orders", 8..12).await;
    while values.len() < 12 {
        values.extend(next_batch(&mut reader).await.records.iter().map(value));
    }
    values.sort_unstable();
    assert_eq!(values, (0..12).collect::<Vec<_>>());
}

async fn next_batch(reader: &mut TailReader) -> velox::kafka::tail::Batch {
    tokio::time::timeout(PATIENCE, reader.next()).await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_look_returns_at_once_and_empty() {
    let (_broker, connection) = own_broker();
    tokio::task::block_in_place(|| {
        let mut tail = Tail::open(&connection, "orders", &TailSettings::whole(StartAt::End), PATIENCE).unwrap();
        let begun = std::time::Instant::now();
        let batch = tail.next_batch(1, PATIENCE, || true).unwrap();
        assert!(batch.records.is_empty() && begun.elapsed() < Duration::from_secs(5));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_or_partition_that_does_not_exist_is_the_operators_to_mend() {
    let (_broker, connection) = own_broker();
    tokio::task::block_in_place(|| {
        let check = |topic: &str, partitions: Vec<i32>, message: &str| {
            let settings = TailSettings { partitions, ..TailSettings::whole(StartAt::End) };
            let fault = Tail::open(&connection, topic, &settings, PATIENCE).err().unwrap();
            assert_eq!((fault.blame, fault.what.as_str()), (Blame::Operator, message));
        };
        check("no-such-topic", Vec::new(), "topic `no-such-topic` does not exist in own");
        check("orders", vec![7], "topic `orders` has no partition 7");
    });
}
