//! Pane 1: what each environment is, lacks and does; connecting, checking, editing; sizes.

use velox::app::action::{Action, PaneId};
use velox::app::effect::Effect;
use velox::app::fact::{Fact, Loaded};
use velox::app::model::environments::{
    CheckStep, Connection, ConnectionState, EnvironmentRow, MissingVariable, Setting, StepOutcome,
};
use velox::core::fault::{Blame, Fault, Place};
use velox::core::job::{JobId, Phase, Update};

use crate::stage::{NOON_MS, Stage};

/// The second job: the sandbox makes its own events as the first.
const CHECK: JobId = JobId(2);

fn setting(path: &str, value: &str, origin: &str, place: Option<Place>) -> Setting {
    Setting { path: path.into(), value: value.into(), origin: origin.into(), place }
}

/// qa as its file says it: connected by SASL, its password out of `.env`.
fn qa() -> EnvironmentRow {
    let file = "config/environments/qa.yaml";
    let here = |line| Some(Place::at(file, line, 3));
    let mut qa = EnvironmentRow::new("qa", file);
    qa.description = "Quality assurance".into();
    (qa.protocol, qa.mechanism) = ("SASL_SSL".into(), Some("SCRAM-SHA-512".into()));
    qa.bootstrap = "kafka-qa.example.com:9093".into();
    qa.settings = vec![
        setting("environment", "qa", "config/environments/qa.yaml:2:3", here(2)),
        setting("kafka.bootstrap_servers", &qa.bootstrap, "config/environments/qa.yaml:4:3", here(4)),
        setting("kafka.sasl.username", "velox", "KAFKA_QA_USERNAME in the process environment", here(7)),
        setting("kafka.sasl.password", "***", "KAFKA_QA_PASSWORD in .env:3:1", Some(Place::at(".env", 3, 1))),
        setting("kafka.request_timeout_ms", "30000", "default", None),
    ];
    qa
}

/// sandbox, qa, a prod without two variables, and one whose file is broken.
pub fn four() -> Stage {
    let mut stage = Stage::new();
    let mut prod = EnvironmentRow::new("prod", "config/environments/prod.yaml");
    (prod.protocol, prod.bootstrap) = ("SSL".into(), "KAFKA_PROD_BOOTSTRAP is not set".into());
    prod.missing = [("KAFKA_PROD_BOOTSTRAP", "kafka.bootstrap_servers", 6), ("KAFKA_PROD_CA", "kafka.ssl.cafile", 9)]
        .map(|(variable, path, line)| MissingVariable {
            variable: variable.into(),
            path: path.into(),
            place: Place::at("config/environments/prod.yaml", line, 12),
        })
        .to_vec();
    let mut broken = EnvironmentRow::new("perf", "config/environments/perf.yaml");
    broken.faults = vec![
        Fault::new(Blame::Configuration, "unknown key `bootstap_servers`")
            .at(Place::at("config/environments/perf.yaml", 3, 3))
            .next("did you mean `bootstrap_servers`?"),
    ];
    let mut sandbox = stage.model.environments[0].clone();
    sandbox.bootstrap = "embedded://".into();
    let environments = vec![sandbox, qa(), prod, broken];
    stage.apply(Fact::Loaded(Box::new(Loaded { environments, ..Loaded::default() })));
    stage.effects.clear();
    stage.model.note = None;
    stage
}

fn connected(stage: &mut Stage, connection: Connection) {
    stage.apply(Fact::Connection { environment: "qa".into(), connection });
}

fn answering() -> Connection {
    Connection {
        state: ConnectionState::Connected,
        since_ms: NOON_MS - 125_000,
        created_ms: Some(NOON_MS - 126_000),
        connected_ms: Some(NOON_MS - 125_000),
        last_activity_ms: Some(NOON_MS - 4_000),
        round_trip_ms: Some(12.3),
        brokers: Some((2, 3)),
        ..Connection::default()
    }
}

fn step(stage: &mut Stage, name: &str, outcome: StepOutcome, took_ms: f64) {
    stage.apply(Fact::CheckStep { job: CHECK, step: CheckStep { name: name.into(), outcome, took_ms } });
}

#[test]
fn the_pane_fits_every_size() {
    for (width, height) in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let mut stage = four();
        connected(&mut stage, answering());
        stage.text(width, height);
        stage.press("j");
        insta::assert_snapshot!(format!("environments_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn each_environment_has_its_own_colour_and_what_is_wrong_is_red() {
    let mut stage = four();
    connected(&mut stage, answering());
    stage.text(80, 24);
    stage.press("j i");
    insta::assert_snapshot!("environments_styles_80x24", stage.styles(80, 24));
}

#[test]
fn a_missing_variable_is_told_by_name_and_a_broken_file_hides_no_other() {
    let mut stage = four();
    stage.text(120, 40);
    stage.press("j j");
    let text = stage.text(120, 40);
    assert!(text.contains("○ 2 not set") && text.contains("✖ broken file"), "{text}");
    assert!(text.contains("KAFKA_PROD_CA") && text.contains("Put NAME=value into .env and press F9"), "{text}");
    stage.press("j");
    let text = stage.text(120, 40);
    assert!(text.contains("unknown key `bootstap_servers`") && text.contains("perf.yaml:3:3"), "{text}");
    assert!(text.contains("sandbox") && text.contains("● connected"), "{text}");
    stage.press("Enter");
    assert_eq!(stage.model.active.as_deref(), Some("sandbox"), "a broken one cannot be chosen");
}

#[test]
fn keys_ask_for_what_the_footer_says() {
    for (keys, effect) in [
        ("j Enter", Effect::Connect("qa".into())),
        ("j c", Effect::Connect("qa".into())),
        ("c", Effect::Disconnect("sandbox".into())),
        ("j h", Effect::CheckHealth { job: CHECK, environment: "qa".into() }),
        ("j e", Effect::EditFile { path: "config/environments/qa.yaml".into(), line: 1 }),
        ("j j j e", Effect::EditFile { path: "config/environments/perf.yaml".into(), line: 3 }),
        ("j y", Effect::Copy("kafka-qa.example.com:9093".into())),
    ] {
        let mut stage = four();
        stage.text(120, 40);
        for key in keys.split(' ') {
            stage.press(key);
            stage.text(120, 40);
        }
        assert_eq!(stage.effects.last(), Some(&effect), "{keys}");
    }
}

#[test]
fn the_line_of_a_setting_opens_where_its_value_comes_from() {
    let mut stage = four();
    stage.text(120, 40);
    stage.press("j");
    stage.text(120, 40);
    stage.press("i G");
    stage.text(120, 40);
    let text = stage.text(120, 40);
    assert!(text.contains("***") && text.contains(".env:3 KAFKA_QA"), "{text}");
    stage.press("e");
    assert_eq!(stage.effects.last(), Some(&Effect::EditFile { path: ".env".into(), line: 3 }));
    stage.press("y");
    assert_eq!(stage.effects.last(), Some(&Effect::Copy("***".into())), "a secret is nowhere to be had");
    stage.press("Esc j");
    assert!(stage.text(120, 40).contains("(3/4)"), "the keys are back in the list");
}

#[test]
fn a_check_tells_each_step_as_it_ends_and_what_it_waits_for() {
    let mut stage = four();
    stage.text(80, 24);
    stage.press("j h");
    let text = stage.text(80, 24);
    assert!(text.contains("◐ resolve") && text.contains("waiting for an answer"), "{text}");
    stage.apply(Fact::Job(Update::Phase(CHECK, Phase::Running)));
    step(&mut stage, "resolve", StepOutcome::Passed("10.0.0.7:9093".into()), 1.8);
    step(&mut stage, "TCP", StepOutcome::Passed("10.0.0.7:9093 takes connections".into()), 11.0);
    stage.apply(Fact::Tick { now_ms: NOON_MS + 3_100 });
    let text = stage.text(80, 24);
    assert!(text.contains("✓ resolve               1.8 ms  10.0.0.7:9093"), "{text}");
    assert!(text.contains("◐ TLS                      3 s  waiting"), "{text}");
    stage.press("h");
    assert!(stage.text(80, 24).contains("`qa` is being checked already"));
    let fault = Fault::new(Blame::Authentication, "the broker's certificate expired on 2026-01-01").next("renew it");
    step(&mut stage, "TLS", StepOutcome::Failed(fault.clone()), 30.0);
    step(&mut stage, "log in", StepOutcome::Skipped("`TLS` failed".into()), 0.0);
    step(&mut stage, "metadata", StepOutcome::Skipped("`TLS` failed".into()), 0.0);
    step(&mut stage, "produce and consume", StepOutcome::Skipped("`TLS` failed".into()), 0.0);
    stage.apply(Fact::Job(Update::Phase(CHECK, Phase::Failed(fault))));
    stage.model.note = None;
    insta::assert_snapshot!("environments_check_failed_80x24", stage.text(80, 24));
}

#[test]
fn a_check_that_cannot_begin_says_why() {
    let mut stage = four();
    stage.text(120, 40);
    stage.press("j j h");
    let fault = Fault::new(Blame::Configuration, "`KAFKA_PROD_CA` is not set").next("set it in .env");
    stage.apply(Fact::Job(Update::Phase(CHECK, Phase::Failed(fault))));
    stage.model.note = None;
    let text = stage.text(120, 40);
    assert!(text.contains("not well, checked now") && text.contains("`KAFKA_PROD_CA` is not set"), "{text}");
}

#[test]
fn who_waits_for_a_connection_reads_what_is_waited_for_and_since_when() {
    let mut stage = four();
    let connection = Connection {
        state: ConnectionState::Connecting,
        trying: Some("waiting for an answer of kafka-qa.example.com:9093, at most 10 s".into()),
        since_ms: NOON_MS - 3_000,
        ..Connection::default()
    };
    connected(&mut stage, connection);
    stage.model.active = Some("qa".into());
    let text = stage.text(140, 40);
    assert!(text.lines().next().is_some_and(|header| header.contains("connecting, 3 s")), "{text}");
    assert!(text.contains("waiting for an answer of kafka-qa.example.com:9093, at most 10 s"), "{text}");
}

#[test]
fn what_is_good_to_know_at_the_start_is_one_line_that_leaves_by_itself() {
    let mut stage = four();
    let facts = Loaded { environments: vec![qa()], note: Some("no config/ here".into()), ..Loaded::default() };
    stage.model.environments.clear();
    stage.apply(Fact::Loaded(Box::new(facts.clone())));
    assert!(stage.text(80, 24).contains("no config/ here"));
    for second in 1..10 {
        stage.apply(Fact::Tick { now_ms: NOON_MS + second * 1_000 });
    }
    assert!(!stage.text(80, 24).contains("no config/ here"));
    stage.apply(Fact::Loaded(Box::new(facts)));
    let again = stage.text(80, 24);
    assert!(!again.contains("no config/ here") && again.contains("read again: 1 environment, 0 ETLs"), "{again}");
}

#[test]
fn topics_that_cannot_be_had_are_not_asked_for_for_ever_and_a_lost_broker_is_told_beside_what_is_known() {
    let mut stage = four();
    stage.act(Action::Focus(PaneId::Sql));
    assert!(stage.text(140, 40).contains("asking"));
    let fault = || Fault::new(Blame::Connection, "refused");
    stage.apply(Fact::Topics { environment: "sandbox".into(), topics: Err(fault()) });
    let text = stage.text(140, 40);
    assert!(!text.contains("asking") && text.contains("n/a") && text.contains("refused"), "{text}");
    stage.apply(Fact::Topics { environment: "sandbox".into(), topics: Ok(Vec::new()) });
    assert!(!stage.text(140, 40).contains("refused"));
    let connection = Connection { state: ConnectionState::Error, fault: Some(fault()), ..Connection::default() };
    stage.apply(Fact::Connection { environment: "sandbox".into(), connection });
    assert!(stage.text(140, 40).contains("refused"));
}

#[test]
fn what_was_said_stays_while_it_is_new_and_leaves_with_the_pane_it_was_said_in() {
    let mut stage = four();
    stage.act(Action::Say(velox::app::model::Note::danger("it failed")));
    stage.act(Action::Focus(PaneId::Jobs));
    assert!(stage.text(80, 24).contains("it failed"), "nobody can have read it yet");
    stage.apply(Fact::Tick { now_ms: NOON_MS + 9_000 });
    assert!(stage.text(80, 24).contains("it failed"), "a failure waits longer than other news");
    stage.act(Action::Focus(PaneId::Log));
    assert!(!stage.text(80, 24).contains("it failed"));
}

#[test]
fn a_lost_broker_and_a_wrong_password_say_what_comes_next() {
    let mut stage = four();
    stage.text(120, 40);
    stage.press("j");
    let fault = Fault::new(Blame::Connection, "no broker of kafka-qa.example.com:9093 answers");
    let lost = Connection {
        state: ConnectionState::Error,
        since_ms: NOON_MS - 62_000,
        brokers: Some((0, 3)),
        fault: Some(fault),
        attempt: 4,
        ..Connection::default()
    };
    connected(&mut stage, lost.clone());
    let text = stage.text(120, 40);
    assert!(text.contains("✖ error, try 4") && text.contains("error for 01:02"), "{text}");
    assert!(text.contains("tried again by itself"), "{text}");
    stage.press("c");
    assert_eq!(stage.effects.last(), Some(&Effect::Disconnect("qa".into())), "the same key ends the trying");
    let fault = Fault::new(Blame::Authentication, "the broker refused the password").next("check KAFKA_QA_PASSWORD");
    connected(&mut stage, Connection { fault: Some(fault), attempt: 0, ..lost });
    let text = stage.text(120, 40);
    assert!(text.contains("not tried again by itself; c tries once more"), "{text}");
}

#[test]
fn a_click_chooses_and_a_second_one_makes_active() {
    let mut stage = four();
    stage.text(120, 40);
    stage.click(10, 4);
    assert!(stage.text(120, 40).contains("(2/4)"));
    stage.click(10, 4);
    assert_eq!(stage.model.active.as_deref(), Some("qa"));
}

#[test]
fn the_filter_finds_by_a_few_letters_and_sorting_goes_by_what_has_a_title() {
    let mut stage = four();
    stage.text(120, 40);
    stage.press("/").types("scram").press("Enter");
    assert!(stage.text(200, 60).contains("(1/1 of 4)"));
    stage.press("Esc s");
    assert!(stage.text(120, 40).contains("name ▲"));
}

#[test]
fn no_environment_says_what_to_do() {
    let mut stage = Stage::new();
    stage.apply(Fact::Loaded(Box::default()));
    stage.act(Action::Focus(PaneId::Environments));
    assert!(stage.text(80, 24).contains("no environment yet: put a file into config/environments/"));
}
