//! Pane 2, its runs: what is set up is seen before it starts, what runs is followed to its end, and what ran is kept and repeated.

use std::sync::Arc;

use velox::app::action::{Action, Export, PaneId, RunRequest};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::environments::{Connection, ConnectionState};
use velox::app::model::etls::{PlanSummary, PlannedPair};
use velox::app::model::runs::{RunReport, StepTiming};
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, Update};
use velox::core::progress::{Counts, PairProgress, RunProgress};

use crate::etls::{on_update, stage};
use crate::stage::{NOON_MS, Stage};

/// The second job: the sandbox makes its own events as the first.
pub const RUN: JobId = JobId(2);

pub fn last_plan(stage: &Stage) -> Option<(u64, RunRequest)> {
    stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::PlanRun { request, run, .. } => Some((*request, run.clone())),
        _ => None,
    })
}

/// Answers the newest question for a plan as the engine would.
pub fn planned(stage: &mut Stage) {
    let (request, run) = last_plan(stage).expect("a plan was asked for");
    let mut plan = PlanSummary::default();
    for etl in &run.etls {
        let whole = stage.model.etl(etl).and_then(|row| row.etl.clone()).expect("whole");
        for environment in &run.environments {
            let guard = stage.model.environment(environment).expect("known").guard;
            match whole.topics.get(environment) {
                Some(topic) => plan.pairs.push(PlannedPair {
                    etl: etl.clone(),
                    environment: environment.clone(),
                    topic: topic.clone(),
                    events: run.count,
                    guard,
                }),
                None => plan.left_out.push(format!("{etl} in {environment}: it has no topic there")),
            }
        }
    }
    stage.apply(Fact::Planned { request, outcome: Ok(plan) });
}

pub fn started(stage: &Stage) -> Option<RunRequest> {
    stage.effects.iter().find_map(|effect| match effect {
        Effect::StartRun { run, .. } => Some(run.clone()),
        _ => None,
    })
}

fn pair(environment: &str, planned: u64, acknowledged: u64, failed: u64, not_sent: u64) -> PairProgress {
    let mut pair = PairProgress {
        etl: "customer_update".into(),
        environment: environment.into(),
        topic: format!("{environment}.customer.customer_update.v1"),
        counts: Counts { planned, acknowledged, failed, not_sent },
        bytes: acknowledged * 1_000,
        ..PairProgress::default()
    };
    if failed > 0 {
        pair.causes.insert("the broker refused the record: too large".into(), failed - 1);
        pair.causes.insert("`amount` is not a number".into(), 1);
    }
    pair
}

/// A run of 1,000 events into sandbox and qa that has just begun.
pub fn running() -> Stage {
    let mut stage = on_update();
    stage.press("r Down Space");
    stage.press("Tab Backspace").types("1000");
    planned(&mut stage);
    stage.press("Enter");
    assert!(started(&stage).is_some(), "{}", stage.text(120, 40));
    stage.apply(Fact::Job(Update::Phase(RUN, Phase::Running)));
    stage
}

fn progress(stage: &mut Stage, pairs: Vec<PairProgress>, elapsed_ms: u64) {
    let progress = RunProgress { pairs, elapsed_ms, events_per_second: 412.0, ..RunProgress::default() };
    stage.apply(Fact::Job(Update::Run(RUN, Arc::new(progress))));
    stage.apply(Fact::Tick { now_ms: NOON_MS + elapsed_ms as i64 });
}

pub fn ended(stage: &mut Stage) {
    let progress = RunProgress {
        pairs: vec![pair("sandbox", 1_000, 1_000, 0, 0), pair("qa", 1_000, 988, 12, 0)],
        elapsed_ms: 4_200,
        events_per_second: 473.0,
        ..RunProgress::default()
    };
    let step = |step: &str, count, p50_us| StepTiming {
        step: step.into(),
        count,
        p50_us,
        p95_us: p50_us * 2,
        p99_us: p50_us * 4,
        max_us: p50_us * 9,
    };
    let report = RunReport {
        progress,
        timings: vec![
            step("plan", 1, 310),
            step("render", 2_000, 42),
            step("queue", 1_999, 3),
            step("acknowledge", 1_988, 2_400),
        ],
        success_rate: 0.994,
        events_per_second: 473.0,
        bytes: 1_988_000,
        json: "{\"planned\":2000}".into(),
    };
    stage.apply(Fact::RunReport { job: RUN, report: Arc::new(report) });
    stage.apply(Fact::Job(Update::Phase(RUN, Phase::Done)));
    stage.apply(Fact::Tick { now_ms: NOON_MS + 9_000 });
    stage.model.note = None;
}

#[test]
fn a_run_whose_brokers_went_away_says_so_and_promises_no_end() {
    let mut stage = running();
    stage.text(120, 40);
    let pairs = || vec![pair("sandbox", 1_000, 500, 0, 0), pair("qa", 1_000, 500, 0, 0)];
    progress(&mut stage, pairs(), 2_000);
    assert!(stage.text(120, 40).contains(" left"));
    let fault = Fault::new(Blame::Connection, "no broker takes connections: 10.0.0.1:9092 refused");
    let connection = Connection { state: ConnectionState::Error, fault: Some(fault), ..Connection::default() };
    stage.apply(Fact::Connection { environment: "qa".into(), connection });
    let progress = RunProgress { pairs: pairs(), elapsed_ms: 9_000, ..RunProgress::default() };
    stage.apply(Fact::Job(Update::Run(RUN, Arc::new(progress))));
    let text = stage.text(140, 40);
    assert!(!text.contains(" left"), "{text}");
    assert!(text.contains("qa: no broker takes connections: 10.0.0.1:9092 refused; what is sent waits"), "{text}");
}

#[test]
fn digits_typed_at_once_are_the_number_of_events_and_the_environment_is_the_active_one() {
    let mut stage = on_update();
    stage.press("r").types("1000");
    let (_, asked) = last_plan(&stage).expect("a plan");
    assert_eq!((asked.count, asked.environments), (1_000, vec!["sandbox".to_owned()]));
    planned(&mut stage);
    stage.press("Enter");
    assert_eq!(started(&stage).expect("started").count, 1_000);
    // Another environment is active now: the one that ran last is no longer checked.
    stage.model.active = Some("qa".into());
    stage.press("r");
    assert_eq!(last_plan(&stage).expect("a plan").1.environments, ["qa"]);
}

#[test]
fn what_is_entered_before_its_plan_is_known_runs_as_soon_as_it_is() {
    let mut stage = on_update();
    stage.press("r");
    let (_, asked) = last_plan(&stage).expect("a plan is asked for at once");
    assert_eq!(asked.environments, ["sandbox"]);
    planned(&mut stage);
    assert!(stage.text(120, 40).contains("1 event is sent"));
    // Another number is another plan: the old one is no leave to send.
    stage.press("Tab").types("10").press("Enter");
    assert_eq!(last_plan(&stage).expect("asked").1.count, 10);
    assert_eq!(started(&stage), None);
    planned(&mut stage);
    assert_eq!(started(&stage).expect("started").count, 10);
    planned(&mut stage);
    assert_eq!(stage.effects.iter().filter(|effect| matches!(effect, Effect::StartRun { .. })).count(), 1);
}

#[test]
fn what_would_send_nothing_is_not_run_when_its_plan_comes() {
    let mut stage = on_update();
    stage.press("r Enter");
    let (request, _) = last_plan(&stage).expect("asked");
    let left_out = vec!["customer_update in sandbox: it has no topic there".to_owned()];
    stage.apply(Fact::Planned { request, outcome: Ok(PlanSummary { left_out, ..PlanSummary::default() }) });
    assert_eq!(started(&stage), None);
    assert!(stage.text(120, 40).contains("nothing was sent: customer_update in sandbox"));
}

#[test]
fn the_dialog_of_a_run_says_what_is_sent_where_at_every_size() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut stage = on_update();
        stage.drawn(width, height);
        stage.press("r a Tab Backspace").types("1000").press("Tab").types("250");
        planned(&mut stage);
        stage.model.note = None;
        insta::assert_snapshot!(format!("etls_run_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn inputs_that_make_no_run_are_told_and_start_nothing() {
    let cases: [(&str, &str, &str); 4] = [
        ("Space", "", "choose at least one environment"),
        ("Tab Backspace", "", "Events: a number is needed"),
        ("Tab Backspace", "many", "Events: a number is needed"),
        ("Tab Tab", "0", "Rate: from 1 to 10,000,000"),
    ];
    for (keys, letters, said) in cases {
        let mut stage = on_update();
        stage.press("r").press(keys).types(letters).press("Enter");
        assert!(!stage.text(120, 40).contains("many"), "a letter is no part of a number");
        assert_eq!(started(&stage), None, "{said}");
        assert!(stage.text(120, 40).contains(said), "{said}\n{}", stage.text(120, 40));
    }
}

#[test]
fn why_nothing_can_run_is_seen_whole_on_the_smallest_screen() {
    let mut stage = on_update();
    stage.press("r");
    let (request, _) = last_plan(&stage).expect("asked");
    let names: Vec<String> = (1..=8).map(|number| format!("`KAFKA_PROD_SSL_PATH_{number}`")).collect();
    let fault = Fault::new(Blame::Operator, format!("nothing to run: prod needs {}, not set", names.join(", ")));
    stage.apply(Fact::Planned { request, outcome: Err(fault.next("set them in .env")) });
    let text = stage.text(80, 24);
    assert!(text.contains("set them in .env") && text.contains("○  prod") && !text.contains("PageDown"), "{text}");
}

#[test]
fn a_guarded_environment_asks_for_its_name_and_a_dry_run_does_not() {
    let mut stage = on_update();
    stage.press("r Space G Space");
    planned(&mut stage);
    assert!(stage.text(120, 40).contains("type name"));
    stage.press("Enter");
    assert_eq!(started(&stage), None);
    assert!(stage.text(120, 40).contains("Send these events?"));
    stage.types("prod").press("Enter");
    assert_eq!(started(&stage).expect("started").environments, ["prod"]);

    let mut stage = on_update();
    stage.press("r Space G Space d");
    planned(&mut stage);
    assert!(stage.text(120, 40).contains("1 event is rendered, not sent"));
    stage.press("Enter");
    assert!(started(&stage).expect("started").dry_run);
}

#[test]
fn what_is_disabled_or_broken_does_not_run_and_says_why() {
    for (keys, filter, said) in [("j", "purge", "is disabled"), ("j", "charge", "is broken and cannot run")] {
        let mut stage = stage();
        stage.press(keys).press("/").types(filter).press("Enter r");
        assert!(stage.text(120, 40).contains(said), "{}", stage.text(120, 40));
        assert_eq!(last_plan(&stage), None);
    }
}

#[test]
fn a_run_shows_each_environment_and_failures_by_cause_and_x_stops_it() {
    let mut stage = running();
    progress(&mut stage, vec![pair("sandbox", 1_000, 640, 0, 0), pair("qa", 1_000, 388, 12, 0)], 2_500);
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("etls_running_{width}x{height}"), stage.text(width, height));
    }
    stage.effects.clear();
    stage.press("x");
    assert_eq!(stage.effects, [Effect::StopJob(RUN)]);
    assert!(stage.text(120, 40).contains("stopping: what is in flight is finished"));
}

#[test]
fn a_run_that_has_ended_adds_up_and_its_report_is_exported() {
    let mut stage = running();
    ended(&mut stage);
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("etls_report_{width}x{height}"), stage.text(width, height));
    }
    assert!(stage.text(120, 40).contains("2,000 planned = 1,988 acknowledged + 12 failed + 0 not sent"));
    assert!(stage.text(120, 40).contains("4.2 s  473/s"), "1,988 in so long are so many a second");
    stage.effects.clear();
    stage.press("o");
    let export = Export {
        name: "run-customer_update-sandbox-qa".into(),
        ending: "json".into(),
        text: "{\"planned\":2000}".into(),
    };
    assert_eq!(stage.effects, [Effect::Export(export)]);
}

#[test]
fn a_run_that_failed_says_so_in_a_line_and_its_tab_in_full() {
    let mut stage = running();
    let fault = Fault::new(
        Blame::Configuration,
        "`order_id` is not defined in the context of this event\n   4 | \"id\": \"{{ order_id }}\"\n              ^",
    );
    stage.apply(Fact::Job(Update::Phase(RUN, Phase::Failed(fault.next("give it in the context")))));
    let text = stage.text(80, 24);
    let said = stage.model.note.as_ref().expect("said").text.clone();
    assert!(!said.contains('\n') && said.len() < 100 && said.contains("customer_update failed: `order_id`"), "{said}");
    assert!(text.contains("(Runs says all)"), "{text}");
    assert!(text.contains("give it in the context") && text.contains("{{ order_id }}"), "{text}");
}

#[test]
fn a_run_opened_in_the_jobs_is_shown_here_under_its_etl() {
    let mut stage = running();
    ended(&mut stage);
    let older = stage.model.runs.values().last().map(|run| run.job).expect("a run");
    stage.act(Action::Run(RunRequest {
        etls: vec!["customer_update".into()],
        environments: vec!["sandbox".into()],
        count: 7,
        rate: None,
        dry_run: true,
        context: String::new(),
    }));
    // Elsewhere in the tree, its category folded, and a filter that hides it.
    stage.press("Esc Esc Home Left / z z Enter");
    for _ in 0..2 {
        stage.act(Action::Focus(PaneId::Jobs));
        stage.text(160, 40);
        stage.act(Action::OpenJob(older));
        let screen = stage.text(160, 40);
        assert!(screen.contains("1,000"), "the older run, not the newest\n{screen}");
        assert!(screen.contains("Runs") && screen.contains("customer_update"), "{screen}");
        // Opened again after the cursor went elsewhere, it is shown again.
        stage.press("Home");
        assert!(stage.text(160, 40).contains("dry run"));
    }
}

#[test]
fn no_size_makes_the_pane_fail() {
    let mut stage = running();
    progress(&mut stage, vec![pair("sandbox", 1_000, 640, 0, 0), pair("qa", 1_000, 388, 12, 0)], 2_500);
    stage.press("w");
    for (width, height) in [(60, 15), (61, 16), (99, 15), (100, 15), (100, 60), (201, 15), (300, 80)] {
        stage.drawn(width, height);
    }
    stage.press("Esc r");
    for (width, height) in [(60, 15), (61, 16), (99, 15), (100, 15), (100, 60), (201, 15), (300, 80)] {
        stage.drawn(width, height);
    }
    stage.press("c");
    for (width, height) in [(60, 15), (61, 16), (99, 15), (100, 15), (100, 60), (201, 15), (300, 80)] {
        stage.drawn(width, height);
    }
}
