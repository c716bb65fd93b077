//! Plans of jobs that are only looked at: they write nothing anywhere, whatever their statement says. Pure.

use super::strategies::{FailureStrategy, LateStrategy};
use super::stream::{NodeKind, StreamPlan};
use crate::connectors::options::Options;

/// No transaction and no dead letter. The sink stays, for whoever puts one of its own in its place.
pub fn without_traces(plan: &mut StreamPlan) {
    if let Some(NodeKind::Sink(sink)) = plan.nodes.last_mut().map(|node| &mut node.kind) {
        sink.request.exactly_once = false;
    }
    plan.dead_letters = None;
    if plan.failure.dead_letters().is_some() {
        plan.failure = FailureStrategy::LogAndContinue;
    }
    if plan.late == LateStrategy::DeadLetter {
        plan.late = LateStrategy::Drop;
    }
}

/// The same, and its rows are thrown away where they would have been written.
pub fn throwing_rows_away(plan: &mut StreamPlan) {
    without_traces(plan);
    let Some(last) = plan.nodes.last_mut() else { return };
    if let NodeKind::Sink(sink) = &mut last.kind {
        last.label = format!("throw away what goes to {}", sink.request.name);
        "discard".clone_into(&mut sink.connector);
        sink.request.options = Options::default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::datatypes::Schema;

    use super::*;
    use crate::connectors::contract::SinkRequest;
    use crate::sql::functions::division::Divisions;
    use crate::sql::plan::stream::{Changes, Node, SinkNode};

    #[test]
    fn a_plan_that_is_looked_at_has_no_topic_no_transaction_and_no_dead_letters() {
        let request = SinkRequest {
            name: "payments".into(),
            options: [("topic", "payments")].into_iter().collect(),
            schema: Arc::new(Schema::empty()),
            key: Vec::new(),
            key_lacks: Vec::new(),
            key_refused: None,
            changes: false,
            job: "job".into(),
            exactly_once: true,
        };
        let sink = Node {
            kind: NodeKind::Sink(SinkNode { connector: "kafka".into(), request }),
            inputs: Vec::new(),
            schema: Arc::new(Schema::empty()),
            changes: Changes::Append,
            key: Vec::new(),
            label: "write payments".into(),
        };
        let mut plan = StreamPlan {
            nodes: vec![sink],
            parallelism: 1,
            failure: FailureStrategy::SendToDlq { topic: "payments.dlq".into() },
            late: LateStrategy::DeadLetter,
            dead_letters: Some("payments.dlq".into()),
            divisions: Divisions::default(),
            state_ttl: None,
        };
        throwing_rows_away(&mut plan);
        assert_eq!((plan.failure.dead_letters(), &plan.dead_letters, plan.late), (None, &None, LateStrategy::Drop));
        let last = plan.nodes.last().unwrap();
        assert_eq!(last.label, "throw away what goes to payments");
        let NodeKind::Sink(sink) = &last.kind else { panic!("no sink") };
        assert_eq!((sink.connector.as_str(), sink.request.exactly_once), ("discard", false));
        assert!(sink.request.options.get("topic").is_none());
    }
}
