//! Which clock a template reads, `now()` or `utcnow()`.

use jiff::tz::TimeZone;

use super::super::moment::Moment;
use crate::clock;

/// The zone that a moment is read in.
pub(super) struct Clock(TimeZone);

impl Clock {
    /// This machine's.
    pub fn of_system() -> Self {
        Self(TimeZone::system())
    }

    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    pub fn now(&self) -> Moment {
        Moment::new(clock::now(), &self.0)
    }
}
