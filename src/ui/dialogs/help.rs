//! The keys of the focused pane, of lists and of the console with the names of their commands, and what each mark means. Made
//! from the registry.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::action::PaneId;
use crate::ui::keymap::{Entry, Keymap, Scope};
use crate::ui::layout;
use crate::ui::theme::{Marks, Role, Theme, marks};
use crate::ui::widgets::text;

/// Widest box, cells.
const WIDTH_MAX: u16 = 76;
/// Cells for the keys of a command.
const KEYS_WIDTH: usize = 20;
/// Lines that a page key moves.
const PAGE_LINES: usize = 10;

/// How far the help is scrolled.
#[derive(Debug, Default)]
pub struct Help {
    top: usize,
    last: usize,
}

impl Help {
    /// Takes a key; `false` when the help is to be closed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        match event.code {
            KeyCode::Up | KeyCode::Char('k') => self.top = self.top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.top = (self.top + 1).min(self.last),
            KeyCode::PageUp => self.top = self.top.saturating_sub(PAGE_LINES),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top = (self.top + PAGE_LINES).min(self.last),
            KeyCode::Home | KeyCode::Char('g') => self.top = 0,
            KeyCode::End | KeyCode::Char('G') => self.top = self.last,
            _ => return false,
        }
        true
    }

    /// Draws the keys of a pane.
    pub fn draw(&mut self, frame: &mut Frame<'_>, screen: Rect, pane: (PaneId, &str), keymap: &Keymap, theme: &Theme) {
        let mut lines = Vec::new();
        // Without its border and a blank on either side.
        let cells = usize::from(WIDTH_MAX.min(screen.width).saturating_sub(4));
        section(&mut lines, pane.1, keymap, (Scope::Pane(pane.0), cells), theme);
        section(&mut lines, "Lists", keymap, (Scope::List, cells), theme);
        section(&mut lines, "Console", keymap, (Scope::Global, cells), theme);
        lines.push(Line::styled("Marks", theme.focused()));
        for (sign, plain, meaning) in marks::MEANINGS {
            let shown = if theme.marks() == Marks::Ascii { plain } else { sign };
            lines.push(Line::from(vec![
                Span::styled(format!("  {shown:<KEYS_WIDTH$}"), theme.role(Role::Accent)),
                Span::raw(meaning),
            ]));
        }
        let height = (lines.len() as u16 + 2).min(screen.height.saturating_sub(2));
        let title = format!("Keys · {}", pane.1);
        let area = super::open_box(frame, layout::middle(screen, WIDTH_MAX, height), &title, theme);
        self.last = lines.len().saturating_sub(usize::from(area.height));
        self.top = self.top.min(self.last);
        if self.top < self.last {
            let more = format!(" ↓ {} more ", self.last - self.top);
            let width = more.chars().count() as u16;
            let place = Rect { x: area.right().saturating_sub(width), y: area.bottom(), width, height: 1 };
            frame.render_widget(Span::styled(more, theme.role(Role::Muted)), place);
        }
        let shown: Vec<Line<'_>> = lines.into_iter().skip(self.top).take(usize::from(area.height)).collect();
        frame.render_widget(Paragraph::new(shown), area);
    }
}

fn section<'a>(
    lines: &mut Vec<Line<'a>>,
    title: &'a str,
    keymap: &'a Keymap,
    (scope, width): (Scope, usize),
    theme: &Theme,
) {
    let mut entries = keymap.entries().iter().filter(|entry| entry.scope == scope).peekable();
    if entries.peek().is_none() {
        return;
    }
    lines.push(Line::styled(title, theme.focused()));
    for entry in entries {
        // The name by which `config/console.yaml` binds it: beside the help, or below it where there is no room.
        let keys = format!("  {:<KEYS_WIDTH$}", chords(entry));
        let room = width.saturating_sub(text::width(&keys) + text::width(entry.help) + 1);
        let name = |cells: usize| Span::styled(format!(" {:>cells$}", entry.command.0), theme.role(Role::Muted));
        let mut line = vec![Span::styled(keys, theme.role(Role::Accent)), Span::raw(entry.help)];
        let fits = entry.command.0.len() <= room;
        line.extend(fits.then(|| name(room)));
        lines.push(Line::from(line));
        lines.extend((!fits).then(|| Line::from(name(width.saturating_sub(1)))));
    }
    lines.push(Line::raw(""));
}

/// All chords of a command, as `j  Down`.
pub fn chords(entry: &Entry) -> String {
    entry.chords.iter().map(ToString::to_string).collect::<Vec<_>>().join("  ")
}
