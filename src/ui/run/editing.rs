//! The terminal lent to `$EDITOR`: for a file, for records that are sent again, for a text of SQL. What jobs report meanwhile is
//! taken in and not drawn.

use std::io;

use ratatui::backend::Backend;
use tokio::task::JoinError;

use super::Console;
use crate::app::action::{Action, ResendRequest};
use crate::app::effect::Effect;
use crate::app::model::Note;
use crate::core::fault::{Blame, Fault};
use crate::ui::editor::{self, Draft};
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
        let asked = resend.clone();
        let file = match off_the_loop(move || editor::write_messages(&asked)).await.unwrap_or_else(cut_short) {
            Ok(file) => file,
            Err(error) => {
                self.say(Note::danger(format!("the records could not be written for the editor: {error}")));
                return Ok(Vec::new());
            }
        };
        let Some(file) = self.edit_draft(file, 1).await? else { return Ok(Vec::new()) };
        let read = off_the_loop(move || editor::read_messages(file.path(), &resend)).await;
        Ok(match read.unwrap_or_else(|error| Err(Fault::new(Blame::Program, error.to_string()))) {
            Ok(edited) if edited.messages.is_empty() => self.model.update(Action::Say(Note::plain("nothing was sent"))),
            Ok(edited) => self.model.update(Action::Resend(edited)),
            Err(fault) => self.model.update(Action::Say(Note::danger(fault.to_string()))),
        })
    }

    /// Lets a text of pane 3 be written in `$EDITOR`.
    pub(super) async fn edit_sql(&mut self, buffer: usize, text: &str, line: u32) -> Result<Vec<Effect>, B::Error> {
        let written = text.to_owned();
        let file = match off_the_loop(move || editor::write_text(&written, "sql")).await.unwrap_or_else(cut_short) {
            Ok(file) => file,
            Err(error) => {
                self.say(Note::danger(format!("the text could not be written for the editor: {error}")));
                return Ok(Vec::new());
            }
        };
        let Some(file) = self.edit_draft(file, line).await? else { return Ok(Vec::new()) };
        let read = off_the_loop(move || std::fs::read_to_string(file.path())).await;
        Ok(match read.unwrap_or_else(cut_short) {
            Ok(edited) if edited.trim_end() == text.trim_end() => Vec::new(),
            Ok(edited) => self.model.sql_edited(buffer, edited.trim_end_matches('\n').to_owned()),
            Err(error) => self.model.update(Action::Say(Note::danger(format!("the text could not be read: {error}")))),
        })
    }

    /// Lets a draft be edited; gives it back where the editor ended well, and says what went wrong where it did not.
    async fn edit_draft(&mut self, file: Draft, line: u32) -> Result<Option<Draft>, B::Error> {
        let path = file.path().display().to_string();
        let Some(note) = self.edit(&path, line).await? else { return Ok(Some(file)) };
        self.say(note);
        off_the_loop(move || drop(file)).await.ok();
        Ok(None)
    }
}

/// Runs what reads or writes a file where waiting harms nobody.
async fn off_the_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    tokio::task::spawn_blocking(work).await
}

fn cut_short<T>(error: JoinError) -> io::Result<T> {
    Err(io::Error::other(error))
}
