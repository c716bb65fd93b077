//! The input of `produce` cut into pieces: lines, or the whole. A piece is never longer than Kafka could carry.

use std::io::{self, BufRead, Read};

use super::form::Input;

/// Longer than any message a broker is set up to take; without an end, a missing line break would fill the memory.
pub const PIECE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Pieces of an input, in order.
pub struct Pieces<R> {
    reader: R,
    input: Input,
    ended: bool,
}

impl<R: BufRead> Pieces<R> {
    /// The pieces of what a reader gives.
    pub fn new(reader: R, input: Input) -> Self {
        Self { reader, input, ended: false }
    }
}

impl<R: BufRead> Iterator for Pieces<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut piece = Vec::new();
        let mut bounded = self.reader.by_ref().take(PIECE_BYTES_MAX + 1);
        let read = match self.input {
            Input::Whole => bounded.read_to_end(&mut piece),
            Input::Lines | Input::Jsonl => bounded.read_until(b'\n', &mut piece),
        };
        self.ended = self.input == Input::Whole;
        match read {
            Ok(0) if !self.ended => None,
            Ok(bytes) if bytes as u64 > PIECE_BYTES_MAX => {
                self.ended = true;
                Some(Err(io::Error::other(format!("longer than {PIECE_BYTES_MAX} bytes"))))
            }
            Ok(_) => {
                if !self.ended && piece.last() == Some(&b'\n') {
                    piece.pop();
                }
                Some(Ok(piece))
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, input: Input) -> Vec<String> {
        Pieces::new(text.as_bytes(), input)
            .map(|piece| String::from_utf8(piece.expect("readable")).expect("text"))
            .collect()
    }

    #[test]
    fn lines_end_with_a_break_or_with_the_input() {
        assert_eq!(pieces("a\n\nb\r\nc", Input::Lines), ["a", "", "b\r", "c"]);
        assert_eq!(pieces("a\n", Input::Jsonl), ["a"]);
        assert!(pieces("", Input::Lines).is_empty());
    }

    #[test]
    fn the_whole_is_one_piece_even_when_empty() {
        assert_eq!(pieces("a\nb\n", Input::Whole), ["a\nb\n"]);
        assert_eq!(pieces("", Input::Whole), [""]);
    }
}
