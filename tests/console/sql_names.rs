//! Pane 3: names that are written: wrong ones, those that are completed, those of the catalog.

use crate::sql::{known, looked_at, sitting};
use crate::stage::Stage;

#[test]
fn a_wrong_column_is_underlined_where_it_stands_with_the_nearest_name_before_anything_runs() {
    let mut stage = sitting();
    known(&mut stage);
    stage.types("SELECT order_id, amont FROM orders");
    looked_at(&mut stage);
    stage.press("Esc");
    let text = stage.text(80, 24);
    assert!(text.contains("1:18") && text.contains("amount"), "{text}");
    let styles = stage.styles(80, 24);
    assert!(styles.lines().any(|line| line.contains("UNDERLINED") && line.ends_with(" amont")), "{styles}");
}

#[test]
fn a_name_is_completed_by_tab_and_enter_always_breaks_the_line() {
    let mut stage = sitting();
    known(&mut stage);
    stage.types("SELECT * FROM ord");
    let text = stage.text(80, 24);
    assert!(text.contains("Tab takes it"), "{text}");
    stage.press("Tab");
    let written = |stage: &Stage| stage.model.desk.buffer().map(|buffer| buffer.text.clone()).unwrap_or_default();
    assert_eq!(written(&stage), "SELECT * FROM orders");
    stage.types(" WHERE curr");
    insta::assert_snapshot!("sql_completion_80x24", stage.text(80, 24));
    stage.press("Enter");
    assert_eq!(written(&stage), "SELECT * FROM orders WHERE curr\n");
}

#[test]
fn the_catalog_shows_fields_and_values_and_inserts_at_the_caret() {
    let mut stage = sitting();
    known(&mut stage);
    stage.drawn(80, 24);
    stage.types("SELECT ").press("F2");
    stage.drawn(80, 24);
    stage.press("/").types("orders").press("Enter Down Right Esc");
    stage.drawn(80, 24);
    insta::assert_snapshot!("sql_catalog_80x24", stage.text(80, 24));
    stage.press("Down Down Enter");
    let text = stage.model.desk.buffer().map(|buffer| buffer.text.clone()).unwrap_or_default();
    assert_eq!(text, "SELECT currency");
}
