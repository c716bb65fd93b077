//! A measure over time, kept at four resolutions so that a day fits in a few kilobytes. It never reads a clock.

use std::collections::VecDeque;

/// How far back a chart looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    /// One minute, a point a second.
    Minute,
    /// Fifteen minutes, a point every five seconds.
    Quarter,
    /// One hour, a point every fifteen seconds.
    Hour,
    /// A day, a point every five minutes.
    Day,
}

impl Span {
    /// All spans, shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Quarter, Self::Hour, Self::Day];

    /// Length, seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Quarter => 15 * 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }

    /// Width of a point, seconds.
    pub fn step_seconds(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Quarter => 5,
            Self::Hour => 15,
            Self::Day => 300,
        }
    }

    /// Points kept: the length divided by the width.
    pub fn points(self) -> usize {
        (self.seconds() / self.step_seconds()) as usize
    }

    /// As a tab shows it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Minute => "1 min",
            Self::Quarter => "15 min",
            Self::Hour => "1 h",
            Self::Day => "24 h",
        }
    }
}

/// What was measured within the width of one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Start, whole seconds since 1970, a multiple of the width.
    pub at_s: i64,
    /// Sum of the samples.
    pub sum: f64,
    /// Number of samples, at least one.
    pub count: u32,
    /// Largest sample.
    pub max: f64,
}

impl Point {
    /// Mean of the samples.
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.count)
    }
}

/// One measure at the four resolutions.
#[derive(Debug, Clone, Default)]
pub struct Series {
    tiers: [VecDeque<Point>; 4],
    last: Option<f64>,
}

impl Series {
    /// Adds a sample taken at `at_s`, seconds since 1970. Samples older than the newest point join that point.
    pub fn push(&mut self, at_s: i64, value: f64) {
        self.last = Some(value);
        for (tier, span) in self.tiers.iter_mut().zip(Span::ALL) {
            let start = at_s - at_s.rem_euclid(span.step_seconds());
            match tier.back_mut() {
                Some(point) if start <= point.at_s => {
                    point.sum += value;
                    point.count += 1;
                    point.max = point.max.max(value);
                }
                _ => {
                    if tier.len() == span.points() {
                        tier.pop_front();
                    }
                    tier.push_back(Point { at_s: start, sum: value, count: 1, max: value });
                }
            }
        }
    }

    /// Points of a span that are not older than it when it ends at `now_s`, oldest first. Gaps have no point.
    pub fn points(&self, span: Span, now_s: i64) -> impl DoubleEndedIterator<Item = &Point> {
        self.tiers[span as usize].iter().filter(move |point| now_s - span.seconds() < point.at_s)
    }

    /// The newest sample.
    pub fn last(&self) -> Option<f64> {
        self.last
    }

    /// Points held over all resolutions.
    pub fn len(&self) -> usize {
        self.tiers.iter().map(VecDeque::len).sum()
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_days_of_seconds_stay_bounded_and_keep_the_mean_of_each_point() {
        let mut series = Series::default();
        let end = 2 * 24 * 60 * 60;
        (0..end).for_each(|second| series.push(second, f64::from((second % 2) as i32)));
        assert_eq!(series.len(), 60 + 180 + 240 + 288);
        let day: Vec<_> = series.points(Span::Day, end - 1).map(Point::mean).collect();
        assert_eq!(day.len(), 288);
        assert!(day.iter().all(|mean| (*mean - 0.5).abs() < 1e-9), "{day:?}");
    }

    #[test]
    fn points_that_are_too_old_are_not_shown_after_a_silence() {
        let mut series = Series::default();
        series.push(0, 1.0);
        series.push(100, 2.0);
        assert_eq!(series.points(Span::Minute, 110).count(), 1);
        assert_eq!(series.points(Span::Hour, 110).count(), 2);
    }
}
