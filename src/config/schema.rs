//! JSON Schemas of the YAML files, generated from the types, for editors and for a test of the shipped files.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::core::environment::Environment;
use crate::core::etl::Etl;
use crate::core::runner::RunnerConfig;

use super::console::ConsoleConfig;
use super::extends::EXTENDS;
use super::typed::OPEN;

/// Matches a text that is rendered before it is read, which may stand for a value of any type.
const TEMPLATE: &str = r"\{\{|\{%|\$\{(env|file):";

/// File names under `config/schemas/` and the schemas.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("environment.schema.json", of::<Environment>()),
        ("etl.schema.json", of::<Etl>()),
        ("runner.schema.json", of::<RunnerConfig>()),
        ("console.schema.json", of::<ConsoleConfig>()),
    ]
}

fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    if let Some(definitions) = schema.get_mut("definitions").and_then(Value::as_object_mut) {
        for (name, definition) in definitions.iter_mut() {
            loosen(definition);
            if let Some(open) = definition.as_object_mut().filter(|_| OPEN.contains(&name.as_str())) {
                open.insert("additionalProperties".into(), json!({ "$ref": "#/definitions/Scalar" }));
            }
        }
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(loosen_value);
        properties.insert(
            EXTENDS.into(),
            json!({ "type": "string", "description": "A file beside this one that this one is laid over, key by key." }),
        );
    }
    // A file that extends another may leave to it what is required.
    if let Some(root) = schema.as_object_mut()
        && let Some(required) = root.remove("required")
    {
        root.insert("anyOf".into(), json!([{ "required": [EXTENDS] }, { "required": required }]));
    }
    schema
}

/// Lets a template, and null, stand wherever a value stands; lets bases give what is required.
fn loosen(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("required");
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(loosen_value);
    }
}

fn loosen_value(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for inner in ["additionalProperties", "items"] {
        if let Some(inner) = object.get_mut(inner).filter(|inner| inner.is_object()) {
            loosen_value(inner);
        }
    }
    let mut annotations = Map::new();
    for name in ["description", "title", "default", "deprecated"] {
        if let Some(value) = object.remove(name) {
            annotations.insert(name.into(), value);
        }
    }
    let strict = Value::Object(std::mem::take(object));
    object.extend(annotations);
    if !strict.as_object().is_none_or(Map::is_empty) {
        object.insert("anyOf".into(), json!([strict, { "type": "string", "pattern": TEMPLATE }, { "type": "null" }]));
    }
}
