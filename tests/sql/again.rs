//! Jobs that had read all there was and are started again: with more to read, with nothing, with a source that does not
//! end any more, under another definition.

use std::collections::BTreeMap;
use std::time::Duration;

use velox::sql::exec::job::How;

use crate::stage::{Row, Stage};

const TABLE: &str = "CREATE SOURCE a (k VARCHAR, v VARCHAR, t BIGINT) WITH ('connector' = 'paced'); ";

/// A split whose batches hold these times, one row each.
fn split(times: &[i64]) -> Vec<Vec<Row>> {
    times.iter().map(|time| vec![Row("k", time.to_string(), *time)]).collect()
}

fn put(stage: &Stage, splits: &[&[i64]], is_bounded: bool) {
    stage.paced.put("a", splits.iter().map(|times| split(times)).collect(), Duration::ZERO, is_bounded);
}

/// Runs it to its end; what was said at its start, in one text.
async fn run(stage: &Stage, sql: &str) -> String {
    let job = stage.start(sql, stage.remembering(sql)).await;
    let said = job.messages().join("\n");
    assert_eq!(job.wait().await.unwrap().how, How::Finished);
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_read_everything_says_so_and_reads_what_was_added_since() {
    let stage = Stage::new();
    let sql = format!("{TABLE} SELECT v FROM a");
    put(&stage, &[&[1, 2], &[3]], true);
    run(&stage, &sql).await;
    assert_eq!(stage.written("screen").len(), 3);
    let said = run(&stage, &sql).await;
    assert!(said.contains("everything had been read already: nothing was added to `a` since checkpoint"), "{said}");
    assert_eq!(stage.written("screen").len(), 3, "nothing is written again");
    // One split has more, one is new, one is as it was.
    put(&stage, &[&[1, 2, 4], &[3], &[5, 6]], true);
    let said = run(&stage, &sql).await;
    assert!(said.contains("it goes on with what was added since"), "{said}");
    let mut rows = stage.written("screen").split_off(3);
    rows.sort();
    assert_eq!(rows, ["4", "5", "6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_end_any_more_is_read_on_from_where_it_had_ended() {
    let stage = Stage::new();
    let sql = format!("{TABLE} SELECT v FROM a");
    put(&stage, &[&[1, 2], &[3]], true);
    run(&stage, &sql).await;
    put(&stage, &[&[1, 2, 4], &[3]], false);
    let job = stage.start(&sql, stage.remembering(&sql)).await;
    job.statistics().wait_for(|now| now.rows_written() == 1).await.unwrap();
    assert_eq!(stage.written("screen").split_off(3), ["4"]);
    job.stop_with_savepoint().await.unwrap().expect("it goes on another time");
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_go_on_at_the_time_of_what_was_read_and_not_at_the_end_of_all_time() {
    let stage = Stage::new();
    let sql =
        format!("{TABLE} SELECT window_end, COUNT(*) AS n FROM a WINDOW TUMBLING(10ms) GROUP BY window_end EMIT FINAL");
    put(&stage, &[&[1, 12]], true);
    run(&stage, &sql).await;
    assert_eq!(stage.written("screen").len(), 2);
    // One is too late, one falls into the window that was open at the end, one into a new one.
    put(&stage, &[&[1, 12, 2, 13, 25]], true);
    let job = stage.start(&sql, stage.remembering(&sql)).await;
    let said = job.messages().join("\n");
    assert!(said.contains("a window that gets more rows gives another result of them alone"), "{said}");
    assert_eq!(job.wait().await.unwrap().late, 1);
    assert_eq!(stage.written("screen").split_off(2), ["1970-01-01T00:00:00.020 1", "1970-01-01T00:00:00.030 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_limit_ended_wants_no_more() {
    let stage = Stage::new();
    let sql = format!("{TABLE} SELECT v FROM a LIMIT 2");
    put(&stage, &[&[1, 2, 3, 4, 5, 6, 7, 8, 9]], false);
    run(&stage, &sql).await;
    let said = run(&stage, &sql).await;
    assert!(said.contains("it has all the rows it wanted"), "{said}");
    assert_eq!(stage.written("screen").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_definition_is_another_job_and_is_named() {
    let stage = Stage::new();
    let sql = format!("{TABLE} SELECT v FROM a");
    let defined = |text: &str| BTreeMap::from([("a".to_owned(), text.to_owned()), ("b".to_owned(), "same".to_owned())]);
    put(&stage, &[&[1]], true);
    let start = async |definitions| {
        let job = stage.start(&sql, stage.remembering(&sql).standing_on(definitions)).await;
        job.wait().await.unwrap();
        job.warnings().join("\n")
    };
    start(defined("one")).await;
    let same = start(defined("one")).await;
    assert!(!same.contains("another one"), "{same}");
    let other = start(defined("two")).await;
    assert!(other.contains("the definition of `a` is another one than at that checkpoint"), "{other}");
    assert!(!other.contains("SQL text"), "{other}");
}
