//! A list of names of which any number is checked. It holds names and checks; what they mean is its owner's business.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cursor::Pointed;
use super::listing::{Listing, Rows};
use super::table::{self, Column, Look};
use crate::ui::theme::{Role, Theme, marks};

/// A name that can be checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// The name.
    pub name: String,
    /// What is said beside it.
    pub note: String,
    /// Style of an environment's name, where the name is one.
    pub style: Style,
}

impl Item {
    /// A name with nothing beside it.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The same name with something beside it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Names, checks, cursor and filter.
#[derive(Debug, Default)]
pub struct Checklist {
    items: Vec<Item>,
    checked: BTreeSet<String>,
    listing: Listing,
    revision: u64,
}

const COLUMNS: [Column; 3] =
    [Column::words("", 1), Column::words("", 12).grows(3), Column::words("", 8).grows(1).gives_way(1)];

impl Checklist {
    /// A list of names, some of them checked.
    pub fn new(items: Vec<Item>, checked: impl IntoIterator<Item = String>) -> Self {
        let mut list = Self { checked: checked.into_iter().collect(), ..Self::default() };
        list.set_items(items);
        list
    }

    /// Other names; checks of names that are still there stay.
    pub fn set_items(&mut self, items: Vec<Item>) {
        if self.items != items {
            self.items = items;
            self.revision += 1;
        }
        self.refresh();
    }

    /// The names that are checked, in the order of the list.
    pub fn checked(&self) -> Vec<String> {
        self.items.iter().map(|item| &item.name).filter(|name| self.checked.contains(*name)).cloned().collect()
    }

    /// The names that are checked; where none is, the one under the cursor.
    pub fn chosen(&self) -> Vec<String> {
        match self.checked() {
            none if none.is_empty() => self.under_cursor().map(str::to_owned).into_iter().collect(),
            some => some,
        }
    }

    /// The name under the cursor.
    pub fn under_cursor(&self) -> Option<&str> {
        self.listing.selected().and_then(|row| self.items.get(row)).map(|item| item.name.as_str())
    }

    /// Whether keys go into the filter.
    pub fn is_typing(&self) -> bool {
        self.listing.search().is_typing()
    }

    /// The list's cursor and filter.
    pub fn listing_mut(&mut self) -> &mut Listing {
        &mut self.listing
    }

    /// Takes a key: Space turns a check over, `a` checks all that are shown or none; and all of a list but sorting.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let handled = match key.code {
            KeyCode::Char(' ') if !self.is_typing() || !self.listing.search().is_active() => {
                self.turn_over();
                true
            }
            KeyCode::Char('a') if !self.is_typing() => {
                self.turn_all_over();
                true
            }
            KeyCode::Char('s' | 'S') if !self.is_typing() => false,
            _ => self.listing.key(key),
        };
        self.refresh();
        handled
    }

    /// Takes the mouse; a second press turns the check over.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        let pointed = self.listing.mouse(mouse);
        if pointed == Pointed::Opened {
            self.turn_over();
        }
        pointed
    }

    /// Turns over the check under the cursor.
    pub fn turn_over(&mut self) {
        if let Some(name) = self.under_cursor().map(str::to_owned)
            && !self.checked.remove(&name)
        {
            self.checked.insert(name);
        }
    }

    /// Draws the names, and a last line with filter and count; `empty` where there are none.
    pub fn draw(&mut self, empty: &str, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        let look = Look { columns: &COLUMNS, focused, empty };
        let rows = Names { items: &self.items, checked: &self.checked };
        table::draw(&mut self.listing, &rows, look, area, buffer, theme);
    }

    fn turn_all_over(&mut self) {
        let shown = (0..).map_while(|place| self.listing.at(place));
        let names: Vec<String> = shown.map(|row| self.items[row].name.clone()).collect();
        if names.iter().all(|name| self.checked.contains(name)) {
            self.checked.retain(|name| !names.contains(name));
        } else {
            self.checked.extend(names);
        }
    }

    fn refresh(&mut self) {
        let rows = Names { items: &self.items, checked: &self.checked };
        self.listing.refresh(&rows, COLUMNS.len(), self.revision);
    }
}

struct Names<'a> {
    items: &'a [Item],
    checked: &'a BTreeSet<String>,
}

impl Rows for Names<'_> {
    fn count(&self) -> usize {
        self.items.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let item = &self.items[row];
        match column {
            0 if self.checked.contains(&item.name) => marks::ON.into(),
            0 => marks::OFF.into(),
            1 => item.name.as_str().into(),
            _ => item.note.as_str().into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        match column {
            0 if self.checked.contains(&self.items[row].name) => theme.role(Role::Accent),
            0 | 2 => theme.role(Role::Muted),
            _ => self.items[row].style,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(list: &mut Checklist, codes: &[KeyCode]) {
        codes.iter().for_each(|code| assert!(list.key(KeyEvent::from(*code)), "{code:?}"));
    }

    fn list() -> Checklist {
        Checklist::new(["orders", "payments", "audit"].map(Item::new).into(), ["audit".to_owned()])
    }

    #[test]
    fn space_checks_and_the_filter_narrows_what_a_checks() {
        let mut list = list();
        press(&mut list, &[KeyCode::Char(' ')]);
        assert_eq!(list.checked(), ["orders", "audit"]);
        press(
            &mut list,
            &[KeyCode::Char('/'), KeyCode::Char('p'), KeyCode::Char('a'), KeyCode::Enter, KeyCode::Char('a')],
        );
        assert_eq!(list.checked(), ["orders", "payments", "audit"]);
        press(&mut list, &[KeyCode::Char('a'), KeyCode::Esc]);
        assert_eq!(list.checked(), ["orders", "audit"]);
    }

    #[test]
    fn where_nothing_is_checked_the_cursor_chooses() {
        let mut list = Checklist::new(["orders", "payments"].map(Item::new).into(), []);
        press(&mut list, &[KeyCode::Down]);
        assert_eq!(list.chosen(), ["payments"]);
    }
}
