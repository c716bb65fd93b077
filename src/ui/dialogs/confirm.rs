//! The question before something is written, stopped or left: exactly what will happen, then yes, or a name to type.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::action::Action;
use crate::app::model::confirmation::Confirmation;
use crate::core::environment::Guard;
use crate::ui::layout;
use crate::ui::pane::Reply;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::input::Input;
use crate::ui::widgets::text;

/// Widest box, cells: a line of a summary is read at a glance.
const WIDTH_MAX: u16 = 84;

/// What is typed so far, and how far the summary is scrolled.
#[derive(Debug, Default)]
pub struct Confirm {
    input: Input,
    top: usize,
    lines: usize,
    room: usize,
}

impl Confirm {
    /// Takes a key. Nothing gets past a question.
    pub fn key(&mut self, event: KeyEvent, asked: &Confirmation) -> Reply {
        match event.code {
            KeyCode::Esc => return self.answer(Action::Cancel),
            KeyCode::Up => self.top = self.top.saturating_sub(1),
            KeyCode::Down => self.top = (self.top + 1).min(self.lines.saturating_sub(self.room)),
            KeyCode::Enter if asked.guard == Guard::Typed => {
                let typed = self.input.text().to_owned();
                if typed.trim() == asked.expected {
                    return self.answer(Action::Confirm { typed });
                }
                return Reply::Emit(Action::Confirm { typed });
            }
            _ if asked.guard == Guard::Typed => {
                self.input.key(event);
            }
            KeyCode::Char('y' | 'Y') | KeyCode::Enter => {
                return self.answer(Action::Confirm { typed: String::new() });
            }
            KeyCode::Char('n' | 'N' | 'q') => return self.answer(Action::Cancel),
            _ => {}
        }
        Reply::Handled
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str, asked: &Confirmation) {
        if asked.guard == Guard::Typed {
            self.input.insert(pasted.trim());
        }
    }

    fn answer(&mut self, action: Action) -> Reply {
        *self = Self::default();
        Reply::Emit(action)
    }

    /// Draws the box in the middle of the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, screen: Rect, asked: &Confirmation, theme: &Theme) {
        let width = WIDTH_MAX.min(screen.width.saturating_sub(4));
        let cells = usize::from(width.saturating_sub(4));
        let summary: Vec<String> = asked.summary.iter().flat_map(|line| text::wrapped(line, cells)).collect();
        let height = (summary.len() as u16).saturating_add(6).min(screen.height.saturating_sub(2));
        let area = super::open_box(frame, layout::middle(screen, width, height), &asked.question, theme);
        self.lines = summary.len();
        self.room = usize::from(area.height.saturating_sub(3));
        self.top = self.top.min(self.lines.saturating_sub(self.room));
        let shown: Vec<Line<'_>> =
            summary.iter().skip(self.top).take(self.room).map(|line| Line::raw(line.as_str())).collect();
        frame.render_widget(Paragraph::new(shown), Rect { height: self.room as u16, ..area });
        let hidden = self.lines.saturating_sub(self.top + self.room);
        if 0 < hidden {
            let more = Line::styled(format!("↓ {hidden} more lines"), theme.role(Role::Muted));
            frame.render_widget(more, Rect { y: area.bottom() - 3, height: 1, ..area });
        }
        self.draw_answer(frame, area, asked, theme);
    }

    fn draw_answer(&self, frame: &mut Frame<'_>, area: Rect, asked: &Confirmation, theme: &Theme) {
        let muted = theme.role(Role::Muted);
        let line = |up: u16| Rect { y: area.bottom().saturating_sub(up), height: 1, ..area };
        if asked.guard != Guard::Typed {
            let keys = vec![
                Span::styled("y", theme.focused()),
                Span::styled(" yes   ", muted),
                Span::styled("Esc", theme.focused()),
                Span::styled(" no", muted),
            ];
            frame.render_widget(Line::from(keys), line(1));
            return;
        }
        let ask = Line::from(vec![
            Span::styled("type ", muted),
            Span::styled(asked.expected.as_str(), theme.role(Role::Danger)),
            Span::styled(" and ", muted),
            Span::styled("Enter", theme.focused()),
            Span::styled(" to go on, ", muted),
            Span::styled("Esc", theme.focused()),
            Span::styled(" to leave it", muted),
        ]);
        frame.render_widget(ask, line(2));
        let prompt = line(1);
        frame.render_widget(Span::styled("> ", theme.focused()), prompt);
        let input = Rect { x: prompt.x + 2, width: prompt.width.saturating_sub(2), ..prompt };
        self.input.draw(input, frame.buffer_mut(), theme, true);
    }
}
