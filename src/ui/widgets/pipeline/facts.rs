//! What a node says of itself, in words: its rate, what it waits for, what it holds, what failed; before it runs, what it would
//! keep. Pure.

use ratatui::text::{Line, Span};

use super::Picture;
use crate::app::model::pipeline::{NodeRole, PipelineNode};
use crate::core::words::counted;
use crate::ui::theme::{Role, Theme, marks};
use crate::ui::widgets::{number, rate, text, time};

/// A watermark that is further behind says little as a length of time.
const BEHIND_MS_MAX: i64 = 7 * 86_400_000;

/// Something that is so, and how it is told.
pub type Fact = (String, Role);

/// What a node is called, and what it does.
pub fn name(node: &PipelineNode) -> (&str, &str) {
    match node.operator.is_empty() {
        true => (&node.label, ""),
        false => (&node.operator, &node.label),
    }
}

/// What a node does in so many cells a line, cut where it is long.
pub fn label(picture: Picture<'_>, words: &str, cells: usize) -> Vec<String> {
    if words.is_empty() {
        return Vec::new();
    }
    let mut lines = text::wrapped(words, cells);
    let most = picture.label_lines_max();
    if most < lines.len() {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}{}", text::head(last, cells.saturating_sub(1)), marks::ELLIPSIS);
        }
    }
    lines
}

/// Rate, and the last rates as blocks in what is left of `cells`; none of what does not run, now or any more.
pub fn pace(picture: Picture<'_>, node: &PipelineNode, cells: usize) -> Option<String> {
    let (rates, _) = picture.live.filter(|_| !picture.is_at_rest)?;
    let now = number::rate(node.rate());
    let room = cells.saturating_sub(text::width(&now) + 1);
    let rates: Vec<f64> = rates.get(node.id).map(|rates| rates.iter().copied().collect()).unwrap_or_default();
    Some(format!("{now} {}", rate::sparkline(&rates, room)))
}

/// All that there is to know beside its rate, most telling first.
pub fn all(picture: Picture<'_>, node: &PipelineNode) -> Vec<Fact> {
    match picture.live {
        Some((_, now_ms)) => {
            let mut facts = holds(node, now_ms);
            facts.extend(troubles(node));
            facts.extend((!picture.is_at_rest).then(|| busy(node)));
            facts
        }
        None => {
            let keeps = (!node.keeps.is_empty()).then(|| (node.keeps.clone(), Role::Muted));
            let changes = node.is_changing.then(|| ("its rows change".to_owned(), Role::Muted));
            keeps.into_iter().chain(changes).collect()
        }
    }
}

/// What it holds and waits for.
fn holds(node: &PipelineNode, now_ms: i64) -> Vec<Fact> {
    let mut facts = Vec::new();
    match (node.role, node.progress) {
        (NodeRole::Source, Some((done, total))) => {
            facts.push(format!("{} of {}", number::bytes(done), number::bytes(total)));
        }
        (NodeRole::Source, None) => facts.push(format!("lag {}", number::grouped(node.backlog))),
        // A row that is replaced is written once: as what it is now.
        (NodeRole::Sink, _) if node.is_changing => facts.push(counted(node.rows_out, "change")),
        (NodeRole::Sink, _) => facts.push(counted(node.rows_out, "row")),
        (NodeRole::Operator, _) => {}
    }
    if 0 < node.state_rows || 0 < node.state_bytes {
        facts.push(format!("state {}", number::bytes(node.state_bytes)));
    }
    if let Some(behind) = watermark(node.watermark_ms, now_ms) {
        facts.push(format!("wm {behind}"));
    }
    if node.role != NodeRole::Source && 0 < node.backlog {
        facts.push(format!("waiting {}", number::grouped(node.backlog)));
    }
    facts.into_iter().map(|fact| (fact, Role::Muted)).collect()
}

/// How busy it is.
fn busy(node: &PipelineNode) -> Fact {
    (format!("busy {:.0} %", node.busy_share.clamp(0.0, 1.0) * 100.0), Role::Muted)
}

/// What went wrong.
fn troubles(node: &PipelineNode) -> Vec<Fact> {
    let counted = |what: &str, count: u64, role: Role| {
        (format!("{what} {}", number::grouped(count)), if 0 < count { role } else { Role::Muted })
    };
    let late = (node.role == NodeRole::Operator).then(|| counted("late", node.late, Role::Warning));
    let retries = (0 < node.retries).then(|| counted("retries", node.retries, Role::Warning));
    late.into_iter().chain([counted("bad", node.bad, Role::Danger)]).chain(retries).collect()
}

/// How far a watermark is behind: `−1.2 s`, `−02:05`; the day where it is far.
pub fn watermark(watermark_ms: Option<i64>, now_ms: i64) -> Option<String> {
    let behind = now_ms.checked_sub(watermark_ms?)?;
    Some(match behind {
        ..=-1_000 => format!("+{}", time::span(behind.unsigned_abs())),
        // The clock of the screen is a moment old.
        -999..60_000 => format!("−{:.1} s", behind.max(0) as f64 / 1_000.0),
        60_000..BEHIND_MS_MAX => format!("−{}", time::span(behind.unsigned_abs())),
        _ => time::format(watermark_ms?, &jiff::tz::TimeZone::UTC, "%Y-%m-%d"),
    })
}

/// Facts on as many lines of `cells` as they need: none is left out.
pub fn flowed(facts: &[Fact], cells: usize, theme: &Theme) -> Vec<Line<'static>> {
    let gap = format!(" {} ", marks::DOT);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (words, role) in facts {
        for piece in text::wrapped(words, cells.max(1)) {
            let piece = Span::styled(piece, theme.role(*role));
            match lines.last_mut() {
                Some(line) if line.width() + text::width(&gap) + piece.width() <= cells => {
                    line.push_span(Span::styled(gap.clone(), theme.role(Role::Muted)));
                    line.push_span(piece);
                }
                _ => lines.push(Line::from(piece)),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fact_is_left_out_however_narrow_it_is() {
        let facts: Vec<Fact> =
            ["lag 120", "state 1.4 MB", "retries 3"].iter().map(|words| ((*words).to_owned(), Role::Text)).collect();
        let flowed = |cells| {
            let lines = flowed(&facts, cells, &Theme::default());
            lines.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(flowed(40), ["lag 120 · state 1.4 MB · retries 3"]);
        assert_eq!(flowed(24), ["lag 120 · state 1.4 MB", "retries 3"]);
        assert_eq!(flowed(12), ["lag 120", "state 1.4 MB", "retries 3"]);
    }
}
