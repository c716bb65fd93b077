//! A way past the interpreter for what payloads are made of: text, names, attributes, defaults, `to_json`, `now()`,
//! slices, `~`, choices and loops. A template is read into a tree once; an expression the tree has no form for stays the
//! interpreter's, alone, and the rest goes the direct way. It writes the same bytes or nothing: whatever is unusual in a
//! value, and every fault, is left to the interpreter.

mod tags;

pub(super) mod language;
mod pieces;
mod read;

mod clock;
mod expression;

use minijinja::value::Value;

use expression::Frame;
use language::Language;
use pieces::Piece;

/// Instructions that one piece may take the interpreter, generously: so many pieces never run out of fuel there, and
/// where there are more it counts for itself.
const INSTRUCTIONS_A_PIECE: u64 = 1_000;

/// A template taken apart.
pub(super) struct Direct<'a> {
    pieces: Vec<Piece<'a>>,
    steps_max: u64,
}

impl<'a> Direct<'a> {
    /// The pieces, or `None` where there is more to the template than that.
    pub fn of(source: &str, language: &Language<'a, '_>) -> Option<Self> {
        let pieces = pieces::pieces(source, language, 0)?;
        let steps_max = language.environment.fuel().map_or(u64::MAX, |fuel| fuel / INSTRUCTIONS_A_PIECE);
        Some(Self { pieces, steps_max })
    }

    /// Appends the rendered text; `false`, and `out` as it was, where the interpreter has to decide.
    pub fn render(&self, context: &Value, out: &mut String) -> bool {
        let before = out.len();
        let mut frame = Frame { context, locals: Vec::new(), loops: Vec::new() };
        let done = pieces::write(&self.pieces, &mut frame, &mut self.steps_max.clone(), out).is_some();
        if !done {
            out.truncate(before);
        }
        done
    }
}

#[cfg(test)]
mod tests;
