//! What a tail is doing, in words: reading, held, reconnecting, ended; and what it has counted.

use ratatui::style::Style;

use super::condition;
use crate::app::model::Model;
use crate::app::model::tails::Tail;
use crate::core::job::Phase;
use crate::ui::keymap::{Command, Keymap};
use crate::ui::pane::View;
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::{number, text, time};

/// The state of a tail with its style.
pub fn state(tail: &Tail, view: &View<'_>) -> (String, Style) {
    let job = view.model.jobs.get(&tail.job);
    let since = job.map_or(String::new(), |job| time::since(view.model.now_ms, job.phase_since_ms, view.zone));
    let said = |mark: &str, words: String, role: Role| (format!("{mark} {words}"), view.theme.role(role));
    let held = |words: String| {
        let came = number::grouped(tail.came_since_pause());
        said(marks::PAUSED, format!("held, {came} came since{words}"), Role::Warning)
    };
    match job.map(|job| &job.phase) {
        None => said(marks::OFF, "ended; its job is forgotten".into(), Role::Muted),
        Some(Phase::Starting) => {
            let waited = job.map_or(0, |job| view.model.now_ms - job.phase_since_ms).max(0) as u64;
            said(marks::HALF, format!("asking the brokers for {}", time::span(waited)), Role::Muted)
        }
        Some(Phase::Running) if tail.paused => held(String::new()),
        Some(Phase::Running) => {
            let rate = job.map_or(0.0, |job| job.rate);
            let words = match tail.counts.left {
                Some(left) => {
                    format!("searching {}, {}", number::rate(rate), condition::progress(tail.counts.read, left, rate))
                }
                None if tail.request.is_whole() => "searching".to_owned(),
                None => format!("reading {}", number::rate(rate)),
            };
            said(marks::RUNNING, words, Role::Success)
        }
        Some(Phase::Reconnecting { fault, .. }) => {
            let lost = job.map_or(0, |job| view.model.now_ms - job.phase_since_ms).max(0) as u64;
            said(marks::HALF, format!("reconnecting for {}: {fault}", time::span(lost)), Role::Warning)
        }
        Some(Phase::Paused) => said(marks::PAUSED, "paused".into(), Role::Muted),
        Some(Phase::Stopping) => said(marks::HALF, "stopping".into(), Role::Muted),
        Some(Phase::Done) if tail.request.is_whole() => {
            said(marks::DONE, format!("searched all there was, {since}"), Role::Success)
        }
        Some(Phase::Done) => said(marks::DONE, format!("done {since}"), Role::Success),
        Some(Phase::Stopped) => said(marks::OFF, format!("stopped {since}"), Role::Muted),
        Some(Phase::Failed(fault)) => said(marks::FAILED, format!("failed {since}: {fault}"), Role::Danger),
        Some(Phase::Panicked(message)) => {
            said(marks::FAILED, format!("failed {since} by a defect of this program: {message}"), Role::Danger)
        }
    }
}

/// `read 1,204,332 · matched 3,120 · shown 2,000 · not shown 1,120`, in so many cells: where they are few, `matched` goes if it
/// says the same as `read`, numbers are short, and `shown` goes, which the place in the list says too.
pub fn counts(tail: &Tail, shown: usize, cells: usize) -> String {
    let (read, matched, shown) = (tail.counts.read, tail.counts.matched, shown as u64);
    // The view's copy can be a frame ahead of the counters.
    let (read, matched) = (read.max(shown), matched.max(shown));
    let named = [("read", read), ("matched", matched), ("shown", shown), ("not shown", matched - shown)];
    let said = |number: &dyn Fn(u64) -> String, is_whole: bool, says_shown: bool| {
        let kept = named.iter().filter(|(name, count)| is_whole || *name != "matched" || *count != read);
        let kept = kept.filter(|(name, _)| says_shown || *name != "shown");
        let words: Vec<String> = kept.map(|(name, count)| format!("{name} {}", number(*count))).collect();
        words.join(&format!(" {} ", marks::DOT))
    };
    let short = |count: u64| number::short(count as f64);
    let lines = [said(&number::grouped, true, true), said(&number::grouped, false, true), said(&short, false, true)];
    lines.into_iter().find(|line| text::width(line) <= cells).unwrap_or_else(|| said(&short, false, false))
}

/// Why no record is shown, and what to do about it.
pub fn empty(tail: &Tail, keymap: &Keymap, model: &Model, [pick, restart, filter, where_]: [Command; 4]) -> String {
    let key = |command| keymap.chord_of(command).map_or("the palette".into(), |chord| chord.to_string());
    if !tail.filter.is_empty() && !tail.records.is_empty() {
        let held = number::grouped(tail.records.len() as u64);
        return format!(
            "none of the {held} records in memory holds `{}`; {} changes the filter, Esc drops it",
            tail.filter,
            key(filter)
        );
    }
    if let Some(search) = tail.request.search.as_ref().filter(|_| 0 < tail.counts.read) {
        let read = number::counted(tail.counts.read, "record");
        return format!(
            "none of the {read} read matches `{}`; {} changes it, Esc drops it",
            search.condition,
            key(where_)
        );
    }
    let topics = tail.request.topics.join(", ");
    match model.jobs.get(&tail.job).map(|job| &job.phase) {
        Some(Phase::Starting) => format!("asking the brokers of {} for {topics}", tail.request.environment),
        Some(Phase::Running) => {
            format!(
                "nothing on {topics} yet: new records appear here; {} starts elsewhere, at the beginning say",
                key(pick)
            )
        }
        Some(Phase::Reconnecting { .. }) => "the brokers do not answer; reading goes on by itself where it was".into(),
        Some(Phase::Failed(fault)) => format!("{fault}; {} reads again", key(restart)),
        _ => format!("no record was read; {} reads again, {} picks other topics", key(restart), key(pick)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::TailRequest;
    use crate::core::job::JobId;
    use crate::core::record::StartAt;

    fn said(read: u64, matched: u64, cells: usize) -> String {
        let topics = vec!["orders".into()];
        let request =
            TailRequest { environment: "qa".into(), topics, start: StartAt::End, search: None, partitions: Vec::new() };
        let mut tail = Tail::new(JobId(1), request, 10);
        (tail.counts.read, tail.counts.matched) = (read, matched);
        counts(&tail, 2_000, cells)
    }

    #[test]
    fn no_count_is_cut_where_cells_are_few() {
        assert_eq!(said(3_030, 3_030, 60), "read 3,030 · matched 3,030 · shown 2,000 · not shown 1,030");
        assert_eq!(said(3_030, 3_030, 50), "read 3,030 · shown 2,000 · not shown 1,030");
        assert_eq!(said(1_204_332, 3_120, 56), "read 1.2M · matched 3.12k · shown 2k · not shown 1.12k");
        assert_eq!(said(1_244_332, 3_120, 54), "read 1.24M · matched 3.12k · not shown 1.12k");
    }
}
