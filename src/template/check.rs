//! Whether a rendered text is JSON, as its template claims. Builds no tree and never changes the text.

use serde::de::IgnoredAny;

use super::fault::{TemplateFault, TemplateFaultKind, excerpt};
use crate::core::fault::Place;

/// Checks that `rendered`, made by `template`, is one JSON document.
///
/// # Errors
/// [`TemplateFaultKind::Json`] with the rendered line and a caret under the column at fault. Line and column count in
/// the rendered text, not in the template.
pub fn check_json(rendered: &[u8], template: &str) -> Result<(), TemplateFault> {
    match serde_json::from_slice::<IgnoredAny>(rendered) {
        Ok(_) => Ok(()),
        Err(error) => Err(not_json(rendered, template, &error)),
    }
}

#[cold]
fn not_json(rendered: &[u8], template: &str, error: &serde_json::Error) -> TemplateFault {
    let text = String::from_utf8_lossy(rendered);
    let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
    let bytes_before = error.column().saturating_sub(1);
    let shown = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let column = shown.char_indices().take_while(|(at, _)| *at < bytes_before).count() + 1;
    let column = u32::try_from(column).unwrap_or(u32::MAX);
    let message = error.to_string();
    let cause = message.split(" at line ").next().unwrap_or_default();
    let what = format!("the rendered payload is not JSON, line {line} column {column} of it: {cause}");
    TemplateFault::new(TemplateFaultKind::Json, what, Place::file(template))
        .excerpt(excerpt(&text, line, column))
        .next("put values through `| to_json`, which writes strings, true, false and null as JSON does")
}
