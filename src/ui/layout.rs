//! Where things go on the screen, from its size alone. It draws nothing.

use ratatui::layout::{Constraint, Layout, Rect};

/// Smallest width that is drawn, cells.
pub const WIDTH_MIN: u16 = 60;
/// Smallest height that is drawn, lines.
pub const HEIGHT_MIN: u16 = 15;
/// From this width a list stands beside its detail, cells.
pub const BESIDE_WIDTH_MIN: u16 = 100;
/// From this width two panes are shown, cells.
pub const SPLIT_WIDTH_MIN: u16 = 200;

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// First line.
    pub header: Rect,
    /// The focused pane with its border.
    pub pane: Rect,
    /// A second pane with its border, where the width allows.
    pub second: Option<Rect>,
    /// Last line, or lines where a message is long.
    pub footer: Rect,
}

/// The parts of a screen of this size with so many lines of footer; none where it is too small.
pub fn areas(screen: Rect, footer_lines: u16) -> Option<Areas> {
    if screen.width < WIDTH_MIN || screen.height < HEIGHT_MIN {
        return None;
    }
    let [header, body, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(footer_lines)]).areas(screen);
    if screen.width < SPLIT_WIDTH_MIN {
        return Some(Areas { header, pane: body, second: None, footer });
    }
    let [pane, second] = Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(body);
    Some(Areas { header, pane, second: Some(second), footer })
}

/// List and detail: beside each other where the width allows, else the detail below the list.
pub fn list_and_detail(area: Rect) -> [Rect; 2] {
    if BESIDE_WIDTH_MIN <= area.width {
        Layout::horizontal([Constraint::Percentage(40), Constraint::Percentage(60)]).areas(area)
    } else {
        Layout::vertical([Constraint::Percentage(45), Constraint::Percentage(55)]).areas(area)
    }
}

/// A box of at most this size in the middle of an area.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
