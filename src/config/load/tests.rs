//! The loader end to end: texts in, values, faults and origins out.
#![allow(clippy::unwrap_used)]

use std::fs;

use proptest::strategy::Strategy;

use super::*;
use crate::core::environment::{Acks, SaslMechanism, SecurityProtocol};

mod rendered;

struct Folder(tempfile::TempDir, Sources);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let sources = Sources::folder(folder.path());
        Self(folder, sources)
    }

    fn with(mut self, variables: &[(&str, &str)]) -> Self {
        self.1.process_environment = variables.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        self
    }

    fn load(&self) -> Config {
        Config::load(&self.1)
    }

    /// A fault as it is shown, with the temporary folder taken out of its paths.
    fn shown(&self, fault: &Fault) -> String {
        fault.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn environment(text: &str, variables: &[(&str, &str)]) -> Loaded<Environment> {
    let folder = Folder::of(&[("environments/e.yaml", text)]).with(variables);
    folder.load().environments.remove(0)
}

fn faults_of(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let folder = Folder::of(&[("environments/e.yaml", text)]).with(variables);
    let config = folder.load();
    let faults = config.environments[0].value.as_ref().err().cloned().unwrap_or_default();
    faults.iter().map(|fault| folder.shown(fault)).collect()
}

fn shipped() -> Config {
    let mut sources = Sources::folder("/nonexistent/config");
    sources.shipped_when_absent = true;
    Config::load(&sources)
}

#[test]
fn a_folder_that_defines_nothing_leaves_the_programs_own_files_in_use() {
    let with = |name: &str| {
        let mut folder = Folder::of(&[(name, "")]);
        folder.1.shipped_when_absent = true;
        folder.load()
    };
    for name in ["sql/mine.sql", "schemas/etl.schema.json", "README.md"] {
        let config = with(name);
        assert!(config.is_shipped && !config.environments.is_empty() && !config.etls.is_empty(), "{name}");
        assert!(config.warnings.is_empty(), "{name}: {:?}", config.warnings);
    }
    for name in ["environments/mine.yaml", "etl/mine.yaml", "runner.yaml", "console.yaml"] {
        assert!(!with(name).is_shipped, "{name}");
    }
}

#[test]
fn every_shipped_file_loads_and_only_lacks_variables() {
    let config = shipped();
    let names: Vec<_> = config.environments.iter().map(|environment| environment.name.as_str()).collect();
    assert_eq!(names, TRAVEL_ORDER);
    for environment in &config.environments {
        assert!(environment.value.is_ok(), "{:?}", environment.value);
    }
    for etl in &config.etls {
        assert!(etl.ready().is_ok(), "{:?}", etl.value);
    }
    assert_eq!(config.etls.len(), 9);
    assert!(config.runner.ready().is_ok(), "{:?}", config.runner.value);
    assert!(config.console.ready().is_ok(), "{:?}", config.console.value);
    assert!(config.environment("sandbox").unwrap().ready().unwrap().is_embedded());
    assert_eq!(config.environment("uat").unwrap().missing.len(), 4);
    assert_eq!(config.start_environment().unwrap().name, "sandbox");
    assert_eq!(config.warnings, []);
    let note = config.note().unwrap();
    assert!(note.contains("velox-tui init") && note.len() <= 78, "one line of the smallest usual screen: {note}");
}

#[test]
fn a_missing_variable_breaks_what_connects_and_nothing_else() {
    let config = shipped();
    let prod = config.environment("prod").unwrap();
    assert_eq!(prod.preview().unwrap().environment, "prod");
    assert_eq!(
        config.environment("qa").unwrap().ready().unwrap_err().to_string(),
        "/nonexistent/config/environments/qa.yaml:6:22: `qa` needs `KAFKA_QA_BOOTSTRAP`, `KAFKA_QA_USERNAME`, \
         `KAFKA_QA_PASSWORD`, not set; set them in .env or the process environment"
    );
    let one = environment("environment: e\nkafka:\n  bootstrap_servers: '{{ BROKERS }}'\n", &[]);
    let fault = one.ready().unwrap_err().to_string();
    assert!(
        fault.ends_with(
            "environments/e.yaml:3:22: `kafka.bootstrap_servers` needs `BROKERS`, not set; set it in .env or the \
             process environment, or give a default: {{ BROKERS | default('…') }}"
        ),
        "{fault}"
    );
}

const NASTY: [&str; 12] = [
    "quote\"d",
    "colon: #hash",
    "back\\slash\\n",
    "two\nlines",
    "{{ 7 * 6 }}",
    "{% if x %}",
    "'single'",
    "${env:HOME}",
    "null",
    " spaced ",
    "ünïcödé🔑",
    "[a, {b}]",
];

#[test]
fn a_password_arrives_intact_whatever_it_holds() {
    let ways = [
        "sasl: {mechanism: PLAIN, password: \"{{ PASSWORD }}\"}",
        "sasl:\n    mechanism: PLAIN\n    password: {{ PASSWORD }}",
        "sasl: {mechanism: PLAIN, password: \"${env:PASSWORD}\"}",
        "{% if PASSWORD is defined %}\n  sasl:\n    mechanism: PLAIN\n    password: \"{{ PASSWORD }}\"\n  {% endif %}",
        "{% for word in [PASSWORD] %}\n  sasl:\n    mechanism: PLAIN\n    password: \"{{ word }}\"\n  {% endfor %}",
    ];
    for way in ways {
        for password in NASTY {
            let text = format!("environment: e\nkafka:\n  bootstrap_servers: b:1\n  {way}\n");
            let loaded = environment(&text, &[("PASSWORD", password)]);
            let value = loaded.value.unwrap_or_else(|faults| panic!("{way} with {password:?}: {faults:?}"));
            let sasl = value.kafka.sasl.clone().unwrap();
            let arrived = sasl.password.map(|password| password.expose().to_owned());
            assert_eq!(arrived.as_deref(), Some(password), "{way}");
        }
    }
}

#[test]
fn a_secret_file_gives_its_text_without_the_last_line_end() {
    let folder = Folder::of(&[("secret", "canary\"\n\n")]);
    let path = folder.0.path().join("secret").display().to_string();
    let sasl = "sasl: {mechanism: PLAIN, password: \"${file:PATH}\"}";
    let text = format!("environment: e\nkafka: {{bootstrap_servers: b, {sasl}}}\n").replace("PATH", &path);
    let loaded = environment(&text, &[]);
    assert_eq!(loaded.ready().unwrap().kafka.sasl.clone().unwrap().password.unwrap().expose(), "canary\"\n");
    let loaded = environment(&text.replace("/secret", "/absent"), &[]);
    assert!(loaded.preview().is_ok());
    assert!(loaded.ready().unwrap_err().what.contains("/absent`, which cannot be read"));
}

#[test]
fn a_rendered_text_takes_the_type_of_its_field() {
    let text = "environment: e\nguard: '{{ GUARD }}'\nrate_limit_events_per_second: '{{ NOTHING }}'\nkafka:\n  bootstrap_servers: b\n  \
                client_id: '{{ NUMBER }}'\n  security_protocol: '{{ PROTOCOL }}'\n  request_timeout_ms: '{{ NUMBER }}'\n  \
                ssl: {check_hostname: '{{ NO }}', cafile: '{{ EMPTY }}'}\nproducer:\n  acks: -1\n  linger_ms: ${env:NUMBER}\n  \
                socket.keepalive.enable: true\n  message.max.bytes: '{{ NUMBER }}'\n";
    let variables = [
        ("GUARD", "read_only"),
        ("NOTHING", "null"),
        ("NUMBER", "9092"),
        ("PROTOCOL", "SASL_SSL"),
        ("NO", "False"),
        ("EMPTY", ""),
    ];
    let loaded = environment(text, &variables);
    let value = loaded.ready().unwrap();
    assert_eq!(value.guard(), crate::core::environment::Guard::ReadOnly);
    assert_eq!(value.rate_limit_events_per_second, None);
    assert_eq!(value.kafka.client_id.as_deref(), Some("9092"));
    assert_eq!(value.kafka.security_protocol, SecurityProtocol::SaslSsl);
    assert_eq!(value.kafka.request_timeout_ms, 9_092);
    let ssl = value.kafka.ssl.clone().unwrap();
    assert!(!ssl.check_hostname && ssl.cafile.is_none());
    assert_eq!((value.producer.acks, value.producer.linger_ms), (Acks::All, 9_092));
    let options: Vec<_> = value.producer.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(options, ["socket.keepalive.enable=true", "message.max.bytes=9092"]);
}

#[test]
fn a_setting_of_ours_is_the_same_with_the_dots_of_librdkafka() {
    let text = "environment: e\nkafka: {bootstrap_servers: b}\nproducer: {linger.ms: 7, compression.type: lz4}\n\
                consumer: {auto.offset.reset: latest}\n";
    let loaded = environment(text, &[]);
    let value = loaded.ready().unwrap();
    assert_eq!((value.producer.linger_ms, value.producer.options.len()), (7, 0));
    assert_eq!(value.producer.compression_type, crate::core::environment::Compression::Lz4);
    assert_eq!(value.consumer.auto_offset_reset, crate::core::environment::OffsetReset::Latest);
    let shown = loaded.origins.get("producer.linger_ms").unwrap();
    assert_eq!((shown.shown.as_str(), shown.place.as_ref().unwrap().line), ("7", 3));
    let twice = environment(&text.replace("linger.ms: 7", "linger.ms: 7, linger_ms: 8"), &[]);
    assert!(twice.ready().unwrap_err().to_string().contains("linger_ms"), "{:?}", twice.value);
}

#[test]
fn every_error_of_a_file_is_told_with_place_path_and_advice() {
    let ok = "environment: e\nkafka:\n  bootstrap_servers: b\n";
    for (text, expected) in [
        (
            "environment: e\nkafka:\n  bootstap_servers: b\n",
            vec![
                "environments/e.yaml:2:1: `kafka.bootstrap_servers` is missing; add `bootstrap_servers:`",
                "environments/e.yaml:3:3: `kafka.bootstap_servers` is not a known key; did you mean `bootstrap_servers`?",
            ],
        ),
        (
            "kafka: 3\nguard: strict\nrate_limit_events_per_second: many\nzzz: 1\n",
            vec![
                "environments/e.yaml:1:1: `environment` is missing; add `environment:`",
                "environments/e.yaml:1:8: `kafka` needs a mapping, not a single value",
                "environments/e.yaml:2:8: `guard` needs one of its names, not `strict`; one of: none, confirm, typed, read_only",
                "environments/e.yaml:3:31: `rate_limit_events_per_second` needs a whole number from 0 to 4294967295, not `many`",
                "environments/e.yaml:4:1: `zzz` is not a known key; one of: environment, description, guard, rate_limit_events_per_second, kafka, producer, consumer, health",
            ],
        ),
        (
            "environment: e\nkafka:\n  bootstrap_servers: [a, b]\n  security_protocol: SASL-SSL\n",
            vec![
                "environments/e.yaml:3:22: `kafka.bootstrap_servers` needs a single value, not a list",
                "environments/e.yaml:4:22: `kafka.security_protocol` needs one of its names, not `SASL-SSL`; did you mean `SASL_SSL`?",
            ],
        ),
        (
            &format!("{ok}producer: {{liner_ms: 3, acks: 2}}\n"),
            vec![
                "environments/e.yaml:4:12: `producer.liner_ms` is not a known key; did you mean `linger_ms`?",
                "environments/e.yaml:4:31: `producer.acks` needs one of its names, not `2`; one of: 0, 1, -1, all",
            ],
        ),
        (
            &format!("{ok}consumer: {{sasl.password: canary}}\n"),
            vec![
                "environments/e.yaml:4:27: `consumer.sasl.password` carries a secret in a field that is shown; write it as `kafka.sasl.password`",
            ],
        ),
        (
            &format!("{ok}environment: f\n"),
            vec![
                "environments/e.yaml:4:1: the key `environment` is given twice; keep one; the first is at environments/e.yaml:1:1",
            ],
        ),
        (
            &format!("{ok}description: \"{{{{ X | }}}}\"\n"),
            vec![
                "environments/e.yaml:4:14: this text cannot be rendered: syntax error: unexpected end of variable block, expected identifier",
            ],
        ),
        (
            "environment: e\nkafka: {bootstrap_servers: ''}\n",
            vec![
                "environments/e.yaml:2:28: `kafka.bootstrap_servers` must not be empty; write host:port, or embedded://",
            ],
        ),
        ("environment: e\nkafka:\n\tx: 1\n", vec![]),
    ] {
        let faults = faults_of(text, &[]);
        if expected.is_empty() {
            assert!(faults[0].starts_with("environments/e.yaml:3:"), "{faults:?}");
        } else {
            assert_eq!(faults, expected, "{text}");
        }
    }
}

#[test]
fn a_wrong_value_of_a_variable_is_named_and_never_quoted() {
    let text = "environment: e\nkafka:\n  bootstrap_servers: b\n  request_timeout_ms: '{{ WAIT }}'\n  sasl: {mechanism: '{{ HOW }}'}\n  client_id: '{{ WAIT | from_json }}'\n";
    let faults = faults_of(text, &[("WAIT", "canary"), ("HOW", "canary")]);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults.iter().all(|fault| !fault.contains("canary")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("not what `WAIT` holds")), "{faults:?}");
}

#[test]
fn keys_of_the_console_are_one_chord_a_list_or_null() {
    let folder =
        Folder::of(&[("console.yaml", "keys:\n  quit: ctrl+c\n  help: ['?', f1]\n  jobs: 6\n  suspend: null\n")]);
    let config = folder.load();
    let keys = &config.console.ready().unwrap().keys;
    let chords = |name: &str| keys[name].clone().map(|chords| chords.0);
    assert_eq!(chords("quit"), Some(vec!["ctrl+c".to_owned()]));
    assert_eq!(chords("help"), Some(vec!["?".to_owned(), "f1".to_owned()]));
    assert_eq!((chords("jobs"), chords("suspend")), (Some(vec!["6".to_owned()]), None));
    assert_eq!(config.console.place_of("keys.quit").line, 2);
}

#[test]
fn no_print_of_a_configuration_shows_a_secret() {
    let text = "environment: e\nkafka:\n  bootstrap_servers: 'b:1'\n  sasl:\n    mechanism: PLAIN\n    username: u\n    password: '{{ CANARY }}'\n    oauth: {token: '${env:CANARY}', client_secret: '{{ CANARY }}'}\n  ssl: {password: '{{ CANARY }}', certfile: 3, keyfile: []}\n";
    let canary = "canary-7f3a\"\\x";
    for text in [text, &text.replace(", keyfile: []", "")] {
        let folder =
            Folder::of(&[("environments/e.yaml", text), ("dotenv", "CANARY='overridden-canary'\nBAD canary line\n")]);
        let mut folder = folder.with(&[("CANARY", canary)]);
        folder.1.env_file = Some(folder.0.path().join("dotenv"));
        let config = folder.load();
        let mut printed = format!("{:?} {config:?} {config:#?} {:?} ", folder.1, config.scrubber());
        for loaded in &config.environments {
            printed += &serde_json::to_string(loaded).unwrap();
            let faults = loaded.value.as_ref().err().into_iter().flatten();
            printed += &faults.map(ToString::to_string).collect::<String>();
        }
        printed += &config.warnings.iter().map(|warning| format!("{warning:?}")).collect::<String>();
        assert!(
            !printed.contains("canary-7f3a") && !printed.contains("overridden-canary") && !printed.contains("BAD"),
            "{printed}"
        );
        assert!(!config.secrets().is_empty());
        assert_eq!(config.scrubber().scrub(&format!("log: {canary}!")), "log: ***!");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]
    #[test]
    fn no_text_makes_the_loader_panic_or_tell_a_value(
        text in proptest::prop_oneof![
            ".{0,200}".boxed(),
            proptest::collection::vec(
                proptest::sample::select(vec![
                    "environment: e\n", "kafka:\n", "  bootstrap_servers: ", "{{ X }}", "{{", "}}", "{% if X %}", "{% for a in [1,2] %}", "{% for a in [X] %}", "{{ a }}", "{{ X | int }}", "{{ X.y }}", "{{ X | nope }}", "{% set a = X %}", "zzz: ", "guard: ",
                    "{% endfor %}", "{% endif %}", "{% raw %}", "{% endraw %}", "\"", "'", "#", ":", " ", "\n", "- ", "[", "]", "{", "}", "&a ", "*a",
                    "<<: ", "|\n", "${env:X}", "${file:", "extends: e.yaml\n", "producer: ", "é", "\u{10F000}", "\t", "!!str ", "---\n", "{#", "#}", "-%}",
                ]),
                0..24,
            ).prop_map(|parts| parts.concat()).boxed(),
            proptest::collection::vec(
                proptest::sample::select(vec![
                    "guard: {{ X }}\n", "{% for a in [X] %}\n", "{{ a }}: 1\n", "{% endfor %}\n", "{% if X %}\n", "{% endif %}\n",
                    "producer: {acks: '{{ X }}'}\n", "consumer:\n  {{ X }}: 1\n", "  {{ a }}: {{ X }}\n", "description: {{ X | int }}\n",
                    "rate_limit_events_per_second: ${env:X}\n", "'{{ X }}': 1\n", "name: x\n", "topics: {dev: '{{ X }}'}\n", "# {{ x\n",
                    "description: '{{ X.y }}'\n", "extends: '{{ X }}'\n", "theme: [{{ X }}]\n", "panes: '{{ X }}'\n", "frame_rate: {{ X }}\n",
                ]),
                0..8,
            ).prop_map(|parts| format!("environment: e\nkafka:\n  bootstrap_servers: {{{{ X }}}}\n{}", parts.concat())).boxed(),
        ],
        value in ".{0,12}",
    ) {
        let folder = Folder::of(&[("environments/e.yaml", &text), ("etl/e.yaml", &text), ("console.yaml", &text), ("dotenv", &text)]);
        let mut folder = folder.with(&[("X", &format!("canary-7f3a{value}"))]);
        folder.1.env_file = Some(folder.0.path().join("dotenv"));
        let config = folder.load();
        proptest::prop_assert_eq!(config.environments.len(), 1);
        let faults = config.environments[0].value.as_ref().err().into_iter().flatten();
        let faults: Vec<_> = faults.chain(config.etls[0].value.as_ref().err().into_iter().flatten()).chain(&config.warnings).collect();
        let told = format!("{faults:?}");
        proptest::prop_assert!(!told.contains("canary-7f3a"), "{}", told);
    }
}
