//! Guards: nothing is written where a guard stands, and nothing asks without a terminal.

use velox::sql::deploy::definition::Definition;
use velox::sql::deploy::shelf::Shelf;

use super::support::Place;

fn guarded(guard: &str) -> Place {
    let environment = format!("environment: dev\nguard: {guard}\nkafka:\n  bootstrap_servers: \"embedded://\"\n");
    Place::shipped().with("config/environments/dev.yaml", &environment)
}

const WRITING: [&[&str]; 5] = [
    &["run", "-E", "dev", "--etl", "customer_update"],
    &["-E", "dev", "produce", "orders"],
    &["-E", "dev", "produce", "orders", "--template", "customer_update.json.j2"],
    &["-E", "dev", "env", "check", "dev", "--round-trip", "orders"],
    &["-E", "dev", "sql", "run", "-e", "INSERT INTO totals SELECT 1 AS id"],
];

#[test]
fn a_read_only_environment_refuses_every_writing_command() {
    let place = guarded("read_only");
    for line in WRITING {
        let refused = place.run(&[line, &["--yes-i-mean", "dev"]].concat()).expect(2);
        assert!(refused.stderr.contains("read-only"), "{line:?}: {}", refused.stderr);
    }
}

#[test]
fn a_typed_guard_is_lifted_by_the_name_alone() {
    let place = guarded("typed");
    for line in WRITING {
        assert!(place.run(line).expect(2).stderr.contains("--yes-i-mean dev"), "{line:?}");
        place.run(&[line, &["--yes-i-mean", "qa"]].concat()).expect(2);
        place.run(&[line, &["--yes-i-mean", "dev"]].concat()).expect(0);
    }
}

#[test]
fn a_confirm_guard_without_a_terminal_needs_the_flag() {
    let place = guarded("confirm");
    for line in WRITING {
        assert!(place.run(line).expect(2).stderr.contains("--yes-i-mean dev"), "{line:?}");
        place.run(&[line, &["--yes-i-mean", "dev"]].concat()).expect(0);
    }
}

#[test]
fn a_dry_run_asks_no_guard() {
    for guard in ["read_only", "typed", "confirm"] {
        guarded(guard).run(&["run", "-E", "dev", "--etl", "customer_update", "--dry-run"]).expect(0);
    }
}

#[test]
fn a_statement_that_is_analyzed_writes_nothing_wherever_it_would() {
    for guard in ["read_only", "typed", "confirm"] {
        let place = guarded(guard);
        let analyzed = |sql: &str| place.run(&["-E", "dev", "sql", "explain", "--analyze", "-e", sql]).expect(0);
        let topic = analyzed("INSERT INTO payments SELECT 1 AS id");
        assert!(topic.stdout.contains("Sink: throw away what goes to payments  [1 in, "), "{guard}: {}", topic.stdout);
        analyzed("INSERT INTO 'file://out/payments.csv' SELECT 1 AS id");
        assert!(!place.path("out").exists());
    }
}

/// Nobody listens there: what gets past a guard ends with a broker that is not reached.
const PROD: &str = "environment: prod\nguard: typed\nkafka:\n  bootstrap_servers: \"127.0.0.1:1\"\n";
/// Ways to write to brokers that are not those of the environment; `BROKERS` stands for them.
const ELSEWHERE: [&str; 3] = [
    "INSERT INTO 'kafka://BROKERS/payments' SELECT 1 AS id",
    "INSERT INTO payments SELECT id FROM 'file://in.csv' WITH ('payments.bootstrap.servers' = 'BROKERS')",
    "CREATE SINK paid WITH ('connector' = 'kafka', 'topic' = 'payments', 'brokers' = 'BROKERS'); INSERT INTO paid SELECT 1 AS id",
];

#[test]
fn the_guard_of_the_brokers_that_are_written_to_is_asked_and_not_that_of_the_session() {
    let place = guarded("none").with("config/environments/prod.yaml", PROD).with("in.csv", "id\n1\n");
    for (brokers, name) in [("127.0.0.1:1", "prod"), ("127.0.0.1:2", "127.0.0.1:2")] {
        for sql in ELSEWHERE {
            let sql = sql.replace("BROKERS", brokers);
            for line in [&["sql", "run"][..], &["sql", "deploy", "--register", "--name", "paid"]] {
                let line = [&["-E", "dev"], line, &["-e", sql.as_str()]].concat();
                let refused = place.run(&line).expect(2);
                assert!(refused.stderr.contains(&format!("--yes-i-mean {name}")), "{line:?}: {}", refused.stderr);
            }
        }
    }
    let audit = std::fs::read_to_string(place.path(".local/state/velox-tui/audit.jsonl")).unwrap();
    let first = audit.lines().next().unwrap();
    assert!(first.contains("prod") && first.contains("payments at 127.0.0.1:1"), "{audit}");
}

#[test]
fn a_job_that_writes_elsewhere_asks_that_guard_again_when_it_is_resumed() {
    let place = guarded("none").with("config/environments/prod.yaml", PROD);
    let sql = ELSEWHERE[0].replace("BROKERS", "127.0.0.1:1");
    // Deployed when its brokers were there.
    let statement = velox::sql::parse::statements(&sql).len() - 1;
    let definition = Definition { statement, ..Definition::new("paid", "dev", &sql) };
    Shelf::new(place.path(".local/state/velox-tui")).add(&definition).unwrap();
    let refused = place.run(&["jobs", "resume", "paid"]).expect(2);
    assert!(refused.stderr.contains("--yes-i-mean prod"), "{}", refused.stderr);
}
