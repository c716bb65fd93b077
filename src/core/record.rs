//! Records: what came from a topic, and what is to go to one. Bytes stay bytes; decoding is a view's business.

use std::sync::Arc;

/// Headers in their order; a name may come twice, a value may be null.
pub type Headers = Vec<(Arc<str>, Option<Vec<u8>>)>;

/// A record as a topic gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970, where the topic keeps times.
    pub timestamp_ms: Option<i64>,
    /// Key; `None` is null, which is not the empty key.
    pub key: Option<Vec<u8>>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Headers,
    /// Bytes of the value on the topic: more than `value` holds where a view kept only its head.
    pub value_bytes: usize,
}

impl Record {
    /// Bytes of key, value and headers as they are held here: a head counts as what it is.
    pub fn held_bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len)
            + self.value.as_ref().map_or(0, Vec::len)
            + self.headers.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len)).sum::<usize>()
    }
}

/// A record on its way to a topic.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition; by key where absent.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; now where absent.
    pub timestamp_ms: Option<i64>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Headers,
}

impl Message {
    /// Bytes of key, value and headers.
    pub fn bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len)
            + self.value.as_ref().map_or(0, Vec::len)
            + self.headers.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len)).sum::<usize>()
    }
}

/// Where a broker put a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Partition, from 0.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

/// What is to be read of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: u32,
    /// Offsets between the beginning and the end: records, and what a compacted or transactional topic has lost or added.
    pub records: u64,
}

/// Where reading starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// The oldest record kept.
    Beginning,
    /// Only what comes after now.
    End,
    /// The last n records of each partition.
    Last(u64),
    /// This offset in each partition.
    Offset(i64),
    /// The first record of each partition at or after this time, milliseconds since 1970.
    Time(i64),
}
