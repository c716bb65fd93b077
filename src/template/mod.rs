//! Jinja templates: payloads under `templates/payloads/`, and the leaves of YAML files. Undefined is an error, no file
//! outside the template folder is read, and a render ends when its fuel does.
//!
//! What Jinja2 prints is printed, to the byte, so `{{ true }}` gives `True` and `{{ none }}` gives `None`: in a JSON
//! payload put values through `to_json`. A new UUID is `{{ uuid4() }}` or `{{ none | uuid }}` (a filter needs a value).
//! `now()` and `utcnow()` know their offset, and `{{ value | timestamp }}` is whole seconds since 1970.
//!
//! What still differs from Jinja2: `~` and most string filters spell `true`, `false` and floats as minijinja does; a
//! decimal prints without an exponent; decimal operators need the word `decimal` in the same file.
//!
//! # Filters and variables of your own
//! ```
//! use velox::core::fault::Place;
//! use velox::template::{Engine, value};
//!
//! /// Hides all but the last characters.
//! fn mask_pii(value: String, visible_chars: Option<usize>) -> String {
//!     let (length, visible) = (value.chars().count(), visible_chars.unwrap_or(4));
//!     let hidden = if length <= visible { length } else { length - visible };
//!     "*".repeat(hidden) + &value.chars().skip(hidden).collect::<String>()
//! }
//!
//! let engine = Engine::builder("templates").filter("mask_pii", mask_pii).global("app_version", "1.2.3").build();
//! let template = engine.inline(Place::file("example"), "{{ customer_ssn | mask_pii(4) }} {{ app_version }}")?;
//! let context = value(&serde_json::json!({"customer_ssn": "123456789"}));
//! assert_eq!(template.render(&context)?, "*****6789 1.2.3");
//! # Ok::<(), velox::template::TemplateFault>(())
//! ```

mod engine;

mod compiled;
mod direct;
mod loader;
mod shipped;

mod known;
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
pub use fault::{TemplateFault, TemplateFaultKind};
pub use loader::{Folder, PAYLOADS, TEMPLATE_BYTES_MAX};
pub use minijinja::Value;
pub use shipped::files as shipped_files;

/// A template value made of anything serde can read.
pub fn value(of: &impl serde::Serialize) -> Value {
    Value::from(minijinja::value::Serde(of))
}

/// Teaches the filters, functions and methods of templates to an environment of somebody else's, such as that of
/// configuration. Operators stay the engine's own: exact arithmetic on decimals is for [`Engine`]'s templates.
pub fn teach(environment: &mut minijinja::Environment<'static>) {
    language::register(environment, draw::Draw { seed: None });
}

#[cfg(test)]
mod tests;
