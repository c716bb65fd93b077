//! What panes say where there is nothing, where something is wrong, and where there is more than one.

use velox::app::action::{Action, PaneId, ResendRequest, RunRequest, Search, TailRequest};
use velox::app::effect::Effect;
use velox::app::fact::{Fact, Loaded};
use velox::app::model::environments::{Connection, ConnectionState, EnvironmentRow};
use velox::app::model::etls::PlanSummary;
use velox::core::environment::Guard;
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, Update};
use velox::core::record::{Message, Record, StartAt};

use crate::stage::{NOON_MS, Stage};
use crate::{deployed, environments, etl_runs, etls, jobs, metrics, tail};

fn on(pane: PaneId) -> Stage {
    let mut stage = Stage::new();
    stage.act(Action::Focus(pane));
    stage.effects.clear();
    stage
}

fn lost(stage: &mut Stage, attempt: u32) {
    let fault = Fault::new(Blame::Connection, "10.0.0.1:9092 refused the connection");
    let connection = Connection { state: ConnectionState::Error, fault: Some(fault), attempt, ..Connection::default() };
    stage.apply(Fact::Connection { environment: "sandbox".into(), connection });
    stage.model.note = None;
}

fn reads(topics: &[&str]) -> TailRequest {
    let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    TailRequest {
        environment: "sandbox".into(),
        topics,
        start: StartAt::Last(10),
        search: None,
        partitions: Vec::new(),
    }
}

#[test]
fn a_tail_that_cannot_begin_says_why_and_what_to_do_instead_of_inviting() {
    let mut stage = on(PaneId::Tail);
    tail::topics(&mut stage);
    let text = stage.text(100, 30);
    assert!(text.contains("n picks topics of sandbox") && text.contains("sandbox.payments.v1"), "{text}");
    let mut stage = on(PaneId::Tail);
    assert!(stage.text(100, 30).contains("n picks topics of sandbox"));
    lost(&mut stage, 0);
    let text = stage.text(100, 30);
    assert!(text.contains("10.0.0.1:9092 refused") && text.contains("1 goes to the environments"), "{text}");
    assert!(
        !text.contains("n picks") && text.lines().last().is_some_and(|line| line.contains("1 environments")),
        "{text}"
    );
    lost(&mut stage, 4);
    assert!(stage.text(100, 30).contains("It is tried again by itself"));
}

#[test]
fn topics_that_are_asked_for_while_the_broker_is_known_to_be_gone_are_not_waited_for_without_a_reason() {
    let mut stage = on(PaneId::Tail);
    stage.press("n");
    lost(&mut stage, 2);
    let text = stage.text(120, 40);
    assert!(text.contains("topics cannot be had: 10.0.0.1:9092 refused"), "{text}");
}

#[test]
fn pane_3_tells_of_a_lost_broker_and_its_catalog_asks_no_more() {
    let mut stage = on(PaneId::Sql);
    lost(&mut stage, 3);
    let text = stage.text(140, 40);
    assert!(!text.contains("asking"), "{text}");
    let told = text.lines().filter(|line| line.contains("✖ sandbox: 10.0.0.1:9092 refused")).count();
    assert_eq!(told, 1, "beside the state of the query\n{text}");
    assert!(stage.text(80, 24).contains("✖ sandbox: 10.0.0.1:9092 refused"), "where there is no catalog, too");
}

#[test]
fn charts_of_nothing_draw_no_line_and_name_the_keys_that_give_them_one() {
    let mut stage = on(PaneId::Metrics);
    stage.apply(Fact::Tick { now_ms: NOON_MS + 1_000 });
    let text = stage.text(140, 40);
    assert!(!text.contains("failed 0/s"), "{text}");
    assert!(text.contains("2, then r, runs an ETL") && text.contains("4, then n, reads a topic"), "{text}");
    assert!(metrics::measured(30).text(140, 40).contains("━ failed"), "where something is sent it is drawn");
}

#[test]
fn a_tail_that_was_closed_leaves_the_legend_of_lag() {
    let mut stage = metrics::measured(30);
    let legend =
        |stage: &mut Stage| stage.text(140, 40).lines().find(|line| line.contains("consumer lag")).map(str::to_owned);
    assert!(legend(&mut stage).is_some_and(|line| line.contains("sandbox.orders")), "{}", stage.text(140, 40));
    stage.apply(Fact::Job(Update::Phase(JobId(2), Phase::Stopped)));
    assert!(legend(&mut stage).is_some_and(|line| !line.contains("sandbox.orders")), "{}", stage.text(140, 40));
}

#[test]
fn rows_of_totals_say_what_they_are_of_on_the_smallest_screen() {
    let text = metrics::measured(30).text(80, 24);
    for (kind, name) in
        [("all", "everything"), ("env", "sandbox"), ("ETL", "customer_update"), ("job", "1 sample events")]
    {
        let is_row = |line: &str| line.trim_matches(['│', ' ']).starts_with(kind) && line.contains(name);
        assert!(text.lines().any(is_row), "{kind} {name}\n{text}");
    }
}

#[test]
fn several_tails_are_named_and_a_key_goes_through_them() {
    let mut stage = on(PaneId::Tail);
    stage.act(Action::OpenTail(reads(&["orders"])));
    let text = stage.text(120, 40);
    assert!(!text.contains("tails, ]"), "one needs no names\n{text}");
    stage.act(Action::OpenTail(reads(&["payments"])));
    for (job, phase) in [(2, Phase::Running), (3, Phase::Stopped)] {
        stage.apply(Fact::Job(Update::Phase(JobId(job), phase)));
    }
    let text = stage.text(120, 40);
    assert!(text.contains("▶ 2 orders  ○ 3 payments") && text.contains("2 tails, ] next"), "{text}");
    assert_eq!(stage.model.tail, Some(JobId(3)));
    stage.press("]");
    assert_eq!(stage.model.tail, Some(JobId(2)), "after the last comes the first");
    stage.text(120, 40);
    stage.press("[");
    assert_eq!(stage.model.tail, Some(JobId(3)));
    stage.text(120, 40);
    stage.press("X");
    assert_eq!(stage.model.tail, Some(JobId(2)), "what is closed gives way to another");
}

#[test]
fn a_condition_reads_again_what_was_collected_and_so_does_taking_it_away() {
    let mut stage = tail::reading(40);
    // Forty offsets of a partition were seen, and some may have come since.
    let start = StartAt::Last(140);
    let search = |condition: &str| Some(Search { condition: condition.into(), whole: false });
    let started = |stage: &Stage| {
        let mut tails = stage.effects.iter().filter_map(|effect| match effect {
            Effect::StartTail { tail, .. } => Some((tail.search.clone(), tail.start.clone())),
            _ => None,
        });
        tails.next_back()
    };
    stage.act(Action::SearchTail { job: JobId(2), search: search("amount > 5") });
    assert_eq!(started(&stage), Some((search("amount > 5"), start.clone())));
    stage.act(Action::SearchTail { job: stage.model.tail.expect("a tail"), search: None });
    assert_eq!(started(&stage), Some((None, start)));
}

#[test]
fn following_goes_with_the_newest_record_whatever_the_order_was() {
    let mut stage = tail::reading(40);
    stage.text(120, 40);
    stage.press("s S g");
    assert!(!stage.text(120, 40).contains("follow"), "{}", stage.text(120, 40));
    stage.press("f");
    let text = stage.text(120, 40);
    assert!(text.contains("▼ follow (40/40)"), "{text}");
}

#[test]
fn what_was_sent_again_is_said_with_its_topic() {
    let mut stage = Stage::new();
    let message = Message { topic: "orders".into(), ..Message::default() };
    stage.act(Action::Resend(ResendRequest { environment: "sandbox".into(), messages: vec![message] }));
    stage.apply(Fact::Job(Update::Phase(JobId(2), Phase::Done)));
    let said = stage.model.note.as_ref().map(|note| note.text.clone());
    assert_eq!(said.as_deref(), Some("1 record sent again to orders of sandbox"));
}

#[test]
fn files_that_are_broken_are_told_at_the_start_and_counted_at_each_reading() {
    let mut stage = Stage::new();
    let mut environments = stage.model.environments.clone();
    let mut broken = EnvironmentRow::new("perf", "config/environments/perf.yaml");
    broken.faults = vec![Fault::new(Blame::Configuration, "unknown key")];
    environments.push(broken);
    let etls = vec![etls::row("a", "b", &["sandbox"]), etls::unreadable("c"), etls::unreadable("d")];
    let loaded = || Box::new(Loaded { environments: environments.clone(), etls: etls.clone(), ..Loaded::default() });
    stage.model.environments.clear();
    stage.apply(Fact::Loaded(loaded()));
    assert!(stage.text(120, 40).contains("1 environment (pane 1) and 2 ETLs (pane 2)"), "{}", stage.text(120, 40));
    stage.apply(Fact::Loaded(loaded()));
    assert!(stage.text(120, 40).contains("read again: 4 environments, 3 ETLs, 3 broken"), "{}", stage.text(120, 40));
}

#[test]
fn of_a_broken_file_the_footer_names_its_editor_first() {
    let mut stage = environments::four();
    stage.text(80, 24);
    stage.press("j j j");
    let text = stage.text(80, 24);
    assert!(text.lines().last().is_some_and(|line| line.trim_start().starts_with("e edit file")), "{text}");
}

#[test]
fn the_newest_run_is_the_one_that_is_shown() {
    let mut stage = etl_runs::running();
    etl_runs::ended(&mut stage);
    stage.text(120, 40);
    stage.press("r");
    stage.press("Enter");
    let request = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::PlanRun { request, run, .. } => Some((*request, run.clone())),
        _ => None,
    });
    let (request, run) = request.expect("a plan");
    let pair = velox::app::model::etls::PlannedPair {
        etl: run.etls[0].clone(),
        environment: "sandbox".into(),
        topic: "t".into(),
        events: run.count,
        guard: Guard::None,
    };
    stage.apply(Fact::Planned { request, outcome: Ok(PlanSummary { pairs: vec![pair], ..PlanSummary::default() }) });
    stage.apply(Fact::Job(Update::Phase(JobId(3), Phase::Running)));
    stage.text(120, 40);
    stage.press("x");
    assert_eq!(stage.effects.last(), Some(&Effect::StopJob(JobId(3))));
}

#[test]
fn the_time_of_a_run_that_has_ended_is_that_of_its_end() {
    let mut stage = etl_runs::running();
    stage.apply(Fact::Tick { now_ms: NOON_MS + 30_000 });
    stage.apply(Fact::Job(Update::Phase(JobId(2), Phase::Done)));
    stage.apply(Fact::Tick { now_ms: NOON_MS + 36_000 });
    stage.model.note = None;
    let text = stage.text(120, 40);
    assert!(text.contains("6 s ago") && !text.contains("36 s ago"), "{text}");
}

#[test]
fn numbers_that_were_tried_in_the_sandbox_are_no_default_for_a_guarded_environment() {
    let mut stage = etl_runs::running();
    etl_runs::ended(&mut stage);
    for (environment, count) in [("qa", 1_000), ("prod", 1)] {
        stage.model.active = Some(environment.into());
        stage.effects.clear();
        stage.text(120, 40);
        stage.press("r");
        let asked = stage.effects.iter().find_map(|effect| match effect {
            Effect::PlanRun { run, .. } => Some(run.count),
            _ => None,
        });
        assert_eq!(asked, Some(count), "{environment}");
        stage.press("Esc");
    }
}

#[test]
fn what_is_wrong_with_a_field_of_a_run_is_said_once() {
    let mut stage = etls::on_update();
    stage.press("r Tab Tab").types("0");
    let text = stage.text(120, 40);
    let told = text.lines().filter(|line| line.contains("from 1 to")).count();
    assert_eq!(told, 1, "{text}");
}

#[test]
fn the_events_of_the_sandbox_are_nobodys_job() {
    let mut stage = Stage::new();
    stage.act(Action::Run(RunRequest {
        etls: vec!["a".into()],
        environments: vec!["sandbox".into()],
        count: 1,
        rate: None,
        dry_run: true,
        context: String::new(),
    }));
    let head = |stage: &mut Stage| stage.text(120, 40).lines().next().map(str::to_owned).unwrap_or_default();
    assert!(head(&mut stage).contains("jobs 1 ▶"), "{}", head(&mut stage));
    stage.apply(Fact::Job(Update::Phase(JobId(2), Phase::Stopped)));
    assert!(!head(&mut stage).contains("jobs"), "{}", head(&mut stage));
}

#[test]
fn what_the_list_of_jobs_has_no_room_for_is_told_below_it() {
    let (mut stage, _) = deployed::at_work("sandbox");
    let text = stage.text(80, 24);
    assert!(text.contains("lag 120") && text.contains("late 3") && text.contains("checkpoint 4 s"), "{text}");
    let wide = stage.text(150, 40);
    assert!(wide.contains("checkpoint") && !wide.contains(" · late 3 · "), "{wide}");
}

#[test]
fn pane_2_begins_on_an_etl_and_a_category_says_what_it_holds() {
    let mut stage = Stage::new();
    let etls = vec![etls::row("update", "customer", &["sandbox"]), etls::disabled(etls::row("purge", "customer", &[]))];
    etls::load(&mut stage, etls, Vec::new());
    stage.act(Action::Focus(PaneId::Etls));
    assert!(stage.text(120, 40).contains("Definition"), "{}", stage.text(120, 40));
    stage.press("g");
    let text = stage.text(120, 40);
    assert!(text.contains("customer  2 ETLs, 1 enabled"), "{text}");
    assert!(text.contains("update  → sandbox.customer.update.v1"), "{text}");
}

#[test]
fn help_lists_no_key_that_means_nothing_in_its_pane() {
    let mut stage = metrics::measured(10);
    stage.press("?");
    let text = stage.text(120, 60);
    assert!(text.contains("read the charts a point before"), "{text}");
    for dead in ["list.open", "list.copy", "list.left", "list.right"] {
        assert!(!text.contains(dead), "{dead}\n{text}");
    }
}

#[test]
fn on_a_wide_screen_the_help_has_two_columns_and_nothing_below_them() {
    let mut stage = on(PaneId::Tail);
    stage.press("?");
    let narrow = stage.text(100, 40);
    assert!(narrow.contains(" more ─") && !narrow.contains("Marks"), "{narrow}");
    let wide = stage.text(140, 40);
    assert!(wide.contains("Marks") && !wide.contains(" more ─"), "{wide}");
}

#[test]
fn what_is_under_the_cursor_of_a_value_is_copied_and_in_its_first_line_all_of_it() {
    let mut stage = tail::reading(1);
    stage.text(120, 40);
    stage.press("Enter");
    let copied = |stage: &mut Stage, keys: &str| {
        stage.text(120, 40);
        stage.press(keys);
        stage.effects.iter().rev().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.clone()),
            _ => None,
        })
    };
    assert_eq!(copied(&mut stage, "j j y").as_deref(), Some("ORD-000000"));
    assert_eq!(copied(&mut stage, "j y").as_deref(), Some("100.50"));
    assert_eq!(copied(&mut stage, "j y").as_deref(), Some(r#"[{"sku":"A-0","quantity":2}]"#));
    assert!(copied(&mut stage, "g y").is_some_and(|text| text.contains("ORDER_PLACED") && text.ends_with('}')));
}

#[test]
fn on_the_smallest_screen_all_headers_can_be_seen() {
    let mut stage = tail::reading(0);
    let headers = (1..=5).map(|number| (format!("header-{number}").as_str().into(), Some(b"x".to_vec())));
    let record = Record { headers: headers.collect(), ..tail::order(0) };
    tail::records(&mut stage, vec![record]);
    assert!(stage.text(80, 24).contains("more headers"), "{}", stage.text(80, 24));
    stage.press("h");
    let text = stage.text(80, 24);
    assert!(text.contains("header-5") && !text.contains("more header"), "{text}");
}

#[test]
fn at_the_last_column_of_jobs_the_arrow_stays_and_a_filter_is_typed_from_the_detail_too() {
    let mut stage = jobs::busy();
    for _ in 0..5 {
        stage.text(80, 24);
        stage.press("Right");
    }
    stage.text(80, 24);
    stage.press("j");
    assert!(stage.text(80, 24).contains("(2/3)"), "the list has the keys\n{}", stage.text(80, 24));
    stage.press("i");
    stage.text(80, 24);
    stage.press("/").types("xd").press("Enter");
    assert_eq!((stage.effects.len(), stage.model.jobs.len()), (0, 3), "letters of a filter are no commands");
    assert!(stage.text(80, 24).contains("xd"), "{}", stage.text(80, 24));
}

#[test]
fn a_guard_that_is_lifted_says_for_how_long() {
    let mut stage = environments::four();
    stage.model.environments[1].guard = Guard::ReadOnly;
    stage.model.lifted.insert("qa".into(), NOON_MS + 14 * 60_000);
    stage.text(120, 40);
    stage.press("j");
    let text = stage.text(120, 40);
    assert!(text.contains("14 m left") && text.contains("lifted for 14 minutes more"), "{text}");
}

#[test]
fn what_reads_on_when_its_environment_is_disconnected_is_said() {
    let mut stage = tail::reading(3);
    stage.act(Action::Disconnect("sandbox".into()));
    let said = stage.model.note.as_ref().map(|note| note.text.clone()).unwrap_or_default();
    assert!(said.contains("1 job of sandbox reads on"), "{said}");
    assert_eq!(stage.effects.last(), Some(&Effect::Disconnect("sandbox".into())));
}
