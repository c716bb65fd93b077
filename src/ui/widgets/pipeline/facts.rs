//! What a node says of itself, in words: its rate, what it waits for, what it holds, what failed. Pure.

use crate::app::model::pipeline::{Drawn, NodeRole, PipelineNode};
use crate::ui::theme::Role;
use crate::ui::theme::marks;
use crate::ui::widgets::{number, rate, text, time};

/// A watermark that is further behind says little as a length of time.
const BEHIND_MS_MAX: i64 = 7 * 86_400_000;

/// Rate, and the last rates as blocks in what is left of `cells`.
pub fn pace(drawn: &Drawn, node: &PipelineNode, cells: usize) -> String {
    let now = number::rate(node.rate());
    let room = cells.saturating_sub(text::width(&now) + 1);
    let rates: Vec<f64> = drawn.rates.get(node.id).map(|rates| rates.iter().copied().collect()).unwrap_or_default();
    format!("{now} {}", rate::sparkline(&rates, room))
}

/// What it holds and waits for, most telling first.
pub fn holds(node: &PipelineNode, now_ms: i64) -> Vec<String> {
    let mut facts = Vec::new();
    match node.role {
        NodeRole::Source => match node.progress {
            Some((done, total)) => {
                facts.push(format!("{} of {}", number::bytes(done), number::bytes(total)));
            }
            None => facts.push(format!("lag {}", number::grouped(node.backlog))),
        },
        NodeRole::Sink => facts.push(format!("{} rows", number::grouped(node.rows_out))),
        NodeRole::Operator => {}
    }
    if 0 < node.state_rows {
        facts.push(format!("state {}", number::bytes(node.state_bytes)));
    }
    if let Some(behind) = watermark(node.watermark_ms, now_ms) {
        facts.push(format!("wm {behind}"));
    }
    if node.role != NodeRole::Source && 0 < node.backlog {
        facts.push(format!("waiting {}", number::grouped(node.backlog)));
    }
    facts
}

/// What went wrong, and how busy it is, in at most `cells`.
pub fn troubles(node: &PipelineNode, cells: usize) -> (String, Role) {
    let role = match (node.bad, node.late) {
        (1.., _) => Role::Danger,
        (_, 1..) => Role::Warning,
        _ => Role::Muted,
    };
    let mut facts = vec![format!("bad {}", number::grouped(node.bad))];
    if node.role == NodeRole::Operator {
        facts.insert(0, format!("late {}", number::grouped(node.late)));
    }
    facts.push(format!("busy {:.0} %", node.busy_share * 100.0));
    (joined(&facts, cells), role)
}

/// How far a watermark is behind: `−1.2 s`, `−02:05`; the day where it is far.
pub fn watermark(watermark_ms: Option<i64>, now_ms: i64) -> Option<String> {
    let behind = now_ms.checked_sub(watermark_ms?)?;
    Some(match behind {
        ..=-1 => format!("+{}", time::span(behind.unsigned_abs())),
        0..60_000 => format!("−{:.1} s", behind as f64 / 1_000.0),
        60_000..BEHIND_MS_MAX => format!("−{}", time::span(behind.unsigned_abs())),
        _ => time::format(watermark_ms?, &jiff::tz::TimeZone::UTC, "%Y-%m-%d"),
    })
}

/// Facts in at most `cells`, those that do not fit left out.
pub fn joined(facts: &[String], cells: usize) -> String {
    let mut line = String::new();
    for fact in facts {
        let gap = if line.is_empty() { String::new() } else { format!(" {} ", marks::DOT) };
        if text::width(&line) + text::width(&gap) + text::width(fact) <= cells {
            line.push_str(&gap);
            line.push_str(fact);
        }
    }
    line
}
