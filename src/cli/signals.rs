//! SIGINT, SIGTERM and SIGHUP while a command works: the first asks it to stop and lets it finish what is in flight,
//! the second ends the process at once.

use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Exit;

/// Drives `work` to its end; `stop` is called once, at the first signal. Gives what came of the work, and whether a
/// signal stopped it.
pub async fn drive<T>(work: impl Future<Output = T>, stop: impl FnOnce()) -> io::Result<(T, bool)> {
    let mut signals = Signals::listen()?;
    let mut work = pin!(work);
    let mut stop = Some(stop);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return Ok((outcome, stop.is_none())),
            name = signals.next() => match stop.take() {
                Some(stop) => {
                    say(&format!("{name}: finishing what is in flight; once more to leave at once"));
                    stop();
                }
                None => {
                    say(&format!("{name}: leaving at once; what was in flight is not counted"));
                    std::process::exit(Exit::Stopped as i32);
                }
            },
        }
    }
}

/// What a person at the terminal is told; a program reads the exit code.
fn say(what: &str) {
    // A closed standard error has no reader.
    let _ = writeln!(io::stderr(), "velox-tui: {what}");
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
        }
    }
}
