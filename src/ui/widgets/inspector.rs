//! A list and a reader of what is under its cursor: which of the two has the keys, and the mouse on both. It knows no facts: the
//! pane lends rows and lines.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders, Padding};

use super::cursor::Pointed;
use super::document::Reader;
use super::listing::Listing;
use crate::ui::keymap::Command;
use crate::ui::keys;
use crate::ui::theme::{Role, Theme};

/// List, reader, and which has the keys.
#[derive(Debug, Default)]
pub struct Inspector {
    /// The list.
    pub list: Listing,
    /// What is under its cursor, in full.
    pub reader: Reader,
    /// Whether keys scroll the reader.
    pub in_detail: bool,
}

impl Inspector {
    /// Takes a command that moves between list and reader; `detail` is the pane's own for turning over.
    pub fn moved(&mut self, command: Command, detail: Command) -> bool {
        match command {
            keys::RIGHT if !self.in_detail => self.in_detail = true,
            keys::LEFT | keys::BACK if self.in_detail => self.in_detail = false,
            _ if command == detail => self.in_detail = !self.in_detail,
            _ => return false,
        }
        true
    }

    /// Takes a key that moves within what has the keys, or goes into the list's filter.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        if self.in_detail && !self.is_typing() { self.reader.key(event) } else { self.list.key(event) }
    }

    /// Whether keys go into the list's filter.
    pub fn is_typing(&self) -> bool {
        self.list.search().is_typing()
    }

    /// Takes the mouse; [`Pointed::Opened`] where a row of the list was pressed twice.
    pub fn mouse(&mut self, event: MouseEvent) -> Pointed {
        match self.list.mouse(event) {
            Pointed::Elsewhere => {}
            Pointed::Opened => return Pointed::Opened,
            pointed @ (Pointed::Scrolled | Pointed::Chosen) => {
                self.in_detail = false;
                return pointed;
            }
        }
        match self.reader.mouse(event) {
            pointed @ (Pointed::Elsewhere | Pointed::Scrolled) => pointed,
            Pointed::Chosen | Pointed::Opened => {
                self.in_detail = true;
                Pointed::Chosen
            }
        }
    }

    /// Draws the edge between list and reader, which is beside the list or below it; gives what is left for the reader.
    pub fn draw_edge(&self, frame: &mut Frame<'_>, detail: Rect, beside: bool, theme: &Theme, focused: bool) -> Rect {
        let role = if focused && self.in_detail { Role::Accent } else { Role::Border };
        let border = Block::new()
            .borders(if beside { Borders::LEFT } else { Borders::TOP })
            .padding(Padding::left(u16::from(beside)))
            .border_style(theme.role(role));
        let inside = border.inner(detail);
        frame.render_widget(border, detail);
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETAIL: Command = Command("tests.detail");

    #[test]
    fn keys_go_to_the_reader_and_back_and_what_moves_nothing_is_left_to_others() {
        let mut inspector = Inspector::default();
        let steps = [keys::LEFT, keys::BACK, keys::RIGHT, keys::RIGHT, keys::BACK, DETAIL, DETAIL];
        let moved = steps.map(|command| (inspector.moved(command, DETAIL), inspector.in_detail));
        let expected =
            [(false, false), (false, false), (true, true), (false, true), (true, false), (true, true), (true, false)];
        assert_eq!(moved, expected);
    }
}
