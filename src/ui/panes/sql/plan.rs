//! How a statement works: before it runs, what it would read, do and give; while it runs, the same operators with what they do now.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::app::model::pipeline::{Drawn, Pipeline, PipelineNode};
use crate::app::model::sql::{Explained, ExplainedNode, Explaining};
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::document::{Document, Reader};
use crate::ui::widgets::{line, number, rate, text, time};

/// Narrowest column of operators, cells.
const TREE_CELLS_MIN: usize = 24;
/// Lines for each operator from which on there is room.
const ROOMY_LINES: usize = 4;
/// From this width of a line on the slowest operator is called so in a word.
const SLOWEST_CELLS_MIN: usize = 44;
/// Cells of a sparkline.
const SPARK_CELLS: usize = 12;

/// What looks at a plan.
#[derive(Debug, Default)]
pub struct PlanView {
    reader: Reader,
}

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// A plan that is at work.
    Live(&'a Drawn),
    /// A plan before its run.
    Before(&'a Explaining),
}

impl PlanView {
    /// Takes a key that moves.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        self.reader.key(event)
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, event: MouseEvent) -> bool {
        self.reader.mouse(event) != Pointed::Elsewhere
    }

    /// What copying the line under the cursor gives.
    pub fn copied(&self) -> &str {
        self.reader.copied()
    }

    /// Draws the plan.
    pub fn draw(&mut self, shown: Shown<'_>, area: Rect, buffer: &mut Buffer, view: &View<'_>, focused: bool) {
        let mut document = Document::new(area.width.saturating_sub(1));
        let about = match shown {
            Shown::Live(drawn) => {
                // Where there is room what an operator does stands below it, whole.
                let is_roomy = drawn.pipeline.nodes.len() * ROOMY_LINES + ROOMY_LINES <= usize::from(area.height);
                live(&mut document, drawn, is_roomy, view);
                0
            }
            Shown::Before(explaining) => {
                before(&mut document, explaining, view);
                explaining.request
            }
        };
        self.reader.draw(about, &document, area, buffer, view.theme, focused);
    }
}

fn before(document: &mut Document, explaining: &Explaining, view: &View<'_>) {
    let theme = view.theme;
    let explained = match &explaining.outcome {
        None => {
            let since = time::since(view.model.now_ms, explaining.since_ms, view.zone);
            return document.wrapped(&format!("planning, asked {since}"), 1, theme.role(Role::Muted));
        }
        Some(Err(fault)) => return document.fault(fault, 1, theme.role(Role::Danger), theme),
        Some(Ok(explained)) => explained,
    };
    document.section("Reads", "", theme);
    for reads in &explained.reads {
        let words = Line::from(vec![
            Span::styled(format!("  {}", reads.source), theme.role(Role::Accent)),
            Span::styled(format!("  {}", reads.about), theme.role(Role::Text)),
        ]);
        document.line(line::fit(&words, document.cells()));
    }
    document.section("Operators", "the sink first; F5 shows what each of them does", theme);
    let tree = tree(explained.nodes.len(), |at| &explained.nodes[at].inputs);
    for (at, branch) in tree {
        operator_lines(document, &explained.nodes[at], &branch, theme);
    }
    document.section("Writes", "", theme);
    document.wrapped(&explained.writes, 2, theme.role(Role::Text));
    document.section("Gives", &columns_count(explained), theme);
    let names = explained.columns.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0);
    for (name, kind) in &explained.columns {
        let space = " ".repeat(names.saturating_sub(text::width(name)) + 2);
        document.line(Line::from(vec![
            Span::styled(format!("  {name}{space}"), theme.role(Role::Text)),
            Span::styled(kind.clone(), theme.role(Role::Chart4)),
        ]));
    }
    if !explained.warnings.is_empty() {
        document.section("To know", "", theme);
        for warning in &explained.warnings {
            document.wrapped(warning, 2, theme.role(Role::Warning));
        }
    }
}

fn columns_count(explained: &Explained) -> String {
    match explained.columns.len() {
        1 => "1 column".into(),
        count => format!("{count} columns"),
    }
}

fn operator_lines(document: &mut Document, node: &ExplainedNode, branch: &Branch, theme: &Theme) {
    let before = text::width(&branch.first) + 2;
    let name = Span::styled(node.operator.clone(), theme.role(Role::Accent));
    let room = document.cells().saturating_sub(before + text::width(&node.operator) + 2).max(10);
    let mut words = node.label.clone();
    if !node.keeps.is_empty() {
        words.push_str(&format!(" ({})", node.keeps));
    }
    if node.is_changing {
        words.push_str(", changes");
    }
    let indent = " ".repeat(text::width(&node.operator) + 2);
    for (at, piece) in text::wrapped(&words, room).into_iter().enumerate() {
        let edge = if at == 0 { &branch.first } else { &branch.rest };
        let edge = Span::styled(format!("  {edge}"), theme.role(Role::Border));
        let head =
            if at == 0 { vec![edge, name.clone(), Span::raw("  ")] } else { vec![edge, Span::raw(indent.clone())] };
        let mut spans = head;
        spans.push(Span::styled(piece, theme.role(Role::Text)));
        document.line(Line::from(spans));
    }
}

/// The lines before a node of a tree: on its first line, and on those that follow.
struct Branch {
    first: String,
    rest: String,
}

/// Nodes from the last one down, each with its branch.
fn tree<'n>(count: usize, inputs: impl Fn(usize) -> &'n Vec<usize>) -> Vec<(usize, Branch)> {
    let mut found = Vec::with_capacity(count);
    let mut waiting: Vec<(usize, Branch)> = count
        .checked_sub(1)
        .map(|root| (root, Branch { first: String::new(), rest: String::new() }))
        .into_iter()
        .collect();
    while let Some((at, branch)) = waiting.pop() {
        let below = inputs(at);
        for (index, input) in below.iter().enumerate().rev().filter(|(_, input)| **input < count) {
            let (fork, on) = if index + 1 == below.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let (first, rest) = (format!("{}{fork}", branch.rest), format!("{}{on}", branch.rest));
            waiting.push((*input, Branch { first, rest }));
        }
        found.push((at, branch));
        // A plan is a tree; what is none must not be drawn for ever.
        if count < found.len() {
            break;
        }
    }
    found
}

/// A column of what operators do now.
struct Measure {
    title: &'static str,
    cells: usize,
    told: fn(&PipelineNode, &View<'_>) -> (String, Role),
}

/// From left to right; the last ones leave first where it is narrow.
const MEASURES: [Measure; 7] = [
    Measure { title: "rows/s", cells: 7, told: |node, _| (number::short(node.rate()), Role::Text) },
    Measure { title: "busy", cells: 5, told: |node, _| busy(node) },
    Measure { title: "waits", cells: 6, told: |node, _| (number::short(node.backlog as f64), Role::Muted) },
    Measure { title: "behind", cells: 7, told: behind },
    Measure { title: "state", cells: 7, told: |node, _| state(node) },
    Measure { title: "late", cells: 5, told: |node, _| counted(node.late) },
    Measure { title: "bad", cells: 5, told: |node, _| counted(node.bad) },
];

fn busy(node: &PipelineNode) -> (String, Role) {
    let role = if 0.5 < node.busy_share { Role::Warning } else { Role::Muted };
    (format!("{:.0} %", node.busy_share.clamp(0.0, 1.0) * 100.0), role)
}

fn behind(node: &PipelineNode, view: &View<'_>) -> (String, Role) {
    let words = match node.watermark_ms {
        Some(i64::MAX) => "end".to_owned(),
        Some(at_ms) => match (view.model.now_ms - at_ms).max(0) {
            ms @ ..100_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
            ms => time::span(ms.unsigned_abs()),
        },
        None => String::new(),
    };
    (words, Role::Muted)
}

fn state(node: &PipelineNode) -> (String, Role) {
    match node.state_bytes {
        0 => (String::new(), Role::Muted),
        bytes => (number::bytes(bytes), Role::Muted),
    }
}

fn counted(count: u64) -> (String, Role) {
    match count {
        0 => ("0".into(), Role::Muted),
        count => (number::short(count as f64), Role::Warning),
    }
}

fn live(document: &mut Document, drawn: &Drawn, is_roomy: bool, view: &View<'_>) {
    let (pipeline, theme): (&Pipeline, &Theme) = (&drawn.pipeline, view.theme);
    let cells = document.cells();
    let mut measures = MEASURES.len();
    let width = |measures: usize| MEASURES[..measures].iter().map(|one| one.cells + 1).sum::<usize>();
    while measures > 2 && cells < width(measures) + TREE_CELLS_MIN {
        measures -= 1;
    }
    let left = cells.saturating_sub(width(measures));
    let spark = if TREE_CELLS_MIN + 14 + SPARK_CELLS <= left { SPARK_CELLS + 1 } else { 0 };
    let room = left.saturating_sub(spark);
    let titles: String =
        MEASURES[..measures].iter().map(|one| format!(" {:>width$}", one.title, width = one.cells)).collect();
    document.line(Line::styled(format!("{:room$}{:spark$}{titles}", " operator", ""), theme.role(Role::Muted)));
    let slowest = pipeline.slowest();
    for (at, branch) in tree(pipeline.nodes.len(), |at| &pipeline.nodes[at].inputs) {
        let node = &pipeline.nodes[at];
        let is_slowest = slowest == Some(node.id);
        let mut spans = vec![
            Span::styled(format!(" {}", branch.first), theme.role(Role::Border)),
            Span::styled(node.operator.clone(), theme.role(Role::Accent).add_modifier(Modifier::BOLD)),
        ];
        if is_slowest {
            let words = if SLOWEST_CELLS_MIN <= room { " ◀ slowest" } else { " ◀" };
            spans.push(Span::styled(words, theme.role(Role::Warning)));
        }
        if !is_roomy {
            spans.push(Span::styled(format!("  {}", node.label), theme.role(Role::Text)));
        }
        let mut words = line::fit(&Line::from(spans), room.saturating_sub(1));
        words.push_span(Span::raw(" ".repeat(room.saturating_sub(words.width()))));
        if spark > 0 {
            let rates: Vec<f64> = drawn.rates.get(at).map(|rates| rates.iter().copied().collect()).unwrap_or_default();
            let curve = rate::sparkline(&rates, SPARK_CELLS);
            let space = " ".repeat(spark.saturating_sub(text::width(&curve)));
            words.push_span(Span::styled(format!("{curve}{space}"), theme.role(Role::Chart1)));
        }
        for one in &MEASURES[..measures] {
            let (told, role) = (one.told)(node, view);
            let space = " ".repeat((one.cells + 1).saturating_sub(text::width(&told)));
            words.push_span(Span::styled(format!("{space}{told}"), theme.role(role)));
        }
        document.line(words);
        if is_roomy {
            below(document, node, &branch, cells, theme);
        }
    }
    let totals = format!(
        "read {} {dot} given {} {dot} {} in state {dot} {}",
        number::grouped(pipeline.rows_read),
        number::grouped(pipeline.rows_written),
        number::bytes(pipeline.state_bytes),
        time::span(pipeline.elapsed_ms),
        dot = marks::DOT,
    );
    document.line(Line::default());
    document.line(Line::styled(format!(" {totals}"), Style::patch(theme.base(), theme.role(Role::Muted))));
}

/// What an operator does and keeps, on lines of its own.
fn below(document: &mut Document, node: &PipelineNode, branch: &Branch, cells: usize, theme: &Theme) {
    let edge = || Span::styled(format!(" {}  ", branch.rest), theme.role(Role::Border));
    let room = cells.saturating_sub(text::width(&branch.rest) + 3).max(10);
    let keeps = (!node.keeps.is_empty()).then_some((node.keeps.as_str(), Role::Muted));
    for (words, role) in [(node.label.as_str(), Role::Text)].into_iter().chain(keeps) {
        for piece in text::wrapped(words, room) {
            document.line(Line::from(vec![edge(), Span::styled(piece, theme.role(role))]));
        }
    }
    document.line(Line::from(edge()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_goes_from_the_sink_to_every_source() {
        // A sink over a join of a filtered source and another one.
        let inputs: [Vec<usize>; 5] = [vec![], vec![0], vec![], vec![1, 2], vec![3]];
        let drawn: Vec<_> =
            tree(5, |at| &inputs[at]).into_iter().map(|(at, branch)| format!("{}{at}", branch.first)).collect();
        assert_eq!(drawn, ["4", "└─ 3", "   ├─ 1", "   │  └─ 0", "   └─ 2"]);
    }
}
