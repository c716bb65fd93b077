//! Which windows a time is in. Windows begin at whole multiples of their step since 1970-01-01T00:00Z. Pure.

use std::time::Duration;

use crate::sql::parse::statement::WindowKind;

/// Windows side by side, overlapping or growing, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The longest.
    pub size_ms: i64,
    /// From one beginning (growing windows: one end) to the next.
    pub step_ms: i64,
    /// Shift of the boundaries.
    pub offset_ms: i64,
    /// Whether windows grow by the step up to the size.
    pub grows: bool,
}

/// A window: `[start, end)` in milliseconds since 1970, ordered by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// First millisecond after it.
    pub end: i64,
    /// First millisecond.
    pub start: i64,
}

impl Windows {
    /// Those of a kind; `None` for sessions, which are made by rows.
    pub fn of(kind: &WindowKind) -> Option<Self> {
        let ms = |duration: &Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4).max(1);
        Some(match kind {
            WindowKind::Tumbling { size, offset } => Self {
                size_ms: ms(size),
                step_ms: ms(size),
                offset_ms: i64::try_from(offset.as_millis()).unwrap_or(0),
                grows: false,
            },
            WindowKind::Hopping { size, advance } => {
                Self { size_ms: ms(size), step_ms: ms(advance), offset_ms: 0, grows: false }
            }
            WindowKind::Cumulating { size, step } => {
                Self { size_ms: ms(size), step_ms: ms(step), offset_ms: 0, grows: true }
            }
            WindowKind::Session { .. } => return None,
        })
    }

    /// Whether a time is in one window only.
    pub fn are_apart(&self) -> bool {
        self.size_ms == self.step_ms
    }

    /// The length of the pieces that every window is made of.
    pub fn pane_ms(&self) -> i64 {
        let (mut a, mut b) = (self.size_ms, self.step_ms);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    }

    /// Where the multiple of `step` at or before `time` is.
    pub fn floor(&self, time: i64, step: i64) -> i64 {
        time - (time - self.offset_ms).rem_euclid(step)
    }

    /// The windows that `time` is in, the first to end first.
    pub fn of_time(&self, time: i64) -> impl Iterator<Item = Bounds> + use<> {
        let windows = *self;
        let last =
            if windows.grows { windows.floor(time, windows.size_ms) } else { windows.floor(time, windows.step_ms) };
        let count = if windows.grows {
            (windows.size_ms - (time - last) + windows.step_ms - 1) / windows.step_ms
        } else {
            // Windows whose beginning lies in (time - size, time].
            (windows.size_ms - (time - last) + windows.step_ms - 1) / windows.step_ms
        };
        (0..count.max(0)).map(move |index| {
            if windows.grows {
                let steps = (time - last) / windows.step_ms + 1 + index;
                Bounds { start: last, end: (last + steps * windows.step_ms).min(last + windows.size_ms) }
            } else {
                let start = last - (count - 1 - index) * windows.step_ms;
                Bounds { start, end: start + windows.size_ms }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(kind: &WindowKind, time: i64) -> Vec<(i64, i64)> {
        let windows = Windows::of(kind).expect("no session");
        windows.of_time(time).map(|window| (window.start, window.end)).collect()
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_time_is_in_one_tumbling_window_also_before_1970() {
        let tumbling = WindowKind::Tumbling { size: ms(10), offset: ms(0) };
        assert_eq!(bounds(&tumbling, 10), [(10, 20)]);
        assert_eq!(bounds(&tumbling, 19), [(10, 20)]);
        assert_eq!(bounds(&tumbling, -1), [(-10, 0)]);
        assert_eq!(bounds(&WindowKind::Tumbling { size: ms(10), offset: ms(3) }, 12), [(3, 13)]);
    }

    #[test]
    fn a_time_is_in_every_hopping_window_that_covers_it() {
        let hopping = WindowKind::Hopping { size: ms(10), advance: ms(5) };
        assert_eq!(bounds(&hopping, 12), [(5, 15), (10, 20)]);
        assert_eq!(bounds(&hopping, 10), [(5, 15), (10, 20)]);
        let odd = WindowKind::Hopping { size: ms(10), advance: ms(4) };
        assert_eq!(bounds(&odd, 9), [(0, 10), (4, 14), (8, 18)]);
        assert_eq!(bounds(&odd, 11), [(4, 14), (8, 18)]);
        let gaps = WindowKind::Hopping { size: ms(2), advance: ms(5) };
        assert_eq!(bounds(&gaps, 6), [(5, 7)]);
        assert_eq!(bounds(&gaps, 8), []);
    }

    #[test]
    fn a_time_is_in_the_growing_windows_that_have_reached_it() {
        let growing = WindowKind::Cumulating { size: ms(30), step: ms(10) };
        assert_eq!(bounds(&growing, 5), [(0, 10), (0, 20), (0, 30)]);
        assert_eq!(bounds(&growing, 10), [(0, 20), (0, 30)]);
        assert_eq!(bounds(&growing, 29), [(0, 30)]);
        assert_eq!(bounds(&growing, 30), [(30, 40), (30, 50), (30, 60)]);
    }
}
