//! JSON laid out for people and back on one line. It moves the space between tokens and nothing else: every digit, escape and the
//! order of members stay as they are.

/// Valid JSON with a member or an item a line, two spaces a level; what is empty stays on its line.
pub fn laid_out(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let mut tokens = Tokens { json }.peekable();
    while let Some(token) = tokens.next() {
        match token {
            "{" | "[" => {
                text.push_str(token);
                if tokens.peek().is_some_and(|next| !matches!(*next, "}" | "]")) {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            "}" | "]" => {
                if !text.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    new_line(&mut text, depth);
                }
                text.push_str(token);
            }
            "," => {
                text.push(',');
                new_line(&mut text, depth);
            }
            ":" => text.push_str(": "),
            token => text.push_str(token),
        }
    }
    text
}

/// Valid JSON without any space between its tokens.
pub fn compact(json: &str) -> String {
    Tokens { json }.collect()
}

/// The tokens of valid JSON from the left: brackets, commas and colons, each by itself, and strings, numbers and words.
struct Tokens<'a> {
    json: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let json = self.json.trim_ascii_start();
        let end = match json.bytes().next()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => super::member::end_of_string(json.as_bytes(), 0),
            _ => json
                .find(|letter: char| letter.is_ascii_whitespace() || "{}[],:\"".contains(letter))
                .unwrap_or(json.len()),
        };
        let (token, rest) = json.split_at_checked(end)?;
        self.json = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_space_between_tokens_moves() {
        let json = r#"{"a":1204.50,"b":[1e400,{"c":null},[]],"d":"x: {\"y\"}, é\u00e9","e":{},"f":-0}"#;
        let people = concat!(
            "{\n  \"a\": 1204.50,\n  \"b\": [\n    1e400,\n    {\n      \"c\": null\n    },\n    []\n  ],\n",
            "  \"d\": \"x: {\\\"y\\\"}, é\\u00e9\",\n  \"e\": {},\n  \"f\": -0\n}"
        );
        assert_eq!(laid_out(json), people);
        assert_eq!(compact(people), json);
        assert_eq!(laid_out(people), people);
        assert_eq!((laid_out("[ ]"), laid_out("12")), ("[]".to_owned(), "12".to_owned()));
    }
}
