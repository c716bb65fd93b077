//! A pipeline as a tree from the sink down: a line or two of what a node does, and below it how it does. For narrow screens.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{Picture, SLOWEST, facts, inputs};
use crate::app::model::pipeline::PipelineNode;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// Cells of a rate with its blocks, so that they stand under each other.
const PACE_CELLS: usize = 18;
/// Cells by which what belongs to a node stands to the right of its name.
const INDENT: usize = 2;
/// Narrowest column of what a node does: below it, it stands under its name.
const BESIDE_CELLS_MIN: usize = 24;
/// Deepest step to the right: a longer chain goes on below.
const STEPS_MAX: usize = 8;

/// The lines before a node: on its first line, and on those that follow.
#[derive(Clone, Default)]
struct Branch {
    first: String,
    rest: String,
    steps: usize,
}

impl Branch {
    /// The branch of an input, the last of its siblings or not.
    fn of(&self, is_last: bool) -> Self {
        let (fork, on) = if is_last { ("└ ", "  ") } else { ("├ ", "│ ") };
        let rest = if self.steps < STEPS_MAX { self.rest.as_str() } else { "" };
        Self { first: format!("{rest}{fork}"), rest: format!("{rest}{on}"), steps: self.steps + 1 }
    }
}

/// The lines.
pub fn lines(picture: Picture<'_>, cells: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(sink) = picture.pipeline.nodes.last() {
        add(picture, sink, &Branch::default(), cells, theme, &mut lines);
    }
    lines
}

fn add(
    picture: Picture<'_>,
    node: &PipelineNode,
    branch: &Branch,
    cells: usize,
    theme: &Theme,
    lines: &mut Vec<Line<'static>>,
) {
    let edge = |words: &str| Span::styled(words.to_owned(), theme.role(Role::Border));
    let below = |words: Line<'static>, indent: usize| {
        let mut line = Line::from(vec![edge(&branch.rest), Span::raw(" ".repeat(indent))]);
        line.extend(words);
        line
    };
    let (name, does) = facts::name(node);
    let aside = if picture.is_slowest(node) { format!("  {SLOWEST}") } else { String::new() };
    let left = text::width(&branch.first);
    let name = text::fit(name, cells.saturating_sub(left + text::width(&aside))).into_owned();
    // What it does begins beside its name, where there is room for more than a word.
    let beside = cells.saturating_sub(left + text::width(&name) + INDENT + text::width(&aside));
    let does = facts::label(picture, does, beside.max(BESIDE_CELLS_MIN));
    let bold = theme.role(Role::Text).add_modifier(Modifier::BOLD);
    let mut first = Line::from(vec![edge(&branch.first), Span::styled(name.clone(), bold)]);
    let mut does = does.into_iter().map(|words| Span::styled(words, theme.role(Role::Text))).peekable();
    let indent = match does.peek() {
        Some(words) if words.width() <= beside => {
            first.push_span(Span::raw("  "));
            first.extend(does.next());
            text::width(&name) + INDENT
        }
        _ => INDENT,
    };
    first.push_span(Span::styled(aside, theme.role(Role::Warning)));
    lines.push(first);
    lines.extend(does.map(|words| below(Line::from(words), indent)));
    let room = cells.saturating_sub(text::width(&branch.rest) + INDENT);
    let pace = facts::pace(picture, node, PACE_CELLS);
    let beside = if pace.is_some() { PACE_CELLS + INDENT } else { 0 };
    let mut told = facts::flowed(&facts::all(picture, node), room.saturating_sub(beside), theme).into_iter();
    if let Some(pace) = pace {
        let mut line = Line::from(Span::styled(format!("{pace:<PACE_CELLS$}  "), theme.role(Role::Text)));
        line.extend(told.next().unwrap_or_default());
        lines.push(below(line, INDENT));
    }
    lines.extend(told.map(|words| below(words, INDENT + beside)));
    let inputs: Vec<&PipelineNode> = inputs(picture.pipeline, node).collect();
    for (at, input) in inputs.iter().enumerate() {
        add(picture, input, &branch.of(at + 1 == inputs.len()), cells, theme, lines);
    }
}
