//! What a reader takes rows from: lines with their decoder, or row groups; and how their columns are arranged. It has no
//! thread.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::datatypes::{DataType, SchemaRef};

use super::header::{self, column_names};
use super::lines::Lines;
use super::parquet::Groups;
use super::reader::{self, Job};
use super::settings::Holds;
use crate::connectors::contract::system_columns as names;
use crate::connectors::encoding::Format;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::Decoder;
use crate::formats::csv::{self, CsvDecoder, Target};

/// Where rows come from.
pub(super) enum Content {
    Records(Lines, Box<dyn Decoder>),
    /// A watched CSV whose first line, which names its columns, is not there yet; a watched file that was taken away.
    Unnamed,
    Groups(Groups),
    /// A file of which no row can be read; why, until that was said.
    Unfit(Option<String>),
}

/// What a job reads behind its place. A watched file that is not there, or not yet named by its first line, may come.
pub(super) fn content(job: &Job) -> Result<Content, Fault> {
    let wanted = wanted(job)?;
    let found = match &job.settings.holds {
        Holds::Parquet => {
            let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
            let (group, row) = job.from.at;
            Groups::open(&job.path, &wanted, place(group), place(row)).map(Content::Groups)
        }
        Holds::Records(format) => records(job, format, &wanted),
    };
    match found {
        Err(_) if job.watch.is_some() && !job.path.exists() => Ok(Content::Unnamed),
        found => found,
    }
}

/// The columns that are read.
pub(super) fn wanted(job: &Job) -> Result<SchemaRef, Fault> {
    let schema = job.schema.project(&job.columns.fields);
    schema.map(Arc::new).map_err(|error| Fault::new(Blame::Program, format!("a column that is not there: {error}")))
}

/// The records of a file behind the job's place, and their decoder.
fn records(job: &Job, format: &Format, wanted: &SchemaRef) -> Result<Content, Fault> {
    let fields = &job.columns.fields;
    let (offset, line) = job.from.at;
    let mut lines = reader::lines(&job.settings, &job.path, offset, line)?;
    let Format::Csv(dialect) = format else {
        return Ok(Content::Records(lines, format.decoder(&job.schema, fields)?));
    };
    if !job.settings.header {
        return Ok(Content::Records(lines, format.decoder(&job.schema, fields)?));
    }
    let mut beginning = None;
    let head = if offset == 0 { &mut lines } else { beginning.insert(reader::lines(&job.settings, &job.path, 0, 0)?) };
    let Some(found) = head.next(job.watch.is_none())? else {
        // An empty file has no columns and no rows.
        if job.watch.is_none() {
            return Ok(Content::Records(lines, format.decoder(&job.schema, fields)?));
        }
        return Ok(Content::Unnamed);
    };
    let names = csv::split(head.bytes(&found), dialect).map_err(|bad| {
        Fault::new(Blame::Operator, format!("{}:1: the header cannot be read: {}", job.path.display(), bad.message))
    })?;
    let named = column_names(&names);
    let targets = targets(&named, &job.schema, fields, &job.path).or_else(|fault| {
        // A header that was not cut names nothing: that is what is to be said.
        header::cut(&names, dialect, &job.path).and(Err(fault))
    })?;
    let decoder = CsvDecoder::with_targets(wanted.clone(), targets, dialect.clone())?;
    Ok(Content::Records(lines, Box::new(decoder)))
}

/// Where each field of a line goes, by the names of the header.
fn targets(names: &[String], schema: &SchemaRef, fields: &[usize], path: &Path) -> Result<Vec<Target>, Fault> {
    let place = |column: &str| {
        let is_same = |name: &String| name == column;
        let is_alike = |name: &String| name.eq_ignore_ascii_case(column);
        names.iter().position(is_same).or_else(|| names.iter().position(is_alike))
    };
    let mut targets = vec![Target::Nowhere; names.len()];
    for (index, field) in schema.fields().iter().enumerate() {
        let Some(at) = place(field.name()) else {
            let what = format!("{}:1: the header does not name the column `{}`", path.display(), field.name());
            return Err(Fault::new(Blame::Operator, what)
                .next(format!("it names {}; set `header` = false where the first line is a row", names.join(", "))));
        };
        if let Some(column) = fields.iter().position(|field| *field == index) {
            targets[at] = Target::Column(column);
        }
    }
    Ok(targets)
}

/// Columns with the system columns that were asked for behind them; the number of a line is its offset.
pub(super) fn with_system(
    schema: &SchemaRef,
    mut columns: Vec<ArrayRef>,
    system: &[&'static str],
    topic: &str,
    numbers: &[i64],
) -> Result<RecordBatch, Fault> {
    let count = numbers.len();
    columns.extend(system.iter().map(|name| -> ArrayRef {
        match *name {
            names::TOPIC => Arc::new(StringArray::from(vec![topic; count])),
            names::PARTITION => Arc::new(Int32Array::from(vec![0; count])),
            names::OFFSET => Arc::new(Int64Array::from(numbers.to_vec())),
            other => {
                let data_type = names::field(other).map_or(DataType::Null, |field| field.data_type().clone());
                new_null_array(&data_type, count)
            }
        }
    }));
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| Fault::new(Blame::Program, format!("columns of {topic}: {error}")))
}
