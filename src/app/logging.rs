//! From `tracing` to the log pane and the journal. It never prints, never waits, and takes secrets out of every line.

use std::fmt::{self, Write};
use std::sync::{Arc, RwLock};

use jiff::Timestamp;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::feed::Intake;
use super::journal::Journal;
use super::model::log::{Level, LogLine};
use crate::clock::now_ms;
use crate::config::Scrubber;
use crate::core::job::JobId;
use crate::core::lock::WholeRwLock;

/// What is logged where `RUST_LOG` is not set: our own steps, others' warnings.
const FILTER: &str = "warn,velox=debug";

/// Longest line, bytes: a payload that got into a message does not fill the log.
pub const LINE_BYTES_MAX: usize = 4_096;

/// Logs into the feed and the journal from now on. Fields `job` and `correlation`, of the event or of a span around it, are
/// kept apart. Nothing happens where somebody else has begun to log already.
pub fn begin(intake: Intake, journal: Option<Journal>, scrubber: Arc<RwLock<Scrubber>>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let layer = ToFeed { intake, journal, scrubber };
    tracing_subscriber::registry().with(filter).with(layer).try_init().ok();
}

struct ToFeed {
    intake: Intake,
    journal: Option<Journal>,
    scrubber: Arc<RwLock<Scrubber>>,
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for ToFeed {
    fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, id: &tracing::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(around) = span.extensions().get::<Fields>() {
                fields.job = fields.job.or(around.job);
                fields.correlation = fields.correlation.take().or_else(|| around.correlation.clone());
            }
        }
        let mut text = fields.message + &fields.rest;
        text = self.scrubber.look().scrub(&text).into_owned();
        if LINE_BYTES_MAX < text.len() {
            let cut = (0..=LINE_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(cut);
            text.push('…');
        }
        let line = LogLine {
            at_ms: now_ms(),
            level: level(*event.metadata().level()),
            target: event.metadata().target().to_owned(),
            message: text,
            correlation: fields.correlation,
            job: fields.job,
        };
        if let Some(journal) = &self.journal {
            journal.log(as_json(&line));
        }
        self.intake.log(line);
    }
}

fn as_json(line: &LogLine) -> String {
    let at = Timestamp::from_millisecond(line.at_ms).unwrap_or_default();
    let mut object = json!({
        "at": at.to_string(),
        "level": line.level.name(),
        "target": line.target,
        "message": line.message,
    });
    if let Some(correlation) = &line.correlation {
        object["correlation_id"] = json!(correlation);
    }
    if let Some(job) = line.job {
        object["job"] = json!(job.0);
    }
    object.to_string()
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Error,
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
    job: Option<JobId>,
    correlation: Option<String>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "job" => self.job = Some(JobId(value)),
            name => {
                write!(self.rest, " {name}={value}").ok();
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "correlation" | "correlation_id" => self.correlation = Some(value.to_owned()),
            "message" => self.message.push_str(value),
            name => {
                write!(self.rest, " {name}={value}").ok();
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => write!(self.message, "{value:?}").unwrap_or_default(),
            "correlation" | "correlation_id" => self.correlation = Some(format!("{value:?}")),
            name => write!(self.rest, " {name}={value:?}").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::app::fact::Fact;
    use crate::app::feed::feed;
    use crate::app::supervisor::Supervisor;
    use crate::core::fault::{Blame, Fault};
    use crate::core::job::Update;

    #[tokio::test]
    async fn start_trouble_and_ending_are_in_the_log_of_the_job() {
        let (intake, mut feed) = feed();
        let scrubber = Arc::new(RwLock::new(Scrubber::new([])));
        let layer = ToFeed { intake: intake.clone(), journal: None, scrubber };
        let log = tracing_subscriber::registry().with(EnvFilter::new(FILTER)).with(layer);
        let supervisor = Supervisor::new(intake);
        // All of a test's tasks are on its own thread.
        let _log = tracing::subscriber::set_default(log);
        let told = async {
            supervisor.start(JobId(7), |_| async {
                // As a layer below says it, which knows no jobs.
                tracing::warn!(target: "velox::kafka", "no answer");
                Err(Fault::new(Blame::Connection, "gone"))
            });
            let mut said = Vec::new();
            loop {
                feed.ready().await;
                for fact in feed.drain() {
                    match fact {
                        Fact::Log { lines, .. } => said.extend(lines.into_iter().map(|line| (line.job, line.message))),
                        Fact::Job(Update::Phase(_, phase)) if phase.is_ending() => return said,
                        _ => {}
                    }
                }
            }
        };
        let said = told.await;
        let expected = ["running", "no answer", "failed: gone"].map(|text| (Some(JobId(7)), text.to_owned()));
        assert_eq!(said, expected);
    }
}
