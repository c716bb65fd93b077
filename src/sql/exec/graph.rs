//! A plan as tasks: which operators share one, how many instances each has, and how rows go from one to the next. It is
//! pure: it starts nothing and opens nothing.

use std::collections::HashMap;

use super::exchange::Exchange;
use crate::sql::plan::stream::{Changes, Expression, JoinBound, Node, NodeId, NodeKind, StreamPlan};

/// The tasks of a plan.
#[derive(Debug)]
pub struct Graph {
    /// Fragments; those that feed others stand before them.
    pub fragments: Vec<Fragment>,
}

/// A chain of operators in one task, once for each instance.
#[derive(Debug)]
pub struct Fragment {
    /// What feeds it.
    pub head: Head,
    /// What its operators are, in order.
    pub steps: Vec<Step>,
    /// Instances side by side.
    pub instances: usize,
    /// What it ends in, where that is the sink.
    pub is_sink: bool,
    /// The node whose output it gives.
    node: NodeId,
}

/// What feeds a fragment.
#[derive(Debug)]
pub enum Head {
    /// A source, read by as many lanes as there are instances.
    Source(NodeId),
    /// Other fragments.
    Edges(Vec<Edge>),
}

/// From one fragment to the next.
#[derive(Debug)]
pub struct Edge {
    /// The fragment that sends.
    pub from: usize,
    /// The port of the first operator.
    pub port: usize,
    /// How rows find their instance.
    pub exchange: Exchange,
}

/// An operator of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The operator of a node.
    Node(NodeId),
    /// Upserts of a source read as a table, to a changelog.
    Upsert(NodeId),
}

impl Graph {
    /// The tasks of a plan, whose sources are read by this many lanes each.
    pub fn new(plan: &StreamPlan, lanes: &HashMap<NodeId, usize>) -> Self {
        let mut readers = vec![0_usize; plan.nodes.len()];
        for input in plan.nodes.iter().flat_map(streams) {
            readers[input.0] += 1;
        }
        let mut builder = Builder { plan, readers, fragments: Vec::new(), made: HashMap::new() };
        for index in Self::flowing(plan) {
            builder.add(index, lanes);
        }
        Self { fragments: builder.fragments }
    }

    /// The nodes that rows of the stream go through, inputs first: all but those that are only looked into.
    pub fn flowing(plan: &StreamPlan) -> Vec<NodeId> {
        let mut reaches = vec![false; plan.nodes.len()];
        if let Some(last) = reaches.last_mut() {
            *last = true;
        }
        // Readers stand behind what they read.
        for index in (0..plan.nodes.len()).rev() {
            if reaches[index] {
                streams(&plan.nodes[index]).iter().for_each(|input| reaches[input.0] = true);
            }
        }
        (0..plan.nodes.len()).filter(|index| reaches[*index]).map(NodeId).collect()
    }

    /// The sources that need not be read any further once `done` wants no more: all their ways to the sink go through it.
    pub fn only_for(plan: &StreamPlan, done: NodeId) -> Vec<NodeId> {
        let mut reaches = vec![false; plan.nodes.len()];
        if let Some(last) = reaches.last_mut() {
            *last = true;
        }
        // Readers stand behind what they read.
        for index in (0..plan.nodes.len()).rev() {
            if reaches[index] && NodeId(index) != done {
                for input in &plan.nodes[index].inputs {
                    reaches[input.0] = true;
                }
            }
        }
        let is_source = |node: &Node| matches!(node.kind, NodeKind::Source(_) | NodeKind::Values(_));
        (0..plan.nodes.len()).filter(|index| is_source(&plan.nodes[*index]) && !reaches[*index]).map(NodeId).collect()
    }

    /// The sources behind a node, itself among them.
    pub fn sources_of(plan: &StreamPlan, node: NodeId) -> Vec<NodeId> {
        let mut open = vec![node];
        let mut sources = Vec::new();
        while let Some(next) = open.pop() {
            if plan.nodes[next.0].inputs.is_empty() && !sources.contains(&next) {
                sources.push(next);
            }
            open.extend(&plan.nodes[next.0].inputs);
        }
        sources
    }
}

struct Builder<'a> {
    plan: &'a StreamPlan,
    readers: Vec<usize>,
    fragments: Vec<Fragment>,
    /// The fragment that gives a node's output.
    made: HashMap<NodeId, usize>,
}

impl Builder<'_> {
    fn add(&mut self, id: NodeId, lanes: &HashMap<NodeId, usize>) {
        let node = &self.plan.nodes[id.0];
        match &node.kind {
            NodeKind::Source(source) => {
                let lanes = lanes.get(&id).copied().unwrap_or(1).max(1);
                let fragment = self.open(Head::Source(id), Vec::new(), lanes, id);
                if let Some(key) = &source.upsert_key {
                    self.add_upsert(id, fragment, key);
                }
            }
            NodeKind::Values(_) => {
                self.open(Head::Source(id), Vec::new(), 1, id);
            }
            // A union is no operator: its readers read all of its inputs.
            NodeKind::Union => {}
            NodeKind::Sink(_) => {
                let edges = self.edges(node, |_| Exchange::Spread);
                let fragment = self.open(Head::Edges(edges), Vec::new(), 1, id);
                self.fragments[fragment].is_sink = true;
            }
            _ => self.add_operator(id, node),
        }
    }

    fn add_upsert(&mut self, id: NodeId, reader: usize, key: &[usize]) {
        let lanes = self.fragments[reader].instances;
        if lanes == 1 && self.plan.parallelism <= 1 {
            self.fragments[reader].steps.push(Step::Upsert(id));
            return;
        }
        let schema = &self.plan.nodes[id.0].schema;
        let columns = key.iter().map(|index| {
            let column = datafusion_physical_expr::expressions::Column::new(schema.field(*index).name(), *index);
            std::sync::Arc::new(column) as Expression
        });
        let edge = Edge { from: reader, port: 0, exchange: Exchange::Hash(columns.collect()) };
        self.open(Head::Edges(vec![edge]), vec![Step::Upsert(id)], self.plan.parallelism, id);
    }

    fn add_operator(&mut self, id: NodeId, node: &Node) {
        let wanted = instances(self.plan, node);
        if let [input] = streams(node)[..]
            && let Some(fragment) = self.made.get(&input).copied()
            && self.readers[input.0] == 1
        {
            let there = self.fragments[fragment].instances;
            if wanted.is_none() || (wanted == Some(1) && there == 1) {
                self.fragments[fragment].steps.push(Step::Node(id));
                self.fragments[fragment].node = id;
                self.made.insert(id, fragment);
                return;
            }
        }
        let instances = match wanted {
            Some(instances) => instances,
            // Stateless behind several: as wide as the widest of them.
            None => self.feeders(node).iter().map(|(_, from)| self.fragments[*from].instances).max().unwrap_or(1),
        };
        let edges = self.edges(node, |port| match keys(node, port) {
            Some(keys) if instances > 1 => Exchange::Hash(keys),
            _ => Exchange::Spread,
        });
        self.open(Head::Edges(edges), vec![Step::Node(id)], instances, id);
    }

    fn open(&mut self, head: Head, steps: Vec<Step>, instances: usize, node: NodeId) -> usize {
        self.fragments.push(Fragment { head, steps, instances, is_sink: false, node });
        let fragment = self.fragments.len() - 1;
        self.made.insert(node, fragment);
        fragment
    }

    fn edges(&self, node: &Node, exchange: impl Fn(usize) -> Exchange) -> Vec<Edge> {
        self.feeders(node).into_iter().map(|(port, from)| Edge { from, port, exchange: exchange(port) }).collect()
    }

    /// Ports and the fragments that feed them, through unions.
    fn feeders(&self, node: &Node) -> Vec<(usize, usize)> {
        let mut feeders = Vec::new();
        for (port, input) in streams(node).iter().enumerate() {
            let mut open = vec![*input];
            while let Some(next) = open.pop() {
                match self.made.get(&next) {
                    Some(fragment) => feeders.push((port, *fragment)),
                    None => open.extend(self.plan.nodes[next.0].inputs.iter().rev()),
                }
            }
        }
        feeders
    }
}

/// The inputs of a node whose rows flow into it; a table that it looks into is none.
pub fn streams(node: &Node) -> &[NodeId] {
    match &node.kind {
        NodeKind::Join(join) if matches!(join.bound, JoinBound::Lookup(_)) => &node.inputs[..1],
        _ => &node.inputs,
    }
}

/// How many instances a node has to have; `None` where any number will do.
fn instances(plan: &StreamPlan, node: &Node) -> Option<usize> {
    match &node.kind {
        NodeKind::Map { .. } | NodeKind::WindowAssign(_) | NodeKind::Unnest(_) => return None,
        // All instances look into one table.
        NodeKind::Join(join) if matches!(join.bound, JoinBound::Lookup(_)) => return None,
        NodeKind::Join(join) if join.null_aware => return Some(1),
        _ => {}
    }
    let is_keyed = !node.inputs.is_empty()
        && (0..node.inputs.len()).all(|port| {
            keys(node, port)
                .is_some_and(|keys| !keys.is_empty() && stay_together(&plan.nodes[node.inputs[port].0], &keys))
        })
        && ports_agree(plan, node);
    Some(if is_keyed { plan.parallelism.max(1) } else { 1 })
}

/// What rows of a port are spread by.
fn keys(node: &Node, port: usize) -> Option<Vec<Expression>> {
    match &node.kind {
        NodeKind::WindowAggregate { aggregate, .. }
        | NodeKind::CarriedWindowAggregate { aggregate, .. }
        | NodeKind::GroupAggregate(aggregate) => Some(aggregate.keys.clone()),
        NodeKind::Join(join) => {
            Some(join.on.iter().map(|(left, right)| if port == 0 { left.clone() } else { right.clone() }).collect())
        }
        NodeKind::Over(over) => Some(over.partition.clone()),
        NodeKind::TopN(top) => Some(top.partition.clone()),
        NodeKind::Deduplicate { keys, .. } => Some(keys.clone()),
        _ => None,
    }
}

/// Whether all changes of a row of `input` go to one instance when spread by `keys`. Otherwise the old half and the new
/// half would travel on two ways, and the later could come first.
fn stay_together(input: &Node, keys: &[Expression]) -> bool {
    input.changes == Changes::Append
        || keys.iter().all(|key| {
            key.as_any()
                .downcast_ref::<datafusion_physical_expr::expressions::Column>()
                .is_some_and(|column| input.key.contains(&column.index()))
        })
}

/// Whether equal keys of all ports have equal hashes: only values of one type do.
fn ports_agree(plan: &StreamPlan, node: &Node) -> bool {
    let types = |port: usize| {
        let schema = &plan.nodes[node.inputs[port].0].schema;
        keys(node, port).unwrap_or_default().iter().map(|key| key.data_type(schema).ok()).collect::<Option<Vec<_>>>()
    };
    (1..node.inputs.len()).all(|port| types(port).is_some() && types(port) == types(0))
}
