//! The document's StreamController: asks work to stop, gently first, at once when asked again.
//! Waits for SIGINT and SIGTERM where it is told to; starts no task of its own.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::core::fault::{Blame, Fault};

/// A request to stop that everyone who holds a clone sees.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    gently: CancellationToken,
    at_once: CancellationToken,
    signal: Arc<std::sync::OnceLock<&'static str>>,
}

impl Stop {
    /// A stop that nobody has asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// A stop that follows `parent`, such as a job's own token.
    pub fn following(parent: &CancellationToken) -> Self {
        Self { gently: parent.child_token(), ..Self::default() }
    }

    /// Asks: finish what is in flight, take nothing new. Asked a second time: drop what is in flight too.
    pub fn request_stop(&self) {
        if self.gently.is_cancelled() {
            self.at_once.cancel();
        }
        self.gently.cancel();
    }

    /// Asks to drop everything now.
    pub fn request_stop_at_once(&self) {
        self.gently.cancel();
        self.at_once.cancel();
    }

    /// Whether nothing new should be begun.
    pub fn should_stop(&self) -> bool {
        self.gently.is_cancelled()
    }

    /// Whether a stop was asked for (the document's name for [`Stop::should_stop`]).
    pub fn is_shutdown_initiated(&self) -> bool {
        self.should_stop()
    }

    /// Whether even what is in flight should be dropped.
    pub fn is_immediate(&self) -> bool {
        self.at_once.is_cancelled()
    }

    /// Returns when a stop is asked for.
    pub async fn requested(&self) {
        self.gently.cancelled().await;
    }

    /// Returns when what is in flight should be dropped.
    pub async fn immediate(&self) {
        self.at_once.cancelled().await;
    }

    /// The token behind the gentle stop, for work that takes one.
    pub fn token(&self) -> &CancellationToken {
        &self.gently
    }

    /// The signal that asked, if one did: `SIGINT` or `SIGTERM`.
    pub fn signal(&self) -> Option<&'static str> {
        self.signal.get().copied()
    }

    /// Turns SIGINT and SIGTERM into requests to stop; the second one is immediate. Runs until then: give it to
    /// `select!` beside the work. The handlers stay for the life of the process (tokio's own rule).
    ///
    /// # Errors
    /// The system refuses the signal handlers.
    pub async fn listen(&self) -> Result<(), Fault> {
        let refused = |error: std::io::Error| Fault::new(Blame::Program, format!("cannot wait for signals: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        while !self.is_immediate() {
            let name = tokio::select! {
                Some(()) = interrupt.recv() => "SIGINT",
                Some(()) = terminate.recv() => "SIGTERM",
                () = self.immediate() => break,
            };
            self.signal.set(name).ok();
            self.request_stop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_gentle_and_the_second_immediate() {
        let stop = Stop::new();
        assert!(!stop.should_stop() && !stop.is_shutdown_initiated());
        stop.request_stop();
        assert!(stop.should_stop() && !stop.is_immediate());
        stop.clone().request_stop();
        assert!(stop.is_immediate());
    }

    #[test]
    fn a_stop_follows_its_parent_and_does_not_stop_it() {
        let parent = CancellationToken::new();
        let stop = Stop::following(&parent);
        let other = Stop::following(&parent);
        other.request_stop();
        assert!(!parent.is_cancelled() && !stop.should_stop());
        parent.cancel();
        assert!(stop.should_stop() && !stop.is_immediate());
    }
}
