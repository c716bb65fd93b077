//! Templates as a tree of what they write, one after the other: text, expressions, choices, loops, names that are set,
//! templates that are included.

use minijinja::value::ValueKind;

use super::super::arithmetic;
use super::expression::{Expression, Frame};
use super::language::Language;
use super::read::{self, is_name};
use super::tags::{Tag, tags};

/// Includes inside includes; the language's own limit is far above, and a template that includes itself is its to refuse.
const INCLUDES_MAX: u32 = 8;

pub(super) enum Piece<'a> {
    Text(String),
    Print(Expression<'a>),
    /// The first whose condition holds; the last has none where there is an `else`.
    If(Vec<(Option<Expression<'a>>, Vec<Self>)>),
    For {
        name: String,
        list: Expression<'a>,
        body: Vec<Self>,
        otherwise: Vec<Self>,
    },
    Set(String, Expression<'a>),
    /// An included template: what it sets ends with it.
    Scope(Vec<Self>),
}

/// The pieces of a template, or `None` where it says more than this knows.
pub(super) fn pieces<'a>(source: &str, language: &Language<'a, '_>, depth: u32) -> Option<Vec<Piece<'a>>> {
    let tags = tags(source)?;
    let mut builder = Builder { tags: tags.iter(), language, depth };
    match builder.body()? {
        (pieces, End::Template) => Some(pieces),
        _ => None,
    }
}

/// What ended a body.
enum End<'s> {
    Template,
    Endif,
    Endfor,
    Else,
    Elif(&'s str),
}

struct Builder<'t, 's, 'l, 'a, 'o> {
    tags: std::slice::Iter<'t, Tag<'s>>,
    language: &'l Language<'a, 'o>,
    depth: u32,
}

impl<'s, 'a> Builder<'_, 's, '_, 'a, '_> {
    fn body(&mut self) -> Option<(Vec<Piece<'a>>, End<'s>)> {
        let mut pieces = Vec::new();
        while let Some(tag) = self.tags.next() {
            let block = match tag {
                Tag::Text(text) => {
                    pieces.push(Piece::Text((*text).to_owned()));
                    continue;
                }
                Tag::Print(inside) => {
                    pieces.push(Piece::Print(self.expression(inside)?));
                    continue;
                }
                Tag::Block(block) => *block,
            };
            let (word, rest) = block.split_once(char::is_whitespace).unwrap_or((block, ""));
            let rest = rest.trim();
            match (word, rest) {
                ("if", _) => pieces.push(self.choice(rest)?),
                ("for", _) => pieces.push(self.every(rest)?),
                ("set", _) => pieces.push(self.set(rest)?),
                ("include", _) => pieces.extend(self.include(rest)?),
                ("endif", "") => return Some((pieces, End::Endif)),
                ("endfor", "") => return Some((pieces, End::Endfor)),
                ("else", "") => return Some((pieces, End::Else)),
                ("elif", _) => return Some((pieces, End::Elif(rest))),
                _ => return None,
            }
        }
        Some((pieces, End::Template))
    }

    fn expression(&self, text: &str) -> Option<Expression<'a>> {
        read::expression(text, self.language)
    }

    fn choice(&mut self, condition: &str) -> Option<Piece<'a>> {
        let mut branches = Vec::new();
        let mut condition = Some(self.expression(condition)?);
        loop {
            let last = condition.is_none();
            let (body, end) = self.body()?;
            branches.push((condition, body));
            condition = match end {
                End::Endif => return Some(Piece::If(branches)),
                End::Else if !last => None,
                End::Elif(text) if !last => Some(self.expression(text)?),
                _ => return None,
            };
        }
    }

    fn every(&mut self, head: &str) -> Option<Piece<'a>> {
        let (name, list) = head.split_once(char::is_whitespace)?;
        let list = list.trim_start().strip_prefix("in")?;
        // `for … if …` and `recursive` are the interpreter's.
        if !list.starts_with(char::is_whitespace) || !is_name(name) || list.split_whitespace().any(is_more) {
            return None;
        }
        let list = self.expression(list.trim())?;
        let (body, mut end) = self.body()?;
        let mut otherwise = Vec::new();
        if matches!(end, End::Else) {
            (otherwise, end) = self.body()?;
        }
        matches!(end, End::Endfor).then(|| Piece::For { name: name.to_owned(), list, body, otherwise })
    }

    fn set(&self, assignment: &str) -> Option<Piece<'a>> {
        let (name, value) = assignment.split_once('=')?;
        let name = name.trim_end();
        (is_name(name) && !value.starts_with('=')).then_some(())?;
        Some(Piece::Set(name.to_owned(), self.expression(value.trim())?))
    }

    fn include(&self, name: &str) -> Option<Vec<Piece<'a>>> {
        let quote = name.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
        let name = name.strip_prefix(quote)?.strip_suffix(quote)?;
        (self.depth < INCLUDES_MAX && !name.contains(['"', '\'', '\\'])).then_some(())?;
        let source = self.language.folder.read(name).ok()?;
        let text = arithmetic::rewritten(&source.text).unwrap_or(source.text);
        let pieces = pieces(&text, self.language, self.depth + 1)?;
        let sets = pieces.iter().any(|piece| !matches!(piece, Piece::Text(_) | Piece::Print(_)));
        Some(if sets { vec![Piece::Scope(pieces)] } else { pieces })
    }
}

fn is_more(word: &str) -> bool {
    matches!(word, "if" | "recursive")
}

/// Appends what the pieces write; `None` where the interpreter has to decide. Takes one of `steps` for every piece.
pub(super) fn write<'r>(
    pieces: &'r [Piece<'_>],
    frame: &mut Frame<'r>,
    steps: &mut u64,
    out: &mut String,
) -> Option<()> {
    for piece in pieces {
        *steps = steps.checked_sub(1)?;
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Print(expression) => expression.write(frame, out)?,
            Piece::Set(name, expression) => {
                let value = expression.evaluate(frame).filter(|value| !value.is_undefined())?;
                frame.locals.push((name, value));
            }
            Piece::Scope(inner) => {
                let outside = frame.locals.len();
                write(inner, frame, steps, out)?;
                frame.locals.truncate(outside);
            }
            Piece::If(branches) => {
                for (condition, body) in branches {
                    let holds = condition.as_ref().map_or(Some(true), |condition| condition.is_true(frame))?;
                    if holds {
                        write(body, frame, steps, out)?;
                        break;
                    }
                }
            }
            Piece::For { name, list, body, otherwise } => {
                let list = list.evaluate(frame)?;
                // Over texts and mappings the interpreter knows how to go.
                let length = list.len().filter(|_| matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable))?;
                if length == 0 {
                    write(otherwise, frame, steps, out)?;
                }
                let outside = frame.locals.len();
                for (index, item) in list.try_iter().ok()?.enumerate() {
                    frame.locals.push((name, item));
                    frame.loops.push((index, length));
                    write(body, frame, steps, out)?;
                    frame.loops.pop();
                    frame.locals.truncate(outside);
                }
            }
        }
    }
    Some(())
}
