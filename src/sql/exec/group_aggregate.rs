//! GROUP BY without a window: a changelog keyed by the keys, or over bounded input one final table. A group without rows
//! is gone, and one that nobody touched for the time to live is forgotten in silence.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;

use super::aggregate::changes::{Touched, follow, rounds};
use super::aggregate::grouped::Grouped;
use super::aggregate::grouped_state::table;
use super::aggregate::prepared::{Prepared, Recipe};
use super::aggregate::{STAGE, failed};
use super::chunk::Chunk;
use super::columns;
use super::every::Every;
use super::operator::{Operator, Output, StateTable};
use super::refusals::refuse;
use crate::connectors::contract::{BATCH_ROWS_MAX, BadRow};
use crate::core::fault::Fault;
use crate::sql::plan::stream::{AggregateNode, Changes, EmitMode};

/// Name of the state table of groups that changed since results were given.
pub(super) const WAITING: &str = "waiting";

/// See the module.
pub struct GroupAggregate {
    recipe: Recipe,
    groups: Grouped,
    touched: Touched,
    emit: EmitMode,
    schema: SchemaRef,
    every: Every,
    ttl: Option<Duration>,
    now_ms: i64,
    /// Groups by the clock of their last change, oldest first; a group may stand there more than once.
    ages: VecDeque<(i64, u32)>,
    last_change: Vec<i64>,
    is_over: bool,
}

/// The operator of a grouping.
///
/// # Errors
/// An aggregate that cannot do this.
pub fn build(
    node: &AggregateNode,
    input: SchemaRef,
    changes: Changes,
    output: SchemaRef,
    ttl: Option<Duration>,
) -> Result<Box<dyn Operator>, Fault> {
    let recipe = Recipe::new(node.clone(), input, changes)?;
    Ok(Box::new(GroupAggregate {
        groups: recipe.groups()?,
        recipe,
        touched: Touched::default(),
        emit: node.emit,
        schema: output,
        every: Every::of(node.emit),
        ttl,
        // Rows that come before the first tick are as old as this operator, not as 1970.
        now_ms: crate::clock::now_ms(),
        ages: VecDeque::new(),
        last_change: Vec::new(),
        is_over: false,
    }))
}

impl GroupAggregate {
    fn apply(&mut self, rows: &Prepared, chunk: &Chunk, out: &mut Output) -> Result<(), Fault> {
        let groups = self.groups.intern(rows)?;
        if self.emit != EmitMode::Final {
            self.touched.note(&mut self.groups, &groups)?;
        }
        let mut refused = Vec::new();
        self.groups.apply(rows, &groups, &mut refused)?;
        if self.emit == EmitMode::Final {
            self.without_empty(&groups, &refused);
        }
        refuse(chunk, refused, STAGE, out);
        self.note_change(&groups);
        self.groups.recycle(groups);
        Ok(())
    }

    /// Forgets groups whose every row was refused; those that are noted go when they are given.
    fn without_empty(&mut self, groups: &[u32], refused: &[BadRow]) {
        if refused.is_empty() || self.recipe.keys() == 0 {
            return;
        }
        for group in groups.iter().copied().collect::<BTreeSet<u32>>() {
            if self.groups.count(group) == 0 {
                self.groups.remove_empty(group);
            }
        }
    }

    fn give(&mut self, out: &mut Output) -> Result<(), Fault> {
        let keeps_empty = self.recipe.keys() == 0;
        let given = self.touched.give(&mut self.groups, &self.schema, |_| Vec::new(), Grouped::time, keeps_empty)?;
        if let Some(mut chunk) = given {
            // Results that only ever come need no ops: every sink takes them.
            if chunk.ops.as_ref().is_some_and(|ops| ops.values().iter().all(|op| *op == 0)) {
                chunk.ops = None;
            }
            out.give(chunk);
        }
        Ok(())
    }

    /// One output for each row. Rows that go as well as come are taken in rounds in which no group comes twice.
    fn by_record(&mut self, rows: &Prepared, chunk: &Chunk, out: &mut Output) -> Result<(), Fault> {
        let groups = self.groups.intern(rows)?;
        if !rows.only_come() {
            for round in rounds(&groups) {
                self.apply(&rows.take(&UInt32Array::from(round))?, chunk, out)?;
                self.give(out)?;
            }
            return Ok(());
        }
        let mut refused = Vec::new();
        let extra = |_| Vec::new();
        let given = follow(&mut self.groups, rows, &groups, &self.schema, extra, Grouped::time, &mut refused)?;
        self.without_empty(&groups, &refused);
        refuse(chunk, refused, STAGE, out);
        self.note_change(&groups);
        self.groups.recycle(groups);
        if let Some(given) = given {
            out.give(given);
        }
        Ok(())
    }

    /// A grouping without keys has a row however few rows there are: where none has come by now, it is noted as new.
    fn note_nothing(&mut self) -> Result<(), Fault> {
        if let Some(group) = self.groups.single()
            && self.emit != EmitMode::Final
            && !self.groups.had_rows(group)
            && !self.touched.holds(group)
        {
            self.touched.note(&mut self.groups, &[group])?;
            self.groups.is_there(group);
        }
        Ok(())
    }

    /// Remembers when groups changed, where they are forgotten one day.
    fn note_change(&mut self, groups: &[u32]) {
        if self.ttl.is_none() {
            return;
        }
        for group in groups {
            let place = *group as usize;
            if self.last_change.len() <= place {
                self.last_change.resize(place + 1, i64::MIN);
            }
            if self.last_change[place] != self.now_ms {
                self.last_change[place] = self.now_ms;
                self.ages.push_back((self.now_ms, *group));
            }
        }
    }

    /// Forgets groups that nobody touched for the time to live. One whose result is still to be given has not been silent
    /// towards those who read: its time begins anew.
    fn forget_old(&mut self, now_ms: i64) {
        let Some(ttl) = self.ttl else { return };
        let oldest = now_ms - ttl.as_millis() as i64;
        while let Some((at, group)) = self.ages.front().copied().filter(|(at, _)| *at < oldest) {
            self.ages.pop_front();
            if self.last_change.get(group as usize) != Some(&at) {
                continue;
            }
            if self.touched.holds(group) {
                self.note_change(&[group]);
            } else {
                self.groups.remove(group);
                self.last_change[group as usize] = i64::MIN;
            }
        }
    }
}

impl Operator for GroupAggregate {
    fn push(&mut self, _: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        let (chunk, rows) = self.recipe.prepare(chunk, out)?;
        match self.emit {
            EmitMode::Changes { by_record: true } => self.by_record(&rows, &chunk, out),
            EmitMode::Changes { by_record: false } => {
                self.apply(&rows, &chunk, out)?;
                self.give(out)
            }
            EmitMode::Final | EmitMode::Every(_) => self.apply(&rows, &chunk, out),
        }
    }

    fn watermark(&mut self, watermark: i64, out: &mut Output) -> Result<i64, Fault> {
        if watermark == i64::MAX && !self.is_over {
            self.is_over = true;
            self.note_nothing()?;
            if self.emit == EmitMode::Final {
                let mut groups = self.groups.all();
                groups.retain(|group| self.recipe.keys() == 0 || self.groups.count(*group) > 0);
                for part in groups.chunks(BATCH_ROWS_MAX) {
                    out.give(final_rows(&mut self.groups, part, &self.schema, |_| Vec::new(), Grouped::time)?);
                }
            } else {
                self.give(out)?;
            }
        }
        // What is given at the end is as old as its rows: until then nothing is promised of it.
        Ok(if self.emit == EmitMode::Final && !self.is_over { i64::MIN } else { watermark })
    }

    fn caught_up(&mut self, out: &mut Output) -> Result<(), Fault> {
        self.note_nothing()?;
        if matches!(self.emit, EmitMode::Changes { .. }) { self.give(out) } else { Ok(()) }
    }

    fn tick(&mut self, now_ms: i64, out: &mut Output) -> Result<(), Fault> {
        self.now_ms = now_ms;
        if self.every.is_due(now_ms) {
            self.give(out)?;
        }
        self.forget_old(now_ms);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<StateTable>, Fault> {
        let keys = self.recipe.keys();
        let mut tables = vec![table("groups", self.groups.snapshot(|_, _| Vec::new())?, keys)];
        if let Some(waiting) = self.touched.columns(&self.groups, |_| Vec::new())? {
            tables.push(columns::table(WAITING, waiting, keys)?);
        }
        Ok(tables)
    }

    fn restore(&mut self, tables: Vec<StateTable>) -> Result<(), Fault> {
        let keys = self.recipe.keys();
        let (waiting, groups): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| table.name == WAITING);
        for table in groups {
            let groups = self.groups.restore(&table.batch, keys, 0)?;
            self.note_change(&groups);
        }
        for table in waiting {
            self.touched.restore(&mut self.groups, table.batch.columns(), keys, 0)?;
        }
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.groups.size()
    }

    fn state_rows(&self) -> usize {
        self.groups.len()
    }
}

/// The results of groups as rows that only come.
pub(super) fn final_rows(
    groups: &mut Grouped,
    which: &[u32],
    schema: &SchemaRef,
    extra: impl Fn(usize) -> Vec<ArrayRef>,
    time: impl Fn(&Grouped, u32) -> i64,
) -> Result<Chunk, Fault> {
    let mut columns = groups.key_columns(which)?;
    columns.extend(extra(which.len()));
    columns.extend(groups.results(which)?);
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(which.len()));
    let batch =
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|error| failed(&error))?;
    let times: Vec<i64> = which.iter().map(|group| time(groups, *group)).collect();
    Ok(Chunk::inserts(batch, times.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion_functions_aggregate::sum::sum_udaf;
    use datafusion_physical_expr::aggregate::AggregateExprBuilder;
    use datafusion_physical_expr::expressions::col;

    use super::super::rows_and_restarts::{Table, chunk, fold, input, restarted};
    use super::*;
    use crate::connectors::contract::Op;
    use crate::sql::plan::stream::AggregateCall;

    /// `SELECT k, SUM(v) … GROUP BY k EMIT EVERY 3 seconds WITH ('state.ttl' = '1s')`.
    fn forgetful() -> Box<dyn Operator> {
        summing(EmitMode::Every(Duration::from_secs(3)), Some(Duration::from_secs(1)))
    }

    fn summing(emit: EmitMode, ttl: Option<Duration>) -> Box<dyn Operator> {
        let schema = input();
        let sum = AggregateExprBuilder::new(sum_udaf(), vec![col("v", &schema).unwrap()]);
        let sum = sum.schema(Arc::clone(&schema)).alias("sum").build().unwrap();
        let calls = vec![AggregateCall { function: Arc::new(sum), filter: None }];
        let node = AggregateNode { keys: vec![col("k", &schema).unwrap()], calls, emit };
        let fields = ["k", "sum"].map(|name| Field::new(name, DataType::Int64, true));
        let output = Arc::new(Schema::new(fields.to_vec()));
        build(&node, schema, Changes::Append, output, ttl).unwrap()
    }

    #[test]
    fn what_is_given_at_the_end_is_not_behind_a_watermark_that_was_given_before() {
        let mut operator = summing(EmitMode::Final, None);
        let mut out = Output::default();
        operator.push(0, chunk(&[(Op::Insert, 1, 1, 100)]), &mut out).unwrap();
        assert_eq!(operator.watermark(5_000, &mut out).unwrap(), i64::MIN);
        assert_eq!(operator.watermark(i64::MAX, &mut out).unwrap(), i64::MAX);
        assert_eq!(out.chunks.len(), 1);
    }

    #[test]
    fn a_group_whose_result_waits_for_its_time_is_not_forgotten_before_it_and_is_soon_after() {
        for restarts in [false, true] {
            let (mut operator, mut table) = (forgetful(), Table::new());
            let mut now_ms = crate::clock::now_ms();
            // The first tick gives what there is, which is nothing: the next time is 3 seconds later.
            operator.tick(now_ms, &mut Output::default()).unwrap();
            for key in 0..50 {
                let mut out = Output::default();
                operator.push(0, chunk(&[(Op::Insert, key, 1, 0), (Op::Insert, 7, 1, 0)]), &mut out).unwrap();
                now_ms += 50;
                operator.tick(now_ms, &mut out).unwrap();
                assert!(out.chunks.is_empty(), "nothing is given before its time");
            }
            if restarts {
                operator = restarted(operator, &forgetful);
            }
            let mut out = Output::default();
            operator.tick(now_ms + 1_000, &mut out).unwrap();
            fold(&mut table, &out);
            let expected: Table = (0..50).map(|key| (vec![key, if key == 7 { 51 } else { 1 }], 1)).collect();
            assert_eq!(table, expected);
            let mut out = Output::default();
            operator.tick(now_ms + 3_000, &mut out).unwrap();
            assert_eq!((operator.state_rows(), out.chunks.len()), (0, 0));
        }
    }
}
