//! Which window, or pane, each row of a chunk goes to, and what becomes of a row whose windows are closed. It knows how far
//! time has come, and nothing of what rows say.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMillisecondType;

use super::assign::{Bounds, Windows};
use crate::connectors::contract::BadRow;
use crate::core::fault::Fault;
use crate::sql::exec::aggregate::{STAGE, failed};
use crate::sql::exec::chunk::Chunk;
use crate::sql::exec::operator::Output;
use crate::sql::exec::refusals::refuse;
use crate::sql::plan::strategies::LateStrategy;
use crate::sql::plan::stream::Expression;

/// Where the window of a row comes from.
pub enum Assignment {
    /// The time of the row: the event time, or an expression.
    Windows(Windows, Option<Expression>),
    /// A column of the row that holds the window's end.
    Carried(usize),
}

/// Rows of each window, by their places in the chunk.
pub type Parts = BTreeMap<Bounds, Vec<u32>>;

/// See the module.
pub struct Arrivals {
    /// Where windows come from.
    pub assignment: Assignment,
    /// What happens to late rows.
    pub late: LateStrategy,
    /// How long after its end a window takes rows.
    pub lateness_ms: i64,
    /// Whether rows go to panes, which windows are made of when they close.
    pub has_panes: bool,
    /// How far time has come, milliseconds since 1970.
    pub watermark: i64,
}

impl Arrivals {
    /// Whether a window takes no rows any more.
    pub fn is_closed(&self, window: &Bounds) -> bool {
        window.end.saturating_add(self.lateness_ms) <= self.watermark
    }

    fn takes(&self, window: &Bounds) -> bool {
        !self.is_closed(window) || self.late == LateStrategy::UpdatePrevious
    }

    /// The time of rows where it is not their event time.
    pub fn time(&self) -> Option<&Expression> {
        match &self.assignment {
            Assignment::Windows(_, time) => time.as_ref(),
            Assignment::Carried(_) => None,
        }
    }

    /// The open windows that a pane is a part of.
    pub fn open_around(&self, pane: &Bounds) -> Vec<Bounds> {
        match &self.assignment {
            Assignment::Windows(windows, _) => {
                windows.of_time(pane.start).filter(|window| !self.is_closed(window)).collect()
            }
            Assignment::Carried(_) => Vec::new(),
        }
    }

    /// The rows of each window (pane). Those that come too late are counted, and treated as the strategy says.
    ///
    /// # Errors
    /// A column that is no window's end.
    pub fn parts(&self, chunk: &Chunk, times: &[i64], out: &mut Output) -> Result<Parts, Fault> {
        let mut late = Vec::new();
        let parts = match &self.assignment {
            Assignment::Windows(windows, _) => self.by_time(*windows, times, &mut late, out),
            Assignment::Carried(column) => self.carried(chunk, *column, &mut late)?,
        };
        if !late.is_empty() {
            out.late_rows += late.len() as u64;
            if self.late == LateStrategy::DeadLetter {
                let message = format!("its window closed at the watermark {}", self.watermark);
                let bad = late.into_iter().map(|row| BadRow { row, class: "late", message: message.clone() });
                refuse(chunk, bad.collect(), STAGE, out);
            }
        }
        Ok(parts)
    }

    fn carried(&self, chunk: &Chunk, column: usize, late: &mut Vec<usize>) -> Result<Parts, Fault> {
        let ends = chunk.batch.column(column).as_primitive_opt::<TimestampMillisecondType>();
        let ends = ends.ok_or_else(|| failed(&"window_end is no TIMESTAMP(3)"))?;
        let mut parts = Parts::new();
        for row in 0..ends.len() {
            let end = if ends.is_null(row) { i64::MAX } else { ends.value(row) };
            let window = Bounds { end, start: end };
            if self.takes(&window) {
                parts.entry(window).or_default().push(row as u32);
            } else {
                late.push(row);
            }
        }
        Ok(parts)
    }

    fn by_time(&self, windows: Windows, times: &[i64], late: &mut Vec<usize>, out: &mut Output) -> Parts {
        let mut parts = Parts::new();
        let pane = windows.pane_ms();
        // Rows come in bursts of one window or pane: the last one is looked at first.
        let mut last: Option<(Bounds, Vec<u32>)> = None;
        for (row, time) in times.iter().enumerate() {
            let mut time = *time;
            if let Some((window, places)) = &mut last
                && window.start <= time
                && time < window.end
            {
                places.push(row as u32);
                continue;
            }
            if !windows.of_time(time).any(|window| self.takes(&window)) && windows.of_time(time).next().is_some() {
                if self.late != LateStrategy::IncludeInNextWindow {
                    late.push(row);
                    continue;
                }
                out.late_rows += 1;
                // The oldest window that is open ends after the watermark less the lateness.
                time = self.watermark.saturating_sub(self.lateness_ms);
            }
            let one = if self.has_panes {
                let start = windows.floor(time, pane);
                Some(Bounds { end: start + pane, start })
            } else if windows.are_apart() {
                windows.of_time(time).next()
            } else {
                for window in windows.of_time(time).filter(|window| self.takes(window)) {
                    parts.entry(window).or_default().push(row as u32);
                }
                None
            };
            if let Some(one) = one
                && let Some((window, places)) = last.replace((one, vec![row as u32]))
            {
                parts.entry(window).or_default().extend(places);
            }
        }
        if let Some((window, places)) = last {
            parts.entry(window).or_default().extend(places);
        }
        parts
    }
}
