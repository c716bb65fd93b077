//! The context of templates from the command line: `--context FILE`, then `--set key=value` over it.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use crate::core::fault::{Blame, Fault, Place};

/// Flags that fill the context of templates.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Context of the templates")]
pub struct ContextArguments {
    /// A value of the context; `a.b=…` goes into a mapping; true, false, null, whole numbers and JSON in [] or {} are
    /// read as such, all else is text as it stands
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(Vec<String>, Value)>,
    /// A YAML or JSON file with a mapping; - is the standard input
    #[arg(long, value_name = "FILE")]
    pub context: Option<PathBuf>,
}

impl ContextArguments {
    /// The context: the file's mapping with every `--set` put over it, in order.
    pub fn load(&self) -> Result<Map<String, Value>, Fault> {
        let mut context = self.context.as_deref().map(mapping_of).transpose()?.unwrap_or_default();
        for (path, value) in &self.set {
            put(&mut context, path, value.clone());
        }
        Ok(context)
    }
}

fn mapping_of(file: &Path) -> Result<Map<String, Value>, Fault> {
    let name = file.display().to_string();
    let fault = |what: String| Fault::new(Blame::Operator, what).next("--context needs a YAML or JSON mapping");
    let text = if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| fault(format!("cannot be read: {error}")).at(Place::file(&name)))?;
    let read: Value = serde_yaml::from_str(&text).map_err(|error| {
        let place = error.location().map_or_else(
            || Place::file(&name),
            |location| Place::at(&name, location.line() as u32, location.column() as u32),
        );
        fault(format!("is not YAML: {error}")).at(place)
    })?;
    match read {
        Value::Object(mapping) => Ok(mapping),
        Value::Null => Ok(Map::new()),
        _ => Err(fault("holds no mapping".into()).at(Place::file(&name))),
    }
}

/// Puts a value at a path; whatever stands in the way of a mapping is replaced by one.
fn put(into: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            into.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = into.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Reads `key=value`.
fn assignment(text: &str) -> Result<(Vec<String>, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    let path: Vec<String> = key.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err(format!("`{key}` is no key"));
    }
    Ok((path, typed(value)?))
}

/// A fraction stays text, so that `12.50` keeps its digits until a template makes a decimal of it.
fn typed(text: &str) -> Result<Value, String> {
    let plain_number = |number: i64| number.to_string() == text;
    Ok(match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        _ if text.starts_with(['[', '{', '"']) => {
            serde_json::from_str(text).map_err(|error| format!("`{text}` is not JSON: {error}"))?
        }
        _ => match text.parse::<i64>() {
            Ok(number) if plain_number(number) => number.into(),
            _ => Value::String(text.to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(set: &[&str]) -> Value {
        let set = set.iter().map(|text| assignment(text).expect("an assignment")).collect();
        Value::Object(ContextArguments { set, context: None }.load().expect("a context"))
    }

    #[test]
    fn values_are_typed_and_digits_are_kept() {
        assert_eq!(
            context(&["a=1", "b=12.50", "c=true", "d=[1,2]", "e=x=y", "f=", "g=007", "h=\"1\"", "i=null"]),
            json!({"a": 1, "b": "12.50", "c": true, "d": [1, 2], "e": "x=y", "f": "", "g": "007", "h": "1", "i": null})
        );
    }

    #[test]
    fn a_dotted_key_fills_a_mapping_and_the_last_word_counts() {
        assert_eq!(context(&["a=1", "a.b=2", "a.c.d=3", "a.b=4"]), json!({"a": {"b": 4, "c": {"d": 3}}}));
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for text in ["key", "=1", "a..b=1", "a={", "a=[1"] {
            assert!(assignment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_context_file_that_is_no_mapping_says_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("context.yaml");
        for (text, what) in [("- 1\n", "holds no mapping"), ("a: [1\nb: 2\n", "is not YAML")] {
            std::fs::write(&file, text).expect("written");
            let fault = mapping_of(&file).expect_err(text);
            assert!(fault.to_string().contains(what), "{fault}");
            assert!(fault.place.is_some());
        }
        assert!(mapping_of(Path::new("absent.yaml")).expect_err("absent").to_string().contains("cannot be read"));
    }
}
