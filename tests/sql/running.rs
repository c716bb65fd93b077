//! Jobs from their first row to their end: filters, unions, limits, literal rows, idle splits, stopping.

use std::time::{Duration, Instant};

use velox::connectors::contract::{BadRow, Sink, SinkRows};
use velox::core::fault::Fault;
use velox::sql::exec::job::How;
use velox::sql::exec::settings::JobSettings;

use crate::stage::{Row, Stage, folded, sorted};

pub const TABLE: &str = "CREATE SOURCE a (k VARCHAR, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');
     CREATE SOURCE b (k VARCHAR, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');\n";

const KEYS: [&str; 7] = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"];

/// `count` rows from number `first`, in batches of `size`; times rise by one.
pub fn batches(first: usize, count: usize, size: usize) -> Vec<Vec<Row>> {
    let rows: Vec<Row> =
        (first..first + count).map(|i| Row(KEYS[i * 31 % KEYS.len()], i.to_string(), i as i64)).collect();
    rows.chunks(size).map(<[Row]>::to_vec).collect()
}

fn stage(splits: usize, rows: usize) -> Stage {
    let stage = Stage::new();
    let each = rows / splits;
    let splits = (0..splits).map(|split| batches(split * each, each, 100)).collect();
    stage.paced.put("a", splits, Duration::ZERO, true);
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_and_a_projection_give_the_same_rows_on_any_number_of_lanes() {
    let expected: Vec<String> = (0..3_000).filter(|i| i % 10 == 3).map(|i| (i * 2).to_string()).collect();
    for parallelism in [1, 3] {
        let stage = stage(4, 3_000);
        let sql = format!(
            "{TABLE} SELECT CAST(v AS BIGINT) * 2 AS twice FROM a WHERE CAST(v AS BIGINT) % 10 = 3 WITH ('parallelism' = '{parallelism}')"
        );
        assert_eq!(sorted(stage.run(&sql).await), sorted(expected.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_union_has_all_rows_of_all_inputs() {
    let stage = stage(2, 1_000);
    let sql = format!("{TABLE} SELECT v FROM a WHERE t < 10 UNION ALL SELECT v FROM a WHERE t >= 990");
    let expected = (0..10).chain(990..1_000).map(|i| i.to_string()).collect();
    assert_eq!(sorted(stage.run(&sql).await), sorted(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn literal_rows_run_to_their_end() {
    let stage = Stage::new();
    assert_eq!(stage.run("SELECT 1 + 1 AS two, 'x' AS x").await, ["2 x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changing_join_folds_to_the_same_table_on_any_number_of_instances() {
    let mut results = Vec::new();
    for parallelism in [1, 3] {
        let stage = stage(3, 300);
        stage.paced.put("b", vec![batches(0, 60, 7)], Duration::ZERO, true);
        let sql = format!(
            "{TABLE} SELECT a.k, a.v, b.v AS w FROM a JOIN b ON a.v = b.v AND a.t BETWEEN b.t AND b.t + 5 WITH ('parallelism' = '{parallelism}', 'watermark.max_out_of_orderness' = '1h')"
        );
        let rows = folded(&stage.run(&sql).await);
        assert_eq!(rows.len(), 60);
        results.push(rows);
    }
    assert_eq!(results[0], results[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_is_silent_does_not_hold_the_watermark_for_ever() {
    let stage = Stage::new();
    stage.paced.put("a", vec![batches(0, 500, 100), Vec::new()], Duration::ZERO, false);
    let sql = format!("{TABLE} SELECT v FROM a WITH ('watermark.idle_timeout' = '200ms')");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    let mut statistics = job.statistics();
    let risen = statistics.wait_for(|now| now.operators.iter().any(|one| one.watermark == Some(499)));
    tokio::time::timeout(Duration::from_secs(20), risen).await.expect("the watermark rises").unwrap();
    job.stop();
    assert_eq!(job.wait().await.unwrap().how, How::Stopped);
    assert_eq!(stage.written("screen").len(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_waits_for_its_sink_does_not_take_that_for_silence() {
    let stage = Stage::new();
    // The second split's rows are older; the sink is ten times slower than the timeout.
    let splits = vec![batches(1_000, 60, 1), batches(0, 60, 1)];
    stage.paced.put("a", splits, Duration::ZERO, true);
    let sql = format!(
        "{TABLE} SELECT k, COUNT(*) AS n FROM a WINDOW TUMBLING(1s) GROUP BY k EMIT CHANGES WITH ('watermark.idle_timeout' = '1ms', 'emit.granularity' = 'record')"
    );
    let mut settings = JobSettings::new("job", &sql);
    settings.sink = Some(Box::new(Slow));
    let ending = stage.start(&sql, settings).await.wait().await.unwrap();
    assert_eq!((ending.late, ending.bad), (0, 0));
}

/// A sink that takes its time over each batch.
struct Slow;

#[async_trait::async_trait]
impl Sink for Slow {
    async fn write(&mut self, _: SinkRows) -> Result<Vec<BadRow>, Fault> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_of_input_raises_the_watermark_to_infinity() {
    let stage = stage(2, 200);
    let sql = format!("{TABLE} SELECT v FROM a");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    assert_eq!(job.wait().await.unwrap().how, How::Finished);
    let now = job.statistics().borrow().clone();
    assert_eq!(now.operators.last().unwrap().watermark, Some(i64::MAX));
    assert_eq!((now.rows_read(), now.rows_written()), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_alone_is_out_within_a_tenth_of_a_second() {
    let stage = Stage::new();
    let batch = |value: i64| {
        let column = std::sync::Arc::new(arrow::array::Int64Array::from(vec![value])) as _;
        arrow::array::RecordBatch::try_from_iter([("v", column)]).unwrap()
    };
    let pipe = stage.tables.pipe("p", &batch(0).schema()).unwrap();
    let sql = "CREATE SOURCE p (v BIGINT) WITH ('connector' = 'memory'); SELECT v + 1 AS v FROM p";
    let job = stage.start(sql, JobSettings::new("job", sql)).await;
    let mut quickest = Duration::MAX;
    for value in 0..20 {
        let began = Instant::now();
        pipe.send(SinkRows { batch: batch(value), times: vec![value].into(), ops: None }).await.unwrap();
        stage.tables.written_rows("screen", value as usize + 1).await;
        quickest = quickest.min(began.elapsed());
    }
    // The quickest of twenty: what the engine adds, without what a busy machine does.
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
    drop(pipe);
    assert_eq!(job.wait().await.unwrap().how, How::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_job_ends_its_tasks() {
    let stage = Stage::new();
    stage.paced.put("a", vec![batches(0, 100, 10)], Duration::ZERO, false);
    let sql = format!("{TABLE} SELECT v FROM a");
    let job = stage.start(&sql, stage.remembering(&sql)).await;
    assert!(stage.try_start(&sql, stage.remembering(&sql)).await.is_err(), "one process at a time");
    assert_eq!(job.cancel().await.unwrap().how, How::Cancelled);
    let again = stage.start(&sql, stage.remembering(&sql)).await;
    again.stop();
    assert_eq!(again.wait().await.unwrap().how, How::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_is_counted_once_at_every_step() {
    let stage = Stage::new();
    let rows = (0..5).map(|time| vec![Row("k", time.to_string(), time)]).collect();
    stage.paced.put("a", vec![rows], Duration::ZERO, true);
    let sql = format!("{TABLE} SELECT k, COUNT(*) AS n FROM a GROUP BY k WITH ('emit.granularity' = 'record')");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    job.wait().await.unwrap();
    assert_eq!(stage.written("screen").len(), 9, "one comes, and four are replaced: a row of each half");
    let statistics = job.statistics().borrow().clone();
    assert_eq!((statistics.rows_read(), statistics.rows_written()), (5, 5));
    let last = statistics.operators.last().unwrap();
    assert_eq!((last.rows_in, last.rows_out), (5, 5));
}
