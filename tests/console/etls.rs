//! Pane 2: the tree, definition and template with their faults, preview, and runs whose plan is seen before they start.

use std::sync::Arc;

use indexmap::IndexMap;
use velox::app::action::{Action, Export, PaneId, PreviewRequest, RunRequest};
use velox::app::effect::Effect;
use velox::app::fact::{Fact, Loaded};
use velox::app::model::environments::{Connection, ConnectionState};
use velox::app::model::etls::{EtlRow, PlanSummary, PlannedPair, Rendered};
use velox::app::model::runs::{Preset, RunReport, StepTiming};
use velox::core::etl::Etl;
use velox::core::fault::{Blame, Fault, Place};
use velox::core::job::{JobId, Phase, Update};
use velox::core::progress::{Counts, PairProgress, RunProgress};

use crate::stage::{NOON_MS, Stage};

/// The second job: the sandbox makes its own events as the first.
const RUN: JobId = JobId(2);

const TEMPLATE: &str = "{\n  \"eventType\": \"CUSTOMER_UPDATE\",\n  \"payload\": {\n    \"customerId\": \"{{ customer_id }}\",\n    \"amount\": \"{{ amount | decimal }}\"\n  }\n}\n";

fn row(name: &str, category: &str, environments: &[&str]) -> EtlRow {
    let topics: IndexMap<String, String> =
        environments.iter().map(|one| ((*one).to_owned(), format!("{one}.{category}.{name}.v1"))).collect();
    let written: String = topics.iter().map(|(name, topic)| format!("  {name}: \"{topic}\"\n")).collect();
    let text = format!(
        "name: {name}\ncategory: {category}\nenabled: true\ntopics:\n{written}payload_template: {name}.json.j2\n"
    );
    let json = serde_json::json!({
        "name": name, "category": category, "topics": topics, "payload_template": format!("{name}.json.j2"),
        "description": format!("Sends {category} events"),
    });
    let etl: Etl = serde_json::from_value(json).expect("an ETL");
    EtlRow {
        name: name.into(),
        file: format!("config/etl/{name}.yaml"),
        etl: Some(Arc::new(etl)),
        text,
        places: Vec::new(),
        template_file: format!("templates/payloads/{name}.json.j2"),
        template: TEMPLATE.into(),
        faults: Vec::new(),
    }
}

fn disabled(mut row: EtlRow) -> EtlRow {
    let mut etl = row.etl.as_deref().cloned().expect("whole");
    etl.enabled = false;
    row.etl = Some(Arc::new(etl));
    row
}

/// An ETL whose template cannot be read at line 5.
fn faulty(mut row: EtlRow) -> EtlRow {
    let place = Place::at(row.template_file.clone(), 5, 19);
    row.faults =
        vec![Fault::new(Blame::Configuration, "unknown filter `decimel`").at(place).next("did you mean `decimal`?")];
    row
}

/// An ETL whose file cannot be read at line 3.
fn unreadable(name: &str) -> EtlRow {
    let file = format!("config/etl/{name}.yaml");
    EtlRow {
        name: name.into(),
        text: "name: orders\ncategory: orders\nenabeld: true\ntopics:\n  qa: qa.orders.v1\n".into(),
        etl: None,
        places: Vec::new(),
        template_file: String::new(),
        template: String::new(),
        faults: vec![
            Fault::new(Blame::Configuration, "unknown key `enabeld`")
                .at(Place::at(file.clone(), 3, 1))
                .next("did you mean `enabled`?"),
        ],
        file,
    }
}

fn load(stage: &mut Stage, etls: Vec<EtlRow>, presets: Vec<Preset>) {
    let environments = stage.model.environments.clone();
    stage.apply(Fact::Loaded(Box::new(Loaded { environments, etls, presets, ..Loaded::default() })));
}

/// A console on the pane of ETLs; the cursor is on the first category.
fn stage() -> Stage {
    let mut stage = Stage::new();
    let etls = vec![
        row("customer_update", "customer", &["sandbox", "qa", "prod"]),
        row("customer_merge", "customer", &["sandbox", "qa"]),
        disabled(row("customer_purge", "customer", &["sandbox"])),
        row("payment_captured", "payments", &["sandbox", "qa", "prod"]),
        faulty(row("chargeback", "payments", &["sandbox", "qa", "prod"])),
        unreadable("order_event"),
    ];
    load(&mut stage, etls, Vec::new());
    stage.act(Action::Focus(PaneId::Etls));
    stage.effects.clear();
    stage.drawn(120, 40);
    stage
}

/// The same with the cursor on `customer_update`.
fn on_update() -> Stage {
    let mut stage = stage();
    stage.press("j");
    stage
}

fn last_preview(stage: &Stage) -> Option<(u64, PreviewRequest)> {
    stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Preview { request, preview } => Some((*request, preview.clone())),
        _ => None,
    })
}

fn previewed(stage: &mut Stage, outcome: Result<Rendered, Fault>) {
    let (request, _) = last_preview(stage).expect("a preview was asked for");
    stage.apply(Fact::Previewed { request, outcome });
}

fn rendered() -> Rendered {
    let headers = [
        ("X-ETL-Name", "customer_update"),
        ("X-Correlation-ID", "0b9f8a52-77c1-4b5e-9d2a-0f6f1f1f2a10"),
        ("X-Environment", "sandbox"),
    ];
    Rendered {
        topic: "sandbox.customer.customer_update.v1".into(),
        key: Some("CUST-00017".into()),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        payload: r#"{"eventType":"CUSTOMER_UPDATE","payload":{"customerId":"CUST-00017","amount":1204.50}}"#.into(),
        bytes: 1_130,
        context: vec!["customer_id".into()],
    }
}

fn last_plan(stage: &Stage) -> Option<(u64, RunRequest)> {
    stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::PlanRun { request, run } => Some((*request, run.clone())),
        _ => None,
    })
}

/// Answers the newest question for a plan as the engine would.
fn planned(stage: &mut Stage) {
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

fn started(stage: &Stage) -> Option<RunRequest> {
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
fn running() -> Stage {
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

fn ended(stage: &mut Stage) {
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
fn the_tree_fits_every_size() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (59, 14)] {
        let mut stage = on_update();
        insta::assert_snapshot!(format!("etls_tree_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn styles_say_what_is_broken_disabled_marked_and_found() {
    let mut stage = on_update();
    stage.press("Space j").press("/").types("cust").press("Enter");
    insta::assert_snapshot!("etls_styles_120x40", stage.styles(120, 40));
}

#[test]
fn a_category_folds_and_a_filter_shows_what_is_in_it() {
    let mut stage = on_update();
    stage.press("Left");
    let text = stage.text(80, 24);
    assert!(text.contains("▸ customer") && !text.contains("customer_merge"), "{text}");
    stage.press("/").types("merge");
    let text = stage.text(80, 24);
    assert!(text.contains("customer_merge") && !text.contains("payment_captured"), "{text}");
    stage.press("Esc");
    assert!(stage.text(80, 24).contains("payment_captured"));
}

#[test]
fn on_a_narrow_screen_the_detail_opens_over_the_list_and_escape_goes_back() {
    let mut stage = on_update();
    stage.drawn(80, 24);
    stage.press("Enter");
    let text = stage.text(80, 24);
    assert!(text.contains("▸Definition◂") && !text.contains("payments"), "{text}");
    stage.press("]");
    assert!(stage.text(80, 24).contains("▸Template◂"));
    stage.press("Left Left");
    assert!(stage.text(80, 24).contains("▸Runs◂"), "the tabs go round");
    stage.press("Esc");
    assert!(stage.text(80, 24).contains("payments"));
}

#[test]
fn what_is_wrong_with_a_file_stands_at_its_line_and_the_editor_opens_there() {
    let mut stage = stage();
    stage.press("G Enter");
    insta::assert_snapshot!("etls_unreadable_80x24", stage.text(80, 24));
    stage.effects.clear();
    stage.press("e");
    assert_eq!(stage.effects, [Effect::EditFile { path: "config/etl/order_event.yaml".into(), line: 3 }]);
}

#[test]
fn what_is_wrong_with_a_template_stands_at_its_line_and_the_editor_opens_there() {
    let mut stage = stage();
    stage.press("/").types("charge").press("Enter Enter ]");
    insta::assert_snapshot!("etls_template_120x40", stage.text(120, 40));
    stage.effects.clear();
    stage.press("e");
    let path = "templates/payloads/chargeback.json.j2".to_owned();
    assert_eq!(stage.effects, [Effect::EditFile { path, line: 5 }]);
}

#[test]
fn a_preview_is_of_the_active_environment_and_shows_all_of_an_event() {
    let mut stage = on_update();
    stage.press("p");
    let asked = PreviewRequest {
        etl: "customer_update".into(),
        environment: "sandbox".into(),
        context: String::new(),
        index: 0,
        count: 10,
    };
    assert_eq!(last_preview(&stage).map(|(_, asked)| asked), Some(asked));
    previewed(&mut stage, Ok(rendered()));
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("etls_preview_{width}x{height}"), stage.text(width, height));
    }
    insta::assert_snapshot!("etls_preview_styles_80x24", stage.styles(80, 24));
}

#[test]
fn the_payload_is_copied_and_exported_exactly_as_it_would_be_sent() {
    let mut stage = on_update();
    stage.press("p");
    previewed(&mut stage, Ok(rendered()));
    stage.effects.clear();
    stage.press("y o");
    let export =
        Export { name: "customer_update-sandbox-event-1".into(), ending: "json".into(), text: rendered().payload };
    assert_eq!(stage.effects, [Effect::Copy(rendered().payload), Effect::Export(export)]);
}

#[test]
fn events_are_stepped_through_and_stop_at_both_ends() {
    let mut stage = on_update();
    stage.press("p . .");
    assert_eq!(last_preview(&stage).expect("asked").1.index, 2);
    stage.press(", , ,");
    assert_eq!(last_preview(&stage).expect("asked").1.index, 0);
    assert!(stage.text(120, 40).contains("this is the first event"));
}

#[test]
fn the_environment_and_the_event_are_chosen_among_the_etls_own() {
    let mut stage = on_update();
    stage.press("p v Right Tab Backspace").types("7").press("Enter");
    let asked = last_preview(&stage).expect("asked").1;
    assert_eq!((asked.environment.as_str(), asked.index, asked.count), ("qa", 6, 10));
    stage.press("v Tab Backspace").types("90").press("Enter");
    assert_eq!(last_preview(&stage).expect("asked").1.index, 9, "not past the last event");
}

#[test]
fn the_context_is_read_as_it_is_typed_and_a_wrong_one_says_where() {
    let mut stage = on_update();
    stage.press("c").types("a: [1");
    let text = stage.text(80, 24);
    assert!(text.contains("line ") && text.contains("column"), "{text}");
    insta::assert_snapshot!("etls_context_80x24", text);
    stage.types("]").press("Esc");
    assert_eq!(last_preview(&stage).expect("asked").1.context, "a: [1]");
    assert!(stage.text(80, 24).contains("context: 1 key"));
}

#[test]
fn an_event_that_cannot_be_rendered_shows_the_line_and_the_editor_opens_there() {
    let mut stage = on_update();
    stage.press("p");
    let place = Place::at("templates/payloads/customer_update.json.j2", 4, 23);
    let fault = Fault::new(Blame::Configuration, "`customer_id` is not defined").at(place);
    previewed(&mut stage, Err(fault.next("give it in the context or under `variables:`")));
    insta::assert_snapshot!("etls_preview_fault_80x24", stage.text(80, 24));
    stage.effects.clear();
    stage.press("e");
    let path = "templates/payloads/customer_update.json.j2".to_owned();
    assert_eq!(stage.effects, [Effect::EditFile { path, line: 4 }]);
    stage.press("[");
    assert!(stage.text(80, 24).contains("▲ `customer_id` is not defined"), "the template has it at its line too");
}

#[test]
fn a_preview_is_rendered_again_when_the_files_are_read_again() {
    let mut stage = on_update();
    stage.press("p");
    previewed(&mut stage, Ok(rendered()));
    stage.effects.clear();
    let etls = stage.model.etls.clone();
    load(&mut stage, etls, Vec::new());
    assert!(last_preview(&stage).is_some());
}

#[test]
fn the_preview_follows_the_cursor_of_the_list() {
    let mut stage = on_update();
    stage.press("p Esc j");
    assert_eq!(last_preview(&stage).expect("asked").1.etl, "customer_merge");
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
fn a_key_that_cannot_be_seen_does_nothing() {
    let mut stage = on_update();
    stage.drawn(50, 12);
    stage.press("r");
    stage.drawn(120, 40);
    assert!(!stage.text(120, 40).contains("Run customer_update"));
}

#[test]
fn nothing_runs_before_its_plan_is_on_the_screen() {
    let mut stage = on_update();
    stage.press("r");
    let (_, asked) = last_plan(&stage).expect("a plan is asked for at once");
    assert_eq!(asked.environments, ["sandbox"]);
    stage.press("Enter");
    assert_eq!(started(&stage), None);
    assert!(stage.text(120, 40).contains("the plan is still being computed"));
    planned(&mut stage);
    assert!(stage.text(120, 40).contains("1 event is sent"));
    // Another number is another plan: the old one is no leave to send.
    stage.press("Tab").types("10");
    assert_eq!(last_plan(&stage).expect("asked").1.count, 10);
    stage.press("Enter");
    assert_eq!(started(&stage), None);
    planned(&mut stage);
    stage.press("Enter");
    assert_eq!(started(&stage).expect("started").count, 10);
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
        ("Tab Backspace", "many", "Events: not a whole number"),
        ("Tab Tab", "0", "Rate: from 1 to 10,000,000"),
    ];
    for (keys, letters, said) in cases {
        let mut stage = on_update();
        stage.press("r").press(keys).types(letters).press("Enter");
        assert_eq!(started(&stage), None, "{said}");
        assert!(stage.text(120, 40).contains(said), "{said}\n{}", stage.text(120, 40));
    }
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
fn a_run_takes_what_is_marked_and_says_what_has_no_topic() {
    let mut stage = on_update();
    stage.press("Space j Space r a");
    planned(&mut stage);
    let text = stage.text(120, 40);
    assert!(text.contains("Run 2 ETLs: customer_update, customer_merge"), "{text}");
    assert!(text.contains("left out: customer_merge in prod: it has no topic there"), "{text}");
    assert!(text.contains("type name, 1/2"), "{text}");
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
fn a_run_is_repeated_and_kept_under_a_name() {
    let mut stage = running();
    ended(&mut stage);
    let first = started(&stage).expect("started");
    stage.effects.clear();
    stage.press("R");
    assert_eq!(started(&stage), Some(first.clone()));
    stage.effects.clear();
    stage.press("w");
    assert!(stage.text(120, 40).contains("customer_update-sandbox-qa-1000"));
    stage.press("Ctrl+U").types("nightly").press("Enter");
    assert_eq!(stage.effects, [Effect::SavePreset { name: "nightly".into(), run: first }]);
}

#[test]
fn a_preset_is_listed_and_set_up_again_with_its_plan() {
    let mut stage = stage();
    let run = RunRequest {
        etls: vec!["customer_update".into()],
        environments: vec!["qa".into()],
        count: 500,
        rate: Some(50),
        dry_run: false,
        context: "customer_id: C-1".into(),
    };
    let etls = stage.model.etls.clone();
    load(&mut stage, etls, vec![Preset { name: "nightly".into(), run: run.clone() }]);
    stage.press("j Enter [");
    insta::assert_snapshot!("etls_preset_80x24", stage.text(80, 24));
    stage.press("Enter");
    assert_eq!(last_plan(&stage).map(|(_, asked)| asked), Some(run));
}

#[test]
fn without_etls_the_pane_says_what_to_do() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Etls));
    assert!(stage.text(80, 24).contains("no ETLs: describe one in config/etl/NAME.yaml, then F9 reads it"));
    stage.press("p r e j Enter x R w o y c v");
    assert!(stage.effects.iter().all(|effect| !matches!(effect, Effect::StartRun { .. })));
}

#[test]
fn a_click_opens_a_tab_and_a_second_click_on_an_etl_opens_it() {
    let mut stage = stage();
    let lines: Vec<String> = stage.text(120, 40).lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.contains("customer_merge")).expect("shown") as u16;
    stage.click(8, at).click(8, at);
    let line = stage.text(120, 40).lines().find(|line| line.contains("Template")).expect("tabs").to_owned();
    assert!(line.contains("customer_merge"), "{line}");
    let row = stage.text(120, 40).lines().position(|line| line.contains("Template")).expect("tabs") as u16;
    let column = line.chars().take_while(|letter| *letter != 'T').count() as u16;
    stage.click(column + 1, row);
    assert!(stage.text(120, 40).contains("▸Template◂"));
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
