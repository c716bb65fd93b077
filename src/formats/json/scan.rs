//! A cursor over the text of one JSON record: it finds where values begin and end and reads strings, and makes nothing.
//! The text is UTF-8 before a cursor sees it.

use memchr::memchr2;

/// How deep values may nest: deeper is an attack or an accident.
const DEPTH_MAX: usize = 128;

/// What is wrong with a record: enough to be told in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Bad {
    /// As in [`crate::formats::contract::Malformed::class`].
    pub class: &'static str,
    /// What was expected and what stands there.
    pub message: String,
    /// Names of the fields around it, innermost first.
    pub path: Vec<String>,
}

impl Bad {
    /// The record is no JSON.
    #[cold]
    pub fn malformed(at: usize, what: &str) -> Self {
        Self { class: "malformed", message: format!("{what} at byte {at}"), path: Vec::new() }
    }

    /// The same within a field.
    #[cold]
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }

    /// One line: the field, then what is wrong.
    pub fn line(&self) -> String {
        if self.path.is_empty() {
            return self.message.clone();
        }
        let mut path = String::new();
        for name in self.path.iter().rev() {
            if !path.is_empty() && !name.starts_with('[') {
                path.push('.');
            }
            path.push_str(name);
        }
        format!("`{path}`: {}", self.message)
    }
}

/// A string as it stands, or with its escapes resolved.
pub enum Text<'t> {
    /// Nothing was escaped.
    Plain(&'t [u8]),
    /// It had escapes.
    Resolved(String),
}

impl Text<'_> {
    /// The bytes of the string.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Resolved(text) => text.as_bytes(),
        }
    }
}

/// A place in a record.
pub struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

impl<'t> Cursor<'t> {
    /// The beginning of a record that is UTF-8.
    pub fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte that is no space; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return *byte;
            }
            self.at += 1;
        }
        0
    }

    /// Takes one byte that must come.
    #[inline]
    pub fn take(&mut self, byte: u8) -> Result<(), Bad> {
        if self.peek() == byte {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(&format!("expected `{}`", char::from(byte))))
    }

    /// Takes one byte if it comes.
    #[inline]
    pub fn take_if(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == byte;
        self.at += usize::from(is_there);
        is_there
    }

    /// Where it stands.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    pub fn since(&self, start: usize) -> &'t [u8] {
        &self.text[start..self.at]
    }

    /// Nothing but spaces may follow.
    pub fn end(&mut self) -> Result<(), Bad> {
        if self.peek() == 0 && self.at >= self.text.len() {
            return Ok(());
        }
        Err(self.unexpected("expected the end of the record"))
    }

    /// Goes one level deeper.
    pub fn enter(&mut self) -> Result<(), Bad> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Bad::malformed(self.at, "values nest too deep"));
        }
        Ok(())
    }

    /// Comes back one level.
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Takes `null` if it comes.
    #[inline]
    pub fn null(&mut self) -> bool {
        self.peek() == b'n' && self.word(b"null")
    }

    /// Takes `true` or `false` if it comes.
    pub fn boolean(&mut self) -> Option<bool> {
        match self.peek() {
            b't' if self.word(b"true") => Some(true),
            b'f' if self.word(b"false") => Some(false),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let is_there = self.text[self.at..].starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    /// Takes a number, as it stands.
    #[inline]
    pub fn number(&mut self) -> Result<&'t [u8], Bad> {
        self.peek();
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let number = &rest[..length];
        let first = if number.first() == Some(&b'-') { number.get(1) } else { number.first() };
        if !first.is_some_and(u8::is_ascii_digit) {
            return Err(self.unexpected("expected a value"));
        }
        self.at += length;
        Ok(number)
    }

    /// Takes a string.
    #[inline]
    pub fn string(&mut self) -> Result<Text<'t>, Bad> {
        self.take(b'"')?;
        let rest = &self.text[self.at..];
        match memchr2(b'"', b'\\', rest) {
            Some(length) if rest[length] == b'"' => {
                self.at += length + 1;
                Ok(Text::Plain(&rest[..length]))
            }
            Some(_) => self.escaped(),
            None => Err(Bad::malformed(self.at, "a string without its end")),
        }
    }

    fn escaped(&mut self) -> Result<Text<'t>, Bad> {
        let mut bytes = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = memchr2(b'"', b'\\', rest) else {
                return Err(Bad::malformed(self.at, "a string without its end"));
            };
            bytes.extend_from_slice(&rest[..length]);
            self.at += length + 1;
            if rest[length] == b'"' {
                let text =
                    String::from_utf8(bytes).map_err(|_| Bad::malformed(self.at, "a string that is no UTF-8"))?;
                return Ok(Text::Resolved(text));
            }
            let letter = self.text.get(self.at).copied().unwrap_or(0);
            self.at += 1;
            let plain = match letter {
                b'"' | b'\\' | b'/' => letter,
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                b'u' => {
                    let letter = self.unicode()?;
                    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                _ => return Err(Bad::malformed(self.at - 1, "an escape that JSON does not have")),
            };
            bytes.push(plain);
        }
    }

    fn unicode(&mut self) -> Result<char, Bad> {
        let wrong = Bad::malformed(self.at, "an escape that is no character");
        let Some(first) = self.hex() else { return Err(wrong) };
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(wrong);
        }
        if !self.word(b"\\u") {
            return Err(wrong);
        }
        let Some(second) = self.hex().filter(|second| (0xdc00..0xe000).contains(second)) else { return Err(wrong) };
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(wrong)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        self.at += 4;
        Some(value)
    }

    /// Passes over a value of any kind.
    pub fn skip(&mut self) -> Result<(), Bad> {
        match self.peek() {
            b'"' => self.string().map(drop),
            b'{' => {
                self.enter()?;
                self.at += 1;
                if !self.take_if(b'}') {
                    loop {
                        self.string()?;
                        self.take(b':')?;
                        self.skip()?;
                        if !self.take_if(b',') {
                            break;
                        }
                    }
                    self.take(b'}')?;
                }
                self.leave();
                Ok(())
            }
            b'[' => {
                self.enter()?;
                self.at += 1;
                if !self.take_if(b']') {
                    loop {
                        self.skip()?;
                        if !self.take_if(b',') {
                            break;
                        }
                    }
                    self.take(b']')?;
                }
                self.leave();
                Ok(())
            }
            b't' | b'f' => self.boolean().map(drop).ok_or_else(|| self.unexpected("expected a value")),
            b'n' => {
                if self.null() {
                    Ok(())
                } else {
                    Err(self.unexpected("expected a value"))
                }
            }
            _ => self.number().map(drop),
        }
    }

    /// The value that comes, for a message: not too much of it.
    #[cold]
    pub fn shown(&mut self) -> String {
        let start = {
            self.peek();
            self.at
        };
        let (at, depth) = (self.at, self.depth);
        let end = if self.skip().is_ok() { self.at } else { self.text.len() };
        (self.at, self.depth) = (at, depth);
        shown(&self.text[start..end])
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Bad {
        match self.text.get(self.at) {
            None => Bad::malformed(self.at, &format!("{expected}, the record ends")),
            Some(_) => {
                let rest = String::from_utf8_lossy(&self.text[self.at..]);
                let letter = rest.chars().next().unwrap_or('?');
                Bad::malformed(self.at, &format!("{expected}, found `{letter}`"))
            }
        }
    }
}

/// A piece of a record for a message.
pub fn shown(text: &[u8]) -> String {
    /// Letters of a value in a message: enough to find it, too few to fill a line.
    const LETTERS_MAX: usize = 60;
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
