//! A way past the interpreter for what payloads are made of: text, names, attributes, defaults, `to_json`, `now()`,
//! slices, `~`, choices and loops. A template is read into a tree once; an expression the tree has no form for stays the
//! interpreter's, alone, and the rest goes the direct way. It writes the same bytes or nothing: whatever is unusual in a
//! value, and every fault, is left to the interpreter.

mod tags;

pub(super) mod language;
mod pieces;
mod read;
mod shape;

mod clock;
mod expression;

use minijinja::value::Value;

use expression::Frame;
use language::Language;
use pieces::Piece;
use shape::Hole;

/// Instructions that one piece may take the interpreter, generously: so many pieces never run out of fuel there, and
/// where there are more it counts for itself.
const INSTRUCTIONS_A_PIECE: u64 = 1_000;

/// A template taken apart.
pub(super) struct Direct<'a> {
    pieces: Vec<Piece<'a>>,
    steps_max: u64,
    /// Where it is one JSON document around what its expressions write.
    holes: Option<Vec<Hole>>,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing: the interpreter has to decide.
    Nothing,
    /// The rendered text.
    Text,
    /// The rendered text, and it is JSON for certain.
    Json,
}

impl<'a> Direct<'a> {
    /// The pieces, or `None` where there is more to the template than that. Only of one that is to write JSON is it worth
    /// to know whether it does.
    pub fn of(source: &str, language: &Language<'a, '_>, claims_json: bool) -> Option<Self> {
        let pieces = pieces::pieces(source, language, 0)?;
        let steps_max = language.environment.fuel().map_or(u64::MAX, |fuel| fuel / INSTRUCTIONS_A_PIECE);
        let holes = if claims_json { shape::holes(&pieces) } else { None };
        Some(Self { pieces, steps_max, holes })
    }

    /// Appends the rendered text, or leaves `out` as it was.
    pub fn render(&self, context: &Value, out: &mut String) -> Written {
        let before = out.len();
        let mut frame = Frame { context, locals: Vec::new(), loops: Vec::new() };
        let written = match &self.holes {
            Some(holes) => self.fill(holes, &mut frame, out),
            None => pieces::write(&self.pieces, &mut frame, &mut self.steps_max.clone(), out).map(|()| Written::Text),
        };
        written.unwrap_or_else(|| {
            out.truncate(before);
            Written::Nothing
        })
    }

    fn fill<'r>(&'r self, holes: &[Hole], frame: &mut Frame<'r>, out: &mut String) -> Option<Written> {
        let (mut holes, mut is_json, mut steps) = (holes.iter(), true, self.steps_max);
        for piece in &self.pieces {
            let from = out.len();
            pieces::write(std::slice::from_ref(piece), frame, &mut steps, out)?;
            if let Piece::Print(expression) = piece {
                is_json &= holes.next().is_some_and(|hole| hole.takes(expression, &out[from..]));
            }
        }
        Some(if is_json { Written::Json } else { Written::Text })
    }
}

#[cfg(test)]
mod tests;
