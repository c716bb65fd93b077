//! The frame of a dialog: a box in the middle over what is there, with a title and a line of keys. Pure drawing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Widget};

use super::text;
use crate::ui::theme::{Role, Theme};

/// How a dialog looks.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Headline.
    pub title: &'a str,
    /// Keys and what they do: `("Enter", "send")`. The first is the one that goes on.
    pub keys: &'a [(&'a str, &'a str)],
    /// Whether it destroys or writes to a guarded place.
    pub danger: bool,
    /// Wish for the inside, cells; what the screen does not have is given up.
    pub size: (u16, u16),
}

/// Clears the middle of `screen`, draws the frame, and gives the area inside.
pub fn draw(frame: Frame<'_>, screen: Rect, buffer: &mut Buffer, theme: &Theme) -> Rect {
    let keys = u16::from(!frame.keys.is_empty());
    // Border and padding at each side, the line of keys, and a line to keep it apart.
    let wish = (frame.size.0.max(text::width(frame.title) as u16) + 4, frame.size.1 + 2 + 2 * keys);
    let (width, height) = (wish.0.min(screen.width), wish.1.min(screen.height));
    let area =
        Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    buffer.set_style(area, theme.base());
    let edge = theme.role(if frame.danger { Role::Danger } else { Role::Accent });
    let title = text::fit(frame.title, usize::from(width.saturating_sub(4)));
    Block::bordered()
        .border_type(BorderType::Plain)
        .border_style(edge)
        .title(Span::styled(format!(" {title} "), edge.add_modifier(Modifier::BOLD)))
        .padding(Padding::horizontal(1))
        .render(area, buffer);
    let inside = area.inner(Margin::new(2, 1));
    if keys == 0 || inside.height < 3 {
        return inside;
    }
    draw_keys(frame.keys, Rect { y: inside.bottom() - 1, height: 1, ..inside }, buffer, theme);
    Rect { height: inside.height - 2, ..inside }
}

/// Keys and what they do, as many as fit whole.
pub fn draw_keys(keys: &[(&str, &str)], line: Rect, buffer: &mut Buffer, theme: &Theme) {
    let mut words = Line::default();
    for (key, does) in keys {
        let gap = if words.spans.is_empty() { "" } else { "  " };
        if words.width() + gap.len() + text::width(key) + 1 + text::width(does) > usize::from(line.width) {
            break;
        }
        words.push_span(Span::raw(gap));
        words.push_span(Span::styled((*key).to_owned(), theme.role(Role::Accent)));
        words.push_span(Span::styled(format!(" {does}"), theme.role(Role::Muted)));
    }
    buffer.set_line(line.x, line.y, &words, line.width);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_stays_on_the_screen_and_covers_what_is_under_it() {
        let screen = Rect::new(0, 0, 40, 8);
        let mut buffer = Buffer::filled(screen, ratatui::buffer::Cell::new("x"));
        let frame =
            Frame { title: "Send again", keys: &[("Enter", "send"), ("Esc", "back")], danger: false, size: (20, 3) };
        let inside = draw(frame, screen, &mut buffer, &Theme::default());
        assert_eq!(inside, Rect::new(10, 1, 20, 4).intersection(inside));
        assert_eq!(inside.height, 3);
        assert_eq!(buffer[(inside.x, inside.y)].symbol(), " ");
        for (width, height) in [(1, 1), (4, 2), (200, 60), (3, 60)] {
            let screen = Rect::new(0, 0, width, height);
            let mut buffer = Buffer::empty(screen);
            draw(Frame { size: (300, 100), ..frame }, screen, &mut buffer, &Theme::default());
        }
    }
}
