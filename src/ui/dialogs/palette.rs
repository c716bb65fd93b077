//! Every command and theme, found by a few letters, with its key. Made from the registry; choosing acts at once.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::action::PaneId;
use crate::ui::keymap::{Command, Keymap, Scope};
use crate::ui::layout;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::cursor::{Cursor, Pointed};
use crate::ui::widgets::search::Search;
use crate::ui::widgets::{table, text};

/// Widest box, cells.
const WIDTH_MAX: u16 = 78;
/// Tallest box, lines.
const HEIGHT_MAX: u16 = 22;

/// What was chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// A command of a pane, or of the console.
    Run(Scope, Command),
    /// A theme, by name.
    Theme(String),
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The palette stays.
    Open,
    /// Nothing was chosen.
    Closed,
    /// This was chosen.
    Chosen(Choice),
}

struct Row {
    choice: Choice,
    /// What the filter sees: group, help and name.
    words: String,
    keys: String,
}

impl Row {
    fn theme(name: &String) -> Self {
        Self { choice: Choice::Theme(name.clone()), words: format!("Theme: {name}"), keys: String::new() }
    }
}

/// The palette while it is open.
pub struct Palette {
    rows: Vec<Row>,
    shown: Vec<usize>,
    search: Search,
    cursor: Cursor,
}

impl Palette {
    /// All commands: those of the focused pane first, then the other panes', then the console's, then themes.
    pub fn new(keymap: &Keymap, panes: &[(PaneId, &'static str)], focus: PaneId, themes: &[String]) -> Self {
        let mut rows = Vec::new();
        let title = |id: PaneId| panes.iter().find(|(pane, _)| *pane == id).map_or("", |(_, title)| title);
        let mut add = |wanted: &dyn Fn(Scope) -> bool| {
            for entry in keymap.entries().iter().filter(|entry| wanted(entry.scope)) {
                let group = match entry.scope {
                    Scope::Pane(id) => title(id),
                    Scope::List | Scope::Global => "Console",
                };
                rows.push(Row {
                    choice: Choice::Run(entry.scope, entry.command),
                    words: format!("{group}: {}", entry.help),
                    keys: super::help::chords(entry),
                });
            }
        };
        add(&|scope| scope == Scope::Pane(focus));
        add(&|scope| matches!(scope, Scope::Pane(id) if id != focus));
        add(&|scope| scope == Scope::Global);
        rows.extend(themes.iter().map(Row::theme));
        let mut palette = Self { rows, shown: Vec::new(), search: Search::default(), cursor: Cursor::default() };
        palette.search.start();
        palette.refresh();
        palette
    }

    /// Takes the themes as they are known now.
    pub fn set_themes(&mut self, themes: &[String]) {
        let now: Vec<Row> = themes.iter().map(Row::theme).collect();
        let known = self.rows.iter().filter(|row| matches!(row.choice, Choice::Theme(_)));
        if known.map(|row| &row.choice).eq(now.iter().map(|row| &row.choice)) {
            return;
        }
        self.rows.retain(|row| !matches!(row.choice, Choice::Theme(_)));
        self.rows.extend(now);
        self.refresh();
    }

    /// Takes a key.
    pub fn key(&mut self, event: KeyEvent) -> Outcome {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Esc => return Outcome::Closed,
            KeyCode::Char('c' | 'p') if control => return Outcome::Closed,
            KeyCode::Enter => return self.choose(),
            KeyCode::Up => self.cursor.step(-1),
            KeyCode::Down => self.cursor.step(1),
            KeyCode::PageUp | KeyCode::PageDown => {
                self.cursor.key(event);
            }
            _ => {
                let before = self.search.revision();
                self.search.key(event);
                if self.search.revision() != before {
                    self.refresh();
                }
            }
        }
        Outcome::Open
    }

    /// Takes the mouse: a press chooses a row, a second one carries it out.
    pub fn mouse(&mut self, event: MouseEvent) -> Outcome {
        match self.cursor.mouse(event) {
            Pointed::Opened => self.choose(),
            Pointed::Elsewhere | Pointed::Scrolled | Pointed::Chosen => Outcome::Open,
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.search.paste(pasted);
        self.refresh();
    }

    fn choose(&self) -> Outcome {
        let chosen = self.cursor.row().and_then(|row| self.shown.get(row)).and_then(|row| self.rows.get(*row));
        chosen.map_or(Outcome::Closed, |row| Outcome::Chosen(row.choice.clone()))
    }

    fn refresh(&mut self) {
        let mut found: Vec<(usize, u32)> = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            match self.search.is_active() {
                false => found.push((at, 0)),
                true => found.extend(self.search.score(&row.words).map(|score| (at, score))),
            }
        }
        found.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
        self.shown = found.into_iter().map(|(at, _)| at).collect();
        self.cursor.set_rows(self.shown.len());
        self.cursor.go(0);
    }

    /// Draws the palette over the upper half of the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, screen: Rect, theme: &Theme) {
        let height = HEIGHT_MAX.min(screen.height.saturating_sub(2));
        let place = layout::middle(screen, WIDTH_MAX.min(screen.width.saturating_sub(4)), height);
        let area = super::open_box(frame, place, "Commands", theme);
        let prompt = Rect { height: 1, ..area };
        frame.render_widget(Span::styled(": ", theme.focused()), prompt);
        let count = format!("({}/{})", self.shown.len(), self.rows.len());
        let count_width = text::width(&count) as u16;
        let input = Rect { x: prompt.x + 2, width: prompt.width.saturating_sub(count_width + 3), ..prompt };
        self.search.input().draw(input, frame.buffer_mut(), theme, true);
        let at = Rect { x: prompt.right().saturating_sub(count_width), width: count_width, ..prompt };
        frame.render_widget(Span::styled(count, theme.role(Role::Muted)), at);

        let list = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        if self.shown.is_empty() {
            frame.render_widget(Line::styled("no command is called that", theme.role(Role::Muted)), list);
            return;
        }
        let window = self.cursor.window(list);
        for (line, shown) in window.enumerate() {
            let Some(row) = self.shown.get(shown).and_then(|at| self.rows.get(*at)) else { break };
            let place = Rect { y: list.y + line as u16, height: 1, ..list };
            let keys_width = text::width(&row.keys) as u16;
            let words = Rect { width: place.width.saturating_sub(keys_width + 2), ..place };
            frame.render_widget(Span::raw(text::fit(&row.words, usize::from(words.width))), words);
            let matched = self.search.matched(&row.words).into_iter();
            table::mark_letters(&row.words, matched, words, frame.buffer_mut(), theme);
            let keys = Rect { x: place.right().saturating_sub(keys_width), width: keys_width, ..place };
            frame.render_widget(Span::styled(row.keys.as_str(), theme.role(Role::Accent)), keys);
            if self.cursor.row() == Some(shown) {
                table::draw_cursor(place, true, frame.buffer_mut(), theme);
            }
        }
    }
}
