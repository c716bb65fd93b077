//! The life of one connection: five states, the moves between them that are legal, and when they happened.
//! Values only; the clock is the caller's.

use jiff::Timestamp;
use serde::Serialize;

pub use crate::core::connection::ConnectionState;

/// A move that a connection cannot make, such as connecting twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a connection that is {from} cannot become {to}")]
pub struct IllegalMove {
    /// Where it is.
    pub from: ConnectionState,
    /// Where it was to go.
    pub to: ConnectionState,
}

/// A connection's state with the times the document asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lifecycle {
    /// Now.
    pub state: ConnectionState,
    /// When the client was made.
    pub created: Timestamp,
    /// When a broker first answered since the last connect.
    pub connected: Option<Timestamp>,
    /// When anything was last sent, received or asked.
    pub last_activity: Option<Timestamp>,
}

impl Lifecycle {
    /// A client that was made now and has not connected.
    pub fn new(now: Timestamp) -> Self {
        Self { state: ConnectionState::Disconnected, created: now, connected: None, last_activity: None }
    }

    /// Moves on.
    ///
    /// # Errors
    /// The move is not legal; nothing has changed.
    pub fn become_at(&mut self, next: ConnectionState, now: Timestamp) -> Result<(), IllegalMove> {
        if !self.state.may_become(next) {
            return Err(IllegalMove { from: self.state, to: next });
        }
        self.state = next;
        match next {
            ConnectionState::Connected => (self.connected, self.last_activity) = (Some(now), Some(now)),
            ConnectionState::Connecting => self.connected = None,
            _ => {}
        }
        Ok(())
    }

    /// Something was sent, received or asked.
    pub fn active_at(&mut self, now: Timestamp) {
        self.last_activity = Some(now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Error};
    use super::*;

    const ALL: [ConnectionState; 5] = [Disconnected, Connecting, Connected, Disconnecting, Error];

    fn second(number: i64) -> Timestamp {
        Timestamp::from_second(number).unwrap()
    }

    #[test]
    fn exactly_the_legal_moves_are_taken() {
        let legal = [
            (Disconnected, Connecting),
            (Connecting, Connected),
            (Connecting, Error),
            (Connecting, Disconnecting),
            (Connected, Disconnecting),
            (Connected, Error),
            (Disconnecting, Disconnected),
            (Disconnecting, Error),
            (Error, Connecting),
            (Error, Disconnected),
        ];
        for from in ALL {
            for to in ALL {
                let mut life = Lifecycle { state: from, ..Lifecycle::new(second(0)) };
                let outcome = life.become_at(to, second(1));
                if legal.contains(&(from, to)) {
                    assert_eq!((outcome, life.state), (Ok(()), to));
                } else {
                    assert_eq!((outcome, life.state), (Err(IllegalMove { from, to }), from));
                }
            }
        }
    }

    #[test]
    fn the_times_of_creation_connection_and_last_activity_are_kept() {
        let mut life = Lifecycle::new(second(1));
        life.become_at(Connecting, second(2)).unwrap();
        assert_eq!((life.connected, life.last_activity), (None, None));
        life.become_at(Connected, second(3)).unwrap();
        life.active_at(second(4));
        assert_eq!((life.created, life.connected, life.last_activity), (second(1), Some(second(3)), Some(second(4))));
    }
}
