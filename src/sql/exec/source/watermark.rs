//! The watermark of a lane: the lowest of its splits, without those that are idle or over. It knows no clock but what
//! it is told.

use std::time::Duration;

/// The newest event time of a split, and for how long it has had nothing.
#[derive(Debug, Clone, Copy)]
pub struct SplitTime {
    /// The newest event time, milliseconds since 1970.
    pub newest: Option<i64>,
    /// For how long it has been asked and had nothing. Time in which nobody asked does not count: a lane that waits for
    /// what is behind it must not take its own waiting for the source's silence.
    pub silent: Duration,
    /// Whether nothing will come again.
    pub has_ended: bool,
}

/// What holds for all splits of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneTime {
    /// No row earlier than this is to come.
    Watermark(i64),
    /// A split that has given no row yet holds everything back.
    Unknown,
    /// All splits are silent or over. The watermark is that of the one that was furthest: nobody is waited for.
    Idle(Option<i64>),
}

/// What holds for these splits.
pub fn lane_time(
    splits: impl Iterator<Item = SplitTime>,
    out_of_orderness: Duration,
    idle_timeout: Duration,
) -> LaneTime {
    let behind = |newest: i64| newest.saturating_sub(out_of_orderness.as_millis() as i64);
    let (mut lowest, mut furthest): (Option<i64>, Option<i64>) = (None, None);
    for split in splits {
        if split.has_ended || split.silent >= idle_timeout {
            furthest = furthest.max(split.newest);
            continue;
        }
        let Some(newest) = split.newest else { return LaneTime::Unknown };
        lowest = Some(lowest.map_or(newest, |lowest| lowest.min(newest)));
    }
    match lowest {
        Some(newest) => LaneTime::Watermark(behind(newest)),
        None => LaneTime::Idle(furthest.map(behind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    fn check(splits: &[(Option<i64>, u64, bool)], expected: LaneTime) {
        let splits = splits.iter().map(|(newest, silent_s, has_ended)| SplitTime {
            newest: *newest,
            silent: Duration::from_secs(*silent_s),
            has_ended: *has_ended,
        });
        assert_eq!(lane_time(splits, Duration::from_millis(5), IDLE), expected);
    }

    #[test]
    fn the_slowest_split_that_speaks_rules() {
        check(&[(Some(100), 0, false), (Some(50), 1, false)], LaneTime::Watermark(45));
        check(&[(Some(100), 0, false), (Some(50), 10, false)], LaneTime::Watermark(95));
        check(&[(Some(100), 0, false), (Some(50), 0, true)], LaneTime::Watermark(95));
    }

    #[test]
    fn a_split_that_has_not_spoken_holds_back_until_it_counts_as_idle() {
        check(&[(Some(100), 0, false), (None, 9, false)], LaneTime::Unknown);
        check(&[(Some(100), 0, false), (None, 10, false)], LaneTime::Watermark(95));
        check(&[(Some(100), 11, false), (None, 10, false)], LaneTime::Idle(Some(95)));
        check(&[(Some(100), 11, false), (Some(200), 10, false)], LaneTime::Idle(Some(195)));
        check(&[], LaneTime::Idle(None));
    }
}
