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
    assert_eq!((run(&place), run(&place)), (true, true), "nothing new came: the checkpoint is that of the first run");
    let place = place.with(".env", "COPY=a.csv\n").with("copy.yaml", "type: file_sink\nformat: csv\nheader: false\n");
    assert!(run(&place));
}
