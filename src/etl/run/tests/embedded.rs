//! Runs on the embedded broker: what the report says is what the topic holds.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::*;
use crate::core::environment::Environment;
use crate::kafka::embedded::EmbeddedBroker;

fn environment(name: &str, bootstrap: &str) -> Arc<Environment> {
    let value = json!({"environment": name, "kafka": {"bootstrap_servers": bootstrap}});
    Arc::new(serde_json::from_value(value).unwrap())
}

fn deps(engine: Engine, environments: &[Arc<Environment>]) -> Deps {
    let named = environments.iter().map(|one| (one.environment.clone(), Arc::clone(one)));
    Deps { engine, environments: named.collect(), reached: Default::default(), auth: Arc::new(AuthRegistry::default()) }
}

/// Records on a topic, by partition.
fn held(broker: &EmbeddedBroker, topic: &str) -> Vec<i64> {
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", broker.bootstrap_servers()).create().unwrap();
    let wait = Duration::from_secs(10);
    let partitions = client.fetch_metadata(Some(topic), wait).unwrap().topics()[0].partitions().len();
    (0..partitions as i32)
        .map(|partition| {
            let (low, high) = client.fetch_watermarks(topic, partition, wait).unwrap();
            high - low
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_events_are_on_the_topic_and_in_the_report() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("qa.orders", 3).unwrap();
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let keyed = Etl { key_template: Some("{{ event_index }}".into()), ..etl("orders", &["qa"]) };
    let plan = plan(vec![keyed], &["qa"], &request(1_000));
    let deps = deps(engine, &[environment("qa", broker.bootstrap_servers())]);
    let report = run(&plan, RunOptions::default(), deps, CancellationToken::new(), quiet).await;
    adds_up(&report);
    assert_eq!((report.verdict, report.total.counts.acknowledged), (Verdict::Done, 1_000), "{report:#?}");
    assert_eq!(report.total.steps.acknowledge.unwrap().count, 1_000);
    let held = held(&broker, "qa.orders");
    assert_eq!(held.iter().sum::<i64>(), 1_000);
    assert!(held.iter().all(|records| *records > 0), "keys spread over partitions: {held:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_partition_gets_everything() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("qa.orders", 3).unwrap();
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let forced = Etl {
        partition: Some(2),
        key_template: Some("{{ event_index }}".into()),
        extra: [("linger_ms".to_owned(), crate::core::environment::Scalar::Integer(1))].into_iter().collect(),
        ..etl("orders", &["qa"])
    };
    let plan = plan(vec![forced], &["qa"], &request(100));
    let deps = deps(engine, &[environment("qa", broker.bootstrap_servers())]);
    let report = run(&plan, RunOptions::default(), deps, CancellationToken::new(), quiet).await;
    adds_up(&report);
    assert_eq!(held(&broker, "qa.orders"), [0, 0, 100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_flight_and_the_report_agrees_with_the_topic() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("qa.orders", 1).unwrap();
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let plan = plan(vec![etl("orders", &["qa"])], &["qa"], &request(1_000_000));
    let deps = deps(engine, &[environment("qa", broker.bootstrap_servers())]);
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let progress = move |progress: Arc<RunProgress>| {
        if progress.total().acknowledged > 500 {
            stopper.cancel();
        }
    };
    let report = run(&plan, RunOptions::default(), deps, stop, progress).await;
    adds_up(&report);
    let counts = report.total.counts;
    assert_eq!((report.verdict, counts.failed), (Verdict::Stopped, 0), "{report:#?}");
    assert!(counts.acknowledged > 500 && counts.not_sent > 0);
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", broker.bootstrap_servers()).create().unwrap();
    // The embedded broker forgets old records; its end offset does not.
    let (_, end) = client.fetch_watermarks("qa.orders", 0, Duration::from_secs(10)).unwrap();
    assert_eq!(end as u64, counts.acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_away_and_comes_back_costs_time_and_no_event() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("qa.orders", 1).unwrap();
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let plan = plan(vec![etl("orders", &["qa"])], &["qa"], &request(3_000));
    let deps = deps(engine, &[environment("qa", broker.bootstrap_servers())]);
    let options = RunOptions { rate_events_per_second: Some(3_000), ..RunOptions::default() };
    let (down_at, back) = (Mutex::new(None), Mutex::new(false));
    let progress = |progress: Arc<RunProgress>| {
        let mut down_at = down_at.lock().unwrap();
        match *down_at {
            None if progress.total().acknowledged > 100 => {
                broker.take_down().unwrap();
                *down_at = Some(progress.elapsed_ms);
            }
            Some(at) if progress.elapsed_ms > at + 500 && !*back.lock().unwrap() => {
                broker.bring_up().unwrap();
                *back.lock().unwrap() = true;
            }
            _ => {}
        }
    };
    let report = run(&plan, options, deps, CancellationToken::new(), progress).await;
    adds_up(&report);
    assert_eq!((report.verdict, report.total.counts.acknowledged), (Verdict::Done, 3_000), "{report:#?}");
    assert!(*back.lock().unwrap());
    assert_eq!(held(&broker, "qa.orders"), [3_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_one_fault_and_not_a_long_wait() {
    let (_folder, engine) = engine(&[("orders.json.j2", PAYLOAD)]);
    let plan = plan(vec![etl("orders", &["qa"])], &["qa"], &request(1_000));
    // Port 9 (discard) is reserved and listened on nowhere.
    let deps = deps(engine, &[environment("qa", "127.0.0.1:9")]);
    let report = run(&plan, RunOptions::default(), deps, CancellationToken::new(), quiet).await;
    adds_up(&report);
    assert_eq!((report.verdict, report.faults.len(), report.total.counts.failed), (Verdict::Connection, 1, 1_000));
}
