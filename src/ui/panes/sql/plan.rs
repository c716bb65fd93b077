//! How a statement works: before it runs, what it would read, do and give; while it runs, the same operators with what they do now.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::pipeline::Drawn;
use crate::app::model::sql::{Explained, Explaining};
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::document::{Document, Reader};
use crate::ui::widgets::pipeline::{self, Picture};
use crate::ui::widgets::{line, number, text, time};

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
                live(&mut document, drawn, view);
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
    document.section("Operators", "F5 shows how each of them does", theme);
    add(document, Picture::planned(&explained.pipeline), theme);
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

fn live(document: &mut Document, drawn: &Drawn, view: &View<'_>) {
    let (pipeline, theme) = (&drawn.pipeline, view.theme);
    add(document, Picture::live(drawn, view.model.now_ms), theme);
    let totals = format!(
        "read {} {dot} given {} {dot} {} in state {dot} {}",
        number::grouped(pipeline.rows_read),
        number::grouped(pipeline.rows_written),
        number::bytes(pipeline.state_bytes),
        time::span(pipeline.elapsed_ms),
        dot = marks::DOT,
    );
    document.line(Line::default());
    document.wrapped(&totals, 1, theme.role(Role::Muted));
}

/// The operators, a cell from the edge.
fn add(document: &mut Document, picture: Picture<'_>, theme: &Theme) {
    for line in pipeline::lines(picture, document.cells().saturating_sub(2), theme) {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(line.spans);
        document.line(Line::from(spans));
    }
}
