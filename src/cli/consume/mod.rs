//! `velox-tui consume`: records of a group, one or several at a time, through an external command or to the output. A record
//! is committed after it was processed; a signal lets what is in hand finish and commits it.

mod arguments;
mod callback;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use serde::Serialize;

pub use arguments::{ConsumeArguments, EXAMPLES};

use self::callback::{Callback, Failing};
use super::audit::Audited;
use super::guard::{self, Terminal};
use super::output::{Output, Page};
use super::progress::{grouped, rate};
use super::records::Lines;
use super::session::{self, Session};
use super::{Exit, Failure, Format, sandbox, signals};
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::record::Record;
use crate::kafka::consumer::{ConsumeCounts, ConsumeEvent, ConsumeReport, consume};
use crate::kafka::stop::Stop;

/// What `consume` did. `received` is the sum of `processed`, `failed` and `returned`.
#[derive(Debug, Serialize)]
struct Report<'a> {
    environment: &'a str,
    group: &'a str,
    topics: &'a [String],
    #[serde(flatten)]
    counts: ConsumeCounts,
    elapsed_ms: u64,
    records_per_second: f64,
    stopped: bool,
}

/// Consumes until a signal, `--limit`, or what `--on-error` makes an end.
pub async fn run(arguments: &ConsumeArguments, session: &Session<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let environment = session.environment()?;
    let group = group_of(arguments, session)?;
    let guards = [(environment.name.as_str(), session::guard(environment))];
    let what = format!("consume as `{group}`, which commits its offsets,");
    let act = format!("consume {} as `{group}`", arguments.settings(&group).topics.join(", "));
    let audited = Audited::new(session, &environment.name, act);
    audited.permitted(guard::permit(&guards, &arguments.guard, &what, &mut Terminal))?;
    let mut counts = None;
    let outcome = process_all(arguments, (&environment.name, &group), session, output, &mut counts).await;
    let told = counts.map(|counts: ConsumeCounts| {
        format!("{} processed, {} failed, {} commits", counts.processed, counts.failed, counts.commits)
    });
    audited.ended(outcome.as_ref().copied(), told);
    outcome
}

/// Consumes, and shows the report. The counts are given as soon as they are final, whatever comes then.
async fn process_all(
    arguments: &ConsumeArguments,
    (environment, group): (&str, &str),
    session: &Session<'_>,
    output: &mut Output,
    final_counts: &mut Option<ConsumeCounts>,
) -> Result<Exit, Failure> {
    let connection = session.connection()?;
    session::reach(&connection).await.map_err(Failure::consuming)?;

    let settings = arguments.settings(group);
    let stop = Stop::new();
    let worker = Worker::new(arguments, &stop, output);
    let began = Instant::now();
    let work = async {
        let processing = consume(
            &connection,
            &settings,
            &stop,
            |record| {
                let worker = &worker;
                async move { worker.process(&record).await }
            },
            |event| tell(&event),
        );
        tokio::select! {
            report = processing => report,
            never = sandbox::events(&connection) => match never {},
        }
    };
    let requests: [signals::Request<'_>; 2] =
        [Box::new(|| stop.request_stop()), Box::new(|| stop.request_stop_at_once())];
    let (report, stopped) = signals::drive(work, requests).await?;
    let report = report.map_err(Failure::consuming);
    *final_counts = report.as_ref().ok().map(|report| report.counts);
    worker.finish(output).await;
    if worker.reader_left.load(Ordering::Acquire) {
        return Err(Failure::OutputClosed);
    }
    if let Some(why) = worker.unstartable.into_inner() {
        return Err(Failure::usage(
            why,
            "name a program that can be run; what was processed before is committed, and the record in hand comes again",
        ));
    }
    let report = report?;
    let elapsed = began.elapsed();
    let shown = Report {
        environment,
        group,
        topics: &settings.topics,
        counts: report.counts,
        elapsed_ms: elapsed.as_millis() as u64,
        records_per_second: report.counts.processed as f64 / elapsed.as_secs_f64(),
        stopped,
    };
    if arguments.command.is_empty() {
        // The output is taken by the records.
        beside(&shown, output.format())?;
    } else {
        output.show(&shown, |page| shown.write(page))?;
    }
    output.finish()?;
    conclude(report, stopped)
}

fn group_of(arguments: &ConsumeArguments, session: &Session<'_>) -> Result<String, Failure> {
    let configured = session.environment()?.preview()?.consumer.group_id.clone();
    arguments.group.clone().or(configured).ok_or_else(|| {
        Failure::usage("no group was named", "give --group, or set consumer.group_id in the environment's file")
    })
}

fn tell(event: &ConsumeEvent) {
    match event {
        ConsumeEvent::Summary(counts) => {
            tracing::info!(
                target: super::log::SUMMARIES,
                received = counts.received, processed = counts.processed, failed = counts.failed,
                retries = counts.retries, "so far"
            );
        }
        ConsumeEvent::Failed { place, attempt, why, is_retried } => {
            let then = if *is_retried { "it is tried again" } else { "given up" };
            tracing::warn!("{place}: attempt {attempt}: {why}; {then}");
        }
        ConsumeEvent::Trouble(fault) => tracing::warn!("{fault}"),
    }
}

fn conclude(report: ConsumeReport, stopped: bool) -> Result<Exit, Failure> {
    match report.fault {
        Some(fault) => Err(Failure::consuming(fault)),
        None if stopped => Ok(Exit::Stopped),
        None if report.counts.failed > 0 => Ok(Exit::SomeFailed),
        None => Ok(Exit::Done),
    }
}

impl Report<'_> {
    fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(self.in_words())
    }

    fn in_words(&self) -> String {
        let counts = &self.counts;
        format!(
            "{}  {} received: {} processed, {} failed, {} returned; {} retries, {} commits; {} in {:.1} s",
            self.group,
            grouped(counts.received),
            grouped(counts.processed),
            grouped(counts.failed),
            grouped(counts.returned),
            grouped(counts.retries),
            grouped(counts.commits),
            rate(self.records_per_second),
            self.elapsed_ms as f64 / 1_000.0,
        )
    }
}

/// The report beside the records: on the standard error.
fn beside(report: &Report<'_>, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Text => report.in_words(),
        Format::Json => serde_json::to_string(&serde_json::json!({ "report": report }))
            .map_err(|error| Fault::new(Blame::Program, error.to_string()))?,
    };
    // A closed standard error has no reader.
    let _ = writeln!(io::stderr(), "{text}");
    Ok(())
}

/// What processes records: commands, as many as records are at work at once, or the output.
struct Worker<'a> {
    arguments: &'a ConsumeArguments,
    stop: &'a Stop,
    /// Why the command cannot be started. That is no record's fault: none is passed over and committed for it.
    unstartable: OnceLock<String>,
    output_is_ours: bool,
    /// Commands that have no record just now. One that was given up halfway is not put back.
    free: Mutex<Vec<Callback>>,
    /// Where records go without a command.
    out: tokio::sync::Mutex<Option<(Lines, Output)>>,
    reader_left: AtomicBool,
}

impl<'a> Worker<'a> {
    fn new(arguments: &'a ConsumeArguments, stop: &'a Stop, output: &mut Output) -> Self {
        let out = arguments.command.is_empty().then(|| {
            let lines = Lines::new(arguments.print.clone(), arguments.values, output);
            (lines, output.lend())
        });
        Self {
            arguments,
            stop,
            unstartable: OnceLock::new(),
            output_is_ours: output.format() == Format::Json,
            free: Mutex::default(),
            out: out.into(),
            reader_left: AtomicBool::new(false),
        }
    }

    async fn process(&self, record: &Record) -> Result<(), String> {
        let free = self.free.hold().pop();
        match free.or_else(|| self.arguments.callback(self.output_is_ours)) {
            Some(mut callback) => {
                let outcome = callback.process(record).await;
                self.free.hold().push(callback);
                match outcome {
                    Ok(()) => Ok(()),
                    Err(Failing::Record(why)) => Err(why),
                    Err(Failing::Start(why)) => self.give_up(why).await,
                }
            }
            None => self.write(record).await,
        }
    }

    /// Ends the work without an outcome for the record in hand: the stop drops it, and it comes again.
    async fn give_up(&self, why: String) -> Result<(), String> {
        // Of several at work the first says it.
        let _ = self.unstartable.set(why);
        self.stop.request_stop_at_once();
        std::future::pending().await
    }

    async fn write(&self, record: &Record) -> Result<(), String> {
        let mut out = self.out.lock().await;
        let Some((lines, output)) = &mut *out else { return Err("there is nowhere to write it to".into()) };
        // Handed over before it is committed: what was committed was seen. A reader that stalls holds up this
        // record, and none of the other tasks of this thread.
        let written =
            tokio::task::block_in_place(|| lines.write(output.writer(), record).and_then(|()| output.finish()));
        written.map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.reader_left.store(true, Ordering::Release);
            }
            error.to_string()
        })
    }

    async fn finish(&self, output: &mut Output) {
        let callbacks = std::mem::take(&mut *self.free.hold());
        futures::future::join_all(callbacks.into_iter().map(Callback::finish)).await;
        if let Some((_, lent)) = &mut *self.out.lock().await {
            *output = lent.lend();
        }
    }
}
