//! Milliseconds since 1970 as `2026-11-21T09:26:18.123Z`, at the rate of a flooded topic: the second is written once.

use std::io::{self, Write};

use jiff::Timestamp;

/// Writes times; remembers the text of the last second, which the next record most likely shares.
#[derive(Debug, Default)]
pub struct Clock {
    second: Option<i64>,
    text: String,
}

impl Clock {
    /// Writes a time in UTC; what no calendar holds is written as the number it is.
    pub fn write(&mut self, to: &mut impl Write, timestamp_ms: i64) -> io::Result<()> {
        let second = timestamp_ms.div_euclid(1_000);
        if self.second != Some(second) {
            let Ok(timestamp) = Timestamp::from_second(second) else { return write!(to, "{timestamp_ms}") };
            self.second = Some(second);
            self.text = timestamp.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        }
        let millisecond = timestamp_ms.rem_euclid(1_000) as u16;
        let digit = |place: u16| b'0' + (millisecond / place % 10) as u8;
        to.write_all(self.text.as_bytes())?;
        to.write_all(&[b'.', digit(100), digit(10), digit(1), b'Z'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_and_after_1970_are_written_to_the_millisecond() {
        let mut clock = Clock::default();
        let mut written = Vec::new();
        for timestamp_ms in [0, 7, 1_795_253_178_123, -1] {
            clock.write(&mut written, timestamp_ms).expect("a buffer takes it");
            written.push(b' ');
        }
        assert_eq!(
            String::from_utf8(written).expect("text"),
            "1970-01-01T00:00:00.000Z 1970-01-01T00:00:00.007Z 2026-11-21T09:26:18.123Z 1969-12-31T23:59:59.999Z "
        );
    }
}
