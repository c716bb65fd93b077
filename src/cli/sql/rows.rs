//! Rows for people and for programs: a table that grows line by line with columns as wide as their first rows need, or one
//! JSON object a line.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unicode_width::UnicodeWidthStr;

use crate::cli::{Failure, Format};
use crate::connectors::contract::{Op, SinkRows};
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::Encoder;
use crate::formats::json::JsonEncoder;
use crate::formats::types;

/// Widest a column grows. On a terminal a longer value is cut with `…`, so that one text does not push the rest off the screen;
/// elsewhere it stands whole and only pushes the rest of its own line.
const COLUMN_WIDTH_MAX: usize = 40;
/// Least width of a column that may still grow: numbers get longer as a stream runs.
const COLUMN_WIDTH_MIN: usize = 6;

/// Writes rows as they come.
pub enum Rows {
    /// For people.
    Table(Table),
    /// For programs; whether rows are taken back.
    Json(JsonEncoder, bool),
}

impl Rows {
    /// Rows of this schema. `changes` says whether rows are taken back, `is_cut` whether long values of a table are cut.
    pub fn new(schema: &Schema, changes: bool, format: Format, is_cut: bool) -> Self {
        match format {
            Format::Json => Self::Json(JsonEncoder::default(), changes),
            Format::Text => Self::Table(Table::new(schema, changes, is_cut)),
        }
    }

    /// Other rows came between: the next ones stand under their names again.
    pub fn interrupted(&mut self) {
        if let Self::Table(table) = self {
            table.has_header = false;
        }
    }

    /// Writes at most `limit` rows; gives how many it wrote.
    ///
    /// # Errors
    /// An output that cannot be written.
    pub fn write(&mut self, rows: &SinkRows, limit: u64, to: &mut impl Write) -> Result<u64, Failure> {
        let length = usize::try_from(limit).unwrap_or(usize::MAX).min(rows.batch.num_rows());
        let batch = rows.batch.slice(0, length);
        let op = |row: usize| rows.ops.as_ref().map(|ops| Op::of(ops.value(row)));
        match self {
            Self::Table(table) => table.write(&batch, op, to)?,
            Self::Json(encoder, changes) => {
                // Rows that only come in a result that changes are inserts, and say so.
                let op = |row: usize| op(row).or(changes.then_some(Op::Insert));
                let encoded = encoder.encode(&batch)?;
                let mut start = 0;
                for (row, end) in encoded.ends.iter().enumerate() {
                    let value = &encoded.bytes[start..*end];
                    start = *end;
                    match op(row) {
                        None => to.write_all(value)?,
                        Some(op) => with_op(value, op, to)?,
                    }
                    to.write_all(b"\n")?;
                }
                if let Some(bad) = encoded.bad.first() {
                    return Err(Fault::new(Blame::Record, format!("a row is no JSON: {}", bad.message)).into());
                }
            }
        }
        Ok(length as u64)
    }
}

/// `{"_op":"insert", …the row}`.
fn with_op(value: &[u8], op: Op, to: &mut impl Write) -> io::Result<()> {
    let name = match op {
        Op::Insert => "insert",
        Op::Delete => "delete",
        Op::UpdateBefore => "update_before",
        Op::UpdateAfter => "update_after",
    };
    let rest = value.strip_prefix(b"{").unwrap_or(value);
    let comma = if rest == b"}" { "" } else { "," };
    write!(to, "{{\"_op\":\"{name}\"{comma}")?;
    to.write_all(rest)
}

/// A table that grows.
pub struct Table {
    names: Vec<String>,
    is_number: Vec<bool>,
    widths: Vec<usize>,
    changes: bool,
    is_cut: bool,
    has_header: bool,
}

impl Table {
    fn new(schema: &Schema, changes: bool, is_cut: bool) -> Self {
        let is_number = |data_type: &DataType| data_type.is_numeric();
        Self {
            names: schema.fields().iter().map(|field| field.name().clone()).collect(),
            is_number: schema.fields().iter().map(|field| is_number(field.data_type())).collect(),
            widths: Vec::new(),
            changes,
            is_cut,
            has_header: false,
        }
    }

    fn write(
        &mut self,
        batch: &RecordBatch,
        op: impl Fn(usize) -> Option<Op>,
        to: &mut impl Write,
    ) -> Result<(), Failure> {
        let readable = batch.columns().iter().map(readable).collect::<Result<Vec<_>, _>>();
        let readable = readable.map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
        let options: Vec<_> = readable.iter().map(|column| types::shown(column.data_type())).collect();
        let columns = readable
            .iter()
            .zip(&options)
            .map(|(column, options)| ArrayFormatter::try_new(column.as_ref(), options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
        let cells: Vec<Vec<String>> = (0..batch.num_rows())
            .map(|row| columns.iter().map(|column| self.cell(&column.value(row).to_string())).collect())
            .collect();
        if !self.has_header && !cells.is_empty() {
            self.widths = (0..self.names.len())
                .map(|column| {
                    let widest = cells.iter().map(|row| row[column].width()).max().unwrap_or(0);
                    widest.min(COLUMN_WIDTH_MAX).max(self.names[column].width()).max(COLUMN_WIDTH_MIN)
                })
                .collect();
            let names: Vec<String> = self.names.iter().map(|name| printable(name)).collect();
            self.line(if self.changes { "  " } else { "" }, &names, to)?;
            self.has_header = true;
        }
        for (row, cells) in cells.iter().enumerate() {
            let mark = match (self.changes, op(row).unwrap_or(Op::Insert)) {
                (false, _) => "",
                (true, Op::Insert) => "+ ",
                (true, Op::Delete) => "- ",
                // The old half of a replacement says nothing that the line above it did not.
                (true, Op::UpdateBefore) => continue,
                (true, Op::UpdateAfter) => "~ ",
            };
            for (column, cell) in cells.iter().enumerate() {
                self.widths[column] = self.widths[column].max(cell.width().min(COLUMN_WIDTH_MAX));
            }
            self.line(mark, cells, to)?;
        }
        Ok(())
    }

    fn cell(&self, value: &str) -> String {
        let whole = printable(value);
        if self.is_cut { shortened(&whole) } else { whole }
    }

    fn line(&self, mark: &str, cells: &[String], to: &mut impl Write) -> io::Result<()> {
        let mut line = mark.to_owned();
        for (column, cell) in cells.iter().enumerate() {
            let blank = " ".repeat(self.widths[column].saturating_sub(cell.width()));
            let (before, after) = if self.is_number[column] { (blank.as_str(), "") } else { ("", blank.as_str()) };
            line.extend([before, cell, after, "  "]);
        }
        writeln!(to, "{}", line.trim_end())
    }
}

/// A map of bytes (`_headers`) as one of texts: what they are nearly always, and as a tail shows them.
fn readable(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let Some(map) = column.as_map_opt().filter(|map| *map.values().data_type() == DataType::Binary) else {
        return Ok(Arc::clone(column));
    };
    let values = map.values().as_binary::<i32>();
    let texts: StringArray = values.iter().map(|value| value.map(String::from_utf8_lossy)).collect();
    let names = map.keys();
    let fields = Fields::from(vec![
        Field::new("key", names.data_type().clone(), false),
        Field::new("value", DataType::Utf8, true),
    ]);
    let entries = StructArray::try_new(fields.clone(), vec![Arc::clone(names), Arc::new(texts)], None)?;
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    let readable = MapArray::try_new(field, map.offsets().clone(), entries, map.nulls().cloned(), false)?;
    Ok(Arc::new(readable))
}

/// Without control characters: what came from a topic does not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn shortened(text: &str) -> String {
    if text.width() <= COLUMN_WIDTH_MAX {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if kept.width() + 2 > COLUMN_WIDTH_MAX {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

/// The last state of a result that changes: what was taken back is gone.
#[derive(Default)]
pub struct Folded {
    batches: Vec<RecordBatch>,
    /// Rows by their text, with where they stand: a retraction names a row by its values.
    standing: std::collections::HashMap<String, Vec<(usize, usize)>>,
    order: Vec<(usize, usize, bool)>,
}

impl Folded {
    /// Takes rows.
    ///
    /// # Errors
    /// A column that has no text, which is a defect.
    pub fn take(&mut self, rows: &SinkRows) -> Result<(), Failure> {
        let batch = self.batches.len();
        let options = FormatOptions::new().with_null("\u{0}");
        let columns = rows
            .batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
        for row in 0..rows.batch.num_rows() {
            let text: String = columns.iter().map(|column| format!("{}\u{1}", column.value(row))).collect();
            let is_addition = rows.ops.as_ref().is_none_or(|ops| Op::of(ops.value(row)).is_addition());
            if is_addition {
                self.standing.entry(text).or_default().push((batch, self.order.len()));
                self.order.push((batch, row, true));
            } else if let Some((_, place)) = self.standing.get_mut(&text).and_then(Vec::pop) {
                self.order[place].2 = false;
            }
        }
        self.batches.push(rows.batch.clone());
        Ok(())
    }

    /// What stands, in order of arrival.
    ///
    /// # Errors
    /// Arrow's, which are defects.
    pub fn table(&self) -> Result<Option<RecordBatch>, Failure> {
        let Some(first) = self.batches.first() else { return Ok(None) };
        let places: Vec<(usize, usize)> =
            self.order.iter().filter(|(.., stands)| *stands).map(|(batch, row, _)| (*batch, *row)).collect();
        let columns = (0..first.num_columns())
            .map(|column| {
                let arrays: Vec<&dyn Array> = self.batches.iter().map(|batch| batch.column(column).as_ref()).collect();
                arrow::compute::interleave(&arrays, &places)
            })
            .collect::<Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(first.schema(), columns))
            .map_err(|error| Fault::new(Blame::Program, error.to_string()))?;
        Ok(Some(columns))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::{BinaryBuilder, MapBuilder, StringBuilder};

    use super::*;

    #[test]
    fn headers_are_shown_as_the_text_that_they_are() {
        let mut headers = MapBuilder::new(None, StringBuilder::new(), BinaryBuilder::new());
        headers.keys().append_value("trace");
        headers.values().append_value("0af7");
        headers.append(true).unwrap();
        headers.append(false).unwrap();
        let headers: ArrayRef = Arc::new(headers.finish());
        let batch = RecordBatch::try_from_iter([("_headers", headers)]).unwrap();
        assert_eq!(written(&batch, true), "_headers\n{trace: 0af7}\nNULL\n");
    }

    fn written(batch: &RecordBatch, is_cut: bool) -> String {
        let mut text = Vec::new();
        Table::new(&batch.schema(), false, is_cut).write(batch, |_| None, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_long_value_is_cut_for_a_person_and_whole_for_a_pipe() {
        let long = "x".repeat(50);
        let texts = |texts: [&str; 2]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("text", texts([&long, "y"])), ("n", texts(["1", "2"]))]).unwrap();
        let short = format!("{}…", "x".repeat(39));
        let header = format!("{:40}  n\n", "text");
        let last = format!("{:40}  2\n", "y");
        assert_eq!(written(&batch, true), format!("{header}{short}  1\n{last}"));
        assert_eq!(written(&batch, false), format!("{header}{long}  1\n{last}"));
    }
}
