//! What `SHOW FUNCTIONS` and `sql functions` list: every function with its forms, a line of help, its category and an
//! example.

use std::collections::BTreeMap;

use datafusion_expr::{Documentation, Signature};

use super::registry::Functions;
use crate::sql::parse::mark::Mark;

/// What a function makes of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A value of a row.
    Scalar,
    /// A value of many rows.
    Aggregate,
    /// A value of a row and the rows around it (`OVER`).
    Window,
    /// Rows of one row.
    Rows,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Rows => "rows",
        }
    }
}

/// One function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Its name, lower case.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// What it makes of rows.
    pub kind: Kind,
    /// The forms it is written in.
    pub signatures: Vec<String>,
    /// One line of help.
    pub help: String,
    /// What it is about.
    pub category: String,
    /// SQL that uses it.
    pub example: String,
}

/// Every function, scalars first, by name; markers of the planner are left out.
pub fn entries(functions: &Functions) -> Vec<Entry> {
    let mut found = BTreeMap::new();
    for function in functions.scalars().values() {
        add(&mut found, Kind::Scalar, function.name(), function.documentation(), function.signature());
    }
    for function in functions.aggregates().values() {
        add(&mut found, Kind::Aggregate, function.name(), function.documentation(), function.signature());
    }
    for function in functions.windows().values() {
        add(&mut found, Kind::Window, function.name(), function.documentation(), function.signature());
    }
    // A name that another function took (ours instead of DataFusion's) is listed with the one that has it.
    let mut entries: Vec<Entry> = found.into_values().collect();
    for entry in &mut entries {
        let names = match entry.kind {
            Kind::Scalar => names(functions.scalars().iter().map(|(key, function)| (key, function.name())), entry),
            Kind::Aggregate => {
                names(functions.aggregates().iter().map(|(key, function)| (key, function.name())), entry)
            }
            Kind::Window => names(functions.windows().iter().map(|(key, function)| (key, function.name())), entry),
            Kind::Rows => continue,
        };
        entry.aliases = names;
    }
    entries.extend([unnest(), by("max_by", "arg_max", "greatest"), by("min_by", "arg_min", "least")]);
    entries
}

/// What the planner writes as another function.
fn by(name: &str, alias: &str, which: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        aliases: vec![alias.to_owned()],
        kind: Kind::Aggregate,
        signatures: vec![format!("{name}(value, by)")],
        help: format!("The value of the row whose second argument is the {which}; rows that have none do not count."),
        category: "General".to_owned(),
        example: format!("SELECT customer_id, {name}(id, amount) FROM orders GROUP BY customer_id"),
    }
}

/// What the grammar knows and no registry has.
fn unnest() -> Entry {
    Entry {
        name: "unnest".to_owned(),
        aliases: vec!["explode".to_owned()],
        kind: Kind::Rows,
        signatures: vec!["unnest(array)".to_owned(), "FROM … CROSS JOIN UNNEST(array, …) [WITH ORDINALITY]".to_owned()],
        help:
            "A row for each element of an array; in FROM the fields of structs, and key and value of maps, are columns."
                .to_owned(),
        category: "Array".to_owned(),
        example: "SELECT o.id, t.tag FROM orders o CROSS JOIN UNNEST(o.tags) AS t (tag)".to_owned(),
    }
}

fn names<'a>(all: impl Iterator<Item = (&'a String, &'a str)>, entry: &Entry) -> Vec<String> {
    all.filter(|(key, name)| name.eq_ignore_ascii_case(&entry.name) && **key != entry.name)
        .map(|(key, _)| key.clone())
        .collect()
}

fn add(
    found: &mut BTreeMap<(Kind, String), Entry>,
    kind: Kind,
    name: &str,
    documentation: Option<&Documentation>,
    signature: &Signature,
) {
    let name = name.to_lowercase();
    if Mark::is_any(&name) || found.contains_key(&(kind, name.clone())) {
        return;
    }
    let own = super::help::line(&name);
    let form = |written: &str| super::help::form(&name).map_or_else(|| written.to_owned(), str::to_owned);
    let mut signatures = Vec::new();
    if let Some(documentation) = documentation {
        signatures.push(form(&documentation.syntax_example));
        signatures.extend(documentation.alternative_syntax.iter().flatten().cloned());
    } else {
        let forms = signature.type_signature.to_string_repr_with_names(signature.parameter_names.as_deref());
        signatures.extend(forms.into_iter().map(|form| format!("{name}({form})")));
    }
    if signatures.is_empty() {
        signatures.push(format!("{name}()"));
    }
    let first = signatures[0].clone();
    let help = own.map(str::to_owned).or_else(|| documentation.map(|text| first_sentence(&text.description)));
    let category = documentation.map_or_else(|| kind.word().to_owned(), |text| text.doc_section.label.to_owned());
    let example = documentation
        .and_then(|text| text.sql_example.as_deref())
        .and_then(statement)
        .unwrap_or_else(|| format!("SELECT {first}"));
    let entry = Entry {
        name: name.clone(),
        aliases: Vec::new(),
        kind,
        signatures: signatures.iter().map(|form| one_line(form)).collect(),
        help: help.unwrap_or_default(),
        category: category.trim_end_matches(" Functions").to_owned(),
        example,
    };
    found.insert((kind, name), entry);
}

/// The first sentence of a description, on one line.
fn first_sentence(description: &str) -> String {
    let line = without_links(&one_line(description));
    match line.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => line,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Markdown's `[text](address)` as its text: a terminal follows no link.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (head, label) = before.rsplit_once('[').unwrap_or((before, ""));
        plain.push_str(head);
        plain.push_str(label.trim_matches('`'));
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain
}

/// The first statement of an example in DataFusion's documentation, which shows prompts and results around it.
fn statement(example: &str) -> Option<String> {
    let lines = example.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("```"));
    let mut text = String::new();
    for line in lines {
        let line = match line.strip_prefix('>') {
            Some(line) => line.trim(),
            None if text.is_empty() && !line.to_ascii_lowercase().starts_with("select") => continue,
            None => line,
        };
        if line.starts_with(['+', '|']) {
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
        if line.ends_with(';') {
            break;
        }
    }
    let text = text.trim_end_matches(';').trim();
    (!text.is_empty()).then(|| text.to_owned())
}
