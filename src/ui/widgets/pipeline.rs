//! A pipeline as people read it: boxes joined from the sources to the sink where the width allows, else a tree from the sink
//! down. Each node says what it does, how fast, and what it waits for; the slowest is marked. It knows no model.

mod boxes;
mod facts;
mod tree;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::pipeline::Drawn;
use crate::ui::theme::Theme;

/// What a slow node bears.
const SLOWEST: &str = "◀ slowest";

/// The lines of a pipeline, none wider than `cells`.
pub fn lines(drawn: &Drawn, cells: usize, now_ms: i64, theme: &Theme) -> Vec<Line<'static>> {
    match boxes::layout(&drawn.pipeline, cells) {
        Some(layout) => of_buffer(&boxes::draw(drawn, &layout, now_ms, theme)),
        None => tree::lines(drawn, cells, now_ms, theme),
    }
}

/// Draws as much of a pipeline as fits, from its beginning.
pub fn draw(drawn: &Drawn, area: Rect, buffer: &mut Buffer, now_ms: i64, theme: &Theme) {
    let lines = lines(drawn, usize::from(area.width), now_ms, theme);
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// The rows of a buffer, neighbours of one style as one span.
fn of_buffer(buffer: &Buffer) -> Vec<Line<'static>> {
    let area = buffer.area;
    let row = |y: u16| {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let mut skipped = 0;
        for x in area.left()..area.right() {
            // What follows a wide letter is its other half.
            if 0 < skipped {
                skipped -= 1;
                continue;
            }
            let cell = &buffer[(x, y)];
            skipped = crate::ui::widgets::text::width(cell.symbol()).saturating_sub(1);
            match spans.last_mut().filter(|span| span.style == cell.style()) {
                Some(span) => span.content.to_mut().push_str(cell.symbol()),
                None => spans.push(Span::styled(cell.symbol().to_owned(), cell.style())),
            }
        }
        Line::from(spans)
    };
    (area.top()..area.bottom()).map(row).collect()
}

#[cfg(test)]
mod tests;
