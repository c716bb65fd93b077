//! Pane 5: measures over time and totals since the session began, of everything, an environment, an ETL or a job.

mod panels;
mod totals;

use ratatui::Frame;
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Constraint, Layout, Position, Rect};

use crate::app::action::PaneId;
use crate::app::model::Model;
use crate::app::model::metrics::Scope;
use crate::core::series::Span;
use crate::ui::keymap::{Binding, Command};
use crate::ui::keys;
use crate::ui::pane::{Pane, Press, Reply, View};
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::chart::{self, Curve};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::listing::Listing;
use crate::ui::widgets::table::{self, Look};
use crate::ui::widgets::{text, time};

use panels::Panel;
use totals::{COLUMNS, TotalRows};

const SPAN: Command = Command("metrics.span");
const ONE: Command = Command("metrics.one_chart");
const LAG: Command = Command("metrics.lag");
const BEFORE: Command = Command("metrics.before");
const AFTER: Command = Command("metrics.after");

const KEYS: &[Binding] = &[
    Binding::new(SPAN, &["t"], "how far back"),
    Binding::new(ONE, &["m"], "one or all"),
    Binding::new(LAG, &["u"], "lag unit"),
    Binding::new(BEFORE, &["Left"], "read the charts a point before"),
    Binding::new(AFTER, &["Right"], "a point after"),
];

/// Lines of totals, with titles and count: at least three rows, at most as many as leave the charts their shape.
const TOTALS_LINES: [u16; 2] = [5, 12];

/// The pane.
#[derive(Debug)]
pub struct MetricsPane {
    listing: Listing,
    span: Span,
    /// Which chart has the whole room; none shows all four.
    one: Option<usize>,
    lag_in_seconds: bool,
    /// Second that all charts are read at; none reads the newest.
    cursor: Option<f64>,
    /// Where charts were drawn.
    charts: Vec<Rect>,
}

impl Default for MetricsPane {
    fn default() -> Self {
        Self {
            listing: Listing::default(),
            span: Span::Minute,
            one: None,
            lag_in_seconds: false,
            cursor: None,
            charts: Vec::new(),
        }
    }
}

impl Pane for MetricsPane {
    fn id(&self) -> PaneId {
        PaneId::Metrics
    }

    fn title(&self) -> &'static str {
        "Metrics"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn footer(&self) -> Vec<Command> {
        if self.takes_text() {
            return vec![keys::BACK];
        }
        if self.listing.selected().is_none() {
            return keys::without_rows(self.listing.search(), &[SPAN, ONE, LAG]);
        }
        vec![SPAN, ONE, LAG, keys::FILTER, keys::SORT]
    }

    fn not_here(&self) -> &'static [Command] {
        &[keys::OPEN, keys::COPY]
    }

    fn takes_text(&self) -> bool {
        self.listing.search().is_typing()
    }

    fn key(&mut self, press: &Press, model: &Model) -> Reply {
        match press.command {
            Some(SPAN) => {
                let at = Span::ALL.iter().position(|span| *span == self.span).unwrap_or(0);
                self.span = Span::ALL[(at + 1) % Span::ALL.len()];
                self.cursor = None;
            }
            Some(ONE) => {
                self.one = match self.one {
                    None => Some(0),
                    Some(last) if last + 1 == Panel::all(false).len() => None,
                    Some(one) => Some(one + 1),
                }
            }
            Some(LAG) => self.lag_in_seconds = !self.lag_in_seconds,
            Some(BEFORE) => self.move_cursor(-1, model),
            Some(AFTER) => self.move_cursor(1, model),
            Some(keys::BACK) if self.cursor.is_some() && !self.takes_text() && !self.listing.search().is_active() => {
                self.cursor = None;
            }
            _ if self.listing.key(press.event) => {}
            _ => return Reply::Ignored,
        }
        Reply::Handled
    }

    fn paste(&mut self, pasted: &str, _model: &Model) -> Reply {
        self.listing.search_mut().paste(pasted);
        Reply::Handled
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, model: &Model) -> Reply {
        let at = Position::new(event.column, event.row);
        let pressed =
            matches!(event.kind, MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left));
        match self.charts.iter().find(|area| area.contains(at)) {
            Some(area) if pressed => {
                self.cursor = chart::second_at(event.column, *area, panels::window(self.span, model));
                Reply::Handled
            }
            Some(_) => Reply::Ignored,
            None if self.listing.mouse(event) == Pointed::Elsewhere => Reply::Ignored,
            None => Reply::Handled,
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let rows = TotalRows::new(view.model);
        self.listing.refresh(&rows, COLUMNS.len(), view.model.revision);
        let (from, to) = panels::window(self.span, view.model);
        self.cursor = self.cursor.filter(|second| (from..=to).contains(second));
        let [least, most] = TOTALS_LINES;
        let wanted =
            (rows_and_frame(self.listing.cursor_mut().rows())).clamp(least, most).min(area.height / 3).max(least);
        let [head, table, charts] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(wanted), Constraint::Fill(1)]).areas(area);
        let look = Look { columns: &COLUMNS, focused: view.focused, empty: "nothing was measured yet" };
        table::draw(&mut self.listing, &rows, look, table, frame.buffer_mut(), view.theme);
        let scope = self.listing.selected().and_then(|row| rows.scope(row)).cloned().unwrap_or(Scope::Total);
        self.draw_head(frame, head, &scope, view);
        self.draw_charts(frame, charts, &scope, view);
    }
}

/// Lines for so many rows with titles and count.
fn rows_and_frame(rows: usize) -> u16 {
    u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2)
}

impl MetricsPane {
    /// Moves the cursor by points; it appears at the newest and leaves behind it.
    fn move_cursor(&mut self, by: i64, model: &Model) {
        let (from, to) = panels::window(self.span, model);
        let step = self.span.step_seconds() as f64;
        let second = match self.cursor {
            None if by < 0 => to,
            None => return,
            Some(second) => second + by as f64 * step,
        };
        self.cursor = (second <= to).then_some(second.max(from));
    }

    /// How far back the charts look, what they are about, and what the cursor reads.
    fn draw_head(&self, frame: &mut Frame<'_>, line: Rect, scope: &Scope, view: &View<'_>) {
        let buffer = frame.buffer_mut();
        let mut x = line.x;
        for span in Span::ALL {
            let style = if span == self.span { view.theme.focused() } else { view.theme.role(Role::Muted) };
            let label = format!("{}  ", span.label());
            buffer.set_stringn(x, line.y, &label, usize::from(line.right().saturating_sub(x)), style);
            x += text::width(&label) as u16;
        }
        let read = match self.cursor {
            Some(second) => {
                let at = time::format((second * 1_000.0) as i64, view.zone, "%H:%M:%S");
                format!(" {} at {at}, Esc: newest", marks::DOT)
            }
            None => format!(" {} {} {} reads values", marks::DOT, marks::LEFT, marks::CLOSED),
        };
        let room = usize::from(line.right().saturating_sub(x));
        let words = format!("{}{read}", totals::name(scope, view.model));
        let words = text::fit(&words, room);
        let at = line.right().saturating_sub(text::width(&words) as u16);
        let style = view.theme.role(if self.cursor.is_some() { Role::Accent } else { Role::Muted });
        buffer.set_stringn(at, line.y, &words, room, style);
    }

    fn draw_charts(&mut self, frame: &mut Frame<'_>, area: Rect, scope: &Scope, view: &View<'_>) {
        let panels = Panel::all(self.lag_in_seconds);
        let places: Vec<(Panel, Rect)> = match self.one {
            Some(one) => vec![(panels[one % panels.len()], area)],
            None => panels.into_iter().zip(quarters(area)).collect(),
        };
        self.charts = places.iter().map(|(_, area)| *area).collect();
        for (panel, area) in places {
            let named = panel.curves(scope, self.span, view.model, view.theme);
            let curves: Vec<Curve<'_>> = named
                .iter()
                .map(|(name, curve)| Curve { name, style: curve.style, points: curve.points.clone() })
                .collect();
            let empty = panel.empty(view);
            let chart = panel.chart(&curves, (self.span, self.cursor), &empty, view);
            chart::draw(&chart, area, frame.buffer_mut(), view.theme);
        }
    }
}

/// Two by two, with a line and two cells between.
fn quarters(area: Rect) -> [Rect; 4] {
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).spacing(1).areas(area);
    let halves = |row: Rect| Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2).areas::<2>(row);
    let ([one, two], [three, four]) = (halves(above), halves(below));
    [one, two, three, four]
}
