//! One job in full: state, counts, the way of its events, progress by ETL and environment, failures by cause, its log.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{operators, pipeline, rows};
use crate::app::model::jobs::{Job, Work};
use crate::app::model::log::Level;
use crate::app::model::runs::Run;
use crate::app::model::tails::Tail;
use crate::core::job::Phase;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::document::{Document, Gauge};
use crate::ui::widgets::gauge::Progress;
use crate::ui::widgets::{number, text, time};

/// Widest name of a pair before its bar.
const PAIR_CELLS_MAX: usize = 44;
/// Causes shown; a run keeps no more of each pair.
const CAUSES_MAX: usize = 32;

/// The lines of a job; what the list has no room for is told at once.
pub fn document(job: &Job, view: &View<'_>, cells: u16, hidden: &[&str]) -> Document {
    let mut document = Document::new(cells);
    heading(&mut document, job, view);
    if let Some(words) = rows::in_words(job, view, hidden) {
        document.wrapped(&words, 2, view.theme.role(Role::Text));
    }
    state(&mut document, job, view);
    let model = view.model;
    match (&job.work, model.runs.get(&job.id), model.tails.get(&job.id)) {
        (Work::Run(_), Some(run), _) => of_run(&mut document, job, run, view.theme),
        (Work::Tail(_), _, Some(tail)) => of_tail(&mut document, job, tail, view.theme),
        (Work::Tail(_), _, None) => {
            quiet(&mut document, "its records were forgotten when it was closed in its pane", view.theme);
        }
        (Work::Resend(resend), _, _) => of_resend(&mut document, job, resend.messages.len() as u64, view.theme),
        (Work::Check(name), _, _) => of_check(&mut document, job, name, view),
        (Work::Generate(_), _, _) => of_generator(&mut document, job, view.theme),
        (Work::Query(_), ..) => operators::of_query(&mut document, job, view),
        (Work::Deployed(definition), ..) => operators::of_deployed(&mut document, job, definition, view),
        (Work::Run(_), None, _) => {}
    }
    log(&mut document, job, view);
    if let Work::Deployed(definition) = &job.work {
        operators::written(&mut document, job, definition, view);
    }
    document
}

/// A job in one line, to be copied.
pub fn in_words(job: &Job) -> String {
    let fault = match &job.phase {
        Phase::Failed(fault) | Phase::Reconnecting { fault, .. } => format!(": {fault}"),
        Phase::Panicked(message) => format!(": {message}"),
        _ => String::new(),
    };
    format!(
        "{} {} {} in {} {}{fault}",
        rows::kind(job.kind),
        job.id.0,
        job.name,
        job.environment,
        rows::state(&job.phase)
    )
}

fn quiet(document: &mut Document, words: &str, theme: &Theme) {
    document.wrapped(words, 2, theme.role(Role::Muted));
}

fn heading(document: &mut Document, job: &Job, view: &View<'_>) {
    let theme = view.theme;
    let kind = format!("  {} {}", rows::kind(job.kind), job.id.0);
    let room = document.cells().saturating_sub(text::width(&kind) + 2);
    let name = text::fit(&job.name, room).into_owned();
    let room = room.saturating_sub(text::width(&name));
    let mut spans = vec![
        Span::styled(name, theme.role(Role::Text).add_modifier(Modifier::BOLD)),
        Span::styled(kind, theme.role(Role::Muted)),
        Span::raw("  "),
    ];
    if text::width(&job.environment) <= room {
        for (at, name) in job.environment.split(", ").enumerate() {
            let gap = if at == 0 { "" } else { ", " };
            spans.push(Span::styled(gap, theme.role(Role::Muted)));
            spans.push(Span::styled(name.to_owned(), theme.environment(name)));
        }
        document.line(Line::from(spans));
    } else {
        document.line(Line::from(spans));
        document.fact("in", &job.environment, theme.role(Role::Text), theme);
    }
}

fn state(document: &mut Document, job: &Job, view: &View<'_>) {
    let theme = view.theme;
    let ago = |at_ms: i64| time::since(view.model.now_ms, at_ms, view.zone);
    let end_ms = if job.phase.is_ending() { job.phase_since_ms } else { view.model.now_ms };
    let lasted = time::span(u64::try_from(end_ms - job.since_ms).unwrap_or(0));
    let role = rows::role(&job.phase);
    let said = match &job.phase {
        Phase::Reconnecting { attempt, .. } => {
            let attempt = if *attempt == 0 { String::new() } else { format!(", attempt {attempt}") };
            format!("reconnecting since {}{attempt}; it goes on where it was", ago(job.phase_since_ms))
        }
        Phase::Paused => format!("paused since {}; a savepoint is written", ago(job.phase_since_ms)),
        Phase::Stopping => format!("stopping since {}; what is in flight is finished", ago(job.phase_since_ms)),
        phase if phase.is_ending() => format!("{} {}, took {lasted}", rows::state(phase), ago(job.phase_since_ms)),
        phase => format!("{} for {lasted}", rows::state(phase)),
    };
    document.fact("state", &format!("{} {said}", rows::sign(&job.phase)), theme.role(role), theme);
    document.fact("started", &time::full(job.since_ms, view.zone), theme.role(Role::Text), theme);
    match &job.phase {
        Phase::Failed(fault) | Phase::Reconnecting { fault, .. } => {
            document.fault(fault, 4, theme.role(role), theme);
        }
        Phase::Panicked(message) => {
            let words = format!("a defect of this program, the rest goes on: {message}");
            document.wrapped(&words, 4, theme.role(Role::Danger));
        }
        _ => {}
    }
}

fn of_run(document: &mut Document, job: &Job, run: &Run, theme: &Theme) {
    let progress = &run.progress;
    let total = progress.total();
    let grouped = number::grouped;
    let ended_well = if run.request.dry_run { "rendered" } else { "acknowledged" };
    let counts = format!(
        "{} planned · {} {ended_well} · {} failed · {} not sent · {} open",
        grouped(total.planned),
        grouped(total.acknowledged),
        grouped(total.failed),
        grouped(total.not_sent),
        grouped(total.open())
    );
    document.fact("events", &counts, theme.role(Role::Text), theme);
    let bytes: u64 = progress.pairs.iter().map(|pair| pair.bytes).sum();
    let rate = match &run.report {
        Some(report) => format!("{} over the whole run", number::rate(report.events_per_second)),
        None => number::rate(progress.events_per_second),
    };
    document.fact("rate", &format!("{rate} · {}", number::bytes(bytes)), theme.role(Role::Text), theme);
    if run.request.dry_run {
        document.fact("dry run", "no connection is opened and nothing is sent", theme.role(Role::Muted), theme);
    }
    pipeline::draw(document, run, theme);
    pairs(document, job, run, theme);
    causes(document, run, theme);
    timings(document, run, theme);
}

fn pairs(document: &mut Document, job: &Job, run: &Run, theme: &Theme) {
    let progress = &run.progress;
    if progress.pairs.is_empty() {
        let why = match job.phase.is_ending() {
            true => "it ended before its plan was known",
            false => "waiting for its plan",
        };
        return document.section("Progress", why, theme);
    }
    document.section("Progress", "by ETL and environment", theme);
    let names: Vec<String> =
        progress.pairs.iter().map(|pair| format!("  {} {} {}", pair.etl, marks::ARROW, pair.environment)).collect();
    let widest = names.iter().map(|name| text::width(name)).max().unwrap_or(0);
    let name_cells = widest.min(PAIR_CELLS_MAX).min(document.cells() / 2) as u16;
    // The rate is known of the whole run; it says when a pair ends only where there is one.
    let per_second = match (progress.pairs.len(), job.phase.is_ending()) {
        (1, false) => progress.events_per_second,
        _ => 0.0,
    };
    for (pair, name) in progress.pairs.iter().zip(names) {
        let counts = &pair.counts;
        let progress = Progress {
            planned: counts.planned,
            done: counts.acknowledged,
            failed: counts.failed,
            not_sent: counts.not_sent,
            per_second,
        };
        document.gauge(Gauge { name, style: theme.environment(&pair.environment), name_cells, progress });
    }
}

fn causes(document: &mut Document, run: &Run, theme: &Theme) {
    let mut causes = std::collections::BTreeMap::<&str, u64>::new();
    for (cause, count) in run.progress.pairs.iter().flat_map(|pair| &pair.causes) {
        *causes.entry(cause).or_default() += count;
    }
    if causes.is_empty() {
        return;
    }
    document.section("Failures", "by cause", theme);
    let mut causes: Vec<(&str, u64)> = causes.into_iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let count_cells = causes.iter().map(|(_, count)| number::grouped(*count).len()).max().unwrap_or(0);
    for (cause, count) in causes.into_iter().take(CAUSES_MAX) {
        let room = document.cells().saturating_sub(count_cells + 4);
        for (at, words) in text::wrapped(cause, room.max(1)).into_iter().enumerate() {
            let count = if at == 0 { number::grouped(count) } else { String::new() };
            let entry = document.line(Line::from(vec![
                Span::styled(format!("  {count:>count_cells$}  "), theme.role(Role::Danger)),
                Span::styled(words, theme.role(Role::Text)),
            ]));
            entry.copied = Some(cause.to_owned());
        }
    }
}

fn timings(document: &mut Document, run: &Run, theme: &Theme) {
    let Some(report) = run.report.as_ref().filter(|report| !report.timings.is_empty()) else { return };
    document.section("Timings", "by step", theme);
    let line = |words: [&str; 6]| {
        let [step, rest @ ..] = words;
        format!("  {step:<12}{}", rest.map(|word| format!("{word:>11}")).concat())
    };
    document.line(Line::styled(line(["", "count", "p50", "p95", "p99", "max"]), theme.role(Role::Muted)));
    for timing in &report.timings {
        let latency = |us: u64| number::latency(us as f64);
        let words = [
            timing.step.as_str(),
            &number::grouped(timing.count),
            &latency(timing.p50_us),
            &latency(timing.p95_us),
            &latency(timing.p99_us),
            &latency(timing.max_us),
        ];
        document.line(Line::styled(line(words), theme.role(Role::Text)));
    }
}

fn of_tail(document: &mut Document, job: &Job, tail: &Tail, theme: &Theme) {
    let counts = &tail.counts;
    let grouped = number::grouped;
    let kept = match tail.not_shown() {
        0 => String::new(),
        _ => format!("; the newest {} are kept", grouped(tail.records.capacity() as u64)),
    };
    let read = format!(
        "read {} · matched {} · shown {} · not shown {}{kept}",
        grouped(counts.read),
        grouped(counts.matched),
        grouped(tail.records.len() as u64),
        grouped(tail.not_shown())
    );
    document.fact("records", &read, theme.role(Role::Text), theme);
    let rate = format!("{} · {} read", number::rate(job.rate), number::bytes(counts.bytes));
    document.fact("rate", &rate, theme.role(Role::Text), theme);
    let lag = match counts.lag {
        Some(lag) => format!("{} to the end of its topics", grouped(lag)),
        None => format!("{}, the brokers have not told the end of its topics yet", rows::UNKNOWN),
    };
    document.fact("lag", &lag, theme.role(Role::Text), theme);
    document.fact("topics", &tail.request.topics.join(", "), theme.role(Role::Text), theme);
    let again = match job.restarts {
        0 => "never lost its connection".to_owned(),
        1 => "once after a lost connection".to_owned(),
        times => format!("{times} times after a lost connection"),
    };
    document.fact("restarts", &again, theme.role(Role::Text), theme);
}

fn of_resend(document: &mut Document, job: &Job, planned: u64, theme: &Theme) {
    document.section("Progress", "", theme);
    let name = format!("  {planned} records {} {}", marks::ARROW, job.environment);
    let progress = Progress {
        planned,
        done: job.records.saturating_sub(job.errors),
        failed: job.errors,
        not_sent: 0,
        per_second: job.rate,
    };
    let name_cells = text::width(&name) as u16;
    document.gauge(Gauge { name, style: theme.environment(&job.environment), name_cells, progress });
}

fn of_generator(document: &mut Document, job: &Job, theme: &Theme) {
    let acknowledged = job.records.saturating_sub(job.errors);
    let counts = format!("{} acknowledged · {} failed", number::grouped(acknowledged), number::grouped(job.errors));
    document.fact("events", &counts, theme.role(Role::Text), theme);
    let rate = format!("{} · {} sent", number::rate(job.rate), number::bytes(job.bytes));
    document.fact("rate", &rate, theme.role(Role::Text), theme);
    quiet(document, "they go on until they are stopped: read them in pane 4", theme);
}

fn of_check(document: &mut Document, job: &Job, name: &str, view: &View<'_>) {
    let check = view.model.environment(name).and_then(|row| row.check.as_ref()).filter(|check| check.job == job.id);
    let open = view.keymap.chord_of(crate::ui::keys::OPEN).map_or("the palette".into(), |chord| chord.to_string());
    let words = match check {
        Some(check) => match check.current_step() {
            Some(step) => format!("{} steps ended, `{step}` is being tried; {open} shows them", check.steps.len()),
            None => format!("{} steps ended; {open} shows them", check.steps.len()),
        },
        None => "a newer check of this environment has taken its place".to_owned(),
    };
    quiet(document, &words, view.theme);
}

fn log(document: &mut Document, job: &Job, view: &View<'_>) {
    let theme = view.theme;
    if job.log.is_empty() {
        return document.section("Log", "nothing said yet", theme);
    }
    let older = match job.log.dropped() {
        0 => String::new(),
        older => format!("; {} older lines are in the file", number::grouped(older)),
    };
    document.section("Log", &format!("newest first{older}"), theme);
    for line in job.log.iter().rev() {
        let role = match line.level {
            Level::Error => Role::Danger,
            Level::Warn => Role::Warning,
            _ => Role::Muted,
        };
        let at = time::clock(line.at_ms, view.zone);
        let before = at.len() + 10;
        for (row, words) in
            text::wrapped(&line.message, document.cells().saturating_sub(before).max(1)).into_iter().enumerate()
        {
            let (at, level) = if row == 0 { (at.as_str(), line.level.name()) } else { ("", "") };
            let entry = document.line(Line::from(vec![
                Span::styled(format!("  {at:<8}"), theme.role(Role::Muted)),
                Span::styled(format!("  {level:<5} "), theme.role(role)),
                Span::styled(words, theme.role(Role::Text)),
            ]));
            entry.copied = Some(line.message.clone());
        }
    }
}
