//! The terminal lent to `$EDITOR`: for a file, for records that are sent again, for a text of SQL. What jobs report meanwhile is
//! taken in and not drawn.

use ratatui::backend::Backend;

use super::Console;
use crate::app::action::{Action, ResendRequest};
use crate::app::effect::Effect;
use crate::app::model::Note;
use crate::ui::editor;
use crate::ui::terminal::Seat;

impl<B: Backend, S: Seat> Console<B, S> {
    /// Lets `$EDITOR` have the terminal. What jobs report meanwhile is taken in and not drawn. Gives what went wrong.
    async fn edit(&mut self, path: &str, line: u32) -> Result<Option<Note>, B::Error> {
        let mut command = match editor::command(path, line, |name| std::env::var(name).ok()) {
            Ok(command) => command,
            Err(why) => return Ok(Some(Note::danger(why))),
        };
        self.seat.leave();
        let outcome = match command.spawn() {
            Ok(mut child) => loop {
                tokio::select! {
                    status = child.wait() => break status,
                    () = self.feed.ready() => {
                        let facts = self.feed.drain();
                        self.apply(facts);
                        // Reported facts come in bursts; without a pause this would spin beside the editor.
                        tokio::time::sleep(self.frame_time).await;
                    }
                }
            },
            Err(error) => Err(error),
        };
        self.take_back()?;
        Ok(match outcome {
            Ok(status) if status.success() => None,
            Ok(status) => Some(Note::warning(format!("the editor ended with {status}"))),
            Err(error) => Some(Note::danger(format!("the editor could not be started: {error}; set $EDITOR"))),
        })
    }

    /// Lets a file of the configuration be edited, and has all of it read again.
    pub(super) async fn edit_file(&mut self, path: &str, line: u32) -> Result<Vec<Effect>, B::Error> {
        if !tokio::fs::try_exists(path).await.unwrap_or(false) {
            let why = format!("there is no file `{path}`, it comes with the program; `velox-tui init` writes it here");
            self.say(Note::warning(why));
            return Ok(Vec::new());
        }
        let note = self.edit(path, line).await?.unwrap_or_else(|| Note::plain(format!("edited {path}")));
        self.say(note);
        Ok(self.model.update(Action::Reload))
    }

    pub(super) async fn edit_resend(&mut self, resend: ResendRequest) -> Result<Vec<Effect>, B::Error> {
        let file = match editor::write_messages(&resend) {
            Ok(file) => file,
            Err(error) => {
                self.say(Note::danger(format!("the records could not be written for the editor: {error}")));
                return Ok(Vec::new());
            }
        };
        let path = file.path().display().to_string();
        if let Some(note) = self.edit(&path, 1).await? {
            self.say(note);
            return Ok(Vec::new());
        }
        Ok(match editor::read_messages(file.path(), resend.environment) {
            Ok(edited) if edited.messages.is_empty() => self.model.update(Action::Say(Note::plain("nothing was sent"))),
            Ok(edited) => self.model.update(Action::Resend(edited)),
            Err(fault) => self.model.update(Action::Say(Note::danger(fault.to_string()))),
        })
    }

    /// Lets a text of pane 3 be written in `$EDITOR`.
    pub(super) async fn edit_sql(&mut self, buffer: usize, text: &str, line: u32) -> Result<Vec<Effect>, B::Error> {
        let file = match editor::write_text(text, "sql") {
            Ok(file) => file,
            Err(error) => {
                self.say(Note::danger(format!("the text could not be written for the editor: {error}")));
                return Ok(Vec::new());
            }
        };
        let path = file.path().display().to_string();
        if let Some(note) = self.edit(&path, line).await? {
            self.say(note);
            return Ok(Vec::new());
        }
        Ok(match std::fs::read_to_string(file.path()) {
            Ok(edited) if edited.trim_end() == text.trim_end() => Vec::new(),
            Ok(edited) => self.model.sql_edited(buffer, edited.trim_end_matches('\n').to_owned()),
            Err(error) => self.model.update(Action::Say(Note::danger(format!("the text could not be read: {error}")))),
        })
    }
}
