//! The system columns: readable by name from any source, never part of `*`.

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

/// Key of the record, as text where it is UTF-8.
pub const KEY: &str = "_key";
/// Topic, or path of the file.
pub const TOPIC: &str = "_topic";
/// Partition.
pub const PARTITION: &str = "_partition";
/// Offset, or number of the line.
pub const OFFSET: &str = "_offset";
/// Timestamp of the record.
pub const TIMESTAMP: &str = "_timestamp";
/// Headers: a map from name to bytes.
pub const HEADERS: &str = "_headers";
/// Event time, as the source or `WATERMARK FOR` gives it. Filled by the engine, never by a connector.
pub const EVENT_TIME: &str = "_event_time";

/// All of them.
pub const ALL: [&str; 7] = [KEY, TOPIC, PARTITION, OFFSET, TIMESTAMP, HEADERS, EVENT_TIME];

/// The column of a name, `None` for a name that is none of these.
pub fn field(name: &str) -> Option<Field> {
    let data_type = match name {
        KEY | TOPIC => DataType::Utf8,
        PARTITION => DataType::Int32,
        OFFSET => DataType::Int64,
        TIMESTAMP | EVENT_TIME => DataType::Timestamp(TimeUnit::Millisecond, None),
        HEADERS => DataType::Map(
            Field::new(
                "entries",
                DataType::Struct(Fields::from(vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", DataType::Binary, true),
                ])),
                false,
            )
            .into(),
            false,
        ),
        _ => return None,
    };
    Some(Field::new(name, data_type, true))
}
