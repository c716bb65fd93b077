//! `velox-tui produce`: messages from the standard input, a file, JSON Lines or a template. Every piece that is read
//! ends in exactly one count, also when a signal ends it.

mod arguments;
mod form;
mod pieces;
mod rendered;
mod sending;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::oneshot;

pub use arguments::{EXAMPLES, ProduceArguments};

use self::arguments::OnError;
use self::pieces::Pieces;
use self::sending::{Counts, Tally};
use super::audit::Audited;
use super::guard::{self, Terminal};
use super::output::{Output, Role};
use super::progress::{self, Progress, grouped, rate, size};
use super::session::{self, Session};
use super::{Exit, Failure, signals};
use crate::core::fault::{Blame, Fault, Place};
use crate::kafka::producer::Producer;
use crate::kafka::settings::Connection;

/// A line of a pipe is rarely longer; a larger buffer saves system calls.
const READ_BUFFER_BYTES: usize = 256 * 1024;
/// After a signal, what is in flight is confirmed within this or counted as failed.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What `produce` did.
#[derive(Debug, Serialize)]
struct Report<'a> {
    environment: &'a str,
    topic: &'a str,
    #[serde(flatten)]
    counts: Counts,
    elapsed_ms: u64,
    events_per_second: f64,
    stopped: bool,
    causes: BTreeMap<String, u64>,
}

/// Sends the input.
pub async fn run(arguments: &ProduceArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let environment = session.environment()?;
    if let Some(template) = &arguments.template {
        return rendered::run(arguments, template, &environment.name, session, output).await;
    }
    let guards = [(environment.name.as_str(), session::guard(environment))];
    let what = format!("produce to `{}`", arguments.topic);
    let audited = Audited::new(session, &environment.name, &what);
    audited.permitted(guard::permit(&guards, &arguments.guard, &what, &mut Terminal))?;
    let mut counts = None;
    let outcome = send_all(arguments, &environment.name, session, output, &mut counts).await;
    let told = counts.map(|counts| {
        format!("{} acknowledged, {} failed, {} not sent", counts.acknowledged, counts.failed, counts.not_sent)
    });
    audited.ended(outcome.as_ref().copied(), told);
    outcome
}

/// Sends, and shows the report. The counts are given as soon as they are final, whatever comes then.
async fn send_all(
    arguments: &ProduceArguments,
    environment: &str,
    session: &Session<'_>,
    output: &mut Output,
    final_counts: &mut Option<Counts>,
) -> Result<Exit, Failure> {
    let connection = session.connection()?;
    session::reach(&connection).await.map_err(Failure::producing)?;
    let input = open(arguments)?;
    let began = Instant::now();
    let (tally, stopped, ending) = send(arguments, &connection, input, session.global.quiet).await?;
    let counts = tally.counts();
    *final_counts = Some(counts);
    let elapsed = began.elapsed();
    let report = Report {
        environment,
        topic: &arguments.topic,
        counts,
        elapsed_ms: elapsed.as_millis() as u64,
        events_per_second: counts.acknowledged as f64 / elapsed.as_secs_f64(),
        stopped,
        causes: tally.causes(),
    };
    output.show(&report, |page| {
        page.line(format!(
            "{}  {} acknowledged, {} failed, {} not sent of {} read",
            page.paint(if counts.failed > 0 { Role::Danger } else { Role::Success }, &arguments.topic),
            grouped(counts.acknowledged),
            grouped(counts.failed),
            grouped(counts.not_sent),
            grouped(counts.read),
        ))?;
        page.line(format!(
            "{} in {:.2} s, {}",
            size(counts.bytes),
            elapsed.as_secs_f64(),
            rate(report.events_per_second)
        ))?;
        report.causes.iter().try_for_each(|(cause, count)| page.line(format!("  {} {cause}", grouped(*count))))
    })?;
    match ending {
        Some(fault) => {
            output.finish()?;
            Err(Failure::producing(fault))
        }
        None if stopped => Ok(Exit::Stopped),
        None if counts.failed > 0 => Ok(Exit::SomeFailed),
        None => Ok(Exit::Done),
    }
}

type Input = Box<dyn BufRead + Send>;

fn open(arguments: &ProduceArguments) -> Result<Input, Failure> {
    let Some(path) = &arguments.file else {
        return Ok(Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, io::stdin())));
    };
    let file = File::open(path).map_err(|error| {
        Fault::new(Blame::Operator, format!("cannot be read: {error}")).at(Place::file(path.display().to_string()))
    })?;
    Ok(Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, file)))
}

/// Reads in a thread of its own, because a read of the standard input cannot be interrupted; waits here, because a
/// signal can.
async fn send(
    arguments: &ProduceArguments,
    connection: &Connection,
    input: Input,
    quiet: bool,
) -> Result<(Arc<Tally>, bool, Option<Fault>), Failure> {
    let tally = Arc::new(Tally::new(arguments.on_error == OnError::Stop));
    let settings = &connection.environment().producer;
    let producer = Arc::new(Producer::open(connection, settings, Arc::clone(&tally))?);
    let (done, read) = oneshot::channel();
    std::thread::Builder::new()
        .name("velox-produce".into())
        .spawn({
            let (tally, producer, form) = (Arc::clone(&tally), Arc::clone(&producer), arguments.form());
            let (pieces, rate, limit) = (Pieces::new(input, arguments.input), arguments.rate, arguments.limit);
            // Nobody waits any more after a signal.
            move || drop(done.send(sending::feed(pieces, &form, (&producer, &tally), rate, limit)))
        })
        .map_err(|error| Fault::new(Blame::Program, format!("the reader cannot be started: {error}")))?;
    let progress = Progress::open_ended(quiet);
    let reading = async {
        let mut read = read;
        let mut refresh = tokio::time::interval(progress::REFRESH);
        loop {
            tokio::select! {
                ended = &mut read => return ended,
                _ = refresh.tick() => {
                    if tally.is_stopping() || producer.ending().is_some() {
                        tally.close();
                        return Ok(Ok(()));
                    }
                    let counts = tally.counts();
                    progress.show(counts.acknowledged, format!(
                        "{} read  {} acknowledged  {} failed",
                        grouped(counts.read), grouped(counts.acknowledged), grouped(counts.failed),
                    ));
                }
            }
        }
    };
    let work = async {
        let outcome = reading.await;
        tally.close();
        outcome
    };
    let (outcome, stopped) = signals::drive(work, signals::once(|| tally.stop())).await?;
    let patience = if stopped { DRAIN_MAX } else { connection.delivery_timeout(settings) + DRAIN_MAX };
    if producer.flush(patience).await.is_err() {
        producer.abandon();
        // What was given up is settled at once; this only waits for the last receipts.
        let _ = producer.flush(DRAIN_MAX).await;
    }
    progress.clear();
    let ending = producer.ending();
    let unread = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Fault::new(Blame::Operator, format!("the input cannot be read: {error}"))),
        Err(_) => Some(Fault::new(Blame::Program, "the reader ended without a word")),
    };
    Ok((tally, stopped, ending.or(unread)))
}
