//! The five states of a connection and the moves between them that are legal, for every layer that connects or shows.

use std::fmt;

use serde::Serialize;

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Not connected, and not trying.
    #[default]
    Disconnected,
    /// Reaching a broker and logging in.
    Connecting,
    /// A broker has answered.
    Connected,
    /// Finishing what is in flight.
    Disconnecting,
    /// Given up; the fault is kept beside it.
    Error,
}

impl ConnectionState {
    /// Whether a connection may go from here to there.
    pub fn may_become(self, next: Self) -> bool {
        use ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Error};
        matches!(
            (self, next),
            (Disconnected | Error, Connecting)
                | (Connecting, Connected | Error | Disconnecting)
                | (Connected, Disconnecting | Error)
                | (Disconnecting, Disconnected | Error)
                | (Error, Disconnected)
        )
    }

    /// As the document names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnecting => "disconnecting",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
