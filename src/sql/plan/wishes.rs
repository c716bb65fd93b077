//! What `WITH (…)` says to the engine itself: time, lateness, failures, state, delivery. The rest belongs to connectors.

use std::time::Duration;

use super::session::refused;
use super::strategies::{FailureStrategy, LateStrategy};
use super::stream::{FullCache, IDLE_TIMEOUT};
use crate::connectors::accept::{
    ENGINE_OPTIONS, LOOKUP_CACHE, LOOKUP_RELOAD, engine_option, known_elsewhere, named_as_the_engine_does,
};
use crate::connectors::options::{self, OptionValue, Options};
use crate::core::fault::{Blame, Fault};
use crate::core::words::nearest;

/// The topic of the dead letters where none is named.
const DEAD_LETTERS: &str = "dead-letters";

/// The expression that gives a record's event time.
pub const EVENT_TIME_FIELD: &str = "event.time.field";

/// Instances of a keyed operator at most: more than the cores of the largest machines people rent.
pub const PARALLELISM_MAX: usize = 256;

/// Letters of a job's name: with what stands around it, a file's name still has room (255 bytes).
pub const JOB_NAME_MAX: usize = 100;

/// Between two readings of a lookup table, at least: a person notices no less, and a disk has other work.
pub const RELOAD_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// The engine's options of one statement or one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `event.time.format`.
    pub event_time_format: Option<String>,
    /// `watermark.strategy` = `processing_time`.
    pub is_processing_time: bool,
    /// `watermark.max_out_of_orderness`.
    pub out_of_orderness: Duration,
    /// `watermark.idle_timeout`.
    pub idle_timeout: Duration,
    /// `allowed.lateness`.
    pub lateness: Duration,
    /// `late.data.strategy`.
    pub late: LateStrategy,
    /// `failure_strategy`.
    pub failure: FailureStrategy,
    /// `dead_letter.topic`, or the topic where none is named, where records that fail or rows that are late go there.
    pub dead_letters: Option<String>,
    /// `state.ttl`.
    pub state_ttl: Option<Duration>,
    /// `state.limit`, bytes.
    pub state_limit: Option<usize>,
    /// `emit.granularity` = `record`.
    pub by_record: bool,
    /// `parallelism`.
    pub parallelism: usize,
    /// Whether `delivery.guarantee` is `exactly_once`, where it is said.
    pub exactly_once: Option<bool>,
    /// `checkpoint.interval`.
    pub checkpoint_interval: Option<Duration>,
    /// `job.name`.
    pub job_name: Option<String>,
    /// `lookup.cache` = `full`, and how often it is read again.
    pub lookup: Option<FullCache>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// A value that is none, with what it may be.
    pub fn read(options: &Options) -> Result<Self, Fault> {
        let options = &named_as_the_engine_does(options);
        let strategy = word(
            options,
            "watermark.strategy",
            &["bounded_out_of_orderness", "monotonic", "ascending", "processing_time"],
        )?;
        let dead_letters = dead_letter_topic(options)?;
        let failure =
            word(options, "failure_strategy", &["LogAndContinue", "FailBatch", "RetryWithBackoff", "SendToDLQ"])?;
        let late =
            word(options, "late.data.strategy", &["drop", "dead_letter", "include_in_next_window", "update_previous"])?;
        let delivery = word(options, "delivery.guarantee", &["at_least_once", "exactly_once"])?;
        let parallelism = match options.value("parallelism") {
            None => 1,
            Some(value) => match value.text.trim().parse() {
                Ok(instances @ 1..=PARALLELISM_MAX) => instances,
                _ => return Err(wrong("parallelism", value, &format!("a number from 1 to {PARALLELISM_MAX}"))),
            },
        };
        let late = match late.as_deref() {
            Some("dead_letter") => LateStrategy::DeadLetter,
            Some("include_in_next_window") => LateStrategy::IncludeInNextWindow,
            Some("update_previous") => LateStrategy::UpdatePrevious,
            _ => LateStrategy::Drop,
        };
        let named = || dead_letters.clone().unwrap_or_else(|| DEAD_LETTERS.to_owned());
        // Late rows go there by their own strategy alone, whatever becomes of records that fail.
        let for_late_rows = || (late == LateStrategy::DeadLetter).then(named);
        let failure = match failure.as_deref() {
            Some("FailBatch") => FailureStrategy::FailBatch,
            Some("RetryWithBackoff") => FailureStrategy::RetryWithBackoff { topic: dead_letters.clone() },
            Some("SendToDLQ") => FailureStrategy::SendToDlq { topic: named() },
            _ => FailureStrategy::LogAndContinue,
        };
        Ok(Self {
            event_time_format: options.get("event.time.format").map(str::to_owned),
            is_processing_time: strategy.as_deref() == Some("processing_time"),
            out_of_orderness: duration(options, "watermark.max_out_of_orderness")?.unwrap_or_default(),
            idle_timeout: duration(options, "watermark.idle_timeout")?.unwrap_or(IDLE_TIMEOUT),
            lateness: duration(options, "allowed.lateness")?.unwrap_or_default(),
            dead_letters: failure.dead_letters().map(str::to_owned).or_else(for_late_rows),
            late,
            failure,
            state_ttl: duration(options, "state.ttl")?,
            state_limit: bytes(options, "state.limit")?,
            by_record: word(options, "emit.granularity", &["batch", "record"])?.as_deref() == Some("record"),
            parallelism,
            exactly_once: delivery.map(|delivery| delivery == "exactly_once"),
            checkpoint_interval: duration(options, "checkpoint.interval")?,
            job_name: job_name(options)?,
            lookup: lookup(options)?,
        })
    }
}

/// Whether a table is one that is looked into. What Flink calls NONE and PARTIAL asks a system for single keys, and none
/// of the systems here can be asked so.
fn lookup(options: &Options) -> Result<Option<FullCache>, Fault> {
    let reload = duration(options, LOOKUP_RELOAD)?;
    let cache = word(options, LOOKUP_CACHE, &["full"]).map_err(|fault| {
        fault.next("the whole table is held in memory; it cannot be asked for single keys, as NONE and PARTIAL would")
    })?;
    if cache.is_some() {
        let Some(value) = options.value(LOOKUP_RELOAD).filter(|_| reload < Some(RELOAD_INTERVAL_MIN)) else {
            return Ok(Some(FullCache { reload }));
        };
        return Err(wrong(LOOKUP_RELOAD, value, &format!("{RELOAD_INTERVAL_MIN:?} or longer")));
    }
    match options.value(LOOKUP_RELOAD) {
        Some(_) => {
            let what = format!("`{LOOKUP_RELOAD}` says nothing of a table without '{LOOKUP_CACHE}' = 'full'");
            Err(options.fault(LOOKUP_RELOAD, what).next(format!("add '{LOOKUP_CACHE}' = 'full', or leave it out")))
        }
        None => Ok(None),
    }
}

/// Dead letters are written by the engine itself, to Kafka alone: with key, value and headers as they came.
fn dead_letter_topic(options: &Options) -> Result<Option<String>, Fault> {
    const KEY: &str = "dead_letter.topic";
    let Some(value) = options.value(KEY) else { return Ok(None) };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    match value.text.as_str() {
        "" => Err(wrong(KEY, value, "the name of a topic")),
        topic if topic.chars().all(is_plain) => Ok(Some(topic.to_owned())),
        _ => Err(wrong(KEY, value, "the name of a topic").next(
            "dead letters go to a topic and nowhere else: write its name, as 'orders-dlq', and read it from there",
        )),
    }
}

fn duration(options: &Options, key: &str) -> Result<Option<Duration>, Fault> {
    let Some(value) = options.value(key) else { return Ok(None) };
    options::duration(&value.text)
        .map(Some)
        .ok_or_else(|| wrong(key, value, "a length of time: 500ms, 10s, 5m, 1h, 7d"))
}

fn bytes(options: &Options, key: &str) -> Result<Option<usize>, Fault> {
    let Some(value) = options.value(key) else { return Ok(None) };
    let found = options::bytes(value.text.trim()).filter(|bytes| *bytes > 0);
    let found = found.and_then(|bytes| usize::try_from(bytes).ok());
    found.map(Some).ok_or_else(|| wrong(key, value, "a size above zero: 64MB, 2GB"))
}

/// A name that folders and transactional ids can carry.
fn job_name(options: &Options) -> Result<Option<String>, Fault> {
    let Some(value) = options.value("job.name") else { return Ok(None) };
    let name = value.text.trim();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() || name.len() > JOB_NAME_MAX || name.starts_with('.') || !name.chars().all(is_plain) {
        let takes = format!("up to {JOB_NAME_MAX} letters, digits, `-`, `_` and `.`, no `.` first");
        return Err(wrong("job.name", value, &takes));
    }
    Ok(Some(name.to_owned()))
}

fn word(options: &Options, key: &str, words: &[&str]) -> Result<Option<String>, Fault> {
    let Some(value) = options.value(key) else { return Ok(None) };
    // `SendToDLQ`, `send_to_dlq` and `send-to-dlq` are one word.
    let plain = |text: &str| text.trim().replace(['_', '-'], "").to_lowercase();
    let same = |word: &&&str| plain(word) == plain(&value.text);
    match words.iter().find(same) {
        Some(word) => Ok(Some((*word).to_owned())),
        None if words.len() > 1 => Err(wrong(key, value, &format!("one of {}", words.join(", ")))),
        None => Err(wrong(key, value, &words.concat())),
    }
}

fn wrong(key: &str, value: &OptionValue, takes: &str) -> Fault {
    let fault = Fault::new(Blame::Operator, format!("`{key}` takes {takes}, not `{}`", value.text));
    match &value.place {
        Some(place) => fault.at(place.clone()),
        None => fault,
    }
}

/// Whether a key begins with one of these names.
pub fn is_of(key: &str, names: &[String]) -> bool {
    names.iter().any(|name| key.strip_prefix(&name.to_lowercase()).is_some_and(|rest| rest.starts_with('.')))
}

/// Options that are neither the engine's nor of an end that the statement names; `sink` is the name of its own.
///
/// # Errors
/// The first of them, with the nearest key there is.
pub fn refuse_unknown(options: &Options, names: &[String], sink: Option<&str>) -> Result<(), Fault> {
    for (key, value) in options.iter() {
        if let Some(own @ (LOOKUP_CACHE | LOOKUP_RELOAD)) = engine_option(key) {
            let what = format!("`{own}` is about one table, and this is a whole query");
            return Err(options.fault(key, what).next(format!(
                "say it in the table's own WITH, or with the table's name before it, as 'rates.{own}'"
            )));
        }
        if engine_option(key).is_none() && !is_of(key, names) {
            let near = known_elsewhere(key).or_else(|| nearest(key, ENGINE_OPTIONS));
            let next = match (near, sink) {
                (Some(near), _) => {
                    format!("an end's options begin with its name, as `orders.topic`; the nearest key is `{near}`")
                }
                (None, Some(sink)) => format!("an end's options begin with its name, as `{sink}.{key}`"),
                (None, None) => "an end's options begin with its name, as `orders.topic`".to_owned(),
            };
            let mut fault = refused(&format!("`{key}` is no option of this statement")).next(next);
            if let Some(place) = &value.place {
                fault = fault.at(place.clone());
            }
            return Err(fault);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_none_says_which_there_are() {
        let options: Options = [("late.data.strategy", "ignore")].into_iter().collect();
        let fault = Settings::read(&options).expect_err("there is no such strategy");
        assert!(fault.what.contains("drop, dead_letter"), "{fault}");
    }

    #[test]
    fn a_size_and_a_name_that_are_none_say_what_they_take() {
        let read = |key: &str, text: &str| Settings::read(&[(key, text)].into_iter().collect());
        assert_eq!(read("state.limit", "64MB").map(|read| read.state_limit), Ok(Some(64 << 20)));
        for wrong in ["0", "much", "-1GB", "2 parsecs"] {
            let fault = read("state.limit", wrong).expect_err(wrong);
            assert!(fault.what.contains("a size above zero: 64MB, 2GB"), "{fault}");
        }
        assert_eq!(read("job.name", "orders-to_totals.v2").map(|read| read.job_name.is_some()), Ok(true));
        for wrong in ["", "../up", "a/b", ".hidden", "naïve", &"x".repeat(101)] {
            read("job.name", wrong).expect_err(wrong);
        }
    }

    #[test]
    fn a_table_is_looked_into_where_it_says_so() {
        let read = |given: &[(&str, &str)]| Settings::read(&given.iter().copied().collect()).map(|read| read.lookup);
        let full = |reload| Ok(Some(FullCache { reload }));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(LOOKUP_CACHE, "FULL")]), full(None));
        assert_eq!(read(&[(LOOKUP_CACHE, "full"), (LOOKUP_RELOAD, "10m")]), full(Some(Duration::from_secs(600))));
        let refused = |given: &[(&str, &str)]| read(given).expect_err("it is no such table").what;
        assert_eq!(refused(&[(LOOKUP_CACHE, "PARTIAL")]), "`lookup.cache` takes full, not `PARTIAL`");
        assert!(refused(&[(LOOKUP_RELOAD, "10m")]).contains("says nothing of a table without"));
        assert!(refused(&[(LOOKUP_CACHE, "full"), (LOOKUP_RELOAD, "5ms")]).contains("100ms or longer, not `5ms`"));
    }

    #[test]
    fn dead_letters_go_to_a_topic_alone() {
        let read = |topic: &str| Settings::read(&[("dead_letter.topic", topic)].into_iter().collect());
        for uri in ["file:///tmp/dlq.jsonl", "kafka://dlq", "dead letters", ""] {
            let fault = read(uri).expect_err(uri);
            assert!(fault.what.starts_with("`dead_letter.topic` takes the name of a topic, not"), "{fault}");
        }
        assert!(read("orders.v1_dlq-2").is_ok());
    }

    #[test]
    fn late_rows_go_to_the_dead_letters_by_their_own_strategy_alone() {
        let topic = |given: &[(&str, &str)]| {
            let read = Settings::read(&given.iter().copied().collect()).expect("they are right");
            (read.dead_letters, read.failure)
        };
        let late = ("late.data.strategy", "dead_letter");
        let (left_out, bad) = (FailureStrategy::LogAndContinue, || Some("bad".to_owned()));
        assert_eq!(topic(&[late]), (Some("dead-letters".to_owned()), left_out.clone()));
        assert_eq!(topic(&[late, ("dead_letter.topic", "bad")]), (bad(), left_out.clone()));
        assert_eq!(topic(&[("dead_letter.topic", "bad")]), (None, left_out));
        let sent = FailureStrategy::SendToDlq { topic: "bad".to_owned() };
        assert_eq!(topic(&[("failure_strategy", "SendToDLQ"), ("dead_letter.topic", "bad")]), (bad(), sent));
    }

    #[test]
    fn points_and_underscores_are_the_same() {
        let options: Options = [("failure.strategy", "FailBatch"), ("state_ttl", "5m")].into_iter().collect();
        let settings = Settings::read(&options).expect("another spelling of the same options");
        assert_eq!(settings.failure, FailureStrategy::FailBatch);
        assert_eq!(settings.state_ttl, Some(Duration::from_secs(300)));
    }

    #[test]
    fn the_documents_spelling_of_strategies_is_known() {
        let options: Options = [("failure_strategy", "SendToDLQ")].into_iter().collect();
        let settings = Settings::read(&options).expect("the documents spell it so");
        assert_eq!(settings.failure, FailureStrategy::SendToDlq { topic: "dead-letters".to_owned() });
    }
}
