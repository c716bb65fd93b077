//! Which ETLs a run takes, and the dialog in which it is set up.

use super::Etls;
use super::catalogue::Catalogue;
use super::run_dialog::RunDialog;
use crate::app::action::{Action, RunRequest};
use crate::app::model::etls::EtlRow;
use crate::app::model::{Model, Note};
use crate::core::environment::Guard;
use crate::ui::pane::Reply;
use crate::ui::widgets::tree::Node;

impl Etls {
    pub(super) fn mark(&mut self, node: Node, model: &Model) -> Reply {
        let rows = self.rows_of(node, model);
        let names: Vec<String> =
            rows.iter().filter(|row| row.why_idle().is_none()).map(|row| row.name.clone()).collect();
        let idle: Vec<String> =
            rows.iter().filter_map(|row| Some(format!("{} ({})", row.name, row.why_idle()?))).collect();
        let are_all_marked = names.iter().all(|name| self.marked.contains(name));
        self.touched += 1;
        match (names.is_empty(), are_all_marked) {
            (true, _) => return Reply::Emit(Action::Say(Note::warning(format!("cannot run: {}", idle.join(", "))))),
            (false, true) => self.marked.retain(|name| !names.contains(name)),
            (false, false) if idle.is_empty() => self.marked.extend(names),
            (false, false) => {
                let words = format!("{} marked; not {}", names.len(), idle.join(", "));
                self.marked.extend(names);
                return Reply::Emit(Action::Say(Note::plain(words)));
            }
        }
        Reply::Handled
    }

    /// The ETL that a node is, or those of the category.
    pub(super) fn rows_of<'m>(&self, node: Node, model: &'m Model) -> Vec<&'m EtlRow> {
        let facts = Catalogue::of(model, &self.marked);
        facts.row(node).map_or_else(|| facts.category(node).to_vec(), |row| vec![row])
    }

    /// Takes all marks away; whether there were any.
    pub(super) fn unmark(&mut self) -> bool {
        self.touched += 1;
        !std::mem::take(&mut self.marked).is_empty()
    }

    /// A mark ends with what was marked: when it is gone, or cannot run any more.
    pub(super) fn unmark_gone(&mut self, model: &Model) {
        let can_run = |name: &String| model.etl(name).is_some_and(|row| row.why_idle().is_none());
        let before = self.marked.len();
        self.marked.retain(can_run);
        self.touched += u64::from(self.marked.len() != before);
    }

    /// ETLs that a run takes: in an ETL's own page that one, else the marked ones in registry order, else the one under the
    /// cursor, else those of the category under it that can run. Broken and disabled ones never.
    pub(super) fn chosen(&self, model: &Model) -> Result<Vec<String>, String> {
        let facts = Catalogue::of(model, &self.marked);
        let category = self.tree.selected().filter(|node| matches!(node, Node::Branch(_)));
        let under: Vec<&EtlRow> = match (self.marked.is_empty() || self.in_detail, category) {
            (false, _) => model.etls.iter().filter(|row| self.marked.contains(&row.name)).collect(),
            (true, None) => self.selected(model).into_iter().collect(),
            (true, Some(node)) => facts.category(node).iter().filter(|row| row.why_idle().is_none()).copied().collect(),
        };
        if under.is_empty() && category.is_some() {
            return Err("no ETL of this category can run".into());
        }
        if under.is_empty() {
            return Err("choose an ETL, or mark several".into());
        }
        if let Some(row) = under.iter().find(|row| !row.faults.is_empty()) {
            let fault = row.faults.first().map(ToString::to_string).unwrap_or_default();
            return Err(format!("`{}` is broken and cannot run: {fault}", row.name));
        }
        if let Some(row) = under.iter().find(|row| !row.is_enabled()) {
            return Err(format!("`{}` is disabled: `enabled: true` in {} lets it run", row.name, row.file));
        }
        Ok(under.into_iter().map(|row| row.name.clone()).collect())
    }

    pub(super) fn set_up(&mut self, model: &Model) -> Reply {
        let etls = match self.chosen(model) {
            Ok(etls) => etls,
            Err(why) => return Reply::Emit(Action::Say(Note::warning(why))),
        };
        let served = |name: &String| {
            etls.iter().filter_map(|etl| model.etl(etl)?.etl.as_ref()).any(|etl| etl.topics.contains_key(name))
        };
        // Always the active environment, whatever ran last: what the header names is where a person thinks to be.
        let environments = model.active.iter().filter(|name| served(name)).cloned().collect::<Vec<_>>();
        // What was tried elsewhere is no default where writing is guarded.
        let is_guarded = model.active_environment().is_some_and(|row| row.guard != Guard::None);
        let is_alike = |run: &RunRequest| run.etls == etls && (!is_guarded || run.environments == environments);
        let last = self.last_run.clone().filter(is_alike);
        let last = last.map(|run| RunRequest { environments: environments.clone(), ..run });
        let before = last.unwrap_or_else(|| RunRequest {
            environments,
            count: 1,
            rate: None,
            dry_run: false,
            context: etls.first().map(|etl| self.preview.setup(etl).context).unwrap_or_default(),
            etls: etls.clone(),
        });
        self.open_run(before, model)
    }

    pub(super) fn open_run(&mut self, run: RunRequest, model: &Model) -> Reply {
        let mut dialog = RunDialog::new(run.etls.clone(), model, &run);
        let ask = dialog.plan();
        self.layers.open_run(dialog);
        ask.map_or(Reply::Handled, Reply::Emit)
    }
}
