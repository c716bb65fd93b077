//! Jobs that are short to say: a health check, the sandbox's events, records sent again.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::app::action::ResendRequest;
use crate::app::fact::Fact;
use crate::app::feed::Outlet;
use crate::app::model::environments::{CheckStep, StepOutcome};
use crate::app::provoke::provoke;
use crate::app::supervisor::Assignment;
use crate::core::fault::{Blame, Fault};
use crate::core::job::JobId;
use crate::core::progress::{Counts, PairProgress, RunProgress};
use crate::core::record::{Delivery, Message};
use crate::core::words::counted;
use crate::kafka::cause::{SendCause, SendFault};
use crate::kafka::client::KafkaProducer;
use crate::kafka::embedded::EmbeddedBroker;
use crate::kafka::generator::{EVENTS_PER_SECOND, Made, generate};
use crate::kafka::health::{self, Outcome, StepReport};
use crate::kafka::settings::Connection;

/// Longest time for one step of a health check: a person watches.
const STEP_WAIT_MAX: Duration = Duration::from_secs(10);
/// Steps on their way to the model; there are six.
const STEPS_MAX: usize = 8;
/// Records sent again that wait for their receipts at a time: what a stop must still wait for stays small.
const RESEND_UNCONFIRMED_MAX: usize = 100;
/// How long a stop waits for those receipts: less than the console's own grace, so that leaving it counts them, too.
const RESEND_DRAIN: Duration = Duration::from_secs(1);

/// Checks every step and tells each as it ends. Fails where one failed, so that the row of the job says so.
pub async fn check(connection: Connection, assignment: Assignment) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    let (steps, mut inbox) = tokio::sync::mpsc::channel::<StepReport>(STEPS_MAX);
    let wait = connection.request_timeout().min(STEP_WAIT_MAX);
    let checking = async {
        let reports = health::check(&connection, connection.environment().round_trip_topic(), wait, |step| {
            steps.try_send(step.clone()).ok();
        })
        .await;
        drop(steps);
        reports
    };
    let telling = async {
        while let Some(step) = inbox.recv().await {
            log_step(&step, out.job());
            out.tell(Fact::CheckStep { job: out.job(), step: shown(step) }).await;
        }
    };
    let reports = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        (reports, ()) = async { tokio::join!(checking, telling) } => reports,
    };
    let failed = reports.into_iter().find_map(|report| match report.outcome {
        Outcome::Fault(fault) => Some(fault),
        Outcome::Ok(_) | Outcome::Skipped(_) => None,
    });
    failed.map_or(Ok(()), Err)
}

/// Each step in the job's own log: what the check tried last is read there when it is stopped, too.
fn log_step(report: &StepReport, job: JobId) {
    let (name, job) = (report.step.name(), job.0);
    match &report.outcome {
        Outcome::Ok(found) => tracing::info!(target: "velox::check", job, "{name}: {found}"),
        Outcome::Skipped(why) => tracing::info!(target: "velox::check", job, "{name}: not tried: {why}"),
        Outcome::Fault(fault) => tracing::warn!(target: "velox::check", job, "{name}: {fault}"),
    }
}

fn shown(report: StepReport) -> CheckStep {
    CheckStep {
        name: report.step.name().to_owned(),
        outcome: match report.outcome {
            Outcome::Ok(found) => StepOutcome::Passed(found),
            Outcome::Fault(fault) => StepOutcome::Failed(fault),
            Outcome::Skipped(why) => StepOutcome::Skipped(why),
        },
        took_ms: report.elapsed_ms as f64,
    }
}

/// Makes plausible events in the broker of this process until it is stopped.
pub async fn sample_events(assignment: Assignment) -> Result<(), Fault> {
    provoke("job");
    let broker = super::off_the_async_threads(EmbeddedBroker::shared).await?;
    let Assignment { stop, out } = assignment;
    let job = out.job().0;
    tracing::info!(target: "velox::generator", job, "{EVENTS_PER_SECOND} events a second to {}", broker.bootstrap_servers());
    let mut losing = false;
    let made = generate(&broker, EVENTS_PER_SECOND, &stop, |made| {
        // Once: what goes on is counted, and a line ten times a second would push everything else out of the log.
        if 0 < made.failed && !std::mem::replace(&mut losing, true) {
            tracing::warn!(target: "velox::generator", job, "the broker does not take all events: they are counted as failed");
        }
        out.progress(Arc::new(progress_of(made)));
    })
    .await?;
    tracing::info!(target: "velox::generator", job, "{} acknowledged, {} failed", made.acknowledged, made.failed);
    Ok(())
}

/// Sample events as the progress of any job that sends.
fn progress_of(made: Made) -> RunProgress {
    let counts =
        Counts { planned: made.made, acknowledged: made.acknowledged, failed: made.failed, ..Counts::default() };
    RunProgress {
        pairs: vec![PairProgress { counts, bytes: made.bytes, ..PairProgress::default() }],
        ..RunProgress::default()
    }
}

/// Sends records, waits for each to be confirmed, and counts both outcomes. Stopping leaves the rest unsent and counted.
pub async fn resend(connection: Connection, request: ResendRequest, assignment: Assignment) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    let mut progress = RunProgress {
        pairs: vec![PairProgress {
            environment: request.environment.clone(),
            counts: Counts { planned: request.messages.len() as u64, ..Counts::default() },
            ..PairProgress::default()
        }],
        ..RunProgress::default()
    };
    let mut producer = KafkaProducer::new(connection);
    let connected = tokio::select! {
        () = stop.cancelled() => None,
        connected = producer.connect() => Some(connected),
    };
    let first_fault = match connected {
        Some(Ok(())) => send_all(&producer, &request.messages, &stop, &out, &mut progress).await,
        Some(Err(fault)) => {
            close(producer).await;
            return Err(fault);
        }
        None => None,
    };
    let pair = &mut progress.pairs[0];
    pair.counts.not_sent = pair.counts.open();
    let counts = pair.counts;
    out.progress(Arc::new(progress));
    close(producer).await;
    match first_fault {
        None => Ok(()),
        Some(fault) => Err(Fault::new(
            if fault.blame == Blame::Program { Blame::Record } else { fault.blame },
            format!("{} of {} not sent: {}", counts.failed, counted(counts.planned, "record"), fault.what),
        )
        .next(fault.next)),
    }
}

/// Sends the records, so many at a time, until all have their receipt. A stop sends no more, and has the client give up
/// what a broker does not confirm. Gives the first failure.
async fn send_all(
    producer: &KafkaProducer,
    messages: &[Message],
    stop: &CancellationToken,
    out: &Outlet,
    progress: &mut RunProgress,
) -> Option<Fault> {
    let mut first_fault: Option<Fault> = None;
    let mut unsent = messages.iter();
    let mut receipts = FuturesUnordered::new();
    let mut given_up = std::pin::pin!(async {
        stop.cancelled().await;
        tokio::time::sleep(RESEND_DRAIN).await;
    });
    let mut is_given_up = false;
    loop {
        while receipts.len() < RESEND_UNCONFIRMED_MAX
            && !stop.is_cancelled()
            && let Some(message) = unsent.next()
        {
            receipts.push(receipt(producer, message));
        }
        let settled = tokio::select! {
            biased;
            () = &mut given_up, if !is_given_up => {
                is_given_up = true;
                producer.abandon();
                continue;
            }
            settled = receipts.next() => settled,
        };
        let Some((message, outcome)) = settled else { break };
        let pair = &mut progress.pairs[0];
        match outcome {
            Ok(_) => {
                pair.counts.acknowledged += 1;
                pair.bytes += message.bytes() as u64;
            }
            // Given up by the stop: counted as not sent with those that were never tried.
            Err(fault) if stop.is_cancelled() && fault.cause == SendCause::Closed => {}
            Err(fault) => {
                pair.counts.failed += 1;
                first_fault = first_fault.or_else(|| Some(Fault::from(fault)));
            }
        }
        out.progress(Arc::new(progress.clone()));
    }
    first_fault
}

async fn receipt<'m>(producer: &KafkaProducer, message: &'m Message) -> (&'m Message, Result<Delivery, SendFault>) {
    (message, producer.send_message(message).await)
}

/// Closing joins the client's thread, which is not for an async one.
async fn close(producer: KafkaProducer) {
    tokio::task::spawn_blocking(move || drop(producer)).await.ok();
}
