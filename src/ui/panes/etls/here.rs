//! What is under the cursor, as far as it decides which keys of the pane act; the footer names no other.

use super::catalogue::Catalogue;
use super::runs::Entry;
use super::tab::Tab;
use super::{
    CHOOSE, CONTEXT, EDIT, EVENT_AFTER, EVENT_BEFORE, EXPORT, Etls, FORGET, KEEP, MARK, PREVIEW, REPEAT, RUN, STOP,
    TAB_AFTER, TAB_BEFORE,
};
use crate::app::model::Model;
use crate::ui::keymap::Command;
use crate::ui::keys;
use crate::ui::widgets::search::Search;
use crate::ui::widgets::tree::{Branches, Node};

/// What keys can act on.
#[derive(Debug, Default)]
pub struct Here {
    /// Nothing is under the cursor.
    nothing: bool,
    category: bool,
    /// Something runs that `x` would stop.
    runs: bool,
    /// A preset is under the cursor of the runs.
    preset: bool,
    /// Commands that would do nothing.
    idle: Vec<Command>,
}

impl Here {
    /// The keys to be named, where nothing is typed and nothing lies over the pane.
    pub fn footer(&self, in_detail: bool, tab: Tab, search: &Search) -> Vec<Command> {
        let named: &[Command] = match (in_detail, tab) {
            _ if self.nothing => return keys::without_rows(search, &[keys::RELOAD]),
            (false, _) if self.category => &[keys::OPEN, RUN, MARK, keys::FILTER],
            (false, _) => &[keys::OPEN, PREVIEW, RUN, EDIT, keys::FILTER],
            (true, Tab::Definition | Tab::Template) => &[TAB_AFTER, PREVIEW, RUN, EDIT, keys::COPY],
            (true, Tab::Preview) if self.idle.contains(&CONTEXT) => &[TAB_BEFORE, EDIT, keys::BACK],
            // The keys of events, environment and context stand beside what they change.
            (true, Tab::Preview) => &[TAB_AFTER, EVENT_AFTER, CONTEXT, keys::COPY, RUN],
            (true, Tab::Runs) if self.preset => &[keys::OPEN, FORGET, RUN, TAB_BEFORE],
            (true, Tab::Runs) if self.runs => &[RUN, STOP, REPEAT, KEEP],
            (true, Tab::Runs) => &[RUN, REPEAT, EXPORT, KEEP, TAB_BEFORE],
        };
        named.iter().filter(|command| !self.idle.contains(command)).copied().collect()
    }
}

impl Etls {
    /// What is under the cursor.
    pub(super) fn look(&self, model: &Model) -> Here {
        let row = self.selected(model);
        let request = row.and_then(|row| self.preview.request(row, model));
        let event = request.as_ref().map_or((0, 0), |request| (request.index, request.count));
        let entry = row.and_then(|row| self.runs.selected(&row.name, model));
        let is_rendered = row.is_some_and(|row| self.preview.rendered(row, model).is_some());
        let has_report = matches!(entry, Some(Entry::Run(run)) if run.report.is_some());
        let has_text = match self.tab {
            Tab::Definition => row.is_some_and(|row| !row.text.is_empty()),
            Tab::Template => row.is_some_and(|row| !row.template.is_empty()),
            Tab::Preview => is_rendered,
            Tab::Runs => has_report,
        };
        let runs = row.is_some_and(|row| self.stoppable(row, model).is_some());
        let under = self.tree.selected().map(|node| self.rows_of(node, model)).unwrap_or_default();
        let acting: [(bool, &[Command]); 9] = [
            (under.iter().any(|row| row.why_idle().is_none()), &[MARK]),
            (self.chosen(model).is_ok(), &[RUN]),
            (request.is_some(), &[PREVIEW, CONTEXT, CHOOSE]),
            (event.0 + 1 < event.1, &[EVENT_AFTER]),
            (0 < event.0, &[EVENT_BEFORE]),
            (has_text, &[keys::COPY]),
            (self.tab == Tab::Preview && is_rendered || self.tab == Tab::Runs && has_report, &[EXPORT]),
            (entry.is_some(), &[REPEAT, KEEP]),
            (runs, &[STOP]),
        ];
        let idle = acting.iter().filter(|(acts, _)| !acts).flat_map(|(_, commands)| commands.iter().copied());
        Here {
            nothing: Catalogue::of(model, &self.marked).branches() == 0 || self.tree.selected().is_none(),
            category: matches!(self.tree.selected(), Some(Node::Branch(_))),
            runs,
            preset: matches!(entry, Some(Entry::Preset(_))),
            idle: idle.collect(),
        }
    }
}
