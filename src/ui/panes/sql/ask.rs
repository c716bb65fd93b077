//! Small questions of pane 3: the name of a file, and in which form rows are exported.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use crate::app::action::RowsFormat;
use crate::app::model::sql::file_name;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::dialog;
use crate::ui::widgets::form::{Field, Form};
use crate::ui::widgets::text;

/// A question with its form.
#[derive(Debug)]
pub struct Ask {
    kind: Kind,
    form: Form,
    /// Names that files have already.
    taken: Vec<String>,
    /// Why what was entered will not do, as Enter found it.
    fault: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Save,
    Export,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The question stays.
    Open,
    /// Nothing is done.
    Closed,
    /// Save under this name.
    Save(String),
    /// Export in this form, to this file.
    Export(RowsFormat, String),
}

impl Ask {
    /// How a text is to be called.
    pub fn name(suggested: &str, taken: Vec<String>) -> Self {
        let hint = "letters, digits, - _ .   It becomes config/sql/NAME.sql";
        let form = Form::new(vec![Field::text("name", "name", suggested).hint(hint)]);
        Self { kind: Kind::Save, form, taken, fault: None }
    }

    /// In which form rows are written, and where: a file of this stem, until somebody says otherwise.
    pub fn format(stem: &str) -> Self {
        let options = RowsFormat::ALL.iter().map(|format| format.said().to_owned()).collect();
        let fields = vec![
            Field::choice("format", "form", options, 0),
            Field::text("file", "file", format!("{stem}.{}", RowsFormat::ALL[0].ending()))
                .hint("a new file, or its path: nothing is written over"),
        ];
        Self { kind: Kind::Export, form: Form::new(fields), taken: Vec::new(), fault: None }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Answer {
        match (key.code, self.kind) {
            (KeyCode::Esc, _) => return Answer::Closed,
            (KeyCode::Enter, Kind::Save) => match self.file_name() {
                Ok(name) => return Answer::Save(name),
                Err(fault) => self.fault = Some(fault),
            },
            (KeyCode::Enter, Kind::Export) if self.form.text("file").trim().is_empty() => {}
            (KeyCode::Enter, Kind::Export) => {
                return Answer::Export(self.format_chosen(), self.form.text("file").trim().to_owned());
            }
            (_, Kind::Save) => {
                self.fault = None;
                self.form.key(key);
            }
            (_, Kind::Export) => {
                let before = self.format_chosen();
                self.form.key(key);
                self.end_as_chosen(before);
            }
        }
        Answer::Open
    }

    fn file_name(&self) -> Result<String, String> {
        let name = file_name(self.form.text("name")).map_err(|fault| fault.to_string())?;
        match self.taken.iter().any(|taken| taken == name) {
            true => Err(format!("there is a file {name}.sql already: give another name, or open that one")),
            false => Ok(name.to_owned()),
        }
    }

    fn format_chosen(&self) -> RowsFormat {
        RowsFormat::ALL[self.form.chosen("format")]
    }

    /// A file that ended as files of the form before do ends as those of the form that is chosen now.
    fn end_as_chosen(&mut self, before: RowsFormat) {
        let now = self.format_chosen();
        let file = self.form.text("file");
        if let Some(stem) = file.strip_suffix(before.ending()).filter(|_| now != before) {
            let file = format!("{stem}{}", now.ending());
            self.form.set_text("file", &file);
        }
    }

    /// Adds pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.form.paste(pasted);
    }

    /// Draws the question over `area`; `export` says what an export is about.
    pub fn draw(&self, export: &str, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let (title, keys): (_, &[(&str, &str)]) = match self.kind {
            Kind::Save => ("Save SQL", &[("↵", "save"), ("Esc", "back")]),
            Kind::Export => {
                ("Export rows", &[("↵", "export"), ("← →", "choose"), ("Tab", "next field"), ("Esc", "back")])
            }
        };
        let width = area.width.saturating_sub(8).min(64);
        let (about, role) = match (&self.fault, self.kind) {
            (Some(fault), _) => (fault.as_str(), Role::Danger),
            (None, Kind::Save) => ("", Role::Muted),
            (None, Kind::Export) => (export, Role::Muted),
        };
        let said = text::wrapped(about, usize::from(width));
        let size = (width, self.form.height() + said.len() as u16 + 1);
        let inside = dialog::draw(dialog::Frame { title, keys, danger: false, size }, area, buffer, theme);
        self.form.draw(inside, buffer, theme, true);
        let below = inside.y + self.form.height() + 1;
        for (at, line) in said.iter().enumerate().filter(|(at, _)| below + (*at as u16) < inside.bottom()) {
            buffer.set_string(inside.x, below + at as u16, line, theme.role(role));
        }
    }
}
