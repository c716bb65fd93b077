//! Values of a result as text for a table: NULL stays apart from an empty text, and what came from a topic does not steer
//! the terminal.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::ArrayFormatter;

use crate::app::model::queries::QueryColumn;
use crate::core::fault::{Blame, Fault};
use crate::formats::types;

/// Longest text of a cell, bytes: several screens of it; one value does not fill the view's memory.
const CELL_BYTES_MAX: usize = 16 * 1024;

/// Columns as the model has them.
pub fn columns(schema: &Schema) -> Vec<QueryColumn> {
    let column = |field: &arrow::datatypes::FieldRef| QueryColumn {
        name: field.name().clone(),
        sql_type: types::name(field.data_type()),
        is_numeric: field.data_type().is_numeric(),
        scale: match field.data_type() {
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => u8::try_from(*scale).ok(),
            data_type if data_type.is_integer() => Some(0),
            _ => None,
        },
    };
    schema.fields().iter().map(column).collect()
}

/// Writes rows of one batch.
pub struct Writer<'a> {
    batch: &'a RecordBatch,
    columns: Vec<ArrayFormatter<'a>>,
}

impl<'a> Writer<'a> {
    /// A writer of this batch.
    ///
    /// # Errors
    /// A type that has no text, which is a defect.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, Fault> {
        let column = |column: &'a arrow::array::ArrayRef| {
            ArrayFormatter::try_new(column.as_ref(), &types::shown(column.data_type()))
        };
        let columns = batch.columns().iter().map(column);
        let columns = columns
            .collect::<Result<_, _>>()
            .map_err(|error| Fault::new(Blame::Program, format!("a column of the result cannot be shown: {error}")))?;
        Ok(Self { batch, columns })
    }

    /// A row.
    pub fn row(&self, row: usize) -> Vec<Option<String>> {
        let written = |(column, formatter): (&arrow::array::ArrayRef, &ArrayFormatter<'_>)| {
            (!column.is_null(row)).then(|| printable(formatter.value(row).to_string()))
        };
        self.batch.columns().iter().zip(&self.columns).map(written).collect()
    }
}

fn printable(mut text: String) -> String {
    if CELL_BYTES_MAX < text.len() {
        text.truncate(text.floor_char_boundary(CELL_BYTES_MAX));
        text.push('…');
    }
    if text.contains(|letter: char| letter.is_control() && letter != '\n' && letter != '\t') {
        let plain =
            |letter: char| if letter.is_control() && letter != '\n' && letter != '\t' { '\u{fffd}' } else { letter };
        text = text.chars().map(plain).collect();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, StringArray, TimestampMillisecondArray};

    use super::*;

    #[test]
    fn values_are_written_as_they_are_and_null_is_not_empty() {
        let amount = Decimal128Array::from(vec![Some(120_450), None]).with_precision_and_scale(18, 2).unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("amount", Arc::new(amount) as ArrayRef, true),
            ("text", Arc::new(StringArray::from(vec![Some(""), Some("a\u{1b}[2Jb")])) as ArrayRef, true),
            ("at", Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), None])) as ArrayRef, true),
        ])
        .unwrap();
        let writer = Writer::new(&batch).unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(writer.row(0), [text("1204.50"), text(""), text("1970-01-01 00:00:01.500")]);
        assert_eq!(writer.row(1), [None, text("a\u{fffd}[2Jb"), None]);
        let columns = columns(&batch.schema());
        assert_eq!(
            (columns[0].sql_type.as_str(), columns[0].scale, columns[1].is_numeric),
            ("DECIMAL(18,2)", Some(2), false)
        );
    }
}
