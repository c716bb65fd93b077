//! One value of a record, seen as a JSON tree, as text or as bytes. Only what is on the screen is drawn, and only the
//! head of a huge value is looked at.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;

use super::cursor::{Cursor, Pointed};
use super::{number, table, text};
use crate::ui::theme::{Role, Theme};

mod hex;
mod json;

use json::JsonTree;

/// Bytes of a value that are decoded for reading: parsing them takes a few milliseconds, and nobody scrolls further.
pub const DECODED_BYTES_MAX: usize = 256 * 1024;

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// JSON where it is JSON, text where it is UTF-8, else bytes.
    #[default]
    Automatic,
    /// A tree of JSON.
    Json,
    /// Lines of text.
    Text,
    /// Bytes and their letters.
    Hex,
}

impl Form {
    /// As the title names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "auto",
            Self::Json => "json",
            Self::Text => "text",
            Self::Hex => "hex",
        }
    }
}

/// What was made of the value for the form in force.
#[derive(Debug, Clone, Default)]
enum Decoded {
    #[default]
    Nothing,
    Json(JsonTree),
    /// Lines, broken at the width.
    Text {
        width: u16,
        lines: Vec<String>,
    },
    Hex,
}

/// A value and how it is seen.
#[derive(Debug, Clone, Default)]
pub struct ValueView {
    bytes: Vec<u8>,
    /// Bytes of the whole value, of which `bytes` may be only the head.
    whole_bytes: usize,
    is_null: bool,
    identity: Option<u64>,
    form: Form,
    decoded: Decoded,
    cursor: Cursor,
    folds: json::Folds,
}

impl ValueView {
    /// Shows a value. The same `identity` costs nothing; another one is decoded anew and seen from its top.
    /// `whole_bytes` is its size where `value` holds only the head. `None` is null.
    pub fn show(&mut self, identity: u64, value: Option<&[u8]>, whole_bytes: usize) {
        if self.identity == Some(identity) {
            return;
        }
        self.identity = Some(identity);
        self.is_null = value.is_none();
        let value = value.unwrap_or_default();
        self.bytes = value[..value.len().min(DECODED_BYTES_MAX)].to_vec();
        self.whole_bytes = whole_bytes.max(value.len());
        self.decode();
    }

    /// The next form: automatic, JSON, text, hex. JSON is passed over where the value is not JSON.
    pub fn cycle(&mut self) {
        self.form = match self.form {
            Form::Automatic => Form::Json,
            Form::Json => Form::Text,
            Form::Text => Form::Hex,
            Form::Hex => Form::Automatic,
        };
        self.decode();
        if self.form == Form::Json && !matches!(self.decoded, Decoded::Json(_)) {
            self.cycle();
        }
    }

    /// What is on the screen: `auto: json`, `hex`.
    pub fn form(&self) -> String {
        match (self.form, &self.decoded) {
            (Form::Automatic, Decoded::Json(_)) => "auto: json".into(),
            (Form::Automatic, Decoded::Text { .. }) => "auto: text".into(),
            (Form::Automatic, Decoded::Hex) => "auto: hex".into(),
            (form, _) => form.name().into(),
        }
    }

    /// What of the value is not shown: `first 256 KB of 50 MB`; `None` where all is.
    pub fn cut(&self) -> Option<String> {
        (self.bytes.len() < self.whole_bytes).then(|| {
            format!("first {} of {}", number::bytes(self.bytes.len() as u64), number::bytes(self.whole_bytes as u64))
        })
    }

    /// The value as text to be copied, as it is on the screen with every branch open.
    pub fn copied(&self) -> String {
        match &self.decoded {
            Decoded::Json(tree) => tree.written(),
            Decoded::Hex => hex::lines(&self.bytes, hex::WIDE).collect::<Vec<_>>().join("\n"),
            Decoded::Text { .. } | Decoded::Nothing => String::from_utf8_lossy(&self.bytes).into_owned(),
        }
    }

    /// What is under the cursor as text to be copied: of JSON the value of its line, and in the first line all of it.
    pub fn copied_here(&self) -> String {
        let here = match &self.decoded {
            Decoded::Json(tree) => {
                let line = self.cursor.row().and_then(|row| tree.shown(&self.folds).nth(row));
                line.filter(|line| 0 < *line).and_then(|line| tree.value_of(line))
            }
            _ => None,
        };
        here.unwrap_or_else(|| self.copied())
    }

    /// Takes a key: those that move; Enter, Space, Left and Right fold and unfold JSON. `false` for others.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        if let (Decoded::Json(tree), Some(row)) = (&self.decoded, self.cursor.row()) {
            let line = tree.shown(&self.folds).nth(row);
            let fold = match (key.code, line) {
                (KeyCode::Enter | KeyCode::Char(' '), Some(line)) => self.folds.turn_over(tree, line),
                (KeyCode::Left | KeyCode::Char('h'), Some(line)) => self.folds.close(tree, line),
                (KeyCode::Right | KeyCode::Char('l'), Some(line)) => self.folds.open(tree, line),
                _ => return self.cursor.key(key),
            };
            if let Some(line) = fold {
                self.cursor.set_rows(tree.shown(&self.folds).count());
                self.cursor.go(tree.shown(&self.folds).position(|shown| shown == line).unwrap_or(row));
            }
            return true;
        }
        self.cursor.key(key)
    }

    /// Takes the mouse; a second press on a line of JSON folds it.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        let pointed = self.cursor.mouse(mouse);
        if pointed == Pointed::Opened {
            self.key(KeyEvent::from(KeyCode::Enter));
        }
        pointed
    }

    /// Draws the value.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        if area.is_empty() {
            return;
        }
        if self.is_null || self.bytes.is_empty() {
            let words = if self.is_null {
                "null: a tombstone, it deletes its key on a compacted topic"
            } else {
                "empty: no bytes"
            };
            self.cursor.set_rows(0);
            let words = text::fit(words, usize::from(area.width));
            buffer.set_string(area.x, area.y, words, theme.role(Role::Muted));
            return;
        }
        self.break_lines(area.width.saturating_sub(1).max(1));
        let per_line = hex::bytes_a_line(area.width.saturating_sub(1));
        self.cursor.set_rows(match &self.decoded {
            Decoded::Json(tree) => tree.shown(&self.folds).count(),
            Decoded::Text { lines, .. } => lines.len(),
            Decoded::Hex => self.bytes.len().div_ceil(per_line),
            Decoded::Nothing => 0,
        });
        let window = self.cursor.window(area);
        let line_at = |row: usize| Rect { y: area.y + (row - window.start) as u16, height: 1, ..area };
        match &self.decoded {
            Decoded::Json(tree) => {
                let shown = tree.shown(&self.folds).enumerate().skip(window.start).take(window.len());
                for (row, line) in shown {
                    tree.draw_line(line, &self.folds, line_at(row), buffer, theme);
                }
            }
            Decoded::Text { lines, .. } => {
                for row in window.clone() {
                    buffer.set_string(area.x, line_at(row).y, &lines[row], theme.role(Role::Text));
                }
            }
            Decoded::Hex => {
                for (row, words) in window.clone().zip(hex::lines(&self.bytes, per_line).skip(window.start)) {
                    let line = line_at(row);
                    buffer.set_stringn(line.x, line.y, words, usize::from(line.width), theme.role(Role::Text));
                    buffer
                        .set_style(Rect { width: hex::OFFSET_CELLS.min(line.width), ..line }, theme.role(Role::Muted));
                }
            }
            Decoded::Nothing => {}
        }
        if focused && let Some(row) = self.cursor.row() {
            table::draw_cursor(line_at(row), true, buffer, theme);
        }
        self.cursor.draw_bar(area, buffer, theme);
    }

    fn decode(&mut self) {
        let is_head = self.bytes.len() < self.whole_bytes;
        let as_text = || Decoded::Text { width: 0, lines: Vec::new() };
        // A head that was cut may end within a letter: that alone does not make it binary.
        let is_text = match std::str::from_utf8(&self.bytes) {
            Ok(_) => true,
            Err(error) => is_head && error.error_len().is_none(),
        };
        let tree = || (!is_head).then(|| JsonTree::read(&self.bytes)).flatten();
        self.decoded = match self.form {
            Form::Automatic => match tree() {
                Some(tree) => Decoded::Json(tree),
                None if is_text => as_text(),
                None => Decoded::Hex,
            },
            Form::Json => tree().map_or_else(as_text, Decoded::Json),
            Form::Text => as_text(),
            Form::Hex => Decoded::Hex,
        };
        self.cursor = Cursor::default();
    }

    fn break_lines(&mut self, cells: u16) {
        let Decoded::Text { width, lines } = &mut self.decoded else { return };
        if *width == cells {
            return;
        }
        *width = cells;
        lines.clear();
        for line in String::from_utf8_lossy(&self.bytes).lines() {
            let line: String = line.chars().map(text::harmless).collect();
            let mut rest = line.as_str();
            loop {
                let head = text::head(rest, usize::from(cells));
                // A letter wider than the view would never fit: it is left to the buffer to cut.
                let head = if head.is_empty() { rest } else { head };
                lines.push(head.to_owned());
                rest = &rest[head.len()..];
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(view: &mut ValueView, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        view.draw(area, &mut buffer, &Theme::default(), true);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    fn press(view: &mut ValueView, code: KeyCode) {
        assert!(view.key(KeyEvent::from(code)), "{code:?}");
    }

    const ORDER: &[u8] = br#"{"id": 7, "lines": [{"sku":"A","price":1204.50}, {}], "note": ""}"#;

    #[test]
    fn json_is_a_tree_that_folds_and_keeps_its_numbers_as_sent() {
        let mut view = ValueView::default();
        view.show(1, Some(ORDER), ORDER.len());
        let open = drawn(&mut view, 40, 12);
        assert_eq!(
            open[..11],
            [
                "▾ {",
                "    \"id\": 7,",
                "▾   \"lines\": [",
                "▾     {",
                "        \"sku\": \"A\",",
                "        \"price\": 1204.50",
                "      },",
                "      {}",
                "    ],",
                "    \"note\": \"\"",
                "  }",
            ]
        );
        press(&mut view, KeyCode::Down);
        press(&mut view, KeyCode::Down);
        press(&mut view, KeyCode::Enter);
        assert_eq!(drawn(&mut view, 40, 12)[2], "▸   \"lines\": [ 2 items ],");
        view.show(2, Some(ORDER), ORDER.len());
        assert_eq!(drawn(&mut view, 40, 12)[2], "▸   \"lines\": [ 2 items ],", "the next record is folded alike");
        assert!(view.copied().contains("\n      \"price\": 1204.50\n"), "{}", view.copied());
    }

    #[test]
    fn left_on_a_leaf_folds_what_it_is_in() {
        let mut view = ValueView::default();
        view.show(1, Some(ORDER), ORDER.len());
        drawn(&mut view, 40, 12);
        (0..4).for_each(|_| press(&mut view, KeyCode::Down));
        press(&mut view, KeyCode::Left);
        assert_eq!(drawn(&mut view, 40, 12)[3], "▸     { 2 keys },");
        assert_eq!(view.cursor.row(), Some(3));
    }

    #[test]
    fn the_form_goes_round_and_skips_json_where_there_is_none() {
        let mut view = ValueView::default();
        view.show(1, Some(b"plain words"), 11);
        let forms: Vec<String> = (0..3)
            .map(|_| {
                let form = view.form();
                view.cycle();
                form
            })
            .collect();
        assert_eq!(forms, ["auto: text", "text", "hex"]);
        view.show(2, Some(&[0xff, 0x00, b'a']), 3);
        assert_eq!(view.form(), "auto: hex");
        assert_eq!(drawn(&mut view, 80, 2)[0], "00000000  ff 00 61                                          |··a|");
    }

    #[test]
    fn a_huge_value_shows_its_head_and_its_size_and_a_cut_letter_does_not_make_it_binary() {
        let mut view = ValueView::default();
        let head = "é".repeat(DECODED_BYTES_MAX);
        view.show(1, Some(&head.as_bytes()[..DECODED_BYTES_MAX - 1]), 50_000_000);
        assert_eq!(view.cut().as_deref(), Some("first 262 KB of 50 MB"));
        assert_eq!(view.form(), "auto: text");
        drawn(&mut view, 80, 24);
    }

    #[test]
    fn null_and_empty_are_told_apart() {
        let mut view = ValueView::default();
        view.show(1, None, 0);
        assert!(drawn(&mut view, 60, 2)[0].starts_with("null: a tombstone"));
        view.show(2, Some(b""), 0);
        assert_eq!(drawn(&mut view, 60, 2)[0], "empty: no bytes");
    }
}
