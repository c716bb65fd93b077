//! Jinja templates: payloads under `templates/payloads/`, and the leaves of YAML files. Undefined is an error, no file
//! outside the template folder is read, and a render ends when its fuel does.

mod engine;

mod compiled;
mod loader;

mod check;
mod fault;

pub use check::check_json;
pub use compiled::Template;
pub use engine::{Engine, EngineBuilder, FUEL_INSTRUCTIONS};
pub use fault::{TemplateFault, TemplateFaultKind, nearest};
pub use loader::{PAYLOADS, TEMPLATE_BYTES_MAX};
pub use minijinja::Value;
