//! A source that makes rows: typed fields with distributions, or the events of Nexmark. Row `n` depends on the options
//! and on `n` alone, so a reader can begin anywhere and always makes the same rows.

mod draw;
mod fields;
mod kinds;
mod nexmark;
mod reader;
mod slots;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use jiff::Timestamp;

use super::accept::{accept, split_query};
use super::contract::{
    Columns, ColumnsOf, Connector, Context, End, Parameter, Position, Sink, SinkRequest, Source, SourceRequest, Split,
    SplitReader, Takes,
};
use super::options::Options;
use crate::clock::now_ms;
use crate::core::fault::{Blame, Fault};

/// Event time of the first row where neither `base.time` nor a rate is given: that of Nexmark's own papers.
pub const BASE_TIME_MS: i64 = 1_436_918_400_000;
/// Splits of one generator: more than any machine has cores.
const SPLITS_MAX: u64 = 1_024;

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "kind",
        takes: Takes::OneOf(&["fields", "nexmark"]),
        default: Some("fields"),
        help: "`fields` makes rows of the fields described, `nexmark` the events of the Nexmark benchmark",
        ..Parameter::TEXT
    },
    Parameter {
        name: "rate",
        also: &["rows.per.second"],
        takes: Takes::Number,
        help: "rows a second in all; as fast as they are taken where absent",
        ..Parameter::TEXT
    },
    Parameter {
        name: "rows",
        also: &["number.of.rows"],
        takes: Takes::Number,
        help: "rows in all; without end where absent",
        ..Parameter::TEXT
    },
    Parameter {
        name: "events",
        takes: Takes::Number,
        help: "nexmark: events of all kinds, of which a table has its share",
        ..Parameter::TEXT
    },
    Parameter {
        name: "seed",
        takes: Takes::Number,
        default: Some("0"),
        help: "another seed makes other rows; Nexmark starts at the event of this number",
        ..Parameter::TEXT
    },
    Parameter {
        name: "splits",
        takes: Takes::Number,
        default: Some("1"),
        help: "parts that are made side by side",
        ..Parameter::TEXT
    },
    Parameter {
        name: "base.time",
        help: "event time of the first row: `now`, RFC 3339, or milliseconds since 1970",
        ..Parameter::TEXT
    },
    Parameter {
        name: "event.rate",
        takes: Takes::Number,
        help: "rows (Nexmark: events) in a second of event time; 10000, or `rate` where it is given",
        ..Parameter::TEXT
    },
    Parameter {
        name: "out.of.order",
        takes: Takes::Number,
        help: "rows of a group within which the order is shuffled; 1 for none",
        ..Parameter::TEXT
    },
    Parameter {
        name: "table",
        takes: Takes::OneOf(&["nexmark", "bid", "auction", "person"]),
        default: Some("nexmark"),
        help: "nexmark: one kind of event as a table, or `nexmark` for all with a column each",
        ..Parameter::TEXT
    },
    Parameter {
        name: "fields.",
        takes: Takes::Prefix,
        help: "fields.NAME.kind = sequence, random, normal, exponential, zipf, choice, constant, uuid or now; with .type, .min, .max, .mean, .stddev, .skew, .start, .step, .values, .weights, .value, .prefix, .length, .jitter, .null.rate",
        ..Parameter::TEXT
    },
];

/// The connector `generator`.
pub struct GeneratorConnector;

#[async_trait]
impl Connector for GeneratorConnector {
    fn name(&self) -> &'static str {
        "generator"
    }

    fn help(&self) -> &'static str {
        "makes rows: typed fields with distributions, or Nexmark's events"
    }

    fn columns_of(&self) -> ColumnsOf {
        ColumnsOf::Options
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        let (path, mut options) = split_query(uri);
        let rest = path.trim_start_matches("generator:").trim_matches('/');
        let mut parts = rest.split('/');
        if parts.next() == Some("nexmark") {
            options.set("kind", "nexmark", None);
            if let Some(table) = parts.next() {
                options.set("table", table, None);
            }
        }
        Ok(options)
    }

    fn check(&self, request: &SinkRequest, _context: &Context) -> Result<(), Fault> {
        Err(only_read(request))
    }

    async fn source(&self, request: SourceRequest, _context: &Context) -> Result<Arc<dyn Source>, Fault> {
        let options = accept(self, End::Source, &request.options)?;
        Ok(Arc::new(GeneratorSource { plan: Plan::of(&options, request.schema.as_ref())? }))
    }

    async fn sink(&self, request: SinkRequest, _context: &Context) -> Result<Box<dyn Sink>, Fault> {
        Err(only_read(&request))
    }
}

fn only_read(request: &SinkRequest) -> Fault {
    Fault::new(Blame::Operator, format!("`{}` cannot be written: `generator` only makes rows", request.name))
}

/// Makes rows by their number.
trait Maker: Send + Sync {
    /// All columns.
    fn schema(&self) -> SchemaRef;
    /// The columns at `fields` and the times of the rows of these numbers.
    fn make(&self, numbers: &mut dyn ExactSizeIterator<Item = u64>, fields: &[usize]) -> (Vec<ArrayRef>, Vec<i64>);
}

/// What is made, how much of it, and how fast.
#[derive(Clone)]
struct Plan {
    maker: Arc<dyn Maker>,
    label: String,
    rows: Option<u64>,
    rate: Option<u64>,
    splits: u64,
    group: u64,
}

impl Plan {
    fn of(options: &Options, declared: Option<&SchemaRef>) -> Result<Self, Fault> {
        let rate = options.number("rate")?.filter(|rate| *rate > 0);
        let is_nexmark = options.get("kind").is_some_and(|kind| kind.eq_ignore_ascii_case("nexmark"));
        let seed = options.number("seed")?.unwrap_or(0);
        let rows = options.number("rows")?;
        let splits = options.number("splits")?.unwrap_or(1).clamp(1, SPLITS_MAX);
        let group = options.number("out.of.order")?.unwrap_or(1).max(1);
        let base = base_time(options, rate)?;
        let event_rate = options.number("event.rate")?.filter(|rate| *rate > 0);
        if !is_nexmark {
            let clock = base.map(|base| (base, event_rate.or(rate).unwrap_or(nexmark::EVENT_RATE)));
            let maker = fields::FieldsMaker::of(options, declared, seed, clock)?;
            let label = format!("{} fields", maker.schema().fields().len());
            return Ok(Self { maker: Arc::new(maker), label, rows, rate, splits, group });
        }
        let table = nexmark::Table::of(options.get("table").unwrap_or("nexmark"));
        let maker = nexmark::NexmarkMaker::new(
            table,
            seed,
            base.unwrap_or(BASE_TIME_MS),
            event_rate.or(rate.map(|rate| table.events_of(rate))).unwrap_or(nexmark::EVENT_RATE),
        );
        if let Some(declared) = declared {
            same_columns(&maker.schema(), declared)?;
        }
        let of_events = options.number("events")?.map(|events| table.rows_of(events));
        let rows = match (rows, of_events) {
            (Some(rows), Some(of_events)) => Some(rows.min(of_events)),
            (rows, of_events) => rows.or(of_events),
        };
        Ok(Self { maker: Arc::new(maker), label: format!("Nexmark {}", table.name()), rows, rate, splits, group })
    }
}

/// `None` where rows have the time at which they are made.
fn base_time(options: &Options, rate: Option<u64>) -> Result<Option<i64>, Fault> {
    let read = |text: &str| {
        if text.eq_ignore_ascii_case("now") {
            return Some(now_ms());
        }
        text.parse::<i64>().ok().or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond))
    };
    let given = options.parsed("base.time", "`now`, a time in RFC 3339 or milliseconds since 1970", read)?;
    Ok(given.or_else(|| rate.map(|_| now_ms())))
}

/// Columns that were declared for Nexmark must be Nexmark's: only names and types that agree can be filled.
fn same_columns(made: &SchemaRef, declared: &SchemaRef) -> Result<(), Fault> {
    let shape = |schema: &SchemaRef| -> Vec<(String, DataType)> {
        schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
    };
    if shape(made) == shape(declared) {
        return Ok(());
    }
    let columns: Vec<_> = made.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    Err(Fault::new(Blame::Operator, "the columns declared are not those of this Nexmark table")
        .next(format!("leave them out, or declare {}", columns.join(", "))))
}

struct GeneratorSource {
    plan: Plan,
}

#[async_trait]
impl Source for GeneratorSource {
    fn schema(&self) -> SchemaRef {
        self.plan.maker.schema()
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn is_bounded(&self) -> bool {
        self.plan.rows.is_some()
    }

    fn description(&self) -> String {
        let rows = self.plan.rows.map_or("without end".to_owned(), |rows| format!("{rows} rows"));
        let rate = self.plan.rate.map_or(String::new(), |rate| format!(", {rate}/s"));
        format!("{}, {rows}{rate}", self.plan.label)
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        Ok((0..self.plan.splits).map(|split| Split(split.to_string())).collect())
    }

    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        Ok(Box::new(reader::GeneratorReader::new(self.plan.clone(), split, from, columns)?))
    }

    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        let has_more = |(split, position): &(Split, Option<Position>)| {
            let reader = reader::GeneratorReader::new(self.plan.clone(), split, position.as_ref(), &Columns::default());
            // What no reader can be made of, it says itself.
            reader.map_or(true, |reader| reader.progress().lag != Some(0))
        };
        parts.iter().map(has_more).collect()
    }
}

#[cfg(test)]
mod tests;
