//! A tail as a job: every record is counted, the newest of those that match are shown, and nothing waits for the screen. Without
//! a stop it goes on; a search of everything is done where the topics ended when it began.

use super::merge::by_time;
use super::off_the_async_threads;
use crate::app::action::TailRequest;
use crate::app::fact::Fact;
use crate::app::feed::Outlet;
use crate::app::model::Note;
use crate::app::supervisor::Assignment;
use crate::core::fault::Fault;
use crate::core::job::{Phase, TailCounts};
use crate::core::record::Record;
use crate::kafka::settings::Connection;
use crate::kafka::tail::{Batch, TailReader, TailSettings, VALUE_HEAD_MAX};
use crate::sql::predicate::Predicate;

/// Reads until it is stopped, it is over, or the broker refuses.
pub async fn tail(connection: Connection, request: TailRequest, assignment: Assignment) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        ended = read(&connection, &request, &out) => ended,
    }
}

async fn read(connection: &Connection, request: &TailRequest, out: &Outlet) -> Result<(), Fault> {
    // It reads nothing before the brokers have said where the topics begin and end.
    out.phase(Phase::Starting).await;
    let mut reading = Reading::new(request, out).await?;
    // A condition sees whole values; the view keeps their heads.
    let settings = match reading.predicate {
        Some(_) => TailSettings::whole(request.reads_from()),
        None => TailSettings::heads(request.reads_from()),
    };
    let settings = TailSettings { partitions: request.partitions.clone(), ..settings };
    let mut reader = TailReader::open(connection, &request.topics, &settings, connection.request_timeout()).await?;
    out.phase(Phase::Running).await;
    while let Some(batch) = reader.next().await {
        let mut batch = batch?;
        reading.heard(batch.trouble.take(), batch.records.is_empty()).await;
        let is_over = request.is_whole() && batch.at_end;
        reading.take(batch).await?;
        if is_over {
            break;
        }
    }
    Ok(())
}

/// What reading has come to.
struct Reading<'a> {
    out: &'a Outlet,
    is_whole: bool,
    predicate: Option<Predicate>,
    counts: TailCounts,
    /// Whether a trouble was heard that no record has come after.
    is_lost: bool,
}

impl<'a> Reading<'a> {
    async fn new(request: &TailRequest, out: &'a Outlet) -> Result<Self, Fault> {
        let predicate = match request.search.clone() {
            Some(search) => {
                let compiling = move || Predicate::compile(&search.condition).map_err(|wrong| wrong.fault);
                Some(off_the_async_threads(compiling).await?)
            }
            None => None,
        };
        let counts = TailCounts::default();
        Ok(Self { out, is_whole: request.is_whole(), predicate, counts, is_lost: false })
    }

    /// A trouble, or records that came after one.
    async fn heard(&mut self, trouble: Option<Fault>, is_empty: bool) {
        let job = self.out.job().0;
        match trouble {
            Some(fault) => {
                self.is_lost = true;
                tracing::warn!(target: "velox::tail", job, "{fault}");
                // The client tries by itself; troubles are not its attempts.
                self.out.phase(Phase::Reconnecting { fault, attempt: 0 }).await;
            }
            None if self.is_lost && !is_empty => {
                self.is_lost = false;
                tracing::info!(target: "velox::tail", job, "goes on where it was");
                self.out.phase(Phase::Running).await;
            }
            None => {}
        }
    }

    /// Counts a batch, and shows what of it matches.
    async fn take(&mut self, mut batch: Batch) -> Result<(), Fault> {
        self.counts.read += batch.records.len() as u64;
        self.counts.bytes += batch.records.iter().map(bytes_of).sum::<u64>();
        self.counts.lag = batch.lag;
        self.counts.left = self.is_whole.then_some(batch.left);
        if let Some(mut predicate) = self.predicate.take() {
            let at_end = batch.at_end;
            // A batch is milliseconds of computing: a stop need not wait for it, nor anything else on this thread.
            let sifting = move || sift(&mut predicate, &mut batch).map(|()| (predicate, batch));
            let (mut predicate, sifted) = off_the_async_threads(sifting).await?;
            batch = sifted;
            if let Some(said) = predicate.absent(at_end) {
                self.out.tell(Fact::Said(Note::warning(said))).await;
            }
            self.predicate = Some(predicate);
        }
        self.counts.matched += batch.records.len() as u64;
        self.show(batch);
        self.out.counts(self.counts);
        Ok(())
    }

    /// Of a large batch only the newest are taken along, as many as the view keeps; the rest is counted.
    fn show(&self, mut batch: Batch) {
        by_time(&mut batch.records);
        let before = batch.records.len().saturating_sub(self.out.records_max());
        if 0 < before {
            self.out.skip(before as u64);
        }
        if !batch.records.is_empty() {
            self.out.show(batch.records.drain(before..));
        }
    }
}

/// Takes out of a batch what does not match, and of the rest what no view keeps.
fn sift(predicate: &mut Predicate, batch: &mut Batch) -> Result<(), Fault> {
    let mut hits = predicate.matches(&batch.records)?.hits.into_iter();
    batch.records.retain(|_| hits.next().unwrap_or(false));
    for value in batch.records.iter_mut().filter_map(|record| record.value.as_mut()) {
        if VALUE_HEAD_MAX < value.len() {
            value.truncate(VALUE_HEAD_MAX);
            value.shrink_to_fit();
        }
    }
    Ok(())
}

fn bytes_of(record: &Record) -> u64 {
    (record.key.as_ref().map_or(0, Vec::len) + record.value_bytes) as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::app::feed::feed;
    use crate::core::fault::Blame;
    use crate::core::job::{JobId, Update};
    use crate::core::record::StartAt;

    #[tokio::test]
    async fn troubles_are_not_told_as_attempts_and_records_end_them() {
        let (intake, mut feed) = feed();
        let out = intake.outlet(JobId(1));
        let request = TailRequest {
            environment: "qa".into(),
            topics: vec!["orders".into()],
            start: StartAt::End,
            search: None,
            partitions: Vec::new(),
        };
        let mut reading = Reading::new(&request, &out).await.unwrap();
        let trouble = || Some(Fault::new(Blame::Connection, "refused"));
        for (trouble, is_empty) in [(None, false), (trouble(), true), (trouble(), true), (None, true), (None, false)] {
            reading.heard(trouble, is_empty).await;
        }
        let told = feed.drain().into_iter().map(|fact| match fact {
            Fact::Job(Update::Phase(_, Phase::Reconnecting { attempt, .. })) => format!("lost, {attempt}"),
            Fact::Job(Update::Phase(_, Phase::Running)) => "goes on".to_owned(),
            other => format!("{other:?}"),
        });
        assert_eq!(told.collect::<Vec<_>>(), ["lost, 0", "lost, 0", "goes on"]);
    }
}
