//! The dialog before a statement becomes a job: its name, how surely rows are delivered, how often it is checkpointed; and what it
//! will read and write. It deploys nothing itself.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::action::{DeployRequest, QueryRequest};
use crate::app::model::Model;
use crate::core::environment::Guard;
use crate::sql::deploy::definition::Delivery;
use crate::sql::parse::{self, statement::EndName, statement::StatementKind};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::dialog;
use crate::ui::widgets::form::{Field, Form};
use crate::ui::widgets::text;

/// Between two checkpoints where nobody says otherwise: what a restart repeats at most, and little enough to write.
const CHECKPOINT_SECONDS: u64 = 10;
/// Longest time between two checkpoints, seconds: beyond an hour a restart repeats more than anybody waits for.
const CHECKPOINT_SECONDS_MAX: u64 = 3_600;
/// Longest name of a job, letters: it is a folder's name and a line of a list.
const NAME_LETTERS_MAX: usize = 60;

/// The open dialog.
#[derive(Debug)]
pub struct DeployDialog {
    query: QueryRequest,
    sink: String,
    form: Form,
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
        let name = name.unwrap_or_else(|| tab.replace(' ', "_"));
        let deliveries = vec!["exactly once".to_owned(), "at least once".to_owned()];
        // The broker inside this process has no transactions.
        let is_embedded = model.environment(&query.environment).is_some_and(|row| row.embedded);
        let form = Form::new(vec![
            Field::text("name", "name", name).hint("what the job is called from now on"),
            Field::choice("delivery", "delivery", deliveries, usize::from(is_embedded))
                .hint("exactly once: rows become visible with the checkpoint, each once. At least once: at once, again after a crash"),
            Field::number("checkpoint", "checkpoint every, seconds", CHECKPOINT_SECONDS, 1, CHECKPOINT_SECONDS_MAX)
                .hint("a restart goes on from the last one"),
        ]);
        Ok(Self { query, sink, form, fault: None })
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Deployed {
        match key.code {
            KeyCode::Esc => return Deployed::Closed,
            KeyCode::Enter => match self.request() {
                Ok(request) => return Deployed::Do(request),
                Err(fault) => self.fault = Some(fault),
            },
            _ => {
                self.fault = None;
                self.form.key(key);
            }
        }
        Deployed::Open
    }

    /// Adds pasted text to the field.
    pub fn paste(&mut self, pasted: &str) {
        self.form.paste(pasted);
    }

    /// Draws the dialog over `area`.
    pub fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let guard = model.environment(&self.query.environment).map(|row| row.guard);
        let is_guarded = guard.is_some_and(|guard| guard != Guard::None);
        let keys = [("↵", "deploy"), ("Tab", "next field"), ("← →", "choose"), ("Esc", "back")];
        let size = (area.width.saturating_sub(8).min(84), 15);
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
        tell(
            &format!("It writes to {} until it is stopped, and goes on after a restart of the console.", self.sink),
            theme.role(Role::Text),
        );
        match guard {
            Some(Guard::Typed) => tell("This environment asks for its name to be typed.", theme.role(Role::Warning)),
            Some(Guard::Confirm) => tell("This environment asks once more.", theme.role(Role::Warning)),
            Some(Guard::ReadOnly) => tell("This environment is read-only: it will refuse.", theme.role(Role::Danger)),
            _ => {}
        }
        tell(&text::fit(&self.query.in_one_line(), usize::from(inside.width) * 2), theme.role(Role::Muted));
    }

    fn request(&self) -> Result<DeployRequest, String> {
        if let Some(fault) = self.form.fault() {
            return Err(fault);
        }
        let name = self.form.text("name").trim().to_owned();
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_name) || NAME_LETTERS_MAX < name.len() {
            return Err(format!("a name has up to {NAME_LETTERS_MAX} letters, digits, `-`, `_` and `.`"));
        }
        let seconds = self.form.number("checkpoint").unwrap_or(CHECKPOINT_SECONDS);
        Ok(DeployRequest {
            name,
            query: self.query.clone(),
            delivery: if self.form.chosen("delivery") == 0 { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce },
            checkpoint_interval_ms: seconds * 1_000,
        })
    }
}

/// The name that a statement gives itself, and where it writes.
fn ends(query: &QueryRequest) -> Result<(Option<String>, String), &'static str> {
    let nowhere = "a job needs somewhere to write: end the statement with INTO and a topic";
    let script = parse::parse(&query.text, "");
    let span = parse::statements(&query.text).get(query.statement).copied().ok_or("there is no such statement")?;
    let wanted = script.statements.iter().find(|one| span.start <= one.span.start && one.span.end <= span.end);
    let told = |end: &EndName| match end {
        EndName::Name(name) | EndName::Uri(name) => name.clone(),
    };
    match wanted.map(|statement| &statement.kind) {
        Some(StatementKind::Query(made)) => Ok((None, told(made.into.as_ref().ok_or(nowhere)?))),
        Some(StatementKind::Insert { sink, .. }) => Ok((None, told(sink))),
        Some(StatementKind::CreateStream(made) | StatementKind::CreateTable(made)) => {
            Ok((Some(made.name.clone()), told(made.query.into.as_ref().ok_or(nowhere)?)))
        }
        Some(_) => Err("this statement moves no rows: put the cursor on one with INTO, or on an INSERT"),
        None => Err("this statement is not right yet"),
    }
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
        assert_eq!(ends("SELECT * FROM a INTO b"), Ok((None, "b".into())));
        assert_eq!(ends("INSERT INTO b SELECT * FROM a"), Ok((None, "b".into())));
        assert_eq!(ends("CREATE STREAM s AS SELECT * FROM a INTO b"), Ok((Some("s".into()), "b".into())));
        assert!(ends("SELECT * FROM a").unwrap_err().contains("INTO"));
        assert!(ends("SELECT * FROM").unwrap_err().contains("not right"));
        assert!(ends("SHOW TOPICS").unwrap_err().contains("no rows"));
    }

    #[test]
    fn enter_deploys_what_is_entered_and_a_wrong_name_is_said() {
        let mut dialog = DeployDialog::new(query("SELECT * FROM a INTO b"), "query 1", &Model::default()).unwrap();
        let Deployed::Do(request) = dialog.key(KeyCode::Enter.into()) else { panic!("nothing is deployed") };
        assert_eq!((request.name.as_str(), request.checkpoint_interval_ms), ("query_1", 10_000));
        dialog.key(KeyCode::Char('/').into());
        assert_eq!(dialog.key(KeyCode::Enter.into()), Deployed::Open);
        assert!(dialog.fault.is_some());
    }
}
