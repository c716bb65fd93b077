//! Draws the editor: numbers, a bar beside the statement under the caret, coloured tokens, and over them what is wrong, found,
//! selected, and the caret. Only the lines that are seen are looked at.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthChar;

use super::editor::SqlEditor;
use crate::sql::parse::TokenClass;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::text;

/// Lines kept between the caret and the edge while there are any: what comes next is seen before it is reached.
const MARGIN_LINES: usize = 2;
/// Cells kept between the caret and the right edge.
const MARGIN_CELLS: usize = 4;

/// What is drawn over the tokens.
#[derive(Debug, Clone, Default)]
pub struct Overlay<'a> {
    /// What is wrong, as bytes.
    pub wrong: &'a [Range<usize>],
    /// What was searched for, as bytes, in order.
    pub found: &'a [Range<usize>],
    /// Whether keys go into the editor.
    pub focused: bool,
}

/// Which part of the text is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    top: usize,
    left: usize,
    /// Where text was drawn last, without the numbers.
    area: Rect,
}

impl Window {
    /// Lines that are seen at a time.
    pub fn height(&self) -> usize {
        usize::from(self.area.height)
    }

    /// Where a byte was drawn; none where it is not seen.
    pub fn position(&self, editor: &SqlEditor, offset: usize) -> Option<Position> {
        let (line, _) = editor.place_of(offset);
        let head = &editor.text()[editor.line_start(line)..offset.min(editor.text().len())];
        let row = line.checked_sub(self.top).filter(|row| *row < self.height())?;
        let column = cells(head).checked_sub(self.left).filter(|column| *column <= usize::from(self.area.width))?;
        Some(Position::new(self.area.x + column as u16, self.area.y + row as u16))
    }

    /// The line and letter under a place of the screen; none where no text is drawn.
    pub fn under(&self, editor: &SqlEditor, at: Position) -> Option<(usize, usize)> {
        let numbers = Rect { x: self.area.x.saturating_sub(6), width: self.area.width + 6, ..self.area };
        if !numbers.contains(at) {
            return None;
        }
        let line = (self.top + usize::from(at.y - self.area.y)).min(editor.lines().len() - 1);
        let wanted = self.left + usize::from(at.x.saturating_sub(self.area.x));
        let mut column = 0;
        let letters = editor.lines()[line].chars().take_while(|letter| {
            column += letter.width().unwrap_or(0);
            column <= wanted
        });
        Some((line, letters.count()))
    }

    /// Moves the window, as the wheel does; the caret stays where it is until it moves.
    pub fn scroll(&mut self, by: isize, lines: usize) {
        self.top = self.top.saturating_add_signed(by).min(lines.saturating_sub(1));
    }

    /// Moves the window so that the caret is in it.
    pub fn follow(&mut self, editor: &SqlEditor) {
        let (line, letter) = editor.place();
        let (height, width) = (self.height().max(1), usize::from(self.area.width).max(1));
        let margin = MARGIN_LINES.min((height - 1) / 2);
        let last = editor.lines().len().saturating_sub(height);
        self.top = self.top.min(line.saturating_sub(margin)).max((line + margin + 1).saturating_sub(height)).min(last);
        let head: String = editor.lines()[line].chars().take(letter).collect();
        let column = cells(&head);
        if column < self.left {
            self.left = column.saturating_sub(MARGIN_CELLS);
        }
        if self.left + width <= column {
            self.left = column + MARGIN_CELLS.min(width / 2) + 1 - width;
        }
    }

    /// Draws the text. `follows` keeps the caret in sight.
    pub fn draw(
        &mut self,
        editor: &SqlEditor,
        overlay: &Overlay<'_>,
        follows: bool,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let digits = editor.lines().len().max(10).ilog10() as u16 + 1;
        // A space, the number, the bar, a space.
        let gutter = (digits + 3).min(area.width);
        let bar = u16::from(editor.lines().len() > usize::from(area.height));
        self.area = Rect { x: area.x + gutter, width: area.width.saturating_sub(gutter + bar), ..area };
        if self.area.is_empty() {
            return;
        }
        if follows {
            self.follow(editor);
        }
        let statement =
            editor.statement().map(|(_, range)| (editor.place_of(range.start).0, editor.place_of(range.end).0));
        let brackets = if overlay.focused { editor.brackets() } else { None };
        let selection = editor.selection();
        let painter = Painter { editor, overlay, selection, brackets, theme };
        let caret = editor.place();
        for row in 0..self.height() {
            let line = self.top + row;
            if editor.lines().len() <= line {
                break;
            }
            let y = area.y + row as u16;
            let here = overlay.focused && line == caret.0;
            let number = format!(" {:>width$}", line + 1, width = usize::from(digits));
            buffer.set_stringn(
                area.x,
                y,
                number,
                usize::from(gutter),
                theme.role(if here { Role::Text } else { Role::Muted }),
            );
            if statement.is_some_and(|(first, last)| (first..=last).contains(&line)) {
                let style = theme.role(if overlay.focused { Role::Accent } else { Role::Border });
                buffer.set_string(area.x + gutter - 2, y, marks::BAR, style);
            }
            painter.line(line, self.left, Rect { y, height: 1, ..self.area }, buffer);
        }
        if overlay.focused
            && let Some(at) = self.position(editor, editor.caret())
            && let Some(cell) = buffer.cell_mut(at)
        {
            cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
        }
        self.draw_bar(editor.lines().len(), area, buffer, theme);
    }

    fn draw_bar(&self, lines: usize, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let height = self.height();
        if lines <= height || height == 0 {
            return;
        }
        let length = (height * height / lines).max(1);
        let start = (height - length) * self.top.min(lines - height) / (lines - height);
        for row in 0..height {
            let inside = (start..start + length).contains(&row);
            let style = theme.role(if inside { Role::Muted } else { Role::Border });
            buffer.set_string(area.right() - 1, area.y + row as u16, if inside { "┃" } else { "│" }, style);
        }
    }
}

struct Painter<'a> {
    editor: &'a SqlEditor,
    overlay: &'a Overlay<'a>,
    selection: Option<Range<usize>>,
    brackets: Option<(usize, Option<usize>)>,
    theme: &'a Theme,
}

impl Painter<'_> {
    fn line(&self, line: usize, left: usize, area: Rect, buffer: &mut Buffer) {
        let start = self.editor.line_start(line);
        let words = &self.editor.lines()[line];
        let mut column = 0_usize;
        let mut end = area.x;
        for (at, letter) in words.char_indices() {
            let width = letter.width().unwrap_or(0);
            let shown = column.checked_sub(left).map(|column| column as u16);
            column += width;
            let Some(x) = shown.map(|shown| area.x + shown).filter(|_| width > 0) else { continue };
            if area.right() < x + width as u16 {
                break;
            }
            let mut bytes = [0; 4];
            buffer.set_string(x, area.y, text::harmless(letter).encode_utf8(&mut bytes), self.style(start + at));
            end = x + width as u16;
        }
        self.cut(words, left, area, buffer);
        // What is wrong at the very end of a line has no letter to be underlined: a cell behind it stands for it.
        let tail = start + words.len();
        let is_wrong = self.overlay.wrong.iter().any(|range| range.start == tail && tail <= range.end);
        if (is_wrong || self.is_selected(tail)) && end < area.right() {
            let style = if is_wrong {
                self.theme.role(Role::Danger).add_modifier(Modifier::UNDERLINED)
            } else {
                self.selected()
            };
            buffer.set_string(end, area.y, " ", style);
        }
    }

    /// Says at both edges that the line goes on there.
    fn cut(&self, words: &str, left: usize, area: Rect, buffer: &mut Buffer) {
        let muted = self.theme.role(Role::Accent);
        let width = cells(words);
        if 0 < left && 0 < width && 0 < area.x {
            buffer.set_string(area.x - 1, area.y, marks::LEFT, muted);
        }
        if left + usize::from(area.width) < width {
            buffer.set_string(area.right() - 1, area.y, marks::ELLIPSIS, muted);
        }
    }

    fn style(&self, at: usize) -> Style {
        let mut style = self.editor.class_at(at).map_or(self.theme.role(Role::Text), |class| look(class, self.theme));
        if within(self.overlay.found, at) {
            style = style.patch(self.theme.matched());
        }
        if self.brackets.is_some_and(|(one, other)| other.is_some() && (one == at || other == Some(at))) {
            style = self.theme.role(Role::Accent).add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        }
        if self.overlay.focused && self.brackets == Some((at, None)) || within(self.overlay.wrong, at) {
            style = self.theme.role(Role::Danger).add_modifier(Modifier::UNDERLINED);
        }
        if self.is_selected(at) {
            style = style.patch(self.selected());
        }
        style
    }

    fn selected(&self) -> Style {
        self.theme.role(Role::Selection)
    }

    fn is_selected(&self, at: usize) -> bool {
        self.selection.as_ref().is_some_and(|range| range.contains(&at))
    }
}

/// How a token looks.
pub fn look(class: TokenClass, theme: &Theme) -> Style {
    match class {
        TokenClass::Keyword => theme.role(Role::Chart5),
        TokenClass::Type => theme.role(Role::Chart4),
        TokenClass::Function => theme.role(Role::Chart1),
        TokenClass::Name | TokenClass::Operator => theme.role(Role::Text),
        TokenClass::String => theme.role(Role::Chart2),
        TokenClass::Number => theme.role(Role::Chart3),
        TokenClass::Punctuation => theme.role(Role::Muted),
        TokenClass::Comment => theme.role(Role::Muted).add_modifier(Modifier::ITALIC),
        TokenClass::Annotation | TokenClass::Variable => theme.role(Role::Chart6),
        TokenClass::Unknown => theme.role(Role::Danger),
    }
}

/// Whether one of the ranges, which are in order and apart, holds the byte.
fn within(ranges: &[Range<usize>], at: usize) -> bool {
    let index = ranges.partition_point(|range| range.end <= at);
    ranges.get(index).is_some_and(|range| range.contains(&at))
}

fn cells(words: &str) -> usize {
    words.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}
