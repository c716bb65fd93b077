//! What `WITH (…)` takes: the engine's own options with their values, and those of connectors behind the name of an end.

use super::words::{Word, outside};
use crate::connectors::accept::{LOOKUP_CACHE, LOOKUP_RELOAD, OF_ONE_END};
use crate::connectors::contract::{End, Parameter, Takes};
use crate::connectors::registry::builtin;

/// One option that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub key: String,
    pub takes: Takes,
    pub default: Option<&'static str>,
    pub help: &'static str,
}

/// An option of the engine: its key, what it takes, its default, a line of help.
type Line = (&'static str, Takes, Option<&'static str>, &'static str);

/// The engine's options, as [`crate::sql::plan::wishes::Settings`] reads them.
const ENGINE: [Line; 21] = [
    ("event.time.field", Takes::Text, None, "the column that says when a row happened; the record's time where absent"),
    (
        "event.time.format",
        Takes::Text,
        None,
        "how that column writes a time: epoch_seconds, iso8601, %Y-%m-%d %H:%M:%S",
    ),
    (
        "watermark.strategy",
        Takes::OneOf(&["bounded_out_of_orderness", "monotonic", "ascending", "processing_time"]),
        Some("bounded_out_of_orderness"),
        "how the engine tells that no older row comes",
    ),
    ("watermark.max_out_of_orderness", Takes::Duration, Some("0ms"), "how much older than the newest row a row may be"),
    ("watermark.idle_timeout", Takes::Duration, Some("10s"), "after this silence a partition holds nothing up"),
    (
        "late.data.strategy",
        Takes::OneOf(&["drop", "dead_letter", "include_in_next_window", "update_previous"]),
        Some("drop"),
        "what happens to a row that comes after its window closed; it is counted in any case",
    ),
    ("allowed.lateness", Takes::Duration, Some("0ms"), "how long after its end a window still takes rows"),
    (
        "failure_strategy",
        Takes::OneOf(&["LogAndContinue", "FailBatch", "RetryWithBackoff", "SendToDLQ"]),
        Some("LogAndContinue"),
        "what happens to a record that cannot be processed",
    ),
    ("dead_letter.topic", Takes::Text, Some("dead-letters"), "where bad and late records go"),
    ("state.ttl", Takes::Duration, None, "how long state without a window is kept after its last change"),
    (
        "state.limit",
        Takes::Bytes,
        Some("2GB"),
        "state that the job may hold in memory; it ends with a sentence past it",
    ),
    (
        "emit.granularity",
        Takes::OneOf(&["batch", "record"]),
        Some("batch"),
        "EMIT CHANGES: one result a changed key and batch, or one a row",
    ),
    ("parallelism", Takes::Number, Some("1"), "instances of each keyed operator"),
    (
        "delivery.guarantee",
        Takes::OneOf(&["at_least_once", "exactly_once"]),
        Some("at_least_once"),
        "how often a result may stand in the sink after a fault",
    ),
    ("checkpoint.interval", Takes::Duration, None, "between two checkpoints"),
    ("job.name", Takes::Text, None, "what the job is called, in its state folder and in transactional ids"),
    (
        LOOKUP_CACHE,
        Takes::OneOf(&["full"]),
        None,
        "streams look into this table as of processing: it is held whole in memory, and is no state of the job",
    ),
    (LOOKUP_RELOAD, Takes::Duration, None, "how often a lookup table is read again; once, at the start, where absent"),
    ("connector", Takes::Text, Some("kafka"), "the system behind it"),
    ("type", Takes::Text, None, "the same as the documents write it: kafka_source, file_sink"),
    ("config_file", Takes::Text, None, "a YAML file with the options of this end"),
];

/// The options that a statement may still set. `words` are those of the whole statement.
pub(super) fn keys(words: &[Word<'_>], given: &[String]) -> Vec<Known> {
    let mut known = Vec::new();
    if words.first().is_some_and(|word| word.is("CREATE")) && !words.iter().any(|word| word.is("SELECT")) {
        let is_sink = words.iter().take(5).any(|word| word.is("SINK"));
        let end = if is_sink { End::Sink } else { End::Source };
        known.push(engine("connector"));
        known.extend(parameters(&connector(words)).filter(|one| is_offered(one, end)).map(|one| own("", one)));
        let concerns = |key: &str| !is_sink || ![LOOKUP_CACHE, LOOKUP_RELOAD].contains(&key);
        let others = ENGINE.iter().filter(|(key, ..)| *key != "connector" && *key != "type" && concerns(key));
        known.extend(others.map(line));
    } else {
        known.extend(ENGINE.iter().filter(|(key, ..)| !OF_ONE_END.contains(key)).map(line));
        for (name, end) in ends(words) {
            let of = |key: &str| Known { key: format!("{name}.{key}"), ..engine(key) };
            known.extend(["type", "config_file"].map(of));
            if end == End::Source {
                known.extend([LOOKUP_CACHE, LOOKUP_RELOAD].map(of));
            }
            let parameters = parameters("kafka").filter(|parameter| is_offered(parameter, end));
            known.extend(parameters.map(|parameter| own(&format!("{name}."), parameter)));
        }
    }
    known.retain(|one| one.takes != Takes::Prefix && !given.contains(&one.key));
    known
}

/// Whether an end may be given a parameter, to any effect.
fn is_offered(parameter: &Parameter, end: End) -> bool {
    parameter.idle.is_none() && parameter.end.is_none_or(|only| only == end)
}

/// What the value of an option may be; `None` for an option that is not known.
pub(super) fn takes(words: &[Word<'_>], key: &str) -> Option<Takes> {
    let of = |key: &str| {
        let engine = ENGINE.iter().find(|(known, ..)| *known == key).map(|(_, takes, ..)| *takes);
        let names = |parameter: &Parameter| parameter.name == key || parameter.also.contains(&key);
        engine.or_else(|| parameters(&connector(words)).find(|one| names(one)).map(|one| one.takes))
    };
    let inner = ends(words).into_iter().find_map(|(name, _)| key.strip_prefix(&format!("{}.", name.to_lowercase())));
    of(key).or_else(|| inner.and_then(of))
}

/// The connectors of this build that rows can come from or go to, with a line of help.
pub(super) fn connectors() -> Vec<(&'static str, &'static str)> {
    builtin().all().iter().map(|one| (one.name(), one.help())).collect()
}

/// Values of `type`.
pub(super) const TYPES: [&str; 4] = ["kafka_source", "kafka_sink", "file_source", "file_sink"];

fn line((key, takes, default, help): &Line) -> Known {
    Known { key: (*key).to_owned(), takes: *takes, default: *default, help }
}

fn engine(key: &str) -> Known {
    let found = ENGINE.iter().find(|(known, ..)| *known == key).map(line);
    found.unwrap_or_else(|| Known { key: key.to_owned(), takes: Takes::Text, default: None, help: "" })
}

fn own(prefix: &str, parameter: &Parameter) -> Known {
    Known {
        key: format!("{prefix}{}", parameter.name),
        takes: parameter.takes,
        default: parameter.default,
        help: parameter.help,
    }
}

fn parameters(connector: &str) -> std::slice::Iter<'static, Parameter> {
    let known = builtin().get(connector).map(|known| known.parameters()).unwrap_or_default();
    known.iter()
}

/// The connector that the options name; Kafka where they name none.
fn connector(words: &[Word<'_>]) -> String {
    let at = words.iter().position(|word| word.text.trim_matches('\'').eq_ignore_ascii_case("connector"));
    let value = at.and_then(|at| words.get(at + 2)).map(|word| word.text.trim_matches('\'').to_lowercase());
    value.filter(|value| !value.is_empty()).unwrap_or_else(|| "kafka".to_owned())
}

/// The ends that a statement names bare: relations of FROM and JOIN, and the sink.
fn ends(words: &[Word<'_>]) -> Vec<(String, End)> {
    let mut ends: Vec<(String, End)> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let end = match () {
            () if word.is_one_of(&["FROM", "JOIN"]) => End::Source,
            () if word.is("INTO") => End::Sink,
            () => continue,
        };
        let rest = &words[index + 1..];
        if rest.first().is_none_or(|first| !first.is_name()) {
            continue;
        }
        let (name, _) = super::scope::joined(rest);
        if !ends.iter().any(|(known, _)| *known == name) {
            ends.push((name, end));
        }
    }
    ends
}

/// Keys that stand in the brackets already.
pub(super) fn given(words: &[Word<'_>], open: usize) -> Vec<String> {
    let inside = words.get(open..super::words::closing(words, open.saturating_sub(1))).unwrap_or_default();
    let pairs = outside(inside).filter(|(_, word)| word.text == "=").map(|(index, _)| index);
    pairs
        .map(|equals| {
            let start = inside[..equals].iter().rposition(|word| word.text == ",").map_or(0, |comma| comma + 1);
            inside[start..equals]
                .iter()
                .map(|word| word.text.trim_matches(['\'', '"']))
                .collect::<String>()
                .to_lowercase()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::connectors::accept::ENGINE_OPTIONS;
    use crate::connectors::options::Options;
    use crate::sql::plan::wishes;

    #[test]
    fn every_option_of_the_engine_is_offered_and_each_of_its_values_is_taken() {
        for key in ENGINE_OPTIONS {
            let (_, takes, default, help) = ENGINE.iter().find(|(known, ..)| *known == key).unwrap();
            assert!(!help.is_empty());
            let values = match takes {
                Takes::OneOf(values) => values.to_vec(),
                _ => default.iter().copied().collect(),
            };
            for value in values {
                let options: Options = [(key, value)].into_iter().collect();
                wishes::Settings::read(&options).unwrap();
            }
        }
    }
}
