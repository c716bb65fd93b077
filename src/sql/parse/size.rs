//! Keeps a statement within what a recursion over its tree can bear. Every walk over a tree is one: here, in the planner, in a drop.

use sqlparser::tokenizer::Token;

use super::lex::Lexeme;
use super::source::Source;
use super::statement::Diagnostic;

/// Tokens of one statement: an `IN` of ten thousand values fits twice.
const STATEMENT_TOKENS_MAX: usize = 50_000;
/// Levels of the tree: operators in a row, one within another. A walk takes up to 65 KiB a level in a debug build.
/// AND, OR and `||` do not count: their rows are balanced.
const LEVELS_MAX: usize = 150;

/// What stands between two brackets.
#[derive(Default)]
struct Level {
    /// Operators since the last comma or keyword.
    operators: usize,
    /// The deepest bracket since then.
    inner: usize,
    /// The deepest before.
    deepest: usize,
}

impl Level {
    fn height(&self) -> usize {
        self.operators + self.inner
    }

    fn cut(&mut self) {
        self.deepest = self.deepest.max(self.height());
        self.operators = 0;
        self.inner = 0;
    }
}

/// An error if the statement is too long or its tree would be too deep.
pub(super) fn check(source: &Source<'_>, statement: &[Lexeme]) -> Result<(), Diagnostic> {
    let Some(first) = statement.first() else { return Ok(()) };
    if statement.len() > STATEMENT_TOKENS_MAX {
        let what = format!("this statement has more than {STATEMENT_TOKENS_MAX} words and signs");
        return Err(source.diagnostic(first.span, what, "put the values into a table and join it"));
    }
    let mut levels = vec![Level::default()];
    for lexeme in statement {
        match lexeme.depth() {
            1 => {
                levels.push(Level::default());
                continue;
            }
            -1 => {
                if levels.len() > 1
                    && let Some(mut closed) = levels.pop()
                    && let Some(level) = levels.last_mut()
                {
                    closed.cut();
                    level.inner = level.inner.max(closed.deepest + 1);
                    // `a[1][2]`: each is around what stands before it.
                    level.operators += usize::from(lexeme.token == Token::RBracket);
                }
            }
            _ => {}
        }
        let Some(level) = levels.last_mut() else { continue };
        match &lexeme.token {
            Token::Comma | Token::StringConcat => level.cut(),
            Token::Word(_)
                if lexeme.is_one_of(&["SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ON", "JOIN", "AND", "OR"]) =>
            {
                level.cut()
            }
            Token::Word(_)
                if !lexeme.is_one_of(&["NOT", "IS", "UNION", "EXCEPT", "INTERSECT", "LIKE", "COLLATE", "CASE"]) => {}
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Period => {}
            _ if lexeme.depth() != 0 => {}
            _ => level.operators += 1,
        }
        if level.height() > LEVELS_MAX {
            let what =
                format!("this expression has more than {LEVELS_MAX} operators in a row or brackets in one another");
            return Err(source.diagnostic(lexeme.span, what, "use IN (…), or take it apart with WITH name AS (…)"));
        }
    }
    Ok(())
}
