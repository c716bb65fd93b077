//! The ways out of a run: one connection an environment, or one for an ETL with settings of its own, and a few
//! producers on each. The traits are the run's only seam; Kafka and the dry run stand behind it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::core::etl::Etl;
use crate::core::fault::Fault;
use crate::kafka::producer::{EnqueueFault, Outgoing};

use super::desk::Desk;
use super::ticket::Ticket;

/// What a connection is for.
#[derive(Debug, Clone)]
pub struct LaneSpec {
    /// Environment.
    pub environment: Arc<str>,
    /// The ETL whose `auth_override` or `extra` ask for a connection of its own; `None` for the shared one.
    pub own: Option<Arc<Etl>>,
}

/// An opening under way.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Open>, Fault>> + Send + 'a>>;

/// Opens connections.
pub trait Opener: Send + Sync {
    /// Checks settings, reaches the broker and logs in.
    fn open(&self, lane: LaneSpec) -> Opening<'_>;
}

/// An open connection.
pub trait Open: Send + Sync {
    /// One more producer on it, whose first record goes to `topic`; each record's ending is told to `desk`.
    fn producer(&self, topic: &str, desk: Arc<Desk>) -> Result<Box<dyn Outbound>, Fault>;
}

/// A producer. Nothing of it waits.
pub trait Outbound: Send + Sync {
    /// Takes a record; its desk is told of its ending exactly once, unless it is refused here.
    fn enqueue(&self, record: Outgoing<'_>, ticket: Ticket) -> Result<(), EnqueueFault>;
    /// Sends what waits for a fuller batch.
    fn hurry(&self);
    /// Gives up on all that waits; the desk is told of each.
    fn abandon(&self);
}

/// A connection and its producers, each opened when first needed.
pub struct Lane {
    /// What it is for.
    pub spec: LaneSpec,
    open: OnceLock<Box<dyn Open>>,
    slots: Vec<OnceLock<Result<Slot, Fault>>>,
    wanted: AtomicBool,
}

/// A producer and the desk that hears of its records.
pub struct Slot {
    /// The producer.
    pub outbound: Box<dyn Outbound>,
    /// The desk.
    pub desk: Arc<Desk>,
}

impl Lane {
    /// A closed lane for at most `producers` of them.
    pub fn new(spec: LaneSpec, producers: u32) -> Self {
        let slots = (0..producers.max(1)).map(|_| OnceLock::new()).collect();
        Self { spec, open: OnceLock::new(), slots, wanted: AtomicBool::new(false) }
    }

    /// Whether it takes events.
    pub fn is_open(&self) -> bool {
        self.open.get().is_some()
    }

    /// Asks for it; whether this was the first time.
    pub fn want(&self) -> bool {
        !self.wanted.swap(true, Ordering::AcqRel)
    }

    /// Whether anybody asked for it.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// It is open now.
    pub fn opened(&self, open: Box<dyn Open>) {
        self.open.set(open).ok();
    }

    /// The producer for a key: always the same one, so that its events stay in order. Without a key the `turn` chooses.
    pub fn place_of(&self, key: Option<&[u8]>, turn: u64) -> usize {
        let number = match key {
            Some(key) if self.slots.len() > 1 => {
                let mut hasher = DefaultHasher::new();
                key.hash(&mut hasher);
                hasher.finish()
            }
            _ => turn,
        };
        (number % self.slots.len() as u64) as usize
    }

    /// A producer, opened if it is not: its first record is for `topic`.
    pub fn slot(&self, place: usize, topic: &str, desk: impl FnOnce() -> Arc<Desk>) -> Result<&Slot, Fault> {
        let opened = self.slots[place].get_or_init(|| {
            let open = self.open.get().ok_or_else(|| closed(&self.spec))?;
            let desk = desk();
            Ok(Slot { outbound: open.producer(topic, Arc::clone(&desk))?, desk })
        });
        opened.as_ref().map_err(Clone::clone)
    }

    /// Producers that were opened.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter_map(|slot| slot.get()?.as_ref().ok())
    }
}

fn closed(spec: &LaneSpec) -> Fault {
    Fault::new(crate::core::fault::Blame::Program, format!("the connection to {} is not open", spec.environment))
}
