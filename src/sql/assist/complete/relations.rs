//! What rows come from and go to, as items: what the buffer defines, topics, windows over a relation.

use super::offer::{Offer, identifier, item, quoted};
use super::{Item, ItemKind, keywords};
use crate::sql::assist::catalog::{Columns, Field, RelationKind, Topic};
use crate::sql::parse;

/// Queries that are offered whole: with more the list is one of topics.
const WHOLE_MAX: usize = 8;

impl Offer<'_> {
    /// What rows can be read from.
    pub fn relations(&mut self) {
        self.defined(|kind| kind != RelationKind::Sink);
        let catalog = self.catalog;
        catalog.topics.iter().for_each(|topic| self.topic(topic));
        for (name, detail, help) in keywords::WINDOW_RELATIONS {
            let text = format!("{}()", self.cased(name));
            let made = Item { label: (*name).to_owned(), caret: text.len() - 1, ..item(text, ItemKind::Function) };
            self.add(2, Item { detail: (*detail).to_owned(), help: (*help).to_owned(), ..made });
        }
        for (text, help) in [("'file:///'", "rows of files"), ("'kafka://'", "a topic of other brokers")] {
            self.add(1, Item { caret: text.len() - 1, help: help.into(), ..item(text.into(), ItemKind::Value) });
        }
    }

    /// Where rows can be written to.
    pub fn sinks(&mut self) {
        self.defined(|kind| kind == RelationKind::Sink);
        let catalog = self.catalog;
        catalog.topics.iter().for_each(|topic| self.topic(topic));
        self.add(1, Item { caret: 8, help: "a file".into(), ..item("'file:///'".into(), ItemKind::Value) });
    }

    /// What the buffer defines.
    pub fn defined(&mut self, is_wanted: impl Fn(RelationKind) -> bool) {
        let catalog = self.catalog;
        for relation in catalog.relations.iter().filter(|relation| is_wanted(relation.kind)) {
            let kind = match relation.kind {
                RelationKind::Table => ItemKind::Table,
                RelationKind::View => ItemKind::View,
                RelationKind::Stream | RelationKind::Source | RelationKind::Sink => ItemKind::Stream,
            };
            let help = listed(relation.columns.as_deref().unwrap_or_default());
            let made = item(relation_name(&relation.name), kind);
            self.add(6, Item { detail: relation.kind.word().to_owned(), help, ..made });
        }
    }

    fn topic(&mut self, topic: &Topic) {
        let weight = if topic.name.starts_with('_') { 3 } else { 5 };
        let plural = if topic.partitions == 1 { "" } else { "s" };
        let help = match &topic.columns {
            Columns::Known(sample) => listed(&sample.fields),
            _ => String::new(),
        };
        let detail = format!("topic, {} partition{plural}", topic.partitions);
        self.add(
            weight,
            Item { label: topic.name.clone(), detail, help, ..item(relation_name(&topic.name), ItemKind::Topic) },
        );
    }

    /// `* FROM orders`: the whole of a first query, where there is no FROM yet.
    pub fn whole_queries(&mut self) {
        if !self.prefix.is_empty() {
            return;
        }
        let catalog = self.catalog;
        for topic in catalog.topics.iter().filter(|topic| !topic.name.starts_with('_')).take(WHOLE_MAX) {
            let text = format!("* {} {}", self.cased("FROM"), relation_name(&topic.name));
            self.add(450, Item { detail: "topic".into(), ..item(text, ItemKind::Topic) });
        }
    }

    /// Columns of every topic that was looked into, for who writes the SELECT list before its FROM.
    pub fn columns_of_topics(&mut self) {
        if self.prefix.is_empty() {
            return;
        }
        let catalog = self.catalog;
        for topic in &catalog.topics {
            let Columns::Known(sample) = &topic.columns else { continue };
            for field in &sample.fields {
                let made = item(identifier(&field.name), ItemKind::Column);
                let detail = format!("{} of {}", field.sql_type, topic.name);
                self.add(800, Item { detail, help: "its FROM is still to be written".into(), ..made });
            }
        }
    }
}

/// A name as it is written in FROM, where points and hyphens may join words.
pub fn relation_name(name: &str) -> String {
    let is_plain = name.split(['.', '-']).all(|part| {
        part.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !parse::is_reserved(part)
    });
    if is_plain { name.to_owned() } else { quoted(name) }
}

/// Names of fields on one line.
fn listed(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
}
