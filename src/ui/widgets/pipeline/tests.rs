//! The picture as it is drawn, wide and narrow.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::app::model::pipeline::{NodeRole, Pipeline, PipelineNode};
use crate::core::ring::Ring;

const NOW_MS: i64 = 1_795_262_400_000;

fn node(id: usize, role: NodeRole, label: &str, inputs: &[usize]) -> PipelineNode {
    PipelineNode {
        id,
        role,
        label: label.into(),
        inputs: inputs.to_vec(),
        in_per_second: 17_900.0,
        out_per_second: 18_400.0,
        rows_out: 12_345,
        ..PipelineNode::default()
    }
}

fn drawn(nodes: Vec<PipelineNode>) -> Drawn {
    let rates = nodes.iter().map(|_| {
        let mut rates = Ring::new(60);
        [1.0, 4.0, 8.0, 6.0].into_iter().for_each(|rate| rates.push(rate));
        rates
    });
    let rates = rates.collect();
    Drawn { pipeline: Arc::new(Pipeline { nodes, ..Pipeline::default() }), rates, is_at_rest: false }
}

fn chain() -> Drawn {
    let mut source = node(0, NodeRole::Source, "read orders", &[]);
    source.backlog = 120;
    let mut window = node(1, NodeRole::Operator, "window TUMBLING(10s) by customer_id", &[0]);
    (window.state_rows, window.state_bytes, window.busy_share, window.late) = (9, 1_400_000, 0.8, 2);
    window.watermark_ms = Some(NOW_MS - 1_200);
    let mut sink = node(2, NodeRole::Sink, "write spend.v1", &[1]);
    sink.retries = 2;
    drawn(vec![source, window, sink])
}

fn text(drawn: &Drawn, cells: usize) -> String {
    let rows = lines(Picture::live(drawn, NOW_MS), cells, &Theme::default());
    assert!(rows.iter().all(|line| line.width() <= cells), "{rows:?}");
    rows.iter().map(|line| line.to_string().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_chain_is_boxes_from_source_to_sink() {
    insta::assert_snapshot!(text(&chain(), 100));
}

#[test]
fn a_chain_is_a_tree_where_boxes_do_not_fit() {
    insta::assert_snapshot!(text(&chain(), 60));
}

#[test]
fn what_is_joined_comes_together() {
    let nodes = vec![
        node(0, NodeRole::Source, "read orders", &[]),
        node(1, NodeRole::Source, "read payments", &[]),
        node(2, NodeRole::Source, "read customers", &[]),
        node(3, NodeRole::Operator, "union", &[0, 1, 2]),
        node(4, NodeRole::Sink, "write all", &[3]),
    ];
    insta::assert_snapshot!(text(&drawn(nodes), 80));
}
