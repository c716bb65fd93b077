//! The mouse in pane 3: it gives a part the keys, puts the caret, scrolls; never the only way to do a thing.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::inspect::Inspect;
use super::{Dialog, Part, SqlPane, handled};
use crate::app::action::Action;
use crate::app::model::Model;
use crate::ui::pane::Reply;
use crate::ui::widgets::cursor::Pointed;

impl SqlPane {
    /// Takes a mouse event.
    pub(super) fn pointed(&mut self, event: MouseEvent, model: &Model) -> Reply {
        match &mut self.dialog {
            Some(Dialog::Open(dialog)) => {
                let opened = dialog.mouse(event, &model.desk.files);
                return self.opened(opened, model);
            }
            Some(Dialog::Ask(_) | Dialog::Deploy(_)) => return Reply::Handled,
            None => {}
        }
        let at = Position::new(event.column, event.row);
        let pressed = matches!(event.kind, MouseEventKind::Down(MouseButton::Left));
        if pressed && let Some(tab) = self.tabs.under(at) {
            self.part = Part::Editor;
            return Reply::Emit(Action::ShowSql(tab));
        }
        if self.areas.editor.contains(at) {
            return self.editor_mouse(event, at);
        }
        if self.areas.catalog.contains(at) {
            if pressed {
                (self.part, self.popup) = (Part::Catalog, None);
            }
            let picked = self.catalog.mouse(event, model);
            return self.picked(picked);
        }
        if self.areas.beside.contains(at) {
            return handled(match &mut self.inspect {
                Some(inspect) => inspect.mouse(event),
                None => self.plan.mouse(event),
            });
        }
        if !self.areas.rows.contains(at) {
            return Reply::Ignored;
        }
        if pressed {
            self.part = Part::Rows;
            self.popup = None;
        }
        if self.plan_is_below() {
            return handled(self.plan.mouse(event));
        }
        match self.results.mouse(event) {
            Pointed::Opened => self.inspect = Some(Inspect::default()),
            Pointed::Elsewhere if !pressed => return Reply::Ignored,
            _ => {}
        }
        Reply::Handled
    }

    fn editor_mouse(&mut self, event: MouseEvent, at: Position) -> Reply {
        let tab = self.tabs.front_mut();
        match event.kind {
            MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
                let by = if event.kind == MouseEventKind::ScrollDown { 3 } else { -3 };
                tab.window.scroll(by, tab.editor.lines().len());
                self.follows_caret = false;
            }
            MouseEventKind::Down(MouseButton::Left) => {
                if let Some((line, letter)) = tab.window.under(&tab.editor, at) {
                    tab.editor.deselect();
                    tab.editor.jump(line, letter);
                }
                (self.part, self.popup, self.untouched) = (Part::Editor, None, false);
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                if let Some((line, letter)) = tab.window.under(&tab.editor, at) {
                    tab.editor.select_to(line, letter);
                }
            }
            _ => return Reply::Ignored,
        }
        Reply::Handled
    }
}
