//! Rows for people and for programs, as a table or one JSON object a line, and the last state of rows that are taken back.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Fields, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::table::Table;
use crate::cli::{Failure, Format};
use crate::connectors::contract::{Op, SinkRows};
use crate::core::fault::{Blame, Fault};
use crate::core::words::each_once;
use crate::formats::contract::Encoder;
use crate::formats::json::JsonEncoder;

/// Writes rows as they come.
pub enum Rows {
    /// For people.
    Table(Table),
    /// For programs; whether rows are taken back.
    Json(JsonEncoder, bool),
}

impl Rows {
    /// Rows of this schema. `changes` says whether rows are taken back, `cells` how wide the terminal is where there is one.
    pub fn new(schema: &Schema, changes: bool, format: Format, cells: Option<usize>) -> Self {
        match format {
            Format::Json => Self::Json(JsonEncoder::default(), changes),
            Format::Text => Self::Table(Table::new(schema, changes, cells)),
        }
    }

    /// Other rows came between: the next ones stand under their names again.
    pub fn interrupted(&mut self) {
        if let Self::Table(table) = self {
            table.begin_again();
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
                let encoded = encoder.encode(&named_once(batch)?)?;
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

/// A batch whose columns have a name each: what reads an object keeps one value of a name.
fn named_once(batch: RecordBatch) -> Result<RecordBatch, Failure> {
    let schema = batch.schema();
    let written: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let names = each_once(&written);
    if names == written {
        return Ok(batch);
    }
    let fields: Fields =
        schema.fields().iter().zip(names).map(|(field, name)| field.as_ref().clone().with_name(name)).collect();
    let renamed = RecordBatch::try_new(Arc::new(Schema::new(fields)), batch.columns().to_vec());
    renamed.map_err(|error| Fault::new(Blame::Program, error.to_string()).into())
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

    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn two_columns_of_one_name_are_two_values_of_an_object() {
        let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let fields = ["k", "v", "k"].map(|name| Field::new(name, DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![text("1"), text("2"), text("3")]).unwrap();
        let rows = SinkRows { batch, times: vec![0].into(), ops: None };
        let mut bytes = Vec::new();
        Rows::new(&schema, false, Format::Json, None).write(&rows, 1, &mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "{\"k\":\"1\",\"v\":\"2\",\"k_2\":\"3\"}\n");
    }
}
