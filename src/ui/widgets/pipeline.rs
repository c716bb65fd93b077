//! A pipeline as people read it: boxes joined from the sources to the sink where the width allows, else a tree from the sink
//! down. Each node says what it does; at work also how fast, what it waits for and what went wrong. It knows no model.

mod boxes;
mod facts;
mod tree;

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use crate::app::model::pipeline::{Drawn, Pipeline, PipelineNode};
use crate::core::ring::Ring;
use crate::ui::theme::Theme;

/// What a slow node bears.
const SLOWEST: &str = "◀ slowest";
/// Lines of what a node does, where its name has no room for it: a longer one is cut. Before it runs there is little else to say.
const LABEL_LINES_MAX: usize = 2;
const PLANNED_LABEL_LINES_MAX: usize = 4;

/// What is drawn.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    pipeline: &'a Pipeline,
    /// Rates by node and what time it is; none before anything runs.
    live: Option<(&'a [Ring<f64>], i64)>,
    /// Whether it ran and does not any more: it has counts and no rates.
    is_at_rest: bool,
}

impl<'a> Picture<'a> {
    /// A pipeline that runs or ran, at a time in milliseconds since 1970.
    pub fn live(drawn: &'a Drawn, now_ms: i64) -> Self {
        Self { pipeline: &drawn.pipeline, live: Some((&drawn.rates, now_ms)), is_at_rest: drawn.is_at_rest }
    }

    /// A pipeline that does not run.
    pub fn planned(pipeline: &'a Pipeline) -> Self {
        Self { pipeline, live: None, is_at_rest: false }
    }

    /// Lines of what a node does.
    fn label_lines_max(&self) -> usize {
        if self.live.is_some() { LABEL_LINES_MAX } else { PLANNED_LABEL_LINES_MAX }
    }

    fn is_slowest(&self, node: &PipelineNode) -> bool {
        self.live.is_some() && !self.is_at_rest && self.pipeline.slowest() == Some(node.id)
    }
}

/// The lines of a pipeline, none wider than `cells`.
pub fn lines(picture: Picture<'_>, cells: usize, theme: &Theme) -> Vec<Line<'static>> {
    match boxes::layout(picture, cells) {
        Some(layout) => of_buffer(&boxes::draw(picture, &layout, theme)),
        None => tree::lines(picture, cells, theme),
    }
}

/// The nodes that a node reads; they stand before it.
fn inputs<'p>(pipeline: &'p Pipeline, node: &'p PipelineNode) -> impl DoubleEndedIterator<Item = &'p PipelineNode> {
    node.inputs.iter().filter(|input| **input < node.id).filter_map(|input| pipeline.nodes.get(*input))
}

/// The rows of a buffer, neighbours of one style as one span.
fn of_buffer(buffer: &Buffer) -> Vec<Line<'static>> {
    let area = buffer.area;
    let row = |y: u16| {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let mut skipped = 0;
        for x in area.left()..area.right() {
            // What follows a wide letter is its other half.
            if 0 < skipped {
                skipped -= 1;
                continue;
            }
            let cell = &buffer[(x, y)];
            skipped = crate::ui::widgets::text::width(cell.symbol()).saturating_sub(1);
            match spans.last_mut().filter(|span| span.style == cell.style()) {
                Some(span) => span.content.to_mut().push_str(cell.symbol()),
                None => spans.push(Span::styled(cell.symbol().to_owned(), cell.style())),
            }
        }
        Line::from(spans)
    };
    (area.top()..area.bottom()).map(row).collect()
}

#[cfg(test)]
mod tests;
