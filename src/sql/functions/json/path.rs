//! JSON paths: `$.a.b[0]`, `$['a b']`, `$.items[*].price`, `$..id`, `$[-1]`, `$[1 to 3]`, `$[1:3]`. Filters are refused.

use datafusion_common::{Result, exec_err};

use super::text::{Kind, children, is_key, kind};

/// How deep `..` looks: deeper documents are hand-made to overflow a stack.
const DESCENT_MAX: usize = 256;

/// A compiled path.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    steps: Vec<Step>,
    /// In `lax` mode (the default of SQL) a name applied to an array is applied to its elements.
    lax: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    /// From the end where negative.
    Index(i64),
    /// First and last element, both counted.
    Slice(i64, i64),
    All,
    /// `..`: the value and all that is in it, at any depth.
    Descend,
}

impl Path {
    /// Compiles a path. Without a `$` it is a path all the same: `a.b` is `$.a.b`.
    ///
    /// # Errors
    /// What the path should say there.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let (lax, body) = match trimmed.strip_prefix("strict ") {
            Some(rest) => (false, rest.trim_start()),
            None => (true, trimmed.strip_prefix("lax ").unwrap_or(trimmed).trim_start()),
        };
        let rest = match body.strip_prefix('$') {
            Some(rest) => rest.to_owned(),
            None if body.starts_with('[') => body.to_owned(),
            None => format!(".{body}"),
        };
        let mut steps = Vec::new();
        let mut rest = rest.as_str();
        while !rest.is_empty() {
            rest = step(rest, &mut steps).map_or_else(
                || exec_err!("`{text}` is no JSON path: `{rest}` is not understood (`.name`, `[0]`, `[*]`, `..name`)"),
                Ok,
            )?;
        }
        Ok(Self { steps, lax })
    }

    /// The path to a member of that name or to an element of that number.
    pub fn member(name: &str) -> Self {
        Self { steps: vec![Step::Key(name.to_owned())], lax: false }
    }

    /// The path to the element of that number, from the end where negative.
    pub fn element(index: i64) -> Self {
        Self { steps: vec![Step::Index(index)], lax: false }
    }

    /// Whether it can meet at most one value in a document without arrays in between.
    pub fn is_definite(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)))
    }

    /// Calls `found` for each value it meets, until that says to stop by `false`.
    pub fn walk<'a>(&self, value: &'a str, found: &mut dyn FnMut(&'a str) -> bool) -> bool {
        self.walk_steps(&self.steps, value, found, 0)
    }

    fn walk_steps<'a>(
        &self,
        steps: &[Step],
        value: &'a str,
        found: &mut dyn FnMut(&'a str) -> bool,
        depth: usize,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else { return found(value) };
        match step {
            Step::Key(name) => match kind(value) {
                Kind::Object => children(value)
                    .find(|(key, _)| key.is_some_and(|key| is_key(key, name)))
                    .is_none_or(|(_, member)| self.walk_steps(rest, member, found, depth)),
                Kind::Array if self.lax => children(value)
                    .all(|(_, element)| kind(element) != Kind::Object || self.walk_steps(steps, element, found, depth)),
                _ => true,
            },
            Step::Index(index) if kind(value) == Kind::Array => position(value, *index)
                .and_then(|at| children(value).nth(at))
                .is_none_or(|(_, element)| self.walk_steps(rest, element, found, depth)),
            // In lax mode a value is an array of itself.
            Step::Index(index) => !(self.lax && matches!(index, 0 | -1)) || self.walk_steps(rest, value, found, depth),
            Step::Slice(first, last) if kind(value) == Kind::Array => {
                let (Some(first), Some(last)) = (position(value, *first), position(value, *last)) else { return true };
                children(value)
                    .take(last.saturating_add(1))
                    .skip(first)
                    .all(|(_, element)| self.walk_steps(rest, element, found, depth))
            }
            Step::Slice(..) => true,
            Step::All => children(value).all(|(_, child)| self.walk_steps(rest, child, found, depth)),
            Step::Descend => {
                // A name that looks into an array looks into its elements, which are met by themselves below.
                let is_met_below = self.lax && kind(value) == Kind::Array && matches!(rest.first(), Some(Step::Key(_)));
                (is_met_below || self.walk_steps(rest, value, found, depth))
                    && (depth == DESCENT_MAX
                        || children(value).all(|(_, child)| self.walk_steps(steps, child, found, depth + 1)))
            }
        }
    }
}

fn position(array: &str, index: i64) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok();
    }
    let length = children(array).count();
    usize::try_from(index.unsigned_abs()).ok().and_then(|from_end| length.checked_sub(from_end))
}

/// Reads one step off `rest` and gives what is left.
fn step<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    if let Some(inner) = rest.strip_prefix("..") {
        steps.push(Step::Descend);
        return if inner.starts_with('[') { bracket(inner, steps) } else { name(inner, steps) };
    }
    if let Some(inner) = rest.strip_prefix('.') {
        return name(inner, steps);
    }
    bracket(rest, steps)
}

fn name<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let (key, rest) = quoted.split_once('"')?;
        steps.push(Step::Key(key.to_owned()));
        return Some(rest);
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    match &rest[..end] {
        "" => return None,
        "*" => steps.push(Step::All),
        key if key.contains(['(', '?', '@', ']', '"', '\'']) => return None,
        key => steps.push(Step::Key(key.trim_end().to_owned())),
    }
    Some(&rest[end..])
}

fn bracket<'a>(rest: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    let inner = rest.strip_prefix('[')?.trim_start();
    if let Some(quote) = inner.chars().next().filter(|first| matches!(first, '\'' | '"')) {
        let (key, rest) = inner[1..].split_once(quote)?;
        steps.push(Step::Key(key.to_owned()));
        return rest.trim_start().strip_prefix(']');
    }
    let (inside, rest) = inner.split_once(']')?;
    let number = |text: &str| match text.trim() {
        "last" => Some(-1),
        text => text.parse::<i64>().ok(),
    };
    let made = match inside.trim() {
        "*" => Step::All,
        text => match (text.split_once(" to "), text.split_once(':')) {
            (Some((first, last)), _) => Step::Slice(number(first)?, number(last)?),
            (_, Some((first, end))) => {
                let first = if first.trim().is_empty() { 0 } else { number(first)? };
                // The end of `[1:3]` is not counted, that of `[1 to 3]` is. `[:-1]` ends before the last.
                let last = if end.trim().is_empty() { -1 } else { number(end)?.checked_sub(1)? };
                Step::Slice(first, last)
            }
            _ => Step::Index(number(text)?),
        },
    };
    steps.push(made);
    Some(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ORDER: &str = r#"{"id": 12345678901234567890.123456789, "lines": [{"sku":"a","n":1}, {"sku":"b","n":2.50}],
        "a b": {"deep": {"id": "x\"y"}}, "none": null, "matrix": [[1,2],[3]]}"#;

    fn check(path: &str, expected: &[&str]) {
        let mut found = Vec::new();
        Path::parse(path).unwrap().walk(ORDER, &mut |value| {
            found.push(value);
            true
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn a_path_meets_what_it_names_as_it_was_written() {
        check("$.id", &["12345678901234567890.123456789"]);
        check("id", &["12345678901234567890.123456789"]);
        check("$.lines[1].n", &["2.50"]);
        check("$.lines[-1].sku", &["\"b\""]);
        check("$.lines[last].sku", &["\"b\""]);
        check("$['a b'].deep", &[r#"{"id": "x\"y"}"#]);
        check("$.\"a b\".deep.id", &[r#""x\"y""#]);
        check("$.lines[*].sku", &["\"a\"", "\"b\""]);
        check("$.lines.sku", &["\"a\"", "\"b\""]);
        check("strict $.lines.sku", &[]);
        check("$..n", &["1", "2.50"]);
        check("$..id", &["12345678901234567890.123456789", r#""x\"y""#]);
        check("$.matrix[0 to 1][0]", &["1", "3"]);
        check("$.matrix[0][0:1]", &["1"]);
        check("$.matrix[0][1:]", &["2"]);
        check("$.none", &["null"]);
        check("$.missing.deeper", &[]);
        check("$.lines[7]", &[]);
    }

    #[test]
    fn a_path_that_is_not_understood_says_where() {
        for wrong in ["$.", "$.a[", "$.a[x]", "$.a[?(@.b > 1)]", "$a b("] {
            let said = Path::parse(wrong).unwrap_err().to_string();
            assert!(said.contains("is not understood"), "{wrong}: {said}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(50_000) + &"]".repeat(50_000);
        let mut found = 0;
        Path::parse("$..a").unwrap().walk(&deep[..], &mut |_| {
            found += 1;
            true
        });
        assert_eq!(found, 0);
    }
}
