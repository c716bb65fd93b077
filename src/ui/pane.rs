//! What a pane is, and how one is written: state, keys and drawing in one file under `ui/panes/`, known by one line of the roster.
//!
//! # How to write a pane
//!
//! 1. Make `ui/panes/NAME.rs` (or a folder with `mod.rs`) with a struct that holds cursor, scroll, open tab, open input:
//!    what belongs to looking. Facts belong to [`Model`] and are read through the `&Model` that each call is given.
//! 2. Name each command as a constant and list it in a `KEYS` table; the registry makes footer, `?` help, palette and
//!    overrides of `config/console.yaml` from it. Never look at a raw key for a command: a person may have moved it.
//!
//!    ```text
//!    const CONNECT: Command = Command("environments.connect");
//!    const KEYS: &[Binding] = &[Binding::new(CONNECT, &["c"], "connect or disconnect")];
//!
//!    fn key(&mut self, press: &Press, model: &Model) -> Reply {
//!        match press.command {
//!            Some(CONNECT) => Reply::Emit(Action::Connect(name)),
//!            Some(keys::DOWN) => { self.cursor += 1; Reply::Handled }
//!            _ => Reply::Ignored,
//!        }
//!    }
//!    ```
//!    The movements shared by all lists (`j`, `k`, arrows, `g`, `G`, pages, `/`, `s`, `y`, `Enter`, `Esc`) are in
//!    [`super::keys`]; they need no line in `KEYS`. For them `press.event` is always the key of the default, so that
//!    `Listing::key(press.event)` obeys overrides too. The first five lines of `KEYS` are the footer; give
//!    [`Pane::footer`] to choose others (by open tab, say).
//! 3. While a text input is open, answer `true` from [`Pane::takes_text`]: keys then arrive with `command: None`, save
//!    `Enter`, `Esc` and what no text can hold; read `press.event`.
//! 4. Answer [`Reply::Emit`] with an [`Action`] to change the world, [`Reply::Handled`] when only the pane moved (it is
//!    drawn again), [`Reply::Ignored`] to let the key go on to the console (`q`, `?`, digits, `Esc` …).
//! 5. `draw` gets the area inside the border. Draw what is visible only; colours by [`View::theme`] roles, never by hue.
//! 6. Add the pane to the roster in `ui/panes/mod.rs`.

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::keymap::{Binding, Command, Keymap};
use super::theme::Theme;
use crate::app::action::{Action, PaneId};
use crate::app::model::Model;

/// One pane of the console.
pub trait Pane {
    /// Which pane it is.
    fn id(&self) -> PaneId;

    /// Title on its tab.
    fn title(&self) -> &'static str;

    /// Its commands with their default keys, most useful first.
    fn keys(&self) -> &'static [Binding];

    /// Takes a key; the pane has the focus and nothing lies over it.
    fn key(&mut self, press: &Press, model: &Model) -> Reply;

    /// Draws inside `area`, which has no border of its own.
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>);

    /// It comes to the front: the keys are its own from now on.
    fn comes_to_front(&mut self) {}

    /// Takes a mouse event inside `area`, the area it was last drawn in.
    fn mouse(&mut self, event: MouseEvent, area: Rect, model: &Model) -> Reply {
        let _ = (event, area, model);
        Reply::Ignored
    }

    /// Takes pasted text while [`Pane::takes_text`].
    fn paste(&mut self, text: &str, model: &Model) -> Reply {
        let _ = (text, model);
        Reply::Ignored
    }

    /// Whether letters are text at the moment.
    fn takes_text(&self) -> bool {
        false
    }

    /// Whether a letter is the console's although letters are text here: nothing is written yet that it could belong to.
    fn yields(&self, letter: char) -> bool {
        let _ = letter;
        false
    }

    /// Whether it wants the whole width of a wide screen rather than another pane beside it.
    fn fills(&self) -> bool {
        false
    }

    /// Those of the commands of lists that mean nothing here.
    fn not_here(&self) -> &'static [Command] {
        &[]
    }

    /// The commands of the footer, at most five, by what is open at the moment.
    fn footer(&self) -> Vec<Command> {
        self.keys().iter().take(FOOTER_KEYS_MAX).map(|binding| binding.command).collect()
    }
}

/// Keys in the footer: more are not read, and `?` has them all.
pub const FOOTER_KEYS_MAX: usize = 5;

/// What came of a key; goes from the top layer down until one does not ignore it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Not mine.
    Ignored,
    /// The pane moved; nothing else happened.
    Handled,
    /// Something is to be done.
    Emit(Action),
}

/// A key as a pane gets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Press {
    /// The command the key stands for here; none for text and for keys without a meaning.
    pub command: Option<Command>,
    /// The key itself, for text inputs; for a command of lists the key of its default, whatever was pressed.
    pub event: KeyEvent,
}

/// What drawing may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Facts.
    pub model: &'a Model,
    /// Colours by role.
    pub theme: &'a Theme,
    /// Keys, to name them in hints.
    pub keymap: &'a Keymap,
    /// Zone in which times are shown.
    pub zone: &'a TimeZone,
    /// Whether this pane has the keys.
    pub focused: bool,
}
