//! Topics as sources and sinks. A split is a partition and a position the next offset; a sink that must write once keeps
//! the epoch of its checkpoint in the transaction itself.

mod begin;
mod client;
mod columns;
mod form;
mod key;
mod keyed;
mod opened;
mod place;
mod reader;
pub mod sample;
mod settings;
mod sink;
mod source;
mod trouble;

use std::sync::Arc;

use async_trait::async_trait;

use super::accept::{accept, split_query};
use super::contract::{
    ColumnsOf, Connector, Context, End, Parameter, Sink, SinkRequest, Source, SourceRequest, Takes, Written,
};
use super::encoding::{DELIMITER, FORMAT, NULL_TEXT, QUOTE, SCHEMA_REGISTRY};
use super::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::kafka::admin::Admin;
use crate::kafka::health::unless_refused;
use settings::Connected;

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "topic",
        also: &["topic.name", "topics"],
        help: "the topic; the name in the statement where absent",
        ..Parameter::TEXT
    },
    Parameter {
        name: "brokers",
        also: &[
            "bootstrap.servers",
            "broker",
            "bootstrap.brokers",
            "properties.bootstrap.servers",
            "kafka.bootstrap.servers",
        ],
        help: "`host:port,…` or `embedded://`; the environment's where absent. Its login goes to no others",
        ..Parameter::TEXT
    },
    FORMAT,
    SCHEMA_REGISTRY,
    DELIMITER,
    QUOTE,
    NULL_TEXT,
    Parameter {
        name: "group.id",
        also: &["group", "properties.group.id", "kafka.group.id"],
        end: Some(End::Source),
        help: "a consumer group to which checkpointed positions are committed, for monitors, and to begin from with `start` = 'group'",
        ..Parameter::TEXT
    },
    Parameter {
        name: "start",
        also: &["scan.startup.mode", "start.from"],
        end: Some(End::Source),
        help: "where to begin without a checkpoint: earliest (also where nothing is said), latest, group (where a `group.id` is given), an offset, or a time in RFC 3339",
        ..Parameter::TEXT
    },
    Parameter {
        name: "start.timestamp",
        also: &["scan.startup.timestamp-millis", "scan.startup.timestamp"],
        end: Some(End::Source),
        help: "begin at the first record of this time: milliseconds since 1970, or RFC 3339",
        ..Parameter::TEXT
    },
    Parameter {
        name: "start.offset",
        also: &["scan.startup.offset"],
        end: Some(End::Source),
        takes: Takes::Number,
        help: "begin at this offset of every partition",
        ..Parameter::TEXT
    },
    Parameter {
        name: "start.offsets",
        also: &["scan.startup.specific-offsets"],
        end: Some(End::Source),
        help: "begin at these: `0:42;1:7`, or `partition:0,offset:42;partition:1,offset:7`",
        ..Parameter::TEXT
    },
    Parameter {
        name: "auto.offset.reset",
        also: &["properties.auto.offset.reset", "kafka.auto.offset.reset"],
        end: Some(End::Source),
        takes: Takes::OneOf(&["earliest", "latest"]),
        default: Some("earliest"),
        help: "where to begin where nothing else says it, and where the group has no commit",
        ..Parameter::TEXT
    },
    Parameter {
        name: "lost.offset",
        end: Some(End::Source),
        takes: Takes::OneOf(&["stop", "earliest", "latest"]),
        default: Some("stop"),
        help: "where a partition goes on whose checkpointed offset is gone, by retention or with the topic: nowhere, at the oldest record kept, or at the newest",
        ..Parameter::TEXT
    },
    Parameter {
        name: "scan.bounded",
        also: &["scan.bounded.mode", "bounded"],
        end: Some(End::Source),
        takes: Takes::OneOf(&["latest", "latest-offset", "true", "false", "unbounded"]),
        help: "`latest`: end where the topic ends when the job starts",
        ..Parameter::TEXT
    },
    Parameter {
        name: "isolation.level",
        also: &["properties.isolation.level", "kafka.isolation.level"],
        end: Some(End::Source),
        takes: Takes::OneOf(&["read_committed", "read_uncommitted"]),
        default: Some("read_committed"),
        help: "whether records of open and aborted transactions are seen",
        ..Parameter::TEXT
    },
    Parameter {
        name: "sample.records",
        end: Some(End::Source),
        takes: Takes::Number,
        default: Some("1000"),
        help: "records that are looked at where no columns are declared",
        ..Parameter::TEXT
    },
    Parameter {
        name: "sample.wait",
        end: Some(End::Source),
        takes: Takes::Duration,
        default: Some("3s"),
        help: "how long the sample is waited for",
        ..Parameter::TEXT
    },
    Parameter {
        name: "key.fields",
        end: Some(End::Source),
        help: "columns that are read from the record's key, with commas between them",
        ..Parameter::TEXT
    },
    Parameter {
        name: "key.format",
        takes: Takes::OneOf(&["text", "raw", "string", "json", "pipe"]),
        help: "text for one column, a JSON object for several, or `pipe` for a|b",
        ..Parameter::TEXT
    },
    Parameter {
        name: "mode",
        also: &["sink.mode", "write.mode"],
        end: Some(End::Sink),
        takes: Takes::OneOf(&["append", "upsert", "debezium"]),
        help: "append writes every new row, upsert replaces and deletes by key, debezium writes changes as envelopes",
        ..Parameter::TEXT
    },
    Parameter {
        name: "timestamp",
        end: Some(End::Sink),
        takes: Takes::OneOf(&["event", "now"]),
        default: Some("event"),
        help: "the time of a record: that of its event, or of writing",
        ..Parameter::TEXT
    },
    Parameter {
        name: "sink.partitions",
        also: &["partitions"],
        end: Some(End::Sink),
        takes: Takes::Number,
        default: Some("3"),
        help: "partitions of the topic where it is not there yet and is created",
        ..Parameter::TEXT
    },
    Parameter {
        name: "transactional.id",
        also: &["properties.transactional.id", "kafka.transactional.id"],
        end: Some(End::Sink),
        help: "exactly-once: the id of the producer; where absent `velox-`, the job's name and the mark of its script and state folder",
        ..Parameter::TEXT
    },
    Parameter {
        name: "transaction.timeout",
        end: Some(End::Sink),
        takes: Takes::Duration,
        default: Some("10m"),
        help: "exactly-once: how long a broker keeps a transaction open, at most what it allows (15m)",
        ..Parameter::TEXT
    },
    Parameter {
        name: "headers.",
        end: Some(End::Sink),
        takes: Takes::Prefix,
        help: "headers.NAME = a header of every record",
        ..Parameter::TEXT
    },
    Parameter {
        name: "kafka.",
        takes: Takes::Prefix,
        help: "a setting of librdkafka under its own name: security.protocol, sasl.username, fetch.min.bytes",
        ..Parameter::TEXT
    },
    Parameter { name: "properties.", takes: Takes::Prefix, help: "the same, as Flink writes it", ..Parameter::TEXT },
];

/// The connector `kafka`.
pub struct KafkaConnector;

#[async_trait]
impl Connector for KafkaConnector {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn help(&self) -> &'static str {
        "topics of Kafka"
    }

    fn columns_of(&self) -> ColumnsOf {
        ColumnsOf::Topic
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    /// `kafka://host:9092,host:9092/topic?option=value`; `kafka:///topic` and `kafka://topic` use the environment's
    /// brokers.
    fn uri(&self, uri: &str) -> Result<Options, Fault> {
        let (path, mut options) = split_query(uri);
        let rest = path.strip_prefix("kafka://").unwrap_or(path);
        let (brokers, topic) = match rest.split_once('/') {
            Some((brokers, topic)) => (brokers, topic.trim_matches('/')),
            None if rest.contains(':') => (rest, ""),
            None => ("", rest),
        };
        if !brokers.is_empty() {
            options.set("brokers", brokers, None);
        }
        if topic.is_empty() && options.get("topic").is_none() {
            return Err(
                Fault::new(Blame::Operator, format!("`{uri}` names no topic")).next("write `kafka://host:9092/topic`")
            );
        }
        if !topic.is_empty() {
            options.set("topic", topic, None);
        }
        Ok(options)
    }

    /// Which brokers it writes to is not asked: without an environment a statement can be looked at too.
    fn check(&self, request: &SinkRequest, _context: &Context) -> Result<(), Fault> {
        form::Form::of(request, &accept(self, End::Sink, &request.options)?).map(drop)
    }

    async fn source(&self, request: SourceRequest, context: &Context) -> Result<Arc<dyn Source>, Fault> {
        let options = accept(self, End::Source, &request.options)?;
        Ok(Arc::new(source::KafkaSource::open(&request, &options, context).await?))
    }

    fn written(&self, name: &str, options: &Options) -> Result<Option<Written>, Fault> {
        let options = accept(self, End::Sink, options)?;
        let topic = options.get("topic").unwrap_or(name).trim().to_owned();
        Ok(Some(Written { topic, brokers: options.get("brokers").map(|brokers| brokers.trim().to_owned()) }))
    }

    async fn creates(&self, request: &SinkRequest, context: &Context) -> Option<String> {
        let options = accept(self, End::Sink, &request.options).ok()?;
        sink::KafkaSink::new(request, &options, context).ok()?.creates().await
    }

    async fn reach(&self, request: &SinkRequest, context: &Context) -> Result<(), Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        let connection = Connected::of(&options, End::Sink, &request.name, context)?.connection;
        let admin = Admin::open(&connection)?;
        unless_refused(&connection, admin.cluster(None, connection.request_timeout())).await.map(drop)
    }

    async fn sink(&self, request: SinkRequest, context: &Context) -> Result<Box<dyn Sink>, Fault> {
        let options = accept(self, End::Sink, &request.options)?;
        Ok(Box::new(sink::KafkaSink::new(&request, &options, context)?))
    }
}

#[cfg(test)]
mod tests;
