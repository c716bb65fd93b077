//! Jinja templates: payloads under `templates/payloads/`, and the leaves of YAML files. Undefined is an error, no file
//! outside the template folder is read, and a render ends when its fuel does.

mod engine;

mod compiled;
mod loader;

mod language;

mod arithmetic;
mod decimal;
mod draw;
mod fakes;
mod json;
mod methods;
mod moment;
mod python;

mod check;
mod fault;

pub use check::check_json;
pub use compiled::Template;
pub use engine::{Engine, EngineBuilder, FUEL_INSTRUCTIONS};
pub use fakes::FAKE_KINDS;
pub use fault::{TemplateFault, TemplateFaultKind, nearest};
pub use loader::{PAYLOADS, TEMPLATE_BYTES_MAX};
pub use minijinja::Value;

/// A template value made of anything serde can read.
pub fn value(of: &impl serde::Serialize) -> Value {
    Value::from(minijinja::value::Serde(of))
}
