//! Items within quotes and brackets: keys and values of `WITH (…)`, values that a column was seen to hold, names of WITH.

use super::offer::{Offer, identifier, item};
use super::options;
use super::scope::{Named, Scope};
use super::words::{Around, Word};
use super::{Item, ItemKind, keywords};
use crate::connectors::contract::Takes;
use crate::sql::assist::catalog::Field;

/// Keys of `WITH (…)` that are not there yet.
pub(super) fn keys(offer: &mut Offer<'_>, around: &Around<'_>, open: usize, in_text: Option<bool>) {
    let given = options::given(&around.words, open);
    for (index, known) in options::keys(&around.words, &given).into_iter().enumerate() {
        // `key' = ''`: in quotes, the closing one included where it is not there.
        let (text, caret) = match in_text {
            Some(true) => (known.key.clone(), known.key.len()),
            Some(false) => (format!("{}' = ''", known.key), known.key.len() + 5),
            None => (format!("'{}' = ''", known.key), known.key.len() + 6),
        };
        let mut detail = described(known.takes);
        if let Some(default) = known.default {
            detail = format!("{detail}, {default} where absent");
        }
        let weight = 1_000_u32.saturating_sub(u32::try_from(index).unwrap_or(0));
        let help = known.help.to_owned();
        offer.add(weight, Item { label: known.key, caret, detail, help, ..item(text, ItemKind::Option) });
    }
}

/// Values of an option.
pub(super) fn values(
    offer: &mut Offer<'_>,
    words: &[Word<'_>],
    key: &str,
    scope: Option<&Scope>,
    in_text: Option<bool>,
) {
    let last = key.rsplit('.').next().unwrap_or(key);
    let mut add = |weight: u32, value: &str, help: &str| {
        offer.add(
            weight,
            Item { label: value.to_owned(), help: help.to_owned(), ..item(quoted(value, in_text), ItemKind::Value) },
        );
    };
    match options::takes(words, key) {
        Some(Takes::OneOf(values)) => values.iter().for_each(|value| add(5, value, "")),
        Some(Takes::Boolean) => ["true", "false"].into_iter().for_each(|value| add(5, value, "")),
        Some(Takes::Duration) => keywords::DURATIONS.iter().for_each(|(value, help)| add(5, value, help)),
        Some(Takes::Text | Takes::Number | Takes::Bytes | Takes::Prefix) | None => match last {
            "connector" => options::connectors().iter().for_each(|(name, help)| add(5, name, help)),
            "type" => options::TYPES.iter().for_each(|value| add(5, value, "")),
            "start" => ["earliest", "latest", "group"].iter().for_each(|value| add(5, value, "")),
            "topic" => {
                let catalog = offer.catalog;
                for topic in &catalog.topics {
                    let made =
                        Item { label: topic.name.clone(), ..item(quoted(&topic.name, in_text), ItemKind::Topic) };
                    offer.add(5, made);
                }
            }
            "field" => {
                for field in scope.iter().flat_map(|scope| &scope.sources).flat_map(|source| &source.fields) {
                    // A time first: that is what the option is for.
                    let weight = if field.sql_type.starts_with("TIMESTAMP") { 6 } else { 5 };
                    let made = Item {
                        label: field.name.clone(),
                        detail: field.sql_type.clone(),
                        ..item(quoted(&field.name, in_text), ItemKind::Column)
                    };
                    offer.add(weight, made);
                }
            }
            _ => {}
        },
    }
}

/// Values that a column was seen to hold, within quotes.
pub(super) fn texts(offer: &mut Offer<'_>, field: &Field, is_closed: bool) {
    for sample in &field.samples {
        let text = quoted(sample, Some(is_closed));
        let detail = format!("seen in {}", field.name);
        offer.add(5, Item { label: sample.clone(), detail, ..item(text, ItemKind::Value) });
    }
}

/// Queries with a name, as relations.
pub(super) fn named(offer: &mut Offer<'_>, named: &Named) {
    for (name, fields) in named {
        let help = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
        offer.add(7, Item { detail: "query".into(), help, ..item(identifier(name), ItemKind::View) });
    }
}

/// A value in the quotes that are not there yet.
fn quoted(value: &str, in_text: Option<bool>) -> String {
    let value = value.replace('\'', "''");
    match in_text {
        Some(true) => value,
        Some(false) => format!("{value}'"),
        None => format!("'{value}'"),
    }
}

fn described(takes: Takes) -> String {
    match takes {
        Takes::Text | Takes::Prefix => "text".to_owned(),
        Takes::Boolean => "true or false".to_owned(),
        Takes::Number => "number".to_owned(),
        Takes::Duration => "time, as 10s".to_owned(),
        Takes::Bytes => "bytes, as 64KB".to_owned(),
        Takes::OneOf(words) => words.join(" | "),
    }
}
