//! A frame of the tail under flood: the records of one frame enter the model and the whole screen is drawn. The bound is
//! 16 ms at a million records a second; what a frame takes must not grow with what was read.

#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use velox::app::action::{Action, TailRequest};
use velox::app::fact::Fact;
use velox::app::model::Model;
use velox::app::model::tails::TAIL_RECORDS_MAX;
use velox::core::job::{JobId, Phase, TailCounts, Update};
use velox::core::record::{Record, StartAt};
use velox::ui::screen::{Look, Screen};

const TAIL: JobId = JobId(1);

/// An order of about a kilobyte of JSON.
fn record(offset: i64) -> Record {
    let lines: Vec<String> =
        (0..12).map(|line| format!("{{\"sku\":\"A-{line}\",\"quantity\":{offset},\"price\":\"19.90\"}}")).collect();
    let value = format!(
        "{{\"orderId\":\"ORD-{offset:08}\",\"customerId\":\"CUST-{:05}\",\"lines\":[{}]}}",
        offset % 400,
        lines.join(",")
    );
    Record {
        topic: Arc::from("orders"),
        partition: (offset % 6) as i32,
        offset,
        timestamp_ms: Some(1_795_262_400_000 + offset),
        key: Some(format!("ORD-{offset:08}").into_bytes()),
        value_bytes: value.len(),
        value: Some(value.into_bytes()),
        headers: vec![(Arc::from("type"), Some(b"ORDER_PLACED".to_vec()))],
    }
}

fn reading() -> Model {
    let mut model = Model::default();
    model.apply(Fact::Tick { now_ms: 1_795_262_400_000 });
    let request = TailRequest {
        environment: "sandbox".into(),
        topics: vec!["orders".into()],
        start: StartAt::End,
        search: None,
        partitions: Vec::new(),
    };
    model.update(Action::OpenTail(request));
    model.apply(Fact::Job(Update::Phase(TAIL, Phase::Running)));
    enter(&mut model, (0..TAIL_RECORDS_MAX as i64).map(record).collect());
    model
}

fn enter(model: &mut Model, records: Vec<Record>) {
    let read = model.tails[&TAIL].counts.read + 33_000;
    model.apply(Fact::Job(Update::Records { job: TAIL, records, skipped: 33_000 - TAIL_RECORDS_MAX as u64 }));
    let counts = TailCounts { read, bytes: read * 1_000, matched: read, lag: Some(0), left: None };
    model.apply(Fact::Job(Update::Tail(TAIL, counts)));
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a tail's frame under flood");
    for (width, height) in [(80, 24), (200, 60)] {
        for filter in ["", "cust-00017"] {
            let name = format!("{width}x{height}{}", if filter.is_empty() { "" } else { ", filtered" });
            group.bench_function(name, |bencher| {
                let (mut model, mut screen) = (reading(), Screen::new(Look::default()));
                model.update(Action::FilterTail { job: TAIL, filter: filter.into() });
                let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
                let mut next = TAIL_RECORDS_MAX as i64;
                bencher.iter_batched(
                    || {
                        next += TAIL_RECORDS_MAX as i64;
                        (next - TAIL_RECORDS_MAX as i64..next).map(record).collect::<Vec<_>>()
                    },
                    |records| {
                        enter(&mut model, records);
                        terminal.draw(|frame| screen.draw(frame, &model)).expect("nothing can fail in memory");
                        black_box(terminal.backend());
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
