//! The changing parts of a sentence whose fixed parts are known. Pure.

/// What stands in the holes `{}` of a template, where `text` is such a sentence; each hole ends where the next fixed part
/// begins for the first time, the last one with the text.
pub fn holes<'t>(text: &'t str, template: &str) -> Option<Vec<&'t str>> {
    let mut parts = template.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let end = if is_last && part.is_empty() { rest.len() } else { rest.find(part)? };
        found.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    Some(found)
}

/// The parts of a list, cut at commas that stand in no brackets.
pub fn listed(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '<' | '{' => depth += 1,
            ')' | ']' | '>' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_differs() {
        assert_eq!(holes("from a to b", "from {} to {}"), Some(vec!["a", "b"]));
        assert_eq!(holes("from a to b, and more", "from {} to {}, {}"), Some(vec!["a", "b", "and more"]));
        assert_eq!(holes("from a", "from {} to {}"), None);
        assert_eq!(holes("said twice", "said {}."), None);
    }

    #[test]
    fn a_list_is_cut_outside_of_brackets() {
        assert_eq!(listed("Decimal128(18, 2), List(Utf8)"), ["Decimal128(18, 2)", "List(Utf8)"]);
        assert_eq!(listed(""), [""; 0]);
    }
}
