//! GROUPING SETS, ROLLUP and CUBE: a grouping for each set over one input, and all of their rows under one name. The bit of a
//! key that is not in a set is 1, as `GROUPING` has it.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::expr::GroupingSet;
use datafusion_expr::{Aggregate, Expr, ExprSchemable};
use datafusion_functions_aggregate::count::count_all;
use datafusion_physical_expr::expressions::{Column, Literal};

use super::aggregate::Grouping;
use super::{Stream, Translation, columns};
use crate::sql::parse::statement::Emit;
use crate::sql::plan::stream::{Changes, Expression, NodeKind};

/// Sets of one GROUP BY: each is a grouping with its own state and tasks, and a CUBE of six keys has as many.
const SETS_MAX: usize = 64;

impl Translation {
    /// The rows of every set.
    pub(super) fn grouping_sets(
        &mut self,
        aggregate: &Aggregate,
        grouping: &GroupingSet,
        emit: Option<Emit>,
    ) -> Result<Stream> {
        let keys: Vec<Expr> = grouping.distinct_expr().into_iter().cloned().collect();
        let sets = sets(grouping)?;
        let groupings = sets.iter().map(|set| one(aggregate, set)).collect::<Result<Vec<_>>>()?;
        let is_windowed =
            |one: &Aggregate| Ok::<_, datafusion_common::DataFusionError>(Grouping::over_window(one)?.is_some());
        let windowed = groupings.iter().map(is_windowed).collect::<Result<Vec<_>>>()?;
        if windowed.contains(&true) && windowed.contains(&false) {
            return plan_err!(
                "every grouping set is of a window; put its bounds before the sets: \
                 GROUP BY window_start, window_end, ROLLUP (a, b)"
            );
        }
        let input = self.grouped_input(&groupings[0])?;
        let mut streams = Vec::new();
        for (set, one) in sets.iter().zip(&groupings) {
            let stream = self.grouping(one, input.clone(), emit)?;
            streams.push(self.filled(stream, aggregate, &keys, set)?);
        }
        let is_table = streams.iter().all(|stream| stream.is_table);
        let all = self.union(streams, Arc::clone(aggregate.schema.inner()))?;
        let is_told_apart = sets.iter().collect::<HashSet<_>>().len() == sets.len();
        if is_told_apart {
            // A key that is never NULL is NULL only where it is not in the set.
            let mut may_be_null = keys.iter().map(|key| key.nullable(aggregate.input.schema()));
            let needs_id = may_be_null.any(|is_nullable| is_nullable.unwrap_or(true));
            self.nodes[all.node.0].key = (0..keys.len() + usize::from(needs_id)).collect();
        }
        let changes = self.node(&all).changes;
        Ok(Stream { times: Vec::new(), is_table: is_table && is_told_apart && changes == Changes::Changelog, ..all })
    }

    /// The rows of a set with all keys: NULL where one is not in it.
    fn filled(&mut self, stream: Stream, aggregate: &Aggregate, keys: &[Expr], set: &[Expr]) -> Result<Stream> {
        let schema = Arc::clone(aggregate.schema.inner());
        let below = self.node(&stream);
        let (from, changes) = (Arc::clone(&below.schema), below.changes);
        let column = |index: usize| Arc::new(Column::new(from.field(index).name(), index)) as Expression;
        let literal = |value: ScalarValue| Arc::new(Literal::new(value)) as Expression;
        let mut projection = Vec::new();
        let mut places = Vec::new();
        let mut id: u64 = 0;
        for (index, key) in keys.iter().enumerate() {
            let place = set.iter().position(|of_set| of_set == key);
            id = id << 1 | u64::from(place.is_none());
            projection.push(match place {
                Some(place) => column(place),
                None => literal(ScalarValue::try_from(schema.field(index).data_type())?),
            });
            places.extend(place.map(|_| index));
        }
        projection.push(literal(ScalarValue::UInt64(Some(id)).cast_to(schema.field(keys.len()).data_type())?));
        let results = aggregate.aggr_expr.len();
        projection.extend((set.len()..set.len() + results).map(column));
        let place = |column: usize| keys.iter().position(|key| Some(key) == set.get(column));
        let window = stream.window.and_then(|window| window.moved(place));
        let listed = set.iter().map(columns::plain).collect::<Vec<_>>().join(", ");
        let kind = NodeKind::Map { predicate: None, projection: Some(projection), event_time: None };
        let node = self.add(kind, vec![stream.node], schema, changes, places, format!("grouping set ({listed})"));
        Ok(Stream { node, window, times: Vec::new(), key_lacks: Vec::new(), ..stream })
    }
}

/// The keys of each set.
fn sets(grouping: &GroupingSet) -> Result<Vec<Vec<Expr>>> {
    let sets: Vec<Vec<Expr>> = match grouping {
        GroupingSet::GroupingSets(sets) => sets.clone(),
        GroupingSet::Rollup(keys) => (0..=keys.len()).rev().map(|length| keys[..length].to_vec()).collect(),
        GroupingSet::Cube(keys) if keys.len() > SETS_MAX.ilog2() as usize => Vec::new(),
        GroupingSet::Cube(keys) => (0..1_usize << keys.len())
            .rev()
            .map(|chosen| {
                let bit = |index: &usize| chosen >> (keys.len() - 1 - index) & 1 == 1;
                (0..keys.len()).filter(bit).map(|index| keys[index].clone()).collect()
            })
            .collect(),
    };
    if sets.is_empty() || sets.len() > SETS_MAX {
        return plan_err!(
            "these are more than {SETS_MAX} grouping sets; name those that are read: GROUPING SETS ((a, b), (a))"
        );
    }
    // A key that a set names twice is one.
    Ok(sets
        .into_iter()
        .map(|set| {
            let mut once: Vec<Expr> = Vec::new();
            set.into_iter().for_each(|key| {
                if !once.contains(&key) {
                    once.push(key)
                }
            });
            once
        })
        .collect())
}

/// The grouping of one set.
fn one(aggregate: &Aggregate, set: &[Expr]) -> Result<Aggregate> {
    // A set without keys and without aggregates is one row all the same.
    let calls = match aggregate.aggr_expr.is_empty() && set.is_empty() {
        true => vec![count_all()],
        false => aggregate.aggr_expr.clone(),
    };
    Aggregate::try_new(Arc::clone(&aggregate.input), set.to_vec(), calls)
}
