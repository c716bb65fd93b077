//! The channels between the tasks of a job, made before any task is. It sends and receives nothing.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::chunk::Message;
use super::exchange::{CHANNEL_MESSAGES, Exchange, Outlets};
use super::graph::{Graph, Head};
use super::inlet::Inlet;

/// Channels into a task, each with the port it feeds.
type Ports = Vec<(usize, mpsc::Receiver<Message>)>;

/// The channels between fragments: both ends of each, until a task takes them.
pub struct Wires {
    outlets: HashMap<(usize, usize), Outlets>,
    inlets: HashMap<(usize, usize), Ports>,
}

impl Wires {
    /// All channels between the fragments of a graph.
    pub fn new(graph: &Graph) -> Self {
        let mut wires = Self { outlets: HashMap::new(), inlets: HashMap::new() };
        for (index, fragment) in graph.fragments.iter().enumerate() {
            let Head::Edges(edges) = &fragment.head else { continue };
            for edge in edges {
                for sender in 0..graph.fragments[edge.from].instances {
                    let targets: Vec<usize> = match edge.exchange {
                        Exchange::Spread => vec![sender % fragment.instances],
                        Exchange::Hash(_) => (0..fragment.instances).collect(),
                    };
                    let senders = targets.into_iter().map(|target| {
                        let (sender, receiver) = mpsc::channel(CHANNEL_MESSAGES);
                        wires.inlets.entry((index, target)).or_default().push((edge.port, receiver));
                        sender
                    });
                    let senders = senders.collect();
                    wires.outlets.entry((edge.from, sender)).or_default().add(edge.exchange.clone(), senders);
                }
            }
        }
        wires
    }

    /// The ways out of an instance of a fragment.
    pub fn outlets(&mut self, fragment: usize, instance: usize) -> Outlets {
        self.outlets.remove(&(fragment, instance)).unwrap_or_default()
    }

    /// The ways into an instance of a fragment.
    pub fn inlet(&mut self, fragment: usize, instance: usize) -> Inlet {
        Inlet::new(self.inlets.remove(&(fragment, instance)).unwrap_or_default())
    }
}
