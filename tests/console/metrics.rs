//! Pane 5: charts over four spans, a cursor that reads values, totals that sort; sizes, and what is said where nothing was measured.

use std::sync::Arc;

use velox::app::action::{Action, PaneId, RunRequest, TailRequest};
use velox::app::fact::Fact;
use velox::app::model::metrics::Scope;
use velox::core::job::{JobId, Phase, TailCounts, Update};
use velox::core::progress::{Counts, Latency, PairProgress, RunProgress};
use velox::core::record::StartAt;

use crate::stage::{NOON_MS, Stage};

/// The sandbox makes its own events as the first job.
const TAIL: JobId = JobId(2);
const RUN: JobId = JobId(3);

/// A console in whose sandbox a tail and a run work for so many seconds.
pub fn measured(seconds: i64) -> Stage {
    let mut stage = Stage::new();
    let topics = vec!["sandbox.orders.v1".into()];
    stage.act(Action::OpenTail(TailRequest {
        environment: "sandbox".into(),
        topics,
        start: StartAt::End,
        search: None,
        partitions: Vec::new(),
    }));
    stage.act(Action::Run(RunRequest {
        etls: vec!["customer_update".into()],
        environments: vec!["sandbox".into()],
        count: 1_000_000,
        rate: None,
        dry_run: false,
        context: String::new(),
    }));
    for job in [TAIL, RUN] {
        stage.apply(Fact::Job(Update::Phase(job, Phase::Running)));
    }
    for second in 1..=seconds {
        let sent = (second * 1_200) as u64 + (second as u64 % 7) * 90;
        let failed = (second / 20) as u64;
        let counts = Counts { planned: 1_000_000, acknowledged: sent, failed, not_sent: 0 };
        let pair = PairProgress {
            etl: "customer_update".into(),
            environment: "sandbox".into(),
            topic: "sandbox.customer.updates.v1".into(),
            counts,
            bytes: sent * 1_024,
            ..PairProgress::default()
        };
        let latency =
            Some(Latency { p50_us: 2_100 + (second as u64 % 5) * 150, p99_us: 9_000 + (second as u64 % 9) * 700 });
        let progress =
            RunProgress { pairs: vec![pair], elapsed_ms: (second * 1_000) as u64, latency, ..RunProgress::default() };
        stage.apply(Fact::Job(Update::Run(RUN, Arc::new(progress))));
        let read = (second * 900) as u64;
        let tail = TailCounts {
            read,
            bytes: read * 200,
            matched: read,
            lag: Some(400 - (second as u64 % 40) * 10),
            left: None,
        };
        stage.apply(Fact::Job(Update::Tail(TAIL, tail)));
        stage.apply(Fact::Tick { now_ms: NOON_MS + second * 1_000 });
    }
    stage.act(Action::Focus(PaneId::Metrics));
    stage.model.note = None;
    stage
}

#[test]
fn the_pane_fits_every_size() {
    let mut stage = measured(90);
    for (width, height) in [(80, 24), (120, 40), (200, 60), (59, 14)] {
        insta::assert_snapshot!(format!("metrics_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn colours_tell_curves_apart_and_failures_stand_out() {
    insta::assert_snapshot!("metrics_styles_80x24", measured(90).styles(80, 24));
}

#[test]
fn before_anything_was_measured_each_chart_says_what_would_change_it() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Metrics));
    let text = stage.text(120, 40);
    for words in ["in this time: 2, then r, runs an ETL", "no reader in this time: 4, then n, reads", "everything"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn the_cursor_reads_values_and_leaves_behind_the_newest() {
    let mut stage = measured(90);
    assert!(stage.text(120, 40).contains("everything · ◂ ▸ reads values"));
    stage.press("Left Left Left");
    let text = stage.text(120, 40);
    assert!(text.contains("everything · at 12:01:28, Esc: newest"), "{text}");
    stage.press("Esc");
    assert!(stage.text(120, 40).contains("reads values"));
    stage.press("Left Left Right Right");
    assert!(stage.text(120, 40).contains("reads values"), "it leaves behind the newest");
    stage.click(30, 16);
    let text = stage.text(120, 40);
    assert!(text.contains("everything · at 12:00:5"), "a press on a chart reads it\n{text}");
}

#[test]
fn a_longer_span_shows_what_the_shorter_has_forgotten() {
    let mut stage = measured(400);
    stage.press("t");
    let text = stage.text(120, 40);
    assert!(text.contains("11:51:40") && text.contains("12:06:40"), "fifteen minutes end now\n{text}");
    stage.press("t t");
    let text = stage.text(120, 40);
    assert!(text.contains("12:06   16:54") && !text.contains("11:51:40"), "a day shows hours\n{text}");
}

#[test]
fn one_chart_can_have_the_whole_room_and_lag_is_told_in_seconds_too() {
    let mut stage = measured(90);
    stage.press("m");
    let text = stage.text(80, 24);
    assert!(text.contains("throughput") && !text.contains("latency"), "{text}");
    stage.press("m m m u");
    let text = stage.text(80, 24);
    assert!(text.contains("consumer lag, seconds  ━ sandbox.orders.v1"), "{text}");
    stage.press("m");
    assert!(stage.text(80, 24).contains("throughput"));
}

#[test]
fn totals_sort_filter_and_choose_what_the_charts_are_about() {
    let mut stage = measured(90);
    stage.text(120, 40);
    stage.press("/").types("env").press("Enter");
    let text = stage.text(120, 40);
    assert!(text.contains("sandbox · ◂ ▸ reads values"), "{text}");
    stage.press("Esc s s s");
    let text = stage.text(120, 40);
    assert!(text.contains("sent ▼"), "{text}");
}

#[test]
fn totals_add_up() {
    let mut stage = measured(90);
    let text = stage.text(200, 60);
    // 90 s of 1,200 a second, six sevenths of ninety more, and four failed.
    let run = text.lines().find(|line| line.contains("customer_update") && line.contains("ETL")).expect("a row");
    assert!(run.contains("108,544") && run.contains("108,540") && run.contains(" 4 "), "{run}");
    assert!(run.contains("> 99.99 %") || run.contains("99.99 %"), "{run}");
}

#[test]
fn a_rate_of_what_has_ended_is_idle() {
    let mut stage = measured(30);
    stage.apply(Fact::Job(Update::Phase(RUN, Phase::Done)));
    for second in 31..40 {
        stage.apply(Fact::Tick { now_ms: NOON_MS + second * 1_000 });
    }
    let text = stage.text(200, 60);
    let run = text.lines().find(|line| line.contains("customer_update") && line.contains("ETL")).expect("a row");
    assert!(run.contains("idle"), "{run}");
}

#[test]
fn sample_events_make_the_sandbox_alive_in_the_header_the_totals_and_their_job() {
    let mut stage = Stage::new();
    stage.apply(Fact::Job(Update::Phase(JobId(1), Phase::Running)));
    for second in 1..=3_u64 {
        let counts =
            Counts { planned: second * 25 + 4, acknowledged: second * 25, failed: second, ..Counts::default() };
        let pair = PairProgress { counts, bytes: second * 25 * 1_000, ..PairProgress::default() };
        stage
            .apply(Fact::Job(Update::Run(JobId(1), Arc::new(RunProgress { pairs: vec![pair], ..Default::default() }))));
        stage.apply(Fact::Tick { now_ms: NOON_MS + second as i64 * 1_000 });
    }
    for scope in [Scope::Total, Scope::Job(JobId(1)), Scope::Environment("sandbox".into())] {
        let totals = &stage.model.metrics.totals[&scope];
        assert_eq!((totals.events, totals.ok, totals.failed, totals.bytes), (78, 75, 3, 75_000), "{scope:?}");
    }
    stage.act(Action::Focus(PaneId::Jobs));
    let screen = stage.text(120, 40);
    let line = screen.lines().find(|line| line.contains("sample events")).expect("its row");
    assert!(line.contains("26/s") && line.contains("78"), "{line}");
    assert!(screen.contains("26 msg/s"), "{screen}");
    assert!(screen.contains("75 acknowledged · 3 failed"), "{screen}");
}
