//! A detail as lines that scroll: sections, facts, wrapped words, gauges. A line may know a place in a file and what copying
//! it gives. It knows no model; the lines are made anew for each frame.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::cursor::{Cursor, Pointed};
use super::gauge::{self, Progress};
use super::{table, text};
use crate::core::fault::{Fault, Place};
use crate::ui::theme::{Role, Theme};

/// Cells of the word before a fact.
const LABEL_CELLS: usize = 11;
/// Cells that stand before what belongs to a section.
const INDENT: usize = 2;
/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: usize = 3;
/// Lines of a section that must be seen already for it not to be scrolled to.
const SECTION_LINES: usize = 8;

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    words: Line<'static>,
    gauge: Option<Gauge>,
    /// Where in a file it comes from.
    pub place: Option<Place>,
    /// What copying it gives, where that is not its words.
    pub copied: Option<String>,
}

/// A line of progress.
#[derive(Debug, Clone)]
pub struct Gauge {
    /// What it is about.
    pub name: String,
    /// How the name looks.
    pub style: Style,
    /// Cells of the name, so that bars stand under each other.
    pub name_cells: u16,
    /// How far it is.
    pub progress: Progress,
}

/// Lines for a width.
#[derive(Debug, Default)]
pub struct Document {
    entries: Vec<Entry>,
    sections: Vec<(&'static str, usize)>,
    cells: usize,
}

impl Document {
    /// An empty document of lines of at most `cells`.
    pub fn new(cells: u16) -> Self {
        Self { cells: usize::from(cells), ..Self::default() }
    }

    /// Cells of a line.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Adds a line as it is, and gives it to be added to.
    pub fn line(&mut self, words: Line<'static>) -> &mut Entry {
        let at = self.entries.len();
        self.entries.push(Entry { words, ..Entry::default() });
        &mut self.entries[at]
    }

    /// Begins a section, a free line above it; `aside` says more about it in a quiet tone.
    pub fn section(&mut self, title: &'static str, aside: &str, theme: &Theme) {
        if !self.entries.is_empty() {
            self.line(Line::default());
        }
        self.sections.push((title, self.entries.len()));
        let room = self.cells.saturating_sub(text::width(title) + 2);
        self.line(Line::from(vec![
            Span::styled(title, theme.role(Role::Text).add_modifier(Modifier::BOLD)),
            Span::styled(format!("  {}", text::fit(aside, room)), theme.role(Role::Muted)),
        ]));
    }

    /// Adds a labelled fact, on as many lines as it needs.
    pub fn fact(&mut self, label: &str, value: &str, style: Style, theme: &Theme) {
        let before = INDENT + LABEL_CELLS;
        for (at, words) in text::wrapped(value, self.cells.saturating_sub(before).max(1)).into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            self.line(Line::from(vec![
                Span::styled(format!("{:INDENT$}{label:<LABEL_CELLS$}", ""), theme.role(Role::Muted)),
                Span::styled(words, style),
            ]));
        }
    }

    /// Adds words on as many lines as they need.
    pub fn wrapped(&mut self, words: &str, indent: usize, style: Style) {
        for line in text::wrapped(words, self.cells.saturating_sub(indent).max(1)) {
            self.line(Line::styled(format!("{:indent$}{line}", ""), style));
        }
    }

    /// Adds a fault: what, then where, then what to do; each line leads to its place.
    pub fn fault(&mut self, fault: &Fault, indent: usize, style: Style, theme: &Theme) {
        let first = self.entries.len();
        self.wrapped(&fault.what, indent, style);
        if let Some(place) = &fault.place {
            self.wrapped(&format!("at {place}"), indent + INDENT, theme.role(Role::Muted));
        }
        if !fault.next.is_empty() {
            self.wrapped(&fault.next, indent + INDENT, theme.role(Role::Text));
        }
        for entry in &mut self.entries[first..] {
            entry.place.clone_from(&fault.place);
            entry.copied = Some(fault.to_string());
        }
    }

    /// Adds a line of progress.
    pub fn gauge(&mut self, gauge: Gauge) {
        self.line(Line::default()).gauge = Some(gauge);
    }
}

/// What looks at a document: scroll and cursor.
#[derive(Debug, Default)]
pub struct Reader {
    cursor: Cursor,
    area: Rect,
    window: Range<usize>,
    /// What the document is about; another one begins at its top.
    about: Option<u64>,
    wanted: Option<&'static str>,
    place: Option<Place>,
    copied: String,
}

impl Reader {
    /// Takes a key that moves.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        self.cursor.key(event)
    }

    /// Takes the mouse: the wheel scrolls at once, a press chooses a line.
    pub fn mouse(&mut self, event: MouseEvent) -> Pointed {
        if !self.area.contains((event.column, event.row).into()) {
            return Pointed::Elsewhere;
        }
        match event.kind {
            MouseEventKind::ScrollDown => self.cursor.go(self.window.end + WHEEL_ROWS - 1),
            MouseEventKind::ScrollUp => self.cursor.go(self.window.start.saturating_sub(WHEEL_ROWS)),
            _ => return self.cursor.mouse(event),
        }
        Pointed::Scrolled
    }

    /// Shows a section from its title on, as soon as there is one.
    pub fn reveal(&mut self, section: &'static str) {
        self.wanted = Some(section);
    }

    /// The place that the line under the cursor leads to.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What copying the line under the cursor gives.
    pub fn copied(&self) -> &str {
        &self.copied
    }

    /// Draws what is seen of a document; `about` says whether it is still about the same.
    pub fn draw(
        &mut self,
        about: u64,
        document: &Document,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
        focused: bool,
    ) {
        if self.about.replace(about) != Some(about) {
            self.cursor = Cursor::default();
        }
        self.area = area;
        self.cursor.set_rows(document.entries.len());
        if let Some((_, at)) = document.sections.iter().find(|(title, _)| Some(*title) == self.wanted) {
            let window = self.cursor.window(area);
            if !(window.contains(at) && at + SECTION_LINES <= window.end) {
                // From the end upwards, so that the title becomes the first line.
                self.cursor.go(usize::MAX);
                self.cursor.window(area);
                self.cursor.go(*at);
            }
            self.wanted = None;
        }
        self.window = self.cursor.window(area);
        let at = self.cursor.row();
        for (line, place) in self.window.clone().enumerate() {
            let entry = &document.entries[place];
            let strip = Rect { y: area.y + line as u16, height: 1, width: area.width.saturating_sub(1), ..area };
            match &entry.gauge {
                Some(one) => gauge::draw(&one.name, one.style, one.name_cells, &one.progress, strip, buffer, theme),
                None => drop(buffer.set_line(strip.x, strip.y, &entry.words, strip.width)),
            }
            if focused && at == Some(place) {
                table::draw_cursor(strip, true, buffer, theme);
            }
        }
        if let Some(entry) = at.and_then(|at| document.entries.get(at)) {
            self.place.clone_from(&entry.place);
            self.copied = entry.copied.clone().unwrap_or_else(|| entry.words.to_string().trim().to_owned());
        }
        self.cursor.draw_bar(area, buffer, theme);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;
    use crate::core::fault::Blame;

    fn document() -> Document {
        let theme = Theme::default();
        let mut document = Document::new(29);
        document.section("First", "", &theme);
        for at in 0..20 {
            document.fact("line", &at.to_string(), Style::new(), &theme);
        }
        document.section("Second", "and a long word beside it", &theme);
        let fault = Fault::new(Blame::Configuration, "unknown key `bootstap_servers`")
            .at(Place::at("qa.yaml", 4, 3))
            .next("did you mean `bootstrap_servers`?");
        document.fault(&fault, 2, Style::new(), &theme);
        document
    }

    fn drawn(reader: &mut Reader, about: u64) -> Vec<String> {
        let area = Rect::new(0, 0, 30, 6);
        let mut buffer = Buffer::empty(area);
        reader.draw(about, &document(), area, &mut buffer, &Theme::default(), true);
        let line = |y| (0..29).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..6).map(line).collect()
    }

    #[test]
    fn a_section_that_is_wanted_is_shown_from_its_title_on() {
        let mut reader = Reader::default();
        assert_eq!(drawn(&mut reader, 1)[..2], ["First", "  line       0"]);
        reader.reveal("Second");
        let lines = drawn(&mut reader, 1);
        assert_eq!(lines[0], "Second  and a long word besi…");
        assert_eq!(lines[2], "  `bootstap_servers`", "{lines:?}");
        assert_eq!(drawn(&mut reader, 2)[0], "First", "another one begins at its top");
    }

    #[test]
    fn a_line_of_a_fault_leads_to_its_place() {
        let mut reader = Reader::default();
        drawn(&mut reader, 1);
        assert_eq!(reader.place(), None);
        reader.key(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
        drawn(&mut reader, 1);
        assert_eq!(reader.place(), Some(&Place::at("qa.yaml", 4, 3)));
        assert!(reader.copied().starts_with("qa.yaml:4:3: unknown key"), "{}", reader.copied());
    }

    #[test]
    fn the_wheel_scrolls_at_once() {
        let mut reader = Reader::default();
        drawn(&mut reader, 1);
        let wheel = |kind| MouseEvent { kind, column: 3, row: 2, modifiers: KeyModifiers::NONE };
        assert_eq!(reader.mouse(wheel(MouseEventKind::ScrollDown)), Pointed::Scrolled);
        assert_eq!(drawn(&mut reader, 1)[0], "  line       2");
        reader.mouse(wheel(MouseEventKind::ScrollUp));
        assert_eq!(drawn(&mut reader, 1)[0], "First");
    }
}
