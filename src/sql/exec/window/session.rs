//! Groups within sessions: rows of a key that follow each other within a gap. Rows come in any order within lateness,
//! so one may make one session of several; a session is final when the watermark has left it behind by the gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, UInt32Array};
use arrow::datatypes::{DataType, SchemaRef};

use super::aggregate::{KEPT_AFTER_CLOSE, Told};
use super::session_results::Noted;
use super::spans::{Span, Spans};
use super::times::prepared;
use crate::connectors::contract::{BadRecord, BadRow, RawRecord};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::aggregate::grouped::Grouped;
use crate::sql::exec::aggregate::keys::Keys;
use crate::sql::exec::aggregate::prepared::{Prepared, Recipe};
use crate::sql::exec::aggregate::{STAGE, failed};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::every::Every;
use crate::sql::exec::operator::{Operator, Output, StateTable};
use crate::sql::exec::refusals::refuse;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{AggregateNode, Changes, EmitMode, Expression, WindowNode};

/// See the module.
pub struct Sessions {
    pub(super) recipe: Recipe,
    time: Option<Expression>,
    pub(super) emit: EmitMode,
    pub(super) late: LateStrategy,
    pub(super) gap_ms: i64,
    lateness_ms: i64,
    pub(super) keep_ms: i64,
    pub(super) schema: SchemaRef,
    pub(super) keys: Keys,
    pub(super) spans: Spans,
    /// Aggregates, by the number of the session.
    pub(super) groups: Grouped,
    /// Sessions by a time that their last row has reached at least.
    pub(super) agenda: BTreeSet<(i64, usize)>,
    /// Closed ones that late rows may still replace, likewise.
    pub(super) closed: BTreeSet<(i64, usize)>,
    pub(super) touched: Vec<usize>,
    pub(super) noted: Vec<Noted>,
    /// The results that are noted, in parts as they were.
    pub(super) before: Vec<Vec<ArrayRef>>,
    /// Sessions that are a part of others and may be released once that was given.
    pub(super) gone: Vec<usize>,
    pub(super) watermark: i64,
    every: Every,
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
        every: Every::of(aggregate.emit),
    }))
}

impl Sessions {
    /// Whether a session with this last row is final. A silence of the whole gap still joins.
    pub(super) fn is_past(&self, last: i64) -> bool {
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
            let spilled = self.groups.unite(&parts, &wholes)?;
            for (part, _) in &united {
                self.spill(*part, whole(*part), &spilled, out);
            }
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

    /// What fits each part may not fit the whole: then it has no result, which is told once.
    fn spill(&mut self, part: usize, whole: usize, spilled: &BTreeMap<u32, String>, out: &mut Output) {
        let is_known = self.spans.get(part).is_some_and(|span| span.is_spilled);
        let Some(span) = self.spans.get_mut(whole) else { return };
        let message = span.group.and_then(|group| spilled.get(&group)).cloned();
        if let Some(message) = message.filter(|_| !span.is_spilled && !is_known) {
            let record = RawRecord { timestamp_ms: Some(span.last), ..RawRecord::default() };
            out.bad.push(BadRecord { record, stage: STAGE, class: "overflow", message });
            span.is_spilled = true;
        }
        span.is_spilled |= is_known;
    }

    /// The aggregates of a session that has a result.
    pub(super) fn with_result(&self, span: &Span) -> Option<u32> {
        span.group.filter(|group| self.groups.count(*group) > 0 && !span.is_spilled)
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
        if self.every.is_due(now_ms) { self.give(out) } else { Ok(()) }
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
