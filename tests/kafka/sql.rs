//! The connector `kafka` on real Kafka: transactions and what remembers them, times, groups, topics that are created,
//! a login.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use velox::connectors::contract::{
    Columns, Connector, Context, Position, Pull, Sink, SinkRequest, SinkRows, Source, SourceRequest, Split,
};
use velox::connectors::kafka::KafkaConnector;
use velox::core::fault::Blame;
use velox::kafka::admin::Admin;
use velox::kafka::settings::Connection;

use crate::support::{PATIENCE, Services, environment, fresh_topic, open, plain};

/// Milliseconds since 1970 of the first row; row n is n seconds later.
const BEGAN: i64 = 1_700_000_000_000;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("name", DataType::Utf8, true)]))
}

pub fn rows(ids: std::ops::Range<i64>) -> SinkRows {
    let names: StringArray = ids.clone().map(|id| Some(format!("name {id}"))).collect();
    let times: Vec<i64> = ids.clone().map(|id| BEGAN + id * 1_000).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids.collect::<Int64Array>()), Arc::new(names)];
    SinkRows { batch: RecordBatch::try_new(schema(), columns).unwrap(), times: ScalarBuffer::from(times), ops: None }
}

/// A job that reads and writes one topic.
pub struct Place {
    pub context: Context,
    pub topic: String,
}

impl Place {
    pub fn of(connection: Connection) -> Self {
        Self {
            context: Context { kafka: Some(connection), absent: None, folder: ".".into() },
            topic: fresh_topic("sql"),
        }
    }

    pub async fn sink(&self, exactly_once: bool) -> (Box<dyn Sink>, Option<u64>) {
        let request = SinkRequest {
            name: self.topic.clone(),
            options: [("sink.partitions", "2")].into_iter().collect(),
            schema: schema(),
            key: vec![0],
            key_lacks: Vec::new(),
            key_refused: None,
            changes: false,
            job: format!("job-{}", self.topic),
            exactly_once,
        };
        let mut sink = KafkaConnector.sink(request, &self.context).await.unwrap();
        let epoch = sink.open().await.unwrap();
        (sink, epoch)
    }

    pub async fn source(&self, options: &[(&str, &str)]) -> Arc<dyn Source> {
        let mut options: velox::connectors::options::Options = options.iter().copied().collect();
        if options.get("scan.bounded").is_none() {
            options.set("scan.bounded", "latest", None);
        }
        let request = SourceRequest { name: self.topic.clone(), options, schema: Some(schema()), key: Vec::new() };
        KafkaConnector.source(request, &self.context).await.unwrap()
    }

    /// What is there once the broker has written the marks of the transactions that ended: it answers before it has.
    async fn comes_to_be_seen(&self, expected: &[i64]) -> Vec<i64> {
        let began = Instant::now();
        loop {
            let seen = self.seen(&[]).await;
            if seen == expected || began.elapsed() > PATIENCE {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What is there for who reads with these options, sorted.
    async fn seen(&self, options: &[(&str, &str)]) -> Vec<i64> {
        let source = self.source(options).await;
        let mut seen = Vec::new();
        for split in source.splits().await.unwrap() {
            seen.extend(drained(source.as_ref(), &split, None).await);
        }
        seen.sort_unstable();
        seen
    }
}

async fn drained(source: &dyn Source, split: &Split, from: Option<&Position>) -> Vec<i64> {
    let columns = Columns { fields: vec![0], ..Columns::default() };
    let mut reader = source.read(split, from, &columns).await.unwrap();
    let mut ids = Vec::new();
    loop {
        match reader.next(1_000, PATIENCE).await.unwrap() {
            Pull::Rows(rows) => ids.extend(rows.batch.column(0).as_primitive::<Int64Type>().values()),
            Pull::Idle | Pull::Rest => {}
            Pull::End => return ids,
        }
    }
}

fn numbers(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_epoch_are_seen_with_its_commit_and_the_topic_remembers_which() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    let (mut sink, epoch) = place.sink(true).await;
    assert_eq!(epoch, Some(0));
    assert_eq!(sink.write(rows(0..100)).await.unwrap(), []);
    let prepared = sink.prepare(1).await.unwrap().unwrap();
    assert_eq!(place.seen(&[]).await, numbers(0..0));
    sink.commit(1, &prepared).await.unwrap();
    sink.commit(1, &prepared).await.unwrap();
    assert_eq!(place.comes_to_be_seen(&numbers(0..100)).await, numbers(0..100));
    // An epoch without rows moves the mark too.
    let prepared = sink.prepare(2).await.unwrap().unwrap();
    sink.commit(2, &prepared).await.unwrap();
    sink.write(rows(100..150)).await.unwrap();
    sink.close(false).await.unwrap();
    let (mut again, epoch) = place.sink(true).await;
    assert_eq!(epoch, Some(2));
    assert_eq!(place.comes_to_be_seen(&numbers(0..100)).await, numbers(0..100), "what was not prepared was taken back");
    again.close(true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_dies_between_prepare_and_commit_leaves_nothing_and_its_heir_goes_on() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    let (mut sink, _) = place.sink(true).await;
    sink.write(rows(0..10)).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap().unwrap();
    sink.commit(1, &prepared).await.unwrap();
    sink.write(rows(10..20)).await.unwrap();
    let prepared = sink.prepare(2).await.unwrap().unwrap();
    // The first one still lives while its heir opens: as a process that hangs and comes back.
    let (mut heir, epoch) = place.sink(true).await;
    assert_eq!(epoch, Some(1), "the second epoch was never visible");
    let fault = sink.commit(2, &prepared).await.unwrap_err();
    assert_eq!(fault.blame, Blame::Connection, "{fault}");
    drop(sink);
    heir.write(rows(10..30)).await.unwrap();
    let prepared = heir.prepare(2).await.unwrap().unwrap();
    heir.commit(2, &prepared).await.unwrap();
    drop(heir);
    assert_eq!(place.comes_to_be_seen(&numbers(0..30)).await, numbers(0..30));
    let (mut last, epoch) = place.sink(true).await;
    assert_eq!(epoch, Some(2));
    last.close(true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_begins_at_a_time_at_offsets_and_where_the_group_stands() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    let (mut sink, _) = place.sink(false).await;
    sink.write(rows(0..60)).await.unwrap();
    sink.close(true).await.unwrap();
    let late = format!("{}", BEGAN + 50_000);
    assert_eq!(place.seen(&[("scan.startup.mode", "timestamp"), ("start.timestamp", &late)]).await, numbers(50..60));
    let whole = place.source(&[]).await;
    let splits = whole.splits().await.unwrap();
    assert_eq!(splits.len(), 2, "the topic was created with the partitions that were asked for");
    let mut in_split = Vec::new();
    for split in &splits {
        in_split.push(drained(whole.as_ref(), split, None).await);
    }
    assert_eq!(drained(whole.as_ref(), &splits[1], Some(&Position("3".into()))).await, in_split[1][3..]);
    let mut expected: Vec<i64> = in_split[0][2..].iter().chain(&in_split[1][1..]).copied().collect();
    expected.sort_unstable();
    assert_eq!(place.seen(&[("scan.startup.specific-offsets", "0:2;1:1")]).await, expected);
    let group = [("group.id", place.topic.as_str())];
    let grouped = place.source(&group).await;
    let stand = [(splits[0].clone(), Position("2".into())), (splits[1].clone(), Position("1".into()))];
    grouped.acknowledge(&stand).await.unwrap();
    assert_eq!(place.seen(&group).await, expected);
    assert_eq!(place.seen(&[group[0], ("start", "earliest")]).await, numbers(0..60));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_and_come_through_a_login_in_tls() {
    let Some(services) = Services::find() else { return };
    let yaml = format!(
        "environment: real\nkafka:\n  bootstrap_servers: \"{}\"\n  security_protocol: SASL_SSL\n  sasl: {{mechanism: SCRAM-SHA-512, username: {}, password: '{}'}}\n  ssl: {{cafile: {}}}\n",
        services.sasl_ssl,
        services.user,
        services.password,
        services.certificate("ca.pem")
    );
    let place = Place::of(open(&environment(&yaml)));
    let (mut sink, _) = place.sink(true).await;
    sink.write(rows(0..10)).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap().unwrap();
    sink.commit(1, &prepared).await.unwrap();
    sink.close(true).await.unwrap();
    assert_eq!(place.comes_to_be_seen(&numbers(0..10)).await, numbers(0..10));
    // The same brokers from an environment that has no login of its own.
    let authority = services.certificate("ca.pem");
    let options = [
        ("bootstrap.servers", services.sasl_ssl.as_str()),
        ("properties.security.protocol", "SASL_SSL"),
        ("properties.sasl.mechanism", "SCRAM-SHA-512"),
        ("properties.sasl.username", services.user.as_str()),
        ("properties.sasl.password", services.password.as_str()),
        ("properties.ssl.ca.location", authority.as_str()),
    ];
    let elsewhere = open(&plain("elsewhere", "127.0.0.1:1"));
    let place =
        Place { context: Context { kafka: Some(elsewhere), absent: None, folder: ".".into() }, topic: place.topic };
    assert_eq!(place.seen(&options).await, numbers(0..10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_names_the_nearest_and_an_empty_one_is_caught_up_with_at_once() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    let (mut sink, _) = place.sink(false).await;
    sink.close(true).await.unwrap();
    let name = format!("{}x", place.topic);
    let request = SourceRequest { name, schema: Some(schema()), ..SourceRequest::default() };
    let Err(fault) = KafkaConnector.source(request, &place.context).await else { panic!("it is not there") };
    assert_eq!(fault.next, format!("did you mean `{}`?", place.topic));
    let request = SourceRequest { name: place.topic.clone(), schema: Some(schema()), ..SourceRequest::default() };
    let source = KafkaConnector.source(request, &place.context).await.unwrap();
    assert_eq!((source.is_bounded(), source.splits().await.unwrap().len()), (false, 2));
    let admin = Admin::open(place.context.kafka.as_ref().unwrap()).unwrap();
    let marks = admin.watermarks(&place.topic, PATIENCE).await.unwrap();
    assert_eq!(marks.len(), 2);
    // A topic without a record is caught up with at once: nothing holds a join back.
    let columns = Columns { fields: vec![0], ..Columns::default() };
    let split = source.splits().await.unwrap().remove(0);
    let mut reader = source.read(&split, None, &columns).await.unwrap();
    assert!(matches!(reader.next(10, Duration::from_millis(50)).await.unwrap(), Pull::Idle));
}
