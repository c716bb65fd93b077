//! One line that names the tails there are, where there are several: which is in view, and how each does.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::model::Model;
use crate::app::model::tails::Tail;
use crate::core::job::{JobId, Phase};
use crate::ui::pane::View;
use crate::ui::theme::{Role, marks};
use crate::ui::widgets::text;

/// Widest name of a tail.
const NAME_CELLS_MAX: usize = 28;

/// The tail so many steps after the one in view, round and round; none where there is no other.
pub fn neighbour(model: &Model, by: usize) -> Option<JobId> {
    let jobs: Vec<JobId> = model.tails.keys().copied().collect();
    let at = jobs.iter().position(|job| Some(*job) == model.tail)?;
    jobs.get((at + by) % jobs.len()).copied().filter(|job| Some(*job) != model.tail)
}

/// Draws the names; those around the one in view where not all fit.
pub fn draw(line: Rect, buffer: &mut Buffer, view: &View<'_>, chord: &str) {
    let model = view.model;
    let hint = format!("{} tails, {chord} next", model.tails.len());
    let hint_cells = text::width(&hint) as u16 + 1;
    let names: Vec<(JobId, String)> = model.tails.values().map(|tail| (tail.job, said(tail, model))).collect();
    let here = names.iter().position(|(job, _)| Some(*job) == model.tail).unwrap_or(0);
    let room = usize::from(line.width.saturating_sub(hint_cells));
    let taken = |from: usize| names[from..=here].iter().map(|(_, name)| text::width(name) + 2).sum::<usize>();
    let first = (0..=here).find(|from| taken(*from) <= room).unwrap_or(here);
    let mut x = line.x;
    for (job, name) in &names[first..] {
        let left = usize::from((line.right() - x).saturating_sub(hint_cells));
        if left < 4 {
            break;
        }
        let is_here = Some(*job) == model.tail;
        let style = if is_here { view.theme.focused() } else { view.theme.role(Role::Muted) };
        let words = text::fit(name, left);
        buffer.set_string(x, line.y, &words, style);
        x += text::width(&words) as u16 + 2;
    }
    let x = line.right().saturating_sub(hint_cells - 1).max(line.x);
    let cells = usize::from(line.right() - x);
    buffer.set_stringn(x, line.y, &hint, cells, view.theme.role(Role::Muted));
}

fn said(tail: &Tail, model: &Model) -> String {
    let mark = match model.jobs.get(&tail.job).map(|job| &job.phase) {
        Some(Phase::Running) if tail.paused => marks::PAUSED,
        Some(Phase::Running) => marks::RUNNING,
        Some(Phase::Failed(_) | Phase::Panicked(_)) => marks::FAILED,
        Some(phase) if phase.is_ending() => marks::OFF,
        None => marks::OFF,
        Some(_) => marks::HALF,
    };
    format!("{mark} {} {}", tail.job.0, text::fit(&tail.request.topics.join(", "), NAME_CELLS_MAX))
}
