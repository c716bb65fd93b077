//! Groups within windows. Each window (for final results of overlapping ones: each pane) has groups of its own, which go
//! with it; nothing is evicted row by row.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, TimestampMillisecondArray, UInt32Array};
use arrow::datatypes::SchemaRef;

use super::arrivals::{Arrivals, Assignment};
use super::assign::{Bounds, Windows};
use super::times::prepared;
use crate::connectors::contract::{BATCH_ROWS_MAX, BadRecord, RawRecord};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::aggregate::STAGE;
use crate::sql::exec::aggregate::changes::{Touched, follow, rounds};
use crate::sql::exec::aggregate::grouped::Grouped;
use crate::sql::exec::aggregate::prepared::{Prepared, Recipe};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::every::Every;
use crate::sql::exec::group_aggregate::final_rows;
use crate::sql::exec::operator::{Operator, Output, StateTable};
use crate::sql::exec::refusals::refuse;
use crate::sql::parse::statement::WindowKind;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::{AggregateNode, Changes, EmitMode, WindowNode};

/// How long a closed window is kept for `late.data.strategy = update_previous` where `state.ttl` does not say.
pub(super) const KEPT_AFTER_CLOSE: Duration = Duration::from_secs(3_600);

/// One window, or one pane.
pub(super) struct Bin {
    pub groups: Grouped,
    pub touched: Touched,
    /// Its result has been given for good; late rows replace it.
    pub is_closed: bool,
}

/// See the module.
pub struct WindowAggregate {
    pub(super) recipe: Recipe,
    pub(super) arrivals: Arrivals,
    emit: EmitMode,
    keep_ms: i64,
    schema: SchemaRef,
    /// Windows by end and start; panes by end and start where there are panes.
    pub(super) bins: BTreeMap<Bounds, Bin>,
    /// Windows that panes are waiting for.
    open: BTreeSet<Bounds>,
    /// Whether the output has window_start and window_end between keys and results.
    has_bounds: bool,
    every: Every,
}

/// What the operator is told beside its window.
pub struct Told {
    /// What happens to late rows.
    pub late: LateStrategy,
    /// How long state is kept where it has no window, which is how long a closed window is kept for late rows.
    pub ttl: Option<Duration>,
}

/// The operator of a grouping within windows.
///
/// # Errors
/// A session, or an aggregate that cannot do this.
pub fn build(
    window: &WindowNode,
    aggregate: &AggregateNode,
    input: SchemaRef,
    changes: Changes,
    output: SchemaRef,
    told: &Told,
) -> Result<Box<dyn Operator>, Fault> {
    if let WindowKind::Session { gap } = &window.kind {
        let gap = i64::try_from(gap.as_millis()).unwrap_or(i64::MAX / 4);
        return super::session::build(gap, window, aggregate, input, changes, output, told);
    }
    let Some(windows) = Windows::of(&window.kind) else {
        return Err(Fault::new(Blame::Program, "these windows have no bounds"));
    };
    let assignment = Assignment::Windows(windows, window.time.clone());
    let mut made = made(assignment, aggregate, input, changes, output, told)?;
    made.arrivals.has_panes =
        aggregate.emit == EmitMode::Final && !windows.are_apart() && told.late != LateStrategy::UpdatePrevious;
    made.arrivals.lateness_ms = i64::try_from(window.lateness.as_millis()).unwrap_or(i64::MAX / 4);
    made.has_bounds = true;
    Ok(Box::new(made))
}

/// The operator of a grouping of rows that carry their window's end in column `window_end`.
///
/// # Errors
/// An aggregate that cannot do this.
pub fn carried(
    window_end: usize,
    aggregate: &AggregateNode,
    input: SchemaRef,
    changes: Changes,
    output: SchemaRef,
    told: &Told,
) -> Result<Box<dyn Operator>, Fault> {
    Ok(Box::new(made(Assignment::Carried(window_end), aggregate, input, changes, output, told)?))
}

fn made(
    assignment: Assignment,
    aggregate: &AggregateNode,
    input: SchemaRef,
    changes: Changes,
    schema: SchemaRef,
    told: &Told,
) -> Result<WindowAggregate, Fault> {
    Ok(WindowAggregate {
        recipe: Recipe::new(aggregate.clone(), input, changes)?,
        arrivals: Arrivals { assignment, late: told.late, lateness_ms: 0, has_panes: false, watermark: i64::MIN },
        emit: aggregate.emit,
        keep_ms: told.ttl.unwrap_or(KEPT_AFTER_CLOSE).as_millis() as i64,
        schema,
        bins: BTreeMap::new(),
        open: BTreeSet::new(),
        has_bounds: false,
        every: Every::of(aggregate.emit),
    })
}

impl WindowAggregate {
    fn apply(&mut self, window: Bounds, rows: &Prepared, chunk: &Chunk, out: &mut Output) -> Result<(), Fault> {
        let emit = self.emit;
        let bin = self.bin(window)?;
        let groups = bin.groups.intern(rows)?;
        if emit != EmitMode::Final || bin.is_closed {
            bin.touched.note(&mut bin.groups, &groups)?;
        }
        let mut refused = Vec::new();
        bin.groups.apply(rows, &groups, &mut refused)?;
        bin.groups.recycle(groups);
        refuse(chunk, refused, STAGE, out);
        Ok(())
    }

    /// Changes of a window since they were given last.
    fn give(&mut self, window: Bounds, out: &mut Output) -> Result<(), Fault> {
        let (has_bounds, schema) = (self.has_bounds, Arc::clone(&self.schema));
        let Some(bin) = self.bins.get_mut(&window) else { return Ok(()) };
        let extra = |rows: usize| columns(has_bounds, window, rows);
        let given = bin.touched.give(&mut bin.groups, &schema, extra, |_, _| window.end - 1, false)?;
        if let Some(chunk) = given {
            out.give(chunk);
        }
        Ok(())
    }

    fn give_all(&mut self, out: &mut Output) -> Result<(), Fault> {
        let changed: Vec<Bounds> =
            self.bins.iter().filter(|(_, bin)| !bin.touched.is_empty()).map(|(window, _)| *window).collect();
        changed.into_iter().try_for_each(|window| self.give(window, out))
    }

    /// One output for each row.
    fn by_record(&mut self, window: Bounds, rows: &Prepared, chunk: &Chunk, out: &mut Output) -> Result<(), Fault> {
        if !rows.only_come() {
            return self.in_rounds(window, rows, chunk, out);
        }
        let (has_bounds, schema) = (self.has_bounds, Arc::clone(&self.schema));
        let bin = self.bin(window)?;
        let mut refused = Vec::new();
        let groups = bin.groups.intern(rows)?;
        let extra = |rows: usize| columns(has_bounds, window, rows);
        let given = follow(&mut bin.groups, rows, &groups, &schema, extra, |_, _| window.end - 1, &mut refused)?;
        bin.groups.recycle(groups);
        refuse(chunk, refused, STAGE, out);
        if let Some(given) = given {
            out.give(given);
        }
        Ok(())
    }

    /// Rows that go as well as come: in rounds in which no group comes twice.
    fn in_rounds(&mut self, window: Bounds, rows: &Prepared, chunk: &Chunk, out: &mut Output) -> Result<(), Fault> {
        for round in rounds(&self.recipe.groups()?.intern(rows)?) {
            self.apply(window, &rows.take(&UInt32Array::from(round))?, chunk, out)?;
            self.give(window, out)?;
        }
        Ok(())
    }

    pub(super) fn bin(&mut self, window: Bounds) -> Result<&mut Bin, Fault> {
        Ok(match self.bins.entry(window) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                if self.arrivals.has_panes {
                    self.open.extend(self.arrivals.open_around(&window));
                }
                place.insert(Bin { groups: self.recipe.groups()?, touched: Touched::default(), is_closed: false })
            }
        })
    }

    fn results(&self, window: Bounds, groups: &mut Grouped, out: &mut Output) -> Result<(), Fault> {
        let there: Vec<u32> = groups.all().into_iter().filter(|group| groups.count(*group) > 0).collect();
        for part in there.chunks(BATCH_ROWS_MAX) {
            let extra = |rows: usize| columns(self.has_bounds, window, rows);
            out.give(final_rows(groups, part, &self.schema, extra, |_, _| window.end - 1)?);
        }
        Ok(())
    }

    /// Closes windows whose end, with the lateness, the watermark has passed.
    fn close(&mut self, out: &mut Output) -> Result<(), Fault> {
        if self.arrivals.has_panes {
            while let Some(window) = self.open.first().copied().filter(|window| self.arrivals.is_closed(window)) {
                self.open.pop_first();
                let mut whole = self.recipe.groups()?;
                // Panes of the window end after its start and no later than its end.
                let from = Bounds { end: window.start + 1, start: i64::MIN };
                let to = Bounds { end: window.end, start: i64::MAX };
                for (pane, bin) in self.bins.range_mut(from..=to) {
                    if window.start <= pane.start {
                        whole.merge(&mut bin.groups)?;
                    }
                }
                // What fits each pane may not fit the window.
                for (group, message) in whole.spilled() {
                    whole.remove(group);
                    let record = RawRecord { timestamp_ms: Some(window.end - 1), ..RawRecord::default() };
                    out.bad.push(BadRecord { record, stage: STAGE, class: "overflow", message });
                }
                self.results(window, &mut whole, out)?;
            }
            let oldest = self.open.iter().map(|window| window.start).min();
            self.bins.retain(|pane, _| oldest.is_some_and(|oldest| oldest < pane.end));
            return Ok(());
        }
        let arrivals = &self.arrivals;
        let closing: Vec<Bounds> = self.bins.keys().copied().take_while(|window| arrivals.is_closed(window)).collect();
        let (replaces, closed_until) =
            (arrivals.late == LateStrategy::UpdatePrevious, arrivals.watermark.saturating_sub(arrivals.lateness_ms));
        for window in closing {
            let keeps = replaces && closed_until.saturating_sub(window.end) < self.keep_ms;
            let is_closed = self.bins.get(&window).is_some_and(|bin| bin.is_closed);
            if !is_closed && self.emit == EmitMode::Final {
                if let Some(mut bin) = self.bins.remove(&window) {
                    self.results(window, &mut bin.groups, out)?;
                    bin.is_closed = true;
                    self.bins.insert(window, bin);
                }
            } else {
                self.give(window, out)?;
                if let Some(bin) = self.bins.get_mut(&window) {
                    bin.is_closed = true;
                }
            }
            if !keeps {
                self.bins.remove(&window);
            }
        }
        Ok(())
    }
}

/// The columns of a window's bounds.
fn columns(has_bounds: bool, window: Bounds, rows: usize) -> Vec<ArrayRef> {
    if !has_bounds {
        return Vec::new();
    }
    let column = |time: i64| Arc::new(TimestampMillisecondArray::from_value(time, rows)) as ArrayRef;
    vec![column(window.start), column(window.end)]
}

impl Operator for WindowAggregate {
    fn push(&mut self, _: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, rows, times) = prepared(&self.recipe, chunk, self.arrivals.time(), out)?;
        let parts = self.arrivals.parts(&chunk, &times, out)?;
        let by_record = self.emit == EmitMode::Changes { by_record: true };
        for (window, places) in parts {
            let part;
            let (rows, chunk) = if places.len() == rows.rows() {
                (&rows, &chunk)
            } else {
                part = rows.take(&UInt32Array::from(places))?;
                (&part, &chunk)
            };
            if by_record {
                self.by_record(window, rows, chunk, out)?;
            } else {
                self.apply(window, rows, chunk, out)?;
            }
        }
        match self.emit {
            EmitMode::Every(_) => Ok(()),
            // Windows that were closed are replaced at once; for Final these are the only ones that are noted.
            EmitMode::Changes { .. } | EmitMode::Final => self.give_all(out),
        }
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        self.arrivals.watermark = self.arrivals.watermark.max(watermark);
        self.close(out)?;
        // Results carry the last millisecond of their window: those of windows still open must not be late.
        let held = self.arrivals.watermark.saturating_sub(self.arrivals.lateness_ms);
        Ok(if watermark == i64::MAX { i64::MAX } else { held.min(watermark) })
    }

    fn tick(&mut self, now_ms: i64, out: &mut Output) -> Result<(), Fault> {
        if self.every.is_due(now_ms) {
            self.give_all(out)?;
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
        self.bins.values().map(|bin| bin.groups.size()).sum()
    }

    fn state_rows(&self) -> usize {
        self.bins.values().map(|bin| bin.groups.len()).sum()
    }
}
