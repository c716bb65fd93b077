//! Jobs that are ended at random points and go on from their checkpoints: what was committed equals an undisturbed run,
//! nothing lost and nothing twice.

use std::time::Duration;

use rand::RngExt;
use velox::core::fault::Fault;
use velox::sql::exec::job::{Ending, How, Job};
use velox::sql::exec::settings::JobSettings;

use crate::running::{TABLE, batches};
use crate::stage::{Ledger, Stage, sorted};

/// How often a job is ended: often enough to go on from what was itself gone on from.
const ENDS_MAX: usize = 8;

/// Two streams of 3,000 rows in three splits each, a batch a millisecond.
fn stage() -> Stage {
    let stage = Stage::new();
    for table in ["a", "b"] {
        let splits = (0..3).map(|split| batches(split * 1_000, 1_000, 20)).collect();
        stage.paced.put(table, splits, Duration::from_millis(2), true);
    }
    stage
}

/// Filters, computes and joins; the state of the join is on its way at every moment.
fn query(parallelism: usize, delivery: &str) -> String {
    format!(
        "{TABLE} SELECT a.k, a.v, b.v AS w FROM a JOIN b ON a.k = b.k AND a.t BETWEEN b.t - 3 AND b.t + 3
         WHERE CAST(a.v AS BIGINT) % 3 <> 1
         WITH ('parallelism' = '{parallelism}', 'delivery.guarantee' = '{delivery}', 'watermark.max_out_of_orderness' = '1h')"
    )
}

async fn undisturbed() -> Vec<String> {
    let stage = stage();
    let rows = sorted(stage.run(&query(1, "at_least_once")).await);
    assert!(rows.len() > 1_000, "{} rows", rows.len());
    rows
}

/// Runs the job with `parallelism` of each attempt, ending it at random, until it comes to its end. Answers how often it
/// went on from a checkpoint.
async fn disturbed(stage: &Stage, delivery: &str, parallelism: &[usize], ledger: Option<&Ledger>) -> usize {
    ended_at_random(stage, &|parallelism| query(parallelism, delivery), parallelism, ledger).await
}

/// The same for any query. Answers how often it went on from a checkpoint.
pub async fn ended_at_random(
    stage: &Stage,
    query: &dyn Fn(usize) -> String,
    parallelism: &[usize],
    ledger: Option<&Ledger>,
) -> usize {
    let (mut ended, mut restored) = (0, 0);
    loop {
        let sql = query(parallelism[ended % parallelism.len()]);
        // The text of the first attempt: another parallelism is no other query.
        let mut settings = stage.remembering(&query(1));
        settings.sink = ledger.map(Ledger::sink);
        let job = match stage.try_start(&sql, settings).await {
            Ok(job) => job,
            Err(fault) => panic!("after {ended} ends: {fault}"),
        };
        restored += usize::from(job.messages().iter().any(|message| message.contains("checkpoint")));
        let run = async { if ended < ENDS_MAX { until_unlucky(stage, &job).await } else { Some(job.wait().await) } };
        match tokio::time::timeout(Duration::from_secs(60), run).await.expect("it makes progress") {
            None => {
                // It may have failed on purpose in the same moment.
                if let Err(fault) = job.cancel().await {
                    assert!(fault.what.contains("transaction"), "{fault}");
                }
            }
            Some(Ok(ending)) => {
                assert_eq!(ending.how, How::Finished);
                return restored;
            }
            // The ledger failed on purpose.
            Some(Err(fault)) => assert!(fault.what.contains("transaction"), "{fault}"),
        }
        ended += 1;
        assert!(ended <= ENDS_MAX + 1, "it does not come to its end");
    }
}

/// Runs until a random moment: one time in three soon after the start, else soon after a checkpoint, so that there is
/// progress on a slow machine too.
async fn until_unlucky(stage: &Stage, job: &Job) -> Option<Result<Ending, Fault>> {
    let (soon, patience) = {
        let mut random = rand::rng();
        (random.random_ratio(1, 3), Duration::from_micros(random.random_range(0..40_000)))
    };
    let before = checkpoint(stage);
    let unlucky = async {
        while !soon && checkpoint(stage) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        ending = job.wait() => Some(ending),
        () = unlucky => None,
    }
}

/// The newest checkpoint that is whole.
fn checkpoint(stage: &Stage) -> Option<u64> {
    let checkpoints = std::fs::read_dir(stage.state.path().join("job/checkpoints")).into_iter().flatten().flatten();
    let whole = checkpoints.filter(|checkpoint| checkpoint.path().join("manifest.json").is_file());
    whole.filter_map(|checkpoint| checkpoint.file_name().to_str()?.parse().ok()).max()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_ended_at_random_points_writes_every_row_once() {
    let expected = undisturbed().await;
    for parallelism in [&[1][..], &[3], &[1, 3, 2]] {
        let stage = stage();
        let restored = disturbed(&stage, "exactly_once", parallelism, None).await;
        assert!(restored > 0, "it never went on from a checkpoint");
        assert_eq!(sorted(stage.written("screen")), expected, "{parallelism:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_are_open_at_an_end_are_whole_after_it() {
    let query = |parallelism: usize| {
        format!(
            "{TABLE} SELECT k, COUNT(*) AS n, SUM(CAST(v AS DECIMAL(18, 2))) AS sum, window_end FROM a
             WINDOW TUMBLING(500ms) GROUP BY k EMIT FINAL
             WITH ('parallelism' = '{parallelism}', 'delivery.guarantee' = 'exactly_once')"
        )
    };
    let expected = sorted(stage().run(&query(1)).await);
    assert_eq!(expected.len(), 6 * 7, "six windows of seven keys: {expected:?}");
    for parallelism in [&[1][..], &[3, 1, 2]] {
        let stage = stage();
        assert!(ended_at_random(&stage, &query, parallelism, None).await > 0, "it never went on from a checkpoint");
        assert_eq!(sorted(stage.written("screen")), expected, "{parallelism:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_remembers_decides_which_checkpoint_holds() {
    let expected = undisturbed().await;
    let (stage, ledger) = (stage(), Ledger::default());
    ledger.fail_at(2);
    disturbed(&stage, "exactly_once", &[3, 1], Some(&ledger)).await;
    assert_eq!(sorted(ledger.lines()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_has_forgotten_its_checkpoints_is_refused_before_rows_come_twice() {
    let stage = stage();
    let sql = query(1, "exactly_once");
    let settings = || {
        let mut settings = stage.remembering(&sql);
        settings.sink = Some(Ledger::default().sink());
        settings
    };
    let job = stage.start(&sql, settings()).await;
    let mut statistics = job.statistics();
    statistics.wait_for(|now| now.checkpoint.is_some_and(|checkpoint| checkpoint.epoch > 3)).await.unwrap();
    job.cancel().await.unwrap();
    let fault = stage.try_start(&sql, settings()).await.err().expect("rows would come twice");
    assert!(fault.what.starts_with("the sink remembers no checkpoint of this job"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_least_once_loses_nothing() {
    let mut expected = undisturbed().await;
    let stage = stage();
    disturbed(&stage, "at_least_once", &[2], None).await;
    let mut written = sorted(stage.written("screen"));
    assert!(written.len() >= expected.len());
    // The keys make every pair of rows one of a kind.
    written.dedup();
    expected.dedup();
    assert_eq!(written, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_goes_on_from_its_savepoint_and_a_finished_one_stays_finished() {
    let expected = undisturbed().await;
    let stage = stage();
    let sql = query(2, "exactly_once");
    let job = stage.start(&sql, stage.remembering(&sql)).await;
    let mut statistics = job.statistics();
    statistics.wait_for(|now| now.rows_read() > 500).await.unwrap();
    let epoch = job.stop_with_savepoint().await.unwrap().unwrap();
    let written = stage.written("screen").len();
    assert!(written > 0 && written < expected.len(), "{written}");

    let job = stage.start(&sql, stage.remembering(&sql)).await;
    assert!(job.messages()[0].contains(&format!("checkpoint {epoch} ")), "{:?}", job.messages());
    assert_eq!(job.wait().await.unwrap().how, How::Finished);
    assert_eq!(sorted(stage.written("screen")), expected);

    let job = stage.start(&sql, stage.remembering(&sql)).await;
    assert_eq!(job.wait().await.unwrap().how, How::Finished);
    assert_eq!(stage.written("screen").len(), expected.len(), "nothing is written again");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_text_keeps_the_state_that_fits_and_says_what_it_drops() {
    let stage = stage();
    let sql = query(1, "at_least_once");
    let job = stage.start(&sql, stage.remembering(&sql)).await;
    job.statistics().wait_for(|now| now.rows_read() > 500).await.unwrap();
    job.stop_with_savepoint().await.unwrap();

    let other = format!("{TABLE} SELECT v FROM a WHERE k = 'cat'");
    let job = stage.start(&other, stage.remembering(&other)).await;
    let said = job.warnings().join("\n");
    assert!(said.contains("the SQL text is another one"), "{said}");
    assert!(said.contains("rows of state"), "{said}");
    assert!(said.contains("windows that are open, and groups, answer for the rows that come from now on"), "{said}");
    job.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_checkpoint_the_one_before_is_used_unless_rows_would_be_written_twice() {
    let stage = stage();
    let sql = query(1, "at_least_once");
    let job = stage.start(&sql, stage.remembering(&sql)).await;
    let mut statistics = job.statistics();
    statistics.wait_for(|now| now.checkpoint.is_some_and(|checkpoint| checkpoint.epoch > 3)).await.unwrap();
    let epoch = job.stop_with_savepoint().await.unwrap().unwrap();
    let manifest = stage.state.path().join(format!("job/checkpoints/{epoch:020}/manifest.json"));
    std::fs::write(&manifest, "{ half").unwrap();

    let once = query(1, "exactly_once");
    let fault = stage.try_start(&once, stage.remembering(&sql)).await.err().expect("rows would come twice");
    assert!(fault.what.contains(&format!("checkpoint {epoch} ")) && fault.what.contains("damaged"), "{fault}");

    let job = stage.start(&sql, stage.remembering(&sql)).await;
    let said = job.messages().join("\n");
    assert!(said.contains("damaged") && said.contains(&format!("checkpoint {} ", epoch - 1)), "{said}");
    assert_eq!(job.wait().await.unwrap().how, How::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_there_is_no_savepoint() {
    let stage = stage();
    let sql = query(1, "at_least_once");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    let fault = job.stop_with_savepoint().await.unwrap_err();
    assert!(fault.next.contains("--state-dir"), "{fault}");
}
