//! ETLs as a tree: categories, and in each its ETLs with mark, environments served and the last run's result.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ratatui::style::Style;

use crate::app::model::Model;
use crate::app::model::etls::EtlRow;
use crate::core::fault::Fault;
use crate::core::job::Phase;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::number::{counted, short};
use crate::ui::widgets::table::Column;
use crate::ui::widgets::text;
use crate::ui::widgets::tree::{Branches, Node};

/// Columns: name with its mark, environments served of all, last result or place of the fault. What the last has no use for is
/// the names': see [`Catalogue::columns`].
pub const COLUMNS: [Column; 3] =
    [Column::words("", 18).grows(1), Column::number("", 8).gives_way(2), Column::words("", 12).gives_way(1)];

/// Place of the result among the columns.
const RESULT: usize = 2;
/// Cells of a result while there is one: a run that goes on counts up, and names must not move with it.
const RESULT_CELLS_MIN: u16 = 7;

/// The group of files that cannot be read, whose category is not known. A category of files can be called anything but this.
const UNREADABLE: &str = "\u{2716} cannot be read";

/// The tree's facts, lent by the model.
pub struct Catalogue<'a, 'k> {
    model: &'a Model,
    marked: &'k BTreeSet<String>,
    /// Categories in order of the alphabet, what cannot be read last.
    categories: Vec<(&'a str, Vec<&'a EtlRow>)>,
}

impl<'a, 'k> Catalogue<'a, 'k> {
    /// All ETLs of the model; `marked` are the names that a person has marked.
    pub fn of(model: &'a Model, marked: &'k BTreeSet<String>) -> Self {
        let mut groups: BTreeMap<(bool, &str), Vec<&EtlRow>> = BTreeMap::new();
        for row in &model.etls {
            let name = row.etl.as_ref().map_or(UNREADABLE, |etl| etl.category.as_str());
            groups.entry((row.etl.is_none(), name)).or_default().push(row);
        }
        let categories = groups.into_iter().map(|((_, name), rows)| (name, rows)).collect();
        Self { model, marked, categories }
    }

    /// The columns as wide as what is in them: where nothing ran and nothing is broken there are no results.
    pub fn columns(&self) -> Vec<Column> {
        let ran: BTreeSet<&str> =
            self.model.runs.values().flat_map(|run| &run.request.etls).map(String::as_str).collect();
        let has_result = |row: &&&EtlRow| !row.faults.is_empty() || ran.contains(row.name.as_str());
        let rows = self.categories.iter().flat_map(|(_, rows)| rows).filter(has_result);
        let widest = rows.map(|row| text::width(&self.result(row).0)).max().unwrap_or(0) as u16;
        let mut columns = COLUMNS.to_vec();
        match widest {
            0 => columns.truncate(RESULT),
            cells => columns[RESULT].width = cells.clamp(RESULT_CELLS_MIN, COLUMNS[RESULT].width),
        }
        columns
    }

    /// The ETL of a leaf.
    pub fn row(&self, node: Node) -> Option<&'a EtlRow> {
        match node {
            Node::Branch(_) => None,
            Node::Leaf(category, etl) => self.categories.get(category)?.1.get(etl).copied(),
        }
    }

    /// The leaf of an ETL.
    pub fn node(&self, name: &str) -> Option<Node> {
        self.categories.iter().enumerate().find_map(|(category, (_, rows))| {
            rows.iter().position(|row| row.name == name).map(|etl| Node::Leaf(category, etl))
        })
    }

    /// The ETLs of the category that a node is or is in.
    pub fn category(&self, node: Node) -> &[&'a EtlRow] {
        let (Node::Branch(at) | Node::Leaf(at, _)) = node;
        self.categories.get(at).map_or(&[], |(_, rows)| rows)
    }

    fn marked_of(&self, rows: &[&EtlRow]) -> usize {
        rows.iter().filter(|row| self.marked.contains(&row.name)).count()
    }

    fn result(&self, row: &EtlRow) -> (String, Role) {
        if let Some(fault) = row.faults.first() {
            return (whereabouts(row, fault), Role::Danger);
        }
        let Some(run) = self.model.last_run(&row.name) else { return (String::new(), Role::Muted) };
        let mut counts = crate::core::progress::Counts::default();
        for pair in run.progress.pairs.iter().filter(|pair| pair.etl == row.name) {
            counts.planned += pair.counts.planned;
            counts.acknowledged += pair.counts.acknowledged;
            counts.failed += pair.counts.failed;
            counts.not_sent += pair.counts.not_sent;
        }
        let phase = self.model.jobs.get(&run.job).map(|job| &job.phase);
        if phase.is_some_and(|phase| !phase.is_ending()) {
            let ended = counts.planned - counts.open();
            let share = (ended * 100).checked_div(counts.planned).unwrap_or(0);
            return (format!("{} {share} %", marks::RUNNING), Role::Accent);
        }
        match phase {
            Some(Phase::Failed(_) | Phase::Panicked(_)) if counts.failed == 0 => (marks::FAILED.into(), Role::Danger),
            _ if counts.failed > 0 => (format!("{}{}", marks::FAILED, short(counts.failed as f64)), Role::Danger),
            _ if counts.not_sent > 0 => (format!("{} unsent", short(counts.not_sent as f64)), Role::Warning),
            _ if run.request.dry_run => (format!("{} dry", marks::DONE), Role::Muted),
            _ => (marks::DONE.into(), Role::Success),
        }
    }
}

/// Where a fault is, as short as can be understood beside the ETL's name: `template:14`, `line 3`.
fn whereabouts(row: &EtlRow, fault: &Fault) -> String {
    let Some(place) = &fault.place else { return "broken".into() };
    let file = match () {
        () if place.file == row.template_file => "template",
        () if place.file == row.file => "line",
        () => place.file.rsplit('/').next().unwrap_or(&place.file),
    };
    match (file, place.line) {
        ("line", 0) => "broken".into(),
        ("line", line) => format!("line {line}"),
        (file, 0) => file.into(),
        (file, line) => format!("{file}:{line}"),
    }
}

impl Branches for Catalogue<'_, '_> {
    fn branches(&self) -> usize {
        self.categories.len()
    }

    fn leaves(&self, branch: usize) -> usize {
        self.categories.get(branch).map_or(0, |(_, rows)| rows.len())
    }

    fn text(&self, node: Node, column: usize) -> Cow<'_, str> {
        let Some(row) = self.row(node) else {
            let Node::Branch(at) = node else { return "".into() };
            return match (column, self.categories.get(at)) {
                (0, Some((name, _))) => Cow::Borrowed(*name),
                (1, Some((_, rows))) => match self.marked_of(rows) {
                    0 => counted(rows.len() as u64, "ETL").into(),
                    marked => format!("{}{marked} of {}", marks::BAR, rows.len()).into(),
                },
                _ => "".into(),
            };
        };
        match column {
            0 => {
                let bar = if self.marked.contains(&row.name) { marks::BAR } else { " " };
                let mark = match () {
                    () if !row.faults.is_empty() => marks::FAILED,
                    () if row.is_enabled() => marks::ON,
                    () => marks::OFF,
                };
                format!("{bar}{mark} {}", row.name).into()
            }
            1 => match &row.etl {
                Some(etl) => {
                    let all = &self.model.environments;
                    let served = all.iter().filter(|known| etl.topics.contains_key(&known.name)).count();
                    format!("{served}/{} env", all.len()).into()
                }
                None => "".into(),
            },
            _ => self.result(row).0.into(),
        }
    }

    fn style(&self, node: Node, column: usize, theme: &Theme) -> Style {
        let Some(row) = self.row(node) else {
            let has_marks = self.marked_of(self.category(node)) > 0;
            return theme.role(match column {
                0 => Role::Text,
                _ if has_marks => Role::Accent,
                _ => Role::Muted,
            });
        };
        match column {
            0 if !row.faults.is_empty() => theme.role(Role::Danger),
            0 if self.marked.contains(&row.name) => theme.role(Role::Accent),
            0 if row.is_enabled() => theme.role(Role::Text),
            0 | 1 => theme.role(Role::Muted),
            _ => theme.role(self.result(row).1),
        }
    }
}
