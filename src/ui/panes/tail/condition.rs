//! The line in which a tail's SQL condition is written, and above it what is wrong with it, or what reading will come to. It looks
//! at no record and asks no broker: it says what is to be asked.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::app::action::{Action, Search, TailRequest};
use crate::app::model::Model;
use crate::core::record::Scan;
use crate::sql::assist::{Columns, Field, complete_predicate};
use crate::sql::parse::statement::Diagnostic;
use crate::sql::predicate::Predicate;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::completion::{Chosen, Popup};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::{number, text, time};

/// Lines that it takes.
pub const LINES: u16 = 2;

/// The line, and what was found wrong when it was entered.
#[derive(Debug)]
pub struct Condition {
    input: Input,
    whole: bool,
    refused: Option<Diagnostic>,
    /// What is counted for the line above.
    survey: TailRequest,
    /// What could stand at the caret: fields of the topics, system columns, functions, words.
    popup: Option<Popup>,
    /// Fields that were known when that was found out, and whether somebody asked; none once it was closed or moved in.
    offered: Option<(usize, bool)>,
}

/// What a key came to.
#[derive(Debug, PartialEq)]
pub enum Written {
    /// It goes on.
    Open,
    /// It goes on, and this is to be looked at meanwhile.
    Look(Action),
    /// Everything stays as it was.
    Left,
    /// This is looked for from now on; nothing shows all records.
    Entered(Option<Search>),
}

impl Condition {
    /// A line with the condition of a tail so far; `whole` searches everything that is there.
    pub fn new(request: &TailRequest, whole: bool) -> Self {
        let condition = request.search.as_ref().map(|search| search.condition.clone()).unwrap_or_default();
        let search = Some(Search { condition: String::new(), whole });
        let survey = TailRequest { search, ..request.clone() };
        Self { input: Input::new(condition), whole, refused: None, survey, popup: None, offered: None }
    }

    /// The question for what reading will come to.
    pub fn survey(&self) -> Action {
        Action::SurveyTail(self.survey.clone())
    }

    /// Takes a key. A condition that does not compile keeps the line open.
    pub fn key(&mut self, event: KeyEvent, model: &Model) -> Written {
        let before = self.input.text().to_owned();
        match self.popup.as_mut().map_or(Chosen::Ignored, |popup| popup.key(event)) {
            Chosen::Ignored => {}
            Chosen::Moved => {
                self.offered = None;
                return Written::Open;
            }
            Chosen::Closed => {
                (self.popup, self.offered) = (None, None);
                return Written::Open;
            }
            Chosen::Taken(range, text, caret) => {
                (self.popup, self.offered) = (None, None);
                self.input.replace(range, &text, caret);
                return self.changed(&before);
            }
        }
        let is_asked = match event.code {
            KeyCode::Tab => true,
            KeyCode::Char(' ') => event.modifiers.contains(KeyModifiers::CONTROL),
            _ => false,
        };
        match event.code {
            KeyCode::Esc => Written::Left,
            KeyCode::Enter => self.enter(),
            _ if is_asked => {
                self.offer(true, model);
                Written::Open
            }
            _ => {
                let caret = self.input.caret();
                self.input.key(event);
                if self.input.text() != before {
                    let was_asked = self.popup.as_ref().is_some_and(Popup::is_asked);
                    self.offer(was_asked, model);
                } else if self.input.caret() != caret {
                    (self.popup, self.offered) = (None, None);
                }
                self.changed(&before)
            }
        }
    }

    /// Offers what could stand at the caret.
    fn offer(&mut self, is_asked: bool, model: &Model) {
        let fields = self.fields(model);
        let catalog = model.assist.catalog(&self.survey.environment);
        let (text, caret) = (self.input.text(), self.input.caret());
        self.popup = Popup::open(text, caret, complete_predicate(text, caret, &fields, &catalog), is_asked);
        self.offered = Some((fields.len(), is_asked));
    }

    /// Offers it again where fields have become known since: a topic is looked into while somebody types.
    fn offer_what_came(&mut self, model: &Model) {
        if let Some((known, is_asked)) = self.offered
            && known != self.fields(model).len()
        {
            self.offer(is_asked, model);
        }
    }

    /// The fields of the topics, as far as they are known.
    fn fields(&self, model: &Model) -> Vec<Field> {
        let catalog = model.assist.catalog(&self.survey.environment);
        let mut fields: Vec<Field> = Vec::new();
        for topic in &self.survey.topics {
            if let Some(Columns::Known(sample)) = catalog.topic(topic).map(|topic| &topic.columns) {
                let known: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
                fields.extend(sample.fields.iter().filter(|field| !known.contains(&field.name)).cloned());
            }
        }
        fields
    }

    /// Takes what was pasted.
    pub fn paste(&mut self, pasted: &str) -> Written {
        let before = self.input.text().to_owned();
        self.input.insert(pasted);
        (self.popup, self.offered) = (None, None);
        self.changed(&before)
    }

    fn changed(&mut self, before: &str) -> Written {
        if self.input.text() == before {
            return Written::Open;
        }
        self.refused = None;
        match self.input.text().trim() {
            "" => Written::Open,
            _ => Written::Look(Action::CheckCondition(self.input.text().to_owned())),
        }
    }

    fn enter(&mut self) -> Written {
        let condition = self.input.text().trim();
        if condition.is_empty() {
            return Written::Entered(None);
        }
        match Predicate::compile(self.input.text()) {
            Ok(_) => Written::Entered(Some(Search { condition: condition.to_owned(), whole: self.whole })),
            Err(refused) => {
                self.refused = Some(refused);
                Written::Open
            }
        }
    }

    /// What is wrong with what stands there, as far as that is known.
    fn wrong<'a>(&'a self, model: &'a Model) -> Option<&'a Diagnostic> {
        let check = model.condition.as_ref().filter(|check| check.condition == self.input.text());
        let checked = check.and_then(|check| check.outcome.as_ref()?.as_ref().err());
        self.refused.as_ref().or(checked)
    }

    /// Draws it on two lines: what is wrong is said on the upper and underlined on the lower. What could be written next is
    /// in a box above them, `within` the list.
    pub fn draw(&mut self, area: Rect, within: Rect, buffer: &mut Buffer, theme: &Theme, model: &Model) {
        self.offer_what_came(model);
        let [said, line] = [0, 1].map(|row| Rect { y: area.y + row, height: 1, ..area }.intersection(area));
        let wrong = self.wrong(model);
        let (words, role) = match wrong {
            Some(wrong) if wrong.fault.next.is_empty() => (wrong.fault.what.clone(), Role::Danger),
            Some(wrong) => (format!("{}; {}", wrong.fault.what, wrong.fault.next), Role::Danger),
            None => (self.plan(model, usize::from(area.width)), Role::Muted),
        };
        let cells = usize::from(area.width);
        buffer.set_stringn(said.x, said.y, text::fit(&words, cells), cells, theme.role(role));
        if line.is_empty() {
            return;
        }
        let prompt = if self.whole { "search " } else { "where " };
        buffer.set_stringn(line.x, line.y, prompt, cells, theme.role(Role::Accent));
        let before = text::width(prompt).min(cells) as u16;
        let typed = Rect { x: line.x + before, width: line.width - before, ..line };
        self.input.draw(typed, buffer, theme, true);
        // A line that is longer than its place is scrolled; what is said above it is enough then.
        if let Some(wrong) = wrong.filter(|_| text::width(self.input.text()) < usize::from(typed.width)) {
            let at = |byte: usize| text::width(self.input.text().get(..byte).unwrap_or_default()) as u16;
            let (start, end) = (at(wrong.span.start), at(wrong.span.end));
            let place = Rect { x: typed.x + start, width: end.saturating_sub(start).max(1), ..typed };
            let style = Style::new().add_modifier(Modifier::UNDERLINED);
            buffer.set_style(place.intersection(typed), theme.role(Role::Danger).patch(style));
        }
        if let Some(popup) = &mut self.popup {
            let before = self.input.text().get(..popup.begins_at()).unwrap_or_default();
            let begins = (text::width(before) as u16).min(typed.width);
            popup.draw(Position { x: typed.x + begins, y: said.y }, within, buffer, theme);
        }
    }

    /// What will be read.
    fn plan(&self, model: &Model, cells: usize) -> String {
        let Some(survey) = model.survey.as_ref().filter(|survey| survey.asked == self.survey) else {
            return String::new();
        };
        match &survey.outcome {
            None => "asking the brokers how much there is to read".into(),
            Some(Err(fault)) => format!("how much there is to read is not known: {fault}"),
            Some(Ok(scans)) => said(scans, self.whole, cells),
        }
    }
}

/// `Enter reads 12,345 records in 3 partitions of orders, then ends`, in so many cells: where they are few the partitions go
/// first, then the names of the topics. How much it is and when it ends stay.
fn said(scans: &[Scan], whole: bool, cells: usize) -> String {
    let records: u64 = scans.iter().map(|scan| scan.records).sum();
    let partitions: u32 = scans.iter().map(|scan| scan.partitions).sum();
    let topics = scans.iter().map(|scan| scan.topic.as_str()).collect::<Vec<_>>().join(", ");
    let then = if whole { "then ends" } else { "then what comes" };
    let (records, partitions) = (number::counted(records, "record"), number::counted(partitions.into(), "partition"));
    let all = [
        format!("Enter reads {records} in {partitions} of {topics}, {then}"),
        format!("Enter reads {records} of {topics}, {then}"),
        format!("Enter reads {records} of {}, {then}", number::counted(scans.len() as u64, "topic")),
    ];
    let [.., shortest] = &all;
    all.iter().find(|line| text::width(line) <= cells).unwrap_or(shortest).clone()
}

/// How a search of everything goes: `45 %, 8 s left`. Nothing while that is not known.
pub fn progress(read: u64, left: u64, per_second: f64) -> String {
    let all = read + left;
    let share = if all == 0 { 1.0 } else { read as f64 / all as f64 };
    // Ninety-nine is not all.
    let percent = (share * 100.0).floor();
    match per_second {
        rate if 0 < left && 1.0 <= rate => {
            let ms = (left as f64 / rate * 1_000.0) as u64;
            format!("{percent} %, {} left", time::span(ms))
        }
        _ => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;

    use super::*;
    use crate::app::fact::Fact;
    use crate::app::model::environments::{EnvironmentRow, TopicRow};
    use crate::core::record::StartAt;
    use crate::sql::assist::{Field, Sample};

    fn line(condition: Option<&str>, whole: bool) -> Condition {
        let search = condition.map(|condition| Search { condition: condition.into(), whole: false });
        let topics = vec!["orders".into()];
        Condition::new(
            &TailRequest { environment: "qa".into(), topics, start: StartAt::End, search, partitions: Vec::new() },
            whole,
        )
    }

    fn press(condition: &mut Condition, code: KeyCode) -> Written {
        condition.key(KeyEvent::from(code), &Model::default())
    }

    #[test]
    fn a_condition_that_compiles_is_taken_and_another_stays_open_with_its_place() {
        let mut condition = line(None, true);
        condition.paste("uper(a) = 'X'");
        assert_eq!(press(&mut condition, KeyCode::Enter), Written::Open);
        let refused = condition.refused.as_ref().map(|refused| (refused.span.start, refused.span.end));
        assert_eq!(refused, Some((0, 4)));
        press(&mut condition, KeyCode::Home);
        for letter in ['u', 'p'] {
            press(&mut condition, KeyCode::Delete);
            assert!(condition.refused.is_none(), "{letter}: what is changed is not wrong yet");
        }
        let looked = condition.paste("upp");
        assert_eq!(looked, Written::Look(Action::CheckCondition("upper(a) = 'X'".into())));
        let search = Search { condition: "upper(a) = 'X'".into(), whole: true };
        assert_eq!(press(&mut condition, KeyCode::Enter), Written::Entered(Some(search)));
    }

    #[test]
    fn escape_leaves_everything_and_an_empty_line_takes_the_condition_away() {
        assert_eq!(press(&mut line(Some("a > 1"), false), KeyCode::Esc), Written::Left);
        let mut condition = line(Some("a"), false);
        assert_eq!(press(&mut condition, KeyCode::Left), Written::Open, "nothing to look at: the text is the same");
        assert_eq!(press(&mut condition, KeyCode::Delete), Written::Open, "nothing to look at: there is no text");
        assert_eq!(press(&mut condition, KeyCode::Enter), Written::Entered(None));
    }

    fn sampled(fields: &[(&str, &str)]) -> Model {
        let mut model = Model::default();
        let row = TopicRow { name: "orders".into(), partitions: 1 };
        let mut environment = EnvironmentRow::new("qa", "qa.yaml");
        environment.protocol = "PLAINTEXT".into();
        model.environments.push(environment);
        model.apply(Fact::Topics { environment: "qa".into(), topics: Ok(vec![row]) });
        let fields = fields.iter().map(|(name, sql_type)| Field {
            name: (*name).into(),
            sql_type: (*sql_type).into(),
            ..Field::default()
        });
        let sample = Sample { schema: Arc::new(Schema::empty()), fields: fields.collect(), records: 1, at_ms: 0 };
        let outcome = Ok(Arc::new(sample));
        model.apply(Fact::Sampled { environment: "qa".into(), topic: "orders".into(), outcome });
        model
    }

    /// Keys as `amou↹`: letters are typed, `↹` is Tab, `↓` Down, `⎋` Esc.
    fn typed(keys: &str) -> (String, bool) {
        let model = sampled(&[("amount", "DECIMAL(10, 2)"), ("amount_due", "BIGINT"), ("state", "TEXT")]);
        let mut condition = line(None, false);
        for letter in keys.chars() {
            let code = match letter {
                '↹' => KeyCode::Tab,
                '↓' => KeyCode::Down,
                '⎋' => KeyCode::Esc,
                letter => KeyCode::Char(letter),
            };
            condition.key(KeyEvent::from(code), &model);
        }
        (condition.input.text().to_owned(), condition.popup.is_some())
    }

    #[test]
    fn names_of_fields_are_completed_and_no_key_that_edits_is_taken() {
        let cases = [
            ("amou↹", "amount", false),
            ("amou↓↹ > 1", "amount_due > 1", false),
            ("amount > 1 and sta↹", "amount > 1 and state", false),
            ("amou", "amou", true),
            ("amou⎋", "amou", false),
            ("amount_due", "amount_due", false),
            ("amou > ", "amou > ", false),
        ];
        for (keys, text, is_open) in cases {
            assert_eq!(typed(keys), (text.to_owned(), is_open), "{keys}");
        }
    }

    #[test]
    fn fields_that_become_known_while_somebody_types_are_offered() {
        let area = Rect::new(0, 20, 80, 2);
        let offers = |keys: &[KeyCode]| {
            let mut condition = line(None, false);
            keys.iter().for_each(|key| drop(condition.key(KeyEvent::from(*key), &sampled(&[]))));
            let before = condition.popup.is_some();
            let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
            let known = sampled(&[("zebra", "TEXT")]);
            condition.draw(area, Rect::new(0, 0, 80, 20), &mut buffer, &Theme::default(), &known);
            (before, condition.popup.is_some())
        };
        assert_eq!(offers(&[KeyCode::Char('z'), KeyCode::Char('e')]), (false, true));
        assert_eq!(offers(&[]), (false, false), "nothing was typed");
        assert_eq!(
            offers(&[KeyCode::Char('z'), KeyCode::Char('e'), KeyCode::Left]),
            (false, false),
            "the caret went on"
        );
    }

    #[test]
    fn what_is_read_is_said_in_words() {
        let scan = |topic: &str, partitions, records| Scan { topic: topic.into(), partitions, records };
        assert_eq!(said(&[scan("a", 1, 1)], true, 80), "Enter reads 1 record in 1 partition of a, then ends");
        let two = [scan("a", 3, 1_200), scan("b", 3, 34)];
        assert_eq!(said(&two, false, 80), "Enter reads 1,234 records in 6 partitions of a, b, then what comes");
        assert_eq!(said(&two, false, 60), "Enter reads 1,234 records of a, b, then what comes");
        assert_eq!(said(&two, true, 40), "Enter reads 1,234 records of 2 topics, then ends");
    }

    #[test]
    fn progress_says_how_long_it_takes_where_that_can_be_known() {
        assert_eq!(progress(0, 0, 0.0), "100 %");
        assert_eq!(progress(999, 1, 0.0), "99 %");
        assert_eq!(progress(250, 750, 100.0), "25 %, 7 s left");
    }
}
