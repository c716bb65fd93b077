//! Who an operator is over restarts: a mark of what it does, so that a changed SQL text finds the state that still
//! fits. It looks at the plan and at no row.

use std::collections::HashMap;
use std::fmt::Write;

use super::manifest::sha256;
use crate::sql::plan::stream::{AggregateNode, Node, NodeKind, SortKey, StreamPlan};

/// Letters of a mark: 64 bits of a hash, enough for the operators of one job.
const MARK_LETTERS: usize = 16;

/// The identity of each node, in the plan's order.
pub fn identities(plan: &StreamPlan) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    plan.nodes
        .iter()
        .map(|node| {
            let kind = kind(&node.kind);
            let mark = &sha256(mark(plan, node).as_bytes())[..MARK_LETTERS];
            let base = format!("{kind}-{mark}");
            let again = seen.entry(base.clone()).or_default();
            *again += 1;
            format!("{base}-{again}")
        })
        .collect()
}

fn mark(plan: &StreamPlan, node: &Node) -> String {
    let mut text = kind(&node.kind).to_owned();
    if let NodeKind::Source(source) = &node.kind {
        // Other columns of the same source stand at the same place, and so does what other options read of it.
        let name = match source.name.rsplit_once('?') {
            Some((place, options)) if place.contains("://") && options.contains('=') => place,
            _ => &source.name,
        };
        write!(text, "|{name}").ok();
        return text;
    }
    for input in &node.inputs {
        for field in plan.nodes[input.0].schema.fields() {
            write!(text, "|{} {}", field.name(), field.data_type()).ok();
        }
        text.push('#');
    }
    for field in node.schema.fields() {
        write!(text, "|{} {}", field.name(), field.data_type()).ok();
    }
    match &node.kind {
        NodeKind::WindowAggregate { window, aggregate } => {
            write!(
                text,
                "|{:?} {:?} {:?}",
                window.kind,
                window.time.as_ref().map(ToString::to_string),
                window.lateness
            )
            .ok();
            write_aggregate(&mut text, aggregate);
        }
        NodeKind::CarriedWindowAggregate { window_end, aggregate } => {
            write!(text, "|{window_end}").ok();
            write_aggregate(&mut text, aggregate);
        }
        NodeKind::GroupAggregate(aggregate) => write_aggregate(&mut text, aggregate),
        NodeKind::Join(join) => {
            write!(text, "|{:?}", join.join_type).ok();
            for (left, right) in &join.on {
                write!(text, "|{left}={right}").ok();
            }
            write!(text, "|{:?}|{:?}", join.filter.as_ref().map(ToString::to_string), join.bound).ok();
        }
        NodeKind::Over(over) => {
            write!(text, "|{:?}", over.partition.iter().map(ToString::to_string).collect::<Vec<_>>()).ok();
            write_order(&mut text, &over.order);
            if let Some(buffer) = over.buffer.filter(|buffer| buffer.emits_when_full || buffer.expires.is_some()) {
                write!(text, "|{buffer:?}").ok();
            }
            for call in &over.calls {
                write!(text, "|{} {:?}", call.expression.name(), call.frame).ok();
            }
        }
        NodeKind::TopN(top) => {
            write!(text, "|{:?}|{}", top.partition.iter().map(ToString::to_string).collect::<Vec<_>>(), top.limit).ok();
            write_order(&mut text, &top.order);
        }
        NodeKind::Deduplicate { keys, keep_last } => {
            write!(text, "|{keep_last}|{:?}", keys.iter().map(ToString::to_string).collect::<Vec<_>>()).ok();
        }
        NodeKind::Sort { order, limit, offset } => {
            write!(text, "|{limit:?}|{offset}").ok();
            write_order(&mut text, order);
        }
        NodeKind::Limit { limit, offset } => {
            write!(text, "|{limit}|{offset}").ok();
        }
        _ => {}
    }
    text
}

fn write_aggregate(text: &mut String, aggregate: &AggregateNode) {
    write!(text, "|{:?}", aggregate.emit).ok();
    for key in &aggregate.keys {
        write!(text, "|{key}").ok();
    }
    for call in &aggregate.calls {
        let filter = call.filter.as_ref().map(ToString::to_string);
        write!(text, "|{} {} {filter:?}", call.function.name(), call.function.is_distinct()).ok();
    }
}

fn write_order(text: &mut String, order: &[SortKey]) {
    for key in order {
        write!(text, "|{} {} {}", key.expression, key.descending, key.nulls_first).ok();
    }
}

fn kind(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Source(_) => "source",
        NodeKind::Map { .. } => "map",
        NodeKind::WindowAssign(_) => "assign",
        NodeKind::Unnest(_) => "unnest",
        NodeKind::WindowAggregate { .. } => "window",
        NodeKind::CarriedWindowAggregate { .. } => "carried",
        NodeKind::GroupAggregate(_) => "group",
        NodeKind::Join(_) => "join",
        NodeKind::Over(_) => "over",
        NodeKind::TopN(_) => "top",
        NodeKind::Deduplicate { .. } => "deduplicate",
        NodeKind::Union => "union",
        NodeKind::Sort { .. } => "sort",
        NodeKind::Limit { .. } => "limit",
        NodeKind::Values(_) => "values",
        NodeKind::Sink(_) => "sink",
    }
}
