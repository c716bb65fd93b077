//! Pane 3: SQL is written, checked as it is written, run live, explained and deployed. It holds caret, cursor and what is open;
//! texts, queries and plans are the model's.

mod ask;
mod catalog;
mod commands;
mod deploy;
mod editor;
mod find;
mod halves;
mod here;
mod inspect;
mod keys;
mod layout;
mod mouse;
mod naming;
mod open;
mod paint;
mod plan;
mod results;
mod status;
mod tabs;
mod wrong;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::Rect;

use crate::app::action::{Action, PaneId};
use crate::app::model::Model;
use crate::app::model::queries::Query;
use crate::core::job::JobId;
use crate::sql::assist::Columns;
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys as shared;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::widgets::completion::{Chosen, Popup};

use ask::Ask;
use catalog::{CatalogColumn, Picked};
use deploy::{DeployDialog, Deployed};
use editor::Typed;
use find::Find;
use here::Here;
use inspect::Inspect;
use keys::{DEPLOY, KEYS, PLAN, RUN};
use layout::Areas;
use open::OpenDialog;
use plan::PlanView;
use results::Results;
use tabs::Tabs;

/// The part of the pane that has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Editor,
    Rows,
    Catalog,
}

/// What lies over the pane.
#[derive(Debug)]
enum Dialog {
    Open(Box<OpenDialog>),
    Ask(Ask),
    Deploy(Box<DeployDialog>),
}

/// A walk through what was run before.
#[derive(Debug)]
struct Walk {
    /// Place in the history; its length is the draft.
    at: usize,
    /// What was being written when the walk began.
    draft: String,
}

/// The pane.
#[derive(Debug, Default)]
pub struct SqlPane {
    tabs: Tabs,
    part: Part,
    popup: Option<Popup>,
    /// Whether a name is being typed: what becomes known meanwhile is offered at once.
    is_naming: bool,
    /// What was known when the pane was drawn last: topics, those with columns and the newest look, names of the text.
    catalog_seen: (usize, usize, i64, usize),
    find: Find,
    results: Results,
    catalog: CatalogColumn,
    /// Whether the catalog was opened or closed by hand; else the width says.
    shows_catalog: Option<bool>,
    plan: PlanView,
    shows_plan: bool,
    inspect: Option<Inspect>,
    /// Whether the part that has the keys is alone.
    zoomed: bool,
    dialog: Option<Dialog>,
    walk: Option<Walk>,
    /// What was cut or copied here last.
    clip: String,
    /// Query, width and lines of the state as it was drawn last.
    state_taken: (Option<JobId>, usize, usize),
    /// Whether the window follows the caret; the wheel lets it go.
    follows_caret: bool,
    /// Whether nothing was written since the pane has the keys: Tab then still goes through the panes.
    untouched: bool,
    was_focused: bool,
    zone: Option<jiff::tz::TimeZone>,
    areas: Areas,
    here: Here,
}

impl Pane for SqlPane {
    fn id(&self) -> PaneId {
        PaneId::Sql
    }

    fn title(&self) -> &'static str {
        "SQL"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn takes_text(&self) -> bool {
        match self.part {
            _ if self.dialog.is_some() || self.find.is_open() => true,
            Part::Editor => true,
            Part::Rows => self.results.takes_text(),
            Part::Catalog => self.catalog.takes_text(),
        }
    }

    fn yields(&self, letter: char) -> bool {
        // No statement begins with one of these.
        self.is_blank() && (letter.is_ascii_digit() || "?:".contains(letter))
    }

    fn fills(&self) -> bool {
        true
    }

    fn footer(&self) -> Vec<Command> {
        self.named()
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        self.tabs.refresh(&model.desk);
        if let Some(reply) = self.dialog_key(press.event, model) {
            return reply;
        }
        if self.find.is_open() && self.part == Part::Editor {
            return self.find_key(press);
        }
        if self.part == Part::Editor
            && let Some(reply) = self.popup_key(press.event)
        {
            return reply;
        }
        if self.part == Part::Rows && self.results.takes_text() {
            return handled(self.results.key(press.event));
        }
        if self.part == Part::Catalog && self.catalog.takes_text() {
            let picked = self.catalog.key(press.event, model);
            return self.picked(picked);
        }
        if let Some(reply) = press.command.and_then(|command| self.command(command, model)) {
            return reply;
        }
        match self.part {
            Part::Editor => self.editor_key(press, model),
            Part::Rows => self.rows_key(press, model),
            Part::Catalog => self.catalog_key(press, model),
        }
    }

    fn paste(&mut self, pasted: &str, model: &Model) -> Reply {
        self.tabs.refresh(&model.desk);
        match &mut self.dialog {
            Some(Dialog::Open(dialog)) => dialog.paste(pasted),
            Some(Dialog::Ask(ask)) => ask.paste(pasted),
            Some(Dialog::Deploy(dialog)) => dialog.paste(pasted),
            None if self.find.is_open() => self.find.paste(pasted, &self.tabs.front().editor),
            None if self.part == Part::Rows => self.results.paste(pasted),
            None if self.part == Part::Catalog => self.catalog.paste(pasted),
            None => {
                let is_put = self.tabs.front_mut().editor.insert(pasted);
                self.popup = None;
                return if is_put { self.written() } else { Reply::Handled };
            }
        }
        Reply::Handled
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, model: &Model) -> Reply {
        self.tabs.refresh(&model.desk);
        self.pointed(event, model)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let is_focused = view.model.focus == PaneId::Sql;
        if is_focused && !self.was_focused {
            (self.untouched, self.follows_caret) = (true, true);
        }
        (self.was_focused, self.zone) = (is_focused, Some(view.zone.clone()));
        self.tabs.refresh(&view.model.desk);
        self.find.refresh(&self.tabs.front().editor);
        self.catalog.refresh(view.model);
        self.offer_what_became_known(view.model);
        self.draw_all(frame, area, view);
        self.here = self.look(view.model);
    }
}

fn handled(handled: bool) -> Reply {
    if handled { Reply::Handled } else { Reply::Ignored }
}

/// The query that the pane shows.
fn current(model: &Model) -> Option<&Query> {
    model.queries.get(&model.query?)
}

impl SqlPane {
    /// Whether nothing is written and nothing was since the pane has the keys: the keys of the console still are its.
    fn is_blank(&self) -> bool {
        let is_free = self.dialog.is_none() && !self.find.is_open() && self.popup.is_none();
        self.part == Part::Editor && is_free && self.untouched && self.tabs.front().editor.text().is_empty()
    }

    /// The text in front was changed here.
    fn written(&mut self) -> Reply {
        self.follows_caret = true;
        let (buffer, editor) = (self.tabs.current(), &self.tabs.front().editor);
        Reply::Emit(Action::EditSql { buffer, text: editor.text().to_owned(), caret: editor.caret() })
    }

    /// A name that is being typed may be one that has just become known.
    fn offer_what_became_known(&mut self, model: &Model) {
        let catalog = model.assist.catalog(model.active.as_deref().unwrap_or_default());
        let looks = catalog.topics.iter().filter_map(|topic| match &topic.columns {
            Columns::Known(sample) => Some(sample.at_ms),
            Columns::Unknown | Columns::Failed(_) => None,
        });
        let now = (catalog.topics.len(), looks.clone().count(), looks.max().unwrap_or(0), catalog.relations.len());
        let seen = std::mem::replace(&mut self.catalog_seen, now);
        let is_free = self.popup.as_ref().is_none_or(|popup| popup.is_untouched() && !popup.is_asked());
        if seen != self.catalog_seen && self.is_naming && is_free && self.part == Part::Editor {
            self.popup = self.complete(model, false);
        }
    }

    fn catalog_key(&mut self, press: &Press, model: &Model) -> Reply {
        let picked = self.catalog.key(press.event, model);
        match (press.command, picked) {
            (Some(shared::COPY), Picked::Ignored) => match self.catalog.copied() {
                Some(name) => Reply::Emit(Action::Copy(name.to_owned())),
                None => Reply::Ignored,
            },
            (Some(shared::BACK), Picked::Ignored) => self.close_catalog(),
            (_, picked) => self.picked(picked),
        }
    }

    /// What was picked in the catalog goes where the caret is.
    fn picked(&mut self, picked: Picked) -> Reply {
        match picked {
            Picked::Ignored => Reply::Ignored,
            Picked::Handled => Reply::Handled,
            Picked::Act(action) => Reply::Emit(action),
            Picked::Insert(text) => {
                self.tabs.front_mut().editor.insert(&text);
                (self.walk, self.untouched) = (None, false);
                self.close_catalog();
                self.written()
            }
        }
    }

    /// The keys go back to the editor; where the catalog has the place of the rest, it leaves.
    fn close_catalog(&mut self) -> Reply {
        self.part = Part::Editor;
        if !self.areas.has_column {
            self.shows_catalog = None;
        }
        Reply::Handled
    }

    fn popup_key(&mut self, key: KeyEvent) -> Option<Reply> {
        let chosen = self.popup.as_mut()?.key(key);
        match chosen {
            Chosen::Ignored => None,
            Chosen::Moved => Some(Reply::Handled),
            Chosen::Closed => {
                (self.popup, self.is_naming) = (None, false);
                Some(Reply::Handled)
            }
            Chosen::Taken(range, text, caret) => {
                let editor = &mut self.tabs.front_mut().editor;
                let start = range.start;
                editor.replace(range, &text);
                editor.go(start + caret);
                // Behind a name that was taken a point may follow, or an argument.
                (self.popup, self.is_naming) = (None, false);
                self.walk = None;
                Some(self.written())
            }
        }
    }

    fn editor_key(&mut self, press: &Press, model: &Model) -> Reply {
        let key = press.event;
        match key.code {
            KeyCode::Esc => return self.leave_editor(),
            KeyCode::Tab | KeyCode::BackTab if self.untouched => return Reply::Ignored,
            KeyCode::Char(letter) if self.yields(letter) => return Reply::Ignored,
            KeyCode::PageDown | KeyCode::PageUp => {
                let page = self.tabs.front().window.height().max(2) as isize - 1;
                let by = if key.code == KeyCode::PageDown { page } else { -page };
                let selects = key.modifiers.contains(ratatui::crossterm::event::KeyModifiers::SHIFT);
                self.tabs.front_mut().editor.step(by, selects);
                self.follows_caret = true;
                return Reply::Handled;
            }
            _ => {}
        }
        match self.tabs.front_mut().editor.key(key) {
            Typed::Ignored => Reply::Ignored,
            Typed::Moved => {
                (self.popup, self.is_naming) = (None, false);
                (self.follows_caret, self.untouched) = (true, false);
                Reply::Handled
            }
            Typed::Changed => {
                (self.walk, self.untouched) = (None, false);
                self.is_naming = matches!(key.code, KeyCode::Char(letter) if letter.is_alphanumeric() || letter == '_');
                let asked = self.popup.as_ref().is_some_and(Popup::is_asked);
                self.popup = match key.code {
                    KeyCode::Char(letter) if letter.is_alphanumeric() || "_.'[".contains(letter) => {
                        self.complete(model, asked)
                    }
                    KeyCode::Backspace if self.popup.is_some() => self.complete(model, asked),
                    _ => None,
                };
                self.written()
            }
        }
    }

    /// Esc closes what is nearest: the selection, then it goes to the rows, where letters are commands.
    fn leave_editor(&mut self) -> Reply {
        let editor = &mut self.tabs.front_mut().editor;
        if editor.selection().is_some() {
            editor.deselect();
        } else {
            self.part = Part::Rows;
        }
        Reply::Handled
    }

    fn find_key(&mut self, press: &Press) -> Reply {
        let editor = &mut self.tabs.front_mut().editor;
        match press.command {
            Some(shared::BACK) => self.find.close(),
            Some(keys::FIND_NEXT) => self.find.next(editor, true),
            Some(keys::FIND_BEFORE) => self.find.next(editor, false),
            Some(RUN | PLAN | keys::VALIDATE | DEPLOY) => self.find.close(),
            _ => self.find.key(press.event, editor),
        }
        (self.follows_caret, self.popup) = (true, None);
        Reply::Handled
    }

    fn dialog_key(&mut self, key: KeyEvent, model: &Model) -> Option<Reply> {
        match self.dialog.as_mut()? {
            Dialog::Open(dialog) => {
                dialog.refresh(&model.desk.files, model.revision);
                let opened = dialog.key(key, &model.desk.files);
                Some(self.opened(opened, model))
            }
            Dialog::Ask(ask) => {
                let answer = ask.key(key);
                Some(self.answered(answer, model))
            }
            Dialog::Deploy(dialog) => {
                let deployed = dialog.key(key);
                if deployed != Deployed::Open {
                    self.dialog = None;
                }
                Some(match deployed {
                    Deployed::Do(request) => Reply::Emit(Action::Deploy(request)),
                    Deployed::Open | Deployed::Closed => Reply::Handled,
                })
            }
        }
    }
}
