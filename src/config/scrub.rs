//! Takes known secrets out of lines that others wrote, such as a client library's log. It keeps no line.

use std::fmt;

use crate::core::secret::{MASK, Secret};

/// Shorter secrets are not searched for: replacing every `a` would destroy the log and tell the secret.
pub const SECRET_BYTES_MIN: usize = 4;

/// Lines of a secret that spans several are also searched for alone, from this many bytes on.
const LINE_BYTES_MIN: usize = 8;

/// Replaces every secret it knows by `***`.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// Longest first, so that a secret which contains another goes as a whole.
    secrets: Vec<Secret>,
}

impl Scrubber {
    /// A scrubber that knows these secrets, and each of their lines and the ways in which JSON, URLs and base64 would write them.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let long = secrets.into_iter().filter(|secret| SECRET_BYTES_MIN <= secret.expose().len());
        let mut texts: Vec<String> = long.flat_map(|secret| spellings(secret.expose())).collect();
        texts.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        texts.dedup();
        Self { secrets: texts.into_iter().map(Secret::new).collect() }
    }

    /// The line without secrets; borrowed as it is where there is none.
    pub fn scrub<'a>(&self, line: &'a str) -> std::borrow::Cow<'a, str> {
        let mut scrubbed = std::borrow::Cow::Borrowed(line);
        for secret in self.secrets.iter().map(Secret::expose) {
            if scrubbed.contains(secret) {
                scrubbed = scrubbed.replace(secret, MASK).into();
            }
        }
        scrubbed
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(***)")
    }
}

fn spellings(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    let json = serde_json::Value::from(secret).to_string();
    let mut texts = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        format!("{secret:?}").trim_matches('"').to_owned(),
        percent(secret),
        base64::engine::general_purpose::STANDARD.encode(secret),
    ];
    texts.extend(secret.lines().map(|line| line.trim().to_owned()).filter(|line| LINE_BYTES_MIN <= line.len()));
    texts
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_loses_every_spelling_of_a_secret() {
        let scrubber = Scrubber::new([Secret::new("p\"w#/ä1"), Secret::new("line one\nline two")]);
        for line in [
            "user p\"w#/ä1 refused",
            "{\"a\":\"p\\\"w#/ä1\"}",
            "url p%22w%23%2F%C3%A41",
            "b64 cCJ3Iy/DpDE=",
            "x line two",
        ] {
            let scrubbed = scrubber.scrub(line);
            assert!(scrubbed.contains(MASK), "{line} -> {scrubbed}");
        }
    }

    #[test]
    fn a_longer_secret_goes_before_the_one_it_contains_and_short_ones_are_left() {
        let scrubber = Scrubber::new([Secret::new("abcd"), Secret::new("abcdef"), Secret::new("a")]);
        assert_eq!(scrubber.scrub("abcdef abcd a"), "*** *** a");
        assert_eq!(format!("{scrubber:?}"), "Scrubber(***)");
    }
}
