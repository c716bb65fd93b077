//! What rendering one event costs: the document's payload, its key and its five headers.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use velox::core::fault::Place;
use velox::template::{Engine, Template, Value, value};

fn context() -> Value {
    value(&serde_json::json!({
        "customer_id": "CUST-00042", "action": "UPDATE", "requested_by": "nightly-sync",
        "fields": {"email": "ada@example.com", "phone": "+49 40 123456", "vip": true, "limit": 2500.5, "city": "Hamburg"},
        "etl_name": "customer_update", "environment": "qa", "topic": "qa.customer.updates.v1",
        "correlation_id": "3f2b8c1e-9f44-4d1c-8a55-0d3c9f3f7a10", "timestamp": "2026-11-21T09:32:00.123456+00:00",
        "timestamp_ms": 1_795_253_520_123_i64, "event_index": 17, "event_count": 100_000,
    }))
}

fn rendering(criterion: &mut Criterion) {
    let engine = Engine::builder(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")).build();
    let payload = engine.payload("customer_update.json.j2").unwrap();
    let inline = |text: &str| engine.inline(Place::file("config/etl/customer_update.yaml"), text).unwrap();
    let small: Vec<Template> = [
        "{{ customer_id }}",
        "{{ etl_name }}",
        "{{ correlation_id }}",
        "{{ timestamp }}",
        "{{ environment }}",
        "application/json",
    ]
    .map(inline)
    .into();
    let context = context();
    let mut out = String::with_capacity(2_048);

    let mut group = criterion.benchmark_group("template");
    group.throughput(Throughput::Elements(1));
    group.bench_function("customer_update", |bencher| {
        bencher.iter(|| {
            out.clear();
            payload.render_into(&context, &mut out).unwrap();
            black_box(out.len())
        });
    });
    group.bench_function("customer_update, key, five headers, checked as JSON", |bencher| {
        bencher.iter(|| {
            out.clear();
            payload.render_checked_into(&context, &mut out).unwrap();
            for template in &small {
                out.clear();
                template.render_into(&context, &mut out).unwrap();
                black_box(out.len());
            }
        });
    });
    for name in ["order_event.json.j2", "payment_captured.json.j2"] {
        let template = engine.payload(name).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                template.render_into(&context, &mut out).unwrap();
                black_box(out.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rendering);
criterion_main!(benches);
