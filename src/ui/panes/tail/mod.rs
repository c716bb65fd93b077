//! Pane 4: records of one or several topics as they come.

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
pub struct TailPane {
    cursor: usize,
}

impl Pane for TailPane {
    fn id(&self) -> PaneId {
        PaneId::Tail
    }

    fn title(&self) -> &'static str {
        "Tail"
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
            .tail
            .and_then(|id| view.model.tails.get(&id))
            .map(|tail| {
                tail.records
                    .iter()
                    .map(|record| format!("{} {} {}", record.topic, record.partition, record.offset))
                    .collect()
            })
            .unwrap_or_default();
        self.cursor = self.cursor.min(rows.len().saturating_sub(1));
        let first = (self.cursor + 1).saturating_sub(usize::from(area.height));
        let lines: Vec<Line<'_>> =
            rows.into_iter().skip(first).take(usize::from(area.height)).map(Line::from).collect();
        frame.render_widget(Paragraph::new(lines), area);
    }
}
