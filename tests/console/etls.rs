//! Pane 2: the tree, definition and template with their faults, preview. What runs from here is in `etl_runs`.

use std::sync::Arc;

use indexmap::IndexMap;
use velox::app::action::{Action, Export, PaneId, PreviewRequest};
use velox::app::effect::Effect;
use velox::app::fact::{Fact, Loaded};
use velox::app::model::etls::{EtlRow, Rendered};
use velox::app::model::runs::Preset;
use velox::core::etl::Etl;
use velox::core::fault::{Blame, Fault, Place};

use crate::stage::Stage;

const TEMPLATE: &str = "{\n  \"eventType\": \"CUSTOMER_UPDATE\",\n  \"payload\": {\n    \"customerId\": \"{{ customer_id }}\",\n    \"amount\": \"{{ amount | decimal }}\"\n  }\n}\n";

pub fn row(name: &str, category: &str, environments: &[&str]) -> EtlRow {
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

pub fn disabled(mut row: EtlRow) -> EtlRow {
    let mut etl = row.etl.as_deref().cloned().expect("whole");
    etl.enabled = false;
    row.etl = Some(Arc::new(etl));
    row
}

/// An ETL whose template cannot be read at line 5.
pub fn faulty(mut row: EtlRow) -> EtlRow {
    let place = Place::at(row.template_file.clone(), 5, 19);
    row.faults =
        vec![Fault::new(Blame::Configuration, "unknown filter `decimel`").at(place).next("did you mean `decimal`?")];
    row
}

/// An ETL whose file cannot be read at line 3.
pub fn unreadable(name: &str) -> EtlRow {
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

pub fn load(stage: &mut Stage, etls: Vec<EtlRow>, presets: Vec<Preset>) {
    let environments = stage.model.environments.clone();
    stage.apply(Fact::Loaded(Box::new(Loaded { environments, etls, presets, ..Loaded::default() })));
    stage.model.note = None;
}

/// A console on the pane of ETLs; the cursor is on the first category.
pub fn stage() -> Stage {
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
    stage.press("g");
    stage
}

/// The same with the cursor on `customer_update`.
pub fn on_update() -> Stage {
    let mut stage = stage();
    stage.press("j");
    stage
}

pub fn last_preview(stage: &Stage) -> Option<(u64, PreviewRequest)> {
    stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Preview { request, preview } => Some((*request, preview.clone())),
        _ => None,
    })
}

pub fn previewed(stage: &mut Stage, outcome: Result<Rendered, Fault>) {
    let (request, _) = last_preview(stage).expect("a preview was asked for");
    stage.apply(Fact::Previewed { request, outcome });
}

pub fn rendered() -> Rendered {
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
fn what_cannot_be_read_is_not_taken_for_a_category_called_broken() {
    let mut stage = stage();
    let etls = vec![row("one", "broken", &["sandbox"]), row("two", "broken", &["sandbox"]), unreadable("order_event")];
    load(&mut stage, etls, Vec::new());
    stage.press("g Left");
    let text = stage.text(120, 40);
    assert!(text.contains("▸ broken") && text.contains("▾ ✖ cannot be read"), "{text}");
    assert!(text.contains("order_event"), "folding one does not fold the other\n{text}");
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
fn a_key_that_cannot_be_seen_does_nothing() {
    let mut stage = on_update();
    stage.drawn(50, 12);
    stage.press("r");
    stage.drawn(120, 40);
    assert!(!stage.text(120, 40).contains("Run customer_update"));
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
    let column = line.split("Template").next().unwrap_or_default().chars().count() as u16;
    stage.click(column + 1, row);
    assert!(stage.text(120, 40).contains("▸Template◂"));
}
