//! The keys of the focused pane, of lists and of the console with the names of their commands, and what each mark means. Made
//! from the registry.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::action::PaneId;
use crate::ui::chord::Chord;
use crate::ui::keymap::{Command, Entry, Keymap, Scope};
use crate::ui::layout;
use crate::ui::theme::{Marks, Role, Theme, marks};
use crate::ui::widgets::text;

/// Widest box, cells.
const WIDTH_MAX: u16 = 76;
/// From this width on the keys stand in two columns, cells.
const TWO_COLUMNS_FROM: u16 = 130;
/// Cells between two columns.
const BETWEEN: u16 = 2;
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

    /// Draws the keys of a pane; `not_here` are those of lists that mean nothing in it.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        screen: Rect,
        (pane, not_here): ((PaneId, &str), &[Command]),
        keymap: &Keymap,
        theme: &Theme,
    ) {
        let mut lines = Vec::new();
        let columns: u16 = if TWO_COLUMNS_FROM <= screen.width { 2 } else { 1 };
        let width = (WIDTH_MAX * columns).min(screen.width);
        // Without its border and a blank on either side.
        let cells = usize::from((width.saturating_sub(4) - BETWEEN * (columns - 1)) / columns);
        let means = |entry: &&Entry| {
            // What the pane gives another meaning to is the pane's.
            let is_taken = entry.chords.iter().all(|chord| keymap.command(pane.0, *chord) != Some(entry.command));
            !not_here.contains(&entry.command) && (entry.chords.is_empty() || !is_taken)
        };
        let of = |scope: Scope| keymap.entries().iter().filter(move |entry| entry.scope == scope);
        // A chord that the pane has taken for itself means nothing else in it.
        let here = |entry: &Entry, chord: Chord| keymap.command(pane.0, chord) == Some(entry.command);
        section(&mut lines, pane.1, of(Scope::Pane(pane.0)), here, cells, theme);
        section(&mut lines, "Lists", of(Scope::List).filter(means), here, cells, theme);
        section(&mut lines, "Console", of(Scope::Global).filter(means), here, cells, theme);
        lines.push(Line::styled("Marks", theme.focused()));
        for (sign, plain, meaning) in marks::MEANINGS {
            let shown = if theme.marks() == Marks::Ascii { plain } else { sign };
            lines.push(Line::from(vec![
                Span::styled(format!("  {shown:<KEYS_WIDTH$}"), theme.role(Role::Accent)),
                Span::raw(meaning),
            ]));
        }
        let height = ((lines.len() as u16).div_ceil(columns) + 2).min(screen.height.saturating_sub(2));
        let title = format!("Keys · {}", pane.1);
        let area = super::open_box(frame, layout::middle(screen, width, height), &title, theme);
        let seen = usize::from(area.height * columns);
        self.last = lines.len().saturating_sub(seen);
        self.top = self.top.min(self.last);
        if self.top < self.last {
            let more = format!(" ↓ {} more ", self.last - self.top);
            let width = more.chars().count() as u16;
            let place = Rect { x: area.right().saturating_sub(width), y: area.bottom(), width, height: 1 };
            frame.render_widget(Span::styled(more, theme.role(Role::Muted)), place);
        }
        let mut lines = lines.into_iter().skip(self.top);
        for column in 0..columns {
            let x = area.x + column * (cells as u16 + BETWEEN);
            let place = Rect { x, width: (cells as u16).min(area.right().saturating_sub(x)), ..area };
            let shown: Vec<Line<'_>> = lines.by_ref().take(usize::from(area.height)).collect();
            frame.render_widget(Paragraph::new(shown), place);
        }
    }
}

fn section<'a>(
    lines: &mut Vec<Line<'a>>,
    title: &'a str,
    entries: impl Iterator<Item = &'a Entry>,
    here: impl Fn(&Entry, Chord) -> bool,
    width: usize,
    theme: &Theme,
) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    lines.push(Line::styled(title, theme.focused()));
    for entry in entries {
        // The name by which `config/console.yaml` binds it: beside the help, or below it where there is no room.
        let keys = entry.chords.iter().filter(|chord| here(entry, **chord));
        let keys = format!("  {:<KEYS_WIDTH$}", written(keys));
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
    written(entry.chords.iter())
}

fn written<'c>(chords: impl Iterator<Item = &'c Chord>) -> String {
    chords.map(ToString::to_string).collect::<Vec<_>>().join("  ")
}
