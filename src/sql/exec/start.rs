//! From a plan to a running job: opens sources and sink, finds the checkpoint to go on from, has the tasks connected and
//! starts them. Nothing runs before all of it has succeeded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::again;
use super::assemble::{Assembly, Opened};
use super::budget::Budget;
use super::coordinator::Coordinator;
use super::dead_letters::{DeadLetterTopic, DeadLetters};
use super::ending::{Ending, How};
use super::failures::Failures;
use super::job::Job;
use super::lookup::Lookups;
use super::report::Report;
use super::resume::{Resumed, resume};
use super::settings::JobSettings;
use super::statistics::Statistics;
use super::tasks::TaskSet;
use crate::connectors::contract::{Context, Sink, Source};
use crate::connectors::options::Options;
use crate::connectors::registry::Connectors;
use crate::core::fault::{Blame, Fault};
use crate::kafka::admin::off_the_async_threads;
use crate::sql::parse::uri_without_secrets;
use crate::sql::plan::kept::inferred;
use crate::sql::plan::stream::{Node, NodeKind, StreamPlan};
use crate::sql::state::identity::identities;
use crate::sql::state::manifest::mark_of;

/// Reports that may wait for the coordinator: a few for each task of a large job.
const REPORTS: usize = 256;
/// Between two looks for new splits: a new file is read soon, and a cluster answers a request for metadata in a
/// thousandth of it.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(2);

/// Starts a plan.
pub async fn start(
    plan: StreamPlan,
    mut settings: JobSettings,
    connectors: &Connectors,
    context: &Context,
) -> Result<Job, Fault> {
    let hold = settings.checkpoints.as_ref().map(|checkpoints| checkpoints.store.hold()).transpose()?;
    let sources = Opened::all(&plan).await?;
    let identities = identities(&plan);
    settings.text.ends = ends(&plan, context);
    settings.text.clusters = clusters(&plan);
    for (name, columns) in inferred(&plan) {
        // What it was given is what it had before.
        settings.text.columns.entry(name).or_insert(columns);
    }
    let plan = Arc::new(plan);
    let (mut sink, exactly_once) = open_sink(&plan, &mut settings, connectors, context).await?;
    let committed = sink.open().await?;
    let checkpoints = settings.checkpoints.clone();
    let mut resumed = match &checkpoints {
        Some(checkpoints) => {
            let (store, text) = (Arc::clone(&checkpoints.store), settings.text.clone());
            let (plan, identities) = (Arc::clone(&plan), identities.clone());
            // Gigabytes of state, perhaps.
            off_the_async_threads(move || resume(store.as_ref(), committed, exactly_once, &text, &plan, &identities))
                .await?
        }
        None => Resumed::default(),
    };
    if let Some((epoch, prepared)) = &resumed.commit {
        sink.commit(*epoch, prepared).await?;
    }
    if again::look(&plan, &identities, &sources, &mut resumed).await {
        sink.close(true).await?;
        return Ok(finished(resumed));
    }
    let dead_letters = dead_letters(&plan, &settings, context)?;
    let failures = Arc::new(Failures::new(&settings.name, plan.failure.clone(), dead_letters));
    let token = CancellationToken::new();
    let (reports, reports_in) = mpsc::channel(REPORTS);
    let tasks = TaskSet::new(token.clone(), reports);
    let (commits, commits_in) = mpsc::channel(1);
    let budget = Budget::new(settings.state_bytes_max);
    let lookups = Lookups::of(&plan, &budget, &failures)?;
    lookups.read().await?;
    let (failing, caches) = (Arc::clone(&failures), lookups.caches());
    let assembly = Assembly::new(&plan, &identities, failing, tasks.clone(), budget, caches);
    let writes = sink.connection();
    let assembled = assembly.assemble(sources, &mut resumed, sink, exactly_once, commits_in)?;
    let (orders, orders_in) = mpsc::channel(1);
    let (statistics, statistics_out) = watch::channel(Statistics::default());
    let (ended, ending) = watch::channel(None);
    let growing = assembled.sources.iter().enumerate().filter(|(_, handle)| handle.source.grows());
    let watched: Vec<_> = growing.map(|(index, handle)| (index, Arc::clone(&handle.source))).collect();
    let coordinator = Coordinator {
        job: settings.name,
        text: settings.text,
        checkpoints: checkpoints.clone(),
        hold,
        exactly_once,
        lanes: assembled.lanes,
        sources: assembled.sources,
        writes,
        snapshots: assembled.snapshots,
        tasks: assembled.tasks.len(),
        holding: assembled.holding,
        commits,
        reports: reports_in,
        orders: orders_in,
        stopping: tasks.stopping().clone(),
        token: token.clone(),
        counters: assembled.counters,
        failures,
        statistics,
        epoch: resumed.epoch,
        plan,
    };
    tasks.lead(coordinator.run(), Err, move |ending| {
        ended.send_replace(Some(ending));
    });
    for (name, running) in assembled.tasks {
        tasks.start(name, running);
    }
    for table in lookups.again() {
        tasks.watch("lookup", table.run());
    }
    for (index, source) in watched {
        tasks.watch("discovery", discover(index, source, tasks.reports().clone()));
    }
    Ok(Job {
        orders,
        statistics: statistics_out,
        ending,
        messages: resumed.messages,
        warnings: resumed.warnings,
        begun_from: resumed.epoch,
        has_checkpoints: checkpoints.is_some(),
        guard: token.drop_guard(),
    })
}

/// The marks of the options that the plan's sources and sink were resolved to, by name.
fn ends(plan: &StreamPlan, context: &Context) -> BTreeMap<String, String> {
    let mark = |options: &Options| {
        let mut options = options.clone();
        // A relative path is another place in another folder.
        if let Some(path) = options.get("path").and_then(|path| std::path::absolute(context.folder.join(path)).ok()) {
            options.set("path", path.to_string_lossy(), None);
        }
        mark_of(&options)
    };
    let of = |node: &Node| match &node.kind {
        NodeKind::Source(source) => Some((source.name.clone(), mark(&source.options))),
        NodeKind::Sink(sink) => Some((sink.request.name.clone(), mark(&sink.request.options))),
        _ => None,
    };
    plan.nodes.iter().filter_map(of).map(|(name, mark)| (uri_without_secrets(&name).into_owned(), mark)).collect()
}

/// The cluster that the positions of each source are of, by the source's name.
fn clusters(plan: &StreamPlan) -> BTreeMap<String, String> {
    let of = |node: &Node| match &node.kind {
        NodeKind::Source(source) => {
            Some((uri_without_secrets(&source.name).into_owned(), source.source.cluster()?.to_owned()))
        }
        _ => None,
    };
    plan.nodes.iter().filter_map(of).collect()
}

/// The sink, and whether what it writes becomes visible with checkpoints.
async fn open_sink(
    plan: &StreamPlan,
    settings: &mut JobSettings,
    connectors: &Connectors,
    context: &Context,
) -> Result<(Box<dyn Sink>, bool), Fault> {
    let Some(NodeKind::Sink(node)) = plan.nodes.last().map(|node| &node.kind) else {
        return Err(Fault::new(Blame::Program, "the plan does not end in a sink"));
    };
    if let Some(sink) = settings.sink.take() {
        return Ok((sink, node.request.exactly_once));
    }
    let connector = connectors.get(&node.connector)?;
    Ok((connector.sink(node.request.clone(), context).await?, node.request.exactly_once))
}

/// Where bad records go, where the plan sends them anywhere.
fn dead_letters(
    plan: &StreamPlan,
    settings: &JobSettings,
    context: &Context,
) -> Result<Option<Arc<dyn DeadLetters>>, Fault> {
    if let Some(given) = &settings.dead_letters {
        return Ok(Some(Arc::clone(given)));
    }
    match (&plan.dead_letters, &context.kafka) {
        (Some(topic), Some(kafka)) => Ok(Some(Arc::new(DeadLetterTopic::open(kafka, topic)?))),
        (Some(topic), None) => {
            let what = format!("records go to the dead letters in `{topic}`, and there is no Kafka environment");
            let next =
                "name one with --environment, or choose failure_strategy LogAndContinue and late.data.strategy drop";
            Err(Fault::new(Blame::Operator, what).next(next))
        }
        (None, _) => Ok(None),
    }
}

/// Looks for new splits from time to time.
async fn discover(source: usize, from: Arc<dyn Source>, reports: mpsc::Sender<Report>) {
    let mut looks = tokio::time::interval(DISCOVERY_INTERVAL);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first look was taken before the job began.
    looks.tick().await;
    loop {
        looks.tick().await;
        match from.splits().await {
            Ok(splits) => {
                if reports.send(Report::Discovered { source, splits }).await.is_err() {
                    return;
                }
            }
            // That no broker answers, or that a topic is gone, is said elsewhere, and not with each look.
            Err(fault) if fault.blame == Blame::Connection || from.outage().is_some() => {
                tracing::debug!(target: "velox::sql", "no look for new splits: {fault}");
            }
            Err(fault) => tracing::warn!(target: "velox::sql", "no look for new splits: {fault}"),
        }
    }
}

/// A job that had come to its end before.
fn finished(resumed: Resumed) -> Job {
    let Resumed { messages, warnings, .. } = resumed;
    let (orders, _) = mpsc::channel(1);
    let (_, statistics) = watch::channel(Statistics::default());
    let (_, ending) = watch::channel(Some(Ok(Ending::of_nothing(How::Finished))));
    let guard = CancellationToken::new().drop_guard();
    Job { orders, statistics, ending, messages, warnings, begun_from: 0, has_checkpoints: true, guard }
}
