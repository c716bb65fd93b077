//! The event context while it is edited: YAML of several lines, read again at every key, with the place of what is wrong.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use crate::core::words::counted;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{dialog, editor::Editor, text};

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// The editor stays open.
    Open,
    /// Closed with this text, which is a mapping.
    Done(String),
    /// Closed; what was there before holds.
    Dropped,
}

/// Why a text is no context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Line and column, from 1, where they are known.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
}

/// The names that a context gives, in order; why it gives none where it is no mapping. Nothing is an empty mapping.
pub fn names(context: &str) -> Result<Vec<String>, Wrong> {
    let read: serde_yaml::Value = serde_yaml::from_str(context).map_err(|error| {
        let at = error.location().map(|place| (place.line(), place.column()));
        let said = error.to_string();
        let what = said.split(" at line ").next().unwrap_or(&said).to_owned();
        Wrong { at, what }
    })?;
    let no_mapping = || Wrong { at: None, what: "names and values are wanted, as `customer_id: CUST-1`".into() };
    match read {
        serde_yaml::Value::Null => Ok(Vec::new()),
        serde_yaml::Value::Mapping(mapping) => {
            mapping.into_iter().map(|(name, _)| name.as_str().map(str::to_owned).ok_or_else(no_mapping)).collect()
        }
        _ => Err(no_mapping()),
    }
}

/// `4 keys`, for a line that sums a context up.
pub fn summed_up(context: &str) -> String {
    match names(context) {
        Ok(names) if names.is_empty() => "empty".into(),
        Ok(names) => counted(names.len() as u64, "key"),
        Err(_) => "not YAML".into(),
    }
}

/// The open editor.
#[derive(Debug)]
pub struct ContextEditor {
    editor: Editor,
    read: Result<Vec<String>, Wrong>,
    /// Whether Esc was pressed while the text is wrong: once more drops it.
    warned: bool,
}

impl ContextEditor {
    /// An editor of this context.
    pub fn new(context: &str) -> Self {
        Self { editor: Editor::new(context), read: names(context), warned: false }
    }

    /// Takes a key: Esc is done where the text is right; where it is wrong, Esc twice drops the change.
    pub fn key(&mut self, key: KeyEvent) -> Edited {
        if key.code == KeyCode::Esc {
            return match (&self.read, self.warned) {
                (Ok(_), _) => Edited::Done(self.editor.text()),
                (Err(_), true) => Edited::Dropped,
                (Err(_), false) => {
                    self.warned = true;
                    Edited::Open
                }
            };
        }
        self.warned = false;
        self.editor.key(key);
        self.read = names(&self.editor.text());
        Edited::Open
    }

    /// Adds pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.editor.paste(pasted);
        self.read = names(&self.editor.text());
    }

    /// Draws the editor over `area`, and below the text what it gives or where it is wrong.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let keys: &[(&str, &str)] = match (&self.read, self.warned) {
            (Ok(_), _) => &[("Esc", "done"), ("Ctrl+U", "undo"), ("Ctrl+R", "redo")],
            (Err(_), true) => &[("Esc", "drop the change"), ("any other key", "go on")],
            (Err(_), false) => &[("Esc", "drop the change (twice)"), ("Ctrl+U", "undo")],
        };
        let size = (area.width.saturating_sub(8).min(90), area.height.saturating_sub(6).min(24));
        let frame = dialog::Frame { title: "Event context, YAML", keys, danger: false, size };
        let inside = dialog::draw(frame, area, buffer, theme);
        let (words, role) = match &self.read {
            Ok(names) if names.is_empty() => {
                ("empty; names and values, as `customer_id: CUST-1`".to_owned(), Role::Muted)
            }
            Ok(names) => (format!("{}: {}", summed_up(&self.editor.text()), names.join(", ")), Role::Success),
            Err(wrong) => {
                let place = wrong.at.map(|(line, column)| format!("line {line}, column {column}: "));
                (format!("{}{}", place.unwrap_or_default(), wrong.what), Role::Danger)
            }
        };
        let said = text::wrapped(&words, usize::from(inside.width));
        let lines = (said.len() as u16).min(3).min(inside.height.saturating_sub(1));
        let top = Rect { height: inside.height.saturating_sub(lines + 1), ..inside };
        self.editor.draw(top, buffer, theme, true);
        for (at, line) in said.iter().take(usize::from(lines)).enumerate() {
            let y = inside.bottom() - lines + at as u16;
            buffer.set_stringn(inside.x, y, line, usize::from(inside.width), theme.role(role));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_mapping_gives_its_names_and_nothing_is_an_empty_one() {
        assert_eq!(names("customer_id: C-1\nlines:\n  - sku: A\n").unwrap(), ["customer_id", "lines"]);
        assert_eq!(names("").unwrap(), Vec::<String>::new());
        assert_eq!(names("# nothing yet\n").unwrap(), Vec::<String>::new());
        assert_eq!((summed_up("").as_str(), summed_up("a: 1").as_str()), ("empty", "1 key"));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let wrong = names("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!(wrong.at.is_some(), "{wrong:?}");
        assert!(!wrong.what.contains(" at line "), "{wrong:?}");
        assert!(names("- 1\n").unwrap_err().what.contains("names and values"));
        assert!(names("1: a\n").unwrap_err().what.contains("names and values"));
    }

    #[test]
    fn escape_is_done_where_the_text_is_right_and_drops_it_at_the_second_time_where_it_is_wrong() {
        let mut editor = ContextEditor::new("");
        for letter in "a: [".chars() {
            assert_eq!(editor.key(KeyEvent::from(KeyCode::Char(letter))), Edited::Open);
        }
        assert_eq!(editor.key(KeyEvent::from(KeyCode::Esc)), Edited::Open);
        assert_eq!(editor.key(KeyEvent::from(KeyCode::Char(']'))), Edited::Open);
        assert_eq!(editor.key(KeyEvent::from(KeyCode::Esc)), Edited::Done("a: []".into()));
        let mut editor = ContextEditor::new("{");
        assert_eq!(editor.key(KeyEvent::from(KeyCode::Esc)), Edited::Open);
        assert_eq!(editor.key(KeyEvent::from(KeyCode::Esc)), Edited::Dropped);
    }
}
