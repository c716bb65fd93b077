//! Deployed jobs whose topic goes away, or whose brokers do: what `jobs list` says of them meanwhile, and how they end. The
//! binary, on real Kafka and on a broker of the test's own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::recreated::{delete, fill};
use crate::sql::Place;
use crate::support::{PATIENCE, Services, fresh_topic, open, own_broker, plain};

/// A configuration folder and the jobs that are deployed from it.
struct Jobs {
    folder: tempfile::TempDir,
}

impl Jobs {
    fn new(servers: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/environments");
        std::fs::create_dir_all(&path).unwrap();
        let yaml =
            format!("environment: real\nkafka:\n  bootstrap_servers: \"{servers}\"\n  request_timeout_ms: 3000\n");
        std::fs::write(path.join("real.yaml"), yaml).unwrap();
        Self { folder }
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
        command.args(line).args(["-E", "real"]).current_dir(self.folder.path());
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn deploy(&self, sql: &str, delivery: &str) -> Running {
        Running(Some(self.deploying(sql, delivery).spawn().unwrap()))
    }

    fn deploying(&self, sql: &str, delivery: &str) -> Command {
        let line =
            ["sql", "deploy", "--name", "job", "--delivery", delivery, "--checkpoint-interval", "500ms", "-e", sql];
        self.command(&line)
    }

    /// What the list says of the job.
    fn job(&self) -> Value {
        let ended = self.command(&["jobs", "list", "--format", "json"]).output().unwrap();
        let mut rows: Vec<Value> = serde_json::from_slice(&ended.stdout).unwrap_or_default();
        rows.pop().unwrap_or_default()
    }

    fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let job = self.job();
            if holds(&job) {
                return job;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not happen: {job:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A process that runs a job, ended with the test.
struct Running(Option<Child>);

impl Running {
    /// How it ends by itself, and what it says.
    fn ended(mut self) -> (Option<i32>, String) {
        let ended = self.0.take().unwrap().wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn copy(from: &str, to: &str) -> String {
    format!(
        "CREATE SOURCE came (id BIGINT, name VARCHAR) WITH ('connector' = 'kafka', 'topic' = '{from}');
         CREATE SINK went (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{to}');
         INSERT INTO went SELECT id FROM came"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_topic_is_deleted_says_so_and_ends_when_another_takes_its_name() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    fill(&place, 0..100).await;
    let jobs = Jobs::new(&services.plaintext);
    let running = jobs.deploy(&copy(&place.topic, &fresh_topic("went")), "at-least-once");
    jobs.until("100 rows", |job| job["rows_written"] == 100 && job["lag_records"] == 0);
    delete(&services, &place).await;
    let cut_off = jobs.until("the outage", |job| job["state"] == "reconnecting");
    assert_eq!(cut_off["fault"], format!("topic `{}` is gone from real", place.topic));
    assert_eq!(cut_off["lag_records"], Value::Null, "nobody knows");
    fill(&place, 2_000..2_400).await;
    let (code, said) = running.ended();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is gone with its topic, which was deleted"), "{said}");
    let failed = jobs.job();
    assert_eq!((&failed["state"], &failed["rows_written"]), (&Value::from("failed"), &Value::from(100)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_brokers_die_is_reconnecting_and_its_lag_is_unknown() {
    let (broker, _) = own_broker();
    broker.create_topic("came", 1).unwrap();
    broker.create_topic("went", 1).unwrap();
    let jobs = Jobs::new(broker.bootstrap_servers());
    let running = jobs.deploy(&copy("came", "went"), "at-least-once");
    // Some seconds of work: its clients have told how they do.
    jobs.until("the start", |job| job["state"] == "running" && job["checkpoint"].as_u64() > Some(4));
    drop(broker);
    let cut_off = jobs.until("the outage", |job| job["state"] == "reconnecting");
    assert!(cut_off["fault"].as_str().unwrap().starts_with("no broker of real answers"), "{cut_off:#}");
    assert_eq!((&cut_off["lag_records"], &cut_off["restarts"]), (&Value::Null, &Value::from(0)));
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exactly_once_job_whose_sink_is_deleted_fails_within_seconds_and_names_the_way_out() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    fill(&place, 0..100).await;
    let sink = Place::of(open(&plain("real", &services.plaintext)));
    let jobs = Jobs::new(&services.plaintext);
    let running = jobs.deploy(&copy(&place.topic, &sink.topic), "exactly-once");
    jobs.until("a checkpoint of 100 rows", |job| job["rows_written"] == 100 && job["checkpoint"].as_u64() > Some(1));
    delete(&services, &sink).await;
    let deleted = Instant::now();
    fill(&place, 100..200).await;
    let (code, said) = running.ended();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&format!("topic `{}` is gone from real", sink.topic)), "{said}");
    assert!(said.contains("jobs resume NAME --from-scratch"), "{said}");
    assert!(deleted.elapsed() < PATIENCE, "it took {:?}", deleted.elapsed());
    let again = jobs.command(&["jobs", "resume", "job"]).output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("the sink remembers no checkpoint") && said.contains("--from-scratch"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_text_of_a_stopped_job_goes_on_where_it_stood_with_its_state() {
    let Some(services) = Services::find() else { return };
    let place = Place::of(open(&plain("real", &services.plaintext)));
    fill(&place, 0..100).await;
    let jobs = Jobs::new(&services.plaintext);
    let sql = |parallelism: u8| {
        format!(
            "CREATE SOURCE came (id BIGINT, name VARCHAR) WITH ('connector' = 'kafka', 'topic' = '{}', 'scan.bounded' = 'latest');
             CREATE SINK went (half BIGINT, ids BIGINT) WITH ('connector' = 'file', 'path' = 'out', 'format' = 'json');
             INSERT INTO went SELECT id % 2 AS half, COUNT(*) AS ids FROM came GROUP BY id % 2 EMIT FINAL
             WITH ('parallelism' = '{parallelism}')",
            place.topic
        )
    };
    let first = jobs.deploying(&sql(1), "at-least-once").output().unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    fill(&place, 100..120).await;
    let again = jobs.deploying(&sql(2), "at-least-once").output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("--replace"), "{said}");
    let other = jobs.deploying(&sql(2), "exactly-once").arg("--replace").output().unwrap();
    let said = String::from_utf8_lossy(&other.stderr);
    assert!(said.contains("writes at least once, and its checkpoints stand on that"), "{said}");
    let replaced = jobs.deploying(&sql(2), "at-least-once").arg("--replace").output().unwrap();
    let said = String::from_utf8_lossy(&replaced.stderr);
    assert!(replaced.status.success() && said.contains("checkpoint"), "{said}");
    let job = jobs.job();
    assert_eq!((&job["state"], &job["rows_read"]), (&Value::from("done"), &Value::from(20)), "{said}");
    let shown = jobs.command(&["jobs", "show", "job"]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("'parallelism' = '2'"));
}
