//! How the records of a sink are written, whichever brokers take them: what becomes of rows that are taken back, of values and
//! of keys. It opens nothing.

use super::key::KeyFormat;
use crate::connectors::contract::SinkRequest;
use crate::connectors::encoding::Format;
use crate::connectors::options::Options;
use crate::core::fault::{Blame, Fault};
use crate::formats::contract::Encoder;

/// What is written of a result that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Every new row; what is taken back leaves no trace.
    Append,
    /// The newest row of a key; a deleted one is a tombstone.
    Upsert,
    /// Every change, as an envelope.
    Changes,
}

/// How records are written, whichever brokers take them.
pub(super) struct Form {
    pub encoder: Box<dyn Encoder>,
    pub mode: Mode,
    pub key_format: KeyFormat,
}

impl Form {
    /// What the options and the columns say. It opens nothing.
    pub fn of(request: &SinkRequest, options: &Options) -> Result<Self, Fault> {
        let mode = options.get("mode").map(str::to_ascii_lowercase);
        let format = match mode.as_deref() {
            Some("debezium") => Format::Debezium,
            _ => Format::of(options)?,
        };
        let encoder = format.encoder();
        let mode = match mode.as_deref() {
            _ if encoder.carries_changes() => Mode::Changes,
            Some("append") => Mode::Append,
            Some("upsert") => Mode::Upsert,
            _ if request.changes => Mode::Upsert,
            _ => Mode::Append,
        };
        if let Some(fault) = request.key_refused.as_ref().filter(|_| mode == Mode::Upsert) {
            let next = format!("{}; or set `format` = 'debezium', or `mode` = 'append'", fault.next);
            return Err(fault.clone().next(next));
        }
        if mode == Mode::Upsert && request.key.is_empty() {
            let what = format!("`{}` takes rows back, and no column is their key", request.name);
            let next = match request.key_lacks.as_slice() {
                [] => "mark a column PRIMARY KEY, of the sink or in the SELECT list".to_owned(),
                lacks => format!(
                    "SELECT {} too, or mark a column PRIMARY KEY, of the sink or in the SELECT list",
                    lacks.join(" and ")
                ),
            };
            return Err(Fault::new(Blame::Operator, what)
                .next(format!("{next}, or set `format` = 'debezium', or `mode` = 'append'")));
        }
        let idle = ["transactional.id", "transaction.timeout"].into_iter().find(|key| options.get(key).is_some());
        if let Some(idle) = idle.filter(|_| !request.exactly_once) {
            let what = format!("`{idle}` is about transactions, and rows are written at least once, without any");
            return Err(options
                .fault(idle, what)
                .next("it needs 'delivery.guarantee' = 'exactly-once'; or leave it out"));
        }
        if matches!(format, Format::Raw) && request.schema.fields().len() != 1 {
            let what = format!(
                "`{}` has {} columns, and the format `raw` writes one",
                request.name,
                request.schema.fields().len()
            );
            return Err(options.fault("format", what).next("select one column, or choose another format"));
        }
        Ok(Self { encoder, mode, key_format: KeyFormat::of(options, request.key.len())? })
    }
}
