//! The items of a position, ranked: what fits what is typed comes first, then what fits the place best.

use super::keywords;
use super::position::{Clause, Position};
use super::rank::rank;
use super::scope::{Scope, Source, find};
use super::{Completion, ITEMS_MAX, Item, ItemKind};
use crate::connectors::contract::system_columns;
use crate::formats::types;
use crate::sql::assist::catalog::{Catalog, Field, functions};
use crate::sql::functions::list::{Entry, Kind};
use crate::sql::parse;
use crate::sql::predicate::WHOLE_VALUE;

/// Items in the making.
pub(super) struct Offer<'a> {
    pub catalog: &'a Catalog,
    /// What is typed of an item.
    pub prefix: &'a str,
    /// Whether the cursor is in a text in quotes.
    pub is_in_text: bool,
    /// Whether the whole value has a name, as in a condition that stands alone.
    pub has_whole_value: bool,
    items: Vec<(u32, u32, Item)>,
}

impl<'a> Offer<'a> {
    pub fn new(catalog: &'a Catalog, prefix: &'a str) -> Self {
        Self { catalog, prefix, is_in_text: false, has_whole_value: false, items: Vec::new() }
    }

    /// Best first; of those of one name, the first.
    pub fn finish(mut self, replace: std::ops::Range<usize>) -> Completion {
        // What fits alike stays in the order of its place: columns as they stand in the record.
        self.items.sort_by_key(|(rank, weight, _)| (std::cmp::Reverse(*rank), std::cmp::Reverse(*weight)));
        let mut items: Vec<Item> = Vec::new();
        for (_, _, item) in self.items {
            let is_there = items.iter().any(|known| known.text == item.text);
            if !is_there && items.len() < ITEMS_MAX {
                items.push(item);
            }
        }
        Completion { replace, is_in_text: self.is_in_text, items }
    }

    /// Adds an item, if it fits what is typed. `weight` says how well it fits the place.
    pub fn add(&mut self, weight: u32, item: Item) {
        if let Some(rank) = rank(self.prefix.trim_start_matches(['"', '`']), &item.label) {
            self.items.push((rank, weight, item));
        }
    }

    pub fn words(&mut self, weight: u32, words: &[&str]) {
        for (index, word) in words.iter().enumerate() {
            let text = self.cased(word);
            let place = u32::try_from(index).unwrap_or(u32::MAX);
            // What is first in its list fits best.
            let weight = (weight * 100).saturating_sub(place);
            self.add(
                weight,
                Item {
                    label: (*word).to_owned(),
                    help: keywords::help(word).to_owned(),
                    ..item(text, ItemKind::Keyword)
                },
            );
        }
    }

    /// Everything that a position may hold.
    pub fn position(&mut self, position: &Position, scope: &Scope, outer: &[Scope], compared: Option<&Field>) {
        match position {
            Position::Nothing | Position::OptionKey | Position::OptionValue(_) => {}
            Position::Statement => self.words(5, keywords::STATEMENTS),
            Position::Words(words) => self.words(5, words),
            Position::Operand(clause) => self.operand(*clause, scope, outer, compared),
            Position::Behind(clause) => self.behind(*clause),
            Position::Member(path, _) => self.member(path, scope, outer),
            Position::Relation => self.relations(),
            Position::BehindRelation { is_joined } => {
                if *is_joined {
                    self.words(6, &["ON", "WITHIN", "USING ("]);
                }
                self.words(5, keywords::RELATION);
            }
            Position::Sink => self.sinks(),
            Position::Defined => self.defined(|_| true),
            Position::Type => {
                for (name, help) in keywords::TYPES {
                    self.add(5, Item { help: (*help).to_owned(), ..item((*name).to_owned(), ItemKind::Type) });
                }
            }
            Position::Duration { is_interval } => self.durations(*is_interval),
            Position::Window => {
                for (label, text, caret, detail, help) in keywords::WINDOWS {
                    let made = Item {
                        label: (*label).to_owned(),
                        caret: *caret,
                        ..item(self.cased(text), ItemKind::Function)
                    };
                    self.add(5, Item { detail: (*detail).to_owned(), help: (*help).to_owned(), ..made });
                }
            }
            Position::WindowArgument { is_first } => {
                self.durations(false);
                if *is_first {
                    let is_time = |field: &Field| field.sql_type.starts_with("TIMESTAMP");
                    for source in &scope.sources {
                        let times = source.fields.iter().filter(|field| is_time(field));
                        times.for_each(|field| self.column(field, source, false, 4));
                    }
                }
            }
        }
    }

    fn operand(&mut self, clause: Clause, scope: &Scope, outer: &[Scope], compared: Option<&Field>) {
        if let Some(field) = compared {
            let is_text = ["VARCHAR", "DATE", "TIMESTAMP"].iter().any(|name| field.sql_type.starts_with(name));
            for sample in &field.samples {
                let text = if is_text { format!("'{}'", sample.replace('\'', "''")) } else { sample.clone() };
                let made = Item { detail: format!("seen in {}", field.name), ..item(text, ItemKind::Value) };
                self.add(900, made);
            }
        }
        if clause == Clause::On && compared.is_none() {
            self.equalities(&scope.sources);
        }
        if clause == Clause::Group {
            // What the SELECT list shows as it is has to be a key.
            let shown = scope.results.iter().filter(|field| !field.sql_type.is_empty());
            for field in shown {
                let made = item(identifier(&field.name), ItemKind::Column);
                self.add(
                    850,
                    Item { detail: field.sql_type.clone(), help: "shown, and not aggregated".into(), ..made },
                );
            }
        }
        if clause == Clause::Select && scope.sources.is_empty() {
            self.whole_queries();
            self.columns_of_topics();
        }
        let is_shared = |name: &str| {
            let having = scope.sources.iter().filter(|source| source.fields.iter().any(|field| field.name == name));
            having.count() > 1
        };
        for source in &scope.sources {
            for field in &source.fields {
                self.column(field, source, is_shared(&field.name), 800);
            }
        }
        if matches!(clause, Clause::Select | Clause::Group | Clause::Having | Clause::Order | Clause::Where) {
            for field in &scope.results {
                let made = Item {
                    detail: field.sql_type.clone(),
                    help: "a result of this query".into(),
                    ..item(identifier(&field.name), ItemKind::Alias)
                };
                self.add(if clause == Clause::Select { 500 } else { 790 }, made);
            }
        }
        if scope.is_windowed {
            for (name, help) in [
                ("window_start", "where the row's window begins"),
                ("window_end", "where it ends"),
                ("window_time", "its last millisecond"),
            ] {
                let made =
                    Item { detail: "TIMESTAMP(3)".into(), help: help.into(), ..item(name.into(), ItemKind::Column) };
                self.add(780, made);
            }
        }
        if scope.sources.len() > 1 || outer.iter().any(|scope| !scope.sources.is_empty()) {
            for source in scope.sources.iter().chain(outer.iter().flat_map(|scope| &scope.sources)) {
                let made = Item {
                    detail: source.of.clone(),
                    help: "a relation of this query".into(),
                    ..item(identifier(&source.alias), ItemKind::Alias)
                };
                self.add(600, made);
            }
        }
        if self.prefix.starts_with('_') {
            for name in system_columns::ALL {
                let detail =
                    system_columns::field(name).map(|field| types::name(field.data_type())).unwrap_or_default();
                let made = Item { detail, help: system_help(name).into(), ..item(name.to_owned(), ItemKind::Column) };
                self.add(700, made);
            }
        }
        if self.has_whole_value && self.prefix.starts_with('_') {
            let help = "the whole value as text, whatever it holds".to_owned();
            self.add(700, Item { detail: "TEXT".into(), help, ..item(WHOLE_VALUE.to_owned(), ItemKind::Column) });
        }
        if matches!(clause, Clause::Group) {
            for (label, text, caret, detail, help) in keywords::WINDOWS.iter().filter(|window| window.0 != "HOPPING") {
                let label = if *label == "TUMBLING" { "TUMBLE" } else { label };
                let text = if label == "TUMBLE" { "TUMBLE(INTERVAL '1' MINUTE)" } else { text };
                let made = Item {
                    label: label.to_owned(),
                    caret: if label == "TUMBLE" { 7 } else { *caret },
                    ..item(self.cased(text), ItemKind::Function)
                };
                self.add(300, Item { detail: (*detail).to_owned(), help: (*help).to_owned(), ..made });
            }
        }
        self.functions(clause);
        if clause == Clause::Select {
            self.words(3, &["DISTINCT", "*"]);
        }
        self.words(2, keywords::VALUES);
    }

    /// `o.order_id = p.order_id`: what the relation joined last has in common with those before it.
    fn equalities(&mut self, sources: &[Source]) {
        let Some((last, before)) = sources.split_last() else { return };
        for source in before {
            for field in source.fields.iter().filter(|field| last.fields.iter().any(|other| other.name == field.name)) {
                let of = |source: &Source| format!("{}.{}", identifier(&source.alias), identifier(&field.name));
                let text = format!("{} = {}", of(source), of(last));
                let made = Item {
                    detail: field.sql_type.clone(),
                    help: "both have it".into(),
                    ..item(text, ItemKind::Column)
                };
                self.add(850, made);
            }
        }
    }

    fn behind(&mut self, clause: Clause) {
        match clause {
            Clause::Select => {
                self.words(5, keywords::AFTER_ITEM);
                self.words(4, keywords::OPERATORS);
                self.words(3, keywords::CASE);
            }
            Clause::Predicate => {
                self.words(5, keywords::OPERATORS);
                self.words(3, keywords::CASE);
            }
            Clause::On => {
                self.words(5, &["AND", "OR", "WITHIN"]);
                self.words(4, keywords::RELATION);
                self.words(3, keywords::OPERATORS);
            }
            Clause::Where => {
                self.words(5, keywords::OPERATORS);
                self.words(4, keywords::AFTER_WHERE);
                self.words(3, keywords::CASE);
            }
            Clause::Having => {
                self.words(5, keywords::OPERATORS);
                self.words(4, keywords::AFTER_GROUP);
            }
            Clause::Group | Clause::Partition => self.words(5, keywords::AFTER_GROUP),
            Clause::Order | Clause::OverOrder => self.words(5, keywords::AFTER_ORDER),
        }
    }

    fn member(&mut self, path: &[String], scope: &Scope, outer: &[Scope]) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for scope in std::iter::once(scope).chain(outer) {
            if let [alias] = path.as_slice()
                && let Some(source) = scope.sources.iter().find(|source| source.alias.eq_ignore_ascii_case(alias))
            {
                source.fields.iter().for_each(|field| self.column(field, source, false, 5));
                return;
            }
            if let Some(field) = find(&path, &scope.sources) {
                let source = Source::default();
                field.fields.iter().for_each(|field| self.column(field, &source, false, 5));
                return;
            }
        }
        if path.len() == 1 && path[0].eq_ignore_ascii_case("window") {
            for name in ["start", "end"] {
                self.add(5, Item { detail: "TIMESTAMP(3)".into(), ..item(name.into(), ItemKind::Column) });
            }
        }
    }

    fn column(&mut self, field: &Field, source: &Source, is_shared: bool, weight: u32) {
        let name = identifier(&field.name);
        let text = if is_shared { format!("{}.{name}", identifier(&source.alias)) } else { name };
        let seen = field.samples.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let help = match (seen.is_empty(), source.of.is_empty()) {
            (false, _) => format!("seen: {seen}"),
            (true, false) => format!("of {}", source.of),
            (true, true) => String::new(),
        };
        self.add(weight, Item { detail: field.sql_type.clone(), help, ..item(text, ItemKind::Column) });
    }

    fn functions(&mut self, clause: Clause) {
        for entry in functions() {
            let fits = match (entry.kind, clause) {
                (Kind::Scalar, _) => true,
                (Kind::Aggregate, Clause::Select | Clause::Having | Clause::Order) => true,
                (Kind::Window | Kind::Rows, Clause::Select) => true,
                (Kind::Aggregate | Kind::Window | Kind::Rows, _) => false,
            };
            if !fits {
                continue;
            }
            let common = keywords::COMMON.iter().position(|name| *name == entry.name);
            let weight = common.map_or(100, |place| 400 - u32::try_from(place).unwrap_or(0));
            self.function(&entry.name, entry, weight);
            if !self.prefix.is_empty() {
                for alias in &entry.aliases {
                    self.function(alias, entry, 90);
                }
            }
        }
    }

    fn function(&mut self, name: &str, entry: &Entry, weight: u32) {
        let text = format!("{}()", self.cased(&name.to_uppercase()));
        let signature = entry.signatures.first().cloned().unwrap_or_default();
        let takes_nothing = entry.signatures.iter().all(|form| form.ends_with("()"));
        let caret = text.len() - usize::from(!takes_nothing);
        let label = name.to_uppercase();
        self.add(
            weight,
            Item { label, caret, detail: signature, help: entry.help.clone(), ..item(text, ItemKind::Function) },
        );
    }

    fn durations(&mut self, is_interval: bool) {
        let lengths = if is_interval { keywords::INTERVALS } else { keywords::DURATIONS };
        for (index, (text, help)) in lengths.iter().enumerate() {
            let weight = 100 - u32::try_from(index).unwrap_or(0);
            self.add(weight, Item { help: (*help).to_owned(), ..item((*text).to_owned(), ItemKind::Duration) });
        }
    }

    /// A word of the grammar as the person writes them: `fro` is completed to `from`.
    pub fn cased(&self, word: &str) -> String {
        let is_lower = self.prefix.chars().any(char::is_lowercase) && !self.prefix.chars().any(char::is_uppercase);
        if is_lower && !word.contains('\'') { word.to_lowercase() } else { word.to_owned() }
    }
}

/// An item whose label is its text, the cursor behind it.
pub(super) fn item(text: String, kind: ItemKind) -> Item {
    Item { label: text.clone(), caret: text.len(), text, kind, detail: String::new(), help: String::new() }
}

/// A name as it is written in an expression: in quotes where it would not be read as one word.
pub fn identifier(name: &str) -> String {
    let begins = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let is_plain = begins && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_plain && !parse::is_reserved(name) { name.to_owned() } else { quoted(name) }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn system_help(name: &str) -> &'static str {
    match name {
        system_columns::KEY => "the record's key, as text",
        system_columns::TOPIC => "the record's topic",
        system_columns::PARTITION => "the record's partition",
        system_columns::OFFSET => "the record's offset",
        system_columns::TIMESTAMP => "the record's timestamp",
        system_columns::HEADERS => "the record's headers: headers['name']",
        system_columns::EVENT_TIME => "when the row happened, as the statement says",
        _ => "",
    }
}
