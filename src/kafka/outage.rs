//! Whether any broker of a connection answers, said once for all of its clients: a line when none does any more, and a line
//! when one does again. It knows what clients tell it, and asks nobody.

use std::sync::Mutex;
use std::time::Instant;

use crate::clock::now_ms;
use crate::core::duration::told;
use crate::core::lock::WholeMutex;

/// Since when no broker answers.
#[derive(Default)]
pub(super) struct Outage(Mutex<Option<Instant>>);

impl Outage {
    /// A client that had a broker has none any more. Answers whether that is news.
    pub fn begins(&self, environment: &str) -> bool {
        let mut since = self.0.hold();
        let is_news = since.is_none();
        if is_news {
            *since = Some(Instant::now());
            tracing::warn!(target: "velox::outage", "{}: no broker of {environment} answers any more; asking on", time(now_ms()));
        }
        is_news
    }

    /// Since when no broker answers, where none does.
    pub fn since(&self) -> Option<Instant> {
        *self.0.hold()
    }

    /// A client has a broker. Answers whether that is news.
    pub fn ends(&self, environment: &str) -> bool {
        let Some(since) = self.0.hold().take() else { return false };
        let lasted = told(std::time::Duration::from_secs(since.elapsed().as_secs()));
        tracing::info!(target: "velox::outage", "{}: a broker of {environment} answers again, after {lasted}", time(now_ms()));
        true
    }
}

/// A time of day: these lines are read long after they were written.
pub(super) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_said_once_whoever_notices_it_and_so_is_its_end() {
        let outage = Outage::default();
        assert!(!outage.ends("qa"));
        assert!(outage.begins("qa") && !outage.begins("qa") && outage.since().is_some());
        assert!(outage.ends("qa") && !outage.ends("qa") && outage.since().is_none());
        assert!(outage.begins("qa"));
    }
}
