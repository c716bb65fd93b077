//! Pane 3: the rows of a query, what is counted of them, one seen whole, and the plan before, during and after a run.

use std::sync::Arc;

use velox::app::action::RowsFormat;
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::pipeline::{Pipeline, PipelineNode};
use velox::app::model::sql::{Explained, Reads};
use velox::core::fault::{Blame, Fault};
use velox::core::job::{Phase, Update};

use crate::sql::{QUERY, SPEND, pipeline, row, running, writing};
use crate::stage::NOON_MS;

#[test]
fn a_query_is_held_sorted_filtered_and_exported() {
    let mut stage = running();
    stage.press("Esc Space");
    assert!(stage.model.queries[&QUERY].frozen.is_some());
    stage.drawn(120, 40);
    stage.press("Space Right Right s");
    let text = stage.text(120, 40);
    let largest = text.find("120,450.25").expect("a row");
    assert!(largest < text.find("1,204.50").expect("a row"), "{text}");
    stage.press("/").types("CUST-00019").press("Enter");
    let text = stage.text(120, 40);
    assert!(text.contains("CUST-00019") && text.contains(" of 30)"), "{text}");
    stage.model.folder = "/home/me/etl".into();
    stage.press("o Right");
    let text = stage.text(120, 40);
    assert!(text.contains("4 rows, in the order shown. 26 more are hidden by the filter."), "{text}");
    stage.press("Tab");
    let text = stage.text(120, 40);
    assert!(text.contains("velox-query_1-20261121-120000.jsonl") && text.contains("/home/me/etl."), "{text}");
    stage.press("Home").types("out/");
    stage.press("Enter");
    let export = stage.effects.iter().find_map(|effect| match effect {
        Effect::ExportRows(export) => Some((export.format, export.file.as_str(), export.rows.len())),
        _ => None,
    });
    assert_eq!(export, Some((RowsFormat::JsonLines, "out/velox-query_1-20261121-120000.jsonl", 4)));
}

/// Lines of the state: from the rule to the titles of the columns.
fn state(text: &str) -> Vec<String> {
    let from = text.lines().skip_while(|line| !line.contains(" live "));
    from.take_while(|line| !line.contains("customer_id  ")).map(str::to_owned).collect()
}

#[test]
fn a_result_that_changes_has_rows_and_changes_and_says_what_nobody_could_see() {
    let mut stage = running();
    let told = state(&stage.text(200, 60)).join(" ");
    for words in ["1.2k changes/s", "30 rows · 42 changes", "12 overwritten unseen"] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(!told.contains("not shown") && !told.contains("not in view"), "{told}");
    stage.press("F6");
    assert!(stage.text(200, 60).contains("37,324 changes"), "{}", stage.text(200, 60));
    // More rows than the view holds.
    stage.apply(Fact::QueryRows {
        job: QUERY,
        rows: (30..2_000).map(|born| row(born, None, false)).collect(),
        skipped: 0,
    });
    stage.apply(Fact::Pipeline { job: QUERY, pipeline: Arc::new(Pipeline { result_rows: Some(5_431), ..pipeline() }) });
    let told = state(&stage.text(200, 60)).join(" ");
    assert!(told.contains("5,431 rows · 2,012 changes") && told.contains("3,431 rows not in view"), "{told}");
}

#[test]
fn rows_do_not_jump_when_a_count_grows_or_goes() {
    for width in [80, 120, 140, 200] {
        let mut stage = running();
        let first = state(&stage.text(width, 40));
        let mut lines = vec![first.len()];
        let place = |text: &str, words: &str| text.lines().find_map(|line| line.find(words));
        let watermark = place(&first.join("\n"), "watermark");
        for (made, per_second, behind_ms) in
            [(9, 7.0, 300), (9_000, 99.94, 12_000), (0, 3.0, 61_000), (90_000, 1_204.0, 900)]
        {
            stage.apply(Fact::QueryRows { job: QUERY, rows: Vec::new(), skipped: made });
            let mut now = Pipeline { watermark_ms: Some(NOON_MS - behind_ms), ..pipeline() };
            now.nodes[2].out_per_second = per_second;
            stage.apply(Fact::Pipeline { job: QUERY, pipeline: Arc::new(now) });
            let told = state(&stage.text(width, 40));
            lines.push(told.len());
            if made < 90_000 {
                assert_eq!(place(&told.join("\n"), "watermark"), watermark, "{told:?}");
            }
        }
        lines.dedup();
        assert_eq!(lines.len(), 1, "{width}: {lines:?}");
        stage.apply(Fact::Job(Update::Phase(QUERY, Phase::Stopped)));
        let text = stage.text(width, 40);
        let ended = text
            .lines()
            .skip_while(|line| !line.contains("stopped"))
            .take_while(|line| !line.contains("customer_id  "));
        assert_eq!(ended.count(), lines[0], "{text}");
    }
}

#[test]
fn a_value_is_followed_and_let_go() {
    let mut stage = running();
    stage.drawn(120, 40);
    stage.press("Esc g Right F");
    let text = stage.text(120, 40);
    assert!(text.contains("customer_id = CUST-00017") && !text.contains("CUST-00018"), "{text}");
    stage.press("Esc");
    assert!(stage.text(120, 40).contains("CUST-00018"));
}

#[test]
fn a_row_is_seen_whole() {
    let mut stage = running();
    stage.drawn(80, 24);
    stage.press("Esc g Enter");
    insta::assert_snapshot!("sql_row_80x24", stage.text(80, 24));
    stage.press("Esc");
    assert!(stage.text(80, 24).contains("window_start"));
}

#[test]
fn the_plan_is_live_while_the_query_runs() {
    for (width, height) in [(80, 24), (200, 60)] {
        let mut stage = running();
        stage.drawn(width, height);
        stage.press("F6");
        insta::assert_snapshot!(format!("sql_plan_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn before_a_run_the_plan_says_what_would_be_read() {
    let mut stage = writing(SPEND);
    stage.press("F6");
    let request = stage.effects.iter().find_map(|effect| match effect {
        Effect::ExplainSql { request, .. } => Some(*request),
        _ => None,
    });
    let node = |id, operator: &str, label: &str, keeps: &str, inputs: &[usize]| PipelineNode {
        id,
        operator: operator.into(),
        label: label.into(),
        keeps: keeps.into(),
        is_changing: id > 0,
        inputs: inputs.to_vec(),
        ..PipelineNode::default()
    };
    let pipeline = Pipeline {
        nodes: vec![
            node(0, "kafka", "orders", "", &[]),
            node(1, "WindowAggregate", "SUM(amount), COUNT(*)", "each change is given, once a batch", &[0]),
            node(2, "screen", "rows to the screen", "", &[1]),
        ],
        ..Pipeline::default()
    };
    let explained = Explained {
        pipeline,
        reads: vec![Reads { source: "orders".into(), about: "topic orders, 4 partitions, 12,400 records".into() }],
        writes: "the screen".into(),
        columns: vec![("window_start".into(), "TIMESTAMP(3)".into()), ("spent".into(), "DECIMAL(18,2)".into())],
        warnings: Vec::new(),
    };
    stage.apply(Fact::SqlExplained { request: request.expect("a plan is asked for"), outcome: Ok(explained) });
    insta::assert_snapshot!("sql_explained_80x24", stage.text(80, 24));
}

#[test]
fn a_query_that_fails_says_why_in_full() {
    let mut stage = writing("SELECT * FROM nothing");
    stage.press("F5");
    let fault = Fault::new(Blame::Operator, "there is no topic `nothing`").next("SHOW TOPICS lists them");
    stage.apply(Fact::Job(Update::Phase(QUERY, Phase::Failed(fault))));
    let text = stage.text(80, 24);
    assert!(text.contains("there is no topic `nothing`") && text.contains("SHOW TOPICS lists them"), "{text}");
}
