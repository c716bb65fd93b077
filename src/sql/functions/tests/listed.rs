//! What is listed of functions: each has its help, and its example runs.

use std::collections::BTreeSet;

use super::*;
use crate::sql::functions::list::{Kind, entries};

#[test]
fn every_function_has_a_form_a_line_a_category_and_an_example() {
    let functions = Functions::builtin();
    let entries = entries(&functions);
    let lacking: Vec<_> = entries
        .iter()
        .filter(|entry| {
            let vague = entry.help.len() < 9 || entry.help.len() > 140 || entry.help.contains(['\n', '[', ']']);
            let formless = entry.signatures.is_empty() || entry.signatures.iter().any(|form| form.contains('\n'));
            vague || formless || entry.category.is_empty() || entry.example.is_empty()
        })
        .map(|entry| format!("{} {:?} {:?} {:?}", entry.name, entry.kind, entry.help, entry.signatures))
        .collect();
    assert!(lacking.is_empty(), "{} of {}:\n{}", lacking.len(), entries.len(), lacking.join("\n"));
    let named: BTreeSet<_> = entries.iter().map(|entry| (entry.kind, entry.name.as_str())).collect();
    assert!(!named.iter().any(|(_, name)| name.starts_with("__")));
    for name in ["header", "json_value", "date_format", "now"] {
        assert!(named.contains(&(Kind::Scalar, name)), "{name}");
    }
    for name in ["percentile_disc", "string_agg", "median"] {
        assert!(named.contains(&(Kind::Aggregate, name)), "{name}");
    }
    assert!(named.contains(&(Kind::Window, "lag")));
}

#[tokio::test]
async fn the_examples_of_this_engine_run() {
    let context = context(&Functions::builtin());
    for entry in entries(&Functions::builtin()) {
        let own = ["JSON", "Text", "Numbers", "Dates and times"].contains(&entry.category.as_str());
        if own {
            let found = rows(&context, &entry.example).await;
            assert!(found.is_ok(), "{}: {found:?}", entry.example);
        }
    }
}
