//! Several lines of typing, with undo. What the text means is its owner's business.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;
use tui_textarea::TextArea;

use crate::ui::theme::{Role, Theme};

/// Steps of undo kept.
const UNDO_STEPS_MAX: usize = 200;

/// A text being edited.
#[derive(Debug, Clone, Default)]
pub struct Editor {
    area: TextArea<'static>,
}

impl Editor {
    /// An editor of this text, its caret at the beginning.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::from(text.lines());
        area.set_max_histories(UNDO_STEPS_MAX);
        area.set_tab_length(2);
        Self { area }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Line and column of the caret, from 1.
    pub fn caret(&self) -> (usize, usize) {
        let caret = self.area.cursor();
        (caret.0 + 1, caret.1 + 1)
    }

    /// Takes a key; whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.area.input(key)
    }

    /// Adds pasted text.
    pub fn paste(&mut self, text: &str) {
        self.area.insert_str(text);
    }

    /// Draws the text with line numbers; the caret only where `focused`.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        self.area.set_style(theme.base());
        self.area.set_line_number_style(theme.role(Role::Muted));
        self.area.set_cursor_line_style(Style::new());
        let caret = if focused { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        self.area.set_cursor_style(caret);
        self.area.set_selection_style(theme.role(Role::Selection));
        (&self.area).render(area, buffer);
    }
}
