//! The proof on real Kafka that bad records cost what they are: a job with one in a thousand keeps its rate, and every one
//! of them is in the dead-letter topic, with its bytes, key and headers, and where it stood.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::broker::{PATIENCE, committed, fresh, kafka};

/// One in so many is bad.
const BAD_IN: usize = 1_000;
/// What stands before the names of the headers that say why.
const WHY: &str = "__velox.errors.";
/// Kinds of faults among the bad ones.
const FAULTS: usize = 5;
/// Runs of each job; the quickest counts, for the machine is not the job's alone.
const RUNS: usize = 3;

/// `VELOX_POISON_RECORDS=1000000` for more.
fn records() -> usize {
    std::env::var("VELOX_POISON_RECORDS").map_or(40_000, |text| text.parse().unwrap())
}

fn is_bad(i: usize) -> bool {
    i % BAD_IN == BAD_IN / 2
}

/// What record `i` holds. Of the bad ones each has another fault: bytes that are no text, text that is no JSON, a field
/// of another type, a decimal with more digits than it may have, a cast that fails.
fn value(i: usize, is_poisoned: bool) -> Vec<u8> {
    let fault = (is_poisoned && is_bad(i)).then_some(i / BAD_IN % FAULTS);
    match fault {
        None => format!("{{\"id\":{i},\"amount\":\"{i}.25\",\"code\":\"{}\"}}", i % 97).into_bytes(),
        Some(0) => [b"{\"id\":".as_slice(), &[0xff, 0xfe, 0x00], format!("{i}}}").as_bytes()].concat(),
        Some(1) => format!("{{\"id\":{i},\"amount\":").into_bytes(),
        Some(2) => format!("{{\"id\":[{i}],\"amount\":\"1.00\",\"code\":\"1\"}}").into_bytes(),
        Some(3) => format!("{{\"id\":{i},\"amount\":\"12345678901234.25\",\"code\":\"1\"}}").into_bytes(),
        Some(_) => format!("{{\"id\":{i},\"amount\":\"1.00\",\"code\":\"x{i}\"}}").into_bytes(),
    }
}

fn fill(address: &str, topic: &str, count: usize, is_poisoned: bool) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", address).set("linger.ms", "20").create().unwrap();
    for i in 0..count {
        let (key, value, trace) = (format!("key {}", i % 31), value(i, is_poisoned), format!("{i:x}"));
        loop {
            let headers = OwnedHeaders::new()
                .insert(Header { key: "trace", value: Some(&trace) })
                .insert(Header { key: "nothing", value: None::<&[u8]> })
                .insert(Header { key: "raw", value: Some(&[0_u8, 159, 146, 150]) });
            if producer.send(BaseRecord::to(topic).key(&key).payload(&value).headers(headers)).is_ok() {
                break;
            }
            producer.poll(Duration::from_millis(20));
        }
    }
    producer.flush(PATIENCE).unwrap();
}

/// Runs the job over `input` to its end, by the program itself, which says by its code whether some failed; answers how
/// long it took.
fn run(address: &str, input: &str, letters: &str, code: i32) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let environments = folder.path().join("config/environments");
    std::fs::create_dir_all(&environments).unwrap();
    let yaml = format!("environment: real\nkafka:\n  bootstrap_servers: \"{address}\"\n");
    std::fs::write(environments.join("real.yaml"), yaml).unwrap();
    let sql = format!(
        "CREATE SOURCE i (id BIGINT, amount DECIMAL(12, 2), code VARCHAR) WITH ('connector' = 'kafka', 'topic' = '{input}', 'format' = 'json', 'scan.bounded' = 'latest');
         CREATE SINK nothing WITH ('connector' = 'discard');
         INSERT INTO nothing SELECT id, amount * 2 AS twice, CAST(code AS BIGINT) AS code FROM i
         WITH ('failure_strategy' = 'SendToDLQ', 'dead_letter.topic' = '{letters}');\n"
    );
    std::fs::write(folder.path().join("job.sql"), sql).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_velox-tui"));
    command.args(["sql", "run", "job.sql", "-E", "real"]);
    command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path().join("xdg")).stdin(Stdio::null());
    let began = Instant::now();
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
    began.elapsed()
}

/// Headers with their values, in order.
fn headers(record: &OwnedMessage) -> Vec<(String, Option<Vec<u8>>)> {
    let headers = record.headers().into_iter().flat_map(Headers::iter);
    headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
}

/// What of a header that says why stands there.
fn why(record: &OwnedMessage, name: &str) -> String {
    let headers = headers(record);
    let found = headers.iter().find(|(key, _)| key.strip_prefix(WHY) == Some(name));
    String::from_utf8(found.and_then(|(_, value)| value.clone()).unwrap_or_else(|| panic!("no {name}"))).unwrap()
}

#[test]
fn one_bad_record_in_a_thousand_costs_no_rate_and_each_is_a_dead_letter_as_it_was() {
    let Some(address) = kafka() else { return };
    let count = records();
    let (clean, poisoned) = (fresh("poison-clean"), fresh("poison-input"));
    fill(&address, &clean, count, false);
    fill(&address, &poisoned, count, true);
    let mut letters = Vec::new();
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..RUNS {
        letters.push(fresh("poison-letters"));
        quickest[0] = quickest[0].min(run(&address, &clean, "never-written", 0));
        quickest[1] = quickest[1].min(run(&address, &poisoned, &letters[letters.len() - 1], 1));
    }
    let [without, with] = quickest;
    // What starting takes is in both.
    assert!(
        with < without * 3 / 2 + Duration::from_millis(300),
        "{count} records: {with:?}, {without:?} without bad ones"
    );

    let mut bad: Vec<OwnedMessage> = committed(&address, &poisoned);
    assert_eq!(bad.len(), count);
    bad.retain(|record| {
        let trace = headers(record)[0].1.clone().unwrap();
        is_bad(usize::from_str_radix(std::str::from_utf8(&trace).unwrap(), 16).unwrap())
    });
    assert_eq!(bad.len(), count / BAD_IN);
    for letters in letters {
        let mut letters = committed(&address, &letters);
        letters.sort_by_key(|letter| {
            (why(letter, "partition").parse::<i32>().ok(), why(letter, "offset").parse::<i64>().ok())
        });
        bad.sort_by_key(|record| (record.partition(), record.offset()));
        assert_eq!(letters.len(), bad.len());
        for (letter, record) in letters.iter().zip(&bad) {
            assert_eq!((letter.key(), letter.payload()), (record.key(), record.payload()));
            let (stood, own) = (headers(letter), headers(record));
            assert_eq!(stood[..own.len()], own);
            assert!(stood[own.len()..].iter().all(|(name, _)| name.starts_with(WHY)), "{stood:?}");
            let place = (why(letter, "topic"), why(letter, "partition"), why(letter, "offset"));
            assert_eq!(place, (poisoned.clone(), record.partition().to_string(), record.offset().to_string()));
            assert_eq!(why(letter, "timestamp"), record.timestamp().to_millis().unwrap().to_string());
            assert!(!why(letter, "message").is_empty() && !why(letter, "class").is_empty());
        }
        let mut stages: Vec<String> = letters.iter().map(|letter| why(letter, "stage")).collect();
        stages.sort();
        stages.dedup();
        assert_eq!(stages, ["decode", "project"]);
    }
}
