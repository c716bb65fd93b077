//! Rows to the folders that the values of their partition columns name, as Hive has them: `day=2024-01-15/`. It writes none.

use std::collections::HashMap;
use std::path::PathBuf;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::Schema;

use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::json::PlainWriter;

/// Folder of rows whose partition column is NULL, as Hive names it.
pub(super) const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Which columns name folders, and which are written.
pub(super) struct Partition {
    by: Vec<usize>,
    names: Vec<String>,
    kept: Vec<usize>,
}

impl Partition {
    /// As `partition.by` says, over these columns.
    pub fn of(options: &Options, schema: &Schema, sink: &str) -> Result<Self, Fault> {
        let named = options.get("partition.by").unwrap_or_default();
        let names: Vec<String> =
            named.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let place = |name: &String| {
            let found = schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name));
            found.ok_or_else(|| options.fault("partition.by", format!("`{name}` is no column of `{sink}`")))
        };
        let by = names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let kept: Vec<usize> = (0..schema.fields().len()).filter(|at| !by.contains(at)).collect();
        if kept.is_empty() {
            return Err(
                options.fault("partition.by", "every column is one of the partition's: nothing is left to write")
            );
        }
        Ok(Self { by, names, kept })
    }

    /// Whether there is only one folder, that of the path.
    pub fn is_whole(&self) -> bool {
        self.by.is_empty()
    }

    /// Folders below that of the path, each in the other.
    pub fn depth(&self) -> usize {
        self.by.len()
    }

    /// The columns that are written.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// The rows of each folder.
    pub fn split(&self, batch: &RecordBatch) -> Result<Vec<(PathBuf, RecordBatch)>, Fault> {
        let defect = |error: arrow::error::ArrowError| Fault::new(Blame::Program, format!("partitions: {error}"));
        let kept = batch.project(&self.kept).map_err(defect)?;
        if self.is_whole() {
            return Ok(vec![(PathBuf::new(), kept)]);
        }
        let writers = self.by.iter().map(|at| PlainWriter::of(batch.column(*at))).collect::<Result<Vec<_>, _>>()?;
        let mut rows: HashMap<PathBuf, Vec<u32>> = HashMap::new();
        let mut text = Vec::new();
        for row in 0..batch.num_rows() {
            let mut folder = PathBuf::new();
            for (name, writer) in self.names.iter().zip(&writers) {
                text.clear();
                if writer.is_null(row) {
                    text.extend_from_slice(NULL_FOLDER.as_bytes());
                } else {
                    writer.write(row, &mut text);
                }
                folder.push(format!("{name}={}", as_name(&text)));
            }
            rows.entry(folder).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        rows.into_iter()
            .map(|(folder, rows)| Ok((folder, take_record_batch(&kept, &UInt32Array::from(rows)).map_err(defect)?)))
            .collect()
    }
}

/// A text as part of a file's name: what is no letter, digit, point, dash or underscore is escaped.
pub(super) fn as_name(text: &[u8]) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            name.push(char::from(*byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}
