//! A pipeline as boxes: sources at the left, the sink at the right, what is joined comes together between them.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{SLOWEST, facts};
use crate::app::model::pipeline::{Drawn, Pipeline, PipelineNode};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// Narrowest box whose facts can be read, edges included.
const WIDTH_MIN: usize = 22;
/// Widest box: more is air.
const WIDTH_MAX: usize = 36;
/// Lines of a box, edges included.
const HEIGHT: u16 = 5;
/// Between two columns of boxes: a line, a place to join, an arrow.
const GAP: usize = 4;
/// The line of a box that its arrows meet.
const MIDDLE: u16 = 2;
/// More lanes than this are no picture any more.
const LANES_MAX: usize = 8;

/// Where each node stands.
pub struct Layout {
    places: BTreeMap<usize, Place>,
    width: usize,
    columns: usize,
    lanes: usize,
}

#[derive(Clone, Copy)]
struct Place {
    column: usize,
    lane: usize,
}

/// Where the nodes stand in so many cells; `None` where they do not fit.
pub fn layout(pipeline: &Pipeline, cells: usize) -> Option<Layout> {
    let sink = pipeline.nodes.last()?;
    let mut steps = BTreeMap::new();
    measure(pipeline, sink, 0, &mut steps);
    let columns = steps.values().max()? + 1;
    let width = (cells.checked_sub(GAP * (columns - 1))? / columns).min(WIDTH_MAX);
    if width < WIDTH_MIN {
        return None;
    }
    let mut layout = Layout { places: BTreeMap::new(), width, columns, lanes: 0 };
    layout.place(pipeline, sink, &steps);
    (layout.lanes <= LANES_MAX).then_some(layout)
}

/// Steps from each node to the sink, by the longest way.
fn measure(pipeline: &Pipeline, node: &PipelineNode, far: usize, steps: &mut BTreeMap<usize, usize>) {
    if steps.get(&node.id).is_some_and(|known| far <= *known) {
        return;
    }
    steps.insert(node.id, far);
    for input in inputs(pipeline, node) {
        measure(pipeline, input, far + 1, steps);
    }
}

fn inputs<'p>(pipeline: &'p Pipeline, node: &'p PipelineNode) -> impl Iterator<Item = &'p PipelineNode> {
    // Inputs stand before the nodes that read them.
    node.inputs.iter().filter(|input| **input < node.id).filter_map(|input| pipeline.nodes.get(*input))
}

impl Layout {
    /// A node stands beside its first input; the others come from below.
    fn place(&mut self, pipeline: &Pipeline, node: &PipelineNode, steps: &BTreeMap<usize, usize>) -> usize {
        if let Some(place) = self.places.get(&node.id) {
            return place.lane;
        }
        let lanes: Vec<usize> = inputs(pipeline, node).map(|input| self.place(pipeline, input, steps)).collect();
        let lane = lanes.first().copied().unwrap_or_else(|| {
            self.lanes += 1;
            self.lanes - 1
        });
        let column = self.columns - 1 - steps.get(&node.id).copied().unwrap_or(0);
        // Two that read the same stand below each other.
        let is_taken = self.places.values().any(|place| place.column == column && place.lane == lane);
        let lane = if is_taken { self.lanes } else { lane };
        self.lanes = self.lanes.max(lane + 1);
        self.places.insert(node.id, Place { column, lane });
        lane
    }

    fn area(&self, place: Place) -> Rect {
        let x = place.column * (self.width + GAP);
        Rect::new(x as u16, place.lane as u16 * HEIGHT, self.width as u16, HEIGHT)
    }
}

/// The picture.
pub fn draw(drawn: &Drawn, layout: &Layout, now_ms: i64, theme: &Theme) -> Buffer {
    let width = layout.columns * (layout.width + GAP) - GAP;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width as u16, layout.lanes as u16 * HEIGHT));
    let line = theme.role(Role::Muted);
    for node in &drawn.pipeline.nodes {
        let Some(to) = layout.places.get(&node.id) else { continue };
        for input in inputs(&drawn.pipeline, node) {
            if let Some(from) = layout.places.get(&input.id) {
                join(layout.area(*from), layout.area(*to), line, &mut buffer);
            }
        }
    }
    for node in &drawn.pipeline.nodes {
        if let Some(place) = layout.places.get(&node.id) {
            boxed(drawn, node, layout.area(*place), now_ms, theme, &mut buffer);
        }
    }
    buffer
}

/// A line from the right of one box to the left of another.
fn join(from: Rect, to: Rect, style: Style, buffer: &mut Buffer) {
    let (start, end) = (from.right(), to.left() - 1);
    let (leaves, arrives) = (from.y + MIDDLE, to.y + MIDDLE);
    // What comes from another lane meets the line right before the arrow.
    let bus = end - 2;
    let last = if leaves == arrives { end } else { bus };
    for x in start..last {
        put(x, leaves, [false, true, false, true], style, buffer);
    }
    if leaves != arrives {
        let is_below = arrives < leaves;
        put(bus, leaves, [is_below, false, !is_below, true], style, buffer);
        for y in leaves.min(arrives) + 1..leaves.max(arrives) {
            put(bus, y, [true, false, true, false], style, buffer);
        }
        put(bus, arrives, [!is_below, true, is_below, false], style, buffer);
        put(bus + 1, arrives, [false, true, false, true], style, buffer);
    }
    buffer.set_string(end, arrives, "▶", style);
}

/// Signs of lines by the ways that they lead: up, right, down, left.
const SIGNS: [(&str, [bool; 4]); 11] = [
    ("─", [false, true, false, true]),
    ("│", [true, false, true, false]),
    ("┌", [false, true, true, false]),
    ("┐", [false, false, true, true]),
    ("└", [true, true, false, false]),
    ("┘", [true, false, false, true]),
    ("├", [true, true, true, false]),
    ("┤", [true, false, true, true]),
    ("┬", [false, true, true, true]),
    ("┴", [true, true, false, true]),
    ("┼", [true; 4]),
];

/// Adds ways to the line that is there already.
fn put(x: u16, y: u16, ways: [bool; 4], style: Style, buffer: &mut Buffer) {
    let there = SIGNS.iter().find(|(sign, _)| *sign == buffer[(x, y)].symbol()).map_or([false; 4], |(_, ways)| *ways);
    let all: [bool; 4] = std::array::from_fn(|way| ways[way] || there[way]);
    let sign = SIGNS.iter().find(|(_, ways)| *ways == all).map_or("─", |(sign, _)| sign);
    buffer.set_string(x, y, sign, style);
}

fn boxed(drawn: &Drawn, node: &PipelineNode, area: Rect, now_ms: i64, theme: &Theme, buffer: &mut Buffer) {
    let is_slowest = drawn.pipeline.slowest() == Some(node.id);
    let edge = if is_slowest { theme.role(Role::Warning) } else { theme.role(Role::Border) };
    let (width, inside) = (usize::from(area.width), usize::from(area.width) - 4);
    let bottom = area.bottom() - 1;
    buffer.set_string(area.x, area.y, format!("┌{}┐", "─".repeat(width - 2)), edge);
    buffer.set_string(area.x, bottom, format!("└{}┘", "─".repeat(width - 2)), edge);
    for y in area.y + 1..bottom {
        // The arrow's end stays outside; the edges are whole.
        buffer.set_string(area.x, y, "│", edge);
        buffer.set_string(area.right() - 1, y, "│", edge);
    }
    let title = format!(" {} ", text::fit(&node.label, inside));
    buffer.set_string(area.x + 1, area.y, title, theme.role(Role::Text).add_modifier(Modifier::BOLD));
    if is_slowest {
        let aside = format!(" {SLOWEST} ");
        let at = area.right() - 2 - text::width(&aside) as u16;
        buffer.set_string(at, bottom, aside, edge);
    }
    let (troubles, role) = facts::troubles(node, inside);
    let lines = [
        (facts::pace(drawn, node, inside), Role::Text),
        (facts::joined(&facts::holds(node, now_ms), inside), Role::Muted),
        (troubles, role),
    ];
    for (y, (words, role)) in (area.y + 1..bottom).zip(lines) {
        buffer.set_string(area.x + 2, y, words, theme.role(role));
    }
}
