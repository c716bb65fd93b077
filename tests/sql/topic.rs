//! Topics of a test under the name of the connector `kafka`: records with keys, headers, partitions and times, decoded
//! by the console's own formats. They end when all is read, and no client is behind them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int8Array, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch, StringArray,
    StringBuilder, TimestampMillisecondArray,
};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use rand::RngExt;
use velox::connectors::contract::{
    BadRecord, BadRow, Columns, Connector, Context, Op, Parameter, Position, Pull, RawRecord, ReaderProgress, Sink,
    SinkRequest, SinkRows, Source, SourceRequest, SourceRows, Split, SplitReader, Takes,
};
use velox::connectors::encoding::Format;
use velox::connectors::kafka::KafkaConnector;
use velox::connectors::options::Options;
use velox::core::fault::{Blame, Fault};
use velox::formats::infer::Inference;

/// `VELOX_JITTER=5`: batches and ends come up to so many milliseconds later than they could. No case may notice.
fn jitter() -> Option<Duration> {
    let most = std::env::var("VELOX_JITTER").ok()?;
    Some(Duration::from_millis(most.parse().unwrap()))
}

/// One record.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub key: Option<String>,
    pub value: String,
    pub time: i64,
    pub headers: Vec<(String, String)>,
    /// A tombstone: its value holds the key's columns.
    pub is_delete: bool,
}

/// A topic: partitions of batches of records.
#[derive(Debug, Clone, Default)]
pub struct Topic {
    pub partitions: Vec<Vec<Vec<Record>>>,
    /// Whether the planner is told that it ends.
    pub is_bounded: bool,
}

/// All topics, and what was written.
#[derive(Clone, Default)]
pub struct Topics {
    pub topics: HashMap<String, Topic>,
    pub written: Arc<Mutex<Vec<(SinkRequest, SinkRows)>>>,
}

const TEXT: Parameter = Parameter::TEXT;
const PARAMETERS: &[Parameter] = &[
    Parameter { name: "topic", ..TEXT },
    Parameter { name: "format", ..TEXT },
    Parameter { name: "delimiter", ..TEXT },
    Parameter { name: "mode", ..TEXT },
    Parameter { name: "key.format", ..TEXT },
    Parameter { name: "bootstrap.servers", ..TEXT },
    Parameter { name: "group.id", ..TEXT },
    Parameter { name: "kafka.", takes: Takes::Prefix, ..TEXT },
];

#[async_trait]
impl Connector for Topics {
    fn name(&self) -> &'static str {
        "kafka"
    }
    fn help(&self) -> &'static str {
        "topics of a test"
    }
    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }
    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        let topic = uri.rsplit('/').next().unwrap_or_default();
        Ok([("topic", topic)].into_iter().collect())
    }
    fn check(&self, request: &SinkRequest, context: &Context) -> Result<(), Fault> {
        KafkaConnector.check(request, context)
    }
    async fn source(&self, request: SourceRequest, _: &Context) -> Result<Arc<dyn Source>, Fault> {
        let name = request.options.get("topic").unwrap_or(&request.name).to_owned();
        let Some(topic) = self.topics.get(&name).cloned() else {
            let mut names: Vec<_> = self.topics.keys().cloned().collect();
            names.sort();
            let fault = Fault::new(Blame::Operator, format!("there is no topic `{name}`"));
            return Err(fault.next(format!("topics are: {}", names.join(", "))));
        };
        let schema = request.schema.unwrap_or_else(|| {
            let mut inference = Inference::default();
            for record in topic.partitions.iter().flatten().flatten() {
                inference.json(record.value.as_bytes());
            }
            inference.finish(true)
        });
        Ok(Arc::new(TopicSource { name, topic, schema, format: Format::of(&request.options)? }))
    }
    async fn sink(&self, request: SinkRequest, _: &Context) -> Result<Box<dyn Sink>, Fault> {
        Ok(Box::new(TopicSink { request, written: Arc::clone(&self.written) }))
    }
}

struct TopicSource {
    name: String,
    topic: Topic,
    schema: SchemaRef,
    format: Format,
}

#[async_trait]
impl Source for TopicSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
    fn system_columns(&self) -> &'static [&'static str] {
        &["_key", "_topic", "_partition", "_offset", "_timestamp", "_headers"]
    }
    fn is_bounded(&self) -> bool {
        self.topic.is_bounded
    }
    fn grows(&self) -> bool {
        false
    }
    fn description(&self) -> String {
        format!("topic {}", self.name)
    }
    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        Ok((0..self.topic.partitions.len()).map(|split| Split(split.to_string())).collect())
    }
    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        let partition: usize = split.0.parse().unwrap();
        Ok(Box::new(TopicReader {
            name: self.name.as_str().into(),
            partition: partition as i32,
            batches: self.topic.partitions[partition].clone(),
            next: from.map_or(0, |position| position.0.parse().unwrap()),
            schema: Arc::clone(&self.schema),
            format: self.format.clone(),
            columns: columns.clone(),
        }))
    }
}

struct TopicReader {
    name: Arc<str>,
    partition: i32,
    batches: Vec<Vec<Record>>,
    next: usize,
    schema: SchemaRef,
    format: Format,
    columns: Columns,
}

#[async_trait]
impl SplitReader for TopicReader {
    async fn next(&mut self, _rows_max: usize, _wait: Duration) -> Result<Pull, Fault> {
        if let Some(most) = jitter() {
            let wait = rand::rng().random_range(Duration::ZERO..most);
            tokio::time::sleep(wait).await;
        }
        let Some(records) = self.batches.get(self.next) else { return Ok(Pull::End) };
        let first = self.batches[..self.next].iter().map(Vec::len).sum::<usize>() as i64;
        self.next += 1;
        let mut decoder = self.format.decoder(&self.schema, &self.columns.fields)?;
        for record in records {
            decoder.push(Some(record.value.as_bytes()));
        }
        let decoded = decoder.finish()?;
        let raw = |index: usize| RawRecord {
            topic: Arc::clone(&self.name),
            partition: self.partition,
            offset: first + index as i64,
            timestamp_ms: Some(records[index].time),
            key: records[index].key.clone().map(String::into_bytes),
            value: Some(records[index].value.clone().into_bytes()),
            headers: Vec::new(),
        };
        let rows: Vec<usize> = match &decoded.sources {
            Some(sources) => sources.iter().map(|index| *index as usize).collect(),
            None => (0..decoded.batch.num_rows()).collect(),
        };
        let of = |row: &usize| &records[*row];
        let mut columns = decoded.batch.columns().to_vec();
        for name in &self.columns.system {
            columns.push(match *name {
                "_key" => Arc::new(rows.iter().map(|row| of(row).key.clone()).collect::<StringArray>()) as ArrayRef,
                "_topic" => Arc::new(StringArray::from(vec![&*self.name; rows.len()])),
                "_partition" => Arc::new(Int32Array::from(vec![self.partition; rows.len()])),
                "_offset" => Arc::new(rows.iter().map(|row| first + *row as i64).collect::<Int64Array>()),
                "_timestamp" => {
                    Arc::new(rows.iter().map(|row| Some(of(row).time)).collect::<TimestampMillisecondArray>())
                }
                _ => headers(rows.iter().map(|row| &of(row).headers)),
            });
        }
        let fields = self.columns.fields.iter().map(|index| self.schema.field(*index).clone());
        let system =
            self.columns.system.iter().filter_map(|name| velox::connectors::contract::system_columns::field(name));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.chain(system).collect::<Vec<_>>()));
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let has_deletes = rows.iter().any(|row| of(row).is_delete);
        let ops = has_deletes.then(|| {
            let op = |row| if of(row).is_delete { Op::Delete } else { Op::Insert };
            rows.iter().map(|row| op(row) as i8).collect::<Int8Array>()
        });
        let bad = decoded.bad.iter().map(|bad| BadRecord {
            record: raw(bad.record as usize),
            stage: "decode",
            class: bad.class,
            message: bad.message.clone(),
        });
        Ok(Pull::Rows(SourceRows {
            batch: RecordBatch::try_new_with_options(schema, columns, &options).unwrap(),
            times: rows.iter().map(|row| of(row).time).collect(),
            ops: decoded.ops.or(ops),
            origins: self.columns.origins.then(|| Arc::new(rows.iter().map(|row| raw(*row)).collect())),
            bad: bad.collect(),
            skipped: 0,
            bytes: 0,
        }))
    }
    fn position(&self) -> Position {
        Position(self.next.to_string())
    }
    fn progress(&self) -> ReaderProgress {
        ReaderProgress::default()
    }
}

fn headers<'r>(rows: impl Iterator<Item = &'r Vec<(String, String)>>) -> ArrayRef {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), BinaryBuilder::new());
    for headers in rows {
        for (name, value) in headers {
            map.keys().append_value(name);
            map.values().append_value(value);
        }
        map.append(true).unwrap();
    }
    Arc::new(map.finish())
}

struct TopicSink {
    request: SinkRequest,
    written: Arc<Mutex<Vec<(SinkRequest, SinkRows)>>>,
}

#[async_trait]
impl Sink for TopicSink {
    async fn write(&mut self, rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        self.written.lock().unwrap().push((self.request.clone(), rows));
        Ok(Vec::new())
    }
}
