//! The tabs of the detail, and the line that names them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::text;

/// A tab of the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// The ETL's file.
    #[default]
    Definition,
    /// Its payload's template.
    Template,
    /// One event, rendered.
    Preview,
    /// What ran, and what is kept to run again.
    Runs,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Definition, Self::Template, Self::Preview, Self::Runs];

    /// Its word.
    pub fn title(self) -> &'static str {
        match self {
            Self::Definition => "Definition",
            Self::Template => "Template",
            Self::Preview => "Preview",
            Self::Runs => "Runs",
        }
    }

    /// The one after, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// The one before, round and round.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::ALL[(self as usize + Self::ALL.len() - 1) % Self::ALL.len()]
    }
}

/// Draws a name on the left and the tabs on the right; says where each tab is.
pub fn draw(name: &str, open: Tab, line: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) -> Vec<(Tab, Rect)> {
    let width = Tab::ALL.iter().map(|tab| text::width(tab.title()) as u16 + 2).sum::<u16>() + 1;
    let mut x = line.right().saturating_sub(width).max(line.x);
    let room = usize::from(x.saturating_sub(line.x + 1));
    let style = if focused { theme.focused() } else { theme.role(Role::Text) };
    buffer.set_stringn(line.x, line.y, text::fit(name, room), room, style);
    let mut places = Vec::new();
    for tab in Tab::ALL {
        let cells = (text::width(tab.title()) as u16 + 2).min(line.right().saturating_sub(x));
        let (words, style) = match tab == open {
            true => (format!("{}{}{}", marks::CLOSED, tab.title(), marks::LEFT), theme.focused()),
            false => (format!(" {} ", tab.title()), theme.role(Role::Muted)),
        };
        buffer.set_stringn(x, line.y, words, usize::from(cells), style);
        places.push((tab, Rect { x, width: cells, height: 1, ..line }));
        x += cells;
    }
    places
}
