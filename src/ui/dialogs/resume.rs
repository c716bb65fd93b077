//! What was running when the console was left: all of it, some of it or none is resumed, each from its checkpoint.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::action::Action;
use crate::app::model::deployments::Deployments;
use crate::ui::layout;
use crate::ui::pane::Reply;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::checklist::{Checklist, Item};
use crate::ui::widgets::time;

/// Widest box, cells: a name, its environment and the age of its checkpoint.
const WIDTH_MAX: u16 = 84;
/// What is asked.
const WORDS: [&str; 2] = [
    "Checked jobs go on from their last checkpoint, which is as old as shown.",
    "The others stay stopped: start them in pane 6 when you want.",
];
/// Lines beside the list: two edges, what is asked and a free line, the list's own last line, the keys.
const LINES_BESIDE: u16 = 8;

/// The list and its checks.
#[derive(Debug, Default)]
pub struct Resume {
    list: Option<Checklist>,
}

impl Resume {
    /// Takes a key. Nothing gets past the question.
    pub fn key(&mut self, event: KeyEvent, deployments: &Deployments) -> Reply {
        let list = self.list.get_or_insert_with(|| offered(deployments));
        let names = match event.code {
            KeyCode::Esc if !list.is_typing() => Vec::new(),
            KeyCode::Enter => list.checked(),
            _ => {
                list.key(event);
                return Reply::Handled;
            }
        };
        self.list = None;
        Reply::Emit(Action::ResumeJobs(names))
    }

    /// Draws the box in the middle of the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, screen: Rect, deployments: &Deployments, now_ms: i64, theme: &Theme) {
        let list = self.list.get_or_insert_with(|| offered(deployments));
        list.set_items(items(deployments, now_ms, theme));
        let width = WIDTH_MAX.min(screen.width.saturating_sub(4));
        let rows = deployments.offered.len() as u16;
        let height = rows.saturating_add(LINES_BESIDE).min(screen.height.saturating_sub(2));
        let area = super::open_box(frame, layout::middle(screen, width, height), "Resume what was running?", theme);
        let muted = theme.role(Role::Muted);
        for (at, words) in (0..).zip(WORDS) {
            frame.render_widget(Line::styled(words, muted), Rect { y: area.y + at, height: 1, ..area });
        }
        let above = WORDS.len() as u16 + 1;
        let inside = Rect { y: area.y + above, height: area.height.saturating_sub(above + 1), ..area };
        list.draw("", inside, frame.buffer_mut(), theme, true);
        let keys = [
            ("Enter", " resume the checked   "),
            ("Space", " choose   "),
            ("a", " all or none   "),
            ("Esc", " not now"),
        ];
        let spans: Vec<Span<'_>> = keys
            .into_iter()
            .flat_map(|(key, words)| [Span::styled(key, theme.focused()), Span::styled(words, muted)])
            .collect();
        frame.render_widget(Line::from(spans), Rect { y: area.bottom().saturating_sub(1), height: 1, ..area });
    }
}

/// All of them, checked.
fn offered(deployments: &Deployments) -> Checklist {
    let names: Vec<String> = deployments.offered.iter().map(|one| one.name.clone()).collect();
    Checklist::new(names.iter().map(Item::new).collect(), names)
}

fn items(deployments: &Deployments, now_ms: i64, theme: &Theme) -> Vec<Item> {
    let item = |definition: &crate::sql::deploy::definition::Definition| {
        let status = deployments.kept.get(&definition.name).and_then(|kept| kept.status.as_ref());
        let checkpoint = match status.and_then(|status| status.checkpoint_ms) {
            Some(at_ms) => format!("{} old", time::span(u64::try_from(now_ms - at_ms).unwrap_or(0))),
            None => "begins anew".to_owned(),
        };
        let note = format!("{}, {checkpoint}", definition.environment);
        Item { name: definition.name.clone(), note, style: theme.role(Role::Text) }
    };
    deployments.offered.iter().map(item).collect()
}
