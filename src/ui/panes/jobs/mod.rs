//! Pane 6: everything that runs or ran, and the one under the cursor in full below: what it did, how far it is, what failed,
//! its own log. The list has the whole width, so that each of its numbers stays legible.

mod detail;
mod operators;
mod pipeline;
mod rows;

use crossterm::event::MouseEvent;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::action::{Action, PaneId};
use crate::app::model::jobs::Job;
use crate::app::model::{Model, Note};
use crate::core::job::{JobId, JobKind, Phase};
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::inspector::Inspector;
use crate::ui::widgets::table::{self, Look};
use crate::ui::widgets::text;

use rows::{COLUMNS, JobRows};

const STOP: Command = Command("jobs.stop");
const RESTART: Command = Command("jobs.restart");
const FORGET: Command = Command("jobs.forget");
const FORGET_ENDED: Command = Command("jobs.forget_ended");
const STOP_AT_ONCE: Command = Command("jobs.stop_at_once");
const PAUSE: Command = Command("jobs.pause");
const SCRATCH: Command = Command("jobs.from_scratch");
const DETAIL: Command = Command("jobs.detail");
const VISIT: Command = Command("jobs.visit");

const KEYS: &[Binding] = &[
    Binding::new(STOP, &["x"], "stop"),
    Binding::new(STOP_AT_ONCE, &["X"], "stop at once"),
    Binding::new(PAUSE, &["p"], "pause, go on"),
    Binding::new(RESTART, &["R"], "start again"),
    Binding::new(SCRATCH, &["B"], "from scratch"),
    Binding::new(FORGET, &["d", "Delete"], "forget"),
    Binding::new(FORGET_ENDED, &["D"], "forget all that ended"),
    Binding::new(DETAIL, &["i"], "detail"),
    Binding::new(VISIT, &["v"], "its own pane"),
];

/// The pane.
#[derive(Debug, Default)]
pub struct Jobs {
    inspector: Inspector,
    /// Which columns are seen where there is no room for all, and how many such pages there are.
    page: usize,
    pages: usize,
    /// It came to the front since it was drawn: what runs is to be seen.
    is_new: bool,
    /// Whether the detail has the whole pane.
    is_open: bool,
    /// What decides which keys mean something to the job under the cursor.
    chosen: Option<Chosen>,
    /// Jobs as they were drawn last: a key is for the job that was seen, whatever has begun or ended since.
    drawn: Vec<JobId>,
    /// Kind and name of the job under the cursor: one that is started again has another number.
    under_cursor: Option<(JobKind, String)>,
}

/// The job under the cursor, as far as keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chosen {
    is_deployed: bool,
    has_ended: bool,
    is_stopping: bool,
    /// Another console or command runs it, or keeps all deployed jobs.
    is_elsewhere: bool,
}

impl Chosen {
    fn of(job: &Job, model: &Model) -> Self {
        let is_deployed = job.kind == JobKind::Sql;
        let is_elsewhere = model.deployments.keeper.is_some() || model.deployments.holder(&job.name).is_some();
        Self {
            is_deployed,
            has_ended: job.phase.is_ending(),
            is_stopping: job.phase == Phase::Stopping,
            is_elsewhere: is_deployed && is_elsewhere,
        }
    }

    /// The keys that act on it.
    fn footer(self) -> &'static [Command] {
        match (self.is_deployed, self.has_ended) {
            (true, _) if self.is_elsewhere => &[keys::OPEN, keys::COPY],
            (true, false) if self.is_stopping => &[keys::OPEN, STOP_AT_ONCE],
            (true, false) => &[keys::OPEN, STOP, PAUSE],
            (true, true) => &[keys::OPEN, RESTART, SCRATCH, FORGET],
            (false, false) if self.is_stopping => &[keys::OPEN, VISIT],
            (false, false) => &[keys::OPEN, VISIT, STOP],
            (false, true) => &[keys::OPEN, VISIT, RESTART, FORGET],
        }
    }
}

impl Jobs {
    fn selected<'m>(&self, model: &'m Model) -> Option<&'m Job> {
        model.jobs.get(self.drawn.get(self.inspector.list.selected()?)?)
    }

    /// Says, beside the count, which columns the arrows bring.
    fn draw_hidden(&self, hidden: &[&str], list: Rect, buffer: &mut Buffer, theme: &Theme) {
        let search = self.inspector.list.search();
        if hidden.is_empty() || search.is_typing() || search.is_active() || list.height < 2 {
            return;
        }
        let arrows = match (self.page, self.page + 1 < self.pages) {
            (0, _) => "→",
            (_, true) => "← →",
            (_, false) => "←",
        };
        let room = usize::from(list.width).saturating_sub(text::width(&self.inspector.list.count()) + 2);
        let words = format!("{arrows} {}", hidden.join(", "));
        let last = list.bottom() - 1;
        buffer.set_string(list.x, last, text::fit(&words, room), theme.role(Role::Muted));
    }

    fn command(&mut self, command: Command, job: &Job) -> Reply {
        Reply::Emit(match command {
            keys::OPEN => {
                self.is_open = !self.is_open;
                self.inspector.in_detail = self.is_open;
                return Reply::Handled;
            }
            VISIT if job.kind == JobKind::Sql => {
                Action::Say(Note::plain("a deployed job has no pane but this one: Enter opens its pipeline"))
            }
            VISIT => Action::OpenJob(job.id),
            STOP_AT_ONCE => Action::StopAtOnce(job.id),
            PAUSE => Action::PauseJob { job: job.id, paused: job.phase != Phase::Paused },
            SCRATCH => Action::RestartFromScratch(job.id),
            STOP => Action::StopJob(job.id),
            RESTART => Action::RestartJob(job.id),
            FORGET => Action::ForgetJob(job.id),
            FORGET_ENDED => Action::ForgetEndedJobs,
            keys::COPY if self.inspector.in_detail => Action::Copy(self.inspector.reader.copied().to_owned()),
            keys::COPY => Action::Copy(detail::in_words(job)),
            keys::RIGHT if !self.inspector.in_detail && self.page + 1 < self.pages => {
                self.page += 1;
                return Reply::Handled;
            }
            keys::LEFT if !self.inspector.in_detail && 0 < self.page => {
                self.page -= 1;
                return Reply::Handled;
            }
            // Where there are columns to go through, their end is no way into the detail.
            keys::RIGHT if !self.inspector.in_detail && 1 < self.pages => return Reply::Handled,
            // It is the list that is filtered, and what is typed goes there.
            keys::FILTER if self.inspector.in_detail => {
                (self.inspector.in_detail, self.is_open) = (false, false);
                return Reply::Ignored;
            }
            _ if self.inspector.moved(command, DETAIL) => {
                self.is_open &= self.inspector.in_detail;
                return Reply::Handled;
            }
            _ => return Reply::Ignored,
        })
    }
}

impl Pane for Jobs {
    fn id(&self) -> PaneId {
        PaneId::Jobs
    }

    fn title(&self) -> &'static str {
        "Jobs"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn takes_text(&self) -> bool {
        self.inspector.is_typing()
    }

    fn fills(&self) -> bool {
        self.is_open
    }

    fn comes_to_front(&mut self) {
        self.is_new = true;
    }

    fn footer(&self) -> Vec<Command> {
        match self.chosen {
            _ if self.takes_text() => vec![keys::BACK],
            None => {
                keys::without_rows(self.inspector.list.search(), &[keys::PANE_ETLS, keys::PANE_SQL, keys::PANE_TAIL])
            }
            Some(chosen) => {
                let around = if self.inspector.in_detail { keys::BACK } else { keys::FILTER };
                chosen.footer().iter().copied().chain([around]).collect()
            }
        }
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        if self.takes_text() {
            return if self.inspector.key(press.event) { Reply::Handled } else { Reply::Ignored };
        }
        if let (Some(command), Some(job)) = (press.command, self.selected(model)) {
            match self.command(command, job) {
                Reply::Ignored => {}
                reply => return reply,
            }
        }
        if self.inspector.key(press.event) { Reply::Handled } else { Reply::Ignored }
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Reply {
        if self.inspector.list.search_mut().paste(text) { Reply::Handled } else { Reply::Ignored }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, _model: &Model) -> Reply {
        match self.inspector.mouse(event) {
            Pointed::Elsewhere => return Reply::Ignored,
            Pointed::Opened => (self.inspector.in_detail, self.is_open) = (true, true),
            Pointed::Scrolled | Pointed::Chosen => {}
        }
        Reply::Handled
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let jobs = rows::in_order(view.model);
        let shown = JobRows { jobs: &jobs, view };
        let before = self.inspector.list.selected().and_then(|at| self.drawn.get(at)).copied();
        self.inspector.list.refresh(&shown, COLUMNS.len(), view.model.revision);
        self.drawn = jobs.iter().map(|job| job.id).collect();
        if let (Some(gone), Some((kind, name))) = (before, &self.under_cursor)
            && !view.model.jobs.contains_key(&gone)
            && let Some(again) = jobs.iter().position(|job| job.kind == *kind && job.name == *name)
        {
            self.inspector.list.select(again);
        }
        if std::mem::take(&mut self.is_new) {
            self.inspector.list.cursor_mut().show_head();
        }
        let selected = self.inspector.list.selected().and_then(|at| jobs.get(at)).copied();
        self.under_cursor = selected.map(|job| (job.kind, job.name.clone()));
        self.chosen = selected.map(|job| Chosen::of(job, view.model));
        self.inspector.in_detail &= selected.is_some();
        self.is_open &= self.inspector.in_detail;

        let [list, detail] = match self.is_open {
            true => [Rect { height: 0, ..area }, area],
            false => parts(area, jobs.len()),
        };
        self.pages = rows::pages(list.width);
        self.page = self.page.min(self.pages.saturating_sub(1));
        let (columns, hidden) = rows::columns(self.page, list.width);
        let look = Look {
            columns: &columns,
            focused: view.focused && !self.inspector.in_detail,
            empty: "nothing runs or ran yet: run an ETL in pane 2, read a topic in pane 4, check an environment in pane 1",
        };
        if !self.is_open {
            table::draw(&mut self.inspector.list, &shown, look, list, frame.buffer_mut(), view.theme);
            self.draw_hidden(&hidden, list, frame.buffer_mut(), view.theme);
        }
        let inside = self.inspector.draw_edge(frame, detail, false, view.theme, view.focused);
        if let Some(job) = selected {
            let hidden: &[&str] = if self.is_open { &[] } else { &hidden };
            let lines = detail::document(job, view, inside.width.saturating_sub(2), hidden);
            let focused = view.focused && self.inspector.in_detail;
            self.inspector.reader.draw(job.id.0, &lines, inside, frame.buffer_mut(), view.theme, focused);
        }
    }
}

/// The list takes the lines it needs, at most two of five; the detail has the rest.
fn parts(area: Rect, jobs: usize) -> [Rect; 2] {
    let wanted = u16::try_from(jobs).unwrap_or(u16::MAX).saturating_add(2);
    let height = wanted.clamp(5, (area.height * 2 / 5).max(5)).min(area.height);
    [Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area }]
}
