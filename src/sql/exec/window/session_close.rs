//! When sessions are final: each is given once the watermark has left it behind, and forgotten, unless late rows may still
//! replace it.

use super::session::Sessions;
use crate::connectors::contract::BATCH_ROWS_MAX;
use crate::core::fault::Fault;
use crate::sql::exec::operator::Output;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::EmitMode;

impl Sessions {
    /// A session has changed: it will be given, and closed in its time.
    pub(super) fn touch(&mut self, session: usize) {
        let Some((last, is_gone)) = self.spans.get(session).map(|span| (span.last, span.is_gone)) else { return };
        let is_past = self.is_past(last);
        let Some(span) = self.spans.get_mut(session).filter(|_| !is_gone) else { return };
        span.is_closed &= is_past;
        if !span.is_closed && !std::mem::replace(&mut span.is_scheduled, true) {
            self.agenda.insert((last, session));
        }
        if !std::mem::replace(&mut span.is_touched, true) {
            self.touched.push(session);
        }
    }

    pub(super) fn release(&mut self, session: usize) {
        let Some(span) = self.spans.release(session) else { return };
        if let Some(group) = span.group {
            self.groups.remove(group);
        }
        if self.recipe.keys() > 0 && self.spans.has_none(span.key) {
            self.keys.remove(span.key);
        }
    }

    /// Gives what is final and forgets it, unless late rows may still replace it.
    pub(super) fn close(&mut self, out: &mut Output) -> Result<(), Fault> {
        let mut closing = Vec::new();
        while let Some((at, session)) = self.agenda.first().copied().filter(|(at, _)| self.is_past(*at)) {
            self.agenda.remove(&(at, session));
            // The number may belong to another session by now, and the session may have grown.
            let Some((last, is_over)) = self.spans.get(session).map(|span| (span.last, span.is_gone || span.is_closed))
            else {
                continue;
            };
            if is_over {
                continue;
            }
            if !self.is_past(last) {
                self.agenda.insert((last, session));
                continue;
            }
            if let Some(span) = self.spans.get_mut(session).filter(|span| span.is_scheduled) {
                span.is_scheduled = false;
                closing.push(session);
            }
        }
        if closing.is_empty() {
            return Ok(());
        }
        if self.emit == EmitMode::Final {
            closing.chunks(BATCH_ROWS_MAX).try_for_each(|part| self.give_final(part, out))?;
        } else {
            self.give(out)?;
        }
        for session in closing {
            let keeps = self.late == LateStrategy::UpdatePrevious && self.watermark < i64::MAX;
            let has_result = self.spans.get(session).and_then(|span| self.with_result(span)).is_some();
            match self.spans.get_mut(session).filter(|_| keeps) {
                Some(span) => {
                    span.is_closed = true;
                    span.given = has_result.then_some((span.first, span.last));
                    self.closed.insert((span.last, session));
                }
                None => self.release(session),
            }
        }
        Ok(())
    }

    /// Forgets closed sessions that have been kept for late rows long enough.
    pub(super) fn forget(&mut self) {
        let is_old = |at: i64| self.watermark == i64::MAX || self.is_past(at.saturating_add(self.keep_ms));
        let old: Vec<(i64, usize)> = self.closed.iter().copied().take_while(|(at, _)| is_old(*at)).collect();
        for (at, session) in old {
            self.closed.remove(&(at, session));
            let Some(span) = self.spans.get(session).filter(|span| span.is_closed && !span.is_gone) else { continue };
            if self.watermark < i64::MAX && !self.is_past(span.last.saturating_add(self.keep_ms)) {
                self.closed.insert((span.last, session));
            } else {
                self.release(session);
            }
        }
    }
}
