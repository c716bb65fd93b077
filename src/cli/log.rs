//! The log of a headless command: lines on the standard error, as JSON where JSON was asked for.

use std::io;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;

use super::arguments::{Format, Global};
use super::progress::beside;

/// Where `log_payloads` writes; it was asked for, so it is shown at any level.
pub const PAYLOADS: &str = "velox::payloads";

/// Where `consume` says how far it is.
pub const SUMMARIES: &str = "velox::summaries";

/// Where `sql run` says what its jobs go on from, and what of their state they could not keep.
pub const RESUMED: &str = "velox::resumed";

/// Where a deployed job says that it runs, how it ended, and how to look at it.
pub const DEPLOYED: &str = "velox::deployed";

/// What `--verbose` shows.
const VERBOSE: &str = "velox=info,warn";

/// Raises the level of the log that was started, unless `RUST_LOG` or `--quiet` say what it is.
static RAISE: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// From now on the log is what `--verbose` would have made it: `runner.yaml` may say so, which is read after the log began.
pub fn raise() {
    if let Some(raise) = RAISE.get() {
        raise();
    }
}

/// The standard error beside a line of progress, which goes out of the way of what is written.
#[derive(Default)]
struct Beside;

impl io::Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        beside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts the log. A second call leaves the first in place.
pub fn to_standard_error(global: &Global) {
    let level = match (global.verbose, global.quiet) {
        (true, _) => VERBOSE,
        // What the client library says of a failure, the command says itself, and better.
        (false, false) => {
            "velox::payloads=info,velox::summaries=info,velox::resumed=info,velox::created=info,velox::deployed=info,velox::outage=info,\
             librdkafka=off,warn"
        }
        (false, true) => "velox::payloads=info,librdkafka=off,error",
    };
    let said = EnvFilter::try_from_default_env();
    let may_rise = said.is_err() && !global.quiet;
    let filter = said.unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_writer(Beside::default).with_target(false);
    // Only a second start fails, and then there is a log already.
    macro_rules! start {
        ($log:expr) => {{
            let log = $log.with_env_filter(filter).with_filter_reloading();
            let handle = log.reload_handle();
            if log.try_init().is_ok() && may_rise {
                let _ = RAISE.set(Box::new(move || drop(handle.reload(EnvFilter::new(VERBOSE)))));
            }
        }};
    }
    match global.format {
        Format::Text => start!(log.without_time().with_ansi(super::output::colours_on_standard_error())),
        Format::Json => start!(log.json()),
    }
}
