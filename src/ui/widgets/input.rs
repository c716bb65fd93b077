//! One line of typing: a text, a caret, and the usual keys. What the text means is its owner's business.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use unicode_segmentation::UnicodeSegmentation;

use super::text;
use crate::ui::theme::{Role, Theme};

/// Longest line that can be typed, bytes: longer texts are edited in an editor.
pub const INPUT_BYTES_MAX: usize = 4_096;

/// A line being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    /// Byte at which the caret stands; always between two letters.
    caret: usize,
    /// Whether all of it is selected: what is typed next replaces it.
    selected: bool,
}

impl Input {
    /// A line with its caret at the end.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { caret: text.len(), text, selected: false }
    }

    /// What is typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Byte at which the caret stands.
    pub fn caret(&self) -> usize {
        self.caret
    }

    /// Puts another text in the place of these bytes, and the caret into it.
    pub fn replace(&mut self, range: std::ops::Range<usize>, text: &str, caret: usize) {
        let fits = self.text.len() - range.len() + text.len() <= INPUT_BYTES_MAX;
        let is_whole = self.text.is_char_boundary(range.start) && self.text.is_char_boundary(range.end);
        if fits && is_whole && text.is_char_boundary(caret) {
            self.text.replace_range(range.clone(), text);
            (self.caret, self.selected) = (range.start + caret, false);
        }
    }

    /// Replaces the whole text; the caret goes to its end.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self::new(text);
    }

    /// Selects all of it, so that what is typed next replaces it.
    pub fn select(&mut self) {
        self.selected = !self.text.is_empty();
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.set("");
    }

    /// Adds text at the caret, as typed or pasted; line ends become spaces.
    pub fn insert(&mut self, text: &str) {
        if std::mem::take(&mut self.selected) {
            self.delete(0, self.text.len());
        }
        for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
            if self.text.len() + letter.len_utf8() > INPUT_BYTES_MAX {
                return;
            }
            self.text.insert(self.caret, letter);
            self.caret += letter.len_utf8();
        }
    }

    /// Takes a key; `false` where it means nothing to a line.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if self.selected && matches!(key.code, KeyCode::Backspace | KeyCode::Delete) {
            self.clear();
            return true;
        }
        let selected = self.selected;
        let taken = self.change(key, control);
        // A letter has replaced what was selected; any other key leaves the text and drops the selection.
        self.selected = selected && !taken;
        taken
    }

    fn change(&mut self, key: KeyEvent, control: bool) -> bool {
        match key.code {
            KeyCode::Char('u') if control => self.delete(0, self.caret),
            KeyCode::Char('k') if control => self.delete(self.caret, self.text.len()),
            KeyCode::Char('w') if control => self.delete(self.word_before(), self.caret),
            KeyCode::Char('a') if control => self.caret = 0,
            KeyCode::Char('e') if control => self.caret = self.text.len(),
            KeyCode::Char(letter) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.insert(letter.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace => self.delete(self.before(), self.caret),
            KeyCode::Delete => self.delete(self.caret, self.after()),
            KeyCode::Left if control => self.caret = self.word_before(),
            KeyCode::Right if control => self.caret = self.word_after(),
            KeyCode::Left => self.caret = self.before(),
            KeyCode::Right => self.caret = self.after(),
            KeyCode::Home => self.caret = 0,
            KeyCode::End => self.caret = self.text.len(),
            _ => return false,
        }
        true
    }

    /// Draws the line on the first row of `area`, scrolled so that the caret is seen; the caret only where `focused`.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        if area.is_empty() {
            return;
        }
        let cells = usize::from(area.width);
        let before = &self.text[..self.caret];
        // One cell stays free for the caret behind the last letter.
        let shown_before = match text::width(before) < cells {
            true => before.into(),
            false => text::fit_end(before, cells - 1),
        };
        let caret = area.x + text::width(&shown_before) as u16;
        buffer.set_stringn(area.x, area.y, &shown_before, cells, theme.role(Role::Text));
        let room = cells - text::width(&shown_before);
        buffer.set_stringn(caret, area.y, text::fit(&self.text[self.caret..], room), room, theme.role(Role::Text));
        if focused && self.selected {
            let cells = text::width(&self.text).min(cells) as u16;
            buffer.set_style(Rect { width: cells, height: 1, ..area }, theme.role(Role::Selection));
        }
        if focused && let Some(cell) = buffer.cell_mut((caret, area.y)) {
            cell.modifier.insert(Modifier::REVERSED);
        }
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.caret = from;
    }

    fn before(&self) -> usize {
        self.text[..self.caret].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.caret + self.text[self.caret..].graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        self.text[..self.caret].unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let rest = &self.text[self.caret..];
        rest.unicode_word_indices().next().map_or(self.text.len(), |(at, word)| self.caret + at + word.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[(KeyCode, KeyModifiers)]) -> Input {
        let mut input = Input::new("héllo wörld");
        for (code, modifiers) in keys {
            input.key(KeyEvent::new(*code, *modifiers));
        }
        input
    }

    #[test]
    fn the_usual_keys_edit_a_line_letter_by_letter_and_word_by_word() {
        const NONE: KeyModifiers = KeyModifiers::NONE;
        const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
        assert_eq!(typed(&[(KeyCode::Backspace, NONE)]).text(), "héllo wörl");
        assert_eq!(typed(&[(KeyCode::Char('w'), CONTROL)]).text(), "héllo ");
        assert_eq!(typed(&[(KeyCode::Home, NONE), (KeyCode::Delete, NONE)]).text(), "éllo wörld");
        assert_eq!(typed(&[(KeyCode::Left, CONTROL), (KeyCode::Char('u'), CONTROL)]).text(), "wörld");
        assert_eq!(
            typed(&[(KeyCode::Home, NONE), (KeyCode::Right, NONE), (KeyCode::Char('x'), NONE)]).text(),
            "hxéllo wörld"
        );
        assert_eq!(typed(&[(KeyCode::Char('u'), CONTROL), (KeyCode::Backspace, NONE)]).text(), "");
    }

    #[test]
    fn what_is_typed_replaces_what_is_selected_and_moving_keeps_it() {
        let mut input = Input::new("1");
        input.select();
        for digit in "1000".chars() {
            input.key(KeyEvent::new(KeyCode::Char(digit), KeyModifiers::NONE));
        }
        assert_eq!(input.text(), "1000");
        input.select();
        input.key(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
        input.key(KeyEvent::new(KeyCode::Char('0'), KeyModifiers::NONE));
        assert_eq!(input.text(), "10000");
        input.select();
        input.key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        assert_eq!(input.text(), "");
    }

    #[test]
    fn a_paste_is_one_line_and_bounded() {
        let mut input = Input::default();
        input.insert("a\nb");
        assert_eq!(input.text(), "a b");
        input.insert(&"é".repeat(INPUT_BYTES_MAX));
        assert!(input.text().len() <= INPUT_BYTES_MAX);
    }

    #[test]
    fn the_caret_is_always_on_the_screen() {
        let mut input = Input::new("0123456789abcdef");
        let area = Rect::new(0, 0, 8, 1);
        let mut buffer = Buffer::empty(area);
        input.draw(area, &mut buffer, &Theme::default(), true);
        assert!(buffer.content[7].modifier.contains(Modifier::REVERSED));
        input.key(KeyEvent::new(KeyCode::Home, KeyModifiers::NONE));
        let mut buffer = Buffer::empty(area);
        input.draw(area, &mut buffer, &Theme::default(), true);
        let line: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(line, "0123456…");
        assert!(buffer.content[0].modifier.contains(Modifier::REVERSED));
    }
}
