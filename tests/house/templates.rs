//! The template language against Python's Jinja2: every template of `tests/templates/corpus` must render to the bytes
//! that Jinja2 gave. `tests/templates/expected.py` makes those, and says with which version.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use velox::core::fault::Place;
use velox::template::{Engine, Template, Value, check_json};

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The document's own example of a custom filter.
fn mask_pii(value: String, visible_chars: Option<usize>) -> String {
    let count = value.chars().count();
    let hidden = if count <= visible_chars.unwrap_or(4) { count } else { count - visible_chars.unwrap_or(4) };
    "*".repeat(hidden) + &value.chars().skip(hidden).collect::<String>()
}

fn corpus() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(house().join("tests/templates/corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "j2"))
        .collect();
    paths.sort();
    assert!(paths.len() > 50, "the corpus has shrunk to {} templates", paths.len());
    paths
}

fn context() -> Value {
    let text = fs::read_to_string(house().join("tests/templates/context.json")).unwrap();
    let context: serde_json::Value = serde_json::from_str(&text).unwrap();
    velox::template::value(&context)
}

#[test]
fn every_template_of_the_corpus_renders_as_jinja2_renders_it() {
    let engine = Engine::builder(house().join("tests/templates/corpus"))
        .filter("mask_pii", mask_pii)
        .global("app_version", "1.2.3")
        .build();
    let context = context();
    let mut wrong = Vec::new();
    for path in corpus() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected =
            fs::read_to_string(path.with_file_name(name.strip_suffix(".j2").unwrap().to_owned() + ".expected"));
        let rendered = engine.payload(name).and_then(|template| template.render(&context));
        let rendered = rendered.unwrap_or_else(|fault| format!("FAULT {fault}"));
        let expected = expected.unwrap();
        if rendered != expected {
            wrong.push(format!("{name}\n  jinja2: {expected:?}\n  velox:  {rendered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// What an ETL run puts into every context.
fn event_context(index: u64) -> Value {
    velox::template::value(&serde_json::json!({
        "etl_name": "any", "environment": "sandbox", "topic": "sandbox.any.v1", "event_index": index, "event_count": 50,
        "correlation_id": "3f2b8c1e-9f44-4d1c-8a55-0d3c9f3f7a10",
        "timestamp": "2026-11-21T09:32:00+00:00", "timestamp_ms": 1_795_253_520_000_i64,
    }))
}

fn shipped() -> Vec<Template> {
    let engine = Engine::builder(house().join("templates")).seed(42).build();
    let mut names: Vec<String> = fs::read_dir(house().join("templates/payloads"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    names.iter().map(|name| engine.payload(name).unwrap()).collect()
}

#[test]
fn every_shipped_payload_renders_to_json_with_nothing_but_the_events_own_variables() {
    for template in shipped() {
        for index in 0..50 {
            let rendered = template.render(&event_context(index)).unwrap_or_else(|fault| panic!("{fault}"));
            check_json(rendered.as_bytes(), template.name()).unwrap_or_else(|fault| panic!("{fault}\n{rendered}"));
        }
    }
}

#[test]
fn a_seed_gives_the_same_event_again_and_another_event_differs() {
    let engine = Engine::builder(house().join("templates")).seed(7).build();
    let text = "{{ uuid4() }} {{ fake('name') }} {{ random_int(1, 1000000) }} {{ random_choice([1, 2, 3]) }}";
    let template = engine.inline(Place::at("config/etl/x.yaml", 3, 1), text).unwrap();
    let at = |index: u64| template.render(&velox::template::value(&serde_json::json!({"event_index": index}))).unwrap();
    assert_eq!(at(1), at(1));
    assert_ne!(at(1), at(2));
}

#[test]
fn the_totals_of_an_order_are_exact() {
    let engine = Engine::builder(house().join("templates")).build();
    let mut context = serde_json::json!({
        "etl_name": "order_event", "environment": "qa", "event_index": 0, "event_count": 1, "correlation_id": "c",
        "timestamp": "t", "timestamp_ms": 1, "line_items": [{"sku": "A", "qty": 3, "price": "0.10"}, {"sku": "B", "qty": 1, "price": 0.2}],
    });
    let template = engine.payload("order_event.json.j2").unwrap();
    let rendered = template.render(&velox::template::value(&context)).unwrap();
    assert!(rendered.contains("\"total\": 0.50,"), "{rendered}");
    context["line_items"] = serde_json::json!([]);
    let rendered = template.render(&velox::template::value(&context)).unwrap();
    assert!(rendered.contains("\"total\": 0,"), "{rendered}");
}
