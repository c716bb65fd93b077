//! `sql deploy` and `jobs`: what is kept is listed, shown, run, stopped from another process and dropped.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::support::{Place, ended, signal};

/// A job without an end: it runs until it is stopped.
const SQL: &str = "CREATE SINK nowhere WITH ('connector' = 'discard');
INSERT INTO nowhere SELECT auction, price FROM 'generator://nexmark/bid?rate=200';
";
const PATIENCE: Duration = Duration::from_secs(30);

fn until(what: &str, met: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn state(place: &Place) -> String {
    let listed = place.run(&["--format", "json", "jobs", "list"]).expect(0).json();
    listed[0]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_folder_without_jobs_says_how_to_make_one() {
    let listed = Place::shipped().run(&["jobs", "list"]).expect(0);
    assert!(listed.stdout.contains("no jobs in") && listed.stdout.contains("sql deploy"), "{}", listed.stdout);
}

#[test]
fn what_is_registered_is_listed_shown_and_dropped() {
    let place = Place::shipped().with("spend.sql", "INSERT INTO spend SELECT * FROM orders WHERE amount > 100;\n");
    place.run(&["sql", "deploy", "spend.sql", "--register", "--delivery", "at-least-once"]).expect(0);
    assert_eq!(state(&place), "registered");
    let shown = place.run(&["jobs", "show", "spend"]).expect(0).stdout;
    assert!(shown.contains("spend in sandbox: registered") && shown.contains("amount > 100"), "{shown}");
    let again = place.run(&["sql", "deploy", "spend.sql", "--register"]).expect(2);
    assert!(again.stderr.contains("there is a job `spend` already"), "{}", again.stderr);
    for verb in ["show", "stop", "drop", "resume"] {
        let mistyped = place.run(&["jobs", verb, "spent"]).expect(2);
        assert!(mistyped.stderr.contains("did you mean `spend`?"), "{verb}: {}", mistyped.stderr);
    }
    place.run(&["jobs", "stop", "spend"]).expect(0);
    assert_eq!(state(&place), "stopped");
    place.run(&["jobs", "drop", "spend"]).expect(0);
    let gone = place.run(&["jobs", "show", "spend"]).expect(2);
    assert!(gone.stderr.contains("there is no job `spend`"), "{}", gone.stderr);
}

#[test]
fn a_job_delivers_as_its_text_says_and_what_contradicts_it_is_refused() {
    let sql = "CREATE SINK out (id BIGINT) WITH ('connector' = 'file', 'path' = 'out.jsonl', 'delivery.guarantee' = 'exactly-once');
        INSERT INTO out SELECT auction AS id FROM 'generator://nexmark/bid?rate=200' WITH ('checkpoint.interval' = '3s')";
    let place = Place::shipped().with("exact.sql", sql);
    let refused = place.run(&["sql", "deploy", "exact.sql", "--register", "--delivery", "at-least-once"]).expect(2);
    let told = ["--delivery at-least-once", "'delivery.guarantee' = 'exactly-once'"];
    assert!(told.iter().all(|told| refused.stderr.contains(told)), "{}", refused.stderr);
    place.run(&["sql", "deploy", "exact.sql", "--register"]).expect(0);
    let shown = place.run(&["--format", "json", "jobs", "show", "exact"]).expect(0).json();
    assert_eq!((&shown["delivery"], &shown["checkpoint_interval_ms"]), (&"exactly once".into(), &3_000.into()));
}

#[test]
fn a_job_ends_as_a_run_does_with_its_counts_and_the_code_of_bad_records() {
    let sql = "CREATE SOURCE i (id BIGINT) WITH ('connector' = 'file', 'path' = 'in.jsonl');
        CREATE SINK o (id BIGINT) WITH ('connector' = 'file', 'path' = 'out.jsonl'); INSERT INTO o SELECT id FROM i";
    let records = "{\"id\":1}\n{\"id\":2}\n{\"id\":\"three\"}\n{\"id\":4}\n";
    let place = Place::shipped().with("in.jsonl", records).with("short.sql", sql);
    let ended = place.run(&["sql", "deploy", "short.sql", "--format", "json"]).expect(1);
    let report = ended.json();
    let counts = ["rows_read", "rows_written", "failed"].map(|count| report[count].as_u64());
    assert_eq!((counts[1], counts[2], report["outcome"].as_str()), (Some(3), Some(1), Some("finished")), "{report}");
    let shown = place.run(&["--format", "json", "jobs", "show", "short"]).expect(0).json();
    let shown = ["state", "rows_written", "errors", "checkpoint"].map(|name| shown[name].to_string());
    assert_eq!(shown, ["\"done\"", "3", "1", "1"]);
    let again = place.run(&["jobs", "resume", "short"]).expect(0);
    assert!(again.stderr.contains("nothing was added to"), "{}", again.stderr);
}

#[test]
fn a_first_deploy_that_finds_no_broker_ends_in_seconds_and_keeps_nothing() {
    let place = Place::shipped().with(
        "config/environments/gone.yaml",
        "environment: gone\nguard: none\nkafka: { bootstrap_servers: 'localhost:1' }\n",
    );
    let sql = "CREATE SINK t (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 't');
        INSERT INTO t SELECT auction AS id FROM 'generator://nexmark/bid?rate=200'";
    let began = Instant::now();
    for more in [&[][..], &["--register"]] {
        let line = [&["-E", "gone", "sql", "deploy", "-e", sql, "--name", "t"], more].concat();
        let refused = place.run(&line).expect(3);
        assert!(!refused.stderr.contains("query:"), "{}", refused.stderr);
    }
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert!(place.run(&["jobs", "list"]).expect(0).stdout.contains("no jobs in"));
}

#[test]
fn a_statement_that_writes_nowhere_is_not_deployed() {
    let place = Place::shipped();
    let refused = place.run(&["sql", "deploy", "-e", "SELECT * FROM orders", "--name", "x", "--register"]).expect(2);
    assert!(refused.stderr.contains("does not say where its rows go"), "{}", refused.stderr);
}

#[test]
fn a_name_that_is_not_there_is_told_before_a_job_is_kept() {
    let place = Place::shipped();
    for (sql, told) in [
        ("INSERT INTO spend SELECT customer FROM orders", "did you mean `customer_id`?"),
        ("INSERT INTO spend SELECT customer_id FROM order", "did you mean `orders`?"),
        (
            "INSERT INTO spend SELECT COUNT(*) AS n FROM orders WINDOW TUMBLING(1m) GROUP BY customer_id EMIT CHANGES",
            "SELECT customer_id and window_start too",
        ),
    ] {
        let refused = place.run(&["sql", "deploy", "-e", sql, "--name", "spend", "--register"]).expect(2);
        assert!(refused.stderr.contains(told), "{sql}: {}", refused.stderr);
    }
    assert!(place.run(&["jobs", "list"]).expect(0).stdout.contains("no jobs in"));
}

#[test]
fn a_window_needs_only_its_start_to_be_kept_up_to_date() {
    let sql = "INSERT INTO spend SELECT window_start, customer_id, COUNT(*) AS n FROM orders WINDOW TUMBLING(1m) \
               GROUP BY customer_id EMIT CHANGES";
    Place::shipped().run(&["sql", "deploy", "-e", sql, "--name", "spend", "--register"]).expect(0);
}

#[test]
fn a_job_that_runs_is_held_and_stops_when_another_process_asks() {
    let place = Place::shipped().with("count.sql", SQL);
    let child = place.start(&["sql", "deploy", "count.sql", "--checkpoint-interval", "200ms", "--quiet"]);
    until("it runs", || state(&place) == "running");
    let operators = || place.run(&["--format", "json", "jobs", "show", "count"]).expect(0).json()["operators"].clone();
    until("its operators are told", || operators()[0]["rows_out"].as_u64() > Some(0));
    assert_eq!(operators()[0]["retries"], 0);
    let held = place.run(&["jobs", "resume", "count"]).expect(2);
    assert!(held.stderr.contains(&format!("process {}", child.id())), "{}", held.stderr);
    let kept = place.run(&["jobs", "drop", "count"]).expect(2);
    assert!(kept.stderr.contains("is run by"), "{}", kept.stderr);
    place.run(&["jobs", "stop", "count"]).expect(0);
    let stopped = ended(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(state(&place), "stopped", "{}", stopped.stderr);
}

#[test]
fn a_signal_writes_a_savepoint_and_the_next_resume_goes_on_from_it() {
    let place = Place::shipped().with("count.sql", SQL);
    let child = place.start(&["sql", "deploy", "count.sql", "--checkpoint-interval", "10m", "--quiet"]);
    until("it runs", || state(&place) == "running");
    signal("TERM", &child);
    ended(child.wait_with_output().unwrap()).expect(5);
    assert_eq!(state(&place), "interrupted");
    let child = place.start(&["jobs", "resume", "count", "--quiet"]);
    until("it runs again", || state(&place) == "running");
    place.run(&["jobs", "stop", "count"]).expect(0);
    ended(child.wait_with_output().unwrap()).expect(0);
    // A job that had begun anew would count from the first again.
    let shown = place.run(&["--format", "json", "jobs", "show", "count"]).expect(0).json();
    assert_eq!(shown["checkpoint"], 2, "{shown}");
}

/// Where the job `count` is kept.
fn folder(place: &Place) -> PathBuf {
    place.path(".local/state/velox-tui/jobs/count")
}

#[test]
fn a_savepoint_that_cannot_be_written_is_no_clean_stop() {
    let place = Place::shipped().with("count.sql", SQL);
    let child = place.start(&["sql", "deploy", "count.sql", "--checkpoint-interval", "1h", "--quiet"]);
    until("it runs", || state(&place) == "running");
    let run = std::fs::read_dir(folder(&place)).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap();
    let checkpoints = run.path().join("checkpoints");
    std::fs::remove_dir_all(&checkpoints).ok();
    std::fs::write(&checkpoints, "a file where a folder should be").unwrap();
    let stop = place.run(&["jobs", "stop", "count"]).expect(2);
    assert!(stop.stderr.contains("failed while it stopped") && stop.stderr.contains("checkpoints"), "{}", stop.stderr);
    let child = ended(child.wait_with_output().unwrap()).expect(2);
    assert!(child.stderr.contains("checkpoints"), "{}", child.stderr);
    let shown = place.run(&["--format", "json", "jobs", "show", "count"]).expect(0).json();
    assert_eq!(shown["state"], "failed");
    assert!(shown["fault"].as_str().unwrap_or_default().contains("checkpoints"), "{shown}");
}

#[test]
fn a_stop_says_that_its_process_died_and_leaves_the_job_stopped() {
    let place = Place::shipped().with("count.sql", SQL);
    let child = place.start(&["sql", "deploy", "count.sql", "--checkpoint-interval", "1h", "--quiet"]);
    until("it runs", || state(&place) == "running");
    // One that does not move any more hears no request, and holds its job.
    signal("STOP", &child);
    let stop = place.start(&["jobs", "stop", "count"]);
    let request = folder(&place).join("request");
    until("it is asked", || request.exists());
    signal("KILL", &child);
    let stop = ended(stop.wait_with_output().unwrap()).expect(0);
    assert!(stop.stdout.contains("ended without a savepoint"), "{}", stop.stdout);
    assert_eq!((state(&place).as_str(), request.exists()), ("stopped", false));
    ended(child.wait_with_output().unwrap());
}

/// What stands in the audit log of a state folder.
fn audited(place: &Place, state: &str) -> String {
    std::fs::read_to_string(place.path(state).join("audit.jsonl")).unwrap_or_default()
}

#[test]
fn a_state_folder_is_named_before_or_behind_the_command_or_by_a_variable_and_holds_the_audit_log() {
    let place = Place::shipped().with("count.sql", SQL);
    place.run(&["sql", "deploy", "count.sql", "--register", "--state-dir", "there"]).expect(0);
    place.run(&["--state-dir", "there", "sql", "deploy", "count.sql", "--name", "other", "--register"]).expect(0);
    place.run(&["sql", "deploy", "count.sql", "--register"]).expect(0);
    assert_eq!(audited(&place, "there").matches("deploy job").count(), 4, "{}", audited(&place, "there"));
    // The one that is named is asked, and no other.
    place.run(&["--state-dir", "there", "jobs", "drop", "count"]).expect(0);
    assert!(place.path("there/jobs/other").exists() && !place.path("there/jobs/count").exists());
    assert!(folder(&place).exists(), "the job of the same name in the default folder stays");
    place.run(&["--state-dir", "elsewhere", "jobs", "drop", "count"]).expect(2);
    let with = |variable: &str, line: &[&str]| {
        ended(place.command(line).env("VELOX_STATE_DIR", variable).output().unwrap()).expect(0).stdout
    };
    for line in [&["jobs", "list"][..], &["sql", "run", "-e", "SHOW JOBS"]] {
        let listed = with("there", line);
        assert!(listed.contains("other") && !listed.contains("count"), "{line:?}: {listed}");
    }
    // What stands behind the command counts first, then what stands before it, then the variable.
    let listed = with("elsewhere", &["--state-dir", "elsewhere", "jobs", "list", "--state-dir", "there"]);
    assert!(listed.contains("other"), "{listed}");
    assert!(with("elsewhere", &["--state-dir", "there", "jobs", "list"]).contains("other"));
}

#[test]
fn a_secret_in_the_text_is_kept_and_never_shown_and_a_variable_is_named_for_it() {
    let text = "-- @owner: ada
CREATE SINK nowhere WITH ('connector' = 'discard');
-- 'sasl.password' = 'CANARY'
INSERT INTO nowhere SELECT auction FROM 'generator://nexmark/bid?rate=200' WHERE 'token' = 'CANARY';
";
    let place = Place::shipped().with("spend.sql", text);
    let deployed = place.run(&["--format", "json", "sql", "deploy", "spend.sql", "--register"]).expect(0);
    assert!(
        deployed.stderr.contains("sasl.password") && deployed.stderr.contains("${SASL_PASSWORD}"),
        "{}",
        deployed.stderr
    );
    let sql = deployed.json()["sql"].as_str().unwrap_or_default().to_owned();
    assert_eq!(sql, text.replace("CANARY", "***"), "lines and words stay where they were");
    let shown = [
        deployed,
        place.run(&["jobs", "show", "spend"]).expect(0),
        place.run(&["--format", "json", "jobs", "show", "spend"]).expect(0),
        place.run(&["sql", "run", "-e", "SHOW JOBS"]).expect(0),
        place.run(&["sql", "run", "-e", "SELECT FROM a WHERE 'token' = 'CANARY'"]).expect(2),
    ];
    for one in shown {
        assert!(!format!("{}{}", one.stdout, one.stderr).contains("CANARY"), "{}{}", one.stdout, one.stderr);
    }
    let kept = std::fs::read_to_string(place.path(".local/state/velox-tui/jobs/spend/definition.json")).unwrap();
    assert!(kept.contains("CANARY"), "what runs is what was written: {kept}");
}

#[test]
fn a_secret_in_a_uri_is_not_shown_with_the_mistake_beside_it() {
    let place = Place::shipped();
    let sql = "SELECT auction FROM 'generator://nexmark/bid?rate=200&token=CANARY'";
    let drawn = place.run(&["sql", "explain", "-e", sql]).expect(2);
    assert!(!format!("{}{}", drawn.stdout, drawn.stderr).contains("CANARY"), "{}{}", drawn.stdout, drawn.stderr);
}

#[test]
fn a_deployed_job_says_that_it_runs_how_to_look_at_it_and_what_came_of_it() {
    let sql = "CREATE SOURCE rows (id BIGINT, part BIGINT) WITH ('connector' = 'file', 'path' = 'in.csv');
        CREATE SOURCE other (id BIGINT) WITH ('connector' = 'file', 'path' = 'other.csv');
        CREATE VIEW kept AS SELECT part FROM rows WHERE id > 1;
        CREATE SINK copy WITH ('connector' = 'file', 'path' = 'new/copy.csv');
        INSERT INTO copy SELECT part, COUNT(*) AS n FROM kept GROUP BY part EMIT FINAL;";
    let place = Place::shipped().with("in.csv", "id,part\n1,7\n2,7\n3,8\n").with("copy.sql", sql);
    let ran = place.run(&["-E", "sandbox", "sql", "deploy", "copy.sql", "--state-dir", "state"]).expect(0);
    for told in [
        "the folder new does not exist: it is created",
        "copy runs here, from the beginning; `velox-tui jobs show copy --state-dir state` tells how it does",
        "copy  3 read, 2 written, 0 failed",
        "copy has read all there was",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    let shown = place.run(&["jobs", "show", "copy", "--state-dir", "state"]).expect(0).stdout;
    for part in ["CREATE SOURCE rows", "CREATE VIEW kept", "CREATE SINK copy", "INSERT INTO copy"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("other.csv"), "what the job does not stand on is not shown: {shown}");
}

#[test]
fn a_job_keeps_the_columns_that_a_sample_gave_it_until_it_begins_from_scratch() {
    let place = Place::shipped().with("in/1.csv", "id,amount\n1,1.25\n2,2.50\n").with(
        "sum.sql",
        "INSERT INTO 'file://sums.jsonl' SELECT SUM(amount) AS total FROM 'file://in/*.csv' EMIT FINAL",
    );
    place.run(&["-E", "sandbox", "sql", "deploy", "sum.sql", "--state-dir", "state"]).expect(0);
    let total = || {
        let written = std::fs::read_to_string(place.path("sums.jsonl")).unwrap();
        written.lines().last().unwrap().to_owned()
    };
    assert_eq!(total(), "{\"total\":\"3.75\"}");
    // What comes now would be read as another decimal by who sees it first.
    std::fs::write(place.path("in/2.csv"), "id,amount\n3,0.12345\n").unwrap();
    let kept = place.run(&["jobs", "resume", "sum", "--state-dir", "state"]).expect(1);
    assert!(kept.stderr.contains("has more digits behind the point than DECIMAL(18,2)"), "{}", kept.stderr);
    assert_eq!(total(), "{\"total\":\"3.75\"}");
    place.run(&["jobs", "resume", "sum", "--state-dir", "state", "--from-scratch"]).expect(0);
    assert_eq!(total(), "{\"total\":\"3.87345\"}");
}
