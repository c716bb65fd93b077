//! Far more than a job takes in at once: hundreds of new splits while the sink is busy, a join whose every row meets
//! thousands behind a LIMIT. The job goes on, and ends when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use velox::connectors::contract::{BadRow, Sink, SinkRows};
use velox::core::fault::Fault;
use velox::sql::exec::job::How;
use velox::sql::exec::settings::JobSettings;

use crate::running::{TABLE, batches};
use crate::stage::{Ledger, Row, Stage, sorted};

/// Far longer than any of this takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sink whose first checkpoint takes until the source was looked at for the third time: what the second look found has
/// reached the coordinator by then.
struct Busy {
    sink: Box<dyn Sink>,
    looks: Arc<AtomicUsize>,
}

#[async_trait]
impl Sink for Busy {
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        self.sink.open().await
    }
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        self.sink.write(rows).await
    }
    async fn flush(&mut self) -> Result<(), Fault> {
        self.sink.flush().await
    }
    async fn prepare(&mut self, epoch: u64) -> Result<Option<String>, Fault> {
        while self.looks.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.sink.prepare(epoch).await
    }
    async fn commit(&mut self, epoch: u64, prepared: &str) -> Result<(), Fault> {
        self.sink.commit(epoch, prepared).await
    }
    async fn close(&mut self, is_done: bool) -> Result<(), Fault> {
        self.sink.close(is_done).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_splits_that_appear_while_the_sink_prepares_do_not_stop_the_job() {
    let stage = Stage::new();
    // The first split alone fills the way to the sink, so that its lane stands still behind the barrier.
    let first = batches(0, 100, 1);
    let others = (100..500).map(|row| batches(row, 1, 1));
    let looks = stage.paced.put_growing("a", std::iter::once(first).chain(others).collect());
    let sql = format!("{TABLE} SELECT v FROM a WITH ('delivery.guarantee' = 'exactly_once')");
    let ledger = Ledger::default();
    let mut settings = stage.remembering(&sql);
    settings.sink = Some(Box::new(Busy { sink: ledger.sink(), looks }));
    let job = stage.start(&sql, settings).await;
    let mut statistics = job.statistics();
    let all = statistics.wait_for(|now| now.rows_written() == 500);
    tokio::time::timeout(PATIENCE, all).await.expect("the job goes on").unwrap();
    job.stop();
    let ending = tokio::time::timeout(PATIENCE, job.wait()).await.expect("the job ends").unwrap();
    assert_eq!(ending.how, How::Stopped);
    assert_eq!(sorted(ledger.lines()), sorted((0..500).map(|row| row.to_string()).collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn splits_that_appeared_while_the_job_was_stopped_are_read_from_their_first_row() {
    let stage = Stage::new();
    stage.paced.put_growing("a", (0..5).map(|split| batches(split * 10, 10, 3)).collect());
    let sql = format!("{TABLE} SELECT v FROM a");
    for (until, rows) in [("the first split", 10), ("the others", 50)] {
        let job = stage.start(&sql, stage.remembering(&sql)).await;
        let mut statistics = job.statistics();
        let all = statistics.wait_for(|_| stage.written("screen").len() >= rows);
        tokio::time::timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("{until} is read")).unwrap();
        tokio::time::timeout(PATIENCE, job.stop_with_savepoint()).await.expect("the job ends").unwrap();
    }
    assert_eq!(sorted(stage.written("screen")), sorted((0..50).map(|row| row.to_string()).collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_over_a_join_whose_every_row_meets_thousands_ends_the_job() {
    let stage = Stage::new();
    let same = |rows: usize| (0..rows).map(|row| Row("ant", row.to_string(), 0)).collect::<Vec<_>>();
    // One large batch, and enough behind it to keep the lane waiting.
    let large = [vec![same(2_400)], vec![same(1); 20]].concat();
    stage.paced.put("a", vec![large], Duration::from_millis(20), true);
    stage.paced.put("b", vec![vec![same(1_200)]], Duration::ZERO, true);
    let sql =
        format!("{TABLE} SELECT a.v, b.v AS w FROM a JOIN b ON a.k = b.k AND a.t BETWEEN b.t - 3 AND b.t + 3 LIMIT 10");
    let job = stage.start(&sql, JobSettings::new("job", &sql)).await;
    let ending = tokio::time::timeout(PATIENCE, job.wait()).await.expect("the job ends").unwrap();
    assert_eq!(ending.how, How::Finished);
    assert_eq!(stage.written("screen").len(), 10);
}
