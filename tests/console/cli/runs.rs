//! `run`: reports whose counts add up, dry runs without a broker, failures with their exit codes.

use serde_json::Value;

use super::support::{Place, adds_up};

#[test]
fn a_thousand_events_into_the_sandbox_are_all_acknowledged() {
    let place = Place::shipped();
    let line = ["run", "--environment", "sandbox", "--etl", "customer_update", "--count", "1000", "--format", "json"];
    let report = place.run(&line).expect(0).json();
    assert_eq!(report["total"]["acknowledged"], 1_000);
    adds_up(&report["total"]);
    report["pairs"].as_array().unwrap().iter().for_each(adds_up);
    for step in ["render", "queue", "acknowledge"] {
        assert_eq!(report["total"]["steps"][step]["count"], 1_000, "{step}");
    }
}

#[test]
fn prod_is_rendered_without_a_broker_or_credentials_and_sent_to_only_when_meant() {
    let place = Place::shipped();
    let dry = ["run", "--environment", "prod", "--dry-run", "--log-payloads", "--count", "3"];
    let rendered = place.run(&dry).expect(0);
    assert!(rendered.stdout.contains("\"environment\": \"prod\""), "{}", rendered.stdout);
    let lines = place.run(&[&dry[..], &["--format", "json"]].concat()).expect(0).lines();
    let (report, events) = lines.split_last().unwrap();
    assert_eq!(events.len() as u64, report["total"]["acknowledged"].as_u64().unwrap());
    assert_eq!(report["dry_run"], true);
    adds_up(&report["total"]);

    let refused = place.run(&["run", "--environment", "prod", "--count", "3", "--format", "json"]).expect(2);
    assert!(refused.error()["next"].as_str().unwrap().contains("--yes-i-mean prod"));
    assert_eq!(refused.stdout, "");
    let meant = place.run(&["run", "-E", "prod", "--yes-i-mean", "prod", "--format", "json"]).expect(2);
    assert!(meant.error()["what"].as_str().unwrap().contains("KAFKA_PROD_BOOTSTRAP"));
}

#[test]
fn flags_shape_the_plan_and_the_context() {
    let place = Place::shipped().with("order.yaml", "customer_id: CUST-1\nitems: [{n: 1}, {n: 2}, {n: 3}]\n");
    let line = [
        "run",
        "-E",
        "sandbox,dev",
        "--etl",
        "customer_update",
        "--dry-run",
        "--log-payloads",
        "--format",
        "json",
        "--context",
        "order.yaml",
        "--set",
        "customer_id=CUST-2",
        "--iterate-over",
        "items",
        "--max-events-per-environment",
        "2",
    ];
    let lines = place.run(&line).expect(0).lines();
    let (report, events) = lines.split_last().unwrap();
    assert_eq!(report["total"]["planned"], 4);
    assert_eq!(report["environments"].as_object().unwrap().len(), 2);
    assert!(events.iter().all(|event| event["event"]["key"] == "CUST-2"), "{events:?}");
}

#[test]
fn runner_yaml_makes_the_log_of_a_run_verbose_as_its_flag_does() {
    let is_verbose = |runner: &str, flag: &str| {
        let place = Place::shipped().with("config/runner.yaml", runner);
        let line = ["run", "-E", "sandbox", "--etl", "customer_update", "--dry-run", flag];
        place.run(&line).expect(0).stderr.contains("pairs at once, batches of")
    };
    assert!(!is_verbose("verbose: false\n", "--detailed"));
    assert!(is_verbose("verbose: false\n", "--verbose"));
    assert!(is_verbose("verbose: true\n", "--detailed"));
    assert!(!is_verbose("verbose: true\n", "--quiet"));
}

#[test]
fn a_broker_that_is_not_there_is_told_before_anything_is_sent() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let environment =
        format!("environment: dev\nkafka:\n  bootstrap_servers: \"{free}\"\n  request_timeout_ms: 1000\n");
    let place = Place::shipped().with("config/environments/dev.yaml", &environment);
    for line in [
        &["run", "-E", "dev", "--etl", "customer_update"][..],
        &["-E", "dev", "produce", "orders"],
        &["-E", "dev", "tail", "orders"],
        &["-E", "dev", "consume", "orders", "-g", "g"],
        &["env", "check", "dev"],
    ] {
        let refused = place.run(&[line, &["--format", "json"]].concat()).expect(3);
        if line[0] == "env" {
            assert_eq!(refused.json()[0]["error_code"], 30);
            continue;
        }
        assert_eq!(
            (&refused.error()["exit_code"], &refused.error()["error_code"]),
            (&3.into(), &30.into()),
            "{line:?}"
        );
        assert_eq!(refused.stdout, "", "{line:?}");
    }
}

#[test]
fn a_timeout_ends_a_run_with_five_and_every_event_is_counted() {
    let place = Place::shipped();
    let line = [
        "run",
        "-E",
        "sandbox",
        "--etl",
        "customer_update",
        "--count",
        "1000",
        "--rate",
        "50",
        "--timeout",
        "1",
        "--format",
        "json",
    ];
    let report = place.run(&line).expect(5).json();
    adds_up(&report["total"]);
    assert!(report["total"]["not_sent"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn a_report_is_also_written_to_a_file() {
    let place = Place::shipped();
    place
        .run(&["run", "-E", "sandbox", "--etl", "customer_update", "-n", "5", "--report", "report.json", "--detailed"])
        .expect(0);
    let report: Value = serde_json::from_slice(&std::fs::read(place.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["total"]["acknowledged"], 5);

    let nowhere = ["run", "-E", "sandbox", "--etl", "customer_update", "-n", "5", "--report", "none/r.json"];
    let refused = place.run(&nowhere).expect(2);
    assert!(refused.stderr.contains("cannot be written to `none/r.json`"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
}

#[test]
fn what_writes_is_audited_with_its_ending_and_a_dry_run_is_not() {
    let place = Place::shipped();
    let book = place.path(".local/state/velox-tui/audit.jsonl");
    place.run(&["run", "--environment", "sandbox", "--dry-run"]).expect(0);
    assert!(!book.exists(), "a dry run changes nothing");

    place.run(&["run", "-E", "prod", "--etl", "customer_update", "--count", "3"]).expect(2);
    place.run(&["run", "-E", "sandbox", "--etl", "customer_update", "--count", "3"]).expect(0);
    place.feed(&["produce", "-E", "sandbox", "orders"], "{}\n{}\n").expect(0);
    let text = std::fs::read_to_string(book).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |line: &Value| ["environment", "what", "result"].map(|name| line[name].as_str().unwrap().to_owned());
    let refused = told(&lines[0]);
    assert_eq!((refused[0].as_str(), refused[1].as_str()), ("prod", "run customer_update, 3 events in all"));
    assert!(refused[2].starts_with("refused: ") && refused[2].contains("--yes-i-mean prod"), "{}", refused[2]);
    let run = "run customer_update, 3 events in all";
    let produce = "produce to `orders`";
    let expected = [
        ["sandbox", run, "started"],
        ["sandbox", run, "done: 3 acknowledged, 0 failed, 0 not sent"],
        ["sandbox", produce, "started"],
        ["sandbox", produce, "done: 2 acknowledged, 0 failed, 0 not sent"],
    ];
    assert_eq!(lines[1..].iter().map(told).collect::<Vec<_>>(), expected);
    assert!(lines.iter().all(|line| line["at"].is_string() && line["who"].is_string()), "{text}");
}

#[test]
fn an_audit_log_that_cannot_be_written_is_a_warning() {
    let place = Place::shipped().with(".local/state/velox-tui", "a file where the folder should be");
    let ran = place.run(&["run", "-E", "sandbox", "--etl", "customer_update"]).expect(0);
    assert!(ran.stderr.contains("audit log") && ran.stderr.contains("cannot be written"), "{}", ran.stderr);
}
