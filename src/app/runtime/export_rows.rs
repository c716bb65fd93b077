//! Rows of a result as a new file: CSV, JSON lines, or Parquet with the types of the result. What is written is what the view has.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;

use crate::app::action::{RowsExport, RowsFormat};
use crate::core::fault::{Blame, Fault, Place};

/// Writes rows to a new file in the folder; nothing is overwritten. Gives its path.
///
/// # Errors
/// The file cannot be written.
pub fn export(folder: &Path, export: &RowsExport) -> Result<PathBuf, Fault> {
    let (file, path) = create(folder, export)?;
    let mut out = BufWriter::new(file);
    let written = match export.format {
        RowsFormat::Csv => csv(export, &mut out),
        RowsFormat::JsonLines => json_lines(export, &mut out),
        RowsFormat::Parquet => parquet(export, &mut out),
    };
    written.and_then(|()| out.flush()).map_err(|error| {
        // Half a file is none.
        fs::remove_file(&path).ok();
        failed(&path, &error)
    })?;
    Ok(path)
}

fn create(folder: &Path, export: &RowsExport) -> Result<(File, PathBuf), Fault> {
    let path = folder.join(&export.file);
    match OpenOptions::new().create_new(true).write(true).open(&path) {
        Ok(file) => Ok((file, std::path::absolute(&path).unwrap_or(path))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let fault = Fault::new(Blame::Operator, "there is such a file already: nothing is written over it");
            Err(fault.at(Place::file(path.display().to_string())).next("export under another name"))
        }
        Err(error) => Err(failed(&path, &error)),
    }
}

fn csv(export: &RowsExport, out: &mut impl Write) -> io::Result<()> {
    let mut line = |cells: &mut dyn Iterator<Item = Option<&str>>| -> io::Result<()> {
        let cells: Vec<_> = cells.map(|cell| cell.map(quoted).unwrap_or_default()).collect();
        writeln!(out, "{}", cells.join(","))
    };
    line(&mut export.columns.iter().map(|column| Some(column.name.as_str())))?;
    export.rows.iter().try_for_each(|row| line(&mut row.iter().map(Option::as_deref)))
}

fn quoted(cell: &str) -> String {
    match cell.is_empty() || cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

fn json_lines(export: &RowsExport, out: &mut impl Write) -> io::Result<()> {
    for row in &export.rows {
        let pairs = export.columns.iter().zip(row);
        let object = pairs.map(|(column, cell)| (column.name.clone(), column.json(cell.as_deref())));
        serde_json::to_writer(&mut *out, &object.collect::<serde_json::Map<_, _>>())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn parquet(export: &RowsExport, out: impl Write + Send) -> io::Result<()> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (at, column) in export.columns.iter().enumerate() {
        let texts: StringArray = export.rows.iter().map(|row| row.get(at).and_then(Option::as_deref)).collect();
        let texts: ArrayRef = Arc::new(texts);
        // What does not read back as its type, as a value that the view has cut, is written as text: no value is lost.
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let array = typed(&column.sql_type).and_then(|wanted| cast_with_options(&texts, &wanted, &options).ok());
        let array = array.unwrap_or(texts);
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(io::Error::other)?;
    let mut writer = ArrowWriter::try_new(out, schema, None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// The type behind its name in SQL; none for what is written as text.
fn typed(sql_type: &str) -> Option<DataType> {
    let inside = |prefix: &str| sql_type.strip_prefix(prefix)?.split_once(')').map(|(inside, _)| inside.to_owned());
    Some(match sql_type {
        "BOOLEAN" => DataType::Boolean,
        "INT" => DataType::Int32,
        "BIGINT" => DataType::Int64,
        "UInt64" => DataType::UInt64,
        "FLOAT" => DataType::Float32,
        "DOUBLE" => DataType::Float64,
        "DATE" => DataType::Date32,
        _ => {
            if let Some(digits) = inside("DECIMAL(") {
                let (precision, scale) = digits.split_once(',')?;
                let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                return Some(match precision {
                    ..=38 => DataType::Decimal128(precision, scale),
                    _ => DataType::Decimal256(precision, scale),
                });
            }
            inside("TIMESTAMP(")?;
            let zone = sql_type.ends_with("WITH TIME ZONE").then(|| "UTC".into());
            // The view's texts have milliseconds.
            DataType::Timestamp(TimeUnit::Millisecond, zone)
        }
    })
}

fn failed(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Blame::Operator, error.to_string()).at(Place::file(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::array::AsArray;
    use arrow::datatypes::{Decimal128Type, TimestampMillisecondType};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::app::model::queries::QueryColumn;

    fn exported(format: RowsFormat) -> (tempfile::TempDir, PathBuf) {
        let column = |name: &str, sql_type: &str, is_numeric| QueryColumn {
            name: name.into(),
            sql_type: sql_type.into(),
            is_numeric,
            scale: None,
        };
        let columns = vec![
            column("id", "BIGINT", true),
            column("amount", "DECIMAL(18,2)", true),
            column("note", "VARCHAR", false),
            column("at", "TIMESTAMP(3)", false),
        ];
        let text = |text: &str| Some(text.to_owned());
        let rows = vec![
            vec![text("1"), text("1204.50"), text("a, \"b\""), text("2026-11-21 12:00:00.250")],
            vec![text("2"), None, text(""), None],
        ];
        let folder = tempfile::tempdir().unwrap();
        let file = format!("my query.{}", format.ending());
        let path = export(folder.path(), &RowsExport { file, format, columns, rows }).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        let (folder, path) = exported(RowsFormat::Csv);
        let before = fs::read_to_string(&path).unwrap();
        let again =
            RowsExport { file: "my query.csv".into(), format: RowsFormat::Csv, columns: Vec::new(), rows: Vec::new() };
        let fault = export(folder.path(), &again).unwrap_err();
        assert!(fault.what.contains("such a file already"), "{fault}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
    }

    #[test]
    fn csv_tells_null_from_an_empty_text() {
        let (_folder, path) = exported(RowsFormat::Csv);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "id,amount,note,at\n1,1204.50,\"a, \"\"b\"\"\",2026-11-21 12:00:00.250\n2,,\"\",\n");
    }

    #[test]
    fn json_keeps_every_digit_of_a_decimal() {
        let (_folder, path) = exported(RowsFormat::JsonLines);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.lines().next().unwrap(),
            r#"{"id":1,"amount":"1204.50","note":"a, \"b\"","at":"2026-11-21 12:00:00.250"}"#
        );
        assert_eq!(text.lines().nth(1).unwrap(), r#"{"id":2,"amount":null,"note":"","at":null}"#);
    }

    #[test]
    fn parquet_has_the_types_of_the_result() {
        let (_folder, path) = exported(RowsFormat::Parquet);
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().build().unwrap();
        let batch = reader.into_iter().next().unwrap().unwrap();
        assert_eq!(batch.column(1).as_primitive::<Decimal128Type>().value(0), 120_450);
        assert_eq!(batch.column(3).as_primitive::<TimestampMillisecondType>().value(0), 1_795_262_400_250);
        assert!(batch.column(1).is_null(1) && !batch.column(2).is_null(1));
    }
}
