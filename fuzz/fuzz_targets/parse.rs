//! Whatever the text, the parser, the renderer of its findings, the tokens and the formatter answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use velox::sql::parse;

fuzz_target!(|text: &str| {
    let lookup = |name: &str| (name.len() == 1).then(|| "a 'b".to_owned());
    let script = parse::parse_with(text, "fuzz.sql", &lookup);
    for found in script.errors.iter().chain(&script.warnings) {
        assert!(text.get(found.span.start..found.span.end).is_some());
        assert!(parse::render(found, text).contains('^'));
    }
    for pair in parse::tokens(text).windows(2) {
        assert!(pair[0].0.end <= pair[1].0.start);
    }
    if let Ok(formatted) = parse::format(text) {
        assert_eq!(parse::format(&formatted).as_ref(), Ok(&formatted));
    }
    let _ = parse::parse_expression(text, "fuzz");
});
