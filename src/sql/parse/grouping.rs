//! The GROUP BY clause: windows among the groupings are taken out, `PRIMARY KEY` behind them too.

use sqlparser::tokenizer::Token;

use super::clause::Scope;
use super::cursor::{by_commas, closing};
use super::lex::Lexeme;
use super::lift::{Lift, Standing, Window};
use super::nested;
use super::reader::Reader;
use super::select;
use super::statement::{Diagnostic, Span};
use super::window;

/// `GROUP BY` and its list.
pub(super) fn rewrite(
    reader: &Reader<'_>,
    part: &[Lexeme],
    scope: Scope,
    lift: &mut Lift,
) -> Result<Vec<Lexeme>, Diagnostic> {
    let mut kept: Vec<Vec<Lexeme>> = Vec::new();
    let mut removed = false;
    for item in by_commas(&part[2..]) {
        let item = select::keyed(reader, item, scope, lift)?;
        if window::begins(item) && closing(item, 1) == Some(item.len() - 1) {
            let spec = window::read(reader, item, scope.end)?;
            // The same window may stand in the SELECT list and in the GROUP BY.
            let known = lift.own(scope.select).any(|(_, window)| window.spec.kind == spec.kind);
            if !known {
                lift.windows.push(Window { spec, select: scope.select, place: Standing::Grouping });
            }
            removed = true;
        } else if names_window(item, scope, lift) {
            removed = true;
        } else {
            kept.push(nested::rewrite(reader, item, scope, lift)?);
        }
    }
    if kept.is_empty() {
        // `GROUP BY TUMBLE(…)` alone: the tree puts the bounds of the window here.
        if removed {
            return Ok(Vec::new());
        }
        return Err(reader.source.diagnostic(
            part.last().map_or(scope.end, |last| Span { start: last.span.start, end: last.span.end }),
            "GROUP BY names nothing",
            "write GROUP BY customer_id",
        ));
    }
    let mut out = part[..2].to_vec();
    for (index, item) in kept.into_iter().enumerate() {
        if index > 0 {
            out.push(part[1].becomes(Token::Comma));
        }
        out.extend(item);
    }
    Ok(out)
}

/// `GROUP BY window`, or its number, where the SELECT list says `tumble(…) AS window`.
fn names_window(item: &[Lexeme], scope: Scope, lift: &Lift) -> bool {
    let [lexeme] = item else { return false };
    lift.own(scope.select).any(|(_, window)| match (&window.place, &lexeme.token) {
        (Standing::Item { name, .. }, Token::Word(word)) => name.eq_ignore_ascii_case(&word.value),
        (Standing::Item { position, .. }, Token::Number(number, _)) => *number == position.to_string(),
        _ => false,
    })
}
