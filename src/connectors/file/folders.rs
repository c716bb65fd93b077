//! Columns whose values stand in the names of folders, as Hive and this sink write them: `day=2024-01-15/`. It opens no file.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::partition::NULL_FOLDER;
use super::reader::Job;
use crate::connectors::accept::decoded;
use crate::connectors::contract::Columns;
use crate::core::fault::{Blame, Fault};
use crate::formats::infer::Inference;
use crate::formats::types;

/// What the folders of a path say, from the outside in; `None` is NULL.
fn values(path: &Path) -> Vec<(String, Option<String>)> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let value = |folder: std::path::Component<'_>| {
        let folder = folder.as_os_str().to_str()?;
        let (name, value) = folder.split_once('=')?;
        let value = (value != NULL_FOLDER).then(|| decoded(value));
        (!name.is_empty()).then(|| (name.to_owned(), value))
    };
    folders.filter_map(value).collect()
}

/// The columns of files, and behind them those that the folders of all of them name.
pub(super) fn with_folders<P: AsRef<Path>>(schema: &SchemaRef, found: &[P]) -> SchemaRef {
    let said: Vec<_> = found.iter().map(|path| values(path.as_ref())).collect();
    let is_everywhere =
        |name: &str| said.iter().all(|values| values.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
    let mut inference = Inference::default();
    for values in &said {
        inference.texts(values.iter().map(|(name, value)| (name.as_str(), value.as_deref())));
    }
    let named = inference.finish(true);
    let is_new = |field: &&Arc<Field>| {
        is_everywhere(field.name()) && !schema.fields().iter().any(|own| own.name().eq_ignore_ascii_case(field.name()))
    };
    let more: Vec<_> = named.fields().iter().filter(is_new).cloned().collect();
    if more.is_empty() {
        return Arc::clone(schema);
    }
    Arc::new(Schema::new(schema.fields().iter().cloned().chain(more).collect::<Vec<_>>()))
}

/// Columns that one file has from its folders.
#[derive(Default)]
pub(super) struct Given {
    /// The place of each among the columns that are read, in order, and its one value.
    columns: Vec<(usize, ArrayRef)>,
}

/// What the folders of a file leave to be read.
pub(super) enum Apart {
    /// A job over what stands in the file, and the columns that it has from its folders.
    Fits(Job, Given),
    /// No row of the file can be read: a folder's value is none of its column's type. Why.
    Unfit(String),
}

/// A job as its file's folders leave it.
///
/// # Errors
/// Arrow's, which are defects of this program.
pub(super) fn apart(job: &Job) -> Result<Apart, Fault> {
    let values = values(&job.path);
    let said = |field: &Field| values.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.name()));
    let fields = job.schema.fields();
    let in_file: Vec<usize> = (0..fields.len()).filter(|at| said(&fields[*at]).is_none()).collect();
    if in_file.len() == fields.len() {
        return Ok(Apart::Fits(job.clone(), Given::default()));
    }
    let mut given = Given::default();
    let mut read = Vec::new();
    for (at, field) in job.columns.fields.iter().enumerate() {
        match said(&fields[*field]) {
            Some((_, value)) => match one(&fields[*field], value.as_deref()) {
                Ok(value) => given.columns.push((at, value)),
                Err(why) => return Ok(Apart::Unfit(why)),
            },
            None => read.extend(in_file.iter().position(|own| own == field)),
        }
    }
    let schema = job.schema.project(&in_file).map_err(|error| defect(&error))?;
    let columns = Columns { fields: read, ..job.columns.clone() };
    Ok(Apart::Fits(Job { schema: Arc::new(schema), columns, ..job.clone() }, given))
}

/// A text as a value of a column, or why it is none.
fn one(field: &Field, value: Option<&str>) -> Result<ArrayRef, String> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![value]));
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let made = cast_with_options(&text, field.data_type(), &strict).ok();
    made.filter(|made| field.is_nullable() || made.null_count() == 0).ok_or_else(|| {
        let (name, wanted) = (field.name(), types::name(field.data_type()));
        let shown = value.unwrap_or(NULL_FOLDER);
        format!(
            "the folder `{name}={shown}` is no {wanted}: no row of its file is read; `{name}` VARCHAR would take it"
        )
    })
}

impl Given {
    /// The columns of a batch, with those of the folders in their places.
    ///
    /// # Errors
    /// Arrow's, which are defects of this program.
    pub fn among(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, Fault> {
        let mut columns = batch.columns().to_vec();
        for (at, value) in &self.columns {
            let rows = UInt32Array::from(vec![0; batch.num_rows()]);
            columns.insert(*at, take(value, &rows, None).map_err(|error| defect(&error))?);
        }
        Ok(columns)
    }
}

fn defect(error: &arrow::error::ArrowError) -> Fault {
    Fault::new(Blame::Program, format!("columns of folders: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_names_and_values_and_nothing_else_does() {
        let said =
            values(Path::new("/in/year=2024/city=S%C3%A3o Paulo/day=__HIVE_DEFAULT_PARTITION__/=x/plain/a=b.csv"));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(said, [("year".into(), text("2024")), ("city".into(), text("São Paulo")), ("day".into(), None)]);
    }
}
