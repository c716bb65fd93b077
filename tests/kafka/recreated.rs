//! A topic that is deleted and made again under a name that a checkpoint, or a reader at work, knows: on real Kafka.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use velox::connectors::contract::{Columns, Position, Pull, Source, SplitReader};
use velox::core::fault::{Blame, Fault};
use velox::kafka::admin::Admin;

use crate::sql::{Place, rows};
use crate::support::{PATIENCE, Services, open, plain};

/// Gives the topic up, and returns when brokers know it no more.
pub async fn delete(services: &Services, place: &Place) {
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &services.plaintext).create().unwrap();
    client.delete_topics(&[&place.topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    let admin = Admin::open(place.context.kafka.as_ref().unwrap()).unwrap();
    let began = std::time::Instant::now();
    while admin.cluster(Some(&place.topic), PATIENCE).await.is_ok() {
        assert!(began.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes these rows, into a topic that is made where it is not there.
pub async fn fill(place: &Place, ids: std::ops::Range<i64>) {
    let (mut sink, _) = place.sink(false).await;
    assert_eq!(sink.write(rows(ids)).await.unwrap(), []);
    sink.close(true).await.unwrap();
}

async fn reader(source: &Arc<dyn Source>, partition: usize, from: Option<&Position>) -> Box<dyn SplitReader> {
    let columns = Columns { fields: vec![0], ..Columns::default() };
    let splits = source.splits().await.unwrap();
    source.read(&splits[partition], from, &columns).await.unwrap()
}

/// What a reader gives until it has nothing left, or its fault.
async fn read(reader: &mut dyn SplitReader) -> Result<Vec<i64>, Fault> {
    let mut ids = Vec::new();
    loop {
        match reader.next(1_000, Duration::from_secs(2)).await? {
            Pull::Rows(rows) => ids.extend(rows.batch.column(0).as_primitive::<Int64Type>().values()),
            Pull::Idle | Pull::Rest | Pull::End => return Ok(ids),
        }
    }
}

async fn both(
    source: &Arc<dyn Source>,
    from: &[Option<Position>; 2],
) -> Result<(Vec<i64>, [Option<Position>; 2]), Fault> {
    let (mut ids, mut stand) = (Vec::new(), [None, None]);
    for partition in 0..2 {
        let mut reader = reader(source, partition, from[partition].as_ref()).await;
        ids.extend(read(reader.as_mut()).await?);
        stand[partition] = Some(reader.position());
    }
    ids.sort_unstable();
    Ok((ids, stand))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_of_a_topic_that_was_deleted_says_nothing_of_the_one_made_anew() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    fill(&place, 0..100).await;
    let (ids, stand) = both(&place.source(&[]).await, &[None, None]).await.unwrap();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
    fill(&place, 100..120).await;
    let (ids, stand) = both(&place.source(&[]).await, &stand).await.unwrap();
    assert_eq!(ids, (100..120).collect::<Vec<_>>(), "it is the same topic");
    delete(&services, &place).await;
    fill(&place, 2_000..2_400).await;
    let fault = both(&place.source(&[]).await, &stand).await.unwrap_err();
    assert_eq!(fault.blame, Blame::Operator);
    assert!(fault.what.contains("is gone with its topic, which was deleted"), "{fault}");
    assert!(fault.next.contains("'lost.offset' = 'earliest'"), "{fault}");
    let (ids, stand) = both(&place.source(&[("lost.offset", "earliest")]).await, &stand).await.unwrap();
    assert_eq!(ids, (2_000..2_400).collect::<Vec<_>>());
    let (ids, _) = both(&place.source(&[]).await, &stand).await.unwrap();
    assert_eq!(ids, [0; 0], "where it went on is a place in the new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_at_work_notices_that_its_topic_is_another_one() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    fill(&place, 0..100).await;
    let source = place.source(&[("scan.bounded", "false")]).await;
    let mut reader = reader(&source, 0, None).await;
    let before = read(reader.as_mut()).await.unwrap().len();
    assert!(before > 0);
    delete(&services, &place).await;
    fill(&place, 2_000..2_400).await;
    let began = std::time::Instant::now();
    let fault = loop {
        match read(reader.as_mut()).await {
            Ok(ids) => assert_eq!(ids, [0; 0], "rows of the new topic, behind those that were skipped"),
            Err(fault) => break fault,
        }
        assert!(began.elapsed() < PATIENCE, "it reads on");
    };
    assert!(fault.what.contains("is gone with its topic, which was deleted"), "{fault}");
}
