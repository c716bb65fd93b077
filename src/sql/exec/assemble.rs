//! Connects the tasks of a job: lanes, workers and the sink, with channels between them and the state they had. It opens
//! nothing and starts nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::budget::Budget;
use super::build::build;
use super::chain::{Chain, Running};
use super::coordinator::SourceHandle;
use super::failures::Failures;
use super::graph::{Graph, Head, Step};
use super::inlet::Inlet;
use super::lookup::Caches;
use super::operator::StateTable;
use super::orders::LaneHandle;
use super::report::{Commit, LaneOrder};
use super::resume::{Resumed, upsert_identity};
use super::sink::SinkTask;
use super::source::{Lane, Opening, Shape, Values, room};
use super::statistics::Counters;
use super::tasks::TaskSet;
use super::wires::Wires;
use super::worker::{Work, Worker};
use crate::connectors::contract::{Columns, Sink, Split};
use crate::core::fault::Fault;
use crate::sql::plan::stream::{EventTime, IDLE_TIMEOUT, NodeId, NodeKind, SourceNode, StreamPlan, WatermarkSpec};
use crate::sql::state::manifest::SplitState;
use crate::sql::state::spread::spread;

/// Orders in the channel of a lane: splits, a barrier and an end are all that is given before it looks. Where it does not
/// look, more wait with the coordinator.
const LANE_ORDERS: usize = 4;

/// A task that is ready to run.
type Ready = (String, BoxFuture<'static, Result<(), Fault>>);

/// A source of the plan with the splits that it has now.
pub struct Opened {
    /// Its node.
    pub id: NodeId,
    /// The source.
    pub node: SourceNode,
    /// Its splits.
    pub splits: Vec<Split>,
}

impl Opened {
    /// The sources of a plan, literal tables among them.
    ///
    /// # Errors
    /// A source that cannot say what it consists of.
    pub async fn all(plan: &StreamPlan) -> Result<Vec<Self>, Fault> {
        let mut opened = Vec::new();
        for id in Graph::flowing(plan) {
            let node = &plan.nodes[id.0];
            let source = match &node.kind {
                NodeKind::Source(source) => source.clone(),
                NodeKind::Values(batches) => SourceNode {
                    name: "values".into(),
                    source: Arc::new(Values::new(Arc::clone(&node.schema), batches.clone())),
                    columns: Columns::default(),
                    has_event_time: false,
                    event_time: EventTime::Record,
                    watermark: WatermarkSpec {
                        out_of_orderness: std::time::Duration::ZERO,
                        idle_timeout: IDLE_TIMEOUT,
                    },
                    upsert_key: None,
                    state_ttl: None,
                    options: crate::connectors::options::Options::default(),
                },
                _ => continue,
            };
            let splits = source.source.splits().await?;
            opened.push(Self { id, node: source, splits });
        }
        Ok(opened)
    }

    fn lanes(&self, plan: &StreamPlan) -> usize {
        self.splits.len().clamp(1, plan.parallelism.max(1))
    }
}

/// Everything that the coordinator leads.
pub struct Assembled {
    /// Tasks, ready to run.
    pub tasks: Vec<Ready>,
    /// Lanes of all sources.
    pub lanes: Vec<LaneHandle>,
    /// Sources.
    pub sources: Vec<SourceHandle>,
    /// Tasks that report a snapshot for each checkpoint.
    pub snapshots: usize,
    /// Tasks that hold a stream back until its table has caught up.
    pub holding: Arc<AtomicUsize>,
    /// Counters by node, in the plan's order.
    pub counters: Vec<(usize, Arc<Counters>)>,
}

/// Connects the tasks of a job.
pub struct Assembly<'a> {
    plan: &'a StreamPlan,
    identities: &'a [String],
    failures: Arc<Failures>,
    tasks: TaskSet,
    budget: Arc<Budget>,
    caches: Caches,
    counters: Vec<(usize, Arc<Counters>)>,
}

impl<'a> Assembly<'a> {
    /// The tasks of this plan, whose state comes to no more than `budget`, and whose joins look into `caches`.
    pub fn new(
        plan: &'a StreamPlan,
        identities: &'a [String],
        failures: Arc<Failures>,
        tasks: TaskSet,
        budget: Arc<Budget>,
        caches: Caches,
    ) -> Self {
        Self { plan, identities, failures, tasks, budget, caches, counters: Vec::new() }
    }

    /// Connects everything.
    ///
    /// # Errors
    /// A plan that does not fit together; state that does not fit an unchanged text.
    pub fn assemble(
        mut self,
        sources: Vec<Opened>,
        resumed: &mut Resumed,
        sink: Box<dyn Sink>,
        exactly_once: bool,
        commits: mpsc::Receiver<Commit>,
    ) -> Result<Assembled, Fault> {
        let lanes = sources.iter().map(|source| (source.id, source.lanes(self.plan))).collect();
        let graph = Graph::new(self.plan, &lanes);
        let mut wires = Wires::new(&graph);
        let mut assembled = Assembled {
            tasks: Vec::new(),
            lanes: Vec::new(),
            sources: Vec::new(),
            snapshots: 0,
            holding: Arc::default(),
            counters: Vec::new(),
        };
        let mut sources: HashMap<NodeId, Opened> = sources.into_iter().map(|source| (source.id, source)).collect();
        let mut last = Some((sink, commits));
        for (index, fragment) in graph.fragments.iter().enumerate() {
            let chains = self.chains(&fragment.steps, fragment.instances, resumed)?;
            let works = chains.into_iter().enumerate().map(|(instance, chain)| Work {
                chain,
                outlets: wires.outlets(index, instance),
                failures: Arc::clone(&self.failures),
                reports: self.tasks.reports().clone(),
                watermark: i64::MIN,
            });
            let works: Vec<_> = works.collect();
            match &fragment.head {
                Head::Source(id) => {
                    if let Some(source) = sources.remove(id) {
                        self.add_lanes(source, works, resumed, &mut assembled)?;
                    }
                }
                Head::Edges(_) if fragment.is_sink => {
                    if let Some((sink, commits)) = last.take() {
                        let task = self.sink_task(wires.inlet(index, 0), sink, exactly_once, commits);
                        let token = self.tasks.token().clone();
                        assembled.tasks.push(("sink".into(), task.run(token).boxed()));
                    }
                }
                Head::Edges(_) => {
                    for (instance, work) in works.into_iter().enumerate() {
                        let holding = self.holds(&fragment.steps, &work).then(|| Arc::clone(&assembled.holding));
                        let port = work.chain.preferred_port();
                        let surely = holding.is_some() && self.surely_ends(&fragment.steps, port);
                        let inlet = wires.inlet(index, instance).preferring(port, holding, surely);
                        let name = self.name(&fragment.steps, instance);
                        let running = Worker { inlet, work }.run();
                        assembled.tasks.push((name, self.cancellable(running)));
                        assembled.snapshots += 1;
                    }
                }
            }
        }
        self.counters.sort_by_key(|(node, _)| *node);
        assembled.counters = self.counters;
        Ok(assembled)
    }

    /// A chain for each instance, with the state it had.
    fn chains(&mut self, steps: &[Step], instances: usize, resumed: &mut Resumed) -> Result<Vec<Chain>, Fault> {
        let mut chains: Vec<Vec<Running>> = (0..instances).map(|_| Vec::new()).collect();
        for step in steps {
            let (Step::Node(id) | Step::Upsert(id)) = *step;
            let (label, identity) = match step {
                Step::Node(_) => (self.plan.nodes[id.0].label.clone(), self.identities[id.0].clone()),
                Step::Upsert(_) => {
                    let label = format!("newest rows of {}", self.plan.nodes[id.0].label);
                    (label, upsert_identity(&self.identities[id.0]))
                }
            };
            let lookup = self.caches.get(&id).map(|cache| Arc::clone(cache.counters()));
            let counters = Counters::looking_into(label, instances, lookup);
            self.counters.push((id.0, Arc::clone(&counters)));
            let state = spread(resumed.tables.remove(&identity).unwrap_or_default(), instances)?;
            for (chain, tables) in chains.iter_mut().zip(state) {
                chain.push(Running {
                    operator: self.restored(*step, &counters.label, tables, resumed)?,
                    counters: Arc::clone(&counters),
                    node: id.0,
                    identity: identity.clone(),
                    watermark: i64::MIN,
                    state: (0, 0),
                    is_done: false,
                });
            }
        }
        let budget = &self.budget;
        let chains = chains.into_iter().enumerate();
        Ok(chains.map(|(instance, steps)| Chain::new(steps, instance, Arc::clone(budget))).collect())
    }

    fn restored(
        &self,
        step: Step,
        label: &str,
        tables: Vec<StateTable>,
        resumed: &mut Resumed,
    ) -> Result<Box<dyn super::operator::Operator>, Fault> {
        let mut operator = build(self.plan, step, &self.caches)?;
        match Chain::restore(operator.as_mut(), tables) {
            Ok(()) => Ok(operator),
            Err(fault) if resumed.has_changed => {
                resumed.warnings.push(format!("dropped the state of `{label}`: {}", fault.what));
                build(self.plan, step, &self.caches)
            }
            Err(fault) => {
                let what = format!("the state of `{label}` cannot be restored: {}", fault.what);
                Err(Fault { what, ..fault })
            }
        }
    }

    fn add_lanes(
        &mut self,
        opened: Opened,
        works: Vec<Work>,
        resumed: &mut Resumed,
        assembled: &mut Assembled,
    ) -> Result<(), Fault> {
        let Opened { id, node, splits } = opened;
        let identity = self.identities[id.0].clone();
        let schema = Arc::clone(&self.plan.nodes[id.0].schema);
        let shape = Shape::new(&node, schema);
        let counters = Counters::of_source(self.plan.nodes[id.0].label.clone(), works.len());
        self.counters.push((id.0, Arc::clone(&counters)));
        let (mut known, restored_watermark) = resumed.source(&identity, node.watermark.out_of_orderness);
        // A split that a checkpoint of this source does not know appeared after it.
        let goes_on = !known.is_empty();
        let unknown = |split: &Split| SplitState {
            position: goes_on.then(|| node.source.beginning(split)).flatten(),
            ..SplitState::new(split.clone())
        };
        let states: Vec<SplitState> =
            splits.iter().map(|split| known.remove(&split.0).unwrap_or_else(|| unknown(split))).collect();
        let (over, gone): (Vec<_>, Vec<_>) = known.into_values().partition(|split| split.has_ended);
        for split in gone {
            let what =
                format!("`{}` of source `{}` is not there any more and is read no further", split.split.0, node.name);
            resumed.messages.push(what);
        }
        let lanes = works.len();
        let mut dealt: Vec<Vec<SplitState>> = vec![Vec::new(); lanes];
        let all: Vec<SplitState> = states.into_iter().chain(over).collect();
        let assigned: HashSet<Split> = all.iter().map(|split| split.split.clone()).collect();
        for (index, split) in all.into_iter().enumerate() {
            dealt[index % lanes].push(split);
        }
        let source = assembled.sources.len();
        let opening = Opening {
            source: Arc::clone(&node.source),
            columns: node.columns.clone(),
            name: node.name.clone(),
            retries: self.failures.strategy().retries(),
            counters: Arc::clone(&counters),
        };
        let rests = node.source.rests();
        let room = (node.source.is_bounded() || rests.is_some()).then(|| room(lanes));
        for (instance, (work, splits)) in works.into_iter().zip(dealt).enumerate() {
            let (orders, orders_in) = mpsc::channel(LANE_ORDERS);
            // There is room: the channel is new.
            orders.try_send(LaneOrder::Assign(splits)).ok();
            let lane = Lane {
                number: assembled.lanes.len(),
                instance,
                identity: identity.clone(),
                opening: opening.clone(),
                shape: shape.clone(),
                watermark: node.watermark,
                is_bounded: node.source.is_bounded(),
                grows: node.source.grows(),
                rests,
                room,
                counters: Arc::clone(&counters),
                orders: orders_in,
                work,
                restored_watermark,
            };
            assembled.lanes.push(LaneHandle::new(source, orders));
            let name = format!("{} {instance}", counters.label);
            assembled.tasks.push((name, self.cancellable(lane.run())));
            assembled.snapshots += 1;
        }
        assembled.sources.push(SourceHandle { node: id, source: node.source, identity, known: assigned });
        Ok(())
    }

    fn sink_task(
        &mut self,
        inlet: Inlet,
        sink: Box<dyn Sink>,
        exactly_once: bool,
        commits: mpsc::Receiver<Commit>,
    ) -> SinkTask {
        let node = self.plan.nodes.len() - 1;
        let counters = Counters::new(self.plan.nodes[node].label.clone(), 1);
        self.counters.push((node, Arc::clone(&counters)));
        SinkTask {
            inlet,
            sink,
            exactly_once,
            commits,
            counters,
            failures: Arc::clone(&self.failures),
            reports: self.tasks.reports().clone(),
            stopping: self.tasks.stopping().clone(),
            is_dirty: false,
        }
    }

    /// Whether the other ports of a chain wait for the one it would rather hear first. Ports that one source feeds
    /// cannot: it would wait for itself.
    fn holds(&self, steps: &[Step], work: &Work) -> bool {
        let (Some(port), Some(Step::Node(id))) = (work.chain.preferred_port(), steps.first()) else { return false };
        let inputs = &self.plan.nodes[id.0].inputs;
        let Some(preferred) = inputs.get(port) else { return false };
        let first = Graph::sources_of(self.plan, *preferred);
        let others = inputs.iter().enumerate().filter(|(other, _)| *other != port);
        others.flat_map(|(_, other)| Graph::sources_of(self.plan, *other)).all(|source| !first.contains(&source))
    }

    /// Whether a port is sure to end while the others are held: it has an end, and nobody reads what another reads too, so
    /// that who is held keeps rows from nobody else.
    fn surely_ends(&self, steps: &[Step], port: Option<usize>) -> bool {
        let (Some(port), Some(Step::Node(id))) = (port, steps.first()) else { return false };
        let Some(input) = self.plan.nodes[id.0].inputs.get(port) else { return false };
        let is_bounded = |source: &NodeId| match &self.plan.nodes[source.0].kind {
            NodeKind::Source(source) => source.source.is_bounded(),
            _ => true,
        };
        let mut read = HashSet::new();
        let is_tree = self.plan.nodes.iter().flat_map(|node| &node.inputs).all(|input| read.insert(*input));
        is_tree && Graph::sources_of(self.plan, *input).iter().all(is_bounded)
    }

    fn name(&self, steps: &[Step], instance: usize) -> String {
        let label = steps.first().map(|step| {
            let (Step::Node(id) | Step::Upsert(id)) = step;
            self.plan.nodes[id.0].label.as_str()
        });
        format!("{} {instance}", label.unwrap_or("operators"))
    }

    fn cancellable(
        &self,
        running: impl Future<Output = Result<(), Fault>> + Send + 'static,
    ) -> BoxFuture<'static, Result<(), Fault>> {
        let token = self.tasks.token().clone();
        async move { token.run_until_cancelled(running).await.unwrap_or(Ok(())) }.boxed()
    }
}
