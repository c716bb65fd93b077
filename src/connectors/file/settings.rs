//! What the options of a file say, read once and typed. It opens no file.

use std::path::{Path, PathBuf};

use crate::connectors::contract::Context;
use crate::connectors::descriptors;
use crate::connectors::encoding::{Format, dialect};
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holds {
    /// Records of text: one a line, or (JSON) one after the other.
    Records(Format),
    /// Parquet.
    Parquet,
}

/// How a file is compressed from the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// A place and what is there.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Absolute, or relative to where the program runs; may be a pattern.
    pub path: PathBuf,
    pub holds: Holds,
    pub header: bool,
    /// As it was written; `None`: by the extension of each file.
    pub compression: Option<Compression>,
    /// What Parquet is to compress its pages with.
    pub pages: Option<String>,
}

impl Settings {
    pub fn of(options: &Options, name: &str, context: &Context) -> Result<Self, Fault> {
        let written = options.get("path").unwrap_or(name).trim();
        if written.is_empty() {
            return Err(Fault::new(Blame::Operator, "no file is named").next("set `path`"));
        }
        let path = context.folder.join(written);
        let pages = options.get("compression").map(str::to_ascii_lowercase);
        let compression = match pages.as_deref() {
            Some("gzip" | "gz") => Some(Compression::Gzip),
            Some("zstd" | "zst") => Some(Compression::Zstd),
            Some("none" | "uncompressed") => Some(Compression::None),
            _ => None,
        };
        let format = options.get("format").map(str::to_ascii_lowercase).or_else(|| by_extension(&path));
        let Some(format) = format else {
            let what = format!("`{written}` does not say what it holds");
            let next = match path.extension() {
                Some(_) => "set `format` to csv, json, jsonl or parquet",
                None => {
                    "set `format` to csv, json, jsonl or parquet; of a folder's files a pattern says it: `out/**/*.csv`"
                }
            };
            return Err(options.fault("path", what).next(next));
        };
        let holds = match format.as_str() {
            "parquet" => Holds::Parquet,
            "csv" => Holds::Records(Format::Csv(dialect(options)?)),
            "tsv" => {
                let mut dialect = dialect(options)?;
                if options.get("delimiter").is_none() {
                    dialect.delimiter = b'\t';
                }
                Holds::Records(Format::Csv(dialect))
            }
            "raw" | "string" | "txt" | "log" => Holds::Records(Format::Raw),
            "debezium" | "debezium-json" => Holds::Records(Format::Debezium),
            _ => Holds::Records(Format::Json),
        };
        if pages.as_deref() == Some("snappy") && holds != Holds::Parquet {
            return Err(options
                .fault("compression", "only Parquet compresses with snappy here")
                .next("use gzip or zstd"));
        }
        Ok(Self { path, holds, header: options.boolean("header")?.unwrap_or(true), compression, pages })
    }

    /// The path where rows go to folders of their own: one without an extension is the folder of those, and the files in them
    /// are called by what they hold.
    pub fn partitioned(mut self) -> Self {
        if self.path.extension().is_none() {
            let of = match &self.holds {
                Holds::Parquet => "parquet",
                Holds::Records(Format::Csv(dialect)) if dialect.delimiter == b'\t' => "tsv",
                Holds::Records(Format::Csv(_)) => "csv",
                Holds::Records(Format::Raw) => "txt",
                Holds::Records(_) => "jsonl",
            };
            let outer = match self.compression.filter(|_| self.holds != Holds::Parquet) {
                Some(Compression::Gzip) => ".gz",
                Some(Compression::Zstd) => ".zst",
                Some(Compression::None) | None => "",
            };
            self.path.push(format!("part.{of}{outer}"));
        }
        self
    }

    /// How a file is compressed.
    pub fn compression_of(&self, path: &Path) -> Compression {
        if self.holds == Holds::Parquet {
            return Compression::None;
        }
        self.compression.unwrap_or_else(|| match extension(path).as_deref() {
            Some("gz" | "gzip") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            _ => Compression::None,
        })
    }
}

/// What a name says of its file: the extension, below that of a compression.
fn by_extension(path: &Path) -> Option<String> {
    let outer = extension(path)?;
    let name = match outer.as_str() {
        "gz" | "gzip" | "zst" | "zstd" => extension(&path.with_extension(""))?,
        _ => outer,
    };
    ["csv", "tsv", "json", "jsonl", "ndjson", "parquet", "txt", "log"].contains(&name.as_str()).then_some(name)
}

fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase)
}

/// A fault about a file.
pub(super) fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Fault {
    descriptors::told(Fault::new(Blame::Operator, format!("could not {doing} {}: {error}", path.display())), error)
}
