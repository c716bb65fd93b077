//! The proof on real Kafka: a job that filters, joins and windows is killed with SIGKILL at random points, and what a
//! reader of committed records sees equals the output of a run that nobody disturbed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt;
use rdkafka::config::ClientConfig;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::broker::{PATIENCE, fresh, kafka};

/// Kills and records: a few of each in `tests/run`; `VELOX_KILLS=50 VELOX_KILL_RECORDS=200000` for the full proof.
fn size() -> (usize, usize) {
    let number = |name: &str, default| std::env::var(name).ok().map_or(default, |text| text.parse().unwrap());
    (number("VELOX_KILLS", 5), number("VELOX_KILL_RECORDS", 10_000))
}

/// An hour ago, on a boundary of the windows: a broker deletes records whose times are older than it keeps them.
fn an_hour_ago_ms() -> i64 {
    (jiff::Timestamp::now().as_millisecond() - 3_600_000) / 5_000 * 5_000
}

/// Writes `count` records; times rise by 10 ms from `begin_ms`, and a key stays on one partition.
fn fill(address: &str, topic: &str, count: usize, begin_ms: i64) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", address).set("linger.ms", "50").create().unwrap();
    for i in 0..count {
        let (key, value) = (format!("k{}", i * 31 % 17), format!("{{\"k\":\"k{}\",\"v\":{i}}}", i * 31 % 17));
        let time = begin_ms + i as i64 * 10;
        loop {
            let record = BaseRecord::to(topic).key(&key).payload(&value).timestamp(time);
            if producer.send(record).is_ok() {
                break;
            }
            producer.poll(Duration::from_millis(20));
        }
    }
    producer.flush(PATIENCE).unwrap();
}

/// The values of committed records, in order of text.
fn committed(address: &str, topic: &str) -> Vec<String> {
    let text = |record: &[u8]| String::from_utf8_lossy(record).into_owned();
    let records = crate::broker::committed(address, topic);
    let mut lines: Vec<String> = records.iter().map(|record| text(record.payload().unwrap_or_default())).collect();
    lines.sort();
    lines
}

/// A folder with an environment and the SQL of a job.
struct Place(tempfile::TempDir);

impl Place {
    fn new(address: &str, inputs: [&str; 2], output: &str, delivery: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environments = folder.path().join("config/environments");
        std::fs::create_dir_all(&environments).unwrap();
        let yaml = format!("environment: real\nkafka:\n  bootstrap_servers: \"{address}\"\n");
        std::fs::write(environments.join("real.yaml"), yaml).unwrap();
        let source = |name: &str, topic: &str| {
            format!(
                "CREATE SOURCE {name} (k VARCHAR, v BIGINT) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json', 'scan.bounded' = 'latest');\n"
            )
        };
        let transactional = match delivery {
            "exactly_once" => format!(", 'transactional.id' = '{output}'"),
            _ => String::new(),
        };
        let sql = format!(
            "{}{}CREATE SINK o WITH ('connector' = 'kafka', 'topic' = '{output}', 'format' = 'json', 'mode' = 'append'{transactional});
             INSERT INTO o
             SELECT k, COUNT(*) AS n, SUM(v) AS total, window_start
             FROM (SELECT a.k AS k, a.v AS v FROM a JOIN b
                   ON a.k = b.k AND b._timestamp BETWEEN a._timestamp - INTERVAL '1' SECOND AND a._timestamp + INTERVAL '1' SECOND
                   WHERE a.v % 3 <> 1)
             WINDOW TUMBLING(5s) GROUP BY k EMIT FINAL
             WITH ('delivery.guarantee' = '{delivery}', 'parallelism' = '2');\n",
            source("a", inputs[0]),
            source("b", inputs[1]),
        );
        std::fs::write(folder.path().join("job.sql"), sql).unwrap();
        Self(folder)
    }

    fn start(&self) -> Child {
        let log = |name: &str| {
            let path = self.0.path().join(name);
            std::fs::File::options().create(true).append(true).open(path).unwrap()
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
        command.args(["sql", "run", "job.sql", "-E", "real", "--state-dir", "state", "--checkpoint-interval", "150ms"]);
        command.current_dir(self.0.path()).env("XDG_STATE_HOME", self.0.path().join("xdg"));
        command.stdin(Stdio::null()).stdout(log("out")).stderr(log("err")).spawn().unwrap()
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.0.path().join("err")).unwrap_or_default()
    }

    fn checkpoints(&self) -> usize {
        let manifests = |folder: &Path| folder.join("manifest.json").is_file();
        let below = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
        // A folder for the script, one for each of its jobs.
        let scripts = below(&self.0.path().join("state"));
        let jobs = scripts.iter().flat_map(|script| below(&script.path()));
        jobs.flat_map(|job| std::fs::read_dir(job.path().join("checkpoints")).into_iter().flatten().flatten())
            .filter(|checkpoint| manifests(&checkpoint.path()))
            .filter_map(|checkpoint| checkpoint.file_name().to_str()?.parse().ok())
            .max()
            .unwrap_or(0)
    }

    /// Runs to the end.
    fn run(&self) {
        let status = self.start().wait().unwrap();
        assert!(status.success(), "{status}: {}", self.said());
    }

    /// Kills it until it comes to its end or `kills` is reached; then lets it end. Answers how often it was killed.
    fn run_killing(&self, kills: usize) -> usize {
        for killed in 0..kills {
            let before = self.checkpoints();
            let mut child = self.start();
            // At a random moment; every other time only after a checkpoint, so that the job gets on.
            let wait = Duration::from_millis(rand::rng().random_range(0..1_500));
            let deadline = Instant::now() + PATIENCE;
            let ended = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                if killed % 2 == 0 || self.checkpoints() > before {
                    break None;
                }
                assert!(Instant::now() < deadline, "no checkpoint: {}", self.said());
                std::thread::sleep(Duration::from_millis(10));
            };
            std::thread::sleep(if ended.is_none() { wait } else { Duration::ZERO });
            if let Some(status) = ended.or(child.try_wait().unwrap()) {
                assert!(status.success(), "{status}: {}", self.said());
                return killed;
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        self.run();
        kills
    }
}

#[test]
fn killed_at_random_points_a_job_writes_every_result_exactly_once() {
    let Some(address) = kafka() else { return };
    let (kills, records) = size();
    let (a, b, begin_ms) = (fresh("kill-a"), fresh("kill-b"), an_hour_ago_ms());
    fill(&address, &a, records / 2, begin_ms);
    fill(&address, &b, records / 2, begin_ms);
    let undisturbed = fresh("kill-undisturbed");
    Place::new(&address, [&a, &b], &undisturbed, "exactly_once").run();
    let expected = committed(&address, &undisturbed);
    // 500 records a window, 17 keys.
    assert_eq!(expected.len(), records / 2 / 500 * 17, "the undisturbed run");
    let mut killed = 0;
    while killed < kills {
        let output = fresh("kill-output");
        let place = Place::new(&address, [&a, &b], &output, "exactly_once");
        let now = place.run_killing(kills - killed);
        killed += now;
        let seen = committed(&address, &output);
        assert_eq!(seen.len(), expected.len(), "after {now} kills: {}", place.said());
        assert_eq!(seen, expected, "after {now} kills");
    }
}

#[test]
fn killed_at_random_points_a_job_that_writes_at_least_once_loses_nothing() {
    let Some(address) = kafka() else { return };
    let (kills, records) = size();
    let (a, b, begin_ms) = (fresh("kill-a"), fresh("kill-b"), an_hour_ago_ms());
    fill(&address, &a, records / 4, begin_ms);
    fill(&address, &b, records / 4, begin_ms);
    let undisturbed = fresh("kill-undisturbed");
    Place::new(&address, [&a, &b], &undisturbed, "at_least_once").run();
    let mut expected = committed(&address, &undisturbed);
    expected.dedup();
    let (kills, mut killed) = (kills.min(10), 0);
    while killed < kills {
        let output = fresh("kill-output");
        let place = Place::new(&address, [&a, &b], &output, "at_least_once");
        let now = place.run_killing(kills - killed);
        killed += now;
        let mut seen = committed(&address, &output);
        seen.dedup();
        assert_eq!(seen, expected, "after {now} kills: {}", place.said());
    }
}
