//! One run in full: a line of progress for each ETL and environment, failures by cause, and once it has ended its counts and
//! the time of each step. Also what a preset would run.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::action::RunRequest;
use crate::app::model::environments::ConnectionState;
use crate::app::model::runs::{Preset, Run, RunReport};
use crate::core::job::Phase;
use crate::core::progress::{PairProgress, RunProgress};
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::gauge::{self, Progress};
use crate::ui::widgets::number::{bytes, counted, grouped, latency, percent, rate};
use crate::ui::widgets::{line, text, time};

/// Widest name of a pair, cells.
const NAME_CELLS_MAX: usize = 32;
/// Causes told; the rest are one line.
const CAUSES_SHOWN: usize = 8;

/// A row of the sheet.
#[derive(Debug, Clone)]
pub enum Row {
    /// Words in one style, wrapped where they are too long.
    Said(String, Style),
    /// Words in several styles, cut where they are too long.
    Words(Line<'static>),
    /// A line of progress.
    Gauge {
        /// What it is of.
        name: String,
        /// How the name looks.
        style: Style,
        /// Cells for the names of all.
        cells: u16,
        /// How far it is.
        progress: Progress,
    },
}

/// A run, while it runs or after.
pub fn of_run(run: &Run, view: &View<'_>) -> Vec<Row> {
    let mut rows = headline(run, view);
    rows.extend(gauges(run, view.theme));
    rows.extend(causes(&run.progress, view.theme));
    if let Some(report) = &run.report {
        rows.extend(timings(report, view.theme));
    }
    rows
}

/// What a preset runs.
pub fn of_preset(preset: &Preset, view: &View<'_>) -> Vec<Row> {
    let theme = view.theme;
    let open = super::chord(view, crate::ui::keys::OPEN);
    let mut rows = vec![Row::Said(format!("preset {}", preset.name), theme.focused())];
    rows.extend(asked(&preset.run).into_iter().map(|words| Row::Said(words, theme.role(Role::Text))));
    rows.push(Row::Said(format!("{open} sets it up again and shows its plan"), theme.role(Role::Muted)));
    rows
}

fn asked(run: &RunRequest) -> Vec<String> {
    let mut lines = vec![
        format!("{} of each of {}", counted(run.count, "event"), run.etls.join(", ")),
        format!("into {}", run.environments.join(", ")),
    ];
    lines.extend(run.rate.map(|rate| format!("at most {} a second in each environment", grouped(rate.into()))));
    if run.dry_run {
        lines.push("dry run: rendered, not sent".into());
    }
    if !run.context.trim().is_empty() {
        lines.push(format!("context: {}", super::context::summed_up(&run.context)));
    }
    lines
}

fn headline(run: &Run, view: &View<'_>) -> Vec<Row> {
    let theme = view.theme;
    let total = run.progress.total();
    let job = view.model.jobs.get(&run.job);
    let phase = job.map_or(&Phase::Done, |job| &job.phase);
    let ended_ms = job.filter(|job| job.phase.is_ending()).map_or(view.model.now_ms, |job| job.phase_since_ms);
    let lasted = match &run.report {
        Some(_) => run.progress.elapsed_ms,
        None => (ended_ms - run.since_ms).max(0).unsigned_abs(),
    };
    let (word, role) = match phase {
        Phase::Starting => ("starting", Role::Accent),
        Phase::Running => ("running", Role::Accent),
        Phase::Reconnecting { .. } => ("reconnecting", Role::Warning),
        Phase::Paused => ("paused", Role::Warning),
        Phase::Stopping => ("stopping: what is in flight is finished", Role::Warning),
        Phase::Done if total.failed > 0 => ("done, with failures", Role::Danger),
        Phase::Done => ("done", Role::Success),
        Phase::Stopped => ("stopped", Role::Warning),
        Phase::Failed(_) => ("failed", Role::Danger),
        Phase::Panicked(_) => ("failed by a defect of this program", Role::Danger),
    };
    // Of what has ended the mean over the time that stands beside it.
    let per_second = match phase.is_ending() && 0 < lasted {
        true => total.acknowledged as f64 * 1_000.0 / lasted as f64,
        false => run.progress.events_per_second,
    };
    let mark = super::runs::mark(run, view.model).0;
    let dry = if run.request.dry_run { "dry run " } else { "" };
    let mut line = Line::from(vec![
        Span::styled(format!("{mark} {dry}{word}"), theme.role(role)),
        Span::styled(format!("  {}  {}", told(lasted, phase.is_ending()), rate(per_second)), theme.role(Role::Text)),
    ]);
    if !phase.is_ending() {
        let progress = Progress { per_second, ..progress_of(&total) };
        if let Some(left_ms) = progress.left_ms() {
            line.push_span(Span::styled(format!("  {} left", time::span(left_ms)), theme.role(Role::Muted)));
        }
        let stop = super::chord(view, super::STOP);
        line.push_span(Span::styled(format!("  {stop}"), theme.focused()));
        line.push_span(Span::styled(" stops it", theme.role(Role::Muted)));
    }
    let ended = if run.request.dry_run { "rendered" } else { "acknowledged" };
    let mut counts = format!(
        "{} planned = {} {ended} + {} failed + {} not sent",
        grouped(total.planned),
        grouped(total.acknowledged),
        grouped(total.failed),
        grouped(total.not_sent)
    );
    if total.open() > 0 {
        counts.push_str(&format!(" + {} to come", grouped(total.open())));
    }
    let mut rows = vec![Row::Words(line), Row::Said(counts, theme.role(Role::Text))];
    if let Some(report) = &run.report {
        // What was stopped before it was tried is no failure, and no success either.
        let tried = total.acknowledged + total.failed;
        let share = if tried == 0 { f64::NAN } else { total.acknowledged as f64 / tried as f64 };
        let words = format!("success {} of what was tried  {}", percent(share), bytes(report.bytes));
        rows.push(Row::Said(words, theme.role(Role::Text)));
    }
    if let Some(newest) = run.progress.latency.filter(|_| run.report.is_none()) {
        let (half, most) = (latency(newest.p50_us as f64), latency(newest.p99_us as f64));
        let words = format!("acknowledged in {half} (p50), {most} (p99)");
        rows.push(Row::Said(words, theme.role(Role::Muted)));
    }
    rows.extend(silent(run, phase, view));
    match phase {
        Phase::Failed(fault) | Phase::Reconnecting { fault, .. } => {
            rows.push(Row::Said(fault.to_string(), theme.role(Role::Danger)));
        }
        Phase::Panicked(message) => rows.push(Row::Said(message.clone(), theme.role(Role::Danger))),
        _ => {}
    }
    rows
}

/// How long a run lasted: of a short one that has ended as exactly as its rate is told, which is its mean over that time.
fn told(lasted_ms: u64, is_over: bool) -> String {
    /// Beyond, a second more or less is none of the three digits of a rate.
    const EXACT_MS_MAX: u64 = 60_000;
    match is_over && (1..EXACT_MS_MAX).contains(&lasted_ms) {
        true => latency(lasted_ms as f64 * 1_000.0),
        false => time::span(lasted_ms),
    }
}

/// Environments of a run that do not answer now: its events wait for them.
fn silent(run: &Run, phase: &Phase, view: &View<'_>) -> Vec<Row> {
    if phase.is_ending() || run.request.dry_run {
        return Vec::new();
    }
    let rows = run.request.environments.iter().filter_map(|name| view.model.environment(name));
    let lost = rows.filter(|row| row.connection.state == ConnectionState::Error).filter_map(|row| {
        let fault = row.connection.fault.as_ref()?;
        Some(Row::Said(format!("{}: {}; what is sent waits", row.name, fault.what), view.theme.role(Role::Warning)))
    });
    lost.collect()
}

fn progress_of(counts: &crate::core::progress::Counts) -> Progress {
    Progress {
        planned: counts.planned,
        done: counts.acknowledged,
        failed: counts.failed,
        not_sent: counts.not_sent,
        per_second: 0.0,
    }
}

fn gauges(run: &Run, theme: &Theme) -> Vec<Row> {
    let several = run.request.etls.len() > 1;
    let name = |pair: &PairProgress| match several {
        true => format!("{} {} {}", pair.etl, marks::ARROW, pair.environment),
        false => pair.environment.clone(),
    };
    let pairs = &run.progress.pairs;
    let cells = pairs.iter().map(|pair| text::width(&name(pair))).max().unwrap_or(0).min(NAME_CELLS_MAX) as u16;
    let seconds = run.progress.elapsed_ms as f64 / 1_000.0;
    let rows = pairs.iter().map(|pair| {
        let ended = pair.counts.acknowledged + pair.counts.failed;
        // A pair's own rate is its mean: the run's newest one is in the headline. While nothing moves neither does it.
        let moves = run.report.is_none() && run.progress.events_per_second > 0.0;
        let per_second = if seconds > 0.0 && moves { ended as f64 / seconds } else { 0.0 };
        let progress = Progress { per_second, ..progress_of(&pair.counts) };
        Row::Gauge { name: name(pair), style: theme.environment(&pair.environment), cells, progress }
    });
    let mut rows: Vec<Row> = rows.collect();
    if !rows.is_empty() {
        rows.insert(0, Row::Said(String::new(), Style::new()));
    }
    rows
}

/// Failures by cause over all pairs, the most frequent first.
fn causes(progress: &RunProgress, theme: &Theme) -> Vec<Row> {
    let mut sums: Vec<(&str, u64)> = Vec::new();
    for (cause, count) in progress.pairs.iter().flat_map(|pair| &pair.causes) {
        match sums.iter_mut().find(|(known, _)| *known == cause.as_str()) {
            Some((_, sum)) => *sum += count,
            None => sums.push((cause, *count)),
        }
    }
    if sums.is_empty() {
        return Vec::new();
    }
    sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut rows =
        vec![Row::Said(String::new(), Style::new()), Row::Said("failed because".into(), theme.role(Role::Muted))];
    let width = sums.first().map_or(0, |(_, count)| grouped(*count).len());
    rows.extend(sums.iter().take(CAUSES_SHOWN).map(|(cause, count)| {
        Row::Said(format!("{} {:>width$}  {cause}", marks::FAILED, grouped(*count)), theme.role(Role::Danger))
    }));
    let rest: u64 = sums.iter().skip(CAUSES_SHOWN).map(|(_, count)| count).sum();
    if rest > 0 {
        let words = format!("{} {rest:>width$}  of {} other causes", marks::FAILED, sums.len() - CAUSES_SHOWN);
        rows.push(Row::Said(words, theme.role(Role::Danger)));
    }
    rows
}

fn timings(report: &RunReport, theme: &Theme) -> Vec<Row> {
    if report.timings.is_empty() {
        return Vec::new();
    }
    let head = format!("{:<12}{:>9}{:>9}{:>9}{:>9}{:>11}", "step", "p50", "p95", "p99", "max", "measured");
    let mut rows =
        vec![Row::Said(String::new(), Style::new()), Row::Words(Line::styled(head, theme.role(Role::Muted)))];
    rows.extend(report.timings.iter().map(|step| {
        // A step that was never measured has no time, rather than none of it.
        let told = |microseconds: u64| if step.count == 0 { "n/a".into() } else { latency(microseconds as f64) };
        let words = format!(
            "{:<12}{:>9}{:>9}{:>9}{:>9}{:>11}",
            step.step,
            told(step.p50_us),
            told(step.p95_us),
            told(step.p99_us),
            told(step.max_us),
            grouped(step.count)
        );
        Row::Words(Line::styled(words, theme.role(Role::Text)))
    }));
    rows
}

/// Draws the rows from `top` on, and how many more there are; gives the top in force.
pub fn draw(rows: &[Row], top: usize, area: Rect, buffer: &mut Buffer, theme: &Theme) -> usize {
    let cells = usize::from(area.width);
    let rows: Vec<Row> = rows.iter().flat_map(|row| laid_out(row, cells)).collect();
    let height = usize::from(area.height);
    let top = top.min(rows.len().saturating_sub(height));
    for (at, row) in rows.iter().skip(top).take(height).enumerate() {
        let line = Rect { y: area.y + at as u16, height: 1, ..area };
        match row {
            Row::Said(words, style) => {
                buffer.set_stringn(line.x, line.y, words, cells, *style);
            }
            Row::Words(words) => {
                buffer.set_line(line.x, line.y, words, line.width);
            }
            Row::Gauge { name, style, cells, progress } => {
                gauge::draw(name, *style, *cells, progress, line, buffer, theme);
            }
        }
    }
    let below = rows.len().saturating_sub(top + height);
    if below > 0 && height > 0 {
        let more = format!(" PageDown: {below} more");
        let width = (text::width(&more) as u16).min(area.width);
        buffer.set_string(area.right() - width, area.bottom() - 1, &more, theme.role(Role::Muted));
    }
    top
}

fn laid_out(row: &Row, cells: usize) -> Vec<Row> {
    match row {
        Row::Said(words, style) if text::width(words) > cells => {
            text::wrapped(words, cells).into_iter().map(|words| Row::Said(words, *style)).collect()
        }
        Row::Words(words) => vec![Row::Words(line::fit(words, cells))],
        row => vec![row.clone()],
    }
}
