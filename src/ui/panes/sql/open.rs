//! The list of SQL files and of starters, with the text of the one under the cursor beside it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;

use super::editor::SqlEditor;
use super::paint;
use crate::app::model::sql::SqlFile;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::dialog;
use crate::ui::widgets::listing::{Listing, Rows};
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::text;

/// From this width on the text stands beside the list.
const BESIDE_WIDTH_MIN: u16 = 90;

/// The open dialog.
#[derive(Debug, Default)]
pub struct OpenDialog {
    listing: Listing,
    /// Only starters.
    only_starters: bool,
    /// The file that is shown, with its text.
    shown: Option<(String, SqlEditor)>,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The dialog stays.
    Open,
    /// Nothing is opened.
    Closed,
    /// The file at this place of the model's list is opened.
    File(usize),
}

struct Files<'a>(Vec<(usize, &'a SqlFile)>);

impl Rows for Files<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let file = self.0[row].1;
        match column {
            0 => file.name.as_str().into(),
            1 => file.about.as_str().into(),
            _ => (if file.is_starter { "example" } else { "config/sql" }).into(),
        }
    }

    fn style(&self, _row: usize, column: usize, theme: &Theme) -> Style {
        theme.role(if column == 0 { Role::Text } else { Role::Muted })
    }
}

const COLUMNS: [Column; 3] = [
    Column::words("name", 16),
    Column::words("about", 20).grows(1).gives_way(1),
    Column::words("from", 10).gives_way(2),
];

impl OpenDialog {
    /// A list of everything, or of the starters.
    pub fn new(only_starters: bool) -> Self {
        let mut dialog = Self { only_starters, ..Self::default() };
        dialog.listing.search_mut().start();
        dialog
    }

    /// Takes the files as they are now.
    pub fn refresh(&mut self, files: &[SqlFile], revision: u64) {
        self.listing.refresh(&Files(self.listed(files)), COLUMNS.len(), revision);
    }

    /// Takes a key: letters narrow the list, Enter opens.
    pub fn key(&mut self, key: KeyEvent, files: &[SqlFile]) -> Opened {
        match key.code {
            KeyCode::Esc => Opened::Closed,
            KeyCode::Enter => match self.selected(files) {
                Some((at, _)) => Opened::File(at),
                None => Opened::Open,
            },
            _ => {
                self.listing.key(key);
                Opened::Open
            }
        }
    }

    /// Adds pasted text to what is looked for.
    pub fn paste(&mut self, pasted: &str) {
        self.listing.search_mut().paste(pasted);
    }

    /// Takes the mouse: a second press opens.
    pub fn mouse(&mut self, event: MouseEvent, files: &[SqlFile]) -> Opened {
        match self.listing.mouse(event) {
            Pointed::Opened => self.selected(files).map_or(Opened::Open, |(at, _)| Opened::File(at)),
            _ => Opened::Open,
        }
    }

    /// Draws the list over `area`.
    pub fn draw(&mut self, files: &[SqlFile], area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let title = if self.only_starters { "Examples, which run on the sandbox as they are" } else { "Open SQL" };
        let keys = [("↵", "open"), ("Esc", "back"), ("↑ ↓", "choose"), ("letters", "narrow the list")];
        let size = (area.width.saturating_sub(8).min(150), area.height.saturating_sub(4).min(30));
        let inside = dialog::draw(dialog::Frame { title, keys: &keys, danger: false, size }, area, buffer, theme);
        let [list, beside] = match BESIDE_WIDTH_MIN <= inside.width {
            true => Layout::horizontal([Constraint::Percentage(46), Constraint::Percentage(54)]).areas(inside),
            false => Layout::vertical([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(inside),
        };
        let rows = Files(self.listed(files));
        let look = Look { columns: &COLUMNS, focused: true, empty: "there is no file of SQL yet; Alt+S saves one" };
        table::draw(&mut self.listing, &rows, look, list, buffer, theme);
        let text_area = match BESIDE_WIDTH_MIN <= inside.width {
            true => Rect { x: beside.x + 2, width: beside.width.saturating_sub(2), ..beside },
            false => Rect { y: beside.y + 1, height: beside.height.saturating_sub(1), ..beside },
        };
        let Some((_, file)) = self.selected(files) else { return };
        if self.shown.as_ref().is_none_or(|(name, _)| *name != file.name) {
            self.shown = Some((file.name.clone(), SqlEditor::new(&file.text, 0)));
        }
        if let Some((_, editor)) = &self.shown {
            draw_text(editor, text_area, buffer, theme);
        }
    }

    fn listed<'f>(&self, files: &'f [SqlFile]) -> Vec<(usize, &'f SqlFile)> {
        files.iter().enumerate().filter(|(_, file)| file.is_starter || !self.only_starters).collect()
    }

    fn selected<'f>(&self, files: &'f [SqlFile]) -> Option<(usize, &'f SqlFile)> {
        self.listed(files).get(self.listing.selected()?).copied()
    }
}

/// The text in colours, its long lines over as many lines as they need.
fn draw_text(editor: &SqlEditor, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let mut y = area.y;
    for (line, words) in editor.lines().iter().enumerate() {
        let start = editor.line_start(line);
        let mut at = 0;
        loop {
            if area.bottom() <= y {
                return;
            }
            let piece = piece(&words[at..], usize::from(area.width));
            let mut x = area.x;
            for (inside, letter) in piece.char_indices() {
                let class = editor.class_at(start + at + inside);
                let style = class.map_or(theme.role(Role::Text), |class| paint::look(class, theme));
                let mut bytes = [0; 4];
                let letter = text::harmless(letter).encode_utf8(&mut bytes);
                buffer.set_string(x, y, &*letter, style);
                x += text::width(letter) as u16;
            }
            y += 1;
            at += piece.len();
            if piece.is_empty() || at == words.len() {
                break;
            }
        }
    }
}

/// What of a line fits: up to the end of its last whole word, where that is not before the middle of the room.
fn piece(words: &str, cells: usize) -> &str {
    let fits = text::head(words, cells);
    let is_cut_in_a_word = words[fits.len()..].starts_with(|letter: char| !letter.is_whitespace());
    match fits.rfind(' ') {
        Some(space) if is_cut_in_a_word && cells / 2 <= text::width(&fits[..space]) => &fits[..=space],
        _ => fits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_loses_nothing() {
        let mut left = "-- what stands beside the record, antidisestablishmentarianismus";
        let mut pieces = Vec::new();
        while !left.is_empty() {
            let one = piece(left, 24);
            pieces.push(one);
            left = &left[one.len()..];
        }
        // A word that is longer than half of the room is broken.
        assert_eq!(pieces, ["-- what stands beside ", "the record, antidisestab", "lishmentarianismus"]);
    }
}
