//! A sink that prints rows to the standard output, one a line. For headless runs: a screen must not be printed upon.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::accept::accept;
use super::contract::{
    BadRow, Connector, Context, End, Parameter, Sink, SinkRequest, SinkRows, Source, SourceRequest, Takes,
};
use super::encoding::{DELIMITER, FORMAT, Format, NULL_TEXT, QUOTE, schema_with_ops, with_ops};
use super::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::Encoder;
use crate::formats::csv::CsvEncoder;

const PARAMETERS: &[Parameter] = &[
    FORMAT,
    DELIMITER,
    QUOTE,
    NULL_TEXT,
    Parameter {
        name: "header",
        takes: Takes::Boolean,
        default: Some("true"),
        help: "CSV: names of the columns on the first line",
        ..Parameter::TEXT
    },
];

/// The connector `stdout`.
pub struct StdoutConnector;

#[async_trait]
impl Connector for StdoutConnector {
    fn name(&self) -> &'static str {
        "stdout"
    }

    fn help(&self) -> &'static str {
        "prints rows to the standard output"
    }

    fn is_source(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        Ok(super::accept::split_query(uri).1)
    }

    fn check(&self, request: &SinkRequest, _context: &Context) -> Result<(), Fault> {
        Format::of(&accept(self, End::Sink, &request.options)?).map(drop)
    }

    async fn source(&self, request: SourceRequest, _context: &Context) -> Result<Arc<dyn Source>, Fault> {
        Err(Fault::new(Blame::Operator, format!("`{}` cannot be read: `stdout` only prints", request.name)))
    }

    async fn sink(&self, request: SinkRequest, _context: &Context) -> Result<Box<dyn Sink>, Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        Ok(Box::new(Lines::new(tokio::io::stdout(), &options, &request)?))
    }
}

/// Writes rows as lines.
struct Lines<W> {
    out: W,
    encoder: Box<dyn Encoder>,
    shows_ops: bool,
    header: Option<Vec<u8>>,
}

impl<W: AsyncWrite + Send + Unpin> Lines<W> {
    fn new(out: W, options: &Options, request: &SinkRequest) -> Result<Self, Fault> {
        let format = Format::of(options)?;
        let encoder = format.encoder();
        let shows_ops = request.changes && !encoder.carries_changes();
        let columns = if shows_ops { schema_with_ops(&request.schema) } else { request.schema.clone() };
        let header = match format {
            Format::Csv(dialect) if options.boolean("header")?.unwrap_or(true) => {
                let mut header = CsvEncoder::new(dialect).header(&columns);
                header.push(b'\n');
                Some(header)
            }
            _ => None,
        };
        Ok(Self { out, encoder, shows_ops, header })
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.out.write_all(bytes).await.map_err(|error| broken(&error))
    }
}

fn broken(error: &std::io::Error) -> Fault {
    Fault::new(Blame::Operator, format!("the standard output takes no more rows: {error}"))
}

#[async_trait]
impl<W: AsyncWrite + Send + Unpin> Sink for Lines<W> {
    async fn open(&mut self) -> Result<Option<u64>, Fault> {
        if let Some(header) = self.header.take() {
            self.put(&header).await?;
        }
        Ok(None)
    }

    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        let ops = rows.ops.as_ref();
        let encoded = if self.shows_ops {
            self.encoder.encode(&with_ops(&rows.batch, ops)?)?
        } else {
            self.encoder.encode_changes(&rows.batch, ops)?
        };
        let mut lines = Vec::with_capacity(encoded.bytes.len() + encoded.ends.len());
        let mut start = 0;
        for end in &encoded.ends {
            if *end > start {
                lines.extend_from_slice(&encoded.bytes[start..*end]);
                lines.push(b'\n');
            }
            start = *end;
        }
        self.put(&lines).await?;
        // A row that waits in a buffer is a row nobody sees.
        self.out.flush().await.map_err(|error| broken(&error))?;
        Ok(encoded
            .bad
            .into_iter()
            .map(|bad| BadRow { row: bad.record as usize, class: bad.class, message: bad.message })
            .collect())
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.out.flush().await.map_err(|error| broken(&error))
    }

    async fn prepare(&mut self, _epoch: u64) -> Result<Option<String>, Fault> {
        self.flush().await?;
        Ok(None)
    }

    async fn close(&mut self, _is_clean: bool) -> Result<(), Fault> {
        self.flush().await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{ArrayRef, Int8Array, Int64Array, RecordBatch};
    use arrow::buffer::ScalarBuffer;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    async fn check(options: &[(&str, &str)], changes: bool, expected: &str) {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let options: Options = options.iter().copied().collect();
        let request = SinkRequest {
            name: "out".into(),
            options: options.clone(),
            schema: schema.clone(),
            key: vec![],
            key_lacks: Vec::new(),
            key_refused: None,
            changes,
            job: "job".into(),
            exactly_once: false,
        };
        let mut sink = Lines::new(Vec::new(), &options, &request).unwrap();
        sink.open().await.unwrap();
        let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
        let batch = RecordBatch::try_new(schema, vec![column]).unwrap();
        let ops = changes.then(|| Int8Array::from(vec![2, 3, 1]));
        sink.write(SinkRows { batch, times: ScalarBuffer::from(vec![0; 3]), ops }).await.unwrap();
        assert_eq!(String::from_utf8(sink.out).unwrap(), expected);
    }

    #[tokio::test]
    async fn rows_are_lines_and_changes_say_what_happens() {
        check(&[], false, "{\"n\":1}\n{\"n\":2}\n{\"n\":null}\n").await;
        check(&[], true, "{\"_op\":\"-U\",\"n\":1}\n{\"_op\":\"+U\",\"n\":2}\n{\"_op\":\"-D\",\"n\":null}\n").await;
        check(&[("format", "csv")], true, "_op,n\n-U,1\n+U,2\n-D,\n").await;
        let both = "{\"before\":{\"n\":1},\"after\":{\"n\":2},\"op\":\"u\"}\n{\"before\":{\"n\":null},\"after\":null,\"op\":\"d\"}\n";
        check(&[("format", "debezium")], true, both).await;
    }
}
