//! `sql validate`, `sql explain` and `sql describe`: what is said of the ends of a statement before any row moves.

use super::support::Place;

fn place() -> Place {
    Place::shipped().with("trades.csv", "id,unit price,order\n1,2.50,a\n2,3.75,b\n")
}

#[test]
fn a_sink_that_would_refuse_its_rows_is_wrong_wherever_a_statement_is_looked_at() {
    for (sql, told) in [
        ("INSERT INTO x SELECT id FROM 'file://trades.csv' WITH ('x.type' = 'clickhouse_sink')", "`clickhouse` is not"),
        ("INSERT INTO x SELECT id FROM 'file://trades.csv' WITH ('x.format' = 'protobuf')", "`protobuf`"),
        ("INSERT INTO x SELECT id FROM 'file://trades.csv' WITH ('x.nonsense' = '1')", "no option `nonsense`"),
        ("INSERT INTO 'file://out.csv?nonsense=1' SELECT id FROM 'file://trades.csv'", "no option `nonsense`"),
        ("INSERT INTO 'file://out' SELECT id FROM 'file://trades.csv'", "does not say what it holds"),
        ("INSERT INTO x (a, b) SELECT id FROM 'file://trades.csv'", "names 2 columns, and its query gives 1"),
    ] {
        let place = place().with("a.sql", sql);
        let validated = place.run(&["sql", "validate", "a.sql"]).expect(1);
        assert!(validated.stdout.contains(told), "{sql}: {}", validated.stdout);
        let explained = place.run(&["sql", "explain", "a.sql"]).expect(2);
        assert!(explained.stderr.contains(told), "{sql}: {}", explained.stderr);
    }
}

#[test]
fn a_declaration_that_no_statement_names_is_checked_too() {
    for (sql, told) in [
        ("CREATE SINK x WITH ('connector' = 'nope')", "there is no connector `nope`"),
        ("CREATE STREAM x (id BIGINT) WITH ('connector' = 'nope')", "there is no connector `nope`"),
        ("CREATE SINK x WITH ('connector' = 'file', 'path' = 'a.csv', 'watch' = 'true')", "concerns sources only"),
    ] {
        let validated = place().with("a.sql", sql).run(&["sql", "validate", "a.sql"]).expect(1);
        assert!(validated.stdout.contains(told), "{sql}: {}", validated.stdout);
    }
    let fine =
        "CREATE SINK x WITH ('connector' = 'file', 'path' = 'a.csv'); CREATE STREAM y WITH ('type' = 'kafka_sink')";
    place().with("a.sql", fine).run(&["sql", "validate", "a.sql", "--strict"]).expect(0);
}

#[test]
fn an_annotation_that_nothing_reads_is_a_warning() {
    let place = place().with("a.sql", "-- @app: shop\n-- @job_mode: simple\nSELECT id FROM 'file://trades.csv'");
    let validated = place.run(&["sql", "validate", "a.sql"]).expect(0);
    assert!(validated.stdout.contains("nothing reads `@job_mode` yet"), "{}", validated.stdout);
    assert!(!validated.stdout.contains("@app"), "{}", validated.stdout);
    place.run(&["sql", "validate", "a.sql", "--strict"]).expect(1);
}

#[test]
fn what_describe_prints_declares_the_source_again() {
    let place = place();
    let described = place.run(&["sql", "describe", "file://trades.csv?header=true"]).expect(0).stdout;
    let declaration = &described[described.find("CREATE STREAM").unwrap_or_else(|| panic!("{described}"))..];
    assert!(declaration.contains("\"unit price\" DECIMAL"), "{declaration}");
    let place =
        place.with("a.sql", &format!("{declaration}\nSELECT \"unit price\", \"order\" FROM trades WHERE id = 2;"));
    let ran = place.run(&["sql", "run", "a.sql", "--format", "json"]).expect(0);
    assert_eq!(ran.stdout.trim(), "{\"unit price\":\"3.75\",\"order\":\"b\"}");
}
