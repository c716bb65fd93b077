//! What `WITH (…)` says to the engine itself: time, lateness, failures, state, delivery. The rest belongs to connectors.

use std::time::Duration;

use super::session::refused;
use super::stream::{FailureStrategy, IDLE_TIMEOUT, LateStrategy};
use crate::connectors::accept::{ENGINE_OPTIONS, engine_option, named_as_the_engine_does};
use crate::connectors::options::{self, OptionValue, Options};
use crate::core::fault::{Blame, Fault};

/// Instances of a keyed operator at most: more than the cores of the largest machines people rent.
pub const PARALLELISM_MAX: usize = 256;

/// The engine's options of one statement or one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `event.time.field`.
    pub event_time_field: Option<String>,
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
    /// `state.ttl`.
    pub state_ttl: Option<Duration>,
    /// `emit.granularity` = `record`.
    pub by_record: bool,
    /// `parallelism`.
    pub parallelism: usize,
    /// `delivery.guarantee` = `exactly_once`.
    pub exactly_once: bool,
    /// `checkpoint.interval`.
    pub checkpoint_interval: Option<Duration>,
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
        let dead_letters = options.get("dead_letter.topic").unwrap_or("dead-letters").to_owned();
        let failure =
            word(options, "failure_strategy", &["logandcontinue", "failbatch", "retrywithbackoff", "sendtodlq"])?;
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
        Ok(Self {
            event_time_field: options.get("event.time.field").map(str::to_owned),
            event_time_format: options.get("event.time.format").map(str::to_owned),
            is_processing_time: strategy.as_deref() == Some("processing_time"),
            out_of_orderness: duration(options, "watermark.max_out_of_orderness")?.unwrap_or_default(),
            idle_timeout: duration(options, "watermark.idle_timeout")?.unwrap_or(IDLE_TIMEOUT),
            lateness: duration(options, "allowed.lateness")?.unwrap_or_default(),
            late: match late.as_deref() {
                Some("dead_letter") => LateStrategy::DeadLetter,
                Some("include_in_next_window") => LateStrategy::IncludeInNextWindow,
                Some("update_previous") => LateStrategy::UpdatePrevious,
                _ => LateStrategy::Drop,
            },
            failure: match failure.as_deref() {
                Some("failbatch") => FailureStrategy::FailBatch,
                Some("retrywithbackoff") => FailureStrategy::RetryWithBackoff,
                Some("sendtodlq") => FailureStrategy::SendToDlq { topic: dead_letters },
                _ => FailureStrategy::LogAndContinue,
            },
            state_ttl: duration(options, "state.ttl")?,
            by_record: word(options, "emit.granularity", &["batch", "record"])?.as_deref() == Some("record"),
            parallelism,
            exactly_once: delivery.as_deref() == Some("exactly_once"),
            checkpoint_interval: duration(options, "checkpoint.interval")?,
        })
    }
}

fn duration(options: &Options, key: &str) -> Result<Option<Duration>, Fault> {
    let Some(value) = options.value(key) else { return Ok(None) };
    options::duration(&value.text)
        .map(Some)
        .ok_or_else(|| wrong(key, value, "a length of time: 500ms, 10s, 5m, 1h, 7d"))
}

fn word(options: &Options, key: &str, words: &[&str]) -> Result<Option<String>, Fault> {
    let Some(value) = options.value(key) else { return Ok(None) };
    let lower = value.text.trim().to_lowercase();
    // `SendToDLQ`, `send_to_dlq` and `send-to-dlq` are one word.
    let same = |word: &&&str| {
        let plain = |text: &str| text.replace(['_', '-'], "");
        plain(word) == plain(&lower)
    };
    match words.iter().find(same) {
        Some(word) => Ok(Some((*word).to_owned())),
        None => Err(wrong(key, value, &format!("one of {}", words.join(", ")))),
    }
}

fn wrong(key: &str, value: &OptionValue, takes: &str) -> Fault {
    let fault = Fault::new(Blame::Operator, format!("`{key}` takes {takes}, not `{}`", value.text));
    match &value.place {
        Some(place) => fault.at(place.clone()),
        None => fault,
    }
}

/// Options that are neither the engine's nor of an end that the statement names.
///
/// # Errors
/// The first of them, with the nearest key there is.
pub fn refuse_unknown(options: &Options, names: &[String]) -> Result<(), Fault> {
    for (key, value) in options.iter() {
        let known = engine_option(key).is_some()
            || names.iter().any(|name| key.starts_with(&format!("{}.", name.to_lowercase())));
        if !known {
            let nearest = ENGINE_OPTIONS.iter().min_by_key(|known| strsim::damerau_levenshtein(known, key));
            let nearest = nearest.copied().unwrap_or_default();
            let mut fault = refused(&format!("`{key}` is no option of this statement")).next(format!(
                "an end's options begin with its name, as `orders.topic`; the nearest key is `{nearest}`"
            ));
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
