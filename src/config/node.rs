//! The tree of a YAML file: every node knows its place, every text where it came from. It never prints a text.

use crate::core::fault::Place;

use super::loaded::Origin;

/// A value and where it stands.
#[derive(Clone)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone)]
pub enum Kind {
    Leaf(Leaf),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Clone)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

/// A scalar: its text, not yet of any type.
#[derive(Clone)]
pub struct Leaf {
    /// The text: as the file has it, and after rendering as it is meant.
    pub text: String,
    /// Whether it was written without quotes, so that `true`, `12` and `null` are not texts.
    pub plain: bool,
    /// What rendering made of it; `None` while it is as written.
    pub rendered: Option<Rendered>,
}

/// Where a rendered text came from.
#[derive(Clone)]
pub enum Rendered {
    /// Every variable was there. The variables that it took its text from, and the origin of the first.
    From { variables: Vec<String>, origin: Origin },
    /// These are not set (with what can be done), so the text means nothing.
    Missing(Vec<(String, String)>),
}

impl Node {
    pub fn text(place: Place, text: impl Into<String>, plain: bool) -> Self {
        Self { place, kind: Kind::Leaf(Leaf { text: text.into(), plain, rendered: None }) }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Takes a key out of a mapping.
    pub fn take(&mut self, key: &str) -> Option<Entry> {
        match &mut self.kind {
            Kind::Map(entries) => {
                entries.iter().position(|entry| entry.key == key).map(|position| entries.remove(position))
            }
            _ => None,
        }
    }

    /// What it is, in words.
    pub fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::Leaf(leaf) if leaf.is_null() => "nothing",
            Kind::Leaf(_) => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// Nodes in it, itself included.
    pub fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Leaf(_) => 0,
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }
}

impl Leaf {
    /// Whether it is YAML's null as written.
    pub fn is_null(&self) -> bool {
        self.plain && self.rendered.is_none() && is_null(&self.text)
    }

    /// Whether an optional field counts as not given: null, empty, or `null` after rendering, which for a secret is a text like any other.
    pub fn is_absent(&self, secret: bool) -> bool {
        match &self.rendered {
            Some(Rendered::Missing(_)) => false,
            Some(Rendered::From { .. }) => {
                self.text.is_empty() || (!secret && matches!(self.text.trim(), "null" | "None"))
            }
            None => self.is_null() || self.text.is_empty(),
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}
