//! A table of state as bytes: Arrow's IPC stream under zstd. It reads what it wrote and nothing else.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::core::fault::{Blame, Fault};

/// zstd's fastest level: state of numbers halves at 500 MB/s, and a checkpoint is not held up by it.
const LEVEL: i32 = 1;

/// The bytes of a table.
///
/// # Errors
/// A column type that Arrow cannot write.
pub fn write(batch: &RecordBatch) -> Result<Vec<u8>, Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::new(Blame::Program, format!("state cannot be written: {error}"));
    let mut compressed = zstd::Encoder::new(Vec::new(), LEVEL).map_err(|error| fault(&error))?;
    let mut writer = StreamWriter::try_new(&mut compressed, &batch.schema()).map_err(|error| fault(&error))?;
    writer.write(batch).map_err(|error| fault(&error))?;
    writer.finish().map_err(|error| fault(&error))?;
    drop(writer);
    compressed.finish().map_err(|error| fault(&error))
}

/// The table of bytes.
///
/// # Errors
/// Bytes that [`write()`] did not write.
pub fn read(bytes: &[u8]) -> Result<RecordBatch, Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::new(Blame::Operator, format!("state cannot be read: {error}"));
    let plain = zstd::decode_all(bytes).map_err(|error| fault(&error))?;
    let reader = StreamReader::try_new(plain.as_slice(), None).map_err(|error| fault(&error))?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| fault(&error))?;
    concat_batches(&schema, &batches).map_err(|error| fault(&error))
}
