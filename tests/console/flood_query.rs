//! A flood through a live query: the generator at full speed, the real runtime, a screen in memory. Every row is shown or
//! counted, what is held is bounded, and a frame costs what fits.

use std::io::Write;
use std::time::{Duration, Instant};

use velox::app::action::{Action, QueryRequest};
use velox::app::fact::Fact;
use velox::app::feed::{TAP_ROWS_MAX, feed};
use velox::app::model::queries::QUERY_ROWS_MAX;
use velox::app::runtime::Runtime;
use velox::app::supervisor::Supervisor;
use velox::config::{Config, Sources};
use velox::core::job::Phase;

use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(120);
/// At 30 frames a second.
const FRAME: Duration = Duration::from_millis(33);

/// What a query of this text made of the flood: rows in all, rows in view, the most that one frame brought, frame times.
struct Flooded {
    stage: Stage,
    largest: usize,
    frames: Vec<Duration>,
    took: Duration,
}

async fn flooded(sql: &str) -> Flooded {
    let mut stage = Stage::new();
    let query = QueryRequest { environment: "sandbox".into(), text: sql.into(), statement: 0 };
    stage.act(Action::RunQuery(query));
    let (intake, mut feed) = feed();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = Sources::standard(Some(root.join("config")), Some(root.join("templates")), None);
    let config = Config::load(&sources);
    let mut runtime = Runtime::new(Supervisor::new(intake), sources, config, None);
    let job = stage.model.query.expect("a query");
    for effect in std::mem::take(&mut stage.effects) {
        runtime.perform(effect);
    }
    let (began, mut largest, mut frames) = (Instant::now(), 0, Vec::new());
    while !stage.model.jobs[&job].phase.is_ending() {
        assert!(began.elapsed() < PATIENCE, "{:?}", stage.model.jobs[&job].phase);
        feed.ready().await;
        let at = Instant::now();
        for fact in feed.drain() {
            if let Fact::QueryRows { rows, .. } = &fact {
                largest = largest.max(rows.len());
            }
            stage.apply(fact);
        }
        stage.drawn(200, 60);
        frames.push(at.elapsed());
        tokio::time::sleep(FRAME.saturating_sub(at.elapsed())).await;
    }
    assert_eq!(stage.model.jobs[&job].phase, Phase::Done);
    frames.sort();
    Flooded { stage, largest, frames, took: began.elapsed() }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_appended_rows_all_are_shown_or_counted_and_a_frame_gets_no_more_than_fits() {
    const ROWS: u64 = 2_000_000;
    let sql = format!("SELECT auction, bidder, price FROM 'generator://nexmark/bid?rows={ROWS}'");
    let Flooded { stage, largest, frames, took } = flooded(&sql).await;
    let query = &stage.model.queries[&stage.model.query.expect("a query")];
    let p99 = frames[frames.len() * 99 / 100];
    writeln!(std::io::stderr(), "{ROWS} rows in {took:?}, {} frames, p99 {p99:?}, shown {}", frames.len(), query.shown)
        .expect("a standard error");
    assert_eq!((query.made(), query.shown + query.skipped), (ROWS, ROWS));
    assert!(largest <= TAP_ROWS_MAX && query.rows.len() <= QUERY_ROWS_MAX, "{largest}");
    assert_eq!(query.rows.iter().next_back().map(|row| row.born), Some(ROWS - 1), "the newest is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_result_that_changes_the_last_state_of_every_key_in_view_is_exact() {
    const ROWS: u64 = 1_000_000;
    let sql = format!(
        "SELECT price % 100 AS k, COUNT(*) AS n FROM 'generator://nexmark/bid?rows={ROWS}' GROUP BY price % 100 EMIT CHANGES"
    );
    let Flooded { stage, .. } = flooded(&sql).await;
    let query = &stage.model.queries[&stage.model.query.expect("a query")];
    assert_eq!(query.rows.len(), 100);
    let counts = query.rows.iter().map(|row| row.cells[1].as_ref().and_then(|text| text.parse::<u64>().ok()));
    assert_eq!(counts.map(Option::unwrap_or_default).sum::<u64>(), ROWS, "each key shows its last count");
    // The figures of the header, of the plan and of the rows are of the same things.
    let pipeline = &stage.model.pipelines[&query.job].pipeline;
    assert_eq!((query.rows_now(Some(pipeline)), pipeline.result_rows), (100, Some(100)));
    assert_eq!(
        (query.made(), pipeline.nodes.last().map(|sink| sink.rows_out)),
        (pipeline.rows_written, Some(query.made()))
    );
}
