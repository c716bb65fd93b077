//! One line of progress: name, bar, share, counts, rate, and when it will end. Pure drawing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{number, text, time};
use crate::ui::theme::{Role, Theme, marks};

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// What was asked for.
    pub planned: u64,
    /// What ended well.
    pub done: u64,
    /// What failed.
    pub failed: u64,
    /// What will not be tried.
    pub not_sent: u64,
    /// How many a second end now.
    pub per_second: f64,
}

impl Progress {
    fn ended(&self) -> u64 {
        self.done + self.failed + self.not_sent
    }

    /// Milliseconds until all ended, at the present rate; `None` where that cannot be said.
    pub fn left_ms(&self) -> Option<u64> {
        let open = self.planned.saturating_sub(self.ended());
        (open > 0 && self.per_second > 0.0).then(|| (open as f64 / self.per_second * 1_000.0) as u64)
    }

    /// What ended well of what was planned, 0 to 1: what failed or was stopped is not complete.
    fn well(&self) -> f64 {
        if self.planned == 0 { 1.0 } else { (self.done as f64 / self.planned as f64).min(1.0) }
    }

    /// Ended of planned, 0 to 1; nothing planned is nothing left to do.
    pub fn share(&self) -> f64 {
        if self.planned == 0 { 1.0 } else { (self.ended() as f64 / self.planned as f64).min(1.0) }
    }
}

/// Fewest cells of a bar that says anything.
const BAR_CELLS_MIN: usize = 6;
/// A cell of what failed: not that of what ended well, also where there are no colours.
const FAILED_CELL: &str = "╍";
/// Most cells of a bar: beyond, the words are too far from the name.
const BAR_CELLS_MAX: usize = 40;

/// Draws name, bar and facts on the first row of `area`. Facts leave from the right where it is narrow: rate, then what is left.
pub fn draw(
    name: &str,
    name_style: Style,
    name_cells: u16,
    progress: &Progress,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    if area.is_empty() {
        return;
    }
    let width = usize::from(area.width);
    let name_cells = usize::from(name_cells).min(width);
    buffer.set_stringn(area.x, area.y, text::fit(name, name_cells), name_cells, name_style);

    let running = progress.left_ms().is_some();
    let mut facts = vec![
        (format!("{:>3.0} %", (progress.well() * 100.0).floor()), Role::Text),
        (format!("{}/{}", number::grouped(progress.done), number::grouped(progress.planned)), Role::Text),
    ];
    if progress.failed > 0 {
        facts.push((format!("{} {}", marks::FAILED, number::grouped(progress.failed)), Role::Danger));
    }
    if progress.not_sent > 0 {
        facts.push((format!("{} not sent", number::grouped(progress.not_sent)), Role::Warning));
    }
    if running {
        facts.push((format!("{} left", time::span(progress.left_ms().unwrap_or(0))), Role::Muted));
        facts.push((number::rate(progress.per_second), Role::Muted));
    }
    let taken = |facts: &[(String, Role)]| facts.iter().map(|(words, _)| text::width(words) + 2).sum::<usize>();
    let room = width.saturating_sub(name_cells + 1);
    while facts.len() > 1 && room < taken(&facts) + BAR_CELLS_MIN {
        facts.pop();
    }
    let cells = room.saturating_sub(taken(&facts)).min(BAR_CELLS_MAX);
    let mut x = area.x + (name_cells + 1).min(width) as u16;
    if cells >= BAR_CELLS_MIN {
        draw_bar(progress, Rect { x, y: area.y, width: cells as u16, height: 1 }, buffer, theme);
        x += cells as u16;
    }
    for (words, role) in facts {
        let room = usize::from(area.right().saturating_sub(x + 2));
        buffer.set_stringn(x + 2, area.y, text::fit(&words, room), room, theme.role(role));
        x = x.saturating_add(text::width(&words) as u16 + 2).min(area.right().saturating_sub(2));
    }
}

fn draw_bar(progress: &Progress, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let cells = f64::from(area.width);
    let share = |count: u64| if progress.planned == 0 { 0.0 } else { count as f64 / progress.planned as f64 };
    let done = if progress.planned == 0 { cells } else { cells * share(progress.done) };
    // What failed is seen even where it is one of a million.
    let failed = if progress.failed > 0 { (cells * share(progress.failed)).max(1.0) } else { 0.0 };
    let complete = progress.share() >= 1.0 && progress.failed == 0 && progress.not_sent == 0;
    let done_role = if complete { Role::Success } else { Role::Accent };
    for cell in 0..area.width {
        let at = f64::from(cell);
        let (symbol, role) = match () {
            () if at + failed >= cells && failed > 0.0 && progress.share() >= 1.0 => (FAILED_CELL, Role::Danger),
            () if at + 0.5 <= done => ("━", done_role),
            () if at + 0.5 <= done + failed => (FAILED_CELL, Role::Danger),
            () => ("─", Role::Border),
        };
        buffer.set_string(area.x + cell, area.y, symbol, theme.role(role));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(progress: Progress, width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        draw("customer_update qa", Style::new(), 18, &progress, area, &mut buffer, &Theme::default());
        (0..width).map(|x| buffer[(x, 0)].symbol()).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn a_run_says_its_share_its_counts_and_when_it_ends() {
        let progress = Progress { planned: 10_000, done: 6_200, failed: 3, not_sent: 0, per_second: 1_200.0 };
        assert_eq!(
            line(progress, 100),
            "customer_update qa ━━━━━━━━━━━━━━━━━━━━━━━╍─────────────   62 %  6,200/10,000  ✖ 3  3 s left  1.2k/s"
        );
        assert_eq!(line(progress, 60), "customer_update qa ━━━━━━━━━╍─────   62 %  6,200/10,000  ✖ 3");
        assert_eq!(line(progress, 30), "customer_update qa    62 %");
    }

    #[test]
    fn what_failed_is_no_part_of_the_share_and_looks_otherwise() {
        let none = Progress { planned: 5, failed: 5, ..Progress::default() };
        assert_eq!(line(none, 60), format!("customer_update qa {}    0 %  0/5  ✖ 5", "╍".repeat(24)));
        let some = Progress { planned: 1_000, done: 988, failed: 12, ..Progress::default() };
        assert_eq!(line(some, 60), format!("customer_update qa {}╍   98 %  988/1,000  ✖ 12", "━".repeat(16)));
    }

    #[test]
    fn the_end_is_100_percent_and_nothing_before_it_is() {
        let almost = Progress { planned: 10_000, done: 9_999, per_second: 1.0, ..Progress::default() };
        assert!(line(almost, 100).contains("  99 %"));
        let all = Progress { planned: 10_000, done: 10_000, ..Progress::default() };
        assert!(line(all, 100).contains(" 100 %  10,000/10,000"));
        assert!(!line(all, 100).contains("left"));
    }
}
