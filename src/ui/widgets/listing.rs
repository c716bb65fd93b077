//! The state of every list: cursor, filter, order. It holds no facts: rows are lent to it, and only their order is kept.

use std::borrow::Cow;
use std::cmp::Ordering;

use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::style::Style;

use super::cursor::{Cursor, Pointed};
use super::number::grouped;
use super::search::Search;
use crate::ui::theme::Theme;

/// What a list shows. Rows and columns count from 0, in the order of the facts.
pub trait Rows {
    /// The number of rows.
    fn count(&self) -> usize;

    /// What the cell says.
    fn text(&self, row: usize, column: usize) -> Cow<'_, str>;

    /// How the cell looks, over the theme's base.
    fn style(&self, _row: usize, _column: usize, _theme: &Theme) -> Style {
        Style::new()
    }

    /// What the cell is sorted by, where that is a number. A cell without one comes last, whatever the order.
    fn number(&self, _row: usize, _column: usize) -> Option<f64> {
        None
    }

    /// Whether the column holds numbers: their order begins with the largest.
    fn is_numeric(&self, _column: usize) -> bool {
        false
    }

    /// Letters of the cell to be marked although the list's own filter is not in force: bytes at which they begin.
    fn matched(&self, _row: usize, _column: usize) -> Vec<usize> {
        Vec::new()
    }

    /// What makes a row the same row when others come and go; the cursor stays on it.
    fn identity(&self, row: usize) -> u64 {
        row as u64
    }
}

/// A column to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The column, from 0.
    pub column: usize,
    /// Largest first.
    pub descending: bool,
}

/// What the order was made of: it is made anew only where one of them changed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    revision: u64,
    rows: usize,
    search: u64,
    sort: Option<Sort>,
}

/// Cursor, filter and order of a list.
#[derive(Debug, Default)]
pub struct Listing {
    cursor: Cursor,
    search: Search,
    sort: Option<Sort>,
    /// Facts' rows in the order shown, with the identity of each.
    order: Vec<(u32, u64)>,
    total: usize,
    columns: usize,
    numeric: Vec<bool>,
    stamp: Option<Stamp>,
}

impl Listing {
    /// A list that is sorted from the start.
    pub fn sorted(sort: Sort) -> Self {
        Self { sort: Some(sort), ..Self::default() }
    }

    /// Takes the facts as they are now. `revision` says whether they changed: where it is the same, and nothing was typed,
    /// this costs nothing. The cursor stays on its row, wherever that went.
    pub fn refresh(&mut self, rows: &impl Rows, columns: usize, revision: u64) {
        let stamp = Stamp { revision, rows: rows.count(), search: self.search.revision(), sort: self.sort };
        let before = self.stamp.replace(stamp);
        if before == Some(stamp) {
            return;
        }
        let under_cursor = self.identity();
        self.columns = columns;
        self.numeric = (0..columns).map(|column| rows.is_numeric(column)).collect();
        self.total = rows.count();
        self.order = self.ordered(rows, columns);
        self.cursor.set_rows(self.order.len());
        if before.is_some_and(|before| before.search != stamp.search) {
            return self.cursor.go(0);
        }
        let at = under_cursor.and_then(|wanted| self.order.iter().position(|(_, identity)| *identity == wanted));
        if let Some(at) = at.filter(|at| Some(*at) != self.cursor.row()) {
            // A new order takes the window elsewhere; new rows above do not.
            match before.is_some_and(|before| before.sort != stamp.sort) {
                true => self.cursor.go(at),
                false => self.cursor.follow(at),
            }
        }
    }

    /// Takes rows that were ordered and filtered elsewhere: each with its identity, and how many there are in all.
    pub fn set_order(&mut self, order: Vec<(u32, u64)>, total: usize) {
        let under_cursor = self.identity();
        (self.order, self.total) = (order, total);
        self.cursor.set_rows(self.order.len());
        if let Some(at) = under_cursor.and_then(|wanted| self.order.iter().position(|(_, one)| *one == wanted)) {
            self.cursor.follow(at);
        }
    }

    /// The fact's row under the cursor.
    pub fn selected(&self) -> Option<usize> {
        self.cursor.row().and_then(|row| self.order.get(row)).map(|(row, _)| *row as usize)
    }

    /// Puts the cursor on a fact's row, where it is shown.
    pub fn select(&mut self, row: usize) {
        if let Some(at) = self.order.iter().position(|(shown, _)| *shown as usize == row) {
            self.cursor.go(at);
        }
    }

    /// The fact's row that is shown at a place.
    pub fn at(&self, place: usize) -> Option<usize> {
        self.order.get(place).map(|(row, _)| *row as usize)
    }

    /// Whether the cursor is on the last row shown.
    pub fn is_at_end(&self) -> bool {
        self.cursor.is_at_end()
    }

    /// The cursor, for drawing.
    pub fn cursor_mut(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    /// The filter.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// The filter, to be matched with or changed.
    pub fn search_mut(&mut self) -> &mut Search {
        &mut self.search
    }

    /// The order in force.
    pub fn sort(&self) -> Option<Sort> {
        self.sort
    }

    /// Sorts by a column.
    pub fn set_sort(&mut self, sort: Option<Sort>) {
        self.sort = sort;
    }

    /// `(12/240)`: the row under the cursor of those shown, and where a filter hides some, of how many.
    pub fn count(&self) -> String {
        let place = self.cursor.row().map_or(0, |row| row + 1);
        match self.order.len() == self.total {
            true => format!("({}/{})", grouped(place as u64), grouped(self.total as u64)),
            false => format!(
                "({}/{} of {})",
                grouped(place as u64),
                grouped(self.order.len() as u64),
                grouped(self.total as u64)
            ),
        }
    }

    /// Takes a key: `/` and typing, `s` next column to sort by, `S` the other way round, and all that move. `false` for others.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let moves = matches!(key.code, KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown);
        if self.search.is_typing() && moves {
            return self.cursor.key(key);
        }
        if self.search.key(key) {
            return true;
        }
        match key.code {
            KeyCode::Char('s') if key.modifiers.is_empty() && self.columns > 0 => self.sort_by_next(),
            KeyCode::Char('S') => self.sort = self.sort.map(|sort| Sort { descending: !sort.descending, ..sort }),
            _ => return self.cursor.key(key),
        }
        true
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        self.cursor.mouse(mouse)
    }

    /// First each column in turn, then the facts' own order again.
    fn sort_by_next(&mut self) {
        let column = self.sort.map_or(0, |sort| sort.column + 1);
        let descending = self.numeric.get(column).copied().unwrap_or(false);
        self.sort = (column < self.columns).then_some(Sort { column, descending });
    }

    fn identity(&self) -> Option<u64> {
        self.cursor.row().and_then(|row| self.order.get(row)).map(|(_, identity)| *identity)
    }

    fn ordered(&mut self, rows: &impl Rows, columns: usize) -> Vec<(u32, u64)> {
        let mut shown: Vec<(u32, u32)> = Vec::with_capacity(rows.count());
        let mut joined = String::new();
        for row in 0..rows.count() {
            let score = match self.search.is_active() {
                false => 0,
                true => {
                    join(rows, row, columns, &mut joined);
                    let Some(score) = self.search.score(&joined) else { continue };
                    score
                }
            };
            shown.push((row as u32, score));
        }
        match self.sort {
            Some(sort) => shown.sort_by(|one, other| compare(rows, sort, one.0 as usize, other.0 as usize)),
            // Best matches first; rows that match as well keep their order.
            None if self.search.is_active() => shown.sort_by_key(|(_, score)| std::cmp::Reverse(*score)),
            None => {}
        }
        shown.into_iter().map(|(row, _)| (row, rows.identity(row as usize))).collect()
    }
}

/// The cells of a row in one text, as the filter sees it.
pub fn join(rows: &impl Rows, row: usize, columns: usize, joined: &mut String) {
    joined.clear();
    for column in 0..columns {
        if column > 0 {
            joined.push(' ');
        }
        joined.push_str(&rows.text(row, column));
    }
}

fn compare(rows: &impl Rows, sort: Sort, one: usize, other: usize) -> Ordering {
    let turned = |order: Ordering| if sort.descending { order.reverse() } else { order };
    if !rows.is_numeric(sort.column) {
        return turned(natural(&rows.text(one, sort.column), &rows.text(other, sort.column)));
    }
    match (rows.number(one, sort.column), rows.number(other, sort.column)) {
        (Some(one), Some(other)) => turned(one.total_cmp(&other)),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

/// The order of people: case does not count, and `p2` comes before `p10`.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.chars().peekable(), other.chars().peekable());
    loop {
        match (left.peek().copied(), right.peek().copied()) {
            (None, None) => return one.cmp(other),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                match digits(&mut left).cmp(&digits(&mut right)) {
                    Ordering::Equal => {}
                    order => return order,
                }
            }
            (Some(a), Some(b)) => match a.to_lowercase().cmp(b.to_lowercase()) {
                Ordering::Equal => {
                    left.next();
                    right.next();
                }
                order => return order,
            },
        }
    }
}

/// A run of digits without its leading zeros; a longer one is larger.
fn digits(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> (usize, String) {
    let mut run = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        if !(run.is_empty() && digit == '0') {
            run.push(digit);
        }
    }
    (run.len(), run)
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    struct Names<'a>(&'a [(&'a str, Option<f64>)]);

    impl Rows for Names<'_> {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
            match column {
                0 => self.0[row].0.into(),
                _ => self.0[row].1.map_or("n/a".into(), |number| number.to_string().into()),
            }
        }

        fn number(&self, row: usize, column: usize) -> Option<f64> {
            self.0[row].1.filter(|_| column == 1)
        }

        fn is_numeric(&self, column: usize) -> bool {
            column == 1
        }

        fn identity(&self, row: usize) -> u64 {
            self.0[row].0.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte))
        }
    }

    const TOPICS: [(&str, Option<f64>); 4] =
        [("orders-10", Some(7.0)), ("orders-9", None), ("Payments", Some(100.0)), ("audit", Some(20.0))];

    fn press(listing: &mut Listing, code: KeyCode) {
        assert!(listing.key(KeyEvent::new(code, KeyModifiers::NONE)), "{code:?}");
        listing.refresh(&Names(&TOPICS), 2, 1);
    }

    fn shown(listing: &Listing) -> Vec<&'static str> {
        (0..).map_while(|place| listing.at(place)).map(|row| TOPICS[row].0).collect()
    }

    #[test]
    fn s_goes_through_the_columns_and_turns_round_with_a_capital() {
        let mut listing = Listing::default();
        listing.refresh(&Names(&TOPICS), 2, 1);
        assert_eq!(shown(&listing), ["orders-10", "orders-9", "Payments", "audit"]);
        press(&mut listing, KeyCode::Char('s'));
        assert_eq!(shown(&listing), ["audit", "orders-9", "orders-10", "Payments"]);
        press(&mut listing, KeyCode::Char('s'));
        assert_eq!(shown(&listing), ["Payments", "audit", "orders-10", "orders-9"], "n/a comes last");
        press(&mut listing, KeyCode::Char('S'));
        assert_eq!(shown(&listing), ["orders-10", "audit", "Payments", "orders-9"], "n/a still comes last");
        press(&mut listing, KeyCode::Char('s'));
        assert_eq!(shown(&listing), ["orders-10", "orders-9", "Payments", "audit"]);
    }

    #[test]
    fn typing_filters_at_once_and_the_count_says_of_how_many() {
        let mut listing = Listing::default();
        listing.refresh(&Names(&TOPICS), 2, 1);
        assert_eq!(listing.count(), "(1/4)");
        for code in [KeyCode::Char('/'), KeyCode::Char('o'), KeyCode::Char('r'), KeyCode::Char('s')] {
            press(&mut listing, code);
        }
        assert_eq!((shown(&listing).len(), listing.count().as_str()), (2, "(1/2 of 4)"));
        press(&mut listing, KeyCode::Down);
        assert_eq!(listing.count(), "(2/2 of 4)");
        press(&mut listing, KeyCode::Esc);
        assert_eq!(listing.count(), "(1/4)");
    }

    #[test]
    fn the_cursor_stays_on_its_row_when_others_come_and_go() {
        let mut listing = Listing::default();
        listing.refresh(&Names(&TOPICS), 2, 1);
        listing.select(2);
        let later = [("new", None), ("newer", None), TOPICS[2], TOPICS[3]];
        listing.refresh(&Names(&later), 2, 2);
        assert_eq!(listing.selected(), Some(2));
        let later = [("new", None), TOPICS[3], TOPICS[2]];
        listing.refresh(&Names(&later), 2, 3);
        assert_eq!(later[listing.selected().expect("a row")].0, "Payments");
        listing.refresh(&Names(&[]), 2, 4);
        assert_eq!((listing.selected(), listing.count().as_str()), (None, "(0/0)"));
    }

    #[test]
    fn names_are_ordered_as_people_order_them() {
        let mut names = vec!["p10", "P2", "p1", "p01", "q"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["p01", "p1", "P2", "p10", "q"]);
    }
}
