//! What holds of the parser's answer whatever the text is. The property tests and the fuzz targets ask it; it makes no text.

use crate::sql::parse::{format, measure, parse_expression, parse_with, render, tokens};

/// No panic, ranges inside the text, the same answer twice, a formatted text that stays as it is.
pub fn to_text(text: &str) {
    let lookup = |name: &str| (name == "A").then(|| "x 'y".to_owned());
    let script = parse_with(text, "wild.sql", &lookup);
    for found in script.errors.iter().chain(&script.warnings) {
        assert!(text.get(found.span.start..found.span.end).is_some(), "{found:?} of {}", text.len());
        assert!(render(found, text).contains('^'));
    }
    for statement in &script.statements {
        assert!(text.get(statement.span.start..statement.span.end).is_some());
    }
    let again = parse_with(text, "wild.sql", &lookup);
    assert_eq!((again.statements.len(), &again.errors), (script.statements.len(), &script.errors));
    let mut end = 0;
    for (span, _) in tokens(text) {
        assert!(end <= span.start && span.start < span.end && text.get(span.start..span.end).is_some());
        end = span.end;
    }
    if let Ok(formatted) = format(text) {
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "{text:?}");
    }
    let _ = parse_expression(text, "wild");
}

/// The same of what stands in `WITH (…)` of a query and of a sink, and of a length of time.
pub fn to_options(text: &str) {
    to_text(&format!("SELECT * FROM t WITH ({text})"));
    to_text(&format!("CREATE SINK s WITH ({text})"));
    let _ = measure(text);
}
