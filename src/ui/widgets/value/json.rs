//! JSON as lines of a tree that folds. It keeps the text as it was sent: no number is rounded, no key is lost.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::de::IgnoredAny;

use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::highlight::{self, Language, Token};
use crate::ui::widgets::text;

/// Cells that a level is moved in.
const INDENT: usize = 2;

/// A line: its pieces are ranges of the source.
#[derive(Debug, Clone, Default)]
struct Line {
    depth: usize,
    pieces: Vec<(Token, Range<usize>)>,
    /// The line of the closing bracket, where this one opens.
    closes: Option<usize>,
    children: usize,
    /// Where it is in the tree, whatever record it is of.
    path: u64,
    parent: Option<usize>,
    /// Path of the line it is in.
    above: u64,
}

/// A value in lines.
#[derive(Debug, Clone)]
pub struct JsonTree {
    source: String,
    lines: Vec<Line>,
}

/// What is folded, by path: it stays folded when another record is shown.
#[derive(Debug, Clone, Default)]
pub struct Folds(HashSet<u64>);

impl Folds {
    /// Folds or unfolds a line that opens; says where the cursor belongs.
    pub fn turn_over(&mut self, tree: &JsonTree, line: usize) -> Option<usize> {
        if tree.lines[line].closes.is_some() && self.0.contains(&tree.lines[line].path) {
            self.open(tree, line)
        } else {
            self.close(tree, line)
        }
    }

    /// Folds a line that opens, or what the line is in.
    pub fn close(&mut self, tree: &JsonTree, line: usize) -> Option<usize> {
        let opens = |line: usize| tree.lines[line].closes.is_some() && !self.0.contains(&tree.lines[line].path);
        let line = if opens(line) { Some(line) } else { tree.lines[line].parent };
        self.0.insert(tree.lines[line?].path);
        line
    }

    /// Unfolds a line.
    pub fn open(&mut self, tree: &JsonTree, line: usize) -> Option<usize> {
        self.0.remove(&tree.lines[line].path).then_some(line)
    }
}

impl JsonTree {
    /// The tree of a value; `None` where it is not JSON.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<IgnoredAny>(bytes).ok()?;
        let source = String::from_utf8(bytes.to_vec()).ok()?;
        let mut making = Making::default();
        let mut at = 0;
        let pieces = highlight::pieces(&source, Language::Json);
        let told: Vec<(Token, Range<usize>)> = pieces
            .into_iter()
            .map(|(token, piece)| {
                at += piece.len();
                (token, at - piece.len()..at)
            })
            .filter(|(token, range)| *token != Token::Plain && !source[range.clone()].trim().is_empty())
            .collect();
        for (index, (token, range)) in told.iter().enumerate() {
            let next = told.get(index + 1).map(|(_, range)| &source[range.clone()]);
            making.piece(*token, range.clone(), &source, next);
        }
        Some(Self { source, lines: making.lines })
    }

    /// Lines that are not within something folded.
    pub fn shown<'a>(&'a self, folds: &'a Folds) -> impl Iterator<Item = usize> + 'a {
        let mut next = 0;
        std::iter::from_fn(move || {
            let line = next;
            let opened = self.lines.get(line)?;
            next = match opened.closes.filter(|_| folds.0.contains(&opened.path)) {
                Some(end) => end + 1,
                None => line + 1,
            };
            Some(line)
        })
    }

    /// The whole value with a line for each part.
    pub fn written(&self) -> String {
        let mut written = String::with_capacity(self.source.len() * 2);
        for line in &self.lines {
            written.extend(std::iter::repeat_n(' ', line.depth * INDENT));
            line.pieces.iter().for_each(|(_, range)| self.write_piece(range, &mut written));
            written.push('\n');
        }
        written.pop();
        written
    }

    /// The value that a line holds or opens, as it was sent; of a text what it says.
    pub fn value_of(&self, line: usize) -> Option<String> {
        let shown = self.lines.get(line)?;
        let is_value = |(token, range): &&(Token, Range<usize>)| {
            *token != Token::Key && !matches!(&self.source[range.clone()], ":" | ",")
        };
        let (_, first) = shown.pieces.iter().find(is_value)?;
        if matches!(&self.source[first.clone()], "}" | "]") {
            return self.value_of(shown.parent?);
        }
        let (_, last) = match shown.closes {
            Some(closing) => self.lines.get(closing)?.pieces.first()?,
            None => shown.pieces.iter().rfind(is_value)?,
        };
        let text = self.source.get(first.start..last.end)?;
        Some(serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned()))
    }

    /// Draws a line, with its mark where it folds.
    pub fn draw_line(&self, line: usize, folds: &Folds, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let Some(shown) = self.lines.get(line) else { return };
        let end = shown.closes.filter(|_| folds.0.contains(&shown.path));
        if shown.closes.is_some() {
            let mark = if end.is_some() { marks::CLOSED } else { marks::OPEN };
            buffer.set_stringn(area.x, area.y, mark, usize::from(area.width), theme.role(Role::Muted));
        }
        // The mark and a gap; the last cell belongs to the bar.
        let mut x = area.x.saturating_add((2 + shown.depth * INDENT) as u16);
        let right = area.right().saturating_sub(1);
        let mut put = |words: &str, token: Token| {
            let room = usize::from(right.saturating_sub(x));
            let fitted = text::fit(words, room);
            buffer.set_stringn(x, area.y, &fitted, room, token.style(theme));
            x = x.saturating_add(text::width(&fitted) as u16);
        };
        let mut words = String::new();
        for (token, range) in &shown.pieces {
            words.clear();
            // A text is drawn no longer than any screen is wide.
            let cut = text::head(&self.source[range.clone()], usize::from(u16::MAX));
            words.extend(cut.chars().map(text::harmless));
            if *token == Token::Punctuation && words == ":" {
                words.push(' ');
            }
            put(&words, *token);
        }
        let Some(end) = end else { return };
        let opened = shown.pieces.last().is_some_and(|(_, range)| &self.source[range.clone()] == "{");
        let noun = match (opened, shown.children) {
            (true, 1) => "key",
            (true, _) => "keys",
            (false, 1) => "item",
            (false, _) => "items",
        };
        put(&format!(" {} {noun} ", shown.children), Token::Comment);
        for (token, range) in &self.lines[end].pieces {
            put(&self.source[range.clone()], *token);
        }
    }

    fn write_piece(&self, range: &Range<usize>, into: &mut String) {
        into.push_str(&self.source[range.clone()]);
        if &self.source[range.clone()] == ":" {
            into.push(' ');
        }
    }
}

/// The tree while it is read.
#[derive(Default)]
struct Making {
    lines: Vec<Line>,
    /// Lines whose brackets are open.
    open: Vec<usize>,
    /// Whether the next piece stays on the line.
    stays: bool,
    /// Whether the next closing bracket stays on the line: nothing is between.
    empty: bool,
}

impl Making {
    fn piece(&mut self, token: Token, range: Range<usize>, source: &str, next: Option<&str>) {
        let words = &source[range.clone()];
        match (token, words) {
            (Token::Punctuation, "}" | "]") if !self.empty => {
                let opened = self.open.pop();
                let line = self.lines.len();
                if let Some(opened) = opened {
                    self.lines[opened].closes = Some(line);
                    self.lines[opened].children += 1;
                }
                self.begin();
                self.lines[line].parent = opened;
            }
            (Token::Punctuation, "," | ":" | "}" | "]") => {}
            _ if self.stays => {}
            _ => self.begin(),
        }
        if let Some(line) = self.lines.last_mut() {
            line.pieces.push((token, range));
            if token == Token::Key {
                line.path = path(line.above, words);
            }
        }
        let line = self.lines.len().saturating_sub(1);
        (self.stays, self.empty) = match (token, words) {
            (Token::Key, _) | (Token::Punctuation, ":") => (true, false),
            (Token::Punctuation, "{" | "[") if matches!(next, Some("}" | "]")) => (true, true),
            (Token::Punctuation, "{" | "[") => {
                self.open.push(line);
                (false, false)
            }
            (Token::Punctuation, ",") => {
                if let Some(opened) = self.open.last() {
                    self.lines[*opened].children += 1;
                }
                (false, false)
            }
            _ => (false, false),
        };
    }

    fn begin(&mut self) {
        let parent = self.open.last().copied();
        let (above, place) = parent.map_or((0, 0), |parent| (self.lines[parent].path, self.lines[parent].children));
        self.lines.push(Line { depth: self.open.len(), path: path(above, place), parent, above, ..Line::default() });
    }
}

fn path(above: u64, own: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (above, own).hash(&mut hasher);
    hasher.finish()
}
