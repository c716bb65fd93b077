//! The border of the panes with the tabs in its top line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType};

use crate::app::action::PaneId;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// The number on a pane's tab, which is also its key; none for the log.
pub fn number(pane: PaneId) -> Option<u8> {
    match pane {
        PaneId::Environments => Some(1),
        PaneId::Etls => Some(2),
        PaneId::Sql => Some(3),
        PaneId::Tail => Some(4),
        PaneId::Metrics => Some(5),
        PaneId::Jobs => Some(6),
        PaneId::Log => None,
    }
}

/// The area inside the border.
pub fn inside(area: Rect) -> Rect {
    Block::bordered().inner(area)
}

/// Draws the border of the first pane with all tabs; gives where each tab was drawn.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    titles: &[(PaneId, &'static str)],
    focus: PaneId,
    shown: PaneId,
    theme: &Theme,
) -> Vec<(PaneId, Rect)> {
    border(frame, area, theme);
    let mut drawn = Vec::new();
    let mut x = area.x + 1;
    let end = area.right().saturating_sub(1);
    let room = usize::from(end.saturating_sub(x));
    let all = labels(titles, shown, true);
    let cells: usize = all.iter().map(|(_, label)| text::width(label) + 1).sum();
    // Where not all names fit, the keys of all panes are worth more than the names of some.
    let labels = if cells <= room + 1 { all } else { labels(titles, shown, false) };
    for (id, label) in &labels {
        let width = text::width(label) as u16;
        if end < x + width {
            break;
        }
        let place = Rect { x, y: area.y, width, height: 1 };
        let style = match (*id == focus, *id == shown) {
            (true, _) => theme.focused(),
            (false, true) => theme.role(Role::Text),
            (false, false) => theme.role(Role::Muted),
        };
        frame.render_widget(Line::styled(label.as_str(), style), place);
        drawn.push((*id, place));
        x += width + 1;
    }
    drawn
}

/// The tabs with their names, or with that of the pane alone that is shown.
fn labels(titles: &[(PaneId, &'static str)], shown: PaneId, names: bool) -> Vec<(PaneId, String)> {
    let label = |(id, title): &(PaneId, &'static str)| match number(*id) {
        Some(number) if names || *id == shown => Some((*id, format!(" {number} {title} "))),
        Some(number) => Some((*id, format!(" {number} "))),
        // The log has no tab: its name stands there while it is shown.
        None => (*id == shown).then(|| (*id, format!(" {title} "))),
    };
    titles.iter().filter_map(label).collect()
}

/// Draws the border of the second pane of a wide screen; gives the area inside.
pub fn draw_second(frame: &mut Frame<'_>, area: Rect, title: &str, focused: bool, theme: &Theme) -> Rect {
    border(frame, area, theme);
    let style = if focused { theme.focused() } else { theme.role(Role::Muted) };
    let place = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area };
    let label = format!(" {title} ");
    let width = (text::width(&label) as u16).min(place.width);
    frame.render_widget(Line::styled(label, style), Rect { width, ..place });
    inside(area)
}

fn border(frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
    let block = Block::bordered().border_type(BorderType::Plain).border_style(theme.role(Role::Border));
    frame.render_widget(block, area);
}
