//! The texts that are open, as tabs above the editor, and the editors behind them. What a text is called and where it is kept is
//! the model's.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::editor::SqlEditor;
use super::paint::Window;
use crate::app::model::sql::Desk;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::text;

/// The editors, one for each text.
#[derive(Debug, Default)]
pub struct Tabs {
    open: Vec<Tab>,
    current: usize,
    /// The model's number of what it gave last.
    given: Option<u64>,
    /// Where tabs were drawn.
    drawn: Vec<(usize, Rect)>,
}

/// An editor with the part of it that is seen.
#[derive(Debug, Default)]
pub struct Tab {
    name: String,
    /// The text.
    pub editor: SqlEditor,
    /// The part that is seen.
    pub window: Window,
}

impl Tabs {
    /// Takes the texts of the model where it has given others than were written here.
    pub fn refresh(&mut self, desk: &Desk) {
        if self.given == Some(desk.given) && !self.open.is_empty() {
            return;
        }
        self.given = Some(desk.given);
        let mut before = std::mem::take(&mut self.open);
        for buffer in &desk.buffers {
            // An editor that has the text already keeps its undo and its place.
            let kept = before.iter().position(|tab| tab.name == buffer.name && tab.editor.text() == buffer.text);
            self.open.push(match kept {
                Some(at) => before.swap_remove(at),
                None => Tab {
                    name: buffer.name.clone(),
                    editor: SqlEditor::new(&buffer.text, buffer.caret),
                    window: Window::default(),
                },
            });
        }
        if self.open.is_empty() {
            self.open.push(Tab { editor: SqlEditor::new("", 0), ..Tab::default() });
        }
        self.current = desk.current.min(self.open.len() - 1);
    }

    /// The number of the one in front.
    pub fn current(&self) -> usize {
        self.current
    }

    /// The one in front.
    pub fn front(&self) -> &Tab {
        &self.open[self.current]
    }

    /// The one in front, to be written in.
    pub fn front_mut(&mut self) -> &mut Tab {
        &mut self.open[self.current]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// The tab under a place of the screen.
    pub fn under(&self, at: ratatui::layout::Position) -> Option<usize> {
        self.drawn.iter().find(|(_, area)| area.contains(at)).map(|(tab, _)| *tab)
    }

    /// Draws the names from the left, the one in front among them whatever the width.
    pub fn draw(&mut self, desk: &Desk, area: Rect, focused: bool, buffer: &mut Buffer, theme: &Theme) {
        self.drawn.clear();
        let label = |at: usize| {
            let tab = &desk.buffers[at];
            let changed = if tab.is_changed() { "*" } else { "" };
            format!(" {}{changed} ", tab.name)
        };
        let labels: Vec<String> = (0..desk.buffers.len().min(self.open.len())).map(label).collect();
        let room = usize::from(area.width.saturating_sub(2));
        let mut first = 0;
        while first < self.current
            && labels[first..=self.current].iter().map(|one| text::width(one) + 1).sum::<usize>() > room
        {
            first += 1;
        }
        let mut x = area.x;
        if first > 0 {
            buffer.set_string(x, area.y, marks::LEFT, theme.role(Role::Muted));
            x += 1;
        }
        for (at, label) in labels.iter().enumerate().skip(first) {
            let left = usize::from(area.right().saturating_sub(x));
            if left < text::width(label) && at != first {
                buffer.set_string(area.right() - 1, area.y, marks::CLOSED, theme.role(Role::Muted));
                break;
            }
            let words = text::fit(label, left).into_owned();
            let style = match (at == self.current, focused) {
                (true, true) => theme.focused().add_modifier(Modifier::UNDERLINED),
                (true, false) => theme.role(Role::Text).add_modifier(Modifier::UNDERLINED),
                (false, _) => theme.role(Role::Muted),
            };
            buffer.set_string(x, area.y, &words, style);
            let width = text::width(&words) as u16;
            self.drawn.push((at, Rect { x, y: area.y, width, height: 1 }));
            x += width + 1;
        }
    }
}
