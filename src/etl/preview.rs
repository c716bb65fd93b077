//! One event as it would be sent, rendered without a broker: topic, key, headers, payload, size. It opens nothing.

use std::sync::Arc;

use crate::clock::now_ms;
use crate::core::fault::{Blame, Fault};
use crate::template::{Engine, TemplateFault};

use super::context::{Layers, Moving, Shared, Stamp};
use super::plan::Request;
use super::registry::Registry;
use super::run::render::{Batch, Material, Templates};

/// An event as it would be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Topic.
    pub topic: String,
    /// Partition that is forced, if one is.
    pub partition: Option<i32>,
    /// Key; `None` is null.
    pub key: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Payload, byte for byte.
    pub value: Vec<u8>,
    /// The payload indented, if it is JSON.
    pub pretty: Option<String>,
    /// Bytes of key, payload and headers.
    pub bytes: usize,
    /// Which event it is, from 0.
    pub event_index: u64,
    /// Of how many, before limits.
    pub event_count: u64,
}

/// Why there is no preview.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PreviewFault {
    /// No such ETL, a broken one, no topic in the environment, or no such event.
    #[error("{0}")]
    Request(Fault),
    /// A template that does not compile or render, with the line at fault.
    #[error("{0}")]
    Template(#[from] TemplateFault),
}

impl From<PreviewFault> for Fault {
    fn from(fault: PreviewFault) -> Self {
        match fault {
            PreviewFault::Request(fault) => fault,
            PreviewFault::Template(fault) => fault.into(),
        }
    }
}

/// Renders event `index` (from 0) of an ETL as a request would send it to an environment. Disabled ETLs are previewed too.
///
/// # Errors
/// See [`PreviewFault`].
pub fn preview(
    registry: &Registry,
    engine: &Engine,
    (etl, environment): (&str, &str),
    request: &Request,
    index: u64,
) -> Result<Preview, PreviewFault> {
    let found = registry.get_or_raise(etl).map_err(PreviewFault::Request)?;
    let refuse = |what: String| PreviewFault::Request(Fault::new(Blame::Operator, what));
    let topic = found.topics.get(environment).ok_or_else(|| {
        let known: Vec<&str> = found.topics.keys().map(String::as_str).collect();
        let fault = Fault::new(Blame::Operator, format!("`{etl}` has no topic in `{environment}`"));
        PreviewFault::Request(fault.next(format!("it has one in {}", known.join(", "))))
    })?;
    let Request { runner, events, context, .. } = request;
    let layers = Layers::of([&found.variables, &runner.context, context, &events.event_context]);
    let items = events.iterate_over.as_ref().map(|name| layers.items(name)).transpose().map_err(refuse)?;
    let event_count = events.count.saturating_mul(items.as_ref().map_or(1, |items| items.len() as u64));
    if items.is_some() && index >= event_count {
        return Err(refuse(format!("there is no event {}: the list makes {event_count}", index + 1)));
    }
    let shared = Arc::new(Shared::new(layers, items, (etl, environment, topic), event_count));
    let file = registry.entry(etl).and_then(|entry| entry.file.as_deref()).unwrap_or("a registered ETL");
    let templates = Templates::compile(engine, found, file)?;
    let material =
        Material { templates, shared: Arc::clone(&shared), topic: topic.as_str().into(), partition: found.partition };
    let now = now_ms();
    let mut batch = Batch::default();
    batch.add(&material, &mut Moving::new(shared, Stamp::new(now)), index, now)?;
    let mut made = batch.events();
    let event = made.next().ok_or_else(|| refuse("nothing was rendered".to_owned()))?;
    let headers: Vec<(String, Vec<u8>)> =
        material.templates.header_names().map(str::to_owned).zip(event.header_values().map(<[u8]>::to_vec)).collect();
    let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let pretty = serde_json::from_slice::<serde_json::Value>(event.value)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    Ok(Preview {
        topic: topic.clone(),
        partition: found.partition,
        key: event.key.map(<[u8]>::to_vec),
        bytes: event.key.map_or(0, <[u8]>::len) + event.value.len() + header_bytes,
        headers,
        value: event.value.to_vec(),
        pretty,
        event_index: index,
        event_count,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::core::etl::Etl;
    use crate::core::runner::EventConfig;
    use crate::etl::examples::etl;

    fn previewed(environment: &str, request: &Request, index: u64) -> Result<Preview, PreviewFault> {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("payloads")).unwrap();
        std::fs::write(folder.path().join("payloads/orders.json.j2"), r#"{"id": {{ id }}, "n": {{ event_index }}}"#)
            .unwrap();
        let mut registry = Registry::new();
        registry.register(Etl {
            enabled: false,
            key_template: Some("K-{{ id }}".into()),
            headers: [("env".to_owned(), "{{ environment }}".to_owned())].into_iter().collect(),
            ..etl("orders", &["qa"])
        });
        preview(&registry, &Engine::builder(folder.path()).build(), ("orders", environment), request, index)
    }

    fn with_ids(ids: serde_json::Value) -> Request {
        let events = EventConfig { iterate_over: Some("ids".into()), ..EventConfig::default() };
        Request { events, context: json!({ "ids": ids }).as_object().unwrap().clone(), ..Request::default() }
    }

    #[test]
    fn an_event_is_shown_as_it_would_be_sent() {
        let seen = previewed("qa", &with_ids(json!([{"id": 7}, {"id": 8}])), 1).unwrap();
        assert_eq!(seen.value, br#"{"id": 8, "n": 1}"#);
        assert_eq!(seen.pretty.unwrap(), "{\n  \"id\": 8,\n  \"n\": 1\n}");
        assert_eq!(seen.key.unwrap(), b"K-8");
        assert_eq!(seen.headers, [("env".to_owned(), b"qa".to_vec())]);
        assert_eq!((seen.topic.as_str(), seen.bytes, seen.event_count), ("qa.orders", 17 + 3 + 5, 2));
    }

    #[test]
    fn what_is_missing_is_said_with_its_place_or_what_there_is() {
        let fault = previewed("qa", &Request::default(), 0).unwrap_err();
        assert!(fault.to_string().contains("orders.json.j2:1:") && fault.to_string().contains("`id`"), "{fault}");
        let fault = previewed("prod", &Request::default(), 0).unwrap_err();
        assert_eq!(fault.to_string(), "`orders` has no topic in `prod`; it has one in qa");
        let fault = previewed("qa", &with_ids(json!([{"id": 7}])), 1).unwrap_err();
        assert_eq!(fault.to_string(), "there is no event 2: the list makes 1");
    }
}
