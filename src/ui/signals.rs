//! What the system tells the program: end, hang up, stop, go on. Nothing here ends the program by itself.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that concerns the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// SIGTERM, SIGINT, SIGHUP or SIGQUIT: end in order.
    End(&'static str),
    /// SIGTSTP: to the shell.
    Suspend,
    /// SIGCONT: somebody had the terminal in between.
    Continue,
}

/// The signals while the loop runs.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    quit: Signal,
    suspend: Signal,
    go_on: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system refuses a listener.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            suspend: signal(SignalKind::from_raw(signal_hook::consts::SIGTSTP))?,
            go_on: signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Told {
        // A terminal that is closed sends SIGHUP and SIGCONT together: the end goes first.
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Told::End("SIGTERM"),
            _ = self.interrupt.recv() => Told::End("SIGINT"),
            _ = self.hang_up.recv() => Told::End("SIGHUP"),
            _ = self.quit.recv() => Told::End("SIGQUIT"),
            _ = self.suspend.recv() => Told::Suspend,
            _ = self.go_on.recv() => Told::Continue,
        }
    }
}

/// Stops this program as the shell expects it; returns when it is told to go on.
///
/// # Errors
/// The system refuses.
pub fn stop_here() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}
