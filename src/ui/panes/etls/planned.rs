//! A plan in words: how many events of which ETL go to which topic where, what is left out and why. Sends nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::action::RunRequest;
use crate::app::model::Model;
use crate::app::model::etls::{Plan, PlanSummary};
use crate::core::environment::Guard;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::{line, number, text, time};

/// A wait shorter than this is not worth a word, milliseconds.
const WAIT_SAID_MS: i64 = 250;

/// The plan of what is set up, line by line; or what is missing, awaited, or wrong.
pub fn lines(
    request: &Result<RunRequest, String>,
    plan: Option<&Plan>,
    model: &Model,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let said = |words: String, role: Role| vec![Line::styled(words, theme.role(role))];
    let request = match request {
        Ok(request) => request,
        Err(why) => return said(why.clone(), Role::Warning),
    };
    match plan.map(|plan| (plan, &plan.outcome)) {
        None => said(String::new(), Role::Muted),
        Some((plan, None)) => match model.now_ms - plan.since_ms {
            waited if waited < WAIT_SAID_MS => said(String::new(), Role::Muted),
            waited => said(format!("computing the plan since {}", time::span(waited.unsigned_abs())), Role::Muted),
        },
        Some((_, Some(Err(fault)))) => {
            let mut lines = said(fault.to_string(), Role::Danger);
            lines.push(Line::styled("nothing can be run as it is set up", theme.role(Role::Muted)));
            lines
        }
        Some((_, Some(Ok(plan)))) => of_plan(request, plan, theme),
    }
}

fn of_plan(request: &RunRequest, plan: &PlanSummary, theme: &Theme) -> Vec<Line<'static>> {
    let does = match (plan.events(), request.dry_run) {
        (1, true) => "event is rendered, not sent",
        (1, false) => "event is sent",
        (_, true) => "events are rendered, none is sent",
        (_, false) => "events are sent",
    };
    let rate =
        request.rate.map(|rate| format!(", at most {} a second in each environment", number::grouped(rate.into())));
    let total = format!("{} {does}{}", number::grouped(plan.events()), rate.unwrap_or_default());
    let mut lines = vec![Line::styled(total, theme.focused())];
    let width = plan.pairs.iter().map(|pair| number::grouped(pair.events).len()).max().unwrap_or(0);
    let etls = plan.pairs.iter().map(|pair| text::width(&pair.etl)).max().unwrap_or(0);
    let environments = plan.pairs.iter().map(|pair| text::width(&pair.environment)).max().unwrap_or(0);
    for pair in &plan.pairs {
        let mut line = Line::from(vec![
            Span::styled(format!("{:>width$} ", number::grouped(pair.events)), theme.role(Role::Text)),
            Span::styled(format!("{:<etls$} {} ", pair.etl, marks::ARROW), theme.role(Role::Muted)),
            Span::styled(format!("{:<environments$}", pair.environment), theme.environment(&pair.environment)),
            Span::styled(format!(" {}", pair.topic), theme.role(Role::Text)),
        ]);
        if pair.guard != Guard::None && !request.dry_run {
            let words = super::run_dialog::guard_words(pair.guard);
            line.push_span(Span::styled(format!("  {words}"), theme.role(Role::Warning)));
        }
        lines.push(line);
    }
    let out = plan.left_out.iter().map(|why| Line::styled(format!("left out: {why}"), theme.role(Role::Warning)));
    lines.extend(out);
    lines
}

/// Lines that it takes in so many cells.
pub fn height(lines: &[Line<'_>], cells: u16) -> u16 {
    lines.iter().map(|line| wrapped(line, usize::from(cells)).len() as u16).fold(0, u16::saturating_add)
}

/// Draws the lines from `top` on, and how many more there are; gives the top in force.
pub fn draw(lines: &[Line<'_>], top: usize, area: Rect, buffer: &mut Buffer, theme: &Theme) -> usize {
    let cells = usize::from(area.width);
    let lines: Vec<Line<'_>> = lines.iter().flat_map(|line| wrapped(line, cells)).collect();
    let height = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(height));
    for (at, line) in lines.iter().skip(top).take(height).enumerate() {
        buffer.set_line(area.x, area.y + at as u16, line, area.width);
    }
    if lines.len() > height && height > 0 {
        let below = lines.len() - height - top;
        let more = match below {
            0 => format!(" PageUp: {top} above"),
            _ => format!(" PageDown: {below} more"),
        };
        let width = (text::width(&more) as u16).min(area.width);
        buffer.set_string(area.right() - width, area.bottom() - 1, &more, theme.role(Role::Muted));
    }
    top
}

/// One style a line is wrapped between words; a line of several pieces is cut, its end leaving first.
fn wrapped(words: &Line<'_>, cells: usize) -> Vec<Line<'static>> {
    match words.spans.as_slice() {
        [span] => text::wrapped(&span.content, cells)
            .into_iter()
            .map(|line| Line::from(Span::styled(line, span.style)).style(words.style))
            .collect(),
        _ => vec![line::fit(words, cells)],
    }
}
