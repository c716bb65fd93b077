//! What is typed after `/`: fuzzy matching of rows, and where the letters matched. It owns no rows.

use std::fmt;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use unicode_segmentation::UnicodeSegmentation;

use super::input::Input;

/// A filter being typed or in force.
pub struct Search {
    input: Input,
    typing: bool,
    pattern: Pattern,
    matcher: Matcher,
    letters: Vec<char>,
    /// Grows with each change of the text.
    revision: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            input: Input::default(),
            typing: false,
            pattern: Pattern::default(),
            matcher: Matcher::new(Config::DEFAULT),
            letters: Vec::new(),
            revision: 0,
        }
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("input", &self.input).field("typing", &self.typing).finish_non_exhaustive()
    }
}

impl Search {
    /// What is looked for.
    pub fn text(&self) -> &str {
        self.input.text()
    }

    /// The line being typed, for drawing.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Whether keys go into the filter.
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// Whether rows are filtered.
    pub fn is_active(&self) -> bool {
        !self.pattern.atoms.is_empty()
    }

    /// Changes whenever the text does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Lets keys go into the filter.
    pub fn start(&mut self) {
        self.typing = true;
    }

    /// Forgets the filter.
    pub fn clear(&mut self) {
        self.typing = false;
        self.set("");
    }

    /// Looks for this.
    pub fn set(&mut self, text: &str) {
        self.input.set(text);
        self.renew();
    }

    /// Adds pasted text where something is being typed.
    pub fn paste(&mut self, text: &str) -> bool {
        if self.typing {
            self.input.insert(text);
            self.renew();
        }
        self.typing
    }

    /// Takes a key: `/` begins, Enter keeps the filter, Esc drops it; letters while typing. `false` for any other.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Esc if self.typing || self.is_active() => self.clear(),
            KeyCode::Enter if self.typing => self.typing = false,
            KeyCode::Char('/') if !self.typing && key.modifiers.is_empty() => self.start(),
            _ if self.typing => {
                let before = self.input.text().len();
                if !self.input.key(key) {
                    return false;
                }
                if self.input.text().len() != before {
                    self.renew();
                }
            }
            _ => return false,
        }
        true
    }

    /// How well a row matches; `None` where it does not.
    pub fn score(&mut self, row: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(row, &mut self.letters), &mut self.matcher)
    }

    /// Bytes of the row at which matched letters begin, ascending; empty where nothing is looked for.
    pub fn matched(&mut self, row: &str) -> Vec<usize> {
        let mut graphemes = Vec::new();
        if self.is_active() {
            self.pattern.indices(Utf32Str::new(row, &mut self.letters), &mut self.matcher, &mut graphemes);
        }
        graphemes.sort_unstable();
        graphemes.dedup();
        if row.is_ascii() && !row.contains("\r\n") {
            return graphemes.into_iter().map(|at| at as usize).collect();
        }
        let starts: Vec<usize> = row.grapheme_indices(true).map(|(at, _)| at).collect();
        graphemes.into_iter().filter_map(|at| starts.get(at as usize).copied()).collect()
    }

    fn renew(&mut self) {
        self.pattern.reparse(self.input.text(), CaseMatching::Smart, Normalization::Smart);
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    fn press(search: &mut Search, code: KeyCode) -> bool {
        search.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn letters_in_order_match_and_are_told_by_byte() {
        let mut search = Search::default();
        search.set("cuup");
        assert!(search.score("customer_update").is_some());
        assert!(search.score("payment_captured").is_none());
        assert_eq!(search.matched("customer_update"), [0, 1, 9, 10]);
        search.set("b");
        assert_eq!(search.matched("éb"), [2]);
    }

    #[test]
    fn slash_begins_enter_keeps_and_escape_drops() {
        let mut search = Search::default();
        assert!(!press(&mut search, KeyCode::Char('j')), "keys are the list's until a slash");
        for code in [KeyCode::Char('/'), KeyCode::Char('j'), KeyCode::Char('/'), KeyCode::Enter] {
            assert!(press(&mut search, code));
        }
        assert_eq!((search.text(), search.is_typing()), ("j/", false));
        assert!(press(&mut search, KeyCode::Esc) && !search.is_active());
        assert!(!press(&mut search, KeyCode::Esc), "a second Esc is for the layer below");
    }
}
