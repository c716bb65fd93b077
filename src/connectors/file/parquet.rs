//! Parquet, row group by row group: only the columns asked for are read, and a position is a group and a row in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options, filter};
use arrow::datatypes::{Field, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use arrow::util::display::array_value_to_string;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::place::Stamp;
use super::settings::failed;
use crate::connectors::descriptors;
use crate::core::fault::{Blame, Fault};
use crate::formats::types;

/// Columns of a file.
///
/// # Errors
/// The file is no Parquet.
pub(super) fn schema(path: &Path) -> Result<SchemaRef, Fault> {
    Ok(open(path)?.1.schema().clone())
}

fn open(path: &Path) -> Result<(File, ArrowReaderMetadata), Fault> {
    let file = File::open(path).map_err(|error| failed("open", path, &error))?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| broken(path, &error))?;
    Ok((file, metadata))
}

fn broken(path: &Path, error: &impl std::fmt::Display) -> Fault {
    let what = format!("{} cannot be read as Parquet: {error}", path.display());
    descriptors::told_of_text(Fault::new(Blame::Operator, what.as_str()), &what)
}

/// Letters of a value that are shown where it does not fit: enough to know it by.
const SHOWN_MAX: usize = 60;

/// Rows, without those whose values do not fit the declared types.
pub(super) struct Rows {
    pub batch: RecordBatch,
    /// The number of each row in the file, from 1.
    pub numbers: Vec<i64>,
    /// Ascending.
    pub unfit: Vec<Unfit>,
}

/// A row that does not fit.
#[derive(Debug)]
pub(super) struct Unfit {
    /// Its number in the file, from 1.
    pub number: i64,
    /// Its columns that are read, as JSON; `None` where one of them has no such form.
    pub value: Option<Vec<u8>>,
    pub class: &'static str,
    pub message: String,
}

/// What is wrong with rows, by their positions in a batch: the class and the message of the first fault of each.
type Faults = BTreeMap<usize, (&'static str, String)>;

/// Rows of one file.
pub(super) struct Groups {
    path: std::path::PathBuf,
    stamp: Stamp,
    file: File,
    metadata: ArrowReaderMetadata,
    /// The columns wanted, as they are declared.
    schema: SchemaRef,
    /// Their positions in the file, in their order.
    places: Vec<usize>,
    group: usize,
    row: usize,
    current: Option<ParquetRecordBatchReader>,
}

impl Groups {
    /// Opens a file behind a position.
    ///
    /// # Errors
    /// The file is no Parquet or lacks a column.
    pub fn open(path: &Path, schema: &SchemaRef, group: usize, row: usize) -> Result<Self, Fault> {
        let (file, metadata) = open(path)?;
        let stamp = Stamp::of(&file.metadata().map_err(|error| failed("look at", path, &error))?);
        let of_file = metadata.schema();
        let places = schema.fields().iter().map(|field| {
            let exact = of_file.fields().iter().position(|own| own.name() == field.name());
            let place =
                exact.or_else(|| of_file.fields().iter().position(|own| own.name().eq_ignore_ascii_case(field.name())));
            place.ok_or_else(|| {
                let names: Vec<_> = of_file.fields().iter().map(|own| own.name().as_str()).collect();
                Fault::new(Blame::Operator, format!("{} has no column `{}`", path.display(), field.name()))
                    .next(format!("it has {}", names.join(", ")))
            })
        });
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let (path, schema) = (path.to_owned(), schema.clone());
        Ok(Self { path, stamp, file, schema, places, metadata, group, row, current: None })
    }

    /// Which file is read, and how long it was.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The group and the row behind the last batch.
    pub fn place(&self) -> (u64, u64) {
        (self.group as u64, self.row as u64)
    }

    /// The number of the first row that comes next, from 1.
    pub fn row_number(&self) -> i64 {
        let groups = self.metadata.metadata().row_groups();
        groups.iter().take(self.group).map(|group| group.num_rows()).sum::<i64>() + self.row as i64 + 1
    }

    /// How many of the file's groups are read.
    pub fn progress(&self) -> (u64, u64) {
        let size =
            |group: &parquet::file::metadata::RowGroupMetaData| u64::try_from(group.compressed_size()).unwrap_or(0);
        let groups = self.metadata.metadata().row_groups();
        (groups.iter().take(self.group).map(size).sum(), groups.iter().map(size).sum())
    }

    /// The next rows, at most `rows_max`.
    ///
    /// # Errors
    /// The file is broken, or a column's type is never the declared one.
    pub fn next(&mut self, rows_max: usize) -> Result<Option<Rows>, Fault> {
        loop {
            if self.group >= self.metadata.metadata().num_row_groups() {
                return Ok(None);
            }
            if self.current.is_none() {
                let file = self.file.try_clone().map_err(|error| failed("open", &self.path, &error))?;
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
                let mask = ProjectionMask::roots(builder.parquet_schema(), self.places.iter().copied());
                let reader = builder
                    .with_projection(mask)
                    .with_row_groups(vec![self.group])
                    .with_offset(self.row)
                    .with_batch_size(rows_max)
                    .build()
                    .map_err(|error| broken(&self.path, &error))?;
                self.current = Some(reader);
            }
            match self.current.as_mut().and_then(Iterator::next) {
                Some(batch) => {
                    let batch = batch.map_err(|error| broken(&self.path, &error))?;
                    let first = self.row_number();
                    self.row += batch.num_rows();
                    return self.declared(&batch, first).map(Some);
                }
                None => {
                    self.current = None;
                    (self.group, self.row) = (self.group + 1, 0);
                }
            }
        }
    }

    /// The batch in the order and the types that are declared.
    fn declared(&self, batch: &RecordBatch, first: i64) -> Result<Rows, Fault> {
        // A projection keeps the file's order.
        let mut in_file = self.places.clone();
        in_file.sort_unstable();
        in_file.dedup();
        let mut faults = Faults::new();
        let columns = self.schema.fields().iter().zip(&self.places).map(|(field, place)| -> Result<ArrayRef, Fault> {
            let at = in_file.binary_search(place).map_err(|_| broken(&self.path, &"a column is missing"))?;
            let column = cast(batch.column(at), field, &mut faults).map_err(|error| {
                let what =
                    format!("{}: `{}` is no {}", self.path.display(), field.name(), types::name(field.data_type()));
                Fault::new(Blame::Operator, format!("{what}: {error}"))
            })?;
            if !field.is_nullable() && column.null_count() > 0 {
                for row in (0..column.len()).filter(|row| column.is_null(*row)) {
                    let message = format!("`{}`: the value is missing, and the column is NOT NULL", field.name());
                    faults.entry(row).or_insert(("missing_field", message));
                }
            }
            Ok(column)
        });
        let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
        let fits = |row: &usize| !faults.contains_key(row);
        let kept: Vec<usize> = (0..batch.num_rows()).filter(fits).collect();
        if !faults.is_empty() {
            let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(fits(&row))).collect();
            let kept = columns.iter().map(|column| filter(column, &mask)).collect::<Result<Vec<_>, _>>();
            columns = kept.map_err(|error| broken(&self.path, &error))?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(kept.len()));
        let number = |row: usize| first + row as i64;
        let fitting = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| broken(&self.path, &error))?;
        let unfit = faults.into_iter().map(|(row, (class, message))| Unfit {
            number: number(row),
            value: as_json(batch, row),
            class,
            message,
        });
        Ok(Rows { batch: fitting, numbers: kept.into_iter().map(number).collect(), unfit: unfit.collect() })
    }
}

/// A column in its declared type. Values that have no place in it are NULL and among the faults.
fn cast(column: &ArrayRef, field: &Field, faults: &mut Faults) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let error = match cast_with_options(column, field.data_type(), &strict) {
        Ok(cast) => return Ok(cast),
        Err(error) => error,
    };
    let cast = cast_with_options(column, field.data_type(), &CastOptions::default())?;
    let mut is_found = false;
    for row in (0..column.len()).filter(|row| cast.is_null(*row) && !column.is_null(*row)) {
        is_found = true;
        let class = if column.data_type().is_numeric() { "overflow" } else { "type_mismatch" };
        let shown: String = array_value_to_string(column, row)?.chars().take(SHOWN_MAX).collect();
        let message = format!("`{}`: expected {}, found `{shown}`", field.name(), types::name(field.data_type()));
        faults.entry(row).or_insert((class, message));
    }
    // What went wrong within a list is no row's own value: nothing may be lost unsaid.
    if is_found { Ok(cast) } else { Err(error) }
}

/// A row as it stands in the file.
fn as_json(batch: &RecordBatch, row: usize) -> Option<Vec<u8>> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&batch.slice(row, 1)).ok()?;
    writer.finish().ok()?;
    Some(writer.into_inner().trim_ascii_end().to_vec())
}
