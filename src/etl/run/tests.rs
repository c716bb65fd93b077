//! Runs: on the embedded broker, dry, and through a scripted way out that fails as it likes, where the accounts must
//! agree with what that way out saw.
#![allow(clippy::unwrap_used)]

mod embedded;
mod scripted;

use std::fs;
use std::sync::Mutex;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::core::environment::Guard;
use crate::core::etl::Etl;
use crate::core::runner::{EventConfig, RunnerConfig};
use crate::etl::examples::etl;
use crate::etl::plan::Target;
use crate::etl::registry::Registry;
use crate::etl::report::Verdict;

/// A payload that says whose it is.
const PAYLOAD: &str = r#"{"etl": "{{ etl_name }}", "to": "{{ environment }}", "index": {{ event_index }}}"#;

fn engine(templates: &[(&str, &str)]) -> (TempDir, Engine) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("payloads")).unwrap();
    for (name, text) in templates {
        fs::write(folder.path().join("payloads").join(name), text).unwrap();
    }
    let engine = Engine::builder(folder.path()).build();
    (folder, engine)
}

fn plan(etls: Vec<Etl>, environments: &[&str], request: &Request) -> Plan {
    let mut registry = Registry::new();
    etls.into_iter().for_each(|etl| registry.register(etl));
    let target = |name: &&str| Target {
        name: (*name).into(),
        guard: Guard::None,
        rate_limit_events_per_second: None,
        fault: None,
    };
    let targets: Vec<Target> = environments.iter().map(target).collect();
    Plan::make(&registry, &targets, request).unwrap()
}

fn request(count: u64) -> Request {
    Request { events: EventConfig { count, ..EventConfig::default() }, ..Request::default() }
}

fn quiet(_: Arc<RunProgress>) {}

async fn dry(plan: &Plan, engine: &Engine, options: RunOptions) -> RunReport {
    run_through(plan, options, engine, &dry::DryRun, CancellationToken::new(), quiet).await
}

fn adds_up(report: &RunReport) {
    let counts = report.total.counts;
    assert_eq!(counts.planned, counts.acknowledged + counts.failed + counts.not_sent, "{report:#?}");
    assert_eq!(report.total.causes.values().sum::<u64>(), counts.failed);
    assert_eq!(report.total.not_sent_because.values().sum::<u64>(), counts.not_sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_renders_everything_in_order_and_opens_nothing() {
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let plan = plan(vec![Etl { batch_size: Some(7), ..etl("orders", &["qa"]) }], &["qa"], &request(1_000));
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let keeps = Arc::clone(&seen);
    let on_event: OnEvent = Arc::new(move |event: &RunEvent<'_>| {
        let value: serde_json::Value = serde_json::from_slice(event.record.value.unwrap()).unwrap();
        assert_eq!(value, json!({"etl": "orders", "to": "qa", "index": event.index}));
        keeps.lock().unwrap().push(event.index);
    });
    let options = RunOptions { dry_run: true, on_event: Some(on_event), ..RunOptions::default() };
    let deps = Deps {
        engine,
        environments: HashMap::new(),
        reached: Default::default(),
        auth: Arc::new(AuthRegistry::default()),
    };
    let report = run(&plan, options, deps, CancellationToken::new(), quiet).await;
    adds_up(&report);
    assert_eq!((report.verdict, report.total.counts.acknowledged), (Verdict::Done, 1_000));
    assert_eq!(*seen.lock().unwrap(), (0..1_000).collect::<Vec<_>>());
    assert_eq!(report.total.steps.render.unwrap().count, 1_000);
    assert_eq!(report.total.steps.acknowledge, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_render_fails_alone_and_says_where() {
    let text = r#"{"n": {{ event_index if event_index != 3 else nothing_here }}}"#;
    let (_folder, engine) = engine(&[("orders.json.j2", text)]);
    let plan = plan(vec![etl("orders", &["qa"])], &["qa"], &request(10));
    let report = dry(&plan, &engine, RunOptions::default()).await;
    adds_up(&report);
    assert_eq!((report.verdict, report.total.counts.failed), (Verdict::SomeFailed, 1));
    let cause = report.total.causes.keys().next().unwrap();
    assert!(cause.contains("orders.json.j2:1:") && cause.contains("`nothing_here` is not defined"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fail_fast_leaves_the_rest_not_sent() {
    let (_folder, engine) = engine(&[("orders.json.j2", "{{ 1 if event_index < 5 else nothing_here }}")]);
    let plan = plan(vec![etl("orders", &["qa"])], &["qa"], &request(1_000));
    let execution = Execution { fail_fast: true, parallel_workers: 1, ..Execution::default() };
    let report = dry(&plan, &engine, RunOptions { execution, ..RunOptions::default() }).await;
    adds_up(&report);
    assert_eq!((report.verdict, report.total.counts.failed), (Verdict::SomeFailed, 1));
    assert_eq!(report.total.not_sent_because[&NotSent::GivenUp], 994);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_missing_fails_its_own_etl_only_unless_errors_end_the_run() {
    let (_folder, engine) = engine(&[("good.json.j2", PAYLOAD)]);
    let plan = plan(vec![etl("bad", &["qa"]), etl("good", &["qa"])], &["qa"], &request(10));
    let report = dry(&plan, &engine, RunOptions::default()).await;
    adds_up(&report);
    assert_eq!((report.etls["bad"].counts.failed, report.etls["good"].counts.acknowledged), (10, 10));
    assert_eq!(report.verdict, Verdict::SomeFailed);
    let execution = Execution { continue_on_error: false, ..Execution::default() };
    let report = dry(&plan, &engine, RunOptions { execution, ..RunOptions::default() }).await;
    adds_up(&report);
    assert_eq!((report.etls["bad"].counts.failed, report.etls["good"].counts.not_sent), (10, 10));
    assert_eq!(report.verdict, Verdict::Configuration);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_out_of_time_counts_what_it_did_not_make() {
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let plan = plan(vec![etl("orders", &["qa"])], &["qa"], &request(1_000_000));
    let options = RunOptions {
        timeout: Some(Duration::from_millis(100)),
        delay: Duration::from_millis(1),
        ..RunOptions::default()
    };
    let report = dry(&plan, &engine, options).await;
    adds_up(&report);
    assert_eq!(report.verdict, Verdict::TimedOut);
    assert!(report.total.counts.acknowledged > 0);
    assert_eq!(report.total.not_sent_because[&NotSent::TimedOut], report.total.counts.not_sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_out_of_time_leaves_the_other_pairs_alone() {
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD), ("late.json.j2", PAYLOAD)]);
    let limited = plan(vec![etl("late", &["qa"]), etl("orders", &["qa"])], &["qa"], &request(50));
    let options = RunOptions {
        timeout_per_etl: Some(Duration::from_millis(120)),
        delay: Duration::from_millis(10),
        execution: Execution { parallel_workers: 1, ..Execution::default() },
        ..RunOptions::default()
    };
    let report = dry(&limited, &engine, options).await;
    adds_up(&report);
    for tally in report.etls.values() {
        assert!(tally.counts.acknowledged > 0 && tally.not_sent_because[&NotSent::TimedOut] > 0, "{tally:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_ends_with_the_counts_of_the_report() {
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let plan = plan(vec![etl("orders", &["qa", "dev"])], &["qa", "dev"], &request(100));
    let last: Mutex<Option<Arc<RunProgress>>> = Mutex::default();
    let keep = |progress| *last.lock().unwrap() = Some(progress);
    let report = run_through(&plan, RunOptions::default(), &engine, &dry::DryRun, CancellationToken::new(), keep).await;
    assert_eq!(last.into_inner().unwrap().unwrap().total(), report.total.counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_reads_as_text_and_as_json() {
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let mut request = request(10);
    request.runner = RunnerConfig { dry_run: true, ..RunnerConfig::default() };
    request.runner.limits.max_events_per_etl = Some(15);
    let plan = plan(vec![etl("orders", &["dev", "qa", "prod"])], &["dev", "qa", "prod"], &request);
    let report = dry(&plan, &engine, RunOptions::of(&request)).await;
    use crate::etl::report::tables::Look;
    let summary = report.summary(Look::Plain);
    assert!(summary.starts_with("Done: 15 of 15 events rendered, nothing sent\n"), "{summary}");
    assert!(summary.contains("environment qa"), "{summary}");
    assert!(summary.ends_with("not run: orders to prod: max_events_per_etl leaves nothing for it"), "{summary}");
    let detailed = report.detailed(Look::Ruled);
    assert!(detailed.contains("orders → dev") && detailed.contains("p99 ms"), "{detailed}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["verdict"], &json["total"]["planned"]), (&json!("done"), &json!(15)));
    assert_eq!(json["pairs"][1]["acknowledged"], json!(5));
}

#[test]
fn a_renderer_that_panics_ends_the_run_though_another_waits_for_its_turn() {
    const PATIENCE: Duration = Duration::from_secs(10);
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("payloads")).unwrap();
    fs::write(folder.path().join("payloads/orders.json.j2"), "{{ event_index | first_panics }}").unwrap();
    let next_batch = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let first_panics = move |index: u64| {
        use std::sync::atomic::Ordering::SeqCst;
        next_batch.fetch_or(index > 0, SeqCst);
        let began = Instant::now();
        // With one core there is one renderer, and nobody who waits.
        while index == 0 && !next_batch.load(SeqCst) && began.elapsed() < PATIENCE / 10 {
            std::thread::yield_now();
        }
        assert!(index > 0, "a filter with a defect");
        index
    };
    let engine = Engine::builder(folder.path()).filter("first_panics", first_panics).build();
    let plan = plan(vec![Etl { batch_size: Some(1), ..etl("orders", &["qa"]) }], &["qa"], &request(100));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (done, outcome) = std::sync::mpsc::sync_channel(1);
    runtime.spawn(async move {
        let running = std::panic::AssertUnwindSafe(dry(&plan, &engine, RunOptions::default()));
        done.send(futures::FutureExt::catch_unwind(running).await.is_err()).ok();
    });
    let panicked = outcome.recv_timeout(PATIENCE);
    runtime.shutdown_background();
    assert_eq!(panicked, Ok(true), "the panic is told and nobody waits for ever");
}
