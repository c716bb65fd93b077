//! SQL while it is written: the text with its undo, and what follows from it at every change (tokens, statements, lines). It
//! draws nothing and runs nothing.

use std::ops::Range;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{CursorMove, TextArea};

use super::halves::Halves;
use crate::sql::assist;
use crate::sql::parse::TokenClass;

/// Steps of undo kept: an afternoon of typing.
const UNDO_STEPS_MAX: usize = 2_000;
/// Spaces of one step of indentation.
const INDENT: usize = 2;
/// Bytes of one text: a file of statements is a thousandth of it, and highlighting stays within a frame.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// What a key did to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// Not a key of the editor.
    Ignored,
    /// The caret or the selection moved.
    Moved,
    /// The text is another one.
    Changed,
}

/// A text being written.
#[derive(Debug, Default)]
pub struct SqlEditor {
    area: TextArea<'static>,
    text: String,
    /// Byte at which each line begins.
    starts: Vec<usize>,
    tokens: Vec<(Range<usize>, TokenClass)>,
    statements: Vec<Range<usize>>,
    /// Grows with each change.
    revision: u64,
    /// Texts between the halves of one change.
    halves: Halves,
}

impl SqlEditor {
    /// An editor of this text, its caret at a byte of it.
    pub fn new(text: &str, caret: usize) -> Self {
        let mut area = TextArea::from(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)));
        area.set_max_histories(UNDO_STEPS_MAX);
        area.set_tab_length(INDENT as u8);
        let mut editor = Self { area, ..Self::default() };
        editor.renew();
        editor.go(caret);
        editor
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Grows with each change of the text.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Lines, at least one.
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// Byte at which a line begins, from 0.
    pub fn line_start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The statement under the caret: its number and its bytes.
    pub fn statement(&self) -> Option<(usize, Range<usize>)> {
        let at = assist::statement_of(&self.text, &self.statements, self.caret())?;
        self.statements.get(at).map(|range| (at, range.clone()))
    }

    /// The byte at which the caret stands.
    pub fn caret(&self) -> usize {
        let caret = self.area.cursor();
        self.offset(caret.0, caret.1)
    }

    /// Line and letter of the caret, from 0.
    pub fn place(&self) -> (usize, usize) {
        let caret = self.area.cursor();
        (caret.0, caret.1)
    }

    /// Line and letter of a byte, from 0.
    pub fn place_of(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        (line, self.text[self.line_start(line)..offset].chars().count())
    }

    /// The selected bytes; none where nothing is selected.
    pub fn selection(&self) -> Option<Range<usize>> {
        let (from, to) = self.area.selection_range()?;
        let range = self.offset(from.0, from.1)..self.offset(to.0, to.1);
        (!range.is_empty()).then_some(range)
    }

    /// The selected text; empty where nothing is selected.
    pub fn selected(&self) -> &str {
        self.selection().map_or("", |range| &self.text[range])
    }

    /// Selects nothing.
    pub fn deselect(&mut self) {
        self.area.cancel_selection();
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.area.select_all();
    }

    /// Puts the caret at a byte.
    pub fn go(&mut self, offset: usize) {
        let (line, letter) = self.place_of(offset);
        self.jump(line, letter);
    }

    /// Puts the caret at a line and a letter, from 0; where there is none, at the nearest.
    pub fn jump(&mut self, line: usize, letter: usize) {
        let clamp = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(clamp(line), clamp(letter)));
    }

    /// Selects from where the caret was to a line and a letter, as dragging does.
    pub fn select_to(&mut self, line: usize, letter: usize) {
        if !self.area.is_selecting() {
            self.area.start_selection();
        }
        self.jump(line, letter);
    }

    /// Moves by lines, as Page Up and Page Down do.
    pub fn step(&mut self, lines: isize, selects: bool) {
        if selects && !self.area.is_selecting() {
            self.area.start_selection();
        } else if !selects {
            self.area.cancel_selection();
        }
        let (line, letter) = self.place();
        self.jump(line.saturating_add_signed(lines).min(self.lines().len() - 1), letter);
    }

    /// Takes a key that writes or moves.
    pub fn key(&mut self, key: KeyEvent) -> Typed {
        let before = self.place();
        let selected = self.selection();
        let plain = (key.modifiers - KeyModifiers::SHIFT).is_empty();
        let changed = match key.code {
            KeyCode::Enter => self.break_line(),
            KeyCode::Tab if plain => self.indent(),
            KeyCode::BackTab => self.dedent(),
            KeyCode::Home if plain => {
                self.home(key.modifiers.contains(KeyModifiers::SHIFT));
                false
            }
            KeyCode::Char(_) if plain && TEXT_BYTES_MAX <= self.text.len() => false,
            // What these do in the widget is bound to commands here, or to nothing.
            KeyCode::Char('j' | 'm' | 'v' | 'r' | 'y' | 'x' | 'c' | 'u' | 'n' | 'p' | 'f') if !plain => false,
            KeyCode::PageUp | KeyCode::PageDown => false,
            _ => self.area.input(key),
        };
        if changed {
            self.renew();
            return Typed::Changed;
        }
        let moved = before != self.place() || selected != self.selection();
        if moved { Typed::Moved } else { Typed::Ignored }
    }

    /// Takes back the last change: a word of typing at a time.
    pub fn undo(&mut self) -> bool {
        self.whole(TextArea::undo)
    }

    /// Does again what was taken back.
    pub fn redo(&mut self) -> bool {
        self.whole(TextArea::redo)
    }

    /// A step, and the next one where the first stopped between the two halves of one change.
    fn whole(&mut self, once: impl Fn(&mut TextArea<'static>) -> bool + Copy) -> bool {
        let changed = self.by_words(once);
        if changed && self.halves.has(&self.text) {
            self.by_words(once);
        }
        changed
    }

    /// Puts text at the caret, in the place of what is selected.
    pub fn insert(&mut self, text: &str) -> bool {
        if TEXT_BYTES_MAX < self.text.len() + text.len() {
            return false;
        }
        if let Some(range) = self.selection().filter(|range| !range.is_empty() && !text.is_empty()) {
            self.halves.note(&self.text[..range.start], &self.text[range.end..]);
        }
        let changed = self.area.insert_str(text);
        self.renew();
        changed
    }

    /// Replaces bytes by a text; the caret stands behind it.
    pub fn replace(&mut self, range: Range<usize>, text: &str) -> bool {
        self.area.cancel_selection();
        self.go(range.start);
        if !range.is_empty() {
            self.area.start_selection();
            self.go(range.end);
        }
        self.insert(text)
    }

    /// Takes the selected text out.
    pub fn cut(&mut self) -> Option<String> {
        let range = self.selection()?;
        let text = self.text[range.clone()].to_owned();
        self.replace(range, "");
        Some(text)
    }

    /// The bracket at the caret and its partner, as bytes; the partner is none where it is missing.
    pub fn brackets(&self) -> Option<(usize, Option<usize>)> {
        let caret = self.caret();
        let before = self.text[..caret].chars().next_back().map(|letter| (caret - letter.len_utf8(), letter));
        let here = self.text[caret..].chars().next().map(|letter| (caret, letter));
        let (at, _) =
            [here, before].into_iter().flatten().find(|(at, letter)| is_bracket(*letter) && self.counts(*at))?;
        Some((at, self.partner(at)))
    }

    /// Whether a bracket at a byte is one of SQL, not of a text or a comment.
    fn counts(&self, at: usize) -> bool {
        self.class_at(at).is_none_or(|class| {
            !matches!(class, TokenClass::String | TokenClass::Comment | TokenClass::Annotation | TokenClass::Variable)
        })
    }

    /// What stands at a byte.
    pub fn class_at(&self, at: usize) -> Option<TokenClass> {
        let index = self.tokens.partition_point(|(range, _)| range.end <= at);
        self.tokens.get(index).filter(|(range, _)| range.start <= at).map(|(_, class)| *class)
    }

    fn partner(&self, at: usize) -> Option<usize> {
        let bracket = self.text[at..].chars().next()?;
        let mut depth = 0_i32;
        let mut step = |at: usize, letter: char| {
            if !is_bracket(letter) || !self.counts(at) {
                return false;
            }
            depth += if "([{".contains(letter) { 1 } else { -1 };
            depth == 0
        };
        match "([{".contains(bracket) {
            true => {
                self.text[at..].char_indices().map(|(next, one)| (at + next, one)).find(|(at, one)| step(*at, *one))
            }
            false => self.text[..=at].char_indices().rev().find(|(at, one)| step(*at, *one)),
        }
        .map(|(at, _)| at)
    }

    /// A new line with the indentation of this one, and a step more after an open bracket.
    fn break_line(&mut self) -> bool {
        let (line, letter) = self.place();
        let head: String = self.lines()[line].chars().take(letter).collect();
        let mut spaces = head.chars().take_while(|letter| *letter == ' ').count();
        if head.trim_end().ends_with(['(', '[', '{']) {
            spaces += INDENT;
        }
        self.area.insert_str(format!("\n{}", " ".repeat(spaces)))
    }

    /// Selected lines a step to the right; else spaces up to the next step.
    fn indent(&mut self) -> bool {
        let Some(lines) = self.selected_lines() else {
            let (_, letter) = self.place();
            return self.area.insert_str(" ".repeat(INDENT - letter % INDENT));
        };
        self.shift_lines(lines, |line| (!line.is_empty()).then(|| format!("{}{line}", " ".repeat(INDENT))))
    }

    /// The line, or the selected lines, a step to the left.
    fn dedent(&mut self) -> bool {
        let (line, _) = self.place();
        let lines = self.selected_lines().unwrap_or(line..line + 1);
        self.shift_lines(lines, |line| {
            let spaces = line.chars().take_while(|letter| *letter == ' ').count().min(INDENT);
            (spaces > 0).then(|| line[spaces..].to_owned())
        })
    }

    /// Lines that the selection touches, where it goes over more than one.
    fn selected_lines(&self) -> Option<Range<usize>> {
        let (from, to) = self.area.selection_range()?;
        let last = if to.1 == 0 && from.0 < to.0 { to.0 } else { to.0 + 1 };
        (from.0 < to.0).then_some(from.0..last)
    }

    fn shift_lines(&mut self, lines: Range<usize>, shifted: impl Fn(&str) -> Option<String>) -> bool {
        let before = self.place();
        let is_selected = self.area.is_selecting();
        let old = self.lines()[lines.clone()].to_vec();
        let new: Vec<String> = old.iter().map(|line| shifted(line).unwrap_or_else(|| line.clone())).collect();
        if old == new {
            return false;
        }
        let moved = |line: usize| match lines.contains(&line) {
            true => new[line - lines.start].chars().count() as isize - old[line - lines.start].chars().count() as isize,
            false => 0,
        };
        let caret = (before.0, before.1.saturating_add_signed(moved(before.0)));
        let (start, end) = (self.line_start(lines.start), self.line_start(lines.end - 1) + old[old.len() - 1].len());
        self.replace(start..end, &new.join("\n"));
        if is_selected {
            self.jump(lines.start, 0);
            self.area.start_selection();
            self.jump(lines.end - 1, usize::MAX);
        } else {
            self.jump(caret.0, caret.1);
        }
        true
    }

    /// First to where the words of the line begin, then to its beginning.
    fn home(&mut self, selects: bool) {
        if selects && !self.area.is_selecting() {
            self.area.start_selection();
        } else if !selects {
            self.area.cancel_selection();
        }
        let (line, letter) = self.place();
        let words = self.lines()[line].chars().take_while(|letter| letter.is_whitespace()).count();
        self.jump(line, if letter == words { 0 } else { words });
    }

    fn by_words(&mut self, once: impl Fn(&mut TextArea<'static>) -> bool) -> bool {
        let mut changed = false;
        loop {
            let before = (self.area.lines().len(), self.place());
            if !once(&mut self.area) {
                break;
            }
            changed = true;
            let (line, letter) = self.place();
            let is_one_letter = before.0 == self.area.lines().len()
                && before.1.0 == line
                && before.1.1.abs_diff(letter) == 1
                && self.lines()[line].chars().nth(letter.min(before.1.1)).is_none_or(char::is_alphanumeric);
            let is_within = letter
                .checked_sub(1)
                .and_then(|before| self.lines()[line].chars().nth(before))
                .is_some_and(char::is_alphanumeric);
            if !is_one_letter || !is_within {
                break;
            }
        }
        if changed {
            self.renew();
        }
        changed
    }

    fn offset(&self, line: usize, letter: usize) -> usize {
        let words = self.lines().get(line).map_or("", String::as_str);
        let inside = words.char_indices().nth(letter).map_or(words.len(), |(at, _)| at);
        self.line_start(line) + inside
    }

    fn renew(&mut self) {
        self.text = self.area.lines().join("\n");
        self.starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.tokens = assist::highlight(&self.text);
        self.statements = assist::statements(&self.text);
        self.revision += 1;
    }
}

fn is_bracket(letter: char) -> bool {
    "()[]{}".contains(letter)
}

#[cfg(test)]
#[path = "editor_tests.rs"]
mod tests;
