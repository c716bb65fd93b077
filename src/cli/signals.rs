//! SIGINT, SIGTERM and SIGHUP while a command works: the first asks it to stop and lets it finish what is in flight,
//! the second ends the process at once.

use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Exit;

/// What a signal asks of the work.
pub type Request<'a> = Box<dyn FnOnce() + 'a>;

/// Drives `work` to its end; the first signal makes the first request, the second the second, and one for which there is
/// no request ends the process at once. Gives what came of the work, and whether a signal came.
pub async fn drive<'a, T>(
    work: impl Future<Output = T>,
    requests: impl IntoIterator<Item = Request<'a>>,
) -> io::Result<(T, bool)> {
    let mut signals = Signals::listen()?;
    let mut requests = requests.into_iter();
    let mut work = pin!(work);
    let mut stopped = false;
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return Ok((outcome, stopped)),
            name = signals.next() => match requests.next() {
                Some(request) => {
                    let how = if stopped { "dropping" } else { "finishing" };
                    say(&format!("{name}: {how} what is in flight; once more to leave at once"));
                    stopped = true;
                    request();
                }
                None => {
                    say(&format!("{name}: leaving at once; what was in flight is not counted"));
                    std::process::exit(Exit::Stopped as i32);
                }
            },
        }
    }
}

/// The one request of work that can only be asked to finish.
pub fn once<'a>(request: impl FnOnce() + 'a) -> [Request<'a>; 1] {
    [Box::new(request)]
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
