//! How the values of one field are drawn, read from the options `fields.NAME.…`. It makes no column.

use super::draw::Draw;
use crate::connectors::options::{self, Options};
use crate::core::fault::Fault;
use crate::core::words::{did_you_mean, nearest};

/// Names of all kinds, for options and for people.
pub(super) const NAMES: [&str; 9] =
    ["sequence", "random", "normal", "exponential", "zipf", "choice", "constant", "uuid", "now"];
/// Largest range over which Zipf's weights are laid out one by one.
const ZIPF_VALUES_MAX: u64 = 100_000;

/// How values come about.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// `start`, then `step` more with each row; wraps after `length` values where given.
    Sequence { start: f64, step: f64, length: Option<u64> },
    /// Uniform from `min` to `max`.
    Uniform,
    /// Normal.
    Normal { mean: f64, deviation: f64 },
    /// Exponential.
    Exponential { mean: f64 },
    /// The value of rank `k` comes as often as `1/k^skew` says; cumulative shares.
    Zipf(Vec<f64>),
    /// One of these, by cumulative shares.
    Choice { values: Vec<String>, shares: Vec<f64> },
    /// Always this.
    Constant(String),
    /// A UUID of version 4.
    Uuid,
    /// The time at which the row is made.
    Now,
}

/// One field as its options describe it.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub kind: Kind,
    /// Where values begin and end, as text: their type reads them exactly.
    pub min: Option<String>,
    pub max: Option<String>,
    /// The first value of a sequence, as text.
    pub start: Option<String>,
    /// Stands before a number in a text.
    pub prefix: Option<String>,
    /// Letters of a random text.
    pub length: usize,
    /// Most milliseconds by which a time comes too early.
    pub jitter_ms: u64,
    /// Share of rows that have no value.
    pub null_rate: f64,
}

impl Description {
    /// Reads the options of a field, `fields.NAME.` stripped.
    pub fn of(name: &str, given: &Options) -> Result<Self, Fault> {
        const KEYS: [&str; 16] = [
            "kind",
            "type",
            "min",
            "max",
            "mean",
            "stddev",
            "skew",
            "start",
            "step",
            "values",
            "weights",
            "value",
            "prefix",
            "length",
            "jitter",
            "null.rate",
        ];
        for (key, _) in given.iter() {
            if !KEYS.contains(&key.replace('_', ".").as_str()) {
                let fault = given.fault(key, format!("a generated field has no option `fields.{name}.{key}`"));
                return Err(match nearest(key, KEYS) {
                    Some(near) => fault.next(format!("did you mean `fields.{name}.{near}`?")),
                    None => fault.next(format!("it has {}", KEYS.join(", "))),
                });
            }
        }
        let null_rate = real(given, "null.rate")?.or(real(given, "null_rate")?).unwrap_or(0.0);
        let length = given.number("length")?;
        Ok(Self {
            kind: kind(name, given, length)?,
            min: given.get("min").map(str::to_owned),
            max: given.get("max").map(str::to_owned),
            start: given.get("start").map(str::to_owned),
            prefix: given.get("prefix").map(str::to_owned),
            length: usize::try_from(length.unwrap_or(8)).unwrap_or(8),
            jitter_ms: given.duration("jitter")?.map_or(0, |jitter| u64::try_from(jitter.as_millis()).unwrap_or(0)),
            null_rate,
        })
    }
}

fn kind(name: &str, given: &Options, length: Option<u64>) -> Result<Kind, Fault> {
    let default = if given.get("values").is_some() {
        "choice"
    } else if given.get("value").is_some() {
        "constant"
    } else {
        "random"
    };
    let written = given.get("kind").unwrap_or(default).to_ascii_lowercase();
    Ok(match written.as_str() {
        "sequence" => Kind::Sequence { start: real(given, "start")?.unwrap_or(0.0), step: step(given)?, length },
        "random" | "uniform" => Kind::Uniform,
        "normal" => {
            Kind::Normal { mean: real(given, "mean")?.unwrap_or(0.0), deviation: real(given, "stddev")?.unwrap_or(1.0) }
        }
        "exponential" => Kind::Exponential { mean: real(given, "mean")?.unwrap_or(1.0) },
        "zipf" => {
            let (min, max) = (real(given, "min")?.unwrap_or(0.0), real(given, "max")?.unwrap_or(999.0));
            let skew = real(given, "skew")?.unwrap_or(1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
            let count = ((max - min + 1.0).max(1.0) as u64).min(ZIPF_VALUES_MAX);
            #[expect(clippy::cast_precision_loss, reason = "at most 100,000")]
            let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-skew)).collect();
            Kind::Zipf(cumulative(&weights))
        }
        "choice" => {
            let Some(values) = given.get("values") else {
                return Err(given
                    .fault("kind", format!("`fields.{name}.kind` = 'choice' needs `fields.{name}.values`"))
                    .next("write the values with commas between them"));
            };
            let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
            let read = |text: &str| {
                text.split(',').map(|part| part.trim().parse::<f64>().ok().filter(|w| *w >= 0.0)).collect()
            };
            let weights: Option<Vec<f64>> = given.parsed("weights", "numbers with commas between them", read)?;
            let weights = weights.unwrap_or_else(|| vec![1.0; values.len()]);
            if weights.len() != values.len() {
                let what = format!("`fields.{name}` has {} values and {} weights", values.len(), weights.len());
                return Err(given.fault("weights", what));
            }
            Kind::Choice { values, shares: cumulative(&weights) }
        }
        "constant" => Kind::Constant(given.get("value").unwrap_or_default().to_owned()),
        "uuid" => Kind::Uuid,
        "now" => Kind::Now,
        other => {
            let fault = given.fault("kind", format!("`fields.{name}.kind` is `{other}`, which is no kind of field"));
            let next = did_you_mean(other, NAMES).unwrap_or_else(|| format!("kinds are {}", NAMES.join(", ")));
            return Err(fault.next(next));
        }
    })
}

/// A step is a number, or a length of time for a column of times (then in milliseconds).
#[expect(clippy::cast_precision_loss, reason = "a step of more than 2^53 ms is no step")]
fn step(given: &Options) -> Result<f64, Fault> {
    let read = |text: &str| {
        text.parse::<f64>().ok().or_else(|| options::duration(text).map(|length| length.as_millis() as f64))
    };
    Ok(given.parsed("step", "a number or a length of time", read)?.unwrap_or(1.0))
}

fn real(given: &Options, key: &str) -> Result<Option<f64>, Fault> {
    // `min`, `max` and `start` of a time are read by its type.
    let is_a_bound = matches!(key, "min" | "max" | "start");
    let read = |text: &str| text.parse::<f64>().ok().or(is_a_bound.then_some(0.0)).filter(|value| value.is_finite());
    given.parsed(key, "a number", read)
}

fn cumulative(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        })
        .collect()
}

/// The place in cumulative shares of one draw.
pub(super) fn pick(shares: &[f64], draw: &mut Draw) -> usize {
    let unit = draw.unit();
    shares.partition_point(|share| *share <= unit).min(shares.len().saturating_sub(1))
}
