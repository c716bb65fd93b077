//! What lies over the panes: the question before something is written, the keys of a pane, the palette of commands.

pub mod confirm;
pub mod help;
pub mod palette;
pub mod resume;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Padding};

use super::theme::{Role, Theme};

/// Clears an area, draws a focused border with a title, and gives the inside.
fn open_box(frame: &mut Frame<'_>, area: Rect, title: &str, theme: &Theme) -> Rect {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.role(Role::Accent))
        .padding(Padding::horizontal(1))
        .title(Line::styled(format!(" {title} "), theme.focused()));
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, theme.base());
    frame.render_widget(block, area);
    inside
}
