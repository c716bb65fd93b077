//! A cursor over a number of rows and the window that is drawn of them. It knows no rows, only how many there are.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::ui::theme::{Role, Theme};

/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: isize = 3;

/// What the mouse did to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointed {
    /// It was elsewhere.
    Elsewhere,
    /// The view moved.
    Scrolled,
    /// A row was chosen that was not.
    Chosen,
    /// The row under the cursor was pressed again: open it.
    Opened,
}

/// Position in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    row: usize,
    top: usize,
    rows: usize,
    /// Where rows were last drawn; its height is a page.
    area: Rect,
}

impl Cursor {
    /// The row under the cursor, from 0; `None` where there are no rows.
    pub fn row(&self) -> Option<usize> {
        (self.rows > 0).then_some(self.row)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Says how many rows there are; the cursor stays where it can.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        self.row = self.row.min(rows.saturating_sub(1));
    }

    /// Puts the cursor on a row, or on the last.
    pub fn go(&mut self, row: usize) {
        self.row = row.min(self.rows.saturating_sub(1));
    }

    /// Puts the cursor on a row that has moved to another place, and the window with it, so that it stays where it was drawn;
    /// a list whose head was in view keeps it there, or what comes first would come unseen.
    pub fn follow(&mut self, row: usize) {
        let (top, drawn_at) = (self.top, self.row.saturating_sub(self.top));
        self.go(row);
        self.top = if top == 0 { 0 } else { self.row.saturating_sub(drawn_at) };
    }

    /// Shows the list from its head, the cursor on its row where that is still seen, else on the first.
    pub fn show_head(&mut self) {
        self.top = 0;
        if usize::from(self.area.height) <= self.row {
            self.row = 0;
        }
    }

    /// Whether the cursor is on the last row.
    pub fn is_at_end(&self) -> bool {
        self.row + 1 >= self.rows
    }

    /// Moves by rows; it stops at both ends.
    pub fn step(&mut self, by: isize) {
        self.go(self.row.saturating_add_signed(by));
    }

    /// Takes a key that moves: `j k g G`, arrows, PageUp, PageDown, Home, End. `false` for any other.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return false;
        }
        let page = usize::from(self.area.height).max(2) as isize - 1;
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::PageDown => self.step(page),
            KeyCode::PageUp => self.step(-page),
            KeyCode::Home | KeyCode::Char('g') => self.go(0),
            KeyCode::End | KeyCode::Char('G') => self.go(usize::MAX),
            _ => return false,
        }
        true
    }

    /// Takes the mouse: the wheel scrolls, a press chooses.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        let at = Position::new(mouse.column, mouse.row);
        if !self.area.contains(at) {
            return Pointed::Elsewhere;
        }
        match mouse.kind {
            MouseEventKind::ScrollDown => self.step(WHEEL_ROWS),
            MouseEventKind::ScrollUp => self.step(-WHEEL_ROWS),
            MouseEventKind::Down(MouseButton::Left) => {
                let row = self.top + usize::from(at.y - self.area.y);
                if row >= self.rows {
                    return Pointed::Elsewhere;
                }
                let before = std::mem::replace(&mut self.row, row);
                return if before == row { Pointed::Opened } else { Pointed::Chosen };
            }
            _ => return Pointed::Elsewhere,
        }
        Pointed::Scrolled
    }

    /// The rows to draw in `area`, one a line, moved so that the cursor is among them. Remembers the area for the mouse.
    pub fn window(&mut self, area: Rect) -> std::ops::Range<usize> {
        self.area = area;
        let height = usize::from(area.height);
        self.row = self.row.min(self.rows.saturating_sub(1));
        if height == 0 {
            return 0..0;
        }
        // Never past the end while there is something above to show.
        self.top =
            self.top.min(self.row).min(self.rows.saturating_sub(height)).max((self.row + 1).saturating_sub(height));
        self.top..(self.top + height).min(self.rows)
    }

    /// A thin bar at the right edge of `area` that says where the window is; nothing where all rows are seen.
    pub fn draw_bar(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let height = usize::from(area.height);
        if height == 0 || area.width == 0 || self.rows <= height {
            return;
        }
        let length = (height * height / self.rows).max(1);
        let start = (height - length) * self.top / (self.rows - height);
        for line in 0..height {
            let inside = (start..start + length).contains(&line);
            let style = theme.role(if inside { Role::Muted } else { Role::Border });
            buffer.set_string(area.right() - 1, area.y + line as u16, if inside { "┃" } else { "│" }, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(cursor: &mut Cursor, code: KeyCode) -> bool {
        cursor.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_move_and_stop_at_both_ends() {
        let mut cursor = Cursor::default();
        cursor.set_rows(100);
        assert_eq!(cursor.window(Rect::new(0, 0, 10, 10)), 0..10);
        press(&mut cursor, KeyCode::Char('k'));
        assert_eq!(cursor.row(), Some(0));
        press(&mut cursor, KeyCode::PageDown);
        assert_eq!(cursor.row(), Some(9));
        press(&mut cursor, KeyCode::Char('j'));
        assert_eq!(cursor.window(Rect::new(0, 0, 10, 10)), 1..11);
        press(&mut cursor, KeyCode::Char('G'));
        assert_eq!(cursor.window(Rect::new(0, 0, 10, 10)), 90..100);
        assert!(cursor.is_at_end() && !press(&mut cursor, KeyCode::Char('x')));
    }

    #[test]
    fn fewer_rows_and_a_taller_window_leave_no_hole_at_the_bottom() {
        let mut cursor = Cursor::default();
        cursor.set_rows(100);
        cursor.go(99);
        cursor.window(Rect::new(0, 0, 10, 10));
        cursor.set_rows(20);
        assert_eq!((cursor.window(Rect::new(0, 0, 10, 10)), cursor.row()), (10..20, Some(19)));
        assert_eq!(cursor.window(Rect::new(0, 0, 10, 15)), 5..20);
        cursor.set_rows(0);
        assert_eq!((cursor.window(Rect::new(0, 0, 10, 10)), cursor.row()), (0..0, None));
    }

    #[test]
    fn a_row_that_moves_is_drawn_where_it_was() {
        let mut cursor = Cursor::default();
        cursor.set_rows(100);
        cursor.go(15);
        assert_eq!(cursor.window(Rect::new(0, 0, 10, 10)), 6..16);
        cursor.set_rows(110);
        cursor.follow(25);
        assert_eq!((cursor.window(Rect::new(0, 0, 10, 10)), cursor.row()), (16..26, Some(25)));
    }

    #[test]
    fn a_list_whose_head_is_in_view_keeps_it_there_when_rows_come_above() {
        let mut cursor = Cursor::default();
        cursor.set_rows(10);
        assert_eq!(cursor.window(Rect::new(0, 0, 10, 5)), 0..5);
        cursor.set_rows(12);
        cursor.follow(2);
        assert_eq!((cursor.window(Rect::new(0, 0, 10, 5)), cursor.row()), (0..5, Some(2)));
        cursor.set_rows(20);
        cursor.follow(10);
        assert_eq!((cursor.window(Rect::new(0, 0, 10, 5)), cursor.row()), (6..11, Some(10)));
        cursor.show_head();
        assert_eq!((cursor.window(Rect::new(0, 0, 10, 5)), cursor.row()), (0..5, Some(0)));
    }

    #[test]
    fn a_press_chooses_the_row_under_it_and_a_second_opens_it() {
        let mut cursor = Cursor::default();
        cursor.set_rows(5);
        cursor.window(Rect::new(2, 3, 10, 10));
        let press = |row| MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 4,
            row,
            modifiers: KeyModifiers::NONE,
        };
        assert_eq!(cursor.mouse(press(6)), Pointed::Chosen);
        assert_eq!((cursor.row(), cursor.mouse(press(6))), (Some(3), Pointed::Opened));
        assert_eq!(cursor.mouse(press(9)), Pointed::Elsewhere, "below the last row");
        assert_eq!(cursor.mouse(press(1)), Pointed::Elsewhere, "above the list");
    }
}
