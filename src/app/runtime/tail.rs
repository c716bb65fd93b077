//! A live tail as a job: every record is counted, the newest of each batch are shown, and nothing waits for the screen.

use crate::app::action::TailRequest;
use crate::app::feed::TAP_RECORDS_MAX;
use crate::app::supervisor::Assignment;
use crate::core::fault::Fault;
use crate::core::job::{Phase, TailCounts};
use crate::kafka::settings::Connection;
use crate::kafka::tail::{Batch, TailReader, TailSettings};

/// Reads until it is stopped, or the broker refuses.
pub async fn tail(connection: Connection, request: TailRequest, assignment: Assignment) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    let settings = TailSettings::heads(request.start);
    let wait = connection.request_timeout();
    let mut reader = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        reader = TailReader::open(&connection, &request.topics, &settings, wait) => reader?,
    };
    let mut counts = TailCounts::default();
    let mut troubles: u32 = 0;
    loop {
        let batch = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            batch = reader.next() => match batch {
                Some(batch) => batch?,
                None => return Ok(()),
            },
        };
        match (&batch.trouble, batch.records.is_empty()) {
            (Some(fault), _) => {
                troubles += 1;
                tracing::warn!(target: "velox::tail", job = out.job().0, "{fault}");
                out.phase(Phase::Reconnecting { fault: fault.clone(), attempt: troubles }).await;
            }
            (None, false) if 0 < troubles => {
                troubles = 0;
                tracing::info!(target: "velox::tail", job = out.job().0, "goes on where it was");
                out.phase(Phase::Running).await;
            }
            _ => {}
        }
        counts.read += batch.records.len() as u64;
        counts.matched = counts.read;
        counts.bytes += batch.records.iter().map(bytes_of).sum::<u64>();
        counts.lag = batch.lag;
        show(&out, batch);
        out.counts(counts);
    }
}

/// A screen shows a few dozen: of a large batch only the end is taken along, the rest is counted.
fn show(out: &crate::app::feed::Outlet, mut batch: Batch) {
    let before = batch.records.len().saturating_sub(TAP_RECORDS_MAX);
    if 0 < before {
        out.skip(before as u64);
    }
    if !batch.records.is_empty() {
        out.show(batch.records.drain(before..));
    }
}

fn bytes_of(record: &crate::core::record::Record) -> u64 {
    (record.key.as_ref().map_or(0, Vec::len) + record.value_bytes) as u64
}
