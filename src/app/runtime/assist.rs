//! Looks at texts of SQL and into topics: what both need of configuration and brokers is had here, away from the screen.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::config::variables::Variables;
use crate::connectors::kafka::sample;
use crate::core::fault::Fault;
use crate::formats::infer::{SAMPLE_RECORDS, SAMPLE_WAIT_MS};
use crate::kafka::settings::Connection;
use crate::sql::assist::{Catalog, Diagnosis, Field, Sample, Surroundings, diagnose_in, fields_of};

/// Records whose values are kept to be shown: different values of most fields are among so many.
const SHOWN_RECORDS_MAX: usize = 200;
/// Bytes of such a record: one that is larger shows nothing that the others do not.
const SHOWN_BYTES_MAX: usize = 16 << 10;
/// Values of a field that are kept: a person chooses among these, and types what is not.
const VALUES_MAX: usize = 8;
/// Letters of a value that are kept: what a column of the screen holds.
const VALUE_LETTERS_MAX: usize = 60;

/// What is wrong with a text, as far as the catalog knows.
pub fn diagnose(text: &str, catalog: &Arc<Catalog>, variables: Variables) -> Diagnosis {
    diagnose_in(text, catalog, &Surroundings { variables: Some(variables), folder: PathBuf::from(".") })
}

/// Looks into a topic: the columns that a query of it would find, and values they held. Blocks for some seconds at most.
pub fn sample_topic(connection: &Connection, topic: &str) -> Result<Sample, Fault> {
    let mut shown: VecDeque<Value> = VecDeque::new();
    let mut records = 0;
    let inference = sample::read(connection, topic, SAMPLE_RECORDS, Duration::from_millis(SAMPLE_WAIT_MS), |value| {
        records += 1;
        if value.len() <= SHOWN_BYTES_MAX
            && let Ok(value) = serde_json::from_slice(value)
        {
            if shown.len() == SHOWN_RECORDS_MAX {
                shown.pop_front();
            }
            shown.push_back(value);
        }
        Some(value)
    })?;
    let schema = sample::columns(inference, topic, Duration::from_millis(SAMPLE_WAIT_MS))?;
    let mut fields = fields_of(&schema);
    for value in shown.iter().rev() {
        see(&mut fields, value);
    }
    Ok(Sample { schema, fields, records, at_ms: Timestamp::now().as_millisecond() })
}

/// Keeps the values of a record that are new, for each field.
fn see(fields: &mut [Field], value: &Value) {
    let object = match value {
        Value::Array(items) => return items.iter().take(VALUES_MAX).for_each(|item| see(fields, item)),
        Value::Object(object) => object,
        _ => return,
    };
    for field in fields {
        let Some(value) = object.get(&field.name) else { continue };
        if !field.fields.is_empty() {
            see(&mut field.fields, value);
            continue;
        }
        let text = match value {
            Value::Null | Value::Object(_) | Value::Array(_) => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if field.samples.len() < VALUES_MAX
            && text.chars().count() <= VALUE_LETTERS_MAX
            && !field.samples.contains(&text)
        {
            field.samples.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_kept_newest_first_once_each_and_inside_of_fields_too() {
        let field = |name: &str, fields: Vec<Field>| Field { name: name.into(), fields, ..Field::default() };
        let mut fields = vec![field("status", vec![]), field("customer", vec![field("city", vec![])])];
        for text in [
            r#"{"status":"paid","customer":{"city":"Bern"}}"#,
            r#"{"status":"new","customer":null}"#,
            r#"{"status":"paid","customer":[{"city":"Graz"}]}"#,
        ] {
            see(&mut fields, &serde_json::from_str(text).unwrap());
        }
        assert_eq!(fields[0].samples, ["paid", "new"]);
        assert_eq!(fields[1].fields[0].samples, ["Bern", "Graz"]);
    }
}
