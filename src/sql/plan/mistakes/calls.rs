//! Calls of functions that there are not, or that take something else. Pure.

use super::said::{Said, said};
use super::template::holes;
use super::types::{all, is_text, kinds};
use crate::core::words::did_you_mean;
use crate::sql::functions::registry::Functions;
use crate::sql::parse::mark::Mark;

/// A function that there is not, or that wants OVER.
pub(super) fn unknown(text: &str, functions: &Functions) -> Option<Said> {
    let found = holes(text, "Invalid function '{}'.{}")?;
    let name = found[0].to_lowercase();
    if functions.window(&name).is_some() {
        let upper = name.to_uppercase();
        let what = format!("`{upper}` looks at the rows around a row, and needs OVER");
        return said(what, format!("write {upper}(…) OVER (PARTITION BY … ORDER BY …)"));
    }
    let known = functions.scalars().keys().chain(functions.aggregates().keys()).chain(functions.windows().keys());
    let known = known.map(String::as_str).filter(|known| !Mark::is_any(known));
    let next = did_you_mean(&name, known).unwrap_or_else(|| "SHOW FUNCTIONS lists those that there are".to_owned());
    said(format!("there is no function `{}`", found[0]), next)
}

/// Arguments that a function does not take.
pub(super) fn arguments(text: &str, _: &Functions) -> Option<Said> {
    if let Some(name) = holes(text, "Substring without for/from is not valid{}") {
        debug_assert!(!name.is_empty());
        return said("SUBSTRING lacks where it begins", "write SUBSTRING(name, 1, 3), or SUBSTRING(name FROM 1 FOR 3)");
    }
    if text.starts_with("Expected an integer value") {
        return said("the number of rows here is a whole number", "write LAG(amount, 1)");
    }
    let (_, call) = text.split_once("No function matches the given name and argument types '")?;
    let (call, candidates) = call.split_once("'. ")?;
    let (name, given) = call.split_once('(')?;
    let given = all(given.strip_suffix(')').unwrap_or(given));
    let name = name.to_uppercase();
    let counted = holes(text, "{}expects {} arguments but received {} ").map(|found| (found[1], found[2]));
    if given.is_empty() {
        return said(format!("`{name}` needs arguments"), format!("SHOW FUNCTIONS says how `{name}` is written"));
    }
    if let Some(expected) = counted.map(|(expected, _)| expected).filter(|text| text.parse::<u32>().is_ok()) {
        let arguments = if expected == "1" { "argument" } else { "arguments" };
        let what = format!("`{name}` takes {expected} {arguments}, and here {}", counting(given.len()));
        return said(what, format!("SHOW FUNCTIONS says how `{name}` is written"));
    }
    let what = format!("`{name}` does not take {}", given.join(", "));
    if candidates.contains("UserDefined") || candidates.contains("expr: ") && given.len() > 1 {
        return said(what, format!("its arguments are of one kind: CAST them, or see SHOW FUNCTIONS for `{name}`"));
    }
    match kinds(candidates).as_slice() {
        [] => said(what, format!("SHOW FUNCTIONS says what `{name}` takes")),
        kinds => {
            let cast = if kinds.contains(&"numbers") && given.iter().any(|given| is_text(given)) {
                ": CAST(… AS DECIMAL(18, 2)) makes a number of a text"
            } else if *kinds == ["texts"] {
                ": CAST(… AS VARCHAR) makes a text"
            } else {
                ""
            };
            said(what, format!("it takes {}{cast}", kinds.join(", ")))
        }
    }
}

fn counting(count: usize) -> String {
    if count == 1 { "is 1".to_owned() } else { format!("are {count}") }
}
