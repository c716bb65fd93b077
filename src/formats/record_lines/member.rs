//! The text of one member of a JSON object exactly as it stands, so that `1204.50` stays `1204.50` on its way through.

/// The text of the member called `name` of the object that `object` is. `object` must be valid JSON.
pub fn text_of<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let bytes = object.as_bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at += 1;
    loop {
        at = skip_space(bytes, at);
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let name_end = end_of_string(bytes, at);
        let found: Option<String> = serde_json::from_str(&object[at..name_end]).ok();
        at = skip_space(bytes, name_end) + 1;
        at = skip_space(bytes, at);
        let end = end_of_value(bytes, at);
        if found.as_deref() == Some(name) {
            return object.get(at..end);
        }
        at = skip_space(bytes, end);
        if bytes.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The place after the string that begins at `at`.
pub(super) fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The place after the value that begins at `at`.
fn end_of_value(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_u32;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' if depth == 0 => return at,
            byte if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_comes_back_as_it_was_written() {
        let cases = [
            (r#"{"value":{"amount":1204.50}}"#, Some(r#"{"amount":1204.50}"#)),
            (r#" { "key" : "a\"}," , "value" : [1, {"x": "]"}] , "z": 1 }"#, Some(r#"[1, {"x": "]"}]"#)),
            (r#"{"other":{"value":1},"value":12.0}"#, Some("12.0")),
            (r#"{"value": "text \\"}"#, Some(r#""text \\""#)),
            (r#"{"v\u0061lue":null }"#, Some("null")),
            (r#"{"key":"value"}"#, None),
            ("{}", None),
            ("[1]", None),
        ];
        for (object, text) in cases {
            assert_eq!(text_of(object, "value"), text, "{object}");
        }
    }
}
