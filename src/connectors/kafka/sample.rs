//! Columns of a topic as its newest records show them. It joins no group and commits nothing.

use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;

use crate::core::duration::told;
use crate::core::fault::{Blame, Fault};
use crate::core::record::StartAt;
use crate::formats::infer::Inference;
use crate::kafka::settings::Connection;
use crate::kafka::tail::{Tail, TailSettings};

/// Records of a sample that are taken in one look.
const SAMPLE_BATCH: usize = 256;
/// So many records show what is common.
const SAMPLE_ENOUGH: usize = 20;
/// How long more records are waited for where a topic has but few: a topic that lives brings some, and nobody notices.
const SAMPLE_SETTLES: Duration = Duration::from_millis(400);
/// What to do where a sample says nothing.
pub const DECLARE: &str = "declare its columns: CREATE SOURCE name (column TYPE, …) WITH (…)";

/// Looks at the newest records, at most `wanted` and for at most `wait`. `row` says which bytes of a value are its row.
/// Blocks.
///
/// # Errors
/// The topic does not exist, no broker answered in time, or the login was refused.
pub fn read(
    connection: &Connection,
    topic: &str,
    wanted: usize,
    wait: Duration,
    mut row: impl for<'v> FnMut(&'v [u8]) -> Option<&'v [u8]>,
) -> Result<Inference, Fault> {
    let begun = Instant::now();
    let settings = TailSettings::whole(StartAt::Last(wanted as u64));
    let mut tail = Tail::open(connection, topic, &settings, connection.request_timeout())?;
    let (mut inference, mut seen) = (Inference::default(), 0);
    let (mut deadline, mut few_since) = (begun + wait, None);
    while seen < wanted && Instant::now() < deadline {
        let left = deadline.saturating_duration_since(Instant::now());
        let batch = tail.next_batch(SAMPLE_BATCH, left, || false)?;
        for record in &batch.records {
            if let Some(value) = record.value.as_deref().and_then(&mut row) {
                inference.json(value);
                seen += 1;
            }
        }
        // What is there was seen; more may take for ever to come.
        if batch.at_end && seen > 0 {
            if seen >= SAMPLE_ENOUGH {
                break;
            }
            deadline = deadline.min(*few_since.get_or_insert_with(Instant::now) + SAMPLE_SETTLES);
        }
    }
    Ok(inference)
}

/// The columns that a sample shows.
///
/// # Errors
/// It shows none: no record came within `wait`, or records are no JSON objects.
pub fn columns(inference: Inference, topic: &str, wait: Duration) -> Result<SchemaRef, Fault> {
    if inference.records() == 0 {
        let what = match inference.odd() {
            Some(odd) => format!("records of `{topic}` are no JSON objects: {odd}"),
            None => format!("no record of `{topic}` came within {}, so its columns are not known", told(wait)),
        };
        return Err(Fault::new(Blame::Operator, what).next(DECLARE));
    }
    Ok(inference.finish(false))
}
