//! A record as a line for people, by a format in kcat's letters. Bytes reach a pipe unchanged; a terminal is never
//! given control characters that came from a topic.

use std::io::{self, Write};
use std::str::FromStr;

use crate::core::record::{Headers, Record};
use crate::formats::clock::Clock;

/// What `--print` understands, for its help.
pub const LETTERS: &str = "%t topic  %p partition  %o offset  %T time in milliseconds  %d time as a date  %k key  %s value  %K %S their sizes  %h headers  %% a percent sign  \\n \\t \\\\";

/// A compiled `--print` format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    one_line: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Topic,
    Partition,
    Offset,
    TimeMs,
    Date,
    Key,
    Value,
    KeyBytes,
    ValueBytes,
    Headers,
}

impl Pattern {
    /// Date, place, key and value, each record on one line.
    pub fn line() -> Self {
        let text = |text: &str| Piece::Text(text.to_owned());
        let pieces = vec![
            Piece::Date,
            text(" "),
            Piece::Topic,
            text("/"),
            Piece::Partition,
            text("@"),
            Piece::Offset,
            text(" "),
            Piece::Key,
            text(" "),
            Piece::Value,
            text("\n"),
        ];
        Self { pieces, one_line: true }
    }

    /// Whether headers are written.
    pub fn has_headers(&self) -> bool {
        self.pieces.contains(&Piece::Headers)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(format: &str) -> Result<Self, String> {
        match format {
            "line" => return Ok(Self::line()),
            "value" => return "%s\\n".parse(),
            _ => {}
        }
        let (mut pieces, mut text, mut letters) = (Vec::new(), String::new(), format.chars());
        while let Some(letter) = letters.next() {
            let piece = match (letter, letter == '%' || letter == '\\') {
                (_, false) => {
                    text.push(letter);
                    continue;
                }
                (lead, true) => match directive(lead, letters.next())? {
                    Directive::Text(letter) => {
                        text.push(letter);
                        continue;
                    }
                    Directive::Piece(piece) => piece,
                },
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(piece);
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { pieces, one_line: false })
    }
}

enum Directive {
    Text(char),
    Piece(Piece),
}

fn directive(lead: char, letter: Option<char>) -> Result<Directive, String> {
    use Directive::{Piece as P, Text};
    Ok(match (lead, letter) {
        ('%', Some('t')) => P(Piece::Topic),
        ('%', Some('p')) => P(Piece::Partition),
        ('%', Some('o')) => P(Piece::Offset),
        ('%', Some('T')) => P(Piece::TimeMs),
        ('%', Some('d')) => P(Piece::Date),
        ('%', Some('k')) => P(Piece::Key),
        ('%', Some('s')) => P(Piece::Value),
        ('%', Some('K')) => P(Piece::KeyBytes),
        ('%', Some('S')) => P(Piece::ValueBytes),
        ('%', Some('h')) => P(Piece::Headers),
        ('%', Some('%')) => Text('%'),
        ('\\', Some('n')) => Text('\n'),
        ('\\', Some('t')) => Text('\t'),
        ('\\', Some('\\')) => Text('\\'),
        (lead, letter) => {
            let letter = letter.map(String::from).unwrap_or_default();
            return Err(format!("`{lead}{letter}` is not known; known are line, value, or {LETTERS}"));
        }
    })
}

/// Writes records by a pattern.
#[derive(Debug)]
pub struct Printer {
    pattern: Pattern,
    terminal: bool,
    clock: Clock,
}

impl Printer {
    /// A printer for a pipe, or for a terminal that must be kept from control characters.
    pub fn new(pattern: Pattern, terminal: bool) -> Self {
        Self { pattern, terminal, clock: Clock::default() }
    }

    /// Writes one record.
    pub fn write(&mut self, to: &mut impl Write, record: &Record) -> io::Result<()> {
        for piece in &self.pattern.pieces {
            match piece {
                Piece::Text(text) => to.write_all(text.as_bytes())?,
                Piece::Topic => to.write_all(record.topic.as_bytes())?,
                Piece::Partition => write!(to, "{}", record.partition)?,
                Piece::Offset => write!(to, "{}", record.offset)?,
                Piece::TimeMs => write!(to, "{}", record.timestamp_ms.unwrap_or(-1))?,
                Piece::Date => match record.timestamp_ms {
                    Some(timestamp_ms) => self.clock.write(to, timestamp_ms)?,
                    None => to.write_all(b"-")?,
                },
                Piece::Key => bytes(to, record.key.as_deref(), self.terminal, self.pattern.one_line)?,
                Piece::Value => bytes(to, record.value.as_deref(), self.terminal, self.pattern.one_line)?,
                Piece::KeyBytes => write!(to, "{}", record.key.as_ref().map_or(-1, |key| key.len() as i64))?,
                Piece::ValueBytes => {
                    write!(to, "{}", record.value.as_ref().map_or(-1, |_| record.value_bytes as i64))?;
                }
                Piece::Headers => headers(to, &record.headers, self.terminal)?,
            }
        }
        Ok(())
    }
}

/// Key or value: as it is into a pipe; on one line, or on a terminal, without control characters.
fn bytes(to: &mut impl Write, bytes: Option<&[u8]>, terminal: bool, one_line: bool) -> io::Result<()> {
    match bytes {
        None if one_line => to.write_all(b"null"),
        None => Ok(()),
        Some(bytes) if terminal => visible(to, bytes, one_line),
        Some(bytes) if one_line => flat(to, bytes),
        Some(bytes) => to.write_all(bytes),
    }
}

fn flat(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    for run in bytes.split_inclusive(|byte| byte.is_ascii_control()) {
        match run.split_last() {
            Some((last, rest)) if last.is_ascii_control() => {
                to.write_all(rest)?;
                to.write_all(b" ")?;
            }
            _ => to.write_all(run)?,
        }
    }
    Ok(())
}

fn visible(to: &mut impl Write, bytes: &[u8], one_line: bool) -> io::Result<()> {
    for letter in String::from_utf8_lossy(bytes).chars() {
        match letter {
            '\n' | '\t' if !one_line => write!(to, "{letter}")?,
            '\n' | '\r' | '\t' => to.write_all(b" ")?,
            letter if letter.is_control() => to.write_all("\u{fffd}".as_bytes())?,
            letter => write!(to, "{letter}")?,
        }
    }
    Ok(())
}

fn headers(to: &mut impl Write, headers: &Headers, terminal: bool) -> io::Result<()> {
    for (at, (name, value)) in headers.iter().enumerate() {
        if at > 0 {
            to.write_all(b",")?;
        }
        bytes(to, Some(name.as_bytes()), terminal, true)?;
        to.write_all(b"=")?;
        bytes(to, value.as_deref(), terminal, true)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::json::tests::record;
    use super::*;

    fn printed(format: &str, terminal: bool, record: &Record) -> String {
        let mut written = Vec::new();
        let mut printer = Printer::new(format.parse().expect("a format"), terminal);
        printer.write(&mut written, record).expect("a buffer takes it");
        String::from_utf8_lossy(&written).into_owned()
    }

    #[test]
    fn every_letter_prints_its_part() {
        let headers = vec![("a".into(), Some(b"1".to_vec())), ("b".into(), None)];
        let record = record(Some(b"key"), Some(b"value"), headers);
        assert_eq!(
            printed(r"%t|%p|%o|%T|%d|%k|%s|%K|%S|%h|%%\t\\\n", false, &record),
            "orders|2|17|1795253178123|2026-11-21T09:26:18.123Z|key|value|3|5|a=1,b=null|%\t\\\n"
        );
    }

    #[test]
    fn a_line_is_one_line_whatever_the_value_holds() {
        let record = record(None, Some(b"{\n\t\"a\": 1\r\n}"), Vec::new());
        assert_eq!(printed("line", false, &record), "2026-11-21T09:26:18.123Z orders/2@17 null {  \"a\": 1  }\n");
        assert_eq!(printed("value", false, &record), "{\n\t\"a\": 1\r\n}\n");
    }

    #[test]
    fn a_terminal_gets_no_escape_from_a_topic() {
        let record = record(Some(b"\x1b[2J"), Some("a\u{9b}31mb\x07".as_bytes()), Vec::new());
        assert_eq!(printed("%k %s", true, &record), "\u{fffd}[2J a\u{fffd}31mb\u{fffd}");
        assert_eq!(printed("%k", false, &record), "\x1b[2J");
    }

    #[test]
    fn an_unknown_letter_is_refused_by_name() {
        assert!(Pattern::from_str("%x").expect_err("unknown").starts_with("`%x` is not known"));
        assert!(Pattern::from_str("a%").expect_err("unfinished").starts_with("`%` is not known"));
    }
}
