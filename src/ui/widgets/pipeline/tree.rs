//! A pipeline as a tree from the sink down: two lines a node. For narrow screens.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{SLOWEST, facts};
use crate::app::model::pipeline::{Drawn, PipelineNode};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// Cells of a rate with its blocks, so that they stand under each other.
const PACE_CELLS: usize = 18;
/// Deepest step to the right: a longer chain goes on below.
const STEPS_MAX: usize = 8;

/// The lines.
pub fn lines(drawn: &Drawn, cells: usize, now_ms: i64, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(sink) = drawn.pipeline.nodes.last() {
        add(drawn, sink, 0, cells, now_ms, theme, &mut lines);
    }
    lines
}

fn add(
    drawn: &Drawn,
    node: &PipelineNode,
    depth: usize,
    cells: usize,
    now_ms: i64,
    theme: &Theme,
    lines: &mut Vec<Line<'static>>,
) {
    let before = match depth {
        0 => String::new(),
        depth => format!("{}└ ", "  ".repeat(depth.min(STEPS_MAX) - 1)),
    };
    let is_slowest = drawn.pipeline.slowest() == Some(node.id);
    let aside = if is_slowest { format!("  {SLOWEST}") } else { String::new() };
    let room = cells.saturating_sub(text::width(&before) + text::width(&aside));
    lines.push(Line::from(vec![
        Span::styled(before.clone(), theme.role(Role::Border)),
        Span::styled(text::fit(&node.label, room).into_owned(), theme.role(Role::Text).add_modifier(Modifier::BOLD)),
        Span::styled(aside, theme.role(Role::Warning)),
    ]));
    let indent = text::width(&before) + 2;
    let room = cells.saturating_sub(indent);
    let pace = facts::pace(drawn, node, PACE_CELLS);
    let mut spans =
        vec![Span::raw(" ".repeat(indent)), Span::styled(format!("{pace:<PACE_CELLS$}"), theme.role(Role::Text))];
    let room = room.saturating_sub(PACE_CELLS + 2);
    let (troubles, role) = facts::troubles(node, room);
    let holds = facts::joined(&facts::holds(node, now_ms), room.saturating_sub(text::width(&troubles) + 2));
    if !holds.is_empty() {
        spans.push(Span::styled(format!("  {holds}"), theme.role(Role::Muted)));
    }
    spans.push(Span::styled(format!("  {troubles}"), theme.role(role)));
    lines.push(Line::from(spans));
    for input in &node.inputs {
        if let Some(input) = drawn.pipeline.nodes.iter().find(|other| other.id == *input && other.id != node.id) {
            add(drawn, input, depth + 1, cells, now_ms, theme, lines);
        }
    }
}
