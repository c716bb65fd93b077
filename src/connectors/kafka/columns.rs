//! What a reader knows of its records beside their values, as columns: keys, offsets, times, headers, whole records.
//! Only what was asked for is kept.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Array, Int64Array, MapBuilder, MapFieldNames, StringArray, StringBuilder,
    TimestampMillisecondArray, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use rdkafka::message::{BorrowedMessage, Headers as _, Message};

use crate::connectors::contract::{Columns, RawRecord, system_columns as names};
use crate::core::fault::{Blame, Fault};

/// What is kept of each record of a batch.
pub(super) struct Kept {
    topic: Arc<str>,
    partition: i32,
    system: Vec<&'static str>,
    has_keys: bool,
    has_headers: bool,
    has_origins: bool,
    pub times: Vec<i64>,
    pub offsets: Vec<i64>,
    keys: StringBuilder,
    headers: Option<HeadersBuilder>,
    origins: Vec<RawRecord>,
}

type HeadersBuilder = MapBuilder<StringBuilder, BinaryBuilder>;

impl Kept {
    pub fn new(topic: &Arc<str>, partition: i32, columns: &Columns) -> Self {
        let has_headers = columns.system.contains(&names::HEADERS);
        Self {
            topic: topic.clone(),
            partition,
            system: columns.system.clone(),
            has_keys: columns.system.contains(&names::KEY),
            has_headers,
            has_origins: columns.origins,
            times: Vec::new(),
            offsets: Vec::new(),
            keys: StringBuilder::new(),
            headers: has_headers.then(headers_builder),
            origins: Vec::new(),
        }
    }

    /// Notes one record, good or bad.
    pub fn note(&mut self, message: &BorrowedMessage<'_>, now_ms: i64) {
        self.times.push(message.timestamp().to_millis().unwrap_or(now_ms));
        self.offsets.push(message.offset());
        if self.has_keys {
            self.keys.append_option(message.key().and_then(|key| std::str::from_utf8(key).ok()));
        }
        if let Some(builder) = &mut self.headers {
            for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
                builder.keys().append_value(header.key);
                builder.values().append_option(header.value);
            }
            // Appending to a map fails only where keys and values differ in number, and they were added in pairs.
            builder.append(true).ok();
        }
        if self.has_origins {
            self.origins.push(raw_record(message, &self.topic));
        }
    }

    /// The system columns for rows that came from the records at `sources` (`None`: one row a record), and their whole
    /// records where they were asked for. Forgets all of it.
    pub fn finish(&mut self, sources: Option<&[u32]>) -> Result<(Vec<ArrayRef>, Option<Vec<RawRecord>>), Fault> {
        let count = self.offsets.len();
        let offsets = std::mem::take(&mut self.offsets);
        let times = std::mem::take(&mut self.times);
        let keys = self.has_keys.then(|| Arc::new(self.keys.finish()) as ArrayRef);
        let headers = self.headers.as_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef);
        debug_assert_eq!(self.has_headers, headers.is_some());
        let indices = sources.map(|sources| UInt32Array::from(sources.to_vec()));
        let column = |name: &&'static str| -> Result<ArrayRef, Fault> {
            let whole: ArrayRef = match *name {
                names::KEY => keys.clone().unwrap_or_else(|| new_null_array(&DataType::Utf8, count)),
                names::TOPIC => Arc::new(StringArray::from(vec![self.topic.as_ref(); count])),
                names::PARTITION => Arc::new(Int32Array::from(vec![self.partition; count])),
                names::OFFSET => Arc::new(Int64Array::from(offsets.clone())),
                names::TIMESTAMP => Arc::new(TimestampMillisecondArray::from(times.clone())),
                other => match headers.as_ref().filter(|_| other == names::HEADERS) {
                    Some(headers) => headers.clone(),
                    None => {
                        let data_type = names::field(other).map_or(DataType::Null, |field| field.data_type().clone());
                        new_null_array(&data_type, count)
                    }
                },
            };
            match &indices {
                Some(indices) => take(&whole, indices, None)
                    .map_err(|error| Fault::new(Blame::Program, format!("a system column: {error}"))),
                None => Ok(whole),
            }
        };
        let columns = self.system.iter().map(column).collect::<Result<_, _>>()?;
        let origins = self.has_origins.then(|| {
            let whole = std::mem::take(&mut self.origins);
            match sources {
                Some(sources) => sources.iter().filter_map(|source| whole.get(*source as usize).cloned()).collect(),
                None => whole,
            }
        });
        Ok((columns, origins))
    }
}

fn headers_builder() -> HeadersBuilder {
    let field_names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    MapBuilder::new(Some(field_names), StringBuilder::new(), BinaryBuilder::new())
        .with_keys_field(Field::new("key", DataType::Utf8, false))
        .with_values_field(Field::new("value", DataType::Binary, true))
}

/// A record whole, for the dead letters.
pub(super) fn raw_record(message: &BorrowedMessage<'_>, topic: &Arc<str>) -> RawRecord {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    RawRecord {
        topic: topic.clone(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.map(|header| (Arc::from(header.key), header.value.map(<[u8]>::to_vec))).collect(),
    }
}
