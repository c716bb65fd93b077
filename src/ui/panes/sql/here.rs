//! What can be done at the moment, as far as it decides which keys of pane 3 the footer names.

use super::{Part, SqlPane, current, keys, status};
use crate::app::model::Model;
use crate::ui::keymap::Command;
use crate::ui::keys as shared;

/// What keys can act on.
#[derive(Debug, Default, Clone, Copy)]
pub struct Here {
    /// There is a statement under the caret, and an environment to run it in.
    has_statement: bool,
    /// Its plan is in view already.
    is_planned: bool,
    /// A query runs.
    is_live: bool,
    /// The view of its rows is held.
    is_held: bool,
    /// A row is under the cursor.
    has_row: bool,
    /// Rows are filtered, and none is left.
    is_filtered_out: bool,
}

impl Here {
    fn takes(self, command: Command) -> bool {
        match command {
            keys::RUN | keys::DEPLOY => self.has_statement,
            keys::PLAN => (self.has_statement || self.is_live) && !self.is_planned,
            keys::STOP => self.is_live,
            keys::PAUSE => self.is_live || self.is_held,
            keys::EXPORT | shared::OPEN => self.has_row,
            _ => true,
        }
    }
}

impl SqlPane {
    /// What can be done now.
    pub(super) fn look(&self, model: &Model) -> Here {
        let editor = &self.tabs.front().editor;
        let statement = editor.statement().map(|(at, _)| at).filter(|_| model.active.is_some());
        let query = current(model);
        let is_live = query.is_some_and(|query| status::is_live(query, model));
        let is_same = query.is_some_and(|query| {
            query.request.text == editor.text() && statement.is_none_or(|at| at == query.request.statement)
        });
        let has_row = query.is_some_and(|query| self.results.selected(query).is_some());
        Here {
            has_statement: statement.is_some(),
            // A row that is looked at whole has the plan's place.
            is_planned: self.areas.is_wide && is_live && is_same && self.inspect.is_none(),
            is_live,
            is_held: query.is_some_and(|query| query.frozen.is_some()),
            has_row,
            is_filtered_out: !has_row && self.results.is_filtered(),
        }
    }

    /// The keys that act.
    pub(super) fn named(&self) -> Vec<Command> {
        let here = self.here;
        if self.dialog.is_some() || self.find.is_open() || self.part != Part::Editor && self.takes_letters() {
            return vec![shared::BACK];
        }
        let named: &[Command] = match self.part {
            Part::Editor if self.is_blank() => &[keys::GALLERY, keys::OPEN_FILE, keys::CATALOG],
            Part::Editor if !here.has_statement => &[keys::GALLERY, keys::COMPLETE, keys::CATALOG, shared::BACK],
            Part::Editor => &[keys::RUN, keys::PLAN, keys::DEPLOY, keys::COMPLETE, shared::BACK],
            Part::Rows if self.inspect.is_some() => &[shared::BACK, shared::COPY, keys::WRITE, keys::RUN, keys::STOP],
            Part::Rows if self.plan_is_below() => &[shared::BACK, shared::COPY, keys::WRITE, keys::RUN, keys::STOP],
            Part::Rows if here.is_filtered_out => &[shared::FILTER, shared::BACK, keys::WRITE, keys::STOP],
            Part::Rows if !here.has_statement && !here.is_live && !here.has_row => {
                &[keys::WRITE, keys::GALLERY, keys::OPEN_FILE, keys::CATALOG]
            }
            Part::Rows => &[keys::WRITE, keys::RUN, keys::STOP, keys::PAUSE, keys::PLAN, shared::OPEN, keys::EXPORT],
            Part::Catalog if self.catalog.is_empty() => &[shared::FILTER, keys::CATALOG, shared::BACK],
            Part::Catalog => &[shared::OPEN, shared::FILTER, keys::CATALOG, keys::WRITE, shared::BACK],
        };
        // A line of the catalog is opened whatever rows there are.
        let is_catalog = self.part == Part::Catalog;
        named.iter().filter(|command| is_catalog || here.takes(**command)).copied().collect()
    }

    fn takes_letters(&self) -> bool {
        self.part == Part::Rows && self.results.takes_text() || self.part == Part::Catalog && self.catalog.takes_text()
    }
}
