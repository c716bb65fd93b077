//! Pane 6: what runs and ran, in full; stopping, starting again, forgetting, opening; sizes.

use std::sync::Arc;

use velox::app::action::{Action, PaneId, RunRequest, TailRequest};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::log::{Level, LogLine};
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, TailCounts, Update};
use velox::core::progress::{Counts, PairProgress, RunProgress};
use velox::core::record::StartAt;

use crate::stage::{NOON_MS, Stage};

/// The sandbox makes its own events as the first job.
const TAIL: JobId = JobId(2);
const RUN: JobId = JobId(3);

fn phase(stage: &mut Stage, job: JobId, phase: Phase) {
    stage.apply(Fact::Job(Update::Phase(job, phase)));
}

fn run() -> RunRequest {
    RunRequest {
        etls: vec!["customer_update".into()],
        environments: vec!["sandbox".into(), "qa".into()],
        count: 10_000,
        rate: None,
        dry_run: false,
        context: String::new(),
    }
}

fn pair(environment: &str, acknowledged: u64, failed: u64) -> PairProgress {
    PairProgress {
        etl: "customer_update".into(),
        environment: environment.into(),
        topic: format!("{environment}.customer.updates.v1"),
        counts: Counts { planned: 10_000, acknowledged, failed, not_sent: 0 },
        bytes: acknowledged * 1_100,
        causes: [("the topic takes no record above 1 MB".to_owned(), failed)]
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect(),
    }
}

/// A console with sample events, a tail and a run half way, 12 s later.
pub fn busy() -> Stage {
    let mut stage = Stage::new();
    phase(&mut stage, JobId(1), Phase::Running);
    let topics = vec!["sandbox.orders.v1".into()];
    stage.act(Action::OpenTail(TailRequest {
        environment: "sandbox".into(),
        topics,
        start: StartAt::End,
        search: None,
        partitions: Vec::new(),
    }));
    phase(&mut stage, TAIL, Phase::Running);
    stage.act(Action::Run(run()));
    phase(&mut stage, RUN, Phase::Running);
    let progress = RunProgress {
        pairs: vec![pair("sandbox", 6_200, 0), pair("qa", 3_100, 42)],
        elapsed_ms: 12_000,
        events_per_second: 780.0,
        ..RunProgress::default()
    };
    stage.apply(Fact::Job(Update::Run(RUN, Arc::new(progress))));
    let counts = TailCounts { read: 1_204_332, bytes: 144_519_840, matched: 1_204_332, lag: Some(17), left: None };
    stage.apply(Fact::Job(Update::Tail(TAIL, counts)));
    let line = |seconds: i64, level, message: &str| LogLine {
        at_ms: NOON_MS + seconds * 1_000,
        level,
        target: "velox::etl".into(),
        message: message.into(),
        correlation: None,
        job: Some(RUN),
    };
    let lines = vec![
        line(1, Level::Info, "20,000 events planned"),
        line(4, Level::Warn, "qa: 42 records refused: the topic takes no record above 1 MB"),
    ];
    stage.apply(Fact::Log { lines, skipped: 0 });
    stage.model.now_ms = NOON_MS + 12_000;
    stage.act(Action::Focus(PaneId::Jobs));
    stage.model.note = None;
    stage.effects.clear();
    stage
}

#[test]
fn the_pane_fits_every_size() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("jobs_{width}x{height}"), busy().text(width, height));
    }
}

#[test]
fn on_a_narrow_screen_the_arrows_bring_every_column_and_the_last_one_the_detail() {
    let mut stage = busy();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let text = stage.text(80, 24);
        let titles = text.lines().nth(2).expect("titles");
        assert!(titles.contains("state") && titles.contains("name"), "{text}");
        seen.extend(titles.split_whitespace().map(str::to_owned));
        stage.press("Right");
    }
    for title in ["since", "rate", "lag", "behind", "late", "errors", "restarts", "checkpoint", "environment"] {
        assert!(seen.iter().any(|one| one.trim_matches(['│', ' ']) == title), "{title} is not in {seen:?}");
    }
    // Every column was seen: the arrow goes into the detail, and back.
    let last = stage.text(80, 24);
    stage.press("Left Left Left");
    assert!(stage.text(80, 24).contains("→ since"), "{last}");
}

#[test]
fn failures_are_red_and_what_is_not_known_is_muted() {
    let mut stage = busy();
    let fault = Fault::new(Blame::Connection, "no broker of sandbox answers").next("start it");
    phase(&mut stage, TAIL, Phase::Failed(fault));
    stage.model.note = None;
    insta::assert_snapshot!("jobs_styles_80x24", stage.styles(80, 24));
}

#[test]
fn keys_ask_for_what_the_footer_says() {
    for (keys, effect) in [
        ("x", Effect::StopJob(RUN)),
        ("j x", Effect::StopJob(TAIL)),
        ("j j x", Effect::StopJob(JobId(1))),
        ("j y", Effect::Copy("tail 2 sandbox.orders.v1 in sandbox running".into())),
    ] {
        let mut stage = busy();
        stage.text(120, 40);
        stage.press(keys);
        assert_eq!(stage.effects.last(), Some(&effect), "{keys}");
    }
}

#[test]
fn a_job_that_ended_is_started_again_or_forgotten_and_one_that_runs_is_not() {
    let mut stage = busy();
    stage.text(120, 40);
    stage.press("d");
    assert!(stage.model.jobs.contains_key(&RUN));
    assert!(stage.text(120, 40).contains("this job still runs: stop it first"));
    phase(&mut stage, TAIL, Phase::Stopped);
    stage.text(120, 40);
    stage.press("G");
    assert!(stage.text(120, 40).contains("○ stopped"), "what ended stands below what runs");
    stage.press("R");
    assert!(matches!(stage.effects.last(), Some(Effect::StartTail { job: JobId(4), .. })), "{:?}", stage.effects);
    stage.act(Action::Focus(PaneId::Jobs));
    stage.text(120, 40);
    stage.press("G d");
    assert!(!stage.model.jobs.contains_key(&TAIL));
    phase(&mut stage, RUN, Phase::Done);
    stage.text(120, 40);
    stage.press("D");
    let left: Vec<JobId> = stage.model.jobs.keys().copied().collect();
    assert_eq!(left, [JobId(1), JobId(4)], "only what ended is forgotten");
}

#[test]
fn a_key_is_for_the_job_that_was_seen_though_the_order_has_changed_since() {
    let mut stage = busy();
    stage.text(120, 40);
    phase(&mut stage, RUN, Phase::Done);
    stage.press("x");
    let stopped = stage.effects.iter().any(|effect| matches!(effect, Effect::StopJob(_)));
    assert!(!stopped, "the job that moved up is not stopped: {:?}", stage.effects);
}

#[test]
fn a_job_opens_in_the_pane_it_belongs_to() {
    for (keys, pane) in [("v", PaneId::Etls), ("j v", PaneId::Tail), ("j j v", PaneId::Environments)] {
        let mut stage = busy();
        stage.text(120, 40);
        stage.press(keys);
        assert_eq!(stage.model.focus, pane, "{keys}");
    }
    let mut stage = busy();
    stage.act(Action::CheckHealth("prod".into()));
    stage.text(120, 40);
    stage.press("g");
    stage.text(120, 40);
    stage.press("v");
    let text = stage.text(120, 40);
    assert!(text.contains("(3/3)") && text.contains("prod"), "the cursor is on what was checked\n{text}");
}

#[test]
fn enter_opens_the_detail_of_any_job_and_goes_back() {
    for (keys, seen) in [("Enter", "run 3"), ("j Enter", "tail 2"), ("j j Enter", "events 1")] {
        let mut stage = busy();
        stage.text(120, 40);
        stage.press(keys);
        let text = stage.text(120, 40);
        assert!(text.contains(seen) && !text.contains("checkpoint"), "{keys}: the list is still there\n{text}");
        assert_eq!(stage.model.focus, PaneId::Jobs);
        stage.press("Esc");
        assert!(stage.text(120, 40).contains("(") && stage.text(120, 40).contains("environment"), "{keys}");
    }
}

#[test]
fn a_run_shows_its_way_its_gauges_and_its_failures_by_cause() {
    let mut stage = busy();
    let text = stage.text(120, 50);
    assert!(text.contains("20,000 planned · 9,300 acknowledged · 42 failed · 0 not sent · 10,658 open"), "{text}");
    assert!(text.contains("render customer_update") && text.contains("2 topics"), "{text}");
    assert!(text.contains("customer_update → qa"), "{text}");
    assert!(text.contains("42  the topic takes no record above 1 MB"), "{text}");
    assert!(text.contains("12:00:04  WARN  qa: 42 records refused"), "{text}");
}

#[test]
fn a_lost_broker_says_since_when_and_what_comes_next() {
    let mut stage = busy();
    let fault = Fault::new(Blame::Connection, "broker qa-1:9093 does not answer");
    phase(&mut stage, TAIL, Phase::Reconnecting { fault, attempt: 3 });
    stage.text(120, 40);
    stage.press("j");
    let text = stage.text(120, 40);
    assert!(text.contains("reconnecting since now, attempt 3; it goes on where it was"), "{text}");
    assert!(text.contains("broker qa-1:9093 does not answer"), "{text}");
    assert!(text.contains("once after a lost connection"), "{text}");
    let fault = Fault::new(Blame::Connection, "broker qa-1:9093 does not answer");
    phase(&mut stage, TAIL, Phase::Reconnecting { fault, attempt: 0 });
    let text = stage.text(120, 40);
    assert!(text.contains("reconnecting since now; it goes on where it was"), "no attempt was counted\n{text}");
}

#[test]
fn the_filter_and_the_order_keep_the_cursor_on_its_job() {
    let mut stage = busy();
    stage.text(120, 40);
    stage.press("j");
    stage.press("s s s");
    assert!(stage.text(120, 40).contains("name ▲"));
    assert!(stage.text(120, 40).contains("read 1,204,332"), "the tail is still under the cursor");
    stage.press("/").types("customer").press("Enter");
    assert!(stage.text(120, 40).contains("(1/1 of 3)"));
}

#[test]
fn the_mouse_chooses_a_job() {
    let mut stage = busy();
    stage.text(120, 40);
    stage.click(10, 4);
    assert!(stage.text(120, 40).contains("read 1,204,332"));
    stage.click(10, 4);
    let text = stage.text(120, 40);
    assert!(text.contains("read 1,204,332") && !text.contains("customer_update"), "a second press opens it\n{text}");
}

#[test]
fn no_job_says_what_makes_one() {
    let mut stage = busy();
    for job in [JobId(1), TAIL, RUN] {
        phase(&mut stage, job, Phase::Done);
    }
    stage.act(Action::ForgetEndedJobs);
    let text = stage.text(80, 24);
    assert!(text.contains("nothing runs or ran yet"), "{text}");
}
