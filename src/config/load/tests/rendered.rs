//! Files with blocks, files that extend others, files that are broken, and where each value came from.

use super::*;

#[test]
fn blocks_keep_the_places_of_the_file() {
    let text = "environment: e\n{% if LOGIN is defined %}\nguard: typed\n{% endif %}\nkafka:\n  bootstrap_servers: {{ BROKERS | default(\"b:1\") }}\n  # {{ not read }}\n  client_ids: x\n";
    assert_eq!(
        faults_of(text, &[]),
        ["environments/e.yaml:8:3: `kafka.client_ids` is not a known key; did you mean `client_id`?"]
    );
    let fixed = text.replace("client_ids", "client_id");
    let loaded = environment(&fixed, &[("LOGIN", "1")]);
    assert_eq!(loaded.ready().unwrap().guard(), crate::core::environment::Guard::Typed);
    assert_eq!(loaded.place_of("kafka.bootstrap_servers").line, 6);
    assert_eq!(
        faults_of("environment: e\n{% if LOGIN %}\nguard: typed\n{% endif %}\n", &[]),
        [
            "environments/e.yaml:2: a block tag needs `LOGIN`, not set; set it in .env or the process environment, or give a default: {{ LOGIN | default('…') }}"
        ]
    );
}

#[test]
fn what_a_block_does_not_know_is_an_error_and_not_an_empty_text() {
    let faults = faults_of("environment: e\n{% for a in [1] %}\ndescription: {{ a.b }}\n{% endfor %}\n", &[]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("environments/e.yaml:3: this text cannot be rendered: undefined value"),
        "{faults:?}"
    );
}

#[test]
fn a_text_of_the_configuration_speaks_the_language_of_payloads() {
    let text = "environment: e\nkafka: {bootstrap_servers: \"{{ HOSTS.split(',') | join(':1,') }}:1\"}\ndescription: \"{{ 'a' | hash_sha256 }}\"\nguard: '{{ none }}'\n";
    let loaded = environment(text, &[("HOSTS", "a,b")]);
    let value = loaded.ready().unwrap();
    assert_eq!(value.kafka.bootstrap_servers, "a:1,b:1");
    assert!(value.description.starts_with("ca978112"));
    assert_eq!(value.guard, None);
}

#[test]
fn extends_merges_deeply_and_refuses_circles() {
    let base = "environment: base\nkafka:\n  bootstrap_servers: '{{ NOT_NEEDED }}'\n  sasl: {mechanism: PLAIN, username: u}\n  ssl: {cafile: /ca}\n";
    let over = "extends: _base.yaml\nenvironment: e\nkafka:\n  bootstrap_servers: b\n  sasl: {mechanism: SCRAM-SHA-256}\n  ssl: null\n";
    let folder = Folder::of(&[("environments/_base.yaml", base), ("environments/e.yaml", over)]);
    let config = folder.load();
    assert_eq!(config.environments.len(), 1);
    let kafka = config.environments[0].ready().unwrap().kafka.clone();
    let sasl = kafka.sasl.unwrap();
    assert_eq!((sasl.mechanism, sasl.username.as_deref()), (SaslMechanism::ScramSha256, Some("u")));
    assert!(kafka.ssl.is_none());
    assert_eq!(config.environments[0].place_of("kafka.sasl.username").line, 4);

    let folder =
        Folder::of(&[("environments/a.yaml", "extends: b.yaml\n"), ("environments/b.yaml", "extends: ./a.yaml\n")]);
    let fault = folder.load().environments[0].preview().unwrap_err();
    let shown = folder.shown(&fault).replace(&format!("{}/", folder.0.path().display()), "");
    assert_eq!(
        shown,
        "environments/b.yaml:1:10: `extends` runs in a circle: environments/a.yaml -> environments/b.yaml -> environments/a.yaml"
    );
}

#[test]
fn a_broken_file_hides_no_other_and_twins_name_each_other() {
    let good = "environment: NAME\nkafka: {bootstrap_servers: b}\n";
    let folder = Folder::of(&[
        ("environments/broken.yaml", "environment: [\n"),
        ("environments/one.yaml", &good.replace("NAME", "twin")),
        ("environments/two.yaml", &good.replace("NAME", "twin")),
        ("environments/well.yaml", &good.replace("NAME", "well")),
        ("etl/x.yaml", "name: x\npayload_template: x.j2\ntopics: {wel: t}\n"),
    ]);
    let config = folder.load();
    assert!(config.environment("well").unwrap().ready().is_ok());
    assert!(config.environment("broken").unwrap().value.is_err());
    assert_eq!(
        folder.shown(&config.environment("twin").unwrap().preview().unwrap_err()),
        "environments/one.yaml:1:14: `twin` is the name of two files; rename one; the other is at environments/two.yaml:1:14"
    );
    assert_eq!(
        config.environment("wel").unwrap_err().to_string(),
        "there is no environment `wel`; did you mean `well`?"
    );
    let warnings: Vec<_> = config.warnings.iter().map(|warning| folder.shown(warning)).collect();
    assert_eq!(
        warnings,
        ["etl/x.yaml:3:15: `topics.wel` is a topic of an environment that does not exist; did you mean `well`?"]
    );
}

#[test]
fn each_value_knows_where_it_came_from_and_the_process_wins() {
    let text = "environment: e\nkafka:\n  bootstrap_servers: '{{ A }}'\n  client_id: '{{ B }}'\n  sasl: {mechanism: PLAIN, username: '{{ C }}', password: '{{ C }}'}\n";
    let mut folder =
        Folder::of(&[("environments/e.yaml", text), ("dotenv", "A=a\n\nB=b\nC=canary\n")]).with(&[("A", "process")]);
    folder.1.env_file = Some(folder.0.path().join("dotenv"));
    let config = folder.load();
    let origins = &config.environments[0].origins;
    let said = |path: &str| {
        let effective = origins.get(path).unwrap();
        format!("{} <- {}", effective.shown, effective.origin).replace(&format!("{}/", folder.0.path().display()), "")
    };
    assert_eq!(said("environment"), "e <- environments/e.yaml:1:14");
    assert_eq!(said("kafka.bootstrap_servers"), "process <- A in the process environment");
    assert_eq!(said("kafka.client_id"), "b <- B in dotenv:3:1");
    assert_eq!(said("kafka.sasl.password"), "*** <- C in dotenv:4:1");
    assert_eq!(said("kafka.sasl.username"), "*** <- C in dotenv:4:1");
    assert_eq!(said("kafka.request_timeout_ms"), "30000 <- default");
    assert_eq!(said("producer.acks"), "all <- default");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.1.env_file.clone().unwrap();
        for (mode, warned) in [(0o644, true), (0o600, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let warnings = folder.load().warnings;
            assert_eq!(warnings.iter().any(|warning| warning.what.contains("others may read")), warned, "{warnings:?}");
        }
    }
}

#[test]
fn templates_of_an_event_are_left_for_the_event() {
    let folder = Folder::of(&[(
        "etl/x.yaml",
        "{% if true %}\nname: x\n{% endif %}\npayload_template: x.j2\ntopics: {}\nkey_template: '{{ customer_id }}'\nheaders: {a: '{{ b }}'}\nvariables: {n: 3, t: '3', s: '{{ S }}', l: [true, null]}\nextra: {compression: lz4}\n",
    )])
    .with(&[("S", "{{ x }}")]);
    let config = folder.load();
    let etl = config.etl("x").unwrap().ready().unwrap();
    assert_eq!(etl.key_template.as_deref(), Some("{{ customer_id }}"));
    assert_eq!(etl.headers["a"], "{{ b }}");
    assert_eq!(
        serde_json::Value::from(etl.variables.clone()),
        serde_json::json!({"n": 3, "t": "3", "s": "{{ x }}", "l": [true, null]})
    );
}
