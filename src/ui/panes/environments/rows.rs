//! Environments as rows of a list: state, answer, brokers, last check, guard.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::style::{Modifier, Style};

use crate::app::model::environments::{ConnectionState, EnvironmentRow, HealthCheck};
use crate::core::environment::Guard;
use crate::core::job::Phase;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::listing::Rows;
use crate::ui::widgets::table::Column;
use crate::ui::widgets::{number, time};

/// Protocol and bootstrap leave first: the detail has them in full, and the others change or warn.
pub const COLUMNS: [Column; 9] = [
    Column::words("", 1),
    Column::words("name", 9).grows(2),
    Column::words("state", 15),
    Column::number("answer", 7).gives_way(2),
    Column::number("brokers", 7).gives_way(4),
    Column::words("last check", 10).gives_way(3),
    Column::words("guard", 9).gives_way(1),
    Column::words("protocol", 22).gives_way(5),
    Column::words("bootstrap", 24).grows(3).gives_way(6),
];

/// The rows.
pub struct Shown<'a> {
    /// What is looked at.
    pub view: &'a View<'a>,
}

impl Shown<'_> {
    fn row(&self, row: usize) -> &EnvironmentRow {
        &self.view.model.environments[row]
    }
}

impl Rows for Shown<'_> {
    fn count(&self) -> usize {
        self.view.model.environments.len()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        let model = self.view.model;
        let row = self.row(row);
        match column {
            0 if model.active.as_deref() == Some(row.name.as_str()) => marks::BAR.into(),
            0 => "".into(),
            1 => row.name.as_str().into(),
            2 => state(row),
            3 => match row.connection.round_trip_ms {
                Some(ms) => number::latency(ms * 1_000.0).into(),
                None => "".into(),
            },
            4 => match row.connection.brokers {
                Some((up, all)) => format!("{up}/{all}").into(),
                None => "".into(),
            },
            5 => check(row, self.view),
            6 => match self.view.model.lifted_minutes(&row.name) {
                Some(minutes) if row.guard == Guard::ReadOnly => format!("{minutes} m left").into(),
                _ => guard(row.guard).into(),
            },
            7 => protocol(row).into(),
            _ => row.bootstrap.as_str().into(),
        }
    }

    fn style(&self, row: usize, column: usize, theme: &Theme) -> Style {
        let model = self.view.model;
        let row = self.row(row);
        match column {
            0 | 1 if model.active.as_deref() == Some(row.name.as_str()) => {
                theme.environment(&row.name).add_modifier(Modifier::BOLD)
            }
            0 | 1 => theme.environment(&row.name),
            2 => theme.role(state_role(row)),
            4 => match row.connection.brokers {
                Some((up, all)) if up < all => theme.role(Role::Warning),
                _ => theme.role(Role::Text),
            },
            5 => match &row.check {
                Some(check) if check.is_running() => theme.role(Role::Warning),
                Some(check) if check.is_healthy() => theme.role(Role::Success),
                Some(HealthCheck { phase: Phase::Stopped, .. }) | None => theme.role(Role::Muted),
                Some(_) => theme.role(Role::Danger),
            },
            6 => match row.guard {
                Guard::None => theme.role(Role::Muted),
                Guard::Confirm => theme.role(Role::Text),
                Guard::Typed | Guard::ReadOnly => theme.role(Role::Warning),
            },
            7 | 8 => theme.role(Role::Muted),
            _ => theme.role(Role::Text),
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let row = self.row(row);
        match column {
            3 => row.connection.round_trip_ms,
            4 => row.connection.brokers.map(|(up, _)| f64::from(up)),
            _ => None,
        }
    }

    fn is_numeric(&self, column: usize) -> bool {
        matches!(column, 3 | 4)
    }

    fn identity(&self, row: usize) -> u64 {
        identity(&self.row(row).name)
    }
}

/// A name as a number that stays the same while rows come and go.
pub fn identity(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Protocol and mechanism.
pub fn protocol(row: &EnvironmentRow) -> String {
    match &row.mechanism {
        Some(mechanism) => format!("{} {mechanism}", row.protocol),
        None => row.protocol.clone(),
    }
}

/// The mark of a connection's state.
pub fn sign(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connected => marks::ON,
        ConnectionState::Connecting | ConnectionState::Disconnecting => marks::HALF,
        ConnectionState::Disconnected => marks::OFF,
        ConnectionState::Error => marks::FAILED,
    }
}

fn state(row: &EnvironmentRow) -> Cow<'_, str> {
    match (row.faults.len(), row.missing.len(), row.connection.state) {
        (1.., _, _) => format!("{} broken file", marks::FAILED).into(),
        (0, missing @ 1.., ConnectionState::Disconnected) => format!("{} {missing} not set", marks::OFF).into(),
        (0, _, ConnectionState::Error) if row.connection.attempt > 0 => {
            format!("{} error, try {}", marks::FAILED, row.connection.attempt).into()
        }
        (0, _, state) => format!("{} {}", sign(state), state.name()).into(),
    }
}

/// How a state looks.
pub fn state_role(row: &EnvironmentRow) -> Role {
    match (row.faults.is_empty(), row.missing.is_empty(), row.connection.state) {
        (false, _, _) | (_, _, ConnectionState::Error) => Role::Danger,
        (_, _, ConnectionState::Connected) => Role::Success,
        (_, _, ConnectionState::Connecting | ConnectionState::Disconnecting) => Role::Warning,
        (_, false, ConnectionState::Disconnected) => Role::Warning,
        (_, true, ConnectionState::Disconnected) => Role::Muted,
    }
}

fn check<'a>(row: &EnvironmentRow, view: &View<'_>) -> Cow<'a, str> {
    let Some(check) = &row.check else { return "".into() };
    if let Some(step) = check.current_step() {
        return format!("{} {step}", marks::HALF).into();
    }
    let sign = match check.phase {
        Phase::Stopped => marks::OFF,
        _ if check.is_healthy() => marks::DONE,
        _ => marks::FAILED,
    };
    format!("{sign} {}", time::since(view.model.now_ms, check.at_ms, view.zone)).into()
}

/// A guard as the file spells it.
pub fn guard(guard: Guard) -> &'static str {
    match guard {
        Guard::None => "none",
        Guard::Confirm => "confirm",
        Guard::Typed => "typed",
        Guard::ReadOnly => "read_only",
    }
}
