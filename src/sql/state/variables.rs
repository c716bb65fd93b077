//! What the variables of a job's texts say, as marks that tell whether one has changed. It keeps no value.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::manifest::sha256;
use crate::core::secret::is_secret_key;
use crate::sql::parse;

/// The mark of each variable that stands in these texts, by its name. Secrets are left out: a new password changes no job.
pub fn marks<'t>(
    texts: impl IntoIterator<Item = &'t String>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let found = RefCell::new(BTreeMap::new());
    let noting = |name: &str| {
        let value = lookup(name);
        if !is_secret_key(name) {
            // One that is not set is another than one that says nothing.
            let shown = value.as_ref().map(|value| format!("={}", parse::uri_without_secrets(value)));
            found.borrow_mut().insert(name.to_owned(), sha256(shown.unwrap_or_default().as_bytes()));
        }
        value
    };
    for text in texts {
        parse::parse_with(text, "", &noting);
    }
    found.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_of_a_text_has_a_mark_of_what_it_says_and_a_secret_has_none() {
        let text = "SELECT a FROM t WHERE a > ${MIN:-1} AND b = '${API_TOKEN}'".to_owned();
        let marks = |min: Option<&str>, token: &str| {
            marks([&text], &|name| if name == "MIN" { min.map(str::to_owned) } else { Some(token.to_owned()) })
        };
        assert_eq!(marks(None, "x").keys().collect::<Vec<_>>(), ["MIN"]);
        assert_eq!(marks(Some("2"), "x"), marks(Some("2"), "y"));
        assert_ne!(marks(Some("2"), "x"), marks(Some("3"), "x"));
        assert_ne!(marks(None, "x"), marks(Some(""), "x"));
    }
}
