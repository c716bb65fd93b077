//! Whether what a template writes is JSON, known for the greater part before it writes anything: the text around the
//! holes is read once, and of an event only what fills them. Says yes or nothing: a no is the full check's to give.

use serde::de::IgnoredAny;

use super::super::json::is_clean;
use super::expression::Expression;
use super::pieces::Piece;

/// Where an expression writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hole {
    /// Between a string's quotes.
    Text,
    /// In a value's place, with nothing of it outside.
    Value,
}

/// What stands for a hole while the text around is read. Neither makes an escape of what is before it.
const TEXT: char = 'x';
const VALUE: char = '0';

/// The holes of a template in their order, if with all of them filled rightly it writes one JSON document.
pub(super) fn holes(pieces: &[Piece<'_>]) -> Option<Vec<Hole>> {
    let (mut skeleton, mut holes) = (String::new(), Vec::new());
    let (mut in_text, mut escaped, mut value_ended) = (false, false, false);
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                for letter in text.chars() {
                    if std::mem::take(&mut value_ended) && !matches!(letter, ',' | ']' | '}') {
                        if !letter.is_whitespace() {
                            return None;
                        }
                        value_ended = true;
                    }
                    match letter {
                        _ if escaped => escaped = false,
                        '\\' => escaped = in_text,
                        '"' => in_text = !in_text,
                        _ => {}
                    }
                }
                skeleton.push_str(text);
            }
            Piece::Print(_) if in_text => {
                escaped = false;
                holes.push(Hole::Text);
                skeleton.push(TEXT);
            }
            Piece::Print(_) => {
                // Two holes side by side, or one beside half a value, may fill to something else.
                if value_ended || !matches!(skeleton.trim_end().chars().last(), None | Some(':' | '[' | ',')) {
                    return None;
                }
                value_ended = true;
                holes.push(Hole::Value);
                skeleton.push(VALUE);
            }
            Piece::Set(..) => {}
            Piece::If(_) | Piece::For { .. } | Piece::Scope(_) => return None,
        }
    }
    serde_json::from_str::<IgnoredAny>(&skeleton).is_ok().then_some(holes)
}

impl Hole {
    /// Whether `written`, by `expression`, fills it rightly.
    pub fn takes(self, expression: &Expression<'_>, written: &str) -> bool {
        match self {
            Self::Text => is_clean(written),
            Self::Value => {
                matches!(expression, Expression::ToJson(_))
                    || is_count(written)
                    || serde_json::from_str::<IgnoredAny>(written).is_ok()
            }
        }
    }
}

/// Digits without a leading zero, as most values that are no `to_json` are.
fn is_count(written: &str) -> bool {
    written.bytes().all(|byte| byte.is_ascii_digit()) && matches!(written.as_bytes(), [b'0'] | [b'1'..=b'9', ..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::de::IgnoredAny;

    use crate::core::fault::Place;
    use crate::template::direct::Written;
    use crate::template::{Engine, value};

    fn written(source: &str, filling: &serde_json::Value) -> (Written, String) {
        let template = Engine::builder("templates").build().inline(Place::file("x.json.j2"), source).unwrap();
        let mut out = String::new();
        (template.directly(&value(&serde_json::json!({"a": filling})), &mut out), out)
    }

    #[test]
    fn what_is_called_json_is_json_whatever_fills_the_holes() {
        let around = [
            r#"{"k": {{ a }}, "s": "{{ a }}"}"#,
            r#"["{{ a }}{{ a }} x", {{ a | to_json }}]"#,
            r#"{"{{ a }}": [{{ a }} , {{ a }}]}"#,
            "{{ a }}",
            r#""{{ a }}""#,
            r#""\{{ a }}""#,
            r#""\u00{{ a }}""#,
            r#""\\{{ a }}""#,
            r#"{"k": 1{{ a }}}"#,
            r#"{"k": {{ a }}{{ a }}}"#,
            r#"{"k": {{ a }}1}"#,
            r#"{"k": -{{ a }}}"#,
            r#"{ {{ a }}: 1}"#,
            r#"[{{ a }} {{ a }}]"#,
            r#"{"k": {% if a %}{{ a }}{% endif %}}"#,
            r#"{% set b = a %}[{{ b }}]"#,
        ];
        let fillings = [
            "1", "-0.5e3", "01", "\"", "\\", "\n", "x", "\"k\"", "\"k\": 1", "{}", "[1,", "1,2", "", " ", "ü", "null",
            "None", "00", "\"}", "//",
        ];
        let numbers =
            [serde_json::json!(5), serde_json::json!(null), serde_json::json!([1, "x"]), serde_json::json!({})];
        let fillings: Vec<_> = fillings.into_iter().map(serde_json::Value::from).chain(numbers).collect();
        let mut known = 0;
        for source in around {
            for filling in &fillings {
                if let (Written::Json, out) = written(source, filling) {
                    known += 1;
                    let read = serde_json::from_str::<IgnoredAny>(&out);
                    assert!(read.is_ok(), "{source} with {filling} gave {out}");
                }
            }
        }
        assert!(known > 50, "only {known} were known to be JSON");
    }

    #[test]
    fn a_payload_of_texts_and_values_is_known_to_be_json() {
        let source = r#"{"k": {{ a | to_json }}, "s": "{{ 'x' ~ '1' }}", "n": {{ 7 }}}"#;
        assert_eq!(written(source, &serde_json::json!({"x": "\""})).0, Written::Json);
        assert_eq!(written("{\"s\": \"{{ a }}\"}", &serde_json::json!("\"")).0, Written::Text);
    }
}
