//! The way of a run's events as three boxes: what renders, who sends, where it goes. Drawn only of what is counted, and only
//! where the width allows.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::runs::Run;
use crate::core::progress::PairProgress;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::document::Document;
use crate::ui::widgets::{number, text};

/// From this width three boxes can be read, cells.
const WIDTH_MIN: usize = 90;
/// Widest box, cells inside.
const BOX_CELLS_MAX: usize = 40;
/// What is between two boxes.
const LINK: &str = "──▶";
/// Cells of a box beside its words: two edges and a blank at each side.
const EDGE_CELLS: usize = 4;

/// A box: a name, and a fact below it.
struct Station {
    name: String,
    fact: String,
    fact_role: Role,
}

/// Adds the boxes of a run that sends.
pub fn draw(document: &mut Document, run: &Run, theme: &Theme) {
    if document.cells() < WIDTH_MIN || run.request.dry_run || run.progress.pairs.is_empty() {
        return;
    }
    let stations = stations(run);
    let most = (document.cells() - 2 * (1 + LINK.chars().count())) / stations.len() - EDGE_CELLS;
    let cells = |station: &Station| text::width(&station.name).max(text::width(&station.fact));
    let widths = stations.each_ref().map(|station| cells(station).min(most).min(BOX_CELLS_MAX));
    let border = theme.role(Role::Border);
    let (mut top, mut names, mut facts, mut bottom) = (blank(), blank(), blank(), blank());
    for (at, (station, cells)) in stations.iter().zip(widths).enumerate() {
        if at > 0 {
            let gap = " ".repeat(LINK.chars().count());
            for row in [&mut top, &mut facts, &mut bottom] {
                row.push(Span::raw(gap.clone()));
            }
            names.push(Span::styled(LINK, theme.role(Role::Muted)));
        }
        let line = "─".repeat(cells + 2);
        top.push(Span::styled(format!("┌{line}┐"), border));
        inside(&mut names, &station.name, cells, theme.role(Role::Text), border);
        inside(&mut facts, &station.fact, cells, theme.role(station.fact_role), border);
        bottom.push(Span::styled(format!("└{line}┘"), border));
    }
    document.line(Line::default());
    for row in [top, names, facts, bottom] {
        document.line(Line::from(row));
    }
}

fn stations(run: &Run) -> [Station; 3] {
    let progress = &run.progress;
    let pairs = progress.pairs.as_slice();
    let total = progress.total();
    let bytes: u64 = pairs.iter().map(|pair| pair.bytes).sum();
    let grouped = number::grouped;
    let rate = match run.report {
        None => format!("{} · ", number::rate(progress.events_per_second)),
        Some(_) => String::new(),
    };
    [
        Station {
            name: format!("render {}", one_of(pairs, |pair| &pair.etl, "ETLs")),
            fact: format!("{} planned", grouped(total.planned)),
            fact_role: Role::Muted,
        },
        Station {
            name: format!("producers {}", one_of(pairs, |pair| &pair.environment, "environments")),
            fact: format!("{rate}{} open · {} failed", grouped(total.open()), grouped(total.failed)),
            fact_role: if total.failed > 0 { Role::Danger } else { Role::Muted },
        },
        Station {
            name: one_of(pairs, |pair| &pair.topic, "topics"),
            fact: format!("{} acknowledged · {}", grouped(total.acknowledged), number::bytes(bytes)),
            fact_role: Role::Muted,
        },
    ]
}

/// The name, where all pairs have the same; else how many there are.
fn one_of(pairs: &[PairProgress], name: impl Fn(&PairProgress) -> &String, several: &str) -> String {
    let names: std::collections::BTreeSet<&String> = pairs.iter().map(name).collect();
    match names.first() {
        Some(only) if names.len() == 1 => (*only).clone(),
        _ => format!("{} {several}", names.len()),
    }
}

fn blank() -> Vec<Span<'static>> {
    vec![Span::raw("  ")]
}

fn inside(row: &mut Vec<Span<'static>>, words: &str, cells: usize, style: Style, border: Style) {
    let words = text::fit(words, cells);
    let spare = cells - text::width(&words);
    row.push(Span::styled("│ ", border));
    row.push(Span::styled(format!("{words}{:spare$}", ""), style));
    row.push(Span::styled(" │", border));
}
