//! When an operator that gives what changed every so often is due. It reads no clock.

use crate::sql::plan::stream::EmitMode;

/// See the module.
#[derive(Debug)]
pub struct Every {
    /// Between two times, milliseconds; nothing where results are given in another way.
    period_ms: Option<i64>,
    due_ms: i64,
}

impl Every {
    /// As results are to be given; due at once.
    pub fn of(emit: EmitMode) -> Self {
        let period_ms = match emit {
            EmitMode::Every(period) => Some(i64::try_from(period.as_millis()).unwrap_or(i64::MAX)),
            EmitMode::Changes { .. } | EmitMode::Final => None,
        };
        Self { period_ms, due_ms: 0 }
    }

    /// Whether results are due now; then they are again a period later.
    pub fn is_due(&mut self, now_ms: i64) -> bool {
        let Some(period_ms) = self.period_ms.filter(|_| self.due_ms <= now_ms) else { return false };
        self.due_ms = now_ms.saturating_add(period_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_are_due_at_once_and_then_after_each_period() {
        let mut every = Every::of(EmitMode::Every(Duration::from_secs(1)));
        let due: Vec<bool> = [500, 900, 1_499, 1_500, 5_000, 5_001].map(|now| every.is_due(now)).into();
        assert_eq!(due, [true, false, false, true, true, false]);
        assert!(!Every::of(EmitMode::Final).is_due(i64::MAX));
    }
}
