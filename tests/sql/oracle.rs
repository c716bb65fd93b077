//! Random rows, shuffled within lateness and cut into splits and batches, on any parallelism: what is final equals what
//! batch DataFusion answers over the same rows, and changes fold to the same table.

use std::sync::Arc;

use arrow::array::{Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use velox::connectors::contract::SinkRows;

use crate::stage::{Stage, folded, lines, sorted};

/// Random cases a query: each runs a job and a batch plan, and all of them stay within seconds in a debug build.
const CASES: u32 = 12;
/// How far rows are from their order, milliseconds.
const LATENESS_MS: i64 = 3_000;

/// A row, and how much later than its time it comes.
#[derive(Debug, Clone)]
struct Event {
    key: Option<u8>,
    number: Option<i64>,
    cents: Option<i64>,
    time: i64,
    delay: i64,
}

fn event() -> impl Strategy<Value = Event> {
    let key = prop::option::weighted(0.9, 0..5_u8);
    let number = prop::option::weighted(0.9, -20..20_i64);
    let cents = prop::option::weighted(0.9, -10_000..10_000_i64);
    (key, number, cents, 0..40_000_i64, 0..LATENESS_MS).prop_map(|(key, number, cents, time, delay)| Event {
        key,
        number,
        cents,
        time,
        delay,
    })
}

/// Rows of two tables, how many splits and batches they come in, and the parallelism.
fn input() -> impl Strategy<Value = ([Vec<Event>; 2], usize, usize, usize)> {
    let rows = || prop::collection::vec(event(), 0..60);
    (rows(), rows(), 1..=3_usize, 1..20_usize, 1..=4_usize)
        .prop_map(|(left, right, splits, batch, parallelism)| ([left, right].map(arranged), splits, batch, parallelism))
}

fn arranged(mut rows: Vec<Event>) -> Vec<Event> {
    rows.sort_by_key(|event| event.time + event.delay);
    rows
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("d", DataType::Decimal128(12, 2), true),
        Field::new("ts", DataType::Int64, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Millisecond, None), false),
    ]))
}

fn batch(rows: &[Event]) -> RecordBatch {
    let decimals = rows.iter().map(|row| row.cents.map(i128::from)).collect::<Decimal128Array>();
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(rows.iter().map(|row| row.key.map(|key| format!("key {key}"))).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.number).collect::<Int64Array>()),
            Arc::new(decimals.with_precision_and_scale(12, 2).unwrap()),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.time))),
            Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.time))),
        ],
    )
    .unwrap()
}

const SOURCES: &str = "CREATE SOURCE a WITH ('connector' = 'memory', 'event.time.field' = 'at');
     CREATE SOURCE b WITH ('connector' = 'memory', 'event.time.field' = 'at');\n";

async fn streamed(tables: &[Vec<Event>; 2], splits: usize, size: usize, parallelism: usize, sql: &str) -> Vec<String> {
    let stage = Stage::new();
    for (name, rows) in ["a", "b"].iter().zip(tables) {
        let mut parts = vec![Vec::new(); splits];
        for (index, row) in rows.iter().enumerate() {
            parts[index % splits].push(row.clone());
        }
        let split = |rows: &Vec<Event>| {
            let rows = rows.chunks(size).map(|rows| SinkRows {
                batch: batch(rows),
                times: rows.iter().map(|row| row.time).collect(),
                ops: None,
            });
            rows.collect()
        };
        stage.tables.put_splits(name, schema(), parts.iter().map(split).collect());
    }
    let sql = format!(
        "{SOURCES}{sql} WITH ('parallelism' = '{parallelism}', 'watermark.max_out_of_orderness' = '{LATENESS_MS}ms', 'state.ttl' = '1h')"
    );
    stage.run(&sql).await
}

async fn batched(tables: &[Vec<Event>; 2], sql: &str) -> Vec<String> {
    let session = SessionContext::new();
    for (name, rows) in ["a", "b"].iter().zip(tables) {
        let table = MemTable::try_new(schema(), vec![vec![batch(rows)]]).unwrap();
        session.register_table(*name, Arc::new(table)).unwrap();
    }
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    let rows = batches.into_iter().map(|batch| SinkRows { times: vec![0; batch.num_rows()].into(), batch, ops: None });
    lines(&rows.collect::<Vec<_>>())
}

/// Holds the two answers against each other for random rows.
fn same(stream: &str, batch: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(CASES));
    runner
        .run(&input(), |(tables, splits, size, parallelism)| {
            let (found, expected) = runtime.block_on(async {
                (streamed(&tables, splits, size, parallelism, stream).await, batched(&tables, batch).await)
            });
            prop_assert_eq!(folded(&found), folded(&expected), "{}", stream);
            if stream.contains("EMIT FINAL") {
                prop_assert_eq!(sorted(found), sorted(expected), "final rows are never taken back");
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

const AGGREGATES: &str = "COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, SUM(d) AS money, MIN(d) AS low, MAX(v) AS high, \
     COUNT(DISTINCT v) AS kinds, SUM(d) FILTER (WHERE v > 0) AS some";

#[test]
fn tumbling_windows_are_the_batch_result() {
    let batch = format!(
        "SELECT k, {AGGREGATES}, ts - ts % 10000 AS s0 FROM a WHERE v IS NULL OR v <> 3 GROUP BY k, ts - ts % 10000"
    );
    for emit in ["FINAL", "CHANGES"] {
        let stream = format!(
            "SELECT k, {AGGREGATES}, CAST(window_start AS BIGINT) AS s0 FROM a WHERE v IS NULL OR v <> 3
             WINDOW TUMBLING(10s) GROUP BY k EMIT {emit}"
        );
        same(&stream, &batch);
    }
}

#[test]
fn hopping_windows_are_the_batch_result() {
    let batch = format!(
        "SELECT k, {AGGREGATES}, ts - ts % 5000 - hop AS s0 FROM a CROSS JOIN (VALUES (0), (5000)) AS hops(hop)
         GROUP BY k, ts - ts % 5000 - hop"
    );
    for emit in ["FINAL", "CHANGES"] {
        let stream = format!(
            "SELECT k, {AGGREGATES}, CAST(window_start AS BIGINT) AS s0 FROM a WINDOW HOPPING(10s, 5s) GROUP BY k EMIT {emit}"
        );
        same(&stream, &batch);
    }
}

#[test]
fn groups_without_a_window_fold_to_the_batch_result() {
    let grouped = format!("SELECT k, {AGGREGATES} FROM a GROUP BY k HAVING COUNT(*) > 1");
    same(&format!("{grouped} EMIT CHANGES"), &grouped);
    let twice = "SELECT n, COUNT(*) AS keys, SUM(s) AS s FROM (SELECT k, COUNT(*) AS n, SUM(v) AS s FROM a GROUP BY k) GROUP BY n";
    same(twice, twice);
}

#[test]
fn grouping_sets_fold_to_the_batch_result() {
    for sets in ["ROLLUP (k, v % 3)", "CUBE (k, v % 3)", "k, ROLLUP (v % 3)", "GROUPING SETS ((k), (v % 3))"] {
        let grouped = format!(
            "SELECT k, v % 3 AS m, {AGGREGATES}, GROUPING(v % 3) AS g FROM a WHERE ts >= 0 GROUP BY {sets} HAVING COUNT(*) > 0"
        );
        same(&grouped, &grouped);
    }
    let batch = format!("SELECT k, {AGGREGATES}, ts - ts % 10000 AS s0 FROM a GROUP BY ROLLUP (k), ts - ts % 10000");
    for emit in ["FINAL", "CHANGES"] {
        let stream = format!(
            "SELECT k, {AGGREGATES}, CAST(window_start AS BIGINT) AS s0 FROM a WINDOW TUMBLING(10s)
             GROUP BY ROLLUP (k) EMIT {emit}"
        );
        same(&stream, &batch);
    }
}

#[test]
fn elements_of_arrays_are_the_batch_result() {
    let array = "CASE WHEN v > 5 THEN [v, ts, v] WHEN v < 0 THEN [ts, NULL] WHEN v = 0 THEN NULL ELSE [v] END";
    let beside = |kind: &str, on: &str| format!("FROM a {kind} JOIN UNNEST({array}) AS t (x) {on}");
    same(
        &format!("SELECT a.k, a.d, t.x {}", beside("CROSS", "")),
        &format!("SELECT k, d, UNNEST({array}) AS x FROM a"),
    );
    let filled = array.replace("THEN NULL", "THEN [NULL]");
    same(&format!("SELECT a.k, t.x {}", beside("LEFT", "ON TRUE")), &format!("SELECT k, UNNEST({filled}) AS x FROM a"));
    same(
        &format!("SELECT t.x, COUNT(*) AS n, SUM(a.d) AS s {} GROUP BY t.x", beside("CROSS", "")),
        &format!("SELECT x, COUNT(*) AS n, SUM(d) AS s FROM (SELECT d, UNNEST({array}) AS x FROM a) GROUP BY x"),
    );
    let changing = "SELECT k, UNNEST(vs) AS v, UNNEST(ds) AS d
         FROM (SELECT k, ARRAY_AGG(v ORDER BY v) AS vs, ARRAY_AGG(d ORDER BY d) FILTER (WHERE v > 0) AS ds FROM a GROUP BY k)";
    same(changing, changing);
}

#[test]
fn joins_within_a_time_are_the_batch_result() {
    let joined = |kind: &str| {
        format!(
            "SELECT a.v AS x, a.ts AS p, b.v AS y, b.ts AS q FROM a {kind} JOIN b ON a.k = b.k
             AND b.at BETWEEN a.at - INTERVAL '2' SECOND AND a.at + INTERVAL '1' SECOND"
        )
    };
    for kind in ["", "LEFT", "RIGHT", "FULL"] {
        same(&joined(kind), &joined(kind));
    }
}

#[test]
fn tables_that_are_looked_into_give_the_batch_result() {
    let joined = |kind: &str, as_of: &str, on: &str| {
        format!("SELECT a.v AS x, a.d AS p, b.v AS y, b.d AS q FROM a {kind} JOIN b {as_of} ON {on}")
    };
    let member = |kind: &str, as_of: &str| {
        format!("SELECT k, v, ts FROM a WHERE {kind} (SELECT 1 FROM b {as_of} WHERE b.k = a.k AND b.v < a.v)")
    };
    let now = "FOR SYSTEM_TIME AS OF PROCTIME()";
    for kind in ["", "LEFT"] {
        for on in ["a.k = b.k", "a.k = b.k AND a.d <= b.d", "a.v % 3 = b.v % 4 AND a.k = b.k", "a.d = b.v"] {
            same(&joined(kind, now, on), &joined(kind, "", on));
        }
    }
    for kind in ["EXISTS", "NOT EXISTS"] {
        same(&member(kind, now), &member(kind, ""));
    }
}

#[test]
fn tables_joined_with_tables_fold_to_the_batch_result() {
    let query = "SELECT x.k, x.n, y.s FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) x
         FULL JOIN (SELECT k, SUM(d) AS s FROM b GROUP BY k) y ON x.k = y.k";
    same(query, query);
}

#[test]
fn membership_folds_to_the_batch_result() {
    let query = "SELECT k, v, ts FROM a WHERE v IN (SELECT v FROM b WHERE d > 0)";
    same(query, query);
    let query = "SELECT k, v, ts FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.v = a.v)";
    same(query, query);
}

#[test]
fn sessions_are_the_batch_result() {
    let batch = format!(
        "SELECT k, {AGGREGATES}, MIN(ts) AS s0, MAX(ts) + 3000 AS e0 FROM (
           SELECT *, SUM(begins) OVER (PARTITION BY k ORDER BY ts) AS session FROM (
             SELECT *, CASE WHEN ts - LAG(ts) OVER (PARTITION BY k ORDER BY ts) <= 3000 THEN 0 ELSE 1 END AS begins FROM a))
         GROUP BY k, session"
    );
    for emit in ["FINAL", "CHANGES"] {
        let stream = format!(
            "SELECT k, {AGGREGATES}, CAST(window_start AS BIGINT) AS s0, CAST(window_end AS BIGINT) AS e0 FROM a
             WINDOW SESSION(3s) GROUP BY k EMIT {emit}"
        );
        same(&stream, &batch);
    }
}

#[test]
fn cumulating_windows_are_the_batch_result() {
    let batch = format!(
        "SELECT k, {AGGREGATES}, ts - ts % 10000 + step AS e0
         FROM a CROSS JOIN (VALUES (2000), (4000), (6000), (8000), (10000)) AS steps(step)
         WHERE ts % 10000 < step GROUP BY k, ts - ts % 10000 + step"
    );
    let stream = format!(
        "SELECT k, {AGGREGATES}, CAST(window_end AS BIGINT) AS e0
         FROM CUMULATE(a, at, INTERVAL '2' SECOND, INTERVAL '10' SECOND) GROUP BY k, window_start, window_end EMIT FINAL"
    );
    same(&stream, &batch);
}

#[test]
fn first_rows_and_newest_rows_fold_to_the_batch_result() {
    let ranked = |columns: &str, by: &str, order: &str, rank: &str| {
        format!(
            "SELECT {columns} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY {order}) AS rn FROM a) WHERE rn {rank}"
        )
    };
    for query in [
        ranked("k, v, ts", "k", "v DESC, ts, d", "<= 3"),
        ranked("k, v, ts, rn", "k", "v DESC, ts, d", "<= 3"),
        ranked("ts, v", "v", "ts, d DESC", "= 1"),
        // Of rows of one time either may be the first: their keys and times are the same.
        ranked("k, ts", "k", "at", "= 1"),
        ranked("k, ts", "k", "at DESC", "= 1"),
    ] {
        same(&query, &query);
    }
}

#[test]
fn window_functions_are_the_batch_result() {
    let query = "SELECT k, v, ts,
           SUM(v) OVER (PARTITION BY k ORDER BY at RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW) AS near,
           COUNT(*) OVER (PARTITION BY k ORDER BY at RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW) AS n,
           MAX(d) OVER (PARTITION BY k ORDER BY at) AS most,
           RANK() OVER (PARTITION BY k ORDER BY ts) AS rank, DENSE_RANK() OVER (PARTITION BY k ORDER BY v) AS dense
         FROM a";
    same(query, query);
}
