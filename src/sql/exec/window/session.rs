//! Groups within sessions: rows of a key that follow each other within a gap. Rows come in any order within lateness,
//! so one may make one session of several; a session is final when the watermark has left it behind by the gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, UInt32Array};
use arrow::datatypes::{DataType, SchemaRef};

use super::aggregate::{KEPT_AFTER_CLOSE, Told};
use super::session_results::Noted;
use super::spans::Spans;
use super::times::prepared;
use crate::connectors::contract::{BATCH_ROWS_MAX, BadRow};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::aggregate::grouped::Grouped;
use crate::sql::exec::aggregate::keys::Keys;
use crate::sql::exec::aggregate::prepared::{Prepared, Recipe};
use crate::sql::exec::aggregate::{STAGE, failed};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::{Operator, Output, StateTable};
use crate::sql::exec::refusals::refuse;
use crate::sql::plan::stream::{AggregateNode, Changes, EmitMode, Expression, LateStrategy, WindowNode};

/// See the module.
pub struct Sessions {
    pub(super) recipe: Recipe,
    time: Option<Expression>,
    pub(super) emit: EmitMode,
    late: LateStrategy,
    pub(super) gap_ms: i64,
    lateness_ms: i64,
    keep_ms: i64,
    pub(super) schema: SchemaRef,
    pub(super) keys: Keys,
    pub(super) spans: Spans,
    /// Aggregates, by the number of the session.
    pub(super) groups: Grouped,
    /// Sessions by a time that their last row has reached at least.
    agenda: BTreeSet<(i64, usize)>,
    /// Closed ones that late rows may still replace, likewise.
    closed: BTreeSet<(i64, usize)>,
    pub(super) touched: Vec<usize>,
    pub(super) noted: Vec<Noted>,
    /// The results that are noted, in parts as they were.
    pub(super) before: Vec<Vec<ArrayRef>>,
    /// Sessions that are a part of others and may be released once that was given.
    pub(super) gone: Vec<usize>,
    pub(super) watermark: i64,
    due_ms: i64,
}

/// The operator of a grouping within sessions of a silence of at most `gap_ms`.
///
/// # Errors
/// Rows that are taken back, or an aggregate that cannot do this.
pub fn build(
    gap_ms: i64,
    window: &WindowNode,
    aggregate: &AggregateNode,
    input: SchemaRef,
    changes: Changes,
    output: SchemaRef,
    told: &Told,
) -> Result<Box<dyn Operator>, Fault> {
    if changes == Changes::Changelog {
        let what = "a session cannot be taken apart again, and rows of its input are taken back";
        return Err(Fault::new(Blame::Operator, what).next("let the query below say EMIT FINAL"));
    }
    let types = aggregate.keys.iter().map(|key| key.data_type(&input)).collect::<Result<Vec<_>, _>>();
    let recipe = Recipe::new(aggregate.clone(), input, changes)?;
    Ok(Box::new(Sessions {
        keys: Keys::new(&types.map_err(|error| failed(&error))?)?,
        groups: recipe.groups_by(&[DataType::Int64])?,
        recipe,
        time: window.time.clone(),
        emit: aggregate.emit,
        late: told.late,
        gap_ms,
        lateness_ms: i64::try_from(window.lateness.as_millis()).unwrap_or(i64::MAX / 4),
        keep_ms: told.ttl.unwrap_or(KEPT_AFTER_CLOSE).as_millis() as i64,
        schema: output,
        spans: Spans::new(gap_ms),
        agenda: BTreeSet::new(),
        closed: BTreeSet::new(),
        touched: Vec::new(),
        noted: Vec::new(),
        before: Vec::new(),
        gone: Vec::new(),
        watermark: i64::MIN,
        due_ms: 0,
    }))
}

impl Sessions {
    /// Whether a session with this last row is final. A silence of the whole gap still joins.
    fn is_past(&self, last: i64) -> bool {
        self.watermark == i64::MAX || last.saturating_add(self.gap_ms + self.lateness_ms) < self.watermark
    }

    /// The session of each row of `places`, none for a row that is late.
    fn assign(
        &mut self,
        places: &[u32],
        keys: &[u32],
        times: &[i64],
        united: &mut Vec<(usize, usize)>,
        chunk: &Chunk,
        out: &mut Output,
    ) -> Vec<Option<usize>> {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|at| (keys[places[*at] as usize], times[places[*at] as usize]));
        let mut sessions = vec![None; places.len()];
        let mut late = Vec::new();
        for at in order {
            let row = places[at] as usize;
            let key = keys[row];
            let mut time = times[row];
            if self.is_past(time) && !self.spans.joins(key, time) {
                out.late_rows += 1;
                match self.late {
                    LateStrategy::UpdatePrevious => {}
                    // The oldest time whose session is not final.
                    LateStrategy::IncludeInNextWindow => {
                        time = self.watermark.saturating_sub(self.gap_ms + self.lateness_ms);
                    }
                    LateStrategy::Drop => continue,
                    LateStrategy::DeadLetter => {
                        let message = format!("its session closed at the watermark {}", self.watermark);
                        late.push(BadRow { row, class: "late", message });
                        continue;
                    }
                }
            }
            sessions[at] = Some(self.spans.join(key, time, united));
        }
        for row in places {
            let key = keys[*row as usize];
            if self.recipe.keys() > 0 && self.spans.has_none(key) {
                self.keys.remove(key);
            }
        }
        refuse(chunk, late, STAGE, out);
        sessions
    }

    /// Takes the rows of `places` into their sessions.
    fn add(
        &mut self,
        rows: &Prepared,
        places: &[u32],
        keys: &[u32],
        times: &[i64],
        chunk: &Chunk,
        out: &mut Output,
    ) -> Result<(), Fault> {
        let mut united = Vec::new();
        let mut sessions = self.assign(places, keys, times, &mut united, chunk, out);
        let mut changed: Vec<usize> = sessions.iter().flatten().copied().collect();
        changed.extend(united.iter().flat_map(|(part, whole)| [*part, *whole]));
        changed.sort_unstable();
        changed.dedup();
        self.note(&changed)?;
        if !united.is_empty() {
            let became: BTreeMap<usize, usize> = united.iter().copied().collect();
            let whole = |mut session: usize| {
                while let Some(next) = became.get(&session) {
                    session = *next;
                }
                session
            };
            let group = |session: usize| self.spans.get(session).and_then(|span| span.group);
            let pairs = united.iter().filter_map(|(part, _)| Some((group(*part)?, group(whole(*part))?)));
            let (parts, wholes): (Vec<u32>, Vec<u32>) = pairs.unzip();
            self.groups.unite(&parts, &wholes)?;
            for session in sessions.iter_mut().flatten() {
                *session = whole(*session);
            }
            self.gone.extend(united.iter().map(|(part, _)| *part));
        }
        self.apply(rows, places, &sessions, chunk, out)?;
        for session in changed {
            self.touch(session);
        }
        Ok(())
    }

    fn apply(
        &mut self,
        rows: &Prepared,
        places: &[u32],
        sessions: &[Option<usize>],
        chunk: &Chunk,
        out: &mut Output,
    ) -> Result<(), Fault> {
        let (places, sessions): (Vec<u32>, Vec<usize>) =
            places.iter().zip(sessions).filter_map(|(place, session)| Some((*place, (*session)?))).unzip();
        if places.is_empty() {
            return Ok(());
        }
        let numbers = Int64Array::from_iter_values(sessions.iter().map(|session| *session as i64));
        let rows = rows.take(&UInt32Array::from(places))?.keyed_by(vec![Arc::new(numbers)]);
        let groups = self.groups.intern(&rows)?;
        for (session, group) in sessions.iter().zip(&groups) {
            if let Some(span) = self.spans.get_mut(*session) {
                span.group = Some(*group);
            }
        }
        let mut refused = Vec::new();
        self.groups.apply(&rows, &groups, &mut refused)?;
        self.groups.recycle(groups);
        refuse(chunk, refused, STAGE, out);
        Ok(())
    }

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
    fn close(&mut self, out: &mut Output) -> Result<(), Fault> {
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
            match self.spans.get_mut(session).filter(|_| keeps) {
                Some(span) => {
                    span.is_closed = true;
                    span.given =
                        span.group.filter(|group| self.groups.count(*group) > 0).map(|_| (span.first, span.last));
                    self.closed.insert((span.last, session));
                }
                None => self.release(session),
            }
        }
        Ok(())
    }

    /// Forgets closed sessions that have been kept for late rows long enough.
    fn forget(&mut self) {
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

impl Operator for Sessions {
    fn push(&mut self, _: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, rows, times) = prepared(&self.recipe, chunk, self.time.as_ref(), out)?;
        let mut keys = Vec::new();
        self.keys.intern(rows.keys(), rows.rows(), &mut keys)?;
        if self.emit != (EmitMode::Changes { by_record: true }) {
            let all: Vec<u32> = (0..rows.rows() as u32).collect();
            self.add(&rows, &all, &keys, &times, &chunk, out)?;
            return if matches!(self.emit, EmitMode::Every(_)) { Ok(()) } else { self.give(out) };
        }
        // One output for each row: rounds in which no key comes twice.
        let mut rounds: Vec<Vec<u32>> = Vec::new();
        let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
        for (row, key) in keys.iter().enumerate() {
            let round = seen.entry(*key).or_default();
            if rounds.len() <= *round {
                rounds.push(Vec::new());
            }
            rounds[*round].push(row as u32);
            *round += 1;
        }
        for round in rounds {
            // A key without a session is forgotten between rounds.
            let part = rows.take(&UInt32Array::from(round.clone()))?;
            let mut numbers = Vec::new();
            self.keys.intern(part.keys(), part.rows(), &mut numbers)?;
            for (row, number) in round.iter().zip(numbers) {
                keys[*row as usize] = number;
            }
            self.add(&rows, &round, &keys, &times, &chunk, out)?;
            self.give(out)?;
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.watermark = self.watermark.max(watermark);
        self.close(out)?;
        self.forget();
        // The last millisecond of a session that is still open, or may still come.
        let held = self.watermark.saturating_sub(self.lateness_ms).saturating_sub(1);
        Ok(if self.watermark == i64::MAX { i64::MAX } else { held })
    }

    fn tick(&mut self, now_ms: i64, out: &mut Output) -> Result<(), Fault> {
        if let EmitMode::Every(period) = self.emit
            && self.due_ms <= now_ms
        {
            self.due_ms = now_ms + period.as_millis() as i64;
            self.give(out)?;
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        self.tables()
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        self.take(&tables)
    }

    fn state_bytes(&self) -> usize {
        self.groups.size() + self.keys.size() + self.spans.size()
    }

    fn state_rows(&self) -> usize {
        self.spans.len()
    }
}

impl Sessions {
    /// Puts a session of a checkpoint back where it stood.
    pub(super) fn put_back(&mut self, session: usize) {
        let emits = self.emit != EmitMode::Final;
        let Some(span) = self.spans.get_mut(session) else { return };
        if span.is_closed {
            self.closed.insert((span.last, session));
            return;
        }
        span.is_scheduled = true;
        self.agenda.insert((span.last, session));
        let is_due = emits && (span.given.is_none() || span.noted.is_some());
        if is_due && !std::mem::replace(&mut span.is_touched, true) {
            self.touched.push(session);
        }
    }
}
