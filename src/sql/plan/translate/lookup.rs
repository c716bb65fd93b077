//! Lookup joins: a stream meets a table that somebody else keeps, as it was when it was read last. Which side of a join is
//! such a table, and what cannot be asked of one. Nothing is read here.

use std::sync::Arc;

use datafusion_common::{DFSchema, JoinType, NullEquality, Result, plan_err};
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{Expr, Join, LogicalPlan};
use datafusion_physical_expr::expressions::Column;

use super::bound::Bounds;
use super::join::turned;
use super::{Stream, Translation, pairs as compared};
use crate::sql::functions::may_equal;
use crate::sql::plan::nodes::{Mark, Marked};
use crate::sql::plan::processing::is_processing;
use crate::sql::plan::stream::{Changes, Expression, FullCache, JoinBound, JoinNode, NodeKind};
use crate::sql::plan::tables::SourceTable;

/// The sides of a join, translated.
pub(super) enum Sides {
    /// One looked into the other, and that is done.
    Joined(Stream),
    /// Neither is looked into.
    Open(Stream, Stream),
}

/// A table that is looked into.
struct Looked<'p> {
    plan: &'p LogicalPlan,
    name: String,
    cache: FullCache,
    /// The time that `FOR SYSTEM_TIME AS OF` names, where that is not the time of processing.
    as_of: Option<String>,
}

impl<'p> Looked<'p> {
    /// The table that a relation is: a source that says so, or one that ends and is met as of processing; filtered and
    /// projected, and nothing else.
    fn of(plan: &'p LogicalPlan) -> Option<Self> {
        let table = SourceTable::behind(plan)?;
        let time = as_of(plan);
        let by_syntax = time.is_some_and(|time| is_processing(time)) && table.may_be_looked_into();
        let cache = table.lookup.or(by_syntax.then_some(FullCache { reload: None }))?;
        let as_of = time.filter(|time| !is_processing(time)).cloned();
        Some(Self { plan, name: table.name.clone(), cache, as_of })
    }
}

/// The time that `FOR SYSTEM_TIME AS OF` names in a relation that filters and projects a source.
fn as_of(plan: &LogicalPlan) -> Option<&String> {
    match plan {
        LogicalPlan::Projection(projection) => as_of(&projection.input),
        LogicalPlan::Filter(filter) => as_of(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => as_of(&alias.input),
        other => match &Marked::find(other)?.mark {
            Mark::AsOf(time) => Some(time),
            _ => None,
        },
    }
}

impl Translation {
    /// The sides of a join; the join itself, where one side looks into the other.
    pub(super) fn looked_into(&mut self, join: &Join) -> Result<Sides> {
        if let Some(table) = Looked::of(&join.right) {
            let left = self.translate(&join.left, None)?;
            return self.lookup(join, left, &table, false).map(Sides::Joined);
        }
        let Some(table) = Looked::of(&join.left) else {
            let left = self.translate(&join.left, None)?;
            return Ok(Sides::Open(left, self.translate(&join.right, None)?));
        };
        let right = self.translate(&join.right, None)?;
        let is_stream = self.node(&right).changes == Changes::Append && !right.is_table;
        // Where nothing of the right is endless, both can be read to their ends as any other.
        if is_stream && (turned(join.join_type).is_some() || !right.is_bounded) {
            return self.lookup(join, right, &table, true).map(Sides::Joined);
        }
        Ok(Sides::Open(self.translate(&join.left, None)?, right))
    }

    /// Whether the key of a table is among what it is looked into by.
    fn is_met_once(&self, table: &Stream, on: &[(Expression, Expression)]) -> bool {
        let key = &self.node(table).key;
        let column = |(_, right): &(Expression, Expression)| right.as_any().downcast_ref::<Column>().map(Column::index);
        !key.is_empty() && key.iter().all(|column_of_key| on.iter().any(|on| column(on) == Some(*column_of_key)))
    }

    /// The nodes of a stream that looks into a table. With `is_turned` the table stands left, and the columns come back in
    /// their order.
    fn lookup(&mut self, join: &Join, stream: Stream, table: &Looked<'_>, is_turned: bool) -> Result<Stream> {
        let name = &table.name;
        self.relation = Some(name.clone());
        let join_type = if is_turned { turned(join.join_type) } else { Some(join.join_type) };
        let Some(
            join_type @ (JoinType::Inner
            | JoinType::Left
            | JoinType::LeftSemi
            | JoinType::LeftAnti
            | JoinType::LeftMark),
        ) = join_type
        else {
            let kind = compared::spelled(join.join_type).to_uppercase();
            return plan_err!(
                "{kind} JOIN would give rows of `{name}` that no row asks for, and a lookup table is only looked into; \
                 use INNER or LEFT JOIN with the stream on the left, or leave 'lookup.cache' out of the table"
            );
        };
        let asks_with_nulls = |part: &&Expr| may_equal::sides(part).is_some();
        if join.filter.as_ref().is_some_and(|filter| split_conjunction(filter).iter().any(asks_with_nulls)) {
            return plan_err!(
                "IN cannot ask the lookup table `{name}` whether NULL hides an answer; use EXISTS (SELECT … WHERE …)"
            );
        }
        if let Some(time) = &table.as_of {
            return plan_err!(
                "the lookup table `{name}` is met as of processing and keeps nothing as of {time}; write FOR SYSTEM_TIME AS OF \
                 PROCTIME(), or leave 'lookup.cache' out and declare a TABLE with a PRIMARY KEY"
            );
        }
        if self.node(&stream).changes == Changes::Changelog {
            return plan_err!(
                "rows that are taken back later cannot look into `{name}`, which may be another by then; make the other side \
                 final (EMIT FINAL), or leave 'lookup.cache' out and declare `{name}` as a TABLE with a PRIMARY KEY"
            );
        }
        let (from, to) = match is_turned {
            false => (join.left.schema(), join.right.schema()),
            true => (join.right.schema(), join.left.schema()),
        };
        let pairs: Vec<(Expr, Expr)> = match is_turned {
            false => join.on.clone(),
            true => join.on.iter().map(|(l, r)| (r.clone(), l.clone())).collect(),
        };
        if pairs.is_empty() {
            return plan_err!(
                "the lookup table `{name}` is looked into by a key, and this join says none; \
                 write ON with a column of each side: ON a.id = {name}.id"
            );
        }
        let (bounds, rest) = Bounds::of(join.filter.as_ref(), from, to, |_, _| false);
        if bounds.lower.is_some() || bounds.upper.is_some() {
            return plan_err!(
                "WITHIN says nothing of the lookup table `{name}`, whose rows have no time; leave it out"
            );
        }
        let is_lookup = std::mem::replace(&mut self.is_lookup, true);
        let looked = self.translate(table.plan, None)?;
        self.is_lookup = is_lookup;
        let on = self.equalities(&pairs, from, to)?;
        let is_pair = matches!(join_type, JoinType::Inner | JoinType::Left);
        // A row that meets several is several rows: only the key of the table says that it meets one.
        let keeps_key = !is_pair || self.is_met_once(&looked, &on);
        let both = DFSchema::clone(from).join(to)?;
        let filter = conjunction(rest).map(|rest| self.expression(&rest, &both)).transpose()?;
        let nulls_equal = join.null_equality == NullEquality::NullEqualsNull;
        let bound = JoinBound::Lookup(table.cache);
        let node = JoinNode { join_type, on, filter, bound, null_aware: false, undated: [false; 2], nulls_equal };
        let label = compared::label(join_type, &pairs, false, &join.schema);
        let schema = if is_turned { both.inner() } else { join.schema.inner() };
        let key = if keeps_key { self.node(&stream).key.clone() } else { Vec::new() };
        let key_lacks = if keeps_key { stream.key_lacks.clone() } else { Vec::new() };
        let inputs = vec![stream.node, looked.node];
        let made = self.add(NodeKind::Join(node), inputs, Arc::clone(schema), Changes::Append, key, label);
        let made = Stream { node: made, is_table: false, as_of: None, key_lacks, ..stream };
        self.relation = None;
        self.joins -= 1;
        if !is_turned {
            return Ok(made);
        }
        let (own, other) = (from.fields().len(), to.fields().len());
        Ok(self.keep(made, &(own..own + other).chain(0..own).collect::<Vec<_>>()))
    }
}
