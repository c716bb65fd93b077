//! A job of operators in full: what holds of it, its pipeline, its SQL and what is in effect. Values of the model only.

use ratatui::text::Line;

use super::rows;
use crate::app::model::Model;
use crate::app::model::jobs::Job;
use crate::app::model::pipeline::{Checkpoint, Drawn};
use crate::sql::deploy::definition::Definition;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::document::Document;
use crate::ui::widgets::pipeline::{self, Picture};
use crate::ui::widgets::{number, time};

/// What a live query is, and its pipeline.
pub fn of_query(document: &mut Document, job: &Job, view: &View<'_>) {
    let theme = view.theme;
    if let Some(query) = view.model.queries.get(&job.id) {
        let grouped = number::grouped;
        let counts = match query.is_changelog() {
            false => format!(
                "{} made · {} shown · {} not shown",
                grouped(query.made()),
                grouped(query.shown),
                grouped(query.skipped)
            ),
            true => {
                let pipeline = view.model.pipelines.get(&job.id).map(|drawn| &*drawn.pipeline);
                format!(
                    "{} rows · {} changes, {} of them overwritten before they were drawn",
                    grouped(query.rows_now(pipeline)),
                    grouped(query.made()),
                    grouped(query.skipped)
                )
            }
        };
        document.fact("rows", &counts, theme.role(Role::Text), theme);
    }
    if let Some(drawn) = view.model.pipelines.get(&job.id) {
        measured(document, drawn, view);
    }
}

/// What a deployed job is, how it does, and its pipeline.
pub fn of_deployed(document: &mut Document, job: &Job, definition: &Definition, view: &View<'_>) {
    let (theme, model) = (view.theme, view.model);
    let interval = time::span(definition.checkpoint_interval_ms);
    let checkpoint = match job.checkpoint {
        Some(Checkpoint { epoch, at_ms, bytes, .. }) => {
            let size = if bytes > 0 { format!(", {}", number::bytes(bytes)) } else { String::new() };
            let from = if at_ms < job.since_ms && !job.phase.is_ending() { "goes on from " } else { "" };
            format!("{from}{epoch}, {}{size}; one every {interval}", time::since(model.now_ms, at_ms, view.zone))
        }
        None => format!("none yet; one every {interval}"),
    };
    document.fact("delivery", definition.delivery.name(), theme.role(Role::Text), theme);
    document.fact("checkpoint", &checkpoint, theme.role(Role::Text), theme);
    let again = match job.restarts {
        0 => "never lost its connection".to_owned(),
        1 => "once after a lost connection".to_owned(),
        times => format!("{times} times after a lost connection"),
    };
    document.fact("restarts", &again, theme.role(Role::Text), theme);
    if let Some(holder) = model.deployments.holder(&definition.name) {
        document.fact("run by", &holder.to_string(), theme.role(Role::Warning), theme);
    }
    match model.pipelines.get(&job.id) {
        Some(drawn) => measured(document, drawn, view),
        None => unmeasured(document, job, model, definition, theme),
    }
}

/// What follows the log: the statement, and what is in effect.
pub fn written(document: &mut Document, job: &Job, definition: &Definition, view: &View<'_>) {
    let theme = view.theme;
    document.section("SQL", "", theme);
    for line in definition.shown_statement().lines() {
        document.wrapped(line, 2, theme.role(Role::Text));
    }
    let known = view.model.deployments.configurations.get(&job.id);
    document.section(
        "Configuration",
        if known.is_some() { "" } else { "its options are known while it runs here" },
        theme,
    );
    let engine = [
        ("environment".to_owned(), definition.environment.clone()),
        ("delivery".to_owned(), definition.delivery.name().to_owned()),
        ("checkpoint interval".to_owned(), time::span(definition.checkpoint_interval_ms)),
        ("runs as".to_owned(), definition.run_name()),
    ];
    for (key, value) in engine.iter().chain(known.into_iter().flatten()) {
        document.wrapped(&format!("{key} = {value}"), 2, theme.role(Role::Text));
    }
}

fn unmeasured(document: &mut Document, job: &Job, model: &Model, definition: &Definition, theme: &Theme) {
    let words = match (model.deployments.holder(&definition.name), job.phase.is_ending()) {
        (Some(_), _) => "its operators are measured where it runs",
        (None, true) => "it does not run: start it again to see its pipeline",
        (None, false) => "its sources are being opened",
    };
    let counts = format!(
        "{} read · {} failed · {} late",
        number::grouped(job.records),
        number::grouped(job.errors),
        number::grouped(job.late)
    );
    document.fact("rows", &counts, theme.role(Role::Text), theme);
    document.wrapped(words, 2, theme.role(Role::Muted));
}

fn measured(document: &mut Document, drawn: &Drawn, view: &View<'_>) {
    let (theme, now) = (view.theme, &drawn.pipeline);
    let since =
        now.went_on_ms.map(|at_ms| format!(", since it went on {}", time::since(view.model.now_ms, at_ms, view.zone)));
    let rows = format!(
        "{} read · {} written · {} late · {} failed{}",
        number::grouped(now.rows_read),
        number::grouped(now.rows_written),
        number::grouped(now.late),
        number::grouped(now.bad),
        since.unwrap_or_default()
    );
    let role = if now.bad > 0 { Role::Danger } else { Role::Text };
    document.fact("operators", &rows, theme.role(role), theme);
    if 0 < now.dead_letters {
        let again = match now.dead_letter_retries {
            0 => String::new(),
            times => format!(" · retries {}", number::grouped(times)),
        };
        let sent = format!("{} of the failed records{again}", number::grouped(now.dead_letters));
        document.fact("to the DLQ", &sent, theme.role(Role::Warning), theme);
    }
    let lag = now.lag.map_or(rows::UNKNOWN.to_owned(), |lag| format!("{} records", number::grouped(lag)));
    let state = number::bytes(now.state_bytes);
    document.fact("lag", &format!("{lag} · state {state}"), theme.role(Role::Text), theme);
    document.section("Pipeline", "from the sources to the sink", theme);
    let cells = document.cells().saturating_sub(2);
    for line in pipeline::lines(Picture::live(drawn, view.model.now_ms), cells, theme) {
        let mut spans = vec![ratatui::text::Span::raw("  ")];
        spans.extend(line.spans);
        document.line(Line::from(spans));
    }
}
