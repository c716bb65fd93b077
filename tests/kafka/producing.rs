//! Sending: every ticket is settled once, with where the record went or why it did not.

use velox::core::fault::Blame;
use velox::kafka::auth::AuthRegistry;
use velox::kafka::cause::SendCause;
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
