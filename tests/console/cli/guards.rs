//! Guards: nothing is written where a guard stands, and nothing asks without a terminal.

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
