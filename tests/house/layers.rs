//! Fails on an arrow that points up: `{ui, cli} -> app -> {etl, sql} -> {connectors, kafka, formats} -> {config, template} -> {core, clock}`.

use crate::source::{self, File};

/// Layers by height. Modules at one height do not know each other, save where `SIDEWAYS` says so.
const HEIGHTS: [(&str, u8); 12] = [
    ("clock", 0),
    ("core", 0),
    ("template", 1),
    ("config", 1),
    ("formats", 2),
    ("kafka", 2),
    ("connectors", 2),
    ("etl", 3),
    ("sql", 3),
    ("app", 4),
    ("cli", 5),
    ("ui", 5),
];

/// Configuration is rendered; connectors speak Kafka and formats.
const SIDEWAYS: [(&str, &str); 3] = [("config", "template"), ("connectors", "kafka"), ("connectors", "formats")];

fn height(layer: &str) -> Option<u8> {
    HEIGHTS.iter().find(|(name, _)| *name == layer).map(|(_, height)| *height)
}

/// Names after `crate::`, also inside `use crate::{a, b::c}`.
fn named_by(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (start, found) in code.match_indices("crate::") {
        let rest = &code[start + found.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            names.extend(first_names_of_group(group));
        } else {
            names.push(identifier(rest));
        }
    }
    names
}

fn first_names_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut expects, mut names) = (0, true, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            letter if expects && depth == 0 && !letter.is_whitespace() => {
                names.push(identifier(&group[at..]));
                expects = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn arrows_up(file: &File) -> Vec<String> {
    let Some(own) = height(file.layer()) else { return Vec::new() };
    named_by(&file.code)
        .into_iter()
        .filter(|name| name != file.layer())
        .filter(|name| match height(name) {
            Some(other) if other == own => !SIDEWAYS.contains(&(file.layer(), name.as_str())),
            Some(other) => other > own,
            None => false,
        })
        .map(|name| format!("src/{}: `{}` may not name `crate::{name}`", file.path, file.layer()))
        .collect()
}

#[test]
fn every_arrow_between_layers_points_down() {
    let up: Vec<_> = source::files().iter().flat_map(arrows_up).collect();
    assert!(up.is_empty(), "{}", up.join("\n"));
}

#[test]
fn every_folder_of_the_source_has_a_height() {
    for file in source::files() {
        let known = matches!(file.layer(), "main" | "lib") || height(file.layer()).is_some();
        assert!(known, "src/{} belongs to no layer: give `{}` a height", file.path, file.layer());
    }
}

#[test]
fn an_arrow_up_is_seen_in_any_spelling() {
    for code in ["use crate::ui::screen;", "use crate::{core::ring, ui::{run, pane}};", "fn f() { crate::ui::run() }"] {
        let file = File { path: "kafka/x.rs".into(), text: code.into(), code: code.into() };
        assert_eq!(arrows_up(&file).len(), 1, "{code}");
    }
}

#[test]
fn the_screen_never_names_a_service_and_in_app_only_the_runtime_does() {
    let services = ["kafka", "connectors"];
    for file in source::files() {
        let bound = file.layer() == "ui" || (file.layer() == "app" && !file.path.starts_with("app/runtime"));
        for name in named_by(&file.code).iter().filter(|_| bound) {
            assert!(!services.contains(&name.as_str()), "src/{} names the service `{name}`", file.path);
        }
    }
}

#[test]
fn the_core_knows_no_task_client_terminal_file_or_clock() {
    let foreign = [
        "tokio",
        "rdkafka",
        "ratatui",
        "crossterm",
        "std::fs",
        "std::net",
        "Instant::now",
        "SystemTime::now",
        "now_utc",
    ];
    for file in source::files().iter().filter(|file| file.layer() == "core") {
        for name in foreign {
            assert!(!file.code.contains(name), "src/{} knows `{name}`", file.path);
        }
    }
}
