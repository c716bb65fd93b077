//! The dialog that sets a run up: environments, events, rate, dry run, context; below them the plan says exactly what would be
//! sent where. It starts nothing whose plan has not been seen.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use ratatui::layout::Rect;

use super::context;
use super::planned;
use crate::app::action::{Action, RunRequest};
use crate::app::model::environments::EnvironmentRow;
use crate::app::model::etls::Plan;
use crate::app::model::{Model, Note};
use crate::core::environment::Guard;
use crate::ui::pane::View;
use crate::ui::theme::Role;
use crate::ui::widgets::checklist::{Checklist, Item};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::dialog;
use crate::ui::widgets::form::{Field, Form};
use crate::ui::widgets::text;

/// Most events of each ETL in each environment: more would be a mistyped number.
const EVENTS_MAX: u64 = 1_000_000_000;
/// Highest rate that can be asked for, events a second: beyond it, no limit is what is meant.
const RATE_MAX: u64 = 10_000_000;
/// Lines that a page key moves the plan.
const PLAN_PAGE: usize = 4;

/// Which part of the dialog has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Environments,
    Fields,
    Context,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Not for a dialog.
    Ignored,
    /// The dialog stays open.
    Open,
    /// Closed; nothing runs.
    Dropped,
    /// Something is to be asked or said; the dialog stays open.
    Emit(Action),
    /// The context is to be edited.
    EditContext,
    /// What is set up is to be kept under a name.
    Keep(RunRequest),
    /// Closed, and this is to run.
    Run(RunRequest),
    /// Closed, and this is to run once it is planned.
    RunWhenPlanned(RunRequest),
}

/// The open dialog.
#[derive(Debug)]
pub struct RunDialog {
    etls: Vec<String>,
    environments: Checklist,
    /// The environments, as the list is given them in the colours of the theme.
    items: Vec<Item>,
    form: Form,
    context: String,
    part: Part,
    /// First line of the plan that is seen.
    plan_top: usize,
    /// What the newest plan was asked for.
    asked: Option<RunRequest>,
}

impl RunDialog {
    /// A dialog for these ETLs, at least one, beginning with `before` where that was a run of the same.
    pub fn new(etls: Vec<String>, model: &Model, before: &RunRequest) -> Self {
        let served = |name: &str| {
            let rows = etls.iter().filter_map(|etl| model.etl(etl)).filter_map(|row| row.etl.as_ref());
            rows.filter(|etl| etl.topics.contains_key(name)).count()
        };
        let item = |row: &EnvironmentRow| {
            let some = served(&row.name);
            let partly = if some < etls.len() { format!("{some}/{}", etls.len()) } else { String::new() };
            let broken = if row.faults.is_empty() { "" } else { "broken" };
            let mut note = vec![guard_words(row.guard), broken, &partly];
            note.retain(|words| !words.is_empty());
            Item::new(row.name.as_str()).note(note.join(", "))
        };
        let items: Vec<Item> = model.environments.iter().filter(|row| served(&row.name) > 0).map(item).collect();
        let mut form = Form::new(vec![
            Field::number("count", "Events", before.count.max(1), 1, EVENTS_MAX)
                .hint("of each ETL in each environment"),
            Field::optional_number("rate", "Rate", 1, RATE_MAX).hint("a second in each; empty: none"),
            Field::toggle("dry", "Dry run", before.dry_run).hint("Space: render, send nothing"),
        ]);
        form.set_text("rate", &before.rate.map(|rate| rate.to_string()).unwrap_or_default());
        Self {
            environments: Checklist::new(items.clone(), before.environments.iter().cloned()),
            items,
            etls,
            form,
            context: before.context.clone(),
            part: Part::default(),
            plan_top: 0,
            asked: None,
        }
    }

    /// What is set up; why it is not whole, where it is not.
    pub fn request(&self) -> Result<RunRequest, String> {
        if let Some(fault) = self.form.fault() {
            return Err(fault);
        }
        let environments = self.environments.checked();
        if environments.is_empty() {
            return Err("choose at least one environment: Space checks the one under the cursor".into());
        }
        if let Err(wrong) = context::names(&self.context) {
            return Err(format!("context: {}", wrong.what));
        }
        Ok(RunRequest {
            etls: self.etls.clone(),
            environments,
            count: self.form.number("count").unwrap_or(1),
            rate: self.form.number("rate").and_then(|rate| u32::try_from(rate).ok()),
            dry_run: self.form.is_on("dry"),
            context: self.context.clone(),
        })
    }

    /// The question for the plan of what is set up, where it has not been asked yet.
    pub fn plan(&mut self) -> Option<Action> {
        let request = self.request().ok();
        if request == self.asked {
            return None;
        }
        self.asked.clone_from(&request);
        self.plan_top = 0;
        request.map(Action::PlanRun)
    }

    /// The context, to be edited.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Takes an edited context.
    pub fn set_context(&mut self, context: String) {
        self.context = context;
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, model: &Model) -> Step {
        let step = self.take(key, model);
        match (step, self.plan()) {
            (Step::Open, Some(ask)) => Step::Emit(ask),
            (step, _) => step,
        }
    }

    fn take(&mut self, key: KeyEvent, model: &Model) -> Step {
        let filtering = self.part == Part::Environments && self.environments.is_typing();
        match key.code {
            KeyCode::Esc if !(filtering || self.is_filtered()) => return Step::Dropped,
            KeyCode::Enter if self.part == Part::Context => return Step::EditContext,
            KeyCode::Enter if !filtering => return self.run(model),
            KeyCode::PageDown => self.plan_top = self.plan_top.saturating_add(PLAN_PAGE),
            KeyCode::PageUp => self.plan_top = self.plan_top.saturating_sub(PLAN_PAGE),
            KeyCode::Tab => self.go(true),
            KeyCode::BackTab => self.go(false),
            KeyCode::Char('c') if !self.types() && key.modifiers.is_empty() => return Step::EditContext,
            KeyCode::Char('w') if !self.types() && key.modifiers.is_empty() => {
                return self.request().map_or_else(|why| Step::Emit(Action::Say(Note::warning(why))), Step::Keep);
            }
            KeyCode::Char('d') if !self.types() && key.modifiers.is_empty() => {
                self.form.go("dry");
                self.form.key(KeyEvent::from(KeyCode::Char(' ')));
            }
            KeyCode::Char(digit) if digit.is_ascii_digit() && self.part == Part::Environments && !filtering => {
                // A number typed into the list of environments is meant for the one field that must be a number.
                self.part = Part::Fields;
                self.form.go("count");
                self.form.key(key);
            }
            KeyCode::Char(letter)
                if key.modifiers.contains(KeyModifiers::CONTROL) && !(self.types() && "aekuw".contains(letter)) =>
            {
                return Step::Ignored;
            }
            KeyCode::F(_) => return Step::Ignored,
            _ => match self.part {
                Part::Environments => {
                    self.environments.key(key);
                }
                Part::Fields => {
                    self.form.key(key);
                }
                Part::Context if key.code == KeyCode::Up => self.go(false),
                Part::Context if key.code == KeyCode::Down => self.go(true),
                Part::Context => {}
            },
        }
        Step::Open
    }

    /// Adds pasted text.
    pub fn paste(&mut self, pasted: &str) -> Step {
        match self.part {
            Part::Fields => self.form.paste(pasted),
            Part::Environments => {
                self.environments.listing_mut().search_mut().paste(pasted);
            }
            Part::Context => {}
        }
        self.plan().map_or(Step::Open, Step::Emit)
    }

    /// Takes the mouse: a press on an environment goes there, a second one checks it.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Step {
        if self.environments.mouse(mouse) != Pointed::Elsewhere {
            self.part = Part::Environments;
        }
        self.plan().map_or(Step::Open, Step::Emit)
    }

    /// What is set up runs once its plan is known: at once where it is on the screen, else some milliseconds later.
    fn run(&mut self, model: &Model) -> Step {
        let warn = |why: String| Step::Emit(Action::Say(Note::warning(why)));
        let request = match self.request() {
            Ok(request) => request,
            Err(why) => return warn(why),
        };
        match plan_of(&request, model).and_then(|plan| plan.outcome.as_ref()) {
            None => Step::RunWhenPlanned(request),
            Some(Err(_)) => warn("nothing can be run as it is set up: the dialog says why".into()),
            Some(Ok(plan)) if plan.events() == 0 => warn("nothing would be sent: the plan says why".into()),
            Some(Ok(_)) => Step::Run(request),
        }
    }

    fn is_filtered(&mut self) -> bool {
        self.part == Part::Environments && self.environments.listing_mut().search().is_active()
    }

    /// Whether letters are text.
    fn types(&self) -> bool {
        match self.part {
            Part::Environments => self.environments.is_typing(),
            Part::Fields => self.form.takes_text(),
            Part::Context => false,
        }
    }

    fn go(&mut self, on: bool) {
        match (self.part, on, self.form.field()) {
            (Part::Environments, true, _) | (Part::Context, false, _) => {
                self.part = Part::Fields;
                self.form.go(if on { "count" } else { "dry" });
            }
            (Part::Fields, true, "dry") | (Part::Environments, false, _) => {
                self.part = Part::Context;
            }
            (Part::Fields, false, "count") | (Part::Context, true, _) => {
                self.part = Part::Environments;
            }
            (Part::Fields, true, _) => {
                self.form.key(KeyEvent::from(KeyCode::Down));
            }
            (Part::Fields, false, _) => {
                self.form.key(KeyEvent::from(KeyCode::Up));
            }
        }
    }

    /// Draws the dialog over `area`.
    pub fn draw(&mut self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let (theme, model) = (view.theme, view.model);
        let title = match self.etls.as_slice() {
            [etl] => format!("Run {etl}"),
            etls => format!("Run {} ETLs: {}", etls.len(), etls.join(", ")),
        };
        let request = self.request();
        let plan = request.as_ref().ok().and_then(|request| plan_of(request, model));
        // What is wrong with a field stands beside it.
        let said = match self.form.fault().is_some() && self.part == Part::Fields {
            true => Vec::new(),
            false => planned::lines(&request, plan, model, theme),
        };
        let top_lines = (self.environments.checked().len().max(model.environments.len()) as u16 + 1).clamp(6, 12);
        let width = area.width.saturating_sub(6).min(108);
        let lines = top_lines + 1 + planned::height(&said, width).max(4);
        let size = (width, lines.min(area.height.saturating_sub(4)));
        let danger = request.as_ref().is_ok_and(|request| {
            let guarded = |name: &String| model.environment(name).is_some_and(|row| row.guard != Guard::None);
            !request.dry_run && request.environments.iter().any(guarded)
        });
        let keys = [
            ("Enter", if self.part == Part::Context { "edit context" } else { "run" }),
            ("Esc", "back"),
            ("Tab", "next"),
            ("Space", "check"),
            ("d", "dry run"),
            ("c", "context"),
            ("w", "keep as preset"),
        ];
        let frame = dialog::Frame { title: &title, keys: &keys, danger, size };
        let inside = dialog::draw(frame, area, buffer, theme);
        let top_lines = top_lines.min(inside.height.saturating_sub(4));
        let left = (inside.width * 11 / 20).min(56);
        let list = Rect { width: left, height: top_lines, ..inside };
        let coloured = |item: &Item| Item { style: theme.environment(&item.name), ..item.clone() };
        self.environments.set_items(self.items.iter().map(coloured).collect());
        let focused = self.part == Part::Environments;
        let empty = "no environment is served: give the ETL a topic under `topics:`";
        self.environments.draw(empty, list, buffer, theme, focused);
        let right = Rect { x: inside.x + left + 2, width: inside.width.saturating_sub(left + 2), ..list };
        self.form.draw(
            Rect { height: right.height.saturating_sub(1), ..right },
            buffer,
            theme,
            self.part == Part::Fields,
        );
        let line = Rect { y: right.y + 4.min(right.height.saturating_sub(1)), height: 1, ..right };
        self.draw_context(line, buffer, view);
        // Where the form says what may be written while it has the keys.
        let hint = Rect { y: right.y + 3.min(right.height.saturating_sub(1)), height: 1, ..right };
        self.draw_hint(hint, buffer, view);
        let rule = inside.y + top_lines;
        if rule < inside.bottom() {
            let words = "─".repeat(usize::from(inside.width));
            buffer.set_string(inside.x, rule, words, theme.role(Role::Border));
        }
        let below = Rect { y: rule + 1, height: inside.bottom().saturating_sub(rule + 1), ..inside };
        self.plan_top = planned::draw(&said, self.plan_top, below, buffer, theme);
    }

    fn draw_context(&self, line: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let style = if self.part == Part::Context { view.theme.focused() } else { view.theme.role(Role::Muted) };
        buffer.set_stringn(line.x, line.y, "Context", usize::from(line.width), style);
        let words = context::summed_up(&self.context);
        let role = if context::names(&self.context).is_err() { Role::Danger } else { Role::Text };
        let room = usize::from(line.width.saturating_sub(9));
        buffer.set_stringn(line.x + 9, line.y, text::fit(&words, room), room, view.theme.role(role));
    }

    fn draw_hint(&self, area: Rect, buffer: &mut Buffer, view: &View<'_>) {
        let words = match self.part {
            Part::Environments => "Space checks, a all, / filters",
            Part::Context => "Enter edits it as YAML",
            Part::Fields => return,
        };
        if area.height > 0 {
            let words = text::fit(words, usize::from(area.width));
            buffer.set_string(area.x, area.y, words, view.theme.role(Role::Muted));
        }
    }
}

/// The newest plan, where it is that of the request.
pub fn plan_of<'m>(request: &RunRequest, model: &'m Model) -> Option<&'m Plan> {
    model.plan.as_ref().filter(|plan| plan.asked == *request)
}

/// A guard as it is said beside an environment.
pub fn guard_words(guard: Guard) -> &'static str {
    match guard {
        Guard::None => "",
        Guard::Confirm => "asks first",
        Guard::Typed => "type name",
        Guard::ReadOnly => "read-only",
    }
}
