//! The dialog that gives a run a name, under which it is kept.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use crate::app::action::RunRequest;
use crate::app::model::runs::Preset;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::{dialog, text};

/// Longest name: it becomes a file's.
const NAME_BYTES_MAX: usize = 64;

/// What came of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    /// The dialog stays open.
    Open,
    /// Closed without a name.
    Dropped,
    /// Closed with a name.
    Done(String, RunRequest),
}

/// The open dialog.
#[derive(Debug)]
pub struct NamePreset {
    input: Input,
    run: RunRequest,
}

impl NamePreset {
    /// A dialog with a name to begin with, made of what runs.
    pub fn new(run: RunRequest) -> Self {
        let etl = run.etls.first().map_or("run", String::as_str);
        let more = if run.etls.len() > 1 { format!("-and-{}", run.etls.len() - 1) } else { String::new() };
        let name = format!("{etl}{more}-{}-{}", run.environments.join("-"), run.count);
        let name: String = name.chars().map(|letter| if is_allowed(letter) { letter } else { '-' }).collect();
        let mut input = Input::new(text::head(&name, NAME_BYTES_MAX));
        // As in every field that is filled already: typing replaces, arrows edit.
        input.select();
        Self { input, run }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Named {
        match key.code {
            KeyCode::Esc => return Named::Dropped,
            KeyCode::Enter if self.wrong().is_none() => {
                return Named::Done(self.input.text().to_owned(), self.run.clone());
            }
            _ => self.input.key(key),
        };
        Named::Open
    }

    /// Adds pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.input.insert(pasted.trim());
    }

    /// Draws the dialog over `area`; `presets` are those that there are.
    pub fn draw(&mut self, presets: &[Preset], area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let keys = [("Enter", "keep"), ("Esc", "back")];
        let frame = dialog::Frame { title: "Keep this run as", keys: &keys, danger: false, size: (58, 2) };
        let inside = dialog::draw(frame, area, buffer, theme);
        self.input.draw(inside, buffer, theme, true);
        let there = presets.iter().any(|preset| preset.name == self.input.text());
        let (words, role) = match self.wrong() {
            Some(wrong) => (wrong, Role::Danger),
            None if there => ("there is one of this name: it is replaced", Role::Warning),
            None => ("it is listed in the tab Runs of its ETLs", Role::Muted),
        };
        if inside.height > 1 {
            let words = text::fit(words, usize::from(inside.width));
            buffer.set_string(inside.x, inside.y + 1, words, theme.role(role));
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        let name = self.input.text();
        match () {
            () if name.is_empty() => Some("a name is needed"),
            () if name.len() > NAME_BYTES_MAX => Some("a name has at most 64 letters"),
            () if name.starts_with('.') || !name.chars().all(is_allowed) => Some("letters, digits, `-`, `_` and `.`"),
            () => None,
        }
    }
}

fn is_allowed(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}
