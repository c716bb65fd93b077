//! SIGINT, SIGTERM and SIGHUP while a command works: the first asks it to stop and lets it finish what is in flight,
//! the second ends the process at once.

use std::future::Future;
use std::io;
use std::pin::pin;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::Exit;

/// What a signal asks of the work.
pub type Request<'a> = Box<dyn FnOnce() + 'a>;

/// Drives `work` to its end; the first signal makes the first request, the second the second, and one for which there is
/// no request ends the process at once. Gives what came of the work, and whether a signal came.
///
/// Signals are heard on a thread of their own: work that is stuck in a write to a pipe nobody reads can still be left.
pub async fn drive<'a, T>(
    work: impl Future<Output = T>,
    requests: impl IntoIterator<Item = Request<'a>>,
) -> io::Result<(T, bool)> {
    let requests: Vec<Request<'a>> = requests.into_iter().collect();
    let (heard, mut asked) = mpsc::channel(requests.len().max(1));
    let (signals, runtime, most) = (Signals::listen()?, Handle::current(), requests.len());
    std::thread::Builder::new().name("velox-signals".into()).spawn(move || hear(signals, &heard, most, &runtime))?;
    let mut requests = requests.into_iter();
    let mut work = pin!(work);
    let mut stopped = false;
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return Ok((outcome, stopped)),
            Some(()) = asked.recv() => if let Some(request) = requests.next() {
                stopped = true;
                request();
            }
        }
    }
}

/// Tells of each signal for which there is a request, and leaves at the next; ends when nobody asks any more.
fn hear(mut signals: Signals, heard: &mpsc::Sender<()>, requests: usize, runtime: &Handle) {
    for number in 0.. {
        let name = runtime.block_on(async {
            tokio::select! {
                biased;
                () = heard.closed() => None,
                name = signals.next() => Some(name),
            }
        });
        let Some(name) = name else { return };
        if number >= requests {
            say(&format!("{name}: leaving at once; what was in flight is not counted"));
            std::process::exit(Exit::Stopped as i32);
        }
        let how = if number == 0 { "finishing" } else { "dropping" };
        say(&format!("{name}: {how} what is in flight; once more to leave at once"));
        // There is room for every request; only work that has ended does not take it.
        heard.try_send(()).ok();
    }
}

/// The one request of work that can only be asked to finish.
pub fn once<'a>(request: impl FnOnce() + 'a) -> [Request<'a>; 1] {
    [Box::new(request)]
}

/// What a person at the terminal is told, in the form that was asked for; a program reads the exit code.
fn say(what: &str) {
    tracing::warn!("{what}");
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
