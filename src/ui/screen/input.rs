//! Keys, mouse and pastes go down the layers: question, palette, help, pane, console. The first that does not ignore one has it.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::Screen;
use crate::app::action::{Action, PaneId};
use crate::app::model::{Model, Note};
use crate::ui::chord::Chord;
use crate::ui::dialogs::help::Help;
use crate::ui::dialogs::palette::{Choice, Outcome, Palette};
use crate::ui::keymap::{Command, Scope};
use crate::ui::keys;
use crate::ui::pane::{Pane, Press, Reply};
use crate::ui::theme;

/// What an event asks of the loop.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// An action for the model.
    Act(Action),
    /// To the shell and back.
    Suspend,
    /// Everything anew, whatever the terminal shows now.
    Redraw,
}

impl Screen {
    /// Takes an event of the terminal.
    pub fn event(&mut self, event: Event, model: &Model) -> Option<Wish> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key, model),
            Event::Mouse(mouse) => self.mouse(mouse, model),
            // Most terminals send what Enter sends at the end of a pasted line.
            Event::Paste(pasted) => self.paste(&pasted.replace("\r\n", "\n").replace('\r', "\n"), model),
            Event::Resize(..) | Event::FocusGained => {
                self.moved = true;
                None
            }
            Event::Key(_) | Event::FocusLost => None,
        }
    }

    fn key(&mut self, event: KeyEvent, model: &Model) -> Option<Wish> {
        // What every terminal program does, whatever is open.
        if event.code == KeyCode::Char('z') && event.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Wish::Suspend);
        }
        // What cannot be seen is not obeyed, save the way out.
        if self.drawn.too_small {
            let leave = event.code == KeyCode::Char('c') && event.modifiers.contains(KeyModifiers::CONTROL);
            return leave.then_some(Wish::Act(Action::Quit));
        }
        if let Some(asked) = &model.confirmation {
            let reply = self.confirm.key(event, asked);
            return self.settle(reply);
        }
        if !model.deployments.offered.is_empty() {
            let reply = self.resume.key(event, &model.deployments);
            return self.settle(reply);
        }
        if let Some(palette) = &mut self.palette {
            let outcome = palette.key(event);
            return self.palette_outcome(outcome, model);
        }
        if let Some(help) = &mut self.help {
            self.moved = true;
            if !help.key(event) {
                self.help = None;
            }
            return None;
        }
        let press = self.press(event, model.focus);
        let reply = self.focused_key(&press, model);
        match reply {
            Reply::Ignored => self.console_key(event, press.command, model),
            reply => self.settle(reply),
        }
    }

    /// What a key means to the focused pane.
    fn press(&self, event: KeyEvent, focus: PaneId) -> Press {
        let chord = Chord::of(&event);
        let text = self.is_text(focus, event);
        let command = self.keymap.command(focus, chord);
        let scope = command.and_then(|command| self.keymap.entry(command)).map(|entry| entry.scope);
        let kept = command.filter(|command| {
            !text
                || matches!(*command, keys::OPEN | keys::BACK)
                || (!chord.is_text() && matches!(scope, Some(Scope::Pane(_))))
        });
        // Widgets of lists know the default keys only.
        let event = match kept.filter(|_| scope == Some(Scope::List)) {
            Some(command) => default_event(command).unwrap_or(event),
            None => event,
        };
        Press { command: kept, event }
    }

    /// Whether a key goes into a text that is being written.
    fn is_text(&self, focus: PaneId, event: KeyEvent) -> bool {
        let is_yielded = |pane: &dyn Pane| matches!(event.code, KeyCode::Char(letter) if pane.yields(letter));
        self.pane(focus).is_some_and(|pane| pane.takes_text() && !is_yielded(pane))
    }

    fn focused_key(&mut self, press: &Press, model: &Model) -> Reply {
        match self.panes.iter_mut().find(|pane| pane.id() == model.focus) {
            Some(pane) => pane.key(press, model),
            None => Reply::Ignored,
        }
    }

    fn console_key(&mut self, event: KeyEvent, command: Option<Command>, model: &Model) -> Option<Wish> {
        let text = self.is_text(model.focus, event);
        let chord = Chord::of(&event);
        let command = command.or_else(|| self.keymap.command(model.focus, chord).filter(|_| !text || !chord.is_text()));
        self.console_command(command?, model)
    }

    fn console_command(&mut self, command: Command, model: &Model) -> Option<Wish> {
        self.moved = true;
        let focus = |pane| Some(Wish::Act(Action::Focus(pane)));
        match command {
            keys::QUIT => Some(Wish::Act(Action::Quit)),
            keys::BACK if model.focus == PaneId::Log => focus(self.before_log),
            keys::BACK if model.note.is_some() => Some(Wish::Act(Action::Hush)),
            keys::HELP => {
                self.help = Some(Help::default());
                None
            }
            keys::PALETTE => {
                let themes = theme::names(&model.themes);
                self.palette = Some(Palette::new(&self.keymap, &self.titles(), model.focus, &themes));
                // A file may have been added or written in since; the list takes it in when it is read.
                Some(Wish::Act(Action::ReadThemes))
            }
            keys::LOG if model.focus == PaneId::Log => focus(self.before_log),
            keys::LOG => focus(PaneId::Log),
            keys::NEXT_PANE => focus(self.neighbour(model.focus, 1)),
            keys::PREVIOUS_PANE => focus(self.neighbour(model.focus, self.tabbed().len().saturating_sub(1))),
            keys::PANE_ENVIRONMENTS => focus(PaneId::Environments),
            keys::PANE_ETLS => focus(PaneId::Etls),
            keys::PANE_SQL => focus(PaneId::Sql),
            keys::PANE_TAIL => focus(PaneId::Tail),
            keys::PANE_METRICS => focus(PaneId::Metrics),
            keys::PANE_JOBS => focus(PaneId::Jobs),
            keys::RELOAD => Some(Wish::Act(Action::Reload)),
            keys::REDRAW => Some(Wish::Redraw),
            keys::SUSPEND => Some(Wish::Suspend),
            _ => None,
        }
    }

    fn tabbed(&self) -> Vec<PaneId> {
        self.panes.iter().map(|pane| pane.id()).filter(|id| *id != PaneId::Log).collect()
    }

    fn neighbour(&self, focus: PaneId, by: usize) -> PaneId {
        let tabs = self.tabbed();
        let here = if focus == PaneId::Log { self.before_log } else { focus };
        let at = tabs.iter().position(|id| *id == here).unwrap_or(0);
        tabs.get((at + by) % tabs.len().max(1)).copied().unwrap_or(here)
    }

    fn settle(&mut self, reply: Reply) -> Option<Wish> {
        self.moved = true;
        match reply {
            Reply::Ignored | Reply::Handled => None,
            Reply::Emit(action) => Some(Wish::Act(action)),
        }
    }

    fn palette_outcome(&mut self, outcome: Outcome, model: &Model) -> Option<Wish> {
        self.moved = true;
        match outcome {
            Outcome::Open => None,
            Outcome::Closed => {
                self.palette = None;
                None
            }
            Outcome::Chosen(choice) => {
                self.palette = None;
                match choice {
                    Choice::Theme(name) => Some(Wish::Act(Action::SetTheme(name))),
                    Choice::Run(Scope::Pane(id), command) => self.run_in(id, command, model),
                    Choice::Run(_, command) => self.console_command(command, model),
                }
            }
        }
    }

    /// Carries out a pane's command as if its key had been pressed there. Where the pane is not in front it comes to the
    /// front, so that the person sees what happens; the command itself is then one more key.
    fn run_in(&mut self, id: PaneId, command: Command, model: &Model) -> Option<Wish> {
        let event = default_key();
        let press = Press { command: Some(command), event };
        let pane = self.panes.iter_mut().find(|pane| pane.id() == id)?;
        match pane.key(&press, model) {
            Reply::Emit(action) => Some(Wish::Act(action)),
            Reply::Handled => (model.focus != id).then_some(Wish::Act(Action::Focus(id))),
            Reply::Ignored => {
                let why = Note::plain("this command needs something under the cursor");
                Some(Wish::Act(if model.focus == id { Action::Say(why) } else { Action::Focus(id) }))
            }
        }
    }

    fn mouse(&mut self, event: MouseEvent, model: &Model) -> Option<Wish> {
        if model.confirmation.is_some() || self.help.is_some() {
            return self.scroll_overlay(event, model);
        }
        if let Some(palette) = &mut self.palette {
            let outcome = palette.mouse(event);
            return self.palette_outcome(outcome, model);
        }
        let at = Position::new(event.column, event.row);
        let pressed = matches!(event.kind, MouseEventKind::Down(MouseButton::Left));
        if pressed && let Some((id, _)) = self.drawn.tabs.iter().find(|(_, area)| area.contains(at)) {
            return Some(Wish::Act(Action::Focus(*id)));
        }
        let (id, area) = *self.drawn.panes.iter().find(|(_, area)| area.contains(at))?;
        let pane = self.panes.iter_mut().find(|pane| pane.id() == id)?;
        match pane.mouse(event, area, model) {
            Reply::Emit(action) => self.settle(Reply::Emit(action)),
            reply => {
                self.moved |= reply == Reply::Handled;
                (pressed && model.focus != id).then_some(Wish::Act(Action::Focus(id)))
            }
        }
    }

    /// Under a question or the help the wheel is the arrow keys.
    fn scroll_overlay(&mut self, event: MouseEvent, model: &Model) -> Option<Wish> {
        let code = match event.kind {
            MouseEventKind::ScrollUp => KeyCode::Up,
            MouseEventKind::ScrollDown => KeyCode::Down,
            _ => return None,
        };
        self.key(KeyEvent::new(code, KeyModifiers::NONE), model)
    }

    fn paste(&mut self, pasted: &str, model: &Model) -> Option<Wish> {
        self.moved = true;
        if let Some(asked) = &model.confirmation {
            self.confirm.paste(pasted, asked);
            return None;
        }
        if let Some(palette) = &mut self.palette {
            palette.paste(pasted);
            return None;
        }
        let pane = self.panes.iter_mut().find(|pane| pane.id() == model.focus)?;
        // Text that is pasted where no text is taken must not run as commands.
        let reply = if pane.takes_text() { pane.paste(pasted, model) } else { Reply::Ignored };
        self.settle(reply)
    }
}

fn default_event(command: Command) -> Option<KeyEvent> {
    let binding = keys::LIST_KEYS.iter().find(|binding| binding.command == command)?;
    Chord::parse(binding.chords.first()?).map(Chord::event)
}

/// A key that means nothing, for commands that came from the palette.
fn default_key() -> KeyEvent {
    KeyEvent::new(KeyCode::Null, KeyModifiers::NONE)
}
