//! Which format an end of a pipeline speaks, from its options, and the columns that show what a connector knows of a
//! row. It reads and writes nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::contract::{Op, Parameter, Takes};
use super::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::{Decoder, Encoder, no_batch};
use crate::formats::csv::{CsvDecoder, CsvEncoder, Dialect};
use crate::formats::debezium::{DebeziumDecoder, DebeziumEncoder};
use crate::formats::json::{JsonDecoder, JsonEncoder};
use crate::formats::raw::{RawDecoder, RawEncoder};

/// Formats that the documents name and this build does not read or write yet.
pub const FORMATS_NOT_IN_THIS_BUILD: [&str; 3] = ["avro", "protobuf", "proto"];

/// Where writers and readers of such formats would keep their schemas.
pub const SCHEMA_REGISTRY: Parameter = Parameter {
    name: "schema.registry",
    also: &["schema.registry.url"],
    idle: Some("no format of this build asks a schema registry"),
    help: "the URL of a schema registry",
    ..Parameter::TEXT
};
/// The option `format` of connectors whose records are values.
pub const FORMAT: Parameter = Parameter {
    name: "format",
    also: &["value.format"],
    takes: Takes::OneOf(&["json", "csv", "raw", "string", "debezium", "debezium-json"]),
    default: Some("json"),
    absent: &FORMATS_NOT_IN_THIS_BUILD,
    help: "how values are written: json, csv, raw or debezium",
    ..Parameter::TEXT
};
/// The delimiter of CSV.
pub const DELIMITER: Parameter = Parameter {
    name: "delimiter",
    also: &["csv.delimiter", "field.delimiter"],
    default: Some(","),
    help: "CSV: the one byte between fields; `\\t` is a tab",
    ..Parameter::TEXT
};
/// The quote of CSV.
pub const QUOTE: Parameter = Parameter {
    name: "quote",
    also: &["csv.quote"],
    default: Some("\""),
    help: "CSV: the one byte around fields that hold a delimiter",
    ..Parameter::TEXT
};
/// What is NULL in CSV.
pub const NULL_TEXT: Parameter = Parameter {
    name: "null.text",
    also: &["null", "null.literal"],
    default: Some(""),
    help: "CSV: what stands for NULL where it is not quoted",
    ..Parameter::TEXT
};

/// How values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// JSON objects.
    Json,
    /// CSV records.
    Csv(Dialect),
    /// Whole values in one column.
    Raw,
    /// Debezium's JSON envelope.
    Debezium,
}

impl Format {
    /// The format that the options name; JSON where they are silent.
    ///
    /// # Errors
    /// A format or a dialect that is none.
    pub fn of(options: &Options) -> Result<Self, Fault> {
        let name = options.get("format").unwrap_or("json").to_ascii_lowercase();
        Ok(match name.as_str() {
            "json" | "jsonl" | "ndjson" => Self::Json,
            "csv" => Self::Csv(dialect(options)?),
            "raw" | "string" => Self::Raw,
            "debezium" | "debezium-json" => Self::Debezium,
            other => return Err(options.fault("format", format!("there is no format `{other}` for records"))),
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv(_) => "csv",
            Self::Raw => "raw",
            Self::Debezium => "debezium",
        }
    }

    /// A decoder into the columns at `wanted` of `schema`.
    ///
    /// # Errors
    /// Columns that this format cannot be read into.
    pub fn decoder(&self, schema: &SchemaRef, wanted: &[usize]) -> Result<Box<dyn Decoder>, Fault> {
        let columns: SchemaRef = schema
            .project(wanted)
            .map_err(|error| Fault::new(Blame::Program, format!("a column that is not there: {error}")))?
            .into();
        Ok(match self {
            Self::Json => Box::new(JsonDecoder::new(columns)?),
            Self::Debezium => Box::new(DebeziumDecoder::new(columns)?),
            Self::Raw => {
                // The whole schema is checked, also where a query needs no column of it.
                RawDecoder::new(schema.clone())?;
                Box::new(RawDecoder::new(columns)?)
            }
            Self::Csv(dialect) => {
                Box::new(CsvDecoder::with_targets(columns, targets(schema.fields().len(), wanted), dialect.clone())?)
            }
        })
    }

    /// An encoder of rows.
    pub fn encoder(&self) -> Box<dyn Encoder> {
        match self {
            Self::Json => Box::new(JsonEncoder::default()),
            Self::Csv(dialect) => Box::new(CsvEncoder::new(dialect.clone())),
            Self::Raw => Box::new(RawEncoder),
            Self::Debezium => Box::new(DebeziumEncoder),
        }
    }
}

/// Where each of `count` fields of a record goes when only those at `wanted` are asked for.
pub fn targets(count: usize, wanted: &[usize]) -> Vec<crate::formats::csv::Target> {
    use crate::formats::csv::Target;
    let target = |field: usize| wanted.iter().position(|at| *at == field).map_or(Target::Nowhere, Target::Column);
    (0..count).map(target).collect()
}

/// How CSV is written, as the options say.
///
/// # Errors
/// A delimiter or a quote that is not one byte, or both the same.
pub fn dialect(options: &Options) -> Result<Dialect, Fault> {
    let byte = |text: &str| match text {
        "\\t" | "tab" => Some(b'\t'),
        text => {
            <[u8; 1]>::try_from(text.as_bytes()).ok().map(|[byte]| byte).filter(|byte| !matches!(byte, b'\n' | b'\r'))
        }
    };
    // A delimiter may be a space or a tab, which reading an option would take for its margin.
    let one = |key: &str, default: u8| match options.get(key) {
        Some(text) => {
            byte(text).ok_or_else(|| options.fault(key, format!("`{key}` is `{text}`, which is not one byte")))
        }
        None => Ok(default),
    };
    let dialect = Dialect {
        delimiter: one("delimiter", b',')?,
        quote: one("quote", b'"')?,
        null: options.get("null.text").unwrap_or_default().to_owned(),
    };
    if dialect.delimiter == dialect.quote {
        return Err(options.fault("quote", "`quote` and `delimiter` are the same"));
    }
    Ok(dialect)
}

/// The column that says what happens to a row, where a sink of values shows changes.
pub const OP_COLUMN: &str = "_op";

/// The schema of [`with_ops`].
pub fn schema_with_ops(schema: &SchemaRef) -> SchemaRef {
    let mut fields = vec![Arc::new(Field::new(OP_COLUMN, DataType::Utf8, false))];
    fields.extend(schema.fields().iter().cloned());
    Arc::new(Schema::new(fields))
}

/// The rows with what happens to each before them: `+I`, `-D`, `-U`, `+U`.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub fn with_ops(batch: &RecordBatch, ops: Option<&Int8Array>) -> Result<RecordBatch, Fault> {
    let sign = |row: usize| match ops.map_or(Op::Insert, |ops| Op::of(ops.value(row))) {
        Op::Insert => "+I",
        Op::Delete => "-D",
        Op::UpdateBefore => "-U",
        Op::UpdateAfter => "+U",
    };
    let signs: ArrayRef = Arc::new((0..batch.num_rows()).map(|row| Some(sign(row))).collect::<StringArray>());
    let mut columns = vec![signs];
    columns.extend(batch.columns().iter().cloned());
    RecordBatch::try_new(schema_with_ops(batch.schema_ref()), columns).map_err(no_batch)
}
