//! A pipeline as boxes: sources at the left, the sink at the right, what is joined comes together between them.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::{Picture, SLOWEST, facts, inputs};
use crate::app::model::pipeline::{Pipeline, PipelineNode};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::text;

/// Narrowest box whose facts can be read, edges included.
const WIDTH_MIN: usize = 22;
/// Widest box: more is air.
const WIDTH_MAX: usize = 36;
/// Lines of a box, edges included: the least that has a middle, and the most that still looks like one.
const HEIGHTS: std::ops::RangeInclusive<usize> = 4..=12;
/// Between two columns of boxes: a line, a place to join, an arrow.
const GAP: usize = 4;
/// More lanes than this are no picture any more.
const LANES_MAX: usize = 8;

/// Where each node stands.
pub struct Layout {
    places: BTreeMap<usize, Place>,
    width: usize,
    /// Lines of a box, edges included: all are as high as the one that has most to say.
    height: u16,
    columns: usize,
    lanes: usize,
}

#[derive(Clone, Copy)]
struct Place {
    column: usize,
    lane: usize,
}

/// Where the nodes stand in so many cells; `None` where they do not fit.
pub fn layout(picture: Picture<'_>, cells: usize) -> Option<Layout> {
    let pipeline = picture.pipeline;
    let sink = pipeline.nodes.last()?;
    let mut steps = BTreeMap::new();
    measure(pipeline, sink, 0, &mut steps);
    let columns = steps.values().max()? + 1;
    let width = (cells.checked_sub(GAP * (columns - 1))? / columns).min(WIDTH_MAX);
    if width < WIDTH_MIN {
        return None;
    }
    // How high a box is depends on words, not on colours.
    let plain = Theme::default();
    let said = pipeline.nodes.iter().map(|node| inside(picture, node, width, &plain).len()).max().unwrap_or(0);
    let height = (said + 2).clamp(*HEIGHTS.start(), *HEIGHTS.end()) as u16;
    let mut layout = Layout { places: BTreeMap::new(), width, height, columns, lanes: 0 };
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
        Rect::new(x as u16, place.lane as u16 * self.height, self.width as u16, self.height)
    }
}

/// The picture.
pub fn draw(picture: Picture<'_>, layout: &Layout, theme: &Theme) -> Buffer {
    let width = layout.columns * (layout.width + GAP) - GAP;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width as u16, layout.lanes as u16 * layout.height));
    let line = theme.role(Role::Muted);
    for node in &picture.pipeline.nodes {
        let Some(to) = layout.places.get(&node.id) else { continue };
        for input in inputs(picture.pipeline, node) {
            if let Some(from) = layout.places.get(&input.id) {
                join(layout.area(*from), layout.area(*to), line, &mut buffer);
            }
        }
    }
    for node in &picture.pipeline.nodes {
        if let Some(place) = layout.places.get(&node.id) {
            boxed(picture, node, layout.area(*place), theme, &mut buffer);
        }
    }
    buffer
}

/// A line from the right of one box to the left of another.
fn join(from: Rect, to: Rect, style: Style, buffer: &mut Buffer) {
    let (start, end) = (from.right(), to.left() - 1);
    let (leaves, arrives) = (from.y + from.height / 2, to.y + to.height / 2);
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

/// What is written inside of a box: what it does where its edge has no room for it, how fast, and all else.
fn inside(picture: Picture<'_>, node: &PipelineNode, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let cells = width - 4;
    let label = match facts::name(node) {
        (name, does) if title(name, does).1 <= cells => Vec::new(),
        (_, does) => facts::label(picture, does, cells),
    };
    let label = label.into_iter().map(|words| Line::styled(words, theme.role(Role::Text)));
    let pace = facts::pace(picture, node, cells).map(|pace| Line::styled(pace, theme.role(Role::Text)));
    let told = facts::flowed(&facts::all(picture, node), cells, theme);
    label.chain(pace).chain(told).collect()
}

/// Name and what it does on one line, and its cells.
fn title(name: &str, does: &str) -> (String, usize) {
    let words = if does.is_empty() { name.to_owned() } else { format!("{name} {does}") };
    let cells = text::width(&words);
    (words, cells)
}

fn boxed(picture: Picture<'_>, node: &PipelineNode, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let is_slowest = picture.is_slowest(node);
    let edge = if is_slowest { theme.role(Role::Warning) } else { theme.role(Role::Border) };
    let (width, cells) = (usize::from(area.width), usize::from(area.width) - 4);
    let bottom = area.bottom() - 1;
    buffer.set_string(area.x, area.y, format!("┌{}┐", "─".repeat(width - 2)), edge);
    buffer.set_string(area.x, bottom, format!("└{}┘", "─".repeat(width - 2)), edge);
    for y in area.y + 1..bottom {
        // The arrow's end stays outside; the edges are whole.
        buffer.set_string(area.x, y, "│", edge);
        buffer.set_string(area.right() - 1, y, "│", edge);
    }
    let (name, does) = facts::name(node);
    let words = match title(name, does) {
        (words, wide) if wide <= cells => words,
        _ => text::fit(name, cells).into_owned(),
    };
    buffer.set_string(area.x + 1, area.y, format!(" {words} "), theme.role(Role::Text).add_modifier(Modifier::BOLD));
    if is_slowest {
        let aside = format!(" {SLOWEST} ");
        let at = area.right() - 2 - text::width(&aside) as u16;
        buffer.set_string(at, bottom, aside, edge);
    }
    for (y, line) in (area.y + 1..bottom).zip(inside(picture, node, width, theme)) {
        buffer.set_line(area.x + 2, y, &line, cells as u16);
    }
}
