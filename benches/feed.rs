//! The feed: what it costs to show a record to a frame that takes all, and to a frame that is too slow and must skip.

#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use velox::app::feed::feed;
use velox::app::model::tails::TAIL_RECORDS_MAX;
use velox::core::job::JobId;
use velox::core::record::Record;

fn record(offset: i64) -> Record {
    let value = vec![b'a'; 1_024];
    Record {
        topic: Arc::from("orders"),
        partition: 0,
        offset,
        timestamp_ms: Some(offset),
        key: Some(b"CUST-00017".to_vec()),
        value_bytes: value.len(),
        value: Some(value),
        headers: Vec::new(),
    }
}

fn show_and_drain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("feed");
    for (name, count) in [("a frame that takes all", TAIL_RECORDS_MAX), ("a frame that skips", 33_000)] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |bencher| {
            let (intake, mut feed) = feed();
            let outlet = intake.outlet(JobId(1));
            bencher.iter_batched(
                || (0..count as i64).map(record).collect::<Vec<_>>(),
                |records| {
                    outlet.show(records);
                    black_box(feed.drain())
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, show_and_drain);
criterion_main!(benches);
