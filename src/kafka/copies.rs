//! Messages that the client lends, copied into records: buffers of records that nobody needs any more are filled again.
//! It reads nothing itself.

use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Headers as _, Message};

use crate::core::record::{Headers, Record};

/// Names of headers that are kept to be shared between records; a topic rarely has more.
const HEADER_NAMES_MAX: usize = 64;

/// What is copied of each message.
#[derive(Debug)]
pub(super) struct Copies {
    value_bytes_max: usize,
    headers: bool,
    header_names: Vec<Arc<str>>,
}

impl Copies {
    /// All of it.
    pub fn whole() -> Self {
        Self::of(usize::MAX, true)
    }

    /// At most so many bytes of the value, and headers where they are wanted.
    pub fn of(value_bytes_max: usize, headers: bool) -> Self {
        Self { value_bytes_max, headers, header_names: Vec::new() }
    }

    /// A message as a record; `spare` is one that nobody needs any more.
    pub fn record(&mut self, message: &BorrowedMessage<'_>, topic: &Arc<str>, spare: Option<Record>) -> Record {
        let (key, value, mut headers) =
            spare.map_or((None, None, Headers::new()), |spare| (spare.key, spare.value, spare.headers));
        self.copy_headers(message, &mut headers);
        let payload = message.payload();
        Record {
            topic: topic.clone(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: refilled(key, message.key()),
            value: refilled(value, payload.map(|bytes| &bytes[..bytes.len().min(self.value_bytes_max)])),
            headers,
            value_bytes: payload.map_or(0, <[u8]>::len),
        }
    }

    fn copy_headers(&mut self, message: &BorrowedMessage<'_>, headers: &mut Headers) {
        let found = if self.headers { message.headers() } else { None };
        headers.truncate(found.map_or(0, |found| found.count()));
        for (at, header) in found.iter().flat_map(|found| found.iter()).enumerate() {
            let name = self.shared_name(header.key);
            match headers.get_mut(at) {
                Some(slot) => *slot = (name, refilled(slot.1.take(), header.value)),
                None => headers.push((name, header.value.map(<[u8]>::to_vec))),
            }
        }
    }

    fn shared_name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.header_names.iter().find(|known| known.as_ref() == name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        if self.header_names.len() < HEADER_NAMES_MAX {
            self.header_names.push(name.clone());
        }
        name
    }
}

/// Bytes in the buffer that held others.
fn refilled(buffer: Option<Vec<u8>>, bytes: Option<&[u8]>) -> Option<Vec<u8>> {
    let bytes = bytes?;
    let mut buffer = buffer.unwrap_or_default();
    buffer.clear();
    buffer.extend_from_slice(bytes);
    Some(buffer)
}
