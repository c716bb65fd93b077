//! Pane 3: writing, completing, what is wrong, running, files and sizes.

use std::sync::Arc;

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use velox::app::action::{Action, PaneId, QueryRequest};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::environments::TopicRow;
use velox::app::model::pipeline::{NodeRole, Pipeline, PipelineNode};
use velox::app::model::queries::{QueryColumn, QueryRow, QuerySchema, RowChange};
use velox::app::model::sql::{KeptDesk, SqlFile};
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, Update};
use velox::sql::assist::{Field, Sample, diagnose};
use velox::sql::deploy::definition::Delivery;

use crate::stage::{NOON_MS, Stage};

/// The second job: the sandbox makes its own events as the first.
pub const QUERY: JobId = JobId(2);

pub const SPEND: &str = "-- spend per customer, ten-second windows
SELECT window_start, customer_id, SUM(amount) AS spent, COUNT(*) AS n
FROM orders
WINDOW TUMBLING(10s)
GROUP BY customer_id EMIT CHANGES;

SELECT * FROM payments WHERE amount > 100";

fn starter(name: &str, about: &str, text: &str) -> SqlFile {
    SqlFile { name: name.into(), about: about.into(), text: text.into(), is_starter: true }
}

/// A console with pane 3 in front, its files read.
pub fn sitting() -> Stage {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Sql));
    assert_eq!(stage.effects, [Effect::ReadSql, Effect::ListTopics("sandbox".into())]);
    let files = vec![
        SqlFile { name: "spend".into(), about: "Spend".into(), text: SPEND.into(), is_starter: false },
        starter("filter", "Filter: the orders that matter", "-- Filter\nSELECT * FROM orders WHERE amount > 300;"),
        starter("window", "Window: spend by customer", SPEND),
    ];
    stage.apply(Fact::SqlRead { files, kept: Ok(KeptDesk::default()) });
    looked_at(&mut stage);
    stage.effects.clear();
    stage
}

/// The same with a text in front, the caret at its beginning.
pub fn writing(text: &str) -> Stage {
    let mut stage = sitting();
    stage.act(Action::EditSql { buffer: 0, text: text.into(), caret: 0 });
    stage.act(Action::ShowSql(0));
    stage.effects.clear();
    stage
}

fn column(name: &str, sql_type: &str, is_numeric: bool) -> QueryColumn {
    QueryColumn { name: name.into(), sql_type: sql_type.into(), is_numeric, scale: None }
}

fn schema(is_changelog: bool) -> QuerySchema {
    QuerySchema {
        columns: vec![
            column("window_start", "TIMESTAMP(3)", false),
            column("customer_id", "VARCHAR", false),
            column("spent", "DECIMAL(18,2)", true),
            column("n", "BIGINT", true),
        ],
        is_changelog,
        key_columns: if is_changelog { vec![0, 1] } else { Vec::new() },
        ..QuerySchema::default()
    }
}

pub fn row(born: u64, spent: Option<&str>, is_update: bool) -> QueryRow {
    let text = |text: &str| Some(text.to_owned());
    QueryRow {
        change: RowChange::Changed,
        born,
        slot: born as u32,
        cells: vec![
            text("2026-11-21 12:00:00.000"),
            text(&format!("CUST-{:05}", 17 + born)),
            spent.map(str::to_owned),
            text(&(born * 3 + 1).to_string()),
        ],
        at_ms: NOON_MS - if is_update { 0 } else { 5_000 },
        is_update,
    }
}

fn node(id: usize, role: NodeRole, operator: &str, label: &str, inputs: &[usize]) -> PipelineNode {
    PipelineNode {
        id,
        role,
        operator: operator.into(),
        label: label.into(),
        inputs: inputs.to_vec(),
        rows_in: 18_400,
        rows_out: 18_400,
        in_per_second: 18_400.0,
        out_per_second: 17_900.0,
        busy_share: 0.12,
        watermark_ms: Some(NOON_MS - 1_200),
        ..PipelineNode::default()
    }
}

pub fn pipeline() -> Pipeline {
    let mut window =
        node(1, NodeRole::Operator, "WindowAggregate", "SUM(amount), COUNT(*) by customer_id over 10 s", &[0]);
    (window.state_bytes, window.busy_share, window.late) = (1_400_000, 0.71, 3);
    let mut sink = node(2, NodeRole::Sink, "screen", "rows to the screen", &[1]);
    (sink.out_per_second, sink.rows_out, sink.is_changing) = (1_204.0, 37_324, true);
    Pipeline {
        nodes: vec![node(0, NodeRole::Source, "kafka", "orders, 4 partitions", &[]), window, sink],
        elapsed_ms: 31_000,
        rows_read: 570_400,
        rows_written: 37_324,
        late: 3,
        state_bytes: 1_400_000,
        watermark_ms: Some(NOON_MS - 1_200),
        ..Pipeline::default()
    }
}

/// A query at work whose rows change, with some of them in view.
pub fn running() -> Stage {
    let mut stage = writing(SPEND);
    stage.press("Down");
    stage.press("F5");
    stage.apply(Fact::Job(Update::Phase(QUERY, Phase::Running)));
    stage.apply(Fact::QuerySchema { job: QUERY, schema: schema(true) });
    let spent = [Some("1204.50"), Some("88.10"), None, Some("7"), Some("120450.25")];
    let rows = (0..30).map(|born| row(born, spent[born as usize % 5], false)).collect();
    stage.apply(Fact::QueryRows { job: QUERY, rows, skipped: 12 });
    stage.apply(Fact::Pipeline { job: QUERY, pipeline: Arc::new(pipeline()) });
    stage.model.note = None;
    stage.effects.clear();
    stage
}

fn asked(stage: &Stage) -> Option<QueryRequest> {
    stage.effects.iter().find_map(|effect| match effect {
        Effect::StartQuery { query, .. } => Some(query.clone()),
        _ => None,
    })
}

#[test]
fn the_pane_fits_every_size() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (59, 14)] {
        let mut stage = running();
        insta::assert_snapshot!(format!("sql_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn styles_say_what_is_a_keyword_what_is_selected_and_what_has_just_changed() {
    let mut stage = running();
    stage.drawn(80, 24);
    stage.apply(Fact::QueryRows { job: QUERY, rows: vec![row(28, Some("99.99"), true)], skipped: 0 });
    stage.press("Esc");
    insta::assert_snapshot!("sql_styles_80x24", stage.styles(80, 24));
}

#[test]
fn an_empty_pane_says_what_to_do() {
    let mut stage = sitting();
    insta::assert_snapshot!("sql_empty_80x24", stage.text(80, 24));
}

#[test]
fn letters_are_text_until_esc_and_digits_are_panes_after_it() {
    let mut stage = sitting();
    stage.types("SELECT 4");
    assert_eq!(stage.model.desk.buffer().map(|buffer| buffer.text.as_str()), Some("SELECT 4"));
    stage.press("Esc 4");
    assert_eq!(stage.model.focus, PaneId::Tail);
}

#[test]
fn of_an_editor_that_nobody_has_written_in_digits_and_help_are_the_consoles() {
    let mut stage = sitting();
    let text = stage.text(120, 40);
    assert!(text.contains(": command  ? help"), "{text}");
    stage.press("?");
    assert!(stage.text(120, 40).contains("sql.run") || stage.text(120, 40).contains("run the statement"));
    stage.press("Esc 6");
    assert_eq!(stage.model.focus, PaneId::Jobs);
    stage.act(Action::Focus(PaneId::Sql));
    stage.drawn(120, 40);
    stage.press(":").types("tail");
    stage.press("Esc");
    assert!(stage.model.desk.buffer().is_none_or(|buffer| buffer.text.is_empty()));
    // Once something was written they are letters, also where it was taken back; with Alt they are panes.
    stage.types("a").press("Backspace").types("1?:");
    assert_eq!(stage.model.desk.buffer().map(|buffer| buffer.text.as_str()), Some("1?:"));
    assert_eq!(stage.model.focus, PaneId::Sql);
    stage.event(Event::Key(KeyEvent::new(KeyCode::Char('6'), KeyModifiers::ALT)));
    assert_eq!(stage.model.focus, PaneId::Jobs);
    assert_eq!(stage.model.desk.buffer().map(|buffer| buffer.text.as_str()), Some("1?:"));
}

#[test]
fn tab_goes_through_the_panes_until_something_is_written() {
    let mut stage = sitting();
    stage.drawn(80, 24);
    stage.press("Tab");
    assert_eq!(stage.model.focus, PaneId::Tail);
    stage.act(Action::Focus(PaneId::Sql));
    stage.drawn(80, 24);
    stage.types("a").press("Tab");
    assert_eq!(stage.model.focus, PaneId::Sql);
    assert_eq!(stage.model.desk.buffer().map(|buffer| buffer.text.as_str()), Some("a "));
}

#[test]
fn the_statement_under_the_caret_runs_and_a_second_run_replaces_the_first() {
    let mut stage = writing(SPEND);
    stage.press("F5");
    let first = asked(&stage).expect("a run");
    assert_eq!((first.environment.as_str(), first.statement), ("sandbox", 0));
    stage.effects.clear();
    stage.press("Down Down Down Down Down Down F5");
    assert!(stage.effects.contains(&Effect::StopJob(QUERY)));
    assert_eq!(asked(&stage).map(|query| query.statement), Some(1));
    assert_eq!(stage.model.desk.history.len(), 2);
    // The end of the first is no news: it is the second that people look at.
    stage.model.note = None;
    stage.apply(Fact::Job(Update::Phase(QUERY, Phase::Stopped)));
    assert_eq!(stage.model.note, None);
    stage.apply(Fact::Job(Update::Phase(JobId(3), Phase::Stopped)));
    assert!(stage.model.note.as_ref().is_some_and(|note| note.text == "the query stopped"), "{:?}", stage.model.note);
}

#[test]
fn rows_of_another_text_say_whose_they_are_and_a_run_says_that_it_ends_the_other() {
    let mut stage = running();
    assert!(!stage.text(120, 40).contains("live, `"));
    stage.act(Action::NewSql);
    stage.types("SELECT * FROM orders");
    assert!(stage.text(120, 40).contains("live, `query 1`"), "{}", stage.text(120, 40));
    stage.press("F5");
    let note = stage.model.note.as_ref().map(|note| note.text.clone()).unwrap_or_default();
    assert!(note.starts_with("the statement that ran is stopped"), "{note}");
}

#[test]
fn lines_that_are_pasted_stay_lines_whatever_the_terminal_sends_between_them() {
    for pasted in
        ["SELECT 1 -- one\rFROM orders\r", "SELECT 1 -- one\r\nFROM orders\r\n", "SELECT 1 -- one\nFROM orders\n"]
    {
        let mut stage = sitting();
        stage.event(Event::Paste(pasted.into()));
        let text = stage.model.desk.buffer().map(|buffer| buffer.text.as_str());
        assert_eq!(text, Some("SELECT 1 -- one\nFROM orders\n"), "{pasted:?}");
    }
}

#[test]
fn a_text_that_cannot_be_saved_under_its_name_is_asked_for_another() {
    let mut stage = writing("SELECT 1");
    stage.event(Event::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::ALT)));
    let text = stage.text(120, 40);
    assert!(text.contains("Save SQL") && !text.contains("in the order shown"), "{text}");
    for (name, reason) in [("a/b", "`query-1a/b` cannot name a file"), ("", "there is a file spend.sql already")] {
        if name.is_empty() {
            for _ in 0.."query-1a/b".len() {
                stage.press("Backspace");
            }
            stage.types("spend");
        }
        stage.types(name).press("Enter");
        assert!(stage.text(120, 40).contains(reason), "{}", stage.text(120, 40));
    }
    stage.types("2").press("Enter");
    assert!(stage.effects.iter().any(|effect| matches!(effect, Effect::SaveSql { name, .. } if name == "spend2")));
    assert_eq!(stage.model.desk.buffer().map(|buffer| buffer.text.as_str()), Some("SELECT 1"));
}

#[test]
fn what_keeps_a_text_from_being_checked_is_said_below_it() {
    let mut stage = sitting();
    stage.types("SELECT 1");
    let fault = Fault::new(Blame::Program, "a step failed by a defect of this program: index 7");
    while let Some(request) = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Diagnose { request, .. } => Some(*request),
        _ => None,
    }) {
        stage.effects.clear();
        stage.apply(Fact::Diagnosed { request, outcome: Err(fault.clone()) });
    }
    let text = stage.text(120, 40);
    assert!(text.contains("the text cannot be checked: a step failed"), "{text}");
}

#[test]
fn a_starter_is_opened_and_what_was_run_before_comes_back() {
    let mut stage = sitting();
    stage.press("Ctrl+G");
    stage.drawn(120, 40);
    insta::assert_snapshot!("sql_gallery_120x40", stage.text(120, 40));
    stage.types("filt").press("Enter");
    assert!(stage.text(80, 24).contains("WHERE amount > 300"));
    stage.press("F5");
    stage.press("Ctrl+N").types("SELECT 1");
    stage.press("Ctrl+Up");
    assert!(stage.text(80, 24).contains("SELECT * FROM orders WHERE amount > 300"));
    stage.press("Ctrl+Down");
    assert!(stage.text(80, 24).contains("SELECT 1"));
}

#[test]
fn a_text_is_saved_under_a_name() {
    let mut stage = writing("SELECT 1");
    stage.press("Esc w");
    assert!(stage.text(80, 24).contains("config/sql/NAME.sql"));
    stage.press("Ctrl+U").types("mine").press("Enter");
    assert!(
        stage.effects.iter().any(|effect| matches!(effect, Effect::SaveSql { over: false, .. })),
        "{:?}",
        stage.effects
    );
}

#[test]
fn words_are_found_in_the_text() {
    let mut stage = writing(SPEND);
    stage.press("Ctrl+F").types("amount");
    let text = stage.text(80, 24);
    assert!(text.contains("find amount") && text.contains("1/2"), "{text}");
    stage.press("Enter");
    assert!(stage.text(80, 24).contains("2/2"));
}

/// The topics of the sandbox, and what a look into `orders` showed.
pub fn known(stage: &mut Stage) {
    let topics = ["customers", "orders", "payments"].map(|name| TopicRow { name: name.into(), partitions: 4 });
    stage.apply(Fact::Topics { environment: "sandbox".into(), topics: Ok(topics.to_vec()) });
    let field = |name: &str, sql_type: &str, samples: &[&str]| Field {
        name: name.into(),
        sql_type: sql_type.into(),
        fields: Vec::new(),
        samples: samples.iter().map(|one| (*one).to_owned()).collect(),
    };
    let fields = vec![
        field("order_id", "VARCHAR", &["ORD-00000007"]),
        field("currency", "VARCHAR", &["EUR", "CHF"]),
        field("amount", "DECIMAL(18,4)", &["12.9000"]),
    ];
    let schema = arrow::datatypes::Schema::new(vec![
        arrow::datatypes::Field::new("order_id", arrow::datatypes::DataType::Utf8, true),
        arrow::datatypes::Field::new("currency", arrow::datatypes::DataType::Utf8, true),
        arrow::datatypes::Field::new("amount", arrow::datatypes::DataType::Decimal128(18, 4), true),
    ]);
    let sample = Sample { schema: Arc::new(schema), fields, records: 20, at_ms: NOON_MS };
    stage.apply(Fact::Sampled { environment: "sandbox".into(), topic: "orders".into(), outcome: Ok(Arc::new(sample)) });
}

/// Answers the newest look at the text as the runtime would.
pub fn looked_at(stage: &mut Stage) {
    while let Some((request, text, catalog)) = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Diagnose { request, text, catalog, .. } => Some((*request, text.clone(), Arc::clone(catalog))),
        _ => None,
    }) {
        stage.effects.clear();
        let outcome = Ok(Arc::new(diagnose(&text, &catalog)));
        stage.apply(Fact::Diagnosed { request, outcome });
    }
}

#[test]
fn a_statement_that_writes_is_deployed_and_one_that_does_not_is_asked_where_to() {
    let mut stage = writing("SELECT * FROM orders");
    stage.press("F8 Enter");
    assert!(stage.text(80, 24).contains("a job needs somewhere to write: name a topic"), "{}", stage.text(80, 24));
    let mut stage = writing("CREATE STREAM large AS SELECT * FROM orders WHERE amount > 100 INTO large_orders");
    stage.press("F8");
    insta::assert_snapshot!("sql_deploy_80x24", stage.text(80, 24));
    stage.press("Enter");
    let deployed = stage.effects.iter().find_map(|effect| match effect {
        Effect::StartDeployed { definition, .. } => Some(definition.clone()),
        _ => None,
    });
    let deployed = deployed.expect("a job");
    assert_eq!((deployed.name.as_str(), deployed.delivery), ("large", Delivery::AtLeastOnce));
}
