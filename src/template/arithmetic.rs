//! Lets decimals take part in `+ - * / // %` and comparisons. The template language knows numbers only as integers and
//! floats and gives objects no say in its operators, so a template that uses `decimal` has its operators written as
//! calls before it is compiled: `a * b` becomes `__operate('*', a, b, 'a', 'b')`. For the same reason `timestamp_ms()` gets
//! a name of its own: in an event `timestamp_ms` is a number, and none can be called. Other templates are never touched.

/// The function the calls name.
pub(super) const OPERATE: &str = "__operate";

/// What is called where `timestamp_ms()` stands; of the same length, so that every place stays where it is.
pub(super) const MILLISECONDS: &str = "__event_time";
pub(super) const TIMESTAMP_MS: &str = "timestamp_ms";

/// The template with its operators as calls, or `None` where it has nothing to do with decimals and calls no `timestamp_ms()`.
pub(super) fn rewritten(source: &str) -> Option<String> {
    let (has_decimals, mut is_rewritten) = (source.contains("decimal"), source.contains("decimal"));
    if !has_decimals && !source.contains(TIMESTAMP_MS) {
        return None;
    }
    let mut out = String::with_capacity(source.len() * 2);
    let mut rest = source;
    while let Some(open) = rest.find('{') {
        let (before, tag) = rest.split_at(open);
        out.push_str(before);
        rest = if tag.starts_with("{#") {
            copy_through(tag, "#}", &mut out)
        } else if is_raw(tag) {
            let end = tag.find("endraw").map_or(tag.len(), |at| at + "endraw".len());
            out.push_str(&tag[..end]);
            &tag[end..]
        } else if tag.starts_with("{{") || tag.starts_with("{%") {
            let (mut tokens, length) = tokens(tag);
            is_rewritten |= name_calls(&mut tokens);
            let mut writer = Writer { tokens: &tokens, at: 0 };
            out.push_str(&tag[..opening_length(tag)]);
            while writer.at < tokens.len() {
                if has_decimals {
                    out.push_str(&writer.sequence());
                }
                writer.take(&mut out);
            }
            &tag[length..]
        } else {
            out.push('{');
            &tag[1..]
        };
    }
    out.push_str(rest);
    is_rewritten.then_some(out)
}

/// Gives each call of `timestamp_ms` the name under which it can be called; whether there was one.
fn name_calls(tokens: &mut [Token<'_>]) -> bool {
    let is_call = |at: usize, tokens: &[Token<'_>]| {
        let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
        let after = tokens.get(at + 1).map_or("", |after| after.text);
        tokens[at].text == TIMESTAMP_MS && after == "(" && !matches!(before, "." | "|" | "macro")
    };
    let calls: Vec<usize> = (0..tokens.len()).filter(|at| is_call(*at, tokens)).collect();
    calls.iter().for_each(|at| tokens[*at].text = MILLISECONDS);
    !calls.is_empty()
}

fn copy_through<'a>(tag: &'a str, end: &str, out: &mut String) -> &'a str {
    let length = tag.find(end).map_or(tag.len(), |at| at + end.len());
    out.push_str(&tag[..length]);
    &tag[length..]
}

fn is_raw(tag: &str) -> bool {
    tag.strip_prefix("{%").is_some_and(|tag| tag.trim_start_matches(['-', '+']).trim_start().starts_with("raw"))
}

/// A sign right behind the opening trims whitespace; it is no operator.
fn opening_length(tag: &str) -> usize {
    if tag[2..].starts_with(['-', '+']) { 3 } else { 2 }
}

#[derive(Clone, Copy)]
struct Token<'a> {
    space: &'a str,
    text: &'a str,
}

const OPERATORS: [&str; 6] = ["//", "**", "==", "!=", "<=", ">="];

/// The tokens of a tag from behind its opening up to and with its end, and the tag's length in bytes.
fn tokens(tag: &str) -> (Vec<Token<'_>>, usize) {
    let end = if tag.starts_with("{{") { "}}" } else { "%}" };
    let (mut tokens, mut at, mut depth) = (Vec::new(), opening_length(tag), 0_u32);
    while at < tag.len() {
        let from = at;
        at += tag[at..].len() - tag[at..].trim_start().len();
        let (space, rest) = (&tag[from..at], &tag[at..]);
        let closes = rest.strip_prefix(['-', '+']).unwrap_or(rest).starts_with(end);
        let length = match rest.chars().next() {
            None => 0,
            Some(_) if closes && depth == 0 => end.len() + usize::from(!rest.starts_with(end)),
            Some(quote @ ('"' | '\'')) => string_length(rest, quote),
            Some(letter) if letter.is_alphanumeric() || letter == '_' => word_length(rest),
            Some(letter) => {
                match letter {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                let double = OPERATORS.iter().any(|operator| rest.starts_with(operator));
                if double { 2 } else { letter.len_utf8() }
            }
        };
        tokens.push(Token { space, text: &rest[..length] });
        at += length;
        if closes && depth == 0 {
            break;
        }
    }
    (tokens, at)
}

fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A name or a number; a number takes its fraction and exponent along.
fn word_length(text: &str) -> usize {
    let number = text.starts_with(|letter: char| letter.is_ascii_digit());
    let mut length = 0;
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    for (index, (at, letter)) in letters.iter().enumerate() {
        let next_is_digit = letters.get(index + 1).is_some_and(|(_, next)| next.is_ascii_digit());
        let part = letter.is_alphanumeric()
            || *letter == '_'
            || (number && *letter == '.' && next_is_digit)
            || (number && matches!(letter, '+' | '-') && text[..*at].ends_with(['e', 'E']) && next_is_digit);
        if !part {
            break;
        }
        length = at + letter.len_utf8();
    }
    length
}

/// Words that are no operands: they end one.
const WORDS: [&str; 27] = [
    "and",
    "or",
    "not",
    "if",
    "else",
    "elif",
    "in",
    "is",
    "set",
    "for",
    "do",
    "with",
    "include",
    "import",
    "from",
    "as",
    "extends",
    "block",
    "macro",
    "call",
    "filter",
    "endset",
    "recursive",
    "ignore",
    "without",
    "return",
    "context",
];

struct Writer<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Writer<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |token| token.text)
    }

    fn take(&mut self, out: &mut String) {
        if let Some(token) = self.tokens.get(self.at) {
            out.push_str(token.space);
            out.push_str(token.text);
            self.at += 1;
        }
    }

    /// Everything up to the end of the tag or of the bracket it stands in: operands rewritten, the rest copied.
    fn sequence(&mut self) -> String {
        let mut out = String::new();
        while self.at < self.tokens.len() && !matches!(self.peek(), ")" | "]" | "}") {
            if self.at_operand() {
                out.push_str(&self.comparison());
            } else {
                self.take(&mut out);
            }
        }
        out
    }

    fn at_operand(&self) -> bool {
        let text = self.peek();
        let first = text.chars().next().unwrap_or(' ');
        let sign = matches!(text, "-" | "+");
        (first.is_alphanumeric() || matches!(first, '_' | '"' | '\'' | '(' | '[' | '{') || sign)
            && !WORDS.contains(&text)
    }

    /// `a < b < c` means both at once; it stays the language's own.
    fn comparison(&mut self) -> String {
        let first = self.sum();
        let mut others = Vec::new();
        while matches!(self.peek(), "==" | "!=" | "<" | ">" | "<=" | ">=") {
            let operator = self.peek();
            let mut spelt = String::new();
            self.take(&mut spelt);
            others.push((operator, spelt, self.sum()));
        }
        match others.as_slice() {
            [(operator, _, second)] => call(operator, &first, second),
            others => others.iter().fold(first, |text, (_, operator, side)| text + operator + side),
        }
    }

    fn sum(&mut self) -> String {
        self.binary(&["+", "-"], Self::concatenation)
    }

    fn concatenation(&mut self) -> String {
        let mut left = self.product();
        while self.peek() == "~" {
            self.take(&mut left);
            left.push_str(&self.product());
        }
        left
    }

    fn product(&mut self) -> String {
        self.binary(&["*", "/", "//", "%"], Self::unary)
    }

    fn binary(&mut self, operators: &[&str], side: fn(&mut Self) -> String) -> String {
        let mut left = side(self);
        while operators.contains(&self.peek()) {
            let operator = self.peek();
            self.at += 1;
            let right = side(self);
            left = call(operator, &left, &right);
        }
        left
    }

    /// A minus is `0 - x`, so that a decimal can be negated; before a number it stays.
    fn unary(&mut self) -> String {
        if matches!(self.peek(), "-" | "+") {
            let negative = self.peek() == "-";
            let next = self.tokens.get(self.at + 1).map_or("", |token| token.text);
            let mut out = String::new();
            if next.starts_with(|letter: char| letter.is_ascii_digit()) || !negative {
                self.take(&mut out);
                return out + &self.unary();
            }
            let space = self.tokens[self.at].space;
            self.at += 1;
            return format!("{space}{}", call("-", "0", &self.unary()));
        }
        let mut left = self.postfix();
        while self.peek() == "**" {
            self.take(&mut left);
            left.push_str(&self.unary());
        }
        left
    }

    fn postfix(&mut self) -> String {
        let mut out = String::new();
        self.primary(&mut out);
        loop {
            match self.peek() {
                "." | "|" => {
                    self.take(&mut out);
                    self.take(&mut out);
                }
                "(" | "[" => self.bracket(&mut out),
                "is" => {
                    self.take(&mut out);
                    if self.peek() == "not" {
                        self.take(&mut out);
                    }
                    self.take(&mut out);
                    if self.at_operand() && !matches!(self.peek(), "(" | "-" | "+") {
                        self.primary(&mut out);
                    }
                }
                _ => return out,
            }
        }
    }

    fn primary(&mut self, out: &mut String) {
        match self.peek() {
            "(" | "[" | "{" => self.bracket(out),
            _ => self.take(out),
        }
    }

    fn bracket(&mut self, out: &mut String) {
        self.take(out);
        out.push_str(&self.sequence());
        self.take(out);
    }
}

/// The names of the sides go along, so that an undefined one can be named.
fn call(operator: &str, left: &str, right: &str) -> String {
    let quoted = |side: &str| {
        let side = side.trim();
        if side.contains(['\'', '\\', '\n', '(']) { "''".to_owned() } else { format!("'{side}'") }
    };
    let space = &left[..left.len() - left.trim_start().len()];
    // The right side keeps its whitespace: lines stay where they are.
    format!("{space}{OPERATE}('{operator}', {},{right}, {}, {})", left.trim_start(), quoted(left), quoted(right))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(source: &str, expected: &str) {
        // The word is what makes a template one about decimals.
        let rewritten = rewritten(&format!("{source}{{# decimal #}}")).unwrap();
        assert_eq!(rewritten, format!("{expected}{{# decimal #}}"));
    }

    #[test]
    fn a_call_of_the_moment_is_told_from_its_number_and_nothing_else_is_touched() {
        let source = "{{ timestamp_ms }} {%- if a + timestamp_ms () -%}";
        assert_eq!(rewritten(source).as_deref(), Some("{{ timestamp_ms }} {%- if a + __event_time () -%}"));
        check("{{ timestamp_ms() - 1 }}", "{{ __operate('-', __event_time(), 1, '', '1') }}");
        for source in ["{{ timestamp_ms }}", "timestamp_ms()", "{{ 'timestamp_ms()' }}", "{{ a.timestamp_ms() }}"] {
            assert_eq!(rewritten(source), None, "{source}");
        }
        assert_eq!(MILLISECONDS.len(), TIMESTAMP_MS.len());
    }

    #[test]
    fn operators_become_calls_by_their_precedence() {
        check("{{ a + b * 2 }}", "{{ __operate('+', a, __operate('*', b, 2, 'b', '2'), 'a', '') }}");
        check("{%- if a.b > 3 -%}x{% endif %}", "{%- if __operate('>', a.b, 3, 'a.b', '3') -%}x{% endif %}");
    }

    #[test]
    fn what_is_no_operator_stays() {
        for text in [
            "{{- x -}}",
            "{% set a, b = 1, 2 %}",
            "{% raw %}{{ a * b }}{% endraw %}",
            "{{ 'a*b' }}",
            "{# a * b #}",
            "{{ -1 }}",
            "{{ f(a=1, b=[1, {'c': 2}]) | g is not none }}",
            "{{ 1 < 2 < 3 }}",
            "{ * }",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_template_without_decimals_is_not_touched() {
        assert_eq!(rewritten("{{ a * b }}"), None);
    }
}
