//! Records as JSON Lines, one object each, in the form of `velox-tui tail --format json`. Values keep every digit.

use crate::core::record::Record;
use crate::formats::record_lines::JsonLines;

/// Most bytes of an export: it is made in memory between two frames.
pub const EXPORT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The lines of as many records as fit, and how many those are.
pub fn lines<'r>(records: impl Iterator<Item = &'r Record>) -> (String, usize) {
    lines_of(records, EXPORT_BYTES_MAX)
}

/// One record on one line.
pub fn line(record: &Record) -> String {
    lines_of([record].into_iter(), usize::MAX).0.trim_end().to_owned()
}

fn lines_of<'r>(records: impl Iterator<Item = &'r Record>, bytes_max: usize) -> (String, usize) {
    let (mut form, mut lines, mut written) = (JsonLines::default(), Vec::new(), 0);
    for record in records {
        // A buffer takes what it is given.
        if lines.len() + record.value.as_ref().map_or(0, Vec::len) > bytes_max
            || form.write(&mut lines, record).is_err()
        {
            break;
        }
        written += 1;
    }
    (String::from_utf8_lossy(&lines).into_owned(), written)
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn a_record_is_one_line_that_loses_nothing() {
        let record = Record {
            topic: "orders".into(),
            partition: 2,
            offset: 17,
            timestamp_ms: Some(1_795_253_178_123),
            key: Some(vec![0xff, 0]),
            value: Some(b"{\n \"amount\": 1204.50}\n".to_vec()),
            headers: vec![("a".into(), Some(b"1".to_vec())), ("b".into(), None), ("a".into(), Some(b"2".to_vec()))],
            value_bytes: 99,
        };
        assert_eq!(
            line(&record),
            "{\"topic\":\"orders\",\"partition\":2,\"offset\":17,\"timestamp_ms\":1795253178123,\
             \"timestamp\":\"2026-11-21T09:26:18.123Z\",\"key_base64\":\"/wA=\",\"value\":{  \"amount\": 1204.50},\
             \"value_bytes\":99,\"headers\":{\"a\":[\"1\",\"2\"],\"b\":null}}"
        );
        serde_json::from_str::<IgnoredAny>(&line(&record)).expect("JSON");
    }

    #[test]
    fn an_export_is_bounded_and_says_how_many_it_took() {
        let large = Record {
            topic: "t".into(),
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key: None,
            value: Some(vec![b'a'; EXPORT_BYTES_MAX / 3]),
            headers: Vec::new(),
            value_bytes: EXPORT_BYTES_MAX / 3,
        };
        let (lines, written) = lines([&large, &large, &large, &large].into_iter());
        assert_eq!((written, lines.lines().count()), (2, 2));
    }
}
