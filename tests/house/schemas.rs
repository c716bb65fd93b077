//! The committed JSON Schemas are those of the types, and every shipped file is valid by its own.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped() -> Vec<PathBuf> {
    let mut files = vec![root().join("config/runner.yaml"), root().join("config/console.yaml")];
    for folder in ["config/environments", "config/etl"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("a folder").flatten();
        files.extend(entries.map(|entry| entry.path()));
    }
    assert!(files.len() >= 18, "{files:?}");
    files
}

/// The schema that a file's first line names.
fn schema_of(file: &Path, text: &str) -> Value {
    let first = text.lines().next().unwrap_or_default();
    let name = first.strip_prefix("# yaml-language-server: $schema=").expect("a first line that names the schema");
    let path = file.parent().expect("a folder").join(name);
    serde_json::from_str(&std::fs::read_to_string(&path).expect("a schema")).expect("JSON")
}

fn errors(schema: &Value, text: &str) -> Vec<String> {
    let value: Value = serde_yaml::from_str(text).expect("YAML");
    let validator = jsonschema::validator_for(schema).expect("a schema");
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (name, schema) in velox::config::schemas() {
        let path = root().join("config/schemas").join(name);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let generated = format!("{schema:#}\n");
        assert!(committed == generated, "{} is out of date: run `velox-tui schema`", path.display());
    }
}

#[test]
fn every_shipped_file_is_valid_by_the_schema_it_names() {
    for file in shipped() {
        let text = std::fs::read_to_string(&file).expect("a shipped file");
        let errors = errors(&schema_of(&file, &text), &text);
        assert!(errors.is_empty(), "{}: {errors:?}", file.display());
    }
}

#[test]
fn a_schema_refuses_what_the_loader_refuses() {
    let schemas: std::collections::BTreeMap<_, _> = velox::config::schemas().into_iter().collect();
    for (name, text) in [
        ("environment.schema.json", "environment: e\nkafka: {bootstap_servers: b}\n"),
        ("environment.schema.json", "environment: e\n"),
        ("environment.schema.json", "environment: e\nkafka: {bootstrap_servers: b, security_protocol: TLS}\n"),
        ("environment.schema.json", "environment: e\nkafka: {bootstrap_servers: b}\nguard: [typed]\n"),
        ("environment.schema.json", "environment: e\nkafka: {bootstrap_servers: b}\nproducer: {max.in.flight: [1]}\n"),
        ("etl.schema.json", "name: n\npayload_template: t\ntopics: {dev: 3}\n"),
        ("etl.schema.json", "name: n\npayload_template: t\ntopics: {}\npartition: first\n"),
        ("runner.schema.json", "execution: {parallel_worker: 3}\n"),
        ("runner.schema.json", "limits: {max_total_events: -1}\n"),
        ("console.schema.json", "frame_rate: 120\n"),
        ("console.schema.json", "keys: {quit: {a: b}}\n"),
    ] {
        assert!(!errors(&schemas[name], text).is_empty(), "{name} takes {text}");
    }
    for (name, text) in [
        ("environment.schema.json", "extends: a.yaml\nkafka: {client_id: x}\n"),
        (
            "environment.schema.json",
            "environment: e\nkafka: {bootstrap_servers: b}\nguard: '{{ G }}'\nproducer: {socket.keepalive.enable: true}\n",
        ),
        (
            "environment.schema.json",
            "environment: e\nkafka: {bootstrap_servers: b, request_timeout_ms: '{{ T }}', ssl: null}\nproducer: {acks: 1}\n",
        ),
        ("console.schema.json", "keys: {quit: q, help: ['?', f1], jobs: null}\n"),
    ] {
        assert_eq!(errors(&schemas[name], text), Vec::<String>::new(), "{name} refuses {text}");
    }
}

#[test]
fn every_shipped_etl_has_its_payload_and_a_sandbox_topic() {
    let config = velox::config::Config::load(&velox::config::Sources::folder(root().join("config")));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.etls.len(), 9);
    for etl in &config.etls {
        let etl = etl.ready().expect("whole");
        assert!(root().join("templates/payloads").join(&etl.payload_template).is_file(), "{}", etl.payload_template);
        assert!(etl.topics.contains_key("sandbox"), "{}", etl.name);
    }
}
