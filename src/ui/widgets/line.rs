//! Lines of several styles made to fit: cut with an ellipsis, never in the middle of a letter. Pure, draws nothing.

use ratatui::text::{Line, Span};

use super::text;
use crate::ui::theme::marks::ELLIPSIS;

/// The line in at most `cells`, with an ellipsis where its end is cut.
pub fn fit(line: &Line<'_>, cells: usize) -> Line<'static> {
    let whole = line.width() <= cells;
    // The ellipsis needs a cell of its own.
    let mut room = if whole { cells } else { cells.saturating_sub(1) };
    let mut kept = Vec::with_capacity(line.spans.len());
    for span in &line.spans {
        let head = text::head(&span.content, room);
        let cut = head.len() < span.content.len();
        room -= text::width(head).min(room);
        let words = if cut && cells > 0 { format!("{head}{ELLIPSIS}") } else { head.to_owned() };
        kept.push(Span::styled(words, span.style));
        if cut {
            break;
        }
    }
    Line::from(kept).style(line.style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_in_the_piece_that_does_not_fit() {
        let line = Line::from(vec![Span::raw("orders"), Span::raw(" → "), Span::raw("qa.orders.v1")]);
        let told = |cells| fit(&line, cells).spans.iter().map(|span| span.content.to_string()).collect::<String>();
        assert_eq!(told(40), "orders → qa.orders.v1");
        assert_eq!(told(21), "orders → qa.orders.v1");
        assert_eq!(told(20), "orders → qa.orders.…");
        assert_eq!(told(6), "order…");
        assert_eq!(told(7), "orders…");
        assert_eq!((told(1).as_str(), told(0).as_str()), ("…", ""));
    }
}
