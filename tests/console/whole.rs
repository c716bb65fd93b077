//! What must be seen whole, once, and as it is now, however small the screen: advice, keys of records, what runs, what is old.

use ratatui::style::Modifier;
use velox::app::action::{Action, PaneId, TailRequest};
use velox::app::fact::Fact;
use velox::app::model::environments::{Connection, ConnectionState};
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, Update};
use velox::core::record::StartAt;

use crate::stage::Stage;
use crate::{sql, tail};

const ADVICE: &str = "is Kafka running there? `kafka.bootstrap_servers` says where it is looked for";

fn lost(stage: &mut Stage) {
    let fault = Fault::new(Blame::Connection, "no broker takes connections: 127.0.0.1:9092 refused").next(ADVICE);
    let connection =
        Connection { state: ConnectionState::Error, fault: Some(fault), attempt: 2, ..Connection::default() };
    stage.apply(Fact::Connection { environment: "sandbox".into(), connection });
    stage.model.note = None;
}

/// The words of a screen without borders, in one line.
fn words(stage: &mut Stage, width: u16, height: u16) -> String {
    let text = stage.text(width, height).replace(['│', '┃', '─'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_to_do_about_a_lost_broker_is_whole_on_a_small_screen() {
    for (width, height) in [(80, 24), (60, 15)] {
        let mut stage = Stage::new();
        stage.act(Action::Focus(PaneId::Sql));
        lost(&mut stage);
        let text = words(&mut stage, width, height);
        assert!(text.contains(ADVICE), "{}", stage.text(width, height));
    }
}

#[test]
fn topics_that_were_listed_before_the_broker_was_lost_say_so() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Tail));
    tail::topics(&mut stage);
    assert!(!stage.text(80, 24).contains("as of"));
    lost(&mut stage);
    let text = stage.text(80, 24);
    assert!(text.contains("Its topics as of 12:00:00:") && text.contains("sandbox.audit.v1"), "{text}");
    stage.press("n");
    tail::topics(&mut stage);
    lost(&mut stage);
    assert!(stage.text(80, 24).contains("Topics of sandbox as of 12:00:00"), "{}", stage.text(80, 24));
    stage.press("Esc");
    stage.act(Action::Focus(PaneId::Sql));
    assert!(stage.text(140, 40).contains("4, old"), "{}", stage.text(140, 40));
}

#[test]
fn a_long_key_is_read_to_its_end() {
    let key = format!("{}-the-end", "customer/".repeat(30));
    let mut stage = tail::reading(0);
    tail::records(
        &mut stage,
        vec![velox::core::record::Record { key: Some(key.clone().into_bytes()), ..tail::order(1) }],
    );
    let is_seen = |stage: &mut Stage| words(stage, 80, 24).replace(' ', "").contains(&key);
    assert!(!is_seen(&mut stage), "the value has its share");
    let text = stage.press("Enter").text(80, 24);
    assert!(text.lines().last().is_some_and(|line| line.contains("h all of key")), "{text}");
    stage.press("h");
    assert!(is_seen(&mut stage), "{}", stage.text(80, 24));
}

#[test]
fn what_runs_is_seen_when_the_list_of_jobs_is_opened() {
    let mut stage = Stage::new();
    let open = |stage: &mut Stage, pane| {
        stage.act(Action::Focus(pane));
        stage.text(80, 24)
    };
    open(&mut stage, PaneId::Jobs);
    for number in 1..=12 {
        let request = TailRequest {
            environment: "sandbox".into(),
            topics: vec![format!("topic-{number}")],
            start: StartAt::End,
            search: None,
            partitions: Vec::new(),
        };
        stage.act(Action::OpenTail(request));
        stage.text(80, 24);
    }
    let text = open(&mut stage, PaneId::Jobs);
    assert!(text.contains(" topic-12 "), "{text}");
}

#[test]
fn what_a_job_failed_of_is_logged_where_it_failed_and_not_again() {
    let mut stage = tail::reading(0);
    tail::phase(&mut stage, Phase::Failed(Fault::new(Blame::Connection, "gone")));
    assert!(stage.model.note.is_some() && stage.model.note_is_logged);
    stage.act(Action::StopJob(JobId(99)));
    assert!(!stage.model.note_is_logged, "what is only said is logged when it is said");
}

#[test]
fn one_caret_stands_where_letters_go() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Tail));
    stage.press("n");
    tail::topics(&mut stage);
    let carets = |stage: &mut Stage| {
        let drawn = stage.drawn(80, 24);
        drawn.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count()
    };
    assert_eq!(carets(&mut stage), 1, "the filter");
    stage.press("Tab Down");
    assert_eq!(carets(&mut stage), 1, "the number of records");
}

#[test]
fn a_key_that_a_pane_takes_for_itself_stands_in_its_help_once() {
    let mut stage = sql::sitting();
    stage.text(160, 60);
    stage.press("?");
    let text = stage.text(160, 60);
    assert_eq!(text.matches("Ctrl+C").count(), 1, "{text}");
}

#[test]
fn behind_an_opening_quote_values_are_offered_at_once_and_behind_a_closing_one_nothing_is() {
    let mut stage = sql::sitting();
    sql::known(&mut stage);
    stage.types("SELECT * FROM orders WHERE currency = '");
    assert!(
        stage.text(80, 24).contains("Tab takes it") && stage.text(80, 24).contains("CHF"),
        "{}",
        stage.text(80, 24)
    );
    stage.types("EUR'");
    assert!(!stage.text(80, 24).contains("Tab takes it"), "{}", stage.text(80, 24));
}

#[test]
fn of_a_query_that_has_ended_counts_are_told_and_no_rates() {
    let mut stage = sql::running();
    stage.press("Esc F6");
    let rates = |stage: &mut Stage| stage.text(200, 60).matches("k/s").count();
    assert!(2 < rates(&mut stage), "{}", stage.text(200, 60));
    stage.apply(Fact::Job(Update::Phase(JobId(2), Phase::Stopped)));
    let text = stage.text(200, 60);
    assert!(rates(&mut stage) == 0 && !text.contains("busy") && text.contains("WindowAggregate"), "{text}");
}

#[test]
fn a_row_that_is_seen_whole_in_the_place_of_the_plan_gives_it_back_by_its_key() {
    let mut stage = sql::running();
    let footer = |stage: &mut Stage| stage.text(160, 40).lines().last().unwrap_or_default().to_owned();
    assert!(!footer(&mut stage).contains("F6"), "the plan is in view");
    stage.press("Esc").text(160, 40);
    stage.press("Enter").text(160, 40);
    stage.press("i");
    assert!(footer(&mut stage).contains("F6"), "{}", stage.text(160, 40));
    stage.press("F6");
    assert!(stage.text(160, 40).contains("WindowAggregate"), "{}", stage.text(160, 40));
}
