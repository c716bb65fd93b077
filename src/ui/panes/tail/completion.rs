//! What could stand at the caret of a condition, in a box above its line: fields of the topics, system columns, functions, words.
//! It takes no key that edits.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::action::TailRequest;
use crate::app::model::Model;
use crate::sql::assist::{Columns, Completion, Field, Item, complete_predicate};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::text;

/// Items seen at once; more are a letter away.
const ITEMS_SHOWN: usize = 6;
/// Widest box.
const WIDTH_MAX: u16 = 64;

/// The box, while there is something to choose.
#[derive(Debug, Default)]
pub struct Choices {
    completion: Completion,
    chosen: usize,
}

/// What a key came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Chose {
    /// Not for the box.
    Nothing,
    /// Another item, or the box is closed.
    Moved,
    /// The line is another.
    Written,
}

impl Choices {
    /// Looks anew after the line has changed: a box is there only for a word that was begun.
    pub fn look(&mut self, input: &Input, request: &TailRequest, model: &Model) {
        self.offer(input, request, model);
        let typed = input.text().get(self.completion.replace.clone()).unwrap_or_default();
        let is_written = matches!(self.completion.items.as_slice(), [only] if only.label == typed);
        if typed.is_empty() || is_written {
            self.close();
        }
    }

    fn offer(&mut self, input: &Input, request: &TailRequest, model: &Model) {
        let catalog = model.assist.catalog(&request.environment);
        let mut fields: Vec<Field> = Vec::new();
        for topic in &request.topics {
            if let Some(Columns::Known(sample)) = catalog.topic(topic).map(|topic| &topic.columns) {
                let known: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
                fields.extend(sample.fields.iter().filter(|field| !known.contains(&field.name)).cloned());
            }
        }
        self.completion = complete_predicate(input.text(), input.caret(), &fields, &catalog);
        self.chosen = 0;
    }

    /// Whether something can be chosen.
    pub fn is_open(&self) -> bool {
        !self.completion.items.is_empty()
    }

    /// Closes the box.
    pub fn close(&mut self) {
        self.completion.items.clear();
    }

    /// Takes a key: Up and Down choose, Tab writes, Esc closes; Ctrl+Space opens the box where nothing is typed yet.
    pub fn key(&mut self, key: KeyEvent, input: &mut Input, request: &TailRequest, model: &Model) -> Chose {
        let opens = key.code == KeyCode::Char(' ') && key.modifiers.contains(KeyModifiers::CONTROL);
        if opens || (key.code == KeyCode::Tab && !self.is_open()) {
            self.offer(input, request, model);
            return Chose::Moved;
        }
        if !self.is_open() {
            return Chose::Nothing;
        }
        let last = self.completion.items.len() - 1;
        match key.code {
            KeyCode::Up => self.chosen = self.chosen.checked_sub(1).unwrap_or(last),
            KeyCode::Down => self.chosen = if self.chosen == last { 0 } else { self.chosen + 1 },
            KeyCode::Esc => self.close(),
            KeyCode::Tab => {
                if let Some(item) = self.completion.items.get(self.chosen) {
                    input.replace(self.completion.replace.clone(), &item.text, item.caret);
                }
                self.close();
                return Chose::Written;
            }
            _ => return Chose::Nothing,
        }
        Chose::Moved
    }

    /// Draws the box above the line, beginning under the word that is completed; `line` is where the text is typed.
    pub fn draw(&self, line: Rect, above: u16, within: Rect, buffer: &mut Buffer, theme: &Theme, input: &Input) {
        let items = &self.completion.items;
        let rows = items.len().min(ITEMS_SHOWN).min(usize::from(above.saturating_sub(within.y)));
        if rows == 0 {
            return;
        }
        let cells = |of: fn(&Item) -> &str| items.iter().map(|item| text::width(of(item))).max().unwrap_or(0);
        let labels = cells(|item| &item.label).min(32);
        let width = (labels + cells(|item| &item.detail) + 4) as u16;
        let width = width.min(WIDTH_MAX).min(within.width);
        let typed = input.text().get(..self.completion.replace.start).unwrap_or_default();
        let x = (line.x + text::width(typed) as u16).min(within.right().saturating_sub(width)).max(within.x);
        let area = Rect { x, y: above - rows as u16, width, height: rows as u16 };
        Clear.render(area, buffer);
        let first = self.chosen.saturating_sub(rows - 1);
        for (row, (at, item)) in items.iter().enumerate().skip(first).take(rows).enumerate() {
            let y = area.y + row as u16;
            let role = if at == self.chosen { Role::Selection } else { Role::Text };
            let line = Rect { y, height: 1, ..area };
            let label = format!(" {:<labels$}  ", text::fit(&item.label, labels));
            buffer.set_style(line, theme.base());
            buffer.set_stringn(x, y, &label, usize::from(width), theme.role(Role::Text));
            let room = usize::from(width).saturating_sub(text::width(&label) + 1);
            let detail = text::fit(&item.detail, room);
            buffer.set_stringn(x + text::width(&label) as u16, y, &detail, room, theme.role(Role::Muted));
            if role == Role::Selection {
                buffer.set_style(line, theme.role(role));
            }
        }
    }
}
