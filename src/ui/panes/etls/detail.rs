//! The detail of the ETL under the cursor: its tabs drawn, and what can be done in them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::catalogue::Catalogue;
use super::runs::Entry;
use super::tab::{self, Tab};
use super::{CHOOSE, Etls, runs, say};
use crate::app::action::{Action, Export};
use crate::app::model::etls::EtlRow;
use crate::app::model::{Model, Note};
use crate::core::etl::Etl;
use crate::core::fault::Fault;
use crate::core::job::JobId;
use crate::ui::keymap::Command;
use crate::ui::pane::{Reply, View};
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::highlight::Language;
use crate::ui::widgets::source::{Remark, Shown};
use crate::ui::widgets::tree::Branches;
use crate::ui::widgets::{number::counted, text};

impl Etls {
    pub(super) fn draw_detail(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let focused = view.focused && self.in_detail && !self.layers.is_open();
        let Some(row) = self.selected(view.model) else {
            return self.draw_category(area, buffer, view);
        };
        let head = Rect { height: 1.min(area.height), ..area };
        self.drawn.tabs = tab::draw(&row.name, self.tab, head, buffer, theme, focused);
        let body = Rect { y: area.y + 2.min(area.height), height: area.height.saturating_sub(2), ..area };
        match self.tab {
            Tab::Definition => self.draw_definition(row, body, buffer, view, focused),
            Tab::Template => self.draw_template(row, body, buffer, view, focused),
            Tab::Preview => self.preview.draw(row, body, buffer, view, focused),
            Tab::Runs => self.runs.draw(&row.name, body, buffer, view, focused),
        }
    }

    /// What the category under the cursor holds: each ETL with its topic in the active environment, and what it is for.
    fn draw_category(&self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let facts = Catalogue::of(view.model, &self.marked);
        let Some(node) = self.tree.selected() else { return };
        let rows = facts.category(node);
        let enabled = rows.iter().filter(|row| row.is_enabled() && row.faults.is_empty()).count();
        let head = format!("{}  {}, {enabled} enabled", facts.text(node, 0), counted(rows.len() as u64, "ETL"));
        let mut said = vec![(head, Role::Text)];
        for row in rows {
            let topic = |etl: &Etl| view.model.active.as_ref().and_then(|active| etl.topics.get(active)).cloned();
            let (about, role) = match (row.faults.first(), &row.etl) {
                (Some(fault), _) => (fault.to_string(), Role::Danger),
                (None, Some(etl)) => (etl.description.clone(), Role::Muted),
                (None, None) => (String::new(), Role::Muted),
            };
            let topic = row.etl.as_deref().and_then(topic).map(|topic| format!("  {} {topic}", marks::ARROW));
            said.push((" ".to_owned(), Role::Muted));
            said.push((format!("{}{}", row.name, topic.unwrap_or_default()), Role::Text));
            said.push((about, role));
        }
        draw_said(&said, area, buffer, view);
    }

    fn draw_definition(&mut self, row: &EtlRow, area: Rect, buffer: &mut Buffer, view: &View<'_>, focused: bool) {
        // Only the text of a file that could not be read has the lines of the file; of a whole one the values in force are shown.
        let in_place = |fault: &&Fault| {
            row.etl.is_none() && fault.place.as_ref().is_some_and(|place| place.file == row.file && place.line > 0)
        };
        let mut said = Vec::new();
        if let Some(etl) = &row.etl {
            said.push((etl.description.clone(), Role::Text));
            said.push((format!("{}; below is what is in force, defaults included", row.file), Role::Muted));
        }
        let faults = row.faults.iter().filter(|fault| !in_place(fault));
        said.extend(faults.map(|fault| (fault.to_string(), Role::Danger)));
        let area = draw_said(&said, area, buffer, view);
        let remarks: Vec<Remark> = row.faults.iter().filter(in_place).map(remark).collect();
        let shown = Shown { identity: &row.file, text: &row.text, language: Language::Yaml, remarks: &remarks };
        self.definition.draw(shown, area, buffer, view.theme, focused);
    }

    fn draw_template(&mut self, row: &EtlRow, area: Rect, buffer: &mut Buffer, view: &View<'_>, focused: bool) {
        if row.etl.is_none() {
            let words = "the definition cannot be read, so its template is not known".to_owned();
            draw_said(&[(words, Role::Danger)], area, buffer, view);
            return;
        }
        let here = |fault: &&Fault| {
            let place = fault.place.as_ref();
            place.is_some_and(|place| place.file == row.template_file && place.line > 0) && !row.template.is_empty()
        };
        let mut said = vec![(row.template_file.clone(), Role::Muted)];
        let faults = row.faults.iter().filter(|fault| !here(fault));
        said.extend(faults.map(|fault| (fault.to_string(), Role::Danger)));
        let area = draw_said(&said, area, buffer, view);
        let mut remarks: Vec<Remark> = row.faults.iter().filter(here).map(remark).collect();
        let rendered = self.preview.fault(row, view.model).filter(here).map(remark);
        remarks.extend(rendered.filter(|one| !remarks.contains(one)));
        let language = Language::of(&row.template_file);
        let shown = Shown { identity: &row.template_file, text: &row.template, language, remarks: &remarks };
        self.template.draw(shown, area, buffer, view.theme, focused);
    }

    /// Shows a tab and gives the detail the keys.
    pub(super) fn open(&mut self, tab: Tab, model: &Model) -> Reply {
        if self.selected(model).is_none() {
            return say("choose an ETL: this is a category");
        }
        self.in_detail = true;
        let again = tab == Tab::Preview && self.tab == Tab::Preview;
        self.tab = tab;
        match tab {
            Tab::Preview if again || !self.is_previewed(model) => self.ask(model),
            _ => Reply::Handled,
        }
    }

    /// Shows a tab; the keys stay where they are.
    pub(super) fn turn(&mut self, tab: Tab, model: &Model) -> Reply {
        self.tab = tab;
        if tab == Tab::Preview && !self.is_previewed(model) { self.ask(model) } else { Reply::Handled }
    }

    fn is_previewed(&self, model: &Model) -> bool {
        let request = self.selected(model).and_then(|row| self.preview.request(row, model));
        request.is_some() && model.preview.as_ref().map(|preview| &preview.asked) == request.as_ref()
    }

    /// Asks for the preview of what is under the cursor.
    pub(super) fn ask(&self, model: &Model) -> Reply {
        let request = self.selected(model).and_then(|row| self.preview.request(row, model));
        request.map_or(Reply::Handled, |request| Reply::Emit(Action::Preview(request)))
    }

    pub(super) fn step(&mut self, by: i64, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        self.tab = Tab::Preview;
        match self.preview.step(&row.name, by) {
            true => self.ask(model),
            false => say(if by > 0 { "this is the last event" } else { "this is the first event" }),
        }
    }

    /// Opens the file of what is shown, at the line under the cursor or at the fault.
    pub(super) fn edit(&mut self, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        let line_of = |file: &str, faults: &[Fault]| {
            let places = faults.iter().filter_map(|fault| fault.place.as_ref());
            places.filter(|place| place.file == file).map(|place| place.line.max(1)).next()
        };
        let definition = |line: Option<u32>| (row.file.clone(), line.unwrap_or(1));
        let template = |line: Option<u32>| (row.template_file.clone(), line.unwrap_or(1));
        let has_template = row.etl.is_some() && !row.template_file.is_empty();
        let rendered: Vec<Fault> = self.preview.fault(row, model).into_iter().cloned().collect();
        let (path, line) = match self.tab {
            _ if !has_template && self.in_detail && row.etl.is_none() => definition(Some(self.definition.line())),
            _ if !has_template => definition(line_of(&row.file, &row.faults)),
            Tab::Definition if self.in_detail && row.faults.is_empty() => {
                let at = self.definition.line() as usize;
                match row.places.get(at.saturating_sub(1)).and_then(Option::as_ref) {
                    Some(place) => (place.file.clone(), place.line.max(1)),
                    None => definition(None),
                }
            }
            Tab::Template if self.in_detail => template(Some(self.template.line())),
            Tab::Preview if rendered.iter().any(|fault| line_of(&row.file, std::slice::from_ref(fault)).is_some()) => {
                definition(line_of(&row.file, &rendered))
            }
            Tab::Preview => template(line_of(&row.template_file, &rendered)),
            Tab::Template => template(line_of(&row.template_file, &row.faults)),
            Tab::Definition | Tab::Runs => match line_of(&row.template_file, &row.faults) {
                Some(line) if self.tab == Tab::Runs => template(Some(line)),
                _ => definition(line_of(&row.file, &row.faults)),
            },
        };
        Reply::Emit(Action::EditFile { path, line })
    }

    /// Opens the editor of the context, or the choice of environment and event.
    pub(super) fn edit_request(&mut self, command: Command, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        let Some(request) = self.preview.request(row, model) else {
            return say("it serves no environment, or cannot be read: there is nothing to preview");
        };
        self.tab = Tab::Preview;
        self.in_detail = true;
        let setup = self.preview.setup(&row.name);
        if command == CHOOSE {
            let environments = row.etl.iter().flat_map(|etl| etl.topics.keys().cloned()).collect();
            self.layers.open_choose(row.name.clone(), environments, &request.environment, setup);
        } else {
            self.layers.open_context(Some(row.name.clone()), &setup.context);
        }
        Reply::Handled
    }

    pub(super) fn copy(&mut self, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        let text = match self.tab {
            Tab::Definition => Some(row.text.clone()),
            Tab::Template => Some(row.template.clone()),
            Tab::Preview => self.preview.rendered(row, model).map(|rendered| rendered.payload.clone()),
            Tab::Runs => self.report(row, model).map(|(_, json)| json),
        };
        match text.filter(|text| !text.is_empty()) {
            Some(text) => Reply::Emit(Action::Copy(text)),
            None => say("there is nothing to copy yet"),
        }
    }

    pub(super) fn export(&mut self, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        let export =
            match self.tab {
                Tab::Preview => self.preview.rendered(row, model).zip(self.preview.request(row, model)).map(
                    |(rendered, request)| Export {
                        name: format!("{}-{}-event-{}", row.name, request.environment, request.index + 1),
                        ending: ending(row).into(),
                        text: rendered.payload.clone(),
                    },
                ),
                Tab::Runs => self.report(row, model).map(|(name, text)| Export { name, ending: "json".into(), text }),
                Tab::Definition | Tab::Template => None,
            };
        match (export, self.tab) {
            (Some(export), _) => Reply::Emit(Action::Export(export)),
            (None, Tab::Runs) => say("a report is there once a run has ended"),
            (None, _) => say("a rendered payload and the report of a run can be exported: see Preview and Runs"),
        }
    }

    /// The report of the run under the cursor as JSON, with a name for its file.
    fn report(&self, row: &EtlRow, model: &Model) -> Option<(String, String)> {
        match self.runs.selected(&row.name, model)? {
            Entry::Run(run) => {
                let report = run.report.as_ref()?;
                Some((format!("run-{}-{}", row.name, run.request.environments.join("-")), report.json.clone()))
            }
            Entry::Preset(_) => None,
        }
    }

    pub(super) fn stop(&mut self, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        match (self.stoppable(row, model), self.is_among_runs()) {
            (Some(job), _) => Reply::Emit(Action::StopJob(job)),
            (None, true) => say("nothing runs under the cursor"),
            (None, false) => say("nothing of this ETL runs"),
        }
    }

    /// What `x` stops: among the runs the one under the cursor and no other, elsewhere the newest of the ETL that runs.
    pub(super) fn stoppable(&self, row: &EtlRow, model: &Model) -> Option<JobId> {
        if !self.is_among_runs() {
            return runs::running(&row.name, model);
        }
        match self.runs.selected(&row.name, model)? {
            Entry::Run(run) => runs::is_live(run, model).then_some(run.job),
            Entry::Preset(_) => None,
        }
    }

    /// Whether the keys go to a run under a cursor.
    fn is_among_runs(&self) -> bool {
        self.in_detail && self.tab == Tab::Runs
    }

    /// Sets up again what ran: its plan is seen before anything is sent.
    pub(super) fn repeat(&mut self, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        let entry = match self.is_among_runs() {
            true => self.runs.selected(&row.name, model),
            false => model.last_run(&row.name).map(Entry::Run),
        };
        match entry.map(|entry| entry.request().clone()) {
            Some(run) => self.open_run(run, model),
            None => say("it has not run in this session"),
        }
    }

    /// Sets up again what is under the cursor of the runs.
    pub(super) fn open_entry(&mut self, model: &Model) -> Reply {
        let entry = self.selected(model).and_then(|row| self.runs.selected(&row.name, model));
        match entry.map(|entry| entry.request().clone()) {
            Some(run) => self.open_run(run, model),
            None => self.set_up(model),
        }
    }

    pub(super) fn keep(&mut self, model: &Model) -> Reply {
        let Some(row) = self.selected(model) else { return say("choose an ETL: this is a category") };
        let entry = match self.is_among_runs() {
            true => self.runs.selected(&row.name, model),
            false => model.last_run(&row.name).map(Entry::Run),
        };
        match entry {
            Some(entry) => {
                self.layers.open_preset(entry.request().clone());
                Reply::Handled
            }
            None => Reply::Emit(Action::Say(Note::plain("set a run up first: its dialog can keep it as well"))),
        }
    }

    pub(super) fn forget(&self, model: &Model) -> Reply {
        let entry = match self.is_among_runs() {
            true => self.selected(model).and_then(|row| self.runs.selected(&row.name, model)),
            false => None,
        };
        match entry {
            Some(Entry::Preset(preset)) => Reply::Emit(Action::ForgetPreset(preset.name.clone())),
            Some(Entry::Run(_)) => say("this is a run, no preset: pane 6 forgets runs"),
            None => say("presets are forgotten in the tab Runs"),
        }
    }
}

/// Words above a text; gives what is left of the area.
fn draw_said(said: &[(String, Role)], area: Rect, buffer: &mut Buffer, view: &View<'_>) -> Rect {
    let mut y = area.y;
    for (words, role) in said.iter().filter(|(words, _)| !words.is_empty()) {
        for line in text::wrapped(words, usize::from(area.width)) {
            if y < area.bottom() {
                buffer.set_string(area.x, y, line, view.theme.role(*role));
                y += 1;
            }
        }
    }
    // A line between words and text, where there are words.
    y = (y + u16::from(y > area.y)).min(area.bottom());
    Rect { y, height: area.bottom() - y, ..area }
}

fn remark(fault: &Fault) -> Remark {
    let (line, column) = fault.place.as_ref().map_or((1, 0), |place| (place.line, place.column));
    let words = if fault.next.is_empty() { fault.what.clone() } else { format!("{}; {}", fault.what, fault.next) };
    Remark { line, column, words }
}

/// The ending of a payload's file: that of its template without `.j2`.
fn ending(row: &EtlRow) -> &str {
    let name = row.template_file.trim_end_matches(".j2").trim_end_matches(".jinja");
    match name.rsplit('/').next().and_then(|file| file.rsplit_once('.')) {
        Some((_, ending)) if ending.chars().all(|letter| letter.is_ascii_alphanumeric()) => ending,
        _ => "txt",
    }
}
