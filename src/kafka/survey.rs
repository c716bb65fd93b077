//! What a tail would read, counted before it does: records between where it would begin and where the topics end now. Reads none.

use std::time::{Duration, Instant};

use rdkafka::consumer::BaseConsumer;

use super::admin::{self, off_the_async_threads};
use super::cause::call_fault;
use super::context::Context;
use super::health::unless_refused;
use super::settings::Connection;
use super::tail::{first_offset, offsets_at};
use crate::core::fault::Fault;
use crate::core::record::{Scan, StartAt};

/// What reading these topics, or only these of their partitions, from `start` to where they end now comes to.
///
/// # Errors
/// A topic does not exist, no broker answered in time, or the login was refused.
pub async fn survey(
    connection: &Connection,
    topics: &[String],
    only: &[i32],
    start: &StartAt,
    timeout: Duration,
) -> Result<Vec<Scan>, Fault> {
    let (topics, only, start) = (topics.to_vec(), only.to_vec(), start.clone());
    let counting = off_the_async_threads({
        let connection = connection.clone();
        move || {
            let client = connection
                .base()
                .create_with_context(connection.context())
                .map_err(|error| connection.scrubber().clean(call_fault("open a client", &error)))?;
            let deadline = Instant::now() + timeout;
            topics.iter().map(|topic| scan(&client, &connection, (topic, &only), &start, deadline)).collect()
        }
    });
    unless_refused(connection, counting).await
}

fn scan(
    client: &BaseConsumer<Context>,
    connection: &Connection,
    (topic, only): (&str, &[i32]),
    start: &StartAt,
    deadline: Instant,
) -> Result<Scan, Fault> {
    let left = || deadline.saturating_duration_since(Instant::now());
    let metadata = admin::metadata(client, connection, Some(topic), left())?;
    let mut partitions = admin::partitions_of(&metadata, topic, connection)?;
    partitions.retain(|partition| only.is_empty() || only.contains(partition));
    let mut records = 0;
    let mut ends = Vec::with_capacity(partitions.len());
    for &partition in &partitions {
        let marks = admin::watermarks(client, connection, topic, partition, left())?;
        ends.push((partition, first_offset(start, marks), marks.high));
    }
    if let StartAt::Time(time) = start {
        let found = offsets_at(client, topic, &partitions, *time, left())
            .map_err(|error| connection.scrubber().clean(call_fault(&format!("read `{topic}`"), &error)))?;
        for (partition, offset) in found {
            ends.iter_mut().filter(|(id, ..)| *id == partition).for_each(|(_, first, _)| *first = offset);
        }
    }
    for (_, first, end) in ends {
        records += u64::try_from(end - first).unwrap_or(0);
    }
    Ok(Scan { topic: topic.to_owned(), partitions: u32::try_from(partitions.len()).unwrap_or(u32::MAX), records })
}
