//! Bad records by strategy, limits, faults and panics: what one bad thing costs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use velox::connectors::contract::{BadRow, Sink, SinkRows};
use velox::core::fault::{Blame, Fault};
use velox::sql::exec::dead_letters::{DeadLetters, Letter};
use velox::sql::exec::settings::JobSettings;

use crate::running::{TABLE, batches};
use crate::stage::Stage;

/// Ten splits of 2,000 rows; every thousandth row of all is no number.
fn poisoned() -> (Stage, Vec<(i32, i64, Vec<u8>)>) {
    let stage = Stage::new();
    let mut bad = Vec::new();
    let mut splits = Vec::new();
    for split in 0..10 {
        let mut rows = batches(split * 2_000, 2_000, 250);
        for offset in [17_usize, 1_703] {
            let word = format!("no number {offset}");
            rows[offset / 250][offset % 250].1.clone_from(&word);
            bad.push((split as i32, offset as i64, word.into_bytes()));
        }
        splits.push(rows);
    }
    stage.paced.put("a", splits, Duration::ZERO, true);
    (stage, bad)
}

#[derive(Default)]
struct Letters(Mutex<Vec<(i32, i64, Vec<u8>)>>, Mutex<Vec<Vec<String>>>);

#[async_trait]
impl DeadLetters for Letters {
    async fn send(&self, letters: &[Letter<'_>]) -> Result<(), Fault> {
        for letter in letters {
            let record = &letter.bad.record;
            self.0.lock().unwrap().push((record.partition, record.offset, record.value.clone().unwrap()));
            let headers =
                letter.headers().into_iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(&value)));
            self.1.lock().unwrap().push(headers.collect());
        }
        Ok(())
    }
    async fn flush(&self) -> Result<(), Fault> {
        Ok(())
    }
}

fn query(strategy: &str) -> String {
    format!(
        "{TABLE} SELECT CAST(v AS BIGINT) AS n FROM a WITH ('failure_strategy' = '{strategy}', 'parallelism' = '2')"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_left_out_counted_and_sampled() {
    let (stage, bad) = poisoned();
    let sql = query("LogAndContinue");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    let ending = job.wait().await.unwrap();
    assert_eq!((ending.bad, stage.written("screen").len()), (bad.len() as u64, 20_000 - bad.len()));
    let failures = job.statistics().borrow().failures.clone();
    assert_eq!(failures.by_class.get("cast"), Some(&(bad.len() as u64)));
    assert_eq!(failures.sample.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_record_is_in_the_dead_letters_whole_with_its_offset_and_why() {
    let (stage, mut bad) = poisoned();
    let letters = Arc::new(Letters::default());
    let sql = query("SendToDLQ");
    let mut settings = JobSettings::new("job", &sql);
    settings.dead_letters = Some(Arc::clone(&letters) as Arc<dyn DeadLetters>);
    stage.start(&sql, settings).await.wait().await.unwrap();
    let mut sent = letters.0.lock().unwrap().clone();
    sent.sort();
    bad.sort();
    assert_eq!(sent, bad);
    assert_eq!(stage.written("screen").len(), 20_000 - bad.len());
    let headers = letters.1.lock().unwrap()[0].clone();
    for part in ["topic=a", "app=job", "stage=project", "class=cast", "attempts=1"] {
        assert!(headers.contains(&format!("__velox.errors.{part}")), "{part}: {headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_may_not_lose_a_record_ends_with_the_first_bad_one() {
    let (stage, _) = poisoned();
    let sql = query("FailBatch");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    let fault = job.wait().await.unwrap_err();
    assert_eq!(fault.blame, Blame::Record);
    assert!(fault.what.contains("no number") && fault.next.contains("failure_strategy"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_systems_are_asked_again_a_record_that_no_retry_mends_goes_to_its_dead_letters_or_is_left_out() {
    let (stage, bad) = poisoned();
    let sql = query("RetryWithBackoff");
    let ending = stage.start(&sql, JobSettings::new("job", &sql)).await.wait().await.unwrap();
    assert_eq!((ending.bad, stage.written("screen").len()), (bad.len() as u64, 20_000 - bad.len()));

    let (stage, bad) = poisoned();
    let letters = Arc::new(Letters::default());
    let sql = query("RetryWithBackoff', 'dead_letter.topic' = 'broken");
    let mut settings = JobSettings::new("job", &sql);
    settings.dead_letters = Some(Arc::clone(&letters) as Arc<dyn DeadLetters>);
    let ending = stage.start(&sql, settings).await.wait().await.unwrap();
    assert_eq!((ending.bad, letters.0.lock().unwrap().len()), (bad.len() as u64, bad.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_without_a_place_to_go_are_refused_before_anything_runs() {
    let (stage, _) = poisoned();
    let sql = query("SendToDLQ");
    let fault = stage.try_start(&sql, JobSettings::new("job", &sql)).await.err().expect("there is no Kafka here");
    assert!(fault.what.contains("dead-letters"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_outgrows_its_limit_ends_the_job_and_names_the_operator() {
    let stage = Stage::new();
    stage.paced.put("a", vec![batches(0, 5_000, 100)], Duration::ZERO, true);
    stage.paced.put("b", vec![batches(0, 5_000, 100)], Duration::ZERO, true);
    let sql = format!(
        "{TABLE} SELECT a.v FROM a JOIN b ON a.v = b.v AND a.t BETWEEN b.t - 5 AND b.t + 5 WITH ('watermark.max_out_of_orderness' = '1h')"
    );
    let mut settings = JobSettings::new("job", &sql);
    settings.state_bytes_max = 20_000;
    let job = stage.start(&sql, settings).await;
    let fault = job.wait().await.unwrap_err();
    assert!(fault.what.contains("the state of this job") && fault.what.contains("oin"), "{fault}");
}

/// A sink with a defect.
struct Broken;

#[async_trait]
impl Sink for Broken {
    async fn write(&mut self, _: SinkRows) -> Result<Vec<BadRow>, Fault> {
        panic!("index out of range")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_task_is_the_jobs_fault_and_ends_all_its_tasks() {
    let (stage, _) = poisoned();
    let sql = query("LogAndContinue");
    let mut settings = JobSettings::new("job", &sql);
    settings.sink = Some(Box::new(Broken));
    let fault = stage.start(&sql, settings).await.wait().await.unwrap_err();
    assert_eq!(fault.blame, Blame::Program);
    assert!(fault.what.contains("index out of range"), "{fault}");
}

/// A sink that loses its system with its first two writes, and sends what it has three times over by itself.
#[derive(Default)]
struct Shaky {
    writes: u32,
}

#[async_trait]
impl Sink for Shaky {
    async fn write(&mut self, _: SinkRows) -> Result<Vec<BadRow>, Fault> {
        self.writes += 1;
        match self.writes {
            1 | 2 => Err(Fault::new(Blame::Connection, "nobody answers")),
            _ => Ok(Vec::new()),
        }
    }
    fn retries(&self) -> u64 {
        3
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sink_and_the_engine_try_again_is_counted_at_the_sink() {
    let (stage, _) = poisoned();
    let sql = query("RetryWithBackoff");
    let mut settings = JobSettings::new("job", &sql);
    settings.sink = Some(Box::new(Shaky::default()));
    let job = stage.start(&sql, settings).await;
    let statistics = job.statistics();
    job.wait().await.unwrap();
    let now = statistics.borrow().clone();
    let counted: Vec<u64> = now.operators.iter().map(|operator| operator.retries).collect();
    assert_eq!((counted.last(), counted.iter().sum::<u64>(), now.retries()), (Some(&5), 5, 5), "{counted:?}");
}
