//! Where a partition is read from: a checkpoint's position that is still there, or what the options say. It asks and
//! reads no record.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::reader::ReaderSettings;
use super::settings::{Lost, Start};
use crate::core::fault::{Blame, Fault};
use crate::kafka::admin::{Watermarks, watermarks};
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
            return instead(settings, marks, gone(topic, partition, from));
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

/// Where a partition goes on whose offset is gone, and where it ends: as `lost.offset` says, and that is told.
///
/// # Errors
/// The option does not say, so this fault ends the job.
pub(super) fn instead(settings: &ReaderSettings, marks: Watermarks, fault: Fault) -> Result<(i64, i64), Fault> {
    let offset = match settings.lost {
        Lost::Stops => return Err(fault),
        Lost::Earliest => marks.low,
        Lost::Latest => marks.high,
    };
    tracing::warn!(target: "velox::sql", "{}: by `lost.offset` it goes on at offset {offset}", fault.what);
    Ok((offset, marks.high))
}

/// The records at an offset are not kept any more.
#[cold]
pub(super) fn gone(topic: &str, partition: i32, offset: i64) -> Fault {
    let what =
        format!("offset {offset} of {topic}[{partition}] is gone: retention has removed it, or the topic is a new one");
    Fault::new(Blame::Operator, what).next(NEXT)
}

/// The topic that an offset was one of is not there any more: another one bears its name.
#[cold]
pub(super) fn made_anew(topic: &str, partition: i32, offset: i64) -> Fault {
    let what = format!(
        "offset {offset} of {topic}[{partition}] is gone with its topic, which was deleted: `{topic}` is a new one"
    );
    Fault::new(Blame::Operator, what).next(NEXT)
}

/// What helps against an offset that is gone.
const NEXT: &str = "give the source 'lost.offset' = 'earliest' to go on with the oldest record kept and the state as it \
                    is, or begin anew: with another --state-dir, or of a deployed job by `jobs resume NAME --from-scratch`";
