//! Values over time: lines of dots, axes in local time, a legend with values, and a cursor that reads them. Pure drawing.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::Span;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Line as Stroke, Points};

use super::{text, time};
use crate::ui::theme::{Role, Theme, marks};

/// Cells of the values at the left.
const VALUE_CELLS: u16 = 8;
/// Fewest cells of a name in the legend that still say which it is.
const NAME_CELLS_MIN: usize = 5;
/// Fewest lines of dots that show a shape.
const DOT_LINES_MIN: u16 = 2;

/// One measure.
#[derive(Debug, Clone)]
pub struct Curve<'a> {
    /// Name in the legend.
    pub name: &'a str,
    /// Colour of line and name.
    pub style: Style,
    /// Seconds since 1970 and value, ascending.
    pub points: Vec<(f64, f64)>,
}

/// What a chart shows.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// Headline.
    pub title: &'a str,
    /// Measures; the first is drawn over the others.
    pub curves: &'a [Curve<'a>],
    /// First and last second since 1970.
    pub window: (f64, f64),
    /// Seconds between two points; a longer pause is a gap.
    pub step: f64,
    /// How a value is said.
    pub say: fn(f64) -> String,
    /// Zone of the times.
    pub zone: &'a TimeZone,
    /// Second that the cursor reads; the newest value where it is absent.
    pub cursor: Option<f64>,
    /// What to say where nothing was measured: why, and what would change it.
    pub empty: &'a str,
}

/// Draws the chart; what does not fit leaves in this order: times, values, dots.
pub fn draw(chart: &Chart<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    draw_head(chart, Rect { height: 1, ..area }, buffer, theme);
    let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if chart.curves.iter().all(|curve| curve.points.is_empty()) {
        for (line, words) in text::wrapped(chart.empty, usize::from(below.width)).iter().enumerate() {
            if (line as u16) < below.height {
                buffer.set_string(below.x, below.y + line as u16, words, theme.role(Role::Muted));
            }
        }
        return;
    }
    let times = u16::from(below.height > DOT_LINES_MIN);
    let values = if below.width > 3 * VALUE_CELLS { VALUE_CELLS } else { 0 };
    let dots = Rect { x: below.x + values, width: below.width - values, height: below.height - times, ..below };
    if dots.is_empty() {
        return;
    }
    let top = rounded_up(largest(chart));
    draw_values(chart, top, Rect { width: values, ..dots }, below.x, buffer, theme);
    draw_dots(chart, top, dots, buffer, theme);
    draw_cursor(chart, dots, buffer, theme);
    if times > 0 {
        draw_times(chart, Rect { y: below.bottom() - 1, height: 1, ..dots }, buffer, theme);
    }
}

/// The second that stands above a column of the chart's area, given where its dots begin.
pub fn second_at(column: u16, area: Rect, window: (f64, f64)) -> Option<f64> {
    let values = if area.width > 3 * VALUE_CELLS { VALUE_CELLS } else { 0 };
    let (left, cells) = (area.x + values, area.width - values);
    let at = column.checked_sub(left).filter(|at| *at < cells)?;
    Some(window.0 + (window.1 - window.0) * f64::from(at) / f64::from(cells.max(2) - 1))
}

/// The value of a curve at a second, or the newest where no second is given; `None` in a gap.
pub fn value_at(points: &[(f64, f64)], second: Option<f64>, step: f64) -> Option<f64> {
    let Some(second) = second else { return points.last().map(|(_, value)| *value) };
    let nearest = points.iter().min_by(|one, other| (one.0 - second).abs().total_cmp(&(other.0 - second).abs()))?;
    ((nearest.0 - second).abs() <= step).then_some(nearest.1)
}

/// Title, then each name with its value, as many as fit.
fn draw_head(chart: &Chart<'_>, line: Rect, buffer: &mut Buffer, theme: &Theme) {
    let title = text::fit(chart.title, usize::from(line.width));
    buffer.set_string(line.x, line.y, &title, theme.role(Role::Text));
    let mut x = line.x + text::width(&title) as u16 + 2;
    for curve in chart.curves.iter().filter(|curve| !curve.points.is_empty()) {
        let value = value_at(&curve.points, chart.cursor, chart.step).map_or("n/a".into(), chart.say);
        // The value is what is read: where it is narrow the name is cut.
        let room = usize::from(line.right().saturating_sub(x)).saturating_sub(text::width(&value) + 3);
        if room < NAME_CELLS_MIN.min(text::width(curve.name)) {
            if x < line.right() {
                buffer.set_string(x, line.y, marks::ELLIPSIS, theme.role(Role::Muted));
            }
            return;
        }
        let name = format!("━ {} ", text::fit(curve.name, room));
        let cells = (text::width(&name) + text::width(&value)) as u16;
        buffer.set_string(x, line.y, &name, curve.style);
        buffer.set_string(x + text::width(&name) as u16, line.y, &value, theme.role(Role::Text));
        x += cells + 2;
    }
}

fn draw_values(chart: &Chart<'_>, top: f64, dots: Rect, x: u16, buffer: &mut Buffer, theme: &Theme) {
    if dots.width == 0 {
        return;
    }
    let room = usize::from(VALUE_CELLS - 1);
    let mut put = |y: u16, value: f64| {
        let words = (chart.say)(value);
        let words = text::fit(&words, room);
        let spare = room.saturating_sub(text::width(&words)) as u16;
        buffer.set_string(x + spare, y, &words, theme.role(Role::Muted));
    };
    put(dots.y, top);
    if dots.height > 4 && dots.height % 2 == 1 {
        put(dots.y + dots.height / 2, top / 2.0);
    }
    if dots.height > 1 {
        put(dots.bottom() - 1, 0.0);
    }
}

fn draw_dots(chart: &Chart<'_>, top: f64, dots: Rect, buffer: &mut Buffer, theme: &Theme) {
    let (from, to) = chart.window;
    Canvas::default()
        .background_color(theme.base().bg.unwrap_or_default())
        .marker(Marker::Braille)
        .x_bounds([from, to])
        .y_bounds([0.0, top])
        .paint(|context| {
            for curve in chart.curves.iter().rev() {
                let color = curve.style.fg.unwrap_or_default();
                let seen: Vec<(f64, f64)> =
                    curve.points.iter().copied().filter(|(at, _)| (from..=to).contains(at)).collect();
                context.draw(&Points { coords: &seen, color });
                let meet = |one: &(f64, f64), other: &(f64, f64)| other.0 - one.0 <= 2.5 * chart.step;
                for pair in seen.windows(2).filter(|pair| meet(&pair[0], &pair[1])) {
                    let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
                    context.draw(&Stroke { x1, y1, x2, y2, color });
                }
                // One dot alone is not seen: what was measured once, as a short run is, gets a mark.
                let is_alone = |at: usize| {
                    let follows = at > 0 && meet(&seen[at - 1], &seen[at]);
                    let is_followed = seen.get(at + 1).is_some_and(|next| meet(&seen[at], next));
                    !(follows || is_followed)
                };
                for (_, (x, y)) in seen.iter().enumerate().filter(|(at, _)| is_alone(*at)) {
                    context.print(*x, *y, Span::styled(marks::ON, curve.style));
                }
                // The next curve takes its cells whole: colours within a cell cannot be told apart.
                context.layer();
            }
        })
        .render(dots, buffer);
}

fn draw_cursor(chart: &Chart<'_>, dots: Rect, buffer: &mut Buffer, theme: &Theme) {
    let Some(x) = chart.cursor.and_then(|second| column_of(second, chart.window, dots)) else { return };
    for y in dots.top()..dots.bottom() {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            if matches!(cell.symbol(), " " | "\u{2800}") {
                cell.set_symbol("│").set_style(theme.role(Role::Border));
            } else {
                cell.set_style(theme.role(Role::Selection));
            }
        }
    }
}

/// Times under the dots, as many as stand apart; the cursor's own in place of those that it touches.
fn draw_times(chart: &Chart<'_>, line: Rect, buffer: &mut Buffer, theme: &Theme) {
    let (from, to) = chart.window;
    let form = if to - from <= 900.0 { "%H:%M:%S" } else { "%H:%M" };
    let said = |second: f64| time::format((second * 1_000.0) as i64, chart.zone, form);
    let cells = text::width(&said(from)) as u16;
    if line.width < cells {
        return;
    }
    let count = (line.width / (cells * 2)).clamp(1, 6);
    let cursor = chart.cursor.and_then(|second| column_of(second, chart.window, line)).map(|x| {
        let start = x.saturating_sub(cells / 2).clamp(line.x, line.right() - cells);
        (start, start + cells)
    });
    for label in 0..=count {
        let share = f64::from(label) / f64::from(count);
        let centre = line.x + (f64::from(line.width - 1) * share).round() as u16;
        let start = centre.saturating_sub(cells / 2).clamp(line.x, line.right() - cells);
        if cursor.is_some_and(|(left, right)| start < right + 1 && left < start + cells + 1) {
            continue;
        }
        buffer.set_string(start, line.y, said(from + (to - from) * share), theme.role(Role::Muted));
    }
    if let (Some((start, _)), Some(second)) = (cursor, chart.cursor) {
        buffer.set_string(start, line.y, said(second), theme.role(Role::Accent));
    }
}

fn column_of(second: f64, (from, to): (f64, f64), area: Rect) -> Option<u16> {
    let share = (second - from) / (to - from);
    (0.0..=1.0).contains(&share).then(|| area.x + (share * f64::from(area.width - 1)).round() as u16)
}

fn largest(chart: &Chart<'_>) -> f64 {
    let seen = chart.curves.iter().flat_map(|curve| &curve.points);
    seen.filter(|(at, value)| chart.window.0 <= *at && value.is_finite()).map(|(_, value)| *value).fold(0.0, f64::max)
}

/// The next 1, 2, 4, 5 or 8 times a power of ten: an axis whose top and middle are round.
fn rounded_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|top| value <= *top).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::number;
    use super::*;

    fn drawn(cursor: Option<f64>, width: u16) -> Vec<String> {
        let theme = Theme::default();
        let curves = [
            Curve {
                name: "events",
                style: theme.role(Role::chart(0)),
                points: (0..60)
                    .filter(|s| !(20..30).contains(s))
                    .map(|s| (f64::from(s), f64::from(s) * 100.0))
                    .collect(),
            },
            Curve { name: "failed", style: theme.role(Role::Danger), points: vec![] },
        ];
        let chart = Chart {
            title: "throughput",
            curves: &curves,
            window: (0.0, 59.0),
            step: 1.0,
            say: number::rate,
            zone: &TimeZone::UTC,
            cursor,
            empty: "nothing was measured yet",
        };
        let area = Rect::new(0, 0, width, 7);
        let mut buffer = Buffer::empty(area);
        draw(&chart, area, &mut buffer, &theme);
        (0..area.height)
            .map(|y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn the_legend_reads_the_newest_value_or_that_under_the_cursor() {
        assert_eq!(drawn(None, 60)[0], "throughput  ━ events 5.9k/s");
        assert_eq!(drawn(Some(10.0), 60)[0], "throughput  ━ events 1k/s");
        assert_eq!(drawn(Some(25.0), 60)[0], "throughput  ━ events n/a", "nothing is made up in a gap");
    }

    #[test]
    fn axes_are_round_and_times_do_not_touch() {
        let lines = drawn(None, 60);
        assert!(lines[1].starts_with("   8k/s"), "{lines:?}");
        assert!(lines[5].starts_with("    0/s"), "{lines:?}");
        assert_eq!(lines[6].split_whitespace().collect::<Vec<_>>(), ["00:00:00", "00:00:19", "00:00:39", "00:00:59"]);
        let lines = drawn(Some(58.0), 60);
        assert_eq!(lines[6].split_whitespace().last(), Some("00:00:58"));
    }

    #[test]
    fn what_was_measured_once_is_marked_and_what_has_neighbours_is_a_line() {
        let marks_of = |points: &[(f64, f64)]| {
            let theme = Theme::default();
            let curves = [Curve { name: "p50", style: theme.role(Role::chart(0)), points: points.to_vec() }];
            let chart = Chart {
                title: "latency",
                curves: &curves,
                window: (0.0, 59.0),
                step: 1.0,
                say: number::rate,
                zone: &TimeZone::UTC,
                cursor: None,
                empty: "",
            };
            let area = Rect::new(0, 0, 60, 7);
            let mut buffer = Buffer::empty(area);
            draw(&chart, area, &mut buffer, &theme);
            buffer.content().iter().filter(|cell| cell.symbol() == marks::ON).count()
        };
        assert_eq!(marks_of(&[(10.0, 4.0)]), 1);
        assert_eq!(marks_of(&[(10.0, 4.0), (30.0, 2.0), (31.0, 2.0)]), 1);
        assert_eq!(marks_of(&[(30.0, 2.0), (31.0, 2.0), (33.0, 2.0)]), 0);
    }

    #[test]
    fn the_column_under_the_mouse_is_a_second() {
        let area = Rect::new(2, 0, 60, 7);
        assert_eq!(second_at(10, area, (0.0, 51.0)), Some(0.0));
        assert_eq!(second_at(61, area, (0.0, 51.0)), Some(51.0));
        assert_eq!(second_at(9, area, (0.0, 51.0)), None);
    }

    #[test]
    fn no_size_makes_it_fail() {
        for width in 1..40 {
            drawn(Some(30.0), width);
        }
    }
}
