//! The log of a headless command: lines on the standard error, as JSON where JSON was asked for.

use std::io;

use tracing_subscriber::EnvFilter;

use super::arguments::{Format, Global};

/// Where `log_payloads` writes; it was asked for, so it is shown at any level.
pub const PAYLOADS: &str = "velox::payloads";

/// Where `consume` says how far it is.
pub const SUMMARIES: &str = "velox::summaries";

/// Where `sql run` says what its jobs go on from, and what of their state they could not keep.
pub const RESUMED: &str = "velox::resumed";

/// Starts the log. A second call leaves the first in place.
pub fn to_standard_error(global: &Global) {
    let level = match (global.verbose, global.quiet) {
        (true, _) => "velox=info,warn",
        // What the client library says of a failure, the command says itself, and better.
        (false, false) => "velox::payloads=info,velox::summaries=info,velox::resumed=info,librdkafka=off,warn",
        (false, true) => "velox::payloads=info,librdkafka=off,warn",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // Only a second start fails, and then there is a log already.
    let _ = match global.format {
        Format::Text => log.without_time().with_ansi(super::output::colours_on_standard_error()).try_init(),
        Format::Json => log.json().try_init(),
    };
}
