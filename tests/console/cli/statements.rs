//! `sql run`: rows on a pipe that is slow or closed, checkpoints it goes on from, names that its jobs have.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use super::support::{Ended, Place, ended, signal};

/// More rows than pipes and queues hold together: whoever does not read them holds the writer up.
const ROWS: usize = 200_000;

fn place() -> Place {
    let rows: String = (0..ROWS).map(|id| format!("{id},{}\n", id % 7)).collect();
    Place::shipped().with("in.csv", &format!("id,part\n{rows}"))
}

#[test]
fn a_reader_that_leaves_ends_a_query_quietly() {
    let place = place();
    let mut child = place.start(&["sql", "run", "--format", "json", "-e", "SELECT id FROM 'file://in.csv'"]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "{\"id\":0}\n");
    drop(output);
    let left = ended(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(left.stderr, "");
}

#[test]
fn a_text_without_a_statement_is_said_and_names_of_columns_are_shown_as_they_are_written() {
    let place = Place::shipped().with("in.csv", "id,Part\n1,x\n");
    for text in ["", "  -- nothing\n"] {
        let ran = place.run(&["sql", "run", "-e", text]).expect(2);
        assert!(ran.stderr.contains("there is no statement"), "{}", ran.stderr);
    }
    let ran = place.run(&["sql", "run", "-e", "SELECT id, \"Part\" FROM 'file://in.csv?header=true'"]).expect(0);
    assert!(ran.stdout.contains("id  Part"), "{}", ran.stdout);
}

#[test]
fn a_query_whose_rows_nobody_reads_hears_signals() {
    let place = place();
    let mut child = place.start(&["sql", "run", "--format", "json", "-e", "SELECT id FROM 'file://in.csv'"]);
    // One row is read; the others fill the pipe, and then the writer stands still.
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 9]).unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    for expected in ["finishing what is in flight", "leaving at once"] {
        signal("INT", &child);
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        assert!(line.contains(expected), "{line}");
    }
    assert_eq!(child.wait().unwrap().code(), Some(5));
    drop(output);
}

/// Runs a script whose rows are copied to a file, and that remembers.
fn copied(place: &Place, script: &str) -> Ended {
    place.run(&["sql", "run", script, "--state-dir", "state"])
}

const COPY: &str = "INSERT INTO 'file://out/copy.csv' SELECT part, COUNT(*) AS n FROM 'file://in.csv' GROUP BY part EMIT FINAL \
                    WITH ('delivery.guarantee' = 'exactly_once')";

#[test]
fn a_job_says_which_checkpoint_it_goes_on_from_and_two_scripts_do_not_share_one() {
    let place = place().with("one.sql", COPY).with("two.sql", COPY);
    let first = copied(&place, "one.sql").expect(0);
    assert!(!first.stderr.contains("goes on from"), "{}", first.stderr);
    let again = copied(&place, "one.sql").expect(0);
    assert!(
        again.stderr.contains("goes on from checkpoint") && again.stderr.contains("state/one/insert-1"),
        "{}",
        again.stderr
    );
    let quiet = place.run(&["sql", "run", "one.sql", "--state-dir", "state", "--quiet"]).expect(0);
    assert_eq!(quiet.stderr, "");
    // Another script has a first INSERT too.
    let other = copied(&place, "two.sql").expect(0);
    assert!(!other.stderr.contains("goes on from"), "{}", other.stderr);
    let rows = std::fs::read_to_string(place.path("out/copy.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + 2 * 7, "{rows}");
}

#[test]
fn a_job_has_the_name_that_its_statement_gives_it() {
    let named = COPY.replace("WITH (", "WITH ('job.name' = 'copying', ");
    let place = place().with("one.sql", &named);
    copied(&place, "one.sql").expect(0);
    assert!(place.path("state/copying/checkpoints").is_dir());
}

#[test]
fn what_a_killed_run_left_hidden_is_gone_when_the_job_is_through() {
    // An endless source: the job is killed while its files are open.
    let endless = "INSERT INTO 'file://out/rows.jsonl' SELECT id FROM numbers WITH ('numbers.type' = 'generator_source', \
                   'numbers.rate' = '1000', 'numbers.fields.id.kind' = 'sequence')";
    let place = Place::shipped().with("job.sql", endless);
    let hidden = || {
        let names = std::fs::read_dir(place.path("out")).into_iter().flatten().flatten();
        names.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count()
    };
    let run = |more: &[&str]| {
        let line = [&["sql", "run", "job.sql", "--state-dir", "state", "--checkpoint-interval", "1h"], more].concat();
        place.command(&line).stdout(Stdio::null()).spawn().unwrap()
    };
    let mut killed = run(&[]);
    while hidden() == 0 {
        assert!(killed.try_wait().unwrap().is_none(), "the job ended by itself");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_ne!(hidden(), 0);
    ended(run(&["--for", "1s"]).wait_with_output().unwrap()).expect(0);
    assert_eq!(hidden(), 0);
}

#[test]
fn what_is_wrong_is_drawn_with_its_line_its_place_and_what_to_do() {
    let place = Place::shipped().with("in.csv", "id,part\n1,2\n");
    let drawn = "-e:2:8: there is no column `prt`\n2 |        prt FROM 'file://in.csv'\n  |        ^^^\n  = did you mean `part`?";
    for command in ["run", "explain"] {
        let wrong = place.run(&["sql", command, "-e", "SELECT id,\n       prt FROM 'file://in.csv'"]).expect(2);
        assert!(wrong.stderr.contains(drawn), "{command}: {}", wrong.stderr);
    }
    let missing = place.run(&["sql", "run", "-e", "SELECT id FROM 'file://none.csv'"]).expect(2);
    assert!(missing.stderr.contains("-e:1:16: no file is at"), "{}", missing.stderr);
}

#[test]
fn what_a_job_did_whose_rows_went_elsewhere_is_said_at_its_end() {
    let place = place().with("one.sql", COPY);
    let said = place.run(&["sql", "run", "one.sql"]).expect(0);
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("insert-1  200,000 read, 7 written, 0 failed; "), "{}", said.stderr);
    let told = place.run(&["--format", "json", "sql", "run", "one.sql"]).expect(0);
    let reports = told.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let report = reports.filter_map(|line| line.get("report").cloned()).next().unwrap();
    assert_eq!((&report["rows_read"], &report["rows_written"]), (&200_000.into(), &7.into()), "{report}");
    assert_eq!((&report["job"], &report["failed"]), (&"insert-1".into(), &0.into()), "{report}");
}

#[test]
fn a_limit_of_rows_that_go_elsewhere_is_refused_before_any_is_written() {
    let place = place().with("one.sql", COPY);
    let refused = place.run(&["sql", "run", "one.sql", "--limit", "5"]).expect(2);
    assert!(refused.stderr.contains("write LIMIT n behind the query"), "{}", refused.stderr);
    assert!(!place.path("out").exists());
}

#[test]
fn sql_that_begins_with_a_comment_is_sql() {
    let counted = place().run(&["sql", "run", "--final", "-e", "-- rows\nSELECT COUNT(*) AS n FROM 'file://in.csv'"]);
    assert!(counted.stdout.contains("200000"), "{}{}", counted.stdout, counted.stderr);
}

#[test]
fn a_file_that_is_named_as_a_topic_says_how_files_are_named() {
    let missing = place().run(&["sql", "run", "-e", "SELECT id FROM 'in.csv'"]).expect(2);
    assert!(missing.stderr.contains("did you mean 'file://in.csv'?"), "{}", missing.stderr);
}

#[test]
fn a_topic_of_an_environment_that_is_not_set_up_names_the_variables() {
    let query = "SELECT order_id FROM orders";
    let refused = Place::shipped().run(&["-E", "qa", "sql", "run", "-e", query]).expect(2);
    assert!(refused.stderr.contains("KAFKA_QA_BOOTSTRAP"), "{}", refused.stderr);
}

#[test]
fn a_port_that_nobody_listens_at_is_told_at_once() {
    // Bound and let go: nobody else has it now.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let into = format!("INSERT INTO 'kafka://127.0.0.1:{port}/out' SELECT id FROM 'file://in.csv'");
    let from = format!("SELECT * FROM 'kafka://127.0.0.1:{port}/orders'");
    for query in [from, into] {
        let began = std::time::Instant::now();
        let meant = format!("127.0.0.1:{port}");
        let refused = place().run(&["sql", "run", "-e", &query, "--yes-i-mean", &meant]).expect(3);
        assert!(refused.stderr.contains("no broker takes connections"), "{}", refused.stderr);
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

/// Takes longer than any of these tests may.
const LONG: std::time::Duration = std::time::Duration::from_secs(20);
/// An endless job, and one that fails with its first row.
const ENDLESS: &str =
    "'numbers.type' = 'generator_source', 'numbers.rate' = '1000', 'numbers.fields.id.kind' = 'sequence'";
const FAILING: &str = "INSERT INTO 'file://out/bad.csv' SELECT CAST(word AS BIGINT) AS n FROM 'file://bad.csv' WITH \
                       ('failure_strategy' = 'FailBatch')";

#[test]
fn a_statement_that_fails_ends_those_before_it() {
    for first in ["INSERT INTO 'file://out/rows.jsonl' SELECT id FROM numbers", "SELECT id FROM numbers"] {
        let place = Place::shipped().with("bad.csv", "word\nnone\n");
        let sql = format!("{first} WITH ({ENDLESS});\n{FAILING}");
        let began = std::time::Instant::now();
        let mut child =
            place.command(&["sql", "run", "--for", "60s", "-e", &sql]).stdout(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{first}: {said}");
        assert!(said.contains("a record failed") && began.elapsed() < LONG, "{first}, {:?}: {said}", began.elapsed());
    }
}

#[test]
fn a_sink_that_never_answers_holds_up_neither_the_time_nor_a_signal() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = silent.local_addr().unwrap().to_string();
    let sql = format!("INSERT INTO 'kafka://{brokers}/out' SELECT 1 AS id");
    let line = ["sql", "run", "-e", &sql, "--yes-i-mean", &brokers];
    let began = std::time::Instant::now();
    let timed = Place::shipped().run(&[&line[..], &["--for", "1s"]].concat()).expect(3);
    assert!(timed.stderr.contains("the time of --for was over before insert-1 had begun"), "{}", timed.stderr);
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    // What the first run left in the queue of the port is taken out of it, until nothing more comes.
    silent.set_nonblocking(true).unwrap();
    while silent.accept().is_ok() {}
    silent.set_nonblocking(false).unwrap();
    let place = Place::shipped();
    let child = place.start(&line);
    let taken = silent.accept().unwrap();
    let began = std::time::Instant::now();
    signal("INT", &child);
    ended(child.wait_with_output().unwrap()).expect(5);
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    drop(taken);
}

#[test]
fn two_scripts_of_one_name_do_not_share_a_checkpoint() {
    let copy = "INSERT INTO 'file://copy.csv' SELECT id FROM 'file://in.csv'";
    let place = Place::shipped().with("in.csv", "id\n1\n").with("a/copy.sql", copy).with("b/copy.sql", copy);
    copied(&place, "a/copy.sql").expect(0);
    let other = copied(&place, "b/copy.sql").expect(2);
    assert!(other.stderr.contains("a/copy.sql, and this is") && other.stderr.contains("@app"), "{}", other.stderr);
    // One that has moved is the same.
    std::fs::remove_file(place.path("a/copy.sql")).unwrap();
    let moved = copied(&place, "b/copy.sql").expect(0);
    assert!(moved.stderr.contains("which is not there any more"), "{}", moved.stderr);
}

#[test]
fn brokers_that_do_not_answer_have_their_number_in_json() {
    let sql = "SELECT * FROM 'kafka://127.0.0.1:9/nothing'";
    let ran = Place::shipped().run(&["sql", "run", "--format", "json", "-e", sql]).expect(3);
    assert!(ran.error()["error_code"].is_number(), "{}", ran.stderr);
}

#[test]
fn statements_that_are_chained_through_memory_hand_every_row_on_and_end_with_their_writers() {
    let source =
        "CREATE SOURCE g (id BIGINT) WITH ('connector' = 'generator', 'rows' = '6000', 'fields.id.kind' = 'sequence');
        CREATE TABLE m (id BIGINT, half BIGINT) WITH ('connector' = 'memory');
        CREATE SINK o (id BIGINT) WITH ('connector' = 'file', 'path' = 'o.jsonl', 'mode' = 'overwrite');";
    let [odd, even, out] = [
        "INSERT INTO m SELECT id, id / 2 AS half FROM g WHERE id % 2 = 1;",
        "INSERT INTO m SELECT id, id / 2 AS half FROM g WHERE id % 2 = 0;",
        "INSERT INTO o SELECT id FROM m;",
    ];
    let count = "SELECT COUNT(*) AS n FROM m;";
    for statements in [[odd, even, out, count], [count, out, even, odd]] {
        let place = Place::shipped().with("chain.sql", &format!("{source}{}", statements.concat()));
        let ended = place.run(&["sql", "run", "chain.sql", "--final", "--format", "json"]).expect(0);
        assert!(ended.stdout.contains("\"n\":6000"), "{}", ended.stdout);
        assert_eq!(std::fs::read_to_string(place.path("o.jsonl")).unwrap().lines().count(), 6_000, "{}", ended.stderr);
    }
}

#[test]
fn an_environment_that_is_not_there_is_told_also_where_no_topic_is_read() {
    let told = Place::shipped().run(&["-E", "sandbx", "sql", "run", "-e", "SELECT 1 AS a"]).expect(2);
    assert!(told.stderr.contains("did you mean `sandbox`?"), "{}", told.stderr);
}

#[test]
fn who_asks_for_quiet_hears_of_errors_alone() {
    let place = Place::empty().with("config/environments/e.yaml", "environment: e\n");
    let sql = ["sql", "run", "-e", "SELECT 1 AS a"];
    assert!(place.run(&sql).expect(0).stderr.contains("config/etl"));
    assert_eq!(place.run(&[&["--quiet"], &sql[..]].concat()).expect(0).stderr, "");
    assert!(place.run(&["--quiet", "sql", "run", "-e", "SELECT b"]).expect(2).stderr.contains("SELECT b"));
}

#[test]
fn a_checkpoint_of_another_environment_is_no_place_to_go_on_from() {
    let sandbox = include_str!("../../../config/environments/sandbox.yaml");
    let place = Place::shipped()
        .with("config/environments/other.yaml", &sandbox.replace("environment: sandbox", "environment: other"));
    let run = |environment: &str, more: &str| {
        let sql = "INSERT INTO 'file://copy.jsonl' SELECT _offset AS n FROM orders";
        place.run(&["-E", environment, "sql", "run", "-e", sql, "--state-dir", "state", "--for", more])
    };
    run("sandbox", "3s").expect(0);
    let refused = run("other", "3s").expect(2);
    assert!(refused.stderr.contains("has read `orders` in sandbox, and this is other"), "{}", refused.stderr);
}

#[test]
fn a_run_is_stopped_also_while_its_rows_wait_for_a_table() {
    let sql = "CREATE TABLE d (id BIGINT PRIMARY KEY) WITH ('connector' = 'generator', 'rows' = '100000', 'rate' = '5',
            'fields.id.kind' = 'sequence');
        CREATE SOURCE g (id BIGINT) WITH ('connector' = 'generator', 'fields.id.kind' = 'sequence');
        INSERT INTO 'file://joined.csv' SELECT g.id FROM g LEFT JOIN d ON g.id = d.id";
    let place = Place::shipped().with("hold.sql", sql);
    for flags in [&[][..], &["--state-dir", "state"]] {
        let line = [&["sql", "run", "hold.sql", "--for", "1s"], flags].concat();
        let mut child = place.start(&line);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while child.try_wait().unwrap().is_none() {
            if deadline < std::time::Instant::now() {
                child.kill().unwrap();
                panic!("it is still there: {}", ended(child.wait_with_output().unwrap()).stderr);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let told = ended(child.wait_with_output().unwrap()).expect(0).stderr;
        assert_eq!(told.contains("is read again"), !flags.is_empty(), "{told}");
        assert!(!place.path("joined.csv").exists(), "no row has met half a table");
    }
}

#[test]
fn statements_that_name_columns_of_a_table_in_memory_in_another_order_write_them_where_they_belong() {
    let place = Place::shipped().with("in.csv", "a,b\n1,2\n");
    let sql = "CREATE SINK m WITH ('connector' = 'memory');
        CREATE SOURCE s (a BIGINT, b BIGINT) WITH ('connector' = 'memory', 'table' = 'm');
        INSERT INTO m SELECT a, b FROM 'file://in.csv';
        INSERT INTO m SELECT b, a FROM 'file://in.csv';
        SELECT a, b FROM s";
    let ended = place.run(&["sql", "run", "-e", sql, "--format", "json"]).expect(0);
    assert_eq!(ended.stdout, "{\"a\":1,\"b\":2}\n".repeat(2));
}

#[test]
fn queries_that_one_writer_feeds_come_to_the_screen_together_and_wait_for_no_other() {
    let rows = 200_000;
    let sql = format!(
        "CREATE SOURCE g (id BIGINT) WITH ('connector' = 'generator', 'rows' = '{rows}', 'fields.id.kind' = 'sequence');
         CREATE TABLE m (id BIGINT) WITH ('connector' = 'memory');
         INSERT INTO m SELECT id FROM g; SELECT id AS one FROM m; SELECT id AS other FROM m"
    );
    let ended = Place::shipped().run(&["sql", "run", "-e", &sql, "--format", "json", "--for", "60s"]).expect(0);
    let of = |name: &str| ended.stdout.matches(name).count();
    assert_eq!((of("\"one\""), of("\"other\"")), (rows, rows), "{}", ended.stderr);
}

#[test]
fn a_writer_that_fails_ends_no_table_in_memory_for_those_that_read_it() {
    let rows: String = (0..60_000).map(|row| format!("{row}\n")).collect();
    let place = Place::shipped().with("in.csv", &format!("a\n{rows}x\n"));
    let sql = "CREATE SOURCE f (a VARCHAR) WITH ('connector' = 'file', 'path' = 'in.csv');
        CREATE TABLE m (a BIGINT) WITH ('connector' = 'memory');
        CREATE SINK o (n BIGINT) WITH ('connector' = 'file', 'path' = 'o.jsonl');
        INSERT INTO m SELECT CAST(a AS BIGINT) AS a FROM f WITH ('failure_strategy' = 'FailBatch');
        INSERT INTO o SELECT COUNT(*) AS n FROM m WINDOW TUMBLING(1h) EMIT FINAL";
    let ended = place.run(&["sql", "run", "-e", sql]).expect(1);
    assert!(ended.stderr.contains("'x' is no BIGINT"), "{}", ended.stderr);
    assert!(!place.path("o.jsonl").exists(), "no window ends with half of its rows");
}

#[test]
fn a_table_in_memory_that_nobody_reads_or_writes_is_told_and_one_cannot_be_remembered_or_deployed() {
    let place = Place::shipped();
    let text = |statements: &str| {
        format!(
            "CREATE SOURCE g (id BIGINT) WITH ('connector' = 'generator', 'rows' = '10');
             CREATE TABLE m (id BIGINT) WITH ('connector' = 'memory'); {statements}"
        )
    };
    let (write, read) = ("INSERT INTO m SELECT id FROM g;", "SELECT id FROM m;");
    let run = |statements: &str, more: &[&str]| {
        let text = text(statements);
        place.run(&[&["sql", "run", "-e", text.as_str()], more].concat()).expect(2).stderr
    };
    let [unread, unwritten] = [run(write, &[]), run(read, &[])];
    assert!(unread.contains("no statement reads `m`"), "{unread}");
    assert!(unwritten.contains("no statement writes to `m`"), "{unwritten}");
    let remembered = run(&format!("{write}{read}"), &["--state-dir", "state"]);
    assert!(remembered.contains("rows on their way are in no checkpoint"), "{remembered}");
    let deployed = place.run(&["sql", "deploy", "-e", &text(write), "--name", "m", "--register"]).expect(2);
    assert!(deployed.stderr.contains("only the statements of one `sql run`"), "{}", deployed.stderr);
}
