//! One environment in full: what is missing or wrong, connection, health check step by step, every setting with its origin.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::app::model::environments::{EnvironmentRow, HealthCheck, Setting, StepOutcome};
use crate::core::environment::Guard;
use crate::core::job::Phase;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::document::Document;
use crate::ui::widgets::{number, text, time};

/// Title of the section that a check reveals.
pub const HEALTH: &str = "Health";

/// Fewest cells in which a path, a value or an origin can be told from another.
const COLUMN_CELLS_MIN: usize = 12;
/// Cells of the name of a step, the longest being `produce and consume`.
const STEP_CELLS: usize = 19;

/// The lines of an environment.
pub fn document(row: &EnvironmentRow, view: &View<'_>, cells: u16) -> Document {
    let mut document = Document::new(cells);
    heading(&mut document, row, view);
    faults(&mut document, row, view.theme);
    missing(&mut document, row, view);
    if row.faults.is_empty() {
        connection(&mut document, row, view);
    }
    health(&mut document, row, view);
    settings(&mut document, row, view.theme);
    document
}

fn heading(document: &mut Document, row: &EnvironmentRow, view: &View<'_>) {
    let theme = view.theme;
    let is_active = view.model.active.as_deref() == Some(row.name.as_str());
    let active = if is_active { "  active" } else { "" };
    let room = document.cells().saturating_sub(text::width(&row.name) + text::width(active) + 2);
    document.line(Line::from(vec![
        Span::styled(row.name.clone(), theme.environment(&row.name).add_modifier(Modifier::BOLD)),
        Span::styled(active, theme.role(Role::Accent)),
        Span::styled(format!("  {}", text::fit(&row.description, room)), theme.role(Role::Muted)),
    ]));
}

fn faults(document: &mut Document, row: &EnvironmentRow, theme: &Theme) {
    if row.faults.is_empty() {
        return;
    }
    document.section("Broken", "the other environments are not touched by it", theme);
    for fault in &row.faults {
        document.fault(fault, 2, theme.role(Role::Danger), theme);
    }
}

fn missing(document: &mut Document, row: &EnvironmentRow, view: &View<'_>) {
    if row.missing.is_empty() {
        return;
    }
    let theme = view.theme;
    document.section("Not set", "needed to connect; previews and dry runs work without", theme);
    let name_cells = row.missing.iter().map(|missing| text::width(&missing.variable)).max().unwrap_or(0);
    let path_cells = row.missing.iter().map(|missing| text::width(&missing.path)).max().unwrap_or(0);
    for missing in &row.missing {
        let place = missing.place.to_string();
        let file = place.rsplit('/').next().unwrap_or(&place);
        let used = format!("  {:<path_cells$}  {file}", missing.path);
        let room = document.cells().saturating_sub(name_cells + 4);
        let line = Line::from(vec![
            Span::styled(format!("    {:<name_cells$}", missing.variable), theme.role(Role::Warning)),
            Span::styled(text::fit(&used, room).into_owned(), theme.role(Role::Muted)),
        ]);
        let entry = document.line(line);
        entry.place = Some(missing.place.clone());
        entry.copied = Some(format!("{}=", missing.variable));
    }
    let reload = super::chord(view, crate::ui::keys::RELOAD);
    let words = format!(
        "Put NAME=value into .env and press {reload}, which reads everything again; or export it before the console starts."
    );
    document.wrapped(&words, 4, theme.role(Role::Text));
}

fn connection(document: &mut Document, row: &EnvironmentRow, view: &View<'_>) {
    let theme = view.theme;
    let plain = theme.role(Role::Text);
    let ago = |at_ms: i64| time::since(view.model.now_ms, at_ms, view.zone);
    let connection = &row.connection;
    document.section("Connection", "", theme);
    let mut said = format!("{} {}", super::rows::sign(connection.state), connection.state.name());
    // A state that was never changed has no time.
    if connection.since_ms > 0 {
        let lasts_ms = u64::try_from(view.model.now_ms - connection.since_ms).unwrap_or(0);
        said.push_str(&format!(" for {}", time::span(lasts_ms / 1_000 * 1_000).replace("0 ms", "less than a second")));
    }
    if let Some(ms) = connection.round_trip_ms {
        said.push_str(&format!(", answers in {}", number::latency(ms * 1_000.0)));
    }
    document.fact("state", &said, theme.role(super::rows::state_role(row)), theme);
    if let Some(trying) = &connection.trying {
        document.wrapped(trying, 4, theme.role(Role::Muted));
    }
    if let Some(fault) = &connection.fault {
        document.fault(fault, 4, theme.role(Role::Danger), theme);
        let connect = super::chord(view, super::CONNECT);
        let next = match connection.attempt {
            0 => format!("not tried again by itself; {connect} tries once more"),
            attempt => format!("attempt {attempt} failed; it is tried again by itself, {connect} stops that"),
        };
        document.wrapped(&next, 4, theme.role(Role::Muted));
    }
    let times = [
        ("created", connection.created_ms),
        ("connected", connection.connected_ms),
        ("last answer", connection.last_activity_ms),
    ];
    let times: Vec<String> =
        times.iter().filter_map(|(word, at_ms)| at_ms.map(|at_ms| format!("{word} {}", ago(at_ms)))).collect();
    if !times.is_empty() {
        document.fact("times", &times.join(" · "), plain, theme);
    }
    let brokers = connection.brokers.map_or(String::new(), |(up, all)| format!("{up} of {all} up at "));
    document.fact("brokers", &format!("{brokers}{}", row.bootstrap), plain, theme);
    document.fact("protocol", &super::rows::protocol(row), plain, theme);
    let guard = match row.guard {
        Guard::None => "none: writing asks nothing",
        Guard::Confirm => "confirm: writing shows a summary and asks",
        Guard::Typed => "typed: writing asks for its name",
        Guard::ReadOnly => "read_only: writing is refused",
    };
    let guard = match view.model.lifted_minutes(&row.name).filter(|_| row.guard == Guard::ReadOnly) {
        Some(minutes) => format!(
            "read_only, lifted for {} more: writing asks for its name",
            number::counted(minutes.unsigned_abs(), "minute")
        ),
        None => guard.to_owned(),
    };
    document.fact("guard", &guard, plain, theme);
}

fn health(document: &mut Document, row: &EnvironmentRow, view: &View<'_>) {
    let theme = view.theme;
    let Some(check) = &row.check else {
        if row.faults.is_empty() {
            document.section(HEALTH, &format!("never checked; {} checks it", super::chord(view, super::CHECK)), theme);
        }
        return;
    };
    document.section(HEALTH, &outcome(check, view), theme);
    for step in &check.steps {
        let (sign, role, words) = match &step.outcome {
            StepOutcome::Passed(found) => (marks::DONE, Role::Success, found.as_str()),
            StepOutcome::Skipped(why) => (marks::OFF, Role::Muted, why.as_str()),
            StepOutcome::Failed(_) => (marks::FAILED, Role::Danger, ""),
        };
        let took = match step.outcome {
            StepOutcome::Skipped(_) => "skipped".to_owned(),
            _ if step.took_ms < 1.0 => "< 1 ms".to_owned(),
            _ => number::latency(step.took_ms * 1_000.0),
        };
        step_line(document, (sign, role), &step.name, (&took, Role::Text), words, theme);
        if let StepOutcome::Failed(fault) = &step.outcome {
            document.fault(fault, 4, theme.role(Role::Danger), theme);
        }
    }
    if let Some(step) = check.current_step() {
        let tried_ms = u64::try_from(view.model.now_ms - check.current_since_ms()).unwrap_or(0);
        let took = time::span(tried_ms);
        step_line(document, (marks::HALF, Role::Warning), step, (&took, Role::Warning), "waiting for an answer", theme);
    }
    let told = check.steps.iter().any(|step| matches!(step.outcome, StepOutcome::Failed(_)));
    match &check.phase {
        Phase::Failed(fault) if !told => document.fault(fault, 4, theme.role(Role::Danger), theme),
        Phase::Panicked(message) => {
            document.wrapped(&format!("a defect of this program: {message}"), 4, theme.role(Role::Danger));
        }
        _ => {}
    }
}

fn step_line(
    document: &mut Document,
    (sign, role): (&str, Role),
    name: &str,
    (took, took_role): (&str, Role),
    words: &str,
    theme: &Theme,
) {
    let room = document.cells().saturating_sub(4 + STEP_CELLS + 11);
    document.line(Line::from(vec![
        Span::styled(format!("  {sign} "), theme.role(role)),
        Span::styled(format!("{name:<STEP_CELLS$}"), theme.role(Role::Text)),
        Span::styled(format!("{took:>9}"), theme.role(took_role)),
        Span::styled(format!("  {}", text::fit(words, room)), theme.role(Role::Muted)),
    ]));
}

fn outcome(check: &HealthCheck, view: &View<'_>) -> String {
    let begun = time::since(view.model.now_ms, check.at_ms, view.zone);
    let took_ms = check.steps.iter().map(|step| step.took_ms).sum::<f64>() as u64;
    match &check.phase {
        Phase::Done => format!("well, checked {begun}, took {}", time::span(took_ms)),
        Phase::Failed(_) | Phase::Panicked(_) => format!("not well, checked {begun}"),
        Phase::Stopped => format!("stopped before its end, begun {begun}"),
        _ => format!("being checked, begun {begun}"),
    }
}

/// Settings by section, with name, value and origin under each other; what is too wide gives way where it tells least.
fn settings(document: &mut Document, row: &EnvironmentRow, theme: &Theme) {
    if row.settings.is_empty() {
        return;
    }
    document.section("Settings in force", &row.file, theme);
    let folder = row.file.rfind('/').map_or("", |at| &row.file[..=at]);
    let origins: Vec<String> = row.settings.iter().map(|setting| short(setting, folder)).collect();
    let shown: Vec<[&str; 3]> = row
        .settings
        .iter()
        .zip(&origins)
        .map(|(setting, origin)| [section_and_name(&setting.path).1, &*setting.value, &**origin])
        .collect();
    let widest = |column: usize| shown.iter().map(|words| text::width(words[column])).max().unwrap_or(0);
    let widths = shared(document.cells().saturating_sub(8), [widest(0), widest(1), widest(2)]);
    let mut sections: Vec<&str> = Vec::new();
    for setting in &row.settings {
        let section = section_and_name(&setting.path).0;
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    for section in sections {
        if !section.is_empty() {
            document.line(Line::styled(format!("  {section}"), theme.role(Role::Accent)));
        }
        let of_section = |setting: &Setting| section_and_name(&setting.path).0 == section;
        for (setting, words) in row.settings.iter().zip(&shown).filter(|(setting, _)| of_section(setting)) {
            let role = if setting.origin == "default" { Role::Muted } else { Role::Text };
            // What has no section stands two cells further to the left; its value stands under the others.
            let (before, more) = if section.is_empty() { ("", 2) } else { ("  ", 0) };
            let room = widths[0] + more;
            let name = theme.role(Role::Muted);
            let rest = [
                cell(&text::fit(words[1], widths[1]), widths[1], theme.role(role)),
                cell(&text::fit(words[2], widths[2]), widths[2], theme.role(Role::Muted)),
            ];
            let mut tell = |line: Vec<Span<'static>>| {
                let entry = document.line(Line::from(line));
                entry.place.clone_from(&setting.place);
                entry.copied = Some(setting.value.clone());
            };
            // A name is never cut: where it has no room beside the others it stands above them.
            let has_room = text::width(words[0]) <= room;
            if !has_room {
                tell(vec![Span::raw(before), cell(words[0], 0, name)]);
            }
            let named = if has_room { words[0] } else { "" };
            tell([Span::raw(before), cell(named, room, name)].into_iter().chain(rest).collect());
        }
    }
}

/// `kafka.sasl.username` as `kafka.sasl` and `username`.
fn section_and_name(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

fn cell(words: &str, cells: usize, style: Style) -> Span<'static> {
    Span::styled(format!("  {words}{:1$}", "", cells.saturating_sub(text::width(words))), style)
}

/// The origin without the folder that all environments are in, which the section's title says, and without the column.
fn short(setting: &Setting, folder: &str) -> String {
    let origin = setting.origin.strip_prefix(folder).filter(|rest| !rest.is_empty()).unwrap_or(&setting.origin);
    let column = setting.place.as_ref().filter(|place| place.column > 0).map(|place| format!(":{}", place.column));
    let line = column.and_then(|column| origin.strip_suffix(&column)).unwrap_or(origin);
    // The place first: where the variable's name is cut, it still says where to look.
    match line.split_once(" in ") {
        Some((variable, "the process environment")) => format!("process {variable}"),
        Some((variable, place)) => format!("{place} {variable}"),
        None => line.to_owned(),
    }
}

/// Widths of name, value and origin in a room: the name keeps what it wants, up to two of five, and more where the others can be
/// told apart in the rest; of those the wider gives way.
fn shared(room: usize, [name, value, origin]: [usize; 3]) -> [usize; 3] {
    let least = value.min(COLUMN_CELLS_MIN) + origin.min(COLUMN_CELLS_MIN);
    let name = name.min((room * 2 / 5).max(room.saturating_sub(least)).max(COLUMN_CELLS_MIN));
    let mut most = value.max(origin);
    while most > COLUMN_CELLS_MIN && value.min(most) + origin.min(most) > room.saturating_sub(name) {
        most -= 1;
    }
    [name, value.min(most), origin.min(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stays_and_the_wider_of_the_others_gives_way() {
        assert_eq!(shared(100, [20, 30, 40]), [20, 30, 40]);
        assert_eq!(shared(70, [20, 10, 60]), [20, 10, 40]);
        assert_eq!(shared(70, [20, 30, 40]), [20, 25, 25]);
        assert_eq!(
            shared(44, [20, 30, 40]),
            [20, 12, 12],
            "a name has more than two of five where the rest can be read"
        );
        assert_eq!(shared(20, [20, 30, 40]), [12, 12, 12], "never narrower than can be read");
    }
}
