//! What pane 3 keeps beside its queries: the texts being written, the files of `config/sql/`, what was run before, and what a
//! statement would do. Queries themselves are in `queries`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::app::action::QueryRequest;
use crate::app::model::pipeline::Pipeline;
use crate::core::fault::{Blame, Fault};

/// Texts open at a time: more tabs than a screen is wide help nobody.
pub const BUFFERS_MAX: usize = 20;
/// Statements remembered: a few weeks of work, and a file that is read in a millisecond.
pub const HISTORY_MAX: usize = 500;
/// Bytes of one remembered statement: a longer one is a file, and is kept as one.
pub const HISTORY_BYTES_MAX: usize = 16 * 1024;

/// The texts of pane 3.
#[derive(Debug, Clone, PartialEq)]
pub struct Desk {
    /// Texts being written.
    pub buffers: Vec<Buffer>,
    /// Which of them is in front.
    pub current: usize,
    /// Grows when a text was changed by something else than the pane's own typing, so that the pane takes it anew.
    pub given: u64,
    /// Files of `config/sql/`, then the starters, by name.
    pub files: Vec<SqlFile>,
    /// Statements that were run, oldest first.
    pub history: VecDeque<String>,
    /// What a statement would do, as it was asked for last.
    pub explained: Option<Explaining>,
    /// Whether files and what was kept have been asked for.
    pub(in crate::app) is_asked: bool,
    /// Whether texts may be written over what an earlier console kept.
    pub(in crate::app) is_kept: bool,
    /// Whether something is not kept yet.
    pub(in crate::app) is_changed: bool,
    /// Whether what is read next was kept by another console, and comes beside what is here.
    pub(in crate::app) joins: bool,
}

/// A text being written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Buffer {
    /// What its tab says.
    pub name: String,
    /// The text.
    pub text: String,
    /// Byte at which the caret stood at the last change.
    #[serde(default)]
    pub caret: usize,
    /// The text as its file has it; none where it is not one of `config/sql/`.
    #[serde(default)]
    pub saved: Option<String>,
}

impl Buffer {
    /// Whether it has a file that says something else.
    pub fn is_changed(&self) -> bool {
        self.saved.as_ref().is_some_and(|saved| *saved != self.text)
    }
}

/// A file of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// Name without folder and ending.
    pub name: String,
    /// What its first comment says.
    pub about: String,
    /// Its text.
    pub text: String,
    /// Whether it is one of the gallery's starters.
    pub is_starter: bool,
}

/// What is kept over a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeptDesk {
    /// Texts being written.
    pub buffers: Vec<Buffer>,
    /// Which of them was in front.
    #[serde(default)]
    pub current: usize,
    /// Statements that were run, oldest first.
    #[serde(default)]
    pub history: VecDeque<String>,
}

/// A statement that is being planned, or was.
#[derive(Debug, Clone, PartialEq)]
pub struct Explaining {
    /// Number of the request.
    pub request: u64,
    /// What was asked about.
    pub asked: QueryRequest,
    /// When, milliseconds since 1970.
    pub since_ms: i64,
    /// Whether the answer is said in the footer, as a validation's is.
    pub is_said: bool,
    /// What it would do; none until the answer came.
    pub outcome: Option<Result<Explained, Fault>>,
}

/// What a statement would do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explained {
    /// Its operators, of which nothing is measured yet.
    pub pipeline: Pipeline,
    /// What would be read.
    pub reads: Vec<Reads>,
    /// Where the rows go: `screen`, or a connector and what it writes to.
    pub writes: String,
    /// Columns of the result with their types.
    pub columns: Vec<(String, String)>,
    /// What works and should be known.
    pub warnings: Vec<String>,
}

/// What a source would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// Its name in the statement.
    pub source: String,
    /// What the source says of itself: topic, partitions, records or bytes where it knows them.
    pub about: String,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            buffers: Vec::new(),
            current: 0,
            given: 0,
            files: Vec::new(),
            history: VecDeque::new(),
            explained: None,
            is_asked: false,
            is_kept: true,
            is_changed: false,
            joins: false,
        }
    }
}

impl Desk {
    /// The text in front.
    pub fn buffer(&self) -> Option<&Buffer> {
        self.buffers.get(self.current)
    }

    /// What is to be kept.
    pub fn kept(&self) -> KeptDesk {
        KeptDesk { buffers: self.buffers.clone(), current: self.current, history: self.history.clone() }
    }

    /// Remembers a statement that is run; one that was run before moves to the end.
    pub fn remember(&mut self, statement: &str) {
        let statement = statement.trim();
        if statement.is_empty() || HISTORY_BYTES_MAX < statement.len() {
            return;
        }
        self.history.retain(|known| known != statement);
        self.history.push_back(statement.to_owned());
        while HISTORY_MAX < self.history.len() {
            self.history.pop_front();
        }
        self.is_changed = true;
    }

    /// Takes what an earlier console has kept; nothing where something was written already.
    pub fn take(&mut self, kept: KeptDesk) {
        let is_untouched = self.buffers.iter().all(|buffer| buffer.text.trim().is_empty());
        if is_untouched && !kept.buffers.is_empty() {
            self.buffers = kept.buffers;
            self.buffers.truncate(BUFFERS_MAX);
            self.current = kept.current.min(self.buffers.len() - 1);
        }
        let newer = std::mem::replace(&mut self.history, kept.history);
        newer.iter().for_each(|statement| self.remember(statement));
        self.settle();
    }

    /// Takes what another console kept, which has ended, beside what is written here: nothing of either is lost.
    pub fn join(&mut self, kept: KeptDesk) {
        let own = self.current;
        for mut buffer in kept.buffers {
            let is_here = self.buffers.iter().any(|open| open.text == buffer.text);
            if is_here || buffer.text.trim().is_empty() {
                continue;
            }
            if BUFFERS_MAX <= self.buffers.len() {
                self.remember(&buffer.text);
                continue;
            }
            if self.buffers.iter().any(|open| open.name == buffer.name) {
                (buffer.name, buffer.saved) = (self.free_name(), None);
            }
            self.buffers.push(buffer);
        }
        self.current = own;
        let newer = std::mem::replace(&mut self.history, kept.history);
        newer.iter().for_each(|statement| self.remember(statement));
        self.settle();
    }

    /// Puts a text in front: in the tab that has it, in an empty one, or in a new one.
    pub fn open(&mut self, buffer: Buffer) -> Result<(), &'static str> {
        if let Some(at) = self
            .buffers
            .iter()
            .position(|open| open.name == buffer.name && open.saved.is_some() == buffer.saved.is_some())
        {
            self.current = at;
        } else if let Some(here) =
            self.buffers.get_mut(self.current).filter(|here| here.saved.is_none() && here.text.trim().is_empty())
        {
            *here = buffer;
        } else if BUFFERS_MAX <= self.buffers.len() {
            return Err("there are twenty tabs: close one first");
        } else {
            self.buffers.push(buffer);
            self.current = self.buffers.len() - 1;
        }
        self.settle();
        Ok(())
    }

    /// An empty text in front.
    pub fn begin(&mut self) -> Result<(), &'static str> {
        if BUFFERS_MAX <= self.buffers.len() {
            return Err("there are twenty tabs: close one first");
        }
        self.buffers.push(Buffer { name: self.free_name(), ..Buffer::default() });
        self.current = self.buffers.len() - 1;
        self.settle();
        Ok(())
    }

    /// Takes the text in front away; there is always one.
    pub fn close(&mut self) {
        if self.current < self.buffers.len() {
            self.buffers.remove(self.current);
        }
        self.current = self.current.min(self.buffers.len().saturating_sub(1));
        self.settle();
    }

    /// Puts another text in front.
    pub fn show(&mut self, at: usize) {
        self.current = at.min(self.buffers.len().saturating_sub(1));
        self.settle();
    }

    /// At least one text, and the pane takes them anew.
    pub(in crate::app) fn settle(&mut self) {
        if self.buffers.is_empty() {
            self.buffers.push(Buffer { name: self.free_name(), ..Buffer::default() });
        }
        self.given += 1;
        self.is_changed = true;
    }

    fn free_name(&self) -> String {
        let names = (1..).map(|number| format!("query {number}"));
        names.into_iter().find(|name| self.buffers.iter().all(|buffer| buffer.name != *name)).unwrap_or_default()
    }
}

/// Longest name of a file, letters.
const NAME_LETTERS_MAX: usize = 60;

/// The name of a file under `config/sql/`, as it was written, its ending left out.
///
/// # Errors
/// It cannot be the name of a file there.
pub fn file_name(written: &str) -> Result<&str, Fault> {
    let name = written.trim().trim_end_matches(".sql");
    let is_name = |letter: char| letter.is_alphanumeric() || "-_. ".contains(letter);
    match name.is_empty()
        || name.starts_with('.')
        || !name.chars().all(is_name)
        || NAME_LETTERS_MAX < name.chars().count()
    {
        false => Ok(name),
        true => Err(Fault::new(Blame::Operator, format!("`{name}` cannot name a file"))
            .next(format!("use up to {NAME_LETTERS_MAX} letters, digits, `-`, `_` and `.`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, text: &str) -> Buffer {
        Buffer { name: name.into(), text: text.into(), ..Buffer::default() }
    }

    fn names(desk: &Desk) -> Vec<&str> {
        desk.buffers.iter().map(|buffer| buffer.name.as_str()).collect()
    }

    #[test]
    fn there_is_always_a_text_to_write_in() {
        let mut desk = Desk::default();
        desk.take(KeptDesk::default());
        assert_eq!(names(&desk), ["query 1"]);
        desk.close();
        assert_eq!(names(&desk), ["query 1"]);
    }

    #[test]
    fn a_file_opens_in_an_empty_tab_and_only_once() {
        let mut desk = Desk::default();
        desk.take(KeptDesk::default());
        let spend = Buffer { saved: Some("SELECT 1".into()), ..text("spend", "SELECT 1") };
        assert_eq!((desk.open(spend.clone()), names(&desk)), (Ok(()), vec!["spend"]));
        assert_eq!(desk.open(text("other", "SELECT 2")), Ok(()));
        assert_eq!(desk.open(spend), Ok(()));
        assert_eq!((names(&desk), desk.current), (vec!["spend", "other"], 0));
    }

    #[test]
    fn what_was_kept_comes_back_unless_something_is_written_already() {
        let mut desk = Desk::default();
        desk.take(KeptDesk {
            buffers: vec![text("a", "1"), text("b", "2")],
            current: 1,
            history: ["x".to_owned()].into(),
        });
        assert_eq!((names(&desk), desk.current, desk.history.len()), (vec!["a", "b"], 1, 1));
        desk.take(KeptDesk { buffers: vec![text("c", "3")], ..KeptDesk::default() });
        assert_eq!(names(&desk), ["a", "b"]);
    }

    #[test]
    fn what_another_console_kept_comes_beside_what_is_written_here() {
        let mut desk = Desk::default();
        desk.take(KeptDesk { buffers: vec![text("query 1", "mine")], ..KeptDesk::default() });
        desk.remember("SELECT mine");
        let buffers = vec![text("query 1", "theirs"), text("same", "mine"), text("empty", " ")];
        desk.join(KeptDesk { buffers, current: 0, history: ["SELECT theirs".to_owned()].into() });
        let texts: Vec<&str> = desk.buffers.iter().map(|buffer| buffer.text.as_str()).collect();
        assert_eq!((texts, names(&desk), desk.current), (vec!["mine", "theirs"], vec!["query 1", "query 2"], 0));
        assert_eq!(desk.history, ["SELECT theirs", "SELECT mine"]);
        let many = (0..BUFFERS_MAX).map(|at| text(&at.to_string(), &format!("SELECT {at}"))).collect();
        desk.join(KeptDesk { buffers: many, ..KeptDesk::default() });
        assert_eq!(desk.buffers.len(), BUFFERS_MAX);
        assert!(desk.history.contains(&format!("SELECT {}", BUFFERS_MAX - 1)), "{:?}", desk.history);
    }

    #[test]
    fn a_statement_is_remembered_once_at_its_newest_place() {
        let mut desk = Desk::default();
        ["a", "b", " a ", ""].iter().for_each(|statement| desk.remember(statement));
        assert_eq!(desk.history, ["b", "a"]);
        (0..HISTORY_MAX + 5).for_each(|number| desk.remember(&number.to_string()));
        assert_eq!(desk.history.len(), HISTORY_MAX);
        desk.remember(&"x".repeat(HISTORY_BYTES_MAX + 1));
        assert_eq!(desk.history.back().map(String::len), Some(3));
    }
}
