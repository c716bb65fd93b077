//! The log of a headless command: lines on the standard error, as JSON where JSON was asked for.

use std::io;

use tracing_subscriber::EnvFilter;

use super::arguments::{Format, Global};

/// Starts the log. A second call leaves the first in place.
pub fn to_standard_error(global: &Global) {
    let level = if global.verbose { "velox=info,warn" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // Only a second start fails, and then there is a log already.
    let _ = match global.format {
        Format::Text => log.without_time().with_ansi(super::output::colours_on_standard_error()).try_init(),
        Format::Json => log.json().try_init(),
    };
}
