//! The log: structured lines with a level filter, and the audit log.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::app::action::PaneId;
use crate::app::model::Model;
use crate::ui::keymap::Binding;
use crate::ui::keys;
use crate::ui::pane::{Pane, Press, Reply, View};

const KEYS: &[Binding] = &[];

/// The pane.
#[derive(Debug, Default)]
pub struct LogPane {
    cursor: usize,
}

impl Pane for LogPane {
    fn id(&self) -> PaneId {
        PaneId::Log
    }

    fn title(&self) -> &'static str {
        "Log"
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn key(&mut self, press: &Press, _model: &Model) -> Reply {
        match press.command {
            Some(keys::DOWN) => self.cursor = self.cursor.saturating_add(1),
            Some(keys::UP) => self.cursor = self.cursor.saturating_sub(1),
            _ => return Reply::Ignored,
        }
        Reply::Handled
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let rows: Vec<String> = view
            .model
            .log
            .lines
            .iter()
            .filter(|line| view.model.log.level <= line.level)
            .map(|line| format!("{} {}", line.level.name(), line.message))
            .collect();
        self.cursor = self.cursor.min(rows.len().saturating_sub(1));
        let first = (self.cursor + 1).saturating_sub(usize::from(area.height));
        let lines: Vec<Line<'_>> =
            rows.into_iter().skip(first).take(usize::from(area.height)).map(Line::from).collect();
        frame.render_widget(Paragraph::new(lines), area);
    }
}
