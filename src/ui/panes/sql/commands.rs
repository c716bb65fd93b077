//! What the commands of pane 3 do: to the text, to the rows, and what they ask of the model.

use super::ask::{Answer, Ask};
use super::deploy::DeployDialog;
use super::inspect::Inspect;
use super::open::{OpenDialog, Opened};
use super::{Dialog, Part, SqlPane, Walk, current, handled, keys, status};
use crate::app::action::{Action, QueryRequest, RowsExport, RowsFormat};
use crate::app::model::queries::{Query, QueryRow};
use crate::app::model::{Model, Note};
use crate::sql::assist::complete;
use crate::sql::parse;
use crate::ui::keymap::Command;
use crate::ui::keys as shared;
use crate::ui::pane::{Press, Reply};
use crate::ui::widgets::completion::Popup;
use crate::ui::widgets::time;

impl SqlPane {
    /// Carries out a command that means the same in every part; none where the part itself is asked.
    pub(super) fn command(&mut self, command: Command, model: &Model) -> Option<Reply> {
        let editor = &mut self.tabs.front_mut().editor;
        Some(match command {
            keys::RUN => self.run(model),
            keys::PLAN => self.turn_plan(model),
            keys::VALIDATE => match self.request(model) {
                Ok(query) => Reply::Emit(Action::ExplainSql { query, is_said: true }),
                Err(reply) => reply,
            },
            keys::DEPLOY => self.deploy(model),
            keys::STOP => match current(model).filter(|query| status::is_live(query, model)) {
                Some(query) => Reply::Emit(Action::StopJob(query.job)),
                None => say("no query runs"),
            },
            keys::WRITE => self.go(Part::Editor),
            keys::CATALOG => self.turn_catalog(model),
            keys::ZOOM => {
                self.zoomed = !self.zoomed;
                Reply::Handled
            }
            keys::COMPLETE => {
                self.part = Part::Editor;
                self.popup = self.complete(model, true);
                if self.popup.is_some() { Reply::Handled } else { say("nothing is known that could stand here") }
            }
            keys::OPEN_FILE | keys::GALLERY => {
                let mut dialog = OpenDialog::new(command == keys::GALLERY);
                dialog.refresh(&model.desk.files, model.revision);
                (self.dialog, self.popup) = (Some(Dialog::Open(Box::new(dialog))), None);
                Reply::Emit(Action::ListSql)
            }
            keys::SAVE => match model.desk.buffer() {
                Some(buffer) if buffer.saved.is_some() => Reply::Emit(Action::SaveSql(None)),
                Some(buffer) => {
                    let own = model.desk.files.iter().filter(|file| !file.is_starter);
                    let taken = own.map(|file| file.name.clone()).collect();
                    self.dialog = Some(Dialog::Ask(Ask::name(&buffer.name.replace(' ', "-"), taken)));
                    Reply::Handled
                }
                None => Reply::Ignored,
            },
            keys::NEW_TAB => self.back_in_editor(Action::NewSql),
            keys::CLOSE_TAB => Reply::Emit(Action::CloseSql),
            keys::NEXT_TAB => self.show_tab(1),
            keys::PREVIOUS_TAB => self.show_tab(self.tabs.len() - 1),
            keys::OLDER => self.walk(model, true),
            keys::NEWER => self.walk(model, false),
            keys::FIND => {
                let words = editor.selected().to_owned();
                (self.part, self.popup) = (Part::Editor, None);
                self.find.open(&words);
                Reply::Handled
            }
            keys::FIND_NEXT | keys::FIND_BEFORE => {
                self.find.next(editor, command == keys::FIND_NEXT);
                self.follows_caret = true;
                Reply::Handled
            }
            keys::UNDO => self.changed(|editor| editor.undo()),
            keys::REDO => self.changed(|editor| editor.redo()),
            keys::COPY_TEXT => match editor.selected() {
                "" => Reply::Emit(Action::Quit),
                text => {
                    self.clip = text.to_owned();
                    Reply::Emit(Action::Copy(self.clip.clone()))
                }
            },
            keys::CUT => match editor.cut() {
                Some(text) => {
                    self.clip = text;
                    self.written()
                }
                None => Reply::Handled,
            },
            keys::PASTE => {
                let clip = self.clip.clone();
                self.changed(|editor| editor.insert(&clip))
            }
            keys::SELECT_ALL => {
                editor.select_all();
                self.go(Part::Editor)
            }
            keys::FORMAT => self.format(),
            keys::EDITOR => Reply::Emit(Action::EditSqlOutside),
            _ => return None,
        })
    }

    /// A key of the rows, of the plan, or of the row that is looked at whole.
    pub(super) fn rows_key(&mut self, press: &Press, model: &Model) -> Reply {
        if let Some(inspect) = &mut self.inspect {
            match press.command {
                Some(shared::BACK | shared::OPEN) => self.inspect = None,
                Some(shared::COPY) => return Reply::Emit(Action::Copy(inspect.copied().to_owned())),
                Some(shared::LEFT | shared::RIGHT) => {
                    let code = if press.command == Some(shared::LEFT) { UP } else { DOWN };
                    return handled(self.results.key(code.into()));
                }
                _ => return handled(inspect.key(press.event)),
            }
            return Reply::Handled;
        }
        if self.plan_is_below() {
            return match press.command {
                Some(shared::BACK) => {
                    self.shows_plan = false;
                    Reply::Handled
                }
                Some(shared::COPY) => Reply::Emit(Action::Copy(self.plan.copied().to_owned())),
                _ => handled(self.plan.key(press.event)),
            };
        }
        let Some(query) = current(model) else { return Reply::Ignored };
        match press.command {
            Some(keys::PAUSE) => Reply::Emit(Action::PauseQuery { job: query.job, paused: query.frozen.is_none() }),
            Some(keys::FOLLOW) => match self.results.turn_following() {
                true => say("the cursor goes with the newest row"),
                false => say("the cursor stays"),
            },
            Some(keys::PIN) => self.results.turn_pin(query).map_or(Reply::Ignored, |said| say(&said)),
            Some(keys::EXPORT) if query.in_view().is_empty() => say("there is no row to export"),
            Some(keys::EXPORT) => {
                self.dialog = Some(Dialog::Ask(Ask::format(&self.export_stem(model))));
                Reply::Handled
            }
            Some(keys::COPY_VALUE) => match self.results.value(query) {
                Some((_, value)) => Reply::Emit(Action::Copy(value.unwrap_or("NULL").to_owned())),
                None => Reply::Ignored,
            },
            Some(shared::COPY) => match self.results.selected(query) {
                Some(row) => Reply::Emit(Action::Copy(as_json(query, row))),
                None => Reply::Ignored,
            },
            Some(shared::OPEN) => {
                self.inspect = self.results.selected(query).map(|_| Inspect::default());
                Reply::Handled
            }
            Some(shared::SORT | shared::REVERSE) => {
                self.results.sort();
                Reply::Handled
            }
            _ => handled(self.results.key(press.event)),
        }
    }

    /// What could stand at the caret.
    pub(super) fn complete(&self, model: &Model, asked: bool) -> Option<Popup> {
        let catalog = model.assist.catalog(model.active.as_deref().unwrap_or_default());
        let editor = &self.tabs.front().editor;
        Popup::open(editor.text(), editor.caret(), complete(editor.text(), editor.caret(), &catalog), asked)
    }

    pub(super) fn opened(&mut self, opened: Opened, model: &Model) -> Reply {
        match opened {
            Opened::Open => return Reply::Handled,
            Opened::Closed => {}
            Opened::File(at) => {
                if let Some(file) = model.desk.files.get(at) {
                    self.dialog = None;
                    return self
                        .back_in_editor(Action::OpenSql { name: file.name.clone(), is_starter: file.is_starter });
                }
            }
        }
        self.dialog = None;
        Reply::Handled
    }

    pub(super) fn answered(&mut self, answer: Answer, model: &Model) -> Reply {
        let reply = match answer {
            Answer::Open => return Reply::Handled,
            Answer::Closed => Reply::Handled,
            Answer::Save(name) => Reply::Emit(Action::SaveSql(Some(name))),
            Answer::Export(format, file) => {
                current(model).map_or(Reply::Handled, |query| self.export(query, format, file))
            }
        };
        self.dialog = None;
        reply
    }

    /// Whether the plan is drawn in the place of the rows.
    pub(super) fn plan_is_below(&self) -> bool {
        self.shows_plan && !self.areas.is_wide
    }

    fn run(&mut self, model: &Model) -> Reply {
        let query = match self.request(model) {
            Ok(query) => query,
            Err(reply) => return reply,
        };
        (self.popup, self.walk, self.inspect) = (None, None, None);
        Reply::Emit(Action::RunQuery(query))
    }

    fn deploy(&mut self, model: &Model) -> Reply {
        let query = match self.request(model) {
            Ok(query) => query,
            Err(reply) => return reply,
        };
        let tab = model.desk.buffer().map_or("", |buffer| buffer.name.as_str());
        match DeployDialog::new(query, tab, model) {
            Ok(dialog) => {
                (self.dialog, self.popup) = (Some(Dialog::Deploy(Box::new(dialog))), None);
                Reply::Handled
            }
            Err(why) => Reply::Emit(Action::Say(Note::warning(why))),
        }
    }

    fn turn_plan(&mut self, model: &Model) -> Reply {
        // Beside the rows it stays and is asked for anew; in their place it gives way to them.
        if self.shows_plan && !self.areas.is_wide {
            self.shows_plan = false;
            return Reply::Handled;
        }
        (self.popup, self.inspect) = (None, None);
        let query = match self.request(model) {
            Ok(query) => query,
            // What runs can be looked at whatever is being written.
            Err(_) if current(model).is_some() => {
                self.shows_plan = true;
                return Reply::Handled;
            }
            Err(reply) => return reply,
        };
        self.shows_plan = true;
        let is_live = current(model).is_some_and(|running| running.request == query && status::is_live(running, model));
        if is_live { Reply::Handled } else { Reply::Emit(Action::ExplainSql { query, is_said: false }) }
    }

    /// The statement under the caret, to be run in the active environment.
    pub(super) fn request(&self, model: &Model) -> Result<QueryRequest, Reply> {
        let Some(environment) = model.active.clone() else {
            return Err(say("no environment is active: choose one in pane 1"));
        };
        let editor = &self.tabs.front().editor;
        match editor.statement() {
            Some((statement, _)) => Ok(QueryRequest { environment, text: editor.text().to_owned(), statement }),
            None => Err(say("there is no statement under the cursor; Ctrl+G has examples")),
        }
    }

    /// The catalog gets the keys; from it they go back, and a column that was opened by hand closes.
    fn turn_catalog(&mut self, model: &Model) -> Reply {
        if self.part == Part::Catalog {
            self.shows_catalog = Some(false);
            return self.go(Part::Editor);
        }
        (self.popup, self.zoomed, self.shows_catalog) = (None, false, Some(true));
        self.go(Part::Catalog);
        match &model.active {
            Some(environment) => Reply::Emit(Action::ReadCatalog(environment.clone())),
            None => Reply::Handled,
        }
    }

    fn go(&mut self, part: Part) -> Reply {
        (self.part, self.follows_caret, self.untouched) = (part, true, false);
        Reply::Handled
    }

    fn back_in_editor(&mut self, action: Action) -> Reply {
        self.go(Part::Editor);
        (self.popup, self.walk) = (None, None);
        Reply::Emit(action)
    }

    fn show_tab(&mut self, by: usize) -> Reply {
        let next = (self.tabs.current() + by) % self.tabs.len().max(1);
        self.back_in_editor(Action::ShowSql(next))
    }

    fn changed(&mut self, change: impl FnOnce(&mut super::editor::SqlEditor) -> bool) -> Reply {
        (self.popup, self.walk, self.untouched) = (None, None, false);
        if change(&mut self.tabs.front_mut().editor) { self.written() } else { Reply::Handled }
    }

    /// The statement under the caret becomes one that was run before, or what was being written.
    fn walk(&mut self, model: &Model, is_older: bool) -> Reply {
        let history = &model.desk.history;
        let editor = &mut self.tabs.front_mut().editor;
        let range = editor.statement().map_or(editor.caret()..editor.caret(), |(_, range)| range);
        let here = editor.text()[range.clone()].to_owned();
        let walk = self.walk.get_or_insert_with(|| Walk { at: history.len(), draft: here.clone() });
        walk.at = walk.at.min(history.len());
        let next = match is_older {
            true => (0..walk.at).rev().find(|at| history[*at] != here),
            false => (walk.at + 1..=history.len()).find(|at| history.get(*at).is_none_or(|one| *one != here)),
        };
        let Some(next) = next else {
            return say(if is_older { "nothing older was run" } else { "this is the newest" });
        };
        walk.at = next;
        let text = history.get(next).unwrap_or(&walk.draft).clone();
        editor.replace(range, &text);
        self.popup = None;
        self.go(Part::Editor);
        self.written()
    }

    fn format(&mut self) -> Reply {
        let editor = &mut self.tabs.front_mut().editor;
        let Some((_, range)) = editor.statement() else { return say("there is no statement under the cursor") };
        match parse::format(&editor.text()[range.clone()]) {
            Ok(text) => {
                let text = text.trim_end().trim_end_matches(';').to_owned();
                self.changed(|editor| editor.replace(range, &text))
            }
            Err(errors) => match errors.first() {
                Some(error) => Reply::Emit(Action::Say(Note::danger(error.fault.to_string()))),
                None => Reply::Handled,
            },
        }
    }

    fn export(&self, query: &Query, format: RowsFormat, file: String) -> Reply {
        let Some(schema) = &query.schema else { return say("there is no row to export") };
        let rows = self.results.shown(query).into_iter().map(|row| row.cells.clone()).collect();
        Reply::Emit(Action::ExportRows(RowsExport { file, format, columns: schema.columns.clone(), rows }))
    }

    /// Name of the text and the time: each export has a file of its own.
    fn export_stem(&self, model: &Model) -> String {
        let name = model.desk.buffer().map_or("query", |buffer| buffer.name.as_str());
        let zone = self.zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        format!("velox-{}-{}", name.replace([' ', '/'], "_"), time::format(model.now_ms, &zone, "%Y%m%d-%H%M%S"))
    }
}

const UP: ratatui::crossterm::event::KeyCode = ratatui::crossterm::event::KeyCode::Up;
const DOWN: ratatui::crossterm::event::KeyCode = ratatui::crossterm::event::KeyCode::Down;

fn say(words: &str) -> Reply {
    Reply::Emit(Action::Say(Note::plain(words)))
}

/// A row as one line of JSON.
fn as_json(query: &Query, row: &QueryRow) -> String {
    let columns = query.schema.as_ref().map(|schema| schema.columns.as_slice()).unwrap_or_default();
    let pairs = columns.iter().zip(&row.cells);
    let object = pairs.map(|(column, cell)| (column.name.clone(), column.json(cell.as_deref())));
    serde_json::Value::Object(object.collect()).to_string()
}
