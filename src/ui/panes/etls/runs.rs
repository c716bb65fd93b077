//! The runs tab: presets and runs of an ETL in a list, and below it the one under the cursor.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::sheet;
use crate::app::action::RunRequest;
use crate::app::model::Model;
use crate::app::model::runs::{Preset, Run};
use crate::core::job::{JobId, Phase};
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::listing::{Listing, Rows};
use crate::ui::widgets::number::grouped;
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::{text, time};

/// Most lines of the list: what runs is to be read below it.
const LIST_LINES_MAX: u16 = 8;
/// Lines that a page key moves what is below.
const SHEET_PAGE: usize = 6;

const COLUMNS: [Column; 4] =
    [Column::words("", 1), Column::words("", 14).grows(1), Column::number("", 15), Column::words("", 8).gives_way(1)];

/// A line of the list.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'m> {
    /// Kept to be run again.
    Preset(&'m Preset),
    /// Runs or ran.
    Run(&'m Run),
}

impl Entry<'_> {
    /// What it runs.
    pub fn request(&self) -> &RunRequest {
        match self {
            Self::Preset(preset) => &preset.run,
            Self::Run(run) => &run.request,
        }
    }
}

/// Runs of an ETL, newest first, then its presets.
pub fn entries<'m>(etl: &str, model: &'m Model) -> Vec<Entry<'m>> {
    let of = |run: &RunRequest| run.etls.iter().any(|name| name == etl);
    let runs = model.runs.values().rev().filter(|run| of(&run.request)).map(Entry::Run);
    runs.chain(model.presets.iter().filter(|preset| of(&preset.run)).map(Entry::Preset)).collect()
}

/// Cursor of the list and scroll of what is below.
#[derive(Debug, Default)]
pub struct RunsTab {
    listing: Listing,
    /// Which ETL the list is of.
    etl: String,
    /// The run to put the cursor on when the list is drawn next.
    wanted: Option<JobId>,
    /// The newest run when another was asked for: the cursor goes to the first that is newer.
    newer_than: Option<JobId>,
    top: usize,
    below: Rect,
}

impl RunsTab {
    /// The entry under the cursor.
    pub fn selected<'m>(&self, etl: &str, model: &'m Model) -> Option<Entry<'m>> {
        let entries = entries(etl, model);
        let at = if self.etl == etl { self.listing.selected().unwrap_or(0) } else { 0 };
        entries.get(at).copied()
    }

    /// Puts the cursor on a run.
    pub fn open(&mut self, run: JobId) {
        (self.wanted, self.newer_than) = (Some(run), None);
    }

    /// Puts the cursor on the next run that begins.
    pub fn follow_next(&mut self, model: &Model) {
        self.newer_than = Some(model.runs.keys().next_back().copied().unwrap_or(JobId(0)));
    }

    /// Takes a key that moves: arrows in the list, page keys below it.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::PageDown => self.top = self.top.saturating_add(SHEET_PAGE),
            KeyCode::PageUp => self.top = self.top.saturating_sub(SHEET_PAGE),
            KeyCode::Up | KeyCode::Down | KeyCode::Home | KeyCode::End | KeyCode::Char('j' | 'k' | 'g' | 'G') => {
                self.top = 0;
                return self.listing.key(key);
            }
            _ => return false,
        }
        true
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        if self.below.contains(Position::new(mouse.column, mouse.row)) {
            match mouse.kind {
                MouseEventKind::ScrollDown => self.top = self.top.saturating_add(3),
                MouseEventKind::ScrollUp => self.top = self.top.saturating_sub(3),
                _ => return Pointed::Elsewhere,
            }
            return Pointed::Scrolled;
        }
        self.listing.mouse(mouse)
    }

    /// Draws list and what is under its cursor.
    pub fn draw(&mut self, etl: &str, area: Rect, buffer: &mut Buffer, view: &View<'_>, focused: bool) {
        let (theme, model) = (view.theme, view.model);
        let entries = entries(etl, model);
        if self.etl != etl {
            etl.clone_into(&mut self.etl);
            (self.listing, self.top) = (Listing::default(), 0);
        }
        let facts = List { entries: &entries, view };
        self.listing.refresh(&facts, COLUMNS.len(), model.revision);
        if let (Some(before), Some(Entry::Run(newest))) = (self.newer_than, entries.first())
            && before < newest.job
        {
            (self.newer_than, self.wanted) = (None, Some(newest.job));
        }
        let is = |entry: &Entry<'_>, wanted| matches!(entry, Entry::Run(run) if run.job == wanted);
        if let Some(wanted) = self.wanted.take()
            && let Some(at) = entries.iter().position(|entry| is(entry, wanted))
        {
            self.listing.select(at);
            self.top = 0;
        }
        let Some(entry) = self.selected(etl, model) else {
            let key = super::chord(view, super::RUN);
            let words =
                format!("it has not run in this session: {key} sets a run up and shows its plan before it starts");
            for (at, line) in text::wrapped(&words, usize::from(area.width)).iter().enumerate() {
                if (at as u16) < area.height {
                    buffer.set_string(area.x, area.y + at as u16, line, theme.role(Role::Muted));
                }
            }
            return;
        };
        let lines = (entries.len() as u16).min(LIST_LINES_MAX).min(area.height / 3).max(1);
        let list = Rect { height: lines, ..area };
        table::draw_rows(
            &mut self.listing,
            &facts,
            Look { columns: &COLUMNS, focused, empty: "" },
            list,
            buffer,
            theme,
        );
        let rule = Rect { y: area.y + lines, height: 1, ..area };
        if rule.y >= area.bottom() {
            return;
        }
        let words = "─".repeat(usize::from(area.width));
        buffer.set_string(rule.x, rule.y, words, theme.role(Role::Border));
        self.below = Rect { y: rule.y + 1, height: area.bottom().saturating_sub(rule.y + 1), ..area };
        let sheet = match entry {
            Entry::Run(run) => sheet::of_run(run, view),
            Entry::Preset(preset) => sheet::of_preset(preset, view),
        };
        self.top = sheet::draw(&sheet, self.top, self.below, buffer, theme);
    }
}

/// The sign of a run, and what it is told in.
pub fn mark(run: &Run, model: &Model) -> (&'static str, Role) {
    let failed = run.progress.total().failed > 0;
    match model.jobs.get(&run.job).map(|job| &job.phase) {
        Some(phase) if !phase.is_ending() => (marks::RUNNING, Role::Accent),
        Some(Phase::Failed(_) | Phase::Panicked(_)) => (marks::FAILED, Role::Danger),
        _ if failed => (marks::FAILED, Role::Danger),
        Some(Phase::Stopped) => (marks::PAUSED, Role::Warning),
        _ => (marks::DONE, Role::Success),
    }
}

/// The newest run of an ETL that has not ended.
pub fn running(etl: &str, model: &Model) -> Option<JobId> {
    let of = |run: &&Run| run.request.etls.iter().any(|name| name == etl);
    model.runs.values().rev().filter(of).find(|run| is_live(run, model)).map(|run| run.job)
}

/// Whether a run has not ended.
pub fn is_live(run: &Run, model: &Model) -> bool {
    model.jobs.get(&run.job).is_some_and(|job| !job.phase.is_ending())
}

struct List<'a> {
    entries: &'a [Entry<'a>],
    view: &'a View<'a>,
}

impl Rows for List<'_> {
    fn count(&self) -> usize {
        self.entries.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let entry = self.entries[row];
        match (column, entry) {
            (0, Entry::Preset(_)) => marks::DOT.into(),
            (0, Entry::Run(run)) => mark(run, self.view.model).0.into(),
            (1, Entry::Preset(preset)) => format!("preset {}", preset.name).into(),
            (1, Entry::Run(run)) => {
                let dry = if run.request.dry_run { " dry run" } else { "" };
                format!("{}{dry}", run.request.environments.join(", ")).into()
            }
            (2, Entry::Preset(preset)) => format!("{} each", grouped(preset.run.count)).into(),
            (2, Entry::Run(run)) => {
                let total = run.progress.total();
                format!("{}/{}", grouped(total.acknowledged), grouped(total.planned)).into()
            }
            (_, Entry::Preset(_)) => "".into(),
            (_, Entry::Run(run)) => {
                let job = self.view.model.jobs.get(&run.job).filter(|job| job.phase.is_ending());
                let at_ms = job.map_or(run.since_ms, |job| job.phase_since_ms);
                time::since(self.view.model.now_ms, at_ms, self.view.zone).into()
            }
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        match (column, self.entries[row]) {
            (0, Entry::Run(run)) => theme.role(mark(run, self.view.model).1),
            (1, Entry::Run(run)) if run.request.environments.len() == 1 => {
                theme.environment(&run.request.environments[0])
            }
            (1 | 2, _) => theme.role(Role::Text),
            _ => theme.role(Role::Muted),
        }
    }

    fn identity(&self, row: usize) -> u64 {
        match self.entries[row] {
            Entry::Run(run) => run.job.0,
            // Behind all numbers of jobs: presets have none.
            Entry::Preset(preset) => preset
                .name
                .bytes()
                .fold(1 << 63, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into()) | 1 << 63),
        }
    }
}
