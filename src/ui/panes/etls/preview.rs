//! The preview tab: one event of an ETL as it would be sent, or why it cannot be. What is asked for is kept by ETL.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::context;
use super::excerpt;
use crate::app::action::PreviewRequest;
use crate::app::model::Model;
use crate::app::model::etls::{EtlRow, Preview, Rendered};
use crate::core::fault::Fault;
use crate::ui::pane::View;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::value::ValueView;
use crate::ui::widgets::{line, number, text, time};

/// Events of the run that a preview stands in, until another number is chosen: a few to step through.
const EVENTS: u64 = 10;
/// A wait shorter than this is not worth a word, milliseconds.
const WAIT_SAID_MS: i64 = 250;

/// What is asked for of one ETL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Environment; where none was chosen, the active one or the ETL's first.
    pub environment: Option<String>,
    /// Event context as YAML.
    pub context: String,
    /// Event, from 0.
    pub index: u64,
    /// Events of the run.
    pub count: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self { environment: None, context: String::new(), index: 0, count: EVENTS }
    }
}

/// The tab.
#[derive(Debug, Default)]
pub struct PreviewTab {
    setups: BTreeMap<String, Setup>,
    /// The payload of the event.
    pub value: ValueView,
    all_headers: bool,
}

impl PreviewTab {
    /// What is asked for of an ETL.
    pub fn setup(&self, etl: &str) -> Setup {
        self.setups.get(etl).cloned().unwrap_or_default()
    }

    /// What is asked for of an ETL, to be changed.
    pub fn setup_mut(&mut self, etl: &str) -> &mut Setup {
        self.setups.entry(etl.to_owned()).or_default()
    }

    /// Shows headers on a line each, or all on one.
    pub fn turn_headers_over(&mut self) {
        self.all_headers = !self.all_headers;
    }

    /// Steps to another event; whether there is one.
    pub fn step(&mut self, etl: &str, by: i64) -> bool {
        let setup = self.setup_mut(etl);
        let index = setup.index.saturating_add_signed(by).min(setup.count.saturating_sub(1));
        std::mem::replace(&mut setup.index, index) != index
    }

    /// The request of an ETL's preview; none where it is broken or serves no environment.
    pub fn request(&self, row: &EtlRow, model: &Model) -> Option<PreviewRequest> {
        let etl = row.etl.as_ref()?;
        let setup = self.setup(&row.name);
        let served = |name: &&String| etl.topics.contains_key(*name);
        let environment = setup.environment.as_ref().filter(served).or(model.active.as_ref().filter(served));
        let environment = environment.or_else(|| etl.topics.keys().next())?.clone();
        Some(PreviewRequest {
            etl: row.name.clone(),
            environment,
            context: setup.context,
            index: setup.index,
            count: setup.count,
        })
    }

    /// The event, where it was rendered for what is asked now.
    pub fn rendered<'m>(&self, row: &EtlRow, model: &'m Model) -> Option<&'m Rendered> {
        self.answer(row, model)?.outcome.as_ref()?.as_ref().ok()
    }

    /// Why the event cannot be rendered.
    pub fn fault<'m>(&self, row: &EtlRow, model: &'m Model) -> Option<&'m Fault> {
        self.answer(row, model)?.outcome.as_ref()?.as_ref().err()
    }

    fn answer<'m>(&self, row: &EtlRow, model: &'m Model) -> Option<&'m Preview> {
        let request = self.request(row, model)?;
        model.preview.as_ref().filter(|preview| preview.asked == request)
    }

    /// Draws the tab.
    pub fn draw(&mut self, row: &EtlRow, area: Rect, buffer: &mut Buffer, view: &View<'_>, focused: bool) {
        let theme = view.theme;
        let Some(request) = self.request(row, view.model) else {
            let words = match &row.etl {
                None => "the definition cannot be read: mend it first (see the tab Definition)",
                Some(_) => "it serves no environment: give it a topic under `topics:` in its definition",
            };
            return say(words, Role::Muted, area, buffer, theme);
        };
        if area.height < 4 {
            return;
        }
        let head = Rect { height: 1, ..area };
        let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
        let last = Rect { y: area.bottom() - 1, height: 1, ..area };
        draw_context(&request, last, buffer, view);
        let answer = self.answer(row, view.model);
        let rendered = answer.and_then(|answer| answer.outcome.as_ref());
        draw_head(&request, rendered.and_then(|outcome| outcome.as_ref().ok()), row, head, buffer, view);
        match (answer, rendered) {
            (_, Some(Ok(rendered))) => self.draw_event(rendered, body, buffer, theme, focused),
            (_, Some(Err(fault))) => draw_fault(row, fault, body, buffer, theme),
            (Some(answer), None) => {
                let waited_ms = view.model.now_ms - answer.since_ms;
                if WAIT_SAID_MS <= waited_ms {
                    let words = format!("rendering since {}", time::span(waited_ms.unsigned_abs()));
                    say(&words, Role::Muted, body, buffer, theme);
                }
            }
            (None, _) => {
                let key = super::chord(view, super::PREVIEW);
                say(&format!("{key} renders this event; nothing is sent"), Role::Muted, body, buffer, theme);
            }
        }
    }

    fn draw_event(&mut self, rendered: &Rendered, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool) {
        let mut lines = vec![fact("key", rendered.key.as_deref().unwrap_or("none: partitions take turns"), theme)];
        match self.all_headers || rendered.headers.len() + 8 < usize::from(area.height) {
            true => lines.extend(rendered.headers.iter().enumerate().map(|(at, (name, value))| {
                let mut line = fact(if at == 0 { "headers" } else { "" }, "", theme);
                line.spans.push(Span::styled(format!("{} ", harmless(name)), theme.role(Role::Muted)));
                line.spans.push(Span::styled(harmless(value), theme.role(Role::Text)));
                line
            })),
            false => lines.push(headers_in_one(rendered, usize::from(area.width), theme)),
        }
        if rendered.headers.is_empty() {
            lines.truncate(1);
            lines.push(fact("headers", "none", theme));
        }
        // Three lines of payload at least.
        lines.truncate(usize::from(area.height.saturating_sub(4)).max(1));
        for (at, words) in lines.iter().enumerate() {
            buffer.set_line(area.x, area.y + at as u16, &line::fit(words, usize::from(area.width)), area.width);
        }
        let rule = area.y + lines.len() as u16;
        if rule < area.bottom() {
            let line = "─".repeat(usize::from(area.width));
            buffer.set_string(area.x, rule, line, theme.role(Role::Border));
            // The value's own size is what tail and copy have; with key and headers it is what a broker counts.
            let [value, all] = [rendered.payload.len(), rendered.bytes].map(|bytes| number::bytes(bytes as u64));
            let sizes = format!(" value {value}, {all} with key and headers ");
            let sizes = text::fit(&sizes, usize::from(area.width.saturating_sub(2)));
            let x = area.right().saturating_sub(text::width(&sizes) as u16 + 1);
            buffer.set_string(x, rule, sizes, theme.role(Role::Muted));
        }
        let below = Rect { y: rule + 1, height: area.bottom().saturating_sub(rule + 1), ..area };
        let mut hasher = DefaultHasher::new();
        rendered.payload.hash(&mut hasher);
        self.value.show(hasher.finish(), Some(rendered.payload.as_bytes()), rendered.payload.len());
        self.value.draw(below, buffer, theme, focused);
    }
}

fn draw_head(
    request: &PreviewRequest,
    rendered: Option<&Rendered>,
    row: &EtlRow,
    line: Rect,
    buffer: &mut Buffer,
    view: &View<'_>,
) {
    let theme = view.theme;
    let topic = row.etl.as_ref().and_then(|etl| etl.topics.get(&request.environment)).map_or("", String::as_str);
    let topic = rendered.map_or(topic, |rendered| rendered.topic.as_str());
    let event = format!(
        "event {} of {}  {}{} {}{}",
        number::grouped(request.index + 1),
        number::grouped(request.count),
        super::chord(view, super::EVENT_BEFORE),
        marks::LEFT,
        marks::CLOSED,
        super::chord(view, super::EVENT_AFTER),
    );
    let start = line.right().saturating_sub(text::width(event.trim_end()) as u16).max(line.x);
    let room = usize::from(start.saturating_sub(line.x + 2));
    let place = Line::from(vec![
        Span::styled(request.environment.clone(), theme.environment(&request.environment)),
        Span::styled(format!(" {} ", marks::ARROW), theme.role(Role::Muted)),
        Span::styled(topic.to_owned(), theme.role(Role::Text)),
    ]);
    buffer.set_line(line.x, line.y, &line::fit(&place, room), room as u16);
    buffer.set_stringn(start, line.y, event.trim_end(), usize::from(line.width), theme.role(Role::Muted));
}

fn draw_context(request: &PreviewRequest, line: Rect, buffer: &mut Buffer, view: &View<'_>) {
    let theme = view.theme;
    let role = if context::names(&request.context).is_err() { Role::Danger } else { Role::Muted };
    let words = format!("context: {}", context::summed_up(&request.context));
    let key = super::chord(view, super::CONTEXT);
    let start = line.right().saturating_sub((text::width(&words) + text::width(&key) + 2) as u16).max(line.x);
    buffer.set_stringn(start, line.y, &words, usize::from(line.width), theme.role(role));
    let at = start + text::width(&words) as u16 + 2;
    buffer.set_stringn(at, line.y, key, usize::from(line.right().saturating_sub(at)), theme.focused());
    let choose = super::chord(view, super::CHOOSE);
    buffer.set_stringn(line.x, line.y, &choose, usize::from(line.width), theme.focused());
    let at = line.x + text::width(&choose) as u16 + 1;
    let room = usize::from(start.saturating_sub(at + 1));
    buffer.set_stringn(at, line.y, text::fit("environment and event", room), room, theme.role(Role::Muted));
}

/// What happened, the lines around the place, and what to do next.
fn draw_fault(row: &EtlRow, fault: &Fault, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let cells = usize::from(area.width.saturating_sub(1)).max(1);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let headline = match &fault.place {
        Some(place) => format!("{} {place}", marks::FAILED),
        None => format!("{} this event cannot be rendered", marks::FAILED),
    };
    let styled = |words: String, role: Role| Line::styled(words, theme.role(role));
    lines.extend(text::wrapped(&headline, cells).into_iter().map(|words| styled(words, Role::Danger)));
    lines.extend(text::wrapped(&fault.what, cells).into_iter().map(|words| styled(words, Role::Text)));
    lines.push(Line::default());
    let excerpt = fault.place.as_ref().map(|place| match place.file == row.template_file {
        true => excerpt::around(&row.template, place),
        false => Vec::new(),
    });
    for line in excerpt.unwrap_or_default() {
        let role = if line.at_fault { Role::Danger } else { Role::Muted };
        lines.push(styled(text::fit(&harmless(&line.words), cells).into_owned(), role));
    }
    if !fault.next.is_empty() {
        lines.push(Line::default());
        lines.extend(text::wrapped(&fault.next, cells).into_iter().map(|words| styled(words, Role::Text)));
    }
    for (at, line) in lines.iter().take(usize::from(area.height)).enumerate() {
        buffer.set_line(area.x, area.y + at as u16, line, area.width);
    }
}

/// Header values one after another, as many as fit, and how many there are.
fn headers_in_one(rendered: &Rendered, width: usize, theme: &Theme) -> Line<'static> {
    let mut line = fact("headers", "", theme);
    let count = format!("({})", rendered.headers.len());
    let room = width.saturating_sub(text::width(&count) + 1);
    for (name, value) in &rendered.headers {
        let value = harmless(value);
        let value = if text::width(&value) > 12 { text::fit(&value, 6).into_owned() } else { value };
        if line.width() + text::width(name) + text::width(&value) + 3 > room {
            break;
        }
        line.spans.push(Span::styled(format!("{} ", harmless(name)), theme.role(Role::Muted)));
        line.spans.push(Span::styled(format!("{value}  "), theme.role(Role::Text)));
    }
    line.spans.push(Span::styled(count, theme.role(Role::Muted)));
    line
}

fn fact(name: &str, words: &str, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{name:<8} "), theme.role(Role::Muted)),
        Span::styled(harmless(words), theme.role(Role::Text)),
    ])
}

fn harmless(words: &str) -> String {
    words.chars().map(text::harmless).collect()
}

fn say(words: &str, role: Role, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let lines = text::wrapped(words, usize::from(area.width));
    for (at, line) in lines.iter().take(usize::from(area.height)).enumerate() {
        buffer.set_string(area.x, area.y + at as u16, line, theme.role(role));
    }
}
