//! Looking for words in the text: a line under the editor, and where they are.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::editor::SqlEditor;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{input::Input, text};

/// Places that are remembered: beyond, another letter helps more than a longer list.
const FOUND_MAX: usize = 10_000;

/// What is looked for.
#[derive(Debug, Default)]
pub struct Find {
    input: Input,
    is_open: bool,
    found: Vec<Range<usize>>,
    /// Text and words that the places belong to.
    stamp: Option<(u64, String)>,
}

impl Find {
    /// Opens the line with words in it, all of them selected.
    pub fn open(&mut self, words: &str) {
        if !words.is_empty() && !words.contains('\n') {
            self.input.set(words);
        }
        self.input.select();
        self.is_open = true;
    }

    /// Whether letters go into the line.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Closes the line; nothing is marked any more.
    pub fn close(&mut self) {
        self.is_open = false;
    }

    /// Places of the words in order; none where nothing is looked for.
    pub fn found(&self) -> &[Range<usize>] {
        if self.is_open { &self.found } else { &[] }
    }

    /// Takes a key: Enter and Down go to the next place, Up to the one before.
    pub fn key(&mut self, key: KeyEvent, editor: &mut SqlEditor) {
        match key.code {
            KeyCode::Enter | KeyCode::Down => self.next(editor, true),
            KeyCode::Up => self.next(editor, false),
            _ => {
                self.input.key(key);
                self.refresh(editor);
                let caret = editor.selection().map_or(editor.caret(), |range| range.start);
                if let Some(first) = self.found.iter().find(|range| caret <= range.start).or(self.found.first()) {
                    editor.deselect();
                    editor.go(first.start);
                }
            }
        }
    }

    /// Adds pasted text.
    pub fn paste(&mut self, pasted: &str, editor: &SqlEditor) {
        self.input.insert(pasted);
        self.refresh(editor);
    }

    /// Puts the caret at the next place, or the one before; round the end.
    pub fn next(&mut self, editor: &mut SqlEditor, is_forward: bool) {
        self.refresh(editor);
        let caret = editor.caret();
        let to = match is_forward {
            true => self.found.iter().find(|range| caret < range.start).or(self.found.first()),
            false => self.found.iter().rev().find(|range| range.start < caret).or(self.found.last()),
        };
        if let Some(range) = to {
            editor.deselect();
            editor.go(range.start);
        }
    }

    /// Looks again where the text or the words are others.
    pub fn refresh(&mut self, editor: &SqlEditor) {
        let stamp = (editor.revision(), self.input.text().to_owned());
        if self.stamp.as_ref() == Some(&stamp) {
            return;
        }
        self.found = places(editor.text(), &stamp.1);
        self.stamp = Some(stamp);
    }

    /// Draws the line.
    pub fn draw(&self, editor: &SqlEditor, line: Rect, buffer: &mut Buffer, theme: &Theme) {
        let at =
            self.found.iter().position(|range| editor.caret() <= range.start).map_or(self.found.len(), |at| at + 1);
        let count = match (self.input.is_empty(), self.found.len()) {
            (true, _) => String::new(),
            (false, 0) => "nothing found".to_owned(),
            (false, found) => format!("{}/{found}", at.min(found)),
        };
        let (label, count) = (" find ", format!(" {count} "));
        buffer.set_string(line.x, line.y, label, theme.focused());
        let role = if self.found.is_empty() { Role::Warning } else { Role::Muted };
        let end = line.right().saturating_sub(text::width(&count) as u16);
        buffer.set_string(end, line.y, &count, theme.role(role));
        let left = line.x + label.len() as u16;
        self.input.draw(Rect { x: left, width: end.saturating_sub(left), ..line }, buffer, theme, true);
    }
}

/// Where the words stand; large letters are meant where there are any.
fn places(text: &str, words: &str) -> Vec<Range<usize>> {
    if words.is_empty() {
        return Vec::new();
    }
    let is_exact = words.chars().any(char::is_uppercase);
    let same = |one: char, other: char| one == other || (!is_exact && one.to_lowercase().eq(other.to_lowercase()));
    let end_of = |at: usize| {
        let mut letters = text[at..].chars();
        let mut end = at;
        for wanted in words.chars() {
            let letter = letters.next().filter(|letter| same(*letter, wanted))?;
            end += letter.len_utf8();
        }
        Some(end)
    };
    let mut found = Vec::new();
    let mut behind = 0;
    for (at, _) in text.char_indices() {
        if at < behind || FOUND_MAX <= found.len() {
            continue;
        }
        if let Some(end) = end_of(at) {
            found.push(at..end);
            behind = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_unless_a_large_letter_is_meant() {
        assert_eq!(places("Select a, SELECT b", "select"), [0..6, 10..16]);
        assert_eq!(places("Select a, SELECT b", "SELECT").len(), 1);
        assert_eq!(places("aaaa", "aa"), [0..2, 2..4]);
        assert_eq!(places("größe GRÖSSE", "ö"), [2..4, 10..12]);
        assert!(places("a", "").is_empty());
    }

    #[test]
    fn the_caret_goes_round() {
        let mut editor = SqlEditor::new("a b a", 0);
        let mut find = Find::default();
        find.open("a");
        find.next(&mut editor, true);
        assert_eq!(editor.caret(), 4);
        find.next(&mut editor, true);
        assert_eq!(editor.caret(), 0);
        find.next(&mut editor, false);
        assert_eq!(editor.caret(), 4);
    }
}
