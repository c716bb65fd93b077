//! Progress on the standard error, only where a terminal shows it and nobody asked for quiet.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::line::Line;
use crate::core::lock::WholeMutex;

/// As often as a person can read numbers that change.
pub const REFRESH: Duration = Duration::from_millis(100);
/// The same, a second.
const REFRESH_HZ: u8 = 10;

/// The line that is shown now.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes to the standard error where a line of progress may stand: it is taken away, and comes back below.
pub fn beside<T>(write: impl FnOnce() -> T) -> T {
    let shown = SHOWN.hold().clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// One line that moves while a command works.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar towards a known total.
    pub fn towards(total: u64, quiet: bool) -> Self {
        let style = "{elapsed_precise} [{bar:32}] {human_pos}/{human_len}  {wide_msg}";
        Self::new(ProgressBar::with_draw_target(Some(total), target(quiet)), style)
    }

    /// A line without a known end.
    pub fn open_ended(quiet: bool) -> Self {
        Self::new(ProgressBar::with_draw_target(None, target(quiet)), "{spinner} {elapsed_precise}  {wide_msg}")
    }

    fn new(bar: ProgressBar, style: &str) -> Self {
        // The templates are constants; one that does not parse leaves the default look.
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self { bar }
    }

    /// Shows how far it is.
    pub fn show(&self, position: u64, message: impl Into<String>) {
        *SHOWN.hold() = Some(self.bar.clone());
        self.bar.set_message(message.into());
        self.bar.set_position(position);
    }

    /// Takes the line away: what follows is the result.
    pub fn clear(&self) {
        SHOWN.hold().take();
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet || !io::stderr().is_terminal() {
        return ProgressDrawTarget::hidden();
    }
    ProgressDrawTarget::term_like_with_hz(Box::new(Line::default()), REFRESH_HZ)
}

/// A rate with three significant digits: `982/s`, `12.4k/s`, `1.05M/s`.
pub fn rate(per_second: f64) -> String {
    let (number, unit) = match per_second {
        rate if rate >= 1e6 => (rate / 1e6, "M"),
        rate if rate >= 1e3 => (rate / 1e3, "k"),
        rate => (rate, ""),
    };
    let digits = match number {
        number if number >= 99.95 => 0,
        number if number >= 9.995 => 1,
        _ => 2,
    };
    format!("{number:.digits$}{unit}/s")
}

pub use crate::core::words::{counted, grouped};

/// Bytes with three significant digits: `1.10 KB`, in powers of 1,000.
pub fn size(bytes: u64) -> String {
    let (mut number, mut unit) = (bytes as f64, "B");
    for larger in ["KB", "MB", "GB", "TB"] {
        if number < 1_000.0 {
            break;
        }
        (number, unit) = (number / 1_000.0, larger);
    }
    match unit {
        "B" => format!("{bytes} B"),
        unit => format!(
            "{number:.*} {unit}",
            if number >= 99.95 {
                0
            } else if number >= 9.995 {
                1
            } else {
                2
            }
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits() {
        assert_eq!([0.0, 982.4, 12_400.0, 1_048_000.0].map(rate), ["0.00/s", "982/s", "12.4k/s", "1.05M/s"]);
        assert_eq!([0, 999, 1_104, 52_400_000].map(size), ["0 B", "999 B", "1.10 KB", "52.4 MB"]);
    }
}
