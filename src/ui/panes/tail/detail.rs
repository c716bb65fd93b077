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
/// Share of the height that a key takes unless all of it is asked for.
const KEY_SHARE: u16 = 6;
/// What stands before a key.
const KEY_NAME: &str = "key  ";
/// Lines above the headers: place, time, key.
const HEAD_LINES: u16 = 3;
/// Widest name of a header, cells.
const NAME_CELLS_MAX: usize = 24;

/// How the record is looked at.
#[derive(Debug, Default)]
pub struct Detail {
    value: ValueView,
    /// Whether key and headers are shown whole, whatever is left for the value.
    all_headers: bool,
    /// Whether the record has more of them than fits beside its value.
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

    /// All of key and headers, or as much as leaves room for the value.
    pub fn turn_headers(&mut self) {
        self.all_headers = !self.all_headers;
    }

    /// Whether turning them would show more.
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
        self.draw_key(record, &mut page, view, area.height);
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

    /// The key, on more lines where it is long: on a share of the height, or on all that there are where all is asked for.
    fn draw_key(&mut self, record: &Record, page: &mut Page<'_>, view: &View<'_>, height: u16) {
        let muted = view.theme.role(Role::Muted);
        let Some(key) = record.key.as_deref() else { return page.words(&[("key  ", muted), ("null", muted)]) };
        let cells = usize::from(page.left.width).saturating_sub(KEY_NAME.len()).max(1);
        let room = usize::from(if self.all_headers { page.left.height } else { (height / KEY_SHARE).max(1) });
        // No more of a large key is looked at than could be shown.
        let shown = text::one_line_of(key, cells.saturating_mul(room).saturating_add(1));
        let mut lines = text::wrapped(&shown, cells);
        if lines.is_empty() {
            lines.push(String::new());
        }
        if room < lines.len() {
            self.has_more = true;
            let rest = lines.split_off(room - 1).concat();
            lines.push(text::fit(&rest, cells).into_owned());
        }
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { KEY_NAME } else { "     " };
            page.words(&[(name, muted), (line, view.theme.role(Role::Text))]);
        }
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
