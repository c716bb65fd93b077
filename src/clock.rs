//! What time it is. The only place that asks the clock of the machine; event time never comes from here.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Now, to the nanosecond.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Milliseconds since 1970, now; 0 on a machine whose clock stands before.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| i64::try_from(past.as_millis()).unwrap_or(i64::MAX))
}
