//! Tables and pipes of this process: read from positions, filled and emptied, committed by epochs.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::*;
use crate::connectors::contract::{Columns, Position, Pull, SinkRows, SplitReader};

fn context() -> Context {
    Context { kafka: None, absent: None, folder: ".".into() }
}

fn batch(values: std::ops::Range<i64>) -> RecordBatch {
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    RecordBatch::try_new(schema, vec![Arc::new(values.collect::<Int64Array>()) as ArrayRef]).unwrap()
}

fn rows(values: std::ops::Range<i64>) -> SinkRows {
    let batch = batch(values);
    SinkRows { times: ScalarBuffer::from(vec![0; batch.num_rows()]), batch, ops: None }
}

fn first_column() -> Columns {
    Columns { fields: vec![0], ..Columns::default() }
}

async fn drain(reader: &mut dyn SplitReader, rows_max: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    loop {
        match reader.next(rows_max, Duration::from_millis(10)).await.unwrap() {
            Pull::Rows(rows) => {
                assert!(rows.batch.num_rows() <= rows_max);
                seen.extend(rows.batch.column(0).as_primitive::<Int64Type>().values());
            }
            Pull::Idle | Pull::Rest => {}
            Pull::End => return seen,
        }
    }
}

#[tokio::test]
async fn a_table_is_read_whole_and_again_from_a_position() {
    let tables = Tables::default();
    tables.put("numbers", batch(0..1).schema(), vec![batch(0..5), batch(5..5), batch(5..12)]);
    let connector = MemoryConnector::new(tables);
    let request = SourceRequest { name: "numbers".into(), ..SourceRequest::default() };
    let source = connector.source(request, &context()).await.unwrap();
    let split = source.splits().await.unwrap().remove(0);
    let mut reader = source.read(&split, None, &first_column()).await.unwrap();
    assert!(matches!(reader.next(3, Duration::ZERO).await.unwrap(), Pull::Rows(_)));
    let position: Position = reader.position();
    assert_eq!(drain(reader.as_mut(), 4).await, (3..12).collect::<Vec<_>>());
    let mut again = source.read(&split, Some(&position), &first_column()).await.unwrap();
    assert_eq!(drain(again.as_mut(), 100).await, (3..12).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_pipe_ends_when_its_writer_closes() {
    let connector = MemoryConnector::new(Tables::default());
    let request = SinkRequest {
        name: "p".into(),
        options: [("mode", "pipe")].into_iter().collect(),
        schema: batch(0..1).schema(),
        key: vec![],
        key_lacks: Vec::new(),
        key_refused: None,
        changes: false,
        job: "job".into(),
        exactly_once: false,
    };
    let mut sink = connector.sink(request, &context()).await.unwrap();
    let source = connector.source(SourceRequest { name: "p".into(), ..Default::default() }, &context()).await.unwrap();
    let split = source.splits().await.unwrap().remove(0);
    let mut reader = source.read(&split, None, &first_column()).await.unwrap();
    let write = async {
        for start in 0..20 {
            sink.write(rows(start * 10..start * 10 + 10)).await.unwrap();
        }
        sink.close(true).await.unwrap();
    };
    let ((), seen) = tokio::join!(write, drain(reader.as_mut(), 7));
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn rows_of_an_epoch_appear_once_with_its_commit() {
    let tables = Tables::default();
    let mut sink = sink::CollectSink::new(&tables, "out", true);
    sink.write(rows(0..3)).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap().unwrap();
    sink.write(rows(3..9)).await.unwrap();
    assert!(tables.written("out").is_empty());
    let mut restarted = sink::CollectSink::new(&tables, "out", true);
    assert_eq!(restarted.open().await.unwrap(), None);
    restarted.commit(1, &prepared).await.unwrap();
    restarted.commit(1, &prepared).await.unwrap();
    let visible: usize = tables.written_rows("out", 3).await.iter().map(|rows| rows.batch.num_rows()).sum();
    assert_eq!(visible, 3);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named_with_the_nearest() {
    let tables = Tables::default();
    tables.put("orders", batch(0..1).schema(), vec![]);
    let connector = MemoryConnector::new(tables);
    let request = SourceRequest { name: "order".into(), ..SourceRequest::default() };
    let Err(fault) = connector.source(request, &context()).await else { panic!("it must fail") };
    assert_eq!(fault.to_string(), "there is no table `order` in memory; did you mean `orders`?");
}
