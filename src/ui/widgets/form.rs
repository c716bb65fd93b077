//! A form: fields of typed values under each other, each with its label, its hint and what is wrong with it.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::input::Input;
use super::text;
use crate::ui::theme::{Role, Theme, marks};

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Words.
    Text(Input),
    /// A whole number from `least` to `most`; empty where `optional`.
    Number {
        /// As typed.
        input: Input,
        /// Smallest that is taken.
        least: u64,
        /// Largest that is taken.
        most: u64,
        /// Whether it may be left empty.
        optional: bool,
    },
    /// Yes or no.
    Toggle(bool),
    /// One of several.
    Choice {
        /// What there is, at least one.
        options: Vec<String>,
        /// Which is chosen, from 0.
        chosen: usize,
    },
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name, for reading it out of the form.
    pub name: &'static str,
    /// What stands before it.
    pub label: &'static str,
    /// What may be written, said while it is being filled.
    pub hint: String,
    /// What it holds.
    pub value: Value,
    /// Whether what stands there is only an example: typing replaces it.
    pub is_example: bool,
}

impl Field {
    /// A field of words.
    pub fn text(name: &'static str, label: &'static str, text: impl Into<String>) -> Self {
        Self { name, label, hint: String::new(), value: Value::Text(Input::new(text)), is_example: false }
    }

    /// A field of a whole number that must be given.
    pub fn number(name: &'static str, label: &'static str, number: u64, least: u64, most: u64) -> Self {
        let input = Input::new(number.to_string());
        let value = Value::Number { input, least, most, optional: false };
        Self { name, label, hint: String::new(), value, is_example: false }
    }

    /// A field of a whole number that may be left empty, and is.
    pub fn optional_number(name: &'static str, label: &'static str, least: u64, most: u64) -> Self {
        let value = Value::Number { input: Input::default(), least, most, optional: true };
        Self { name, label, hint: String::new(), value, is_example: false }
    }

    /// A field of yes or no.
    pub fn toggle(name: &'static str, label: &'static str, on: bool) -> Self {
        Self { name, label, hint: String::new(), value: Value::Toggle(on), is_example: false }
    }

    /// A field of one of several.
    pub fn choice(name: &'static str, label: &'static str, options: Vec<String>, chosen: usize) -> Self {
        Self { name, label, hint: String::new(), value: Value::Choice { options, chosen }, is_example: false }
    }

    /// The same field with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same field, of which what stands there is only an example.
    #[must_use]
    pub fn example(mut self) -> Self {
        self.is_example = true;
        self
    }

    fn fault(&self) -> Option<String> {
        let Value::Number { input, least, most, optional } = &self.value else { return None };
        if input.text().trim().is_empty() {
            return (!optional).then(|| "a number is needed".into());
        }
        match typed_number(input) {
            Some(number) if (*least..=*most).contains(&number) => None,
            Some(_) => Some(format!("from {} to {}", super::number::grouped(*least), super::number::grouped(*most))),
            None => Some("not a whole number".into()),
        }
    }
}

/// Thousands may be apart: `1,000` and `1_000` are a thousand.
fn typed_number(input: &Input) -> Option<u64> {
    input.text().chars().filter(|letter| !is_apart(*letter)).collect::<String>().parse().ok()
}

fn is_apart(letter: char) -> bool {
    matches!(letter, ',' | '_' | ' ')
}

fn is_of_number(letter: char) -> bool {
    letter.is_ascii_digit() || is_apart(letter)
}

/// Fields and which of them is being filled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    fields: Vec<Field>,
    at: usize,
}

impl Form {
    /// A form that begins at its first field.
    pub fn new(fields: Vec<Field>) -> Self {
        let mut form = Self { fields, at: 0 };
        form.select();
        form
    }

    /// Selects a number or an example that is come upon, so that typing replaces it: `1` must not become `11000`.
    fn select(&mut self) {
        let Some(field) = self.fields.get_mut(self.at) else { return };
        match &mut field.value {
            Value::Number { input, .. } => input.select(),
            Value::Text(input) if field.is_example => input.select(),
            _ => {}
        }
    }

    /// The words of a text field; empty where there is none of that name.
    pub fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Some(Value::Text(input) | Value::Number { input, .. }) => input.text(),
            Some(Value::Choice { options, chosen }) => options.get(*chosen).map_or("", String::as_str),
            _ => "",
        }
    }

    /// The number of a field; `None` where it is empty or not one.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Some(Value::Number { input, .. }) => typed_number(input),
            _ => None,
        }
    }

    /// Whether a toggle is on.
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Toggle(true)))
    }

    /// Which option of a choice is chosen, from 0.
    pub fn chosen(&self, name: &str) -> usize {
        match self.value(name) {
            Some(Value::Choice { chosen, .. }) => *chosen,
            _ => 0,
        }
    }

    /// Name of the field being filled.
    pub fn field(&self) -> &'static str {
        self.fields.get(self.at).map_or("", |field| field.name)
    }

    /// Goes to a field; nowhere where there is none of that name.
    pub fn go(&mut self, name: &str) {
        self.at = self.fields.iter().position(|field| field.name == name).unwrap_or(self.fields.len());
        self.select();
    }

    /// Replaces the words of a text field.
    pub fn set_text(&mut self, name: &str, words: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            if let Value::Text(input) | Value::Number { input, .. } = &mut field.value {
                input.set(words);
            }
        }
    }

    /// The first thing that is wrong, with the label of its field.
    pub fn fault(&self) -> Option<String> {
        self.fields.iter().find_map(|field| field.fault().map(|fault| format!("{}: {fault}", field.label)))
    }

    /// Whether letters go into a field.
    pub fn takes_text(&self) -> bool {
        matches!(self.fields.get(self.at).map(|field| &field.value), Some(Value::Text(_) | Value::Number { .. }))
    }

    /// Takes a key: Tab, Up and Down go through the fields; Left, Right and Space change toggles and choices. `false` for others,
    /// Enter and Esc among them: those are the dialog's.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let fields = self.fields.len().max(1);
        match key.code {
            KeyCode::Tab | KeyCode::Down => self.at = (self.at + 1) % fields,
            KeyCode::BackTab | KeyCode::Up => self.at = (self.at + fields - 1) % fields,
            KeyCode::Enter | KeyCode::Esc => return false,
            _ => return self.fill(key),
        }
        self.select();
        true
    }

    /// Adds pasted text to the field being filled.
    pub fn paste(&mut self, pasted: &str) {
        if let Some(Value::Text(input) | Value::Number { input, .. }) =
            self.fields.get_mut(self.at).map(|field| &mut field.value)
        {
            input.insert(pasted);
        }
    }

    /// Lines that it takes: one a field, and one for hint or fault.
    pub fn height(&self) -> u16 {
        self.fields.len() as u16 + 1
    }

    /// Where the value of the field being filled is drawn in an area.
    pub fn cell(&self, area: Rect) -> Rect {
        let left = self.values_left().min(area.width);
        let y = area.y + self.at.min(usize::from(area.height)) as u16;
        Rect { x: area.x + left, y, width: area.width - left, height: 1 }
    }

    /// Cells from the left edge to the values.
    fn values_left(&self) -> u16 {
        self.fields.iter().map(|field| text::width(field.label)).max().unwrap_or(0) as u16 + 2
    }

    /// Draws the fields, and below them the hint of the one being filled, or what is wrong with it; neither caret nor hint
    /// where it has not the keys.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        for (at, field) in self.fields.iter().enumerate().take(usize::from(area.height)) {
            let line = Rect { y: area.y + at as u16, height: 1, ..area };
            let here = focused && at == self.at;
            let style = if here { theme.focused() } else { theme.role(Role::Muted) };
            buffer.set_stringn(
                line.x,
                line.y,
                text::fit(field.label, usize::from(line.width)),
                usize::from(line.width),
                style,
            );
            let left = self.values_left().min(line.width);
            field.draw(Rect { x: line.x + left, width: line.width - left, ..line }, buffer, theme, here);
        }
        let below = area.y + self.fields.len() as u16;
        if let Some(field) = self.fields.get(self.at).filter(|_| focused && below < area.bottom()) {
            let (words, role) = match field.fault() {
                Some(fault) => (fault, Role::Danger),
                None => (field.hint.clone(), Role::Muted),
            };
            buffer.set_string(area.x, below, text::fit(&words, usize::from(area.width)), theme.role(role));
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| &field.value)
    }

    fn fill(&mut self, key: KeyEvent) -> bool {
        let Some(field) = self.fields.get_mut(self.at) else { return false };
        match (&mut field.value, key.code) {
            // A letter can only make the number wrong.
            (Value::Number { .. }, KeyCode::Char(letter)) if key.modifiers.is_empty() && !is_of_number(letter) => true,
            (Value::Text(input) | Value::Number { input, .. }, _) => input.key(key),
            (Value::Toggle(on), KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right) => {
                *on = !*on;
                true
            }
            (Value::Choice { options, chosen }, KeyCode::Right | KeyCode::Char(' ')) => {
                *chosen = (*chosen + 1) % options.len().max(1);
                true
            }
            (Value::Choice { options, chosen }, KeyCode::Left) => {
                *chosen = (*chosen + options.len().max(1) - 1) % options.len().max(1);
                true
            }
            _ => false,
        }
    }
}

impl Field {
    fn draw(&self, cell: Rect, buffer: &mut Buffer, theme: &Theme, here: bool) {
        let cells = usize::from(cell.width);
        let style = theme.role(if self.fault().is_some() { Role::Danger } else { Role::Text });
        let words = match &self.value {
            Value::Text(input) | Value::Number { input, .. } => {
                input.draw(cell, buffer, theme, here);
                return;
            }
            Value::Toggle(true) => format!("{} yes", marks::ON),
            Value::Toggle(false) => format!("{} no", marks::OFF),
            Value::Choice { options, chosen } => {
                let option = options.get(*chosen).map_or("", String::as_str);
                if here && options.len() > 1 {
                    format!("{} {option} {}", marks::LEFT, marks::CLOSED)
                } else {
                    option.to_owned()
                }
            }
        };
        buffer.set_stringn(cell.x, cell.y, text::fit(&words, cells), cells, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::new(vec![
            Field::text("topic", "Topic", "orders"),
            Field::number("count", "Events", 1_000, 1, 1_000_000),
            Field::optional_number("rate", "Rate", 1, 1_000_000),
            Field::toggle("dry", "Dry run", false),
            Field::choice("start", "Start", vec!["end".into(), "beginning".into()], 0),
        ])
    }

    fn press(form: &mut Form, codes: &[KeyCode]) {
        codes.iter().for_each(|code| assert!(form.key(KeyEvent::from(*code)), "{code:?}"));
    }

    #[test]
    fn each_field_is_filled_by_its_own_keys() {
        let mut form = form();
        press(
            &mut form,
            &[KeyCode::Char('!'), KeyCode::Tab, KeyCode::Char('5'), KeyCode::Char('0'), KeyCode::Tab, KeyCode::Tab],
        );
        press(&mut form, &[KeyCode::Char(' '), KeyCode::Tab, KeyCode::Right]);
        assert_eq!((form.text("topic"), form.number("count"), form.number("rate")), ("orders!", Some(50), None));
        assert_eq!((form.is_on("dry"), form.text("start"), form.chosen("start")), (true, "beginning", 1));
        assert_eq!(form.fault(), None);
        press(&mut form, &[KeyCode::Tab]);
        assert_eq!(form.field(), "topic", "the fields go round");
    }

    #[test]
    fn a_letter_is_no_part_of_a_number_and_pasted_words_are_told() {
        let mut form = form();
        form.go("rate");
        press(&mut form, &[KeyCode::Char('5'), KeyCode::Char('x'), KeyCode::Char('_'), KeyCode::Char('0')]);
        assert_eq!((form.text("rate"), form.number("rate")), ("5_0", Some(50)));
        form.paste("fast");
        assert_eq!(form.fault().as_deref(), Some("Rate: not a whole number"));
    }

    #[test]
    fn a_wrong_number_is_told_with_what_is_taken() {
        let mut form = form();
        form.set_text("count", "");
        assert_eq!(form.fault().as_deref(), Some("Events: a number is needed"));
        form.set_text("count", "0");
        assert_eq!(form.fault().as_deref(), Some("Events: from 1 to 1,000,000"));
        form.set_text("count", "many");
        assert_eq!(form.fault().as_deref(), Some("Events: not a whole number"));
        form.set_text("count", "1,000");
        assert_eq!((form.fault(), form.number("count")), (None, Some(1_000)));
    }
}
