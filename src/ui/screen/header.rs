//! The first line: which environment, how its connection is, what runs, how fast, and the time. Prod is red from the first frame.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::Look;
use crate::app::model::Model;
use crate::app::model::environments::{ConnectionState, EnvironmentRow};
use crate::app::model::metrics::{Measure, Scope};
use crate::core::environment::Guard;
use crate::core::job::{JobKind, Phase};
use crate::core::series::{Point, Span as Time};
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::{number, rate, text, time};

/// Cells of the rate's picture, a second each.
const SPARK_CELLS: usize = 12;
/// Fewer show no course.
const SPARK_CELLS_MIN: usize = 4;
/// Rank of the rate.
const RATE: u8 = 3;

/// Draws the header; what does not fit gives way from the least important part on.
pub fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: &Theme, look: &Look) {
    let left = left(model, theme);
    let left_width: usize = left.iter().map(|span| text::width(&span.content)).sum();
    frame.render_widget(Line::from(left), area);
    let mut right = right(model, theme, look);
    let room = usize::from(area.width).saturating_sub(left_width + 2);
    // The rate's picture takes what is left, then the rate gives way, then the clock; jobs stay.
    let taken = |right: &[(u8, Vec<Span<'_>>)]| right.iter().map(|part| width(&part.1) + 3).sum::<usize>();
    while room < taken(&right) {
        let Some(least) = right.iter().enumerate().max_by_key(|(_, part)| part.0).map(|(at, _)| at) else { return };
        right.remove(least);
    }
    let cells = (room - taken(&right)).saturating_sub(3).min(SPARK_CELLS);
    if SPARK_CELLS_MIN <= cells
        && let Some(after) = right.iter().position(|(rank, _)| *rank == RATE)
        && let Some(spark) = spark(model, cells, theme)
    {
        right.insert(after + 1, (RATE + 1, vec![spark]));
    }
    let line: Vec<Span<'_>> =
        right.into_iter().flat_map(|(_, spans)| std::iter::once(Span::raw("   ")).chain(spans)).collect();
    let line_width = width(&line) as u16 + 1;
    let place = Rect { x: area.right().saturating_sub(line_width), width: line_width, ..area };
    frame.render_widget(Line::from(line), place);
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| text::width(&span.content)).sum()
}

fn left<'a>(model: &'a Model, theme: &Theme) -> Vec<Span<'a>> {
    let mut spans = vec![Span::styled(" velox  ", theme.role(Role::Muted))];
    let Some(name) = &model.active else {
        spans.push(Span::styled("no environment", theme.role(Role::Muted)));
        return spans;
    };
    let own = theme.environment(name);
    let row = model.environment(name);
    let sign = row.map_or(marks::OFF, |row| state_sign(row.connection.state));
    spans.push(Span::styled(format!("{sign} "), row.map_or(own, |row| state_style(row, theme))));
    spans.push(Span::styled(name.as_str(), own.add_modifier(Modifier::BOLD)));
    if let Some(row) = row {
        spans.push(Span::styled(format!("  {}", row.protocol), theme.role(Role::Muted)));
        spans.push(Span::styled(format!("  {}", connection(row, model.now_ms)), state_style(row, theme)));
        if let Some(badge) = badge(row, model) {
            spans.push(Span::styled(format!("  {badge}"), theme.role(Role::Danger).add_modifier(Modifier::BOLD)));
        }
    }
    spans
}

fn connection(row: &EnvironmentRow, now_ms: i64) -> String {
    let waited_s = (now_ms - row.connection.since_ms).max(0) / 1_000;
    match (row.connection.state, row.connection.round_trip_ms) {
        (ConnectionState::Connected, Some(ms)) => number::latency(ms * 1_000.0),
        (ConnectionState::Error, _) if 0 < row.connection.attempt => {
            format!("error, attempt {}", row.connection.attempt)
        }
        // What answers at once needs no clock.
        (ConnectionState::Connecting, _) if 0 < waited_s => format!("connecting, {waited_s} s"),
        (state, _) => state.name().to_owned(),
    }
}

fn badge(row: &EnvironmentRow, model: &Model) -> Option<&'static str> {
    match (row.guard, row.name.as_str()) {
        (Guard::ReadOnly, _) if model.is_lifted(&row.name) => Some("[RO lifted]"),
        (Guard::ReadOnly, _) => Some("[RO]"),
        (_, "prod" | "production") => Some("[PROD]"),
        _ => None,
    }
}

/// The mark of a connection's state.
pub fn state_sign(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connected => marks::ON,
        ConnectionState::Connecting | ConnectionState::Disconnecting => marks::HALF,
        ConnectionState::Disconnected => marks::OFF,
        ConnectionState::Error => marks::FAILED,
    }
}

fn state_style(row: &EnvironmentRow, theme: &Theme) -> ratatui::style::Style {
    match row.connection.state {
        ConnectionState::Connected => theme.environment(&row.name),
        ConnectionState::Connecting | ConnectionState::Disconnecting => theme.role(Role::Warning),
        ConnectionState::Disconnected => theme.role(Role::Muted),
        ConnectionState::Error => theme.role(Role::Danger),
    }
}

/// The rate of the last seconds, as many as there is room for.
fn spark<'a>(model: &Model, cells: usize, theme: &Theme) -> Option<Span<'a>> {
    let now_s = model.now_ms.div_euclid(1_000);
    let series = model.metrics.series(&Scope::Total, Measure::EventsPerSecond)?;
    let points: Vec<f64> = series.points(Time::Minute, now_s).map(Point::mean).collect();
    Some(Span::styled(rate::sparkline(&points, cells), theme.role(Role::Chart1)))
}

/// Parts with their rank: the highest gives way first.
fn right<'a>(model: &Model, theme: &Theme, look: &Look) -> Vec<(u8, Vec<Span<'a>>)> {
    let mut parts = Vec::new();
    // The events of the sandbox are nobody's job.
    let running = model.live_jobs().filter(|job| job.kind != JobKind::Generator).count();
    let failed = model.jobs.values().filter(|job| matches!(job.phase, Phase::Failed(_) | Phase::Panicked(_))).count();
    if 0 < running || 0 < failed {
        let mut spans = vec![Span::styled("jobs", theme.role(Role::Muted))];
        if 0 < running {
            spans.push(Span::styled(format!(" {running} {}", marks::RUNNING), theme.role(Role::Success)));
        }
        if 0 < failed {
            spans.push(Span::styled(format!(" {failed} {}", marks::FAILED), theme.role(Role::Danger)));
        }
        parts.push((1, spans));
    }
    // As wide as the widest rate: what stands beside it does not jump.
    let words = format!("{:>5} msg/s", number::short(model.metrics.total_rate()));
    parts.push((RATE, vec![Span::styled(words, theme.role(Role::Text))]));
    let clock = time::format(model.now_ms, &look.zone, &look.clock);
    parts.push((2, vec![Span::styled(clock, theme.role(Role::Muted))]));
    parts
}
