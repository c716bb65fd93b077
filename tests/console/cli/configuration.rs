//! `env`, `etl`, `schema`, `doctor`, `completions`: what is configured, and what is broken beside it.

use super::support::Place;

#[test]
fn a_broken_file_is_listed_and_hides_no_other() {
    let place = Place::shipped()
        .with("config/environments/dev.yaml", "environment: dev\nkafka:\n  bootstap_servers: x\n")
        .with("config/etl/customer_merge.yaml", "name: customer_merge\ntopics: [\n");
    let environments = place.run(&["env", "list", "--format", "json"]).expect(0).json();
    let state =
        |name: &str| environments.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["state"].clone();
    assert_eq!((state("sandbox"), state("dev"), state("qa")), ("ready".into(), "broken".into(), "incomplete".into()));

    let etls = place.run(&["etl", "list", "--format", "json"]).expect(0).json();
    let broken = etls.as_array().unwrap().iter().filter(|row| row["faults"] != serde_json::json!([])).count();
    assert_eq!((etls.as_array().unwrap().len(), broken), (9, 1));

    let shown = place.run(&["env", "show", "dev"]).expect(2);
    assert!(shown.stdout.contains("config/environments/dev.yaml:3:3"), "{}", shown.stdout);
    place.run(&["etl", "validate", "--format", "json"]).expect(2).json();
    place.run(&["run", "-E", "sandbox", "--etl", "customer_update", "--dry-run", "--quiet"]).expect(0);
    place.run(&["doctor", "--offline", "--format", "json"]).expect(2).json();
}

#[test]
fn what_is_missing_is_named_with_its_place_and_is_no_error_until_needed() {
    let place = Place::shipped();
    let shown = place.run(&["env", "show", "prod", "--format", "json"]).expect(0).json();
    assert_eq!(shown["missing"][0]["variable"], "KAFKA_PROD_BOOTSTRAP");
    assert_eq!(shown["missing"][0]["place"]["file"], "config/environments/prod.yaml");
    place.run(&["doctor", "--offline"]).expect(0);
    place.run(&["-E", "prod", "doctor", "--offline"]).expect(2);
    let refused = place.run(&["-E", "qa", "tail", "orders", "--format", "json"]).expect(2);
    assert!(refused.error()["what"].as_str().unwrap().contains("KAFKA_QA_BOOTSTRAP"));
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_secret_is_masked_wherever_a_value_is_shown() {
    let place =
        Place::shipped().with(".env", "KAFKA_QA_BOOTSTRAP=h:1\nKAFKA_QA_USERNAME=u\nKAFKA_QA_PASSWORD=canary-9f\n");
    for line in [
        &["env", "show", "qa"][..],
        &["env", "show", "qa", "--format", "json"],
        &["env", "list"],
        &["doctor", "--offline"],
    ] {
        let shown = place.run(line).expect(0);
        assert!(!shown.stdout.contains("canary-9f") && !shown.stderr.contains("canary-9f"), "{line:?}");
    }
    assert!(place.run(&["env", "show", "qa"]).stdout.contains(".env:3"));
}

#[test]
fn every_shipped_etl_is_whole_and_can_be_previewed_for_prod() {
    every_etl_is_whole(&Place::shipped());
}

#[test]
fn an_empty_folder_has_the_etls_that_the_program_brings() {
    let place = Place::empty();
    every_etl_is_whole(&place);
    let line = ["-E", "prod", "run", "--dry-run", "--count", "3", "--format", "json"];
    let report = place.run(&line).expect(0).json();
    assert_eq!(report["total"]["failed"], 0, "{report}");
}

#[test]
fn what_the_program_brings_is_written_where_it_can_be_changed_and_no_file_is_written_over() {
    let place = Place::empty().with("config/console.yaml", "theme: nord\n");
    let said = place.run(&["init", "--dry-run", "--format", "json"]).expect(0).json();
    assert!(!place.path("templates").exists());
    let written = place.run(&["init", "--format", "json"]).expect(0).json();
    assert_eq!(said, written);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in written.as_array().unwrap() {
        let name = file["file"].as_str().unwrap();
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        assert_eq!(file["written"] == false, name == "config/console.yaml", "{name}");
        assert_eq!(text == std::fs::read_to_string(root.join(name)).unwrap(), file["written"] == true, "{name}");
    }
    assert_eq!(std::fs::read_to_string(place.path("config/console.yaml")).unwrap(), "theme: nord\n");
    every_etl_is_whole(&place);
    place.run(&["schema", "--check"]).expect(0);
    assert!(place.run(&["init"]).expect(0).stdout.contains("there already"));
}

#[test]
fn the_files_and_commands_of_the_readme_work_as_they_are_printed() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let part = readme.split("\n## Configuration").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks: Vec<(&str, &str)> =
        part.split("```").skip(1).step_by(2).filter_map(|one| one.split_once('\n')).collect();
    let mut place = Place::empty();
    place.run(&["init"]).expect(0);
    let (files, commands): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|(language, _)| *language != "sh");
    for (_, text) in &files {
        let name = text.lines().next().unwrap().trim_matches(['#', '{', '}', ' ']);
        place = place.with(name, text);
    }
    let lines: Vec<&str> = commands.iter().flat_map(|(_, text)| text.lines()).collect();
    assert_eq!((files.len(), lines.len()), (3, 4));
    for line in lines {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let shown = place.run(&words).expect(0).stdout;
        assert!(line.contains("env show") || shown.contains("order_placed"), "{line}: {shown}");
        assert!(!line.contains("preview") || shown.contains(r#""total": "59.97""#), "{line}: {shown}");
    }
}

fn every_etl_is_whole(place: &Place) {
    let checked = place.run(&["etl", "validate", "--format", "json"]).expect(0).json();
    assert_eq!(checked.as_array().unwrap().len(), 9);
    for name in ["customer_update", "customer_purge"] {
        let environment = if name == "customer_purge" { "dev" } else { "prod" };
        let line = [
            "-E",
            environment,
            "etl",
            "preview",
            name,
            "--count",
            "3",
            "--event",
            "2",
            "--set",
            "customer_id=CUST-7",
            "--format",
            "json",
        ];
        let events = place.run(&line).expect(0).lines();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["event"]["index"], 1);
        let payload = events[0]["event"]["payload"].as_str().unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(payload).is_ok(), "{payload}");
    }
}

#[test]
fn a_template_that_fails_says_where() {
    let place =
        Place::shipped().with("templates/payloads/customer_update.json.j2", "{\n  \"a\": \"{{ nobody_set }}\"\n}\n");
    let refused = place.run(&["etl", "preview", "customer_update", "--format", "json"]).expect(2);
    let error = refused.error();
    let said = format!("{} {}", error["what"], error["place"]);
    assert!(said.contains("nobody_set") && said.contains("customer_update.json.j2"), "{said}");
    assert_eq!(refused.stdout, "");
    let validated = place.run(&["etl", "validate", "customer_update"]).expect(2);
    assert!(validated.stdout.contains("customer_update.json.j2:2:"), "{}", validated.stdout);
}

#[test]
fn an_etl_is_checked_whole_before_any_event_of_it_is_rendered() {
    let place = Place::shipped().with(
        "config/etl/odd.yaml",
        "name: odd\ntopics: {qa: t}\npayload_template: customer_update.json.j2\nheaders: {\" \": x}\nkey_template: \"{{ 1 +\"\n",
    );
    let validated = place.run(&["etl", "validate", "odd"]).expect(2).stdout;
    assert!(validated.contains("which is blank") && validated.contains("key_template"), "{validated}");
}

#[test]
fn what_is_written_into_config_beside_definitions_leaves_the_programs_own_in_use() {
    let place = Place::empty();
    let own = place.run(&["env", "list", "--format", "json"]).expect(0).json();
    place.run(&["schema"]).expect(0);
    let place = place.with("config/sql/mine.sql", "SELECT 1;");
    assert_eq!(place.run(&["env", "list", "--format", "json"]).expect(0).json(), own);
    place.run(&["run", "--etl", "customer_update", "-E", "sandbox", "--dry-run", "--quiet"]).expect(0);
}

#[test]
fn schemas_are_written_checked_and_printed() {
    let place = Place::shipped();
    place.run(&["schema", "--out", "schemas"]).expect(0);
    place.run(&["schema", "--out", "schemas", "--check"]).expect(0);
    std::fs::write(place.path("schemas/etl.schema.json"), "{}").unwrap();
    place.run(&["schema", "--out", "schemas", "--check"]).expect(2);
    assert!(place.run(&["schema", "runner"]).expect(0).json()["properties"]["execution"].is_object());
    let unknown = place.run(&["schema", "rnner"]).expect(2);
    assert!(unknown.stderr.contains("known: environment, etl, runner, console"), "{}", unknown.stderr);
}

#[test]
fn every_shell_gets_its_completions() {
    let place = Place::shipped();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.run(&["completions", shell]).expect(0).stdout.contains("validate"), "{shell}");
    }
}

#[test]
fn a_name_that_is_not_known_gets_the_nearest() {
    let place = Place::shipped();
    for (line, nearest) in [
        (&["env", "show", "sandbx"][..], "sandbox"),
        (&["etl", "show", "custmer_update"], "customer_update"),
        (&["run", "-E", "sandbox", "--etl", "custmer_update"], "customer_update"),
        (&["run", "-E", "sandbx"], "sandbox"),
    ] {
        let refused = place.run(line).expect(2);
        assert!(refused.stderr.contains(nearest), "{line:?}: {}", refused.stderr);
    }
}

#[test]
fn a_folder_that_a_flag_names_must_exist() {
    let refused = Place::shipped().run(&["--config-dir", "nowhere", "env", "list", "--format", "json"]).expect(2);
    assert!(refused.error()["what"].as_str().unwrap().contains("nowhere"));
}
