//! Reads `.env` with dotenvy and adds what it does not tell: the line of each entry. It never quotes a line in a fault, and
//! never changes the process environment.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::core::fault::{Blame, Fault, Place};

/// Names, values and places in the order of the file, and a fault for every line that is no assignment or loses a `$`.
pub fn parse(file: &str, text: &str) -> (Vec<(String, String, Place)>, Vec<Fault>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let read = Rc::new(Cell::new(0));
    let mut iterator = dotenvy::Iter::new(Lines { lines: lines.clone(), read: Rc::clone(&read), begun: 0 });
    let (mut entries, mut faults) = (Vec::<(String, String, Place)>::new(), Vec::new());
    loop {
        let before = read.get();
        let Some(entry) = iterator.next() else { break };
        let first = before + lines[before..read.get()].iter().take_while(|line| says_nothing(line)).count();
        let statement = &lines[first..read.get()];
        let place = Place::at(file, first as u32 + 1, 1);
        match entry {
            Ok((name, value)) => {
                let known = |wanted: &str| entries.iter().any(|(name, ..)| name == wanted);
                faults.extend(lost(statement, known).map(|lost| nothing_there(&name, lost).at(place.clone())));
                entries.push((name, value, place));
            }
            // The error quotes the line, and the line may hold a password.
            Err(_) => faults.push(
                Fault::new(Blame::Configuration, "this line is no assignment that dotenv can read")
                    .at(place)
                    .next("write NAME=value, NAME=\"a value\" or NAME='taken as it is'"),
            ),
        }
    }
    (entries, faults)
}

fn says_nothing(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The first `$NAME` or `${NAME}` of an assignment that dotenv replaced by nothing: passwords contain `$`.
fn lost(statement: &[&str], known: impl Fn(&str) -> bool) -> Option<String> {
    let text = statement.concat();
    let (_, value) = text.split_once('=')?;
    let (mut single, mut double, mut letters) = (false, false, value.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if !single => _ = letters.next(),
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '$' if !single => {
                let rest = value[at + 1..].trim_start_matches('{');
                let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric()).collect();
                if std::env::var_os(&name).is_none() && !known(&name) {
                    return Some(name);
                }
            }
            _ => {}
        }
    }
    None
}

fn nothing_there(name: &str, lost: String) -> Fault {
    // What follows the `$` may be a piece of a password: it is counted, not quoted.
    let letters = lost.chars().count();
    Fault::new(
        Blame::Configuration,
        format!(
            "the value of `{name}` has a `$` that names no variable ({letters} letters), and nothing was put there"
        ),
    )
    .next("write the value in single quotes, where `$` is a letter like any other")
}

/// Hands out no more than the rest of one line a read, so that the lines taken for an entry can be counted.
struct Lines<'a> {
    lines: Vec<&'a str>,
    /// Lines handed out whole.
    read: Rc<Cell<usize>>,
    /// Bytes handed out of the line after those.
    begun: usize,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(line) = self.lines.get(self.read.get()) else { return Ok(0) };
        let rest = &line.as_bytes()[self.begun..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.begun += count;
        if count == rest.len() {
            self.begun = 0;
            self.read.set(self.read.get() + 1);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String, u32)> {
        let (entries, faults) = parse(".env", text);
        assert!(faults.is_empty(), "{faults:?}");
        entries.into_iter().map(|(name, value, place)| (name, value, place.line)).collect()
    }

    #[test]
    fn a_value_arrives_as_dotenv_says() {
        for (line, value) in [
            ("A=b", "b"),
            ("A = b # note", "b"),
            ("export A=b#c", "b#c"),
            ("A='pa$sw${o}rd'", "pa$sw${o}rd"),
            ("A=pa\\$sword", "pa$sword"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=\"b # c\" # note", "b # c"),
            ("A=\"q\\\"uote\\nline \\\\\"", "q\"uote\nline \\"),
            ("A='single \\n \"'", "single \\n \""),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A=a:b{{c}}", "a:b{{c}}"),
            ("\u{feff}A=b\r\n", "b"),
        ] {
            assert_eq!(values(line), [("A".to_owned(), value.to_owned(), 1)], "{line}");
        }
    }

    #[test]
    fn lines_are_counted_over_values_that_span_several() {
        let found = values("# one\n\nA=\"x\ny\"\nB=2\n");
        assert_eq!(found, [("A".into(), "x\ny".into(), 3), ("B".into(), "2".into(), 5)]);
    }

    #[test]
    fn a_long_value_is_one_value() {
        let long = "x".repeat(100_000);
        assert_eq!(values(&format!("A={long}\nB=2"))[0].1, long);
        assert_eq!(values(&format!("A={long}\nB=2"))[1].2, 2);
    }

    #[test]
    fn an_earlier_entry_may_be_named_and_a_dollar_that_names_nothing_is_told() {
        assert_eq!(values("HOSTNAM=kafka\nB=${HOSTNAM}:9092")[1].1, "kafka:9092");
        let (_, faults) = parse(".env", "\nPASSWORD=pa$canary\n");
        let told = faults.iter().map(ToString::to_string).collect::<String>();
        assert!(told.starts_with(".env:2:1: the value of `PASSWORD` has a `$` that names no variable"), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }

    #[test]
    fn a_bad_line_is_named_never_quoted_and_hides_no_other() {
        let (entries, faults) = parse(".env", "canary\n1A=canary\nB=2\nC=\"x\" canary\nD=4\n");
        assert_eq!(entries.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["B", "D"]);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let places: Vec<&str> = told.iter().map(|fault| &fault[..8]).collect();
        assert_eq!(places, [".env:1:1", ".env:2:1", ".env:4:1"]);
        assert!(!told.concat().contains("canary"), "{told:?}");
    }
}
