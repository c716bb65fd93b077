//! Every operator that remembers: its job is ended at random points and goes on from its checkpoints on another number
//! of lanes, and what it has written then is what an undisturbed run writes.

use std::time::Duration;

use crate::recovery::ended_at_random;
use crate::running::batches;
use crate::stage::{End, Row, Stage, folded};

/// Rows of each stream.
const ROWS: usize = 900;
/// Lanes of one attempt after the other.
const PARALLELISM: [usize; 3] = [2, 1, 3];

/// `x` and `y` are streams whose end the planner does not know, `e` is one whose end it knows; `m` and `n` are tables,
/// and `r` is one that is looked into.
const NAMES: &str = "CREATE SOURCE a (k VARCHAR, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');
     CREATE SOURCE b (k VARCHAR, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');
     CREATE SOURCE d (k VARCHAR, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');
     CREATE TABLE m (k VARCHAR PRIMARY KEY, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');
     CREATE TABLE n (k VARCHAR PRIMARY KEY, v VARCHAR, t BIGINT) WITH ('connector' = 'paced');
     CREATE TABLE r (k VARCHAR PRIMARY KEY, v VARCHAR, t BIGINT) WITH ('connector' = 'paced', 'lookup.cache' = 'full',
       'lookup.full-cache.periodic-reload.interval' = '100ms');
     CREATE VIEW x AS SELECT k, CAST(v AS BIGINT) AS v, _event_time AS at FROM a;
     CREATE VIEW y AS SELECT k, CAST(v AS BIGINT) AS v, _event_time AS at FROM b;
     CREATE VIEW e AS SELECT k, CAST(v AS BIGINT) AS v, _event_time AS at FROM d;\n";

/// Batches in turn to three splits: the watermark rises with every batch.
fn dealt(rows: Vec<Vec<Row>>) -> Vec<Vec<Vec<Row>>> {
    let mut splits = vec![Vec::new(); 3];
    for (turn, batch) in rows.into_iter().enumerate() {
        splits[turn % 3].push(batch);
    }
    splits
}

fn stage() -> Stage {
    let stage = Stage::new();
    let pause = Duration::from_millis(2);
    for table in ["a", "b"] {
        stage.paced.put_ending(table, dealt(batches(0, ROWS, 10)), pause, End::Untold);
    }
    stage.paced.put("d", dealt(batches(0, ROWS, 10)), pause, true);
    for table in ["m", "n", "r"] {
        // Every key comes again and again, and all records of a key are in one split.
        let mut splits = vec![Vec::new(); 2];
        for row in batches(0, 120, 120).remove(0) {
            splits[usize::from(row.0 < "dog")].push(vec![row]);
        }
        stage.paced.put(table, splits, Duration::from_micros(200), true);
    }
    stage
}

/// Runs `query` undisturbed and disturbed. What it comes to has `count` rows.
async fn holds(query: &str, count: usize) {
    let text = |parallelism: usize| {
        format!(
            "{NAMES} {query} WITH ('parallelism' = '{parallelism}', 'delivery.guarantee' = 'exactly_once', 'state.ttl' = '1h')"
        )
    };
    let expected = folded(&stage().run(&text(1)).await);
    assert_eq!(expected.len(), count, "{query}\n{expected:#?}");
    let disturbed = stage();
    let restored = ended_at_random(&disturbed, &text, &PARALLELISM, None).await;
    assert!(restored > 0, "it never went on from a checkpoint: {query}");
    assert_eq!(folded(&disturbed.written("screen")), expected, "{query}\nafter {restored} checkpoints");
}

const FIGURES: &str =
    "COUNT(*) AS n, SUM(v) AS s, AVG(CAST(v AS DECIMAL(10, 2))) AS mean, MIN(v) AS low, MAX(v) AS high,
    COUNT(DISTINCT v % 5) AS kinds, SUM(v) FILTER (WHERE v % 2 = 0) AS even, MEDIAN(v) AS middle,
    FIRST_VALUE(v ORDER BY v) AS first, STRING_AGG(CAST(v AS VARCHAR), ',' ORDER BY v) AS all_of_them";

/// Each of the queries, one after the other, with the number of rows that it comes to.
async fn hold(queries: &[(&str, usize)]) {
    for (query, count) in queries {
        holds(&query.replace("FIGURES", FIGURES), *count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_a_fixed_length_are_whole() {
    hold(&[
        ("SELECT k, FIGURES, window_end FROM x WINDOW TUMBLING(100ms) GROUP BY k EMIT FINAL", 9 * 7),
        ("SELECT k, FIGURES, window_end FROM x WINDOW HOPPING(200ms, 100ms) GROUP BY k EMIT FINAL", 10 * 7),
        (
            "SELECT k, FIGURES, window_start, window_end
             FROM CUMULATE(x, at, INTERVAL '50' MILLISECOND, INTERVAL '200' MILLISECOND)
             GROUP BY k, window_start, window_end",
            20 * 7,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_windows_fold_to_the_same() {
    hold(&[
        ("SELECT k, FIGURES, window_end FROM x WINDOW TUMBLING(100ms) GROUP BY k EMIT CHANGES", 9 * 7),
        ("SELECT k, FIGURES, window_end FROM x WINDOW HOPPING(200ms, 100ms) GROUP BY k EMIT CHANGES", 10 * 7),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_whole() {
    // Sixty milliseconds of rows, forty of silence.
    let query = |emit: &str| {
        format!(
            "SELECT k, FIGURES, window_start, window_end FROM x WHERE v % 100 < 60 WINDOW SESSION(20ms) GROUP BY k EMIT {emit}"
        )
    };
    hold(&[(&query("FINAL"), 9 * 7), (&query("CHANGES"), 9 * 7), (&query("EVERY 20ms"), 9 * 7)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_windows_are_whole() {
    let windows = "SELECT k, window_start, window_end, SUM(v) AS s FROM x WINDOW TUMBLING(100ms) GROUP BY k";
    hold(&[
        (&format!("SELECT window_end, COUNT(*) AS keys, MAX(s) AS most FROM ({windows}) GROUP BY window_start, window_end"), 9),
        (
            &format!(
                "SELECT k, s, window_end FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY s DESC) AS rn
                 FROM ({windows})) WHERE rn <= 2"
            ),
            9 * 2,
        ),
    ])
    .await;
}

/// A checkpoint that is not the last may come behind the end of all input, and holds what was given then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_at_the_end_is_given_once_whichever_checkpoint_holds_it() {
    let text = format!(
        "{NAMES} SELECT k, COUNT(*) AS n FROM e GROUP BY k EMIT FINAL WITH ('delivery.guarantee' = 'exactly_once')"
    );
    for _ in 0..20 {
        let stage = stage();
        let settings = || stage.remembering(&text).every(Duration::from_millis(1));
        let job = stage.start(&text, settings()).await;
        let seen = tokio::time::timeout(Duration::from_secs(60), stage.tables.written_rows("screen", 1)).await;
        assert!(seen.is_ok(), "the results are given");
        job.cancel().await.unwrap();
        stage.start(&text, settings()).await.wait().await.unwrap();
        let keys = stage.written("screen");
        assert_eq!(keys.len(), 7, "{keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_go_on_counting() {
    hold(&[
        ("SELECT k, FIGURES FROM x GROUP BY k", 7),
        ("SELECT k, FIGURES FROM e GROUP BY k EMIT FINAL", 7),
        ("SELECT v % 60 AS g, SUM(v) AS s FROM x GROUP BY v % 60 HAVING SUM(v) % 2 = 0", 30),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_what_changes_take_back_what_they_counted() {
    hold(&[
        (
            "SELECT third, COUNT(*) AS groups, SUM(s) AS s, MAX(s) AS most, MIN(s) AS least, COUNT(DISTINCT s % 7) AS kinds
             FROM (SELECT v % 60 AS g, v % 3 AS third, SUM(v) AS s FROM x GROUP BY v % 60, v % 3) GROUP BY third",
            3,
        ),
        ("SELECT COUNT(*) AS n, SUM(CAST(v AS BIGINT)) AS s, MAX(t) AS newest FROM m", 1),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distinct_rows_and_sets_stay_distinct() {
    hold(&[
        ("SELECT DISTINCT k, v % 10 AS digit FROM x", 70),
        ("SELECT v % 50 AS g FROM x UNION SELECT v % 80 FROM y", 80),
        ("SELECT v % 50 AS g FROM x INTERSECT SELECT v % 80 FROM y WHERE v % 2 = 0", 25),
        ("SELECT v % 50 AS g FROM x EXCEPT SELECT v % 80 FROM y WHERE v % 2 = 0", 25),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_two_streams_meet_once_within_a_time() {
    for (kind, count) in [("", 480), ("LEFT", 600), ("RIGHT", 720), ("FULL", 840)] {
        let query = format!(
            "SELECT p.k, p.v, q.v AS w FROM (SELECT * FROM x WHERE v % 3 <> 1) p {kind} JOIN (SELECT * FROM y WHERE v % 100 < 80) q
             ON p.k = q.k AND q.at BETWEEN p.at - INTERVAL '3' MILLISECOND AND p.at + INTERVAL '5' MILLISECOND"
        );
        holds(&query, count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_meet_windows_once() {
    for (kind, count) in [("", 42), ("FULL", 126)] {
        let side = |name: &str, rest: i32| {
            format!(
                "(SELECT k, COUNT(*) AS n, window_start, window_end FROM {name} WHERE v / 100 % 3 <> {rest}
                  WINDOW TUMBLING(50ms) GROUP BY k)"
            )
        };
        let query = format!(
            "SELECT p.k, q.k AS other, p.n, q.n AS m, p.window_end, q.window_end AS ends FROM {} p {kind} JOIN {} q
             ON p.k = q.k AND p.window_start = q.window_start AND p.window_end = q.window_end",
            side("x", 0),
            side("y", 1)
        );
        holds(&query, count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_meets_a_table_as_it_is_and_as_it_was() {
    hold(&[
        ("SELECT x.v, m.v AS w FROM x JOIN m ON x.k = m.k", 900),
        ("SELECT x.v, m.v AS w FROM x LEFT JOIN m ON x.k = m.k AND x.v % 2 = 0", 900),
        ("SELECT a.v, r.v AS w FROM a LEFT JOIN m FOR SYSTEM_TIME AS OF a._event_time AS r ON a.k = r.k", 900),
        ("SELECT v FROM x WHERE k IN (SELECT k FROM m WHERE k > 'cat')", 514),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_looks_into_a_table_that_is_read_anew() {
    hold(&[
        ("SELECT x.k, x.v, r.v AS w FROM x LEFT JOIN r ON x.k = r.k AND x.v % 2 = 0", 900),
        ("SELECT r.v AS w, COUNT(*) AS n, SUM(x.v) AS s, window_end FROM x JOIN r ON x.k = r.k WINDOW TUMBLING(100ms) GROUP BY r.v", 9 * 7),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_on_both_sides_is_joined_once() {
    let grouped = |name: &str, by: i32| format!("(SELECT v % {by} AS g, SUM(v) AS s FROM {name} GROUP BY v % {by})");
    for (kind, count) in [("", 60), ("LEFT", 90), ("RIGHT", 60), ("FULL", 90)] {
        let (p, q) = (grouped("x", 90), grouped("y", 60));
        holds(&format!("SELECT p.g, p.s, q.g AS h, q.s AS z FROM {p} p {kind} JOIN {q} q ON p.g = q.g"), count).await;
    }
    hold(&[
        ("SELECT m.k, m.v, n.v AS w FROM m JOIN n ON m.k = n.k AND m.k <> 'eel'", 6),
        ("SELECT p.v, q.v AS w FROM x p LEFT JOIN y q ON p.v = q.v * 2", 900),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_asked_for_stay_members() {
    hold(&[
        ("SELECT v FROM x WHERE v IN (SELECT v FROM y WHERE v % 3 = 0)", 300),
        ("SELECT v FROM x WHERE v NOT IN (SELECT v FROM y WHERE v % 3 = 0)", 600),
        ("SELECT v FROM x WHERE EXISTS (SELECT 1 FROM y WHERE y.v = x.v + 600)", 300),
        ("SELECT v FROM x WHERE NOT EXISTS (SELECT 1 FROM y WHERE y.v = x.v + 600)", 600),
        ("SELECT v, (SELECT MAX(t) FROM m) AS most FROM x WHERE v % 20 = 0", 45),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_rows_and_newest_rows_are_the_same() {
    let ranked = |by: &str, order: &str| {
        format!("SELECT *, ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY {order}) AS rn FROM x")
    };
    hold(&[
        (&format!("SELECT k, v FROM ({}) WHERE rn <= 3", ranked("k", "v % 100 DESC, v")), 21),
        (&format!("SELECT k, v, rn FROM ({}) WHERE rn <= 3", ranked("k", "v % 100 DESC, v")), 21),
        (&format!("SELECT k, v FROM ({}) WHERE rn = 1", ranked("k", "at DESC")), 7),
        (&format!("SELECT k, v FROM ({}) WHERE rn = 1", ranked("v % 30", "at")), 30),
        (
            "SELECT g, s FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY s DESC) AS rn
             FROM (SELECT v % 30 AS g, SUM(v) AS s FROM x GROUP BY v % 30)) WHERE rn <= 5",
            5,
        ),
        ("SELECT k, v FROM x ORDER BY v % 100 DESC, v LIMIT 10", 10),
        ("SELECT k, v FROM e ORDER BY v % 100 DESC, v LIMIT 10 OFFSET 3", 10),
        ("SELECT k, v, t FROM m", 7),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn window_functions_know_the_rows_before() {
    hold(&[
        (
            "SELECT k, v, LAG(v, 2) OVER w AS back, ROW_NUMBER() OVER w AS rn,
               SUM(v) OVER (PARTITION BY k ORDER BY at ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS few,
               SUM(v) OVER (PARTITION BY k ORDER BY at RANGE BETWEEN INTERVAL '50' MILLISECOND PRECEDING AND CURRENT ROW) AS near
             FROM x WINDOW w AS (PARTITION BY k ORDER BY at)",
            900,
        ),
        (
            "SELECT k, v, LEAD(v) OVER w AS next, NTILE(4) OVER w AS quarter, RANK() OVER (PARTITION BY k ORDER BY v % 10) AS rank
             FROM e WINDOW w AS (PARTITION BY k ORDER BY at)",
            900,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_every_so_often_is_given_once() {
    hold(&[
        ("SELECT k, COUNT(*) AS n, SUM(v) AS s FROM x GROUP BY k EMIT EVERY 20ms", 7),
        ("SELECT COUNT(*) AS n, SUM(v) AS s FROM x EMIT EVERY 20ms", 1),
        (
            "SELECT k, COUNT(*) AS n, SUM(v) AS s, window_end FROM x WINDOW HOPPING(200ms, 100ms) GROUP BY k EMIT EVERY 20ms",
            10 * 7,
        ),
    ])
    .await;
}
