//! Words made to fit: widths in cells, cuts that show an ellipsis, and records' bytes made safe for a terminal.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::ui::theme::marks::ELLIPSIS;

/// Cells that a text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text in at most `cells`, with an ellipsis where its end is cut.
pub fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    // A text far longer than the screen is not measured to its end.
    let start = head(text, cells.saturating_add(1));
    if start.len() == text.len() && width(start) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}{ELLIPSIS}", head(text, cells - 1)))
}

/// The text in at most `cells`, with an ellipsis where its beginning is cut: for paths, where the end tells more.
pub fn fit_end(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut room = cells - 1;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let wide = width(grapheme);
        if wide > room {
            break;
        }
        room -= wide;
        start = at;
    }
    Cow::Owned(format!("{ELLIPSIS}{}", &text[start..]))
}

/// The longest beginning of at most `cells`, uncut letters only.
pub fn head(text: &str, cells: usize) -> &str {
    if text.is_ascii() {
        return &text[..text.len().min(cells)];
    }
    let mut room = cells;
    for (at, grapheme) in text.grapheme_indices(true) {
        let wide = width(grapheme);
        if wide > room {
            return &text[..at];
        }
        room -= wide;
    }
    text
}

/// One line of at most `letters_max` letters that is safe to draw: line ends and tabs become spaces; control letters,
/// and those that turn the direction of writing or take no room, become dots.
pub fn one_line(text: &str, letters_max: usize) -> String {
    text.chars().take(letters_max).map(harmless).collect()
}

/// Bytes as one line of at most `letters_max` letters; what is not UTF-8 becomes `\u{fffd}`.
pub fn one_line_of(bytes: &[u8], letters_max: usize) -> String {
    // Four bytes a letter at most: no more of a large value is looked at.
    let head = &bytes[..bytes.len().min(letters_max.saturating_mul(4))];
    one_line(&String::from_utf8_lossy(head), letters_max)
}

/// A letter that a terminal draws as one, in place of one that it would obey.
pub fn harmless(letter: char) -> char {
    match letter {
        '\n' | '\r' | '\t' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => '·',
        letter if letter.is_control() => '·',
        letter => letter,
    }
}

/// Lines of at most `cells`, broken between words where possible.
pub fn wrapped(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            let mut word = word;
            if width(&line) + width(word.trim_end()) > cells && !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            while width(&line) + width(word.trim_end()) > cells {
                let room = cells - width(&line).min(cells);
                let start = match head(word, room) {
                    // A letter wider than the line still has to go somewhere.
                    "" => word.graphemes(true).next().unwrap_or_default(),
                    start => start,
                };
                lines.push(format!("{line}{start}"));
                line.clear();
                word = &word[start.len()..];
            }
            line.push_str(word);
        }
        if !line.is_empty() || paragraph.is_empty() {
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_always_shows_and_never_splits_a_letter() {
        assert_eq!(fit("customer_update", 15), "customer_update");
        assert_eq!(fit("customer_update", 8), "custome…");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("漢字漢字", 4), "漢…");
        assert_eq!(fit("ab", 0), "");
        assert_eq!(fit_end("config/etl/customer.yaml", 14), "…customer.yaml");
        assert_eq!(fit_end("漢字", 3), "…字");
    }

    #[test]
    fn bytes_of_a_record_cannot_command_the_terminal() {
        let line = one_line_of("a\x1b[31m\nb\u{202e}\tc\u{9b}".as_bytes(), 80);
        assert_eq!(line, "a·[31m b· c·");
        assert_eq!(one_line_of(&[0xff, b'x'], 80), "\u{fffd}x");
        assert_eq!(one_line_of(&vec![b'a'; 50_000_000], 5), "aaaaa");
    }

    #[test]
    fn words_wrap_and_a_long_one_is_broken() {
        assert_eq!(wrapped("topic `orders` does not exist", 12), ["topic", "`orders`", "does not", "exist"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("漢字", 1), ["漢", "字"]);
        assert_eq!(wrapped("one\n\ntwo", 9), ["one", "", "two"]);
    }
}
