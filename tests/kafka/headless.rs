//! The binary against real Kafka: 100,000 events through each secure login, and a run that is stopped halfway. The
//! report and the topic's end offsets agree.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use velox::kafka::admin::Admin;

use crate::support::{PATIENCE, Services, fresh_topic, open, plain};

const EVENTS: u64 = 100_000;

/// A configuration folder with one environment and one ETL to one topic.
struct Place {
    folder: tempfile::TempDir,
    topic: String,
}

impl Place {
    fn new(kafka: &str) -> Self {
        let (folder, topic) = (tempfile::tempdir().unwrap(), fresh_topic("headless"));
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config/environments/real.yaml", &format!("environment: real\nkafka:\n{kafka}"));
        let etl = format!(
            "name: bulk\ntopics: {{ real: {topic} }}\npayload_template: bulk.json.j2\nkey_template: \"{{{{ event_index % 1000 }}}}\"\n"
        );
        write("config/etl/bulk.yaml", &etl);
        let payload = r#"{"id": {{ event_index }}, "of": {{ event_count }}, "at": "{{ timestamp }}", "correlation": "{{ correlation_id }}"}"#;
        write("templates/payloads/bulk.json.j2", payload);
        Self { folder, topic }
    }

    fn start(&self, line: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
        command.args(line).args(["--format", "json"]).current_dir(self.folder.path());
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn report(child: Child, code: i32) -> Value {
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(code), "{said}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

fn count(tally: &Value, name: &str) -> u64 {
    tally[name].as_u64().unwrap()
}

/// Records on a topic: the sum of its end offsets, nothing being deleted and nothing transactional.
async fn on_topic(services: &Services, topic: &str) -> u64 {
    let admin = Admin::open(&open(&plain("real", &services.plaintext))).unwrap();
    match admin.watermarks(topic, PATIENCE).await {
        Ok(marks) => marks.values().map(|marks| u64::try_from(marks.high).unwrap()).sum(),
        // A topic that nothing was sent to yet is not there.
        Err(_) => 0,
    }
}

/// Settings of SASL_SSL with SCRAM-SHA-512, and of TLS with a client certificate.
fn secure(services: &Services) -> [(&'static str, String); 2] {
    let ca = services.certificate("ca.pem");
    let scram = format!(
        "  bootstrap_servers: \"{}\"\n  security_protocol: SASL_SSL\n  sasl: {{ mechanism: SCRAM-SHA-512, username: {}, password: '{}' }}\n  ssl: {{ cafile: '{ca}' }}\n",
        services.sasl_ssl, services.user, services.password
    );
    let mutual = format!(
        "  bootstrap_servers: \"{}\"\n  security_protocol: SSL\n  ssl: {{ cafile: '{ca}', certfile: '{}', keyfile: '{}' }}\n",
        services.ssl,
        services.certificate("client.pem"),
        services.certificate("client.key")
    );
    [("SCRAM-SHA-512", scram), ("mTLS", mutual)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_events_through_each_secure_login_are_all_on_the_topic() {
    let Some(services) = Services::find() else { return };
    for (login, kafka) in secure(&services) {
        let place = Place::new(&kafka);
        let report = report(place.start(&["run", "-E", "real", "--etl", "bulk", "--count", &EVENTS.to_string()]), 0);
        assert_eq!(count(&report["total"], "acknowledged"), EVENTS, "{login}");
        assert_eq!(on_topic(&services, &place.topic).await, EVENTS, "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stopped_halfway_counts_what_the_topic_holds() {
    let Some(services) = Services::find() else { return };
    for (login, kafka) in secure(&services) {
        let place = Place::new(&kafka);
        // Slow enough that half of it takes seconds on any machine, fast enough to be in flight when the signal comes.
        let child =
            place.start(&["run", "-E", "real", "--etl", "bulk", "--count", &EVENTS.to_string(), "--rate", "20000"]);
        while on_topic(&services, &place.topic).await < EVENTS / 10 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let status = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let report = report(child, 5);
        let total = &report["total"];
        let (acknowledged, failed) = (count(total, "acknowledged"), count(total, "failed"));
        assert_eq!((count(total, "planned"), failed), (EVENTS, 0), "{login}: {total}");
        assert_eq!(acknowledged + count(total, "not_sent"), EVENTS, "{login}: {total}");
        assert!(acknowledged < EVENTS, "{login}: the signal came too late");
        assert_eq!(on_topic(&services, &place.topic).await, acknowledged, "{login}: {total}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_produced_is_tailed_and_produced_again_byte_for_byte() {
    let Some(services) = Services::find() else { return };
    let place = Place::new(&format!("  bootstrap_servers: \"{}\"\n", services.plaintext));
    let run = |line: &[&str], input: &[u8]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
        command.args(line).args(["-E", "real"]).current_dir(place.folder.path());
        command.env("XDG_STATE_HOME", place.folder.path().join("state"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{line:?}: {}", String::from_utf8_lossy(&ended.stderr));
        ended.stdout
    };
    let (first, second) = (place.topic.as_str(), fresh_topic("again"));
    let records = "{\"key\":\"a\",\"value\":{\"amount\": 1204.50}}\n{\"key\":null,\"value\":null,\"headers\":{\"h\":[\"1\",null]}}\n{\"key_base64\":\"/w==\",\"value_base64\":\"AP8=\"}\n";
    run(&["produce", first, "--input", "jsonl", "--partition", "0"], records.as_bytes());
    let tail = |topic: &str| run(&["tail", topic, "--from", "beginning", "--exit", "--format", "json"], b"");
    let tailed = tail(first);
    run(&["produce", &second, "--input", "jsonl", "--keep-place"], &tailed);
    let without_topic = |lines: Vec<u8>| -> Vec<String> {
        String::from_utf8(lines).unwrap().lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
    };
    let (once, twice) = (without_topic(tailed), without_topic(tail(&second)));
    assert_eq!(once, twice);
    assert!(once[0].contains("{\"amount\": 1204.50}"), "{once:?}");
}
