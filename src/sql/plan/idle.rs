//! Options that a statement's ends are given and that do nothing: told as warnings. Pure.

use super::ends::connector_of;
use super::session::Session;
use super::stream::{Node, NodeKind};
use crate::connectors::accept;
use crate::connectors::contract::End;

impl Session {
    /// What of the options of these sources and sinks has no effect, and why, each once.
    pub(super) fn idle(&self, nodes: &[Node]) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for node in nodes {
            let (connector, options) = match &node.kind {
                NodeKind::Source(source) => match connector_of(&source.options, End::Source) {
                    Ok(connector) => (connector, &source.options),
                    Err(_) => continue,
                },
                NodeKind::Sink(sink) => (sink.connector.clone(), &sink.request.options),
                _ => continue,
            };
            let Ok(connector) = self.connectors.get(&connector) else { continue };
            for what in accept::idle(connector.as_ref(), options) {
                if !told.contains(&what) {
                    told.push(what);
                }
            }
        }
        told
    }
}
