//! The proof on real Kafka: a job that filters, joins and windows is killed with SIGKILL at random points, and what a
//! reader of committed records sees equals the output of a run that nobody disturbed.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// Longer than a run takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Kills and records: a few of each in `tests/run`; `VELOX_KILLS=50 VELOX_KILL_RECORDS=200000` for the full proof.
fn size() -> (usize, usize) {
    let number = |name: &str, default| std::env::var(name).ok().map_or(default, |text| text.parse().unwrap());
    (number("VELOX_KILLS", 5), number("VELOX_KILL_RECORDS", 10_000))
}

/// The address of real Kafka, where there is one.
fn kafka() -> Option<String> {
    let address = std::env::var("VELOX_KAFKA_PLAINTEXT").ok();
    let is_required = std::env::var("VELOX_SERVICES_REQUIRED").is_ok_and(|value| value == "1");
    assert!(address.is_some() || !is_required, "VELOX_SERVICES_REQUIRED=1 and no VELOX_KAFKA_PLAINTEXT");
    if address.is_none() {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let mut told = std::io::stderr();
        writeln!(told, "skipped without real Kafka: {name}").unwrap();
    }
    address
}

fn fresh(stem: &str) -> String {
    format!("{stem}-{}", uuid::Uuid::new_v4().simple())
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

/// What a reader of committed records sees, in order of text.
fn committed(address: &str, topic: &str) -> Vec<String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", fresh("reader"))
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let metadata = loop {
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        // A topic that was just created may not have its leaders yet.
        if !metadata.topics()[0].partitions().is_empty() {
            break metadata;
        }
        assert!(Instant::now() < deadline, "there is no topic {topic}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let partitions: Vec<i32> = metadata.topics()[0].partitions().iter().map(|partition| partition.id()).collect();
    settle(address, &consumer, topic, &partitions);
    let mut open = partitions.len();
    let mut list = rdkafka::TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(topic, partition, rdkafka::Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut lines = Vec::new();
    while open > 0 {
        assert!(Instant::now() < deadline, "the end of {topic} does not come");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                lines.push(String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned());
            }
            Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    lines.sort();
    lines
}

/// Waits until no transaction is open: a commit has succeeded before its marks are on the partitions, and until then a
/// reader of committed records ends in front of them.
fn settle(address: &str, committed: &BaseConsumer, topic: &str, partitions: &[i32]) {
    let all: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", fresh("reader"))
        .set("isolation.level", "read_uncommitted")
        .create()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let end = |consumer: &BaseConsumer, partition| consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap().1;
    while partitions.iter().any(|partition| end(committed, *partition) < end(&all, *partition)) {
        assert!(Instant::now() < deadline, "a transaction stays open on {topic}");
        std::thread::sleep(Duration::from_millis(20));
    }
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
        let sql = format!(
            "{}{}CREATE SINK o WITH ('connector' = 'kafka', 'topic' = '{output}', 'format' = 'json', 'mode' = 'append', 'transactional.id' = '{output}');
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
        let jobs = std::fs::read_dir(self.0.path().join("state")).into_iter().flatten().flatten();
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
    let output = fresh("kill-output");
    let place = Place::new(&address, [&a, &b], &output, "at_least_once");
    let killed = place.run_killing(kills.min(5));
    let mut seen = committed(&address, &output);
    seen.dedup();
    assert_eq!(seen, expected, "after {killed} kills: {}", place.said());
}
