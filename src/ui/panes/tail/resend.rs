//! The box in which a record is sent again: to which environment and topic, and whether it is edited first.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use crate::app::action::{Action, ResendRequest};
use crate::app::model::Model;
use crate::core::record::{Message, Record};
use crate::ui::pane::View;
use crate::ui::theme::Role;
use crate::ui::widgets::form::{Field, Form};
use crate::ui::widgets::{dialog, number, text};

/// A record on its way out again.
#[derive(Debug)]
pub struct Resend {
    record: Record,
    form: Form,
    fault: Option<String>,
}

/// What came of a key.
#[derive(Debug, PartialEq)]
pub enum Sent {
    /// It goes on.
    Open,
    /// Nothing is sent.
    Closed,
    /// This is to be done; a guard may still ask.
    Do(Action),
}

impl Resend {
    /// A box for a record of a tail in `environment`.
    ///
    /// # Errors
    /// Only the head of the value is in memory.
    pub fn new(record: &Record, environment: &str, model: &Model) -> Result<Self, String> {
        let held = record.value.as_ref().map_or(0, Vec::len);
        if held < record.value_bytes {
            let (held, whole) = (number::bytes(held as u64), number::bytes(record.value_bytes as u64));
            return Err(format!(
                "only the first {held} of {whole} are in memory: this record cannot be sent from here"
            ));
        }
        let environments: Vec<String> = model.environments.iter().map(|row| row.name.clone()).collect();
        let here = environments.iter().position(|name| name == environment).unwrap_or(0);
        let form = Form::new(vec![
            Field::choice("environment", "Environment", environments, here).hint("Left and Right change it"),
            Field::text("topic", "Topic", &*record.topic).hint("this or another topic"),
            Field::choice(
                "partition",
                "Partition",
                vec!["by key".into(), format!("{}, as it was", record.partition)],
                0,
            )
            .hint("Left and Right change it"),
            Field::toggle("edit", "Edit first", false).hint("opens $EDITOR with key, headers and value"),
        ]);
        Ok(Self { record: record.clone(), form, fault: None })
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Sent {
        self.fault = None;
        match key.code {
            KeyCode::Esc => return Sent::Closed,
            KeyCode::Enter => return self.send(),
            _ => self.form.key(key),
        };
        Sent::Open
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.form.paste(pasted);
    }

    /// Draws the box over the pane.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let keys = [("Enter", "send"), ("Tab", "next field"), ("Esc", "back")];
        let look =
            dialog::Frame { title: "Send again", keys: &keys, danger: false, size: (64, self.form.height() + 2) };
        let inside = dialog::draw(look, area, frame.buffer_mut(), view.theme);
        let cells = usize::from(inside.width);
        let record = &self.record;
        let key = record.key.as_deref().map_or("no key".into(), |key| text::one_line_of(key, cells));
        let words = format!("{key}, {}, {} headers", number::bytes(record.value_bytes as u64), record.headers.len());
        let what = Rect { height: inside.height.min(1), ..inside };
        frame.buffer_mut().set_stringn(what.x, what.y, text::fit(&words, cells), cells, view.theme.role(Role::Muted));
        let fields = Rect { y: inside.y + 2.min(inside.height), height: inside.height.saturating_sub(2), ..inside };
        self.form.draw(fields, frame.buffer_mut(), view.theme, view.focused);
        if let Some(fault) = &self.fault {
            let words = text::fit(fault, cells);
            frame.buffer_mut().set_stringn(inside.x, inside.y + 1, words, cells, view.theme.role(Role::Danger));
        }
    }

    fn send(&mut self) -> Sent {
        let topic = self.form.text("topic").trim().to_owned();
        if topic.is_empty() {
            self.fault = Some("a topic is needed".into());
            return Sent::Open;
        }
        let record = &self.record;
        let message = Message {
            topic: topic.as_str().into(),
            partition: (self.form.chosen("partition") == 1).then_some(record.partition),
            // Now: a record that is sent again is a new record.
            timestamp_ms: None,
            key: record.key.clone(),
            value: record.value.clone(),
            headers: record.headers.clone(),
        };
        let request = ResendRequest { environment: self.form.text("environment").into(), messages: vec![message] };
        Sent::Do(if self.form.is_on("edit") { Action::EditResend(request) } else { Action::Resend(request) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::environments::EnvironmentRow;

    fn record(value_bytes: usize) -> Record {
        Record {
            topic: "orders".into(),
            partition: 3,
            offset: 7,
            timestamp_ms: Some(1),
            key: Some(b"k".to_vec()),
            value: Some(b"value".to_vec()),
            headers: vec![("h".into(), None)],
            value_bytes,
        }
    }

    fn model() -> Model {
        let mut model = Model::default();
        model.environments = ["sandbox", "qa"].map(|name| EnvironmentRow::new(name, "x")).to_vec();
        model
    }

    fn pressed(keys: &[KeyCode]) -> Sent {
        let mut resend = Resend::new(&record(5), "qa", &model()).expect("a whole record");
        keys.iter().map(|code| resend.key(KeyEvent::from(*code))).last().expect("a key")
    }

    #[test]
    fn a_record_goes_back_where_it_came_from_unless_it_is_told_otherwise() {
        let Sent::Do(Action::Resend(request)) = pressed(&[KeyCode::Enter]) else { panic!("sent") };
        let message = &request.messages[0];
        assert_eq!((request.environment.as_str(), &*message.topic, message.partition), ("qa", "orders", None));
        assert_eq!((message.timestamp_ms, message.headers.len()), (None, 1));
        let keys = [KeyCode::Right, KeyCode::Down, KeyCode::Char('2'), KeyCode::Down, KeyCode::Right, KeyCode::Down];
        let keys = [&keys[..], &[KeyCode::Char(' '), KeyCode::Enter]].concat();
        let Sent::Do(Action::EditResend(request)) = pressed(&keys) else { panic!("edited") };
        assert_eq!((request.environment.as_str(), &*request.messages[0].topic), ("sandbox", "orders2"));
        assert_eq!(request.messages[0].partition, Some(3));
    }

    #[test]
    fn a_head_is_never_sent_as_if_it_were_the_whole() {
        let refused = Resend::new(&record(50_000_000), "qa", &model()).expect_err("only a head");
        assert!(refused.contains("first 5 B of 50 MB"), "{refused}");
    }
}
