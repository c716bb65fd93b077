//! Files in a folder of the test: every format read and written, and what a crash may leave.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use tempfile::TempDir;

use super::*;
use crate::connectors::contract::{Columns, Position, Pull, SinkRows, SourceRows, SplitReader, system_columns};
use crate::formats::infer::declaration;

pub(super) struct Place(pub TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn context(&self) -> Context {
        Context { kafka: None, absent: None, folder: self.0.path().to_owned() }
    }

    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Names of visible files, relative.
    pub fn names(&self) -> Vec<String> {
        let found = super::listing::files(&self.0.path().join("**/*")).unwrap();
        found.iter().map(|path| path.strip_prefix(self.0.path()).unwrap().to_string_lossy().into_owned()).collect()
    }

    pub async fn open(&self, options: &[(&str, &str)], schema: Option<SchemaRef>) -> Result<Arc<dyn Source>, Fault> {
        let options = options.iter().copied().collect();
        FileConnector.source(SourceRequest { name: "f".into(), options, schema, key: vec![] }, &self.context()).await
    }

    pub async fn source(&self, options: &[(&str, &str)]) -> Arc<dyn Source> {
        self.open(options, None).await.unwrap()
    }

    async fn fault(&self, options: &[(&str, &str)]) -> String {
        match self.open(options, None).await {
            Ok(_) => panic!("it must fail"),
            Err(fault) => fault.to_string().replace(&*self.0.path().to_string_lossy(), ""),
        }
    }

    pub fn sink(
        &self,
        schema: &SchemaRef,
        options: &[(&str, &str)],
        exactly_once: bool,
        changes: bool,
    ) -> Box<dyn Sink> {
        let request = SinkRequest {
            name: "f".into(),
            options: options.iter().copied().collect(),
            schema: schema.clone(),
            key: vec![],
            key_lacks: Vec::new(),
            key_refused: None,
            changes,
            job: "job one".into(),
            exactly_once,
        };
        let options = accept(&FileConnector, End::Sink, &request.options).unwrap();
        Box::new(sink::FileSink::new(&request, &options, &self.context()).unwrap())
    }
}

pub(super) fn all_columns(source: &dyn Source) -> Columns {
    Columns { fields: (0..source.schema().fields().len()).collect(), ..Columns::default() }
}

pub(super) async fn drain(reader: &mut dyn SplitReader, rows_max: usize) -> Vec<SourceRows> {
    let mut all = Vec::new();
    loop {
        match reader.next(rows_max, Duration::from_secs(10)).await.unwrap() {
            Pull::Rows(rows) => {
                assert!(rows.batch.num_rows() <= rows_max);
                all.push(rows);
            }
            Pull::Idle | Pull::Rest => panic!("nothing came within ten seconds"),
            Pull::End => return all,
        }
    }
}

pub(super) async fn whole(source: &dyn Source) -> RecordBatch {
    let columns = all_columns(source);
    let mut batches = Vec::new();
    for split in source.splits().await.unwrap() {
        let mut reader = source.read(&split, None, &columns).await.unwrap();
        for rows in drain(reader.as_mut(), 3).await {
            assert_eq!(rows.bad, []);
            batches.push(rows.batch);
        }
    }
    arrow::compute::concat_batches(&source.schema(), &batches).unwrap()
}

pub(super) fn numbers(batch: &RecordBatch, name: &str) -> Vec<i64> {
    batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().flatten().collect()
}

const TRADES: &str =
    "id,price,note,at\n1,10.50,\"a, b\",2024-01-15T10:00:00Z\n2,-0.01,,\n3,7,\"two\nlines\",2024-01-15T10:00:01Z\n";

#[tokio::test]
async fn csv_is_read_with_every_digit_of_its_decimals() {
    let place = Place::new();
    place.put("trades.csv", TRADES);
    let source = place.source(&[("path", "trades.csv")]).await;
    assert_eq!(declaration(&source.schema()), "id BIGINT, price DECIMAL(18,2), note VARCHAR, at TIMESTAMP(3)");
    let batch = whole(source.as_ref()).await;
    assert_eq!(numbers(&batch, "id"), [1, 2, 3]);
    let prices = batch.column(1).as_primitive::<Decimal128Type>().values().to_vec();
    assert_eq!(prices, [1_050, -1, 700]);
    let notes: Vec<_> = batch.column(2).as_string::<i32>().iter().collect();
    assert_eq!(notes, [Some("a, b"), None, Some("two\nlines")]);
}

#[tokio::test]
async fn a_reader_goes_on_in_the_middle_of_any_file() {
    let place = Place::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(TRADES.as_bytes()).unwrap();
    place.put("a.csv", TRADES);
    place.put("b.csv.gz", gzip.finish().unwrap());
    place.put("c.csv.zst", zstd::encode_all(TRADES.as_bytes(), 1).unwrap());
    place.put("d.jsonl", "{\"id\":1}\n\n{\"id\":2}\r\n{\"id\":3}");
    place.put("e.json", "[\n {\"id\": 1, \"note\": \"} ]\"},\n {\"id\":\n 2}, {\"id\": 3}\n]");
    for name in ["a.csv", "b.csv.gz", "c.csv.zst", "d.jsonl", "e.json"] {
        let source = place.source(&[("path", name)]).await;
        let split = source.splits().await.unwrap().remove(0);
        let columns = all_columns(source.as_ref());
        let mut seen = Vec::new();
        let mut position: Option<Position> = None;
        // A new reader for each row: each begins where the one before stood.
        for _ in 0..3 {
            let mut reader = source.read(&split, position.as_ref(), &columns).await.unwrap();
            let Pull::Rows(first) = reader.next(1, Duration::from_secs(10)).await.unwrap() else { panic!("rows") };
            assert_eq!(first.bad, [], "{name}");
            seen.extend(numbers(&first.batch.slice(0, 1), "id"));
            position = Some(match first.batch.num_rows() {
                1 => reader.position(),
                more => panic!("{more} rows where one was asked for"),
            });
        }
        assert_eq!(seen, [1, 2, 3], "{name}");
        let mut reader = source.read(&split, position.as_ref(), &columns).await.unwrap();
        assert!(drain(reader.as_mut(), 10).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_bad_line_is_handed_over_with_its_number_and_its_bytes() {
    let place = Place::new();
    place.put("a.csv", "id,n\n1,1\n\"x\ny\",2\nthree,3\n4,4\n");
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("n", DataType::Int64, true)]);
    let source = place.open(&[("path", "a.csv")], Some(schema.into())).await.unwrap();
    let split = source.splits().await.unwrap().remove(0);
    let columns =
        Columns { fields: vec![0], system: vec![system_columns::OFFSET, system_columns::TOPIC], origins: true };
    let mut reader = source.read(&split, None, &columns).await.unwrap();
    let batches = drain(reader.as_mut(), 100).await;
    let of = |name: &str| -> Vec<i64> { batches.iter().flat_map(|rows| numbers(&rows.batch, name)).collect() };
    assert_eq!((of("id"), of(system_columns::OFFSET)), (vec![1, 4], vec![2, 6]));
    assert!(batches[0].batch.column(2).as_string::<i32>().value(0).ends_with("a.csv"));
    let origins: Vec<_> = batches.iter().flat_map(|rows| rows.origins.as_deref().unwrap()).collect();
    assert_eq!(origins[1].value.as_deref(), Some(&b"4,4"[..]));
    let said: Vec<_> = batches
        .iter()
        .flat_map(|rows| &rows.bad)
        .map(|bad| (bad.record.offset, bad.record.value.as_deref().unwrap(), bad.message.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (3, &b"\"x\ny\",2"[..], "`id`: expected BIGINT, found `x\ny`"),
            (5, &b"three,3"[..], "`id`: expected BIGINT, found `three`"),
        ]
    );
}

#[tokio::test]
async fn patterns_and_folders_name_many_files() {
    let place = Place::new();
    for (name, id) in
        [("in/a.jsonl", 1), ("in/b.jsonl", 2), ("in/deep/c.jsonl", 3), ("in/.hidden.jsonl", 9), ("in/x.txt", 8)]
    {
        place.put(name, format!("{{\"id\":{id}}}\n"));
    }
    for (path, expected) in
        [("in/*.jsonl", vec![1, 2]), ("in/**/*.jsonl", vec![1, 2, 3]), ("in/[ab].jsonl", vec![1, 2])]
    {
        let source = place.source(&[("path", path)]).await;
        assert_eq!(numbers(&whole(source.as_ref()).await, "id"), expected, "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let place = Place::new();
    place.put("orders.csv", "id,amount\n1,2\n");
    place.put("list.json", "[1, 2]");
    assert_eq!(place.fault(&[("path", "order.csv")]).await, "no file is at /order.csv; did you mean `orders.csv`?");
    assert_eq!(
        place.fault(&[("path", "orders.xyz")]).await,
        "`orders.xyz` does not say what it holds; set `format` to csv, json, jsonl or parquet"
    );
    assert_eq!(
        place.fault(&[]).await,
        "the connector `file` needs the option `path`; a file, a folder, or a pattern such as in/*.csv; relative to the project"
    );
    assert!(place.fault(&[("path", "list.json")]).await.starts_with("/list.json holds no JSON objects"));
    let schema = Schema::new(vec![Field::new("price", DataType::Int64, true)]);
    let source = place.open(&[("path", "orders.csv")], Some(schema.into())).await.unwrap();
    let split = source.splits().await.unwrap().remove(0);
    let Err(fault) = source.read(&split, None, &all_columns(source.as_ref())).await else { panic!("it must fail") };
    assert!(fault.what.ends_with("orders.csv:1: the header does not name the column `price`"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_gives_lines_as_they_are_completed() {
    let place = Place::new();
    place.put("log.jsonl", "{\"id\":1}\n{\"id\":");
    let source = place
        .source(&[("path", "*.jsonl"), ("watch", "true"), ("watch.interval", "10ms"), ("sample.records", "1")])
        .await;
    assert!(!source.is_bounded());
    let split = source.splits().await.unwrap().remove(0);
    let mut reader = source.read(&split, None, &all_columns(source.as_ref())).await.unwrap();
    let mut next = async || loop {
        if let Pull::Rows(rows) = reader.next(10, Duration::from_secs(10)).await.unwrap() {
            return numbers(&rows.batch, "id");
        }
    };
    assert_eq!(next().await, [1]);
    let mut file = fs::OpenOptions::new().append(true).open(place.0.path().join("log.jsonl")).unwrap();
    file.write_all(b"2}\n{\"id\":3}\n").unwrap();
    assert_eq!(next().await, [2, 3]);
    place.put("more.jsonl", "{\"id\":4}\n");
    assert_eq!(source.splits().await.unwrap().len(), 2);
}

pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("day", DataType::Utf8, true),
        Field::new("amount", DataType::Decimal128(10, 2), true),
    ]))
}

pub(super) fn rows(ids: &[i64], days: &[&str]) -> SinkRows {
    let amounts = Decimal128Array::from(ids.iter().map(|id| i128::from(*id) * 100 + 25).collect::<Vec<_>>());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.to_vec())),
        Arc::new(StringArray::from(days.to_vec())),
        Arc::new(amounts.with_precision_and_scale(10, 2).unwrap()),
    ];
    let batch = RecordBatch::try_new(schema(), columns).unwrap();
    SinkRows { times: ScalarBuffer::from(vec![0; ids.len()]), batch, ops: None }
}

#[tokio::test]
async fn rows_are_visible_whole_after_a_flush_and_not_before() {
    let place = Place::new();
    let mut sink = place.sink(&schema(), &[("path", "out/o.csv")], false, false);
    sink.open().await.unwrap();
    sink.write(rows(&[1], &["mon"])).await.unwrap();
    assert!(place.names().is_empty());
    sink.flush().await.unwrap();
    assert_eq!(place.text("out/o.csv"), "id,day,amount\n1,mon,1.25\n");
    sink.write(rows(&[2], &["tue"])).await.unwrap();
    sink.close(true).await.unwrap();
    assert_eq!(place.text("out/o.csv"), "id,day,amount\n1,mon,1.25\n2,tue,2.25\n");
    let mut again = place.sink(&schema(), &[("path", "out/o.csv")], false, false);
    again.write(rows(&[3], &["wed"])).await.unwrap();
    again.close(true).await.unwrap();
    assert!(place.text("out/o.csv").ends_with("2,tue,2.25\n3,wed,3.25\n"));
    let mut over = place.sink(&schema(), &[("path", "out/o.csv"), ("mode", "overwrite")], false, false);
    over.write(rows(&[4], &["thu"])).await.unwrap();
    over.flush().await.unwrap();
    over.write(rows(&[5], &["fri"])).await.unwrap();
    over.close(true).await.unwrap();
    assert_eq!(place.text("out/o.csv"), "id,day,amount\n4,thu,4.25\n5,fri,5.25\n");
    assert_eq!(fs::read_dir(place.0.path().join("out")).unwrap().count(), 1);
}

#[tokio::test]
async fn an_epoch_is_committed_once_also_after_a_crash_in_the_middle() {
    for name in ["o.jsonl", "o.jsonl.gz", "o.jsonl.zst", "o.parquet"] {
        let place = Place::new();
        let options = [("path", name)];
        let mut sink = place.sink(&schema(), &options, true, false);
        assert_eq!(sink.open().await.unwrap(), None);
        sink.write(rows(&[1, 2], &["a", "b"])).await.unwrap();
        let first = sink.prepare(1).await.unwrap().unwrap();
        assert!(place.names().is_empty(), "{name}");
        sink.commit(1, &first).await.unwrap();
        sink.write(rows(&[3], &["c"])).await.unwrap();
        let second = sink.prepare(2).await.unwrap().unwrap();
        drop(sink);
        let mut sink = place.sink(&schema(), &options, true, false);
        sink.open().await.unwrap();
        // As if the machine had stopped when half of the bytes were there.
        if name != "o.parquet" {
            let mut file = fs::OpenOptions::new().append(true).open(place.0.path().join(name)).unwrap();
            file.write_all(b"{\"ha").unwrap();
        }
        sink.commit(2, &second).await.unwrap();
        sink.commit(2, &second).await.unwrap();
        assert_eq!(sink.prepare(3).await.unwrap(), None);
        sink.write(rows(&[4], &["lost"])).await.unwrap();
        sink.close(false).await.unwrap();
        let pattern = name.replacen("o.", "o*.", 1);
        let source = place.source(&[("path", &pattern)]).await;
        let mut ids = numbers(&whole(source.as_ref()).await, "id");
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3], "{name}");
        let hidden = fs::read_dir(place.0.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
        assert_eq!(hidden.count(), 0, "{name}");
    }
}

#[tokio::test]
async fn files_are_rolled_and_partitioned() {
    let place = Place::new();
    let options = [("path", "o.jsonl"), ("roll.size", "60"), ("partition_by", "day")];
    let mut sink = place.sink(&schema(), &options, false, false);
    for id in 0..4 {
        sink.write(rows(&[id, id], &["mon", "a/b"])).await.unwrap();
    }
    sink.close(true).await.unwrap();
    assert_eq!(
        place.names(),
        ["day=a%2Fb/o-00001.jsonl", "day=a%2Fb/o.jsonl", "day=mon/o-00001.jsonl", "day=mon/o.jsonl"]
    );
    assert_eq!(
        place.text("day=mon/o.jsonl"),
        "{\"id\":0,\"amount\":\"0.25\"}\n{\"id\":1,\"amount\":\"1.25\"}\n{\"id\":2,\"amount\":\"2.25\"}\n"
    );
}

#[tokio::test]
async fn parquet_keeps_types_and_reads_only_what_is_asked_for() {
    let place = Place::new();
    let mut sink = place.sink(&schema(), &[("path", "o.parquet")], false, false);
    sink.write(rows(&(0..50).collect::<Vec<_>>(), &["d"; 50])).await.unwrap();
    sink.close(true).await.unwrap();
    let source = place.source(&[("path", "o.parquet")]).await;
    assert_eq!(source.schema().fields(), schema().fields());
    assert_eq!(whole(source.as_ref()).await, rows(&(0..50).collect::<Vec<_>>(), &["d"; 50]).batch);
    let split = source.splits().await.unwrap().remove(0);
    let columns = Columns { fields: vec![2, 0], ..Columns::default() };
    let mut reader = source.read(&split, None, &columns).await.unwrap();
    let Pull::Rows(first) = reader.next(20, Duration::from_secs(10)).await.unwrap() else { panic!("rows") };
    let count = first.batch.num_rows() as i64;
    let mut rest = source.read(&split, Some(&reader.position()), &columns).await.unwrap();
    let left: Vec<i64> = drain(rest.as_mut(), 8_192).await.iter().flat_map(|rows| numbers(&rows.batch, "id")).collect();
    assert_eq!(left, (count..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn changes_say_what_happens_to_a_row() {
    let place = Place::new();
    let mut sink = place.sink(&schema(), &[("path", "o.csv")], false, true);
    let changed = SinkRows { ops: Some(Int8Array::from(vec![2, 3])), ..rows(&[1, 2], &["a", "b"]) };
    sink.write(changed).await.unwrap();
    sink.close(true).await.unwrap();
    assert_eq!(place.text("o.csv"), "_op,id,day,amount\n-U,1,a,1.25\n+U,2,b,2.25\n");
}

#[test]
fn uris_name_a_path_and_its_options() {
    let read = |uri: &str| {
        let options = FileConnector.uri(uri).unwrap();
        (options.get("path").unwrap().to_owned(), options.get("header").map(str::to_owned))
    };
    assert_eq!(read("file:///in/*.csv?header=true"), ("/in/*.csv".into(), Some("true".into())));
    assert_eq!(read("file:///a%20b/c.csv"), ("/a b/c.csv".into(), None));
    assert_eq!(read("file://in/day?.csv"), ("in/day?.csv".into(), None));
    assert!(Path::new("/in").is_absolute());
}
