//! Pane 2, its marks: what is marked runs together, is seen where it is folded, and is unmarked by a key.

use crate::etl_runs::{last_plan, planned};
use crate::etls::{load, on_update, stage};

#[test]
fn in_its_own_page_an_etl_runs_alone_whatever_is_marked() {
    let mut stage = on_update();
    stage.press("Space j Enter");
    stage.text(120, 40);
    stage.press("r");
    let text = stage.text(120, 40);
    assert!(text.contains("Run customer_merge"), "{text}");
    assert_eq!(last_plan(&stage).expect("asked").1.etls, ["customer_merge"]);
}

#[test]
fn escape_takes_marks_away_and_what_is_gone_has_none() {
    let mut stage = on_update();
    stage.press("Space j Space");
    assert!(stage.text(120, 40).contains("2 marked  Esc unmarks"), "{}", stage.text(120, 40));
    // A filter is the layer above: it goes first.
    stage.press("/").types("cust").press("Enter Esc");
    assert!(stage.text(120, 40).contains("2 marked"));
    stage.press("Esc");
    assert!(!stage.text(120, 40).contains("marked"));

    stage.press("Space k Space");
    assert!(stage.text(120, 40).contains("2 marked"));
    let left: Vec<_> = stage.model.etls.iter().filter(|row| row.name != "customer_merge").cloned().collect();
    load(&mut stage, left, Vec::new());
    assert!(stage.text(120, 40).contains("1 marked"), "{}", stage.text(120, 40));
}

#[test]
fn a_folded_category_says_how_many_of_it_are_marked() {
    let mut stage = on_update();
    stage.press("Space j Space Left");
    let text = stage.text(120, 40);
    let line = text.lines().find(|line| line.contains("▸ customer")).expect("folded").to_owned();
    assert!(line.contains("▎2 of 3"), "{line}");
}

#[test]
fn a_category_is_marked_without_what_cannot_run() {
    let mut stage = stage();
    stage.press("Space");
    let text = stage.text(160, 40);
    assert!(text.contains("2 marked; not customer_purge (disabled)"), "{text}");
    stage.press("r");
    assert_eq!(last_plan(&stage).expect("asked").1.etls, ["customer_update", "customer_merge"]);
    stage.press("Esc Space");
    assert!(!stage.text(160, 40).contains("Esc unmarks"), "a second time takes them away");
    stage.press("G Space");
    assert!(stage.text(160, 40).contains("cannot run: order_event (broken)"));
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
