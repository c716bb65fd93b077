//! What a payload's template sees: one object with layers, looked up by name and never copied for an event.
//!
//! Weakest first: the ETL's variables, the runner's context, the run's, the event's, the item of `iterate_over`, then
//! `etl_name environment topic correlation_id timestamp timestamp_ms event_index event_count`.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Serde, Value, ValueKind};
use serde_json::Map;

/// Names that every event has; no layer can hide them. `event_index` counts from 0 as Python's `enumerate` does and
/// `event_count` is the number of events planned for the ETL in the environment.
pub const BUILT_IN: [&str; 8] =
    ["etl_name", "environment", "topic", "correlation_id", "timestamp", "timestamp_ms", "event_index", "event_count"];

/// The name of the present item of `iterate_over`.
pub const ITEM: &str = "item";

/// The layers that all events of one ETL in one environment share, already laid over each other.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    names: HashMap<String, Value>,
}

impl Layers {
    /// Lays mappings over each other, the weakest first.
    pub fn of<'a>(weakest_first: impl IntoIterator<Item = &'a Map<String, serde_json::Value>>) -> Self {
        let mut names = HashMap::new();
        for layer in weakest_first {
            names.extend(layer.iter().map(|(name, value)| (name.clone(), Value::from(Serde(value)))));
        }
        Self { names }
    }

    /// The strongest layer's value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.names.get(name)
    }

    /// The items of a list in the context, or why there are none.
    pub fn items(&self, name: &str) -> Result<Arc<[Value]>, String> {
        let Some(list) = self.get(name) else {
            return Err(format!("`iterate_over` names `{name}`, which is not in its context"));
        };
        match list.kind() {
            ValueKind::Seq => {
                list.try_iter().map(Iterator::collect).map_err(|error| format!("`{name}` cannot be iterated: {error}"))
            }
            kind => Err(format!("`iterate_over` names `{name}`, which is not a list but a {kind}")),
        }
    }
}

/// What all events of one ETL in one environment have in common.
#[derive(Debug)]
pub struct Shared {
    layers: Layers,
    items: Option<Arc<[Value]>>,
    etl_name: Value,
    environment: Value,
    topic: Value,
    event_count: u64,
}

impl Shared {
    /// For `event_count` events of an ETL to a topic; with `items` one event an item, round and round.
    pub fn new(
        layers: Layers,
        items: Option<Arc<[Value]>>,
        (etl, environment, topic): (&str, &str, &str),
        event_count: u64,
    ) -> Self {
        let items = items.filter(|items| !items.is_empty());
        Self { layers, items, etl_name: etl.into(), environment: environment.into(), topic: topic.into(), event_count }
    }

    fn item(&self, index: u64) -> Option<&Value> {
        let items = self.items.as_ref()?;
        items.get(usize::try_from(index % items.len() as u64).ok()?)
    }
}

/// The moment and identity of one event.
#[derive(Debug, Clone)]
pub struct Stamp {
    correlation_id: Value,
    timestamp: Value,
    timestamp_ms: i64,
}

impl Stamp {
    /// A random identity at a time in milliseconds since 1970.
    pub fn new(timestamp_ms: i64) -> Self {
        Self { correlation_id: fresh_id(), timestamp: written(timestamp_ms), timestamp_ms }
    }

    /// The same moment for another event, or the next one: a text is only written when its millisecond has passed.
    fn renew(&mut self, timestamp_ms: i64) {
        self.correlation_id = fresh_id();
        if self.timestamp_ms != timestamp_ms {
            self.timestamp_ms = timestamp_ms;
            self.timestamp = written(timestamp_ms);
        }
    }

    /// Milliseconds since 1970.
    pub fn timestamp_ms(&self) -> i64 {
        self.timestamp_ms
    }
}

fn fresh_id() -> Value {
    let mut buffer = uuid::Uuid::encode_buffer();
    Value::from(&*uuid::Uuid::new_v4().hyphenated().encode_lower(&mut buffer))
}

/// RFC 3339 in UTC with milliseconds: `2026-11-21T14:02:11.042Z`.
fn written(timestamp_ms: i64) -> Value {
    match jiff::Timestamp::from_millisecond(timestamp_ms) {
        Ok(moment) => Value::from(format!("{moment:.3}")),
        Err(_) => Value::from(timestamp_ms),
    }
}

/// The context of one event. A renderer keeps one and moves it on, so an event costs no map and no list.
#[derive(Debug)]
pub struct EventContext {
    shared: Arc<Shared>,
    index: u64,
    stamp: Stamp,
}

impl Object for EventContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.look_up(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<Value> = BUILT_IN.into_iter().map(Value::from).collect();
        if let Some(item) = self.shared.item(self.index) {
            names.push(ITEM.into());
            if item.kind() == ValueKind::Map {
                names.extend(item.try_iter().into_iter().flatten());
            }
        }
        let known: std::collections::HashSet<Value> = names.iter().cloned().collect();
        let layered = self.shared.layers.names.keys().map(|name| Value::from(name.as_str()));
        names.extend(layered.filter(|name| !known.contains(name)));
        Enumerator::Values(names)
    }
}

impl EventContext {
    fn look_up(&self, name: &str) -> Option<Value> {
        let shared = &*self.shared;
        Some(match name {
            "etl_name" => shared.etl_name.clone(),
            "environment" => shared.environment.clone(),
            "topic" => shared.topic.clone(),
            "correlation_id" => self.stamp.correlation_id.clone(),
            "timestamp" => self.stamp.timestamp.clone(),
            "timestamp_ms" => self.stamp.timestamp_ms.into(),
            "event_index" => self.index.into(),
            "event_count" => shared.event_count.into(),
            _ => return self.of_item(name).or_else(|| shared.layers.get(name).cloned()),
        })
    }

    fn of_item(&self, name: &str) -> Option<Value> {
        let item = self.shared.item(self.index)?;
        if name == ITEM {
            return Some(item.clone());
        }
        if item.kind() != ValueKind::Map {
            return None;
        }
        item.get_attr(name).ok().filter(|value| !value.is_undefined())
    }
}

/// A context that is moved from event to event.
#[derive(Debug)]
pub struct Moving {
    context: Arc<EventContext>,
}

impl Moving {
    /// At the first event.
    pub fn new(shared: Arc<Shared>, stamp: Stamp) -> Self {
        Self { context: Arc::new(EventContext { shared, index: 0, stamp }) }
    }

    /// Goes to an event at a time in milliseconds since 1970; with another pair's `shared` to that pair's event.
    pub fn move_to(&mut self, shared: &Arc<Shared>, index: u64, timestamp_ms: i64) {
        if let Some(context) = Arc::get_mut(&mut self.context) {
            context.index = index;
            context.stamp.renew(timestamp_ms);
            if !Arc::ptr_eq(&context.shared, shared) {
                context.shared = Arc::clone(shared);
            }
            return;
        }
        // A template kept the context of the event before alive: it keeps its own.
        let stamp = Stamp::new(timestamp_ms);
        self.context = Arc::new(EventContext { shared: Arc::clone(shared), index, stamp });
    }

    /// What templates are rendered with. It must be dropped before the next [`Moving::move_to`] to cost nothing.
    pub fn value(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.context))
    }

    /// Milliseconds since 1970 of the present event.
    pub fn timestamp_ms(&self) -> i64 {
        self.context.stamp.timestamp_ms
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn map(value: serde_json::Value) -> Map<String, serde_json::Value> {
        value.as_object().unwrap().clone()
    }

    fn rendered(template: &str, layers: &[serde_json::Value], iterate: Option<&str>, index: u64) -> String {
        let layers: Vec<_> = layers.iter().cloned().map(map).collect();
        let layers = Layers::of(&layers);
        let items = iterate.map(|name| layers.items(name).unwrap());
        let shared = Arc::new(Shared::new(layers, items, ("orders", "qa", "qa.orders"), 7));
        let mut moving = Moving::new(Arc::clone(&shared), Stamp::new(0));
        moving.move_to(&shared, index, 1_763_733_731_042);
        minijinja::Environment::new().render_str(template, moving.value()).unwrap()
    }

    #[test]
    fn a_stronger_layer_hides_a_weaker_one_and_built_in_names_hide_all() {
        let layers = [json!({"a": 1, "b": 1, "topic": "mine"}), json!({"b": 2, "c": 2}), json!({"c": 3})];
        assert_eq!(rendered("{{ a }}{{ b }}{{ c }} {{ topic }}", &layers, None, 0), "123 qa.orders");
    }

    #[test]
    fn an_item_is_seen_as_item_and_its_keys_lie_above_the_context() {
        let layers = [json!({"sku": "none", "lines": [{"sku": "A"}, {"sku": "B", "topic": "x"}, 5]})];
        let template = "{{ sku }} {{ item.sku if item is mapping else item }} {{ topic }}";
        assert_eq!(rendered(template, &layers, Some("lines"), 0), "A A qa.orders");
        assert_eq!(rendered(template, &layers, Some("lines"), 1), "B B qa.orders");
        assert_eq!(rendered(template, &layers, Some("lines"), 2), "none 5 qa.orders");
        assert_eq!(rendered(template, &layers, Some("lines"), 3), "A A qa.orders", "the list begins again");
    }

    #[test]
    fn the_first_event_is_0_and_time_is_written_once_in_two_forms() {
        let template = "{{ event_index }}/{{ event_count }} {{ timestamp }} {{ timestamp_ms }} {{ etl_name }}";
        assert_eq!(rendered(template, &[], None, 0), "0/7 2025-11-21T14:02:11.042Z 1763733731042 orders");
    }

    #[test]
    fn an_event_keeps_one_correlation_id_and_the_next_has_another() {
        let shared = Arc::new(Shared::new(Layers::default(), None, ("e", "q", "t"), 2));
        let mut moving = Moving::new(Arc::clone(&shared), Stamp::new(0));
        let environment = minijinja::Environment::new();
        let mut one = |index| {
            moving.move_to(&shared, index, 5);
            environment.render_str("{{ correlation_id }} {{ correlation_id }}", moving.value()).unwrap()
        };
        let (first, second) = (one(0), one(1));
        let (left, right) = first.split_once(' ').unwrap();
        assert_eq!((left, left.len()), (right, 36));
        assert_ne!(first, second);
    }

    #[test]
    fn a_list_that_is_missing_or_no_list_is_said_by_name() {
        let layers = Layers::of(&[map(json!({"lines": "text"}))]);
        assert!(layers.items("rows").unwrap_err().contains("`rows`"));
        assert!(layers.items("lines").unwrap_err().contains("not a list but a string"));
    }
}
