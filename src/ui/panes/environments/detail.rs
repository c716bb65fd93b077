//! One environment in full: connection, health check step by step, what is missing or wrong, every setting with its origin.

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::app::action::Action;
use crate::app::model::environments::{ConnectionState, EnvironmentRow, StepOutcome};
use crate::core::fault::Fault;
use crate::ui::pane::{Reply, View};
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::{Cursor, Pointed};
use crate::ui::widgets::{number, table, text, time};

/// Cells of the word before a fact.
const LABEL_CELLS: usize = 12;
/// Most cells of a setting's path.
const PATH_CELLS_MAX: usize = 34;
/// Most cells of a setting's value.
const VALUE_CELLS_MAX: usize = 36;

/// Scroll and cursor of the detail.
#[derive(Debug, Default)]
pub struct Detail {
    cursor: Cursor,
    shown: Option<String>,
    under_cursor: String,
}

impl Detail {
    /// Takes a key that moves.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        self.cursor.key(event)
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, event: MouseEvent) -> Pointed {
        self.cursor.mouse(event)
    }

    /// Copies the line under the cursor.
    pub fn copy(&self) -> Reply {
        Reply::Emit(Action::Copy(self.under_cursor.trim().to_owned()))
    }

    /// Draws an environment.
    pub fn draw(&mut self, row: &EnvironmentRow, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focused: bool) {
        let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
        if self.shown.as_deref() != Some(row.name.as_str()) {
            self.shown = Some(row.name.clone());
            self.cursor = Cursor::default();
        }
        let lines = lines(row, view, usize::from(area.width.saturating_sub(1)));
        self.cursor.set_rows(lines.len());
        let window = self.cursor.window(area);
        let first = window.start;
        let at = self.cursor.row();
        for (place, line) in lines.into_iter().enumerate().skip(first).take(window.len()) {
            let y = area.y + (place - first) as u16;
            if at == Some(place) {
                self.under_cursor = line.spans.iter().map(|span| span.content.as_ref()).collect();
            }
            let strip = Rect { y, height: 1, ..area };
            frame.render_widget(line, strip);
            if focused && at == Some(place) {
                table::draw_cursor(strip, true, frame.buffer_mut(), view.theme);
            }
        }
        self.cursor.draw_bar(area, frame.buffer_mut(), view.theme);
    }
}

fn lines<'a>(row: &'a EnvironmentRow, view: &View<'_>, cells: usize) -> Vec<Line<'a>> {
    let theme = view.theme;
    let mut lines = vec![Line::from(vec![
        Span::styled(row.name.as_str(), theme.environment(&row.name).add_modifier(Modifier::BOLD)),
        Span::styled(format!("  {}", row.description), theme.role(Role::Muted)),
    ])];
    faults(&mut lines, row, theme, cells);
    missing(&mut lines, row, theme, cells);
    connection(&mut lines, row, view, cells);
    health(&mut lines, row, view, cells);
    settings(&mut lines, row, theme, cells);
    lines
}

fn title<'a>(lines: &mut Vec<Line<'a>>, words: &'a str, theme: &Theme) {
    lines.push(Line::raw(""));
    lines.push(Line::styled(words, theme.role(Role::Accent)));
}

fn fact<'a>(label: &'a str, value: impl Into<std::borrow::Cow<'a, str>>, style: Style, theme: &Theme) -> Line<'a> {
    Line::from(vec![
        Span::styled(format!("  {label:<LABEL_CELLS$}"), theme.role(Role::Muted)),
        Span::styled(value, style),
    ])
}

fn told(lines: &mut Vec<Line<'_>>, fault: &Fault, style: Style, cells: usize) {
    for line in text::wrapped(&fault.to_string(), cells.saturating_sub(4)) {
        lines.push(Line::styled(format!("    {line}"), style));
    }
}

fn faults<'a>(lines: &mut Vec<Line<'a>>, row: &'a EnvironmentRow, theme: &Theme, cells: usize) {
    if row.faults.is_empty() {
        return;
    }
    title(lines, "Broken", theme);
    for fault in &row.faults {
        told(lines, fault, theme.role(Role::Danger), cells);
    }
}

fn missing<'a>(lines: &mut Vec<Line<'a>>, row: &'a EnvironmentRow, theme: &Theme, cells: usize) {
    if row.missing.is_empty() {
        return;
    }
    title(lines, "Not set: put these into .env or the process environment", theme);
    for missing in &row.missing {
        let place = format!("  {} at {}", missing.path, missing.place);
        let room = cells.saturating_sub(4 + text::width(&missing.variable));
        lines.push(Line::from(vec![
            Span::styled(format!("    {}", missing.variable), theme.role(Role::Warning)),
            Span::styled(text::fit(&place, room).into_owned(), theme.role(Role::Muted)),
        ]));
    }
}

fn connection<'a>(lines: &mut Vec<Line<'a>>, row: &'a EnvironmentRow, view: &View<'_>, cells: usize) {
    let theme = view.theme;
    let plain = theme.role(Role::Text);
    let now_ms = view.model.now_ms;
    let connection = &row.connection;
    title(lines, "Connection", theme);
    let since = match connection.state {
        ConnectionState::Disconnected if connection.since_ms == 0 => String::new(),
        _ => format!(", since {}", time::since(now_ms, connection.since_ms, view.zone)),
    };
    lines.push(fact("state", format!("{}{since}", connection.state.name()), theme.role(super::state_role(row)), theme));
    if let Some(fault) = &connection.fault {
        told(lines, fault, theme.role(Role::Danger), cells);
        let next = match connection.attempt {
            0 => "not tried again by itself: c tries once more".to_owned(),
            attempt => format!("tried again by itself; attempt {attempt} failed"),
        };
        lines.push(fact("", next, theme.role(Role::Muted), theme));
    }
    lines.push(fact("bootstrap", row.bootstrap.as_str(), plain, theme));
    if let Some((up, all)) = connection.brokers {
        lines.push(fact("brokers", format!("{up} of {all} up"), plain, theme));
    }
    if let Some(ms) = connection.round_trip_ms {
        lines.push(fact("answer", format!("in {}", number::latency(ms * 1_000.0)), plain, theme));
    }
    for (label, at_ms) in [
        ("created", connection.created_ms),
        ("connected", connection.connected_ms),
        ("last answer", connection.last_activity_ms),
    ] {
        if let Some(at_ms) = at_ms {
            lines.push(fact(label, time::since(now_ms, at_ms, view.zone), plain, theme));
        }
    }
    lines.push(fact("guard", super::guard(row.guard), plain, theme));
}

fn health<'a>(lines: &mut Vec<Line<'a>>, row: &'a EnvironmentRow, view: &View<'_>, cells: usize) {
    let theme = view.theme;
    let Some(check) = &row.check else { return };
    title(lines, "Health", theme);
    for step in &check.steps {
        let (sign, role, words) = match &step.outcome {
            StepOutcome::Passed(found) => (marks::DONE, Role::Success, found.as_str()),
            StepOutcome::Skipped(why) => (marks::DOT, Role::Muted, why.as_str()),
            StepOutcome::Failed(_) => (marks::FAILED, Role::Danger, ""),
        };
        let took = match step.outcome {
            StepOutcome::Skipped(_) => String::new(),
            _ => number::latency(step.took_ms * 1_000.0),
        };
        let label = format!("  {sign} {:<22}", step.name);
        let room = cells.saturating_sub(text::width(&label) + 9);
        lines.push(Line::from(vec![
            Span::styled(label, theme.role(role)),
            Span::styled(format!("{took:>7}  "), theme.role(Role::Text)),
            Span::styled(text::fit(words, room).into_owned(), theme.role(Role::Muted)),
        ]));
        if let StepOutcome::Failed(fault) = &step.outcome {
            told(lines, fault, theme.role(Role::Danger), cells);
        }
    }
    if check.is_running() {
        let since = time::since(view.model.now_ms, check.at_ms, view.zone);
        lines.push(Line::styled(format!("  the next step is being tried; begun {since}"), theme.role(Role::Muted)));
    }
}

fn settings<'a>(lines: &mut Vec<Line<'a>>, row: &'a EnvironmentRow, theme: &Theme, cells: usize) {
    if row.settings.is_empty() {
        return;
    }
    title(lines, "Settings in force, and where each comes from", theme);
    let widest = |of: fn(&crate::app::model::environments::Setting) -> &str, most: usize| {
        row.settings.iter().map(|setting| text::width(of(setting))).max().unwrap_or(0).min(most)
    };
    let path_cells = widest(|setting| &setting.path, PATH_CELLS_MAX).min(cells * 2 / 5);
    let value_cells = widest(|setting| &setting.value, VALUE_CELLS_MAX).min(cells / 3);
    let origin_cells = cells.saturating_sub(path_cells + value_cells + 6);
    for setting in &row.settings {
        let padded = |words: &str, cells: usize| {
            let fitted = text::fit(words, cells).into_owned();
            let spare = cells.saturating_sub(text::width(&fitted));
            format!("{fitted}{}", " ".repeat(spare))
        };
        lines.push(Line::from(vec![
            Span::styled(format!("  {}", padded(&setting.path, path_cells)), theme.role(Role::Muted)),
            Span::styled(format!("  {}", padded(&setting.value, value_cells)), theme.role(Role::Text)),
            Span::styled(
                format!("  {}", text::fit_end(&setting.origin, origin_cells)),
                theme.role(if setting.origin == "default" { Role::Border } else { Role::Muted }),
            ),
        ]));
    }
}
