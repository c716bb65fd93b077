//! A table that grows line by line, with columns as wide as their first rows need and no wider than a terminal has room for:
//! there long texts are cut, and columns that still do not fit are left out by name. It waits for no row.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use arrow::util::display::ArrayFormatter;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::Failure;
use crate::connectors::contract::Op;
use crate::core::fault::{Blame, Fault};
use crate::formats::types;

/// Widest a column grows. On a terminal a longer value is cut with `…`, so that one text does not push the rest off the screen;
/// elsewhere it stands whole and only pushes the rest of its own line.
const COLUMN_WIDTH_MAX: usize = 40;
/// Least width of a column that may still grow: numbers get longer as a stream runs.
const COLUMN_WIDTH_MIN: usize = 6;
/// A text that is cut further says nothing.
const TEXT_WIDTH_MIN: usize = 10;
/// What stands in arrays and the like is not read in a table: its beginning says what it is.
const NESTED_WIDTH_MIN: usize = 6;
/// Cells between two columns.
const GAP: usize = 2;

/// A table that grows.
pub struct Table {
    names: Vec<String>,
    is_number: Vec<bool>,
    /// How far a column may be cut on a terminal; a number and a time are not.
    least: Vec<Option<usize>>,
    /// Of those that fit.
    widths: Vec<usize>,
    changes: bool,
    /// Cells of a line, where a person looks at it.
    cells: Option<usize>,
    has_header: bool,
}

impl Table {
    /// A table of these columns. `changes` says whether rows are taken back, `cells` how wide the terminal is, if it is one.
    pub fn new(schema: &Schema, changes: bool, cells: Option<usize>) -> Self {
        let is_number = |data_type: &DataType| data_type.is_numeric();
        // A number or a time that is cut is another one.
        let least = |data_type: &DataType| match data_type {
            whole if is_number(whole) || whole.is_temporal() => None,
            nested if nested.is_nested() => Some(NESTED_WIDTH_MIN),
            _ => Some(TEXT_WIDTH_MIN),
        };
        Self {
            names: schema.fields().iter().map(|field| field.name().clone()).collect(),
            is_number: schema.fields().iter().map(|field| is_number(field.data_type())).collect(),
            least: schema.fields().iter().map(|field| least(field.data_type())).collect(),
            widths: Vec::new(),
            changes,
            cells,
            has_header: false,
        }
    }

    /// Other rows came between: the next ones stand under their names again.
    pub fn begin_again(&mut self) {
        self.has_header = false;
    }

    /// Writes rows.
    ///
    /// # Errors
    /// An output that cannot be written.
    pub fn write(
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
            .map(|row| columns.iter().map(|column| printable(&column.value(row).to_string())).collect())
            .collect();
        if !self.has_header && !cells.is_empty() {
            self.head(&cells, to)?;
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
            self.widen(cells);
            self.line(mark, cells, to)?;
        }
        Ok(())
    }

    /// The names, once it is known how wide the first rows are; what there is no room for is said before.
    fn head(&mut self, cells: &[Vec<String>], to: &mut impl Write) -> io::Result<()> {
        let names: Vec<String> = self.names.iter().map(|name| printable(name)).collect();
        let widest = |column: usize| cells.iter().map(|row| row[column].width()).max().unwrap_or(0);
        let width =
            |column: usize| widest(column).min(COLUMN_WIDTH_MAX).max(names[column].width()).max(COLUMN_WIDTH_MIN);
        self.widths = (0..names.len()).map(width).collect();
        if let Some(room) = self.room() {
            self.widths = fitting(&self.widths, &self.least, room);
        }
        let shown = self.widths.len();
        if shown < names.len() {
            let left_out = names[shown..].join(", ");
            writeln!(to, "{shown} of {} columns fit; --format json has the others: {left_out}", names.len())?;
        }
        let mark = if self.changes { "  " } else { "" };
        self.line(mark, &names, to)?;
        self.has_header = true;
        Ok(())
    }

    /// Cells for columns and what is between them.
    fn room(&self) -> Option<usize> {
        self.cells.map(|cells| cells.saturating_sub(if self.changes { GAP } else { 0 }))
    }

    /// Columns grow with their cells, those of text as long as a line has room.
    fn widen(&mut self, cells: &[String]) {
        let mut spare = self.room().map_or(usize::MAX, |room| room.saturating_sub(of_all(&self.widths)));
        for (column, cell) in cells.iter().enumerate().take(self.widths.len()) {
            let more = cell.width().min(COLUMN_WIDTH_MAX).saturating_sub(self.widths[column]);
            let more = if self.least[column].is_some() { more.min(spare) } else { more };
            self.widths[column] += more;
            spare = spare.saturating_sub(more);
        }
    }

    fn line(&self, mark: &str, cells: &[String], to: &mut impl Write) -> io::Result<()> {
        let mut line = mark.to_owned();
        for (column, cell) in cells.iter().enumerate().take(self.widths.len()) {
            let is_cut = self.cells.is_some() && self.least[column].is_some();
            let cell = if is_cut { shortened(cell, self.widths[column]) } else { Cow::Borrowed(cell.as_str()) };
            let blank = " ".repeat(self.widths[column].saturating_sub(cell.width()));
            let (before, after) = if self.is_number[column] { (blank.as_str(), "") } else { ("", blank.as_str()) };
            line.extend([before, &cell, after]);
            line.push_str(&" ".repeat(GAP));
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

/// How wide columns are so that a line has room for them, of as many as there is room for: the widest texts get narrower
/// first, then columns leave from the right.
fn fitting(widths: &[usize], least: &[Option<usize>], room: usize) -> Vec<usize> {
    for shown in (1..=widths.len()).rev() {
        let mut fitting = widths[..shown].to_vec();
        while of_all(&fitting) > room {
            let can_go = |column: &usize| least[*column].is_some_and(|least| fitting[*column] > least);
            let widest = (0..shown).filter(can_go);
            let Some(widest) = widest.max_by_key(|column| fitting[*column]) else { break };
            fitting[widest] -= 1;
        }
        if of_all(&fitting) <= room || shown == 1 {
            return fitting;
        }
    }
    Vec::new()
}

/// Cells of a line.
fn of_all(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.width() <= most {
        return Cow::Borrowed(text);
    }
    let mut cells = 0;
    let kept = text.chars().take_while(|letter| {
        cells += letter.width().unwrap_or(0);
        cells < most
    });
    Cow::Owned(kept.chain(['…']).collect())
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
        assert_eq!(written(&batch, Some(80)), "_headers\n{trace: 0af7}\nNULL\n");
    }

    fn written(batch: &RecordBatch, cells: Option<usize>) -> String {
        let mut text = Vec::new();
        Table::new(&batch.schema(), false, cells).write(batch, |_| None, &mut text).unwrap();
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
        assert_eq!(written(&batch, Some(80)), format!("{header}{short}  1\n{last}"));
        assert_eq!(written(&batch, None), format!("{header}{long}  1\n{last}"));
    }

    #[test]
    fn on_a_narrow_terminal_texts_get_narrower_and_columns_that_do_not_fit_are_left_out_by_name() {
        let texts = [None, Some(TEXT_WIDTH_MIN), Some(TEXT_WIDTH_MIN)];
        assert_eq!(fitting(&[8, 40, 30], &texts, 60), [8, 24, 24]);
        assert_eq!(fitting(&[8, 40, 30], &texts, 32), [8, 10, 10]);
        assert_eq!(fitting(&[8, 40, 30], &texts, 31), [8, 21]);
        assert_eq!(fitting(&[50, 8], &[None, None], 20), [50], "a number is not cut");
        let text = |text: &str| Arc::new(StringArray::from(vec![text.to_owned()])) as ArrayRef;
        let amount = Arc::new(arrow::array::Int64Array::from(vec![7])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([
            ("name", text(&"n".repeat(30))),
            ("amount", amount),
            ("note", text("as it is")),
            ("last", text("z")),
        ]);
        let shown = format!(
            "2 of 4 columns fit; --format json has the others: note, last\nname           amount\n{}…       7\n",
            "n".repeat(12)
        );
        assert_eq!(written(&batch.unwrap(), Some(21)), shown);
    }
}
