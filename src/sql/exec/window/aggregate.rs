//! Groups within windows. Each window (for final results of overlapping ones: each pane) has groups of its own, which go
//! with it; nothing is evicted row by row.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray, UInt32Array};
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};

use super::assign::{Bounds, Windows};
use crate::connectors::contract::{BATCH_ROWS_MAX, BadRow};
use crate::core::fault::{Blame, Fault};
use crate::sql::exec::aggregate::changes::{Touched, follow, rounds};
use crate::sql::exec::aggregate::failed;
use crate::sql::exec::aggregate::grouped::{Grouped, Prepared, Recipe, table};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::group_aggregate::final_rows;
use crate::sql::exec::operator::{Operator, Output, StateTable};
use crate::sql::exec::refusals::refuse;
use crate::sql::parse::statement::WindowKind;
use crate::sql::plan::stream::{AggregateNode, Changes, EmitMode, Expression, LateStrategy, WindowNode};

/// How long a closed window is kept for `late.data.strategy = update_previous` where `state.ttl` does not say.
pub(super) const KEPT_AFTER_CLOSE: Duration = Duration::from_secs(3_600);

/// Name of the state table that holds the watermark.
const WATERMARK: &str = "watermark";

/// Where the window of a row comes from.
enum Assignment {
    /// The time of the row.
    Windows(Windows, Option<Expression>),
    /// A column of the row that holds the window's end.
    Carried(usize),
}

/// One window, or one pane.
struct Bin {
    groups: Grouped,
    touched: Touched,
    /// Its result has been given for good; late rows replace it.
    is_closed: bool,
}

/// See the module.
pub struct WindowAggregate {
    recipe: Recipe,
    assignment: Assignment,
    emit: EmitMode,
    late: LateStrategy,
    lateness_ms: i64,
    keep_ms: i64,
    schema: SchemaRef,
    /// Windows by end and start; panes by end and start where `has_panes`.
    bins: BTreeMap<Bounds, Bin>,
    /// Windows that panes are waiting for.
    open: BTreeSet<Bounds>,
    has_panes: bool,
    /// Whether the output has window_start and window_end between keys and results.
    has_bounds: bool,
    watermark: i64,
    due_ms: i64,
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
    let has_panes =
        aggregate.emit == EmitMode::Final && !windows.are_apart() && told.late != LateStrategy::UpdatePrevious;
    let made = made(assignment, aggregate, input, changes, output, told)?;
    let lateness_ms = i64::try_from(window.lateness.as_millis()).unwrap_or(i64::MAX / 4);
    Ok(Box::new(WindowAggregate { has_panes, lateness_ms, has_bounds: true, ..made }))
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
        assignment,
        emit: aggregate.emit,
        late: told.late,
        lateness_ms: 0,
        keep_ms: told.ttl.unwrap_or(KEPT_AFTER_CLOSE).as_millis() as i64,
        schema,
        bins: BTreeMap::new(),
        open: BTreeSet::new(),
        has_panes: false,
        has_bounds: false,
        watermark: i64::MIN,
        due_ms: 0,
    })
}

impl WindowAggregate {
    /// Whether a window takes no rows any more.
    fn is_closed(&self, window: &Bounds) -> bool {
        window.end.saturating_add(self.lateness_ms) <= self.watermark
    }

    /// The rows of each window (pane), and those that come too late.
    fn assign(
        &mut self,
        chunk: &Chunk,
        rows: &Prepared,
        out: &mut Output,
    ) -> Result<BTreeMap<Bounds, Vec<u32>>, Fault> {
        let mut parts: BTreeMap<Bounds, Vec<u32>> = BTreeMap::new();
        match &self.assignment {
            Assignment::Carried(column) => {
                let ends = chunk.batch.column(*column);
                let ends = ends.as_primitive_opt::<TimestampMillisecondType>();
                let ends = ends.ok_or_else(|| failed(&"window_end is no TIMESTAMP(3)"))?;
                let mut late = Vec::new();
                for row in 0..rows.rows() {
                    let end = if ends.is_null(row) { i64::MAX } else { ends.value(row) };
                    let window = Bounds { end, start: end };
                    if self.is_closed(&window) && self.late != LateStrategy::UpdatePrevious {
                        late.push(row as u32);
                    } else {
                        parts.entry(window).or_default().push(row as u32);
                    }
                }
                self.refuse_late(chunk, &late, out)?;
            }
            Assignment::Windows(windows, time) => {
                let windows = *windows;
                let times = match time {
                    None => chunk.times_array(),
                    Some(time) => {
                        let value = time.evaluate(&chunk.batch).and_then(|value| value.into_array(rows.rows()));
                        let value = value.map_err(|error| failed(&error))?;
                        let times = value.as_primitive_opt::<TimestampMillisecondType>();
                        let times = times.ok_or_else(|| failed(&"the window's time is no TIMESTAMP(3)"))?;
                        Int64Array::new(times.values().clone(), times.nulls().cloned())
                    }
                };
                self.by_time(windows, &times, chunk, &mut parts, out)?;
            }
        }
        Ok(parts)
    }

    fn by_time(
        &mut self,
        windows: Windows,
        times: &Int64Array,
        chunk: &Chunk,
        parts: &mut BTreeMap<Bounds, Vec<u32>>,
        out: &mut Output,
    ) -> Result<(), Fault> {
        let mut late = Vec::new();
        let mut refused = Vec::new();
        let pane = windows.pane_ms();
        // Rows come in bursts of one window or pane: the last one is looked at first.
        let mut last: Option<(Bounds, Vec<u32>)> = None;
        for row in 0..times.len() {
            if times.is_null(row) {
                let message = "the time of its window is NULL".to_owned();
                refused.push(BadRow { row, class: "event_time", message });
                continue;
            }
            let mut time = times.value(row);
            if let Some((window, places)) = &mut last
                && window.start <= time
                && time < window.end
            {
                places.push(row as u32);
                continue;
            }
            let takes = |window: &Bounds| !self.is_closed(window) || self.late == LateStrategy::UpdatePrevious;
            if !windows.of_time(time).any(|window| takes(&window)) && windows.of_time(time).next().is_some() {
                if self.late != LateStrategy::IncludeInNextWindow {
                    late.push(row as u32);
                    continue;
                }
                out.late_rows += 1;
                // The oldest window that is open ends after the watermark less the lateness.
                time = self.watermark.saturating_sub(self.lateness_ms);
            }
            if self.has_panes {
                let start = windows.floor(time, pane);
                let bounds = Bounds { end: start + pane, start };
                if !self.bins.contains_key(&bounds) {
                    let open = windows.of_time(start).filter(takes).collect::<Vec<_>>();
                    self.open.extend(open);
                }
                if let Some((pane, places)) = last.replace((bounds, vec![row as u32])) {
                    parts.entry(pane).or_default().extend(places);
                }
            } else if windows.are_apart() {
                let Some(window) = windows.of_time(time).next() else { continue };
                if let Some((window, places)) = last.replace((window, vec![row as u32])) {
                    parts.entry(window).or_default().extend(places);
                }
            } else {
                for window in windows.of_time(time).filter(takes) {
                    parts.entry(window).or_default().push(row as u32);
                }
            }
        }
        if let Some((window, places)) = last {
            parts.entry(window).or_default().extend(places);
        }
        refuse(chunk, refused, out);
        self.refuse_late(chunk, &late, out)
    }

    fn refuse_late(&self, chunk: &Chunk, late: &[u32], out: &mut Output) -> Result<(), Fault> {
        if late.is_empty() {
            return Ok(());
        }
        out.late_rows += late.len() as u64;
        if self.late == LateStrategy::DeadLetter {
            let bad = late.iter().map(|row| BadRow {
                row: *row as usize,
                class: "late",
                message: format!("its window closed at the watermark {}", self.watermark),
            });
            refuse(chunk, bad.collect(), out);
        }
        Ok(())
    }

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
        refuse(chunk, refused, out);
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
        refuse(chunk, refused, out);
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

    fn bin(&mut self, window: Bounds) -> Result<&mut Bin, Fault> {
        Ok(match self.bins.entry(window) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
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
        if self.has_panes {
            while let Some(window) = self.open.first().copied().filter(|window| self.is_closed(window)) {
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
                self.results(window, &mut whole, out)?;
            }
            let oldest = self.open.iter().map(|window| window.start).min();
            self.bins.retain(|pane, _| oldest.is_some_and(|oldest| oldest < pane.end));
            return Ok(());
        }
        let closing: Vec<Bounds> = self.bins.keys().copied().take_while(|window| self.is_closed(window)).collect();
        for window in closing {
            let keeps = self.late == LateStrategy::UpdatePrevious
                && self.watermark.saturating_sub(window.end.saturating_add(self.lateness_ms)) < self.keep_ms;
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
        let rows = self.recipe.prepare(&chunk)?;
        let parts = self.assign(&chunk, &rows, out)?;
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
        self.watermark = self.watermark.max(watermark);
        self.close(out)?;
        // Results carry the last millisecond of their window: those of windows still open must not be late.
        let held = self.watermark.saturating_sub(self.lateness_ms);
        Ok(if watermark == i64::MAX { i64::MAX } else { held.min(watermark) })
    }

    fn tick(&mut self, now_ms: i64, out: &mut Output) -> Result<(), Fault> {
        if let EmitMode::Every(period) = self.emit
            && self.due_ms <= now_ms
        {
            self.due_ms = now_ms + period.as_millis() as i64;
            self.give_all(out)?;
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let keys = self.recipe.keys();
        let mut tables = Vec::new();
        for (window, bin) in &mut self.bins {
            let whole = |value: i64, rows: usize| Arc::new(Int64Array::from_value(value, rows)) as ArrayRef;
            let is_closed = i64::from(bin.is_closed);
            let batch = bin.groups.snapshot(|_, groups| {
                vec![
                    ("start".to_owned(), whole(window.start, groups.len())),
                    ("end".to_owned(), whole(window.end, groups.len())),
                    ("closed".to_owned(), whole(is_closed, groups.len())),
                ]
            })?;
            if batch.num_rows() > 0 {
                tables.push(batch);
            }
        }
        // What has been given is told apart from what has not by the watermark alone.
        let watermark: ArrayRef = Arc::new(Int64Array::from(vec![self.watermark]));
        let watermark = RecordBatch::try_from_iter([("watermark", watermark)]).map_err(|error| failed(&error))?;
        let mut state = vec![table(WATERMARK, watermark, 0)];
        if let Some(first) = tables.first() {
            let all = arrow::compute::concat_batches(&first.schema(), &tables).map_err(|error| failed(&error))?;
            state.push(table("windows", all, keys));
        }
        Ok(state)
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        let keys = self.recipe.keys();
        let (marks, tables): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| table.name == WATERMARK);
        for mark in marks {
            let column = mark.batch.column(0).as_primitive_opt::<arrow::datatypes::Int64Type>();
            let column = column.ok_or_else(|| failed(&"its checkpoint has other columns"))?;
            self.watermark = column.values().iter().copied().fold(self.watermark, i64::max);
        }
        for table in tables {
            let whole = |index: usize| {
                let column = table.batch.columns().get(keys + index);
                let column = column.and_then(|column| column.as_primitive_opt::<arrow::datatypes::Int64Type>());
                column.cloned().ok_or_else(|| failed(&"its checkpoint has other columns"))
            };
            let (starts, ends, closed) = (whole(0)?, whole(1)?, whole(2)?);
            let mut rows: BTreeMap<Bounds, Vec<u32>> = BTreeMap::new();
            for row in 0..table.batch.num_rows() {
                let window = Bounds { end: ends.value(row), start: starts.value(row) };
                rows.entry(window).or_default().push(row as u32);
            }
            for (window, places) in rows {
                let is_closed = closed.value(places[0] as usize) != 0;
                let part = arrow::compute::take_record_batch(&table.batch, &UInt32Array::from(places));
                let part = part.map_err(|error| failed(&error))?;
                if !self.bins.contains_key(&window) {
                    let bin = Bin { groups: self.recipe.groups()?, touched: Touched::default(), is_closed };
                    self.bins.insert(window, bin);
                }
                if let Some(bin) = self.bins.get_mut(&window) {
                    bin.groups.restore(&part, keys, 3)?;
                }
                if let (true, Assignment::Windows(windows, _)) = (self.has_panes, &self.assignment) {
                    let open: Vec<_> = windows.of_time(window.start).filter(|window| !self.is_closed(window)).collect();
                    self.open.extend(open);
                }
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.bins.values().map(|bin| bin.groups.size()).sum()
    }

    fn state_rows(&self) -> usize {
        self.bins.values().map(|bin| bin.groups.len()).sum()
    }
}
