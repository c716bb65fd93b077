//! What the engine refuses, and how it says so.

#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::core::fault::Place;

fn fault(source: &str, context: serde_json::Value) -> TemplateFault {
    let engine = Engine::builder("no-such-folder").fuel(20_000).build();
    match engine.inline(Place::at("config/etl/x.yaml", 8, 15), source) {
        Ok(template) => template.render(&value(&context)).unwrap_err(),
        Err(fault) => fault,
    }
}

fn rendered(source: &str, context: serde_json::Value) -> String {
    let engine = Engine::builder("no-such-folder").build();
    engine.inline(Place::file("x"), source).unwrap().render(&value(&context)).unwrap()
}

#[test]
fn an_undefined_variable_is_named_with_its_place_and_the_nearest_known_name() {
    let fault = fault("id {{ custmer_id }}", serde_json::json!({"customer_id": 1}));
    assert_eq!(fault.undefined(), Some("custmer_id"));
    assert_eq!(fault.place, Place::at("config/etl/x.yaml", 8, 15));
    assert!(fault.next.contains("`customer_id`"), "{fault}");
    assert!(fault.excerpt.ends_with("             ^"), "{fault}");
}

#[test]
fn of_a_dotted_name_the_part_that_is_missing_is_named() {
    assert_eq!(fault("{{ customer.id }}", serde_json::json!({})).undefined(), Some("customer"));
    assert_eq!(fault("{{ customer.id }}", serde_json::json!({"customer": {}})).undefined(), Some("customer.id"));
    assert_eq!(fault("{{ '1' | decimal * qty }}", serde_json::json!({})).undefined(), Some("qty"));
}

#[test]
fn the_moment_of_an_event_is_a_number_that_can_be_called_and_elsewhere_its_call_is_now() {
    let event = serde_json::json!({"timestamp_ms": 5});
    assert_eq!(rendered("{{ timestamp_ms }} {{ timestamp_ms() }} {{ timestamp_ms() + 1 }}", event.clone()), "5 5 6");
    assert_eq!(rendered("{{ timestamp_ms() - '1' | decimal }}", event.clone()), "4");
    assert_eq!(rendered("{% if timestamp_ms() == 5 %}{\"at\": {{timestamp_ms()}}}{% endif %}", event), "{\"at\": 5}");
    let before = crate::clock::now_ms();
    let now: i64 = rendered("{{ timestamp_ms() }}", serde_json::json!({})).parse().unwrap();
    assert!((before..=crate::clock::now_ms()).contains(&now));
}

#[test]
fn a_loop_without_end_runs_out_of_fuel() {
    let source = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert_eq!(fault(source, serde_json::json!({})).kind, TemplateFaultKind::Fuel);
}

#[test]
fn a_decimal_never_loses_a_digit_in_silence() {
    assert_eq!(rendered("{{ '0.1' | decimal + '0.2' | decimal }}", serde_json::json!({})), "0.3");
    let long = "{{ '0.123456789012345678' | decimal * '0.123456789012345678' | decimal }}";
    assert!(fault(long, serde_json::json!({})).what.contains("digits"));
    assert_eq!(rendered("{{ '2.345' | decimal | round(2) }}", serde_json::json!({})), "2.35");
    assert_eq!(rendered("{{ '2.345' | decimal | round(2, 'half_even') }}", serde_json::json!({})), "2.34");
    assert_eq!(rendered("{{ ['1.10', '2.20'] | map('decimal') | sum }}", serde_json::json!({})), "3.30");
    assert_eq!(rendered("{{ {'p': '1.10' | decimal} | to_json }}", serde_json::json!({})), r#"{"p":1.10}"#);
}

#[test]
fn dates_read_as_pythons_do() {
    let at = "2026-11-21T09:32:00.5+02:00";
    assert_eq!(
        rendered("{{ at | iso_date }} {{ at | timestamp }}", serde_json::json!({"at": at})),
        "2026-11-21T09:32:00.500000+02:00 1795246320"
    );
    assert_eq!(
        rendered(
            "{{ utcnow().isoformat() | length > 24 }} {{ now().year > 2000 }} {{ now().strftime('%Y') | length }}",
            serde_json::json!({})
        ),
        "True True 4"
    );
}

#[test]
fn text_that_is_not_json_is_shown_with_a_caret() {
    let fault = check_json(b"{\n  \"a\": True\n}", "x.json.j2").unwrap_err();
    assert_eq!(fault.kind, TemplateFaultKind::Json);
    assert!(fault.excerpt.contains("\"a\": True") && fault.excerpt.contains('^'), "{fault}");
    assert!(fault.what.contains("line 2"), "{fault}");
    check_json(br#"{"a": [1, null, "x"]}"#, "x.json.j2").unwrap();
}

#[test]
fn no_file_outside_the_folder_is_read() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("templates");
    fs::create_dir_all(folder.join("payloads")).unwrap();
    fs::write(home.path().join("secret.j2"), "secret").unwrap();
    fs::write(folder.join("payloads/in.j2"), "{% include 'part.j2' %}").unwrap();
    fs::write(folder.join("part.j2"), "part").unwrap();
    let engine = Engine::builder(&folder).build();
    assert_eq!(engine.payload("in.j2").unwrap().render(&Value::UNDEFINED).unwrap(), "part");

    let absolute = home.path().join("secret.j2").display().to_string();
    for name in ["../secret.j2", "payloads/../../secret.j2", &absolute, "..\\secret.j2", "", "./part.j2"] {
        assert_eq!(engine.payload(name).unwrap_err().kind, TemplateFaultKind::NotFound, "{name}");
        let source = format!("{{% include {name:?} %}}");
        let template = engine.inline(Place::file("x"), &source).unwrap();
        assert_eq!(template.render(&Value::UNDEFINED).unwrap_err().kind, TemplateFaultKind::NotFound, "{name}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(home.path().join("secret.j2"), folder.join("payloads/link.j2")).unwrap();
        let fault = engine.payload("link.j2").unwrap_err();
        assert!(fault.what.contains("leads out"), "{fault}");
    }
}

#[test]
fn every_file_of_the_template_folder_is_compiled_in_and_stands_in_for_a_folder_that_is_absent() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found = Vec::new();
    for part in fs::read_dir(&folder).unwrap().flatten() {
        for file in fs::read_dir(part.path()).unwrap().flatten() {
            let name = file.path().strip_prefix(&folder).unwrap().display().to_string();
            assert_eq!(shipped::file(&name), Some(fs::read_to_string(file.path()).unwrap().as_str()), "{name}");
            found.push(name);
        }
    }
    assert_eq!(found.len(), shipped::names().count());

    let engine = Engine::builder(Folder::or_shipped("no-such-folder")).build();
    engine.payload("customer_update.json.j2").unwrap();
    let fault = engine.payload("customer_updates.json.j2").unwrap_err().to_string();
    assert!(fault.contains("did you mean `customer_update.json.j2`?"), "{fault}");
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::builder(Folder::or_shipped(home.path())).build();
    assert_eq!(engine.payload("customer_update.json.j2").unwrap_err().kind, TemplateFaultKind::NotFound);
}

#[test]
fn a_missing_template_is_answered_with_the_nearest_and_a_reload_sees_changes() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("order.json.j2"), "1").unwrap();
    let engine = Engine::builder(home.path()).build();
    assert!(engine.payload("ordr.json.j2").unwrap_err().next.contains("`order.json.j2`"));
    let render = || engine.payload("order.json.j2").unwrap().render(&Value::UNDEFINED).unwrap();
    assert_eq!(render(), "1");
    fs::write(home.path().join("order.json.j2"), "2").unwrap();
    assert_eq!(render(), "1");
    engine.reload();
    assert_eq!(render(), "2");
}

#[test]
fn masks_hide_all_but_the_end() {
    assert_eq!(
        rendered("{{ 'DE1234' | mask }} {{ 'abc' | mask }} {{ 'abcdef' | mask(2, '#') }}", serde_json::json!({})),
        "**1234 *** ####ef"
    );
}
