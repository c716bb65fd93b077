//! Real Kafka for tests of whole jobs: where it is, and what a reader of committed records sees.

use std::io::Write;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::OwnedMessage;

/// Longer than a run takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The address of real Kafka, where there is one.
pub fn kafka() -> Option<String> {
    let address = std::env::var("VELOX_KAFKA_PLAINTEXT").ok();
    let is_required = std::env::var("VELOX_SERVICES_REQUIRED").is_ok_and(|value| value == "1");
    assert!(address.is_some() || !is_required, "VELOX_SERVICES_REQUIRED=1 and no VELOX_KAFKA_PLAINTEXT");
    if address.is_none() {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let mut told = std::io::stderr();
        writeln!(told, "skipped without real Kafka: {name}").unwrap();
    }
    address
}

pub fn fresh(stem: &str) -> String {
    format!("{stem}-{}", uuid::Uuid::new_v4().simple())
}

/// What a reader of committed records sees.
pub fn committed(address: &str, topic: &str) -> Vec<OwnedMessage> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", fresh("reader"))
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let metadata = loop {
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        // A topic that was just created may not have its leaders yet.
        if !metadata.topics()[0].partitions().is_empty() {
            break metadata;
        }
        assert!(Instant::now() < deadline, "there is no topic {topic}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let partitions: Vec<i32> = metadata.topics()[0].partitions().iter().map(|partition| partition.id()).collect();
    settle(address, &consumer, topic, &partitions);
    let mut open = partitions.len();
    let mut list = rdkafka::TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(topic, partition, rdkafka::Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut records = Vec::new();
    while open > 0 {
        assert!(Instant::now() < deadline, "the end of {topic} does not come");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => records.push(message.detach()),
            Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    records
}

/// Waits until no transaction is open: a commit has succeeded before its marks are on the partitions, and until then a
/// reader of committed records ends in front of them.
fn settle(address: &str, committed: &BaseConsumer, topic: &str, partitions: &[i32]) {
    let all: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", fresh("reader"))
        .set("isolation.level", "read_uncommitted")
        .create()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    // A partition that was just created may be on its way to its leader.
    let end = |consumer: &BaseConsumer, partition| loop {
        match consumer.fetch_watermarks(topic, partition, PATIENCE) {
            Ok((_, end)) => break end,
            Err(error) => assert!(Instant::now() < deadline, "the end of {topic} is not told: {error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    while partitions.iter().any(|partition| end(committed, *partition) < end(&all, *partition)) {
        assert!(Instant::now() < deadline, "a transaction stays open on {topic}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
