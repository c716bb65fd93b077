//! Where a partition is read from: a checkpoint's position that is still there, or what the options say. It asks and
//! reads no record.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::reader::ReaderSettings;
use super::settings::Start;
use crate::core::fault::{Blame, Fault};
use crate::kafka::admin::watermarks;
use crate::kafka::cause::call_fault;
use crate::kafka::context::Context as ClientContext;

/// The offset to begin at, and where the partition ends now. Blocks.
pub(super) fn first_offset(
    settings: &ReaderSettings,
    consumer: &BaseConsumer<ClientContext>,
) -> Result<(i64, i64), Fault> {
    let connection = &settings.connected.connection;
    let (topic, partition) = (settings.connected.topic.as_str(), settings.partition);
    let timeout = connection.request_timeout();
    let marks = watermarks(consumer, connection, topic, partition, timeout)?;
    if let Some(from) = settings.from {
        if from < marks.low || from > marks.high {
            return Err(lost(topic, partition, from));
        }
        return Ok((from, marks.high));
    }
    let failed = |error: KafkaError| {
        connection.scrubber().clean(call_fault(&format!("find where to begin in `{topic}`"), &error))
    };
    let mut wanted = TopicPartitionList::with_capacity(1);
    let first = match &settings.start {
        Start::Earliest => marks.low,
        Start::Latest => marks.high,
        Start::Offset(offset) => (*offset).clamp(marks.low, marks.high),
        Start::Offsets(offsets) => offsets.get(&partition).map_or(marks.low, |at| (*at).clamp(marks.low, marks.high)),
        Start::Time(time) => {
            wanted.add_partition_offset(topic, partition, Offset::Offset(*time)).map_err(failed)?;
            let found = consumer.offsets_for_times(wanted, timeout).map_err(failed)?;
            offset_of(&found, topic, partition).unwrap_or(marks.high)
        }
        Start::Group { else_latest } => {
            wanted.add_partition_offset(topic, partition, Offset::Invalid).map_err(failed)?;
            let found = consumer.committed_offsets(wanted, timeout).map_err(failed)?;
            // A commit that retention has overtaken: what is left begins at the oldest record.
            let nowhere = if *else_latest { marks.high } else { marks.low };
            offset_of(&found, topic, partition).map_or(nowhere, |offset| offset.clamp(marks.low, marks.high))
        }
    };
    Ok((first, marks.high))
}

fn offset_of(found: &TopicPartitionList, topic: &str, partition: i32) -> Option<i64> {
    match found.find_partition(topic, partition)?.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

#[cold]
pub(super) fn lost(topic: &str, partition: i32, offset: i64) -> Fault {
    let what =
        format!("offset {offset} of {topic}[{partition}] is gone: retention has removed it, or the topic is a new one");
    Fault::new(Blame::Operator, what).next("start the job without its checkpoint, or with `start` = 'earliest'")
}
