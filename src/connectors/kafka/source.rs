//! A topic as a source: its columns, its partitions, and the group that monitors look at.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::key::KeyFormat;
use super::place::Place;
use super::reader::{KafkaReader, ReaderSettings};
use super::sample;
use super::settings::{Connected, Lost, Start, is_bounded, lost, start};
use crate::connectors::contract::{
    Columns, Context, End, Position, Source, SourceRequest, Split, SplitReader, system_columns,
};
use crate::connectors::encoding::Format;
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::core::lock::WholeMutex;
use crate::core::words::did_you_mean;
use crate::formats::infer::{SAMPLE_RECORDS, SAMPLE_WAIT_MS};
use crate::formats::{debezium, raw};
use crate::kafka::admin::{Admin, Watermarks, off_the_async_threads};
use crate::kafka::cause::call_fault;
use crate::kafka::context::Context as ClientContext;
use crate::kafka::embedded::EmbeddedBroker;
use crate::kafka::health::unless_refused;

/// Topics that are named where one is missing: what a line holds.
const NAMES_SHOWN_MAX: usize = 8;

/// A topic.
pub(super) struct KafkaSource {
    connected: Arc<Connected>,
    format: Format,
    schema: SchemaRef,
    is_inferred: bool,
    start: Start,
    lost: Lost,
    bounded: bool,
    isolation: String,
    group: Option<Group>,
    /// Columns that are read from the record's key, whatever the value says.
    key_fields: Vec<usize>,
    /// Columns of the primary key: a tombstone deletes their row.
    primary_key: Vec<usize>,
    key_format: KeyFormat,
    /// First and next offset of each partition when the source was opened.
    marks: BTreeMap<i32, Watermarks>,
    admin: Arc<Admin>,
    /// Whether it was said that the sandbox's broker is a new one.
    is_new_told: AtomicBool,
    /// That the topic is not there any more, by the last look.
    absent: Mutex<Option<String>>,
}

struct Group {
    name: String,
    committer: Mutex<Option<Arc<BaseConsumer<ClientContext>>>>,
}

impl KafkaSource {
    pub async fn open(request: &SourceRequest, options: &Options, context: &Context) -> Result<Self, Fault> {
        let connected = Connected::of(options, End::Source, &request.name, context)?;
        let format = Format::of(options)?;
        let start = start(options)?;
        let admin = Admin::open(&connected.connection)?;
        let timeout = connected.connection.request_timeout();
        let asking = admin.watermarks(&connected.topic, timeout);
        let marks = match unless_refused(&connected.connection, asking).await {
            Ok(marks) => marks,
            Err(fault) => return Err(missing(&admin, &connected, timeout, fault).await),
        };
        let key_names: Vec<String> = options.get("key.fields").map_or_else(Vec::new, |fields| {
            fields.split([',', ';']).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        });
        let schema = match &request.schema {
            Some(schema) => schema.clone(),
            None => with_keys(sampled(&connected, &format, options).await?, &key_names),
        };
        let place = |name: &String| {
            schema
                .fields()
                .iter()
                .position(|field| field.name().eq_ignore_ascii_case(name))
                .ok_or_else(|| options.fault("key.fields", format!("`{name}` is no column of `{}`", request.name)))
        };
        let key_fields = key_names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let declared_key = request.key.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let primary_key = if declared_key.is_empty() { key_fields.clone() } else { declared_key };
        // A delete has its key and nothing else, and a key may be all that a column is read from.
        let schema = if primary_key.is_empty() { schema } else { loose(&schema) };
        let key_format = KeyFormat::of(options, key_fields.len().max(primary_key.len()))?;
        // Columns that this format cannot fill are told now, not by the first record.
        format.decoder(&schema, &(0..schema.fields().len()).collect::<Vec<_>>())?;
        Ok(Self {
            is_inferred: request.schema.is_none() && format != Format::Raw,
            format,
            schema,
            start,
            lost: lost(options),
            bounded: is_bounded(options),
            isolation: options.get("isolation.level").unwrap_or("read_committed").to_ascii_lowercase(),
            group: options.get("group.id").map(|name| Group { name: name.to_owned(), committer: Mutex::default() }),
            key_fields,
            primary_key,
            key_format,
            marks,
            admin: Arc::new(admin),
            is_new_told: AtomicBool::new(false),
            absent: Mutex::default(),
            connected: Arc::new(connected),
        })
    }

    /// What a position says. It is before all records, whatever the options say, where it is of a partition that appeared
    /// later, and where it was one of a broker inside another process, which is gone with its records.
    fn place_of(&self, position: &Position) -> Result<Place, Fault> {
        let topic = &self.connected.topic;
        let wrong = || Fault::new(Blame::Program, format!("`{}` is no offset of `{topic}`", position.0));
        let place = Place::of(position).ok_or_else(wrong)?;
        let is_embedded = self.connected.connection.environment().is_embedded();
        if let Place::Before { of, .. } = &place
            && is_embedded
            && of.as_deref() != Some(EmbeddedBroker::incarnation())
        {
            // Of each partition the same would be said.
            if !self.is_new_told.swap(true, Ordering::Relaxed) {
                tracing::info!(target: "velox::sql", "the sandbox's broker is a new one: `{topic}` is read from its beginning");
            }
            return Ok(Place::Beginning);
        }
        Ok(place)
    }

    /// Keeps whether a look found the topic, and says it once where it did not.
    fn note_absence(&self, fault: Option<&Fault>) {
        let mut absent = self.absent.hold();
        match fault {
            None => *absent = None,
            Some(fault) if fault.blame == Blame::Operator && absent.is_none() => {
                let what =
                    format!("topic `{}` is gone from {}", self.connected.topic, self.connected.connection.name());
                tracing::warn!(target: "velox::outage", "{what}; looking on for it");
                *absent = Some(what);
            }
            // Said once for all clients of the connection; here is what the job waits for.
            Some(fault) if fault.blame == Blame::Connection && absent.is_none() => {
                *absent = Some(format!("no broker of {} answers", self.connected.connection.name()));
            }
            Some(_) => {}
        }
    }

    fn partition_of(&self, split: &Split) -> Result<i32, Fault> {
        split.0.rsplit_once('/').and_then(|(_, partition)| partition.parse().ok()).ok_or_else(|| {
            Fault::new(Blame::Program, format!("`{}` is no partition of `{}`", split.0, self.connected.topic))
        })
    }
}

#[async_trait]
impl Source for KafkaSource {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn is_inferred(&self) -> bool {
        self.is_inferred
    }

    fn cluster(&self) -> Option<&str> {
        Some(self.connected.connection.name())
    }

    fn system_columns(&self) -> &'static [&'static str] {
        &[
            system_columns::KEY,
            system_columns::TOPIC,
            system_columns::PARTITION,
            system_columns::OFFSET,
            system_columns::TIMESTAMP,
            system_columns::HEADERS,
        ]
    }

    fn is_bounded(&self) -> bool {
        self.bounded
    }

    fn description(&self) -> String {
        let offsets: i64 = self.marks.values().map(|marks| marks.high - marks.low).sum();
        let partitions = self.marks.len();
        let plural = if partitions == 1 { "" } else { "s" };
        format!(
            "topic {}, {partitions} partition{plural}, {offsets} offsets, {}",
            self.connected.topic,
            self.format.name()
        )
    }

    async fn splits(&self) -> Result<Vec<Split>, Fault> {
        let topic = &self.connected.topic;
        let split = |partition: i32| Split(format!("{topic}/{partition}"));
        if self.bounded {
            return Ok(self.marks.keys().copied().map(split).collect());
        }
        let timeout = self.connected.connection.request_timeout();
        let cluster = self.admin.cluster(Some(topic), timeout).await;
        self.note_absence(cluster.as_ref().err());
        let cluster = cluster?;
        let found = cluster.topics.into_iter().find(|found| found.name == *topic);
        let mut partitions: Vec<i32> =
            found.into_iter().flat_map(|found| found.partitions).map(|partition| partition.id).collect();
        partitions.sort_unstable();
        Ok(partitions.into_iter().map(split).collect())
    }

    async fn read(
        &self,
        split: &Split,
        from: Option<&Position>,
        columns: &Columns,
    ) -> Result<Box<dyn SplitReader>, Fault> {
        let partition = self.partition_of(split)?;
        let place = from.map(|position| self.place_of(position)).transpose()?;
        // A partition that appeared later is read from its beginning: nobody has seen any of it.
        let is_all_new = place == Some(Place::Beginning) || !self.marks.contains_key(&partition);
        let start = if is_all_new { Start::Earliest } else { self.start.clone() };
        let (from, of) = match place {
            Some(Place::Before { offset, of }) => (Some(offset), of),
            _ => (None, None),
        };
        let settings = ReaderSettings {
            connected: self.connected.clone(),
            partition,
            from,
            of,
            lost: self.lost,
            start,
            end: self.bounded.then(|| self.marks.get(&partition).map_or(0, |marks| marks.high)),
            isolation: self.isolation.clone(),
            group: self.group.as_ref().map(|group| group.name.clone()),
            format: self.format.clone(),
            schema: self.schema.clone(),
            columns: columns.clone(),
            key_fields: self.key_fields.clone(),
            primary_key: self.primary_key.clone(),
            key_format: self.key_format,
        };
        Ok(Box::new(KafkaReader::open(settings).await?))
    }

    async fn has_more(&self, parts: &[(Split, Option<Position>)]) -> Vec<bool> {
        let has_more = |(split, position): &(Split, Option<Position>)| -> Option<bool> {
            let marks = self.marks.get(&self.partition_of(split).ok()?)?;
            Some(match self.place_of(position.as_ref()?).ok()? {
                Place::Before { offset, .. } => offset != marks.high,
                Place::Beginning => marks.low < marks.high,
            })
        };
        // What is not known here its reader finds out.
        parts.iter().map(|part| has_more(part).unwrap_or(true)).collect()
    }

    async fn as_of_now(&self) -> Result<Option<Arc<dyn Source>>, Fault> {
        if !self.bounded {
            return Ok(None);
        }
        let timeout = self.connected.connection.request_timeout();
        let marks = self.admin.watermarks(&self.connected.topic, timeout).await?;
        let group = self.group.as_ref().map(|group| Group { name: group.name.clone(), committer: Mutex::default() });
        Ok(Some(Arc::new(Self {
            is_inferred: self.is_inferred,
            connected: Arc::clone(&self.connected),
            format: self.format.clone(),
            schema: Arc::clone(&self.schema),
            start: self.start.clone(),
            lost: self.lost,
            bounded: true,
            isolation: self.isolation.clone(),
            group,
            key_fields: self.key_fields.clone(),
            primary_key: self.primary_key.clone(),
            key_format: self.key_format,
            marks,
            admin: Arc::clone(&self.admin),
            is_new_told: AtomicBool::new(self.is_new_told.load(Ordering::Relaxed)),
            absent: Mutex::default(),
        })))
    }

    fn beginning(&self, _split: &Split) -> Option<Position> {
        Some(Place::Beginning.position())
    }

    fn outage(&self) -> Option<String> {
        self.connected.connection.outage().or_else(|| self.absent.hold().clone())
    }

    async fn acknowledge(&self, positions: &[(Split, Position)]) -> Result<(), Fault> {
        let Some(group) = &self.group else { return Ok(()) };
        let topic = &self.connected.topic;
        let mut offsets = TopicPartitionList::with_capacity(positions.len());
        for (split, position) in positions {
            if let Some(Place::Before { offset, .. }) = Place::of(position) {
                let partition = self.partition_of(split)?;
                offsets
                    .add_partition_offset(topic, partition, Offset::Offset(offset))
                    .map_err(|error| call_fault("note an offset", &error))?;
            }
        }
        let committer = group.committer(&self.connected)?;
        let doing = format!("commit positions of `{topic}` for the group `{}`", group.name);
        let scrubber = self.connected.connection.scrubber().clone();
        off_the_async_threads(move || {
            let outcome = committer.commit(&offsets, CommitMode::Sync);
            outcome.map_err(|error| scrubber.clean(call_fault(&doing, &error)))
        })
        .await
    }
}

impl Group {
    /// A client of the group that never joins it.
    fn committer(&self, connected: &Connected) -> Result<Arc<BaseConsumer<ClientContext>>, Fault> {
        let mut slot = self.committer.hold();
        if let Some(committer) = slot.as_ref() {
            return Ok(committer.clone());
        }
        let connection = &connected.connection;
        let mut config = connection.consumer_config(&connection.environment().consumer)?;
        config.set("group.id", &self.name);
        let committer: BaseConsumer<ClientContext> = config
            .create_with_context(connection.context())
            .map_err(|error| connection.scrubber().clean(call_fault("open a consumer", &error)))?;
        Ok(slot.insert(Arc::new(committer)).clone())
    }
}

/// The fault of a topic that is not there names those that are.
async fn missing(admin: &Admin, connected: &Connected, timeout: Duration, fault: Fault) -> Fault {
    if fault.blame != Blame::Operator {
        return fault;
    }
    let Ok(cluster) = admin.cluster(None, timeout).await else { return fault };
    let names: Vec<&str> = cluster.topics.iter().map(|topic| topic.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.starts_with("__")).collect();
    if names.contains(&connected.topic.as_str()) {
        return fault;
    }
    if let Some(meant) = did_you_mean(&connected.topic, names.iter().copied()) {
        return fault.next(meant);
    }
    let more = names.len().saturating_sub(NAMES_SHOWN_MAX);
    let shown = names[..names.len() - more].join(", ");
    match (names.is_empty(), more) {
        (true, _) => fault.next("there are no topics yet"),
        (false, 0) => fault.next(format!("topics are {shown}")),
        (false, more) => fault.next(format!("topics are {shown} and {more} more")),
    }
}

/// The same columns, all of which may be NULL.
fn loose(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The inferred columns, and those of the key that values do not have.
fn with_keys(schema: SchemaRef, keys: &[String]) -> SchemaRef {
    let is_missing = |name: &&String| !schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
    let mut fields: Vec<_> =
        keys.iter().filter(is_missing).map(|name| Arc::new(Field::new(name, DataType::Utf8, true))).collect();
    fields.extend(schema.fields().iter().cloned());
    Arc::new(Schema::new(fields))
}

/// Columns as the newest records show them.
async fn sampled(connected: &Connected, format: &Format, options: &Options) -> Result<SchemaRef, Fault> {
    match format {
        Format::Raw => return Ok(raw::schema()),
        Format::Csv(_) => {
            let what = format!("records of `{}` are CSV, which does not name its columns", connected.topic);
            return Err(Fault::new(Blame::Operator, what).next(sample::DECLARE));
        }
        Format::Json | Format::Debezium => {}
    }
    let wanted =
        usize::try_from(options.number("sample.records")?.unwrap_or(SAMPLE_RECORDS as u64)).unwrap_or(SAMPLE_RECORDS);
    let wait = options.duration("sample.wait")?.unwrap_or(Duration::from_millis(SAMPLE_WAIT_MS));
    let (connection, topic) = (connected.connection.clone(), connected.topic.clone());
    let is_debezium = *format == Format::Debezium;
    let inference =
        off_the_async_threads(move || {
            sample::read(&connection, &topic, wanted, wait, |value| {
                if is_debezium { debezium::row_of(value) } else { Some(value) }
            })
        })
        .await?;
    sample::columns(inference, &connected.topic, wait)
}
