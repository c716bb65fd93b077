//! Pane 4: records of one or several topics as they come, the one under the cursor in full. Reading commits nothing and
//! joins no group; holding the view does not stop it.

mod detail;
mod export;
mod picker;
mod resend;
mod rows;
mod status;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::layout::{Constraint, Layout, Position, Rect};

use crate::app::action::{Action, Export, PaneId};
use crate::app::model::tails::Tail;
use crate::app::model::{Model, Note};
use crate::core::job::JobId;
use crate::core::record::Record;
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::layout::BESIDE_WIDTH_MIN;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::input::Input;
use crate::ui::widgets::listing::Listing;
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::text;

use detail::Detail;
use picker::{Picked, Picker};
use resend::{Resend, Sent};
use rows::{COLUMNS, Shown, TOPIC, TailRows};

const PICK: Command = Command("tail.pick");
const PAUSE: Command = Command("tail.pause");
const FOLLOW: Command = Command("tail.follow");
const FORM: Command = Command("tail.form");
const HEADERS: Command = Command("tail.headers");
const RESEND: Command = Command("tail.resend");
const EXPORT: Command = Command("tail.export");
const COPY_RECORD: Command = Command("tail.copy_record");
const CLEAR: Command = Command("tail.clear");
const STOP: Command = Command("tail.stop");
const RESTART: Command = Command("tail.restart");
const CLOSE: Command = Command("tail.close");

const KEYS: &[Binding] = &[
    Binding::new(PICK, &["n"], "pick topics"),
    Binding::new(PAUSE, &["Space"], "hold the view"),
    Binding::new(FOLLOW, &["f"], "follow"),
    Binding::new(FORM, &["v"], "view as"),
    Binding::new(RESEND, &["P"], "send again"),
    Binding::new(EXPORT, &["o"], "export what is shown"),
    Binding::new(COPY_RECORD, &["Y"], "copy the record as a line of JSON"),
    Binding::new(HEADERS, &["h"], "all headers or a few"),
    Binding::new(CLEAR, &["C"], "forget the records shown"),
    Binding::new(STOP, &["x"], "stop reading"),
    Binding::new(RESTART, &["R"], "read again"),
    Binding::new(CLOSE, &["X"], "close this tail"),
];

/// The pane.
#[derive(Debug, Default)]
pub struct TailPane {
    /// The tail that cursor and the rest belong to.
    job: Option<JobId>,
    shown: Shown,
    listing: Listing,
    detail: Detail,
    /// Whether the cursor goes with the newest record.
    follows: bool,
    on_detail: bool,
    filter: Option<Input>,
    picker: Option<Picker>,
    resend: Option<Resend>,
    /// Where list and detail were drawn.
    areas: [Rect; 2],
    zone: Option<jiff::tz::TimeZone>,
}

impl Pane for TailPane {
    fn id(&self) -> PaneId {
        PaneId::Tail
    }

    fn title(&self) -> &'static str {
        "Tail"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn takes_text(&self) -> bool {
        self.picker.is_some() || self.filter.is_some() || self.resend.is_some()
    }

    fn footer(&self) -> Vec<Command> {
        if self.takes_text() {
            return vec![keys::BACK];
        }
        match self.job {
            None => vec![PICK],
            Some(_) if self.on_detail => vec![FORM, keys::COPY, HEADERS, RESEND, keys::BACK],
            Some(_) => vec![PICK, PAUSE, keys::FILTER, FORM, RESEND],
        }
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        if self.picker.is_some() {
            return self.picker_key(press.event, model);
        }
        if self.resend.is_some() {
            return self.resend_key(press.event);
        }
        if press.command == Some(PICK) {
            return self.pick(model);
        }
        let Some(tail) = current(model) else {
            return if press.command == Some(keys::OPEN) { self.pick(model) } else { Reply::Ignored };
        };
        if self.filter.is_some() {
            return self.filter_key(press.event, tail);
        }
        match press.command {
            Some(command) => self.command(command, press.event, tail, model),
            None if self.on_detail => handled(self.detail.key(press.event)),
            None => Reply::Ignored,
        }
    }

    fn paste(&mut self, pasted: &str, model: &Model) -> Reply {
        if let Some(picker) = &mut self.picker {
            picker.paste(pasted);
        } else if let Some(resend) = &mut self.resend {
            resend.paste(pasted);
        } else if let (Some(input), Some(tail)) = (&mut self.filter, current(model)) {
            input.insert(pasted);
            return Reply::Emit(Action::FilterTail { job: tail.job, filter: input.text().to_owned() });
        }
        Reply::Handled
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, _model: &Model) -> Reply {
        if let Some(picker) = &mut self.picker {
            picker.mouse(event);
            return Reply::Handled;
        }
        let at = Position::new(event.column, event.row);
        if self.areas[1].contains(at) {
            self.on_detail |= event.kind.is_down();
            return handled(self.detail.mouse(event) != Pointed::Elsewhere);
        }
        let pointed = self.listing.mouse(event);
        if pointed == Pointed::Elsewhere {
            return Reply::Ignored;
        }
        self.on_detail = pointed == Pointed::Opened;
        self.follows = self.listing.is_at_end();
        Reply::Handled
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        self.zone = Some(view.zone.clone());
        match current(view.model) {
            Some(tail) => self.draw_tail(frame, area, tail, view),
            None => {
                (self.job, self.areas) = (None, [Rect::ZERO; 2]);
                draw_no_tail(frame, area, view);
            }
        }
        if let Some(picker) = &mut self.picker {
            picker.refresh(view.model);
            picker.draw(frame, area, view);
        }
        if let Some(resend) = &self.resend {
            resend.draw(frame, area, view);
        }
    }
}

/// The tail that the pane shows.
fn current(model: &Model) -> Option<&Tail> {
    model.tails.get(&model.tail?)
}

fn handled(handled: bool) -> Reply {
    if handled { Reply::Handled } else { Reply::Ignored }
}

impl TailPane {
    fn command(&mut self, command: Command, event: KeyEvent, tail: &Tail, model: &Model) -> Reply {
        let job = tail.job;
        match command {
            PAUSE => Reply::Emit(Action::PauseTail { job, paused: !tail.paused }),
            FOLLOW => {
                self.follows = !self.follows;
                Reply::Handled
            }
            FORM => {
                self.detail.cycle();
                Reply::Handled
            }
            HEADERS => {
                self.detail.turn_headers();
                Reply::Handled
            }
            RESEND => self.open_resend(tail, model),
            EXPORT => self.export(tail),
            COPY_RECORD => match self.selected(tail) {
                Some(record) => Reply::Emit(Action::Copy(export::line(record))),
                None => Reply::Ignored,
            },
            keys::COPY => match self.selected(tail) {
                Some(_) => Reply::Emit(Action::Copy(self.detail.copied())),
                None => Reply::Ignored,
            },
            CLEAR => Reply::Emit(Action::ClearTail(job)),
            STOP => Reply::Emit(Action::StopJob(job)),
            RESTART => Reply::Emit(Action::RestartJob(job)),
            CLOSE => Reply::Emit(Action::CloseTail(job)),
            keys::FILTER => {
                self.filter = Some(Input::new(&tail.filter));
                self.on_detail = false;
                Reply::Handled
            }
            keys::OPEN if !self.on_detail => {
                self.on_detail = self.selected(tail).is_some();
                Reply::Handled
            }
            keys::BACK if self.on_detail => {
                self.on_detail = false;
                Reply::Handled
            }
            keys::BACK if !tail.filter.is_empty() => Reply::Emit(Action::FilterTail { job, filter: String::new() }),
            _ if self.on_detail => handled(self.detail.key(event)),
            _ => self.list_key(command, event),
        }
    }

    /// A key of lists. Who moves up stops following; who goes to the end follows again.
    fn list_key(&mut self, command: Command, event: KeyEvent) -> Reply {
        if !self.listing.key(event) {
            return Reply::Ignored;
        }
        if matches!(command, keys::SORT | keys::REVERSE) {
            self.follows &= self.listing.sort().is_none();
        } else {
            self.follows = self.listing.is_at_end() && self.listing.sort().is_none();
        }
        Reply::Handled
    }

    fn filter_key(&mut self, event: KeyEvent, tail: &Tail) -> Reply {
        let Some(input) = &mut self.filter else { return Reply::Ignored };
        match event.code {
            KeyCode::Enter => self.filter = None,
            KeyCode::Esc => {
                self.filter = None;
                return Reply::Emit(Action::FilterTail { job: tail.job, filter: String::new() });
            }
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => {
                self.listing.key(event);
                self.follows = self.listing.is_at_end();
            }
            _ => {
                let before = input.text().to_owned();
                input.key(event);
                if input.text() != before {
                    let filter = input.text().to_owned();
                    return Reply::Emit(Action::FilterTail { job: tail.job, filter });
                }
            }
        }
        Reply::Handled
    }

    /// Opens the picker and asks for the topics anew.
    fn pick(&mut self, model: &Model) -> Reply {
        let Some(active) = model.active.as_deref() else {
            return Reply::Emit(Action::Say(Note::warning("no environment is active: choose one in pane 1")));
        };
        let checked = current(model).filter(|tail| tail.request.environment == active);
        let checked = checked.map(|tail| tail.request.topics.clone()).unwrap_or_default();
        self.picker = Some(Picker::new(active, &checked));
        Reply::Emit(Action::ListTopics(active.to_owned()))
    }

    fn picker_key(&mut self, event: KeyEvent, model: &Model) -> Reply {
        let zone = self.zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        let Some(picker) = &mut self.picker else { return Reply::Ignored };
        picker.refresh(model);
        match picker.key(event, model.now_ms, &zone) {
            Picked::Open => Reply::Handled,
            Picked::Closed => {
                self.picker = None;
                Reply::Handled
            }
            Picked::Chosen(request) => {
                self.picker = None;
                Reply::Emit(Action::OpenTail(request))
            }
        }
    }

    fn open_resend(&mut self, tail: &Tail, model: &Model) -> Reply {
        let Some(record) = self.selected(tail) else { return Reply::Ignored };
        match Resend::new(record, &tail.request.environment, model) {
            Ok(resend) => {
                self.resend = Some(resend);
                Reply::Handled
            }
            Err(why) => Reply::Emit(Action::Say(Note::warning(why))),
        }
    }

    fn resend_key(&mut self, event: KeyEvent) -> Reply {
        let Some(resend) = &mut self.resend else { return Reply::Ignored };
        match resend.key(event) {
            Sent::Open => Reply::Handled,
            Sent::Closed => {
                self.resend = None;
                Reply::Handled
            }
            Sent::Do(action) => {
                self.resend = None;
                Reply::Emit(action)
            }
        }
    }

    fn export(&self, tail: &Tail) -> Reply {
        let rows = (0..).map_while(|place| self.listing.at(place));
        let records: Vec<&Record> = rows.filter_map(|row| self.shown.record(tail, row)).collect();
        let (text, written) = export::lines(records.iter().copied());
        if written == 0 {
            return Reply::Emit(Action::Say(Note::warning("no record is shown: there is nothing to export")));
        }
        let rest = records.len() - written;
        if rest > 0 {
            let why = format!("only the first {written} of {} records fit an export; filter more", records.len());
            return Reply::Emit(Action::Say(Note::warning(why)));
        }
        Reply::Emit(Action::Export(Export { name: tail.request.topics.join("+"), ending: "jsonl".into(), text }))
    }

    fn selected<'t>(&self, tail: &'t Tail) -> Option<&'t Record> {
        self.listing.selected().and_then(|row| self.shown.record(tail, row))
    }

    /// Takes the records as they are now.
    fn refresh(&mut self, tail: &Tail, columns: &[usize], view: &View<'_>) {
        if self.job != Some(tail.job) {
            (self.listing, self.shown) = (Listing::default(), Shown::default());
            (self.job, self.follows, self.on_detail, self.filter) = (Some(tail.job), true, false, None);
        }
        self.shown.refresh(tail);
        let rows = TailRows { tail, shown: &self.shown, zone: view.zone, columns };
        self.listing.refresh(&rows, columns.len(), view.model.revision);
        if self.follows && self.listing.sort().is_none() {
            self.listing.cursor_mut().go(usize::MAX);
        }
        self.on_detail &= self.listing.selected().is_some();
    }

    fn draw_tail(&mut self, frame: &mut Frame<'_>, area: Rect, tail: &Tail, view: &View<'_>) {
        let columns: Vec<usize> =
            (0..COLUMNS.len()).filter(|column| *column != TOPIC || tail.request.topics.len() > 1).collect();
        self.refresh(tail, &columns, view);
        let beside = BESIDE_WIDTH_MIN <= area.width;
        let [head, body, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(u16::from(beside))])
                .areas(area);
        self.draw_head(frame, head, tail, view);
        let [list, edge, detail] =
            match beside {
                true => Layout::horizontal([Constraint::Percentage(58), Constraint::Length(3), Constraint::Fill(1)])
                    .areas(body),
                false => Layout::vertical([Constraint::Percentage(45), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(body),
            };
        self.areas = [list, detail];
        draw_edge(frame, edge, beside, view);
        // Beside the detail the counts have the whole width below both, else the last line of the list.
        let (list, counts) = if beside { (list, foot) } else { without_last_line(list) };
        self.draw_list(frame, list, tail, &columns, view);
        self.draw_counts(frame, counts, tail, view);
        if let Some(row) = self.listing.selected()
            && let Some(record) = self.shown.record(tail, row)
        {
            let focused = view.focused && self.on_detail;
            self.detail.draw(self.shown.number(row), record, detail, frame.buffer_mut(), view, focused);
        }
    }

    /// What is read, from where, and how it goes.
    fn draw_head(&self, frame: &mut Frame<'_>, line: Rect, tail: &Tail, view: &View<'_>) {
        let (state, style) = status::state(tail, view);
        let start = picker::said(&tail.request.start, view.zone);
        let environment = &tail.request.environment;
        let cells = usize::from(line.width);
        let buffer = frame.buffer_mut();
        let environment_cells = text::width(environment).min(cells);
        buffer.set_stringn(line.x, line.y, text::fit(environment, cells), cells, view.theme.environment(environment));
        let mut x = line.x + environment_cells as u16 + 2;
        let topics = tail.request.topics.join(", ");
        // The state is what changes: it keeps half the line, topics and start share the rest.
        let state_cells = text::width(&state).min(cells / 2 + cells / 8);
        let room = cells.saturating_sub(environment_cells + 2 + state_cells + 2);
        let whole = format!("{topics}  {start}");
        let words = if text::width(&whole) <= room { whole } else { topics };
        let words = text::fit(&words, room);
        buffer.set_string(x, line.y, &words, view.theme.role(Role::Text));
        x += text::width(&words) as u16 + 2;
        let room = usize::from(line.right().saturating_sub(x));
        let state = text::fit(&state, room);
        let at = line.right().saturating_sub(text::width(&state) as u16);
        buffer.set_stringn(at, line.y, &state, room, style);
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, tail: &Tail, columns: &[usize], view: &View<'_>) {
        let drawn: Vec<Column> = columns.iter().map(|column| COLUMNS[*column]).collect();
        let empty = status::empty(tail, view.keymap, view.model, [PICK, RESTART, keys::FILTER]);
        let look = Look { columns: &drawn, focused: view.focused && !self.on_detail, empty: &empty };
        let rows = TailRows { tail, shown: &self.shown, zone: view.zone, columns };
        let filtered = self.filter.is_some() || !tail.filter.is_empty();
        let (body, line) = if filtered { without_last_line(area) } else { (area, Rect::ZERO) };
        table::draw_rows(&mut self.listing, &rows, look, body, frame.buffer_mut(), view.theme);
        if !line.is_empty() {
            self.draw_filter(frame, line, tail, view);
        }
    }

    fn draw_filter(&self, frame: &mut Frame<'_>, line: Rect, tail: &Tail, view: &View<'_>) {
        let input = self.filter.clone().unwrap_or_else(|| Input::new(&tail.filter));
        let buffer = frame.buffer_mut();
        buffer.set_stringn(line.x, line.y, "/", usize::from(line.width), view.theme.role(Role::Accent));
        let held = tail.records.len();
        let said = format!("{} of {} in memory", self.shown.len(), held);
        let cells = text::width(&said) as u16;
        let typed = Rect { x: line.x + 1, width: line.width.saturating_sub(cells + 3), ..line };
        input.draw(typed, buffer, view.theme, self.filter.is_some());
        let right = usize::from(cells.min(line.width));
        buffer.set_stringn(line.right() - right as u16, line.y, &said, right, view.theme.role(Role::Muted));
    }

    /// Counts on the left, place in the list on the right.
    fn draw_counts(&self, frame: &mut Frame<'_>, line: Rect, tail: &Tail, view: &View<'_>) {
        if line.is_empty() {
            return;
        }
        let follows = if self.follows { format!("{} follow ", marks::BELOW) } else { String::new() };
        let place = format!("{follows}{}", self.listing.count());
        let place = text::fit(&place, usize::from(line.width));
        let buffer = frame.buffer_mut();
        buffer.set_string(line.right() - text::width(&place) as u16, line.y, &place, view.theme.role(Role::Muted));
        let room = usize::from(line.width).saturating_sub(text::width(&place) + 1);
        let counts = status::counts(tail, self.shown.len());
        buffer.set_stringn(line.x, line.y, text::fit(&counts, room), room, view.theme.role(Role::Muted));
    }
}

fn without_last_line(area: Rect) -> (Rect, Rect) {
    let last = area.height.min(1);
    (Rect { height: area.height - last, ..area }, Rect { y: area.bottom() - last, height: last, ..area })
}

fn draw_no_tail(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let key = view.keymap.chord_of(PICK).map_or("the palette".into(), |chord| chord.to_string());
    let words = match view.model.active.as_deref() {
        Some(active) => format!("No topic is being read. {key} picks topics of {active}."),
        None => "No topic is being read, and no environment is active: choose one in pane 1.".into(),
    };
    for (line, words) in text::wrapped(&words, usize::from(area.width.saturating_sub(4))).iter().enumerate() {
        let y = area.y + 1 + line as u16;
        if y < area.bottom() {
            frame.buffer_mut().set_string(area.x + 2, y, words, view.theme.role(Role::Muted));
        }
    }
}

fn draw_edge(frame: &mut Frame<'_>, edge: Rect, upright: bool, view: &View<'_>) {
    let style = view.theme.role(Role::Border);
    if upright {
        for y in edge.top()..edge.bottom() {
            frame.buffer_mut().set_string(edge.x + 1, y, "│", style);
        }
    } else if edge.height > 0 {
        frame.buffer_mut().set_string(edge.x, edge.y, "─".repeat(usize::from(edge.width)), style);
    }
}
