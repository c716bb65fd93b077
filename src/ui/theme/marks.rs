//! The signs that the console draws beside its words, what each means, and its plain ASCII stand-in. Drawing always uses
//! the sign; a terminal that cannot show it gets the stand-in in one last pass over the finished frame.

use ratatui::buffer::Buffer;

/// Connected, enabled, chosen.
pub const ON: &str = "●";
/// Disconnected, disabled, not chosen.
pub const OFF: &str = "○";
/// Half way: connecting or disconnecting.
pub const HALF: &str = "◐";
/// Ended well.
pub const DONE: &str = "✓";
/// Failed.
pub const FAILED: &str = "✖";
/// At work.
pub const RUNNING: &str = "▶";
/// Held.
pub const PAUSED: &str = "‖";
/// An open branch.
pub const OPEN: &str = "▾";
/// A closed branch.
pub const CLOSED: &str = "▸";
/// There is more to the left.
pub const LEFT: &str = "◂";
/// More above.
pub const ABOVE: &str = "▲";
/// More below.
pub const BELOW: &str = "▼";
/// Words were cut.
pub const ELLIPSIS: &str = "…";
/// Stands between two facts.
pub const DOT: &str = "·";
/// From here to there.
pub const ARROW: &str = "→";
/// The key Enter.
pub const ENTER: &str = "↵";
/// The bar left of a marked line.
pub const BAR: &str = "▎";
/// Eighths of a cell, for rates drawn in a line of text.
pub const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Sign, stand-in, and what `?` says about it.
pub const MEANINGS: [(&str, &str, &str); 13] = [
    (ON, "*", "connected, enabled or chosen"),
    (OFF, "o", "disconnected, disabled or not chosen"),
    (HALF, "%", "connecting or disconnecting"),
    (DONE, "+", "ended well"),
    (FAILED, "x", "failed"),
    (RUNNING, ">", "at work"),
    (PAUSED, "=", "held"),
    (OPEN, "v", "an open branch"),
    (CLOSED, ">", "a closed branch"),
    (ABOVE, "^", "sorted upwards, or more above"),
    (BELOW, "v", "sorted downwards, or more below"),
    (ELLIPSIS, "~", "words were cut here"),
    ("▂", ".", "the last rates, oldest first"),
];

/// Whether the terminal shows more than ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marks {
    /// Signs as they are.
    #[default]
    Unicode,
    /// Every sign as its stand-in.
    Ascii,
}

impl Marks {
    /// What the locale says; `variable` looks up a variable of the process.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        // The order in which the C library looks.
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
        match locale.map(|text| text.to_ascii_lowercase()) {
            Some(text) if text.contains("utf-8") || text.contains("utf8") => Self::Unicode,
            Some(_) => Self::Ascii,
            // No locale at all says nothing about a terminal; those of today are UTF-8, the Linux console is not.
            None if variable("TERM").as_deref() == Some("linux") => Self::Ascii,
            None => Self::Unicode,
        }
    }

    /// Replaces what the terminal cannot show, cell by cell; the layout stays as it is.
    pub fn finish(self, buffer: &mut Buffer) {
        if self == Self::Unicode {
            return;
        }
        for cell in buffer.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
            let plain = plain(cell.symbol());
            cell.set_symbol(plain);
        }
    }
}

/// The ASCII stand-in of one cell's content; `?` for letters that have none.
pub fn plain(symbol: &str) -> &'static str {
    if let Some((_, plain, _)) = MEANINGS.iter().find(|(sign, _, _)| *sign == symbol) {
        return plain;
    }
    match symbol.chars().next().unwrap_or(' ') {
        '·' | '∙' => "-",
        '→' | '▷' => ">",
        '←' | '◂' | '◀' => "<",
        '↑' => "^",
        '↓' => "v",
        '↵' => "E",
        '−' | '–' | '—' => "-",
        '×' => "x",
        'µ' | 'μ' => "u",
        '«' | '“' | '”' | '»' => "\"",
        '‘' | '’' => "'",
        ' ' | '\u{2800}' => " ",
        '▎' | '▏' | '▌' | '▐' | '│' | '┃' | '║' | '╎' | '┆' | '┊' => "|",
        '─' | '╌' | '┄' | '┈' => "-",
        '▁' => "_",
        '▃' => ":",
        '▄' => "-",
        '▅' => "=",
        '▆' => "+",
        '▇' => "*",
        '█' => "#",
        '━' | '═' => "=",
        '░' => ".",
        '▒' => ":",
        '▓' => "%",
        '\u{2500}'..='\u{257f}' => "+",
        '\u{2580}'..='\u{259f}' => "#",
        // Braille of charts: one dot low, one dot high, many.
        dots @ '\u{2801}'..='\u{28ff}' => match (dots as u32 - 0x2800).count_ones() {
            1 => ".",
            2 => ":",
            _ => "*",
        },
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn the_locale_decides_and_the_first_of_three_variables_wins() {
        let marks = |pairs: &[(&str, &str)]| {
            Marks::detect(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(marks(&[("LANG", "en_GB.UTF-8")]), Marks::Unicode);
        assert_eq!(marks(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]), Marks::Ascii);
        assert_eq!(marks(&[("LC_ALL", ""), ("LANG", "C.utf8")]), Marks::Unicode);
        assert_eq!(marks(&[("TERM", "linux")]), Marks::Ascii);
        assert_eq!(marks(&[]), Marks::Unicode);
    }

    #[test]
    fn every_sign_has_a_stand_in_that_is_ascii_and_not_a_question_mark() {
        let signs =
            [ON, OFF, HALF, DONE, FAILED, RUNNING, PAUSED, OPEN, CLOSED, LEFT, ABOVE, BELOW, ELLIPSIS, DOT, ARROW];
        for sign in signs.into_iter().chain([ENTER, BAR, "┌", "┤", "⡇"]).chain(BLOCKS) {
            assert!(plain(sign).is_ascii() && plain(sign) != "?" && plain(sign).len() == 1, "{sign}");
        }
    }

    #[test]
    fn a_frame_for_an_ascii_terminal_holds_nothing_else_and_keeps_its_columns() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, "● qa ▾ 3 ✖ → é 漢x", Style::new());
        Marks::Ascii.finish(&mut buffer);
        let line: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(line, "* qa v 3 x > ? ? x  ");
    }
}
