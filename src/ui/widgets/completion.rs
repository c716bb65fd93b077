//! What could stand at the caret: a list beside the word that is typed. Letters, Enter and Backspace always edit; only Tab takes
//! an item, and arrows move in the list while it is open. It knows no catalog: it is lent what could stand there.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::text;
use crate::sql::assist::{Completion, Item, ItemKind};
use crate::ui::theme::{Role, Theme};

/// Items that are seen at a time: more are found sooner by another letter.
const ITEMS_SEEN: u16 = 8;
/// Widest list, cells.
const WIDTH_MAX: u16 = 72;
/// Narrowest list that is read.
const WIDTH_MIN: u16 = 24;

/// The open list.
#[derive(Debug)]
pub struct Popup {
    completion: Completion,
    at: usize,
    top: usize,
    /// Whether it was asked for: it then stays with nothing typed.
    is_asked: bool,
    /// What is said of the key that takes an item.
    keys: &'static str,
}

/// What a key did to the list.
#[derive(Debug, Clone, PartialEq)]
pub enum Chosen {
    /// Not a key of the list.
    Ignored,
    /// The list moved.
    Moved,
    /// The list is to be closed.
    Closed,
    /// These bytes become this text, and the caret stands so many bytes into it.
    Taken(std::ops::Range<usize>, String, usize),
}

impl Popup {
    /// What could stand at the caret of a text; none where nothing could, or where nothing was typed and nobody asked.
    pub fn open(text: &str, caret: usize, completion: Completion, is_asked: bool) -> Option<Self> {
        let typed = text.get(completion.replace.start..caret).unwrap_or_default();
        let is_behind_point = text.get(..completion.replace.start).is_some_and(|before| before.ends_with('.'));
        // Who opens a quote wants one of the values that can stand in it.
        let is_behind_quote = completion.is_in_text && typed.is_empty();
        let is_wanted = is_asked || !typed.is_empty() || is_behind_point || is_behind_quote;
        // What is written out already needs no list that takes the arrows away.
        let is_written =
            !is_asked && completion.items.first().is_some_and(|item| item.label.eq_ignore_ascii_case(typed));
        (is_wanted && !is_written && !completion.items.is_empty()).then_some(Self {
            completion,
            at: 0,
            top: 0,
            is_asked,
            keys: " Tab takes it ",
        })
    }

    /// These items, for a field whose whole text one of them replaces; none where there are none.
    pub fn of(items: Vec<Item>, typed: &str, keys: &'static str) -> Option<Self> {
        let completion = Completion { replace: 0..typed.len(), items, ..Completion::default() };
        (!completion.items.is_empty()).then_some(Self { completion, at: 0, top: 0, is_asked: false, keys })
    }

    /// The byte of the text at which what is completed begins.
    pub fn begins_at(&self) -> usize {
        self.completion.replace.start
    }

    /// Whether nobody has moved in it yet.
    pub fn is_untouched(&self) -> bool {
        self.at == 0
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Chosen {
        if !(key.modifiers - KeyModifiers::SHIFT).is_empty() {
            return Chosen::Ignored;
        }
        let last = self.completion.items.len() - 1;
        match key.code {
            KeyCode::Down => self.at = if self.at == last { 0 } else { self.at + 1 },
            KeyCode::Up => self.at = if self.at == 0 { last } else { self.at - 1 },
            KeyCode::PageDown => self.at = (self.at + usize::from(ITEMS_SEEN)).min(last),
            KeyCode::PageUp => self.at = self.at.saturating_sub(usize::from(ITEMS_SEEN)),
            KeyCode::Esc => return Chosen::Closed,
            KeyCode::Tab => {
                let item = &self.completion.items[self.at];
                return Chosen::Taken(self.completion.replace.clone(), item.text.clone(), item.caret);
            }
            _ => return Chosen::Ignored,
        }
        Chosen::Moved
    }

    /// Draws the list below `caret`, or above it where there is more room; `screen` is what it may cover.
    pub fn draw(&mut self, caret: Position, screen: Rect, buffer: &mut Buffer, theme: &Theme) {
        let items = &self.completion.items;
        let help = &items[self.at].help;
        let names = items.iter().map(|item| text::width(&item.label)).max().unwrap_or(0) as u16;
        let details = items.iter().map(|item| text::width(&item.detail)).max().unwrap_or(0) as u16;
        let width = (2 + names + 2 + details.min(48) + 2)
            .max(text::width(help) as u16 + 4)
            .clamp(WIDTH_MIN, WIDTH_MAX)
            .min(screen.width);
        let below = screen.bottom().saturating_sub(caret.y + 1);
        let above = caret.y.saturating_sub(screen.y);
        // Two lines of border, and one for what the item under the cursor does.
        let room = below.max(above).saturating_sub(3);
        let seen = (items.len() as u16).min(ITEMS_SEEN).min(room);
        if seen == 0 || screen.width < WIDTH_MIN {
            return;
        }
        let height = seen + 2 + u16::from(!help.is_empty());
        let y = if height <= below || above < below { caret.y + 1 } else { caret.y - height.min(above) };
        let x = caret.x.saturating_sub(2).min(screen.right().saturating_sub(width)).max(screen.x);
        let area = Rect { x, y, width, height };
        Clear.render(area, buffer);
        buffer.set_style(area, theme.base());
        let block = Block::bordered().border_type(BorderType::Plain).border_style(theme.role(Role::Accent));
        let inside = block.inner(area);
        block.render(area, buffer);
        let count = format!(" {}/{} ", self.at + 1, items.len());
        let keys = self.keys;
        buffer.set_string(area.right() - 1 - text::width(&count) as u16, area.y, &count, theme.role(Role::Muted));
        if usize::from(area.width) > text::width(keys) + 4 {
            buffer.set_string(area.x + 2, area.bottom() - 1, keys, theme.role(Role::Muted));
        }
        let seen = usize::from(seen);
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(seen));
        for (row, item) in items.iter().enumerate().skip(self.top).take(seen) {
            let line = Rect { y: inside.y + (row - self.top) as u16, height: 1, ..inside };
            draw_item(item, names, line, buffer, theme);
            if row == self.at {
                buffer.set_style(line, theme.role(Role::Selection).add_modifier(Modifier::BOLD));
            }
        }
        if !help.is_empty() {
            let words = text::fit(help, usize::from(inside.width.saturating_sub(1))).into_owned();
            let style = theme.role(Role::Muted).add_modifier(Modifier::ITALIC);
            buffer.set_string(inside.x + 1, inside.bottom() - 1, words, style);
        }
    }
}

fn draw_item(item: &Item, names: u16, line: Rect, buffer: &mut Buffer, theme: &Theme) {
    let room = usize::from(line.width.saturating_sub(2));
    let name = text::fit(&item.label, room).into_owned();
    buffer.set_string(line.x + 1, line.y, &name, role(item.kind, theme));
    let left = line.x + 1 + names.min(line.width.saturating_sub(2)) + 2;
    if left + 3 < line.right() {
        let detail = text::fit(&item.detail, usize::from(line.right() - left - 1)).into_owned();
        buffer.set_string(left, line.y, detail, theme.role(Role::Muted));
    }
}

fn role(kind: ItemKind, theme: &Theme) -> ratatui::style::Style {
    theme.role(match kind {
        ItemKind::Keyword => Role::Chart5,
        ItemKind::Function => Role::Chart1,
        ItemKind::Type => Role::Chart4,
        ItemKind::Column | ItemKind::Alias => Role::Text,
        ItemKind::Duration | ItemKind::Value => Role::Chart3,
        ItemKind::Topic | ItemKind::Stream | ItemKind::Table | ItemKind::View | ItemKind::Option => Role::Chart2,
    })
}
