//! Joins: which kind, and how long rows wait for their partners. A join that would keep everything for ever is refused.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion_common::{DFSchema, JoinType, NullEquality, Result, ScalarValue, plan_err};
use datafusion_expr::utils::conjunction;
use datafusion_expr::{Expr, Join, lit};

use super::as_of;
use super::bound::Bounds;
use super::lookup::Sides;
use super::windowed::WindowColumns;
use super::{Stream, Translation, columns, identity, pairs};
use crate::sql::plan::nodes::WINDOW_END;
use crate::sql::plan::processing::is_processing;
use crate::sql::plan::stream::{Changes, Expression, JoinBound, JoinNode, NodeKind, UNTIL_THE_END_MS};

impl Translation {
    /// The nodes of a join.
    pub(super) fn join(&mut self, join: &Join) -> Result<Stream> {
        self.joins += 1;
        let (left, right) = match self.looked_into(join)? {
            Sides::Joined(made) => return Ok(made),
            Sides::Open(left, right) => (left, right),
        };
        self.joins -= 1;
        if let Some(size) = joined_by_start(join, &left, &right) {
            return self.with_ends(join, left, right, size);
        }
        if left.is_table && !right.is_table && self.node(&right).changes == Changes::Append {
            // A table on the left of a stream: the stream drives, the columns come back in their order.
            if let Some(turned) = turned(join.join_type) {
                return self.turned(join, turned, left, right);
            }
        }
        let (from, to) = (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
        self.join_of(join, left, right, (&from, &to), Arc::clone(join.schema.inner()))
    }

    /// The nodes of a join of these streams, whose columns may be more than the join's own.
    fn join_of(
        &mut self,
        join: &Join,
        left: Stream,
        right: Stream,
        (from, to): (&DFSchema, &DFSchema),
        schema: SchemaRef,
    ) -> Result<Stream> {
        let left_is_stream = self.node(&left).changes == Changes::Append;
        let is_time = |schema: &DFSchema, index: usize| {
            matches!(schema.field(index).data_type(), DataType::Timestamp(..) | DataType::Date64)
        };
        let (bounds, rest) = Bounds::of(join.filter.as_ref(), from, to, |l, r| is_time(from, l) && is_time(to, r));
        let (null_aware, compared, rest) = pairs::asked_with_nulls(&join.on, rest, from, to);
        let on = self.equalities(&compared, from, to)?;
        let bound = self.bound(join, &left, &right, bounds, left_is_stream)?;
        let both = DFSchema::clone(from).join(to)?;
        let filter = conjunction(rest).map(|rest| self.expression(&rest, &both)).transpose()?;
        let changes = self.changes(&bound, &left, &right);
        let label = pairs::label(join.join_type, &compared, null_aware, &join.schema);
        let width = from.fields().len();
        let is_one_sided = matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark);
        let window = match bound {
            // Every row has the bounds of the side that is whole, and no row of an outer join needs to have the others.
            JoinBound::Window { .. } if join.join_type == JoinType::Right => {
                right.window.and_then(|window| window.moved(|column| Some(column + width)))
            }
            JoinBound::Window { .. } if join.join_type == JoinType::Full => None,
            JoinBound::Window { .. } | JoinBound::StreamTable | JoinBound::Temporal { .. } => left.window,
            _ if is_one_sided => left.window,
            _ => None,
        };
        let times = match bound {
            JoinBound::StreamTable | JoinBound::Temporal { .. } => left.times.clone(),
            // A window's row has the time of its last millisecond.
            JoinBound::Window { .. } => Vec::new(),
            _ if is_one_sided => left.times.clone(),
            _ => common_times(join, &left.times, &right.times),
        };
        let past = as_of::of_pairs(&bound, join.join_type, &left, &right, width);
        let mut key = self.node(&left).key.clone();
        if changes == Changes::Changelog && !is_one_sided {
            key = identity::of_pairs(join, &key, &self.node(&right).key);
        }
        let mut key_lacks = Vec::new();
        if key.is_empty() {
            key_lacks = left.key_lacks.clone();
            key_lacks.extend(right.key_lacks.iter().filter(|_| !is_one_sided).cloned());
        }
        let nulls_equal = join.null_equality == NullEquality::NullEqualsNull;
        let waits = match &bound {
            JoinBound::Interval { before_ms, after_ms, .. } => (*before_ms).min(*after_ms) == UNTIL_THE_END_MS,
            other => matches!(other, JoinBound::Updating),
        };
        let undated = [&left, &right].map(|side| waits && left.is_dated != right.is_dated && !side.is_dated);
        let is_dated = match bound {
            JoinBound::StreamTable | JoinBound::Temporal { .. } => left.is_dated,
            _ => left.is_dated || right.is_dated,
        };
        let node = JoinNode { join_type: join.join_type, on, filter, bound, null_aware, undated, nulls_equal };
        let is_table = changes == Changes::Changelog;
        let is_bounded = left.is_bounded && right.is_bounded;
        let inputs = vec![left.node, right.node];
        let made = self.add(NodeKind::Join(node), inputs, schema, changes, key, label);
        Ok(Stream { node: made, window, times, past, is_bounded, is_dated, is_table, as_of: None, key_lacks })
    }

    /// A join of windows that begin together, whose ends were not carried on: they are added, and gone behind the join.
    fn with_ends(&mut self, join: &Join, left: Stream, right: Stream, size: Duration) -> Result<Stream> {
        let (left, from) = self.with_end(left, join.left.schema(), size, "__left_end")?;
        let (right, to) = self.with_end(right, join.right.schema(), size, "__right_end")?;
        let (width, rest) = (join.left.schema().fields().len(), join.schema.fields().len());
        let (left_more, right_more) =
            (from.fields().len() - width, to.fields().len() - join.right.schema().fields().len());
        let end = || Arc::new(Field::new(WINDOW_END, DataType::Timestamp(TimeUnit::Millisecond, None), true));
        let is_whole = width + join.right.schema().fields().len() == rest;
        let mut fields: Vec<FieldRef> = join.schema.fields().iter().cloned().collect();
        fields.splice(width..width, (0..left_more).map(|_| end()));
        if is_whole {
            fields.extend((0..right_more).map(|_| end()));
        }
        let schema = Arc::new(Schema::new(fields));
        let made = self.join_of(join, left, right, (&from, &to), schema)?;
        let kept: Vec<usize> = (0..width).chain((width..rest).map(|column| column + left_more)).collect();
        Ok(self.keep(made, &kept))
    }

    /// A stream with the end of its window behind its columns, where it is not among them.
    fn with_end(&mut self, input: Stream, from: &DFSchema, size: Duration, name: &str) -> Result<(Stream, DFSchema)> {
        let (Some(start), None) =
            (input.window.and_then(|window| window.start), input.window.and_then(|window| window.end))
        else {
            return Ok((input, from.clone()));
        };
        let column = |index: usize| Expr::Column(from.columns()[index].clone());
        let size = i64::try_from(size.as_nanos()).unwrap_or(i64::MAX);
        let end = column(start) + lit(ScalarValue::new_interval_mdn(0, 0, size));
        let width = from.fields().len();
        let projection = (0..width).map(column).chain([end]).map(|expr| self.expression(&expr, from));
        let projection = projection.collect::<Result<Vec<_>>>()?;
        let field = Field::new(name, DataType::Timestamp(TimeUnit::Millisecond, None), false);
        let schema = DFSchema::try_from(Schema::new(vec![field]))?;
        let schema = from.join(&schema)?;
        let below = self.node(&input);
        let (changes, key) = (below.changes, below.key.clone());
        let kind = NodeKind::Map { predicate: None, projection: Some(projection), event_time: None };
        let label = "the window's end".to_owned();
        let node = self.add(kind, vec![input.node], Arc::clone(schema.inner()), changes, key, label);
        let window = input.window.map(|window| WindowColumns { end: Some(width), ..window });
        Ok((Stream { node, window, ..input }, schema))
    }

    fn turned(&mut self, join: &Join, join_type: JoinType, left: Stream, right: Stream) -> Result<Stream> {
        let (from, to) = (join.left.schema(), join.right.schema());
        let swapped: Vec<(Expr, Expr)> = join.on.iter().map(|(l, r)| (r.clone(), l.clone())).collect();
        let on = self.equalities(&swapped, to, from)?;
        let both = DFSchema::clone(to).join(from)?;
        let (_, rest) = Bounds::of(join.filter.as_ref(), from, to, |_, _| false);
        let filter = conjunction(rest).map(|rest| self.expression(&rest, &both)).transpose()?;
        if let Some(time) = left.as_of.as_ref().filter(|time| !is_processing(time)) {
            return plan_err!(
                "FOR SYSTEM_TIME AS OF {time} stands behind the table of a JOIN; put the stream first: FROM orders o JOIN rates FOR SYSTEM_TIME AS OF {time} AS r ON …"
            );
        }
        let bound = JoinBound::StreamTable;
        let nulls_equal = join.null_equality == NullEquality::NullEqualsNull;
        let node = JoinNode { join_type, on, filter, bound, null_aware: false, undated: [false; 2], nulls_equal };
        let label = pairs::label(join_type, &swapped, false, &both);
        let inputs = vec![right.node, left.node];
        let made = self.add(NodeKind::Join(node), inputs, Arc::clone(both.inner()), Changes::Append, Vec::new(), label);
        let (l, r) = (from.fields().len(), to.fields().len());
        let made = Stream { node: made, is_table: false, as_of: None, ..right };
        Ok(self.keep(made, &(r..r + l).chain(0..r).collect::<Vec<_>>()))
    }

    fn bound(
        &mut self,
        join: &Join,
        left: &Stream,
        right: &Stream,
        bounds: Bounds,
        left_is_stream: bool,
    ) -> Result<JoinBound> {
        let from = join.left.schema();
        let right_is_stream = self.node(right).changes == Changes::Append;
        let is_member = matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark);
        if let Some(time) = &right.as_of {
            if right_is_stream && !right.is_table {
                return plan_err!(
                    "FOR SYSTEM_TIME AS OF {time} needs a table with a PRIMARY KEY on its right: declare it with CREATE TABLE"
                );
            }
            // As of processing: the newest row of the key, as it is when the row arrives.
            if is_processing(time) {
                return Ok(JoinBound::StreamTable);
            }
            let as_of = self.as_of_event_time(time, bounds.as_of.as_ref(), from, left)?;
            return Ok(JoinBound::Temporal { as_of });
        }
        if left_is_stream && !right_is_stream {
            // What ends is complete before it is asked, unless the rows that ask are those that it is made of.
            let is_its_own = left.is_bounded && right.is_bounded && self.share_a_source(left.node, right.node);
            return Ok(if is_its_own { JoinBound::Updating } else { JoinBound::StreamTable });
        }
        if !left_is_stream {
            return Ok(JoinBound::Updating);
        }
        if let (Some(one), Some(other)) = (left.window, right.window) {
            let by_start = are_equal(join, one.start, other.start) && one.size_if_told_by_start(&other).is_some();
            if let (Some(left_end), Some(right_end)) = (one.end, other.end)
                && (by_start || are_equal(join, Some(left_end), Some(right_end)))
            {
                return Ok(JoinBound::Window { left_end, right_end });
            }
        }
        // A bound of event times on both sides holds for input that ends too: rows go as early as they can.
        let is_bounded = left.is_bounded && right.is_bounded;
        let is_of_events = bounds.compared.is_none_or(|(l, r)| left.times.contains(&l) && right.times.contains(&r));
        let is_whole = bounds.lower.is_some() && bounds.upper.is_some();
        if is_bounded && !(is_whole && is_of_events) {
            let (before_ms, after_ms) = (UNTIL_THE_END_MS, UNTIL_THE_END_MS);
            return Ok(JoinBound::Interval { before_ms, after_ms, left_time: None, right_time: None });
        }
        if bounds.lower.is_some() || bounds.upper.is_some() {
            return self.interval(join, left, right, &bounds);
        }
        if self.wishes.state_ttl.is_some() {
            return Ok(JoinBound::Updating);
        }
        if is_member {
            let warning = format!(
                "`{}` is looked up as of now: a row that arrives there later does not change what was given",
                pairs::read(&join.right)
            );
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            return Ok(JoinBound::StreamTable);
        }
        plan_err!(
            "this join would keep every row of both sides for ever; bound it: \
             JOIN … WITHIN 5m ON …, or ON … AND b.time BETWEEN a.time - INTERVAL '5' MINUTE AND a.time, \
             or make one side a TABLE, or say WITH ('state.ttl' = '1h')"
        )
    }

    fn interval(&mut self, join: &Join, left: &Stream, right: &Stream, bounds: &Bounds) -> Result<JoinBound> {
        let mut missing = |what: &str| {
            self.warnings.push(format!("the join says nothing of {what} rows of the right: they are not waited for"));
            0
        };
        let lower = bounds.lower.unwrap_or_else(|| missing("earlier").min(bounds.upper.unwrap_or(0)));
        let upper = bounds.upper.unwrap_or_else(|| missing("later").max(bounds.lower.unwrap_or(0)));
        if lower > upper {
            return plan_err!("no two times can be that far apart: the bounds of this join exclude each other");
        }
        let (mut left_time, mut right_time) = (None, None);
        if let Some((l, r)) = bounds.compared {
            let column = |schema: &DFSchema, index: usize| Expr::Column(schema.columns()[index].clone());
            let (from, to) = (join.left.schema(), join.right.schema());
            if !left.times.contains(&l) {
                left_time = Some(self.time(&column(from, l), from)?);
            }
            if !right.times.contains(&r) {
                right_time = Some(self.time(&column(to, r), to)?);
            }
            if left_time.is_some() || right_time.is_some() {
                self.warnings.push(
                    "the times that this join compares are not the event times of both sides: rows go when the event \
                     times say so; set 'event.time.field' to make them the same"
                        .to_owned(),
                );
            }
        }
        Ok(JoinBound::Interval { before_ms: -lower, after_ms: upper, left_time, right_time })
    }

    pub(super) fn equalities(
        &self,
        on: &[(Expr, Expr)],
        from: &DFSchema,
        to: &DFSchema,
    ) -> Result<Vec<(Expression, Expression)>> {
        on.iter().map(|(l, r)| Ok((self.key(l, from)?, self.key(r, to)?))).collect()
    }

    fn changes(&self, bound: &JoinBound, left: &Stream, right: &Stream) -> Changes {
        match bound {
            JoinBound::Updating => Changes::Changelog,
            JoinBound::StreamTable | JoinBound::Temporal { .. } | JoinBound::Lookup(_) => Changes::Append,
            JoinBound::Interval { .. } | JoinBound::Window { .. } => {
                debug_assert_eq!(self.node(left).changes, Changes::Append);
                debug_assert_eq!(self.node(right).changes, Changes::Append);
                Changes::Append
            }
        }
    }
}

/// The join that says the same with its sides exchanged, where the row that drives it stays the same.
pub(super) fn turned(join_type: JoinType) -> Option<JoinType> {
    match join_type {
        JoinType::Inner => Some(JoinType::Inner),
        JoinType::Right => Some(JoinType::Left),
        _ => None,
    }
}

/// How long the windows are that a join says begin together and are one then, where their ends are not carried on.
fn joined_by_start(join: &Join, left: &Stream, right: &Stream) -> Option<Duration> {
    let (one, other) = (left.window?, right.window?);
    let lacks_end = one.end.is_none() || other.end.is_none();
    if matches!(join.join_type, JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark) {
        return None;
    }
    let size = one.size_if_told_by_start(&other)?;
    (lacks_end && are_equal(join, one.start, other.start)).then_some(size)
}

/// Whether a join says that two columns are equal.
fn are_equal(join: &Join, left: Option<usize>, right: Option<usize>) -> bool {
    let (from, to) = (join.left.schema(), join.right.schema());
    let (Some(left), Some(right)) = (left, right) else { return false };
    join.on.iter().any(|(one, other)| place(one, from) == Some(left) && place(other, to) == Some(right))
}

/// The column that an expression is.
pub(super) fn place(expr: &Expr, schema: &DFSchema) -> Option<usize> {
    match columns::unaliased(expr) {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        _ => None,
    }
}

/// The columns that hold the event time of joined rows, which is the later one of both: those that the join says are equal.
fn common_times(join: &Join, left: &[usize], right: &[usize]) -> Vec<usize> {
    let width = join.left.schema().fields().len();
    let equal = |l: &usize, r: &usize| are_equal(join, Some(*l), Some(*r));
    // A row without a partner has NULL there.
    let has_left = matches!(join.join_type, JoinType::Inner | JoinType::Left);
    let has_right = matches!(join.join_type, JoinType::Inner | JoinType::Right);
    let of_left = left.iter().filter(|l| has_left && right.iter().any(|r| equal(l, r))).copied();
    let of_right = right.iter().filter(|r| has_right && left.iter().any(|l| equal(l, r))).map(|r| r + width);
    of_left.chain(of_right).collect()
}
