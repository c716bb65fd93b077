//! Deployed jobs at work in the console: their folder is held and watched, each runs as a job that its owner can order about.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::query::readings::{Readings, nodes};
use crate::app::effect::Beginning;
use crate::app::fact::Fact;
use crate::app::feed::{Intake, Outlet};
use crate::app::model::pipeline::Checkpoint;
use crate::app::supervisor::Assignment;
use crate::clock::now_ms;
use crate::config::Config;
use crate::core::brokers::Whose;
use crate::core::fault::{Blame, Fault};
use crate::core::job::{JobId, Phase};
use crate::core::lock::WholeMutex;
use crate::core::secret::{MASK, is_secret_key};
use crate::sql::deploy::definition::Definition;
use crate::sql::deploy::hold::{Hold, Holder};
use crate::sql::deploy::prepare;
use crate::sql::deploy::run::{Ended, Order, Runner, TOLD_MAX, Told};
use crate::sql::deploy::shelf::{Kept, Shelf};
use crate::sql::plan::session::Session;
use crate::sql::plan::stream::{NodeKind, StreamPlan};

/// Between two looks at the folder: what another process does there is seen while a person waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between two readings of the operators; see [`crate::app::model::pipeline::RATES_MAX`].
const READ_EVERY: Duration = Duration::from_millis(250);

/// What tells the jobs that run here what is wanted of them.
pub type Orders = Arc<Mutex<HashMap<JobId, watch::Sender<Order>>>>;

/// Holds the folder for this console as long as it is open, and tells what is in it whenever that has changed.
pub async fn watch_folder(shelf: Shelf, intake: Intake, stop: CancellationToken) {
    let mut hold: Option<Hold> = None;
    let mut told: Option<(Option<Holder>, Vec<Kept>)> = None;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        let (shelf, held) = (shelf.clone(), hold.take());
        let looked = tokio::task::spawn_blocking(move || look(&shelf, held)).await;
        let Ok((held, keeper, kept, faults)) = looked else { return };
        hold = held;
        // What changes with every look of a job that runs here says nothing new.
        let news = (keeper, kept);
        if told.as_ref() != Some(&news) {
            let (keeper, kept) = news.clone();
            let faults = if told.is_none() { faults } else { Vec::new() };
            intake.tell(Fact::Deployments { keeper, kept, faults }).await;
            told = Some(news);
        }
    }
}

type Looked = (Option<Hold>, Option<Holder>, Vec<Kept>, Vec<Fault>);

fn look(shelf: &Shelf, held: Option<Hold>) -> Looked {
    let mut faults = Vec::new();
    let (hold, keeper) = match held {
        Some(hold) => (Some(hold), None),
        None => match shelf.hold() {
            Ok(Ok(hold)) => (Some(hold), None),
            Ok(Err(holder)) => (None, Some(holder)),
            Err(fault) => {
                faults.push(fault);
                (None, None)
            }
        },
    };
    let (mut kept, broken) = shelf.list();
    for job in &mut kept {
        if job.holder.as_ref().is_some_and(Holder::is_this) {
            job.status = None;
        }
    }
    faults.extend(broken);
    (hold, keeper, kept, faults)
}

/// Whose brokers jobs write to where their text names any.
pub fn elsewhere(config: &Config, jobs: &[Definition]) -> Result<Whose, Fault> {
    let mut all = Whose::default();
    for job in jobs {
        for written in prepare::written(&config.variables, &job.sql, job.statement)? {
            if let Some(brokers) = &written.brokers {
                all.add(config.whose_brokers(brokers, Some(&job.environment)));
            }
        }
    }
    Ok(all)
}

/// Runs a deployed job until it ends, is stopped, or the console is left, which keeps the wish that it runs.
pub async fn run(
    shelf: Shelf,
    definition: Definition,
    from: Beginning,
    session: impl Fn() -> Result<Session, Fault> + Clone + Send + 'static,
    orders: Orders,
    assignment: Assignment,
) -> Result<(), Fault> {
    let Assignment { stop, out } = assignment;
    let (order, ordered) = watch::channel(Order::Run);
    orders.hold().insert(out.job(), order.clone());
    // It is at work once its sources and its sink are open.
    out.phase(Phase::Starting).await;
    let outcome = held(shelf, definition, from, session, (order, ordered), &stop, &out).await;
    orders.hold().remove(&out.job());
    match outcome? {
        Ended::Finished => {}
        // It ends because it was asked to, which is no end of its work.
        Ended::Stopped | Ended::Left | Ended::OnRequest => stop.cancel(),
    }
    Ok(())
}

async fn held(
    shelf: Shelf,
    mut definition: Definition,
    from: Beginning,
    session: impl Fn() -> Result<Session, Fault> + Clone + Send + 'static,
    (order, orders): (watch::Sender<Order>, watch::Receiver<Order>),
    stop: &CancellationToken,
    out: &Outlet,
) -> Result<Ended, Fault> {
    if from == Beginning::New {
        let opening = session.clone();
        let checking = async { is_right(super::off_the_async_threads(opening).await?, &definition).await };
        let mut orders = orders.clone();
        tokio::select! {
            checked = checking => definition.columns = checked?,
            () = stop.cancelled() => return Ok(Ended::Left),
            _ = orders.wait_for(|order| matches!(order, Order::Stop | Order::Savepoint)) => return Ok(Ended::Stopped),
        }
    }
    let (place, begun) = (shelf.clone(), definition);
    let (hold, definition) = super::off_the_async_threads(move || begin(&place, begun, from)).await?;
    let (told, hears) = mpsc::channel(TOLD_MAX);
    let running = Runner { definition, shelf, session, orders, told }.run();
    let hearing = hear(hears, out);
    let leaving = async {
        stop.cancelled().await;
        // The console that is left wishes that it goes on; who stopped it before does not.
        order.send_if_modified(|order| {
            let is_stopped = matches!(*order, Order::Savepoint | Order::Stop);
            *order = if is_stopped { *order } else { Order::Leave };
            !is_stopped
        });
        std::future::pending::<std::convert::Infallible>().await
    };
    let ended = tokio::select! {
        ended = async { tokio::join!(running, hearing).0 } => ended,
        never = leaving => match never {},
    };
    let finishing = super::off_the_async_threads(move || {
        drop(hold);
        ended
    });
    finishing.await
}

/// What is wrong with a new job is told before anything of it is kept. Without its brokers it is not checked: it waits for
/// them, as every deployed job does.
async fn is_right(session: Session, definition: &Definition) -> Result<BTreeMap<String, String>, Fault> {
    match prepare::check(session, definition).await {
        Err(fault) if fault.blame == Blame::Connection => {
            tracing::warn!(target: "velox::sql", job = definition.name, "not checked against its topics: {fault}");
            Ok(BTreeMap::new())
        }
        checked => checked.map(|checked| checked.columns),
    }
}

/// Holds the job, writes what is to be known before it runs, and gives what it is: another process may have changed it since
/// this console saw it.
fn begin(shelf: &Shelf, seen: Definition, from: Beginning) -> Result<(Hold, Definition), Fault> {
    if from == Beginning::New {
        let hold = shelf.hold_job(&seen.name, "console")?;
        shelf.add(&seen)?;
        return Ok((hold, seen));
    }
    let (hold, now) = shelf.hold_seen(&seen, "console")?;
    Ok((hold, shelf.begin_again(now, from == Beginning::Scratch)?))
}

/// Tells the console what the job tells, and reads its counters, until it ends.
async fn hear(mut hears: mpsc::Receiver<Told>, out: &Outlet) {
    let mut readings: Option<Readings> = None;
    let mut reads = tokio::time::interval(READ_EVERY);
    reads.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let told = tokio::select! {
            told = hears.recv() => told,
            _ = reads.tick() => {
                if let Some(readings) = &mut readings {
                    out.pipeline(Arc::new(readings.read()));
                }
                continue;
            }
        };
        let job = out.job().0;
        match told {
            Some(Told::Began { plan, statistics, from, messages }) => {
                for message in messages {
                    tracing::info!(target: "velox::sql", job, "{message}");
                }
                let begun = Readings::new(nodes(&plan), statistics);
                readings = Some(match from {
                    Some(_) => begun.going_on(now_ms()),
                    None => begun,
                });
                let from =
                    from.map(|from| Checkpoint { epoch: from.epoch, bytes: 0, took_ms: 0, at_ms: from.written_ms });
                out.tell(Fact::Deployed { job: out.job(), from, configuration: configuration(&plan) }).await;
                out.phase(Phase::Running).await;
            }
            Some(Told::Lost { fault, attempt }) => {
                tracing::warn!(target: "velox::sql", job, "{fault}");
                out.phase(Phase::Reconnecting { fault, attempt }).await;
            }
            // The connection, or the source, has said it.
            Some(Told::CutOff(fault)) => out.phase(Phase::Reconnecting { fault, attempt: 0 }).await,
            Some(Told::Back) => out.phase(Phase::Running).await,
            Some(Told::Paused) => {
                tracing::info!(target: "velox::sql", job, "a savepoint is written; it waits");
                out.phase(Phase::Paused).await;
            }
            Some(Told::Unsaved(fault)) => tracing::warn!(target: "velox::sql", job, "{fault}"),
            None => break,
        }
    }
    if let Some(readings) = &mut readings {
        out.pipeline(Arc::new(readings.read()));
    }
}

/// Options in effect, secrets masked by their keys.
fn configuration(plan: &StreamPlan) -> Vec<(String, String)> {
    let mut lines = vec![
        ("failure strategy".to_owned(), format!("{:?}", plan.failure)),
        ("late rows".to_owned(), format!("{:?}", plan.late)),
        ("parallelism".to_owned(), plan.parallelism.to_string()),
    ];
    for node in &plan.nodes {
        let (name, options) = match &node.kind {
            NodeKind::Source(source) => (&source.name, &source.options),
            NodeKind::Sink(sink) => (&sink.request.name, &sink.request.options),
            _ => continue,
        };
        for (key, value) in options.iter() {
            let value = if is_secret_key(key) { MASK.to_owned() } else { value.text.clone() };
            lines.push((format!("{name}.{key}"), value));
        }
    }
    lines
}

/// Tells a job that runs here what is wanted.
pub fn order(orders: &Orders, job: JobId, wanted: Order) {
    if let Some(order) = orders.hold().get(&job) {
        order.send_replace(wanted);
    }
}

/// The fault where there is no folder to keep jobs in.
pub fn no_folder() -> Fault {
    Fault::new(Blame::Operator, "there is no folder to keep jobs in").next("set HOME, or give --state-dir FOLDER")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::app::feed::feed;
    use crate::connectors::contract::Context;
    use crate::connectors::options::Options;
    use crate::connectors::registry::builtin;
    use crate::core::job::Update;
    use crate::sql::deploy::definition::Wish;

    const JOB: JobId = JobId(1);

    fn definition() -> Definition {
        let sql = "CREATE SINK nowhere WITH ('connector' = 'discard');
            INSERT INTO nowhere SELECT auction FROM 'generator://nexmark/bid?rate=200'";
        Definition {
            statement: 1,
            checkpoint_interval_ms: 3_600_000,
            created_ms: 1,
            ..Definition::new("count", "sandbox", sql)
        }
    }

    fn session() -> Result<Session, Fault> {
        let context = Context { kafka: None, absent: None, folder: ".".into() };
        Ok(Session::new(builtin(), context, Default::default(), ("discard".to_owned(), Options::default())))
    }

    /// Runs a new job, does something to it once it is at work, and gives what is wished of it when it has ended.
    async fn wish_after(act: impl FnOnce(&Orders, &CancellationToken)) -> Wish {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path());
        let (intake, mut feed) = feed();
        let (orders, stop) = (Orders::default(), CancellationToken::new());
        let assignment = Assignment { stop: stop.clone(), out: intake.outlet(JOB) };
        let running = run(shelf.clone(), definition(), Beginning::New, session, orders.clone(), assignment);
        let acting = async {
            let runs = |fact: &Fact| matches!(fact, Fact::Job(Update::Phase(JOB, Phase::Running)));
            loop {
                feed.ready().await;
                if feed.drain().iter().any(runs) {
                    break act(&orders, &stop);
                }
            }
        };
        let (ended, ()) = tokio::join!(running, acting);
        ended.unwrap();
        shelf.read("count").unwrap().definition.wish
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_that_was_stopped_stays_so_though_the_console_is_left_before_it_has_ended() {
        assert_eq!(wish_after(|_, stop| stop.cancel()).await, Wish::Running);
        let stop_and_leave = |orders: &Orders, stop: &CancellationToken| {
            order(orders, JOB, Order::Savepoint);
            stop.cancel();
        };
        assert_eq!(wish_after(stop_and_leave).await, Wish::Stopped);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_new_job_with_a_wrong_name_in_it_is_refused_and_not_kept() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path());
        let (intake, _feed) = feed();
        let assignment = Assignment { stop: CancellationToken::new(), out: intake.outlet(JOB) };
        let wrong = Definition { sql: definition().sql.replace("SELECT auction", "SELECT auktion"), ..definition() };
        let ended = run(shelf.clone(), wrong, Beginning::New, session, Orders::default(), assignment).await;
        let fault = ended.unwrap_err();
        assert!(fault.what.contains("auktion"), "{fault}");
        assert!(shelf.list().0.is_empty() && !shelf.folder("count").exists(), "nothing of it is kept");
    }

    #[test]
    fn what_another_process_dropped_or_began_anew_is_not_written_back() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path());
        let (hold, seen) = begin(&shelf, definition(), Beginning::New).unwrap();
        drop(hold);
        let (hold, _) = begin(&shelf, seen.clone(), Beginning::Scratch).unwrap();
        drop(hold);
        let (hold, now) = begin(&shelf, seen.clone(), Beginning::Checkpoint).unwrap();
        drop(hold);
        assert_eq!(now.generation, 1);
        shelf.remove("count").unwrap();
        for from in [Beginning::Checkpoint, Beginning::Scratch] {
            let fault = begin(&shelf, seen.clone(), from).unwrap_err();
            assert!(fault.what.contains("there is no job"), "{fault}");
        }
        assert!(shelf.list().0.is_empty());
    }
}
