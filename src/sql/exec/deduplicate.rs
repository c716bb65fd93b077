//! The first or the last row of each key by event time. The first is given when the watermark says that no earlier one
//! will come; the last is a changelog.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int8Array, Int64Array, UInt32Array};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

use super::aggregate::keys::Keys;
use super::chunk::Chunk;
use super::columns::{column, computed, decoded, defect, table, taken};
use super::evaluate::arrow_fault;
use super::map::batch_of;
use super::operator::{Operator, Output, StateTable};
use crate::connectors::contract::Op;
use crate::core::fault::Fault;
use crate::sql::plan::stream::Expression;

/// Bytes that a key costs beside its own and its row: an entry and its place in the agenda.
const ENTRY_BYTES: usize = 96;
/// How often the time to live is looked after: so many times within it.
const LOOKS_PER_LIFE: i64 = 16;

/// The operator of the first (or last) rows of `keys` over rows of `input`.
///
/// # Errors
/// A type that cannot be kept.
pub fn build(
    keys: &[Expression],
    keep_last: bool,
    input: &SchemaRef,
    state_ttl: Option<Duration>,
) -> Result<Box<dyn Operator>, Fault> {
    let types = keys.iter().map(|key| key.data_type(input)).collect::<Result<Vec<_>, _>>().map_err(defect)?;
    let fields = input.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    Ok(Box::new(Deduplicate {
        expressions: keys.to_vec(),
        keep_last,
        schema: Arc::clone(input),
        keys: Keys::new(&types)?,
        converter: RowConverter::new(fields).map_err(defect)?,
        newest: Vec::new(),
        waiting: BTreeSet::new(),
        state_ttl: state_ttl.map(|ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)),
        now_ms: 0,
        next_look_ms: 0,
        bytes: 0,
    }))
}

struct Deduplicate {
    expressions: Vec<Expression>,
    keep_last: bool,
    schema: SchemaRef,
    keys: Keys,
    converter: RowConverter,
    newest: Vec<Kept>,
    /// First rows that are not final yet, by their time.
    waiting: BTreeSet<(i64, usize)>,
    state_ttl: Option<i64>,
    now_ms: i64,
    next_look_ms: i64,
    bytes: usize,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    time: i64,
    /// The row; none where it was given for good.
    row: Option<Box<[u8]>>,
    is_known: bool,
    changed_ms: i64,
}

impl Deduplicate {
    fn set(&mut self, key: usize, time: i64, row: Option<Box<[u8]>>) -> Option<(i64, Box<[u8]>)> {
        let kept = &mut self.newest[key];
        self.bytes += row.as_ref().map_or(0, |row| row.len());
        let old = std::mem::replace(kept, Kept { time, row, is_known: true, changed_ms: self.now_ms });
        let old = old.row.map(|row| (old.time, row));
        self.bytes -= old.as_ref().map_or(0, |(_, row)| row.len());
        old
    }

    fn give(&self, rows: &[(Op, i64, Box<[u8]>)], out: &mut Output) -> Result<(), Fault> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns = decoded(&self.converter, rows.iter().map(|(_, _, row)| row.as_ref()), &self.schema)?;
        let batch = batch_of(&self.schema, columns, rows.len())?;
        let ops = rows.iter().any(|(op, _, _)| *op != Op::Insert);
        let ops = ops.then(|| Int8Array::from_iter_values(rows.iter().map(|(op, _, _)| *op as i8)));
        out.give(Chunk { ops, ..Chunk::inserts(batch, rows.iter().map(|(_, time, _)| *time).collect()) });
        Ok(())
    }
}

impl Operator for Deduplicate {
    fn push(&mut self, _port: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, keys, _) = computed(chunk, &self.expressions, &[], "deduplicate", out)?;
        let mut numbers = Vec::new();
        self.keys.intern(&keys, chunk.rows(), &mut numbers)?;
        self.newest.resize(self.keys.capacity(), Kept::default());
        // The row of each key that counts among those of this chunk.
        let mut best: Vec<(usize, usize)> = Vec::new();
        let mut at = std::collections::HashMap::new();
        for (row, key) in numbers.into_iter().enumerate() {
            let key = key as usize;
            let time = chunk.times[row];
            let kept = &self.newest[key];
            let beats = |other: i64| if self.keep_last { time >= other } else { time < other };
            let is_final = kept.is_known && kept.row.is_none();
            if is_final || (kept.is_known && !beats(kept.time)) {
                continue;
            }
            match at.get(&key).copied() {
                None => {
                    at.insert(key, best.len());
                    best.push((key, row));
                }
                Some(index) => {
                    let (_, other): (usize, usize) = best[index];
                    if beats(chunk.times[other]) {
                        best[index].1 = row;
                    }
                }
            }
        }
        let rows = UInt32Array::from_iter_values(best.iter().map(|(_, row)| *row as u32));
        let encoded = taken(chunk.batch.columns(), &rows)?;
        let encoded = self.converter.convert_columns(&encoded).map_err(arrow_fault)?;
        let mut given: Vec<(Op, i64, Box<[u8]>)> = Vec::new();
        for (index, (key, row)) in best.into_iter().enumerate() {
            let (time, row): (i64, Box<[u8]>) = (chunk.times[row], encoded.row(index).data().into());
            let before = self.newest[key].time;
            let new = self.keep_last.then(|| row.clone());
            let old = self.set(key, time, Some(row));
            match (new, old) {
                (Some(row), Some((before, old))) => {
                    given.push((Op::UpdateBefore, before, old));
                    given.push((Op::UpdateAfter, time, row));
                }
                (Some(row), None) => given.push((Op::Insert, time, row)),
                (None, old) => {
                    if old.is_some() {
                        self.waiting.remove(&(before, key));
                    }
                    self.waiting.insert((time, key));
                }
            }
        }
        self.give(&given, out)
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        let mut given = Vec::new();
        while let Some((time, key)) = self.waiting.first().copied() {
            if time >= watermark && watermark != i64::MAX {
                break;
            }
            self.waiting.remove(&(time, key));
            if let Some((time, row)) = self.set(key, time, None) {
                given.push((Op::Insert, time, row));
            }
        }
        self.give(&given, out)?;
        Ok(watermark)
    }

    fn tick(&mut self, now_ms: i64, _out: &mut Output) -> Result<(), Fault> {
        self.now_ms = now_ms;
        let Some(ttl) = self.state_ttl.filter(|_| now_ms >= self.next_look_ms) else { return Ok(()) };
        self.next_look_ms = now_ms.saturating_add(ttl / LOOKS_PER_LIFE);
        for key in self.keys.all() {
            let kept = &mut self.newest[key as usize];
            if kept.changed_ms == 0 {
                // From before the first tick, or from a checkpoint: its life begins now.
                kept.changed_ms = now_ms;
            }
            let is_waiting = !self.keep_last && kept.row.is_some();
            if !is_waiting && now_ms.saturating_sub(kept.changed_ms) > ttl {
                self.bytes -= kept.row.as_ref().map_or(0, |row| row.len());
                *kept = Kept::default();
                self.keys.remove(key);
            }
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        // Keys whose row is still here, and keys whose row was given for good.
        let mut tables = Vec::new();
        for (name, has_row) in [("rows", true), ("given", false)] {
            let known = self.keys.all().into_iter();
            let known: Vec<u32> = known
                .filter(|key| {
                    let kept = &self.newest[*key as usize];
                    kept.is_known && kept.row.is_some() == has_row
                })
                .collect();
            if known.is_empty() {
                continue;
            }
            let of = |key: &u32| &self.newest[*key as usize];
            let mut columns = self.keys.columns(&known)?;
            let keys = columns.len();
            columns.push(Arc::new(Int64Array::from_iter_values(known.iter().map(|key| of(key).time))));
            if has_row {
                let rows = known.iter().filter_map(|key| of(key).row.as_deref());
                columns.extend(decoded(&self.converter, rows, &self.schema)?);
            }
            tables.push(table(name, columns, keys)?);
        }
        Ok(tables)
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        let width = self.expressions.len();
        for table in tables {
            let columns = table.batch.columns();
            let mut numbers = Vec::new();
            self.keys.intern(&columns[..width], table.batch.num_rows(), &mut numbers)?;
            self.newest.resize(self.keys.capacity(), Kept::default());
            let times = column::<Int64Array>(columns, width)?;
            let rows = match table.name.as_str() {
                "rows" => Some(self.converter.convert_columns(&columns[width + 1..]).map_err(arrow_fault)?),
                _ => None,
            };
            for (at, key) in numbers.into_iter().enumerate() {
                let (key, time) = (key as usize, times.value(at));
                if rows.is_some() && !self.keep_last {
                    self.waiting.insert((time, key));
                }
                self.set(key, time, rows.as_ref().map(|rows| rows.row(at).data().into()));
            }
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.bytes + self.keys.size() + self.newest.capacity() * ENTRY_BYTES
    }

    fn state_rows(&self) -> usize {
        self.keys.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use datafusion_physical_expr::expressions::col;
    use proptest::prelude::*;

    use super::*;
    use crate::sql::exec::rows_and_restarts::{Table, fold, input, run};

    fn make(keep_last: bool) -> Box<dyn Operator> {
        let schema = input();
        build(&[col("k", &schema).unwrap()], keep_last, &schema, None).unwrap()
    }

    proptest! {
        #[test]
        fn the_first_and_the_last_row_of_a_key_go_by_time_whatever_the_order_of_arrival(
            rows in prop::collection::vec((0_i64..4, 0_i64..1_000), 1..50).prop_shuffle(), cut in 1_usize..8,
            restart in 0_usize..9, keep_last in any::<bool>(),
        ) {
            // The value is the time: equal times are equal rows.
            let rows: Vec<_> = rows.into_iter().map(|(key, value)| (Op::Insert, key, value, value)).collect();
            let (mut operator, mut table) = run(&|| make(keep_last), &rows, cut, restart, &|_, _, _| {});
            let mut out = Output::default();
            operator.watermark(i64::MAX, &mut out).unwrap();
            fold(&mut table, &out);
            let mut best: BTreeMap<i64, i64> = BTreeMap::new();
            for (_, key, value, _) in &rows {
                let kept = best.entry(*key).or_insert(*value);
                *kept = if keep_last { (*kept).max(*value) } else { (*kept).min(*value) };
            }
            let expected: Table = best.into_iter().map(|(key, value)| (vec![key, value], 1)).collect();
            prop_assert_eq!(table, expected);
        }
    }
}
