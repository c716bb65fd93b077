//! What becomes of the texts of pane 3: written, opened, saved, kept. Pure.

use super::action::QueryRequest;
use super::effect::Effect;
use super::model::assist::Draft;
use super::model::sql::{Buffer, Explained, Explaining, HISTORY_BYTES_MAX, KeptDesk, SqlFile};
use super::model::{Model, Note};
use crate::core::fault::Fault;

impl Model {
    /// Pane 3 is looked at: the first time its files and what was kept are asked for.
    pub(super) fn sit_down(&mut self) -> Vec<Effect> {
        match std::mem::replace(&mut self.desk.is_asked, true) {
            true => Vec::new(),
            false => {
                let mut effects = vec![Effect::ReadSql];
                if let Some(environment) = self.active.clone() {
                    effects.extend(self.list_topics(environment));
                }
                effects
            }
        }
    }

    pub(super) fn sql_read(&mut self, files: Vec<SqlFile>, kept: Result<KeptDesk, Fault>) -> Vec<Effect> {
        self.desk.files = files;
        match kept {
            Ok(kept) if std::mem::take(&mut self.desk.joins) => self.desk.join(kept),
            Ok(kept) => {
                self.desk.take(kept);
                self.desk.is_changed = false;
            }
            Err(fault) => {
                // What cannot be read is not written over.
                self.desk.is_kept = false;
                self.desk.take(KeptDesk::default());
                self.say(Note::danger(fault.to_string()));
            }
        }
        self.sql_in_front()
    }

    pub(super) fn sql_written(&mut self, buffer: usize, text: String, caret: usize) -> Vec<Effect> {
        if self.desk.buffers.is_empty() {
            self.desk.settle();
        }
        let Some(written) = self.desk.buffers.get_mut(buffer) else { return Vec::new() };
        (written.text, written.caret) = (text, caret);
        self.desk.is_changed = true;
        self.sql_in_front()
    }

    /// Has the text in front looked at, for what is wrong with it.
    pub(super) fn sql_in_front(&mut self) -> Vec<Effect> {
        let (Some(environment), Some(buffer)) = (self.active.clone(), self.desk.buffer()) else { return Vec::new() };
        let text = buffer.text.clone();
        self.check_sql(Draft { environment, text })
    }

    pub(super) fn new_sql(&mut self) -> Vec<Effect> {
        match self.desk.begin() {
            Ok(()) => self.sql_in_front(),
            Err(why) => self.refuse(why),
        }
    }

    pub(super) fn close_sql(&mut self) -> Vec<Effect> {
        let Some(closing) = self.desk.buffer().cloned() else { return Vec::new() };
        let is_safe =
            closing.saved.as_ref().is_some_and(|saved| *saved == closing.text) || closing.text.trim().is_empty();
        if !is_safe && HISTORY_BYTES_MAX < closing.text.trim().len() {
            return self.refuse("this text is nowhere else and too long to be remembered: save it first");
        }
        if !is_safe {
            self.desk.remember(&closing.text);
            self.say(Note::plain(format!(
                "`{}` is closed; it is the newest of what was run, where it can be had back",
                closing.name
            )));
        }
        self.desk.close();
        self.sql_in_front()
    }

    pub(super) fn open_sql(&mut self, name: &str, is_starter: bool) -> Vec<Effect> {
        let wanted = |file: &&SqlFile| file.name == name && file.is_starter == is_starter;
        let Some(file) = self.desk.files.iter().find(wanted).cloned() else {
            return self.refuse(&format!("there is no file `{name}` any more"));
        };
        // A starter is a copy: saving it makes a file of one's own.
        let saved = (!is_starter).then(|| file.text.clone());
        match self.desk.open(Buffer { name: file.name, text: file.text, caret: 0, saved }) {
            Ok(()) => self.sql_in_front(),
            Err(why) => self.refuse(why),
        }
    }

    pub(super) fn save_sql(&mut self, name: Option<String>) -> Vec<Effect> {
        let Some(buffer) = self.desk.buffer() else { return Vec::new() };
        let own = buffer.saved.is_some().then(|| buffer.name.clone());
        let Some(name) = name.or(own.clone()) else { return self.refuse("this text has no name yet") };
        let over = own.is_some_and(|own| own == name.trim_end_matches(".sql"));
        vec![Effect::SaveSql { buffer: buffer.name.clone(), name, text: buffer.text.clone(), over }]
    }

    pub(super) fn sql_saved(&mut self, buffer: &str, name: String, path: &str, text: String) {
        self.say(Note::success(format!("saved as {path}")));
        let about = text.lines().find_map(|line| line.trim().strip_prefix("--")).unwrap_or_default().trim().to_owned();
        self.desk.files.retain(|file| file.is_starter || file.name != name);
        self.desk.files.insert(0, SqlFile { name: name.clone(), about, text: text.clone(), is_starter: false });
        if let Some(open) = self.desk.buffers.iter_mut().find(|open| open.name == buffer) {
            (open.name, open.saved) = (name, Some(text));
            self.desk.settle();
        }
    }

    pub(super) fn edit_sql_outside(&mut self) -> Vec<Effect> {
        let Some(buffer) = self.desk.buffer() else { return Vec::new() };
        let head = buffer.text.get(..buffer.caret).unwrap_or_default();
        let line = u32::try_from(head.matches('\n').count() + 1).unwrap_or(1);
        vec![Effect::EditSql { buffer: self.desk.current, text: buffer.text.clone(), line }]
    }

    /// A text comes back from `$EDITOR`.
    pub fn sql_edited(&mut self, buffer: usize, text: String) -> Vec<Effect> {
        self.revision += 1;
        let caret = text.len();
        let effects = self.sql_written(buffer, text, caret);
        self.desk.settle();
        effects
    }

    pub(super) fn explain_sql(&mut self, query: QueryRequest, is_said: bool) -> Vec<Effect> {
        if query.statement_text().is_empty() {
            return self.refuse("there is no statement under the cursor");
        }
        let request = self.number_request();
        let since_ms = self.now_ms;
        self.desk.explained = Some(Explaining { request, asked: query.clone(), since_ms, is_said, outcome: None });
        vec![Effect::ExplainSql { request, query }]
    }

    pub(super) fn sql_explained(&mut self, request: u64, outcome: Result<Explained, Fault>) {
        let Some(explaining) = self.desk.explained.as_mut().filter(|explaining| explaining.request == request) else {
            return;
        };
        let note = explaining.is_said.then(|| validated(&outcome));
        explaining.outcome = Some(outcome);
        if let Some(note) = note {
            self.say(note);
        }
    }

    /// Keeps the texts, where there is something to keep; what another console keeps is not written over.
    pub(super) fn keep_sql(&mut self) -> Vec<Effect> {
        if self.deployments.keeper.is_some() {
            return Vec::new();
        }
        if !std::mem::take(&mut self.desk.is_changed) || !self.desk.is_kept || !self.desk.is_asked {
            return Vec::new();
        }
        vec![Effect::KeepSql(self.desk.kept())]
    }
}

/// What a validation says.
fn validated(outcome: &Result<Explained, Fault>) -> Note {
    let explained = match outcome {
        Err(fault) => return Note::danger(fault.to_string()),
        Ok(explained) => explained,
    };
    let columns: Vec<&str> = explained.columns.iter().map(|(name, _)| name.as_str()).collect();
    let said = format!("valid: {} to {}", columns.join(", "), explained.writes);
    match explained.warnings.as_slice() {
        [] => Note::success(said),
        warnings => Note::warning(format!("{said}; {}", warnings.join("; "))),
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
