//! Looks at texts of SQL and into topics: what both need of configuration and brokers is had here, away from the screen.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::clock::now_ms;
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
    Ok(Sample { schema, fields, records, at_ms: now_ms() })
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
    use crate::core::environment::Environment;
    use crate::core::record::Message;
    use crate::kafka::auth::AuthRegistry;
    use crate::kafka::client::KafkaProducer;
    use crate::kafka::embedded::EmbeddedBroker;
    use crate::sql::assist::{Columns, Topic};

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

    /// A broker of the test's own with orders on it.
    async fn orders() -> (EmbeddedBroker, Connection) {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic("orders", 1).unwrap();
        broker.create_topic("empty", 1).unwrap();
        let fields = serde_json::json!({
            "environment": "test",
            "kafka": { "bootstrap_servers": broker.bootstrap_servers() },
        });
        let environment: Environment = serde_json::from_value(fields).unwrap();
        let connection = Connection::open(&environment, &AuthRegistry::default()).unwrap();
        let mut producer = KafkaProducer::new(connection.clone());
        producer.connect().await.unwrap();
        for number in 0..30 {
            let status = if number % 2 == 0 { "paid" } else { "new" };
            let value = format!(r#"{{"order_id":"O-{number}","amount":12.50,"status":"{status}"}}"#);
            let message = Message {
                topic: "orders".into(),
                partition: Some(0),
                timestamp_ms: Some(1_700_000_000_000),
                key: None,
                value: Some(value.into_bytes()),
                headers: Vec::new(),
            };
            producer.send_message(&message).await.unwrap();
        }
        (broker, connection)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_look_into_a_topic_shows_the_columns_that_a_query_finds_and_a_text_is_read_against_them() {
        let (_broker, connection) = orders().await;
        let looking = move || (sample_topic(&connection, "orders"), sample_topic(&connection, "empty"));
        let (orders, empty) = tokio::task::spawn_blocking(looking).await.unwrap();
        let sample = orders.unwrap();
        let columns: Vec<_> = sample.fields.iter().map(|field| format!("{} {}", field.name, field.sql_type)).collect();
        assert_eq!(columns, ["order_id VARCHAR", "amount DECIMAL(18,2)", "status VARCHAR"]);
        assert_eq!(sample.fields[2].samples, ["new", "paid"], "the newest first");
        assert!(empty.unwrap_err().what.contains("no record of `empty` came"));
        let topic = Topic { name: "orders".into(), partitions: 1, columns: Columns::Known(Arc::new(sample)) };
        let catalog = Arc::new(Catalog { topics: vec![topic], is_complete: true, ..Catalog::default() });
        let found = diagnose("SELECT amout FROM orders", &catalog, Variables::default());
        let error = &found.errors[0];
        assert_eq!((error.span.start, error.fault.next.as_str()), (7, "did you mean `amount`?"));
        assert_eq!(diagnose("SELECT amount FROM orders", &catalog, Variables::default()).errors, []);
    }
}
