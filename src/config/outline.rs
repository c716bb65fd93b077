//! The outline of a YAML file that could not be read: its keys where they stand, every value masked. What cannot be
//! read cannot be told from a secret, so nothing of it is shown.

use crate::core::secret::MASK;

use super::typed::sounds_secret;

/// The keys of a YAML text line by line, so that a place in the file is the same place here.
pub fn outline(text: &str) -> String {
    // The column whose value goes on in the lines below, and whether items at that column belong to it: no key there may be shown.
    let mut open: Option<(usize, bool)> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let rest = line.trim_start();
        let column = line.len() - rest.len();
        let (rest, dashes) = items(rest);
        if rest.is_empty() && dashes == 0 {
            lines.push(String::new());
            continue;
        }
        let lead = &line[..column + dashes];
        if open.is_some_and(|(open, items)| open < column || (items && open == column && 0 < dashes)) {
            lines.push(format!("{}{MASK}", &line[..column]));
            continue;
        }
        let words;
        (words, open) = match key(rest) {
            Some((key, value)) if is_nothing(value) => {
                (format!("{key}:"), sounds_secret(key).then_some((column + dashes, true)))
            }
            Some((key, _)) => (format!("{key}: {MASK}"), Some((column + dashes, false))),
            None if is_nothing(rest) => (String::new(), None),
            None => (MASK.to_owned(), Some((column, false))),
        };
        lines.push(format!("{lead}{words}").trim_end().to_owned());
    }
    lines.join("\n")
}

/// What follows the dashes of a list's items, and how many bytes they take.
fn items(line: &str) -> (&str, usize) {
    let mut rest = line;
    while let Some(after) = rest.strip_prefix('-').filter(|after| after.is_empty() || after.starts_with(' ')) {
        rest = after.trim_start();
    }
    (rest, line.len() - rest.len())
}

/// A plain key and what follows its colon.
fn key(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let plain = key.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter));
    (plain && !key.is_empty() && (value.is_empty() || value.starts_with(' '))).then_some((key, value))
}

/// Whether there is nothing but a remark.
fn is_nothing(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || value.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_where_they_are_and_no_value_is_shown() {
        let text = "\
# a remark with hunter2
name: flow # hunter2

topics:
  qa: hunter2
  - prod: hunter2
auth_override: {sasl: {password: hunter2}, more: [
  hunter2: hunter2
]}
headers: # hunter2
  - X-One: hunter2
  -
    - hunter2
kafka.bootstrap: 'hunter2'
\"quoted\": hunter2";
        let expected = "

name: ***

topics:
  qa: ***
  - prod: ***
auth_override: ***
  ***
***
headers:
  - X-One: ***
  -
    - ***
kafka.bootstrap: ***
***";
        assert_eq!(outline(text).trim_start_matches('\n'), expected.trim_start_matches('\n'));
        assert_eq!(outline(text).lines().count(), text.lines().count());
    }

    #[test]
    fn what_goes_on_below_a_value_is_masked_though_it_looks_like_a_key() {
        for text in [
            "passphrase: |\n  hunter2: hunter2\n\n  hunter2:\nname: x",
            "password:\n  hunter2: hunter2\nname: x",
            "password:\n- hunter2: hunter2\nname: x",
            "a: \"one\n  hunter2: two\"\nname: x",
            "- api_key: >-\n    hunter2:\n- name: x",
            "- |\n  hunter2:\n- name: x",
            "\tpassword: hunter2\n\t\thunter2: x\n\tname: x",
            "hunter2\n  hunter2: x\nname: x",
        ] {
            let shown = outline(text);
            assert!(!shown.contains("hunter2"), "{text}\n{shown}");
            assert!(shown.contains("name: ***"), "{text}\n{shown}");
        }
    }
}
