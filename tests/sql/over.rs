//! Window functions and sessions through SQL, over input that ends and over input that does not.

use std::time::Duration;

use velox::sql::exec::settings::JobSettings;

use crate::running::TABLE;
use crate::stage::{Row, Stage, sorted};

/// Rows as (key, value, time).
fn stage(rows: &[(&'static str, i64, i64)], is_bounded: bool) -> Stage {
    let stage = Stage::new();
    let rows: Vec<Row> = rows.iter().map(|row| Row(row.0, row.1.to_string(), row.2)).collect();
    stage.paced.put("a", vec![rows.chunks(2).map(<[Row]>::to_vec).collect()], Duration::ZERO, is_bounded);
    stage
}

const ROWS: [(&str, i64, i64); 7] = [
    ("x", 10, 1_000),
    ("y", 7, 1_500),
    ("x", 30, 3_000),
    ("x", 20, 2_000),
    ("y", 9, 9_000),
    ("x", 20, 4_000),
    ("x", 50, 60_000),
];

#[tokio::test(flavor = "multi_thread")]
async fn all_window_functions_answer_over_input_that_ends() {
    let stage = stage(&ROWS, true);
    let sql = format!(
        "{TABLE} SELECT k, v, LAG(v) OVER w, LEAD(v) OVER w, ROW_NUMBER() OVER w, FIRST_VALUE(v) OVER w, LAST_VALUE(v) OVER w,
           NTH_VALUE(v, 2) OVER w, NTILE(2) OVER w, RANK() OVER r, DENSE_RANK() OVER r, PERCENT_RANK() OVER r, CUME_DIST() OVER r,
           SUM(v) OVER (PARTITION BY k ORDER BY s ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
           AVG(v) OVER (PARTITION BY k ORDER BY s RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW)
         FROM (SELECT k, CAST(v AS BIGINT) AS v, to_timestamp_millis(t) AS s FROM a)
         WINDOW w AS (PARTITION BY k ORDER BY s), r AS (PARTITION BY k ORDER BY v)"
    );
    let expected = [
        "x 10 NULL 20 1 10 10 NULL 1 1 1 0.0 0.2 10 10.0",
        "x 20 10 30 2 10 20 20 1 2 2 0.25 0.6 30 15.0",
        "x 30 20 20 3 10 30 20 1 4 3 0.75 0.8 50 20.0",
        "x 20 30 50 4 10 20 20 2 2 2 0.25 0.6 50 23.333333333333332",
        "x 50 20 NULL 5 10 50 20 2 5 4 1.0 1.0 70 50.0",
        "y 7 NULL 9 1 7 7 NULL 1 1 1 0.0 0.5 7 7.0",
        "y 9 7 NULL 2 7 9 9 2 2 2 1.0 1.0 16 9.0",
    ];
    assert_eq!(sorted(stage.run(&sql).await), sorted(expected.map(str::to_owned).to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_input_is_answered_as_far_as_its_watermark() {
    let stage = stage(&ROWS, false);
    let sql = format!(
        "{TABLE} SELECT k, v, LAG(v) OVER w, ROW_NUMBER() OVER w,
           SUM(v) OVER (PARTITION BY k ORDER BY s RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW)
         FROM (SELECT k, CAST(v AS BIGINT) AS v, to_timestamp_millis(t) AS s FROM a)
         WINDOW w AS (PARTITION BY k ORDER BY s)
         WITH ('watermark.max_out_of_orderness' = '5s')"
    );
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    // The last row, at one minute, waits for its successors.
    tokio::time::timeout(Duration::from_secs(20), stage.tables.written_rows("screen", 6)).await.expect("six answers");
    job.stop();
    job.wait().await.unwrap();
    let expected = ["x 10 NULL 1 10", "x 20 10 2 30", "x 30 20 3 50", "x 20 30 4 50", "y 7 NULL 1 7", "y 9 7 2 9"];
    assert_eq!(sorted(stage.written("screen")), sorted(expected.map(str::to_owned).to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_follow_each_other_make_a_session() {
    let stage = stage(&ROWS, true);
    let sql = format!(
        "{TABLE} SELECT k, COUNT(*) AS n, SUM(CAST(v AS BIGINT)) AS total FROM a GROUP BY k WINDOW SESSION(5s)
         WITH ('watermark.max_out_of_orderness' = '5s')"
    );
    let expected = ["x 4 80", "x 1 50", "y 1 7", "y 1 9"];
    assert_eq!(sorted(stage.run(&sql).await), sorted(expected.map(str::to_owned).to_vec()));
}
