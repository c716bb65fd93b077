//! A plan as people see it: a tree from the sink down, each node with what it does, and after a run with what it did.
//! Pure.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::stream::{AsOf, Buffer, Changes, EmitMode, FullCache, JoinBound, Node, NodeId, NodeKind, StreamPlan};
use crate::core::duration::told;
use crate::sql::exec::statistics::{LookupStatistics, Statistics};

/// One node, for programs.
#[derive(Debug, Clone, Serialize)]
pub struct Drawn {
    /// Its number.
    pub node: usize,
    /// The operator.
    pub operator: &'static str,
    /// What it does.
    pub label: String,
    /// The nodes it reads.
    pub inputs: Vec<usize>,
    /// Whether its rows are taken back later.
    pub changes: bool,
    /// What it keeps, in words; empty for a node without state.
    pub state: String,
}

/// The nodes of a plan, sink first.
pub fn nodes(plan: &StreamPlan) -> Vec<Drawn> {
    let drawn = |(index, node): (usize, &Node)| Drawn {
        node: index,
        operator: operator(&node.kind),
        label: node.label.clone(),
        inputs: node.inputs.iter().map(|input| input.0).collect(),
        changes: node.changes == Changes::Changelog,
        state: state(&node.kind),
    };
    plan.nodes.iter().enumerate().rev().map(drawn).collect()
}

/// The tree of a plan.
pub fn tree(plan: &StreamPlan) -> String {
    draw(plan, |_, _| String::new())
}

/// The tree of a plan that ran: rows, rates, state and time of each node.
pub fn measured(plan: &StreamPlan, statistics: &Statistics) -> String {
    let seconds = statistics.elapsed.as_secs_f64().max(1e-3);
    let busy: f64 = statistics.operators.iter().map(|node| node.busy.as_secs_f64()).sum::<f64>().max(1e-9);
    let mut text = draw(plan, |id, planned| {
        // A source that is read as a table has two readings, and a union none.
        let of_node = || statistics.operators.iter().filter(|reading| reading.node == id.0);
        let Some(node) = of_node().find(|reading| reading.label == planned.label) else { return String::new() };
        let mut text = format!(
            "  [{} in, {} out, {:.0}/s, worked {} ({:.0} % of all work)",
            node.rows_in,
            node.rows_out,
            node.rows_in.max(node.rows_out) as f64 / seconds,
            worked(node.busy),
            100.0 * node.busy.as_secs_f64() / busy,
        );
        let bytes: usize = of_node().map(|reading| reading.state_bytes).sum();
        if bytes > 0 {
            let what = if node.lookup.is_some() { "cache" } else { "state" };
            let rows: usize = of_node().map(|reading| reading.state_rows).sum();
            let _ = write!(text, ", {what} {rows} rows {bytes} bytes");
        }
        if let Some(cache) = &node.lookup {
            let LookupStatistics { hits, misses, readings, failures, age, .. } = cache;
            let age = told(Duration::from_secs(age.as_secs()));
            let _ = write!(text, ", hits {hits}, misses {misses}, readings {readings} ({failures} failed), age {age}");
        }
        for (count, what) in [(node.late, "late"), (node.bad, "bad"), (node.retries, "tried again")] {
            if count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        text + "]"
    });
    if statistics.failures.retries > 0 {
        let _ = writeln!(text, "dead letters: {} sent again", statistics.failures.retries);
    }
    if statistics.by_zero > 0 {
        let _ = writeln!(text, "{} divisions by zero gave NULL", statistics.by_zero);
    }
    text
}

fn worked(busy: Duration) -> String {
    match busy.as_millis() {
        0 => "under 1 ms".to_owned(),
        milliseconds => told(Duration::from_millis(milliseconds as u64)),
    }
}

fn draw(plan: &StreamPlan, beside: impl Fn(NodeId, &Node) -> String) -> String {
    let mut text = String::new();
    if let Some(root) = plan.nodes.len().checked_sub(1) {
        branch(plan, NodeId(root), "", "", &beside, &mut text);
    }
    text
}

fn branch(
    plan: &StreamPlan,
    id: NodeId,
    first: &str,
    rest: &str,
    beside: &impl Fn(NodeId, &Node) -> String,
    text: &mut String,
) {
    let node = &plan.nodes[id.0];
    let changes = if node.changes == Changes::Changelog { ", changes" } else { "" };
    let kept = state(&node.kind);
    let kept = if kept.is_empty() { kept } else { format!(" ({kept})") };
    let _ = writeln!(text, "{first}{}: {}{kept}{changes}{}", operator(&node.kind), node.label, beside(id, node));
    for (index, input) in node.inputs.iter().enumerate() {
        let is_last = index + 1 == node.inputs.len();
        let (fork, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(plan, *input, &format!("{rest}{fork}"), &format!("{rest}{line}"), beside, text);
    }
}

/// The operator's name.
pub fn operator(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Source(_) => "Source",
        NodeKind::Map { .. } => "Map",
        NodeKind::WindowAssign(_) => "WindowAssign",
        NodeKind::Unnest(_) => "Unnest",
        NodeKind::WindowAggregate { .. } | NodeKind::CarriedWindowAggregate { .. } => "WindowAggregate",
        NodeKind::GroupAggregate(_) => "GroupAggregate",
        NodeKind::Join(join) => match join.bound {
            JoinBound::Interval { .. } => "IntervalJoin",
            JoinBound::Window { .. } => "WindowJoin",
            JoinBound::StreamTable => "TableJoin",
            JoinBound::Temporal { .. } => "TemporalJoin",
            JoinBound::Lookup(_) => "LookupJoin",
            JoinBound::Updating => "UpdatingJoin",
        },
        NodeKind::Over(_) => "Over",
        NodeKind::TopN(_) => "TopN",
        NodeKind::Deduplicate { .. } => "Deduplicate",
        NodeKind::Union => "Union",
        NodeKind::Sort { .. } => "Sort",
        NodeKind::Limit { .. } => "Limit",
        NodeKind::Values(_) => "Values",
        NodeKind::Sink(_) => "Sink",
    }
}

/// What is kept of a partition.
fn buffered(buffer: Buffer) -> String {
    let full = if buffer.emits_when_full { ", given when they are all there" } else { "" };
    let expires =
        buffer.expires.map_or_else(String::new, |silence| format!(", gone after {} of silence", told(silence)));
    format!("at most {} rows a partition{full}{expires}", buffer.rows)
}

/// How a table is held that streams look into.
pub fn lookup(cache: FullCache) -> String {
    match cache.reload {
        Some(interval) => format!("whole in memory and read again every {}", told(interval)),
        None => "whole in memory as read at the start".to_owned(),
    }
}

/// What a node keeps, and until when.
fn state(kind: &NodeKind) -> String {
    let emit = |emit: EmitMode| match emit {
        EmitMode::Changes { by_record: true } => "each record gives a result".to_owned(),
        EmitMode::Changes { by_record: false } => "each change is given, once a batch".to_owned(),
        EmitMode::Final => "given once, when it is final".to_owned(),
        EmitMode::Every(period) => format!("changes are given every {}", told(period)),
    };
    match kind {
        NodeKind::WindowAggregate { window, aggregate } => {
            let lateness = match window.lateness.is_zero() {
                true => String::new(),
                false => format!(", {} late at most", told(window.lateness)),
            };
            format!("{}{lateness}", emit(aggregate.emit))
        }
        NodeKind::CarriedWindowAggregate { aggregate, .. } => emit(aggregate.emit),
        NodeKind::GroupAggregate(aggregate) => emit(aggregate.emit),
        NodeKind::Join(join) => match &join.bound {
            JoinBound::Interval { before_ms, after_ms, .. } if *before_ms < i64::MAX / 8 => {
                let told = |ms: i64| match ms < 0 {
                    true => format!("-{}", told(Duration::from_millis(ms.unsigned_abs()))),
                    false => told(Duration::from_millis(ms.unsigned_abs())),
                };
                format!("the right up to {} before and {} after", told(*before_ms), told(*after_ms))
            }
            JoinBound::Interval { .. } => "both sides until they end".to_owned(),
            JoinBound::Window { .. } => "both sides until the window closes".to_owned(),
            JoinBound::StreamTable => "the table's newest row of each key".to_owned(),
            JoinBound::Temporal { as_of: None } => "the table's versions".to_owned(),
            JoinBound::Temporal { as_of: Some(AsOf { behind_ms, .. }) } if *behind_ms < i64::MAX / 8 => {
                format!("the table's versions, {} longer", told(Duration::from_millis(behind_ms.unsigned_abs())))
            }
            JoinBound::Temporal { .. } => "the table's versions until the input ends".to_owned(),
            JoinBound::Lookup(cache) => format!("the right {}, as of processing; in no checkpoint", lookup(*cache)),
            JoinBound::Updating => "both sides".to_owned(),
        },
        NodeKind::Over(over) if over.is_bounded => "all rows until the input ends".to_owned(),
        NodeKind::Over(over) if over.window_end.is_some() => "all rows until the window closes".to_owned(),
        NodeKind::Over(over) => over.buffer.map_or_else(|| "the rows that frames reach back to".to_owned(), buffered),
        NodeKind::TopN(top) if top.window_end.is_some() => "given once, when the window closes".to_owned(),
        _ => String::new(),
    }
}
