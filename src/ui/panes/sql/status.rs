//! What a query is doing, in words: live, held, ended; and what it has counted. Pure text.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::Model;
use crate::app::model::pipeline::Pipeline;
use crate::app::model::queries::Query;
use crate::core::job::Phase;
use crate::core::words::counted;
use crate::ui::keys;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::{number, text, time};

/// Lines that say what is wrong with the brokers: more would leave the rows none.
const LOST_LINES_MAX: usize = 3;

/// The state of a query with its style, and whose it is where that is not the text in front.
pub fn state(query: &Query, view: &View<'_>) -> (String, Style) {
    let (said, style) = phase(query, view);
    match elsewhere(query, view.model) {
        Some(name) => (format!("{said}, `{name}`"), style),
        None => (said, style),
    }
}

/// The other text that has the statement, where the one in front has it no more.
fn elsewhere<'m>(query: &Query, model: &'m Model) -> Option<&'m str> {
    let has_it = |text: &str| text.contains(query.request.statement_text());
    let is_in_front = model.desk.buffer().is_none_or(|front| has_it(&front.text));
    let other = model.desk.buffers.iter().find(|buffer| !is_in_front && has_it(&buffer.text));
    other.map(|buffer| buffer.name.as_str())
}

fn phase(query: &Query, view: &View<'_>) -> (String, Style) {
    let job = view.model.jobs.get(&query.job);
    let since = job.map_or(String::new(), |job| time::since(view.model.now_ms, job.phase_since_ms, view.zone));
    let said = |mark: &str, words: String, role: Role| (format!("{mark} {words}"), view.theme.role(role));
    match job.map(|job| &job.phase) {
        None => said(marks::OFF, "ended".into(), Role::Muted),
        Some(Phase::Starting) => said(marks::HALF, "starting".into(), Role::Muted),
        Some(Phase::Running) if query.schema.is_none() => said(marks::HALF, "planning".into(), Role::Muted),
        Some(Phase::Running) if query.frozen.is_some() => said(
            marks::PAUSED,
            format!("held, {} came since", number::grouped(query.came_since_pause())),
            Role::Warning,
        ),
        Some(Phase::Paused) => said(marks::PAUSED, "waiting".into(), Role::Warning),
        Some(Phase::Running) => said(marks::RUNNING, "live".into(), Role::Success),
        Some(Phase::Reconnecting { attempt, .. }) => {
            let attempt = if *attempt == 0 { String::new() } else { format!(", attempt {attempt}") };
            said(marks::HALF, format!("reconnecting{attempt}"), Role::Warning)
        }
        Some(Phase::Stopping) => said(marks::HALF, "stopping".into(), Role::Muted),
        Some(Phase::Done) => said(marks::DONE, format!("done {since}"), Role::Success),
        Some(Phase::Stopped) => said(marks::OFF, format!("stopped {since}"), Role::Muted),
        Some(Phase::Failed(_) | Phase::Panicked(_)) => said(marks::FAILED, format!("failed {since}"), Role::Danger),
    }
}

/// Why it failed, in full.
pub fn fault(query: &Query, model: &Model) -> Option<String> {
    match &model.jobs.get(&query.job)?.phase {
        Phase::Failed(fault) => Some(fault.to_string()),
        Phase::Panicked(message) => Some(format!("a defect of this program: {message}")),
        Phase::Reconnecting { fault, .. } => Some(fault.to_string()),
        _ => None,
    }
}

/// What is wrong with the brokers that the next query would ask, and what to do.
pub fn lost(view: &View<'_>, cells: usize) -> Vec<Line<'static>> {
    let row = view.model.active.as_deref().and_then(|active| view.model.environment(active));
    let Some((row, fault)) = row.and_then(|row| Some((row, row.lost()?))) else { return Vec::new() };
    let pane = view.keymap.chord_of(keys::PANE_ENVIRONMENTS).map(|chord| format!("; {chord} goes to it"));
    let pane = pane.filter(|_| row.connection.attempt == 0).unwrap_or_default();
    let words = format!("{} {}: {fault}{pane}", marks::FAILED, row.name);
    let style = view.theme.role(Role::Danger);
    let mut lines = text::wrapped(&words, cells);
    if LOST_LINES_MAX < lines.len() {
        let rest = lines.split_off(LOST_LINES_MAX - 1).join(" ");
        lines.push(text::fit(&rest, cells).into_owned());
    }
    lines.into_iter().map(|line| Line::styled(line, style)).collect()
}

/// A count that is told, with the words around it; the least important first to leave.
struct Told {
    words: String,
    role: Role,
    /// The higher, the sooner it leaves where there is no room.
    leaves: u8,
    /// Cells that it has also while it is shorter: what stands behind a count does not move with every digit.
    cells: usize,
}

/// The state and the counts in as many lines of so many cells as are needed, at most `lines_max`.
pub fn lines(query: &Query, view: &View<'_>, cells: usize, lines_max: usize) -> Vec<Line<'static>> {
    let (state, style) = state(query, view);
    let mut told = counts(query, view);
    loop {
        let lines = wrapped(&state, style, &told, cells, view.theme);
        if lines.len() <= lines_max || told.is_empty() {
            return lines.into_iter().take(lines_max).collect();
        }
        let leaves = (0..told.len()).max_by_key(|at| (told[*at].leaves, *at)).unwrap_or(0);
        told.remove(leaves);
    }
}

fn counts(query: &Query, view: &View<'_>) -> Vec<Told> {
    let model = view.model;
    let pipeline = model.pipelines.get(&query.job).map(|drawn| &*drawn.pipeline);
    let mut told = Vec::new();
    let mut tell = |words: String, role: Role, leaves: u8, cells: usize| {
        told.push(Told { words, role, leaves, cells });
    };
    let is_live = is_live(query, model);
    let is_changelog = query.is_changelog();
    let rows = query.rows_now(pipeline);
    if let Some(pipeline) = pipeline.filter(|_| is_live) {
        let sink = pipeline.nodes.last().map_or(0.0, |sink| sink.out_per_second);
        let what = if is_changelog { "changes" } else { "rows" };
        tell(format!("{:>5} {what}/s", number::short(sink)), Role::Text, 1, 0);
    }
    match is_changelog {
        true => tell(standing(rows, query.made()), Role::Text, 0, 26),
        false => tell(format!("total {}", number::grouped(query.made())), Role::Text, 0, 12),
    }
    if let Some(pipeline) = pipeline {
        if let Some(words) = watermark(pipeline, model.now_ms, is_live, view) {
            tell(words, Role::Text, 3, 26);
        }
        let role = |count: u64| if count == 0 { Role::Muted } else { Role::Warning };
        tell(format!("late {}", number::grouped(pipeline.late)), role(pipeline.late), 4, 0);
        tell(format!("bad {}", number::grouped(pipeline.bad)), role(pipeline.bad), 2, 0);
        tell(format!("state {}", number::bytes(pipeline.state_bytes)), Role::Muted, 6, 13);
        tell(time::span(pipeline.elapsed_ms), Role::Muted, 5, 0);
    }
    let not_shown = query.skipped;
    if !is_changelog {
        let role = if not_shown == 0 { Role::Muted } else { Role::Warning };
        tell(format!("not shown {}", number::grouped(not_shown)), role, 3, 0);
        return told;
    }
    let beyond = rows.saturating_sub(query.rows.len() as u64);
    if 0 < beyond {
        tell(format!("{} not in view", counted(beyond, "row")), Role::Warning, 1, 0);
    }
    if 0 < not_shown {
        // Of a row that changes only its newest state is missed by nobody.
        tell(format!("{} overwritten unseen", number::grouped(not_shown)), Role::Muted, 7, 0);
    }
    told
}

/// `24 rows · 250 changes`: a result that changes has rows, and came to be by changes.
pub fn standing(rows: u64, changes: u64) -> String {
    format!("{} {} {}", counted(rows, "row"), marks::DOT, counted(changes, "change"))
}

/// `watermark 14:02:10 −1.2 s`: how far results are complete, and how far behind now that is.
fn watermark(pipeline: &Pipeline, now_ms: i64, is_live: bool, view: &View<'_>) -> Option<String> {
    let at_ms = pipeline.watermark_ms?;
    if at_ms == i64::MAX {
        return Some("watermark at the end".into());
    }
    let clock = time::clock(at_ms, view.zone);
    Some(match is_live {
        // Ahead of the last tick of the clock is now.
        true => format!("watermark {clock} −{}", delay((now_ms - at_ms).max(0))),
        false => format!("watermark {clock}"),
    })
}

fn delay(ms: i64) -> String {
    match ms {
        ..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => time::span(ms.unsigned_abs()),
    }
}

fn wrapped(state: &str, style: Style, told: &[Told], cells: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(Span::styled(text::fit(state, cells).into_owned(), style))];
    for one in told {
        let Some(line) = lines.last_mut() else { break };
        let room = one.cells.max(text::width(&one.words)).min(cells.saturating_sub(2));
        let words = format!("{:<room$}", one.words);
        let span = Span::styled(words, theme.role(one.role));
        if line.width() + 3 + room <= cells {
            line.push_span(Span::raw("   "));
            line.push_span(span);
        } else {
            // Below the state, not below its mark.
            lines.push(Line::from(vec![Span::raw("  "), span]));
        }
    }
    lines
}

/// Whether the query is still at work.
pub fn is_live(query: &Query, model: &Model) -> bool {
    model.jobs.get(&query.job).is_some_and(|job| !job.phase.is_ending())
}

/// Why there is no row yet.
pub fn empty(query: &Query, model: &Model) -> String {
    let is_live = is_live(query, model);
    match (&query.schema, is_live) {
        (None, true) => "planning: the sources are asked for their columns".into(),
        (Some(_), true) => "no row yet; a final result comes when its window is over".into(),
        (_, false) => "it gave no row".into(),
    }
}

/// What an export would write, of which so many rows are shown.
pub fn exported(query: &Query, shown: usize, model: &Model) -> String {
    let held = query.in_view().len();
    let pipeline = model.pipelines.get(&query.job).map(|drawn| &*drawn.pipeline);
    let made = if query.is_changelog() { query.rows_now(pipeline) } else { query.made() };
    let mut told = format!("{}, in the order shown.", counted(shown as u64, "row"));
    if let hidden @ 1.. = held.saturating_sub(shown) {
        told.push_str(&format!(" {} more are hidden by the filter.", number::grouped(hidden as u64)));
    }
    if let beyond @ 1.. = made.saturating_sub(held as u64) {
        told.push_str(&format!(" {} more are not in view: INTO writes all of them.", number::grouped(beyond)));
    }
    format!("{told} A name without a path is a file in {}.", model.folder)
}
