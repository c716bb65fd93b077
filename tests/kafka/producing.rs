//! Sending: every ticket is settled once, with where the record went or why it did not.

use std::time::Duration;

use velox::core::fault::Blame;
use velox::core::record::{Delivery, Message};
use velox::kafka::auth::AuthRegistry;
use velox::kafka::cause::{SendCause, SendFault};
use velox::kafka::client::{BatchResult, KafkaProducer};
use velox::kafka::producer::{EnqueueFault, Outgoing, Producer, counts_repeats};
use velox::kafka::settings::Connection;

use crate::support::{PATIENCE, book, environment, fresh_topic, next, open, own_broker, plain, until};

#[tokio::test]
async fn every_record_is_confirmed_with_its_partition_and_offset() {
    let (_broker, connection) = own_broker();
    let (receipts, mut inbox) = book(16);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    for ticket in 0..3 {
        let record = Outgoing { topic: "orders", partition: Some(2), value: Some(b"{}"), ..Default::default() };
        producer.enqueue(record, ticket).unwrap();
    }
    producer.flush(PATIENCE).await.unwrap();
    for expected in 0..3 {
        let (ticket, outcome) = next(&mut inbox).await;
        let delivery = outcome.unwrap();
        assert_eq!((ticket, delivery.partition, delivery.offset), (expected, 2, expected as i64));
    }
    assert_eq!(producer.in_flight(), 0);
    producer.close().await;
}

#[tokio::test]
async fn a_record_that_is_too_large_comes_back_at_once_with_its_ticket() {
    let (_broker, connection) = own_broker();
    let (receipts, _inbox) = book(1);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    let value = vec![b'x'; 2_000_000];
    let (fault, ticket) =
        producer.enqueue(Outgoing { topic: "orders", value: Some(&value), ..Default::default() }, 7).unwrap_err();
    let EnqueueFault::Refused(fault) = fault else { panic!("{fault:?}") };
    assert_eq!((ticket, fault.cause, fault.retriable), (7, SendCause::TooLarge, false));
    assert_eq!(producer.in_flight(), 0);
}

#[tokio::test]
async fn a_full_queue_gives_the_ticket_back_and_takes_it_later() {
    let (broker, _) = own_broker();
    let connection = open(&environment(&format!(
        "environment: own\nkafka:\n  bootstrap_servers: {}\nproducer:\n  options: {{queue_buffering_max_messages: 2}}\n",
        broker.bootstrap_servers()
    )));
    broker.take_down().unwrap();
    let (receipts, mut inbox) = book(8);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    let record = Outgoing { topic: "orders", value: Some(b"1"), ..Default::default() };
    producer.enqueue(record, 0).unwrap();
    producer.enqueue(record, 1).unwrap();
    assert_eq!(producer.enqueue(record, 2).unwrap_err(), (EnqueueFault::QueueFull, 2));
    broker.bring_up().unwrap();
    for _ in 0..2 {
        next(&mut inbox).await.1.unwrap();
    }
    // The place in the queue is free a moment after the receipt.
    until("the queue taking a record again", || producer.enqueue(record, 2).is_ok()).await;
    assert_eq!(next(&mut inbox).await.0, 2);
}

#[tokio::test]
async fn closing_settles_what_is_still_in_flight() {
    let (broker, connection) = own_broker();
    broker.take_down().unwrap();
    let (receipts, mut inbox) = book(8);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    for ticket in 0..5 {
        producer.enqueue(Outgoing { topic: "orders", value: Some(b"1"), ..Default::default() }, ticket).unwrap();
    }
    producer.close().await;
    for _ in 0..5 {
        assert_eq!(next(&mut inbox).await.1.unwrap_err().cause, SendCause::Closed);
    }
    assert!(inbox.recv().await.is_none(), "a ticket was settled twice");
}

#[tokio::test]
async fn a_broker_that_is_gone_lets_records_time_out_and_says_what_is_wrong() {
    let (broker, _) = own_broker();
    let connection = open(&environment(&format!(
        "environment: own\nkafka:\n  bootstrap_servers: {}\nproducer:\n  options: {{delivery_timeout_ms: 300}}\n",
        broker.bootstrap_servers()
    )));
    broker.take_down().unwrap();
    let (receipts, mut inbox) = book(1);
    let producer = Producer::open(&connection, &connection.environment().producer, receipts).unwrap();
    producer.enqueue(Outgoing { topic: "orders", value: Some(b"1"), ..Default::default() }, 0).unwrap();
    let fault = next(&mut inbox).await.1.unwrap_err();
    assert_eq!((fault.cause, fault.retriable), (SendCause::TimedOut, true));
    assert_eq!(producer.take_trouble().unwrap().blame, Blame::Connection);
    assert_eq!(producer.ending(), None);
}

#[tokio::test]
async fn records_that_had_to_be_sent_again_are_counted_and_others_are_not() {
    let (broker, connection) = own_broker();
    let mut config = connection.producer_config(&connection.environment().producer).unwrap();
    counts_repeats(&mut config);
    let (receipts, mut inbox) = book(16);
    let producer = Producer::open_with(&connection, &config, receipts).unwrap();
    let record = Outgoing { topic: "orders", partition: Some(0), value: Some(b"{}"), ..Default::default() };
    producer.enqueue(record, 0).unwrap();
    next(&mut inbox).await.1.unwrap();
    broker.refuse(2).unwrap();
    producer.enqueue(record, 1).unwrap();
    next(&mut inbox).await.1.unwrap();
    until("what was sent again being counted", || producer.repeated() > 0).await;
    assert_eq!(producer.repeated(), 2, "one record, refused twice");
    producer.close().await;
}

#[tokio::test]
async fn the_embedded_address_leads_to_one_broker_for_the_whole_process() {
    let one = open(&plain("sandbox", "embedded://"));
    let two = open(&plain("sandbox", "embedded://"));
    assert_eq!(one.bootstrap_servers(), two.bootstrap_servers());
    let topic = fresh_topic("on-demand");
    let (receipts, mut inbox) = book(1);
    let producer = Producer::open(&one, &one.environment().producer, receipts).unwrap();
    producer.enqueue(Outgoing { topic: &topic, value: Some(b"1"), ..Default::default() }, 0).unwrap();
    next(&mut inbox).await.1.unwrap();
}

fn message(topic: &str, value: &str) -> Message {
    Message { topic: topic.into(), partition: Some(0), value: Some(value.into()), ..Message::default() }
}

#[tokio::test]
async fn a_batch_goes_topic_by_topic_each_in_its_order() {
    let (broker, connection) = own_broker();
    let mut producer = KafkaProducer::new(connection);
    assert!(!producer.health_check().await, "nothing is connected yet");
    producer.connect().await.unwrap();
    assert!(producer.health_check().await);
    let batch = vec![message("later", "1"), message("earlier", "2"), message("later", "3")];
    let sent = producer.send_batch_by_topic(batch, 1).await;
    let offsets: Vec<(&str, Vec<i64>)> = sent
        .iter()
        .map(|(topic, result)| (&**topic, result.outcomes.iter().map(|one| one.as_ref().unwrap().offset).collect()))
        .collect();
    assert_eq!(offsets, [("earlier", vec![0]), ("later", vec![0, 1])]);
    broker.take_down().unwrap();
    assert!(!producer.health_check().await, "the broker is gone");
}

#[tokio::test]
async fn a_queue_sends_itself_when_it_is_full_or_old_and_else_when_it_is_told() {
    let (_broker, connection) = own_broker();
    let mut producer = KafkaProducer::new(connection).flushing_at(2, Duration::from_secs(1));
    producer.connect().await.unwrap();
    let total = |result: Option<BatchResult>| result.map(|result| (result.total(), result.failed()));
    assert_eq!(total(producer.queue_message(message("orders", "1")).await), None);
    assert_eq!(producer.statistics().queued, 1);
    assert_eq!(total(producer.queue_message(message("orders", "2")).await), Some((2, 0)), "it is full");
    assert_eq!(total(producer.queue_message(message("orders", "3")).await), None);
    assert_eq!(total(producer.flush_queue_when_due().await), Some((1, 0)), "it is old");
    assert_eq!(total(producer.queue_message(message("orders", "4")).await), None);
    assert_eq!(total(producer.flush_queue().await), Some((1, 0)));
    assert_eq!(total(producer.flush_queue().await), None);
    assert_eq!(producer.statistics().messages_sent, 4);
}

#[test]
fn the_rate_of_a_batch_counts_what_was_confirmed() {
    let confirmed = Ok(Delivery { partition: 0, offset: 0 });
    let refused = Err(SendFault { cause: SendCause::TooLarge, what: "too large".into(), retriable: false });
    let outcomes = vec![confirmed.clone(), refused, confirmed.clone(), confirmed];
    let batch = BatchResult { outcomes, bytes: 3, duration: Duration::from_secs(2) };
    assert_eq!((batch.total(), batch.successful(), batch.failed()), (4, 3, 1));
    assert!((batch.messages_per_second() - 1.5).abs() < f64::EPSILON);
}

#[test]
fn a_wrong_option_is_a_fault_of_configuration_before_any_connection() {
    let mut environment = plain("qa", "localhost:1");
    environment.producer.options.insert("lingr_ms".into(), velox::core::environment::Scalar::Integer(5));
    let fault = Connection::open(&environment, &AuthRegistry::default()).unwrap_err();
    assert_eq!(fault.blame, Blame::Configuration);
    assert_eq!(fault.to_string(), "unknown setting `producer.lingr_ms`; did you mean `linger_ms`?");
}

#[test]
fn an_etls_extra_goes_over_the_environments_settings_and_names_itself_when_it_is_wrong() {
    use velox::core::environment::{Compression, Scalar};
    let registry = AuthRegistry::default();
    let connection = open(&plain("qa", "localhost:1"));
    let with = |name: &str, value: Scalar| {
        connection.with_override(None, &indexmap::IndexMap::from([(name.to_owned(), value)]), &registry)
    };
    let changed = with("compression", Scalar::Text("lz4".into())).unwrap();
    assert_eq!(changed.environment().producer.compression_type, Compression::Lz4);
    let changed = with("message.timeout.ms", Scalar::Integer(1_234)).unwrap();
    let client = changed.producer_config(&changed.environment().producer).unwrap();
    assert_eq!(client.get("message.timeout.ms"), Some("1234"));
    let fault = with("mesage_timeout_ms", Scalar::Integer(1)).unwrap_err();
    assert_eq!(fault.to_string(), "unknown setting `extra.mesage_timeout_ms`; did you mean `message_timeout_ms`?");
    let fault = with("compression", Scalar::Text("lz5".into())).unwrap_err();
    assert!(fault.what.starts_with("`extra`: `compression`"), "{fault}");
}
