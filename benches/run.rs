//! What a run costs without a broker: planning, looking a name up, and the whole way from index to bytes.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use velox::core::environment::Guard;
use velox::core::etl::Etl;
use velox::core::runner::{EventConfig, RunnerConfig};
use velox::etl::context::{Layers, Moving, Shared, Stamp};
use velox::etl::plan::{Plan, Request, Target};
use velox::etl::registry::Registry;
use velox::etl::run::{Deps, RunOptions, run};
use velox::template::Engine;

const EVENTS: u64 = 20_000;

fn etl(name: &str) -> Etl {
    let file = std::fs::read_to_string("config/etl/customer_update.yaml").unwrap();
    let mut etl: Etl = serde_yaml::from_str(&file).unwrap();
    etl.name = name.into();
    etl
}

fn targets() -> Vec<Target> {
    let target =
        |name: &str| Target { name: name.into(), guard: Guard::None, rate_limit_events_per_second: None, fault: None };
    ["dev", "qa", "staging", "uat", "preprod", "prod"].map(target).to_vec()
}

/// Fields that bring the document's payload to about 1 KB.
fn context() -> Map<String, Value> {
    let fields: Map<String, Value> = (0..7)
        .map(|number| (format!("field_{number}"), json!(format!("value {number} of a customer's record"))))
        .collect();
    json!({"customer_id": "CUST-12345", "source_system": "bench", "fields": fields}).as_object().unwrap().clone()
}

fn request(count: u64) -> Request {
    let runner = RunnerConfig { dry_run: true, ..RunnerConfig::default() };
    Request {
        runner,
        events: EventConfig { count, ..EventConfig::default() },
        context: context(),
        ..Request::default()
    }
}

fn planning(bench: &mut Criterion) {
    let mut registry = Registry::new();
    (0..100).for_each(|number| registry.register(etl(&format!("etl_{number}"))));
    let (targets, mut request) = (targets(), request(1_000));
    request.runner.limits.max_total_events = Some(100_000);
    bench.bench_function("plan 100 ETLs to 6 environments", |bench| {
        bench.iter(|| Plan::make(&registry, &targets, &request).unwrap().total);
    });
}

fn looking_up(bench: &mut Criterion) {
    let shared = Arc::new(Shared::new(Layers::of([&context()]), None, ("customer_update", "qa", "qa.topic"), EVENTS));
    let mut moving = Moving::new(Arc::clone(&shared), Stamp::new(0));
    bench.bench_function("move a context to the next event", |bench| {
        let mut index = 0;
        bench.iter(|| {
            index += 1;
            moving.move_to(&shared, index, 1_763_733_731_042 + index as i64 / 50);
        });
    });
    let value = moving.value();
    for name in ["event_index", "customer_id", "no_such_name"] {
        bench.bench_function(&format!("look up {name}"), |bench| {
            bench.iter(|| value.get_attr(name));
        });
    }
}

fn rendering(bench: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut registry = Registry::new();
    registry.register(etl("customer_update"));
    let mut group = bench.benchmark_group("dry run of 1 KB payloads");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    for workers in [1, 10] {
        let mut request = request(EVENTS);
        request.runner.execution.parallel_workers = workers;
        let plan = Plan::make(&registry, &targets()[..1], &request).unwrap();
        let options = RunOptions::of(&request);
        let deps = Deps {
            engine: Engine::builder("templates").build(),
            environments: HashMap::new(),
            reached: Default::default(),
            auth: Arc::default(),
        };
        group.bench_function(BenchmarkId::new("parallel_workers", workers), |bench| {
            bench.iter(|| {
                let run = run(&plan, options.clone(), deps.clone(), CancellationToken::new(), |_| {});
                let report = runtime.block_on(run);
                assert_eq!(report.total.counts.acknowledged, EVENTS);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, planning, looking_up, rendering);
criterion_main!(benches);
