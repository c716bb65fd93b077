//! `sql validate` and `sql run`: what the options of an end may say, where they may stand, and where a mistake in them is
//! shown.

use super::support::Place;

fn place() -> Place {
    Place::shipped().with("trades.csv", "id,year\n1,2024\n2,2025\n")
}

#[test]
fn a_mistake_in_a_configuration_file_is_shown_without_a_line_of_the_statement() {
    let sql = "INSERT INTO x\nSELECT id\nFROM 'file://trades.csv'\nWITH ('x.config_file' = 'config/sink.yaml')";
    let place = place().with("a.sql", sql).with("config/sink.yaml", "# where to\ntype: file_sink\n\nfromat: csv\n");
    let validated = place.run(&["sql", "validate", "a.sql"]).expect(1);
    let mut lines = validated.stdout.lines().skip(1);
    let said = "config/sink.yaml:4:9: the connector `file` has no option `fromat`; did you mean `format`?";
    assert_eq!((lines.next(), lines.next()), (Some(said), None), "{}", validated.stdout);
    let ran = place.run(&["sql", "run", "a.sql"]).expect(2);
    assert!(ran.stderr.contains(said) && !ran.stderr.contains("FROM"), "{}", ran.stderr);
}

#[test]
fn options_without_an_end_belong_to_the_one_that_stands_as_a_uri() {
    let printed = "CREATE STREAM cdc_to_lake AS
        SELECT * FROM 'postgresql://localhost/shop?mode=cdc'
        INTO 's3://data-lake/events/year=${year}/month=${month}/'
        WITH (format = 'parquet', partition_by = ['year', 'month'], compression = 'snappy');";
    for (sql, told) in [
        (printed, "the connector `postgresql` is not available in this build"),
        ("SELECT id FROM 'file://trades.csv' INTO 's3://lake/x/' WITH (format = 'parquet')", "`s3` is not available"),
        ("SELECT id FROM 'file://trades.csv' INTO 'kafka://h:9/x' WITH (formt = 'json')", "did you mean `format`?"),
        ("SELECT id FROM 'file://trades.csv' WITH (haeder = false)", "did you mean `header`?"),
        ("SELECT id FROM 'file://trades.csv?header=true' WITH (header = false)", "`header` is said twice"),
        ("SELECT id FROM 'file://trades.csv' INTO x WITH (format = 'csv')", "`format` is no option of this statement"),
        (
            "SELECT a.id FROM 'file://trades.csv' a JOIN 'file://b.csv' b ON a.id = b.id WITH (header = false)",
            "`header` is no option of this statement",
        ),
    ] {
        let validated = place().with("a.sql", sql).run(&["sql", "validate", "a.sql"]).expect(1);
        assert!(validated.stdout.contains(told), "{sql}: {}", validated.stdout);
    }
}

#[test]
fn the_options_of_a_uri_are_obeyed_and_those_of_the_statement_stay_its_own() {
    let sql = "SELECT id, year FROM 'file://trades.csv' INTO 'file://out/part.csv' \
               WITH (format = 'csv', partition_by = ['year'], 'state.ttl' = '5m', 'checkpoint.interval' = '1s')";
    let place = place();
    place.run(&["sql", "run", "-e", sql]).expect(0);
    let years: Vec<_> = std::fs::read_dir(place.path("out")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(years.len(), 2, "{years:?}");
    assert!(years.iter().all(|year| year.to_string_lossy().starts_with("year=")), "{years:?}");
    // Without an INTO they are the source's.
    let place = place.with("bare.csv", "1;2024\n");
    let sql = "SELECT * FROM 'file://bare.csv' WITH (header = false, delimiter = ';')";
    let ran = place.run(&["sql", "run", "--format", "json", "-e", sql]).expect(0);
    assert_eq!(ran.lines().len(), 1, "{}", ran.stdout);
}

#[test]
fn a_schema_registry_has_no_effect_and_a_format_that_needs_one_is_not_there() {
    let sql = "SELECT id FROM 'file://trades.csv' INTO events WITH ('events.config_file' = 'config/kafka_sink.yaml')";
    let yaml = "type: kafka_sink\nbrokers: localhost:9092\ntopic: orders\nformat: json\nschema_registry: http://localhost:8081\n";
    let place = place().with("a.sql", sql).with("config/kafka_sink.yaml", yaml);
    let validated = place.run(&["sql", "validate", "a.sql"]).expect(0);
    assert!(validated.stdout.contains("`schema_registry` has no effect"), "{}", validated.stdout);
    for format in ["avro", "protobuf"] {
        let place = Place::shipped().with("trades.csv", "id\n1\n").with("a.sql", sql);
        let place = place.with("config/kafka_sink.yaml", &yaml.replace("json", format));
        let validated = place.run(&["sql", "validate", "a.sql"]).expect(1);
        let said = format!("config/kafka_sink.yaml:4:9: the format `{format}` is not available in this build");
        assert!(validated.stdout.contains(&said), "{}", validated.stdout);
    }
}

#[test]
fn a_folder_and_a_topic_that_a_sink_creates_are_announced() {
    let place = place();
    let into = "SELECT id FROM 'file://trades.csv' INTO 'file://new/out.csv'";
    let said = "the folder new does not exist: it is created";
    let explained = place.run(&["sql", "explain", "-e", into]).expect(0);
    assert!(explained.stdout.contains(said), "{}", explained.stdout);
    assert!(!place.path("new").exists());
    let ran = place.run(&["sql", "run", "-e", into]).expect(0);
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let again = place.run(&["sql", "run", "-e", into]).expect(0);
    assert!(!again.stderr.contains(said), "{}", again.stderr);
    let topic = "SELECT id FROM 'file://trades.csv' INTO numbers WITH ('numbers.partitions' = '2')";
    let ran = place.run(&["-E", "sandbox", "sql", "run", "-e", topic]).expect(0);
    assert!(ran.stderr.contains("the topic numbers does not exist: it is created with 2 partitions"), "{}", ran.stderr);
}

#[test]
fn what_went_to_the_dead_letters_is_told_at_the_end_with_its_topic() {
    let place = place().with("odd.csv", "id,year\n1,2024\nx,2025\n3,2026\n");
    let sql = "CREATE SOURCE odd (id BIGINT, year BIGINT) WITH ('connector' = 'file', 'path' = 'odd.csv');
        INSERT INTO 'file://good.csv' SELECT id FROM odd WITH ('failure_strategy' = 'SendToDLQ', 'dead_letter.topic' = 'odd.dlq');";
    let ran = place.with("a.sql", sql).run(&["-E", "sandbox", "sql", "run", "a.sql"]).expect(1);
    assert!(ran.stderr.contains("2 written, 1 failed, 1 of them kept in odd.dlq"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 dead letter in the topic odd.dlq"), "{}", ran.stderr);
}

#[test]
fn late_rows_that_went_to_the_dead_letters_by_their_own_strategy_are_told_with_the_topic() {
    let time = |second: u32| format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    let rows: String = (0..40_000).chain([0]).map(|second| format!("{second},2024-01-01T{}\n", time(second))).collect();
    let sql = "CREATE SOURCE s (id BIGINT, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH ('connector' = 'file', 'path' = 'late.csv');
        INSERT INTO 'file://n.csv' SELECT COUNT(*) AS n FROM s WINDOW TUMBLING(at, 1m) EMIT FINAL
        WITH ('late.data.strategy' = 'dead_letter', 'dead_letter.topic' = 'late.dlq')";
    let place = place().with("late.csv", &format!("id,at\n{rows}")).with("late.sql", sql);
    let ran = place.run(&["-E", "sandbox", "sql", "run", "late.sql"]).expect(0);
    assert!(ran.stderr.contains("0 failed, 1 late, 1 of them kept in late.dlq"), "{}", ran.stderr);
}

#[test]
fn a_file_whose_folder_is_no_value_of_its_column_is_one_bad_record() {
    let sql = "CREATE SOURCE f (id BIGINT, day DATE) WITH ('connector' = 'file', 'path' = 'in/**/*.csv');
        INSERT INTO 'file://o.csv' SELECT id, day FROM f";
    let place = place().with("in/day=2024-01-15/a.csv", "id\n1\n").with("in/day=soon/a.csv", "id\n2\n3\n");
    let run = |more: &str| place.run(&["sql", "run", "-e", &format!("{sql} {more}")]);
    let ran = run("").expect(1);
    assert!(ran.stderr.contains("1 written, 1 failed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the folder `day=soon` is no DATE: no row of its file is read"), "{}", ran.stderr);
    assert!(run("WITH ('failure_strategy' = 'FailBatch')").expect(1).stderr.contains("`day=soon` is no DATE"));
}

#[test]
fn an_aggregate_over_nothing_has_read_nothing() {
    let place = place().with("none.csv", "id\n");
    let sql = "INSERT INTO 'file://n.csv' SELECT COUNT(*) AS n FROM (SELECT id FROM 'file://none.csv') EMIT FINAL";
    let ran = place.run(&["sql", "run", "-e", sql]).expect(0);
    assert!(ran.stderr.contains("0 read, 1 written"), "{}", ran.stderr);
}

#[test]
fn a_restart_tells_which_variable_of_a_query_says_something_else_and_shows_no_secret() {
    let sql = "INSERT INTO 'file://copy.jsonl' SELECT id FROM 'file://trades.csv' WHERE id > ${LEAST:-0} AND 'a' <> '${API_TOKEN}'";
    let place = place().with("a.sql", sql);
    let run = |place: &Place| place.run(&["sql", "run", "a.sql", "--state-dir", "state"]).expect(0).stderr;
    let place = place.with(".env", "API_TOKEN=canary-1\n");
    assert!(!run(&place).contains("says something else"));
    let place = place.with(".env", "API_TOKEN=canary-2\n");
    assert!(!run(&place).contains("says something else"), "a new secret changes no job");
    let place = place.with(".env", "LEAST=1\nAPI_TOKEN=canary-2\n");
    let told = run(&place);
    assert!(told.contains("`${LEAST}` says something else than at that checkpoint"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn a_run_that_goes_on_keeps_the_columns_that_it_had_read_from_a_sample() {
    let sql = "INSERT INTO 'file://sums.jsonl' SELECT amount * 2 AS twice FROM 'file://in-*.csv'";
    let place = Place::shipped().with("a.sql", sql).with("in-2.csv", "amount\n1.5\n");
    let run = |place: &Place| place.run(&["sql", "run", "a.sql", "--state-dir", "state"]);
    run(&place).expect(0);
    // The sample of the first file would now say that amounts are texts.
    let place = place.with("in-1.csv", "amount\nnone\n2.5\n");
    let again = run(&place).expect(1);
    assert!(again.stderr.contains("goes on from checkpoint"), "{}", again.stderr);
    let read = std::fs::read_to_string(place.path("sums.jsonl")).unwrap();
    assert_eq!(read, "{\"twice\":\"3.0\"}\n{\"twice\":\"5.0\"}\n");
    // What a statement that was changed asks for is looked for anew.
    let place = place.with("in-3.csv", "amount,note\n1.0,x\n").with("a.sql", &sql.replace("in-*", "in-3"));
    run(&place.with("a.sql", "INSERT INTO 'file://sums.jsonl' SELECT note FROM 'file://in-3.csv'")).expect(0);
}

#[test]
fn a_restart_tells_which_end_a_variable_or_a_configuration_file_has_changed() {
    let sql = "INSERT INTO copy SELECT id FROM 'file://trades.csv' WITH ('copy.config_file' = 'copy.yaml', 'copy.path' = '${COPY}')";
    let place = place().with("a.sql", sql);
    let run = |place: &Place| {
        let ran = place.run(&["sql", "run", "a.sql", "--state-dir", "state"]).expect(0);
        ran.stderr.contains("`copy`: options are others than at that checkpoint")
    };
    let place = place.with(".env", "COPY=a.csv\n").with("copy.yaml", "type: file_sink\nformat: csv\n");
    assert_eq!((run(&place), run(&place)), (false, false));
    let place = place.with(".env", "COPY=b.csv\n");
    assert_eq!((run(&place), run(&place)), (true, false), "told once: it runs, and its next checkpoint knows");
    let place = place.with(".env", "COPY=a.csv\n").with("copy.yaml", "type: file_sink\nformat: csv\nheader: false\n");
    assert!(run(&place));
}

#[test]
fn what_a_sink_has_parted_by_folders_is_read_back_whole() {
    let rows = "id,cat,day\n1,a,2024-01-15\n2,b,2024-01-16\n3,a,2024-01-16\n";
    for (format, extension) in [("jsonl", "jsonl"), ("csv", "csv"), ("parquet", "parquet")] {
        let place = Place::shipped().with("in.csv", rows);
        let into = format!(
            "SELECT * FROM 'file://in.csv' INTO 'file://out/o.{extension}' WITH (format = '{format}', partition_by = ['day', 'cat'])"
        );
        place.run(&["sql", "run", "-e", &into]).expect(0);
        let back = format!("FROM 'file://out/*/*/o*.{extension}' ORDER BY id");
        let said = |sql: &str| {
            let ran = place.run(&["sql", "run", "--final", "--format", "json", "-e", sql]).expect(0);
            ran.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let inferred = said(&format!("SELECT id, cat, CAST(day AS VARCHAR) AS day {back}"));
        assert_eq!(inferred[0], "{\"id\":1,\"cat\":\"a\",\"day\":\"2024-01-15\"}", "{format}: {inferred:?}");
        assert_eq!(inferred.len(), 3, "{format}: {inferred:?}");
        let declared = format!(
            "CREATE SOURCE o (day VARCHAR NOT NULL, id BIGINT, cat VARCHAR) WITH ('connector' = 'file', 'path' = 'out/*/*/o*.{extension}');
             SELECT cat, COUNT(*) AS n, MAX(day) AS newest FROM o GROUP BY cat ORDER BY cat"
        );
        assert_eq!(
            said(&declared),
            ["{\"cat\":\"a\",\"n\":2,\"newest\":\"2024-01-16\"}", "{\"cat\":\"b\",\"n\":1,\"newest\":\"2024-01-16\"}"],
            "{format}"
        );
    }
}

#[test]
fn variables_are_read_in_a_configuration_file_as_in_a_statement() {
    let place = place()
        .with(".env", "IN=trades.csv\n")
        .with("in.yaml", "type: file_source\npath: ${IN}\nheader: ${HEADED:-true}\n");
    let sql = "SELECT id FROM x WITH ('x.config_file' = 'in.yaml')";
    let ran = place.run(&["sql", "run", "--format", "json", "-e", sql]).expect(0);
    assert_eq!(ran.lines().len(), 2, "{}", ran.stdout);
    let place = place.with("in.yaml", "type: file_source\npath: ${NOWHERE}\n");
    let ran = place.run(&["sql", "run", "-e", sql]).expect(2);
    assert!(ran.stderr.contains("in.yaml:2:7: variable `NOWHERE` is not set"), "{}", ran.stderr);
}

#[test]
fn a_source_that_is_called_like_an_option_of_the_statement_leaves_it_alone() {
    let sql = "SELECT * FROM late WITH ('late.type' = 'file_source', 'late.path' = 'trades.csv', 'late.data.strategy' = 'drop')";
    let ran = place().run(&["sql", "run", "--format", "json", "-e", sql]).expect(0);
    assert_eq!(ran.lines().len(), 2, "{}", ran.stdout);
}

#[test]
fn every_record_that_is_read_is_counted_also_those_that_fail() {
    let place = place().with("odd.csv", "id\n1\nx\n3\n");
    let sql = "CREATE SOURCE odd (id BIGINT) WITH ('connector' = 'file', 'path' = 'odd.csv');
        INSERT INTO 'file://good.csv' SELECT id FROM odd;";
    let ran = place.with("a.sql", sql).run(&["sql", "run", "a.sql"]).expect(1);
    assert!(ran.stderr.contains("3 read, 2 written, 1 failed"), "{}", ran.stderr);
}

#[test]
fn every_option_that_is_wrong_is_told_and_not_the_first_alone() {
    let sql = "CREATE SINK out WITH ('connector' = 'file', 'path' = 'o.csv', 'haeder' = 'true', 'roll.size' = 'much');
        INSERT INTO other SELECT id FROM 'file://trades.csv'
        WITH ('other.type' = 'kafka_sink', 'other.formt' = 'json', 'other.mode' = 'sometimes');";
    let validated = place().with("a.sql", sql).run(&["sql", "validate", "a.sql"]).expect(1);
    for told in ["did you mean `header`?", "`roll.size` is `much`", "did you mean `format`?", "`mode` is `sometimes`"] {
        assert_eq!(validated.stdout.matches(told).count(), 1, "{told}: {}", validated.stdout);
    }
    let discard = "CREATE SINK nowhere WITH ('connector' = 'discard', 'wibble' = '1')";
    let validated = place().with("a.sql", discard).run(&["sql", "validate", "a.sql"]).expect(1);
    assert!(validated.stdout.contains("= it has none of its own"), "{}", validated.stdout);
}

#[test]
fn a_file_is_rolled_at_its_size_and_not_at_a_batch() {
    let rows: String =
        (0..5_000).map(|id| format!("{id},some words that fill a line up to sixty bytes or so\n")).collect();
    for (extension, most) in [("csv", 21_000), ("jsonl", 21_000), ("parquet", 60_000)] {
        let place = Place::shipped().with("in.csv", &format!("id,note\n{rows}"));
        let sql = format!("SELECT * FROM 'file://in.csv' INTO 'file://out/o.{extension}' WITH ('roll.size' = '20KB')");
        place.run(&["sql", "run", "-e", &sql]).expect(0);
        let lengths: Vec<u64> =
            std::fs::read_dir(place.path("out")).unwrap().map(|one| one.unwrap().metadata().unwrap().len()).collect();
        assert!(lengths.iter().all(|length| *length < most), "{extension}: {lengths:?}");
        assert!(lengths.len() > 1 || extension == "parquet", "{extension}: {lengths:?}");
        let back = format!("SELECT COUNT(*) AS n FROM 'file://out/o*.{extension}'");
        let ran = place.run(&["sql", "run", "--final", "--format", "json", "-e", &back]).expect(0);
        assert_eq!(ran.stdout.trim(), "{\"n\":5000}", "{extension}");
    }
}
