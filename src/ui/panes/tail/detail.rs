//! One record in full: where it is, its key and headers, and its value in the form that fits.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::core::record::Record;
use crate::ui::pane::View;
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::cursor::Pointed;
use crate::ui::widgets::value::ValueView;
use crate::ui::widgets::{number, text, time};

/// Share of the height that headers take unless all are asked for.
const HEADER_SHARE: u16 = 3;
/// Lines above the headers: place, time, key.
const HEAD_LINES: u16 = 3;
/// Widest name of a header, cells.
const NAME_CELLS_MAX: usize = 24;

/// How the record is looked at.
#[derive(Debug, Default)]
pub struct Detail {
    value: ValueView,
    all_headers: bool,
    /// Whether the record has more headers than fit beside its value.
    has_more: bool,
}

impl Detail {
    /// The value as it is on the screen, for copying.
    pub fn copied(&self) -> String {
        self.value.copied()
    }

    /// What is under the cursor in it, for copying.
    pub fn copied_here(&self) -> String {
        self.value.copied_here()
    }

    /// The next form of the value.
    pub fn cycle(&mut self) {
        self.value.cycle();
    }

    /// All headers, or as many as leave room for the value.
    pub fn turn_headers(&mut self) {
        self.all_headers = !self.all_headers;
    }

    /// Whether turning headers would show others.
    pub fn has_more_headers(&self) -> bool {
        self.has_more
    }

    /// Takes a key that moves or folds.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.value.key(key)
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Pointed {
        self.value.mouse(mouse)
    }

    /// Draws a record, known by its number in the tail.
    pub fn draw(
        &mut self,
        identity: u64,
        record: &Record,
        area: Rect,
        buffer: &mut Buffer,
        view: &View<'_>,
        focused: bool,
    ) {
        self.value.show(identity, record.value.as_deref(), record.value_bytes);
        self.has_more = usize::from((area.height / HEADER_SHARE).max(1)) < record.headers.len();
        let mut page = Page { left: area, buffer };
        let muted = view.theme.role(Role::Muted);
        let plain = view.theme.role(Role::Text);

        let offset = record.offset.to_string();
        page.words(&[
            (&*record.topic, plain),
            ("  partition ", muted),
            (&record.partition.to_string(), plain),
            ("  offset ", muted),
            (&offset, plain),
        ]);
        let when = record.timestamp_ms.map_or("no time: the topic keeps none".into(), |ms| time::full(ms, view.zone));
        page.words(&[(&when, muted)]);
        let key = record.key.as_deref().map(|key| text::one_line_of(key, usize::from(area.width)));
        page.words(&[("key  ", muted), (key.as_deref().unwrap_or("null"), if key.is_some() { plain } else { muted })]);
        self.draw_headers(record, &mut page, view, area.height);

        let form = self.value.form();
        // What is cut says the size too.
        let (title, cut) = match self.value.cut() {
            Some(cut) => (format!("{form}  "), cut),
            None => (format!("{}  {form}", number::bytes(record.value_bytes as u64)), String::new()),
        };
        let edge = if focused { view.theme.focused() } else { muted };
        page.words(&[("value  ", edge), (&title, muted), (&cut, view.theme.role(Role::Warning))]);
        self.value.draw(page.left, page.buffer, view.theme, focused);
    }

    fn draw_headers(&self, record: &Record, page: &mut Page<'_>, view: &View<'_>, height: u16) {
        let muted = view.theme.role(Role::Muted);
        // Where all are asked for they may take the value's place.
        let most = if self.all_headers { height.saturating_sub(HEAD_LINES) } else { height / HEADER_SHARE };
        let room = usize::from(most.max(1));
        let names = record.headers.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).min(NAME_CELLS_MAX);
        if record.headers.is_empty() {
            return page.words(&[("no headers", muted)]);
        }
        // The line that says how many are left out takes the place of a header.
        let shown = if record.headers.len() <= room { room } else { room - 1 };
        for (name, value) in record.headers.iter().take(shown) {
            let name = text::fit(name, names);
            let name = format!("{name}{}  ", " ".repeat(names - text::width(&name)));
            let cells = usize::from(page.left.width);
            let value = value.as_deref().map(|value| text::one_line_of(value, cells));
            let style = if value.is_some() { view.theme.role(Role::Text) } else { muted };
            page.words(&[(&name, muted), (value.as_deref().unwrap_or("null"), style)]);
        }
        let left = record.headers.len().saturating_sub(shown);
        if left > 0 {
            let more = number::counted(left as u64, if shown == 0 { "header" } else { "more header" });
            page.words(&[(&format!("{} {more}", marks::ELLIPSIS), muted)]);
        }
    }
}

/// An area that is filled line by line.
struct Page<'a> {
    left: Rect,
    buffer: &'a mut Buffer,
}

impl Page<'_> {
    /// One line of words, cut with an ellipsis; nothing where no line is left.
    fn words(&mut self, words: &[(&str, Style)]) {
        if self.left.height == 0 {
            return;
        }
        let mut x = self.left.x;
        for (word, style) in words {
            let room = usize::from(self.left.right().saturating_sub(x));
            let fitted = text::fit(word, room);
            self.buffer.set_stringn(x, self.left.y, &fitted, room, *style);
            x += text::width(&fitted).min(room) as u16;
        }
        self.left = Rect { y: self.left.y + 1, height: self.left.height - 1, ..self.left };
    }
}
