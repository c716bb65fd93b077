//! Files as a source: their columns, looked at once, and their list, looked at again while they are watched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;

use super::header::{column_names, cut, repeated};
use super::lines::{Ends, Lines};
use super::listing::{files, is_pattern};
use super::place::Place;
use super::reader::{FileReader, Job};
use super::settings::{Holds, Settings};
use super::{folders, parquet, reader};
use crate::connectors::contract::{
    Columns, Context, Position, Source, SourceRequest, Split, SplitReader, system_columns,
};
use crate::connectors::encoding::Format;
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::core::words::did_you_mean;
use crate::formats::csv::{self, Dialect};
use crate::formats::infer::Inference;
use crate::formats::{debezium, raw};
use crate::kafka::admin::off_the_async_threads;

/// Records that are looked at where no columns are declared: a few milliseconds of reading.
const SAMPLE_RECORDS: u64 = 10_000;
/// How often a watched file is looked at.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// Files of one path.
pub(super) struct FileSource {
    settings: Arc<Settings>,
    schema: SchemaRef,
    is_inferred: bool,
    watch: Option<Duration>,
    /// Files and bytes when the source was opened, for people.
    found: (usize, u64),
}

impl FileSource {
    pub async fn open(request: &SourceRequest, options: &Options, context: &Context) -> Result<Self, Fault> {
        let settings = Arc::new(Settings::of(options, &request.name, context)?);
        let watch = match options.boolean("watch")?.unwrap_or(false) {
            true => Some(options.duration("watch.interval")?.unwrap_or(WATCH_INTERVAL)),
            false => None,
        };
        let sample = options.number("sample.records")?.unwrap_or(SAMPLE_RECORDS);
        let (declared, place) = (request.schema.clone(), options.value("path").and_then(|value| value.place.clone()));
        let looked = settings.clone();
        let (schema, found) = off_the_async_threads(move || {
            let found = files(&looked.path)?;
            if found.is_empty() && (watch.is_none() || declared.is_none()) {
                let fault = nothing(&looked.path);
                return Err(match place {
                    Some(place) => fault.at(place),
                    None => fault,
                });
            }
            let bytes = found.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum();
            let schema = match declared {
                Some(schema) => schema,
                None => sampled(&looked, &found, sample)?,
            };
            Ok((schema, (found.len(), bytes)))
        })
        .await?;
        if let Holds::Records(format) = &settings.holds {
            format.decoder(&schema, &(0..schema.fields().len()).collect::<Vec<_>>())?;
        }
        let is_inferred = request.schema.is_none() && matches!(settings.holds, Holds::Records(_));
        Ok(Self { settings, schema, is_inferred, watch, found })
    }
}

#[async_trait]
impl Source for FileSource {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn is_inferred(&self) -> bool {
        self.is_inferred
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &[system_columns::TOPIC, system_columns::PARTITION, system_columns::OFFSET]
    }

    fn is_bounded(&self) -> bool {
        self.watch.is_none()
    }

    fn dates_rows(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        let (files, bytes) = self.found;
        let plural = if files == 1 { "" } else { "s" };
        let watched = if self.watch.is_some() { ", watched" } else { "" };
        format!("{}, {files} file{plural}, {bytes} bytes{watched}", self.settings.path.display())
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        let path = self.settings.path.clone();
        let found = off_the_async_threads(move || files(&path)).await?;
        Ok(found.into_iter().map(|path| Split(path.to_string_lossy().into_owned())).collect())
    }

    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        let from = from.map(|position| Place::of(position, &split.0)).transpose()?.unwrap_or_default();
        let job = Job {
            settings: self.settings.clone(),
            path: PathBuf::from(&split.0),
            schema: self.schema.clone(),
            columns: columns.clone(),
            from,
            watch: self.watch,
        };
        Ok(Box::new(FileReader::open(job).await?))
    }

    fn rests(&self) -> Option<Duration> {
        self.watch
    }

    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        let (settings, asked) = (Arc::clone(&self.settings), parts.to_vec());
        let more = move |(split, position): &(Split, Option<Position>)| match position {
            // Of a place that nobody can read its reader speaks.
            Some(position) => {
                Place::of(position, &split.0).map_or(true, |place| place.has_more(&settings, Path::new(&split.0)))
            }
            None => true,
        };
        let looked = off_the_async_threads(move || Ok(asked.iter().map(more).collect()));
        looked.await.unwrap_or_else(|_| vec![true; parts.len()])
    }
}

/// Nothing is at a path: the nearest name beside it may be what was meant.
fn nothing(path: &Path) -> Fault {
    let what = format!("no file is at {}", path.display());
    let fault = Fault::new(Blame::Operator, what);
    if is_pattern(path) {
        return fault.next("check the pattern, or set `watch` = true and declare the columns to wait for one");
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return fault;
    };
    let beside: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    fault.next(did_you_mean(name, beside.iter().map(String::as_str)).unwrap_or_else(|| "check the path".to_owned()))
}

/// Columns as the first records show them.
fn sampled(settings: &Settings, found: &[PathBuf], records: u64) -> Result<SchemaRef, Fault> {
    let own = within(settings, found, records)?;
    // What is read whole is one column.
    let is_raw = settings.holds == Holds::Records(Format::Raw);
    Ok(if is_raw { own } else { folders::with_folders(&own, found) })
}

/// Those that stand in the files themselves.
fn within(settings: &Settings, found: &[PathBuf], records: u64) -> Result<SchemaRef, Fault> {
    match &settings.holds {
        Holds::Parquet => parquet::schema(&found[0]),
        Holds::Records(Format::Raw) => Ok(raw::schema()),
        Holds::Records(format) => {
            let mut inference = Inference::default();
            let (mut left, mut is_whole, mut header) = (records, true, None);
            for path in found {
                is_whole &= sample_file(settings, format, path, &mut inference, &mut left, &mut header)?;
                if left == 0 {
                    break;
                }
            }
            if let Some(names) = header.filter(|_| inference.records() == 0) {
                tracing::warn!("{} has a header and no rows: its columns are taken as VARCHAR", found[0].display());
                let column = |name: String| Field::new(name, DataType::Utf8, true);
                return Ok(Arc::new(Schema::new(names.into_iter().map(column).collect::<Vec<_>>())));
            }
            if inference.records() == 0 {
                let what = match inference.odd() {
                    Some(odd) => format!("{} holds no JSON objects: {odd}", found[0].display()),
                    None => format!("{} holds no record, so its columns are not known", found[0].display()),
                };
                return Err(Fault::new(Blame::Operator, what).next("declare its columns"));
            }
            Ok(inference.finish(is_whole && left > 0))
        }
    }
}

/// Looks at up to `left` records of a file; whether it was read to its end.
fn sample_file(
    settings: &Settings,
    format: &Format,
    path: &Path,
    inference: &mut Inference,
    left: &mut u64,
    header: &mut Option<Vec<String>>,
) -> Result<bool, Fault> {
    let mut lines = reader::lines(settings, path, 0, 0)?;
    let mut names: Option<Vec<String>> = None;
    while *left > 0 {
        let Some(found) = lines.next(true)? else { return Ok(true) };
        let record = lines.bytes(&found);
        match format {
            Format::Csv(dialect) => {
                let fields = csv::split(record, dialect).ok();
                let is_row = |fields: &Vec<_>| names.as_ref().is_none_or(|names| names.len() == fields.len());
                let is_torn = !fields.as_ref().is_some_and(is_row) && lines.only_first_line(&found).is_some();
                let Some(fields) = fields.filter(|_| !is_torn) else { continue };
                if let Some(names) = &names {
                    inference
                        .texts(names.iter().map(String::as_str).zip(fields.iter().map(|field| known(field, dialect))));
                    *left -= 1;
                } else if settings.header {
                    cut(&fields, dialect, path)?;
                    let own = column_names(&fields);
                    let repeated = repeated(&fields, &own);
                    if !repeated.is_empty() {
                        let numbered = repeated.join(", ");
                        tracing::warn!("the header of {} says a name twice: read it as {numbered}", path.display());
                    }
                    header.get_or_insert_with(|| own.clone());
                    names = Some(own);
                } else {
                    let numbered: Vec<String> = (1..=fields.len()).map(|number| format!("column{number}")).collect();
                    inference.texts(
                        numbered.iter().map(String::as_str).zip(fields.iter().map(|field| known(field, dialect))),
                    );
                    *left -= 1;
                    names = Some(numbered);
                }
            }
            Format::Debezium => {
                if let Some(row) = debezium::row_of(record) {
                    inference.json(row);
                    *left -= 1;
                }
            }
            _ => {
                inference.json(record);
                *left -= 1;
            }
        }
    }
    Ok(false)
}

fn known<'f>((text, is_quoted): &'f (String, bool), dialect: &Dialect) -> Option<&'f str> {
    (*is_quoted || *text != dialect.null).then_some(text.as_str())
}

/// How records of this format end in a file.
pub(super) fn ends_of(format: &Format, lines: &Lines) -> Ends {
    match format {
        Format::Csv(dialect) => Ends::QuotedLines { quote: dialect.quote, delimiter: dialect.delimiter },
        Format::Raw => Ends::Lines,
        Format::Json | Format::Debezium => {
            // One object a line is the rule; a list, or an object over several lines, is read bracket by bracket.
            let text = lines.text().trim_ascii_start();
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
            let is_whole_line = line.starts_with(b"{") && line.ends_with(b"}");
            if text.starts_with(b"[") || (text.starts_with(b"{") && line.len() < text.len() && !is_whole_line) {
                Ends::Objects
            } else {
                Ends::Lines
            }
        }
    }
}
