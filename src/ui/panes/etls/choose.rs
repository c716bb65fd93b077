//! The dialog that chooses what a preview is of: environment, event, and events of the run it stands in.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::preview::Setup;
use crate::ui::theme::Theme;
use crate::ui::widgets::dialog;
use crate::ui::widgets::form::{Field, Form};

/// Most events of a run that a preview can stand in: what a run of a day could make.
const EVENTS_MAX: u64 = 1_000_000_000;

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// The dialog stays open.
    Open,
    /// Closed without a choice.
    Dropped,
    /// Closed with a choice; the context is as it was.
    Done(Setup),
}

/// The open dialog.
#[derive(Debug)]
pub struct Choose {
    form: Form,
    before: Setup,
}

impl Choose {
    /// A dialog over the environments of an ETL, beginning with what is shown now.
    pub fn new(environments: Vec<String>, shown: &str, before: Setup) -> Self {
        let at = environments.iter().position(|name| name == shown).unwrap_or(0);
        let form = Form::new(vec![
            Field::choice("environment", "Environment", environments, at).hint("Left and Right choose"),
            Field::number("event", "Event", before.index + 1, 1, EVENTS_MAX).hint("from 1"),
            Field::number("of", "of", before.count, 1, EVENTS_MAX).hint("events of the run: `event_count`"),
        ]);
        Self { form, before }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Chosen {
        match key.code {
            KeyCode::Esc => Chosen::Dropped,
            KeyCode::Enter if self.form.fault().is_none() => {
                let count = self.form.number("of").unwrap_or(self.before.count);
                let index = self.form.number("event").map_or(self.before.index, |event| event.saturating_sub(1));
                Chosen::Done(Setup {
                    environment: Some(self.form.text("environment").to_owned()),
                    context: self.before.context.clone(),
                    index: index.min(count.saturating_sub(1)),
                    count,
                })
            }
            _ => {
                self.form.key(key);
                Chosen::Open
            }
        }
    }

    /// Adds pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.form.paste(pasted);
    }

    /// Draws the dialog over `area`.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let keys = [("Enter", "show"), ("Esc", "back"), ("Tab", "next")];
        let frame = dialog::Frame { title: "Preview of", keys: &keys, danger: false, size: (46, self.form.height()) };
        let inside = dialog::draw(frame, area, buffer, theme);
        self.form.draw(inside, buffer, theme, true);
    }
}
