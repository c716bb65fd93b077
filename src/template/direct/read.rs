//! Reads the expressions that payloads are made of. What it does not know it does not guess: the whole expression is
//! then left to the interpreter.

use minijinja::value::Value;

use super::super::language;
use super::clock::Clock;
use super::expression::{Expression, LoopPart, Name, Operator, Slot};
use super::language::Language;

/// Words that are no names.
const RESERVED: [&str; 15] = [
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "not",
    "and",
    "or",
    "if",
    "else",
    "in",
    "is",
    "loop",
    "recursive",
];
/// How deep brackets, negations and choices may nest here.
const DEPTH_MAX: u32 = 32;

/// The expression, whole: known here or the interpreter's. `None` where neither can read it alone.
pub(super) fn expression<'a>(text: &str, language: &Language<'a, '_>) -> Option<Expression<'a>> {
    let mut reader = Reader { rest: text, depth: 0, language };
    match reader.choice() {
        Some(known) if reader.rest.trim_start().is_empty() => Some(known),
        // The interpreter, asked for one expression, knows nothing of the loop around it.
        _ if words(text).any(|word| word == "loop") => None,
        _ => {
            let expression = language.environment.compile_expression_owned(text.to_owned()).ok()?;
            Some(Expression::Foreign(expression))
        }
    }
}

/// Whether the language takes it as a name to be set.
pub(super) fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && !RESERVED.contains(&text)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

struct Reader<'s, 'l, 'a, 'o> {
    rest: &'s str,
    depth: u32,
    language: &'l Language<'a, 'o>,
}

impl<'s, 'a> Reader<'s, '_, 'a, '_> {
    fn choice(&mut self) -> Option<Expression<'a>> {
        self.deeper()?;
        let then = self.negation()?;
        let read = if self.word("if") {
            let condition = Box::new(self.negation()?);
            let otherwise = if self.word("else") { Some(Box::new(self.choice()?)) } else { None };
            Expression::Choice { condition, then: Box::new(then), otherwise }
        } else {
            then
        };
        self.depth -= 1;
        Some(read)
    }

    fn negation(&mut self) -> Option<Expression<'a>> {
        self.deeper()?;
        let read = if self.word("not") { Expression::Not(Box::new(self.negation()?)) } else { self.sum()? };
        self.depth -= 1;
        Some(read)
    }

    fn sum(&mut self) -> Option<Expression<'a>> {
        let mut left = self.joined()?;
        loop {
            let operator = match self.sign(&["+", "-"]) {
                Some("+") => Operator::Add,
                Some(_) => Operator::Subtract,
                None => return Some(left),
            };
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.joined()?));
        }
    }

    fn joined(&mut self) -> Option<Expression<'a>> {
        let first = self.product()?;
        let mut parts = vec![first];
        while self.sign(&["~"]).is_some() {
            parts.push(self.product()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Expression::Joined(parts)) }
    }

    fn product(&mut self) -> Option<Expression<'a>> {
        let mut left = self.filtered()?;
        loop {
            if self.next_is("**") {
                return None;
            }
            let operator = match self.sign(&["*", "%"]) {
                Some("*") => Operator::Multiply,
                Some(_) => Operator::Remainder,
                None => return Some(left),
            };
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.filtered()?));
        }
    }

    fn filtered(&mut self) -> Option<Expression<'a>> {
        let mut read = self.postfixed()?;
        while self.sign(&["|"]).is_some() {
            let name = self.identifier()?;
            let arguments = if self.sign(&["("]).is_some() { self.until(")")? } else { Vec::new() };
            read = self.filter(name, read, arguments)?;
        }
        Some(read)
    }

    fn filter(&self, name: &str, of: Expression<'a>, mut arguments: Vec<Expression<'a>>) -> Option<Expression<'a>> {
        if self.language.is_replaced(name) {
            return None;
        }
        let boxed = Box::new;
        Some(match (name, arguments.len()) {
            ("default" | "d", 1) => Expression::Default(boxed(of), boxed(arguments.pop()?)),
            ("to_json", 0) => Expression::ToJson(boxed(of)),
            ("iso_date", 0) => Expression::IsoDate(boxed(of)),
            ("string", 0) => Expression::Apply(|value| language::as_text(value).map(Value::from), boxed(of)),
            ("upper", 0) => Expression::Apply(|value| on_text(value, str::to_uppercase), boxed(of)),
            ("lower", 0) => Expression::Apply(|value| on_text(value, str::to_lowercase), boxed(of)),
            ("trim", 0) => Expression::Apply(|value| on_text(value, |text| text.trim().to_owned()), boxed(of)),
            ("hash_md5", 0) => Expression::Apply(language::hash_md5, boxed(of)),
            ("hash_sha256", 0) => Expression::Apply(language::hash_sha256, boxed(of)),
            ("mask", 0) => Expression::Apply(|value| language::mask(value, None, None).map(Value::from), boxed(of)),
            ("format", 1..) => match of {
                Expression::Constant(format) => {
                    Expression::Format(slots(format.as_str()?, arguments.len())?, arguments)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    fn postfixed(&mut self) -> Option<Expression<'a>> {
        let mut read = self.primary()?;
        loop {
            if self.rest.starts_with('.') {
                self.rest = &self.rest[1..];
                let name = self.identifier()?;
                read = Expression::Attribute(Box::new(read), name.into());
            } else if self.sign(&["["]).is_some() {
                read = self.part_of(read)?;
            } else if self.next_is("(") {
                return None;
            } else {
                return Some(read);
            }
        }
    }

    fn part_of(&mut self, of: Expression<'a>) -> Option<Expression<'a>> {
        if let Some(key) = self.text() {
            self.sign(&["]"])?;
            return Some(Expression::Attribute(Box::new(of), key.into()));
        }
        let from = self.signed_integer();
        self.sign(&[":"])?;
        let to = self.signed_integer();
        self.sign(&["]"])?;
        Some(Expression::Slice(Box::new(of), from, to))
    }

    fn primary(&mut self) -> Option<Expression<'a>> {
        if let Some(text) = self.text() {
            return Some(Expression::Constant(text.into()));
        }
        if self.sign(&["("]).is_some() {
            let inside = self.choice()?;
            self.sign(&[")"])?;
            return Some(inside);
        }
        if self.sign(&["["]).is_some() {
            let items = self.until("]")?.into_iter().map(constant).collect::<Option<Vec<Value>>>()?;
            return Some(Expression::Constant(items.into()));
        }
        if self.sign(&["{"]).is_some() {
            self.sign(&["}"])?;
            let nothing: [(&str, Value); 0] = [];
            return Some(Expression::Constant(Value::from_pairs(nothing)));
        }
        if let Some(number) = self.integer() {
            return Some(Expression::Constant(number.into()));
        }
        match self.identifier()? {
            "true" | "True" => Some(Expression::Constant(true.into())),
            "false" | "False" => Some(Expression::Constant(false.into())),
            "none" | "None" => Some(Expression::Constant(Value::from(()))),
            "loop" => self.loop_part().map(Expression::Loop),
            name if !is_name(name) => None,
            name if self.next_is("(") => self.call(name),
            name if self.language.is_global(name) => Some(Expression::Shadow(Name::new(name))),
            name => Some(Expression::Name(Name::new(name))),
        }
    }

    fn call(&mut self, name: &str) -> Option<Expression<'a>> {
        self.sign(&["("])?;
        self.sign(&[")"])?;
        if self.language.is_replaced(name) {
            return None;
        }
        match name {
            "now" => Some(Expression::Now(Name::new(name), Clock::of_system())),
            "utcnow" => Some(Expression::Now(Name::new(name), Clock::utc())),
            "uuid4" => Some(Expression::Uuid(Name::new(name))),
            _ => None,
        }
    }

    fn loop_part(&mut self) -> Option<LoopPart> {
        self.rest = self.rest.strip_prefix('.')?;
        match self.identifier()? {
            "index" => Some(LoopPart::Index),
            "index0" => Some(LoopPart::Index0),
            "first" => Some(LoopPart::First),
            "last" => Some(LoopPart::Last),
            "length" => Some(LoopPart::Length),
            _ => None,
        }
    }

    /// Expressions between commas.
    fn until(&mut self, end: &'static str) -> Option<Vec<Expression<'a>>> {
        let mut read = Vec::new();
        while self.sign(&[end]).is_none() {
            read.push(self.choice()?);
            if self.sign(&[","]).is_none() && !self.next_is(end) {
                return None;
            }
        }
        Some(read)
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEPTH_MAX).then_some(())
    }

    fn next_is(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.starts_with(sign)
    }

    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        self.rest = self.rest.trim_start();
        let found = signs.iter().find(|sign| self.rest.starts_with(**sign))?;
        self.rest = &self.rest[found.len()..];
        Some(found)
    }

    fn word(&mut self, word: &str) -> bool {
        let before = self.rest;
        if self.identifier() == Some(word) {
            return true;
        }
        self.rest = before;
        false
    }

    fn identifier(&mut self) -> Option<&'s str> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if !name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            return None;
        }
        self.rest = rest;
        Some(name)
    }

    /// A text without escapes.
    fn text(&mut self) -> Option<&'s str> {
        self.rest = self.rest.trim_start();
        let quote = self.rest.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
        let (text, rest) = self.rest[1..].split_once(quote)?;
        if text.contains('\\') {
            return None;
        }
        self.rest = rest;
        Some(text)
    }

    fn signed_integer(&mut self) -> Option<i64> {
        let before = self.rest;
        let negative = self.sign(&["-"]).is_some();
        let number = self.integer();
        if number.is_none() {
            self.rest = before;
        }
        number.map(|number| if negative { -number } else { number })
    }

    fn integer(&mut self) -> Option<i64> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        // A float, an exponent, `0x…`, `1_000`.
        if rest.starts_with(|letter: char| letter == '.' || letter == '_' || letter.is_alphanumeric()) {
            return None;
        }
        let number = digits.parse().ok()?;
        self.rest = rest;
        Some(number)
    }
}

fn constant(expression: Expression<'_>) -> Option<Value> {
    match expression {
        Expression::Constant(value) => Some(value),
        _ => None,
    }
}

/// Of anything but a text the interpreter knows what to make.
fn on_text(value: &Value, change: fn(&str) -> String) -> Result<Value, minijinja::Error> {
    let text = value.as_str().ok_or(minijinja::ErrorKind::InvalidOperation)?;
    Ok(change(text).into())
}

/// The parts of a format that wants this many arguments, if `%d`, `%05d`, `%s` and `%%` are all it says.
fn slots(format: &str, arguments: usize) -> Option<Vec<Slot>> {
    let (mut slots, mut rest, mut wanted) = (Vec::new(), format, 0);
    while let Some((text, mark)) = rest.split_once('%') {
        slots.push(Slot::Text(text.to_owned()));
        let digits = mark.len() - mark.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (width, mark) = mark.split_at(digits);
        let slot = match (mark.chars().next()?, width) {
            ('%', "") => Slot::Text("%".into()),
            ('s', "") => Slot::Anything,
            ('d', "") => Slot::Integer { width: 0 },
            // Without the zero it is padded with blanks.
            ('d', width) if width.starts_with('0') => Slot::Integer { width: width.parse().ok()? },
            _ => return None,
        };
        wanted += usize::from(!matches!(slot, Slot::Text(_)));
        slots.push(slot);
        rest = &mark[1..];
    }
    slots.push(Slot::Text(rest.to_owned()));
    (wanted == arguments).then_some(slots)
}
