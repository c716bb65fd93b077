//! How a tail is drawn: what is read, the records, the one under the cursor, and the counts.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use super::rows::{COLUMNS, TOPIC, TailRows};
use super::{Here, NEXT, PICK, RESTART, TailPane, WHERE, condition, picker, status, tabs};
use crate::app::model::Model;
use crate::app::model::environments::{ConnectionState, Topics};
use crate::app::model::tails::Tail;
use crate::core::job::Phase;
use crate::core::words::counted;
use crate::ui::keys;
use crate::ui::layout::BESIDE_WIDTH_MIN;
use crate::ui::pane::View;
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::table::{self, Column, Look};
use crate::ui::widgets::{text, time};

/// Cells that topics keep beside a long state: enough to know which.
const TOPIC_CELLS_MIN: usize = 20;

impl TailPane {
    /// Takes the records as they are now.
    fn refresh(&mut self, tail: &Tail, columns: &[usize], view: &View<'_>) {
        self.belong_to(tail);
        self.shown.refresh(tail);
        let rows = TailRows { tail, shown: &self.shown, zone: view.zone, columns };
        self.listing.refresh(&rows, columns.len(), view.model.revision);
        if self.follows && self.listing.sort().is_none() {
            self.listing.cursor_mut().go(usize::MAX);
        }
        let has_record = self.listing.selected().is_some();
        self.on_detail &= has_record;
        let phase = view.model.jobs.get(&tail.job).map(|job| &job.phase);
        self.here = Here {
            can_pick: true,
            is_at_work: tail.paused || matches!(phase, Some(Phase::Running)),
            has_ended: phase.is_none_or(Phase::is_ending),
            is_filtered: !tail.filter.is_empty(),
            has_record,
            has_others: 1 < view.model.tails.len(),
        };
    }

    pub(super) fn draw_tail(&mut self, frame: &mut Frame<'_>, area: Rect, tail: &Tail, view: &View<'_>) {
        let columns: Vec<usize> =
            (0..COLUMNS.len()).filter(|column| *column != TOPIC || tail.request.topics.len() > 1).collect();
        self.refresh(tail, &columns, view);
        let beside = BESIDE_WIDTH_MIN <= area.width;
        let [names, head, body, foot] = Layout::vertical([
            Constraint::Length(u16::from(self.here.has_others)),
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(u16::from(beside)),
        ])
        .areas(area);
        if self.here.has_others {
            let chord = view.keymap.chord_of(NEXT).map_or("the palette".into(), |chord| chord.to_string());
            tabs::draw(names, frame.buffer_mut(), view, &chord);
        }
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
        let (list, counts) = if beside { (list, foot) } else { without_last_lines(list, 1) };
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
        let is_at_work = view.model.jobs.get(&tail.job).is_some_and(|job| job.phase == Phase::Running);
        buffer.set_stringn(line.x, line.y, text::fit(environment, cells), cells, view.theme.environment(environment));
        let mut x = line.x + environment_cells as u16 + 2;
        let mut topics = tail.request.topics.join(", ");
        if !tail.request.partitions.is_empty() {
            let only = tail.request.partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            topics.push_str(&format!("  partition {only}"));
        }
        // The state is what changes: it keeps half the line, and more where it says what is wrong; topics and start share the rest.
        let share =
            if is_at_work { cells / 2 + cells / 8 } else { cells.saturating_sub(environment_cells + TOPIC_CELLS_MIN) };
        let state_cells = text::width(&state).min(share);
        let room = cells.saturating_sub(environment_cells + 2 + state_cells + 2);
        let search = tail.request.search.as_ref();
        let condition = search.map_or(String::new(), |search| format!("  where {}", search.condition));
        let start = if tail.request.is_whole() { "all there is".to_owned() } else { start };
        let whole = format!("{topics}  {start}{condition}");
        let topics = format!("{topics}{condition}");
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
        let empty = status::empty(tail, view.keymap, view.model, [PICK, RESTART, keys::FILTER, WHERE]);
        let look = Look { columns: &drawn, focused: view.focused && !self.on_detail, empty: &empty };
        let rows = TailRows { tail, shown: &self.shown, zone: view.zone, columns };
        let lines = match (&self.condition, self.filter.is_some() || !tail.filter.is_empty()) {
            (Some(_), _) => condition::LINES,
            (None, filtered) => u16::from(filtered),
        };
        let (body, below) = without_last_lines(area, lines);
        table::draw_rows(&mut self.listing, &rows, look, body, frame.buffer_mut(), view.theme);
        match &mut self.condition {
            Some(condition) => condition.draw(below, body, frame.buffer_mut(), view.theme, view.model),
            None if !below.is_empty() => self.draw_filter(frame, below, tail, view),
            None => {}
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
        let counts = status::counts(tail, self.shown.len(), room);
        buffer.set_stringn(line.x, line.y, text::fit(&counts, room), room, view.theme.role(Role::Muted));
    }
}

fn without_last_lines(area: Rect, lines: u16) -> (Rect, Rect) {
    let last = area.height.min(lines);
    (Rect { height: area.height - last, ..area }, Rect { y: area.bottom() - last, height: last, ..area })
}

/// Whether topics could be picked now: their names are known, or its brokers can be asked for them.
pub fn can_pick(model: &Model) -> bool {
    let Some(row) = model.active.as_deref().and_then(|active| model.environment(active)) else { return false };
    let are_known = matches!(&row.topics, Topics::Known(topics) if !topics.is_empty());
    are_known || row.connection.state != ConnectionState::Error
}

/// What is wrong, or what to do, while no topic is read; `lists` the topics there are, where nothing lies over them.
pub fn no_tail(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, lists: bool) {
    let key = |command| view.keymap.chord_of(command).map_or("the palette".into(), |chord| chord.to_string());
    let (model, pane) = (view.model, key(keys::PANE_ENVIRONMENTS));
    let row = model.active.as_deref().and_then(|active| model.environment(active));
    let mut told: Vec<(String, Role)> = Vec::new();
    let Some(row) = row else {
        told.push((format!("No topic is being read, and no environment is active: {pane} goes to them."), Role::Muted));
        tell(frame, area, &told, view);
        return;
    };
    told.push(("No topic is being read.".into(), Role::Text));
    let listing = if let Topics::Failed(fault) = &row.topics { Some(fault) } else { None };
    let fault = row.lost().or(listing);
    if let Some(fault) = fault {
        told.push((format!("{} {}: {fault}", marks::FAILED, row.name), Role::Danger));
        told.push((
            match row.connection.attempt {
                0 => format!("{pane} goes to the environments, where it is connected again, checked and edited."),
                _ => format!(
                    "It is tried again by itself; {pane} goes to the environments, where it is checked and edited."
                ),
            },
            Role::Muted,
        ));
    }
    // The box of the picker has the place of this.
    if lists && can_pick(model) {
        told.push((format!("{} picks topics of {}.", key(PICK), row.name), Role::Muted));
    }
    if let (true, Topics::Known(_), Some(at_ms)) = (lists, &row.topics, model.topics_are_of_ms(&row.name)) {
        told.push((format!("Its topics as of {}:", time::clock(at_ms, view.zone)), Role::Muted));
    }
    let below = tell(frame, area, &told, view);
    if let (true, Topics::Known(topics)) = (lists, &row.topics) {
        let cells = topics.iter().map(|topic| text::width(&topic.name)).max().unwrap_or(0);
        for (topic, y) in topics.iter().zip(below..area.bottom()) {
            let partitions = counted(topic.partitions.into(), "partition");
            let line = format!("{:<cells$}  {partitions}", topic.name);
            let line = text::fit(&line, usize::from(area.width.saturating_sub(6)));
            frame.buffer_mut().set_string(area.x + 4, y, line, view.theme.role(Role::Muted));
        }
    }
}

/// Words below each other, with a line between them; gives the line after them.
fn tell(frame: &mut Frame<'_>, area: Rect, told: &[(String, Role)], view: &View<'_>) -> u16 {
    let mut y = area.y + 1;
    for (words, role) in told {
        for line in text::wrapped(words, usize::from(area.width.saturating_sub(4))) {
            if y < area.bottom() {
                frame.buffer_mut().set_string(area.x + 2, y, line, view.theme.role(*role));
            }
            y += 1;
        }
        y += 1;
    }
    y
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
