//! The dialog before a statement becomes a job: its name, how surely rows are delivered, how often it is checkpointed; and what it
//! will read and write. It deploys nothing itself.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::naming::{NAME_LETTERS_MAX, ends, is_name, name_after, written_into};
use crate::app::action::{DeployRequest, QueryRequest};
use crate::app::model::Model;
use crate::config::variables::Variables;
use crate::core::environment::Guard;
use crate::sql::assist::{Item, ItemKind};
use crate::sql::deploy::definition::Delivery;
use crate::sql::deploy::prepare;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::completion::{Chosen, Popup};
use crate::ui::widgets::dialog;
use crate::ui::widgets::form::{Field, Form};
use crate::ui::widgets::text;

/// Between two checkpoints where nobody says otherwise: what a restart repeats at most, and little enough to write.
const CHECKPOINT_SECONDS: u64 = 10;
/// Longest time between two checkpoints, seconds: beyond an hour a restart repeats more than anybody waits for.
const CHECKPOINT_SECONDS_MAX: u64 = 3_600;
/// Topics that are named in the hint.
const TOPICS_MAX: usize = 200;

/// The open dialog.
#[derive(Debug)]
pub struct DeployDialog {
    query: QueryRequest,
    /// Where it writes; none where the statement does not say and the form asks.
    sink: Option<String>,
    /// Topics there are, to be taken as the sink.
    topics: Vec<String>,
    form: Form,
    /// Topics that begin as, or hold, what is typed.
    popup: Option<Popup>,
    /// How surely rows can be delivered there, as the form lists it.
    deliveries: Vec<Delivery>,
    /// The name that was proposed last: it follows the sink until somebody writes another one.
    proposed: String,
    /// Names that jobs have already.
    taken: Vec<String>,
    /// What is wrong with what was entered, as Enter found it.
    fault: Option<String>,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Deployed {
    /// The dialog stays.
    Open,
    /// Nothing is deployed.
    Closed,
    /// This is to be deployed.
    Do(DeployRequest),
}

impl DeployDialog {
    /// A dialog for a statement; why it cannot be deployed, where it writes nowhere.
    pub fn new(query: QueryRequest, tab: &str, model: &Model) -> Result<Self, &'static str> {
        let (name, sink) = ends(&query)?;
        let taken: Vec<String> = model.deployments.rows.keys().chain(model.deployments.kept.keys()).cloned().collect();
        let named = name.as_deref().or(sink.as_deref()).unwrap_or(tab);
        let proposed = name_after(named, &taken);
        let is_embedded = model.environment(&query.environment).is_some_and(|row| row.embedded);
        let (deliveries, about) = match is_embedded {
            true => {
                (vec![Delivery::AtLeastOnce], "the broker inside this process has no transactions: never exactly once")
            }
            false => (
                vec![Delivery::ExactlyOnce, Delivery::AtLeastOnce],
                "exactly once: rows become visible with the checkpoint, each once. At least once: at once, again after a crash",
            ),
        };
        let said = said(&query);
        let chosen = deliveries.iter().position(|delivery| Some(*delivery) == said).unwrap_or(0);
        let named_deliveries = deliveries.iter().map(|delivery| delivery.name().to_owned()).collect();
        let topics = topics(model, &query.environment);
        let mut fields = Vec::new();
        if sink.is_none() {
            let hint = "a topic; it is made where there is none of that name";
            fields.push(Field::text("sink", "writes to topic", "").hint(hint));
        }
        fields.extend([
            Field::text("name", "name", proposed.clone()).hint("what the job is called from now on"),
            Field::choice("delivery", "delivery", named_deliveries, chosen).hint(about),
            Field::number("checkpoint", "checkpoint every, seconds", CHECKPOINT_SECONDS, 1, CHECKPOINT_SECONDS_MAX)
                .hint("a restart goes on from the last one"),
        ]);
        Ok(Self { query, sink, topics, form: Form::new(fields), popup: None, deliveries, proposed, taken, fault: None })
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Deployed {
        if let Some(popup) = &mut self.popup {
            // Tab goes through the fields of every form: here the arrow takes what is offered.
            let meant = match key.code {
                KeyCode::Right => KeyEvent::from(KeyCode::Tab),
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Enter => KeyEvent::from(KeyCode::Null),
                _ => key,
            };
            match popup.key(meant) {
                Chosen::Ignored => self.popup = None,
                Chosen::Moved => return Deployed::Open,
                chosen => {
                    if let Chosen::Taken(_, topic, _) = chosen {
                        self.form.set_text("sink", &topic);
                        self.propose();
                    }
                    self.popup = None;
                    return Deployed::Open;
                }
            }
        }
        match key.code {
            KeyCode::Esc => return Deployed::Closed,
            KeyCode::Enter => match self.request() {
                Ok(request) => return Deployed::Do(request),
                Err(fault) => self.fault = Some(fault),
            },
            _ => {
                self.fault = None;
                self.form.key(key);
                self.propose();
                if matches!(key.code, KeyCode::Char(_) | KeyCode::Backspace) && self.form.field() == "sink" {
                    self.offer();
                }
            }
        }
        Deployed::Open
    }

    /// Offers the topics that what is typed may become: those that begin so first.
    fn offer(&mut self) {
        let typed = self.form.text("sink").to_lowercase();
        let found = |topic: &&String| !typed.is_empty() && topic.to_lowercase().contains(&typed);
        let mut topics: Vec<&String> = self.topics.iter().filter(found).collect();
        topics.sort_by_key(|topic| !topic.to_lowercase().starts_with(&typed));
        let is_written = topics.first().is_some_and(|topic| topic.to_lowercase() == typed);
        let item = |topic: &String| Item {
            label: topic.clone(),
            text: topic.clone(),
            caret: topic.len(),
            kind: ItemKind::Topic,
            detail: "topic".to_owned(),
            help: String::new(),
        };
        let items = if is_written { Vec::new() } else { topics.into_iter().map(item).collect() };
        self.popup = Popup::of(items, &typed, " → takes it ");
    }

    /// Calls the job as the topic that it is to write to, unless somebody has named it.
    fn propose(&mut self) {
        let sink = self.form.text("sink").trim();
        if self.form.field() == "sink" && !sink.is_empty() && self.form.text("name") == self.proposed {
            self.proposed = name_after(sink, &self.taken);
            self.form.set_text("name", &self.proposed);
        }
    }

    /// Adds pasted text to the field.
    pub fn paste(&mut self, pasted: &str) {
        self.form.paste(pasted);
        self.propose();
    }

    /// Draws the dialog over `area`.
    pub fn draw(&mut self, model: &Model, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let guard = model.environment(&self.query.environment).map(|row| row.guard);
        let is_guarded = guard.is_some_and(|guard| guard != Guard::None);
        let keys = [("↵", "deploy"), ("Tab", "next field"), ("← →", "choose"), ("Esc", "back")];
        let size = (area.width.saturating_sub(8).min(84), 16);
        let title = format!("Deploy in {}", self.query.environment);
        let frame = dialog::Frame { title: &title, keys: &keys, danger: is_guarded, size };
        let inside = dialog::draw(frame, area, buffer, theme);
        self.form.draw(inside, buffer, theme, true);
        let mut y = inside.y + self.form.height() + 1;
        let mut tell = |words: &str, style: Style| {
            for line in text::wrapped(words, usize::from(inside.width)) {
                if y < inside.bottom() {
                    buffer.set_string(inside.x, y, line, style);
                }
                y += 1;
            }
        };
        if let Some(fault) = &self.fault {
            tell(fault, theme.role(Role::Danger));
        }
        let sink = self.sink.as_deref().unwrap_or(self.form.text("sink").trim());
        let sink = if sink.is_empty() { "the topic above" } else { sink };
        let words = format!("It writes to {sink} until it is stopped, and goes on after a restart of the console.");
        tell(&words, theme.role(Role::Text));
        match guard {
            Some(Guard::Typed) => tell("This environment asks for its name to be typed.", theme.role(Role::Warning)),
            Some(Guard::Confirm) => tell("This environment asks once more.", theme.role(Role::Warning)),
            Some(Guard::ReadOnly) => tell("This environment is read-only: it will refuse.", theme.role(Role::Danger)),
            _ => {}
        }
        tell(&text::fit(&self.query.in_one_line(), usize::from(inside.width) * 2), theme.role(Role::Muted));
        if let Some(popup) = &mut self.popup {
            let cell = self.form.cell(inside);
            let typed = (text::width(self.form.text("sink")) as u16).min(cell.width);
            popup.draw(Position { x: cell.x + typed, y: cell.y }, area, buffer, theme);
        }
    }

    fn request(&self) -> Result<DeployRequest, String> {
        if let Some(fault) = self.form.fault() {
            return Err(fault);
        }
        let name = self.form.text("name").trim().to_owned();
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_name) || NAME_LETTERS_MAX < name.len() {
            return Err(format!("a name has up to {NAME_LETTERS_MAX} letters, digits, `-`, `_` and `.`"));
        }
        let seconds = self.form.number("checkpoint").unwrap_or(CHECKPOINT_SECONDS);
        let query = match &self.sink {
            Some(_) => self.query.clone(),
            None => written_into(&self.query, self.form.text("sink").trim())?,
        };
        let chosen = self.deliveries.get(self.form.chosen("delivery")).copied();
        let delivery = Delivery::agreed(chosen, said(&query), "delivery").map_err(|fault| fault.what)?;
        Ok(DeployRequest { name, query, delivery, checkpoint_interval_ms: seconds * 1_000 })
    }
}

/// How surely rows are delivered as the text says; none where it says nothing of it, or is not right yet.
fn said(query: &QueryRequest) -> Option<Delivery> {
    prepare::said(&Variables::default(), &query.text, query.statement).ok()?.delivery
}

/// Topics of an environment that a person may mean.
fn topics(model: &Model, environment: &str) -> Vec<String> {
    let catalog = model.assist.catalog(environment);
    let names = catalog.topics.iter().map(|topic| topic.name.clone());
    names.filter(|name| !name.starts_with("__")).take(TOPICS_MAX).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn query(text: &str) -> QueryRequest {
        QueryRequest { environment: "qa".into(), text: text.into(), statement: 0 }
    }

    #[test]
    fn a_statement_says_its_name_and_where_it_writes() {
        let ends = |text: &str| ends(&query(text));
        assert_eq!(ends("SELECT * FROM a INTO b"), Ok((None, Some("b".into()))));
        assert_eq!(ends("INSERT INTO b SELECT * FROM a"), Ok((None, Some("b".into()))));
        assert_eq!(ends("CREATE STREAM s AS SELECT * FROM a INTO b"), Ok((Some("s".into()), Some("b".into()))));
        assert_eq!(ends("SELECT * FROM a"), Ok((None, None)));
        assert!(ends("SELECT * FROM").unwrap_err().contains("not right"));
        assert!(ends("SHOW TOPICS").unwrap_err().contains("no rows"));
    }

    #[test]
    fn a_statement_that_does_not_say_where_it_writes_is_asked_and_gets_it_at_its_end() {
        let mut dialog = DeployDialog::new(query("SELECT * FROM a; SELECT 1"), "query 1", &Model::default()).unwrap();
        assert_eq!(dialog.key(KeyCode::Enter.into()), Deployed::Open);
        assert!(dialog.fault.as_ref().unwrap().contains("name a topic"));
        dialog.paste("my-topic.v1");
        let Deployed::Do(request) = dialog.key(KeyCode::Enter.into()) else { panic!("nothing is deployed") };
        assert_eq!(request.query.text, "SELECT * FROM a\nINTO my-topic.v1; SELECT 1");
        assert_eq!(ends(&request.query), Ok((None, Some("my-topic.v1".into()))));
    }

    #[test]
    fn a_job_is_called_as_what_it_makes_or_writes_to_and_as_nobody_else() {
        let taken = ["spend".to_owned(), "spend-2".to_owned()];
        for (named, expected) in [
            ("spend", "spend-3"),
            ("spend.v1", "spend.v1"),
            ("file:///tmp/out/by day.jsonl?format=json", "by_day.jsonl"),
            ("kafka://orders", "orders"),
            ("query 1", "query_1"),
            ("été", "_t_"),
            ("", "job"),
        ] {
            assert_eq!(name_after(named, &taken), expected, "{named}");
        }
        let name = |text: &str| DeployDialog::new(query(text), "query 1", &Model::default()).unwrap().proposed;
        assert_eq!(name("SELECT * FROM a INTO b"), "b");
        assert_eq!(name("CREATE STREAM s AS SELECT * FROM a INTO b"), "s");
        assert_eq!(name("SELECT * FROM a"), "query_1", "there is nothing yet to call it after");
    }

    #[test]
    fn what_can_be_no_topic_is_refused_before_it_is_deployed() {
        let into = |sink: &str| written_into(&query("CREATE SINK \"my sink\" WITH ('connector' = 'discard')"), sink);
        for wrong in ["bad topic!", "..", &"x".repeat(250)] {
            assert!(into(wrong).unwrap_err().contains("cannot name a topic"), "{wrong}");
        }
        for right in ["my-topic.v1_2", "file:///tmp/my file.csv", "my sink"] {
            assert!(into(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn what_the_environment_cannot_do_is_not_offered() {
        let mut model = Model::default();
        let mut row = crate::app::model::environments::EnvironmentRow::new("qa", "qa.yaml");
        row.embedded = true;
        for (embedded, expected) in [(true, Delivery::AtLeastOnce), (false, Delivery::ExactlyOnce)] {
            row.embedded = embedded;
            model.environments = vec![row.clone()];
            let mut dialog = DeployDialog::new(query("SELECT * FROM a INTO b"), "query 1", &model).unwrap();
            dialog.key(KeyCode::Tab.into());
            assert_eq!(dialog.deliveries.len(), if embedded { 1 } else { 2 });
            let Deployed::Do(request) = dialog.key(KeyCode::Enter.into()) else { panic!("nothing is deployed") };
            assert_eq!(request.delivery, expected);
        }
    }

    #[test]
    fn the_name_follows_the_topic_that_is_typed_until_somebody_writes_another_one() {
        let mut dialog = DeployDialog::new(query("SELECT * FROM a"), "query 1", &Model::default()).unwrap();
        "big".chars().for_each(|letter| drop(dialog.key(KeyCode::Char(letter).into())));
        assert_eq!(dialog.form.text("name"), "big");
        for key in [KeyCode::Tab, KeyCode::Char('s'), KeyCode::BackTab, KeyCode::Char('x')] {
            dialog.key(key.into());
        }
        assert_eq!((dialog.form.text("sink"), dialog.form.text("name")), ("bigx", "bigs"));
    }

    #[test]
    fn topics_that_are_typed_are_offered_and_tab_still_goes_to_the_next_field() {
        let mut dialog = DeployDialog::new(query("SELECT * FROM a"), "query 1", &Model::default()).unwrap();
        dialog.topics = ["orders", "my-spend", "spend.v1"].map(str::to_owned).into();
        let offered = |dialog: &DeployDialog| dialog.popup.is_some();
        dialog.key(KeyCode::Char('s').into());
        dialog.key(KeyCode::Char('p').into());
        assert!(offered(&dialog));
        dialog.key(KeyCode::Down.into());
        dialog.key(KeyCode::Right.into());
        assert_eq!((dialog.form.text("sink"), offered(&dialog)), ("my-spend", false), "those that begin so come first");
        dialog.key(KeyCode::Backspace.into());
        assert!(offered(&dialog));
        dialog.key(KeyCode::Tab.into());
        assert_eq!((dialog.form.text("sink"), dialog.form.field(), offered(&dialog)), ("my-spen", "name", false));
    }

    #[test]
    fn enter_deploys_what_is_entered_and_a_wrong_name_is_said() {
        let mut dialog = DeployDialog::new(query("SELECT * FROM a INTO b"), "query 1", &Model::default()).unwrap();
        let Deployed::Do(request) = dialog.key(KeyCode::Enter.into()) else { panic!("nothing is deployed") };
        assert_eq!((request.name.as_str(), request.checkpoint_interval_ms), ("b", 10_000));
        dialog.key(KeyCode::Char('/').into());
        assert_eq!(dialog.key(KeyCode::Enter.into()), Deployed::Open);
        assert!(dialog.fault.is_some());
    }
}
