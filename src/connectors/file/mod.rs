//! Files as sources and sinks: CSV, JSON and Parquet, plain or compressed. A split is a file and a position a place in
//! it; what a sink writes becomes visible whole, under its own name, or not at all.

mod content;
mod folders;
mod header;
mod leftovers;
mod lines;
mod listing;
mod parquet;
mod partition;
mod place;
mod reader;
mod segment;
mod settings;
mod sink;
mod source;
mod target;

use std::sync::Arc;

use async_trait::async_trait;

use super::accept::{accept, decoded, split_query};
use super::contract::{Connector, Context, End, Parameter, Sink, SinkRequest, Source, SourceRequest, Takes};
use super::encoding::{DELIMITER, FORMATS_NOT_IN_THIS_BUILD, NULL_TEXT, QUOTE};
use super::options::Options;
use crate::core::fault::{Blame, Fault};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "path",
        also: &["file", "filename", "file.path"],
        required: Some(End::Source),
        help: "a file, a folder, or a pattern such as in/*.csv; relative to the project",
        ..Parameter::TEXT
    },
    Parameter {
        name: "format",
        takes: Takes::OneOf(&[
            "csv",
            "json",
            "jsonl",
            "ndjson",
            "parquet",
            "raw",
            "string",
            "debezium",
            "debezium-json",
        ]),
        absent: &FORMATS_NOT_IN_THIS_BUILD,
        help: "what the file holds; by its extension where absent",
        ..Parameter::TEXT
    },
    Parameter {
        name: "header",
        also: &["has.headers", "csv.header", "has.header"],
        takes: Takes::Boolean,
        default: Some("true"),
        help: "CSV: whether the first line names the columns",
        ..Parameter::TEXT
    },
    DELIMITER,
    QUOTE,
    NULL_TEXT,
    Parameter {
        name: "compression",
        takes: Takes::OneOf(&["none", "gzip", "gz", "zstd", "zst", "snappy", "uncompressed"]),
        help: "gzip or zstd; by the extension where absent. Parquet compresses inside: zstd, snappy, gzip or none",
        ..Parameter::TEXT
    },
    Parameter {
        name: "watch",
        end: Some(End::Source),
        takes: Takes::Boolean,
        default: Some("false"),
        help: "go on with new files and appended lines",
        ..Parameter::TEXT
    },
    Parameter {
        name: "watch.interval",
        also: &["polling.interval"],
        end: Some(End::Source),
        takes: Takes::Duration,
        default: Some("500ms"),
        help: "how often a watched file is looked at",
        ..Parameter::TEXT
    },
    Parameter {
        name: "sample.records",
        end: Some(End::Source),
        takes: Takes::Number,
        default: Some("10000"),
        help: "records that are looked at where no columns are declared",
        ..Parameter::TEXT
    },
    Parameter {
        name: "mode",
        also: &["write.mode", "sink.mode"],
        end: Some(End::Sink),
        takes: Takes::OneOf(&["append", "overwrite"]),
        default: Some("append"),
        help: "whether a file that exists is added to or replaced",
        ..Parameter::TEXT
    },
    Parameter {
        name: "roll.size",
        also: &["max.file.size", "rotation.size"],
        end: Some(End::Sink),
        takes: Takes::Bytes,
        help: "begin another file past this size",
        ..Parameter::TEXT
    },
    Parameter {
        name: "roll.interval",
        also: &["rotation.interval"],
        end: Some(End::Sink),
        takes: Takes::Duration,
        help: "begin another file after this time",
        ..Parameter::TEXT
    },
    Parameter {
        name: "partition.by",
        also: &["partition.columns", "partitioned.by"],
        end: Some(End::Sink),
        help: "columns, with commas between them, whose values name folders: day=2024-01-15/",
        ..Parameter::TEXT
    },
];

/// The connector `file`.
pub struct FileConnector;

#[async_trait]
impl Connector for FileConnector {
    fn name(&self) -> &'static str {
        "file"
    }

    fn help(&self) -> &'static str {
        "files of CSV, JSON or Parquet"
    }

    fn ends(&self, options: &Options) -> bool {
        options.get("watch") != Some("true")
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    /// `file:///in/*.csv?header=true`, `file://in/a.jsonl` (relative), or a bare path.
    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        let rest = uri.strip_prefix("file://").or_else(|| uri.strip_prefix("file:")).unwrap_or(uri);
        // A `?` that no option follows is part of a pattern.
        let (path, mut options) = match rest.rsplit_once('?') {
            Some((_, query)) if query.contains('=') => split_query(rest),
            _ => (rest, Options::default()),
        };
        if path.is_empty() {
            return Err(
                Fault::new(Blame::Operator, format!("`{uri}` names no file")).next("write `file:///folder/*.csv`")
            );
        }
        options.set("path", decoded(path), None);
        Ok(options)
    }

    fn check(&self, request: &SinkRequest, context: &Context) -> Result<(), Fault> {
        sink::FileSink::new(request, &accept(self, End::Sink, &request.options)?, context).map(drop)
    }

    async fn source(&self, request: SourceRequest, context: &Context) -> Result<Arc<dyn Source>, Fault> {
        let options = accept(self, End::Source, &request.options)?;
        Ok(Arc::new(source::FileSource::open(&request, &options, context).await?))
    }

    async fn creates(&self, request: &SinkRequest, context: &Context) -> Option<String> {
        let options = accept(self, End::Sink, &request.options).ok()?;
        target::creates(settings::Settings::of(&options, &request.name, context).ok()?.path).await
    }

    async fn sink(&self, request: SinkRequest, context: &Context) -> Result<Box<dyn Sink>, Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        Ok(Box::new(sink::FileSink::new(&request, &options, context)?))
    }
}

#[cfg(test)]
mod mishap_tests;
#[cfg(test)]
mod tests;
