//! From an event's index to its bytes: key, headers and payload of one pair, into buffers that are used again and again.

use std::ops::Range;
use std::sync::Arc;

use crate::core::etl::Etl;
use crate::core::fault::{Fault, Place};
use crate::etl::context::{Moving, Shared};
use crate::etl::plan::PlannedPair;
use crate::template::{Engine, Template, TemplateFault};

/// The templates of one ETL, compiled.
#[derive(Debug, Clone)]
pub struct Templates {
    key: Option<Template>,
    headers: Vec<(String, Template)>,
    payload: Template,
}

impl Templates {
    /// Compiles an ETL's payload, key and headers; `file` is where the ETL is defined.
    ///
    /// # Errors
    /// The first template that is missing or is not Jinja.
    pub fn compile(engine: &Engine, etl: &Etl, file: &str) -> Result<Self, TemplateFault> {
        Self::compile_all(engine, etl, file).map_err(|mut faults| faults.swap_remove(0))
    }

    /// As [`Templates::compile`].
    ///
    /// # Errors
    /// Every template that is missing or is not Jinja, at least one.
    pub fn compile_all(engine: &Engine, etl: &Etl, file: &str) -> Result<Self, Vec<TemplateFault>> {
        let inline = |field: &str, text: &str| engine.inline(Place::file(format!("{file} ({field})")), text);
        let payload = engine.payload(&etl.payload_template);
        let key = etl.key_template.as_deref().map(|text| inline("key_template", text)).transpose();
        let (mut headers, mut faults) = (Vec::new(), Vec::new());
        for (name, text) in &etl.headers {
            match inline(&format!("headers.{name}"), text) {
                Ok(template) => headers.push((name.clone(), template)),
                Err(fault) => faults.push(fault),
            }
        }
        match (payload, key) {
            (Ok(payload), Ok(key)) if faults.is_empty() => Ok(Self { key, headers, payload }),
            (payload, key) => {
                let first = [payload.err(), key.err()].into_iter().flatten();
                Err(first.chain(faults).collect())
            }
        }
    }

    /// Names of the headers, in their order.
    pub fn header_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// The payload's template.
    pub fn payload(&self) -> &Template {
        &self.payload
    }
}

/// What all events of a pair share when they are rendered.
#[derive(Debug)]
pub struct Material {
    /// Templates.
    pub templates: Templates,
    /// Context.
    pub shared: Arc<Shared>,
    /// Topic.
    pub topic: Arc<str>,
    /// Partition; by key where absent.
    pub partition: Option<i32>,
}

impl Material {
    /// For a planned pair.
    pub fn of(pair: &PlannedPair, templates: Templates) -> Self {
        let names = (pair.etl.name.as_str(), &*pair.environment, &*pair.topic);
        Self {
            templates,
            shared: Arc::new(Shared::new(pair.layers.clone(), pair.items.clone(), names, pair.events)),
            topic: Arc::clone(&pair.topic),
            partition: pair.etl.partition,
        }
    }
}

/// Rendered events, one after the other in one buffer.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    ends: Vec<usize>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    index: u64,
    timestamp_ms: i64,
    key: Option<Range<usize>>,
    value: Range<usize>,
    headers: Range<usize>,
}

/// One event of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Rendered<'a> {
    /// Its index, from 0.
    pub index: u64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Payload.
    pub value: &'a [u8],
    text: &'a str,
    headers: &'a [usize],
}

impl<'a> Rendered<'a> {
    /// Values of the headers, in the order of their names.
    pub fn header_values(&self) -> impl Iterator<Item = &'a [u8]> {
        let (text, bounds) = (self.text.as_bytes(), self.headers);
        bounds.windows(2).map(move |bounds| &text[bounds[0]..bounds[1]])
    }
}

impl Batch {
    /// Forgets its events and keeps its buffers.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.events.clear();
    }

    /// Events in it.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Events in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Rendered<'_>> {
        self.events.iter().map(|event| Rendered {
            index: event.index,
            timestamp_ms: event.timestamp_ms,
            key: event.key.clone().map(|key| self.text[key].as_bytes()),
            value: self.text[event.value.clone()].as_bytes(),
            text: &self.text,
            headers: &self.ends[event.headers.clone()],
        })
    }

    /// Renders one more event. On a fault the batch is as it was.
    pub fn add(
        &mut self,
        material: &Material,
        moving: &mut Moving,
        index: u64,
        timestamp_ms: i64,
    ) -> Result<(), TemplateFault> {
        let (written, ends) = (self.text.len(), self.ends.len());
        moving.move_to(&material.shared, index, timestamp_ms);
        let outcome = self.render(&material.templates, moving, index);
        match outcome {
            Ok(event) => self.events.push(event),
            Err(fault) => {
                self.text.truncate(written);
                self.ends.truncate(ends);
                return Err(fault);
            }
        }
        Ok(())
    }

    fn render(&mut self, templates: &Templates, moving: &Moving, index: u64) -> Result<Event, TemplateFault> {
        let context = moving.value();
        let start = self.text.len();
        templates.payload.render_checked_into(&context, &mut self.text)?;
        let value = start..self.text.len();
        let key = match &templates.key {
            Some(template) => {
                let start = self.text.len();
                template.render_into(&context, &mut self.text)?;
                Some(start..self.text.len())
            }
            None => None,
        };
        let first = self.ends.len();
        self.ends.push(self.text.len());
        for (_, template) in &templates.headers {
            template.render_into(&context, &mut self.text)?;
            self.ends.push(self.text.len());
        }
        let headers = first..self.ends.len();
        Ok(Event { index, timestamp_ms: moving.timestamp_ms(), key, value, headers })
    }
}

/// A cause that is the same for every event that fails this way: without the rendered line.
pub fn cause_of(fault: &TemplateFault) -> super::ledger::Cause {
    let blame = Fault::from(fault.clone()).blame;
    let next = if fault.next.is_empty() { String::new() } else { format!("; {}", fault.next) };
    super::ledger::Cause { blame, text: format!("{}: {}{next}", fault.place, fault.what) }
}
