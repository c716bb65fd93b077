//! Whatever stands in `WITH (…)` or where a length of time is wanted, it is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use velox::sql::parse;

fuzz_target!(|text: &str| {
    let statement = format!("SELECT * FROM t WITH ({text})");
    let script = parse::parse_with(&statement, "fuzz.sql", &|_| None);
    for found in script.errors.iter().chain(&script.warnings) {
        assert!(statement.get(found.span.start..found.span.end).is_some());
    }
    let _ = parse::measure(text);
});
