//! From a node of the plan to the operator that does it: the one place that knows all operators.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::graph::Step;
use super::join::cached::CachedJoin;
use super::join::{self, JoinInput};
use super::lookup::Caches;
use super::map::Map;
use super::operator::Operator;
use super::unnest::Unnest;
use super::upsert::Upsert;
use super::window::{self, aggregate::Told};
use super::{deduplicate, group_aggregate, limit, over, sort, top_n, window_assign};
use crate::core::fault::{Blame, Fault};
use crate::sql::plan::stream::{NodeKind, StreamPlan};

/// The operator of a step; `caches` are the tables that the plan's joins look into.
///
/// # Errors
/// A plan whose parts do not fit each other.
pub fn build(plan: &StreamPlan, step: Step, caches: &Caches) -> Result<Box<dyn Operator>, Fault> {
    let (Step::Node(id) | Step::Upsert(id)) = step;
    let node = &plan.nodes[id.0];
    if let (Step::Upsert(_), NodeKind::Source(source)) = (step, &node.kind) {
        let key = source.upsert_key.clone().unwrap_or_default();
        return Ok(Box::new(Upsert::new(Arc::clone(&node.schema), key, source.state_ttl)?));
    }
    if let Some(cache) = caches.get(&id) {
        return Ok(Box::new(CachedJoin::new(Arc::clone(cache))));
    }
    let inputs: Vec<SchemaRef> = node.inputs.iter().map(|input| Arc::clone(&plan.nodes[input.0].schema)).collect();
    let output = Arc::clone(&node.schema);
    match (&node.kind, &inputs[..]) {
        (NodeKind::Map { predicate, projection, event_time }, [_]) => {
            Ok(Box::new(Map::new(predicate.clone(), projection.clone(), event_time.clone(), output)))
        }
        (NodeKind::GroupAggregate(aggregate), [input]) => {
            let changes = plan.nodes[node.inputs[0].0].changes;
            group_aggregate::build(aggregate, Arc::clone(input), changes, output, plan.state_ttl)
        }
        (NodeKind::WindowAggregate { window, aggregate }, [input]) => {
            let changes = plan.nodes[node.inputs[0].0].changes;
            let told = Told { late: plan.late, ttl: plan.state_ttl };
            window::aggregate::build(window, aggregate, Arc::clone(input), changes, output, &told)
        }
        (NodeKind::CarriedWindowAggregate { window_end, aggregate }, [input]) => {
            let changes = plan.nodes[node.inputs[0].0].changes;
            let told = Told { late: plan.late, ttl: plan.state_ttl };
            window::aggregate::carried(*window_end, aggregate, Arc::clone(input), changes, output, &told)
        }
        (NodeKind::Join(join), [_, _]) => {
            let input = |port: usize| {
                let below = &plan.nodes[node.inputs[port].0];
                JoinInput { schema: Arc::clone(&below.schema), changes: below.changes, key: below.key.clone() }
            };
            join::build(join, input(0), input(1), &output, plan.state_ttl, plan.late)
        }
        (NodeKind::WindowAssign(window), [_]) => window_assign::build(window, &output),
        (NodeKind::Unnest(unnest), [_]) => Ok(Box::new(Unnest::new(unnest.clone(), output))),
        (NodeKind::Over(over), [input]) => over::build(over, input, &output, plan.late),
        (NodeKind::TopN(top), [input]) => {
            top_n::build(top, input, plan.nodes[node.inputs[0].0].changes, &output, node.changes, plan.late)
        }
        (NodeKind::Deduplicate { keys, keep_last }, [input]) => {
            deduplicate::build(keys, *keep_last, input, plan.state_ttl)
        }
        (NodeKind::Sort { order, limit, offset }, [input]) => {
            sort::build(order, *limit, *offset, input, plan.nodes[node.inputs[0].0].changes)
        }
        (NodeKind::Limit { limit, offset }, [_]) => limit::build(*limit, *offset, plan.nodes[node.inputs[0].0].changes),
        _ => {
            let what = format!("`{}` is not something that this build can run", node.label);
            Err(Fault::new(Blame::Program, what))
        }
    }
}
