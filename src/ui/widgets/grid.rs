//! A table of values with types: columns as wide as what is seen of them, numbers with their points under each other, NULL unlike
//! an empty text, columns that scroll sideways. It holds no values.

mod fit;

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{table, text};
use crate::ui::theme::{Role, Theme, marks};

use fit::Fit;

/// Cells between two columns.
const GAP: u16 = 2;
/// From this height on a line below the titles says the types.
const TYPES_HEIGHT_MIN: u16 = 9;
/// Letters of a value that are looked at: more than a wide screen shows.
const LETTERS_MAX: usize = 400;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridColumn {
    /// Word above it.
    pub title: String,
    /// Its type, as SQL writes it.
    pub kind: String,
    /// Whether its values are numbers.
    pub is_numeric: bool,
}

/// A value to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct GridCell<'a> {
    /// The value as text, `None` for NULL.
    pub text: Option<&'a str>,
    /// Whether it has just changed.
    pub is_fresh: bool,
}

/// Widths and the columns that are seen; belongs to one result.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    fits: Vec<Fit>,
    /// The first column that is drawn.
    first: usize,
    /// The column under the cursor.
    column: usize,
    /// Where columns were drawn.
    drawn: Vec<(usize, Rect)>,
}

/// Order in force: column, and whether the largest come first.
pub type Order = Option<(usize, bool)>;

/// How the grid is drawn this time.
#[derive(Debug, Clone, Copy)]
pub struct GridLook<'a> {
    /// Columns.
    pub columns: &'a [GridColumn],
    /// Order in force.
    pub order: Order,
    /// Whether keys go to it.
    pub focused: bool,
    /// Rows there are.
    pub rows: usize,
    /// The row under the cursor, among them.
    pub selected: Option<usize>,
}

impl Grid {
    /// The column under the cursor.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Moves the cursor sideways.
    pub fn step(&mut self, by: isize, columns: usize) {
        self.column = self.column.saturating_add_signed(by).min(columns.saturating_sub(1));
    }

    /// The column whose title or values are under a place of the screen.
    pub fn under(&mut self, x: u16) -> Option<usize> {
        let column =
            self.drawn.iter().find(|(_, area)| area.x <= x && x < area.right() + GAP).map(|(column, _)| *column)?;
        self.column = column;
        Some(column)
    }

    /// Lines above the rows.
    pub fn head_lines(area: Rect) -> u16 {
        (1 + u16::from(TYPES_HEIGHT_MIN <= area.height)).min(area.height)
    }

    /// Draws titles and rows, from the first.
    pub fn draw<'v>(
        &mut self,
        look: GridLook<'_>,
        cell: impl Fn(usize, usize) -> GridCell<'v>,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        if area.is_empty() || look.columns.is_empty() {
            return;
        }
        self.column = self.column.min(look.columns.len() - 1);
        self.fit(look.columns, look.rows, &cell);
        let places = self.places(look, area.width.saturating_sub(1));
        self.drawn =
            places.iter().map(|(column, x, width)| (*column, Rect { x: area.x + x, width: *width, ..area })).collect();
        let head = Self::head_lines(area);
        for (column, x, width) in &places {
            let place = Rect { x: area.x + x, y: area.y, width: *width, height: 1 };
            self.draw_title(look, *column, place, head > 1, buffer, theme);
        }
        let hidden = look.columns.len() - places.len();
        if hidden > 0 {
            self.draw_hidden(&places, look.columns.len(), area, buffer, theme);
        }
        for row in 0..look.rows.min(usize::from(area.height - head)) {
            let line = Rect { y: area.y + head + row as u16, height: 1, ..area };
            for (column, x, width) in &places {
                let place = Rect { x: line.x + x, width: *width, ..line };
                let value = cell(row, *column);
                self.draw_value(value, *column, look.columns[*column].is_numeric, place, buffer, theme);
            }
            if look.selected == Some(row) {
                table::draw_cursor(line, look.focused, buffer, theme);
                if look.focused
                    && let Some((_, x, width)) = places.iter().find(|(column, ..)| *column == self.column)
                {
                    let place = Rect { x: line.x + x, width: *width, ..line };
                    buffer.set_style(place, Style::new().add_modifier(Modifier::UNDERLINED));
                }
            }
        }
    }

    fn draw_title(
        &self,
        look: GridLook<'_>,
        column: usize,
        place: Rect,
        types: bool,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let one = &look.columns[column];
        let mark = match look.order.filter(|(ordered, _)| *ordered == column) {
            Some((_, true)) => format!(" {}", marks::BELOW),
            Some((_, false)) => format!(" {}", marks::ABOVE),
            None => String::new(),
        };
        let style = match look.focused && column == self.column {
            true => theme.focused(),
            false => theme.role(Role::Text).add_modifier(Modifier::BOLD),
        };
        aligned(&format!("{}{mark}", one.title), one.is_numeric, place, style, buffer);
        if types {
            aligned(&one.kind, one.is_numeric, Rect { y: place.y + 1, ..place }, theme.role(Role::Muted), buffer);
        }
    }

    /// Says at the edge that there are more columns on a side.
    fn draw_hidden(
        &self,
        places: &[(usize, u16, u16)],
        columns: usize,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return };
        let style = theme.role(Role::Accent);
        if last.0 + 1 < columns {
            buffer.set_string(area.right() - 1, area.y, marks::CLOSED, style);
        }
        if first.0 > 0 && area.x > 0 {
            buffer.set_string(area.x - 1, area.y, marks::LEFT, style);
        }
    }

    fn draw_value(
        &self,
        value: GridCell<'_>,
        column: usize,
        numeric: bool,
        place: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let fresh = |style: Style| match value.is_fresh {
            true => theme.role(Role::Accent).add_modifier(Modifier::BOLD),
            false => style,
        };
        let Some(words) = value.text else {
            let style = theme.role(Role::Muted).add_modifier(Modifier::ITALIC);
            return aligned("NULL", numeric, place, fresh(style), buffer);
        };
        if !numeric {
            return aligned(&shown(words), false, place, fresh(theme.role(Role::Text)), buffer);
        }
        let (whole, fraction) = split(words);
        let fit = self.fits[column];
        let number = format!("{}{fraction}", grouped(whole));
        let spare = usize::from(fit.fraction).saturating_sub(fraction.len());
        // Behind a short fraction stay the cells of the longest, so that points stand under each other.
        let place = match text::width(&number) + spare <= usize::from(place.width) {
            true => Rect { width: place.width - spare as u16, ..place },
            false => place,
        };
        aligned(&number, true, place, fresh(theme.role(Role::Text)), buffer);
    }
}

fn is_ordered(order: Order, column: usize) -> bool {
    order.is_some_and(|(ordered, _)| ordered == column)
}

/// Before the point, and from the point on; a number with an exponent is whole.
fn split(number: &str) -> (&str, &str) {
    match number.find('.') {
        Some(at) if !number.contains(['e', 'E']) => number.split_at(at),
        _ => (number, ""),
    }
}

/// The whole part of a number with its thousands apart; what is no such number stays as it is.
fn grouped(whole: &str) -> Cow<'_, str> {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    if digits.len() < 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Cow::Borrowed(whole);
    }
    let mut text = String::with_capacity(whole.len() + digits.len() / 3);
    text.push_str(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    Cow::Owned(text)
}

/// A value on one line.
fn shown(value: &str) -> Cow<'_, str> {
    let head = value.char_indices().nth(LETTERS_MAX).map_or(value, |(at, _)| &value[..at]);
    match head.chars().any(char::is_control) {
        true => Cow::Owned(text::one_line(head, LETTERS_MAX)),
        false => Cow::Borrowed(head),
    }
}

fn aligned(words: &str, right: bool, place: Rect, style: Style, buffer: &mut Buffer) {
    let cells = usize::from(place.width);
    let fitted = text::fit(words, cells);
    let spare = if right { cells.saturating_sub(text::width(&fitted)) as u16 } else { 0 };
    buffer.set_stringn(place.x + spare, place.y, &fitted, cells, style);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &str, is_numeric: bool) -> GridColumn {
        GridColumn { title: title.into(), kind: "T".into(), is_numeric }
    }

    fn drawn(grid: &mut Grid, columns: &[GridColumn], rows: &[&[Option<&str>]], width: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, rows.len() as u16 + 1);
        let mut buffer = Buffer::empty(area);
        let look = GridLook { columns, order: None, focused: false, rows: rows.len(), selected: None };
        let cell = |row: usize, column: usize| GridCell { text: rows[row][column], is_fresh: false };
        grid.draw(look, cell, area, &mut buffer, &Theme::default());
        (0..area.height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn points_stand_under_each_other_and_null_is_not_an_empty_text() {
        let columns = [column("name", false), column("amount", true)];
        let rows: &[&[Option<&str>]] =
            &[&[Some("a"), Some("1204.5")], &[Some(""), Some("-7")], &[None, Some("0.25")], &[Some("b"), None]];
        let lines = drawn(&mut Grid::default(), &columns, rows, 40);
        assert_eq!(lines, ["name    amount", "a     1,204.5", "         -7", "NULL      0.25", "b         NULL"]);
    }

    #[test]
    fn a_column_that_grew_stays_as_wide() {
        let columns = [column("name", false), column("n", true)];
        let mut grid = Grid::default();
        drawn(&mut grid, &columns, &[&[Some("a long name"), Some("1")]], 40);
        assert_eq!(drawn(&mut grid, &columns, &[&[Some("a"), Some("2")]], 40)[1], format!("a{:12}  2", ""));
    }

    #[test]
    fn columns_scroll_sideways_with_the_cursor_and_come_back() {
        let columns: Vec<_> = (0..5).map(|number| column(&format!("column{number}"), false)).collect();
        let rows: &[&[Option<&str>]] = &[&[Some("a"); 5]];
        let mut grid = Grid::default();
        assert_eq!(drawn(&mut grid, &columns, rows, 20)[0], "column0  column1   ▸");
        grid.step(3, 5);
        assert!(drawn(&mut grid, &columns, rows, 20)[0].starts_with("column2  column3"));
        assert!(drawn(&mut grid, &columns, rows, 60)[0].starts_with("column0  column1"));
    }

    #[test]
    fn a_long_value_is_cut_where_others_need_the_room() {
        let columns = [column("text", false), column("n", true)];
        let long = "x".repeat(100);
        let lines = drawn(&mut Grid::default(), &columns, &[&[Some(&long), Some("1")]], 60);
        assert!(lines[1].ends_with("…    1"), "{lines:?}");
        let whole = drawn(&mut Grid::default(), &columns, &[&[Some(&long), Some("1")]], 200);
        assert!(whole[1].starts_with(&long));
    }
}
