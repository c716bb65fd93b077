//! Draws a listing as a table: only the rows that are seen, columns that give way by priority, matched letters marked.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;

use super::listing::{Listing, Rows, join};
use super::search::Search;
use super::text;
use crate::ui::theme::{Role, Theme, marks};

/// Cells between two columns.
const GAP: u16 = 2;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Word above it; empty for marks.
    pub title: &'static str,
    /// Cells that it needs.
    pub width: u16,
    /// Share of what is left over; 0 stays at its width.
    pub grow: u16,
    /// Which columns leave first where it is narrow: those with the highest number. 0 never leaves.
    pub gives_way: u8,
    /// Right-aligned.
    pub number: bool,
}

impl Column {
    /// A column of words.
    pub const fn words(title: &'static str, width: u16) -> Self {
        Self { title, width, grow: 0, gives_way: 0, number: false }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str, width: u16) -> Self {
        Self { title, width, grow: 0, gives_way: 0, number: true }
    }

    /// The same column with a share of what is left over.
    #[must_use]
    pub const fn grows(mut self, share: u16) -> Self {
        self.grow = share;
        self
    }

    /// The same column, leaving where it is narrow: the higher the sooner.
    #[must_use]
    pub const fn gives_way(mut self, priority: u8) -> Self {
        self.gives_way = priority;
        self
    }
}

/// How a table is drawn this time.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Columns from left to right.
    pub columns: &'a [Column],
    /// Whether keys go to it.
    pub focused: bool,
    /// What to say where there are no rows: why, and what to do.
    pub empty: &'a str,
}

/// Draws titles, rows, and a last line with filter and count. Refresh the listing before.
pub fn draw(listing: &mut Listing, rows: &impl Rows, look: Look<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    if area.height < 2 || area.width < 4 {
        return;
    }
    draw_rows(listing, rows, look, Rect { height: area.height - 1, ..area }, buffer, theme);
    let last = Rect { y: area.bottom() - 1, height: 1, ..area };
    draw_filter(listing.search(), &listing.count(), last, look.focused, buffer, theme);
}

/// Draws titles and rows alone.
pub fn draw_rows(
    listing: &mut Listing,
    rows: &impl Rows,
    look: Look<'_>,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    if area.is_empty() {
        return;
    }
    let titled = u16::from(look.columns.iter().any(|column| !column.title.is_empty()));
    let body = Rect { y: area.y + titled, height: area.height - titled, ..area };
    let places = places(look.columns, body.width.saturating_sub(1));
    if titled > 0 {
        draw_titles(listing, look.columns, &places, area, buffer, theme);
    }
    let window = listing.cursor_mut().window(body);
    let cursor = listing.cursor_mut().row();
    for (line, place) in window.enumerate() {
        let Some(row) = listing.at(place) else { break };
        let line = Rect { y: body.y + line as u16, height: 1, ..body };
        draw_row(listing, rows, row, look.columns, &places, line, buffer, theme);
        if cursor == Some(place) {
            draw_cursor(line, look.focused, buffer, theme);
        }
    }
    if listing.at(0).is_none() {
        draw_empty(listing, look.empty, body, buffer, theme);
    }
    listing.cursor_mut().draw_bar(body, buffer, theme);
}

/// Lays the selection over a row; bold where the list has the keys.
pub fn draw_cursor(line: Rect, focused: bool, buffer: &mut Buffer, theme: &Theme) {
    let mut style = theme.role(Role::Selection);
    if focused {
        style = style.add_modifier(Modifier::BOLD);
    }
    buffer.set_style(line, style);
}

/// A filter on the left, a count on the right; the caret only where the list has the keys.
pub fn draw_filter(search: &Search, count: &str, line: Rect, focused: bool, buffer: &mut Buffer, theme: &Theme) {
    let count = text::fit(count, usize::from(line.width));
    let start = line.right() - text::width(&count) as u16;
    buffer.set_string(start, line.y, &count, theme.role(Role::Muted));
    if search.is_typing() || search.is_active() {
        buffer.set_stringn(line.x, line.y, "/", usize::from(line.width), theme.role(Role::Accent));
        let input = Rect { x: line.x + 1, width: start.saturating_sub(line.x + 2), ..line };
        search.input().draw(input, buffer, theme, focused && search.is_typing());
    }
}

/// The columns for which there is room in so many cells, from left to right.
pub fn shown(columns: &[Column], width: u16) -> Vec<usize> {
    places(columns, width.saturating_sub(1)).into_iter().map(|(column, ..)| column).collect()
}

/// Where each column is drawn: its index, offset from the left, and width; columns that gave way are not named.
fn places(columns: &[Column], width: u16) -> Vec<(usize, u16, u16)> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| {
        let cells: u16 = kept.iter().map(|&column| columns[column].width).sum();
        cells + GAP * (kept.len().saturating_sub(1)) as u16
    };
    while needed(&kept) > width {
        // Of those that leave as soon, the last one first.
        let leaves = (0..kept.len()).max_by_key(|&at| (columns[kept[at]].gives_way, at));
        match leaves.filter(|&at| columns[kept[at]].gives_way > 0) {
            Some(at) => kept.remove(at),
            None => break,
        };
    }
    let mut left_over = width.saturating_sub(needed(&kept));
    let mut shares: u16 = kept.iter().map(|&column| columns[column].grow).sum();
    let (mut places, mut offset) = (Vec::with_capacity(kept.len()), 0);
    for column in kept {
        let share = columns[column].grow;
        let more = (left_over * share).checked_div(shares).unwrap_or(0);
        (left_over, shares) = (left_over - more, shares - share);
        let cells = (columns[column].width + more).min(width.saturating_sub(offset));
        if cells > 0 {
            places.push((column, offset, cells));
        }
        offset += cells + GAP;
    }
    places
}

fn draw_titles(
    listing: &Listing,
    columns: &[Column],
    places: &[(usize, u16, u16)],
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    for &(column, offset, cells) in places {
        let sort = listing.sort().filter(|sort| sort.column == column);
        let mark = match sort {
            Some(sort) if sort.descending => marks::BELOW,
            Some(_) => marks::ABOVE,
            None => "",
        };
        let (title, is_number) = (columns[column].title, columns[column].number);
        let title = match mark.is_empty() {
            true => Cow::Borrowed(title),
            false if text::width(title) + 2 <= usize::from(cells) => Cow::Owned(format!("{title} {mark}")),
            false => Cow::Owned(format!("{title}{mark}")),
        };
        let style = theme.role(if sort.is_some() { Role::Text } else { Role::Muted });
        // A title that its mark makes too wide takes a cell of the gap to its neighbour.
        let wants = u16::from(usize::from(cells) < text::width(&title));
        let more = if is_number { wants.min(offset) } else { wants.min(area.width.saturating_sub(offset + cells)) };
        let x = area.x + offset - if is_number { more } else { 0 };
        draw_aligned(&title, is_number, Rect { x, width: cells + more, height: 1, y: area.y }, style, buffer);
    }
}

#[allow(clippy::too_many_arguments)] // One row with all that it is drawn from.
fn draw_row(
    listing: &mut Listing,
    rows: &impl Rows,
    row: usize,
    columns: &[Column],
    places: &[(usize, u16, u16)],
    line: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    let mut matched = Vec::new();
    if listing.search().is_active() {
        let mut joined = String::new();
        join(rows, row, columns.len(), &mut joined);
        matched = listing.search_mut().matched(&joined);
    }
    let mut start_of_column = 0;
    let mut starts = Vec::with_capacity(columns.len());
    if !matched.is_empty() {
        for column in 0..columns.len() {
            starts.push(start_of_column);
            start_of_column += rows.text(row, column).len() + 1;
        }
    }
    for &(column, offset, cells) in places {
        let words = rows.text(row, column);
        let cell = Rect { x: line.x + offset, width: cells, ..line };
        let x = draw_aligned(&words, columns[column].number, cell, rows.style(row, column, theme), buffer);
        if let Some(start) = starts.get(column) {
            let inside = matched.iter().filter_map(|at| at.checked_sub(*start)).filter(|at| *at < words.len());
            mark_letters(&words, inside, Rect { x, width: cell.right() - x, ..cell }, buffer, theme);
        } else {
            let marked = rows.matched(row, column).into_iter();
            mark_letters(&words, marked, Rect { x, width: cell.right() - x, ..cell }, buffer, theme);
        }
    }
}

/// Draws one cell and says where its words begin.
fn draw_aligned(words: &str, right: bool, cell: Rect, style: Style, buffer: &mut Buffer) -> u16 {
    let cells = usize::from(cell.width);
    let fitted = text::fit(words, cells);
    let spare = if right { cells.saturating_sub(text::width(&fitted)) as u16 } else { 0 };
    buffer.set_stringn(cell.x + spare, cell.y, &fitted, cells, style);
    cell.x + spare
}

/// Marks letters of a text that is drawn from the left of `cell`, given the bytes at which they begin.
pub fn mark_letters(words: &str, letters: impl Iterator<Item = usize>, cell: Rect, buffer: &mut Buffer, theme: &Theme) {
    for at in letters {
        // Letters behind the cut are not there to be marked.
        let before = text::width(words.get(..at).unwrap_or_default());
        let Some(letter) = words.get(at..).and_then(|rest| rest.graphemes(true).next()) else { continue };
        if before + text::width(letter) >= usize::from(cell.width) && text::width(words) > usize::from(cell.width) {
            break;
        }
        if let Some(cell) = buffer.cell_mut((cell.x + before as u16, cell.y)) {
            cell.set_style(theme.matched());
        }
    }
}

fn draw_empty(listing: &Listing, empty: &str, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let words = match listing.search().is_active() {
        true => Cow::Owned(format!("nothing matches `{}`; Esc shows all", listing.search().text())),
        false => Cow::Borrowed(empty),
    };
    let lines = text::wrapped(&words, usize::from(area.width.saturating_sub(2)));
    for (line, words) in lines.iter().take(usize::from(area.height)).enumerate() {
        buffer.set_string(area.x + 1, area.y + line as u16, words, theme.role(Role::Muted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::words("name", 10).grows(1),
        Column::number("lag", 6).gives_way(1),
        Column::words("state", 8).gives_way(2),
        Column::words("since", 8).gives_way(3),
    ];

    #[test]
    fn columns_leave_by_priority_and_the_rest_share_what_is_left() {
        let kept = |width| places(&COLUMNS, width).iter().map(|(column, ..)| *column).collect::<Vec<_>>();
        assert_eq!(kept(40), [0, 1, 2, 3]);
        assert_eq!(kept(37), [0, 1, 2]);
        assert_eq!(kept(20), [0, 1]);
        assert_eq!(kept(12), [0]);
        assert_eq!(places(&COLUMNS, 28), [(0, 0, 10), (1, 12, 6), (2, 20, 8)]);
        assert_eq!(places(&COLUMNS, 50)[0], (0, 0, 22), "the name grows");
        assert_eq!(places(&COLUMNS, 6), [(0, 0, 6)], "the last one is cut, not lost");
    }

    struct Ten;

    impl Rows for Ten {
        fn count(&self) -> usize {
            10_000
        }

        fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
            match column {
                0 => format!("orders-{row}").into(),
                1 => super::super::number::grouped(row as u64 * 7).into(),
                2 => "running".into(),
                _ => "now".into(),
            }
        }
    }

    fn drawn(listing: &mut Listing, width: u16, height: u16) -> (Vec<String>, Buffer) {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        listing.refresh(&Ten, COLUMNS.len(), 1);
        let look = Look { columns: &COLUMNS, focused: true, empty: "nothing yet" };
        draw(listing, &Ten, look, area, &mut buffer, &Theme::default());
        let lines = (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect();
        (lines, buffer)
    }

    #[test]
    fn numbers_stand_under_each_other_and_the_count_closes_the_table() {
        let mut listing = Listing::default();
        let (lines, _) = drawn(&mut listing, 41, 5);
        assert_eq!(lines[0], "name             lag  state     since");
        assert_eq!(lines[2], "orders-1           7  running   now     │");
        assert_eq!(lines[4], format!("{:>41}", "(1/10,000)"));
    }

    #[test]
    fn a_column_that_is_sorted_by_has_its_title_and_its_mark_whole() {
        let mut listing = Listing::default();
        listing.set_sort(Some(crate::ui::widgets::listing::Sort { column: 3, descending: true }));
        let narrow: [Column; 4] = [COLUMNS[0], COLUMNS[1], Column::words("state", 5), Column::number("brokers", 7)];
        listing.refresh(&Ten, narrow.len(), 1);
        let area = Rect::new(0, 0, 35, 5);
        let mut buffer = Buffer::empty(area);
        let look = Look { columns: &narrow, focused: true, empty: "" };
        draw(&mut listing, &Ten, look, area, &mut buffer, &Theme::default());
        let title: String = (0..35).map(|x| buffer[(x, 0)].symbol()).collect();
        assert_eq!(title.trim_end(), format!("name           lag  state brokers{}", marks::BELOW));
    }

    /// Ten thousand rows that count how often they are asked what they say.
    struct Asked(std::cell::Cell<usize>);

    impl Rows for Asked {
        fn count(&self) -> usize {
            10_000
        }

        fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
            self.0.set(self.0.get() + 1);
            Ten.text(row, column)
        }
    }

    #[test]
    fn a_frame_asks_only_the_rows_that_are_seen_however_many_there_are() {
        let rows = Asked(std::cell::Cell::new(0));
        let mut listing = Listing::default();
        listing.refresh(&rows, COLUMNS.len(), 1);
        assert_eq!(rows.0.get(), 0, "rows that are neither filtered nor sorted are not even looked at");
        for _ in 0..100 {
            listing.key(ratatui::crossterm::event::KeyEvent::from(ratatui::crossterm::event::KeyCode::PageDown));
            listing.refresh(&rows, COLUMNS.len(), 1);
        }
        let area = Rect::new(0, 0, 80, 24);
        let look = Look { columns: &COLUMNS, focused: true, empty: "" };
        draw(&mut listing, &rows, look, area, &mut Buffer::empty(area), &Theme::default());
        assert_eq!(rows.0.get(), 22 * COLUMNS.len(), "24 lines without titles and count");
    }

    #[test]
    fn matched_letters_are_marked_where_they_are_drawn() {
        let mut listing = Listing::default();
        listing.search_mut().set("9999");
        let (lines, buffer) = drawn(&mut listing, 41, 5);
        assert!(lines[1].starts_with("orders-9999"), "{lines:?}");
        let marked: String = (0..41)
            .filter(|x| buffer[(*x, 1)].modifier.contains(Modifier::UNDERLINED))
            .map(|x| buffer[(x, 1)].symbol())
            .collect();
        assert_eq!(marked, "9999");
    }
}
