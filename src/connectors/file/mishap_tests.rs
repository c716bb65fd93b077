//! What goes wrong with files in earnest: stray quotes, rotated logs, values that do not fit, half-written lines.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::tests::{Place, all_columns, drain, numbers, rows, schema};
use super::{Context, leftovers, segment, settings};
use crate::connectors::contract::{BadRecord, Columns, Pull, SinkRows, SplitReader, system_columns};

async fn tolerant(place: &Place, name: &str, fields: &[(&str, DataType)]) -> (Vec<i64>, Vec<(i64, String, String)>) {
    let fields: Vec<_> = fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    let source = place.open(&[("path", name)], Some(Arc::new(Schema::new(fields)))).await.unwrap();
    let split = source.splits().await.unwrap().remove(0);
    let mut reader = source.read(&split, None, &all_columns(source.as_ref())).await.unwrap();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for rows in drain(reader.as_mut(), 100).await {
        good.extend(rows.batch.column(0).as_primitive::<Int64Type>().values());
        bad.extend(
            rows.bad
                .into_iter()
                .map(|bad| (bad.record.offset, String::from_utf8(bad.record.value.unwrap()).unwrap(), bad.message)),
        );
    }
    (good, bad)
}

#[tokio::test]
async fn a_stray_quote_spoils_no_line_but_its_own() {
    let place = Place::new();
    let fields = [("id", DataType::Int64), ("note", DataType::Utf8)];
    // Within a field a quote is a letter; at its beginning it opens, and what it swallows is given back.
    place.put("a.csv", "id,note\n1,5\" pipe\n2,\"two\nlines, \"\"one\"\" field\"\n3,x\n");
    let (good, bad) = tolerant(&place, "a.csv", &fields).await;
    assert_eq!((good, bad.len()), (vec![1, 2, 3], 0));
    for (rest, what) in [
        ("3,c\n4,d\n", "no quote follows"),
        ("3,c\n4,\"d\"\n", "a good quote follows"),
        ("3,\"c\nd\"\n4,e\n", "good lines that belong together follow"),
    ] {
        place.put("b.csv", format!("id,note\n1,a\n2,\"open\n{rest}"));
        let (good, bad) = tolerant(&place, "b.csv", &fields).await;
        assert_eq!(good, [1, 3, 4], "{what}");
        let lines: Vec<_> = bad.iter().map(|(line, text, _)| (*line, text.as_str())).collect();
        assert_eq!(lines, [(3, "2,\"open")], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_that_is_replaced_is_read_to_its_end_and_then_the_new_one() {
    let place = Place::new();
    let path = |name: &str| place.0.path().join(name);
    place.put("app.jsonl", "{\"id\":1}\n");
    let source = place.source(&[("path", "app.jsonl"), ("watch", "true"), ("watch.interval", "10ms")]).await;
    let split = source.splits().await.unwrap().remove(0);
    let columns = all_columns(source.as_ref());
    let mut reader = source.read(&split, None, &columns).await.unwrap();
    async fn next(reader: &mut dyn SplitReader) -> Vec<i64> {
        loop {
            if let Pull::Rows(rows) = reader.next(10, Duration::from_secs(10)).await.unwrap() {
                return numbers(&rows.batch, "id");
            }
        }
    }
    assert_eq!(next(reader.as_mut()).await, [1]);
    let before = reader.position();
    // The new file is longer than the old one from the first look on: its length says nothing.
    let mut old = fs::OpenOptions::new().append(true).open(path("app.jsonl")).unwrap();
    fs::rename(path("app.jsonl"), path("app.jsonl.1")).unwrap();
    old.write_all(b"{\"id\":2}").unwrap();
    drop(old);
    place.put("app.jsonl", "{\"id\":3}\n{\"id\":4}\n{\"id\":5}\n");
    assert_eq!(next(reader.as_mut()).await, [2]);
    assert_eq!(next(reader.as_mut()).await, [3, 4, 5]);
    let mut file = fs::OpenOptions::new().append(true).open(path("app.jsonl")).unwrap();
    file.write_all(b"{\"id\":6}\n").unwrap();
    assert_eq!(next(reader.as_mut()).await, [6]);
    let mut again = source.read(&split, Some(&before), &columns).await.unwrap();
    assert_eq!(next(again.as_mut()).await, [3, 4, 5, 6], "a position in the file before is none in this one");
    let mut further = source.read(&split, Some(&reader.position()), &columns).await.unwrap();
    file.write_all(b"{\"id\":7}\n").unwrap();
    assert_eq!(next(further.as_mut()).await, [7]);
}

#[tokio::test]
async fn values_of_parquet_that_do_not_fit_are_bad_rows_and_the_others_are_read() {
    let place = Place::new();
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("x"), Some("3"), None, Some("5")]));
    let notes: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, Some("d"), Some("e")]));
    let batch = RecordBatch::try_from_iter([("a", texts), ("note", notes)]).unwrap();
    let mut sink = place.sink(&batch.schema(), &[("path", "o.parquet")], false, false);
    sink.write(SinkRows { times: vec![0; 5].into(), batch, ops: None }).await.unwrap();
    sink.close(true).await.unwrap();
    let declared = Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("note", DataType::Utf8, false)]);
    let source = place.open(&[("path", "o.parquet")], Some(declared.into())).await.unwrap();
    let split = source.splits().await.unwrap().remove(0);
    let columns = Columns { system: vec![system_columns::OFFSET], ..all_columns(source.as_ref()) };
    let mut reader = source.read(&split, None, &columns).await.unwrap();
    let rows = drain(reader.as_mut(), 100).await.remove(0);
    let of = |index: usize| rows.batch.column(index).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
    assert_eq!((of(0), of(2)), (vec![Some(1), None, Some(5)], vec![Some(1), Some(4), Some(5)]));
    let said = |bad: &BadRecord| {
        let value = String::from_utf8(bad.record.value.clone().unwrap()).unwrap();
        (bad.record.offset, bad.class, bad.message.clone(), value)
    };
    assert_eq!(
        rows.bad.iter().map(said).collect::<Vec<_>>(),
        [
            (2, "type_mismatch", "`a`: expected BIGINT, found `x`".into(), r#"{"a":"x","note":"b"}"#.into()),
            (
                3,
                "missing_field",
                "`note`: the value is missing, and the column is NOT NULL".into(),
                r#"{"a":"3"}"#.into()
            ),
        ]
    );
}

#[tokio::test]
async fn quiet_makes_no_file_of_parquet_but_a_checkpoint_a_roll_and_the_end_do() {
    let place = Place::new();
    let mut sink = place.sink(&schema(), &[("path", "o.parquet"), ("roll.interval", "1h")], false, false);
    for id in 0..5 {
        sink.write(rows(&[id], &["mon"])).await.unwrap();
        assert!(!sink.settle().await.unwrap(), "rows wait");
    }
    assert!(place.names().is_empty());
    sink.flush().await.unwrap();
    assert_eq!(place.names(), ["o.parquet"]);
    assert!(sink.settle().await.unwrap(), "nothing waits");
    sink.write(rows(&[5], &["mon"])).await.unwrap();
    sink.close(true).await.unwrap();
    assert_eq!(place.names(), ["o-00001.parquet", "o.parquet"]);
    // A file that is old enough, or large enough, is made visible by a moment of quiet, not only by its next row.
    for (option, name) in [("roll.interval", "old"), ("roll.size", "large")] {
        let path = format!("{name}/o.parquet");
        let options = [("path", path.as_str()), (option, if option == "roll.size" { "1" } else { "0ms" })];
        let mut sink = place.sink(&schema(), &options, false, false);
        sink.write(rows(&[1], &["mon"])).await.unwrap();
        assert!(sink.settle().await.unwrap(), "{name}");
        assert!(place.names().contains(&path), "{name}");
    }
    let mut lines = place.sink(&schema(), &[("path", "o.jsonl")], false, false);
    lines.write(rows(&[1], &["mon"])).await.unwrap();
    assert!(lines.settle().await.unwrap());
    assert!(place.names().contains(&"o.jsonl".to_owned()), "lines are seen at once");
}

#[tokio::test]
async fn a_half_that_a_killed_run_added_is_cut_off_and_nothing_is_glued_to_a_torn_line() {
    for name in ["o.jsonl", "o.jsonl.gz", "o.jsonl.zst"] {
        let place = Place::new();
        let path = place.0.path().join(name);
        let mut sink = place.sink(&schema(), &[("path", name)], false, false);
        sink.write(rows(&[1], &["mon"])).await.unwrap();
        sink.close(true).await.unwrap();
        let whole = fs::read(&path).unwrap();
        // As a kill in the middle of the copy leaves it: a hidden file, a note, and some of its bytes.
        let hidden = place.0.path().join(leftovers::hidden_name(name, "job one", 1));
        let compression = settings::Settings::of(
            &[("path", name)].into_iter().collect(),
            "f",
            &Context { kafka: None, absent: None, folder: place.0.path().to_owned() },
        );
        let compression = compression.unwrap().compression_of(&path);
        let behind = Some(whole.len() as u64);
        let mut segment = segment::Segment::text(hidden, path.clone(), behind, compression).unwrap();
        segment.write(b"{\"id\":2,\"day\":\"tue\",\"amount\":\"2.25\"}\n").unwrap();
        let finished = segment.finish().unwrap();
        finished.note().unwrap();
        let bytes = fs::read(&finished.hidden).unwrap();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&bytes[..bytes.len() / 2]).unwrap();

        let mut again = place.sink(&schema(), &[("path", name)], false, false);
        again.write(rows(&[2, 3], &["tue", "wed"])).await.unwrap();
        again.close(true).await.unwrap();
        assert!(fs::read(&path).unwrap().starts_with(&whole), "{name}");
        let source = place.source(&[("path", name)]).await;
        assert_eq!(numbers(&super::tests::whole(source.as_ref()).await, "id"), [1, 2, 3], "{name}");
        assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 1, "{name}: nothing is left behind");
    }
    let place = Place::new();
    place.put("theirs.jsonl", "{\"id\":1}");
    let mut sink = place.sink(&schema(), &[("path", "theirs.jsonl")], false, false);
    for id in [2, 3] {
        sink.write(rows(&[id], &["mon"])).await.unwrap();
        sink.flush().await.unwrap();
    }
    sink.close(true).await.unwrap();
    let expected = ["{\"id\":1}", "{\"id\":2,\"day\":\"mon\",\"amount\":\"2.25\"}"];
    assert!(place.text("theirs.jsonl").starts_with(&format!("{}\n", expected.join("\n"))));
    assert_eq!(place.text("theirs.jsonl").lines().count(), 3);
}

#[tokio::test]
async fn rows_of_other_columns_are_not_added_to_a_file_of_csv() {
    let place = Place::new();
    place.put("o.csv", "id,day,amount,note\n1,mon,2.25,x\n");
    let mut sink = place.sink(&schema(), &[("path", "o.csv")], false, false);
    let written = sink.write(rows(&[2], &["tue"])).await.map(drop);
    let fault = match written {
        Ok(()) => sink.close(true).await.unwrap_err(),
        Err(fault) => fault,
    };
    assert!(
        fault.what.ends_with("begins with `id,day,amount,note`, and the rows that come are `id,day,amount`"),
        "{fault}"
    );
    assert_eq!(place.text("o.csv"), "id,day,amount,note\n1,mon,2.25,x\n");
    place.put("same.csv", "\u{feff}id,\"day\",amount\r\n1,mon,2.25\r\n");
    let mut sink = place.sink(&schema(), &[("path", "same.csv")], false, false);
    sink.write(rows(&[2], &["tue"])).await.unwrap();
    sink.close(true).await.unwrap();
    assert!(place.text("same.csv").ends_with("\r\n2,tue,2.25\n"), "{}", place.text("same.csv"));
}

#[test]
fn what_somebody_else_has_added_since_is_not_cut_off() {
    let place = Place::new();
    let (hidden, target) = (place.0.path().join(".o.tmp"), place.0.path().join("o.jsonl"));
    for (there, expected) in [
        ("old\nnew1\nne", "old\n"),
        ("old\nnew1\nnew2\n", "old\nnew1\nnew2\n"),
        ("old\nnew1\nx", "old\nnew1\nx"),
        ("old\n", "old\n"),
    ] {
        place.put(".o.tmp", "new1\nnew2\n");
        place.put(".o.behind", "4");
        place.put("o.jsonl", there);
        segment::cut_half(&hidden, &target).unwrap();
        assert_eq!(place.text("o.jsonl"), expected, "{there}");
        assert!(!place.0.path().join(".o.behind").exists());
    }
}

#[tokio::test]
async fn a_path_without_an_extension_is_the_folder_of_its_partitions_and_is_read_as_such() {
    let place = Place::new();
    for (path, options, file) in [
        ("out/lines", [("format", "json"), ("compression", "none")], "part.jsonl"),
        ("out/csv", [("format", "csv"), ("compression", "gzip")], "part.csv.gz"),
        ("out/parquet", [("format", "parquet"), ("compression", "snappy")], "part.parquet"),
    ] {
        let written = [&[("path", path), ("partition_by", "day")], &options[..]].concat();
        let mut sink = place.sink(&schema(), &written, false, false);
        sink.write(rows(&[1, 2], &["mon", "tue"])).await.unwrap();
        sink.close(true).await.unwrap();
        let names: Vec<_> = place.names().into_iter().filter(|name| name.starts_with(path)).collect();
        assert_eq!(names, [format!("{path}/day=mon/{file}"), format!("{path}/day=tue/{file}")]);
        let source = place.source(&[("path", path), options[0]]).await;
        assert_eq!(source.splits().await.unwrap().len(), 2, "{path}");
        assert!(source.schema().column_with_name("day").is_some(), "{path}");
    }
}
