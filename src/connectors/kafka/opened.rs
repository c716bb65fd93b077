//! The client of a reader: made for one partition, and set to the first offset that is read. It reads nothing.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::begin::first_offset;
use super::reader::ReaderSettings;
use super::settings::Connected;
use crate::core::fault::Fault;
use crate::kafka::cause::call_fault;
use crate::kafka::context::Context as ClientContext;
use crate::kafka::identity::TopicIds;

/// What librdkafka reads ahead of one partition: a tenth of a second at 80 MB/s.
const READ_AHEAD_KBYTES: u32 = 8 << 10;
/// How often the broker's ends are noted, for the lag.
const ENDS_INTERVAL_MS: u32 = 1_000;

/// The client, the next offset, and where the partition ends now.
///
/// # Errors
/// No such partition, no broker that answers, or a position that is gone.
pub(super) fn opened(settings: &ReaderSettings) -> Result<(BaseConsumer<ClientContext>, i64, i64), Fault> {
    let Connected { connection, topic } = settings.connected.as_ref();
    let failed = |error: KafkaError| connection.scrubber().clean(call_fault(&format!("read `{topic}`"), &error));
    let mut config = connection.consumer_config(&connection.environment().consumer)?;
    config.set("queued.max.messages.kbytes", READ_AHEAD_KBYTES.to_string());
    crate::kafka::tail::read_ahead(&mut config);
    TopicIds::ask_for(&mut config);
    // librdkafka assigns only to a named group. It is never joined.
    let unnamed = || format!("velox-sql-{}", uuid::Uuid::new_v4().simple());
    config
        .set("group.id", settings.group.clone().unwrap_or_else(unnamed))
        .set("isolation.level", &settings.isolation)
        .set("enable.partition.eof", "true")
        .set("statistics.interval.ms", ENDS_INTERVAL_MS.to_string())
        // Where records between a position and the oldest one kept are gone, that is an error and no detail.
        .set("auto.offset.reset", "error");
    let consumer: BaseConsumer<ClientContext> = config.create_with_context(connection.context()).map_err(failed)?;
    let (next, high) = first_offset(settings, &consumer)?;
    assign(settings, &consumer, next)?;
    Ok((consumer, next, high))
}

/// Has the client read the partition from this offset.
pub(super) fn assign(
    settings: &ReaderSettings,
    consumer: &BaseConsumer<ClientContext>,
    next: i64,
) -> Result<(), Fault> {
    let Connected { connection, topic } = settings.connected.as_ref();
    let failed = |error: KafkaError| connection.scrubber().clean(call_fault(&format!("read `{topic}`"), &error));
    let mut assignment = TopicPartitionList::with_capacity(1);
    assignment.add_partition_offset(topic, settings.partition, Offset::Offset(next)).map_err(failed)?;
    consumer.assign(&assignment).map_err(failed)
}
