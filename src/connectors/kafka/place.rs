//! Where a reader of a partition stands, as checkpoints keep it: the next offset, and of which topic it is one. Words and
//! values only.

use std::sync::Arc;

use crate::connectors::contract::Position;
use crate::kafka::identity::TopicIds;

/// The position of a partition that is to be read from its first record.
const BEGINNING: &str = "beginning";

/// A position in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Before all records, whatever the options say.
    Beginning,
    /// Before this offset.
    Before {
        /// The next offset.
        offset: i64,
        /// The topic's id, or the mark of the broker inside a process; `None` where nobody gave one.
        of: Option<Arc<str>>,
    },
}

impl Place {
    /// Reads a position: `42`, `42@nQ3xJ2bSb6Y1oWbK3bJmA`, `beginning`.
    pub fn of(position: &Position) -> Option<Self> {
        if position.0 == BEGINNING {
            return Some(Self::Beginning);
        }
        let (offset, of) = match position.0.split_once('@') {
            Some((offset, of)) => (offset, Some(of.into())),
            None => (position.0.as_str(), None),
        };
        Some(Self::Before { offset: offset.parse().ok()?, of })
    }

    /// Its words.
    pub fn position(&self) -> Position {
        Position(match self {
            Self::Beginning => BEGINNING.into(),
            Self::Before { offset, of: Some(of) } => format!("{offset}@{of}"),
            Self::Before { offset, of: None } => offset.to_string(),
        })
    }
}

/// Which topic the offsets of a reader are of, as far as anybody has told.
pub(super) struct Owner {
    of: Option<Arc<str>>,
    /// How often the client had told of topics when that was looked at.
    told: u64,
    /// Whether it is the broker that counts, which lives and dies with all its topics.
    is_broker: bool,
}

impl Owner {
    /// The broker inside this process.
    pub fn broker(incarnation: &str) -> Self {
        Self { of: Some(incarnation.into()), told: 0, is_broker: true }
    }

    /// A topic; by a checkpoint this one.
    pub fn topic(of: Option<Arc<str>>) -> Self {
        Self { of, told: 0, is_broker: false }
    }

    /// What offsets bear.
    pub fn of(&self) -> Option<Arc<str>> {
        self.of.clone()
    }

    /// Takes what its client was told since. Answers whether the name stands for another topic now.
    pub fn is_another(&mut self, ids: &TopicIds, topic: &str) -> bool {
        let told = ids.news();
        if self.is_broker || told == std::mem::replace(&mut self.told, told) {
            return false;
        }
        let Some(now) = ids.of(topic) else { return false };
        let before = self.of.replace(Arc::clone(&now));
        before.is_some_and(|before| before != now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written_and_those_of_earlier_checkpoints_too() {
        for place in [
            Place::Beginning,
            Place::Before { offset: 42, of: None },
            Place::Before { offset: 42, of: Some("nQ3-xJ2bSb6Y1oWbK3bJmA".into()) },
        ] {
            assert_eq!(Place::of(&place.position()), Some(place));
        }
        assert_eq!(Place::of(&Position("42".into())), Some(Place::Before { offset: 42, of: None }));
        assert_eq!(Place::of(&Position("of a file".into())), None);
    }
}
