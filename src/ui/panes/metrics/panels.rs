//! The four charts of a scope: which series they draw, in which colour, and what they say where there is nothing.

use crate::app::model::Model;
use crate::app::model::metrics::{Measure, Scope};
use crate::core::series::{Point, Span};
use crate::ui::keys;
use crate::ui::pane::View;
use crate::ui::panes::{etls, tail};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::chart::{Chart, Curve};
use crate::ui::widgets::number;

/// Readers whose lag is told apart: as many as there are colours of charts.
const READERS_MAX: usize = 6;

/// A chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// Events sent and records read, a second.
    Throughput,
    /// Time from send to acknowledgement.
    Latency,
    /// Failed events a second.
    Errors,
    /// Records between a reader and the end of its topics.
    LagRecords,
    /// The same in seconds at the present rate.
    LagSeconds,
}

impl Panel {
    /// The four that are shown, lag as asked for.
    pub fn all(lag_in_seconds: bool) -> [Self; 4] {
        let lag = if lag_in_seconds { Self::LagSeconds } else { Self::LagRecords };
        [Self::Throughput, Self::Latency, Self::Errors, lag]
    }

    /// Headline.
    pub fn title(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::Errors => "errors",
            Self::LagRecords => "consumer lag, records",
            Self::LagSeconds => "consumer lag, seconds",
        }
    }

    /// Why there is nothing, and which keys change that.
    pub fn empty(self, view: &View<'_>) -> String {
        let key = |command| view.keymap.chord_of(command).map_or("the palette".into(), |chord| chord.to_string());
        let runs = || format!("{}, then {}, runs an ETL", key(keys::PANE_ETLS), key(etls::RUN));
        let reads = || format!("{}, then {}, reads a topic", key(keys::PANE_TAIL), key(tail::PICK));
        match self {
            Self::Throughput => format!("nothing was sent or read in this time: {}; {}", runs(), reads()),
            Self::Latency => format!("no acknowledgement in this time: {}, which measures it", runs()),
            Self::Errors => format!("nothing was sent in this time: {}", runs()),
            Self::LagRecords => format!("no reader in this time: {}", reads()),
            Self::LagSeconds => format!("no reader that moved in this time: {}", reads()),
        }
    }

    fn say(self) -> fn(f64) -> String {
        match self {
            Self::Throughput | Self::Errors => number::rate,
            Self::Latency => |ms| number::latency(ms * 1_000.0),
            Self::LagRecords => number::short,
            Self::LagSeconds => |seconds| number::latency(seconds * 1_000_000.0),
        }
    }

    /// The curves of a scope with their names.
    pub fn curves(self, scope: &Scope, span: Span, model: &Model, theme: &Theme) -> Vec<(String, Curve<'static>)> {
        let now_s = model.now_ms / 1_000;
        let curve = |name: &str, of: &Scope, measure: Measure, role: Role| {
            let points = model.metrics.series(of, measure).map(|series| {
                series.points(span, now_s).map(|point| (point.at_s as f64, said(point, measure))).collect()
            });
            let style = theme.role(role);
            (name.to_owned(), Curve { name: "", style, points: points.unwrap_or_default() })
        };
        match self {
            Self::Throughput => {
                let ways =
                    [("sent", Measure::SentPerSecond, Role::Chart1), ("read", Measure::ReadPerSecond, Role::Chart2)];
                let moved = ways.into_iter().filter(|(_, measure, _)| model.metrics.series(scope, *measure).is_some());
                moved.map(|(name, measure, role)| curve(name, scope, measure, role)).collect()
            }
            // A rate of nothing is no rate.
            Self::Errors if model.metrics.totals.get(scope).is_none_or(|totals| totals.events == 0) => Vec::new(),
            Self::Errors => {
                let (name, mut failed) = curve("failed", scope, Measure::ErrorsPerSecond, Role::Danger);
                // Colour is for state: nothing has failed.
                if failed.points.iter().all(|(_, failed)| *failed == 0.0) {
                    failed.style = theme.role(Role::Muted);
                }
                vec![(name, failed)]
            }
            Self::Latency => vec![
                curve("p50", scope, Measure::LatencyP50Ms, Role::Chart1),
                curve("p99", scope, Measure::LatencyP99Ms, Role::Chart3),
            ],
            Self::LagRecords | Self::LagSeconds => {
                let measure = if self == Self::LagRecords { Measure::LagRecords } else { Measure::LagSeconds };
                let readers = readers(scope, measure, model).take(READERS_MAX).enumerate();
                readers.map(|(at, (name, reader))| curve(&name, reader, measure, Role::chart(at))).collect()
            }
        }
    }

    /// The chart of these curves.
    pub fn chart<'a>(
        self,
        curves: &'a [Curve<'a>],
        (span, cursor): (Span, Option<f64>),
        empty: &'a str,
        view: &'a View<'_>,
    ) -> Chart<'a> {
        Chart {
            title: self.title(),
            curves,
            window: window(span, view.model),
            step: span.step_seconds() as f64,
            say: self.say(),
            zone: view.zone,
            cursor,
            empty,
        }
    }
}

/// First and last second of a span that ends now.
pub fn window(span: Span, model: &Model) -> (f64, f64) {
    let now_s = model.now_ms / 1_000;
    ((now_s - span.seconds()) as f64, now_s as f64)
}

/// A point as its chart shows it: the worst of a delay, the mean of a rate.
fn said(point: &Point, measure: Measure) -> f64 {
    match measure {
        Measure::LatencyP99Ms | Measure::LagRecords | Measure::LagSeconds => point.max,
        _ => point.mean(),
    }
}

/// Jobs of a scope that have a lag, newest first, with their names.
fn readers<'m>(scope: &Scope, measure: Measure, model: &'m Model) -> impl Iterator<Item = (String, &'m Scope)> {
    let series = model.metrics.series.keys().rev().filter(move |(_, one)| *one == measure);
    series.filter_map(move |(of, _)| {
        let Scope::Job(id) = of else { return None };
        let job = model.jobs.get(id);
        // What was closed has no lag any more; looked at alone it shows the one it had.
        if scope != of && job.is_none_or(|job| job.phase.is_ending()) {
            return None;
        }
        let belongs = match scope {
            Scope::Total => true,
            Scope::Environment(name) => job.is_some_and(|job| job.environment == *name),
            Scope::Job(wanted) => wanted == id,
            Scope::Etl(_) => false,
        };
        belongs.then(|| (job.map_or_else(|| format!("job {}", id.0), |job| job.name.clone()), of))
    })
}
