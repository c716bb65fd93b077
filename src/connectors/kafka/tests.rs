//! Topics on an embedded broker: what is written, read, skipped, deleted and handed back.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::*;
use crate::connectors::accept::idle;
use crate::connectors::contract::{Columns, Position, Pull, SinkRows, SourceRows, Split, SplitReader, system_columns};
use crate::core::environment::Environment;
use crate::kafka::auth::AuthRegistry;
use crate::kafka::embedded::EmbeddedBroker;
use crate::kafka::settings::Connection;

mod refused;

/// A broker of the test's own, with one topic.
struct Place {
    broker: EmbeddedBroker,
    context: Context,
}

impl Place {
    fn new(topic: &str, partitions: i32) -> Self {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic(topic, partitions).unwrap();
        let fields = serde_json::json!({
            "environment": "test",
            "kafka": { "bootstrap_servers": broker.bootstrap_servers() },
        });
        let environment: Environment = serde_json::from_value(fields).unwrap();
        let connection = Connection::open(&environment, &AuthRegistry::default()).unwrap();
        Self { broker, context: Context { kafka: Some(connection), absent: None, folder: ".".into() } }
    }

    async fn sink(&self, request: SinkRequest) -> Box<dyn Sink> {
        let mut sink = KafkaConnector.sink(request, &self.context).await.unwrap();
        sink.open().await.unwrap();
        sink
    }

    async fn source(&self, options: &[(&str, &str)], schema: Option<SchemaRef>, key: &[&str]) -> Arc<dyn Source> {
        let request = SourceRequest {
            name: "t".into(),
            options: options.iter().copied().collect(),
            schema,
            key: key.iter().map(|name| (*name).to_owned()).collect(),
        };
        KafkaConnector.source(request, &self.context).await.unwrap()
    }

    /// Puts values with their keys into partition 0.
    async fn put(&self, records: &[(Option<&str>, Option<&str>)]) {
        let mut producer = crate::kafka::client::KafkaProducer::new(self.context.kafka.clone().unwrap());
        producer.connect().await.unwrap();
        for (key, value) in records {
            let message = crate::core::record::Message {
                topic: "t".into(),
                partition: Some(0),
                timestamp_ms: Some(1_700_000_000_000),
                key: key.map(|key| key.as_bytes().to_vec()),
                value: value.map(|value| value.as_bytes().to_vec()),
                headers: vec![("trace".into(), Some(b"x1".to_vec()))],
            };
            producer.send_message(&message).await.unwrap();
        }
        producer.disconnect(Duration::from_secs(5)).await.unwrap();
    }
}

fn request(schema: SchemaRef, options: &[(&str, &str)]) -> SinkRequest {
    SinkRequest {
        name: "t".into(),
        options: options.iter().copied().collect(),
        schema,
        key: vec![0],
        key_lacks: Vec::new(),
        key_refused: None,
        changes: false,
        job: "job".into(),
        exactly_once: false,
    }
}

fn rows(ids: &[i64], names: &[&str], ops: Option<Vec<i8>>) -> SinkRows {
    let schema =
        Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("name", DataType::Utf8, true)]));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(StringArray::from(names.to_vec()))];
    SinkRows {
        batch: RecordBatch::try_new(schema, columns).unwrap(),
        times: ScalarBuffer::from(vec![1_700_000_000_000; ids.len()]),
        ops: ops.map(Int8Array::from),
    }
}

fn schema() -> SchemaRef {
    rows(&[], &[], None).batch.schema()
}

async fn drain(reader: &mut dyn SplitReader) -> Vec<SourceRows> {
    let mut all = Vec::new();
    loop {
        match reader.next(1_000, Duration::from_secs(10)).await.unwrap() {
            Pull::Rows(rows) => all.push(rows),
            Pull::Idle | Pull::Rest => panic!("nothing came within ten seconds"),
            Pull::End => return all,
        }
    }
}

fn both() -> Columns {
    Columns { fields: vec![0, 1], ..Columns::default() }
}

fn split(partition: i32) -> Split {
    Split(format!("t/{partition}"))
}

fn ids(rows: &[SourceRows]) -> Vec<i64> {
    rows.iter()
        .flat_map(|rows| rows.batch.column(0).as_primitive::<Int64Type>().iter().flatten().collect::<Vec<_>>())
        .collect()
}

const BOUNDED: (&str, &str) = ("scan.bounded", "latest");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_from_every_partition_once() {
    let place = Place::new("t", 3);
    let mut sink = place.sink(request(schema(), &[])).await;
    let written: Vec<i64> = (0..500).collect();
    for chunk in written.chunks(100) {
        let names: Vec<String> = chunk.iter().map(|id| format!("name {id}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(sink.write(rows(chunk, &names, None)).await.unwrap(), []);
    }
    sink.close(true).await.unwrap();
    let source = place.source(&[BOUNDED], None, &[]).await;
    assert_eq!(source.schema().fields().len(), 2);
    let mut seen = Vec::new();
    for split in source.splits().await.unwrap() {
        let mut reader = source.read(&split, None, &both()).await.unwrap();
        seen.extend(ids(&drain(reader.as_mut()).await));
    }
    seen.sort_unstable();
    assert_eq!(seen, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_where_a_position_says() {
    let place = Place::new("t", 1);
    let values: Vec<String> = (0..50).map(|id| format!("{{\"id\":{id}}}")).collect();
    place.put(&values.iter().map(|value| (None, Some(value.as_str()))).collect::<Vec<_>>()).await;
    let source = place.source(&[BOUNDED], Some(schema()), &[]).await;
    let mut reader = source.read(&split(0), None, &both()).await.unwrap();
    let Pull::Rows(first) = reader.next(7, Duration::from_secs(10)).await.unwrap() else { panic!("rows") };
    let position = reader.position();
    let mut seen = ids(&[first]);
    drop(reader);
    let mut reader = source.read(&split(0), Some(&position), &both()).await.unwrap();
    seen.extend(ids(&drain(reader.as_mut()).await));
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
    assert!(reader.position().0.starts_with("50@"), "{:?}", reader.position());
    let Err(fault) = source.read(&split(0), Some(&Position("51".into())), &both()).await else { panic!("gone") };
    assert!(fault.what.starts_with("offset 51 of t[0] is gone"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_read_again_ends_where_it_ends_now() {
    let place = Place::new("t", 1);
    place.put(&[(None, Some("{\"id\":1}"))]).await;
    let source = place.source(&[BOUNDED], Some(schema()), &[]).await;
    place.put(&[(None, Some("{\"id\":2}"))]).await;
    let again = source.as_of_now().await.unwrap().expect("its end has moved");
    for (source, expected) in [(&source, &[1][..]), (&again, &[1, 2])] {
        let mut reader = source.read(&split(0), None, &both()).await.unwrap();
        assert_eq!(ids(&drain(reader.as_mut()).await), expected);
    }
    let endless = place.source(&[], Some(schema()), &[]).await;
    assert!(endless.as_of_now().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_appeared_later_is_read_from_its_first_record_wherever_the_others_begin() {
    let place = Place::new("t", 1);
    let values: Vec<String> = (0..5).map(|id| format!("{{\"id\":{id}}}")).collect();
    place.put(&values.iter().map(|value| (None, Some(value.as_str()))).collect::<Vec<_>>()).await;
    let source = place.source(&[BOUNDED, ("scan.startup.mode", "latest")], Some(schema()), &[]).await;
    let beginning = source.beginning(&split(0));
    for (from, expected) in [(None, 0..0), (beginning.as_ref(), 0..5)] {
        let mut reader = source.read(&split(0), from, &both()).await.unwrap();
        assert_eq!(ids(&drain(reader.as_mut()).await), expected.collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_is_kept_whole_and_its_neighbours_pass() {
    let place = Place::new("t", 1);
    place
        .put(&[
            (Some("a"), Some("{\"id\":1,\"name\":\"x\"}")),
            (Some("b"), Some("{\"id\":\"two\"}")),
            (Some("c"), None),
            (Some("d"), Some("{\"id\":4")),
            (Some("e"), Some("{\"id\":5}")),
        ])
        .await;
    let source = place.source(&[BOUNDED], Some(schema()), &[]).await;
    let columns = Columns {
        fields: vec![0],
        system: vec![
            system_columns::KEY,
            system_columns::OFFSET,
            system_columns::TIMESTAMP,
            system_columns::HEADERS,
            system_columns::TOPIC,
            system_columns::PARTITION,
        ],
        origins: true,
    };
    let mut reader = source.read(&split(0), None, &columns).await.unwrap();
    let all = drain(reader.as_mut()).await;
    assert_eq!(ids(&all), [1, 5]);
    let rows = &all[0];
    assert_eq!(rows.times.to_vec(), [1_700_000_000_000; 2]);
    assert_eq!(rows.batch.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", "e"]);
    assert_eq!(rows.batch.column(2).as_primitive::<Int64Type>().values().to_vec(), [0, 4]);
    let headers = rows.batch.column(4).as_map().value(1);
    assert_eq!(headers.column(0).as_string::<i32>().value(0), "trace");
    let origins = rows.origins.as_ref().unwrap();
    assert_eq!((origins.len(), origins[1].offset, origins[1].key.as_deref()), (2, 4, Some(&b"e"[..])));
    let said: Vec<_> = rows.bad.iter().map(|bad| (bad.record.offset, bad.class, bad.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (1, "type_mismatch", "`id`: expected BIGINT, found \"two\""),
            (3, "malformed", "expected `}`, the record ends at byte 7"),
        ]
    );
    assert_eq!(rows.bad[0].record.value.as_deref(), Some(&b"{\"id\":\"two\"}"[..]));
    assert_eq!(rows.bad[0].record.headers.len(), 1);
    assert_eq!(rows.skipped, 1, "the tombstone, for nothing has a key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_deletes_the_row_of_its_key() {
    let place = Place::new("t", 1);
    place
        .put(&[
            (Some("1"), Some("{\"id\":1,\"name\":\"x\"}")),
            (Some("1"), None),
            (Some("2"), Some("{\"id\":2,\"name\":\"y\"}")),
            (Some("no number"), None),
        ])
        .await;
    let source = place.source(&[BOUNDED], Some(schema()), &["id"]).await;
    let mut reader = source.read(&split(0), None, &both()).await.unwrap();
    let all = drain(reader.as_mut()).await;
    assert_eq!(ids(&all), [1, 1, 2]);
    assert_eq!(all[0].ops.as_ref().unwrap().values().to_vec(), [0, 1, 0]);
    assert!(all[0].batch.column(1).is_null(1));
    assert_eq!(all[0].bad[0].message, "`_key.id`: expected BIGINT, found `no number`");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_from_the_key_where_that_is_asked_for() {
    let place = Place::new("t", 1);
    place.put(&[(Some("7|eu"), Some("{\"name\":\"x\"}")), (Some("8"), Some("{\"name\":\"z\"}"))]).await;
    let columns = [("region", DataType::Utf8), ("id", DataType::Int64), ("name", DataType::Utf8)];
    let schema = Schema::new(columns.map(|(name, data_type)| Field::new(name, data_type, false)).to_vec());
    let options = [BOUNDED, ("key.fields", "id,region"), ("key.format", "pipe")];
    let source = place.source(&options, Some(schema.into()), &[]).await;
    let columns = Columns { fields: vec![1, 0, 2], ..Columns::default() };
    let mut reader = source.read(&split(0), None, &columns).await.unwrap();
    let all = drain(reader.as_mut()).await;
    assert_eq!(ids(&all), [7]);
    assert_eq!(all[0].batch.column(1).as_string::<i32>().value(0), "eu");
    assert_eq!(all[0].bad[0].message, "`_key`: expected 2 parts, found 1");
}

async fn values(place: &Place) -> Vec<(Option<String>, Option<String>)> {
    use crate::core::record::StartAt;
    use crate::kafka::tail::{Tail, TailSettings};
    let connection = place.context.kafka.clone().unwrap();
    tokio::task::spawn_blocking(move || {
        let wait = Duration::from_secs(10);
        let mut tail = Tail::open(&connection, "t", &TailSettings::whole(StartAt::Beginning), wait).unwrap();
        let mut all = Vec::new();
        loop {
            let batch = tail.next_batch(1_000, wait, || false).unwrap();
            let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            all.extend(batch.records.into_iter().map(|record| (text(record.key), text(record.value))));
            if batch.at_end {
                return all;
            }
        }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_upserts_with_tombstones() {
    let place = Place::new("t", 1);
    let mut sink = place.sink(SinkRequest { changes: true, ..request(schema(), &[]) }).await;
    // 1 comes, 1 is replaced, 1 becomes 2, 2 goes.
    let ops = Some(vec![0, 2, 3, 2, 3, 1]);
    sink.write(rows(&[1, 1, 1, 1, 2, 2], &["a", "a", "b", "b", "c", "c"], ops)).await.unwrap();
    sink.close(true).await.unwrap();
    let record = |key: &str, value: Option<&str>| (Some(key.to_owned()), value.map(str::to_owned));
    assert_eq!(
        values(&place).await,
        [
            record("1", Some("{\"id\":1,\"name\":\"a\"}")),
            record("1", Some("{\"id\":1,\"name\":\"b\"}")),
            record("1", None),
            record("2", Some("{\"id\":2,\"name\":\"c\"}")),
            record("2", None),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_envelopes_where_that_is_asked_for() {
    let place = Place::new("t", 1);
    let mut sink = place.sink(SinkRequest { changes: true, ..request(schema(), &[("format", "debezium")]) }).await;
    sink.write(rows(&[1, 1, 1], &["a", "a", "b"], Some(vec![0, 2, 3]))).await.unwrap();
    sink.close(true).await.unwrap();
    let seen = values(&place).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(
        seen[1].1.as_deref(),
        Some("{\"before\":{\"id\":1,\"name\":\"a\"},\"after\":{\"id\":1,\"name\":\"b\"},\"op\":\"u\"}")
    );
    let source = place.source(&[BOUNDED, ("format", "debezium")], None, &[]).await;
    let mut reader = source.read(&split(0), None, &both()).await.unwrap();
    let all = drain(reader.as_mut()).await;
    assert_eq!(all[0].ops.as_ref().unwrap().values().to_vec(), [0, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_committed_once_and_what_follows_is_taken_back() {
    let place = Place::new("t", 1);
    let exactly = || SinkRequest { exactly_once: true, ..request(schema(), &[]) };
    let mut sink = KafkaConnector.sink(exactly(), &place.context).await.unwrap();
    assert_eq!(sink.open().await.unwrap(), Some(0));
    sink.write(rows(&[1], &["a"], None)).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap().unwrap();
    sink.commit(1, &prepared).await.unwrap();
    sink.commit(1, &prepared).await.unwrap();
    let empty = sink.prepare(2).await.unwrap().unwrap();
    sink.commit(2, &empty).await.unwrap();
    sink.write(rows(&[9], &["taken back"], None)).await.unwrap();
    sink.close(false).await.unwrap();
    // This broker keeps aborted records visible and forgets offsets of transactions; real Kafka is asked elsewhere.
    assert_eq!(values(&place).await[0].1.as_deref(), Some("{\"id\":1,\"name\":\"a\"}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_positions_are_where_the_group_begins() {
    let place = Place::new("t", 1);
    let values: Vec<String> = (0..10).map(|id| format!("{{\"id\":{id}}}")).collect();
    place.put(&values.iter().map(|value| (None, Some(value.as_str()))).collect::<Vec<_>>()).await;
    let options = [BOUNDED, ("group_id", "analytics")];
    let source = place.source(&options, Some(schema()), &[]).await;
    source.acknowledge(&[(split(0), Position("6".into()))]).await.unwrap();
    let mut reader = source.read(&split(0), None, &both()).await.unwrap();
    assert_eq!(ids(&drain(reader.as_mut()).await), [6, 7, 8, 9]);
}
