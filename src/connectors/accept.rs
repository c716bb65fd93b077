//! The one check of options against a connector's parameters: names, required ones, values. It opens nothing.

use super::contract::{Connector, End, Parameter, Takes};
use super::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::core::words::did_you_mean;

/// Options that the engine itself reads, of a statement or of one of its ends. A connector lets them pass.
pub const ENGINE_OPTIONS: [&str; 21] = [
    "connector",
    "type",
    "config_file",
    LOOKUP_CACHE,
    LOOKUP_RELOAD,
    "event.time.field",
    "event.time.format",
    "watermark.strategy",
    "watermark.max_out_of_orderness",
    "watermark.idle_timeout",
    "late.data.strategy",
    "allowed.lateness",
    "failure_strategy",
    "dead_letter.topic",
    "state.ttl",
    "state.limit",
    "emit.granularity",
    "parallelism",
    "delivery.guarantee",
    "checkpoint.interval",
    "job.name",
];

/// The first of them are about one end, and say nothing of any other.
pub const OF_ONE_END: [&str; 5] = ["connector", "type", "config_file", LOOKUP_CACHE, LOOKUP_RELOAD];

/// Makes a table one that streams look into, as Flink calls it.
pub const LOOKUP_CACHE: &str = "lookup.cache";
/// How often such a table is read again, as Flink calls it.
pub const LOOKUP_RELOAD: &str = "lookup.full-cache.periodic-reload.interval";

/// What other engines, and people, call options of the engine that mean the same but are not taken.
const ELSEWHERE: [(&str, &str); 11] = [
    ("event.time", "event.time.field"),
    ("event.timestamp", "event.time.field"),
    ("time.field", "event.time.field"),
    ("timestamp.field", "event.time.field"),
    ("timestamp.column", "event.time.field"),
    ("timestamp", "event.time.field"),
    ("rowtime", "event.time.field"),
    ("timestamp.format", "event.time.format"),
    ("watermark", "watermark.max_out_of_orderness"),
    ("watermark.delay", "watermark.max_out_of_orderness"),
    ("table.exec.state.ttl", "state.ttl"),
];

/// Other names of engine options.
const ALSO: [(&str, &str); 1] = [("dlq.topic", "dead_letter.topic")];

/// The options under the names of the connector's parameters, every value of the right kind, nothing unknown, nothing
/// missing. Checked options pass unchanged.
///
/// # Errors
/// The first thing that is wrong: the option, its place, and the nearest name or what it takes.
pub fn accept(connector: &dyn Connector, end: End, given: &Options) -> Result<Options, Fault> {
    let mut faults = Vec::new();
    let accepted = accepted(connector, end, given, &mut faults);
    faults.into_iter().next().map_or(Ok(accepted), Err)
}

/// All that is wrong with the options of an end, in their order.
pub fn mistakes(connector: &dyn Connector, end: End, given: &Options) -> Vec<Fault> {
    let mut faults = Vec::new();
    accepted(connector, end, given, &mut faults);
    faults
}

fn accepted(connector: &dyn Connector, end: End, given: &Options, faults: &mut Vec<Fault>) -> Options {
    let parameters = connector.parameters();
    let mut accepted = Options::default();
    for (written, value) in given.iter() {
        if let Some(name) = engine_option(written) {
            accepted.set(name, value.text.clone(), value.place.clone());
            continue;
        }
        let key = written.replace('_', ".");
        let Some((parameter, name)) = find(parameters, written, &key) else {
            faults.push(unknown(connector, parameters, given, written, end));
            continue;
        };
        if parameter.end.is_some_and(|only| only != end) {
            let whose = if end == End::Source { "sinks" } else { "sources" };
            faults.push(given.fault(written, format!("`{written}` of `{}` concerns {whose} only", connector.name())));
            continue;
        }
        accepted.set(&name, value.text.clone(), value.place.clone());
        faults.extend(check_value(parameter, &name, &accepted).err());
    }
    for parameter in parameters {
        if parameter.required.is_some_and(|whom| whom == end) && accepted.get(parameter.name).is_none() {
            let what = format!("the connector `{}` needs the option `{}`", connector.name(), parameter.name);
            faults.push(Fault::new(Blame::Operator, what).next(parameter.help));
        }
    }
    accepted
}

/// What of these options does nothing, and why.
pub fn idle(connector: &dyn Connector, given: &Options) -> Vec<String> {
    let why = |(written, _): (&str, _)| {
        let (parameter, _) = find(connector.parameters(), written, &written.replace('_', "."))?;
        Some(format!("`{written}` has no effect: {}", parameter.idle?))
    };
    given.iter().filter(|(written, _)| engine_option(written).is_none()).filter_map(why).collect()
}

/// The name of the engine's option that a key means, if it means one. Points and underscores are the same.
pub fn engine_option(written: &str) -> Option<&'static str> {
    let dotted = |name: &str| name.replace('_', ".");
    let key = dotted(written);
    let also = ALSO.iter().find(|(also, _)| *also == key).map(|(_, name)| *name);
    also.or_else(|| ENGINE_OPTIONS.into_iter().find(|name| dotted(name) == key))
}

/// The option of the engine that a key of another engine means.
pub fn known_elsewhere(written: &str) -> Option<&'static str> {
    let key = written.replace('_', ".").to_lowercase();
    ELSEWHERE.iter().find(|(also, _)| *also == key).map(|(_, name)| *name)
}

/// The same options, those of the engine under their own names.
pub fn named_as_the_engine_does(options: &Options) -> Options {
    let mut named = Options::default();
    for (key, value) in options.iter() {
        named.set(engine_option(key).unwrap_or(key), value.text.clone(), value.place.clone());
    }
    named
}

/// The parameter of a key, and the key as the connector will look it up.
fn find<'p>(parameters: &'p [Parameter], written: &str, key: &str) -> Option<(&'p Parameter, String)> {
    for parameter in parameters {
        let is_it = |name: &str| name == key || name == written || name.replace('_', ".") == key;
        if parameter.takes == Takes::Prefix {
            if let Some(rest) = written.strip_prefix(parameter.name).filter(|rest| !rest.is_empty()) {
                return Some((parameter, format!("{}{rest}", parameter.name)));
            }
        } else if is_it(parameter.name) || parameter.also.iter().any(|also| is_it(also)) {
            return Some((parameter, parameter.name.to_owned()));
        }
    }
    None
}

fn check_value(parameter: &Parameter, name: &str, accepted: &Options) -> Result<(), Fault> {
    match parameter.takes {
        Takes::Text | Takes::Prefix => Ok(()),
        Takes::Boolean => accepted.boolean(name).map(drop),
        Takes::Number => accepted.number(name).map(drop),
        Takes::Duration => accepted.duration(name).map(drop),
        Takes::Bytes => accepted.bytes(name).map(drop),
        Takes::OneOf(words) => {
            let given = accepted.get(name).unwrap_or_default().trim().to_ascii_lowercase();
            if parameter.absent.contains(&given.as_str()) {
                let what = format!("the {} `{given}` is not available in this build", parameter.name);
                return Err(accepted.fault(name, what).next(format!("it takes {}", words.join(", "))));
            }
            let expected = format!("one of {}", words.join(", "));
            accepted
                .parsed(name, &expected, |text| words.contains(&text.to_ascii_lowercase().as_str()).then_some(()))
                .map(drop)
        }
    }
}

fn unknown(connector: &dyn Connector, parameters: &[Parameter], given: &Options, written: &str, end: End) -> Fault {
    let own = || parameters.iter().filter(|one| one.idle.is_none() && one.end.is_none_or(|only| only == end));
    let names = own()
        .flat_map(|parameter| std::iter::once(parameter.name).chain(parameter.also.iter().copied()))
        .chain(ENGINE_OPTIONS);
    let fault = given.fault(written, format!("the connector `{}` has no option `{written}`", connector.name()));
    if let Some(name) = known_elsewhere(written) {
        return fault.next(format!("did you mean `{name}`?"));
    }
    fault.next(did_you_mean(written, names).unwrap_or_else(|| {
        let names: Vec<_> = own().map(shown).collect();
        let engine: Vec<_> = ENGINE_OPTIONS.into_iter().filter(|name| !OF_ONE_END.contains(name)).collect();
        let engine = engine.join(", ");
        if names.is_empty() {
            return format!("it has none of its own; every end takes {engine}");
        }
        format!("it has {}; and, as every end, {engine}", names.join(", "))
    }))
}

/// A parameter as it is written: `headers.…` for any key under a prefix.
fn shown(parameter: &Parameter) -> String {
    if parameter.takes == Takes::Prefix { format!("{}…", parameter.name) } else { parameter.name.to_owned() }
}

/// The part of a URI before `?`, and what stands behind it as options. `%20` and its like are resolved in values.
pub fn split_query(uri: &str) -> (&str, Options) {
    let Some((path, query)) = uri.split_once('?') else { return (uri, Options::default()) };
    let mut given = Options::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, "true"));
        given.set(&decoded(key), decoded(value), None);
    }
    (path, given)
}

/// A text whose `%20` and its like are resolved.
pub fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::connectors::generator::GeneratorConnector;
    use crate::core::fault::Place;

    fn check(key: &str, value: &str) -> Result<Options, Fault> {
        let mut given = Options::default();
        given.set(key, value, Some(Place::at("app.sql", 2, 9)));
        accept(&GeneratorConnector, End::Source, &given)
    }

    #[test]
    fn an_unknown_option_names_its_place_and_the_nearest_name() {
        assert_eq!(
            check("rat", "10").unwrap_err().to_string(),
            "app.sql:2:9: the connector `generator` has no option `rat`; did you mean `rate`?"
        );
    }

    #[test]
    fn a_wrong_value_says_what_the_option_takes() {
        assert_eq!(
            check("rate", "fast").unwrap_err().to_string(),
            "app.sql:2:9: `rate` is `fast`, which is not a whole number"
        );
    }

    #[test]
    fn underscores_stand_for_points_and_engine_options_pass() {
        assert_eq!(check("base_time", "0").unwrap().get("base.time"), Some("0"));
        for written in ["watermark.idle_timeout", "watermark.idle.timeout"] {
            assert_eq!(check(written, "10s").unwrap().get("watermark.idle_timeout"), Some("10s"), "{written}");
        }
    }

    #[test]
    fn an_option_that_only_begins_as_one_of_the_engine_is_refused_with_the_nearest() {
        let fault = check("watermark.idle_timeuot", "10s").unwrap_err().to_string();
        assert!(fault.ends_with("did you mean `watermark.idle_timeout`?"), "{fault}");
    }

    #[test]
    fn an_option_of_another_engine_and_one_that_is_none_are_told_the_names_there_are() {
        for written in ["event_time", "TIMESTAMP.FIELD", "rowtime"] {
            let fault = check(written, "at").unwrap_err().to_string();
            assert!(fault.ends_with("did you mean `event.time.field`?"), "{fault}");
        }
        let fault = check("colour", "red").unwrap_err().to_string();
        assert!(
            fault.contains("; and, as every end, event.time.field, event.time.format, watermark.strategy"),
            "{fault}"
        );
    }

    #[test]
    fn a_query_string_becomes_options() {
        let (path, given) = split_query("file:///in/a%20b.csv?header=true&delimiter=%3B&watch");
        assert_eq!(path, "file:///in/a%20b.csv");
        assert_eq!(
            (given.get("header"), given.get("delimiter"), given.get("watch")),
            (Some("true"), Some(";"), Some("true"))
        );
    }
}
