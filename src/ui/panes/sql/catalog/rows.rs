//! The lines of the catalog, from what is known, what is open and what is looked for. Pure.

use std::collections::BTreeSet;

use crate::app::model::assist::Shelf;
use crate::sql::assist::{Catalog, Columns, Field, Topic, functions, identifier, relation_name};
use crate::ui::theme::Role;
use crate::ui::widgets::{number, text};

/// Values shown of a field: enough to see what it is like.
const SAMPLES_MAX: usize = 5;

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Steps from the edge.
    pub depth: usize,
    /// Names from the outside in.
    pub path: String,
    /// What it is called.
    pub name: String,
    /// What it is, in a word: a type, a number.
    pub detail: String,
    /// How it looks.
    pub role: Role,
    /// What is inserted.
    pub insert: Option<String>,
    /// Whether it is a branch, and open.
    pub branch: Option<bool>,
    /// The topic to look into when it is opened.
    pub looks_into: Option<String>,
    /// More about it.
    pub help: String,
}

/// The lines: those of open branches, or where a word is looked for those that have it.
pub fn rows(
    catalog: &Catalog,
    (has_environment, shelf): (bool, Option<&Shelf>),
    (open, closed): (&BTreeSet<String>, &BTreeSet<String>),
    word: &str,
) -> Vec<Row> {
    let everything = !word.is_empty();
    let mut rows = Vec::new();
    Builder { open, closed, everything, rows: &mut rows }.sections(catalog, has_environment, shelf);
    if everything { narrowed(rows, word) } else { rows }
}

/// Lines that have the word, with the branches that they are in.
fn narrowed(rows: Vec<Row>, word: &str) -> Vec<Row> {
    let word = word.to_lowercase();
    let mut kept: Vec<Row> = Vec::new();
    let mut above: Vec<Row> = Vec::new();
    for row in rows {
        above.retain(|one| one.depth < row.depth);
        if row.depth > 0 && row.name.to_lowercase().contains(&word) {
            for one in above.drain(..) {
                kept.push(one);
            }
            kept.push(row.clone());
        }
        if !kept.iter().any(|one| one.path == row.path) {
            above.push(row);
        }
    }
    kept
}

/// Makes lines of the facts.
struct Builder<'a> {
    open: &'a BTreeSet<String>,
    closed: &'a BTreeSet<String>,
    /// Whether every branch counts as open, as it does while lines are looked for.
    everything: bool,
    rows: &'a mut Vec<Row>,
}

impl Builder<'_> {
    fn sections(&mut self, catalog: &Catalog, has_environment: bool, shelf: Option<&Shelf>) {
        let topics = if has_environment { count(catalog.topics.len(), shelf) } else { "n/a".into() };
        if self.section("topics", &topics) {
            if !has_environment {
                self.said(1, "topics", "no environment is active: choose one in pane 1", Role::Muted);
            }
            if let Some(fault) = shelf.and_then(|shelf| shelf.fault.as_ref()) {
                self.said(1, "topics", &fault.to_string(), Role::Danger);
            }
            for topic in &catalog.topics {
                self.topic(topic, shelf.is_some_and(|shelf| shelf.sampling.contains_key(&topic.name)));
            }
        }
        if !catalog.relations.is_empty() && self.section("this text", &catalog.relations.len().to_string()) {
            for relation in &catalog.relations {
                let path = format!("this text/{}", relation.name);
                let is_open = self.branch(1, path.clone(), &relation.name, relation.kind.word(), Role::Text, None);
                if is_open {
                    match &relation.columns {
                        Some(columns) => columns.iter().for_each(|field| self.field(2, &path, field)),
                        None => self.said(2, &path, "its columns are not known yet", Role::Muted),
                    }
                }
            }
        }
        if self.section("functions", &functions().len().to_string()) {
            for function in functions() {
                let signature = function.signatures.first().map_or("", String::as_str);
                self.rows.push(Row {
                    depth: 1,
                    path: format!("functions/{}", function.name),
                    name: function.name.clone(),
                    detail: String::new(),
                    role: Role::Chart1,
                    insert: Some(format!("{}(", function.name)),
                    branch: None,
                    looks_into: None,
                    help: format!("{signature}  {}", function.help),
                });
            }
        }
    }

    fn section(&mut self, name: &str, detail: &str) -> bool {
        let is_open = self.is_open(name);
        self.rows.push(Row {
            depth: 0,
            path: name.into(),
            name: name.into(),
            detail: detail.into(),
            role: Role::Text,
            insert: None,
            branch: Some(is_open),
            looks_into: None,
            help: String::new(),
        });
        is_open
    }

    fn topic(&mut self, topic: &Topic, is_sampling: bool) {
        let path = format!("topics/{}", topic.name);
        let looks_into = (!matches!(topic.columns, Columns::Known(_)) && !is_sampling).then(|| topic.name.clone());
        let detail = match topic.partitions {
            1 => "1 partition".to_owned(),
            count => format!("{count} part."),
        };
        // A topic that was looked into, as one that the text reads is, shows its fields until somebody closes it.
        let shows = matches!(topic.columns, Columns::Known(_)) && !self.closed.contains(&path);
        let is_open = self.branch(1, path.clone(), &topic.name, &detail, Role::Chart2, looks_into) || shows;
        if let Some(row) = self.rows.last_mut() {
            (row.insert, row.branch) = (Some(relation_name(&topic.name)), Some(is_open));
        }
        if !is_open {
            return;
        }
        match &topic.columns {
            Columns::Known(sample) => sample.fields.iter().for_each(|field| self.field(2, &path, field)),
            _ if is_sampling => self.said(2, &path, "looking into it", Role::Muted),
            Columns::Failed(fault) => self.said(2, &path, &fault.what, Role::Warning),
            Columns::Unknown => self.said(2, &path, "not looked into yet", Role::Muted),
        }
    }

    fn field(&mut self, depth: usize, above: &str, field: &Field) {
        let path = format!("{above}/{}", field.name);
        let is_open = self.branch(depth, path.clone(), &field.name, &field.sql_type, Role::Text, None);
        if let Some(row) = self.rows.last_mut() {
            row.help = format!("{}  {}", field.sql_type, field.samples.join("  "));
        }
        if !is_open {
            return;
        }
        field.fields.iter().for_each(|inside| self.field(depth + 1, &path, inside));
        // Values are shown where somebody opened the field, not where all is open for a search.
        if !self.everything {
            for (at, value) in field.samples.iter().take(SAMPLES_MAX).enumerate() {
                self.rows.push(Row {
                    depth: depth + 1,
                    path: format!("{path}/={at}"),
                    name: text::one_line(value, 200),
                    detail: String::new(),
                    role: Role::Chart3,
                    insert: Some(literal(value, &field.sql_type)),
                    branch: None,
                    looks_into: None,
                    help: "a value that was seen; ↵ inserts it".into(),
                });
            }
        }
    }

    fn branch(
        &mut self,
        depth: usize,
        path: String,
        name: &str,
        detail: &str,
        role: Role,
        looks_into: Option<String>,
    ) -> bool {
        let is_open = self.is_open(&path);
        self.rows.push(Row {
            depth,
            path,
            name: name.into(),
            detail: detail.into(),
            role,
            insert: Some(identifier(name)),
            branch: Some(is_open),
            looks_into,
            help: String::new(),
        });
        is_open
    }

    fn said(&mut self, depth: usize, above: &str, words: &str, role: Role) {
        self.rows.push(Row {
            depth,
            path: format!("{above}/:"),
            name: words.into(),
            detail: String::new(),
            role,
            insert: None,
            branch: None,
            looks_into: None,
            help: words.into(),
        });
    }

    fn is_open(&self, path: &str) -> bool {
        self.everything || self.open.contains(path)
    }
}

fn count(topics: usize, shelf: Option<&Shelf>) -> String {
    match shelf {
        // What was listed before the brokers were lost may be another by now.
        Some(shelf) if shelf.listed_ms.is_some() && shelf.fault.is_some() => {
            format!("{}, old", number::grouped(topics as u64))
        }
        Some(shelf) if shelf.listed_ms.is_some() => number::grouped(topics as u64),
        // The line below says why.
        Some(shelf) if shelf.fault.is_some() => "n/a".into(),
        _ => "asking".into(),
    }
}

/// A value as SQL writes it.
fn literal(value: &str, sql_type: &str) -> String {
    let is_bare =
        ["BIGINT", "INT", "DOUBLE", "FLOAT", "BOOLEAN"].contains(&sql_type) || sql_type.starts_with("DECIMAL");
    if is_bare { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(depth: usize, path: &str) -> Row {
        Row {
            depth,
            path: path.into(),
            name: path.rsplit('/').next().unwrap_or_default().into(),
            detail: String::new(),
            role: Role::Text,
            insert: None,
            branch: None,
            looks_into: None,
            help: String::new(),
        }
    }

    #[test]
    fn a_search_keeps_what_matches_with_what_it_is_in() {
        let rows = ["t", "t/orders", "t/orders/amount", "t/orders/id", "t/payments", "t/payments/amount", "f", "f/sum"];
        let rows: Vec<_> = rows.iter().map(|path| row(path.matches('/').count(), path)).collect();
        let kept = |word: &str| narrowed(rows.clone(), word).into_iter().map(|row| row.path).collect::<Vec<_>>();
        assert_eq!(kept("AMO"), ["t", "t/orders", "t/orders/amount", "t/payments", "t/payments/amount"]);
        assert_eq!(kept("sum"), ["f", "f/sum"]);
        assert_eq!(kept("orders"), ["t", "t/orders"]);
    }

    #[test]
    fn values_are_inserted_as_sql_takes_them() {
        assert_eq!([literal("1.5", "DECIMAL(3,1)"), literal("it's", "VARCHAR")], ["1.5", "'it''s'"]);
    }
}
